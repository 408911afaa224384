"""Sums of a meter's days: whatever the values, the zone and the cut, hours, days and months are the sums of their intervals."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.meters import rollup
from api.meters.rollup import CHANNELS, MeterDay, Resolution
from warehouse.codes import Quality

HOMES = ("Asia/Kolkata", "Europe/Berlin", "UTC")
ZONES = ("Asia/Kolkata", "Asia/Kathmandu", "UTC", "Europe/Berlin", "America/St_Johns")
FIRST = date(2026, 10, 22)
"""Clocks are put back in Berlin on 25 October 2026."""
LETTERS = [q.letter for q in Quality]


@st.composite
def some_days(draw: st.DrawFn) -> list[MeterDay]:
    """Up to five days of a meter, not all of them there, whose clocks may change. Values come of a seed: one by one they take minutes."""
    home = ZoneInfo(draw(st.sampled_from(HOMES)))
    minutes = draw(st.sampled_from((15, 30, 60)))
    chance, missing = Random(draw(st.integers(0, 2**32))), draw(st.sampled_from((0.0, 0.05, 1.0)))

    def some(slots: int) -> list[int | None]:
        return [None if chance.random() < missing else chance.randint(-5, 100_000) for _ in range(slots)]

    days = []
    for n in sorted(draw(st.sets(st.integers(0, 4)))):
        begin, end = (rollup.midnight(FIRST + timedelta(days=d), home) for d in (n, n + 1))
        slots = int((end - begin).total_seconds()) // 60 // minutes
        imported, exported, apparent = (some(slots) for _ in range(3))
        quality: Any = chance.choice([0, 5, [chance.randint(0, 9) for _ in range(slots)]])
        if None in imported and isinstance(quality, int):
            quality = [9 if v is None else quality for v in imported]
        days.append(MeterDay(begin, minutes, imported, chance.choice([None, exported]), chance.choice([None, apparent]), quality))
    return days


def totals(rows: list[dict[str, Any]]) -> dict[str, int | None]:
    """Wh of rows of kWh, None where none has a value."""
    found: dict[str, int | None] = {}
    for c in ("import_kwh", "export_kwh", "kvah"):
        there = [round(r[c] * 1000) for r in rows if r[c] is not None]
        found[c] = sum(there) if there else None
    return found


@settings(max_examples=60, deadline=None)
@given(
    days=some_days(),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    begin=st.integers(0, 8 * 24 * 60),
    minutes=st.integers(1, 8 * 24 * 60),
)
def test_every_resolution_adds_up_to_its_intervals(days: list[MeterDay], zone: ZoneInfo, begin: int, minutes: int) -> None:
    first = datetime(2026, 10, 21, tzinfo=UTC) + timedelta(minutes=begin)
    last = first + timedelta(minutes=minutes)
    intervals = list(rollup.intervals(days, first, last, zone, CHANNELS))
    starts = [datetime.fromisoformat(i["start"]) for i in intervals]
    resolutions: tuple[Resolution, ...] = ("hour", "day", "month")
    for resolution in resolutions:
        bounds = rollup.periods(first, last, zone, resolution)
        assert bounds == sorted(set(bounds)), f"{resolution}: the bounds are not in their order"
        rows = list(rollup.sums(days, bounds, zone, CHANNELS))
        assert totals(rows) == totals(intervals), f"{resolution}: the sum is not that of the intervals"
        for row in rows:
            since, until = (bisect_left(starts, datetime.fromisoformat(row[k])) for k in ("start", "end"))
            within = intervals[since:until]
            assert within, f"{resolution}: a row without an interval"
            assert totals([row]) == totals(within), f"{resolution} from {row['start']}"
            assert LETTERS.index(row["quality"]) == max(LETTERS.index(i["quality"]) for i in within)
            demands = [i["max_demand_kw"] for i in within if i["max_demand_kw"] is not None]
            assert row["max_demand_kw"] == (max(demands) if demands else None)


@given(wh=st.integers(-(10**6), 10**8), mf=st.decimals("0.0001", "99999", places=4))
def test_a_factor_is_applied_to_the_whole_wh(wh: int, mf: Decimal) -> None:
    ours = rollup.times(wh, int(mf * 10_000))
    assert ours == int((wh * mf).quantize(Decimal(1), rounding=ROUND_HALF_UP)), "PostgreSQL rounds halves away from zero"


def test_a_factor_of_one_changes_nothing() -> None:
    assert rollup.scaled([1, None, -3], 10_000) == [1, None, -3]
    assert rollup.scaled(None, 20_000) is None


@pytest.mark.parametrize(
    ("wh", "vah", "factor"),
    [
        (900, 1000, 0.9),
        (1000, 1000, 1.0),
        (1001, 1000, 1.0),
        (1100, 1000, None),
        (0, 1000, 0.0),
        (5, 0, None),
        (5, None, None),
        (None, 5, None),
    ],
)
def test_a_power_factor_is_none_where_it_cannot_be(wh: int | None, vah: int | None, factor: float | None) -> None:
    assert rollup.power_factor(wh, vah) == factor


def test_an_hour_of_the_zone_begins_on_its_clock() -> None:
    begin = rollup.midnight(date(2026, 10, 5), ZoneInfo("UTC"))
    bounds = rollup.periods(begin, begin + timedelta(hours=2), ZoneInfo("Asia/Kolkata"), "hour")
    local = [b.astimezone(ZoneInfo("Asia/Kolkata")).strftime("%H:%M") for b in bounds]
    assert local == ["05:30", "06:00", "07:00", "07:30"]


def test_a_month_ends_with_its_year() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    bounds = rollup.periods(rollup.midnight(date(2026, 12, 15), zone), rollup.midnight(date(2027, 1, 3), zone), zone, "month")
    assert [b.astimezone(zone).date() for b in bounds] == [date(2026, 12, 15), date(2027, 1, 1), date(2027, 1, 3)]
