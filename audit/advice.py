"""Load-balancing advice of a month: for each DT that is unbalanced or overloaded, which consumers to move and what that would change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg

from audit import balancing_repository as repository
from audit.balancing import DtMove, PhaseMove, balance_phases, phase_loads, relieve, unbalance_pct


class AdviceError(RuntimeError):
    """There is nothing to advise on; the message says why."""


@dataclass(frozen=True)
class Limits:
    """From where a DT needs advice, and where it ends. Unbalance %, loading %, metres."""

    unbalance_pct: float = 20.0
    enough_pct: float = 5.0
    loading_pct: float = 100.0
    target_pct: float = 80.0
    reach_m: float = 500.0
    moves: int = 10


@dataclass(frozen=True)
class Advice:
    """Of one DT. Unbalance of its consumers' mean loads by phase, %, before and after; the metered one of its currents beside it. Consumers
    whose phase nobody knows (`unknown_phase`) stand on all three, so the unbalance is that of the others."""

    dt: str
    loading_pct: float
    metered_unbalance_pct: float | None
    consumers: int
    unknown_phase: int
    unbalance_before_pct: float
    unbalance_after_pct: float
    phase_moves: list[PhaseMove]
    dt_moves: list[DtMove]

    @property
    def loading_after_pct(self) -> float:
        return self.dt_moves[-1].after_pct if self.dt_moves else self.loading_pct


def advise(conn: psycopg.Connection, discom_id: int, month: date, dt: str | None = None, limits: Limits | None = None) -> list[Advice]:
    """Advice on the DTs of the month that are beyond the limits, the worst first; on `dt` alone where it is named, whatever its state.

    Raises AdviceError where no DT has a load in the month, or `dt` is not one of them.
    """
    limits = limits or Limits()
    loads = repository.dt_months(conn, discom_id, month)
    if not loads:
        raise AdviceError(f"no DT has a load in {month:%Y-%m}: build its days first (meterhouse run)")
    chosen = [x for x in loads if x.dt.code == dt] if dt else [x for x in loads if _beyond(x, limits)]
    if dt and not chosen:
        raise AdviceError(f"DT {dt!r} has no load in {month:%Y-%m}: check its code, and that it has a meter")
    found = []
    for x in chosen:
        members = repository.members(conn, discom_id, month, x)
        neighbours = [n.dt for n in loads if n.feeder_id == x.feeder_id and n.dt_id != x.dt_id]
        dt_moves = relieve(
            x.dt,
            members,
            neighbours,
            limit_pct=limits.loading_pct,
            target_pct=limits.target_pct,
            most=limits.moves,
            reach_m=limits.reach_m,
        )
        # Who leaves the DT is balanced there no more.
        gone = {m.service_point for m in dt_moves}
        staying = [m for m in members if m.service_point not in gone]
        moves = balance_phases(staying, most=limits.moves, enough_pct=limits.enough_pct)
        before = unbalance_pct(phase_loads(members, len(members[0].profile))) if members else 0.0
        found.append(
            Advice(
                dt=x.dt.code,
                loading_pct=x.dt.loading_pct,
                metered_unbalance_pct=x.unbalance_pct,
                consumers=len(members),
                unknown_phase=sum(m.phase is None for m in members),
                unbalance_before_pct=before,
                unbalance_after_pct=moves[-1].after_pct if moves else before,
                phase_moves=moves,
                dt_moves=dt_moves,
            )
        )
    return sorted(found, key=lambda a: (-max(a.loading_pct - limits.loading_pct, 0), -a.unbalance_before_pct, a.dt))


def _beyond(x: repository.DtMonth, limits: Limits) -> bool:
    """Overloaded, or unbalanced as far as its meter says it."""
    return x.dt.loading_pct > limits.loading_pct or x.unbalance_pct is None or x.unbalance_pct > limits.unbalance_pct
