"""meterhouse sla: the service levels of a DISCOM as its file says them."""

from __future__ import annotations

from rich.table import Table

from cli.console import console
from cli.data import Discom
from orchestration.sla import settings


def sla(discom: Discom) -> None:
    """Check the file of service levels of a DISCOM and list its targets. Exit code 1 where the file is wrong, with line and field.

    Example: meterhouse sla -d D01
    """
    table = Table("SLA", "what", "within", "target %", "penalty: % of the month's fee", "verified", title=f"Service levels of {discom}")
    targets = settings.load(discom)
    for t in targets:
        bands = ", ".join(f"{b.penalty_pct:g} below {b.below_pct:g}" for b in t.bands)
        table.add_row(t.sla, t.title, _span(t.within_min), f"{t.target_pct:g}", bands or "none", "yes" if t.verified else "no")
    console.print(table)
    outage = "is not due" if any(t.exclude_network_outage for t in targets) else "is due"
    console.print(f"What a meter without supply could not send {outage}. The scorecard is report J06.")


def _span(minutes: int | None) -> str:
    if minutes is None:
        return ""
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
