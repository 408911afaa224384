"""The estimation engine (domain 6.3): a `Series` in, `Filled` out. Pure arithmetic on arrays, all meters at once."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from vee.estimation.like_day import Gaps, LikeDays, find_gaps, like_days
from vee.estimation.scaling import NO_LIMIT, assess, scale
from vee.estimation.series import Filled, Fit, Runs, Series, Settings
from warehouse.codes import SCALED, Method

__all__ = ["Filled", "Fit", "Runs", "Series", "Settings", "fill"]

REFERENCES = 8
"""So many reference days are told of in the basis."""
CHUNK = 1 << 19
"""Slots that are worked on at once: what stays in the processor's cache is several times as fast."""


def fill(series: Series, settings: Settings | None = None) -> Filled:
    """Estimate every target slot by the first method of the settings' order that has a value, and scale to the registers.

    Each meter is estimated by itself: neither the order of the meters nor their number matters. A window belongs to one meter.
    """
    settings = settings or Settings()
    n, d, s = series.values.shape
    values, method = np.full((n, d, s), -1, np.int64), np.zeros((n, d, s), np.int16)
    fit = np.zeros(series.window_wh.size, np.int8)
    measured, energy = np.zeros(fit.size), np.full(fit.size, np.nan)
    runs = []
    step = max(1, CHUNK // (d * s))
    for i in range(0, max(n, 1), step):
        part = slice(i, i + step)
        present = np.zeros(fit.size + 1, bool)  # the last is -1
        present[series.window[part]] = True
        labels = np.flatnonzero(present[:-1])
        local = np.full(fit.size + 1, -1, np.int32)
        local[labels] = np.arange(labels.size)
        done = _fill(_part(series, part, labels, local[series.window[part]]), settings)
        values[part], method[part] = done.values, done.method
        fit[labels], measured[labels], energy[labels] = done.window_fit, done.window_known_wh, done.window_energy_wh
        label = np.append(labels, -1)[done.runs.window]
        runs.append(replace(done.runs, meter=done.runs.meter + np.int32(i), window=label.astype(np.int32)))
    joined = Runs(*(np.concatenate([getattr(r, f.name) for r in runs]) for f in fields(Runs)))
    return Filled(values, method, joined, fit, measured, energy)


def _part(series: Series, part: slice, labels: np.ndarray, window: np.ndarray) -> Series:
    """Some of the meters, with the windows that they have."""
    return Series(
        values=series.values[part],
        target=series.target[part],
        outage=series.outage[part],
        day_type=series.day_type[part],
        usable=series.usable[part],
        interval_min=series.interval_min,
        window=window,
        window_wh=series.window_wh[labels],
        window_tolerance_wh=series.window_tolerance_wh[labels],
        candidates={m: x[part] for m, x in series.candidates.items()},
        limit_wh=series.limit_wh[part],
    )


def _fill(series: Series, settings: Settings) -> Filled:
    n, d, s = series.values.shape
    target, out = series.target.reshape(n, d * s), series.outage.reshape(n, d * s)
    window = series.window.reshape(n, d * s)
    energy, measured = _window_energy(series)
    raw = np.full(target.shape, np.nan)
    method = np.zeros(target.shape, np.int16)
    limit = np.where(np.isnan(series.limit_wh), NO_LIMIT, np.floor(series.limit_wh)).astype(np.int64)
    days: tuple[Gaps, LikeDays] | None = None

    for m in settings.order:
        still = target & (method == Method.NONE)
        if not still.any():
            break
        if m is Method.OUTAGE:
            found = np.where(still & (out == 2), 0.0, np.nan)
        elif m is Method.LINEAR:
            found = _linear(series, find_gaps(still), settings)
        elif m is Method.LIKE_DAY:
            gaps = find_gaps(still)
            given = np.where(_assess(series, energy, still, still, limit) == Fit.SCALED, np.maximum(energy, 0), np.nan)
            days = gaps, like_days(series, gaps, _gap_energy(window, gaps, given), settings)
            found = days[1].values
        elif m is Method.FLAT:
            members = target & (method != Method.OUTAGE)
            found = _flat(raw, still, members, window, _assess(series, energy, members, members, limit))
        elif m in series.candidates:
            found = series.candidates[m].reshape(n, d * s)
        else:
            continue
        take = still & ~np.isnan(found)
        raw[take] = np.clip(found[take], 0, np.broadcast_to(limit[:, None], take.shape)[take])
        method[take] = m

    members = target & (method != Method.OUTAGE)
    fit = _assess(series, energy, members, members & (method != Method.NONE), limit)
    values = np.where(np.isnan(raw), -1, np.rint(np.nan_to_num(raw))).astype(np.int64)
    at = np.nonzero(members & (window >= 0) & (np.append(fit, Fit.NONE)[window] == Fit.SCALED))
    if at[0].size:
        values[at] = scale(raw[at], window[at], np.maximum(np.nan_to_num(energy), 0), limit[at[0]])
        method[at] += SCALED
    runs = _runs(values, method, target, window, s, days)
    return Filled(values.reshape(n, d, s), method.reshape(n, d, s), runs, fit, measured, energy)


def _totals(window: np.ndarray, which: np.ndarray, amount: np.ndarray, labels: int) -> np.ndarray:
    """Sums (labels,) of `amount` over the slots `which` that lie in a window; all three (n, slots)."""
    which = which & (window >= 0)
    return np.bincount(window[which], np.broadcast_to(amount, which.shape)[which], labels).astype(float)


def _window_energy(series: Series) -> tuple[np.ndarray, np.ndarray]:
    """What the missing slots of each window must hold (NaN = not known), and what was measured in it: whole Wh, float64 (labels,)."""
    n, d, s = series.values.shape
    values = series.values.reshape(n, d * s)
    good = ~np.isnan(values) & ~series.target.reshape(values.shape)
    measured = np.rint(_totals(series.window.reshape(values.shape), good, values, series.window_wh.size))
    return np.rint(series.window_wh) - measured, measured


def _assess(series: Series, energy: np.ndarray, members: np.ndarray, estimated: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Fit (labels,) of every window, of whose slots `members` are to hold the energy and `estimated` have a value."""
    window, labels = series.window.reshape(members.shape), energy.size
    unknown = np.isnan(series.values.reshape(members.shape)) & ~series.target.reshape(members.shape)
    lacking = _totals(window, unknown | (members & ~estimated), np.ones(1), labels)
    most = _totals(window, members, limit[:, None].astype(float), labels)
    complete = (lacking == 0) & (_totals(window, members, np.ones(1), labels) > 0)
    return assess(energy, series.window_tolerance_wh, most, complete)


def _gap_energy(window: np.ndarray, gaps: Gaps, energy: np.ndarray) -> np.ndarray:
    """Wh (g,) that a gap must hold: the sum of its windows', where each is known and all its own; else NaN."""
    gap = np.repeat(np.arange(gaps.meter.size), gaps.length)
    slot = np.arange(gap.size) - np.repeat(np.cumsum(gaps.length) - gaps.length, gaps.length)
    label = window[gaps.meter[gap], gaps.start[gap] + slot]
    inside = label >= 0
    first = np.full(energy.size, gaps.meter.size)
    last = np.full(energy.size, -1)
    np.minimum.at(first, label[inside], gap[inside])
    np.maximum.at(last, label[inside], gap[inside])
    own = np.where(first == last, energy, np.nan)
    held = np.unique(np.stack([gap[inside], label[inside]]), axis=1)
    total = np.bincount(held[0], own[held[1]], gaps.meter.size).astype(float)
    total[gap[~inside]] = np.nan
    return total


def _linear(series: Series, gaps: Gaps, settings: Settings) -> np.ndarray:
    """EM3: x_i = x_a + (x_b - x_a) · i / (n + 1) between good ends; an interval with an outage is none, and the settings say what then."""
    n, d, s = series.values.shape
    values, outage = series.values.reshape(n, d * s), series.outage.reshape(n, d * s)
    found = np.full((n, d * s), np.nan)
    gaps = gaps.take(np.flatnonzero(gaps.minutes(series.interval_min) <= settings.max_linear_minutes))

    def end(slot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        there = (slot >= 0) & (slot < d * s)
        at = gaps.meter, np.clip(slot, 0, d * s - 1)
        out = there & (outage[at] > 0)
        return np.where(there & ~out, values[at], np.nan).astype(float), out

    (left, left_out), (right, right_out) = end(gaps.start - 1), end(gaps.start + gaps.length)
    if settings.outage_one_side == "good_side":
        left, right = np.where(left_out & ~right_out, right, left), np.where(right_out & ~left_out, left, right)
    if settings.outage_both_sides == "zero":
        both = left_out & right_out
        left, right = np.where(both, 0, left), np.where(both, 0, right)
    gap = np.repeat(np.arange(gaps.meter.size), gaps.length)
    i = np.arange(gap.size) - np.repeat(np.cumsum(gaps.length) - gaps.length, gaps.length)
    found[gaps.meter[gap], gaps.start[gap] + i] = left[gap] + (right - left)[gap] * (i + 1) / (gaps.length[gap] + 1)
    return found


def _flat(raw: np.ndarray, still: np.ndarray, members: np.ndarray, window: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """EM10: an even share, where a window's energy can be spread: the mean of the other estimates, all the same where there is none."""
    there = members & ~np.isnan(raw)
    count = _totals(window, there, np.ones(1), fit.size)
    mean = np.where(count > 0, _totals(window, there, np.nan_to_num(raw), fit.size) / np.maximum(count, 1), 1.0)
    spread = np.append(np.where(fit == Fit.SCALED, np.maximum(mean, 1.0), np.nan), np.nan)
    return np.where(still, spread[window], np.nan)


def _runs(
    values: np.ndarray, method: np.ndarray, target: np.ndarray, window: np.ndarray, slots: int, days: tuple[Gaps, LikeDays] | None
) -> Runs:
    """The basis of what was done."""
    meter, slot = np.nonzero(target)
    how, label = method[meter, slot], window[meter, slot]
    new = np.ones(meter.size, bool)
    new[1:] = (np.diff(meter) != 0) | (np.diff(slot) != 1) | (slot[1:] % slots == 0) | (np.diff(how) != 0) | (np.diff(label) != 0)
    at = np.flatnonzero(new)
    run = np.cumsum(new) - 1
    meter, first, day = meter[at], slot[at], slot[at] // slots
    level = np.full(at.size, np.nan, np.float32)
    reference = np.full((at.size, REFERENCES), -1, np.int16)
    weight = np.zeros((at.size, REFERENCES), np.float32)
    if days is not None and at.size:
        gaps, like = days
        mine = np.flatnonzero(how[at] % SCALED == Method.LIKE_DAY)
        of = np.searchsorted(gaps.meter * target.shape[1] + gaps.start, meter[mine] * target.shape[1] + first[mine], side="right") - 1
        k = min(REFERENCES, like.lags.size)
        then = day[mine, None] - like.lags  # in a gap over several days, of the run's own day
        share = np.where((then >= 0) & (then < target.shape[1] // slots), like.weight[of], 0)
        best = np.sort(np.argpartition(-share, k - 1, axis=1)[:, :k], axis=1)
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(share, best, 1), axis=1, kind="stable"), 1)
        weight[mine, :k] = np.take_along_axis(share, best, 1)
        reference[mine, :k] = np.where(weight[mine, :k] > 0, np.take_along_axis(then, best, 1), -1)
        est, mean = (np.bincount(run, x[target], at.size)[mine] for x in (values, np.nan_to_num(like.plain)))
        level[mine] = np.where(mean > 0, est / np.where(mean > 0, mean, 1), np.nan)
    return Runs(
        meter=meter.astype(np.int32),
        day=day.astype(np.int32),
        first=(first % slots).astype(np.int32),
        slots=np.bincount(run, minlength=at.size).astype(np.int32),
        method=how[at],
        window=label[at],
        level=level,
        reference_day=reference,
        weight=weight,
    )
