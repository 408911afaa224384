"""meterhouse vee rules: what is in force, whether a file is good, and putting a proposal in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import console, fail
from cli.data import Discom
from cli.database import ensure_ready
from expectations import rule_set
from expectations.rules import STAGES, read_overlay

rules = typer.Typer(invoke_without_command=True)


@rules.callback()
def show(
    context: typer.Context,
    discom: Annotated[str | None, typer.Option("--discom", "-d", help="Code of the DISCOM.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also what is switched off.")] = False,
) -> None:
    """The rules in force for a DISCOM: what came with Meterhouse, and what its overlay changed.

    Example: meterhouse vee rules --discom D01
    """
    if context.invoked_subcommand:
        return
    if discom is None:
        fail("which DISCOM? Give --discom CODE, or one of the commands check and accept")
    found = rule_set.load(discom)
    table = Table(box=None, pad_edge=False, title=f"{discom}, rules {found.sha256.hex()[:12]}", title_justify="left")
    for name in ("stage", "rule", "severity", "action", "limit", "scope", "from"):
        table.add_column(name, overflow="fold")
    for stage in STAGES:
        for c in found.suites[stage].checks:
            if c.enabled or every:
                action = c.action if c.enabled else "off"
                source = "overlay" if c.overlay else "base"
                table.add_row(stage, c.key, c.severity, action, rule_set.limit(c), rule_set.scope(c), source)
    console.print(table)


@rules.command()
def check(file: Annotated[Path, typer.Argument(help="An overlay.")]) -> None:
    """Whether an overlay is good: its form, its rules and figures, its scopes. Needs no database. Every fault is told with its line.

    Example: meterhouse vee rules check D01.yml
    """
    raw = read_overlay(file, draft=True).raw
    changed = sum(len(raw.get(stage, {})) for stage in STAGES)
    console.print(f"{file}: good: {changed} rules changed, {len(raw.get('add', ()))} added", soft_wrap=True)


@rules.command()
def accept(
    discom: Discom,
    proposal: Annotated[int, typer.Argument(help="Number of the proposal.", min=1)],
    by: Annotated[str, typer.Option(help="Who accepts it: not the proposer.")],
) -> None:
    """Put a proposal in force: its text becomes the DISCOM's overlay in METERHOUSE_OVERLAYS (else beside the shipped ones).

    Days that are built already keep the verdict of their own rules until they are built again.
    Example: meterhouse vee rules accept 7 -d D01 --by "A. Rao"
    """
    from api.database import Database
    from api.errors import Problem
    from api.rules import service
    from cli.run import discom_id_of

    ensure_ready()
    pools = Database()
    try:
        written = service.accept(pools, discom_id_of(discom), discom, proposal, by)
    except Problem as e:
        fail(f"{e.code}: {e.detail}")
    finally:
        pools.close()
    console.print(f"{written}: in force from the next build on", soft_wrap=True)
