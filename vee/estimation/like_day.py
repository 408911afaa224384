"""EM4: the home's own days and moments, at the level of what is known around the gap. Explained in docs/vee-estimation.md.

Two views of the same history, blended by the length of the gap:
1. *like days*: the weighted mean of the same slot on days nearby (by day type, nearness in time, likeness around the gap, and likeness in
   energy where a register gives it), bridged to the known slots on both sides: their distance from the profile fades into the gap as fast
   as this home's own deviations fade. What the type of day adds to a slot is taken out of all days first and put back last, so that a
   Friday's level tells of a Saturday what it should;
2. *like moments*: stretches of the same length, within hours of the same time of day, whose surroundings (and energy, where a register
   gives it) come nearest.
Energies are averaged as log(x / mean + c), so that a kettle in one week does not make tea every week. A small c aims at the median (least
error), a large one at the mean.

Every gap is estimated from its own meter alone, so that the batch does not matter. All is linear in the meter's scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vee.estimation.series import Series, Settings

# Chosen on 100 homes, reported on others; the optimum is flat in all of them (docs/vee-estimation.md).
TO_MEDIAN, BALANCED = 0.2, 2.0  # c of log(x / mean + c)
RECENCY_DAYS = 20.0
OTHER_WEEKEND, OTHER_TYPE = 0.5, 0.35  # weight of a Sunday for a Saturday, of a weekend for a weekday
AROUND_MIN = 360  # likeness of a day is judged so far to both sides …
BRIDGE_MIN = 120  # … and the bridge is founded so far
SMOOTH_MIN = 60  # a slot's neighbours on the reference day count, down to nothing at this distance
SMOOTH_DAYS = 10  # so many days' noise is what the profile is taken to have
SLOW_30MIN = 0.8  # what of the slow part of a deviation is left after 30 minutes
SHORT_MIN = 60  # a gap of no more has little energy: "balanced" aims at the median
BASE_SHARE = 0.15  # the base load is exceeded in all but this share of the slots
ENERGY_FLOOR = 0.02  # weight of a day whose energy is nothing like the register's
MOMENTS = 20
MOMENT_MIN = 240  # how far a moment may lie from the time of day
MOMENT_GAP_MIN = 720  # longer gaps have no like moments
HALF_GAP_MIN = 240  # gap at which days and moments count the same …
MOMENTS_CHANCE = 0.5  # … if chance has at least so much of the variance; where the profile explains all, moments add nothing
BLOCK = 1 << 21  # elements of one intermediate array


@dataclass(frozen=True)
class LikeDays:
    """Estimates of the gaps, and the share that each day has in them."""

    values: np.ndarray  # float32 (n, d * s): Wh; NaN where there was not enough to go by
    plain: np.ndarray  # float32 (n, d * s): plain mean of the reference days
    weight: np.ndarray  # float32 (gaps, lags): share of the day that lies `lags` days before; sums to 1
    lags: np.ndarray  # int (lags,)


@dataclass(frozen=True)
class Gaps:
    """Runs of target slots, each of one meter; they may span days."""

    meter: np.ndarray  # int (g,)
    start: np.ndarray  # int (g,): slot from the series' first
    length: np.ndarray  # int (g,)

    def take(self, which: np.ndarray) -> Gaps:
        return Gaps(self.meter[which], self.start[which], self.length[which])

    def minutes(self, interval_min: int) -> np.ndarray:
        return self.length * interval_min


def find_gaps(open_slots: np.ndarray) -> Gaps:
    """Runs of true values in bool (n, slots), in the order of meter and slot."""
    edge = np.diff(open_slots.astype(np.int8), axis=1, prepend=0, append=0)
    meter, start = np.nonzero(edge == 1)
    return Gaps(meter, start, np.nonzero(edge == -1)[1] - start)


def like_days(series: Series, gaps: Gaps, energy: np.ndarray, settings: Settings) -> LikeDays:
    """Estimate `gaps`; `energy` float64 (g,) is the Wh that a gap must hold, NaN = not known."""
    n, d, s = series.values.shape
    lags = np.concatenate([np.arange(settings.like_days, 0, -1), -np.arange(1, settings.like_days_after + 1)])
    values, plain = (np.full((n, d * s), np.nan, np.float32) for _ in range(2))
    weight = np.zeros((gaps.meter.size, lags.size), np.float32)
    # Where a register gives the energy, only the shape is asked for: the median's. Else the settings say what to aim at.
    shape = ~np.isnan(energy)
    if settings.aim == "balanced":
        shape |= gaps.minutes(series.interval_min) <= SHORT_MIN
    aim = {"median": TO_MEDIAN, "balanced": BALANCED, "mean": None}[settings.aim]
    for c, which in ((TO_MEDIAN, np.flatnonzero(shape)), (aim, np.flatnonzero(~shape))):
        for part, width in _blocks(gaps, which, lags.size, s):
            mine, local = np.unique(gaps.meter[part], return_inverse=True)
            history = _History.of(series, mine, lags, c)
            bundle = Gaps(local, gaps.start[part], gaps.length[part])
            estimate, mean, weight[part] = _estimate(history, bundle, width, energy[part], settings)
            inside = np.arange(width) < bundle.length[:, None]
            at = (np.repeat(gaps.meter[part], bundle.length), (bundle.start[:, None] + np.arange(width))[inside])
            values[at], plain[at] = estimate[inside], mean[inside]
    return LikeDays(values, plain, weight, lags)


def _blocks(gaps: Gaps, which: np.ndarray, lags: int, slots: int) -> Iterator[tuple[np.ndarray, int]]:
    """Gaps of about one length, few enough for the memory, and the width that holds them.

    The width does not depend on which gaps there are: sums of padded rows would differ in their last bit.
    """
    size = np.ceil(np.log2(gaps.length[which])).astype(int)
    for z in np.unique(size):
        part = which[size == z]
        step = max(1, BLOCK // ((2**z + slots) * lags))
        for i in range(0, part.size, step):
            yield part[i : i + step], 2**z


@dataclass(frozen=True)
class _History:
    """What is known of some meters, with a last column of NaN for slots outside of the series."""

    c: float | None
    mean: np.ndarray  # float64 (m,): mean of the known slots, never 0
    base: np.ndarray  # float64 (m,): base load
    typical: np.ndarray  # float32 (m, t + 1): transformed, what the day's type adds to the slot
    known: np.ndarray  # float32 (m, t + 1): transformed less `typical`, what may bound a gap
    reference: np.ndarray  # float32 (m, t + 1): the same of usable days
    smooth: np.ndarray  # float32 (m, t + 1): the same with its neighbours in time
    rest: np.ndarray  # float32 (m, t): reference less the meter's mean day, 0 where there is none
    power: np.ndarray  # float32 (m,): mean square of it
    spread: np.ndarray  # float64 (m,): the same, each slot by its energy
    chance: np.ndarray  # float32 (m,): share of the variance that neither the time of day nor the day's type explains
    raw: np.ndarray  # float32 (m, t + 1): reference in Wh
    total: np.ndarray  # float64 (m, t + 1): energy of the reference slots before a slot
    lacking: np.ndarray  # int32 (m, t + 1): how many slots before a slot are no reference
    type_weight: np.ndarray  # float32 (m, d, lags)
    lags: np.ndarray
    slots: int
    interval_min: int

    @classmethod
    def of(cls, series: Series, meters: np.ndarray, lags: np.ndarray, c: float | None) -> _History:
        _, d, s = series.values.shape
        values = series.values[meters]
        good = ~np.isnan(values) & (series.outage[meters] == 0) & ~series.target[meters]
        known = np.where(good, values, np.nan).reshape(meters.size, -1)
        raw = np.where(good & series.usable[meters, :, None], values, np.nan).reshape(meters.size, -1)
        count = good.sum((1, 2))
        mean = np.where(good, values, 0).sum((1, 2), dtype=np.float64) / np.maximum(count, 1)
        mean = np.where(mean > 0, mean, 1.0)
        ordered = np.sort(known, axis=1)
        at = np.minimum((count * BASE_SHARE).astype(int), ordered.shape[1] - 1)
        base = np.nan_to_num(ordered[np.arange(meters.size), at])
        lack = np.isnan(raw)
        transformed = _forward(known, mean[:, None], c)
        kind = series.day_type[meters]
        typical = _of_type(np.where(lack, np.nan, transformed), kind, series.interval_min)
        reference = np.where(lack, np.nan, transformed - typical)
        rest, power, blur = _deviations(reference, s)
        day = np.arange(d)[:, None] - lags
        there = (day >= 0) & (day < d)
        a, b = kind[:, :, None], kind[:, np.clip(day, 0, d - 1)]
        alike = np.where(a == b, 1.0, np.where((a > 0) & (b > 0), OTHER_WEEKEND, OTHER_TYPE))
        filled = np.nan_to_num(raw)
        return cls(
            c=c,
            mean=mean,
            base=base,
            typical=_ended(typical),
            known=_ended(transformed - typical),
            reference=_ended(reference),
            smooth=_ended(_smoothed(reference, blur, series.interval_min)),
            rest=rest,
            power=power,
            spread=(rest**2 * filled).sum(1) / np.maximum(filled.sum(1), 1e-9),
            chance=power / np.maximum(_variance(np.where(lack, np.nan, transformed)), np.maximum(power, 1e-12)),
            raw=_ended(raw),
            total=np.cumsum(np.pad(filled, ((0, 0), (1, 0))), axis=1, dtype=np.float64),
            lacking=np.cumsum(np.pad(lack, ((0, 0), (1, 0))), axis=1, dtype=np.int32),
            type_weight=np.where(there, alike, 0).astype(np.float32),
            lags=lags,
            slots=s,
            interval_min=series.interval_min,
        )

    def slots_of(self, minutes: int) -> int:
        return max(1, minutes // self.interval_min)

    def at(self, slot: np.ndarray) -> np.ndarray:
        """Column of a slot; that of NaN for one outside of the series."""
        end = self.raw.shape[1] - 1
        return np.where((slot >= 0) & (slot < end), slot, end)


def _forward(x: np.ndarray, mean: np.ndarray, c: float | None) -> np.ndarray:
    scaled = (x / mean).astype(np.float32)
    return scaled if c is None else np.log(np.maximum(scaled, 0) + np.float32(c))


def _back(y: np.ndarray, mean: np.ndarray, c: float | None) -> np.ndarray:
    return np.maximum((y if c is None else np.exp(np.minimum(y, 30)) - c) * mean, 0)


def _ended(x: np.ndarray) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, 1)), constant_values=np.nan)


def _of_type(y: np.ndarray, kind: np.ndarray, interval_min: int) -> np.ndarray:
    """What the type `kind` (m, d) of its day adds to a slot of y (m, t): the mean of the type's days less that of all, partially pooled.

    One-way analysis of variance over the meter's own days, all slots together: of the mean of k days it keeps
    k · between / (k · between + within), which is all where days of a type are alike, and nothing where types do not differ.
    """
    days = y.reshape(*kind.shape, -1)
    there = ~np.isnan(days)
    types = np.unique(kind)
    member = (kind[:, None] == types[:, None]).astype(np.float32)  # (m, types, d)
    count = member @ there.astype(np.float32)  # (m, types, s)
    every = count.sum(1)
    middle = np.where(there, days, 0).sum(1) / np.maximum(every, 1)
    rest = np.where(there, days - middle[:, None], 0)
    adds = member @ rest / np.maximum(count, 1)
    explained = (count * adds**2).sum((1, 2))
    groups = (count > 0).sum((1, 2))
    free = every.sum(1) - groups
    within = np.maximum((rest**2).sum((1, 2)) - explained, 0) / np.maximum(free, 1)
    size = (every - (count**2).sum(1) / np.maximum(every, 1)).sum(1)
    by_chance = (groups - (every > 0).sum(1)) * within
    between = np.where(free > 0, np.maximum(explained - by_chance, 0), 0) / np.maximum(size, 1)
    kept = count * between[:, None, None]
    adds *= kept / np.maximum(kept + within[:, None, None], 1e-12)
    blur = np.repeat(_blur(middle, within, there.any(2).sum(1)), types.size)
    adds = _smoothed(adds.reshape(-1, adds.shape[2]), blur, interval_min).reshape(adds.shape)
    return np.take_along_axis(adds, np.searchsorted(types, kind)[:, :, None], 1).reshape(y.shape).astype(np.float32)


def _variance(y: np.ndarray) -> np.ndarray:
    """Variance (m,) of what is there in y (m, t); 0 where there is nothing."""
    there = ~np.isnan(y)
    count = np.maximum(there.sum(1), 1)
    rest = np.where(there, y - (np.where(there, y, 0).sum(1) / count)[:, None], 0)
    return (rest**2).sum(1) / count


def _deviations(reference: np.ndarray, slots: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deviations (m, t) from the meter's mean day, their mean square (m,), and how much (m,) a slot's neighbours are worth."""
    days = reference.reshape(len(reference), -1, slots)
    there = ~np.isnan(days)
    filled = np.where(there, days, 0)
    middle = filled.sum(1) / np.maximum(there.sum(1), 1)
    rest = np.where(there, filled - middle[:, None], 0).reshape(reference.shape)
    power = (rest**2).sum(1) / np.maximum(there.sum((1, 2)), 1)
    return rest, power, _blur(middle, power, there.any(2).sum(1))


def _blur(middle: np.ndarray, power: np.ndarray, days: np.ndarray) -> np.ndarray:
    """How much (m,) a slot's neighbours are worth, of a mean day (m, s) of so many `days` (m,) with deviations of mean square `power` (m,).

    Neighbours calm the noise of a profile of few days, and blur its steps: a pump on a roster is all steps and no noise.
    """
    noise = power / SMOOTH_DAYS
    steps = (np.diff(middle, axis=1) ** 2).sum(1) / max(middle.shape[1] - 1, 1)
    return noise / np.maximum(noise + np.maximum(steps - 2 * power / np.maximum(days, 1), 0), 1e-12)


def _smoothed(x: np.ndarray, blur: np.ndarray, interval_min: int) -> np.ndarray:
    """Triangular mean over the slots within SMOOTH_MIN, of what is there, neighbours counting `blur` (m,); NaN stays NaN."""
    there = ~np.isnan(x)
    x0, total, weight = np.where(there, x, 0), np.where(there, x, 0), there.astype(np.float32)
    for k in range(1, -(-SMOOTH_MIN // interval_min)):
        w = (blur * (1 - k * interval_min / SMOOTH_MIN)).astype(np.float32)[:, None]
        total[:, k:] += w * x0[:, :-k]
        total[:, :-k] += w * x0[:, k:]
        weight[:, k:] += w * there[:, :-k]
        weight[:, :-k] += w * there[:, k:]
    return np.where(there, total / np.maximum(weight, 1e-9), np.nan)


def _estimate(h: _History, gaps: Gaps, width: int, energy: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wh of the gaps' slots (g, width), their plain mean, and the days' shares (g, lags)."""
    values, plain, weight = _days(h, gaps, width, energy, settings)
    minutes = gaps.minutes(h.interval_min)
    short = np.flatnonzero(minutes <= MOMENT_GAP_MIN)
    if short.size:
        moments, share = _moments(h, gaps.take(short), width, energy[short])
        there = ~np.isnan(moments[:, :1]) & ~np.isnan(values[short])
        part = (np.minimum(h.chance[gaps.meter[short]] / MOMENTS_CHANCE, 1) * HALF_GAP_MIN / (HALF_GAP_MIN + minutes[short]))[:, None]
        values[short] = np.where(there, part * moments + (1 - part) * values[short], values[short])
        weight[short] = np.where(there[:, :1], part * share + (1 - part) * weight[short], weight[short])
    return values, plain, weight


def _days(h: _History, gaps: Gaps, width: int, energy: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Like days, bridged to the known slots on both sides."""
    around, s = h.slots_of(AROUND_MIN), h.slots
    m, end = gaps.meter[:, None], gaps.start + gaps.length
    step = np.arange(around)
    # Both sides count from the gap outwards.
    sides = np.concatenate([gaps.start[:, None] - 1 - step, end[:, None] + step], axis=1)
    slot = np.concatenate([gaps.start[:, None] + np.arange(width), sides], axis=1)
    at = h.at(slot[:, :, None] - h.lags * s)
    smooth = h.smooth[m[:, :, None], at]
    there = ~np.isnan(smooth)

    near = np.exp(-np.abs(h.lags) / RECENCY_DAYS) * _likeness(h, gaps, sides, at[:, width:]) * _energy_likeness(h, gaps, energy)
    day = np.clip(slot // s, 0, h.type_weight.shape[1] - 1)
    weight = h.type_weight[m, day] * near[:, None, :].astype(np.float32) * there
    mass = weight.sum(2)
    profile = np.einsum("gpk,gpk->gp", weight, np.where(there, smooth, 0)) / np.maximum(mass, 1e-12)
    enough = there[:, :width].sum(2) >= settings.min_like_days

    known = h.known[m, h.at(sides)]
    rest = np.where(mass[:, width:] > 0, known - profile[:, width:], np.nan)
    typical = h.typical[m, h.at(slot[:, :width])]
    values = _back(profile[:, :width] + typical + _bridge(h, gaps, rest, width), h.mean[m], h.c)
    values = np.where(enough, values, np.nan)

    raw = h.raw[m[:, :, None], at[:, :width]]
    plain = np.nansum(raw, 2) / np.maximum((~np.isnan(raw)).sum(2), 1)
    inside = np.arange(width) < gaps.length[:, None]
    share = (weight[:, :width] / np.maximum(mass[:, :width, None], 1e-12) * inside[:, :, None]).sum(1) / gaps.length[:, None]
    total = share.sum(1, keepdims=True)
    values = _above_base(values, inside, h.base[gaps.meter], h.spread[gaps.meter], energy)
    return values, plain, share / np.where(total > 0, total, 1)


def _likeness(h: _History, gaps: Gaps, sides: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weight of a day (g, lags) by how near it comes to the known slots around the gap; the median day has exp(-1)."""
    m = gaps.meter[:, None]
    far = np.abs(h.reference[m[:, :, None], at] - h.known[m, h.at(sides)][:, :, None])
    fade = np.tile(np.exp(-2 * np.arange(1, sides.shape[1] // 2 + 1) / (sides.shape[1] // 2)), 2).astype(np.float32)[:, None]
    there = ~np.isnan(far)
    mass = (there * fade).sum(1)
    distance = np.where(mass > 0, np.where(there, far * fade, 0).sum(1) / np.maximum(mass, 1e-9), np.inf)
    return _relative(distance)


def _relative(distance: np.ndarray) -> np.ndarray:
    """exp(-(distance / median)²) of rows; a distance that is not known counts as the median."""
    ordered = np.sort(distance, axis=1)
    count = np.isfinite(distance).sum(1)
    middle = ordered[np.arange(len(ordered)), np.maximum(count - 1, 0) // 2]
    scale = np.where((count > 0) & (middle > 0), middle, 1)[:, None]
    return np.exp(-(np.where(np.isfinite(distance), distance / scale, 1) ** 2))


def _energy_likeness(h: _History, gaps: Gaps, energy: np.ndarray) -> np.ndarray:
    """Weight of a day (g, lags) by its energy in the gap's slots, where a register says what that is."""
    first = gaps.start[:, None] - h.lags * h.slots
    last = first + gaps.length[:, None]
    end, m = h.total.shape[1] - 1, gaps.meter[:, None]
    a, b = np.clip(first, 0, end), np.clip(last, 0, end)
    whole = (first >= 0) & (last <= end) & (h.lacking[m, b] == h.lacking[m, a])
    root = np.sqrt(np.maximum(h.total[m, b] - h.total[m, a], 0))
    count = np.maximum(whole.sum(1, keepdims=True), 1)
    middle = np.where(whole, root, 0).sum(1, keepdims=True) / count
    spread = np.sqrt(np.where(whole, (root - middle) ** 2, 0).sum(1, keepdims=True) / count)
    gap = (root - np.sqrt(np.maximum(energy, 0))[:, None]) / np.where(spread > 0, spread, 1)
    weight = np.where(whole, np.exp(-(gap**2) / 2), 0) + ENERGY_FLOOR
    return np.where(np.isnan(energy)[:, None], 1.0, weight)


def _bridge(h: _History, gaps: Gaps, rest: np.ndarray, width: int) -> np.ndarray:
    """What to add to the profile (g, width): best linear guess from the known slots' distance to it (kriging).

    The distance has a fast, a slow and a lasting part, whose shares are those of the home's own deviations from its mean day.
    """
    side = rest.shape[1] // 2
    depth = min(h.slots_of(BRIDGE_MIN), side)
    rest = np.concatenate([rest[:, :depth], rest[:, side : side + depth]], axis=1)
    fast, slow, lasting, fast_left, slow_left = (x[gaps.meter, None] for x in _persistence(h))
    step = np.arange(depth)
    place = np.concatenate([np.broadcast_to(-1 - step, (gaps.meter.size, depth)), gaps.length[:, None] + step], axis=1)
    apart = np.abs(place[:, :, None] - place[:, None, :])

    def part(share: np.ndarray, left: np.ndarray, distance: np.ndarray) -> np.ndarray:
        return share * left**distance

    there = ~np.isnan(rest)
    cover = part(fast[..., None], fast_left[..., None], apart) + part(slow[..., None], slow_left[..., None], apart) + lasting[..., None]
    cover = cover + np.where(there, 0.02, 1e6)[:, :, None] * np.eye(2 * depth)
    pull = np.linalg.solve(cover, np.where(there, rest, 0)[:, :, None].astype(np.float64))[:, :, 0] * there
    left, right = pull[:, :depth], pull[:, depth:]
    into = np.arange(width)
    out = np.maximum(gaps.length[:, None] - 1 - into, 0)
    add = lasting * pull.sum(1, keepdims=True)
    for share, fade in ((fast, fast_left), (slow, slow_left)):
        reach = fade ** (step + 1)
        add = add + share * (fade**into * (left * reach).sum(1, keepdims=True) + fade**out * (right * reach).sum(1, keepdims=True))
    return add


def _persistence(h: _History) -> tuple[np.ndarray, ...]:
    """Shares (m,) of the fast, slow and lasting part of a meter's deviations, and what is left of the first two after a slot.

    Fitted to autocorrelations at one slot, 2-4 h and 8-12 h; a short history is drawn to what is usual (0.45, 0.1, 0.05 at 30 min).
    """
    m, rest, power = len(h.mean), h.rest, np.maximum(h.power, 1e-12)
    pairs = ~np.isnan(h.reference[:, :-1])
    own = pairs.sum(1)
    own = own / (own + 2 * h.slots)

    def correlation(minutes: int, usual: float) -> np.ndarray:
        k = h.slots_of(minutes)
        if k >= rest.shape[1]:
            return np.full(m, usual)
        count = (pairs[:, k:] & pairs[:, :-k]).sum(1)
        return own * np.einsum("mt,mt->m", rest[:, k:], rest[:, :-k]) / np.maximum(count, 1) / power + (1 - own) * usual

    slow_left = SLOW_30MIN ** (h.interval_min / 30)
    lasting = np.clip(0.025 + (correlation(480, 0.05) + correlation(720, 0.05)) / 4, 0, 0.3)
    hours = (120, 180, 240)
    usual = [SLOW_30MIN ** (x / 30) for x in hours]
    slow = np.clip(
        (sum(correlation(x, 0.2 * u + 0.05) for x, u in zip(hours, usual, strict=True)) / 3 - lasting) / (sum(usual) / 3), 0, 0.6
    )
    fast = np.maximum(1 - slow - lasting, 0.1)
    next_slot = correlation(h.interval_min, 0.45)
    fast_left = np.clip((next_slot - lasting - slow * slow_left) / fast, 0.02, 0.9)
    return fast, slow, lasting, fast_left, np.full(m, slow_left)


def _above_base(values: np.ndarray, inside: np.ndarray, base: np.ndarray, spread: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """To the register's energy, where there is one: the base load stays, what lies above it is scaled.

    It stays as far as the meter's own deviations, of mean square `spread` (g,), explain so much more or less energy; a meter whose days
    are all alike shares it in proportion.
    """
    fit = ~np.isnan(energy) & ~(np.isnan(values) & inside).any(1)
    count = inside.sum(1)
    more = np.log(np.maximum(energy, 1e-9) / np.maximum(np.where(inside, values, 0).sum(1), 1e-9)) ** 2
    stays = spread / np.maximum(spread + more, 1e-12)
    low = (stays * np.minimum(base, np.maximum(energy, 0) / count))[:, None]
    above = np.where(inside, np.maximum(values - low, 0), 0)
    total = above.sum(1, keepdims=True)
    left = np.maximum(energy, 0)[:, None] - low * count[:, None]
    scaled = low + np.where(total > 0, above * left / np.where(total > 0, total, 1), left / count[:, None])
    return np.where(fit[:, None], scaled, values)


def _moments(h: _History, gaps: Gaps, width: int, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Like moments: Wh (g, width), NaN where there are too few, and the days' shares (g, lags)."""
    m, s = gaps.meter[:, None], h.slots
    reach = h.slots_of(MOMENT_MIN)
    shift = np.arange(-reach, reach + 1)
    lag = np.repeat(np.arange(h.lags.size), shift.size)
    first = gaps.start[:, None] + np.tile(shift, h.lags.size) - h.lags[lag] * s
    last = first + gaps.length[:, None]
    end = h.total.shape[1] - 1
    a, b = np.clip(first, 0, end), np.clip(last, 0, end)
    whole = (first >= 0) & (last <= end) & (h.lacking[m, b] == h.lacking[m, a])
    distance = (
        np.tile((shift * h.interval_min / 360) ** 2 * 1.5, h.lags.size) + 0.2 * (1 - h.type_weight[gaps.meter, gaps.start // s])[:, lag]
    )
    for out, w in ((0, 1.0), (1, 0.25)):
        for here, other in ((gaps.start - 1 - out, first - 1 - out), (gaps.start + gaps.length + out, last + out)):
            mine = h.known[gaps.meter, h.at(here)][:, None]
            far = (h.reference[m, h.at(other)] - mine) ** 2
            distance = distance + w * np.where(np.isnan(mine), 0, np.where(np.isnan(far), 1, far))
    total = h.total[m, b] - h.total[m, a]
    given = ~np.isnan(energy)[:, None]
    size, mean = gaps.length[:, None], h.mean[gaps.meter, None]
    asked = _forward(np.where(given, energy[:, None], 0) / size, mean, h.c)
    distance = np.where(whole, distance + np.where(given, 2 * (_forward(total / size, mean, h.c) - asked) ** 2, 0), np.inf)

    k = min(MOMENTS, distance.shape[1])
    near = np.argpartition(distance, k - 1, axis=1)[:, :k]
    near = np.take_along_axis(near, np.argsort(np.take_along_axis(distance, near, 1), axis=1, kind="stable"), 1)
    far = np.take_along_axis(distance, near, 1)
    enough = np.isfinite(far[:, -1])
    scale = np.where(enough, far[:, k // 2], 1)[:, None]
    weight = np.where(enough[:, None], np.exp(-np.where(enough[:, None], far, 0) / np.maximum(scale, 1e-6)), 0)
    weight /= np.maximum(weight.sum(1, keepdims=True), 1e-12)

    into = np.minimum(np.arange(width), gaps.length[:, None] - 1)
    inside = np.arange(width) < gaps.length[:, None]
    other = h.reference[m[:, :, None], h.at(np.take_along_axis(first, near, 1)[:, None, :] + into[:, :, None])]
    raw = np.nan_to_num(_back(other + h.typical[m, gaps.start[:, None] + into][:, :, None], mean[:, :, None], h.c))
    of = np.maximum((raw * inside[:, :, None]).sum(1, keepdims=True), 1e-3 * mean[:, :, None])
    raw = np.where(given[:, :, None], raw / of * np.where(given, energy[:, None], 0)[:, :, None], raw)
    if h.c is None or h.c == BALANCED:
        mean = mean[:, :, None]
        values = _back(np.einsum("gk,gpk->gp", weight, _forward(raw, mean, h.c)), mean[:, :, 0], h.c)
    else:
        values = _weighted_median(raw, weight)
    sum_ = np.where(inside, values, 0).sum(1, keepdims=True)
    values = np.where(given, np.where(sum_ > 0, values * (energy[:, None] / np.where(sum_ > 0, sum_, 1)), energy[:, None] / size), values)
    share = np.zeros((len(m), h.lags.size))
    np.add.at(share, (np.arange(len(m))[:, None], lag[near]), weight)
    return np.where(enough[:, None], values, np.nan), share


def _weighted_median(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Median (g, p) of x (g, p, k) with weights (g, k) that sum to 1, between the two values where the half falls."""
    order = np.argsort(x, axis=2, kind="stable")
    x = np.take_along_axis(x, order, 2)
    w = np.take_along_axis(np.broadcast_to(weight[:, None, :], x.shape), order, 2)
    middle = np.cumsum(w, axis=2) - w / 2
    hi = np.where((middle >= 0.5).any(2), np.argmax(middle >= 0.5, axis=2), x.shape[2] - 1)[:, :, None]
    lo = np.maximum(hi - 1, 0)

    def take(y: np.ndarray, at: np.ndarray) -> np.ndarray:
        return np.take_along_axis(y, at, 2)[:, :, 0]

    width = take(middle, hi) - take(middle, lo)
    part = np.where(width > 0, np.clip((0.5 - take(middle, lo)) / np.where(width > 0, width, 1), 0, 1), 1)
    return take(x, lo) + (take(x, hi) - take(x, lo)) * part
