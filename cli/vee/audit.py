"""meterhouse vee verify-audit, freeze, release, frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from cli.console import console, fail
from cli.data import Discom
from cli.vee.person import person
from vee.edits import audit, freezing, repository

First = Annotated[datetime, typer.Option("--from", help="First business day.", formats=["%Y-%m-%d"])]
Last = Annotated[datetime, typer.Option("--to", help="Last business day.", formats=["%Y-%m-%d"])]
Reason = Annotated[str, typer.Option(help="Why; kept for ever.")]


def verify_audit(
    discom: Discom,
    anchor: Annotated[
        str | None, typer.Option(help="A head that an earlier check printed (number:hash): it must still be in the chain.")
    ] = None,
) -> None:
    """Check that edits, decisions and freezes stand as they were written; the first row that does not is named, and the exit code is 1.

    Example: meterhouse vee verify-audit -d D01
    """
    noted = None
    if anchor is not None:
        number, _, digest = anchor.partition(":")
        if not number.isdecimal() or not digest:
            fail(f"--anchor {anchor} is not number:hash, as an earlier check printed it")
        noted = (int(number), digest.lower())
    with person(discom) as (conn, who):
        found = audit.verify(conn, who.discom_id, noted)
    if found.fault:
        fail(f"{discom}: {found.fault}")
    console.print(f"{discom}: {found.entries} rows stand as they were written; head {found.entries}:{found.head}", soft_wrap=True)


def freeze(discom: Discom, first: First, last: Last, reason: Reason) -> None:
    """Freeze days that were billed: they are not built again and not edited; what lands for them is judged against them (V34).

    Example: meterhouse vee freeze -d D01 --from 2026-10-01 --to 2026-10-31 --reason "bills of October are out"
    """
    with person(discom) as (conn, who):
        found = freezing.freeze(conn, who, first.date(), last.date(), reason)
    console.print(f"freeze {found.freeze_id}: {found.first_day} to {found.last_day} is frozen")


def release(discom: Discom, freeze_id: Annotated[int, typer.Argument(help="Number of the freeze.", min=1)], reason: Reason) -> None:
    """End a freeze of somebody else. Example: meterhouse vee release -d D01 3 --reason "a re-bill was ordered" """
    with person(discom) as (conn, who):
        found = freezing.release(conn, who, freeze_id, reason)
    console.print(f"{found.first_day} to {found.last_day} is released; what landed since comes in: meterhouse run -d {discom}")


def frozen(discom: Discom) -> None:
    """Every freeze, released ones too. Example: meterhouse vee frozen -d D01"""
    with person(discom) as (conn, who):
        found = repository.freezes(conn, who.discom_id)
    for f in found:
        said = f"{f.freeze_id:>4}  {f.first_day} to {f.last_day}  {f.frozen_by} {f.frozen_at:%Y-%m-%d %H:%MZ}: {f.reason}"
        said += f"; released by {f.released_by} {f.released_at:%Y-%m-%d %H:%MZ}: {f.release_reason}" if f.released_at else ""
        console.print(said, soft_wrap=True, highlight=False, markup=False)
