"""A run as one JSON document, and that document as tables on the console and as docs/benchmarks.md. No measuring here."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from rich.table import Table

from cli.bench.measure import SizeResult
from cli.console import console, count
from warehouse import db
from warehouse.embedded import SERVER_SETTINGS, EmbeddedServer

PACKAGES = ("meterhouse", "dbt-core", "dbt-postgres", "great-expectations", "pandas", "numpy", "psycopg")
SHOWN = (
    "shared_buffers",
    "work_mem",
    "maintenance_work_mem",
    "max_wal_size",
    "wal_level",
    "jit",
    "max_parallel_workers_per_gather",
    "fsync",
)
MB = 1 << 20


def document(server: EmbeddedServer, results: Sequence[SizeResult], seed: int) -> dict[str, Any]:
    """Everything of a run, as JSON."""
    return {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "seed": seed,
        "machine": _machine(),
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "server": _server(server),
        "sizes": [
            asdict(r) | {"balanced_s": r.balanced_s, "total_s": r.total_s, "floor_s": r.floor_s, "ratio": r.balanced_s / r.floor_s}
            for r in results
        ],
        "growth": [_growth_between(a, b) for a, b in pairwise(results)],
    }


def _growth_between(a: SizeResult, b: SizeResult) -> dict[str, float]:
    growth = {"meters": b.consumers / a.consumers, "balanced": b.balanced_s / a.balanced_s}
    return growth | ({"total": b.total_s / a.total_s} if a.with_reports == b.with_reports else {})


def _machine() -> dict[str, Any]:
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {"cores": len(os.sched_getaffinity(0)), "cpu": cpu, "memory_gb": round(memory / MB, 1), "system": platform.system()}


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _server(server: EmbeddedServer) -> dict[str, str]:
    with psycopg.connect(server.url("postgres"), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        names = ["server_version", *dict.fromkeys([*SHOWN, *(s for s in SERVER_SETTINGS if s in SHOWN)])]
        return {n: str(conn.execute(SQL("show {}").format(Identifier(n))).fetchone()[0]) for n in names}  # type: ignore[index]


_ALL = {True: "all", False: "all but reports"}


# --- tables: rows of text, for the console and for the page ---


def _stages(size: dict[str, Any]) -> list[list[str]]:
    rows = [["stage", "s", "intervals/s", "values/s", "share", "peak MB"]]
    phase = {"meter_day": "measure", "estimated_day": "final", "energy": "reports", "dbt tests and views": ""}
    for stage, s in [*size["seconds"].items(), ("landed to balanced", size["balanced_s"]), (_ALL[size["with_reports"]], size["total_s"])]:
        peak = size["peak_octets"].get(phase.get(stage, stage))
        if stage == "measure":
            peak = None  # sampled by group: meter_day's figure holds for both
        if stage in _ALL.values():
            peak = max(size["peak_octets"].values(), default=0)
        rate = [count(size["intervals"] / s), count(size["values"] / s)] if s else ["", ""]
        rows.append([stage, f"{s:.2f}", *rate, f"{s / size['total_s']:.0%}", count(peak / MB) if peak else ""])
        if stage == "landed":
            for part, seconds in size["landing_parts"].items():
                rows.append([f"· of it {part}", f"{seconds:.2f}", "", "", f"{seconds / size['total_s']:.0%}", ""])
    return rows


def _floors(size: dict[str, Any]) -> list[list[str]]:
    rows = [["floor", "s", "intervals/s", "landed to balanced / floor"]]
    for name, s in [*size["floors"].items(), ("COPY + INSERT … SELECT", size["floor_s"])]:
        rows.append([name, f"{s:.2f}", count(size["intervals"] / s), f"{size['balanced_s'] / s:.1f}"])
    return rows


def _nodes(size: dict[str, Any], limit: int = 10) -> list[list[str]]:
    slowest = sorted(size["nodes"].items(), key=lambda n: -n[1])[:limit]
    return [["dbt node", "s"], *([name.partition(".")[2].partition(".")[2], f"{s:.2f}"] for name, s in slowest)]


def _reports(size: dict[str, Any]) -> list[list[str]]:
    return [["report, read in full", "s"], *([name, f"{s:.2f}"] for name, s in size["reports"].items())]


def _growth(growth: list[dict[str, float]]) -> list[list[str]]:
    kinds = {"meters": "meters", "balanced": "landed to balanced", "total": "all"}
    return [list(kinds.values()), *([f"x {g[k]:.1f}" if k in g else "" for k in kinds] for g in growth)]


def _heading(size: dict[str, Any]) -> str:
    day = "1 day" if size["days"] == 1 else f"{size['days']} days"
    return f"{count(size['consumers'])} consumers, {count(size['dts'])} DTs, {count(size['feeders'])} feeders, {day}"


def _facts(size: dict[str, Any]) -> str:
    disk = size["disk_octets"] - size["disk_octets_empty"]
    defects = ", ".join(f"{n} {k}" for k, n in size["defects"].items())
    return (
        f"{count(size['intervals'])} intervals, {count(size['values'])} values sent; "
        f"{count(size['disk_octets'] / MB)} MB on disk ({disk / size['values']:.1f} octets a value, master data included); "
        f"defects: {defects}."
    )


def show(doc: dict[str, Any]) -> None:
    """The run on the console."""
    console.print(_machine_line(doc))
    for size in doc["sizes"]:
        console.print(f"\n[bold]{_heading(size)}[/bold]\n{_facts(size)}", highlight=False)
        for rows in (_stages(size), _floors(size), _nodes(size, 5)):
            console.print(_table(rows))
        console.print(f"checked: {'; '.join(size['checks'])}", highlight=False)
    if doc["growth"]:
        console.print(_table(_growth(doc["growth"])))


def _table(rows: list[list[str]]) -> Table:
    table = Table(pad_edge=False)
    for n, name in enumerate(rows[0]):
        table.add_column(name, justify="right" if n else "left")
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _machine_line(doc: dict[str, Any]) -> str:
    machine, server = doc["machine"], doc["server"]
    return (
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, {machine['system']}; "
        f"PostgreSQL {server['server_version']}; " + ", ".join(f"{p} {v}" for p, v in doc["versions"].items())
    )


# --- the page ---


def _markdown(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def page(doc: dict[str, Any]) -> str:
    """docs/benchmarks.md of a run."""
    sizes, growth = doc["sizes"], doc["growth"]
    parts = [PREFACE.format(measured_at=doc["measured_at"], seed=doc["seed"], machine=_machine_line(doc))]
    parts.append("Server settings: " + ", ".join(f"`{k} = {v}`" for k, v in doc["server"].items() if k != "server_version") + ".")
    for size in sizes:
        tables = [_stages(size), _floors(size), _nodes(size), *([_reports(size)] if size["with_reports"] else [])]
        parts += [f"## {_heading(size)}", _facts(size), *map(_markdown, tables), f"Checked: {'; '.join(size['checks'])}."]
    if growth:
        parts += ["## Growth", _markdown(_growth(growth))]
    missing = [] if max(s["consumers"] for s in sizes) >= 1_000_000 else ["1,000,000 meters (`make bench ARGS='--meters 1000000'`)"]
    missing += [f"reports at {count(s['consumers'])} consumers (`--reports-up-to`)" for s in sizes if not s["with_reports"]]
    missing += ["90 days of history behind the day", "peers on the same data (pandas, Polars, DuckDB, row-per-interval SQL)"]
    missing += ["reading files of head-end systems: records enter in canonical form", "other servers than the embedded one"]
    parts += ["## Not measured yet", "\n".join(f"- {m}" for m in missing)]
    return "\n\n".join(parts) + "\n"


PREFACE = """\
# Benchmarks

Written by `make bench ARGS=--write-docs` from the run of {measured_at} (seed {seed}). {machine}.

What runs is production: `landing.land` in batches of about 50,000 meters, then `orchestration.steps.build`, timed from outside, on a
fresh database of the embedded server. Off the clock: master data, generating readings, import of libraries, parsing of the dbt project
and its first views. A meter-day is 48 intervals of 4 channels (import, export, apparent, voltage) and registers at both midnights; 3 %
of the consumers' days have a defect.

- Peak memory is the sum of PSS over this process, the server and all below them, sampled every 0.5 s while the clock runs; the batch of
  readings that is being landed is part of it. dbt runs a group of models at a time: the figure beside `meter_day` is that of `meter_day`
  and `measure`, that beside `energy` of energy and report views. What is shorter than the sampling has none.
- `statistics`: ANALYZE of raw and the note of the build. `dbt tests and views`: what dbt does of the readings beside the models named.
  `reports`: views and tests of energy and reports, and every report read in full; where reports are not measured, the tests of
  energy alone.
- Floors: the same rows with nothing done to them, in the same run, into tables like `raw.profile_fragment` with its index; the scan is
  of one process.

The outcome is checked before the times: a run that loses a value, misses a defect, finds one where none is, or has a DT balance that is
not the truth to the Wh, fails."""
