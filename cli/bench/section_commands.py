"""meterhouse bench-api and bench-dashboards: a run on the console, as JSON, and as a section of its own of docs/benchmarks.md."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.bench.command import DOCS, teller
from cli.console import console, count, fail, progress_bar
from warehouse import settings


def bench_api(
    meters: Annotated[int, typer.Option(min=1_000, help="Consumer meters.")] = 100_000,
    days: Annotated[int, typer.Option(min=2, max=180)] = 90,
    clients: Annotated[int, typer.Option(min=1, max=1_000, help="That ask at once.")] = 100,
    seconds: Annotated[int, typer.Option(min=5, max=3_600, help="Of load that is measured.")] = 120,
    think: Annotated[float, typer.Option(min=0, help="Mean seconds that a client waits between an answer and its next request.")] = 1.0,
    warm_up: Annotated[int, typer.Option(min=0, help="Seconds of load before.")] = 30,
    seed: Annotated[int, typer.Option()] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the database for the next run.")] = False,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Write the section API of docs/benchmarks.md from this run.")] = False,
) -> None:
    """Time the API's GETs under load, on the embedded server with days made by a generator, and check answers before the times.

    Example: meterhouse bench-api --meters 5000 --days 30 --seconds 30
    """
    # Libraries are imported here, only for who measures.
    from cli.bench import api, report
    from cli.bench.stages import BenchError
    from warehouse.embedded import EmbeddedServer

    server = EmbeddedServer()
    server.start()
    with progress_bar() as bar:
        say = teller(bar, f"{count(meters)} meters x {days} days")
        try:
            document = api.run(server, meters, days, clients, seconds, think, warm_up, seed, keep, say)
        except BenchError as e:
            fail(str(e))
    _told("api", document, api.table(document), (report.API, api.section(document)) if write_docs else None)
    if wrong := [e["name"] for e in document["endpoints"] if e["errors"]]:
        fail(f"requests failed ({', '.join(wrong)}), so the times are none: {'; '.join(document['said'].values())}")


def bench_dashboards(
    meters: Annotated[int, typer.Option(min=1_000, help="Consumer meters.")] = 100_000,
    days: Annotated[int, typer.Option(min=2, max=120)] = 90,
    seed: Annotated[int, typer.Option()] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the database for the next run.")] = False,
    write_docs: Annotated[
        bool, typer.Option("--write-docs", help="Write the section Dashboards of docs/benchmarks.md from this run.")
    ] = False,
) -> None:
    """Time every chart of the dashboards in a real Superset without a cache, over days that are built on the embedded server.

    Example: meterhouse bench-dashboards --meters 5000 --days 10
    """
    from cli.bench import dashboards, report
    from cli.bench.stages import BenchError
    from dashboards.server_control import SupersetError
    from warehouse.embedded import EmbeddedServer

    server = EmbeddedServer()
    server.start()
    with progress_bar() as bar:
        say = teller(bar, f"{count(meters)} meters x {days} days")
        try:
            document = dashboards.run(server, meters, days, seed, keep, say)
        except (BenchError, SupersetError) as e:
            fail(str(e))
    _told("dashboards", document, dashboards.table(document), (report.DASHBOARDS, dashboards.section(document)) if write_docs else None)


def _told(kind: str, document: dict[str, Any], table: list[list[str]], section: tuple[str, str] | None) -> None:
    """Keep the run as JSON, show it, and write its section (title, text) where it is wanted."""
    from cli.bench import report

    path = settings.home() / "bench" / f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    console.print(f"results: {path}", soft_wrap=True)
    for line in report.markdown(table).splitlines():
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if section:
        DOCS.write_text(report.with_section(DOCS.read_text(), *section))
        console.print(f"written: {DOCS}", soft_wrap=True)
