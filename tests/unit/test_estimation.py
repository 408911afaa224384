"""The estimation engine: each method against figures worked by hand, and what must hold whatever comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vee.estimation.core import Filled, Fit, Series, Settings, fill
from vee.estimation.scaling import scale
from warehouse.codes import SCALED, Method

NAN = float("nan")
TEXTBOOK = Settings(order=(Method.OUTAGE, Method.LINEAR, Method.FLAT))


def series(values: list | np.ndarray, **given: object) -> Series:
    """Values (n, d, s); NaN is a target. One window over all where `wh` is given."""
    v = np.asarray(values, np.float32)
    n, d, s = v.shape
    wh = given.pop("wh", NAN)
    base = Series(
        values=v,
        target=np.isnan(v),
        outage=np.zeros(v.shape, np.uint8),
        day_type=np.zeros((n, d), np.int8),
        usable=np.ones((n, d), bool),
        interval_min=1440 // s,
        window=np.repeat(np.arange(n, dtype=np.int32), d * s).reshape(v.shape),
        window_wh=np.broadcast_to(np.asarray(wh, float), n).copy(),
        window_tolerance_wh=np.zeros(n),
        candidates={},
        limit_wh=np.full(n, NAN),
    )
    return replace(base, **given)


def day(*slots: float) -> np.ndarray:
    """One meter, one day of half-hours: these, then 100 each."""
    return np.array([[[*slots, *[100.0] * (48 - len(slots))]]])


def outage_at(shape: tuple[int, ...], *at: int, state: int = 2) -> np.ndarray:
    out = np.zeros(shape, np.uint8)
    out[0, 0, list(at)] = state
    return out


def first(filled: Filled, slots: int) -> tuple[list[int], list[int]]:
    return filled.values[0, 0, :slots].tolist(), filled.method[0, 0, :slots].tolist()


# --- EM3 ---


def test_linear_between_good_ends() -> None:
    values, method = first(fill(series(day(100, NAN, NAN, NAN, 500)), TEXTBOOK), 5)
    assert values == [-1, 200, 300, 400, -1]
    assert method == [0, 3, 3, 3, 0]


@pytest.mark.parametrize(("gap", "estimated"), [(4, True), (5, False)])
def test_linear_only_up_to_two_hours(gap: int, estimated: bool) -> None:
    done = fill(series(day(100, *[NAN] * gap, 100)), TEXTBOOK)
    assert (done.values[0, 0, 1 : 1 + gap] == (100 if estimated else -1)).all()


def test_linear_crosses_midnight() -> None:
    v = np.full((1, 2, 48), 100.0)
    v[0, 0, 46], v[0, 1, 1] = 200, 500
    v[0, 0, 47] = v[0, 1, 0] = NAN
    done = fill(series(v), TEXTBOOK)
    assert (done.values[0, 0, 47], done.values[0, 1, 0]) == (300, 400)
    assert done.runs.day.tolist() == [0, 1]


def test_linear_without_an_end_is_none() -> None:
    done = fill(series(day(NAN, 100)), TEXTBOOK)
    assert (done.values[0, 0, 0], done.method[0, 0, 0]) == (-1, 0)


@pytest.mark.parametrize(("one_side", "want"), [("good_side", 500), ("none", -1)])
def test_linear_with_an_outage_on_one_side(one_side: str, want: int) -> None:
    v = day(80, NAN, NAN, 500)
    done = fill(series(v, outage=outage_at(v.shape, 0, state=1)), replace(TEXTBOOK, outage_one_side=one_side))
    assert done.values[0, 0, 1:3].tolist() == [want, want]


@pytest.mark.parametrize(("both_sides", "want"), [("zero", 0), ("none", -1)])
def test_linear_between_two_outages(both_sides: str, want: int) -> None:
    v = day(80, NAN, NAN, 30)
    done = fill(series(v, outage=outage_at(v.shape, 0, 3, state=1)), replace(TEXTBOOK, outage_both_sides=both_sides))
    assert done.values[0, 0, 1:3].tolist() == [want, want]


# --- EM0 ---


def test_slots_wholly_without_supply_are_zero_and_no_ends() -> None:
    v = day(400, NAN, NAN, 100)
    done = fill(series(v, outage=outage_at(v.shape, 1)), TEXTBOOK)
    # What is left of the gap lies beside the outage: the good side.
    assert first(done, 4) == ([-1, 0, 100, -1], [0, 20, 3, 0])


def test_scaling_leaves_outages_out() -> None:
    v = day(NAN, NAN, NAN)
    done = fill(series(v, outage=outage_at(v.shape, 1), wh=45 * 100 + 301), Settings())
    values, method = first(done, 3)
    assert values == [151, 0, 150]
    assert method[1] == Method.OUTAGE
    assert done.window_energy_wh.tolist() == [301]


# --- EM9, EM10 ---


def test_scaling_is_proportional_and_exact_by_largest_remainder() -> None:
    # Linear: 200, 300, 400; the register says 1,000: 222.2, 333.3, 444.4, and the Wh that is left goes to 0.4.
    done = fill(series(day(100, NAN, NAN, NAN, 500), wh=45 * 100 + 400 + 1000), TEXTBOOK)
    values, method = first(done, 5)
    assert values == [-1, 222, 333, 445, -1]
    assert method == [0, 103, 103, 103, 0]
    assert (done.window_fit.tolist(), done.window_known_wh.tolist(), done.window_energy_wh.tolist()) == ([Fit.SCALED], [4900], [1000])


def test_nothing_to_scale_is_spread_evenly() -> None:
    done = fill(series(day(0, NAN, NAN, NAN, 0), wh=43 * 100 + 8), TEXTBOOK)
    assert first(done, 5)[0] == [-1, 3, 3, 2, -1]


@pytest.mark.parametrize(
    ("energy", "fit", "want"),
    [
        (-21, Fit.SUM_NEG, [200, 300]),  # less than was measured, by more than the tolerance
        (-20, Fit.SCALED, [0, 0]),
        (2000, Fit.SCALED, [800, 1200]),
        (3000, Fit.SCALED, [1500, 1500]),
        (3001, Fit.ABOVE_LIMIT, [200, 300]),
        (NAN, Fit.NONE, [200, 300]),
    ],
)
def test_a_register_that_cannot_be_right_scales_nothing(energy: float, fit: Fit, want: list[int]) -> None:
    v = day(100, NAN, NAN, 400)
    x = series(v, wh=np.nansum(v) + energy, window_tolerance_wh=np.array([20.0]), limit_wh=np.array([1500.0]))
    done = fill(x, TEXTBOOK)
    assert done.window_fit.tolist() == [fit]
    assert done.values[0, 0, 1:3].tolist() == want


def test_a_window_with_unknown_slots_is_not_scaled() -> None:
    given_ = series(day(100, NAN, 300, NAN), wh=6000)
    target = given_.target.copy()
    target[0, 0, 3] = False
    done = fill(replace(given_, target=target), TEXTBOOK)
    assert first(done, 4) == ([-1, 200, -1, -1], [0, 3, 0, 0])
    assert done.window_fit.tolist() == [Fit.NONE]


def test_what_lies_above_the_limit_is_held_and_the_others_take_the_rest() -> None:
    assert scale(np.array([900.0, 50, 50]), np.zeros(3, int), np.array([1200.0]), np.full(3, 800)).tolist() == [800, 200, 200]


def test_flat_spreads_what_a_register_knows_and_nothing_else() -> None:
    gap = day(*[NAN] * 10)
    assert first(fill(series(gap), TEXTBOOK), 10) == ([-1] * 10, [0] * 10)
    values, method = first(fill(series(gap, wh=3800 + 1003), TEXTBOOK), 10)
    assert values == [101, 101, 101, *[100] * 7]
    assert method == [110] * 10


def test_windows_are_scaled_piecewise() -> None:
    """A gap over midnight with a register at midnight, and zones whose slots lie apart."""
    v = np.full((1, 2, 48), 100.0)
    v[0, 0, 40:] = NAN
    v[0, 1, :8] = NAN
    window = np.array([[[0] * 48, [1, 2] * 24]], np.int32)
    done = fill(
        series(v, window=window, window_wh=np.array([4000.0 + 777, 2000 + 55, 2000 + 1001]), window_tolerance_wh=np.zeros(3)), Settings()
    )
    assert done.values[0, 0, 40:].sum() == 777
    assert (done.values[0, 1, 0:8:2].sum(), done.values[0, 1, 1:8:2].sum()) == (55, 1001)


# --- order and candidates ---


def test_candidates_come_in_the_order_of_the_settings() -> None:
    v = day(NAN, NAN)
    check, neighbour = np.full(v.shape, NAN, np.float32), np.full(v.shape, 70, np.float32)
    check[0, 0, 0] = 50
    given_ = series(v, candidates={Method.NEIGHBOUR: neighbour, Method.CHECK_METER: check})
    assert first(fill(given_, Settings()), 2) == ([50, 70], [2, 8])
    assert first(fill(given_, replace(TEXTBOOK, order=(Method.NEIGHBOUR,))), 2) == ([70, 70], [8, 8])


# --- EM4 ---


def flat_week(days: int = 15, level: float = 100.0) -> np.ndarray:
    """One meter whose days are all the same: its mornings (slots 12-15) have three times the rest."""
    v = np.full((1, days, 48), level)
    v[0, :, 12:16] *= 3
    return v


@pytest.mark.parametrize("aim", ["median", "balanced", "mean"])
def test_days_that_are_all_the_same_are_found_again(aim: str) -> None:
    v = flat_week()
    truth = v[0, -1].copy()
    v[0, -1, 4:28] = NAN
    done = fill(series(v), Settings(aim=aim))
    assert np.abs(done.values[0, -1, 4:28] - truth[4:28]).max() <= 1
    assert (done.method[0, -1, 4:28] == Method.LIKE_DAY).all()
    assert done.runs.level[0] == pytest.approx(1, abs=0.01)


def test_reference_days_are_told_with_their_weights() -> None:
    v = flat_week()
    v[0, -1] = NAN
    usable = np.ones((1, 15), bool)
    usable[0, 13] = False
    day_type = np.zeros((1, 15), np.int8)
    day_type[0, 12] = 7
    runs = fill(series(v, usable=usable, day_type=day_type), Settings()).runs
    reference = runs.reference_day[0].tolist()
    assert reference[:3] == [11, 10, 9]  # the nearest of the same type first; no refused day
    assert 13 not in reference
    assert (np.diff(runs.weight[0]) <= 0).all()
    assert 0 < runs.weight[0].sum() <= 1


def test_too_few_reference_days_leave_it_to_the_next_method() -> None:
    v = flat_week(3)
    v[0, -1, 20:22] = NAN
    done = fill(series(v), Settings(min_like_days=3))
    assert done.method[0, -1, 20:22].tolist() == [Method.LINEAR] * 2
    assert fill(series(v), Settings(min_like_days=2)).method[0, -1, 20:22].tolist() == [Method.LIKE_DAY] * 2


def test_the_level_of_the_known_neighbours_carries_into_the_gap() -> None:
    rng = np.random.default_rng(1)
    v = 100 + 40 * rng.standard_normal((1, 29, 48)).cumsum(2) % 200
    low, high = v.copy(), v.copy()
    low[0, -1, :20] = low[0, -1, 23:] = 50
    high[0, -1, :20] = high[0, -1, 23:] = 250
    for x in (low, high):
        x[0, -1, 20:23] = NAN
    a, b = (fill(series(x), Settings()).values[0, -1, 20:23] for x in (low, high))
    assert (a < b).all()


def test_a_register_draws_days_of_its_energy() -> None:
    """Half of the days the pump runs in the morning, half in the evening; the evening's energy is the larger."""
    v = np.full((1, 29, 48), 10.0)
    v[0, ::2, 14:18] = 500
    v[0, 1::2, 36:44] = 500
    v[0, -1] = NAN
    window = np.repeat(np.arange(29, dtype=np.int32), 48).reshape(v.shape)
    wh = np.full(29, NAN)
    wh[-1] = 40 * 10 + 8 * 500
    done = fill(series(v, window=window, window_wh=wh, window_tolerance_wh=np.zeros(29)), Settings())
    assert done.values[0, -1].sum() == wh[-1]
    assert done.values[0, -1, 36:44].sum() > 4 * done.values[0, -1, 14:18].sum()


# --- weekly patterns ---

WEEK = {0: (300, 320), 6: (600, 620), 7: (900, 920)}
WEEKDAYS = {"Saturday": 5, "Sunday": 6, "Monday": 0}


def weekly(day: str, noise: float = 0, meters: int = 1, **holiday: int) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, 36, 48) of `WEEK` and the types of the days; day 28 is a `day`, holidays lie so many days from it."""
    weekday = (np.arange(36) + WEEKDAYS[day]) % 7
    kind = np.where(weekday >= 5, weekday + 1, 0)
    kind[[28 + at for at in holiday.values()]] = 7
    truth = np.array([np.tile(WEEK[k], 24) for k in kind], float) * np.random.default_rng(5).lognormal(0, noise, (meters, 36, 48))
    return truth, np.broadcast_to(kind, (meters, 36)).astype(np.int8)


def blanked(truth: np.ndarray, at: slice, later: bool = True) -> np.ndarray:
    """The values without the slots `at` from the start of day 28, and without the days after them where `later` is not."""
    v = truth.copy().reshape(len(truth), -1)
    v[:, 28 * 48 + at.start : 28 * 48 + at.stop] = NAN
    return v.reshape(truth.shape) if later else v.reshape(truth.shape)[:, : 28 + -(-at.stop // 48)]


def in_gap(x: np.ndarray, at: slice) -> np.ndarray:
    return x.reshape(len(x), -1)[:, 28 * 48 + at.start : 28 * 48 + at.stop]


GAPS = [slice(0, 48), slice(0, 144), slice(20, 44), slice(21, 23), slice(21, 24), slice(20, 24)]


@pytest.mark.parametrize("gap", GAPS, ids=lambda s: f"{s.start}-{s.stop}")
@pytest.mark.parametrize("later", [True, False])
@pytest.mark.parametrize(
    ("day", "holiday"), [("Saturday", {}), ("Saturday", {"on": -1}), ("Sunday", {}), ("Monday", {}), ("Monday", {"on": -1})]
)
def test_a_regular_week_is_found_again(day: str, holiday: dict[str, int], later: bool, gap: slice) -> None:
    truth, kind = weekly(day, **holiday)
    v = blanked(truth, gap, later)
    done = fill(series(v, day_type=kind[:, : v.shape[1]]), Settings())
    assert np.abs(in_gap(done.values, gap) - in_gap(truth, gap)).max() <= 0.02 * in_gap(truth, gap).min()


@pytest.mark.parametrize("day", WEEKDAYS)
def test_a_noisy_week_is_no_worse_than_the_mean_of_like_days(day: str) -> None:
    truth, kind = weekly(day, noise=0.2, meters=40, on=-8)
    gap = slice(0, 48)
    done = fill(series(blanked(truth, gap, later=False), day_type=kind[:, :29]), Settings())
    like = truth[:, np.flatnonzero(kind[0, :28] == kind[0, 28])[-4:]].mean(1)
    own, plain = (np.abs(x - truth[:, 28]).sum() for x in (done.values[:, 28], like))
    assert own <= 1.1 * plain


def test_an_office_is_not_at_work_on_saturday_morning() -> None:
    """Only the hours of work tell the days apart, and Friday evening's level is the night's."""
    truth, kind = weekly("Saturday")
    truth = np.where(kind[:, :, None] > 0, 200.0, 200 + 4800 * ((np.arange(48) >= 16) & (np.arange(48) < 36)))
    gap = slice(0, 48)
    done = fill(series(blanked(truth, gap, later=False), day_type=kind[:, :29]), Settings())
    assert np.abs(done.values[0, 28] - 200).max() <= 4


def test_a_meter_without_a_weekly_pattern_loses_nothing_by_types_of_day() -> None:
    truth = 300 * np.random.default_rng(9).lognormal(0, 0.5, (60, 36, 48))
    kind = weekly("Saturday")[1].repeat(60, 0)
    v = blanked(truth, slice(0, 48))
    typed, plain = (np.abs(fill(series(v, day_type=k), Settings()).values[:, 28] - truth[:, 28]).sum() for k in (kind, kind * 0))
    assert typed <= 1.02 * plain


# --- a register over days that are all alike ---


@pytest.mark.parametrize("gap", GAPS, ids=lambda s: f"{s.start}-{s.stop}")
@pytest.mark.parametrize("kinds", ["one type", "week"])
@pytest.mark.parametrize("part", [0.75, 1.25])
def test_what_the_history_does_not_explain_is_shared_in_proportion(part: float, kinds: str, gap: slice) -> None:
    """200 and 220 in turn on all days, and a quarter more: 250 and 275."""
    truth = np.tile([200.0, 220.0], (1, 36, 24))
    kind = weekly("Saturday")[1] if kinds == "week" else np.zeros((1, 36), np.int8)
    want = in_gap(truth, gap) * part
    window = np.full(truth.shape, -1, np.int32)
    window.reshape(1, -1)[:, 28 * 48 + gap.start : 28 * 48 + gap.stop] = 0
    done = fill(series(blanked(truth, gap), day_type=kind, window=window, wh=want.sum()), Settings())
    assert in_gap(done.values, gap).tolist() == want.tolist()


def test_the_base_load_stays_where_a_homes_own_days_explain_the_surplus() -> None:
    """A base of 100 and an evening that is now small, now large: the register's surplus belongs to the evening."""
    rng = np.random.default_rng(3)
    truth = np.full((20, 36, 48), 100.0)
    truth[:, :, 36:42] += rng.gamma(2, 300, (20, 36, 1)) * rng.gamma(8, 1 / 8, (20, 36, 6))
    truth[:, 28, 36:42] = 1100
    window = np.full(truth.shape, -1, np.int32)
    window[:, 28] = np.arange(20)[:, None]
    done = fill(
        series(blanked(truth, slice(0, 48)), window=window, window_wh=truth[:, 28].sum(1), window_tolerance_wh=np.zeros(20)), Settings()
    )
    assert np.median(done.values[:, 28, :30]) == pytest.approx(100, rel=0.15)


def test_reference_days_lie_within_the_series() -> None:
    """A gap of six days at the end: of its last day, seven days after is no day at all."""
    v = flat_week(36)
    v[0, 26:32] = NAN
    done = fill(series(v), Settings())
    days = done.runs.reference_day
    assert days.max() < 36
    assert ((done.runs.weight > 0) == (days >= 0)).all()
    assert (days[:, 0] >= 0).all()


# --- whatever comes ---


@st.composite
def anything(draw: st.DrawFn) -> Series:
    """Some meters with noise, gaps, outages, windows over days or zones, and registers right or wrong."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d, s = draw(st.integers(1, 4)), draw(st.integers(1, 12)), draw(st.sampled_from([1, 24, 48, 96]))
    truth = np.rint(rng.gamma(0.8, 150, (n, d, s)) * draw(st.sampled_from([0, 1, 1, 40]))).astype(np.float32)
    target = rng.random((n, d, s)) < draw(st.sampled_from([0.02, 0.3]))
    target[:, -1] |= rng.random(s) < 0.5
    lost = rng.random((n, d, s)) < draw(st.sampled_from([0, 0, 0.01]))
    values = np.where(target | lost, np.float32(NAN), truth)
    zones = draw(st.integers(1, 3))
    span = draw(st.integers(1, 3))
    place = np.arange(d)[:, None] // span * zones + np.arange(s) * zones // s
    window = (np.arange(n)[:, None, None] * (d * zones) + place).astype(np.int32)
    window[:, :1] = np.where(rng.random() < 0.3, -1, window[:, :1])
    labels = n * d * zones
    wh = np.bincount(window[window >= 0], truth[window >= 0], labels) + np.rint(rng.normal(0, draw(st.sampled_from([0, 50])), labels))
    return Series(
        values=values,
        target=target,
        outage=np.where(rng.random((n, d, s)) < 0.05, rng.integers(1, 3, (n, d, s)), 0).astype(np.uint8),
        day_type=rng.choice([0, 6, 7], (n, d)).astype(np.int8),
        usable=rng.random((n, d)) < 0.9,
        interval_min=1440 // s,
        window=window,
        window_wh=np.where(rng.random(labels) < 0.2, NAN, wh),
        window_tolerance_wh=np.full(labels, 10.0),
        candidates={Method.NEIGHBOUR: np.where(rng.random((n, d, s)) < 0.5, np.float32(NAN), truth + 5)},
        limit_wh=np.where(rng.random(n) < 0.5, NAN, 2.0 + truth.max((1, 2))),
    )


EXAMPLES = settings(max_examples=60, deadline=None)


@EXAMPLES
@given(anything())
def test_what_is_estimated_is_whole_positive_and_within_limits(x: Series) -> None:
    done = fill(x, Settings())
    estimated = done.method > 0
    assert not (estimated & ~x.target).any()
    assert (done.values[~estimated] == -1).all()
    limit = np.broadcast_to(np.where(np.isnan(x.limit_wh), np.inf, x.limit_wh)[:, None, None], done.values.shape)
    assert (done.values[estimated] >= 0).all()
    assert (done.values <= limit).all()
    out = x.target & (x.outage == 2)
    assert (done.values[out] == 0).all()
    assert (done.method[out] == Method.OUTAGE).all()


@EXAMPLES
@given(anything())
def test_scaled_windows_hold_their_energy_to_the_wh(x: Series) -> None:
    done = fill(x, Settings())
    known = np.nan_to_num(np.where(x.target, 0, x.values))
    for label in range(x.window_wh.size):
        inside = x.window == label
        scaled = inside & (done.method > SCALED)
        assert scaled.any() <= (done.window_fit[label] == Fit.SCALED)
        if done.window_fit[label] == Fit.SCALED:
            energy = np.rint(x.window_wh[label]) - known[inside].sum(dtype=np.float64)
            assert done.values[scaled].sum() == max(energy, 0)
        elif done.window_fit[label] == Fit.SUM_NEG:
            assert np.rint(x.window_wh[label]) - known[inside].sum(dtype=np.float64) < -10


@EXAMPLES
@given(anything(), st.integers(0, 2**16))
def test_neither_the_order_nor_the_number_of_meters_matters(x: Series, seed: int) -> None:
    whole = fill(x, Settings())
    order = np.random.default_rng(seed).permutation(len(x.values))
    order = order[: max(1, len(order) - 1)]
    some = fill(
        replace(
            x,
            **{name: getattr(x, name)[order] for name in ("values", "target", "outage", "day_type", "usable", "window", "limit_wh")},
            candidates={m: c[order] for m, c in x.candidates.items()},
        ),
        Settings(),
    )
    assert (some.values == whole.values[order]).all()
    assert (some.method == whole.method[order]).all()


@EXAMPLES
@given(anything())
def test_meters_of_another_scale_are_estimated_alike(x: Series) -> None:
    """16 times as much everywhere: 16 times the estimate, up to rounding."""
    done = fill(replace(x, window_wh=np.full(x.window_wh.size, NAN)), Settings())
    more = fill(
        replace(
            x,
            values=x.values * 16,
            window_wh=np.full(x.window_wh.size, NAN),
            limit_wh=x.limit_wh * 16,
            candidates={m: c * 16 for m, c in x.candidates.items()},
        ),
        Settings(),
    )
    assert (more.method == done.method).all()
    assert (np.abs(more.values - done.values * 16)[done.method > 0] <= 9).all()


@EXAMPLES
@given(anything())
def test_the_basis_tells_of_every_target_slot_once(x: Series) -> None:
    done = fill(x, Settings())
    runs = done.runs
    told = np.zeros(x.target.shape, int)
    for m, d, a, k, how, label in zip(runs.meter, runs.day, runs.first, runs.slots, runs.method, runs.window, strict=True):
        told[m, d, a : a + k] += 1
        assert (done.method[m, d, a : a + k] == how).all()
        assert (x.window[m, d, a : a + k] == label).all()
    assert (told == x.target).all()
    like = runs.method % SCALED == Method.LIKE_DAY
    assert (runs.reference_day[like, 0] >= 0).all()
    assert (runs.reference_day[~like] == -1).all()


def test_no_meters_and_no_targets_are_fine() -> None:
    empty = fill(series(np.zeros((0, 3, 48))), Settings())
    assert (empty.values.shape, empty.runs.meter.size) == ((0, 3, 48), 0)
    whole = fill(series(flat_week()), Settings())
    assert (whole.values == -1).all()
    assert whole.window_fit.tolist() == [Fit.NONE]


# --- other intervals, and days as in India ---


@pytest.mark.parametrize("interval", [15, 30, 60])
def test_roster_supply_and_evening_peaks_are_met_at_every_interval(interval: int) -> None:
    """Pumps on a roster and homes with an evening peak: far better than flat, exact with a register, little biased without."""
    rng = np.random.default_rng(interval)
    s = 1440 // interval
    hour = np.arange(s) * interval / 60
    pump = np.where((hour >= 5) & (hour < 8), 3000.0, 0.0)
    home = 150 + 500 * np.exp(-((hour - 20) ** 2) / 3)
    shape = np.concatenate([np.repeat(pump[None], 10, 0), np.repeat(home[None], 30, 0)])[:, None] * interval / 60
    truth = np.rint(shape * rng.lognormal(0, 0.25, (40, 36, 1)) * rng.gamma(8, 1 / 8, (40, 36, s)))
    v = truth.copy()
    v[:, 28, s // 6 : s // 2] = NAN
    v[10:, 28, s // 2 :] = NAN
    window = np.full(v.shape, -1, np.int32)
    window[:, 28] = np.arange(40)[:, None]
    given_ = series(v, window=window)
    blanked = np.isnan(v)
    withheld = fill(given_, Settings())
    fitted = fill(replace(given_, window_wh=truth[:, 28].sum(1)), Settings())
    true = truth[blanked]
    assert abs(withheld.values[blanked].sum() / true.sum() - 1) < 0.15
    assert (np.where(blanked, fitted.values, v)[:, 28].sum(1) == truth[:, 28].sum(1)).all()
    flat = np.broadcast_to(np.nanmean(v, axis=(1, 2), keepdims=True), v.shape)[blanked]
    for done in (withheld, fitted):
        assert np.abs(done.values[blanked] - true).sum() < 0.5 * np.abs(flat - true).sum()
