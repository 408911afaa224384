"""meterhouse demo: the main job from end to end, on a simulated DISCOM whose truth is known, or on real data sets."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from cli import score
from cli.console import console, count, progress_bar
from cli.database import ensure_ready
from cli.run import build
from cli.story import tell
from cli.streams import land_demo
from ingestion.landing import DiscomContext
from ingestion.transports.file import FolderSummary, land_folder
from ingestion.transports.rest import pull
from ingestion.transports.stream import StreamSummary
from ingestion.vendor import load_vendor
from orchestration.stale import DayRange, stale_ranges
from simulation import HplServer, SimulationConfig, generate
from warehouse import db, settings, summary
from warehouse.registry_import import import_registry
from warehouse.summary import Landed, Totals

IST = ZoneInfo("Asia/Kolkata")


def demo(
    real: Annotated[
        Path | None, typer.Option("--real", help="Folder of the real data sets, instead of the simulation.", exists=True, file_okay=False)
    ] = None,
    tenants: Annotated[int, typer.Option(min=1, max=9)] = 2,
    feeders: Annotated[int, typer.Option(min=1)] = 2,
    dts: Annotated[int, typer.Option(min=1, help="DTs of each tenant.")] = 12,
    consumers: Annotated[int, typer.Option(min=1, help="Consumers of each tenant.")] = 600,
    days: Annotated[int, typer.Option(min=1, max=31)] = 7,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"])] = datetime(2026, 10, 1),
    interval: Annotated[int, typer.Option(help="Minutes per interval: 15 or 30.")] = 30,
    seed: Annotated[int, typer.Option()] = 1,
    clean: Annotated[bool, typer.Option(help="Inject no defect: then no rule may find one.")] = False,
    mqtt: Annotated[
        bool, typer.Option("--mqtt", help="Vendor hpl pushes over MQTT, with a broker of the demo's own, not over REST.")
    ] = False,
) -> None:
    """Simulate a DISCOM, land its three head-end systems, build the week, compare what was found with what was done.

    Example: meterhouse demo --consumers 2000 --dts 40 --seed 7

    Example: meterhouse demo --real ../shared/data
    """
    ensure_ready()
    if real:
        from cli.real import demo_real

        demo_real(real)
        return
    config = SimulationConfig(
        tenants=tenants,
        feeders=feeders,
        dts=dts,
        consumers=consumers,
        days=days,
        start=first.date(),
        interval_min=interval,
        seed=seed,
        clean=clean,
        audit=True,
    )
    world = _simulate(config)
    results = [
        _tenant(folder, config.start, config.start + timedelta(days=config.days - 1), mqtt=mqtt) for folder in sorted(world.glob("D*"))
    ]
    for result in results:
        _show(result)
    tell(results[0].code, results[0].discom_id, config.start, config.start + timedelta(days=config.days - 1))
    _show_files([f for r in results for f in r.files])


@dataclass(frozen=True)
class Result:
    code: str
    discom_id: int
    truth: Path
    built: bool
    landed: Landed
    totals: Totals
    rules: list[score.RuleScore]
    estimates: score.EstimateScore
    dts: Mapping[str, tuple[int, int]]
    dt_truth: dict[str, score.LossTruth]
    meter_faults: dict[str, int]
    feeders: Mapping[str, tuple[int, int, int]]
    feeder_truth: dict[str, int]
    files: list[Path]


def _fingerprint(config: SimulationConfig) -> str:
    return hashlib.sha256(repr(config).encode()).hexdigest()[:8]


def _simulate(config: SimulationConfig) -> Path:
    """The simulated world on disk, made once for each set of parameters."""
    world = settings.home() / "demo" / f"simulation-{_fingerprint(config)}"
    if not (world / "manifest.json").exists():
        shutil.rmtree(world, ignore_errors=True)  # a generation that was broken off
        with progress_bar() as bar:
            task = bar.add_task("simulating", total=100)
            generate(config, world, lambda text, share: bar.update(task, description=f"simulating {text}", completed=100 * share))
    return world


def _tenant(folder: Path, first: date, last: date, *, mqtt: bool) -> Result:
    code = folder.name
    with db.connect("meterhouse_owner") as conn:
        import_registry(conn, folder / "registry")
    land(folder, first, last, mqtt=mqtt)
    built = build_stale(code, first, last)
    from api.reports import export
    from audit.job import audit_month
    from expectations.rules import load_suite

    with db.connect() as conn:
        discom_id = DiscomContext.load(conn, code).discom_id
    for month in sorted({first.replace(day=1), last.replace(day=1)}):
        audit_month(discom_id, code, month)
    files = export(code, first, last, settings.home() / "demo" / "reports")
    with db.connect("meterhouse_dbt") as conn:
        rules = sorted({c.rule for c in load_suite("initial", code).enabled})
        return Result(
            code=code,
            discom_id=discom_id,
            truth=folder / "truth",
            built=built,
            landed=summary.landed(conn, discom_id),
            totals=summary.totals(conn, discom_id, first, last),
            rules=score.rule_scores(folder / "truth", summary.found(conn, discom_id, first, last), rules),
            estimates=score.estimate_score(folder / "truth", summary.estimated_days(conn, discom_id, first, last)),
            dts=summary.dt_balance(conn, discom_id, first, last),
            dt_truth=score.dt_truth(folder / "truth"),
            meter_faults=score.meter_faults(folder / "registry", folder / "truth", summary.final_energy(conn, discom_id, first, last)),
            feeders=summary.feeder_balance(conn, discom_id, first, last),
            feeder_truth=score.feeder_truth(folder / "truth"),
            files=files,
        )


def build_stale(code: str, first: date, last: date) -> bool:
    """Build what landed of these days since they were built; whether there was anything."""
    spans = [s for s in (_within(r, first, last) for r in stale_ranges(code)) if s]
    build(spans)
    return bool(spans)


def _within(span: DayRange, first: date, last: date) -> DayRange | None:
    begin, end = max(span.first, first), min(span.last, last)
    return DayRange(span.discom, begin, end, span.upto) if begin <= end else None


def land(folder: Path, first: date, last: date, *, mqtt: bool = False) -> None:
    """Land the three head-end systems of a tenant. The files stay in place, so that a second demo shows that they add nothing."""
    since = datetime.combine(first - timedelta(days=1), time(), IST)
    until = datetime.combine(last + timedelta(days=7), time(), IST)
    vendor = load_vendor("hpl")
    token = secrets.token_urlsafe(16)
    with db.connect() as conn, progress_bar() as bar:
        context = DiscomContext.load(conn, folder.name)
        task = bar.add_task(f"{folder.name}: landing", total=None)

        def show(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total)

        if mqtt:
            _print_landing(folder.name, "hpl over MQTT", land_demo(folder.name, "HES-HPL", vendor, folder / "hpl"))
        else:
            with HplServer(folder / "hpl", token) as server:
                os.environ[vendor.transport["token_env"]] = token
                _print_landing(folder.name, "hpl over REST", pull(conn, context, "HES-HPL", vendor, server.url, since, until, show))
        for name, hes in (("vendor_b", "HES-B"), ("vendor_c", "HES-C")):
            done = land_folder(conn, context, hes, load_vendor(name), folder / name, show, keep=True)
            _print_landing(folder.name, f"{name} files", done)


def _print_landing(code: str, what: str, s: FolderSummary | StreamSummary) -> None:
    refused = ", ".join(f"{r.value} {count(n)}" for r, n in s.rejected_by_reason.most_common())
    console.print(
        f"{code}  {what:<15} {s.landed:>4} landed, {s.duplicates} known already: {count(s.received)} values = "
        f"{count(s.accepted)} accepted + {count(s.rejected)} rejected{f' ({refused})' if refused else ''}"
    )


def _show(r: Result) -> None:
    console.rule(f"[bold]{r.code}[/bold]" + ("" if r.built else "  (nothing new landed: built before)"))
    t = r.totals
    console.print(
        f"{count(r.landed.received)} values received = {count(r.landed.accepted)} accepted + {count(r.landed.rejected)} rejected. "
        f"{count(t.meters)} meters, {count(t.meter_days)} meter-days, {count(t.present_slots)} of {count(t.due_slots)} intervals there."
    )
    rules = Table("rule", "injected", "found", "found %", "false alarms", title="Exceptions against injected truth", title_justify="left")
    for s in r.rules:
        share = f"{100 * s.found / s.injected:.1f}" if s.injected else "-"
        style = "red" if s.found < 0.99 * s.injected or s.false else ""
        rules.add_row(s.rule, count(s.injected), count(s.found), share, count(s.false), style=style)
    console.print(_right(rules))
    console.print(
        f"Estimated {count(t.estimated_slots)} intervals, {t.estimated_wh / 1000:,.1f} kWh; {count(t.still_missing_slots)} could not be."
    )
    if (e := r.estimates).true_wh:
        console.print(
            f"Of these the truth is known: {e.estimated_wh / 1000:,.1f} kWh estimated, {e.true_wh / 1000:,.1f} kWh true, "
            f"mean error of an interval {100 * e.error_wh / e.true_wh:.1f} %."
        )
    losses = Table(
        *("DT", "input", "loss", "loss %", "techn.", "theft", "tags", "faults", "rest"),
        title="DT losses of the days against truth, kWh",
        title_justify="left",
    )
    for code, (input_wh, loss_wh) in r.dts.items():
        truth, faults = r.dt_truth[code], r.meter_faults.get(code, 0)
        losses.add_row(
            *(code, f"{input_wh / 1000:,.0f}", f"{loss_wh / 1000:,.1f}", f"{100 * loss_wh / input_wh:.2f}" if input_wh else "-"),
            *(
                f"{v / 1000:,.1f}"
                for v in (truth.technical_wh, truth.theft_wh, truth.indexing_wh, faults, loss_wh - truth.apparent_wh - faults)
            ),
        )
    console.print(_right(losses))
    console.print("[dim]loss = technical + theft + wrong tags + what faulty meters still miss after VEE + rest (metering error).[/dim]")
    feeders = Table(
        "feeder",
        "input kWh",
        "HT loss kWh",
        "true kWh",
        "loss to the consumer %",
        title="Feeder losses against truth",
        title_justify="left",
    )
    for code, (input_wh, ht_wh, loss_wh) in r.feeders.items():
        feeders.add_row(
            code,
            f"{input_wh / 1000:,.1f}",
            f"{ht_wh / 1000:,.1f}",
            f"{r.feeder_truth[code] / 1000:,.1f}",
            f"{100 * loss_wh / input_wh:.2f}",
        )
    console.print(_right(feeders))


def _right(table: Table) -> Table:
    """Figures to the right."""
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _show_files(files: list[Path]) -> None:
    console.rule("[bold]Reports[/bold]")
    for path in files:
        console.print(f"  {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}", soft_wrap=True)
    console.print(
        "Look closer: [bold].venv/bin/meterhouse db psql[/bold], then [bold]select * from reports.rpt_d01_dt_energy_audit;[/bold] "
        "or [bold].venv/bin/meterhouse dagster[/bold]"
    )
    console.print(
        "Dashboards: [bold]make up[/bold] starts Superset, API and Dagster, then [bold].venv/bin/meterhouse superset sync[/bold] fills it"
    )
