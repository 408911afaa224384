"""What the charts of the dashboards wait, with 90 days of 100,000 meters behind them, built as production builds them."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg.sql import SQL, Identifier

from cli.bench.clock import Clock
from cli.bench.database import as_owner, fresh_database, settle, warm_up
from cli.bench.master_data import CODE, register
from cli.bench.report import machine_line, markdown
from cli.bench.stages import BenchError, Say, build, land
from cli.bench.world import World
from cli.console import count
from dashboards import server_control
from dashboards.client import Client, administrator
from dashboards.generate import boards
from dashboards.sync import sync
from dashboards.tenants import tenant
from dashboards.warm import Answer, warm
from warehouse import db
from warehouse.embedded import EmbeddedServer

FIRST = date(2026, 7, 3)
DAYS_AT_ONCE = 8
DATABASE = "bench_dashboards"
HOLD_S = 2.0


def run(server: EmbeddedServer, meters: int, days: int, seed: int, keep: bool, say: Say) -> dict[str, Any]:
    """Build the days, start a Superset and ask each chart past any cache; the run as JSON. Raises BenchError or SupersetError."""
    with _database(server, keep):
        if not _made_before(meters, days):
            _make(server, World(meters, days, seed, FIRST), say)
        with _superset(say) as client:
            of = tenant(CODE)
            say("bringing in the dashboards")
            sync(client, [of])
            say("charts, to warm up")
            list(warm(client, of, anew=True))
            say("charts")
            answers = list(warm(client, of, anew=True))
    if wrong := [f"{a.board}, {a.chart}: {a.error}" for a in answers if a.error]:
        raise BenchError(f"{len(wrong)} charts do not answer, so the times are none: {wrong[:3]}")
    return {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "consumers": meters,
        "days": days,
        "answers": [vars(a) for a in answers],
        "machine": machine_line(server),
    }


@contextmanager
def _database(server: EmbeddedServer, keep: bool) -> Iterator[None]:
    """The warehouse, a kept one where it may be; Superset's own beside it never outlives the keys that it was written with."""
    with psycopg.connect(server.url("postgres"), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:

        def drop(name: str) -> None:
            conn.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))

        drop(f"superset_of_{DATABASE}")
        if not keep:
            drop(DATABASE)
        there = conn.execute("select from pg_database where datname = %s", [DATABASE]).fetchone() is not None
        with fresh_database(server, DATABASE, keep=keep, there=there):
            yield
        drop(f"superset_of_{DATABASE}")


def _made_before(meters: int, days: int) -> bool:
    with as_owner() as conn:
        found = conn.execute(
            """select (select count(*) from registry.service_point s where s.discom_id = d.discom_id),
                      (select count(*) from ops.day_build b where b.discom_id = d.discom_id and b.built_at is not null)
               from registry.discom d where d.code = %s""",
            [CODE],
        ).fetchone()
    if found is not None and found != (meters, days):
        raise BenchError(f"the database that was kept has {found[0]} meters x {found[1]} days: run once without --keep, which drops it")
    return found is not None


def _make(server: EmbeddedServer, world: World, say: Say) -> None:
    say("imports, parsing, tables")
    warm_up()
    with as_owner() as conn:
        discom_id = register(conn, world)
    with Clock(server.status().pid) as clock:
        for n in range(0, world.days, DAYS_AT_ONCE):
            some = world.every_day[n : n + DAYS_AT_ONCE]
            told = partial(_told, say, f"days {n + 1} and on of {world.days}")
            land(world.deliveries(some), clock, told)
            build(discom_id, some[0], some[-1], clock, told, with_reports=True)
    say("vacuum and analyze")
    settle()


def _told(say: Say, where: str, text: str) -> None:
    say(f"{where}: {text}")


@contextmanager
def _superset(say: Say) -> Iterator[Client]:
    """Superset with a home of its own, so that one that runs is left alone."""
    with tempfile.TemporaryDirectory(prefix="meterhouse-bench-") as home, patch.dict(os.environ, {"METERHOUSE_HOME": home}):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = int(s.getsockname()[1])
        say("starting Superset")
        server_control.up(port)
        try:
            with administrator() as client:
                yield client
        finally:
            server_control.down()


def table(doc: dict[str, Any]) -> list[list[str]]:
    """Rows by dashboard, header first."""
    rows = [["dashboard", "charts", "without rows", "all one after the other, s", "slowest, s", "which", f"each ≤ {HOLD_S:g} s"]]
    answers = [Answer(**a) for a in doc["answers"]]
    for board, design in boards().items():
        of_it = [a for a in answers if a.board == board]
        slowest = max(of_it, key=lambda a: a.seconds)
        held = "yes" if slowest.seconds <= HOLD_S else "no"
        empty, whole = sum(not a.rows for a in of_it), sum(a.seconds for a in of_it)
        rows.append([design["title"], str(len(of_it)), str(empty), f"{whole:.1f}", f"{slowest.seconds:.2f}", slowest.chart, held])
    return rows


def section(doc: dict[str, Any]) -> str:
    """The section of docs/benchmarks.md."""
    return "\n\n".join(
        [
            f"Written by `meterhouse bench-dashboards --write-docs` from the run of {doc['measured_at']}. {doc['machine']}",
            f"{count(doc['consumers'])} consumers x {doc['days']} days, landed and built by production. Each chart as its dashboard "
            "opens it, by Superset's REST API under the DISCOM's log-in and row-level security, without a cache, one after the other; the "
            "second round counts.",
            markdown(table(doc)),
        ]
    )
