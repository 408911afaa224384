"""PDF: A4 pages for people. Charts where the report is one to look at, then the rows as tables, with page numbers.

A PDF is read, not reckoned with: it holds MAX_ROWS rows, and says how many there are. What is the same in every row is said once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from reportlab.pdfgen.canvas import Canvas

from api.reports import charts
from api.reports.catalogue import Column, Kind
from api.reports.formats import pdf_drawing as draw
from api.reports.formats.pdf_drawing import GREY, HEIGHT, INK, MARGIN, NAVY, PALE, WHITE, WIDTH, fitted, put, width, wrapped
from api.reports.formats.writer import About, Found, Row, Writer, real
from api.reports.words import indian, period_text, stamp_text

MAX_ROWS = 2_000
HIDDEN = {"discom_id"}
SAID_ONCE = {"data_as_of", "generated_at"}
"""Columns that are the same in every row by what they are."""
SIZE, ROW, PAD = 6.8, 10.5, 3.0
MAX_WIDTH = 130.0
ROOM = WIDTH - 2 * MARGIN
TOP, BOTTOM = HEIGHT - 76, MARGIN + 16
"""Between which a page's content stands."""
CHART_HEIGHT = 300.0


@dataclass(frozen=True)
class Shown:
    """A column of the table, its values as text."""

    column: Column
    texts: list[str]
    width: float

    @property
    def right(self) -> bool:
        return self.column.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.REAL)


class PdfFile(Writer):
    """The first MAX_ROWS rows are held; charts see all of them."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(path, about)
        self._held: list[Row] = []
        self._charts = charts.gather(about.report)

    def add(self, rows: Sequence[Row]) -> None:
        self._held.extend(rows[: max(0, MAX_ROWS - len(self._held))])
        for c in self._charts:
            c.add(rows)

    def close(self, found: Found) -> None:
        about = self.about
        said, columns = _split(about, self._held)
        facts = [*_facts(about, found), *said]
        drawn = [_local(c.drawn(), about) for c in self._charts]
        lines = [line for fact in facts for line in wrapped(fact, ROOM, 7.5)]
        begin = TOP - 11 * len(lines) - 8

        def first(canvas: Canvas) -> None:
            for n, line in enumerate(lines):
                put(canvas, MARGIN, TOP - 8 - 11 * n, line, 7.5)
            each = (ROOM - 24 * (len(drawn) - 1)) / len(drawn) if drawn else 0
            for n, c in enumerate(drawn):
                draw.chart(canvas, MARGIN + n * (each + 24), begin - CHART_HEIGHT, each, CHART_HEIGHT, c)

        blocks = _blocks(columns, len(self._held), TOP if drawn else begin)

        def first_with_rows(canvas: Canvas) -> None:
            first(canvas)
            blocks[0](canvas)

        pages = [first, *blocks] if drawn or not blocks else [first_with_rows, *blocks[1:]]
        canvas = Canvas(str(self.path), pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=0)
        canvas.setTitle(f"{about.report.name}, {about.discom.name}")
        canvas.setAuthor("Meterhouse")
        for n, page in enumerate(pages, 1):
            _frame(canvas, about, found, n, len(pages))
            page(canvas)
            canvas.showPage()
        canvas.save()


def _local(drawn: charts.Drawn, about: About) -> charts.Drawn:
    """Stamps of a chart in the DISCOM's time zone."""
    zone = about.discom.timezone
    return replace(drawn, x=[v.astimezone(zone) if isinstance(v, datetime) else v for v in drawn.x])


def _frame(canvas: Canvas, about: About, found: Found, page: int, pages: int) -> None:
    """The band above and the line below, the same on every page."""
    canvas.setFillColor(NAVY)
    canvas.rect(0, HEIGHT - 30, WIDTH, 30, stroke=0, fill=1)
    put(canvas, MARGIN, HEIGHT - 20, fitted(about.discom.name, ROOM * 0.8, 12, bold=True), 12, WHITE, bold=True)
    put(canvas, WIDTH - MARGIN, HEIGHT - 20, "Meterhouse", 10, WHITE, align="right")
    put(canvas, MARGIN, HEIGHT - 53, fitted(about.report.name, ROOM * 0.68, 15, bold=True), 15, NAVY, bold=True)
    put(canvas, WIDTH - MARGIN, HEIGHT - 52, period_text(about.span.first, about.span.last), 10, INK, align="right")
    as_of = f"Data as of {stamp_text(found.data_as_of, about.discom)}  ·  " if found.data_as_of else ""
    stamps = f"{as_of}generated {stamp_text(about.generated_at, about.discom)}"
    put(canvas, MARGIN, MARGIN - 6, stamps, 7, GREY)
    put(canvas, WIDTH - MARGIN, MARGIN - 6, f"Page {page} of {pages}", 7, GREY, align="right")


def _facts(about: About, found: Found) -> list[str]:
    report, coverage = about.report, found.lowest_coverage_pct
    rows = f"Rows: {indian(found.rows)}." + (
        f" The first {indian(MAX_ROWS)} are here; all are in CSV and Parquet." if found.rows > MAX_ROWS else ""
    )
    facts = [
        f"{report.grain[0].upper()}{report.grain[1:]}. Formula: {report.formula}. Requirement: {report.requirement}.",
        rows + ("" if coverage is None else f" Lowest coverage: {coverage:.2f} %."),
    ]
    if report.unfed:
        facts.append(f"This report is empty as yet: {report.unfed}.")
    elif not found.rows:
        facts.append("There is no row in this period.")
    return facts


def _split(about: About, rows: Sequence[Row]) -> tuple[list[str], list[Shown]]:
    """What is the same in every row, as text; and the columns that are not."""
    report = about.report
    once, none, columns = [], [], []
    for i, column in enumerate(report.columns):
        if column.name in HIDDEN | SAID_ONCE or not rows:
            continue
        texts = [_text(column, row[i], about) for row in rows]
        same = all(t == texts[0] for t in texts)
        if not same or (len(rows) == 1 and texts[0] and column.name not in OFFICES):
            columns.append(Shown(column, texts, _width(column, texts)))
        elif texts[0]:
            once.append(f"{column.heading}: {texts[0]}")
        else:
            none.append(column.heading)
    said = []
    if once:
        said.append("In every row: " + "  ·  ".join(once))
    if none:
        said.append("Without any value: " + ", ".join(none))
    return said, columns


OFFICES = {"zone", "circle", "division", "subdivision", "office"}


def _text(column: Column, value: Any, about: About) -> str:
    """A value as it is printed."""
    if value is None or (column.kind is Kind.REAL and real(value) is None):
        return ""
    if column.kind is Kind.DECIMAL:
        return indian(value, column.precision[1])
    if column.kind is Kind.REAL:
        return indian(value, 6 if column.unit == "MU" else 2 if column.unit == "%" else 3)
    if column.kind is Kind.INTEGER:
        return str(value) if column.name.endswith("_id") else indian(value)
    if column.kind is Kind.BOOLEAN:
        return "yes" if value else "no"
    if column.kind is Kind.DATE:
        return f"{value:%d-%b-%Y}"
    if isinstance(value, datetime):
        return f"{value.astimezone(about.discom.timezone):%d-%b-%Y %H:%M}"
    return " ".join(str(value).split())


def _width(column: Column, texts: Sequence[str]) -> float:
    longest = sorted(set(texts), key=len)[-8:]
    heading = max(width(w, SIZE, bold=True) for w in column.heading.split())
    return min(max(heading, *(width(t, SIZE) for t in longest)), MAX_WIDTH) + 2 * PAD


def _blocks(columns: Sequence[Shown], rows: int, top: float) -> list[Callable[[Canvas], None]]:
    """The pages of the table: where the columns are too many for one, a block of rows goes on over several, led by what names a row."""
    if not columns or not rows:
        return []
    panels = _panels(columns)
    heads = [max(len(wrapped(c.column.heading, c.width - 2 * PAD, SIZE, bold=True)) for c in panel) for panel in panels]
    pages: list[Callable[[Canvas], None]] = []
    begin = 0
    while begin < rows:
        here = top if begin == 0 else TOP
        room = here - BOTTOM - 8.5 * max(heads) - 14
        some = max(1, int(room // ROW))
        for n, panel in enumerate(panels):
            # A first page that is not whole holds the first panel only where all panels can begin as low.
            note = f"columns {n + 1} of {len(panels)}" if len(panels) > 1 else ""
            pages.append(_page(panel, begin, min(begin + some, rows), here if n == 0 or begin else TOP, heads[n], note))
        begin += some
    return pages


def _panels(columns: Sequence[Shown]) -> list[list[Shown]]:
    if sum(c.width for c in columns) <= ROOM:
        return [_stretched(columns)]
    led: list[Shown] = []
    for c in columns:
        if c.column.kind in (Kind.TEXT, Kind.DATE) and sum(x.width for x in led) + c.width <= ROOM * 0.4:
            led.append(c)
    panels: list[list[Shown]] = [[*led]]
    for c in columns:
        if c in led:
            continue
        if sum(x.width for x in panels[-1]) + c.width > ROOM and len(panels[-1]) > len(led):
            panels.append([*led])
        panels[-1].append(c)
    return panels


def _stretched(columns: Sequence[Shown]) -> list[Shown]:
    """Over the page, but not so far that a row falls apart."""
    factor = min(ROOM / sum(c.width for c in columns), 1.5)
    return [Shown(c.column, c.texts, c.width * factor) for c in columns]


def _page(panel: Sequence[Shown], begin: int, end: int, top: float, head: int, note: str) -> Callable[[Canvas], None]:
    """Rows begin..end of a panel, from `top` down."""

    def page(canvas: Canvas) -> None:
        whole = sum(c.width for c in panel)
        tall = 8.5 * head + 5
        if note:
            put(canvas, WIDTH - MARGIN, top + 3, note, 7, GREY, align="right")
        canvas.setFillColor(NAVY)
        canvas.rect(MARGIN, top - tall, whole, tall, stroke=0, fill=1)
        for n in range(begin + 1, end, 2):
            canvas.setFillColor(PALE)
            canvas.rect(MARGIN, top - tall - ROW * (n - begin + 1), whole, ROW, stroke=0, fill=1)
        x = MARGIN
        for c in panel:
            at, align = (x + c.width - PAD, "right") if c.right else (x + PAD, "left")
            for n, line in enumerate(wrapped(c.column.heading, c.width - 2 * PAD, SIZE, bold=True)):
                put(canvas, at, top - 9 - 8.5 * n, line, SIZE, WHITE, bold=True, align=align)
            for n in range(begin, end):
                if c.texts[n]:
                    put(canvas, at, top - tall - ROW * (n - begin) - 7.5, fitted(c.texts[n], c.width - 2 * PAD, SIZE), SIZE, align=align)
            x += c.width

    return page
