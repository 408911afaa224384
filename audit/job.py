"""The monthly audit of a DISCOM: suspected wrong tags and currents that do not come back through the phase, group by group of feeders.

A substation's feeders are one group: wrong tags lie with neighbours. Of a month up to MAX_DAYS days are read, so that what a group costs
is bounded: a consumer's days of voltage say after ten of them nearly all that thirty would.
"""

from __future__ import annotations

import calendar
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import psycopg

from audit import currents, repository
from audit.currents import Mismatch
from audit.indexing import Group, Settings, Suspicion, suspicions
from audit.repository import CONSUMER_CHANNELS, DT_CHANNELS, NO_VALUE, CurrentMismatch, SuspectedTag
from warehouse import db

logger = logging.getLogger(__name__)

MAX_DAYS = 10
MAX_CONSUMERS = 20_000
"""Of a group: some 300 MB."""
CHUNK = 2_000
"""Meters that are looked up at once."""
PHASES = "RYB"


@dataclass(frozen=True)
class AuditReport:
    """What a run looked at and found."""

    days: int
    consumers: int
    suspected: int
    possible: int
    mismatches: int
    seconds: float


class NothingBuiltError(RuntimeError):
    """No day of the month was built: there is nothing to check."""


def audit_month(discom_id: int, code: str, month: date, settings: Settings | None = None) -> AuditReport:
    """Check the tags and currents of a month anew, in one transaction; what an earlier run of the month found is replaced.

    Raises NothingBuiltError, and psycopg.Error; what was there then stays.
    """
    started = time.perf_counter()
    settings = settings or Settings()
    first, last = month.replace(day=1), month.replace(day=calendar.monthrange(month.year, month.month)[1])
    with db.connect("meterhouse_dbt") as conn:
        built = repository.built_days(conn, discom_id, first, last)
        if not built:
            raise NothingBuiltError(f"no day of {first:%Y-%m} is built for {code}: meterhouse run --discom {code} builds it")
        days = spread(built, MAX_DAYS)
        run = _Run(conn, discom_id, days, first, last)
        tags: list[SuspectedTag] = []
        mismatches: list[CurrentMismatch] = []
        for of_dts, of_consumers in run.groups():
            group, found = run.read(of_dts, of_consumers)
            mismatches += found
            tags += [_tag(s, settings, run.dts[of_dts], run.consumers[of_consumers]) for s in suspicions(group, settings)]
        repository.replace_month(conn, discom_id, first, days, len(run.consumers), tags, mismatches)
    suspected = sum(t.state == "suspected" for t in tags)
    report = AuditReport(
        len(days), len(run.consumers), suspected, len(tags) - suspected, len(mismatches), round(time.perf_counter() - started, 2)
    )
    logger.info("%s %s: %s", code, first, report)
    return report


def spread(days: list[date], most: int) -> list[date]:
    """At most so many of the days, evenly over all of them."""
    if len(days) <= most:
        return days
    return [days[round(i)] for i in np.linspace(0, len(days) - 1, most)]


def _tag(s: Suspicion, settings: Settings, dts: np.ndarray, consumers: np.ndarray) -> SuspectedTag:
    return SuspectedTag(
        service_point_id=int(consumers["service_point_id"][s.consumer]),
        tagged_dt_id=int(dts["dt_id"][s.tagged]),
        better_dt_id=int(dts["dt_id"][s.better]),
        better_phase=None if s.phase is None else PHASES[s.phase],
        state="suspected" if s.confidence >= settings.confidence else "possible",
        confidence=s.confidence,
        voltage_evidence=s.voltage,
        energy_evidence=s.energy,
        outage_evidence=s.outage,
        distance_evidence=s.distance,
        voltage_r_tagged=s.r_tagged,
        voltage_r_better=s.r_better,
        outages=s.outages_own,
        outages_tagged=s.outages_tagged,
        outages_better=s.outages_better,
        tagged_m=s.m_tagged,
        better_m=s.m_better,
    )


class _Run:
    """Master data and power failures of a run, read once, and the arrays of a group at a time."""

    def __init__(self, conn: psycopg.Connection, discom_id: int, days: list[date], first: date, last: date) -> None:
        self.conn, self.discom_id, self.days = conn, discom_id, days
        self.dts = repository.dts(conn, discom_id, days[-1])
        self.consumers = repository.consumers(conn, discom_id, days[-1])
        self.failures = repository.power_failures(conn, discom_id, first, last)

    def groups(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Positions of the DTs and of the consumers of each group."""
        place = np.searchsorted(self.dts["dt_id"], self.consumers["dt_id"])
        below = np.bincount(place, minlength=len(self.dts))
        for substation in np.unique(self.dts["substation_id"]):
            mine = self.dts["substation_id"] == substation
            part: list[int] = []
            for feeder in np.unique(self.dts["feeder_id"][mine]):
                more = np.flatnonzero(mine & (self.dts["feeder_id"] == feeder)).tolist()
                if part and below[part].sum() + below[more].sum() > MAX_CONSUMERS:
                    yield self._group(part, place)
                    part = []
                part += more
            yield self._group(part, place)

    @staticmethod
    def _group(dts: list[int], place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.sort(np.array(dts)), np.flatnonzero(np.isin(place, dts))

    def read(self, of_dts: np.ndarray, of_consumers: np.ndarray) -> tuple[Group, list[CurrentMismatch]]:
        """The arrays of a group, in slots as long as those of most of its DTs; and the currents that do not match."""
        dts, consumers = self.dts[of_dts], self.consumers[of_consumers]
        lengths, counts = np.unique(dts["interval_min"], return_counts=True)
        slots = 1440 // int(lengths[counts.argmax()])
        shape = len(self.days) * slots
        wh, dt_wh = _empty(len(consumers), shape), _empty(len(dts), shape)
        volts, dt_volts = _empty(len(consumers), shape), np.full((len(dts), 3, shape), np.nan, dtype=np.float32)
        mismatches: list[CurrentMismatch] = []
        for at, channel in self._chunks(consumers, slots, CONSUMER_CHANNELS):
            wh[at] = (channel["import_wh"] - np.nan_to_num(channel["export_wh"])) * consumers["mf"][at, None]
            volts[at] = _voltage(channel["voltage_dv"])
            found = currents.mismatches(channel["current_ma"], channel["current_n_ma"], 24 / slots)
            mismatches += [_mismatch(x, consumers["meter_id"][at]) for x in found]
        for at, channel in self._chunks(dts, slots, DT_CHANNELS):
            dt_wh[at] = (channel["import_wh"] - np.nan_to_num(channel["export_wh"])) * dts["mf"][at, None]
            dt_volts[at] = np.stack([_voltage(channel[c]) for c in DT_CHANNELS[2:]], axis=1)
        group = Group(
            slots=slots,
            dt_feeder=dts["feeder_id"].astype(np.int64),
            dt_position=np.stack([dts["latitude"], dts["longitude"]], axis=1).astype(np.float64),
            dt_volts=dt_volts,
            dt_wh=dt_wh,
            tagged=np.searchsorted(dts["dt_id"], consumers["dt_id"]).astype(np.int64),
            position=np.stack([consumers["latitude"], consumers["longitude"]], axis=1).astype(np.float64),
            volts=volts,
            wh=wh,
            dt_outages=self._outages(dts["meter_id"]),
            outages=self._outages(consumers["meter_id"]),
        )
        return group, mismatches

    def _chunks(self, of: np.ndarray, slots: int, channels: tuple[str, ...]) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Positions in `of`, and their channels (n, T), NaN where nothing is. Meters with shorter slots are folded, others left out."""
        first_day = [(d - repository.EPOCH).days for d in self.days]
        for length in np.unique(of["interval_min"]).tolist():
            own = 1440 // length
            if own % slots:
                continue
            mine = np.flatnonzero((of["interval_min"] == length) & (of["meter_id"] > 0))
            for start in range(0, len(mine), CHUNK):
                at = mine[start : start + CHUNK]
                rows = repository.days_of(self.conn, self.discom_id, of["meter_id"][at].tolist(), self.days, own, channels)
                day = np.searchsorted(first_day, rows["day"])
                values = {}
                for c in channels:
                    full = np.full((len(at), len(self.days), own), np.nan, dtype=np.float32)
                    came = rows[c]["value"]
                    full[rows["nr"], day] = np.where(came == NO_VALUE, np.nan, came)
                    parts = full.reshape(len(at), -1, own // slots)
                    values[c] = parts.sum(axis=2) if c.endswith("_wh") else parts.mean(axis=2)
                yield at, values

    def _outages(self, meters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(meters, kind="stable")
        there = np.minimum(np.searchsorted(meters[order], self.failures["meter_id"]), len(meters) - 1)
        mine = (meters[order][there] == self.failures["meter_id"]) if len(meters) else np.zeros(len(self.failures), dtype=bool)
        return order[there[mine]].astype(np.int64), self.failures["at_s"][mine].astype(np.int64)


def _empty(rows: int, columns: int) -> np.ndarray:
    return np.full((rows, columns), np.nan, dtype=np.float32)


def _voltage(decivolts: np.ndarray) -> np.ndarray:
    """V; nothing where there is no supply: it says nothing of where a meter hangs."""
    return np.where(decivolts > 0, decivolts / 10, np.nan).astype(np.float32)


def _mismatch(x: Mismatch, meters: np.ndarray) -> CurrentMismatch:
    return CurrentMismatch(int(meters[x.meter]), x.slots, x.excess_slots, x.phase_ah, x.neutral_ah)
