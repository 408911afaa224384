"""Reports in the layout that an authority asks for: its sheets and headings over the catalogue's figures. Each is a YAML file here."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange

from api.reports import periods
from api.reports.catalogue import Column, Kind, Report, ReportError, catalogue, report
from api.reports.files import UNSAFE, File, publish, staging
from api.reports.formats.csv_file import harmless
from api.reports.formats.writer import Convert, Found, Row, plain, real
from api.reports.repository import STREAM_TIMEOUT_S, Discom, Snapshot, Span, discom_id, snapshot
from api.reports.words import period_text, stamp_text
from api.reports.workbook import HEADER_FILL, HEADER_FONT, excel, landscape, number_cell, number_format, text_cell
from warehouse import yaml_file

FOLDER = Path(__file__).parent
SCHEMA = FOLDER / "layout.schema.json"


class LayoutError(yaml_file.FileError):
    """A layout's file is wrong. The message has one line a fault."""


@dataclass(frozen=True)
class Field:
    """A column of a form: of the report's `column`, divided by `divide`."""

    group: str
    head: str
    column: str
    divide: Decimal | None
    decimals: int | None


@dataclass(frozen=True)
class Sheet:
    name: str
    title: str
    report: str
    period: str | None
    where: dict[str, tuple[Any, ...]]
    fields: tuple[Field, ...]

    def columns(self) -> list[tuple[int, Column]]:
        """Position and column of each field in its report. Raises ReportError, KeyError."""
        of = report(self.report)
        return [(at := of.position(f.column), of.columns[at]) for f in self.fields]


@dataclass(frozen=True)
class Layout:
    name: str
    title: str
    file: str
    kind: str
    stamp: str | None
    date: str | None
    sheets: tuple[Sheet, ...]


@cache
def layouts() -> dict[str, Layout]:
    """Every layout by its name. Raises LayoutError."""
    return {path.stem: load(path) for path in sorted(FOLDER.glob("*.yml"))}


def layout(name: str) -> Layout:
    """Raises ReportError."""
    if name not in layouts():
        raise ReportError(f"there is no layout {name!r}: choose of {', '.join(layouts())}")
    return layouts()[name]


def layout_reports(name: str) -> list[str]:
    """Ids of the reports that a layout is filled from. Raises ReportError."""
    return list(dict.fromkeys(s.report for s in layout(name).sheets))


def load(path: Path) -> Layout:
    """Read a layout. Raises LayoutError, also where a report has no such column."""
    file = yaml_file.read(path, json.loads(SCHEMA.read_text(encoding="utf-8")), LayoutError)
    file.refuse(_sense_faults(file.raw))
    raw = file.raw
    return Layout(path.stem, raw["title"], raw["file"], raw["kind"], raw.get("stamp"), raw.get("date"), tuple(map(_sheet, raw["sheets"])))


def _sense_faults(raw: dict[str, Any]) -> Iterator[tuple[yaml_file.Where, str]]:
    if raw["kind"] == "csv" and len(raw["sheets"]) > 1:
        yield ("sheets",), "a CSV file holds one"
    for i, sheet in enumerate(raw["sheets"]):
        of = catalogue().get(sheet["report"])
        if of is None:
            continue  # said when the layout is asked for: a report that is not there takes no other layout along
        for j, f in enumerate(sheet["columns"]):
            if not of.has(f["column"]):
                yield (
                    ("sheets", i, "columns", j, "column"),
                    f"report {of.id} has no column {f['column']}: {', '.join(c.name for c in of.columns)}",
                )
        for name in sheet.get("where", {}):
            if not of.has(name):
                yield ("sheets", i, "where", name), f"report {of.id} has no such column"


def _sheet(raw: dict[str, Any]) -> Sheet:
    where = {name: tuple(v) if isinstance(v, list) else (v,) for name, v in raw.get("where", {}).items()}
    fields = tuple(
        Field(c.get("group", ""), c["head"], c["column"], Decimal(str(c["divide"])) if "divide" in c else None, c.get("decimals"))
        for c in raw["columns"]
    )
    return Sheet(raw["name"], raw["title"], raw["report"], raw.get("period"), where, fields)


def write_layout(name: str, discom_code: str, first: date, last: date, folder: Path) -> list[File]:
    """Write a layout's file into `folder`. Raises ReportError as write_reports does, and where there is no such layout."""
    wanted = layout(name)
    for sheet in wanted.sheets:
        report(sheet.report)
    with snapshot(discom_id(discom_code), STREAM_TIMEOUT_S) as s:
        now = datetime.now(UTC)
        periods.check(first, last, s.discom.timezone, now)
        if not s.built_days(first, last):
            raise ReportError(f"no day of {s.discom.code} from {first} to {last} was built: `meterhouse run --discom {s.discom.code}`")
        with staging(folder) as stage:
            path = stage / wanted.file.format(discom=UNSAFE.sub("_", s.discom.code), period=periods.said(first, last))
            WRITERS[wanted.kind](wanted, s, first, last, now, path)
            return publish(stage, folder)


def rows_of(sheet: Sheet, of: Report, s: Snapshot, first: date, last: date) -> Iterator[list[Row]]:
    """The rows that a sheet shows, in chunks."""
    where = [(of.position(name), values) for name, values in sheet.where.items()]
    for chunk in s.stream(of, Span(first, last, sheet.period)):
        yield [row for row in chunk if all(row[i] in values for i, values in where)] if where else chunk


def _value(field: Field, column: Column, value: Any) -> Any:
    """A figure as the form has it: divided, exactly where it is a decimal."""
    if value is None or field.divide is None:
        return value
    return Decimal(str(value)) / field.divide if column.kind is not Kind.REAL else value / float(field.divide)


# --- XLSX ---


def _write_xlsx(wanted: Layout, s: Snapshot, first: date, last: date, now: datetime, path: Path) -> None:
    book = Workbook(write_only=True)
    book.properties.title = f"{s.discom.name}: {wanted.title}"
    book.properties.creator = "Meterhouse"
    for sheet in wanted.sheets:
        _form(book.create_sheet(sheet.name), wanted, sheet, s, first, last, now)
    book.save(path)


def _form(paper: Any, wanted: Layout, sheet: Sheet, s: Snapshot, first: date, last: date, now: datetime) -> None:
    """Title, DISCOM and period, headings in two rows, numbers of the columns, the rows, and who signs."""
    of, columns = report(sheet.report), sheet.columns()
    paper.freeze_panes = "A7"
    paper.print_title_rows = "4:6"
    landscape(paper)
    for n, f in enumerate(sheet.fields, 1):
        paper.column_dimensions[get_column_letter(n)].width = min(max(len(f.head) / 2 + 4, max(map(len, f.head.split())) + 3, 11), 30)
    paper.append([text_cell(sheet.title, Font(bold=True, size=14), paper)])
    paper.append([text_cell(f"{s.discom.name}, {period_text(first, last)}", Font(bold=True), paper)])
    paper.append([text_cell(wanted.title, None, paper)])
    paper.append([_head(f.group, paper) for f in sheet.fields])
    paper.append([_head(f.head, paper) for f in sheet.fields])
    paper.append([_head(f"({n})", paper) for n in range(1, len(sheet.fields) + 1)])
    _merge(paper, sheet.fields)
    found = Found(of)
    converts = [excel(c, s.discom) for _, c in columns]
    cells = [number_cell(None, _format(f, c), paper) for f, (_, c) in zip(sheet.fields, columns, strict=True)]
    for chunk in rows_of(sheet, of, s, first, last):
        found.add(chunk)
        for row in chunk:
            paper.append(_cells(row, sheet.fields, columns, converts, cells))
    paper.append([])
    coverage = "unknown" if found.lowest_coverage_pct is None else f"{found.lowest_coverage_pct:.2f} %"
    said = f"Report {of.name}: {found.rows} rows, lowest coverage {coverage}. Data as of {stamp_text(found.data_as_of, s.discom)}, "
    paper.append([text_cell(said + f"generated {stamp_text(now, s.discom)} by Meterhouse.", None, paper)])
    if of.unfed:
        paper.append([text_cell(f"Empty as yet: {of.unfed}", None, paper)])
    paper.append([])
    paper.append([text_cell("Energy manager", None, paper), None, None, text_cell("Authorised signatory", None, paper)])


def _cells(
    row: Row, fields: Sequence[Field], columns: Sequence[tuple[int, Column]], converts: Sequence[Callable[[Any], Any]], cells: Sequence[Any]
) -> list[Any]:
    values: list[Any] = []
    for field, (i, column), convert, cell in zip(fields, columns, converts, cells, strict=True):
        value = None if row[i] is None else convert(row[i])
        if value is None:
            values.append(None)
            continue
        cell.value = _value(field, column, value)
        if column.kind is Kind.TEXT:
            cell.data_type = "s"
        values.append(cell)
    return values


def _format(field: Field, column: Column) -> str:
    if field.decimals is not None:
        return "#,##0" + ("." + "0" * field.decimals if field.decimals else "")
    return number_format(column)


def _head(text: str, paper: Any) -> Any:
    cell = text_cell(text, HEADER_FONT, paper)
    cell.fill = HEADER_FILL
    cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    return cell


def _merge(paper: Any, fields: Sequence[Field]) -> None:
    """The same group in neighbouring columns is one heading."""
    at = 1
    for group, of_group in groupby(fields, key=lambda f: f.group):
        n = len(list(of_group))
        if group and n > 1:
            paper.merged_cells.add(CellRange(min_col=at, max_col=at + n - 1, min_row=4, max_row=4).coord)
        at += n


# --- CSV ---


def _write_csv(wanted: Layout, s: Snapshot, first: date, last: date, now: datetime, path: Path) -> None:
    (sheet,) = wanted.sheets
    of, columns = report(sheet.report), sheet.columns()
    said = [_said(wanted, s.discom, f, c) for f, (_, c) in zip(sheet.fields, columns, strict=True)]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(f.head for f in sheet.fields)
        for chunk in rows_of(sheet, of, s, first, last):
            out.writerows(
                [None if row[i] is None else convert(row[i]) for (i, _), convert in zip(columns, said, strict=True)] for row in chunk
            )


def _said(wanted: Layout, discom: Discom, field: Field, column: Column) -> Convert:
    """How a column's values are written."""
    kind = column.kind
    if kind is Kind.TEXT:
        return harmless
    if kind is Kind.STAMP:
        return lambda v: _strftime(v.astimezone(discom.timezone), wanted.stamp)
    if kind is Kind.DATE:
        return lambda v: _strftime(v, wanted.date)
    if kind is Kind.BOOLEAN:
        return lambda v: "true" if v else "false"

    def figure(value: Any) -> Any:
        shown = _value(field, column, value)
        if isinstance(shown, float) and real(shown) is None:
            return None
        if field.decimals is not None:
            return f"{shown:.{field.decimals}f}"
        return plain(shown) if isinstance(shown, Decimal) else shown

    return figure


def _strftime(value: date | datetime, pattern: str | None) -> str:
    return value.strftime(pattern) if pattern else value.isoformat()


WRITERS: dict[str, Callable[[Layout, Snapshot, date, date, datetime, Path], None]] = {"xlsx": _write_xlsx, "csv": _write_csv}
