"""Which consumers to move between the phases of a DT, or to another DT, and what that would change. Greedy, a step at a time, so that each
step can be explained. Pure: profiles in, moves out.

Profiles are mean W by slot of the day (S). A phase of a DT carries its single-phase consumers and a third of all others. Unbalance is
sum over the slots of the largest deviation of a phase from the mean / sum of the means, %: slots count by their load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PHASES = ("R", "Y", "B")
EARTH_M = 6_371_000


@dataclass(frozen=True)
class Member:
    """A consumer of a DT. `phase` is None where it has three or where nobody knows; such consumers do not move between phases.

    `profile` (S) W, `peak_w` the highest slot on the DT's peak day, `at_peak_w` the slot of the DT's peak; position in degrees.
    """

    service_point: str
    phase: str | None
    profile: Floats
    peak_w: float = 0.0
    at_peak_w: float = 0.0
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Transformer:
    """A DT of a month: highest kVA and mean power factor as metered at its head."""

    code: str
    capacity_kva: float
    max_kva: float
    power_factor: float = 0.9
    latitude: float | None = None
    longitude: float | None = None

    @property
    def loading_pct(self) -> float:
        return 100 * self.max_kva / self.capacity_kva


@dataclass(frozen=True)
class PhaseMove:
    """Put a consumer on another phase. Unbalance of the DT before and after this step, %."""

    service_point: str
    from_phase: str
    to_phase: str
    mean_kw: float
    before_pct: float
    after_pct: float


@dataclass(frozen=True)
class DtMove:
    """Hang a consumer at another DT. Loading of both, %, before and after; `to_after_pct` is the most that it can be, for the consumer's
    peak is added to that of the DT although they may not fall together."""

    service_point: str
    to_dt: str
    at_peak_kw: float
    distance_m: float | None
    before_pct: float
    after_pct: float
    to_before_pct: float
    to_after_pct: float


def phase_loads(members: Sequence[Member], slots: int) -> Floats:
    """Mean W of the phases (3, S)."""
    loads = np.zeros((3, slots))
    for m in members:
        if m.phase in PHASES:
            loads[PHASES.index(m.phase)] += m.profile
        else:
            loads += m.profile / 3
    return loads


def unbalance_pct(loads: Floats) -> float:
    """Of phases (3, S), 0 where they carry nothing."""
    mean = loads.mean(axis=0)
    total = float(np.abs(mean).sum())
    return 100 * float(np.abs(loads - mean).max(axis=0).sum()) / total if total else 0.0


def balance_phases(members: Sequence[Member], *, most: int = 10, enough_pct: float = 5.0, least_gain_pct: float = 0.5) -> list[PhaseMove]:
    """The moves between phases that lower the unbalance most, one after the other: until it is `enough_pct`, a move would gain less than
    `least_gain_pct`, or there are `most`. No consumer moves twice. Of equals the smaller load moves, then the first by code."""
    if not members:
        return []
    loads = phase_loads(members, len(members[0].profile))
    movable = sorted((m for m in members if m.phase in PHASES), key=lambda m: m.service_point)
    moves: list[PhaseMove] = []
    while len(moves) < most:
        before = unbalance_pct(loads)
        if before <= enough_pct:
            break
        best: tuple[float, float, Member, int] | None = None
        for m in movable:
            own = PHASES.index(str(m.phase))
            for to in range(3):
                if to == own:
                    continue
                after = unbalance_pct(_moved(loads, m.profile, own, to))
                size = float(m.profile.sum())
                if best is None or (round(after, 6), size) < (round(best[0], 6), best[1]):
                    best = (after, size, m, to)
        if best is None or before - best[0] < least_gain_pct:
            break
        after, _, member, to = best
        own = PHASES.index(str(member.phase))
        loads = _moved(loads, member.profile, own, to)
        movable.remove(member)
        moves.append(PhaseMove(member.service_point, PHASES[own], PHASES[to], float(member.profile.mean()) / 1000, before, after))
    return moves


def _moved(loads: Floats, profile: Floats, own: int, to: int) -> Floats:
    moved = loads.copy()
    moved[own] -= profile
    moved[to] += profile
    return moved


def relieve(
    donor: Transformer,
    members: Sequence[Member],
    neighbours: Sequence[Transformer],
    *,
    limit_pct: float = 100.0,
    target_pct: float = 80.0,
    most: int = 10,
    reach_m: float = 500.0,
) -> list[DtMove]:
    """The moves to other DTs of its feeder that bring an overloaded DT down to `limit_pct`: each time the consumer that uses most at the
    DT's peak, to the nearest DT within `reach_m` of it that stays at `target_pct` or below. DTs and consumers without a place are taken to
    be near, and come last. Nothing where the DT is not above `limit_pct`."""
    kva, taken = donor.max_kva, {n.code: n.max_kva for n in neighbours}
    moves: list[DtMove] = []
    left = sorted((m for m in members if m.at_peak_w > 0), key=lambda m: (-m.at_peak_w, m.service_point))
    for m in left:
        if len(moves) == most or 100 * kva / donor.capacity_kva <= limit_pct:
            break
        near = sorted((_away(m, n, reach_m), n.code, n) for n in neighbours if n.code != donor.code)
        for away, _, n in near:
            after = taken[n.code] + m.peak_w / 1000 / n.power_factor
            if away > reach_m or 100 * after / n.capacity_kva > target_pct:
                continue
            less = kva - m.at_peak_w / 1000 / donor.power_factor
            moves.append(
                DtMove(
                    m.service_point,
                    n.code,
                    m.at_peak_w / 1000,
                    distance_m(m, n),
                    100 * kva / donor.capacity_kva,
                    100 * less / donor.capacity_kva,
                    100 * taken[n.code] / n.capacity_kva,
                    100 * after / n.capacity_kva,
                )
            )
            kva, taken[n.code] = less, after
            break
    return moves


def distance_m(a: Member | Transformer, b: Member | Transformer) -> float | None:
    """Metres between two places, on a plane that touches the earth; None where one is not known."""
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        return None
    north = np.radians(a.latitude - b.latitude)
    east = np.radians(a.longitude - b.longitude) * np.cos(np.radians((a.latitude + b.latitude) / 2))
    return float(EARTH_M * np.hypot(north, east))


def _away(member: Member, dt: Transformer, unknown_m: float) -> float:
    away = distance_m(member, dt)
    return unknown_m if away is None else away
