"""Cuts profile readings, one row a (meter, stamp), into fragments of business days as they are landed, and says what cannot be.

Here is what needs the registry and the calendar: which meter, which day, which slot. No database and no vendor; landing writes the result.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ingestion.canonical import FragmentBlock, ProfileReadings, Rejection
from warehouse.codes import Reason
from warehouse.tables import ALL_CHANNELS

GRID_TOLERANCE = timedelta(seconds=30)
"""A start this near to the meter's grid is on it: clocks of meters drift by seconds between synchronisations."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""A stamp outside of these years is that of a clock that lost its time, and would make partitions for nothing."""


def future_tolerance() -> timedelta:
    """How far an interval may end after its reception: METERHOUSE_FUTURE_TOLERANCE_S, 300 s by default."""
    return timedelta(seconds=float(os.environ.get("METERHOUSE_FUTURE_TOLERANCE_S", "300")))


@dataclass(frozen=True)
class MeterLookup:
    """The meters of one DISCOM: `serials` and, in its order, `meter_id` (int32) and `interval_min` (int16). Loaded once a run."""

    serials: pd.Index
    meter_id: np.ndarray
    interval_min: np.ndarray

    @classmethod
    def of(cls, serials: Sequence[str], meter_id: Sequence[int], interval_min: Sequence[int]) -> MeterLookup:
        return cls(pd.Index(serials, dtype=object), np.array(meter_id, np.int32), np.array(interval_min, np.int16))

    def find(self, serials: pd.Series) -> np.ndarray:
        """Position (int32) of each serial in the arrays, -1 = unknown. One look-up a run of equal serials, not a row."""
        texts = serials.array
        # Python objects are compared quicker by numpy than by pandas; categories and Arrow's texts as they are.
        head = np.flatnonzero(_new(texts.to_numpy() if isinstance(texts, pd.arrays.NumpyExtensionArray) else texts))
        codes, distinct = pd.factorize(texts[head])
        found = np.append(self.serials.get_indexer(pd.Index(distinct, dtype=object)), -1).astype(np.int32)
        return np.repeat(found[codes], np.diff(head, append=len(serials)))


def cut(
    readings: ProfileReadings,
    meters: MeterLookup,
    tz: ZoneInfo,
    *,
    first_seq: int = 0,
    tolerance: timedelta | None = None,
) -> tuple[list[FragmentBlock], list[Rejection]]:
    """Fragments in blocks of one interval and one length, and one rejection for each row (or its values) that cannot be placed.

    A fragment reaches from the first slot with a value to the last, within one business day of `tz`. Rows for a slot that is taken go
    into a further fragment with a later `seq`; `seq` counts on from `first_seq`. Rows without a value and without fault vanish.
    `tolerance` is how far an interval may end after reception (default: future_tolerance()).
    """
    frame = readings.frame
    if frame.empty:
        return [], []
    channels = [c for c in ALL_CHANNELS if c in frame.columns]
    meter = meters.find(frame["serial"])
    interval_min = np.append(meters.interval_min, np.int16(1))[meter]
    start, bad_stamp = sane_micros(frame["start"])
    received = _micros(frame["received_at"])
    day, slot, on_grid = _place(start, interval_min, tz)

    end = start + np.multiply(interval_min, 60_000_000, dtype=np.int64)
    tolerance = future_tolerance() if tolerance is None else tolerance
    faults = {
        Reason.BAD_STAMP: bad_stamp,
        Reason.UNKNOWN_METER: meter < 0,
        Reason.WRONG_INTERVAL: _differs(interval_min, readings.interval_min),
        Reason.FUTURE_STAMP: end > received + _us(tolerance),
        Reason.OFF_GRID: ~on_grid,
    }
    details = {Reason.WRONG_INTERVAL: f"the source has intervals of {readings.interval_min} min"}
    rejections, sound = reject(frame, "profiles", faults, channels, details, readings.interval_min)

    cells, too_big = _cells(frame, channels, sound)
    rejections += too_big
    present = [p for _, p in cells.values() if p is not None]
    if len(present) == len(cells):
        sound &= np.logical_or.reduce(present) if present else False
    rows = np.flatnonzero(sound)
    if not len(rows):
        return [], rejections
    quality = frame["quality"].fillna(-1).to_numpy(np.int16) if "quality" in frame.columns else None
    rows, head, count = _fragments(rows, (meter, day, received), slot)
    first = slot[rows[head]]
    length = slot[rows[head + count - 1]] - first + 1
    shape, _ = pd.factorize(interval_min[rows[head]] * np.int64(1 << 32) + length)

    blocks = []
    for number in range(int(shape.max()) + 1):
        members = np.flatnonzero(shape == number)
        heads = rows[head[members]]
        row, there = _grid(head[members], count[members], first[members], int(length[members[0]]), slot, rows)
        block = FragmentBlock(
            interval_min=int(interval_min[heads[0]]),
            meter_id=meters.meter_id[meter[heads]],
            day=day[heads].astype("datetime64[D]"),
            start_slot=first[members].astype(np.int16),
            received_at=received[heads].view("datetime64[us]"),
            seq=(members + first_seq).astype(np.int32),
            values={},
            present={},
        )
        for c, (values, given) in cells.items():
            block_present = there if given is None else there & given[row]
            if block_present.any():
                block.values[c], block.present[c] = values[row], block_present
        if quality is not None:
            block_quality = np.where(there, quality[row], np.int16(-1))
            block.quality = block_quality if (block_quality >= 0).any() else None
        blocks.append(block)
    return blocks, rejections


def _micros(stamps: pd.Series) -> np.ndarray:
    """Microseconds since 1970 UTC; NaT is the least int64. Not to be written to."""
    return stamps.to_numpy("datetime64[us]").view(np.int64)


def sane_micros(stamps: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Stamps as microseconds since 1970 UTC, and which of them are no stamp at all or outside of EARLIEST to LATEST (set to EARLIEST)."""
    micros = _micros(stamps)
    earliest, latest = (_us(t - datetime(1970, 1, 1, tzinfo=UTC)) for t in (EARLIEST, LATEST))
    bad = (micros < earliest) | (micros >= latest)
    return np.where(bad, earliest, micros), bad


def local_days(stamps: pd.Series, tz: ZoneInfo) -> np.ndarray:
    """Business day in `tz` of each UTC stamp, datetime64[D]."""
    return stamps.dt.tz_convert(tz).dt.tz_localize(None).to_numpy("datetime64[D]")


Cells = tuple[np.ndarray, np.ndarray | None]
"""Values (int32) of a channel, one a row, and which of them are there, None = all."""


def _cells(frame: pd.DataFrame, channels: list[str], sound: np.ndarray) -> tuple[dict[str, Cells], list[Rejection]]:
    """The channels as int32; a value of a sound row that does not fit is rejected alone."""
    cells: dict[str, Cells] = {}
    outsize: dict[str, np.ndarray] = {}
    for c in channels:
        missing = frame[c].isna().to_numpy()
        wide = frame[c].to_numpy(np.int64, na_value=0)
        values = wide.astype(np.int32)
        if wide.min() < -(2**31) or wide.max() >= 2**31:
            outsize[c] = (wide != values) & sound
            missing = missing | outsize[c]
        cells[c] = values, ~missing if missing.any() else None
    if not outsize:
        return cells, []
    rows = np.flatnonzero(np.logical_or.reduce(list(outsize.values())))
    shown = frame.iloc[rows].copy()
    for c in channels:
        shown[c] = shown[c].astype("Int64").where(outsize[c][rows]) if c in outsize else pd.NA
    return cells, reject(shown, "profiles", {Reason.OUT_OF_RANGE: np.ones(len(rows), bool)}, channels)[0]


def _us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _differs(interval_min: np.ndarray, source_min: int | None) -> np.ndarray:
    return np.zeros(len(interval_min), bool) if source_min is None else interval_min != source_min


def _place(start: np.ndarray, interval_min: np.ndarray, tz: ZoneInfo) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Day (days since 1970), slot and whether the start is on the grid, counted in real time from the local midnight.

    The few distinct stamps are converted, not the rows. Tolerance is added first: a start just before midnight is the next day's.
    """
    tolerance = _us(GRID_TOLERANCE)
    codes, stamps = pd.factorize(start)
    shifted = pd.DatetimeIndex((stamps + tolerance).view("datetime64[us]")).tz_localize("UTC")
    local = shifted.tz_convert(tz).tz_localize(None).normalize()
    day_codes, days = pd.factorize(local)
    # A zone may skip or repeat midnight itself: the day then starts at its first instant.
    midnights = pd.DatetimeIndex(days).tz_localize(tz, ambiguous=np.ones(len(days), bool), nonexistent="shift_forward")
    midnight = midnights.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    since_midnight = stamps + tolerance - midnight[day_codes]
    kinds, lengths = pd.factorize(interval_min)
    interval = np.multiply(lengths, 60_000_000, dtype=np.int64)[:, None]
    slot = since_midnight // interval
    on_grid = since_midnight - slot * interval <= 2 * tolerance
    at = codes if len(lengths) == 1 else kinds * len(stamps) + codes
    day = local.to_numpy("datetime64[D]").astype(np.int32)
    return day[codes], slot.astype(np.int32).ravel()[at], on_grid.ravel()[at]


def _new(*columns: np.ndarray | pd.api.extensions.ExtensionArray) -> np.ndarray:
    """Whether a row differs in any column from the row before it; the first does."""
    new = np.ones(len(columns[0]), bool)
    new[1:] = columns[0][1:] != columns[0][:-1]
    for column in columns[1:]:
        new[1:] |= column[1:] != column[:-1]
    return new


def _ranges(start: np.ndarray, count: np.ndarray) -> np.ndarray:
    """start, start + 1, … of each, one after the other."""
    return np.repeat(start - np.cumsum(count) + count, count) + np.arange(count.sum())


def _fragments(rows: np.ndarray, keys: Sequence[np.ndarray], slot: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`rows` so ordered that a fragment is a run of ascending slots; where in them each begins, and its rows. By first appearance.

    Rows that agree in `keys` are of one fragment, but the n-th row of a slot is of the n-th fragment of its key.
    What comes in runs stays as it is; sorted is only what belongs to several runs.
    """
    new = _new(*(k[rows] for k in keys))
    new[1:] |= slot[rows[1:]] <= slot[rows[:-1]]
    head = np.flatnonzero(new)
    count = np.diff(head, append=len(rows))
    torn = pd.DataFrame({i: k[rows[head]] for i, k in enumerate(keys)}).duplicated(keep=False).to_numpy()
    if not torn.any():
        return rows, head, count

    loose = rows[_ranges(head[torn], count[torn])]
    loose = loose[np.lexsort((slot[loose], *(k[loose] for k in keys)))]
    new = _new(*(k[loose] for k in keys))
    place = np.arange(len(loose))
    nth = place - np.maximum.accumulate(np.where(new | _new(slot[loose]), place, 0))
    if nth.any():
        key = np.cumsum(new)
        by_nth = np.lexsort((nth, key))
        loose, new = loose[by_nth], _new(key[by_nth], nth[by_nth])
    mended = np.flatnonzero(new)
    appearance = np.concatenate([rows[head[~torn]], np.minimum.reduceat(loose, mended)])
    order = np.argsort(appearance)
    head = np.concatenate([head[~torn], len(rows) + mended])[order]
    count = np.concatenate([count[~torn], np.diff(mended, append=len(loose))])[order]
    return np.concatenate([rows, loose]), head, count


def _grid(
    head: np.ndarray, count: np.ndarray, first: np.ndarray, length: int, slot: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(fragments, length): the row of each slot, and whether there is one. Arguments as _fragments gives them, all of one length."""
    at = head[:, None] + np.arange(length)
    there = np.ones(at.shape, bool)
    gappy = np.flatnonzero(count < length)
    if len(gappy):
        at[gappy], there[gappy] = 0, False
        filled = _ranges(head[gappy], count[gappy])
        cell = np.repeat(gappy, count[gappy]), slot[rows[filled]] - np.repeat(first[gappy], count[gappy])
        at[cell], there[cell] = filled, True
    return rows[at], there


STAMPS = {
    "profiles": "start",
    "registers": "read_at",
    "events": "occurred_at",
    "values": "read_at",
    "nameplates": "read_at",
    "status_words": "occurred_at",
}
"""Kind of a record, as Meterhouse's own JSON (readers.native) calls its lists -> the column of its time."""

MENDED_BY_REGISTRY = frozenset({Reason.UNKNOWN_METER, Reason.WRONG_INTERVAL})


def reject(
    frame: pd.DataFrame,
    kind: str,
    faults: Mapping[Reason, np.ndarray],
    columns: Sequence[str],
    details: Mapping[Reason, str] | None = None,
    interval_min: int | None = None,
) -> tuple[list[Rejection], np.ndarray]:
    """One rejection for each row with a fault, for the first fault in order, and which rows have none.

    `kind` is one of STAMPS; a row stands for as many values as it has in `columns` (one where `columns` is empty). What an import of the
    registry can mend is kept as a record that can be replayed; `interval_min` then is that of a profile's source.
    """
    sound = ~np.logical_or.reduce(list(faults.values()))
    if sound.all():
        return [], sound
    reasons = list(faults)
    unsound = np.flatnonzero(~sound)
    codes = np.select([fault[unsound] for fault in faults.values()], range(len(faults)))
    bad = frame.iloc[unsound]
    values = bad[list(columns)].notna().sum(axis=1).to_numpy() if columns else np.ones(len(bad), int)
    rejections = []
    for code, n, row in zip(codes, values, bad.to_dict("records"), strict=True):
        there: dict[str, Any] = {str(k): v for k, v in row.items() if not _absent(v)}
        at = there.get(STAMPS[kind])
        said = {k: v for k, v in there.items() if k not in ("locator", "received_at")}
        reason = reasons[code]
        rejections.append(
            Rejection(
                reason=reason,
                locator=str(there.get("locator", "")),
                detail=(details or {}).get(reason, ""),
                payload=", ".join(f"{k}={_text(v)}" for k, v in said.items()),
                values=int(n),
                serial=there.get("serial"),
                stamp=at.to_pydatetime() if at is not None else None,
                received_at=there["received_at"].to_pydatetime() if "received_at" in there else None,
                record=_record(kind, said, interval_min) if n and reason in MENDED_BY_REGISTRY else None,
            )
        )
    return rejections, sound


def _record(kind: str, row: dict[str, Any], interval_min: int | None) -> dict[str, Any]:
    """{kind: the row}, as JSON."""
    record = {k: _json(k, v) for k, v in row.items()}
    if kind == "profiles":
        record = {k: v if k in ("serial", "start") else [v] for k, v in record.items()}
        if interval_min is not None:
            record["interval_min"] = interval_min
    return {kind: record}


def _json(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if name == "day" else value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value.item() if isinstance(value, np.generic) else value


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
