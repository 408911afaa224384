"""Canonical records: what every vendor's data becomes before it is landed. Columnar, because a day of a DISCOM is millions of values.

Nothing here knows a vendor, a file format or the database. A *value* is one channel or register at one stamp, or one event; counts are
of values, and `received = accepted + rejected` holds for every `Delivery`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from warehouse.codes import Reason
from warehouse.tables import ALL_CHANNELS, REGISTERS

CHANNEL_SET = frozenset(ALL_CHANNELS)
REGISTER_SET = frozenset(REGISTERS)
STATUS_WORD_OCTETS = 16


@dataclass
class ProfileReadings:
    """Interval values as read, one row a (meter, stamp), before they are cut into meter-days.

    `frame` columns: `serial` (str, or a categorical of str), `start` (datetime64[us, UTC], start of the interval), `received_at`
    (datetime64[us, UTC]), `locator` (str or categorical: where in the source, e.g. "line 17"), one column for each channel present
    (warehouse.tables.ALL_CHANNELS; Int64 with <NA> = no value, or any integers where all are there), optional `quality` (Int16: a
    warehouse.codes.Quality that the source states, <NA> = none). Row order is the source's: of two rows for one slot the later wins
    unless `received_at` says otherwise. Any order is landed alike; the quickest has each meter's intervals together and in time.
    `interval_min` is that of the source, or None where only the registry knows it.
    """

    frame: pd.DataFrame
    interval_min: int | None


@dataclass
class RegisterReadings:
    """Cumulative registers at a boundary.

    `frame` columns: `serial`, `read_at` (datetime64[us, UTC]), `day` (datetime64: the business day that the register closes, i.e. the
    day before a midnight stamp in the source's zone), `received_at`, `locator`, one Int64 column for each register present
    (warehouse.tables.REGISTERS), optional `md_import_at` (UTC).
    """

    frame: pd.DataFrame


@dataclass
class MeterEvents:
    """`frame` columns: `serial`, `occurred_at` (UTC), `code` (int), `received_at`, `locator`, `detail` (dict or None)."""

    frame: pd.DataFrame


@dataclass
class MeterValues:
    """Instantaneous and billing profiles, and of daily rows what is not in warehouse.tables.REGISTERS: one row a value.

    `frame` columns: `serial`, `read_at` (datetime64[us, UTC]), `day` (datetime64: the business day of an instantaneous reading, the day
    that a daily or billing row closes), `received_at`, `locator`, `quantity` (warehouse.tables.QUANTITIES), `zone` (0 = total, 1 to 8 =
    TOD zone), `value` (Int64, no <NA>), `at` (UTC or NaT: when a maximum demand was).
    `profile` is one of warehouse.tables.PROFILES.
    """

    frame: pd.DataFrame
    profile: str


@dataclass
class Nameplates:
    """What a meter says of itself. `frame` columns: `serial`, `read_at` (UTC), `received_at`, `locator`, `attribute`, `text`."""

    frame: pd.DataFrame


@dataclass
class StatusWords:
    """Event status words. `frame` columns: `serial`, `occurred_at` (UTC), `word` (16 octets), `received_at`, `locator`."""

    frame: pd.DataFrame


@dataclass(frozen=True)
class Rejection:
    """Something that was received and not understood. `values` is how many values it stands for (1 where that cannot be known)."""

    reason: Reason
    locator: str
    payload: str
    detail: str = ""
    values: int = 1
    serial: str | None = None
    stamp: datetime | None = None
    """UTC, where it could be read."""
    received_at: datetime | None = None
    """When this record was received, where a delivery holds records of several receipts: V05 counts future stamps by it."""
    profile: str | None = None
    """Of the vendor file, where it is known."""
    code: str | None = None
    """OBIS or vendor's code that no map knows."""
    record: dict[str, Any] | None = None
    """What was understood of it as Meterhouse's own JSON (readers.native), where only the registry did not know it: it can be replayed."""


@dataclass
class Delivery:
    """One payload of a head-end system, taken apart: what lands in one transaction under one batch."""

    source: str
    content_sha256: bytes
    received_at: datetime
    profiles: list[ProfileReadings] = field(default_factory=list)
    registers: list[RegisterReadings] = field(default_factory=list)
    events: list[MeterEvents] = field(default_factory=list)
    values: list[MeterValues] = field(default_factory=list)
    nameplates: list[Nameplates] = field(default_factory=list)
    status_words: list[StatusWords] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    @property
    def values_read(self) -> int:
        """Values understood so far, before the registry is asked (landing may still reject some)."""
        frames = [
            *((p.frame, CHANNEL_SET) for p in self.profiles),
            *((r.frame, REGISTER_SET) for r in self.registers),
        ]
        n: int = sum(int(f[c].notna().sum()) for f, names in frames for c in f.columns if c in names)
        one_a_row = (self.events, self.values, self.nameplates, self.status_words)
        return n + sum(len(kind.frame) for kinds in one_a_row for kind in kinds)

    @property
    def values_rejected(self) -> int:
        return sum(r.values for r in self.rejections)


@dataclass
class ProfileFragment:
    """One or more consecutive intervals of one meter within one business day: a row of raw.profile_fragment."""

    meter_id: int
    day: date
    start_slot: int
    interval_min: int
    received_at: datetime
    channels: dict[str, list[int | None]]


@dataclass
class FragmentBlock:
    """Many fragments of one length as matrices, the form that is copied into the warehouse.

    All arrays have n rows: `meter_id` int32, `day` datetime64[D], `start_slot` int16, `received_at` datetime64[us] (UTC), `seq` int32.
    `values[channel]` is int32 (n, length) and `present[channel]` bool (n, length): False = NULL, whatever the value; channels may share one
    `present`. A channel that a row lacks altogether (all False) is stored as NULL, not as an array of NULLs. `quality` is int16
    (n, length), -1 = not stated, or None.
    """

    interval_min: int
    meter_id: np.ndarray
    day: np.ndarray
    start_slot: np.ndarray
    received_at: np.ndarray
    seq: np.ndarray
    values: dict[str, np.ndarray]
    present: dict[str, np.ndarray]
    quality: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.meter_id)

    def fragments(self) -> Iterator[ProfileFragment]:
        """The rows one by one, for looking at; landing never walks them."""
        for i in range(len(self)):
            yield ProfileFragment(
                meter_id=int(self.meter_id[i]),
                day=self.day[i].astype("datetime64[D]").item(),
                start_slot=int(self.start_slot[i]),
                interval_min=self.interval_min,
                received_at=self.received_at[i].astype("datetime64[us]").item(),
                channels={
                    c: [int(v) if ok else None for v, ok in zip(m[i], self.present[c][i], strict=True)]
                    for c, m in self.values.items()
                    if self.present[c][i].any()
                },
            )
