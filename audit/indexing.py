"""Which consumers hang at another DT than their tag says (domain 4.4): voltage, energy balance, outages and distance. Pure numpy.

A group is the DTs of neighbouring feeders and the consumers tagged to them, over D days of S slots. Four independent pieces of evidence
are log-likelihood ratios of "it hangs at that DT" to "it hangs at its tag"; they add up, and with the share of tags that are wrong as
prior they give a probability. Which figures a DISCOM's surveys bear out is `Settings`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LOAD_LOSS_AT_PEAK = 0.1
EARTH_M = 111_320.0
"""Metres of a degree of latitude."""


@dataclass(frozen=True)
class Settings:
    """`wrong_share`: of all tags. `independent`: slots apart that are as good as independent. `spread_m`: how far consumers are from
    their DT. `confidence`: a probability from which a tag is suspected; `possible`: from which it is kept. `candidates` by voltage and
    `nearest` by place are looked at.
    """

    wrong_share: float = 0.015
    independent: int = 4
    spread_m: float = 150.0
    same_outage_s: int = 120
    outage_seen: float = 0.9
    outage_by_chance: float = 0.05
    candidates: int = 3
    nearest: int = 2
    confidence: float = 0.9
    possible: float = 0.5
    min_days: int = 3


@dataclass(frozen=True)
class Group:
    """m DTs, n consumers, T = days x slots; NaN = not known.

    `tagged`: index of the DT. `dt_volts` (m, 3, T) by phase, `volts` (n, T). `dt_wh` (m, T) import less export at the DT, primary side, NaN
    where it has no meter; `wh` (n, T) likewise. Positions in degrees. Outages: index and instant (s) of each power failure.
    """

    slots: int
    dt_feeder: Ints
    dt_position: NDArray[np.float64]
    dt_volts: Floats
    dt_wh: Floats
    tagged: Ints
    position: NDArray[np.float64]
    volts: Floats
    wh: Floats
    dt_outages: tuple[Ints, Ints]
    outages: tuple[Ints, Ints]


@dataclass(frozen=True)
class Suspicion:
    """A consumer (index) that is likelier at the DT `better` (index). Evidence: log-likelihood ratios, and the figures behind them."""

    consumer: int
    tagged: int
    better: int
    phase: int | None
    confidence: float
    voltage: float
    energy: float
    outage: float
    distance: float
    r_tagged: float | None
    r_better: float | None
    outages_tagged: int
    outages_better: int
    outages_own: int
    m_tagged: float | None
    m_better: float | None


def suspicions(group: Group, settings: Settings) -> list[Suspicion]:
    """Consumers of which another DT is likelier than `settings.possible`, by falling probability."""
    m, n = len(group.dt_feeder), len(group.tagged)
    if m < 2 or n == 0 or group.volts.shape[1] < settings.min_days * group.slots:
        return []
    r, phase, pairs = correlations(group)
    every = np.arange(n)
    distance = metres(group.position, group.dt_position)
    candidates = _candidates(group, settings, r, distance)
    matched, own, of_dt = outage_matches(group, settings)
    seen, chance = (
        np.log(settings.outage_seen / settings.outage_by_chance),
        np.log((1 - settings.outage_seen) / (1 - settings.outage_by_chance)),
    )
    outage = np.where(own[:, None] > 0, matched * seen + (own[:, None] + of_dt[None, :] - 2 * matched) * chance, 0.0)
    residual, use = residuals(group)

    best = np.full(n, -np.inf)
    evidence = np.zeros((n, 4))
    better = np.full(n, -1)
    tag = group.tagged
    for k in range(candidates.shape[1]):
        other = candidates[:, k]
        there = (other >= 0) & (other != tag)
        to = np.where(there, other, 0)
        parts = np.stack(
            [
                _voltage(r[every, tag], r[every, to], np.minimum(pairs[every, tag], pairs[every, to]), settings),
                _energy(residual, use, tag, to, settings),
                np.clip(outage[every, to] - outage[every, tag], -10, 10),
                _distance(distance[every, tag], distance[every, to], settings),
            ],
            axis=1,
        )
        total = np.where(there, parts.sum(axis=1), -np.inf)
        wins = total > best
        best[wins], better[wins], evidence[wins] = total[wins], to[wins], parts[wins]
    prior = np.log(settings.wrong_share / (1 - settings.wrong_share)) - np.log(max(1, m - 1))
    probability = 1 / (1 + np.exp(-np.clip(best + prior, -60, 60)))
    # A place alone accuses nobody: it was surveyed by the same people as the tag.
    found = np.flatnonzero((probability >= settings.possible) & (evidence[:, :3].sum(axis=1) > 2))
    return [
        Suspicion(
            consumer=int(c),
            tagged=int(tag[c]),
            better=int(better[c]),
            phase=None if phase[c, better[c]] > 2 or np.isnan(r[c, better[c]]) else int(phase[c, better[c]]),
            confidence=float(probability[c]),
            voltage=float(evidence[c, 0]),
            energy=float(evidence[c, 1]),
            outage=float(evidence[c, 2]),
            distance=float(evidence[c, 3]),
            r_tagged=_known(r[c, tag[c]]),
            r_better=_known(r[c, better[c]]),
            outages_tagged=int(matched[c, tag[c]]),
            outages_better=int(matched[c, better[c]]),
            outages_own=int(own[c]),
            m_tagged=_known(distance[c, tag[c]]),
            m_better=_known(distance[c, better[c]]),
        )
        for c in found[np.argsort(-probability[found], kind="stable")]
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def anomalies(values: Floats, slots: int) -> Floats:
    """(…, T): what is left when the mean of each slot of the day is taken away, so that habits shared by all say nothing. NaN stays NaN."""
    by_day = values.reshape(*values.shape[:-1], -1, slots)
    known = ~np.isnan(by_day)
    count = known.sum(axis=-2, keepdims=True)
    mean = np.where(known, by_day, 0).sum(axis=-2, keepdims=True) / np.maximum(count, 1)
    # A slot that is known once is its own mean and says nothing.
    rest = np.where(known & (count > 1), by_day - mean, np.nan)
    return rest.reshape(values.shape).astype(np.float32)


def correlations(group: Group) -> tuple[NDArray[np.float64], Ints, NDArray[np.float64]]:
    """Of each consumer's voltage with each DT's: the highest over R, Y, B and their mean (n, m), which it was, and over how many slots.

    What all DTs of the DT's feeder share is taken away from both, else the swings of the 11 kV would make all look alike. NaN where
    a voltage is not known.
    """
    m, n = len(group.dt_feeder), len(group.tagged)
    dt = anomalies(group.dt_volts, group.slots)
    with np.errstate(invalid="ignore"):
        count = (~np.isnan(dt)).sum(axis=1)
        mean = np.where(count > 0, np.nansum(dt, axis=1) / np.maximum(count, 1), np.nan)
    series = np.concatenate([dt, mean[:, None]], axis=1)
    own = anomalies(group.volts, group.slots)
    r, phase, pairs = np.full((n, m), np.nan), np.zeros((n, m), dtype=np.int64), np.zeros((n, m))
    all_dts: NDArray[np.bool_] = np.atleast_1d(~np.isnan(mean).all(axis=1))
    for feeder in np.unique(group.dt_feeder):
        mine = np.flatnonzero(group.dt_feeder == feeder)
        among = mine[all_dts[mine]]
        if len(among) < 3:
            among = np.flatnonzero(all_dts)
        common = _mean(mean[among]) if len(among) >= 3 else np.zeros(own.shape[1], dtype=np.float32)
        rows = (series[mine] - common).reshape(4 * len(mine), -1)
        one, known = _correlation(own - common, rows)
        one = one.reshape(n, len(mine), 4)
        filled = np.where(np.isnan(one), -2, one)
        which = filled.argmax(axis=2)
        at = np.take_along_axis(filled, which[..., None], axis=2)[..., 0]
        r[:, mine], phase[:, mine] = np.where(at < -1.5, np.nan, at), which
        pairs[:, mine] = np.take_along_axis(known.reshape(n, len(mine), 4), which[..., None], axis=2)[..., 0]
    return r, phase, pairs


def _mean(rows: Floats) -> Floats:
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, rows, 0).sum(axis=0) / np.maximum(count, 1), 0).astype(np.float32)


def _correlation(a: Floats, b: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of all rows of a (n, T) with all of b (k, T), mean 0 supposed, over the slots that both know; NaN below a day's worth of them."""
    known_a, known_b = (~np.isnan(a)).astype(np.float32), (~np.isnan(b)).astype(np.float32)
    a, b = np.nan_to_num(a), np.nan_to_num(b)
    both = (known_a @ known_b.T).astype(np.float64)
    power = np.sqrt((a * a) @ known_b.T) * np.sqrt(known_a @ (b * b).T)
    r = np.divide(a @ b.T, power, out=np.full(both.shape, np.nan), where=(power > 0) & (both >= 40))
    return np.clip(r, -1, 1), both


def metres(of: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances (n, m) of places in degrees; NaN where one is not known. On a plane: both are in one town."""
    scale = np.array([EARTH_M, EARTH_M * np.cos(np.radians(np.nanmean(to[:, 0]) if np.isfinite(to[:, 0]).any() else 0.0))])
    difference = (of[:, None] - to[None]) * scale
    return np.sqrt((difference**2).sum(axis=2))


def outage_matches(group: Group, settings: Settings) -> tuple[Ints, Ints, Ints]:
    """Power failures of consumer and DT that began together (n, m), and those of each consumer (n,) and DT (m,)."""
    n, m = len(group.tagged), len(group.dt_feeder)
    consumer, at = group.outages
    matched = np.zeros((n, m), dtype=np.int64)
    for d in range(m):
        starts = np.sort(group.dt_outages[1][group.dt_outages[0] == d])
        if len(starts) == 0 or len(at) == 0:
            continue
        after = np.searchsorted(starts, at)
        gap = np.minimum(np.abs(at - starts[np.minimum(after, len(starts) - 1)]), np.abs(at - starts[np.maximum(after - 1, 0)]))
        matched[:, d] = np.bincount(consumer[gap <= settings.same_outage_s], minlength=n)
    return matched, np.bincount(consumer, minlength=n), np.bincount(group.dt_outages[0], minlength=m)


def residuals(group: Group) -> tuple[Floats, Floats]:
    """Unexplained loss of each DT (m, T), and use of each consumer (n, T), as anomalies; 0 where not known, NaN for a DT without meter.

    A DT's loss less what goes with the square of its load: what is left holds who is missing in its balance, and who does not belong there.
    """
    use = np.nan_to_num(anomalies(group.wh, group.slots))
    below = np.zeros((len(group.dt_feeder), use.shape[1]), dtype=np.float32)
    np.add.at(below, group.tagged, use)
    loss = anomalies(group.dt_wh, group.slots) - below
    square = anomalies(group.dt_wh**2, group.slots)
    known = ~np.isnan(loss)
    one, two = np.where(known, loss, 0), np.where(known, square, 0)
    slope = (one * two).sum(axis=1) / np.maximum((two * two).sum(axis=1), 1e-9)
    # At its peak no LT network loses more to load than this: a large consumer who is missing in the balance would pass for loss.
    peak = np.nanmax(np.abs(np.where(np.isnan(group.dt_wh), 0, group.dt_wh)), axis=1, initial=0)
    slope = np.clip(slope, 0, LOAD_LOSS_AT_PEAK / np.maximum(peak, 1))
    rest = np.where(known, loss - slope[:, None] * np.nan_to_num(square), 0)
    rest[~known.any(axis=1)] = np.nan
    return rest.astype(np.float32), use


def _voltage(
    tagged: NDArray[np.float64], other: NDArray[np.float64], pairs: NDArray[np.float64], settings: Settings
) -> NDArray[np.float64]:
    a, b = np.clip(tagged, 0, 0.999), np.clip(other, 0, 0.999)
    ratio = pairs / settings.independent / 2 * (np.log(1 - a**2) - np.log(1 - b**2))
    return np.clip(np.nan_to_num(ratio), -20, 20)


def _energy(residual: Floats, use: Floats, tagged: Ints, other: Ints, settings: Settings) -> NDArray[np.float64]:
    """Whether both balances close better when the consumer moves."""
    a, b = residual[tagged], residual[other]
    with np.errstate(divide="ignore", invalid="ignore"):
        stays = np.log((a**2).sum(axis=1)) + np.log((b**2).sum(axis=1))
        moves = np.log(((a + use) ** 2).sum(axis=1)) + np.log(((b - use) ** 2).sum(axis=1))
        ratio = use.shape[1] / settings.independent / 2 * (stays - moves)
    # Uses resemble each other: who is missing in a balance may be another, so this weighs half of what a voltage does.
    return np.clip(np.nan_to_num(ratio, posinf=0, neginf=0), -10, 10)


def _distance(tagged: NDArray[np.float64], other: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    return np.clip(np.nan_to_num((tagged**2 - other**2) / (2 * settings.spread_m**2)), -3, 3)


def _candidates(group: Group, settings: Settings, r: NDArray[np.float64], distance: NDArray[np.float64]) -> Ints:
    """Indices of DTs to look at for each consumer (n, k), without its tag; -1 where there is none."""
    n, m = r.shape
    every = np.arange(n)
    by_voltage, by_place = np.where(np.isnan(r), -2, r), np.where(np.isnan(distance), np.inf, distance)
    by_voltage[every, group.tagged], by_place[every, group.tagged] = -3, np.inf
    voltage = np.argsort(-by_voltage, axis=1)[:, : min(settings.candidates, m - 1)]
    place = np.argsort(by_place, axis=1)[:, : min(settings.nearest, m - 1)]
    voltage = np.where(np.take_along_axis(by_voltage, voltage, axis=1) > -2, voltage, -1)
    place = np.where(np.isfinite(np.take_along_axis(by_place, place, axis=1)), place, -1)
    return np.concatenate([voltage, place], axis=1)
