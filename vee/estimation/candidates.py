"""Values by methods that need more than the meter's own days around: check meter, temperature, last year, class profile, neighbours.

Each is asked for only where the DISCOM's order of methods reaches it, and gives float32 (n, d, s) with NaN where it has nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import psycopg

from vee.estimation import repository
from vee.estimation.settings import EstimationSettings
from warehouse.codes import Method

YEAR = timedelta(364)
"""The same weekday a year ago."""

LEVEL_DAYS = 28
"""Levels of use are compared over so many days."""

KNOWN_SHARE = 0.25
"""From so much of a day on, what is known of it tells its level."""


@dataclass(frozen=True)
class Gap:
    """Meter-days of one channel for which values are wanted, p of them, in a grid of n meters, d days and s slots."""

    conn: psycopg.Connection
    discom_id: int
    settings: EstimationSettings
    channel: str
    interval_min: int
    values: np.ndarray
    """float (n, d, s): good values, NaN elsewhere."""
    usable: np.ndarray
    """bool (n, d): the day may serve as reference."""
    row: np.ndarray
    """(p,): places in the grid."""
    day: np.ndarray
    meters: np.ndarray
    """(p,): meter_id."""
    days: Sequence[date]
    """(p,)."""
    day_type: Callable[[date], int]

    @property
    def slots(self) -> int:
        return int(self.values.shape[2])

    def grid(self, of_pair: np.ndarray) -> np.ndarray:
        """(p, s) in its places."""
        out = np.full(self.values.shape, np.nan, np.float32)
        out[self.row, self.day] = of_pair
        return out

    def good(self, meters: np.ndarray, days: Sequence[date]) -> tuple[np.ndarray, np.ndarray]:
        """Positions of pairs of meter and day that no rule doubts, rising, and their values float (·, s), NaN where there is none."""
        found = repository.good_days(self.conn, self.discom_id, meters, days, self.slots, self.interval_min, [self.channel])
        values = found[self.channel]["value"].astype(float)
        return found["nr"].astype(int), np.where(values >= 0, values, np.nan)

    def level(self) -> np.ndarray:
        """(p,): mean energy of the whole good days of the meter in the grid, NaN where there are none."""
        total = self.values.sum(axis=2)
        whole = np.where(self.usable & ~np.isnan(total), total, np.nan)
        known = ~np.isnan(whole)
        count = known.sum(axis=1)
        mean = np.divide(np.where(known, whole, 0).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)
        return mean[self.row]


def check_meter(gap: Gap) -> np.ndarray:
    """EM2: what the check meter counted, x the ratio of both."""
    found = repository.check_meters(gap.conn, gap.discom_id, gap.meters, gap.days)
    out = np.full((len(gap.meters), gap.slots), np.nan)
    if len(found):
        nr = found["nr"].astype(int)
        of, values = gap.good(found["check_meter_id"].astype(np.int64), [gap.days[n] for n in nr])
        out[nr[of]] = values * found["ratio"][of][:, None]
    return gap.grid(out)


def temperature(gap: Gap) -> np.ndarray:
    """EM5: the mean of the same slot over the days of the same type whose mean temperature is nearest to the day's."""
    first, last = min(gap.days) - timedelta(gap.settings.temperature_window_days), max(gap.days)
    readings = repository.temperatures(gap.conn, gap.discom_id, np.unique(gap.meters), first, last)
    celsius: dict[int, dict[date, float]] = {}
    for meter, ordinal, c in zip(
        readings["meter_id"].tolist(), repository.ordinals(readings["day"]).tolist(), readings["celsius"].tolist(), strict=True
    ):
        celsius.setdefault(meter, {})[date.fromordinal(ordinal)] = c
    wanted = gap.settings.temperature_days
    pairs: list[tuple[int, int, date]] = []
    for nr, (meter, day) in enumerate(zip(gap.meters.tolist(), gap.days, strict=True)):
        known = celsius.get(meter, {})
        if day not in known:
            continue
        back = [
            d for d in known if day - timedelta(gap.settings.temperature_window_days) <= d < day and gap.day_type(d) == gap.day_type(day)
        ]
        # Twice as many as are wanted, since some of them are no good.
        nearest = sorted(back, key=lambda d: (abs(known[d] - known[day]), day - d))[: 2 * wanted]
        pairs += [(nr, meter, d) for d in nearest]
    return gap.grid(_mean_of_first(gap, pairs, wanted))


def last_year(gap: Gap) -> np.ndarray:
    """EM6: the same weekday a year ago, x the daily use now over that of then."""
    of, values = gap.good(gap.meters, [d - YEAR for d in gap.days])
    out = np.full((len(gap.meters), gap.slots), np.nan)
    if len(of):
        then = np.full(len(gap.meters), np.nan)
        use = repository.daily_use(gap.conn, gap.discom_id, gap.meters[of], [gap.days[n] - YEAR for n in of], LEVEL_DAYS)
        then[of[use["nr"]]] = use["wh"]
        out[of] = values * _ratio(gap.level(), then)[of][:, None]
    return gap.grid(out)


def neighbour(gap: Gap) -> np.ndarray:
    """EM8: the mean of consumers of the same DT and category in the same slots, x the ratio of levels: by what is known of the day, or
    else by sanctioned loads."""
    found = repository.neighbours(gap.conn, gap.discom_id, gap.meters, gap.days, gap.interval_min, 2 * gap.settings.neighbours)
    pairs = [(nr, meter, gap.days[nr]) for nr, meter in zip(found["nr"].tolist(), found["meter_id"].tolist(), strict=True)]
    ratios = found["load_ratio"].astype(float)
    plain = _mean_of_first(gap, pairs, gap.settings.neighbours)
    loaded = _mean_of_first(gap, pairs, gap.settings.neighbours, ratios)
    known = gap.values[gap.row, gap.day]
    both = ~np.isnan(known) & ~np.isnan(plain)
    mine, theirs = (np.where(both, v, 0).sum(axis=1) for v in (known, plain))
    tells = (both.mean(axis=1) >= KNOWN_SHARE) & (theirs > 0)
    level = np.divide(mine, theirs, out=np.ones(len(mine)), where=theirs > 0)
    return gap.grid(np.where(tells[:, None], plain * level[:, None], loaded))


def class_profile(gap: Gap) -> np.ndarray:
    """EM7: the share of the slot in a day of the category, x the level: the meter's own days, or else what its sanctioned load uses by the
    class."""
    profiles = repository.class_profiles(gap.conn, gap.discom_id, gap.interval_min)
    out = np.full((len(gap.meters), gap.slots), np.nan)
    if profiles:
        of = repository.classes(gap.conn, gap.discom_id, np.unique(gap.meters), max(gap.days))
        for nr, (meter, day, own) in enumerate(zip(gap.meters.tolist(), gap.days, gap.level().tolist(), strict=True)):
            category, load_kw = of.get(meter, ("", None))
            profile = profiles.get((category, gap.day_type(day)))
            if profile is None or len(profile.share) != gap.slots:
                continue
            by_class = profile.wh_per_kw * load_kw if profile.wh_per_kw and load_kw else np.nan
            out[nr] = profile.share * (by_class if np.isnan(own) else own)
    return gap.grid(out)


OF_METHOD: dict[Method, Callable[[Gap], np.ndarray]] = {
    Method.TEMPERATURE: temperature,
    Method.LAST_YEAR: last_year,
    Method.NEIGHBOUR: neighbour,
    Method.CLASS_PROFILE: class_profile,
}
"""Methods that are asked for import alone, once those before them had nothing."""


def _ratio(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """1 where one of the levels is not known."""
    good = ~np.isnan(now) & (then > 0)
    return np.divide(now, then, out=np.ones(len(now)), where=good)


def _mean_of_first(gap: Gap, pairs: Sequence[tuple[int, int, date]], wanted: int, weight: np.ndarray | None = None) -> np.ndarray:
    """(p, s): mean of the first `wanted` good days of the (position in the gap, meter, day), nearest first; NaN where there is none."""
    out = np.full((len(gap.meters), gap.slots), np.nan)
    if not pairs:
        return out
    of, values = gap.good(np.array([m for _, m, _ in pairs]), [d for _, _, d in pairs])
    if weight is not None:
        values = values * weight[of][:, None]
    if not len(of):
        return out
    nr = np.array([n for n, _, _ in pairs])[of]
    starts = np.flatnonzero(np.diff(nr, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(nr)], strict=True):
        chosen = values[start : min(end, start + wanted)]
        count = (~np.isnan(chosen)).sum(axis=0)
        out[nr[start]] = np.divide(np.nansum(chosen, axis=0), count, out=np.full(gap.slots, np.nan), where=count > 0)
    return out
