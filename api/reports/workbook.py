"""The workbook: a sheet "About", then a sheet per report with its rows as they are. No figure is computed here but the lowest coverage."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from api.reports.catalogue import Column, Kind, Report
from api.reports.repository import Discom, ReportTable
from api.reports.words import stamp_text

Sheet: TypeAlias = Any
"""A streamed sheet. The stubs do not know its columns and its filter."""
HEADER_FONT = Font(bold=True, color="FFFFFF")
HEADER_FILL = PatternFill("solid", fgColor="1F3A5F")
HIDDEN = {"discom_id"}
"""Columns that a workbook of one DISCOM need not repeat."""
HIGHER_OFFICES = {"zone", "circle", "division", "subdivision"}
SAMPLE = 200
"""Rows that a column's width is taken from."""
MAX_SHEET_ROWS = 1_048_576
"""Rows of a sheet that Excel opens, its header among them."""


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
        sheets = ReportSheets(book, table.report, discom, generated_at)
        sheets.add(table.rows)
        sheets.close()
    book.save(path)


def latest(tables: Iterable[ReportTable], column: str) -> datetime | None:
    """Latest stamp of a column that every report has."""
    stamps = [r[t.report.position(column)] for t in tables for r in t.rows]
    return max((s for s in stamps if s is not None), default=None)


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
    sheet.append([text_cell("Meterhouse standard reports", Font(bold=True, size=14), sheet)])
    for name, fact in facts.items():
        sheet.append([text_cell(name, Font(bold=True), sheet), text_cell(fact, None, sheet)])
    sheet.append([])
    write_header(sheet, ["Report", "Grain: one row per", "Formula", "Rows", "Lowest coverage (%)", "Coverage is"])
    for table in tables:
        report = table.report
        coverage = report.position("coverage_pct")
        lowest = min((r[coverage] for r in table.rows if r[coverage] is not None), default=None)
        sheet.append(
            [
                text_cell(report.name, None, sheet),
                text_cell(report.grain.removeprefix("one row per "), None, sheet),
                text_cell(report.formula, None, sheet),
                len(table.rows),
                number_cell(lowest, "0.00", sheet),
                text_cell(report.columns[coverage].description, None, sheet),
            ]
        )


class ReportSheets:
    """The rows of a report, streamed to a sheet; where Excel's rows do not suffice, to further ones."""

    def __init__(self, book: Workbook, report: Report, discom: Discom, generated_at: datetime) -> None:
        self._book, self._report, self._discom = book, report, discom
        self._shown = [(i, c, number_format(c)) for i, c in enumerate(report.columns) if c.name not in HIDDEN]
        zone = generated_at.astimezone(discom.timezone).tzname()
        self._headings = [c.heading + (f" ({zone})" if c.kind is Kind.STAMP else "") for _, c, _ in self._shown]
        self._sample: list[Sequence[Any]] = []
        """The first rows, from which the columns' widths are taken: a streamed sheet is told them before its first row."""
        self._sheet: Sheet = None
        self._sheets, self._rows = 0, 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            if self._sheet is None and len(self._sample) < SAMPLE:
                self._sample.append(row)
            else:
                self._append(row)

    def close(self) -> None:
        self._open()
        self._end_sheet()

    def _open(self) -> None:
        """The first sheet, and the sample on it."""
        if self._sheet is None:
            self._begin_sheet()
            for row in self._sample:
                self._append(row)

    def _begin_sheet(self) -> None:
        self._sheets += 1
        name = self._report.name if self._sheets == 1 else f"{self._report.id} ({self._sheets})"
        self._sheet = sheet = self._book.create_sheet(_sheet_name(name))
        sheet.freeze_panes = "A2"
        sheet.print_title_rows = "1:1"
        landscape(sheet)
        for n, ((i, column, _), heading) in enumerate(zip(self._shown, self._headings, strict=True), 1):
            dimension = sheet.column_dimensions[get_column_letter(n)]
            dimension.width = _width(column, heading, [r[i] for r in self._sample])
            # The offices above a row's own fold away.
            dimension.outlineLevel = 1 if column.name in HIGHER_OFFICES else 0
        write_header(sheet, self._headings)
        # One cell a column, filled anew for each row: a streamed sheet writes a row at once, and making cells costs most.
        self._cells = [(i, number_cell(None, fmt, sheet), excel(column, self._discom), column.kind) for i, column, fmt in self._shown]
        self._rows = 1

    def _append(self, row: Sequence[Any]) -> None:
        if self._sheet is None:
            self._open()
        elif self._rows == MAX_SHEET_ROWS:
            self._end_sheet()
            self._begin_sheet()
        values: list[Any] = []
        for i, cell, convert, kind in self._cells:
            if row[i] is None or (value := convert(row[i])) is None:
                values.append(None)
                continue
            cell.value = value
            if kind is Kind.TEXT:
                cell.data_type = "s"  # a consumer's code that begins with = is text, never a formula
            values.append(cell)
        self._sheet.append(values)
        self._rows += 1

    def _end_sheet(self) -> None:
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._shown))}{self._rows}"


def excel(column: Column, discom: Discom) -> Callable[[Any], Any]:
    """A value as Excel keeps it. Excel knows no zones: a stamp is in the DISCOM's, which the heading names."""
    if column.kind is Kind.TEXT:
        return lambda text: ILLEGAL_CHARACTERS_RE.sub("", text)
    if column.kind is Kind.STAMP:
        return lambda stamp: stamp.astimezone(discom.timezone).replace(tzinfo=None)
    if column.kind is Kind.REAL:
        return lambda value: value if math.isfinite(value) else None
    return lambda value: value


def landscape(sheet: Sheet) -> None:
    """Printed: as wide as a page lying down, with numbers below."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.oddFooter.left.text = "Meterhouse"
    sheet.oddFooter.right.text = "Page &P of &N"


def write_header(sheet: Sheet, headings: Iterable[str]) -> None:
    cells = []
    for heading in headings:
        cell = text_cell(heading, HEADER_FONT, sheet)
        cell.fill = HEADER_FILL
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        cells.append(cell)
    sheet.append(cells)


def number_cell(value: Any, fmt: str, sheet: Sheet) -> Any:
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = fmt
    return cell


def text_cell(value: str, font: Font | None, sheet: Sheet) -> Any:
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
