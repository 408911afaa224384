"""meterhouse bench: sizes one after the other, then history; results on the console at once, as JSON, and as docs/benchmarks.md."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from cli.console import console, count, errors, fail, progress_bar
from warehouse import settings

DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
LINE_EVERY_S = 10.0
"""Where the output is no terminal."""


def bench(
    meters: Annotated[
        str, typer.Option(help="Consumer meters of each size, smallest first, with commas between; none to skip.")
    ] = "10000,100000,1000000",
    days: Annotated[int, typer.Option(min=1, max=26)] = 1,
    history: Annotated[str, typer.Option(help="Days that lie behind a measured day, fewest first; none to skip.")] = "0,90",
    history_meters: Annotated[int, typer.Option(min=100, help="Consumer meters of the history.")] = 20_000,
    month_meters: Annotated[int, typer.Option(min=0, help="Consumer meters of a month whose reports are read; 0 to skip.")] = 100_000,
    peers: Annotated[str, typer.Option(help="Programs to compare with, with commas between: all, none, or names.")] = "all",
    slow_peers_up_to: Annotated[int, typer.Option(help="Sizes above this are left out by pandas and row-per-interval SQL.")] = 1_000_000,
    seed: Annotated[int, typer.Option()] = 1,
    reports_up_to: Annotated[int, typer.Option(help="Sizes above this end at the balances, without reports.")] = 10**9,
    with_push: Annotated[bool, typer.Option("--push/--no-push", help="Measure pushes to the API, and events to their alerts.")] = True,
    quick: Annotated[bool, typer.Option("--quick", help="Only the smallest size, without history and slow peers.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the databases of the sizes, to look at plans.")] = False,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Write docs/benchmarks.md from this run.")] = False,
) -> None:
    """Time one day of a synthetic DISCOM on the embedded server, from landed to reports, and check the outcome before the times.

    Example: meterhouse bench --meters 10000,100000 --history none
    """
    # Libraries are imported here, before any clock runs, and only for who measures.
    from cli.bench import growth, measure, report
    from cli.bench.events import EventsResult, measure_events
    from cli.bench.peers import PEERS, SLOW, require_source_tree
    from cli.bench.push import SHAPES, Push, push
    from warehouse.embedded import EmbeddedServer

    sizes = [] if meters == "none" else _numbers("--meters", meters, 100)
    behind = [] if history == "none" or quick else _numbers("--history", history, 0)
    names = list(PEERS) if peers == "all" else [] if peers == "none" else peers.split(",")
    if unknown := set(names) - set(PEERS):
        fail(f"--peers: {', '.join(sorted(unknown))} is not known: there are {', '.join(PEERS)}, all and none")
    if days > 1:
        names = []  # a peer does one day
    if quick:
        sizes, slow_peers_up_to = sizes[:1], 0
    if names:
        require_source_tree()
    server = EmbeddedServer()
    server.start()
    path = settings.home() / "bench" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    console.print(f"results are kept as they come: {path}", soft_wrap=True)
    results: list[measure.SizeResult] = []
    past: growth.History | None = None
    month: growth.Month | None = None
    pushes: list[Push] = []
    alerts: EventsResult | None = None

    def save() -> None:
        path.write_text(json.dumps(report.document(server, seed, results, past, month, pushes, alerts), indent=1) + "\n")

    def save_size(result: measure.SizeResult) -> None:
        results[:] = [r for r in results if r.consumers != result.consumers] + [result]
        save()

    def save_history(found: growth.History) -> None:
        nonlocal past
        past = found
        save()

    for size in sizes:
        with progress_bar() as bar:
            measure.measure(
                server,
                size,
                days,
                seed,
                with_reports=size <= reports_up_to,
                peers=[n for n in names if size <= slow_peers_up_to or n not in SLOW],
                keep=keep,
                say=teller(bar, f"{count(size)} meters"),
                save=save_size,
            )
        report.show_size(json.loads(path.read_text()))
    if behind:
        with progress_bar() as bar:
            growth.history(server, history_meters, behind, seed, teller(bar, f"{count(history_meters)} meters"), save_history)
    if month_meters and not quick:
        with progress_bar() as bar:
            month = growth.month(server, month_meters, seed, teller(bar, f"a month of {count(month_meters)} meters"))
        save()
    if with_push:
        with progress_bar() as bar:
            for slots, bodies in SHAPES:
                pushes.append(push(server, slots, bodies // 10 if quick else bodies, seed, teller(bar, "push")))
                save()
            say = teller(bar, "events")
            say("landing events at a steady pace")
            alerts = measure_events(server, meters=2_000 if quick else 100_000, events=2_000 if quick else 20_000, seed=seed)
            save()
    document = json.loads(path.read_text())
    report.show_end(document)
    if write_docs:
        before, page = DOCS.read_text() if DOCS.exists() else "", report.page(document)
        for title in (report.API, report.DASHBOARDS):
            if kept := report.section_of(before, title):
                page = report.with_section(page, title, kept)
        DOCS.write_text(page)
        console.print(f"written: {DOCS}", soft_wrap=True)
    if differing := report.differing(document):
        fail("not all peers find what we find, so theirs are no times:\n" + "\n".join(differing))


def teller(bar: Progress, title: str) -> Callable[[str], None]:
    """Says what is being done: on the bar, or as a line now and then where the output is no terminal."""
    task = bar.add_task(title, total=None)
    began, told = time.monotonic(), 0.0

    def say(text: str) -> None:
        nonlocal told
        bar.update(task, description=f"{title}: {text}")
        if not errors.is_terminal and time.monotonic() - told >= LINE_EVERY_S:
            told = time.monotonic()
            errors.print(f"{told - began:6.0f} s  {title}: {text}", highlight=False, soft_wrap=True)

    return say


def _numbers(option: str, text: str, least: int) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < least or numbers != sorted(set(numbers)):
        fail(f"{option} {text!r}: give whole numbers of at least {least}, smallest first, with commas between")
    return numbers
