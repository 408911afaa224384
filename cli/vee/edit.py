"""meterhouse vee edit: look at days, edit them one by one or by file, decide on edits of others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.table import Table

from cli.console import console, count, errors, fail, progress_bar
from cli.data import Discom
from cli.vee.person import person
from vee.edits import bulk as files
from vee.edits import repository, service
from vee.edits.errors import EditError
from vee.edits.service import Asked, Change, Decision, Diff, Editor, Operation, OperationKind, Plan
from warehouse.codes import EditReason

app = typer.Typer(no_args_is_help=True)

Meter = Annotated[str, typer.Argument(help="Serial of the meter.")]
Day = Annotated[datetime, typer.Argument(help="Business day.", formats=["%Y-%m-%d"])]
First = Annotated[int, typer.Option("--from", help="First slot, from 0.", min=0)]
Last = Annotated[int | None, typer.Option("--to", help="Last slot, included. Default: the last of the day.", min=0)]
Channel = Annotated[str, typer.Option(help=f"One of {', '.join(repository.CHANNELS)}.")]
Reason = Annotated[EditReason, typer.Option(help="Why; OTHER needs a note.")]
Note = Annotated[str | None, typer.Option(help="What else is to be known.")]
Force = Annotated[bool, typer.Option("--force", help="Take values above what can flow.")]
Version = Annotated[str | None, typer.Option(help="Of the day as you saw it (`show`): refused where it changed since.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")]
Ids = Annotated[list[int], typer.Argument(help="Numbers of the edits: all are decided, or none.", min=1)]

SHOWN = 200
"""Rows of a diff that are printed."""


@app.command()
def show(discom: Discom, meter: Meter, day: Day, channel: Channel = "import_wh") -> None:
    """A day as it is now, with its version, its edits, and the value and quality of each slot.

    Example: meterhouse vee edit show -d D01 HPL00000001 2026-10-05
    """
    with person(discom) as (conn, who):
        found = service.day(conn, who.discom_id, meter, day.date())
        made = repository.page(conn, who.discom_id, state=None, meter=meter, day=day.date(), request=None, before=None, size=20)
    if channel not in found.channels:
        fail(f"no channel {channel!r}. Known: {', '.join(found.channels)}")
    state = "frozen, " if found.frozen else ""
    console.print(f"{meter} {day.date()}: {state}version {found.version}", highlight=False)
    table = Table("slot", "from", channel, "quality", box=None, pad_edge=False)
    for slot, value in enumerate(found.channels[channel]):
        at = slot * found.interval_min
        table.add_row(str(slot), f"{at // 60:02}:{at % 60:02}", "" if value is None else count(value), str(found.quality[slot]))
    console.print(table)
    _print_edits(made)


@app.command("set")
def set_(
    discom: Discom,
    meter: Meter,
    day: Day,
    values: Annotated[list[int], typer.Argument(help="Whole Wh (VAh): one for all slots, or one a slot.", min=0)],
    reason: Reason,
    first: First = 0,
    last: Last = None,
    channel: Channel = "import_wh",
    note: Note = None,
    version: Version = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Override values. Example: meterhouse vee edit set -d D01 HPL00000001 2026-10-05 120 130 --from 20 --to 21 --reason METER_FAULT"""
    operation = Operation(OperationKind.SET, first, last, tuple(values))
    _edit(discom, Change(meter, day.date(), channel, (operation,), version), Asked([], reason, note, force), dry_run=dry_run)


@app.command()
def zero(
    discom: Discom,
    meter: Meter,
    day: Day,
    reason: Reason,
    first: First = 0,
    last: Last = None,
    channel: Channel = "import_wh",
    note: Note = None,
    version: Version = None,
    dry_run: DryRun = False,
) -> None:
    """Set slots to zero. Example: meterhouse vee edit zero -d D01 HPL00000001 2026-10-05 --from 20 --to 27 --reason POWER_OUTAGE"""
    operation = Operation(OperationKind.ZERO, first, last)
    _edit(discom, Change(meter, day.date(), channel, (operation,), version), Asked([], reason, note), dry_run=dry_run)


@app.command()
def scale(
    discom: Discom,
    meter: Meter,
    day: Day,
    reason: Reason,
    factor: Annotated[str | None, typer.Option(help="Times this, such as 1.05.")] = None,
    total: Annotated[int | None, typer.Option(help="Or: so that the slots add up to so many Wh (VAh).", min=0)] = None,
    first: First = 0,
    last: Last = None,
    channel: Channel = "import_wh",
    note: Note = None,
    version: Version = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Scale slots, exact to the Wh. Example: meterhouse vee edit scale -d D01 HPL00000001 2026-10-05 --factor 1.05 --reason CHECK_METER"""
    if (factor is None) == (total is None):
        fail("give --factor or --total, one of the two")
    try:
        kind = OperationKind.SCALE if factor is not None else OperationKind.SCALE_TO
        operation = Operation(kind, first, last, factor=Fraction(factor) if factor is not None else None, total_wh=total)
    except (ValueError, ZeroDivisionError):
        fail(f"--factor {factor} is no number")
    _edit(discom, Change(meter, day.date(), channel, (operation,), version), Asked([], reason, note, force), dry_run=dry_run)


@app.command()
def copy(
    discom: Discom,
    meter: Meter,
    day: Day,
    from_day: Annotated[datetime, typer.Option("--from-day", help="Whose slots are taken.", formats=["%Y-%m-%d"])],
    reason: Reason,
    first: First = 0,
    last: Last = None,
    channel: Channel = "import_wh",
    note: Note = None,
    version: Version = None,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Copy the same slots of another day.

    Example: meterhouse vee edit copy -d D01 HPL00000001 2026-10-05 --from-day 2026-09-28 --reason METER_FAULT
    """
    operation = Operation(OperationKind.COPY, first, last, from_day=from_day.date())
    _edit(discom, Change(meter, day.date(), channel, (operation,), version), Asked([], reason, note, force), dry_run=dry_run)


@app.command()
def interpolate(
    discom: Discom,
    meter: Meter,
    day: Day,
    reason: Reason,
    first: First,
    last: Last = None,
    channel: Channel = "import_wh",
    note: Note = None,
    version: Version = None,
    dry_run: DryRun = False,
) -> None:
    """Interpolate between the good values beside the slots.

    Example: meterhouse vee edit interpolate -d D01 HPL00000001 2026-10-05 --from 20 --to 22 --reason COMMUNICATION_LOSS
    """
    operation = Operation(OperationKind.INTERPOLATE, first, last)
    _edit(discom, Change(meter, day.date(), channel, (operation,), version), Asked([], reason, note), dry_run=dry_run)


@app.command()
def revert(
    discom: Discom,
    edit: Annotated[int, typer.Argument(help="Number of the edit that is taken back.", min=1)],
    note: Note = None,
    dry_run: DryRun = False,
) -> None:
    """Take back an edit, and those after it on that day: a new edit to what stood before. Example: meterhouse vee edit revert -d D01 17"""
    with person(discom) as (conn, who):
        found = repository.edits(conn, who.discom_id, [edit])
        if not found:
            raise EditError("UNKNOWN_EDIT", f"there is no edit {edit}")
        operation = Operation(OperationKind.REVERT, edit_id=edit)
        change = Change(found[0]["meter"], found[0]["day"], found[0]["channel"], (operation,))
        _done(conn, who, Asked([change], EditReason.REVERT, note), dry_run=dry_run)


@app.command()
def bulk(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, see docs/vee-editing.md.", exists=True, dir_okay=False, readable=True)],
    discom: Discom,
    reason: Reason,
    note: Note = None,
    force: Force = False,
    apply: Annotated[bool, typer.Option("--apply/--dry-run", help="Make the edits, or show what they would do.")] = False,
    token: Annotated[str | None, typer.Option(help="Of the dry run: anything else that would come out is refused.")] = None,
) -> None:
    """Edits from a file, all or none. A dry run shows every day that changes and every fault with row and column.

    Example: meterhouse vee edit bulk corrections.xlsx -d D01 --reason METER_FAULT --dry-run
    """
    if file.stat().st_size > files.MAX_BYTES:
        fail(f"{file} is larger than {files.MAX_BYTES >> 20} MiB: cut it up")
    with person(discom) as (conn, who), progress_bar() as bar:
        bar.add_task(file.name, total=None)
        if apply:
            repository.lock(conn, who.discom_id)  # before anything is read, so that what is judged is what is there
        changes, faults = files.read_changes(conn, who.discom_id, file.read_bytes(), file.name)
        asked = Asked(changes, reason, note, force)
        if not apply:
            found = service.plan(conn, who, asked)
            _print_plan(found)
            _print_faults([*faults, *found.faults])
            console.print(f"token {found.token}: meterhouse vee edit bulk … --apply --token {found.token}", soft_wrap=True, highlight=False)
            return
        if faults:
            _print_faults([*faults, *service.plan(conn, who, asked).faults])
        made, found = service.make(conn, who, asked, token=token)
    _print_plan(found)
    _print_made(discom, made)


@app.command("list")
def list_(
    discom: Discom,
    state: Annotated[str | None, typer.Option(help="pending, approved, rejected or withdrawn.")] = None,
    meter: Annotated[str | None, typer.Option(help="Only those of this meter.")] = None,
    size: Annotated[int, typer.Option(help="How many at most.", min=1, max=500)] = 50,
) -> None:
    """List edits, newest first. Example: meterhouse vee edit list -d D01 --state pending"""
    with person(discom) as (conn, who):
        found = repository.page(conn, who.discom_id, state=state, meter=meter, day=None, request=None, before=None, size=size)
    _print_edits(found)


@app.command()
def approve(discom: Discom, edits: Ids, note: Note = None) -> None:
    """Approve edits of somebody else. Example: meterhouse vee edit approve -d D01 17 18"""
    _decide(discom, edits, Decision.APPROVED, note)


@app.command()
def reject(discom: Discom, edits: Ids, note: Note = None) -> None:
    """Reject edits of somebody else. Example: meterhouse vee edit reject -d D01 17 --note "the check meter says otherwise" """
    _decide(discom, edits, Decision.REJECTED, note)


@app.command()
def withdraw(discom: Discom, edits: Ids, note: Note = None) -> None:
    """Take back edits of your own that wait. Example: meterhouse vee edit withdraw -d D01 17"""
    _decide(discom, edits, Decision.WITHDRAWN, note)


def _decide(discom: str, edits: list[int], decision: Decision, note: str | None) -> None:
    with person(discom) as (conn, who):
        _print_edits(service.decide(conn, who, edits, decision, note))


def _edit(discom: str, change: Change, how: Asked, *, dry_run: bool) -> None:
    with person(discom) as (conn, who):
        _done(conn, who, Asked([change], how.reason, how.note, how.force), dry_run=dry_run)


def _done(conn: psycopg.Connection, who: Editor, asked: Asked, *, dry_run: bool) -> None:
    if dry_run:
        found = service.plan(conn, who, asked)
        _print_plan(found)
        _print_faults(found.faults)
        return
    made, found = service.make(conn, who, asked)
    _print_plan(found)
    _print_made(who.discom, made)


def _print_plan(found: Plan) -> None:
    table = Table("meter", "day", "channel", "before", "after", "difference", "slots", "approval", box=None, pad_edge=False)
    for d in found.diffs[:SHOWN]:
        table.add_row(*_row(d))
    console.print(table)
    if len(found.diffs) > SHOWN:
        console.print(f"and {count(len(found.diffs) - SHOWN)} more")
    for d in found.diffs:
        for warning in d.warnings:
            errors.print(f"warning: {d.change.place}: {warning}", soft_wrap=True, highlight=False)
    waits = sum(d.needs_approval for d in found.diffs)
    difference = count(sum(d.difference for d in found.diffs))
    said = f"{count(len(found.diffs))} days change by {difference} Wh, {count(waits)} of them need approval"
    console.print(f"{said}; {count(found.unchanged)} stand so already", soft_wrap=True)


def _row(d: Diff) -> tuple[str, ...]:
    before, after = (count(sum(v or 0 for v in values)) for values in (d.before, d.after))
    waits = "yes" if d.needs_approval else ""
    return d.day.serial, str(d.day.day), d.change.channel, before, after, count(d.difference), str(d.slots), waits


def _print_faults(faults: Sequence[object]) -> None:
    """Ends the command where there are any."""
    if faults:
        fail("\n".join([f"{len(faults)} faults, nothing was written:", *map(str, faults)]))


def _print_made(discom: str, made: Sequence[dict[str, Any]]) -> None:
    waiting = [str(e["id"]) for e in made if e["state"] == "pending"]
    console.print(f"edits {made[0]['id']} to {made[-1]['id']} are written", highlight=False)
    if waiting:
        console.print(f"for somebody else: meterhouse vee edit approve -d {discom} {' '.join(waiting)}", soft_wrap=True)
    days: list[date] = sorted({e["day"] for e in made if e["state"] == "approved"})
    if days:
        console.print(f"energy and reports follow: meterhouse run -d {discom} --from {days[0]} --to {days[-1]}", soft_wrap=True)


def _print_edits(edits: Sequence[dict[str, Any]]) -> None:
    """A line each: a table would cut serials and numbers where the terminal is narrow."""
    for e in edits:
        difference = sum(v or 0 for v in e["after"]) - sum(v or 0 for v in e["before"] or [])
        what = f"{e['id']:>6}  {e['meter']}  {e['day']}  {e['channel']}  {count(difference):>9} Wh  {e['reason']}"
        decided = f" by {e['decided_by']}" if e["decided_by"] else ""
        said = f"{what}  {e['editor']} {e['edited_at']:%Y-%m-%d %H:%MZ}  {e['state']}{decided}  {e['note'] or ''}"
        console.print(said.rstrip(), soft_wrap=True, highlight=False, markup=False)
