"""One size: a fresh database, the stages of production on the clock, the floors, and the checks without which no time counts.

The stages are `landing.land` and `orchestration.steps.build` themselves; their parts are timed by wrapping what they call.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import psycopg
from psycopg.sql import SQL, Identifier

from cli.bench.memory import PeakMemory
from cli.bench.world import CODE, HES, RULE_OF, World
from ingestion import landing, pgcopy
from orchestration import dbt, progress, stale, steps
from warehouse import db
from warehouse.embedded import EmbeddedServer

STAGES = (
    "landed",
    "statistics",
    "meter_day",
    "measure",
    "initial suite",
    "estimated_day",
    "estimate suite",
    "energy",
    "dbt tests and views",
    "reports",
)
"""In the order of the work. `dbt tests and views`: all that dbt does of the readings beside the models named. `reports`: views and tests of
energy and reports, and every report read in full."""

BALANCED = STAGES[:-1]
"""Landed to balanced."""

MODEL_STAGE = {
    "meter_day": "meter_day",
    "measure": "measure",
    "estimated_day": "estimated_day",
    "dt_day": "energy",
    "feeder_day": "energy",
}

Say = Callable[[str], None]


class BenchError(RuntimeError):
    """The run is not right, so its times mean nothing; the message says what differs."""


@dataclass
class SizeResult:
    """What one size gave. Seconds by stage, by part of landing, by dbt node, by report and by floor; octets of memory and disk."""

    consumers: int
    meters: int
    dts: int
    feeders: int
    days: int
    intervals: int
    values: int
    defects: dict[str, int]
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    landing_parts: dict[str, float] = field(default_factory=lambda: {"cutting": 0.0, "encoding": 0.0})
    nodes: dict[str, float] = field(default_factory=dict)
    reports: dict[str, float] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)
    peak_octets: dict[str, int] = field(default_factory=dict)
    disk_octets: int = 0
    disk_octets_empty: int = 0
    checks: list[str] = field(default_factory=list)
    with_reports: bool = True

    @property
    def balanced_s(self) -> float:
        return sum(self.seconds[s] for s in BALANCED)

    @property
    def total_s(self) -> float:
        return sum(self.seconds.values())

    @property
    def floor_s(self) -> float:
        """What PostgreSQL needs at least: the rows in once, and through once."""
        return self.floors["binary COPY"] + self.floors["INSERT … SELECT"]


def warm_up() -> None:
    """Import libraries and let dbt read its project, which a process pays once and not by size."""
    import great_expectations  # noqa: F401

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)  # names its temporary folders
    dbt.run(["run", "--select", "config.schema:staging"])


@contextmanager
def fresh_database(server: EmbeddedServer, name: str, *, keep: bool = False) -> Iterator[None]:
    """A migrated database of its own, which METERHOUSE_DATABASE_URL names meanwhile; dropped afterwards unless `keep`."""
    before = os.environ.get("METERHOUSE_DATABASE_URL")
    with psycopg.connect(server.url("postgres"), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        conn.execute(SQL("create database {}").format(Identifier(name)))
        os.environ["METERHOUSE_DATABASE_URL"] = server.url(name)
        try:
            db.migrate()
            yield
        finally:
            if before is None:
                del os.environ["METERHOUSE_DATABASE_URL"]
            else:
                os.environ["METERHOUSE_DATABASE_URL"] = before
            if not keep:
                conn.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))


def measure(
    server: EmbeddedServer,
    consumers: int,
    days: int,
    seed: int,
    *,
    with_reports: bool = True,
    keep: bool = False,
    say: Say = lambda _: None,
) -> SizeResult:
    """Land, build and check `days` of a DISCOM with so many consumers; without reports it ends at the balances.

    Raises BenchError where the outcome is not what was sent.
    """
    world = World(consumers, days, seed)
    with fresh_database(server, f"bench_{consumers}_{os.getpid()}", keep=keep), PeakMemory(server.status().pid) as memory:
        say("master data, imports and parsing")
        warm_up()
        with db.connect("meterhouse_owner") as conn:
            discom_id = world.register(conn)
        result = SizeResult(consumers, world.meters, world.dts, world.feeders, days, world.intervals, 0, {}, with_reports=with_reports)
        result.disk_octets_empty = _database_octets()
        accepted = _land(world, result, memory, say)
        result.values, result.defects = world.sent, {k: len(v) for k, v in world.defects.items()}
        _build(discom_id, world, result, memory, say)
        if with_reports:
            _read_reports(result, memory, say)
        result.disk_octets = _database_octets()
        result.peak_octets = memory.peaks
        say("checks")
        result.checks = check(world, discom_id, accepted)
        _floors(result, say)
    return result


def _database_octets() -> int:
    with db.connect("meterhouse_owner") as conn:
        return int(conn.execute("select pg_database_size(current_database())").fetchone()[0])  # type: ignore[index]


# --- the stages ---


@contextmanager
def _replaced(where: Any, name: str, wrap: Callable[[Any], Any]) -> Iterator[None]:
    original = getattr(where, name)
    setattr(where, name, wrap(original))
    try:
        yield
    finally:
        setattr(where, name, original)


def _land(world: World, result: SizeResult, memory: PeakMemory, say: Say) -> int:
    """Values accepted. The clock stands while a batch is generated."""
    parts = result.landing_parts

    def timed_cut(cut: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            done = cut(*args, **kwargs)
            parts["cutting"] += time.perf_counter() - started
            return done

        return call

    def timed_encode(encode: Any) -> Any:
        def call(columns: Any) -> Iterator[bytes]:
            chunks = encode(columns)
            while True:
                started = time.perf_counter()
                chunk = next(chunks, None)
                parts["encoding"] += time.perf_counter() - started
                if chunk is None:
                    return
                yield chunk

        return call

    accepted = 0
    with db.connect() as conn, _replaced(landing, "cut", timed_cut), _replaced(pgcopy, "encode", timed_encode):
        started = time.perf_counter()
        discom = landing.DiscomContext.load(conn, CODE)
        result.seconds["landed"] += time.perf_counter() - started
        say("generating")
        for delivery in world.deliveries():
            say(f"landing {delivery.source}")
            memory.stage, started = "landed", time.perf_counter()
            accepted += landing.land(conn, discom, discom.hes_id(HES), delivery).accepted
            result.seconds["landed"] += time.perf_counter() - started
            memory.stage = None
            say("generating")
    return accepted


def _build(discom_id: int, world: World, result: SizeResult, memory: PeakMemory, say: Say) -> None:
    def timed_dbt(run: Any) -> Any:
        def call(args: list[str], *rest: Any, **kwargs: Any) -> Any:
            memory.stage = group = next(g for g, select in steps.DBT_GROUPS.items() if select.split()[0] in args)
            selected = [a for a in args if result.with_reports or a != "config.schema:reports"]
            started = time.perf_counter()
            nodes = run(selected, *rest, **kwargs)
            others = time.perf_counter() - started
            for node in nodes:
                result.nodes[node.unique_id] = node.seconds
                stage = MODEL_STAGE.get(node.unique_id.rpartition(".")[2]) if node.unique_id.startswith("model.") else None
                if stage:
                    result.seconds[stage] += node.seconds
                    others -= node.seconds
            result.seconds["reports" if group == "reports" else "dbt tests and views"] += max(others, 0.0)
            return nodes

        return call

    def timed(name: Callable[[tuple[Any, ...]], str]) -> Callable[[Any], Any]:
        def wrap(function: Any) -> Any:
            def call(*args: Any) -> Any:
                memory.stage, started = name(args), time.perf_counter()
                done = function(*args)
                result.seconds[name(args)] += time.perf_counter() - started
                return done

            return call

        return wrap

    class Progress:
        def expect(self, steps: int) -> None:
            pass

        def done(self, name: str, status: str) -> None:
            say(f"built {name}")

    with (
        progress.listening(Progress()),
        _replaced(dbt, "run", timed_dbt),
        _replaced(steps, "judge", timed(lambda args: f"{args[-1]} suite")),
        _replaced(stale, "begin_build", timed(lambda _: "statistics")),
        _replaced(stale, "end_build", timed(lambda _: "statistics")),
    ):
        say("building")
        steps.build(CODE, discom_id, world.first, world.last)
    memory.stage = None


def _read_reports(result: SizeResult, memory: PeakMemory, say: Say) -> None:
    """Most reports are views: their cost is in the reading."""
    with db.connect("meterhouse_dbt") as conn:
        conn.execute("set local enable_nestloop = off")  # as api.reports.repository reads
        names = [r[0] for r in conn.execute(_REPORTS)]
        memory.stage = "reports"
        for name in names:
            say(f"reading {name}")
            started = time.perf_counter()
            with conn.cursor() as cur, cur.copy(SQL("copy (select * from {}) to stdout").format(Identifier("reports", name))) as copy:
                for _ in copy:
                    pass
            result.reports[name] = time.perf_counter() - started
        memory.stage = None
    result.seconds["reports"] += sum(result.reports.values())


# --- the floors ---


def _floors(result: SizeResult, say: Say) -> None:
    """The same rows with nothing done to them, into tables like raw.profile_fragment with its index, in a database of the same settings."""
    say("floors")
    # As the URL's own user, for none of our roles may make tables here.
    url, wait = db.database_url(), db.CONNECT_TIMEOUT_S
    with psycopg.connect(url, connect_timeout=wait) as conn, conn.cursor() as cur, tempfile.TemporaryFile() as spool:
        with cur.copy("copy (select * from raw.profile_fragment) to stdout (format binary)") as out:
            for chunk in out:
                spool.write(chunk)
        spool.seek(0)
        cur.execute("create schema bench")
        for table in ("bench_copied", "bench_inserted"):
            cur.execute(SQL("create table {} (like raw.profile_fragment including all)").format(Identifier("bench", table)))
        conn.commit()
        result.floors["binary COPY"] = _clock(conn, lambda: _copy_in(cur, spool))
        result.floors["INSERT … SELECT"] = _clock(
            conn, lambda: cur.execute("insert into bench.bench_inserted select * from bench.bench_copied")
        )
        cur.execute("set max_parallel_workers_per_gather = 0")
        result.floors["sequential scan"] = _clock(
            conn, lambda: cur.execute("select count(*), sum(cardinality(import_wh)) from bench.bench_inserted")
        )
        cur.execute("drop schema bench cascade")
        conn.commit()


def _copy_in(cur: psycopg.Cursor, spool: IO[bytes]) -> None:
    with cur.copy("copy bench.bench_copied from stdin (format binary)") as copy:
        while chunk := spool.read(1 << 20):
            copy.write(chunk)


def _clock(conn: psycopg.Connection, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    conn.commit()
    return time.perf_counter() - started


# --- the checks ---


def check(world: World, discom_id: int, accepted: int) -> list[str]:
    """What was compared and holds. Raises BenchError at the first that does not."""
    held: list[str] = []

    def hold(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise BenchError(f"{what}: {found} found, {expected} expected. The times of this run mean nothing, and none are kept")
        held.append(what)

    with db.connect("meterhouse_owner") as conn:
        hold("values accepted = values sent", accepted, world.sent)
        stored = conn.execute(_STORED, [discom_id, discom_id]).fetchone()
        hold("values stored in raw = values sent", int(stored[0]), world.sent)  # type: ignore[index]
        found: dict[str, set[tuple[Any, int]]] = {rule: set() for rule in RULE_OF.values()}
        for rule, day, meter in conn.execute(
            "select rule, day, meter_id from vee.exception where discom_id = %s and stage = 'initial'", [discom_id]
        ):
            found.setdefault(rule, set()).add((day, meter))
        for kind, rule in RULE_OF.items():
            hold(f"every {kind} is found by {rule}", len(world.defects[kind] - found[rule]), 0)
        hold("no rule finds a meter-day without defect", len(set().union(*found.values()) - set().union(*world.defects.values())), 0)
        rows = conn.execute(
            """select consumer_import_wh, consumer_export_wh, dt_import_wh, dt_export_wh, loss_wh
               from energy.dt_day where discom_id = %s order by dt_id, day""",
            [discom_id],
        ).fetchall()
    net = world.dt_net
    flows = (world.consumed, world.fed_in, np.maximum(net, 0), np.maximum(-net, 0), net - world.consumed + world.fed_in)
    truth = np.stack([f.sum(axis=2).ravel() for f in flows], axis=1)
    hold("DT balances", len(rows), len(truth))
    wrong = sum(tuple(row) != tuple(int(v) for v in expected) for row, expected in zip(rows, truth, strict=True))
    hold("every DT balance closes with the truth, to the Wh", wrong, 0)
    return held


_REPORTS = """
select relname from pg_class
where relnamespace = 'reports'::regnamespace and relkind in ('v', 'm', 'r', 'p') and not relispartition order by relname"""

_STORED = """
select (select coalesce(sum(cardinality(array_remove(import_wh, null)) + cardinality(array_remove(export_wh, null))
                            + cardinality(array_remove(import_vah, null)) + cardinality(array_remove(voltage_dv, null))), 0)
        from raw.profile_fragment where discom_id = %s)
     + (select coalesce(sum(num_nonnulls(import_wh, export_wh, import_vah)), 0) from raw.register_reading where discom_id = %s)"""
