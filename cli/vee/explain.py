"""meterhouse vee explain: why a meter's values are what they are."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import orjson
import typer

from cli.console import console, fail
from cli.data import Discom
from cli.database import ensure_ready
from cli.run import discom_id_of
from cli.vee.picture import day_picture, interval_story
from vee.explain import Explanation
from vee.explain import explain as explained
from warehouse import db


def explain(
    serial: Annotated[str, typer.Argument(help="Serial of the meter.")],
    day: Annotated[datetime, typer.Argument(help="Business day.", formats=["%Y-%m-%d"])],
    discom: Discom,
    slot: Annotated[int | None, typer.Option(min=0, help="The story of one interval: its number, 0 = the first of the day.")] = None,
    at: Annotated[str | None, typer.Option("--time", help="The same by the time that it holds, such as 07:15.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All that is known, as the API gives it.")] = False,
) -> None:
    """Show how a day's values came about: raw, rules, estimate, edits, final, as a picture of the day.

    Example: meterhouse vee explain HPL00000023 2026-10-02 --discom D01

    Example: meterhouse vee explain HPL00000023 2026-10-02 --discom D01 --time 07:15
    """
    ensure_ready()
    if slot is not None and at is not None:
        fail("--slot and --time both name the interval: give one")
    found = explain_day(discom, serial, day.date())
    wanted = slot if at is None else _slot_at(found, at)
    if wanted is not None and wanted >= len(found.intervals):
        fail(f"the day has intervals 0 to {len(found.intervals) - 1} of {found.interval_min} minutes, not {wanted}")
    if as_json:
        typer.echo(orjson.dumps(asdict(found if wanted is None else found.intervals[wanted]), option=orjson.OPT_INDENT_2).decode())
    else:
        console.print(day_picture(found, console.width) if wanted is None else interval_story(found, wanted))


def explain_day(discom: str, serial: str, day: date) -> Explanation:
    """The explanation, read with the rights of the API. Raises ExplainError."""
    with db.connect("meterhouse_api") as conn:
        conn.execute("select set_config('app.discom_id', %s, true)", [str(discom_id_of(discom))])
        return explained(conn, discom, serial, day)


def _slot_at(x: Explanation, clock: str) -> int:
    """The interval that holds a time of the day; of an hour that comes twice the first."""
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", clock):
        fail(f"--time {clock!r} is no time of the day: write it as 07:15")
    hour, minute = map(int, clock.split(":"))
    wanted = hour * 60 + minute
    for i in x.intervals:
        begins = i.starts_at.hour * 60 + i.starts_at.minute
        if begins <= wanted < begins + x.interval_min:
            return i.slot
    fail(f"{x.day} has no {clock}: clocks were put forward")
