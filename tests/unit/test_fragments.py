"""Cutting readings into fragments of business days: placement, time zones, duplicates and each reason of rejection."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from ingestion.canonical import FragmentBlock, ProfileReadings, Rejection
from ingestion.fragments import MeterLookup, cut
from warehouse.codes import Reason

IST, LONDON = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/London")
METERS = MeterLookup.of(["A", "B", "Q"], [11, 12, 13], [30, 30, 15])
DAY = datetime(2026, 9, 30, 18, 30, tzinfo=UTC)
"""Midnight of 2026-10-01 in India."""
RECEIVED = datetime(2026, 10, 2, 1, 0, tzinfo=UTC)


def readings(rows: list[tuple], interval_min: int | None = 30, received: datetime = RECEIVED, **extra: list) -> ProfileReadings:
    """Rows of (serial, start, import_wh)."""
    frame = pd.DataFrame(
        {
            "serial": pd.Series([r[0] for r in rows], dtype="str"),
            "start": pd.Series([r[1] for r in rows], dtype="datetime64[us, UTC]"),
            "received_at": pd.Series([received] * len(rows), dtype="datetime64[us, UTC]"),
            "locator": [f"line {i + 2}" for i in range(len(rows))],
            "import_wh": pd.array([r[2] for r in rows], dtype="Int64"),
        }
    )
    for name, values in extra.items():
        frame[name] = pd.array(values, dtype="Int16" if name == "quality" else "Int64")
    return ProfileReadings(frame, interval_min)


def landed(blocks: list[FragmentBlock]) -> list[tuple]:
    """(seq, meter, day, start slot, import_wh of each slot), by seq."""
    rows = []
    for b in blocks:
        rows += [
            (int(seq), f.meter_id, f.day, f.start_slot, f.channels.get("import_wh")) for seq, f in zip(b.seq, b.fragments(), strict=True)
        ]
    return sorted(rows)


def slot(i: float, minutes: int = 30) -> datetime:
    return DAY + timedelta(minutes=minutes * i)


def reasons(rejections: list[Rejection]) -> list[tuple[Reason, str, int]]:
    return [(r.reason, r.locator, r.values) for r in rejections]


def test_a_dense_day_is_one_row_a_meter_whatever_the_order() -> None:
    rows = [(s, slot(i), 100 * n + i) for i in reversed(range(48)) for n, s in enumerate(["A", "B"])]
    blocks, rejections = cut(readings(rows), METERS, IST)
    assert not rejections
    assert len(blocks) == 1, "meters with days of one length share a block"
    assert landed(blocks) == [
        (0, 11, date(2026, 10, 1), 0, list(range(48))),
        (1, 12, date(2026, 10, 1), 0, list(range(100, 148))),
    ]


def test_a_fragment_reaches_from_the_first_value_to_the_last() -> None:
    blocks, _ = cut(readings([("A", slot(5), 1), ("A", slot(8), 2), ("A", slot(47), None), ("B", slot(47), 3)]), METERS, IST)
    assert landed(blocks) == [
        (0, 11, date(2026, 10, 1), 5, [1, None, None, 2]),
        (1, 12, date(2026, 10, 1), 47, [3]),
    ], "slots between are NULL, slots without a value at the ends are not there"


def test_a_day_ends_at_local_midnight() -> None:
    blocks, _ = cut(readings([("A", slot(-1), 1), ("A", slot(0), 2)]), METERS, IST)
    assert landed(blocks) == [(0, 11, date(2026, 9, 30), 47, [1]), (1, 11, date(2026, 10, 1), 0, [2])]


def test_meters_of_several_intervals_in_one_source() -> None:
    blocks, rejections = cut(readings([("Q", slot(95, 15), 1), ("A", slot(47), 2)], interval_min=None), METERS, IST)
    assert not rejections
    assert {(b.interval_min, int(b.start_slot[0])) for b in blocks} == {(15, 95), (30, 47)}


@pytest.mark.parametrize(("day", "slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50), (date(2026, 7, 1), 48)])
def test_days_on_which_clocks_change(day: date, slots: int) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
    rows = [("A", midnight + timedelta(minutes=30 * i), i) for i in range(slots)]
    rows.append(("A", midnight + timedelta(minutes=30 * slots), 999))
    blocks, rejections = cut(readings(rows, received=RECEIVED + timedelta(days=99)), METERS, LONDON)
    assert not rejections
    assert landed(blocks) == [(0, 11, day, 0, list(range(slots))), (1, 11, day + timedelta(days=1), 0, [999])]


def test_a_zone_that_skips_midnight_counts_from_the_first_instant_of_the_day() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # 2026-04-24 opens at 01:00
    first = datetime(2026, 4, 23, 22, 0, tzinfo=UTC)
    blocks, rejections = cut(readings([("A", first - timedelta(minutes=30), 1), ("A", first, 2)]), METERS, cairo)
    assert not rejections
    assert landed(blocks) == [(0, 11, date(2026, 4, 23), 47, [1]), (1, 11, date(2026, 4, 24), 0, [2])]


def test_two_rows_for_one_slot_are_both_kept_the_later_with_the_later_seq() -> None:
    rows = [("A", slot(0), 1), ("A", slot(1), 2), ("A", slot(1), 20), ("B", slot(0), 5), ("A", slot(1), 200)]
    blocks, _ = cut(readings(rows), METERS, IST, first_seq=7)
    assert landed(blocks) == [
        (7, 11, date(2026, 10, 1), 0, [1, 2]),
        (8, 11, date(2026, 10, 1), 1, [20]),
        (9, 12, date(2026, 10, 1), 0, [5]),
        (10, 11, date(2026, 10, 1), 1, [200]),
    ]


def test_rows_received_at_different_times_are_different_fragments() -> None:
    r = readings([("A", slot(0), 1), ("A", slot(1), 2)])
    r.frame.loc[1, "received_at"] = RECEIVED + timedelta(hours=1)
    blocks, _ = cut(r, METERS, IST)
    assert [len(row[4]) for row in landed(blocks)] == [1, 1]
    assert sorted(t for b in blocks for t in b.received_at.tolist()) == [
        datetime(2026, 10, 2, 1, 0),
        datetime(2026, 10, 2, 2, 0),
    ]


def test_starts_are_snapped_within_thirty_seconds_and_rejected_beyond() -> None:
    near = [slot(0) - timedelta(seconds=30), slot(1) + timedelta(seconds=30), slot(2) - timedelta(seconds=1)]
    far = [slot(3) + timedelta(seconds=31), slot(4) - timedelta(seconds=31), slot(5) + timedelta(minutes=15)]
    blocks, rejections = cut(readings([("A", t, i) for i, t in enumerate(near + far)]), METERS, IST)
    assert landed(blocks) == [(0, 11, date(2026, 10, 1), 0, [0, 1, 2])], "a start just before midnight belongs to the next day"
    assert reasons(rejections) == [(Reason.OFF_GRID, f"line {i}", 1) for i in (5, 6, 7)]


def test_each_reason_is_said_with_the_row() -> None:
    rows = [
        ("nobody", slot(0), 10),
        ("Q", slot(0), 11),
        ("A", RECEIVED, 12),
        ("A", datetime(1970, 1, 1, tzinfo=UTC), 13),
        ("A", None, 14),
        ("A", datetime(9999, 12, 31, 23, 59, tzinfo=UTC), 15),
        ("A", slot(0), 16),
        ("nobody", slot(1), None),
    ]
    blocks, rejections = cut(readings(rows, voltage_dv=[2300] * 7 + [None]), METERS, IST)
    assert reasons(rejections) == [
        (Reason.UNKNOWN_METER, "line 2", 2),
        (Reason.WRONG_INTERVAL, "line 3", 2),
        (Reason.FUTURE_STAMP, "line 4", 2),
        (Reason.BAD_STAMP, "line 5", 2),
        (Reason.BAD_STAMP, "line 6", 2),
        (Reason.BAD_STAMP, "line 7", 2),
        (Reason.UNKNOWN_METER, "line 9", 0),
    ]
    assert rejections[0].payload == "serial=nobody, start=2026-09-30T18:30:00+00:00, import_wh=10, voltage_dv=2300"
    assert (rejections[0].serial, rejections[2].stamp) == ("nobody", RECEIVED)
    assert "30 min" in rejections[1].detail
    assert [row[4] for row in landed(blocks)] == [[16]], "the good row is not harmed by the bad ones"


def test_an_interval_may_end_within_the_tolerance_after_reception(monkeypatch: pytest.MonkeyPatch) -> None:
    start = RECEIVED - timedelta(minutes=25)
    on_grid = readings([("A", start + timedelta(minutes=25) - timedelta(minutes=30), 1)], received=RECEIVED - timedelta(minutes=5))
    assert cut(on_grid, METERS, IST)[1] == []
    monkeypatch.setenv("METERHOUSE_FUTURE_TOLERANCE_S", "299")
    assert [r.reason for r in cut(on_grid, METERS, IST)[1]] == [Reason.FUTURE_STAMP]


def test_a_value_that_does_not_fit_is_rejected_alone() -> None:
    blocks, rejections = cut(readings([("A", slot(0), 2**31), ("A", slot(1), -(2**31))], voltage_dv=[2300, 2310]), METERS, IST)
    assert reasons(rejections) == [(Reason.OUT_OF_RANGE, "line 2", 1)]
    assert "import_wh=2147483648" in rejections[0].payload
    [fragment] = blocks[0].fragments()
    assert fragment.channels == {"import_wh": [None, -(2**31)], "voltage_dv": [2300, 2310]}


def test_quality_travels_with_its_slot() -> None:
    blocks, _ = cut(readings([("A", slot(0), 1), ("A", slot(2), 2)], quality=[None, 6]), METERS, IST)
    assert blocks[0].quality is not None
    assert blocks[0].quality.tolist() == [[-1, -1, 6]]
    blocks, _ = cut(readings([("A", slot(0), 1)], quality=[None]), METERS, IST)
    assert blocks[0].quality is None, "no quality stated, none landed"


def test_nothing_and_no_meters() -> None:
    assert cut(readings([]), METERS, IST) == ([], [])
    nobody = MeterLookup.of([], [], [])
    blocks, rejections = cut(readings([("A", slot(0), 1)]), nobody, IST)
    assert (blocks, [r.reason for r in rejections]) == ([], [Reason.UNKNOWN_METER])


@pytest.mark.parametrize("seed", range(5))
def test_no_value_is_lost_or_moved(seed: int) -> None:
    """Against the plainest loop: each value stands at its meter, day and slot exactly as often as it came."""
    rng = np.random.default_rng(seed)
    rows = [
        (str(rng.choice(["A", "B", "Q", "nobody"])), DAY + timedelta(minutes=15 * int(rng.integers(-100, 200))), int(rng.integers(-5, 999)))
        for _ in range(400)
    ]
    blocks, rejections = cut(readings(rows, interval_min=None), METERS, IST)
    expected = []
    for serial, start, value in rows:
        minutes = {"A": 30, "B": 30, "Q": 15}.get(serial)
        local = start.astimezone(IST)
        of_day = local.hour * 60 + local.minute
        late = minutes is not None and start + timedelta(minutes=minutes) > RECEIVED + timedelta(minutes=5)
        if minutes and of_day % minutes == 0 and not late:
            expected.append(({"A": 11, "B": 12, "Q": 13}[serial], local.date(), of_day // minutes, value))
    found = [(meter, day, first + i, v) for _, meter, day, first, values in landed(blocks) for i, v in enumerate(values) if v is not None]
    assert sorted(found) == sorted(expected)
    assert len(expected) + sum(r.values for r in rejections) == len(rows), "accepted + rejected = received"
