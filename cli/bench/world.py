"""The synthetic DISCOM that is measured: master data in SQL, and days of readings in numpy, straight as canonical records.

No clock runs here. Truth is known: what was sent, which meter-days have which defect, and what flows through every DT, in Wh.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd
import psycopg

from ingestion.canonical import Delivery, ProfileReadings, RegisterReadings

CODE, HES, TIMEZONE = "BENCH", "BENCH", "Asia/Kolkata"
FIRST_DAY = date(2026, 10, 5)
SLOTS, INTERVAL_MIN = 48, 30
BATCH_METERS = 50_000
DEFECT_SHARE = 0.03
RULE_OF: dict[str, str] = {"gap": "V07", "spike": "V17", "negative": "V11", "over limit": "V16", "duplicate": "V06"}
"""Defects, and the rule that must find each."""

SANCTIONED_W, I_MAX_A, VOLTAGE_V = 3000, 30, 240
LIMIT_WH = int(1.1 * I_MAX_A * VOLTAGE_V * INTERVAL_MIN / 60)
_REPEATED = 6
_KINDS = list(RULE_OF)

MeterDay = tuple[date, int]


@dataclass
class World:
    """One DISCOM. Meter ids run in order: consumers from 1, then DTs, then feeders, each with a meter."""

    consumers: int
    days: int
    seed: int
    sent: int = 0
    """Values handed out so far."""
    defects: dict[str, set[MeterDay]] = field(default_factory=lambda: {k: set() for k in RULE_OF})

    def __post_init__(self) -> None:
        self.dts, self.feeders = max(1, self.consumers // 50), max(1, self.consumers // 1000)
        self.meters = self.consumers + self.dts + self.feeders
        self.first, self.last = FIRST_DAY, FIRST_DAY + timedelta(days=self.days - 1)
        shape = (self.dts, self.days, SLOTS)
        self.consumed, self.fed_in = np.zeros(shape, np.int64), np.zeros(shape, np.int64)

    @property
    def intervals(self) -> int:
        return self.meters * SLOTS * self.days

    @property
    def feeder_of_dt(self) -> np.ndarray:
        return np.arange(self.dts) * self.feeders // self.dts

    @property
    def dt_net(self) -> np.ndarray:
        """Wh through each DT, (dts, days, 48): what its consumers took and gave, and 4 % technical loss."""
        return self.consumed - self.fed_in + self.consumed // 25

    def register(self, conn: psycopg.Connection) -> int:
        """Write the master data as the owner of the tables; the new discom_id."""
        row = conn.execute(
            "insert into registry.discom (code, name, timezone) values (%s, %s, %s) returning discom_id", [CODE, CODE, TIMEZONE]
        )
        discom_id = int(row.fetchone()[0])  # type: ignore[index]
        values = {"d": discom_id, "n": self.consumers, "dts": self.dts, "feeders": self.feeders, "hes": HES, "min": INTERVAL_MIN}
        values |= {"w": SANCTIONED_W, "a": I_MAX_A, "v": VOLTAGE_V, "meters": self.meters}
        for statement in _MASTER_DATA:
            conn.execute(statement, values)
        conn.execute(
            "analyze registry.installation, registry.meter, registry.service_point, registry.consumer, registry.consumer_index, registry.dt"
        )
        return discom_id

    def deliveries(self) -> Iterator[Delivery]:
        """The days in batches of about 50,000 meters: consumers first, then the DTs and feeders, whose readings follow from them."""
        for low in range(0, self.consumers, BATCH_METERS):
            yield from self._consumers(low, min(low + BATCH_METERS, self.consumers))
        net = self.dt_net
        of_feeder = np.zeros((self.feeders, self.days, SLOTS), np.int64)
        np.add.at(of_feeder, self.feeder_of_dt, net)
        flow = np.concatenate([net, of_feeder + np.abs(of_feeder) // 50])
        rng = np.random.default_rng([self.seed, self.consumers])
        ids = np.arange(self.consumers + 1, self.meters + 1)
        yield from self._deliver(ids, np.maximum(flow, 0), np.maximum(-flow, 0), rng, spoil=False)

    def _consumers(self, low: int, high: int) -> Iterator[Delivery]:
        rng = np.random.default_rng([self.seed, low])
        n = high - low
        hour = np.arange(SLOTS) / 2
        shape = (
            0.5
            + 0.7 * np.exp(-(((hour - 7.5) / 1.5) ** 2))
            + 1.3 * np.exp(-(((hour - 20) / 2.2) ** 2))
            + 0.25 * np.exp(-(((hour - 14) / 3) ** 2))
        )
        daily = np.clip(rng.lognormal(np.log(6000), 0.5, n), 1500, 18000)
        load = daily[:, None, None] * (shape / shape.sum()) * rng.uniform(0.75, 1.25, (n, self.days, SLOTS))
        sun = np.where(rng.random(n) < 0.15, rng.uniform(300, 1200, n), 0)[:, None, None] * np.clip(
            np.sin((hour - 6) / 12 * np.pi), 0, None
        )
        net = np.rint(load - sun).astype(np.int64)
        imported, exported = np.maximum(net, 0), np.maximum(-net, 0)
        dt = np.minimum(np.arange(low, high) // 50, self.dts - 1)
        np.add.at(self.consumed, dt, imported)
        np.add.at(self.fed_in, dt, exported)
        yield from self._deliver(np.arange(low + 1, high + 1), imported, exported, rng, spoil=True)

    def _deliver(
        self, ids: np.ndarray, imported: np.ndarray, exported: np.ndarray, rng: np.random.Generator, *, spoil: bool
    ) -> Iterator[Delivery]:
        """One delivery a day for the meters `ids`; arrays are (meters, days, 48) in Wh."""
        apparent = np.rint(imported / 0.94).astype(np.int64)
        totals = {"import_wh": imported, "export_wh": exported, "import_vah": apparent}
        register = {c: rng.integers(10**5, 10**7, len(ids)) for c in totals}
        serials = pd.array([f"B{i:07d}" for i in ids], dtype="str")
        for d in range(self.days):
            day = self.first + timedelta(days=d)
            midnight = pd.Timestamp(day, tz=TIMEZONE).tz_convert("UTC").as_unit("us")
            received = midnight + pd.Timedelta(hours=26)
            parts = [self._registers(serials, day - timedelta(days=1), midnight, received, register)] if d == 0 else []
            register = {c: register[c] + v[:, d].sum(axis=1) for c, v in totals.items()}
            parts.append(self._registers(serials, day, midnight + pd.Timedelta(days=1), received, register))
            true = {c: v[:, d] for c, v in totals.items()}
            true["voltage_dv"] = rng.integers(2200, 2420, (len(ids), SLOTS))
            delivery = Delivery(
                source=f"bench {day} meters {ids[0]} to {ids[-1]}",
                content_sha256=hashlib.sha256(f"{self.seed} {day} {ids[0]}".encode()).digest(),
                received_at=received.to_pydatetime(),
                profiles=[ProfileReadings(self._readings(ids, serials, day, midnight, received, true, rng, spoil), INTERVAL_MIN)],
                registers=parts,
            )
            self.sent += delivery.values_read
            yield delivery

    def _readings(
        self,
        ids: np.ndarray,
        serials: pd.api.extensions.ExtensionArray,
        day: date,
        midnight: pd.Timestamp,
        received: pd.Timestamp,
        true: dict[str, np.ndarray],
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
        meter, column = np.concatenate([early_meter, meter]), np.concatenate([early_column, column])
        values = {c: (shown if c == "import_wh" else v)[meter, column] for c, v in true.items()}
        values["import_wh"][: len(early_meter) : _REPEATED] += 7
        arrival = np.full(len(meter), received.to_datetime64())
        arrival[: len(early_meter)] -= np.timedelta64(1, "h")
        stamps = midnight + pd.to_timedelta(np.arange(SLOTS) * INTERVAL_MIN, unit="min").as_unit("us")
        frame = {
            "serial": serials.take(meter),
            "start": stamps.take(column),
            "received_at": pd.DatetimeIndex(arrival).as_unit("us").tz_localize("UTC"),
            "locator": pd.Series(["bench"], dtype="str").array.take(np.zeros(len(meter), np.intp)),
        }
        return pd.DataFrame(frame | {c: pd.array(v, dtype="Int64") for c, v in values.items()}, copy=False)

    def _registers(
        self,
        serials: pd.api.extensions.ExtensionArray,
        day: date,
        read_at: pd.Timestamp,
        received: pd.Timestamp,
        values: dict[str, np.ndarray],
    ) -> RegisterReadings:
        frame = pd.DataFrame({"serial": serials, "read_at": read_at, "day": pd.Timestamp(day), "received_at": received, "locator": "bench"})
        return RegisterReadings(frame.assign(**{c: pd.array(v, dtype="Int64") for c, v in values.items()}))


_MASTER_DATA = (
    "insert into registry.hes (discom_id, hes_id, code, vendor) values (%(d)s, 1, %(hes)s, 'bench')",
    "insert into registry.office (discom_id, office_id, code, name, level) values (%(d)s, 1, 'bench', 'bench', 'discom')",
    """insert into registry.office (discom_id, office_id, code, name, level, parent_id)
       select %(d)s, 1 + n, 'section ' || n, 'section ' || n, 'section', 1 from generate_series(1, %(feeders)s) n""",
    "insert into registry.substation (discom_id, substation_id, code, office_id) values (%(d)s, 1, 'substation', 1)",
    """insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id)
       select %(d)s, n, 'feeder ' || n, 1, 1 + n from generate_series(1, %(feeders)s) n""",
    """insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva)
       select %(d)s, n, 'DT ' || n, f, 1 + f, 400
       from generate_series(1, %(dts)s) n cross join lateral (select 1 + (n - 1) * %(feeders)s / %(dts)s as f) x""",
    """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
       select %(d)s, n, 'SP ' || n, t.office_id, 'domestic', %(w)s
       from generate_series(1, %(n)s) n
       join registry.dt t on t.discom_id = %(d)s and t.dt_id = 1 + least((n - 1) / 50, %(dts)s - 1) order by n""",
    """insert into registry.consumer (discom_id, consumer_id, code, service_point_id, valid_from)
       select %(d)s, n, 'C ' || n, n, '2026-01-01' from generate_series(1, %(n)s) n""",
    """insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
       select %(d)s, n, '2026-01-01', 1 + least((n - 1) / 50, %(dts)s - 1) from generate_series(1, %(n)s) n""",
    """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min, voltage_v, i_max_a)
       select %(d)s, n, 'B' || lpad(n::text, 7, '0'), 1, case when n <= %(n)s then 'D1' else 'D3' end, %(min)s,
              case when n <= %(n)s then %(v)s end, case when n <= %(n)s then %(a)s end
       from generate_series(1, %(meters)s) n""",
    """insert into registry.installation (discom_id, meter_id, valid_from, service_point_id, dt_id, feeder_id)
       select %(d)s, n, '2026-01-01', case when n <= %(n)s then n end,
              case when n > %(n)s and n <= %(n)s + %(dts)s then n - %(n)s end, case when n > %(n)s + %(dts)s then n - %(n)s - %(dts)s end
       from generate_series(1, %(meters)s) n""",
)
