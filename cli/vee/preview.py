"""meterhouse vee preview: what an overlay would change on days that are built."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import console, count, fail, progress_bar
from cli.data import Discom
from cli.database import ensure_ready


def preview(
    discom: Discom,
    overlay: Annotated[Path, typer.Option(help="The overlay to try: the whole file as it would be.")],
    first: Annotated[datetime, typer.Option("--from", help="First business day.", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", help="Last business day.", formats=["%Y-%m-%d"])],
    every: Annotated[bool, typer.Option("--all", help="Also rules of which nothing changes.")] = False,
) -> None:
    """Judge built days by another overlay, beside the rules in force, without writing anything.

    Example: meterhouse vee preview --discom D01 --overlay new.yml --from 2026-10-01 --to 2026-10-07
    """
    from cli.run import discom_id_of
    from expectations import preview as engine
    from expectations import rule_set
    from expectations.rules import read_overlay

    if last < first:
        fail(f"the days {first.date()} to {last.date()} run backwards: give the first day as --from")
    ensure_ready()
    discom_id = discom_id_of(discom)
    then = rule_set.of_overlay(discom, read_overlay(overlay, discom=discom))
    with progress_bar() as bar:
        bar.add_task(f"{discom}: {first.date()} to {last.date()}", total=None)
        found = engine.preview(discom_id, rule_set.load(discom), then, first.date(), last.date())
    table = Table(box=None, pad_edge=False, title=f"{discom}, {found.first} to {found.last}: meter-days that fail", title_justify="left")
    for name in ("stage", "rule"):
        table.add_column(name)
    for name in ("now", "then", "newly", "no longer", "otherwise"):
        table.add_column(name, justify="right")
    table.add_column("such as", overflow="fold")
    for r in found.rules:
        if r.changes or every:
            examples = [*(f"+{m}" for m in r.new_examples), *(f"-{m}" for m in r.gone_examples)]
            table.add_row(r.stage, r.rule, *(count(n) for n in (r.now, r.then, r.new, r.gone, r.otherwise)), " ".join(examples))
    console.print(table if table.row_count else "No meter-day fails otherwise than now.")
    for a in found.actions:
        verb = {"estimate": "to estimate", "hold": "held for a person"}[a.action]
        console.print(f"{verb}: {count(a.now)} now, {count(a.then)} then ({count(a.new)} newly, {count(a.gone)} no longer)", soft_wrap=True)
    for d in found.refused:
        console.print(
            f"[bold]{d.day} would be refused[/bold]: {d.rule} fails for {count(d.failed)} of {count(d.tested)}, "
            f"at least {d.acceptance:.0%} must pass",
            soft_wrap=True,
        )
    if found.unbuilt:
        console.print(f"not built, or not to the end: {', '.join(map(str, found.unbuilt))}", soft_wrap=True)
    for stage in found.skipped:
        console.print(f"not judged: {stage}", soft_wrap=True)
