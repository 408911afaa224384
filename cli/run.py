"""meterhouse run, dagster."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import RunProgress, console, count, fail, progress_bar
from cli.data import Discom
from cli.database import ensure_ready
from orchestration.stale import DayRange, landed_range, open_ranges, rebill_ranges
from warehouse import db
from warehouse.registry import discoms
from warehouse.summary import run_summary


def run(
    discom: Discom,
    first: Annotated[
        datetime | None, typer.Option("--from", help="First business day. Default: the first that was landed.", formats=["%Y-%m-%d"])
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", help="Last business day. Default: the last that was landed.", formats=["%Y-%m-%d"])
    ] = None,
) -> None:
    """Build business days of a DISCOM, from landed data to reports: the same graph that Dagster runs. Building again gives the same.

    Frozen days are not built: they are left out, and refused where they were asked for. What landed for them since is judged.

    Example: meterhouse run --discom D01 --from 2026-10-01 --to 2026-10-07
    """
    ensure_ready()
    discom_id = discom_id_of(discom)
    span = span_of(discom, first, last)
    build([span] if first or last else open_ranges(span))
    judge_late_data_of_frozen_days(discom, discom_id)
    table = Table("", "", box=None, show_header=False, pad_edge=False)
    for name, value in run_summary(discom_id, span.first, span.last).items():
        table.add_row(name, value if isinstance(value, str) else count(value))
    console.print(table)


def build(spans: Iterable[DayRange], *, through_dagster: bool = True) -> None:
    """Build each range, with a progress bar: through Dagster's job, or the same steps without its history."""
    from orchestration import progress, steps
    from orchestration.run import run_days

    with progress_bar() as bar:
        for span in spans:
            task = bar.add_task(f"{span.discom}: {span.first} to {span.last}", total=None)
            with progress.listening(RunProgress(bar, task)):
                if through_dagster:
                    run_days(span)
                else:
                    steps.build(span.discom, discom_id_of(span.discom), span.first, span.last)


def judge_late_data_of_frozen_days(discom: str, discom_id: int) -> None:
    from orchestration import steps

    for late in rebill_ranges(discom):
        report = steps.rebill(discom, discom_id, late.first, late.last)
        if report.written:
            console.print(f"{late.first} to {late.last} is frozen: {report.written} new exceptions V34 for what landed since")


def discom_id_of(code: str) -> int:
    with db.connect() as conn:
        known = discoms(conn)
    if code not in known:
        names = ", ".join(known) or "none"
        fail(f"no DISCOM {code!r} in the registry (known: {names}): `meterhouse registry import FOLDER`, or check the spelling")
    return known[code]


def span_of(discom: str, first: datetime | None, last: datetime | None) -> DayRange:
    """The days that were given; what was not is the first or last day that was landed."""
    landed = landed_range(discom)
    if landed is None and not (first and last):
        fail(f"nothing was landed for DISCOM {discom!r}: `meterhouse land --help`, or give --from and --to")
    begin = first.date() if first else landed[0]  # type: ignore[index]
    end = last.date() if last else landed[1]  # type: ignore[index]
    if end < begin:
        fail(f"--from {begin} lies after --to {end}")
    return DayRange(discom, begin, end, 0)


def dagster(
    port: Annotated[int, typer.Option(help="Loopback port of the web page.")] = 3000,
) -> None:
    """Open Dagster: its web page and its daemon, which runs the schedule and the sensor for late data. Ctrl-C ends both.

    Example: meterhouse dagster --port 3000
    """
    from orchestration.run import dagster_home

    ensure_ready()
    dagster_home()
    program = Path(sys.executable).parent / "dagster"
    console.print(f"Dagster: http://127.0.0.1:{port}")
    os.execv(str(program), ["dagster", "dev", "-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", str(port)])  # noqa: S606
