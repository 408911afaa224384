"""meterhouse report: reports of the catalogue as files."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import console, count, fail, progress_bar
from cli.data import Discom
from cli.database import ensure_ready
from cli.run import discom_id_of, span_of


def report(
    discom: Discom,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Reports as D01 or D01,D02. None: the period at a glance.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="The whole catalogue, with an index.html; in all formats where --format says none.")
    ] = False,
    month: Annotated[str | None, typer.Option(help="As 2026-10.")] = None,
    quarter: Annotated[str | None, typer.Option(help="As 2026-Q3: October to December 2026.")] = None,
    year: Annotated[str | None, typer.Option("--financial-year", help="As 2026-27.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", help="First business day.", formats=["%Y-%m-%d"])] = None,
    last: Annotated[datetime | None, typer.Option("--to", help="Last business day.", formats=["%Y-%m-%d"])] = None,
    only: Annotated[
        str | None, typer.Option("--only", help="Of reports by period these rows only: day, week, month, quarter or financial_year.")
    ] = None,
    formats: Annotated[
        str | None, typer.Option("--format", help="xlsx, csv, json, xml, pdf, parquet; several with commas, or all.")
    ] = None,
    layout: Annotated[str | None, typer.Option(help="An authority's own form instead: bee or nfms.")] = None,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path("."),
) -> None:
    """Write reports of a DISCOM as files. A report says the same in every format, and all of a call say the same moment.

    Without a period: the days that were landed. Without ids: one PDF page with what matters, and a workbook of the rows behind it.

    Example: meterhouse report D01 --discom D --month 2026-10 --format xlsx

    Example: meterhouse report D01,D02 G01 -d D --from 2026-10-01 --to 2026-10-07 --format csv,pdf --out ./reports

    Example: meterhouse report --all -d D --month 2026-10 --out ./reports

    Example: meterhouse report -d D --quarter 2026-Q3 --layout bee
    """
    from api.reports import export
    from api.reports.files import chosen, everything, write_index, write_reports
    from api.reports.formats import FORMATS
    from api.reports.layouts import write_layout
    from api.reports.repository import Span

    ids = [i for given in ids or [] for i in given.split(",")]
    _one_of({"ids of reports": bool(ids), "--all": every, "--layout": bool(layout)})
    if only and only not in (lengths := ("day", "week", "month", "quarter", "financial_year")):
        fail(f"--only {only!r}: choose of {', '.join(lengths)}")
    wanted = everything() if every else chosen(ids)
    names = list(FORMATS) if formats == "all" or (formats is None and every) else [f.strip() for f in (formats or "xlsx").split(",")]
    _check_formats(names, FORMATS)
    ensure_ready()
    discom_id_of(discom)
    begin, end = _days(discom, month, quarter, year, first, last)
    if layout:
        if formats:
            fail("a layout has a format of its own: leave --format out")
        for file in write_layout(layout, discom, begin, end, folder):
            console.print(str(file.path), soft_wrap=True)
        return
    if not wanted:
        for path in export(discom, begin, end, folder):
            console.print(str(path), soft_wrap=True)
        return
    span = Span(begin, end, only)
    with progress_bar() as bar:
        task = bar.add_task(f"{discom}: reports", total=len(wanted))
        written = write_reports(
            discom, wanted, span, names, folder, grouped=every, listener=lambda w: bar.update(task, advance=1, description=w.report.name)
        )
    if every:
        _overview([(w.report.name, w.rows, w.seconds, w.error or w.report.unfed or "") for w in written])
        for path in write_index(discom, written, span, folder):
            console.print(str(path), soft_wrap=True)
    else:
        for w in written:
            for file in w.files:
                console.print(str(file.path), soft_wrap=True)
    if failed := [w for w in written if w.error]:
        fail("; ".join(f"{w.report.id}: {w.error}" for w in failed))


def _one_of(given: dict[str, bool]) -> None:
    if len(several := [name for name, there in given.items() if there]) > 1:
        fail(f"{' and '.join(several)} were given: one of them says what to write")


def _check_formats(names: list[str], known: dict[str, tuple[str, str]]) -> None:
    if unknown := [n for n in names if n not in known]:
        fail(f"no report is written as {', '.join(map(repr, unknown))}: choose of {', '.join(known)}, or all")


def _days(
    discom: str, month: str | None, quarter: str | None, year: str | None, first: datetime | None, last: datetime | None
) -> tuple[date, date]:
    """The period that was asked for in one of its ways."""
    from api.reports import periods

    _one_of({"--month": bool(month), "--quarter": bool(quarter), "--financial-year": bool(year), "--from or --to": bool(first or last)})
    if month:
        return periods.month(month)
    if quarter:
        return periods.quarter(quarter)
    if year:
        return periods.financial_year(year)
    span = span_of(discom, first, last)
    return span.first, span.last


def _overview(rows: list[tuple[str, int, float, str]]) -> None:
    table = Table("report", "rows", "s", "", box=None)
    table.columns[1].justify = table.columns[2].justify = "right"
    for name, number, seconds, note in rows:
        table.add_row(name, count(number), f"{seconds:.1f}", note)
    console.print(table)
