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
from warehouse.tables import CHANNELS

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
        """Position of each serial in the arrays, -1 = unknown. Only the distinct serials are looked up."""
        codes, distinct = pd.factorize(serials)
        return np.append(self.serials.get_indexer(pd.Index(distinct, dtype=object)), -1)[codes]


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
    channels = [c for c in CHANNELS if c in frame.columns]
    values, present = _matrices(frame, channels)
    meter = meters.find(frame["serial"])
    interval_min = np.append(meters.interval_min, 1)[meter].astype(np.int64)
    start, bad_stamp = sane_micros(frame["start"])
    received = frame["received_at"].dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    day, slot, on_grid = _place(start, interval_min, tz)

    end = start + interval_min * 60_000_000
    tolerance = future_tolerance() if tolerance is None else tolerance
    faults = {
        Reason.BAD_STAMP: bad_stamp,
        Reason.UNKNOWN_METER: meter < 0,
        Reason.WRONG_INTERVAL: _differs(interval_min, readings.interval_min),
        Reason.FUTURE_STAMP: end > received + _us(tolerance),
        Reason.OFF_GRID: ~on_grid,
    }
    details = {Reason.WRONG_INTERVAL: f"the source has intervals of {readings.interval_min} min"}
    rejections, sound = reject(frame, "start", faults, channels, details)

    too_big = present & ((values > 2**31 - 1) | (values < -(2**31))) & sound[:, None]
    if too_big.any():
        outsize = frame[too_big.any(axis=1)].copy()
        for i, c in enumerate(channels):
            outsize[c] = outsize[c].where(too_big[too_big.any(axis=1), i])
        rejections += reject(outsize, "start", {Reason.OUT_OF_RANGE: np.ones(len(outsize), bool)}, channels)[0]
        present &= ~too_big
    rows = np.flatnonzero(sound & present.any(axis=1))
    if not len(rows):
        return [], rejections
    quality = frame["quality"].fillna(-1).to_numpy(np.int16)[rows] if "quality" in frame.columns else None
    blocks = _scatter(
        channels=channels,
        values=values[rows],
        present=present[rows],
        quality=quality,
        meter_id=meters.meter_id[meter[rows]],
        interval_min=interval_min[rows],
        day=day[rows],
        slot=slot[rows],
        received=received[rows],
        first_seq=first_seq,
    )
    return blocks, rejections


def sane_micros(stamps: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Stamps as microseconds since 1970 UTC, and which of them are no stamp at all or outside of EARLIEST to LATEST (set to EARLIEST)."""
    bad = ~((stamps >= EARLIEST) & (stamps < LATEST)).to_numpy(bool)
    return stamps.mask(bad, EARLIEST).dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64), bad


def local_days(stamps: pd.Series, tz: ZoneInfo) -> np.ndarray:
    """Business day in `tz` of each UTC stamp, datetime64[D]."""
    return stamps.dt.tz_convert(tz).dt.tz_localize(None).to_numpy("datetime64[D]")


def _matrices(frame: pd.DataFrame, channels: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """(rows, channels) of int64 values, 0 where there is none, and of presence."""
    values = np.zeros((len(frame), len(channels)), np.int64)
    present = np.zeros(values.shape, bool)
    for i, c in enumerate(channels):
        present[:, i] = frame[c].notna().to_numpy()
        values[:, i] = frame[c].to_numpy(np.int64, na_value=0)
    return values, present


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
    since_midnight = (stamps + tolerance - midnight[day_codes])[codes]
    interval = interval_min * 60_000_000
    slot = since_midnight // interval
    on_grid = since_midnight - slot * interval <= 2 * tolerance
    day = local.to_numpy("datetime64[D]").astype(np.int64)[codes]
    return day, slot, on_grid


def _scatter(
    *,
    channels: list[str],
    values: np.ndarray,
    present: np.ndarray,
    quality: np.ndarray | None,
    meter_id: np.ndarray,
    interval_min: np.ndarray,
    day: np.ndarray,
    slot: np.ndarray,
    received: np.ndarray,
    first_seq: int,
) -> list[FragmentBlock]:
    """All arrays have one entry a row; every row has a value."""
    fragment = _number([meter_id, day, received])
    occurrence = _occurrence(fragment, slot)
    if occurrence.any():
        fragment = _number([fragment, occurrence])
    # Numbers count by first appearance, so of two fragments of a meter-day the later one has the later seq.
    _, head = np.unique(fragment, return_index=True)
    by_fragment = pd.Series(slot).groupby(fragment)
    first = by_fragment.min().to_numpy()
    length = by_fragment.max().to_numpy() - first + 1
    shape = _number([interval_min[head], length])

    blocks = []
    position = np.empty(len(head), np.int64)
    for number in range(int(shape.max()) + 1):
        members = np.flatnonzero(shape == number)
        position[members] = np.arange(len(members))
        at = np.flatnonzero(shape[fragment] == number) if shape.max() else slice(None)
        row = position[fragment[at]]
        column = slot[at] - first[fragment[at]]
        size = (len(members), int(length[members[0]]))
        block_values: dict[str, np.ndarray] = {}
        block_present: dict[str, np.ndarray] = {}
        for i, c in enumerate(channels):
            if not present[at, i].any():
                continue
            block_values[c] = np.zeros(size, np.int32)
            block_values[c][row, column] = values[at, i]
            block_present[c] = np.zeros(size, bool)
            block_present[c][row, column] = present[at, i]
        block_quality = None
        if quality is not None and (quality[at] >= 0).any():
            block_quality = np.full(size, -1, np.int16)
            block_quality[row, column] = quality[at]
        heads = head[members]
        blocks.append(
            FragmentBlock(
                interval_min=int(interval_min[heads[0]]),
                meter_id=meter_id[heads],
                day=day[heads].view("datetime64[D]"),
                start_slot=first[members].astype(np.int16),
                received_at=received[heads].view("datetime64[us]"),
                seq=(members + first_seq).astype(np.int32),
                values=block_values,
                present=block_present,
                quality=block_quality,
            )
        )
    return blocks


def _number(keys: list[np.ndarray]) -> np.ndarray:
    """Numbers rows that agree in all keys, from 0, by first appearance."""
    numbers = pd.factorize(keys[0])[0]
    for key in keys[1:]:
        codes, distinct = pd.factorize(key)
        numbers = pd.factorize(numbers * len(distinct) + codes)[0]
    return numbers


def _occurrence(fragment: np.ndarray, slot: np.ndarray) -> np.ndarray:
    """How many rows of the same fragment and slot came before each row."""
    key = pd.Series(fragment * (int(slot.max()) + 1) + slot)
    if not key.duplicated().any():
        return np.zeros(len(slot), np.int64)
    return key.groupby(key).cumcount().to_numpy()


def reject(
    frame: pd.DataFrame,
    stamp: str,
    faults: Mapping[Reason, np.ndarray],
    columns: Sequence[str],
    details: Mapping[Reason, str] | None = None,
) -> tuple[list[Rejection], np.ndarray]:
    """One rejection for each row with a fault, for the first fault in order, and which rows have none.

    `stamp` names the column of the row's time; a row stands for as many values as it has in `columns` (one where `columns` is empty).
    """
    codes = np.select(list(faults.values()), range(len(faults)), -1)
    sound = codes < 0
    if sound.all():
        return [], sound
    reasons = list(faults)
    bad = frame[~sound]
    values = bad[list(columns)].notna().sum(axis=1).to_numpy() if columns else np.ones(len(bad), int)
    rejections = []
    for code, n, row in zip(codes[~sound], values, bad.to_dict("records"), strict=True):
        there: dict[str, Any] = {str(k): v for k, v in row.items() if not _absent(v)}
        at = there.get(stamp)
        rejections.append(
            Rejection(
                reason=reasons[code],
                locator=str(there.get("locator", "")),
                detail=(details or {}).get(reasons[code], ""),
                payload=", ".join(f"{k}={_text(v)}" for k, v in there.items() if k not in ("locator", "received_at")),
                values=int(n),
                serial=there.get("serial"),
                stamp=at.to_pydatetime() if at is not None else None,
                received_at=there["received_at"].to_pydatetime() if "received_at" in there else None,
            )
        )
    return rejections, sound


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
