"""meterhouse bench: the sizes one after the other, the result on the console, as JSON and, when asked, as docs/benchmarks.md."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.console import console, count, fail, progress_bar
from warehouse import settings

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "benchmarks.md"


def bench(
    meters: Annotated[str, typer.Option(help="Consumer meters of each size, smallest first, with commas between.")] = "10000,100000",
    days: Annotated[int, typer.Option(min=1, max=26)] = 1,
    seed: Annotated[int, typer.Option()] = 1,
    reports_up_to: Annotated[int, typer.Option(help="Sizes above this end at the balances, without reports.")] = 10**9,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the databases, to look at plans.")] = False,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Write docs/benchmarks.md from this run.")] = False,
) -> None:
    """Time one day of a synthetic DISCOM on the embedded server, from landed to reports, and check the outcome before the times.

    Example: meterhouse bench --meters 10000,100000
    """
    # Libraries are imported here, before any clock runs, and only for who measures.
    from cli.bench import report
    from cli.bench.measure import measure
    from warehouse.embedded import EmbeddedServer

    sizes = _sizes(meters)
    server = EmbeddedServer()
    server.start()
    results = []
    with progress_bar() as bar:
        for size in sizes:
            task = bar.add_task(f"{count(size)} meters", total=None)

            def say(text: str, task=task, size=size) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
                bar.update(task, description=f"{count(size)} meters: {text}")

            results.append(measure(server, size, days, seed, with_reports=size <= reports_up_to, keep=keep, say=say))
            bar.remove_task(task)
    document = report.document(server, results, seed)
    path = settings.home() / "bench" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    report.show(document)
    console.print(f"kept: {path}", soft_wrap=True)
    if write_docs:
        DOCS.write_text(report.page(document))
        console.print(f"written: {DOCS}", soft_wrap=True)


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 100 or sizes != sorted(set(sizes)):
        fail(f"--meters {text!r}: give whole numbers of at least 100, smallest first, with commas between, as 10000,100000")
    return sizes
