"""The synthetic DISCOM that is measured: days of readings in numpy, straight as canonical records, with known truth.

No clock runs here, and no database is known. Truth is what was sent, which meter-days have a defect or event, and every DT's balance in Wh.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from ingestion.canonical import Delivery, MeterEvents, ProfileReadings, RegisterReadings

TIMEZONE = "Asia/Kolkata"
DAY = date(2026, 10, 5)
SLOTS, INTERVAL_MIN = 48, 30
BATCH_METERS = 50_000
DEFECT_SHARE, LATE_SHARE = 0.03, 0.01
OUTAGE_SHARE, PROGRAMMING_SHARE = 0.01, 0.002
DEFECTS: dict[str, str] = {"gap": "V07", "spike": "V17", "negative": "V11", "over limit": "V16", "duplicate": "V06"}
"""Defects, and the rule that must find each."""
EVIDENCE: dict[str, str] = {"outage": "V30", "programming": "V28"}
"""What is known by events alone, and the rule that must find it, and nothing else."""
RULE_OF = DEFECTS | EVIDENCE

SANCTIONED_W, I_MAX_A, VOLTAGE_V = 3000, 30, 240
LIMIT_WH = int(1.1 * I_MAX_A * VOLTAGE_V * INTERVAL_MIN / 60)
CONSUMERS_OF_DT, CONSUMERS_OF_FEEDER = 50, 1000
_REPEATED = 6
_KINDS = list(DEFECTS)
_HOUR = np.arange(SLOTS) / 2
_SHAPE = (
    0.5
    + 0.7 * np.exp(-(((_HOUR - 7.5) / 1.5) ** 2))
    + 1.3 * np.exp(-(((_HOUR - 20) / 2.2) ** 2))
    + 0.25 * np.exp(-(((_HOUR - 14) / 3) ** 2))
)
_SUN = np.clip(np.sin((_HOUR - 6) / 12 * np.pi), 0, None)

MeterDay = tuple[date, int]
Energy = dict[str, np.ndarray]


@dataclass
class World:
    """One DISCOM. Meter ids run in order: consumers from 1, then DTs, then feeders, each with a meter.

    A day's readings hang on the seed and the day alone, so worlds of one seed agree on every day that they share. Days are asked for once
    and in order, for registers count on.
    """

    consumers: int
    days: int
    seed: int
    first: date = DAY
    sent: int = 0
    """Values handed out so far."""
    defects: dict[str, set[MeterDay]] = field(default_factory=lambda: {k: set() for k in RULE_OF})
    truth: dict[date, np.ndarray] = field(default_factory=dict)
    """Of each day, a row a DT: Wh that its consumers took and gave, that it took and gave itself, and its loss."""

    def __post_init__(self) -> None:
        self.dts, self.feeders = max(1, self.consumers // CONSUMERS_OF_DT), max(1, self.consumers // CONSUMERS_OF_FEEDER)
        self.meters = self.consumers + self.dts + self.feeders
        self.last = self.first + timedelta(days=self.days - 1)
        rng = np.random.default_rng([self.seed, 0])
        self._register = {c: rng.integers(10**5, 10**7, self.meters) for c in ("import_wh", "export_wh", "import_vah")}
        self._late = np.sort(rng.choice(self.consumers, max(1, round(self.consumers * LATE_SHARE)), replace=False)) + 1
        self._late_true = {c: np.zeros((len(self._late), SLOTS), np.int32) for c in ("import_wh", "export_wh")}

    @property
    def intervals(self) -> int:
        return self.meters * SLOTS * self.days

    @property
    def every_day(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.days)]

    def dt_of(self, consumer_id: np.ndarray) -> np.ndarray:
        """Position of the DT that feeds each consumer, from 0."""
        return np.minimum((consumer_id - 1) // CONSUMERS_OF_DT, self.dts - 1)

    def deliveries(self, days: Iterable[date] | None = None) -> Iterator[Delivery]:
        """All days, or those that are asked for."""
        for day in self.every_day if days is None else days:
            yield from self._day(day)

    def _day(self, day: date) -> Iterator[Delivery]:
        """A day in batches of about 50,000 meters: consumers first, then the DTs and feeders, whose readings follow from them."""
        taken, given = np.zeros((self.dts, SLOTS), np.int64), np.zeros((self.dts, SLOTS), np.int64)
        for low in range(1, self.consumers + 1, BATCH_METERS):
            ids = np.arange(low, min(low + BATCH_METERS, self.consumers + 1))
            rng = np.random.default_rng([self.seed, day.toordinal(), low])
            true = self._consumed(ids, rng)
            events = self._events(day, ids, true)
            dts, begins = np.unique(self.dt_of(ids), return_index=True)
            taken[dts] += np.add.reduceat(true["import_wh"], begins)
            given[dts] += np.add.reduceat(true["export_wh"], begins)
            self._remember(ids, true)
            yield self._deliver(day, ids, true, rng, spoil=True, events=events)
        net = taken - given + taken // 25  # 4 % technical loss
        flows = (taken, given, np.maximum(net, 0), np.maximum(-net, 0), net - taken + given)
        self.truth[day] = np.stack([f.sum(axis=1) for f in flows], axis=1)
        of_feeder = np.zeros((self.feeders, SLOTS), np.int64)
        np.add.at(of_feeder, np.arange(self.dts) * self.feeders // self.dts, net)
        flow = np.concatenate([net, of_feeder + np.abs(of_feeder) // 50])
        ids = np.arange(self.consumers + 1, self.meters + 1)
        rng = np.random.default_rng([self.seed, day.toordinal(), 0])
        yield self._deliver(day, ids, _energy(flow), rng, spoil=False)

    def late(self) -> Delivery:
        """The last day of 1 % of the consumers, drawn by lot, once more: corrected intervals, and the closing register that fits them."""
        ids, old = self._late, self._late_true
        rng = np.random.default_rng([self.seed, self.last.toordinal(), self.meters])
        more = rng.integers(0, 40, old["import_wh"].shape, dtype=np.int32)
        more[:, 0] += 1
        new = _with_apparent(old["import_wh"] + more, old["export_wh"])
        for c, before in _with_apparent(**old).items():
            self._register[c][ids - 1] -= before.sum(axis=1)
        again = {(self.last, int(i)) for i in ids}
        self.defects |= {kind: self.defects[kind] - again for kind in DEFECTS}
        self.defects["duplicate"] |= again
        moved = np.bincount(self.dt_of(ids), weights=more.sum(axis=1), minlength=self.dts).astype(np.int64)
        self.truth[self.last][:, 0] += moved
        self.truth[self.last][:, 4] -= moved
        return self._deliver(self.last, ids, new, rng, spoil=False, hours=40)

    def _consumed(self, ids: np.ndarray, rng: np.random.Generator) -> Energy:
        """What flows through the consumers' meters on a day. Habits and roofs are the meter's own and last."""
        own = np.random.default_rng([self.seed, int(ids[0])])
        daily = np.clip(own.lognormal(np.log(6000), 0.5, len(ids)), 1500, 18000).astype(np.float32)
        roof = np.where(own.random(len(ids)) < 0.15, own.uniform(300, 1200, len(ids)), 0).astype(np.float32)
        net = rng.random((len(ids), SLOTS), dtype=np.float32)
        net *= 0.5
        net += 0.75
        net *= daily[:, None] * (_SHAPE / _SHAPE.sum()).astype(np.float32)
        net -= roof[:, None] * _SUN.astype(np.float32)
        return _energy(np.rint(net).astype(np.int32))

    def _events(self, day: date, ids: np.ndarray, true: Energy) -> pd.DataFrame:
        """Power that fails and comes back on the day, and programming, of some consumers. Nothing flows in an outage: `true` is changed."""
        rng = np.random.default_rng([self.seed, day.toordinal(), int(ids[0]), 1])
        out = np.flatnonzero(rng.random(len(ids)) < OUTAGE_SHARE)
        programmed = np.flatnonzero(rng.random(len(ids)) < PROGRAMMING_SHARE)
        slots, begins = rng.integers(1, 7, len(out)), rng.integers(0, SLOTS - 6, len(out))
        slot = np.arange(SLOTS)
        dark = (slot >= begins[:, None]) & (slot < (begins + slots)[:, None])
        for v in true.values():
            v[out] = np.where(dark, 0, v[out])
        self.defects["outage"] |= {(day, int(i)) for i in ids[out]}
        self.defects["programming"] |= {(day, int(i)) for i in ids[programmed]}
        codes = [np.full(len(out), 101), np.full(len(out), 102), rng.integers(152, 170, len(programmed))]
        at = np.concatenate([begins, begins + slots, rng.integers(0, SLOTS, len(programmed))])
        return pd.DataFrame(
            {
                "serial": _serials(ids[np.concatenate([out, out, programmed])]),
                "occurred_at": _midnight(day) + pd.to_timedelta(at * INTERVAL_MIN, unit="min").as_unit("us"),
                "code": np.concatenate(codes),
                "detail": None,
            }
        )

    def _remember(self, ids: np.ndarray, true: Energy) -> None:
        here = (self._late >= ids[0]) & (self._late <= ids[-1])
        for c, kept in self._late_true.items():
            kept[here] = true[c][self._late[here] - ids[0]]

    def _deliver(
        self,
        day: date,
        ids: np.ndarray,
        true: Energy,
        rng: np.random.Generator,
        *,
        spoil: bool,
        events: pd.DataFrame | None = None,
        hours: int = 26,
    ) -> Delivery:
        """A day of the meters `ids`, received so many hours after it began. `true`: (meters, 48) in Wh and VAh."""
        serials, midnight = _serials(ids), _midnight(day)
        received = midnight + pd.Timedelta(hours=hours)
        at = ids - 1
        registers = []
        if day == self.first and hours == 26:
            opening = {c: r[at] for c, r in self._register.items()}
            registers.append(_registers(serials, day - timedelta(days=1), midnight, received, opening))
        for c, v in true.items():
            self._register[c][at] += v.sum(axis=1)
        closing = {c: r[at] for c, r in self._register.items()}
        registers.append(_registers(serials, day, midnight + pd.Timedelta(days=1), received, closing))
        channels = true | {"voltage_dv": rng.integers(2200, 2420, true["import_wh"].shape, dtype=np.int32)}
        readings = self._readings(ids, serials, day, midnight, received, channels, rng, spoil)
        source = f"{day} meters {ids[0]} to {ids[-1]}, received after {hours} h"
        delivery = Delivery(
            source=source,
            content_sha256=hashlib.sha256(f"{self.seed} {source}".encode()).digest(),
            received_at=received.to_pydatetime(),
            profiles=[ProfileReadings(readings, INTERVAL_MIN)],
            registers=registers,
            events=[] if events is None else [MeterEvents(events.assign(received_at=received, locator="bench"))],
        )
        self.sent += delivery.values_read
        return delivery

    def _readings(
        self,
        ids: np.ndarray,
        serials: pd.api.extensions.ExtensionArray,
        day: date,
        midnight: pd.Timestamp,
        received: pd.Timestamp,
        true: Energy,
        rng: np.random.Generator,
        spoil: bool,
    ) -> pd.DataFrame:
        kind = np.where(rng.random(len(ids)) < (DEFECT_SHARE if spoil else 0), rng.integers(0, len(_KINDS), len(ids)), -1)
        shown = true["import_wh"].copy()
        at = rng.integers(0, SLOTS - 12, len(ids))
        kept = np.ones(shown.shape, bool)
        rows = {name: np.flatnonzero(kind == k) for k, name in enumerate(_KINDS)}
        for name, hit in rows.items():
            self.defects[name] |= {(day, int(i)) for i in ids[hit]}
        spike, negative, over = rows["spike"], rows["negative"], rows["over limit"]
        shown[spike, at[spike]] = np.minimum(shown[spike].max(axis=1) * 7 // 2 + 300, LIMIT_WH - 1)
        shown[negative, at[negative]] = -5 - shown[negative, at[negative]]
        shown[over, at[over]] = 3 * LIMIT_WH
        length = rng.integers(1, 11, len(ids))
        slot = np.arange(SLOTS)
        kept[rows["gap"]] = (slot < at[rows["gap"], None]) | (slot >= (at + length)[rows["gap"], None])
        meter, column = np.nonzero(kept)
        # Six intervals that came an hour before as well, one of them with another value: the later reading stands.
        early_meter = np.repeat(rows["duplicate"], _REPEATED)
        early_column = (at[rows["duplicate"], None] + np.arange(_REPEATED)).ravel()
        values = {c: np.concatenate([v[early_meter, early_column], v[kept]]) for c, v in (true | {"import_wh": shown}).items()}
        values["import_wh"][: len(early_meter) : _REPEATED] += 7
        arrival = np.full(len(early_meter) + len(meter), received.to_datetime64())
        arrival[: len(early_meter)] -= np.timedelta64(1, "h")
        stamps = midnight + pd.to_timedelta(slot * INTERVAL_MIN, unit="min").as_unit("us")
        frame = {
            "serial": serials.take(np.concatenate([early_meter, meter])),
            "start": stamps.take(np.concatenate([early_column, column])),
            "received_at": pd.DatetimeIndex(arrival).as_unit("us").tz_localize("UTC"),
            "locator": pd.Series(["bench"], dtype="str").array.take(np.zeros(len(arrival), np.intp)),
        }
        return pd.DataFrame(frame | {c: pd.array(v, dtype="Int64") for c, v in values.items()}, copy=False)


def _serials(ids: np.ndarray) -> pd.api.extensions.ExtensionArray:
    return pd.array([f"B{i:07d}" for i in ids], dtype="str")


def _midnight(day: date) -> pd.Timestamp:
    return pd.Timestamp(day, tz=TIMEZONE).tz_convert("UTC").as_unit("us")


def _energy(net: np.ndarray) -> Energy:
    return _with_apparent(np.maximum(net, 0), np.maximum(-net, 0))


def _with_apparent(import_wh: np.ndarray, export_wh: np.ndarray) -> Energy:
    return {"import_wh": import_wh, "export_wh": export_wh, "import_vah": np.rint(import_wh / 0.94).astype(import_wh.dtype)}


def _registers(
    serials: pd.api.extensions.ExtensionArray, day: date, read_at: pd.Timestamp, received: pd.Timestamp, values: Energy
) -> RegisterReadings:
    frame = pd.DataFrame({"serial": serials, "read_at": read_at, "day": pd.Timestamp(day), "received_at": received, "locator": "bench"})
    return RegisterReadings(frame.assign(**{c: pd.array(v, dtype="Int64") for c, v in values.items()}))
