"""meterhouse audit advice: which consumers to move between phases or DTs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from cli.console import console
from cli.data import Discom
from cli.database import ensure_ready
from cli.run import discom_id_of
from warehouse import db


def advice(
    discom: Discom,
    month: Annotated[datetime, typer.Option(help="Which month, as 2026-10.", formats=["%Y-%m"])],
    dt: Annotated[str | None, typer.Option(help="One DT, by its code. Default: all that are overloaded or unbalanced.")] = None,
    unbalance: Annotated[float, typer.Option(min=0, help="A DT whose currents are unbalanced by more, %, gets advice.")] = 20.0,
    loading: Annotated[float, typer.Option(min=0, help="A DT loaded above, % of its kVA, gets advice.")] = 100.0,
    target: Annotated[float, typer.Option(min=0, help="Loading, %, up to which another DT may take consumers.")] = 80.0,
    reach: Annotated[float, typer.Option(min=0, help="How far from a DT a consumer may be, m.")] = 500.0,
    moves: Annotated[int, typer.Option(min=1, help="Moves of each kind, for one DT.")] = 10,
) -> None:
    """Advise which consumers to move between the phases of a DT, and which to another DT of its feeder, with what each move would change:
    a step at a time, the one that helps most first.

    Example: meterhouse audit advice --discom D01 --month 2026-10 --dt DT0007
    """
    from audit.advice import Limits, advise

    ensure_ready()
    discom_id = discom_id_of(discom)
    limits = Limits(unbalance_pct=unbalance, loading_pct=loading, target_pct=target, reach_m=reach, moves=moves)
    with db.connect("meterhouse_dbt") as conn:
        found = advise(conn, discom_id, month.date(), dt, limits)
    if not found:
        console.print(f"No DT of {discom} was loaded above {loading:g} % or unbalanced by more than {unbalance:g} % in {month:%Y-%m}.")
    for a in found:
        metered = "not metered" if a.metered_unbalance_pct is None else f"{a.metered_unbalance_pct:.1f} % by its currents"
        console.print(
            f"[bold]{a.dt}[/bold]: loading {a.loading_pct:.1f} → {a.loading_after_pct:.1f} %, unbalance of {a.consumers} consumers "
            f"{a.unbalance_before_pct:.1f} → {a.unbalance_after_pct:.1f} % ({metered}; of {a.unknown_phase} no single phase is known)"
        )
        table = Table("consumer", "move", "kW", "before, %", "after, %", "m")
        for column in table.columns[2:]:
            column.justify = "right"
        for d in a.dt_moves:
            away = "" if d.distance_m is None else f"{d.distance_m:,.0f}"
            effect = f"{d.after_pct:.1f} (there at most {d.to_after_pct:.1f})"
            table.add_row(d.service_point, f"to {d.to_dt}", f"{d.at_peak_kw:.2f}", f"{d.before_pct:.1f}", effect, away)
        for p in a.phase_moves:
            table.add_row(
                p.service_point, f"{p.from_phase} → {p.to_phase}", f"{p.mean_kw:.2f}", f"{p.before_pct:.1f}", f"{p.after_pct:.1f}", ""
            )
        console.print(table if table.row_count else "  nothing to move that would help")
