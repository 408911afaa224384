"""The workbook: a sheet "About", then a sheet per report with its rows as they are. No figure is computed here but the lowest coverage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from api.reports.catalogue import Column
from api.reports.repository import Discom, ReportTable

Sheet: TypeAlias = Any
"""A streamed sheet. The stubs do not know its columns and its filter."""
HEADER_FONT = Font(bold=True, color="FFFFFF")
HEADER_FILL = PatternFill("solid", fgColor="1F3A5F")
HIDDEN = {"discom_id"}
"""Columns that a workbook of one DISCOM need not repeat."""
SAMPLE = 200
"""Rows that a column's width is taken from."""


def _grouped(decimals: str) -> str:
    """Lakh and crore for large figures. Excel has room for two conditions, so large negative figures are grouped by thousands."""
    return rf"[>=10000000]##\,##\,##\,##0{decimals};[>=100000]##\,##\,##0{decimals};#,##0{decimals}"


def number_format(column: Column) -> str:
    """Excel's format of a column, from its type and unit."""
    if column.data_type == "date":
        return "dd-mmm-yyyy"
    if column.data_type.startswith("timestamp"):
        return "dd-mmm-yyyy hh:mm"
    if column.unit == "%":
        return "0.00"
    if column.unit == "MU":
        return "#,##0.000000"
    if scale := re.fullmatch(r"numeric\(\d+,\s*(\d+)\)", column.data_type):
        return _grouped("." + "0" * int(scale[1]))
    return "#,##0.000" if column.data_type == "double precision" else "General"


def write_xlsx(tables: Sequence[ReportTable], path: Path, discom: Discom, generated_at: datetime) -> None:
    """Write `path`. Stamps are given in the DISCOM's time zone, as the headings say; `generated_at` is aware."""
    book = Workbook(write_only=True)
    book.properties.title = f"{discom.name}: standard reports"
    book.properties.creator = "Meterhouse"
    _write_about(book.create_sheet("About"), tables, discom, generated_at)
    for table in tables:
        _write_report(book.create_sheet(_sheet_name(table.report.name)), table, discom, generated_at)
    book.save(path)


def latest(tables: Iterable[ReportTable], column: str) -> datetime | None:
    """Latest stamp of a column that every report has."""
    stamps = [r[t.report.position(column)] for t in tables for r in t.rows]
    return max((s for s in stamps if s is not None), default=None)


def stamp_text(stamp: datetime | None, discom: Discom) -> str:
    if stamp is None:
        return "unknown"
    local = stamp.astimezone(discom.timezone)
    return f"{local:%d-%b-%Y %H:%M} {local.tzname()}"


def _write_about(sheet: Sheet, tables: Sequence[ReportTable], discom: Discom, generated_at: datetime) -> None:
    for n, width in enumerate((28, 34, 70, 10, 20, 70), 1):
        sheet.column_dimensions[get_column_letter(n)].width = width
    first, last = tables[0].first, tables[0].last
    facts = {
        "DISCOM": f"{discom.name} ({discom.code})",
        "Period": f"{first:%d-%b-%Y} to {last:%d-%b-%Y}, business days",
        "Generated at": stamp_text(generated_at, discom),
        "Data as of": stamp_text(latest(tables, "data_as_of"), discom),
        "Time zone": discom.timezone.key,
        "Units": "MU = million kWh, ₹ = Indian rupee. Reports by period also hold the months, quarters and years that the days lie in.",
        "Coverage": "Share of the data that a row should rest on and does; what it is a share of stands in each report.",
    }
    sheet.append([_text("Meterhouse standard reports", Font(bold=True, size=14), sheet)])
    for name, fact in facts.items():
        sheet.append([_text(name, Font(bold=True), sheet), _text(fact, None, sheet)])
    sheet.append([])
    _write_header(sheet, ["Report", "Grain: one row per", "Formula", "Rows", "Lowest coverage (%)", "Coverage is"])
    for table in tables:
        report = table.report
        coverage = report.position("coverage_pct")
        lowest = min((r[coverage] for r in table.rows if r[coverage] is not None), default=None)
        sheet.append(
            [
                _text(report.name, None, sheet),
                _text(report.grain.removeprefix("one row per "), None, sheet),
                _text(report.formula, None, sheet),
                len(table.rows),
                _number(lowest, "0.00", sheet),
                _text(report.columns[coverage].description, None, sheet),
            ]
        )


def _write_report(sheet: Sheet, table: ReportTable, discom: Discom, generated_at: datetime) -> None:
    shown = [(i, c, number_format(c)) for i, c in enumerate(table.report.columns) if c.name not in HIDDEN]
    zone = generated_at.astimezone(discom.timezone).tzname()
    headings = [c.heading + (f" ({zone})" if c.data_type.startswith("timestamp") else "") for _, c, _ in shown]
    # What a streamed sheet is told of its columns and panes must be said before its first row.
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(shown))}{len(table.rows) + 1}"
    for n, ((i, column, _), heading) in enumerate(zip(shown, headings, strict=True), 1):
        sheet.column_dimensions[get_column_letter(n)].width = _width(column, heading, [r[i] for r in table.rows[:SAMPLE]])
    _write_header(sheet, headings)
    for row in table.rows:
        sheet.append([_cell(row[i], fmt, discom, sheet) for i, _, fmt in shown])


def _write_header(sheet: Sheet, headings: Iterable[str]) -> None:
    cells = []
    for heading in headings:
        cell = _text(heading, HEADER_FONT, sheet)
        cell.fill = HEADER_FILL
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        cells.append(cell)
    sheet.append(cells)


def _cell(value: Any, fmt: str, discom: Discom, sheet: Sheet) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        return _text(value, None, sheet)
    if isinstance(value, datetime):
        value = value.astimezone(discom.timezone).replace(tzinfo=None)  # Excel knows no zones: the heading names it
    return _number(value, fmt, sheet)


def _number(value: Any, fmt: str, sheet: Sheet) -> Any:
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = fmt
    return cell


def _text(value: str, font: Font | None, sheet: Sheet) -> Any:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
    cell.data_type = "s"  # a consumer's code that begins with = is text, never a formula
    if font:
        cell.font = font
    return cell


def _width(column: Column, heading: str, values: Iterable[Any]) -> float:
    """Room for the longest word of the heading with the filter's button, and for the values."""
    if column.data_type.startswith("timestamp"):
        values = ["00-mmm-0000 00:00"]
    elif column.data_type == "date":
        values = ["00-mmm-0000"]
    elif not column.data_type.startswith(("text", "integer", "smallint")):
        values = [f"{float(v):,.3f}" for v in values if v is not None]
    longest = max((len(str(v)) for v in values if v is not None), default=0)
    return min(max(longest + 2, max(map(len, heading.split())) + 4, len(heading) / 2 + 4, 9), 40)


def _sheet_name(name: str) -> str:
    """Excel allows 31 characters and none of []:*?/\\."""
    return re.sub(r"[\[\]:*?/\\]", " ", name)[:31]


def period_text(first: date, last: date) -> str:
    return f"{first:%d %b %Y} to {last:%d %b %Y}" if first != last else f"{first:%d %b %Y}"
