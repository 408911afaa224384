"""How good estimates are on real data: known readings are blanked out, estimated, and compared. Pure: arrays in, figures out.

Two tracks: the energy of each gap withheld, and given as registers at its edges would. The baselines are what a textbook offers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from vee.estimation.core import fill
from vee.estimation.series import Series, Settings

BASELINES = ("linear", "last week", "like 4", "like 8", "flat")
DAYS_BEFORE, DAYS_AFTER = 28, 7
MARGIN = 0.95
"""The chain's mean WAPE may be so much of that of the best baselines."""


@dataclass(frozen=True)
class Homes:
    """Complete interval readings of homes over the same days."""

    first: date
    interval_min: int
    values: np.ndarray  # float32 (homes, days, slots): Wh

    def every(self, which: np.ndarray) -> Homes:
        """The homes with these indices."""
        return replace(self, values=self.values[which])


@dataclass(frozen=True)
class Track:
    """WAPE (sum |estimate - true| / sum true over the blanked slots) in %."""

    baselines: dict[str, float]
    chain: float
    daily_job: float  # the chain without the days that follow the gap

    @property
    def best(self) -> float:
        return min(self.baselines.values())

    @property
    def held(self) -> bool:
        """Better than every baseline; where one has no error, neither may the chain."""
        return self.chain < self.best or self.chain == self.best == 0


@dataclass(frozen=True)
class GapScore:
    """Both tracks at one length of gap."""

    slots: int
    gaps: int
    withheld: Track
    given: Track
    bias: float  # sum of the chain's estimates / sum true, energy withheld


def read_homes(path: Path) -> Homes:
    """Homes of a CSV `meter,start,kwh` (local clock time, interval start), or of readings.csv.gz in a folder.

    Raises FileNotFoundError, and ValueError where the homes do not have the same complete days.
    """
    file = path / "readings.csv.gz" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(
            f"{file}: no such file. Name a CSV with the columns meter,start,kwh by --homes (docs/real-data.md says which is meant)"
        )
    rows = pd.read_csv(file)
    if missing := {"meter", "start", "kwh"} - set(rows.columns):
        raise ValueError(f"{file}: no column {', '.join(sorted(missing))}; needed are meter,start,kwh")
    rows["start"] = pd.to_datetime(rows["start"])
    table = rows.pivot(index="start", columns="meter", values="kwh")
    steps = table.index.to_series().diff().dropna().unique()
    if table.isna().any().any() or len(steps) != 1:
        raise ValueError(f"{file}: not every home has every interval; leave out those with gaps, their truth is not known")
    minutes = int(pd.Timedelta(steps[0]).total_seconds()) // 60
    slots = 1440 // minutes
    if len(table) % slots or table.index[0].time() != pd.Timestamp(0).time():
        raise ValueError(f"{file}: the readings do not make whole days of {slots} intervals")
    values = np.rint(table.to_numpy().T * 1000).astype(np.float32)
    return Homes(table.index[0].date(), minutes, values.reshape(values.shape[0], -1, slots))


@dataclass(frozen=True)
class Blanked:
    """Gaps of one length, each a meter of its own with the days around it."""

    series: Series
    truth: np.ndarray  # float64 (gaps, slots): Wh
    at: np.ndarray  # int (gaps, slots): which of a meter's slots they are

    def known(self) -> np.ndarray:
        """The values (gaps, all slots), NaN in the gaps."""
        return self.series.values.reshape(self.at.shape[0], -1)

    def of(self, values: np.ndarray) -> np.ndarray:
        """What stands in the gaps."""
        return np.take_along_axis(values.reshape(self.at.shape[0], -1), self.at, 1)


def blank(homes: Homes, slots: int, per_home: int, seed: int) -> Blanked:
    """Seeded gaps with all the history that the estimate may use. Raises ValueError where the days are too few."""
    n, d, s = homes.values.shape
    rng = np.random.default_rng([seed, slots])
    earliest, latest = DAYS_BEFORE * s, (d - DAYS_AFTER) * s - slots
    if latest <= earliest:
        raise ValueError(
            f"{d} days are too few for a gap of {slots} slots: {DAYS_BEFORE} days before it and {DAYS_AFTER} after it are needed"
        )
    home = np.repeat(np.arange(n), per_home)
    start = rng.integers(earliest, latest, home.size)
    day = start // s - DAYS_BEFORE
    days = DAYS_BEFORE + (slots + s - 2) // s + 1 + DAYS_AFTER
    span = day[:, None] + np.arange(days)
    values = np.where((span < d)[:, :, None], homes.values[home[:, None], np.minimum(span, d - 1)], np.float32(np.nan))
    at = (start - day * s)[:, None] + np.arange(slots)
    flat = values.reshape(home.size, -1)
    truth = np.take_along_axis(flat, at, 1).astype(float)
    target, window = np.zeros(flat.shape, bool), np.full(flat.shape, -1, np.int32)
    np.put_along_axis(flat, at, np.float32(np.nan), 1)
    np.put_along_axis(target, at, True, 1)
    np.put_along_axis(window, at, np.broadcast_to(np.arange(home.size, dtype=np.int32)[:, None], at.shape), 1)
    weekday = (homes.first.weekday() + span) % 7
    none = np.full(home.size, np.nan)
    series = Series(
        values=values,
        target=target.reshape(values.shape),
        outage=np.zeros(values.shape, np.uint8),
        day_type=np.where(weekday >= 5, weekday + 1, 0).astype(np.int8),
        usable=np.ones(values.shape[:2], bool),
        interval_min=homes.interval_min,
        window=window.reshape(values.shape),
        window_wh=none,
        window_tolerance_wh=np.zeros(home.size),
        candidates={},
        limit_wh=none,
    )
    return Blanked(series, truth, at)


def baselines(gaps: Blanked) -> dict[str, np.ndarray]:
    """Wh (gaps, slots): linear between the edges, same slot last week, like-day mean of 4 and 8 days before, flat (mean of the home).

    What has no value (a like day inside of the gap) is flat.
    """
    values, at, s = gaps.known(), gaps.at, gaps.series.values.shape[2]
    slots = at.shape[1]
    row = np.arange(at.shape[0])
    left, right = values[row, at[:, 0] - 1][:, None], values[row, at[:, -1] + 1][:, None]
    kind = np.repeat(gaps.series.day_type, s, axis=1)
    total = {n: np.zeros(at.shape) for n in (4, 8)}
    count = {n: np.zeros(at.shape) for n in (4, 8)}
    for lag in range(1, DAYS_BEFORE + 1):
        before = at - lag * s
        there = before >= 0
        value = np.take_along_axis(values, np.maximum(before, 0), 1)
        like = there & ~np.isnan(value) & (np.take_along_axis(kind, np.maximum(before, 0), 1) == np.take_along_axis(kind, at, 1))
        for n in total:
            take = like & (count[n] < n)
            total[n] += np.where(take, value, 0)
            count[n] += take
    flat = np.broadcast_to(np.nanmean(values, axis=1, keepdims=True), at.shape)
    found = {
        "linear": left + (right - left) * np.arange(1, slots + 1) / (slots + 1),
        "last week": np.take_along_axis(values, at - 7 * s, 1),
        **{f"like {n}": np.where(count[n] > 0, total[n] / np.maximum(count[n], 1), np.nan) for n in total},
        "flat": flat,
    }
    return {name: np.where(np.isnan(x), flat, x) for name, x in found.items()}


def scaled(estimate: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Estimates (gaps, slots) scaled to the energy (gaps,) of their gap; even where there is nothing to scale."""
    total = estimate.sum(1, keepdims=True)
    return np.where(total > 0, estimate * (energy[:, None] / np.where(total > 0, total, 1)), energy[:, None] / estimate.shape[1])


def wape(estimate: np.ndarray, truth: np.ndarray) -> float:
    """sum |estimate - true| / sum true, in %."""
    return float(100 * np.abs(estimate - truth).sum() / truth.sum())


def score(homes: Homes, lengths: Sequence[int], per_home: int, seed: int, settings: Settings) -> Iterator[GapScore]:
    """The figures of each length of gap, as they come."""
    for slots in lengths:
        gaps = blank(homes, slots, per_home, seed)
        truth, energy = gaps.truth, gaps.truth.sum(1)
        later = np.arange(gaps.known().shape[1]) >= (gaps.at[:, -1:] // homes.values.shape[2] + 1) * homes.values.shape[2]
        past = np.where(later.reshape(gaps.series.values.shape), np.float32(np.nan), gaps.series.values)
        withheld, given = gaps.series, replace(gaps.series, window_wh=energy)
        base = baselines(gaps)
        chain, fitted = (gaps.of(fill(x, settings).values) for x in (withheld, given))
        job, fitted_job = (gaps.of(fill(replace(x, values=past), settings).values) for x in (withheld, given))
        yield GapScore(
            slots=slots,
            gaps=len(truth),
            withheld=Track({name: wape(x, truth) for name, x in base.items()}, wape(chain, truth), wape(job, truth)),
            given=Track(
                {name: _exact(wape(scaled(x, energy), truth)) for name, x in base.items()}, wape(fitted, truth), wape(fitted_job, truth)
            ),
            bias=float(chain.sum() / truth.sum()),
        )


def _exact(error: float) -> float:
    """What is left of rounding is no error."""
    return 0.0 if error < 1e-9 else error
