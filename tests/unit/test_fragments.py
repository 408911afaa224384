"""Cutting readings into fragments of business days: placement, time zones, duplicates and each reason of rejection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("form", ["Int64", "int64"])
def test_a_value_that_does_not_fit_is_rejected_alone(form: str) -> None:
    sent = readings([("A", slot(0), 2**31), ("A", slot(1), -(2**31))], voltage_dv=[2300, 2310])
    sent.frame["import_wh"] = sent.frame["import_wh"].astype(form)
    blocks, rejections = cut(sent, METERS, IST)
    assert reasons(rejections) == [(Reason.OUT_OF_RANGE, "line 2", 1)]
    assert rejections[0].payload == "serial=A, start=2026-09-30T18:30:00+00:00, import_wh=2147483648"
    [fragment] = blocks[0].fragments()
    assert fragment.channels == {"import_wh": [None, -(2**31)], "voltage_dv": [2300, 2310]}


def test_quality_travels_with_its_slot() -> None:
    blocks, _ = cut(readings([("A", slot(0), 1), ("A", slot(2), 2)], quality=[None, 6]), METERS, IST)
    assert blocks[0].quality is not None
    assert blocks[0].quality.tolist() == [[-1, -1, 6]]
    blocks, _ = cut(readings([("A", slot(0), 1), ("A", slot(2), 2)], quality=[6, 6]), METERS, IST)
    assert blocks[0].quality is not None
    assert blocks[0].quality.tolist() == [[6, -1, 6]], "a slot without a row has none"
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


# --- against the plainest loop ---

ZONES = {"Asia/Kolkata": date(2026, 10, 1), "Europe/London": date(2026, 10, 25)}


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[ProfileReadings, ZoneInfo]:
    """Days in order of meter and time, as most come, then spoiled and put into another order; in each form of column that is allowed."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    midnight = datetime.combine(ZONES[zone], datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    minutes = draw(st.sampled_from([15, 30]))
    first, slots = draw(st.integers(-3, 40)), draw(st.integers(1, 60))
    serials = draw(st.lists(st.sampled_from(["A", "B", "Q", "nobody"]), min_size=1, max_size=4))
    rows = [
        [s, midnight + timedelta(minutes=minutes * i), RECEIVED + timedelta(days=30), 10 * i, 2300 + i, 0]
        for s in serials
        for i in range(first, first + slots)
    ]
    for at, kind in draw(st.lists(st.tuples(st.integers(0, len(rows) - 1), st.sampled_from(sorted(_SPOIL))), max_size=12)):
        if at < len(rows):
            _SPOIL[kind](rows, at)
    order = draw(st.sampled_from(["as it is", "by stamp", "backwards", "shuffled"]))
    if order == "by stamp":
        rows.sort(key=lambda r: r[1] or midnight)
    elif order == "backwards":
        rows.reverse()
    elif order == "shuffled":
        draw(st.randoms()).shuffle(rows)
    made = readings([(r[0], r[1], r[3]) for r in rows], draw(st.sampled_from([None, minutes])), voltage_dv=[r[4] for r in rows])
    made.frame["received_at"] = pd.Series([r[2] for r in rows], dtype="datetime64[us, UTC]")
    if draw(st.booleans()):
        made.frame["quality"] = pd.array([r[5] or None for r in rows], dtype="Int16")
    made.frame["serial"] = made.frame["serial"].astype(
        draw(st.sampled_from(["str", pd.StringDtype("python", np.nan), "object", "category"]))
    )
    for c in ("import_wh", "voltage_dv"):
        if not made.frame[c].isna().any() and made.frame[c].between(-(2**31), 2**31 - 1).all():
            made.frame[c] = made.frame[c].astype(draw(st.sampled_from(["Int64", "int64", "int32"])))
    return made, ZoneInfo(zone)


_SPOIL: dict[str, Callable[[list[list], int], object]] = {
    "absent": lambda rows, i: rows.pop(i) if len(rows) > 1 else None,
    "repeated at once": lambda rows, i: rows.insert(i, [*rows[i][:3], 7, None, 0]),
    "repeated later": lambda rows, i: rows.append([*rows[i][:3], 8, 2400, 0]),
    "elsewhere": lambda rows, i: rows.insert(0, rows.pop(i)),
    "another receipt": lambda rows, i: rows[i].__setitem__(2, RECEIVED),
    "clock off a little": lambda rows, i: rows[i].__setitem__(1, rows[i][1] and rows[i][1] - timedelta(seconds=30)),
    "clock off": lambda rows, i: rows[i].__setitem__(1, rows[i][1] and rows[i][1] + timedelta(seconds=31)),
    "no stamp": lambda rows, i: rows[i].__setitem__(1, None),
    "clock lost": lambda rows, i: rows[i].__setitem__(1, datetime(1999, 12, 31, tzinfo=UTC)),
    "too big": lambda rows, i: rows[i].__setitem__(3, -(2**31) - 1),
    "one value": lambda rows, i: rows[i].__setitem__(4, None),
    "no value": lambda rows, i: rows[i].__setitem__(slice(3, 5), [None, None]),
    "estimated": lambda rows, i: rows[i].__setitem__(5, 6),
}


def plainly(r: ProfileReadings, tz: ZoneInfo) -> tuple[list[tuple], list[tuple]]:
    """What `cut` must give, one row after the other: (fragments by seq, rejections)."""
    known = {"A": (11, 30), "B": (12, 30), "Q": (13, 15)}
    fragments: dict[tuple, dict[int, tuple]] = {}
    rejected, outsize = [], []
    for row in r.frame.astype(object).to_dict("records"):
        values = {c: None if pd.isna(row[c]) else int(row[c]) for c in ("import_wh", "voltage_dv")}
        meter, minutes = known.get(row["serial"], (None, 1))
        start, received = row["start"], row["received_at"]
        bad_stamp = pd.isna(start) or not datetime(2000, 1, 1, tzinfo=UTC) <= start < datetime(2100, 1, 1, tzinfo=UTC)
        reason, day, at = None, None, 0
        if not bad_stamp:
            day = (start + timedelta(seconds=30)).astimezone(tz).date()
            midnight = datetime.combine(day, datetime.min.time(), tz).astimezone(UTC)
            at, late = divmod(start + timedelta(seconds=30) - midnight, timedelta(minutes=minutes))
        if bad_stamp:
            reason = Reason.BAD_STAMP
        elif meter is None:
            reason = Reason.UNKNOWN_METER
        elif r.interval_min is not None and r.interval_min != minutes:
            reason = Reason.WRONG_INTERVAL
        elif start + timedelta(minutes=minutes) > received + timedelta(minutes=5):
            reason = Reason.FUTURE_STAMP
        elif late > timedelta(seconds=60):
            reason = Reason.OFF_GRID
        if reason:
            rejected.append((reason, row["locator"], sum(v is not None for v in values.values())))
            continue
        fits = {c: None if v is None or not -(2**31) <= v < 2**31 else v for c, v in values.items()}
        if fits != values:
            outsize.append((Reason.OUT_OF_RANGE, row["locator"], sum(fits[c] != values[c] for c in values)))
        if all(v is None for v in fits.values()):
            continue
        quality = row.get("quality", pd.NA)
        nth = 0
        while at in fragments.setdefault((meter, day, received, minutes, nth), {}):
            nth += 1
        fragments[meter, day, received, minutes, nth][at] = (fits["import_wh"], fits["voltage_dv"], -1 if pd.isna(quality) else quality)
    placed = []
    for seq, ((meter, day, received, minutes, _), cells) in enumerate(fragments.items()):
        slots = [cells.get(i, (None, None, -1)) for i in range(min(cells), max(cells) + 1)]
        placed.append((seq, meter, day, received.replace(tzinfo=None), minutes, min(cells), slots))
    return placed, rejected + outsize


@settings(max_examples=400, deadline=None)
@given(deliveries())
def test_fragments_and_rejections_are_those_of_the_plainest_loop(delivery: tuple[ProfileReadings, ZoneInfo]) -> None:
    r, tz = delivery
    blocks, rejections = cut(r, METERS, tz)
    found = []
    for b in blocks:
        absent = np.full((len(b), b.values[next(iter(b.values))].shape[1]), None)
        columns = [np.where(b.present[c], b.values[c], None) if c in b.values else absent for c in ("import_wh", "voltage_dv")]
        columns.append(np.full(absent.shape, -1) if b.quality is None else b.quality)
        for i, f in enumerate(b.fragments()):
            slots = list(zip(*(c[i].tolist() for c in columns), strict=True))
            found.append((int(b.seq[i]), f.meter_id, f.day, f.received_at, b.interval_min, f.start_slot, slots))
    assert (sorted(found), reasons(rejections)) == plainly(r, tz)
    shapes = [(b.interval_min, next(iter(b.values.values())).shape[1]) for b in blocks]
    assert len(shapes) == len(set(shapes)), "fragments of one interval and one length share a block"
