"""meterhouse audit score: losses, theft, wrong tags and unbalance of a simulated DISCOM against its truth."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli import audit_truth as truth
from cli.audit_truth import Bar
from cli.console import console, fail, progress_bar
from cli.database import ensure_ready
from cli.run import discom_id_of
from warehouse import db, settings, summary

START = date(2026, 10, 1)


def score(
    discom: Annotated[
        str | None, typer.Option("--discom", "-d", help="A DISCOM whose world is in --world and is landed and built. Default: make worlds.")
    ] = None,
    world: Annotated[
        Path | None,
        typer.Option(help="Folder of its simulation, with registry and truth; made with --audit.", exists=True, file_okay=False),
    ] = None,
    seeds: Annotated[str, typer.Option(help="Worlds to make, by seed, with commas between.")] = "1,2,3",
    consumers: Annotated[int, typer.Option(min=1)] = 600,
    dts: Annotated[int, typer.Option(min=1)] = 12,
    feeders: Annotated[int, typer.Option(min=1)] = 2,
    days: Annotated[int, typer.Option(min=3, max=31)] = 14,
) -> None:
    """Compare what the audit found of a simulated DISCOM with what was done to it: loss of DTs, its technical part, wrong tags, theft,
    load and unbalance. Exit code 1 where a bar is missed. Worlds are made, landed and built first, unless one is named.

    Example: meterhouse audit score --seeds 1,2,3

    Example: meterhouse audit score --discom D01 --world sim/D01
    """
    ensure_ready()
    if (discom is None) != (world is None):
        fail("--discom and --world belong together: the code of the DISCOM and the folder of its simulation")
    if discom and world:
        results = {discom: measure(discom, world)}
    else:
        results = {}
        for seed in seeds.split(","):
            if not seed.strip().isdigit():
                fail(f"--seeds is {seeds!r}: write whole numbers with commas between")
            folder = _make(int(seed), consumers=consumers, dts=dts, feeders=feeders, days=days)
            results[f"seed {seed.strip()}"] = measure(folder.name, folder)
    missed = [f"{name}: {bar.name}" for name, bars in results.items() for bar in bars if not bar.held]
    for name, bars in results.items():
        _show(name, bars)
    if missed:
        fail("bars missed: " + "; ".join(missed))
    console.print("[green]every bar is held[/green]")


def measure(discom: str, folder: Path) -> list[Bar]:
    """The bars of a DISCOM that is landed and built, against the truth in its folder. Its months are audited anew."""
    from api.reports import catalogue
    from audit import figures, repository
    from audit.job import audit_month

    registry, real = folder / "registry", folder / "truth"
    if not (real / "technical.csv").exists():
        fail(f"{real} has no technical.csv: the world was made without --audit")
    every = sorted({date.fromisoformat(r["day"]) for r in truth.rows(real / "dt_day.csv")})
    first, last = every[0], every[-1]
    month = first.replace(day=1)
    if last.replace(day=1) != month:
        fail(f"the world goes from {first} to {last}: make one that lies in one month")
    discom_id = discom_id_of(discom)
    audit_month(discom_id, discom, month)
    with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS) as conn:
        losses = figures.dt_losses(conn, discom_id, first, last)
        errors = truth.loss_errors(registry, real, losses, summary.final_energy(conn, discom_id, first, last))
        bars = [truth.loss_bar(errors)]
        technical = figures.technical_by_dt(conn, discom_id, catalogue()["D06"].relation, month)
        bars.append(truth.technical_bar(truth.technical_truth(real), technical))
        bars += truth.tag_bars(real, repository.found_tags(conn, discom_id, month))
        bars += truth.theft_bars(registry, real, len(every), figures.suspected_theft(conn, discom_id, month))
        bars += truth.load_bars(real, figures.dt_loads(conn, discom_id, first, last))
    return bars


def _make(seed: int, *, consumers: int, dts: int, feeders: int, days: int) -> Path:
    """A world of that seed, on disk, landed and built."""
    from cli.demo import build_stale, land
    from simulation import SimulationConfig, generate
    from warehouse.registry_import import import_registry

    config = SimulationConfig(
        tenants=1,
        feeders=feeders,
        dts=dts,
        consumers=consumers,
        days=days,
        start=START,
        seed=seed,
        audit=True,
        code_prefix=f"AUDIT-{seed}-{consumers}-{dts}-{feeders}-{days}-",
    )
    folder = settings.home() / "audit" / f"{config.code_prefix}simulation"
    if not (folder / "manifest.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        with progress_bar() as bar:
            task = bar.add_task("simulating", total=100)
            generate(config, folder, lambda text, done: bar.update(task, description=f"simulating {text}", completed=100 * done))
    (tenant,) = (p for p in folder.iterdir() if p.is_dir())
    last = START + timedelta(days=days - 1)
    with db.connect("meterhouse_owner") as conn:
        import_registry(conn, tenant / "registry")
    land(tenant, START, last)
    build_stale(tenant.name, START, last)
    return tenant


def _show(name: str, bars: list[Bar]) -> None:
    table = Table("", "figure", "bar", "", "", title=f"{name}: against its truth", title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for bar in bars:
        figure = "-" if bar.figure is None else f"{bar.figure:.2f}"
        verdict = "held" if bar.held else "missed"
        table.add_row(bar.name, figure, f"{'≥' if bar.higher else '≤'} {bar.bar:g}", verdict, bar.detail, style="" if bar.held else "red")
    console.print(table)
