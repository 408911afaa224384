"""What the charts of the dashboards wait, with 90 days of 100,000 meters behind them, built as production builds them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from cli.bench.clock import Clock
from cli.bench.growth import produce
from cli.bench.kept import kept_database, made_before
from cli.bench.master_data import CODE
from cli.bench.push import free_port
from cli.bench.report import machine_line, markdown
from cli.bench.stages import BenchError, Say
from cli.bench.world import World
from cli.console import count
from dashboards import server_control
from dashboards.client import Client, administrator
from dashboards.generate import boards
from dashboards.sync import sync
from dashboards.tenants import tenant
from dashboards.warm import Answer, by_board, warm
from warehouse import settings
from warehouse.embedded import EmbeddedServer

FIRST = date(2026, 7, 3)
DATABASE = "bench_dashboards"
HOLD_S = 2.0


def run(server: EmbeddedServer, meters: int, days: int, seed: int, keep: bool, say: Say) -> dict[str, Any]:
    """Build the days, start a Superset and ask each chart past any cache; the run as JSON. Raises BenchError or SupersetError."""
    # Superset's own database ends with the run, as do the keys that it was written with.
    with kept_database(server, DATABASE, keep=keep, beside=f"superset_of_{DATABASE}"):
        if made_before(meters, days) is None:
            with Clock(server.status().pid) as clock:
                produce(World(meters, days, seed, FIRST), clock, say)
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
        "answers": [asdict(a) for a in answers],
        "machine": machine_line(server),
    }


@contextmanager
def _superset(say: Say) -> Iterator[Client]:
    """Superset with a home of its own, so that one that runs is left alone."""
    before = settings.home()
    with tempfile.TemporaryDirectory(prefix="meterhouse-bench-") as home:
        os.environ["METERHOUSE_HOME"] = home
        try:
            say("starting Superset")
            server_control.up(free_port())
            with administrator() as client:
                yield client
        finally:
            server_control.down()
            os.environ["METERHOUSE_HOME"] = str(before)


def table(doc: dict[str, Any]) -> list[list[str]]:
    """Rows by dashboard, header first."""
    rows = [["dashboard", "charts", "without rows", "all one after the other, s", "slowest, s", "which", f"each ≤ {HOLD_S:g} s"]]
    answers = [Answer(**a) for a in doc["answers"]]
    designed = boards()
    for board, of_it in by_board(answers).items():
        slowest = of_it[0]
        held = "yes" if slowest.seconds <= HOLD_S else "no"
        empty, whole = sum(not a.rows for a in of_it), sum(a.seconds for a in of_it)
        rows.append([designed[board]["title"], str(len(of_it)), str(empty), f"{whole:.1f}", f"{slowest.seconds:.2f}", slowest.chart, held])
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
