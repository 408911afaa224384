"""The push path: bodies of 100 meters to the API's own processes, acknowledged = committed; then a bare COPY of the same rows.

Clients, API and PostgreSQL share the cores, as they would not in production.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import orjson

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.meters.service import NATIVE
from cli.bench.database import as_owner, fresh_database
from cli.bench.floors import COPY, floors
from cli.bench.master_data import register
from cli.bench.stages import BenchError, Say
from cli.bench.world import DAY, INTERVAL_MIN, World
from warehouse import settings
from warehouse.embedded import EmbeddedServer

METERS_A_BODY = 100
CLIENTS = 4
WORKERS = 2
CHANNELS = ("import_wh", "export_wh", "import_vah", "voltage_dv")
SHAPES = ((48, 400), (1, 1000))
"""Intervals of each meter in a body (a day, or the latest), and bodies."""
PATH = "/api/v1/meters/readings"
START_S = 300


@dataclass(frozen=True)
class Push:
    """`copy_s` is what a binary COPY of the same rows took, in transactions of the same size. Latencies are those of a client."""

    slots: int
    bodies: int
    intervals: int
    seconds: float
    copy_s: float
    p50_ms: float
    p99_ms: float

    @property
    def intervals_per_s(self) -> float:
        return self.intervals / self.seconds


def push(server: EmbeddedServer, slots: int, bodies: int, seed: int, say: Say) -> Push:
    """Push `bodies` of 100 meters x `slots` intervals x 4 channels. Raises BenchError where what is stored is not what was sent."""
    meters = METERS_A_BODY * 20
    with fresh_database(server, f"bench_push_{slots}_{os.getpid()}"):
        with as_owner() as conn:
            discom_id = register(conn, World(meters, 1, seed))
            key, key_id, secret = new_key()
            insert_key(conn, discom_id, key_id, secret, 1, "bench", [], 10**6)
            conn.commit()
        say("push: making bodies")
        sent, total = _bodies(meters, slots, bodies, seed)
        with serving() as port:
            say("push: warming up")
            _send(port, key, sent[:CLIENTS])
            say(f"push: {bodies} bodies of {METERS_A_BODY} meters x {slots}")
            started = time.perf_counter()
            latencies = _send(port, key, sent[CLIENTS:])
            seconds = time.perf_counter() - started
        _check(len(sent) * METERS_A_BODY * slots, total)
        copy_s = floors(say)[COPY] * bodies / len(sent)
    p50, p99 = (float(np.percentile(latencies, p)) * 1000 for p in (50, 99))
    return Push(slots, bodies, bodies * METERS_A_BODY * slots, seconds, copy_s, p50, p99)


def _bodies(meters: int, slots: int, bodies: int, seed: int) -> tuple[list[bytes], int]:
    """`bodies` and a few to warm up with, no two alike; and the sum of import_wh over all of them."""
    rng = np.random.default_rng(seed)
    found, total = [], 0
    for n in range(bodies + CLIENTS):
        first = n * METERS_A_BODY % meters
        start = DAY + timedelta(days=n * METERS_A_BODY // meters * max(1, slots * INTERVAL_MIN // 1440))
        at = f"{start}T00:00:00+05:30" if slots > 1 else f"{start}T{rng.integers(24):02d}:00:00+05:30"
        values = rng.integers(0, 2000, (METERS_A_BODY, len(CHANNELS), slots))
        total += int(values[:, 0].sum())
        profiles = [
            {"serial": f"B{first + m + 1:07d}", "start": at, "interval_min": INTERVAL_MIN, **dict(zip(CHANNELS, v.tolist(), strict=True))}
            for m, v in enumerate(values)
        ]
        found.append(orjson.dumps({"profiles": profiles}))
    return found, total


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def serving() -> Iterator[int]:
    """The API as `meterhouse api` starts it, with WORKERS processes, on a free port of loopback. Its log: bench/api.log."""
    port = free_port()
    command = [sys.executable, "-m", "cli.main", "api", "--port", str(port), "--workers", str(WORKERS)]
    log = settings.home() / "bench" / "api.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + START_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"the API did not start within {START_S} s: see {log}")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _send(port: int, key: str, bodies: Sequence[bytes]) -> list[float]:
    """Seconds that each body took, sent by CLIENTS connections side by side. Raises BenchError where one is not acknowledged."""
    left, lock = iter(bodies), threading.Lock()
    seconds: list[float] = []
    faults: list[str] = []
    headers = {HEADER: key, "Content-Type": NATIVE}

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while not faults:
            with lock:
                body = next(left, None)
            if body is None:
                break
            began = time.perf_counter()
            try:
                connection.request("POST", PATH, body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except OSError as e:
                faults.append(f"{type(e).__name__}: {e}")
                break
            seconds.append(time.perf_counter() - began)
            if answer.status != 200 or orjson.loads(text)["rejected"]:
                faults.append(text.decode(errors="replace")[:500])
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if faults:
        raise BenchError(f"a body was not acknowledged: {faults[0]}")
    return seconds


def _check(intervals: int, total: int) -> None:
    with as_owner() as conn:
        found = conn.execute("select sum(cardinality(import_wh)), sum(ops.total(import_wh)) from raw.profile_fragment").fetchone()
    if found != (intervals, total):
        raise BenchError(f"{intervals} intervals with {total} Wh were sent and acknowledged, but {found} are stored")
