"""meterhouse vee reestimate, weather, profiles, zones: what estimation is fed with, estimates made anew, energy by TOD zone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from cli.console import RunProgress, console, count, fail, progress_bar
from cli.data import Discom
from cli.database import ensure_ready
from cli.run import discom_id_of
from warehouse import db


def reestimate(
    discom: Discom,
    first: Annotated[datetime, typer.Option("--from", help="First business day.", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", help="Last business day.", formats=["%Y-%m-%d"])],
) -> None:
    """Make the estimates of built days anew with all that is known now, and what follows from them. Meant to be run before billing: an
    estimate keeps what was known when it was made, and days after it may have landed since.

    Example: meterhouse vee reestimate --discom D01 --from 2026-10-01 --to 2026-10-31
    """
    from orchestration import progress, stale, steps

    ensure_ready()
    discom_id = discom_id_of(discom)
    begin, end = first.date(), last.date()
    if end < begin:
        fail(f"--from {begin} lies after --to {end}")
    if unbuilt := stale.unbuilt(discom_id, begin, end):
        fail(f"{len(unbuilt)} of these days are not built, the first of them {unbuilt[0]}: `meterhouse run --discom {discom}` builds them")
    with progress_bar() as bar:
        task = bar.add_task(f"{discom}: estimates of {begin} to {end}", total=None)
        with progress.listening(RunProgress(bar, task)):
            report = steps.reestimate(discom, discom_id, begin, end)
    console.print(
        f"{count(report.meter_days)} meter-days with {count(report.estimated_slots)} estimated intervals; "
        f"{count(report.missing_slots)} could not be estimated, {count(report.unscaled_days)} meter-days wait for a register."
    )


def weather(
    discom: Discom,
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="CSV with the columns station,at,celsius.")],
) -> None:
    """Take a temperature feed, for estimates by days of like temperature (EM5). A feed with a fault is not taken; the same feed again
    changes nothing. `station` is the code of an office, `at` ISO 8601 (the DISCOM's time zone where it has no offset).

    Example: meterhouse vee weather --discom D01 temperature.csv
    """
    from vee.estimation.weather import fetch, land

    ensure_ready()
    with progress_bar() as bar:
        bar.add_task(f"{discom}: {source}", total=None)
        content = fetch(source)
        with db.connect() as conn:
            readings = land(conn, discom, source, content)
    console.print(f"{count(readings.received)} temperatures, {count(readings.changed)} of them new or changed.")


def profiles(
    discom: Discom,
    last: Annotated[datetime, typer.Option("--to", help="Last business day to learn from.", formats=["%Y-%m-%d"])],
) -> None:
    """Learn how each category uses energy over the day, from the DISCOM's own good days, for estimates of meters without history (EM7).
    From then on the daily job learns them anew when they are older than class_profile_max_age_days.

    Example: meterhouse vee profiles --discom D01 --to 2026-10-31
    """
    from orchestration import stale
    from vee.estimation.profiles import learn
    from vee.estimation.settings import load_settings

    ensure_ready()
    discom_id = discom_id_of(discom)
    if stale.unbuilt(discom_id, last.date(), last.date()):
        fail(f"{last.date()} is not built: `meterhouse run --discom {discom}` builds days, or give the last that is as --to")
    with progress_bar() as bar:
        bar.add_task(f"{discom}: class profiles", total=None)
        with db.connect("meterhouse_dbt") as conn:
            learnt = learn(conn, discom_id, last.date(), load_settings(discom).class_profile_days)
    if not learnt:
        fail(f"no category has enough good days up to {last.date()}: build more days, or give another --to")
    console.print(f"{count(learnt)} profiles: a category and type of day each.")


def zones(
    serial: Annotated[str, typer.Argument(help="Serial of the meter.")],
    discom: Discom,
    first: Annotated[datetime, typer.Option("--from", help="First business day.", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", help="Last business day.", formats=["%Y-%m-%d"])],
) -> None:
    """A meter's import by TOD zone: by zone registers, else by final intervals, else the total split as its class uses it.

    Example: meterhouse vee zones HPL01000059 --discom D01 --from 2026-10-01 --to 2026-10-31
    """
    from vee.estimation.zones import ZoneError, by_zone

    ensure_ready()
    discom_id = discom_id_of(discom)
    if last < first:
        fail(f"--from {first:%Y-%m-%d} lies after --to {last:%Y-%m-%d}")
    with db.connect("meterhouse_dbt") as conn:
        try:
            found = by_zone(conn, discom_id, discom, serial, first.date(), last.date())
        except ZoneError as e:
            fail(str(e))
    table = Table("zone", "Wh", "by", box=None, pad_edge=False)
    for z in found:
        table.add_row(str(z.zone), count(z.wh), z.source)
    console.print(table)
