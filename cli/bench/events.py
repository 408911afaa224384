"""Events per second: from the bytes of a push to the stored alert, as a transport does it (read, land, commit)."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psycopg

from cli.bench.database import as_owner, fresh_database
from cli.bench.master_data import CODE, HES, register
from cli.bench.stages import BenchError
from cli.bench.world import World
from ingestion.alerts.outages import group_outages
from ingestion.events import DICTIONARY
from ingestion.landing import DiscomContext, land
from ingestion.readers import read
from ingestion.vendor import load_vendor
from warehouse import db
from warehouse.embedded import EmbeddedServer

CODES = (7, 8, 9, 10, 51, 63, 101, 102, 201, 251)
RULES = {
    "version": 1,
    "rules": [
        {
            "name": "every event",
            "when": {"event": sorted({DICTIONARY.resolve(None, None, c).event for c in CODES})},
            "throttle_min": 1,
            "send": [{"webhook": "http://127.0.0.1:9/"}],
        }
    ],
}


@dataclass(frozen=True)
class EventsResult:
    """What came of it. Latencies in seconds, from when a batch was due to be given to the reader until its alerts were committed."""

    events: int
    seconds: float
    alerts: int
    p50_s: float
    p99_s: float
    max_s: float
    outages_s: float
    """What it took afterwards to group all power failures among them, of every DT, to outages."""

    @property
    def per_second(self) -> float:
        return self.events / self.seconds


def measure_events(
    server: EmbeddedServer,
    *,
    meters: int = 100_000,
    events: int = 20_000,
    batch: int = 200,
    per_second: float | None = 2_000,
    seed: int = 1,
) -> EventsResult:
    """Push `events` in batches at a steady pace (None = as quick as it goes), each event of another meter where there are enough.

    Latency counts from the instant at which the pace says that a batch comes, so waiting behind a slow one counts.
    """
    rng = np.random.default_rng(seed)
    with fresh_database(server, f"bench_events_{os.getpid()}"), TemporaryDirectory() as folder:
        rules = Path(folder) / "default.yml"
        rules.write_text(json.dumps(RULES))
        before = os.environ.get("METERHOUSE_ALERT_RULES")
        os.environ["METERHOUSE_ALERT_RULES"] = folder
        try:
            with as_owner() as conn:
                register(conn, World(meters, 1, seed))
            with db.connect() as conn:
                return _push(conn, rng, meters, events, batch, per_second)
        finally:
            os.environ.pop("METERHOUSE_ALERT_RULES")
            if before is not None:
                os.environ["METERHOUSE_ALERT_RULES"] = before


def _push(
    conn: psycopg.Connection, rng: np.random.Generator, meters: int, events: int, batch: int, per_second: float | None
) -> EventsResult:
    discom = DiscomContext.load(conn, CODE)
    vendor = load_vendor("vendor_b")
    now = datetime.now(UTC)
    local = now.astimezone(discom.timezone).replace(tzinfo=None)
    who = rng.permutation(np.resize(np.arange(1, meters + 1), events))
    code = rng.choice(CODES, events)
    ago = rng.integers(1, 3600, events)
    payloads = []
    for low in range(0, events, batch):
        rows = zip(who[low : low + batch], ago[low : low + batch], code[low : low + batch], strict=True)
        lines = [f"B{m:07d},{local - timedelta(seconds=int(s)):%d-%m-%Y %H:%M:%S},{c}" for m, s, c in rows]
        payloads.append("\n".join(["METER_NO,EVENT_TIME,EVENT_CODE", *lines, ""]).encode())
    name = f"event_{local:%Y%m%d_%H%M%S}.csv"
    latencies = []
    start = time.perf_counter()
    for n, payload in enumerate(payloads):
        due = start + n * batch / per_second if per_second else time.perf_counter()
        if (wait := due - time.perf_counter()) > 0:
            time.sleep(wait)
        result = land(conn, discom, discom.hes_id(HES), read(vendor, name, payload, now))
        if result.rejected:
            raise BenchError(f"{result.rejected} events were rejected: {result.rejected_by_reason}")
        latencies.append(time.perf_counter() - due)
    seconds = time.perf_counter() - start
    row = conn.execute("select count(*) + coalesce(sum(repeats), 0) from ops.alert").fetchone()
    if row is None or row[0] != events:
        raise BenchError(f"{events} events were landed, each to raise an alert, and {row} alerts and repeats are stored")
    p50, p99 = np.quantile(latencies, [0.5, 0.99])
    conn.commit()
    start = time.perf_counter()
    group_outages(conn)
    outages_s = time.perf_counter() - start
    return EventsResult(events, seconds, int(row[0]), float(p50), float(p99), max(latencies), outages_s)
