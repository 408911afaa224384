"""meterhouse vee cost: what each rule costs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from cli.console import console, count, fail, progress_bar
from cli.data import Discom
from cli.database import ensure_ready
from cli.run import discom_id_of
from expectations.cost import measure_costs
from expectations.rules import STAGES, load_suite


def cost(
    discom: Discom,
    first: Annotated[datetime, typer.Option("--from", help="First business day.", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", help="Last business day.", formats=["%Y-%m-%d"])],
    stage: Annotated[str, typer.Option(help=f"Which rules: {', '.join(STAGES)}.")] = "initial",
) -> None:
    """Run the SQL of each rule by itself over built days and say what it costs, dearest first. Writes nothing.

    Example: meterhouse vee cost --discom D01 --from 2026-10-01 --to 2026-10-07
    """
    of = next((s for s in STAGES if s == stage), None)
    if of is None:
        fail(f"no stage {stage!r}: one of {', '.join(STAGES)}")
    if last < first:
        fail(f"--from {first:%Y-%m-%d} lies after --to {last:%Y-%m-%d}")
    ensure_ready()
    discom_id = discom_id_of(discom)
    with progress_bar() as bar:
        task = bar.add_task(f"{stage} rules of {discom}", total=len(load_suite(of, discom).enabled))
        costs = measure_costs(
            discom_id, discom, first.date(), last.date(), of, said=lambda done, total: bar.update(task, completed=done, total=total)
        )
    total = sum(c.seconds for c in costs)
    table = Table("rule", "figure", box=None, pad_edge=False)
    for name in ("tested", "failed", "ms", "share"):
        table.add_column(name, justify="right")
    for c in costs:
        share = f"{c.seconds / total:.1%}" if total else ""
        figure = f"{c.check.table}.{c.check.kwargs['column']}"
        table.add_row(c.check.key, figure, count(c.tested), count(c.failed), f"{1000 * c.seconds:.1f}", share)
    table.add_row("all", "", "", "", f"{1000 * total:.1f}", "")
    console.print(table)
