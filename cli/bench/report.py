"""A run as one JSON document, and that document as tables on the console and as docs/benchmarks.md. No measuring here."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from rich.console import Console
from rich.table import Table

from cli.bench.bars import MILLION, TITLES, bars, faster
from cli.bench.events import EventsResult
from cli.bench.growth import MONTH_DAYS, REPEATS, History, Month
from cli.bench.measure import SizeResult
from cli.bench.peers import SLOW
from cli.bench.push import Push
from cli.bench.stages import REPORTS
from cli.console import console, count
from warehouse import db
from warehouse.embedded import SERVER_SETTINGS, EmbeddedServer

PACKAGES = ("meterhouse", "dbt-core", "dbt-postgres", "great-expectations", "pandas", "numpy", "psycopg")
PEER_PACKAGES = ("polars", "duckdb", "adbc-driver-postgresql", "pyarrow")
SHOWN = ("max_parallel_workers_per_gather", "fsync", "full_page_writes", "synchronous_commit")
MB = 1 << 20
WIDTH = 150
"""Where the output is no terminal."""

Rows = list[list[str]]

SLOWEST = 12


def document(
    server: EmbeddedServer,
    seed: int,
    results: Sequence[SizeResult],
    history: History | None,
    month: Month | None,
    pushes: Sequence[Push],
    alerts: EventsResult | None,
) -> dict[str, Any]:
    """Everything of a run so far, as JSON."""
    doc: dict[str, Any] = {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "seed": seed,
        "machine": _machine(),
        "versions": {"python": platform.python_version()} | dict(_versions()),
        "server": _server(server),
        "sizes": [asdict(r) | {"figures": r.figures} for r in results],
        "growth": [_growth_between(a, b) for a, b in pairwise(results)],
        "history": (asdict(history) | {"seconds": history.seconds, "ratio": history.ratio}) if history else None,
        "month": asdict(month) | {"seconds": month.seconds} if month else None,
        "push": [asdict(p) for p in pushes],
        "events": asdict(alerts) | {"per_second": alerts.per_second} if alerts else None,
    }
    return doc | {"bars": [asdict(b) for b in bars(doc)]}


def _versions() -> Iterator[tuple[str, str]]:
    yield from ((p, version(p)) for p in PACKAGES)
    for package in PEER_PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def _growth_between(a: SizeResult, b: SizeResult) -> dict[str, float]:
    """How many times longer landed to balanced takes, and that for ten times the meters."""
    meters, balanced = b.consumers / a.consumers, b.figures["balanced_s"] / a.figures["balanced_s"]
    return {"from": a.consumers, "to": b.consumers, "meters": meters, "balanced": balanced, "per_ten": balanced ** (1 / log10(meters))}


def _machine() -> dict[str, Any]:
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {"cores": len(os.sched_getaffinity(0)), "cpu": cpu, "memory_gb": round(memory / MB, 1), "system": platform.system()}


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _server(server: EmbeddedServer) -> dict[str, str]:
    skipped = ("listen_addresses", "unix_socket_directories", "password_encryption", "timezone", "log_timezone")
    with psycopg.connect(server.url("postgres"), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        names = ["server_version", *dict.fromkeys([*(s for s in SERVER_SETTINGS if s not in skipped), *SHOWN])]
        return {n: str(conn.execute(SQL("show {}").format(Identifier(n))).fetchone()[0]) for n in names}  # type: ignore[index]


# --- tables: rows of text, for the console and for the page ---


def _stages(size: dict[str, Any]) -> Rows:
    figures, laps = size["figures"], size["laps"]
    whole = sum(lap["seconds"] for lap in laps.values())
    rows = [["stage", "s", "intervals/s", "values/s", "share", "CPU s", "peak MB"]]

    def row(name: str, seconds: float, cpu: float, peak: int) -> list[str]:
        rate = [count(size["intervals"] / seconds), count(size["values"] / seconds)] if seconds > 0 else ["", ""]
        return [name, f"{seconds:.2f}", *rate, f"{seconds / whole:.0%}", f"{cpu:.1f}", count(peak / MB) if peak else ""]

    for name, lap in laps.items():
        rows.append(row(name, lap["seconds"], lap["cpu_s"], lap["peak_octets"]))
        if len(lap["parts"]) > 1:
            rows += [[f"· {part}", f"{s:.2f}", "", "", "", "", ""] for part, s in lap["parts"].items()]
    balanced = [lap for name, lap in laps.items() if name != REPORTS]
    sums = [("landed to balanced", balanced), *([("all", list(laps.values()))] if figures["total_s"] else [])]
    for name, some in sums:
        cpu, peak = sum(lap["cpu_s"] for lap in some), max(lap["peak_octets"] for lap in some)
        rows.append(row(name, sum(lap["seconds"] for lap in some), cpu, peak))
    return rows


def _disk(size: dict[str, Any]) -> Rows:
    days = size["meters"] * size["days"]
    of_days = sum(n for kind, n in size["octets"].items() if kind != "master data")
    rows = [["on disk", "MB", "octets a meter-day"]]
    rows += [[kind, count(n / MB), count(n / days)] for kind, n in size["octets"].items()]
    return [*rows, ["all but master data", count(of_days / MB), count(of_days / days)]]


def _floors(sizes: list[dict[str, Any]]) -> Rows:
    rows = [["meters", "floor", "s", "intervals/s", "landed to balanced / floor"]]
    for size in sizes:
        if size["floors"]:
            for name, s in [*size["floors"].items(), ("COPY + INSERT … SELECT", size["figures"]["floor_s"])]:
                ratio = size["figures"]["balanced_s"] / s
                rows.append([count(size["consumers"]), name, f"{s:.2f}", count(size["intervals"] / s), f"{ratio:.1f}"])
    return rows


def _peers(sizes: list[dict[str, Any]]) -> Rows:
    rows = [["meters", "who", "s", "times ours", "peak MB"]]
    for size in sizes:
        if size["peers"]:
            rows.append([count(size["consumers"]), "Meterhouse, raw to balances", f"{size['figures']['from_raw_s']:.2f}", "1.0", ""])
        for peer in size["peers"]:
            ratio = faster(size, peer["peer"])
            told = (
                ["outcome differs", "", ""]
                if ratio is None
                else [f"{peer['seconds']:.2f}", f"{ratio:.1f}", count(peer["peak_octets"] / MB)]
            )
            rows.append([count(size["consumers"]), TITLES[peer["peer"]], *told])
    return rows


def _growth(doc: dict[str, Any]) -> Rows:
    rows = [["growth", "landed to balanced", "times", "hold"]]
    for g in doc["growth"]:
        a, b = (next(s for s in doc["sizes"] if s["consumers"] == g[end])["figures"]["balanced_s"] for end in ("from", "to"))
        what = f"{count(g['from'])} to {count(g['to'])} meters"
        rows.append([what, f"{a:.2f} s to {b:.2f} s", f"{g['balanced']:.1f}", f"≤ {11 ** log10(g['meters']):.0f}"])
    if doc["history"] and doc["history"]["ratio"]:
        seconds, times = {int(days): s for days, s in doc["history"]["seconds"].items()}, doc["history"]["ratio"]
        a, b = min(seconds), max(seconds)
        what = f"{a} to {b} days behind the day, {count(doc['history']['consumers'])} meters"
        rows.append([what, f"{seconds[a]:.2f} s to {seconds[b]:.2f} s", f"{times:.2f}", "≤ 1.1"])
    for size in doc["sizes"]:
        if r := size["rerun"]:
            what = f"the day again, {count(r['meters'])} of {count(size['consumers'])} meters changed"
            took = f"{size['figures']['balanced_s']:.2f} s, then {r['landed_s']:.2f} s landing and {r['built_s']:.2f} s building"
            rows.append([what, took, f"{size['figures']['rerun_share']:.3f}", "≤ 0.05"])
    return rows


def _reports(seconds: dict[str, float], heading: str) -> Rows:
    """The slowest reports, and the rest together."""
    slowest = sorted(seconds.items(), key=lambda r: -r[1])
    rows = [[heading, "s"], *([name, f"{s:.2f}"] for name, s in slowest[:SLOWEST])]
    return [*rows, [f"{len(slowest) - SLOWEST} others", f"{sum(s for _, s in slowest[SLOWEST:]):.2f}"]] if len(slowest) > SLOWEST else rows


def _month(doc: dict[str, Any]) -> Rows:
    if not doc["month"]:
        return []
    return _reports(
        doc["month"]["reports"], f"monthly report over {MONTH_DAYS} days of {count(doc['month']['consumers'])} meters, read in full"
    )


def _push(doc: dict[str, Any]) -> Rows:
    rows = [["a body of 100 meters", "bodies", "s", "intervals/s", "p50", "p99", "x bare COPY of the same rows"]]
    for p in doc["push"]:
        speed = count(int(p["intervals"] / p["seconds"]))
        times = [f"{p['seconds']:.2f}", speed, f"{p['p50_ms']:.0f} ms", f"{p['p99_ms']:.0f} ms", f"{p['seconds'] / p['copy_s']:.1f}"]
        rows.append([f"{p['slots']} interval{'s' if p['slots'] > 1 else ''} each", count(p["bodies"]), *times])
    return rows


def _events(doc: dict[str, Any]) -> Rows:
    rows = [["events", "events/s", "p50", "p99", "most", "grouped to outages afterwards"]]
    if e := doc["events"]:
        times = [f"{e[k] * 1000:.0f} ms" for k in ("p50_s", "p99_s", "max_s")]
        rows.append([count(e["events"]), count(int(e["per_second"])), *times, f"{e['outages_s']:.2f} s"])
    return rows


def _bars(doc: dict[str, Any]) -> Rows:
    return [["what", "hold", "ours", "at", "verdict"], *([b["what"], b["hold"], b["ours"], b["at"], b["verdict"]] for b in doc["bars"])]


def _heading(size: dict[str, Any]) -> str:
    day = "1 day" if size["days"] == 1 else f"{size['days']} days"
    return f"{count(size['consumers'])} consumers, {count(size['dts'])} DTs, {count(size['feeders'])} feeders, {day}"


def _facts(size: dict[str, Any]) -> str:
    defects = ", ".join(f"{n} {k}" for k, n in size["defects"].items())
    return f"{count(size['intervals'])} intervals, {count(size['values'])} values sent; meter-days with a defect or an event: {defects}."


def differing(doc: dict[str, Any]) -> list[str]:
    """A line for each peer whose outcome is not ours."""
    return [
        f"{TITLES[p['peer']]} at {count(s['consumers'])} meters: {'; '.join(p['differences'])}"
        for s in doc["sizes"]
        for p in s["peers"]
        if p["differences"]
    ]


def show_size(doc: dict[str, Any]) -> None:
    """The latest size on the console."""
    size = doc["sizes"][-1]
    _out().print(f"\n[bold]{_heading(size)}[/bold]\n{_facts(size)}", highlight=False)
    slowest = sorted(size["nodes"].items(), key=lambda n: -n[1])[:5]
    nodes = [["slowest of dbt", "s"], *([name.partition(".")[2].partition(".")[2], f"{s:.2f}"] for name, s in slowest)]
    reports = _reports(size["reports"], "report, read in full")
    _print(_stages(size), nodes, reports, _disk(size), _floors([size]), _peers([size]))
    _out().print(f"checked: {'; '.join(size['checks'])}", highlight=False)


def show_end(doc: dict[str, Any]) -> None:
    """What is said of the run as a whole."""
    _out().print(_machine_line(doc), highlight=False)
    _print(_growth(doc), _month(doc), _push(doc), _events(doc), _bars(doc))


def _print(*tables: Rows) -> None:
    for rows in tables:
        if len(rows) > 1:
            table = Table(pad_edge=False)
            for name, justify in zip(rows[0], _justified(rows), strict=True):
                table.add_column(name, justify="left" if justify == "---" else "right")
            for row in rows[1:]:
                table.add_row(*row)
            _out().print(table)


def _out() -> Console:
    return console if console.is_terminal else Console(width=WIDTH)


def _justified(rows: Rows) -> list[str]:
    """Columns of figures stand to the right."""
    texts = {
        n
        for n in range(len(rows[0]))
        if n == 0 or any(cell[:1].isalpha() or cell[:1] in tuple("≤≥>·") for cell in (r[n] for r in rows[1:]))
    }
    return ["---" if n in texts else "---:" for n in range(len(rows[0]))]


def _machine_line(doc: dict[str, Any]) -> str:
    machine, server = doc["machine"], doc["server"]
    return (
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, {machine['system']}; "
        f"PostgreSQL {server['server_version']}; " + ", ".join(f"{p} {v}" for p, v in doc["versions"].items())
    )


def machine_line(server: EmbeddedServer) -> str:
    """The machine, the server and the versions of a run, in a line."""
    return _machine_line(document(server, 0, [], None, None, [], None))


# --- the page ---

API, DASHBOARDS = "API", "Dashboards"
"""Titles of the sections that `meterhouse bench-api` and `bench-dashboards` write."""


def with_section(page: str, title: str, text: str) -> str:
    """The page with a section of its own in the place of the one of that title, else at the end."""
    rest = [part for part in _sections(page) if not part.startswith(f"## {title}\n")]
    return "\n\n".join([*rest, f"## {title}\n\n{text.strip()}"]) + "\n"


def section_of(page: str, title: str) -> str | None:
    """Text of a section of a page, None where it has none."""
    return next((part.partition("\n")[2].strip() for part in _sections(page) if part.startswith(f"## {title}\n")), None)


def _sections(page: str) -> list[str]:
    return [part.strip() for part in re.split(r"^(?=## )", page, flags=re.MULTILINE)]


def markdown(rows: Rows) -> str:
    """Rows, header first, as a table."""
    lines = [rows[0], _justified(rows), *rows[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def page(doc: dict[str, Any]) -> str:
    """docs/benchmarks.md of a run."""
    sizes = doc["sizes"]
    settings = ", ".join(f"`{k} = {v}`" for k, v in doc["server"].items() if k != "server_version")
    parts = [TOP.format(measured_at=doc["measured_at"], seed=doc["seed"], machine=_machine_line(doc)), markdown(_bars(doc)), WHAT_RUNS]
    parts += [f"Server settings: {settings}.", "## Stages", STAGES]
    for size in sizes:
        parts += [f"### {_heading(size)}", _facts(size), markdown(_stages(size)), markdown(_disk(size))]
        if size["reports"]:
            parts.append(markdown(_reports(size["reports"], "report, read in full")))
    sections = (
        ("Floors", FLOORS, _floors(sizes)),
        ("Peers", PEERS, _peers(sizes)),
        ("Growth", GROWTH, _growth(doc)),
        ("A month of reports", MONTH, _month(doc)),
        ("Push", PUSH, _push(doc)),
        ("Events", EVENTS, _events(doc)),
    )
    for title, text, rows in sections:
        if len(rows) > 1:
            parts += [f"## {title}", text, markdown(rows)]
    parts += [f"- {line}" for line in differing(doc)]
    parts += ["## Not measured yet", "\n".join(f"- {m}" for m in _not_measured(doc))]
    return "\n\n".join(parts) + "\n"


def _not_measured(doc: dict[str, Any]) -> Iterator[str]:
    sizes, history = doc["sizes"], doc["history"]
    if max((s["consumers"] for s in sizes), default=0) < MILLION:
        yield f"{count(MILLION)} meters (`make bench`)"
    for size in sizes:
        if size["figures"]["total_s"] is None:
            yield f"reports at {count(size['consumers'])} consumers (`--reports-up-to`)"
        there = {p["peer"] for p in size["peers"]}
        if missing := [TITLES[p] for p in TITLES if p not in there]:
            yield f"at {count(size['consumers'])} consumers: {', '.join(missing)}" + (
                ", which take minutes" if there and there.isdisjoint(SLOW) else ""
            )
    if not (history and history["ratio"]):
        yield "days behind the day (`--history 0,90`)"
    if not doc["month"]:
        yield "a month of reports (`--month-meters`)"
    yield "reading files of head-end systems: records enter in canonical form"
    yield "other servers than the embedded one"


TOP = """\
# Benchmarks

Written by `make bench ARGS=--write-docs` from the run of {measured_at} (seed {seed}). {machine}.
How good estimates are on real homes: [vee-score.md](vee-score.md).

## Figures to hold"""

MONTH = """\
A month is landed and built off the clock and vacuumed, then every report by period is read but for its days, one after the other."""

WHAT_RUNS = """\
What runs is production: `landing` in deliveries of about 50,000 meters, then `orchestration.steps.build`, timed from outside, on a fresh
database of the embedded server. Off the clock: master data, making readings, and the build of an empty day, which imports libraries,
reads the dbt project and makes its tables. A meter-day is 48 intervals of 4 channels (import, export, apparent, voltage) and registers at
both midnights; 3 % of the consumers' days have a defect, 1 % an outage and 0.2 % were programmed. All 36 rules are on, V18 too, which is
off by default. `validation and estimation` are the stages of figures, suites and estimates, less `assembled_day`.

The outcome is checked before the times, and again after late data: a run that loses a value, misses a defect or an event, finds one where
none is, or has a DT balance that is not the truth to the Wh, fails."""

STAGES = """\
Memory is the sum of PSS over this process, the server and all below them, sampled every 0.5 s while the clock runs; the deliveries that are
being landed are part of it. CPU is user and system time of the same processes. A run of dbt is named after the tables that it fills; its
tests and views are in its time, and below it stand the tables alone.
`rest of the build` is statistics, notes and what lies between. `reports`: their tables, views and tests, and
every report of the day read in full right after the build; of those by period, the rows of the day."""

FLOORS = """\
The same rows of raw with nothing done to them, in one session, into tables with the same columns and index: COPY in the transactions that
they came in, INSERT … SELECT in one, the scan by one process. A checkpoint before each, and before ours."""

PEERS = """\
Each does the same day on the same database, from raw to final days, exceptions and balances, in a process of its own. They do less than
we do: eight of the rules (V05, V06, V07, V11, V13, V16, V17, V19), no evidence, no cases, and a simple estimate: a line up to two hours,
else the mean of like days, scaled to the day's registers. So the ratios are conservative. The outcome is compared with ours to the Wh
first: without that it has no time here. Equal must be the verdicts of the eight rules, which slots are estimated, the values of all others
and, where both registers of a day are known and can be right, its total and the balances. The values of estimated slots differ by method.

Ours is all of the build with its tests, without landing and reports. Parquet to Parquet is the mark without a database. Memory is that of
the peer, without the server's."""

GROWTH = f"""\
Days behind: the same day of the same meters, landed and built on copies of a database that holds just those days; the median of {REPEATS}
runs. The day again: late data for meters drawn by lot, landed and built through production, beside the full day."""

PUSH = """\
Bodies of 100 meters x 4 channels to the API's two processes over four connections, each answered once it is committed; what is stored is
compared with what was sent. Clients, API and PostgreSQL share the cores. A body of a day is what a head-end system sends that gathers a
day, a body of one interval what one sends that passes every reading on. COPY: the same rows in transactions of the same size, and nothing
else."""

EVENTS = """\
Events in batches of 200 at 2,000 a second, every one of which raises an alert with a line in the outbox: from the instant at which a batch
is due until its alerts are committed; their number is compared first. Then all power failures among them are grouped to outages at once."""
