"""meterhouse vee score: how good the engine is, measured on data whose truth is known. A section for each thing that is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from cli.console import console, count, fail, progress_bar

DOCS = Path(__file__).resolve().parents[2] / "docs" / "vee-score.md"
GAPS = "1,2,4,12,24,48,144"
HOMES = Path("../shared/data/edrp_scotland")


@dataclass(frozen=True)
class Section:
    """One thing that was measured: what it is, tables with their heading (header first), and what had to hold."""

    title: str
    text: str
    tables: list[tuple[str, list[list[str]]]]
    verdicts: list[tuple[str, bool]]


def score(
    homes: Annotated[
        Path, typer.Option(help="Interval readings of real homes: a CSV meter,start,kwh, or a folder with readings.csv.gz.")
    ] = HOMES,
    seed: Annotated[int, typer.Option(help="Where the gaps lie.")] = 1,
    gaps: Annotated[str, typer.Option(help="Lengths of gaps in slots, with commas between.")] = GAPS,
    per_home: Annotated[int, typer.Option(min=1, help="Gaps of each length in each home.")] = 4,
    held_out: Annotated[bool, typer.Option("--held-out", help="Without every third home, on which the parameters were chosen.")] = False,
    aim: Annotated[
        Literal["median", "balanced", "mean"], typer.Option(help="What like days aim at (docs/vee-estimation.md).")
    ] = "balanced",
    detection: Annotated[
        bool, typer.Option(help="Inject defects, build, and count what the rules find; false flags on real homes.")
    ] = True,
    each: Annotated[int, typer.Option(min=1, help="Meters of each defect and size.")] = 10,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Write docs/vee-score.md from this run.")] = False,
) -> None:
    """Measure the accuracy of estimates, beside the textbook's methods, on blanked readings of real homes, and what the rules find of
    injected defects and flag on real homes.

    Example: meterhouse vee score --homes ../shared/data/edrp_scotland --seed 1
    """
    lengths = _lengths(gaps)
    sections = [_estimation(homes, lengths, per_home, seed, held_out, aim)]
    if detection:
        sections.append(_detection(homes, each, seed))
    for section in sections:
        _show(section)
    if write_docs:
        DOCS.write_text(page(sections), encoding="utf-8")
        console.print(f"written: {DOCS}", soft_wrap=True)
    if broken := [text for section in sections for text, held in section.verdicts if not held]:
        fail("not held: " + "; ".join(broken))


def _lengths(text: str) -> list[int]:
    try:
        lengths = [int(part) for part in text.split(",")]
    except ValueError:
        lengths = []
    if not lengths or min(lengths) < 1:
        fail(f"--gaps: {text!r} is no list of numbers of slots; for example {GAPS}")
    return lengths


def _estimation(
    path: Path, lengths: list[int], per_home: int, seed: int, held_out: bool, aim: Literal["median", "balanced", "mean"]
) -> Section:
    """Accuracy on real homes, in two tracks."""
    # Imported here: pandas takes its time, and only for who measures.
    import numpy as np

    from vee.estimation.score import MARGIN, GapScore, Track, read_homes
    from vee.estimation.score import score as run
    from vee.estimation.series import Settings

    try:
        homes = read_homes(path)
        if held_out:
            homes = homes.every(np.flatnonzero(np.arange(len(homes.values)) % 3))
        found: list[GapScore] = []
        with progress_bar() as bar:
            task = bar.add_task("gaps", total=len(lengths))
            for one in run(homes, lengths, per_home, seed, Settings(aim=aim)):
                found.append(one)
                bar.update(task, advance=1, description=f"gaps of {one.slots} slots")
    except ValueError as e:
        fail(str(e))

    tracks: list[tuple[str, Callable[[GapScore], Track]]] = [
        ("registers withheld", lambda g: g.withheld),
        ("registers given", lambda g: g.given),
    ]
    tables, verdicts = [], []
    for title, of in tracks:
        names = list(of(found[0]).baselines)
        withheld = title == "registers withheld"
        rows = [["gap", *names, "best", "chain", "chain / best", "daily job", *(["bias"] if withheld else [])]]
        for g in found:
            t = of(g)
            figures = [*t.baselines.values(), t.best, t.chain]
            ratio = f"{t.chain / t.best:.3f}" if t.best else "-"
            rows.append(
                [str(g.slots), *(f"{x:.1f}" for x in figures), ratio, f"{t.daily_job:.1f}", *([f"{g.bias:.2f}"] if withheld else [])]
            )
            verdicts.append((f"{title}, {g.slots} slots: {t.chain:.1f} against {t.best:.1f} %", t.held))
        best, chain, job = (float(np.mean(x)) for x in zip(*((of(g).best, of(g).chain, of(g).daily_job) for g in found), strict=True))
        rows.append(["mean", *(f"{np.mean([of(g).baselines[n] for g in found]):.1f}" for n in names), f"{best:.1f}", f"{chain:.1f}"])
        rows[-1] += [
            f"{chain / best:.3f}" if best else "-",
            f"{job:.1f}",
            *([f"{np.mean([g.bias for g in found]):.2f}"] if withheld else []),
        ]
        verdicts.append((f"{title}, mean: {chain:.1f} against {best:.1f} %, at most {MARGIN:.2f} of it", chain <= MARGIN * best))
        tables.append((f"WAPE in %, {title}", rows))
    n, d, _ = homes.values.shape
    out = " (every third left out)" if held_out else ""
    text = (
        f"`{path.name}`: {count(n)} homes{out}, {d} days, intervals of {homes.interval_min} minutes; {per_home} gaps of each length "
        f"in each home, seed {seed}, aim `{aim}`.\nWAPE = Σ|estimate - true| / Σ true over the blanked slots. The chain is the daily job's "
        "own code with its default settings and a history of 28 days before and 7 after; `daily job`: without the days after the gap. "
        "bias = Σ estimate / Σ true."
    )
    return Section("Estimation on real data", text, tables, verdicts)


def _detection(homes: Path, each: int, seed: int) -> Section:
    """Precision and recall on injected defects, and flags on real homes."""
    from cli.vee import detection
    from warehouse.embedded import EmbeddedServer

    with progress_bar() as bar:
        task = bar.add_task("rules", total=None)

        def step(text: str) -> None:
            bar.update(task, description=text)

        server = EmbeddedServer()
        server.start()
        found = detection.detect(server, each=each, clean=10 * each, seed=seed, step=step)
        real = detection.false_flags(server, homes.parent if homes.is_dir() else homes.parent.parent, step=step)
    text = (
        f"Healthy meters of a month (of V15: four), {each} for each defect and size, one defect a meter, landed and built as any data, all "
        f"rules with their limits as shipped, V18 switched on, no day refused; seed {seed}.\n"
        "Recall: found of what the rule must find. Precision: of what it accuses, the share with such a defect; a "
        "meter with another rule's defect counts in neither. Real homes are taken for clean, "
        "though nobody knows what their meters had."
    )
    return Section("Detection", text, detection.tables(found, real), detection.verdicts(found))


def _show(section: Section) -> None:
    console.print(f"\n[bold]{section.title}[/bold]\n{section.text}", highlight=False)
    for heading, rows in section.tables:
        table = Table(title=heading, title_justify="left", pad_edge=False)
        for name in rows[0]:
            table.add_column(name, justify="right")
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table)
    for text, held in section.verdicts:
        console.print(f"{'[green]held[/green]' if held else '[bold red]not held[/bold red]'}  {text}", highlight=False)


def page(sections: Sequence[Section]) -> str:
    """docs/vee-score.md of a run."""
    parts = ["# How good validation and estimation are", "Written by `meterhouse vee score --write-docs`."]
    for section in sections:
        parts += [f"## {section.title}", section.text]
        for heading, rows in section.tables:
            lines = [rows[0], ["---:"] * len(rows[0]), *rows[1:]]
            parts += [f"**{heading}**", "\n".join(f"| {' | '.join(row)} |" for row in lines)]
        parts.append("\n".join(f"- {'held' if held else '**not held**'}: {text}" for text, held in section.verdicts))
    return "\n\n".join(parts) + "\n"
