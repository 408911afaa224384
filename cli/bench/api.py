"""What the clients of the API wait, with much behind it. What it answers is compared with the warehouse first."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from psycopg.rows import dict_row

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from cli.bench.api_world import ApiWorld, make
from cli.bench.clock import cpu_seconds, stolen_seconds
from cli.bench.database import as_owner, settle
from cli.bench.kept import kept_database, made_before
from cli.bench.push import WORKERS, serving
from cli.bench.report import machine_line, markdown
from cli.bench.stages import BenchError, Say
from cli.bench.world import World
from cli.console import count
from warehouse.embedded import EmbeddedServer

HOLD_S = 0.1
SAMPLE = 40
"""Meters whose answers are compared with the warehouse."""
SLACK_S = 60
"""How long the load process may take beyond its time."""
BENCH_DB = "bench_api"


@dataclass(frozen=True)
class Endpoint:
    """What a request waited, seconds."""

    name: str
    requests: int
    errors: int
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float


def run(
    server: EmbeddedServer, meters: int, days: int, clients: int, seconds: int, think: float, warm_up: int, seed: int, keep: bool, say: Say
) -> dict[str, Any]:
    """Make the warehouse, compare, load; the run as JSON. Raises BenchError."""
    with kept_database(server, BENCH_DB, keep=keep):
        if before := made_before(meters, days):
            discom_id, first = before
            made = ApiWorld(World(meters, days, seed, first), discom_id, first, first + timedelta(days=days - 1))
        else:
            made = make(meters, days, seed, say)
        say("vacuum and analyze")
        settle()
        key, key_id, secret = new_key()
        with as_owner() as conn:
            insert_key(conn, made.discom_id, key_id, secret, None, "bench", [], 10**7, role="analyst")
        with serving() as port:
            url = f"http://127.0.0.1:{port}"
            say("comparing answers with the warehouse")
            with httpx.Client(base_url=url, headers={HEADER: key}, timeout=60) as client:
                compared = list(compare(client, made, seed))
            say(f"{clients} clients, {warm_up} s to warm up and {seconds} s measured")
            # Not by a Clock: to sample memory takes locks of the very processes that are to answer.
            roots = [os.getpid(), *([pid] if (pid := server.status().pid) else [])]
            cpu, stolen, began = cpu_seconds(roots), stolen_seconds(), time.monotonic()
            measured = load(url, made, key, clients, seconds, think, warm_up, seed)
            passed = time.monotonic() - began
            cores_busy, cores_stolen = (cpu_seconds(roots) - cpu) / passed, (stolen_seconds() - stolen) / passed
    endpoints = [asdict(e) for e in endpoints_of(measured)]
    return {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "meters": made.world.meters,
        "consumers": meters,
        "days": days,
        "clients": clients,
        "think_s": think,
        "workers": WORKERS,
        "seconds": measured["measured_s"],
        "cores_busy": cores_busy,
        "cores_stolen": cores_stolen,
        "load_average": os.getloadavg()[0],
        "compared": compared,
        "endpoints": endpoints,
        "said": measured["said"],
        "machine": machine_line(server),
    }


# --- answers first ---


def compare(client: httpx.Client, made: ApiWorld, seed: int) -> Iterator[str]:
    """Compare answers with views of the final layer and tables of balances; in words what was compared. Raises BenchError."""
    rng = random.Random(seed)  # noqa: S311
    with as_owner() as conn, conn.cursor(row_factory=dict_row) as cursor:
        kinds: set[str] = set()
        days = 0
        for _ in range(SAMPLE):
            meter = rng.randint(1, made.world.meters)
            first = made.first + timedelta(days=rng.randint(0, max(made.days - 7, 0)))
            last = min(first + timedelta(days=6), made.last)
            of = {"discom": made.discom_id, "meter": meter, "first": first, "last": last}
            span = {"from": first.isoformat(), "to": last.isoformat()}
            told = _rows(client, f"/meters/B{meter:07d}/consumption", {**span, "resolution": "interval"})
            wanted = cursor.execute(_INTERVALS, of).fetchall()
            _same(
                [(datetime.fromisoformat(r["start"]), r["import_kwh"], r["kvah"], r["quality"]) for r in told],
                [(r["starts_at"], float(r["import_kwh"]), float(r["import_kvah"]), r["quality"]) for r in wanted],
                f"intervals of meter {meter} from {first}",
            )
            kinds |= {r["quality"] for r in told}
            by_day = _rows(client, f"/meters/B{meter:07d}/consumption", span)
            _same(
                [(r["start"][:10], round(r["import_kwh"] * 1000)) for r in by_day],
                [(r["day"].isoformat(), r["wh"]) for r in cursor.execute(_DAYS, of).fetchall()],
                f"days of meter {meter} from {first}",
            )
            days += len(by_day)
        yield f"{days} meter-days of {SAMPLE} meters with vee.interval_reading and vee.final_day (qualities {', '.join(sorted(kinds))})"
        for kind, heads in (("dt", made.world.dts), ("feeder", made.world.feeders)):
            head = rng.randint(1, heads)
            code = f"{'DT' if kind == 'dt' else 'feeder'} {head}"
            span = {"from": made.first.isoformat(), "to": made.last.isoformat()}
            told = _rows(client, f"/energy/{kind}/{code}", span)
            query = f"select day, loss_wh from energy.{kind}_day where discom_id = %s and {kind}_id = %s order by day"  # noqa: S608
            wanted = cursor.execute(query, [made.discom_id, head]).fetchall()
            _same(
                [(r["start"][:10], r["loss_wh"]) for r in told],
                [(r["day"].isoformat(), r["loss_wh"]) for r in wanted],
                f"balances of {code}",
            )
        yield f"{made.days} balances each of a DT and a feeder with energy.dt_day and feeder_day"


def _rows(client: httpx.Client, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1{path}", params=query)
    if answer.status_code != 200:
        raise BenchError(f"GET {path} {query} is answered with {answer.status_code}: {answer.text[:300]}")
    return list(answer.json()["rows"])


def _same(told: list[Any], wanted: list[Any], what: str) -> None:
    if told != wanted:
        differing = next((pair for pair in zip(told, wanted, strict=False) if pair[0] != pair[1]), (len(told), len(wanted)))
        raise BenchError(f"{what}: the API says other than the warehouse: {differing[0]} and {differing[1]}")


_INTERVALS = """
select starts_at, import_kwh, import_kvah, quality from vee.interval_reading
where discom_id = %(discom)s and meter_id = %(meter)s and day >= %(first)s and day <= %(last)s order by starts_at"""
_DAYS = """
select day, import_day_wh as wh from vee.final_day
where discom_id = %(discom)s and meter_id = %(meter)s and day >= %(first)s and day <= %(last)s order by day"""


# --- then times ---


def load(
    url: str, made: ApiWorld, key: str, clients: int, seconds: int, think: float = 1.0, warm_up: int = 0, seed: int = 1
) -> dict[str, Any]:
    """Run locust in a process of its own; what it measured after `warm_up` s, as api_load.py writes it. Raises BenchError."""
    setup = {
        "first": made.first.isoformat(),
        "days": made.days,
        "consumers": made.world.consumers,
        "dts": made.world.dts,
        "feeders": made.world.feeders,
        "key": key,
        "header": HEADER,
        "seed": seed,
        "think_s": think,
        "warm_up_s": warm_up,
    }
    with tempfile.TemporaryDirectory() as folder:
        return _locust(url, setup, clients, seconds + warm_up, Path(folder))


def _locust(url: str, setup: dict[str, Any], clients: int, seconds: int, folder: Path) -> dict[str, Any]:
    file, out = folder / "setup.json", folder / "out.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({**setup, "out": str(out)}))
    command = [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("api_load.py")), "--headless", "--only-summary"]
    command += ["--host", url, "--users", str(clients), "--spawn-rate", str(clients), "--run-time", f"{seconds}s", "--loglevel", "ERROR"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, "METERHOUSE_BENCH_SETUP": str(file)}, stdout=log, stderr=log)
        try:
            process.wait(seconds + SLACK_S)
        except subprocess.TimeoutExpired:
            raise BenchError(f"the load process did not end within {seconds + SLACK_S} s") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)
    if not out.exists():
        raise BenchError(f"the load process failed: {(folder / 'log').read_text()[-1000:]}")
    measured: dict[str, Any] = json.loads(out.read_text())
    if not measured["seconds"]:
        raise BenchError("the load process sent nothing after its warm-up: give it more --seconds")
    return measured


def endpoints_of(measured: dict[str, Any]) -> Iterator[Endpoint]:
    """By name, and all together at the end."""
    named = sorted(measured["seconds"].items())
    for name, seconds in [*named, ("all", [s for _, found in named for s in found])]:
        p50, p95, p99 = (float(np.percentile(seconds, p)) for p in (50, 95, 99))
        errors = sum(measured["faults"].values()) if name == "all" else measured["faults"].get(name, 0)
        yield Endpoint(name, len(seconds), errors, p50, p95, p99, max(seconds))


def table(doc: dict[str, Any]) -> list[list[str]]:
    """Rows of a run, header first."""
    rows = [["GET /api/v1/…", "requests/s", "p50 ms", "p95 ms", "p99 ms", "most ms", "errors", "p99 < 100 ms"]]
    for e in doc["endpoints"]:
        times = [f"{e[k] * 1000:.0f}" for k in ("p50_s", "p95_s", "p99_s", "max_s")]
        held = "yes" if e["p99_s"] < HOLD_S and not e["errors"] else "no"
        rows.append([e["name"], f"{e['requests'] / doc['seconds']:.1f}", *times, str(e["errors"]), held])
    return rows


def section(doc: dict[str, Any]) -> str:
    """The section of docs/benchmarks.md."""
    think = "no pause" if not doc["think_s"] else f"{doc['think_s']:g} s of pause on average (half to one and a half times that)"
    return "\n\n".join(
        [
            f"Written by `make bench-api ARGS=--write-docs` from the run of {doc['measured_at']}. {doc['machine']}",
            f"{count(doc['consumers'])} consumers, {count(doc['meters'])} meters, {doc['days']} days: "
            f"{count(doc['meters'] * doc['days'])} meter-days, made by a generator straight into what the final layer reads: "
            "3 % of the days with an estimated gap, 1 % doubted, 0.5 % in two fragments, some edited.",
            f"{doc['clients']} clients in another process (locust), each with one connection, {think} between an answer and its next "
            f"request, {doc['seconds']:.0f} s after a warm-up. {doc['workers']} processes of the API. All share the "
            f"machine: together they kept {doc['cores_busy']:.1f} cores busy, and the host took {doc['cores_stolen']:.2f} "
            f"cores for others; load average at the end {doc['load_average']:.1f}.",
            "Compared before any time was taken: " + "; ".join(doc["compared"]) + ".",
            markdown(table(doc)),
        ]
    )
