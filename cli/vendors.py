"""meterhouse hes: vendor files tried on samples, codes nobody mapped, pulls and their state, readings for others (export-ies)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.console import console, count, fail, progress_bar
from cli.data import Discom, Hes, show
from cli.database import ensure_ready
from cli.run import discom_id_of
from ingestion import ies, pulls
from ingestion.check import check_sample, render
from ingestion.landing import DiscomContext
from ingestion.unmapped import unmapped as find_unmapped
from ingestion.vendor import load_vendor
from warehouse import db, deliveries
from warehouse.registry import discoms

app = typer.Typer(no_args_is_help=True)

SAMPLE_CHARS = 120


@app.callback()
def _group() -> None:
    """Head-end systems and their vendor files."""


@app.command()
def check(
    vendor: Annotated[str, typer.Argument(help="Vendor file: a name or a path.")],
    sample: Annotated[Path, typer.Argument(help="A file as the head-end system delivers it.", exists=True, dir_okay=False)],
) -> None:
    """Show how a sample would be read by a vendor file: counts, first rows, what would be rejected and why. Nothing is landed.

    Example: meterhouse hes check vendor_b blockload_20261002_012000.csv
    """
    report = check_sample(load_vendor(vendor), sample.name, sample.read_bytes())
    console.print(render(report))


@app.command()
def unmapped(
    discom: Annotated[str, typer.Option("--discom", "-d", help="Code of the DISCOM.")],
    hes: Annotated[str | None, typer.Option("--hes", help="Only this head-end system.")] = None,
) -> None:
    """List the codes that came and that no vendor file maps, the most frequent first, each with what came under it.

    Example: meterhouse hes unmapped -d D01 --hes HES-HPL
    """
    ensure_ready()
    with db.connect() as conn:
        context = DiscomContext.load(conn, discom)
        if hes is not None:
            context.hes_id(hes)
        found = find_unmapped(conn, context.discom_id, hes)
    if not found:
        console.print("no unmapped codes: everything that came is mapped, or ignored on purpose")
        return
    table = Table("HES", "profile", "code", "makes", "meters", "values", "first seen", "last seen", "sample")
    for u in found:
        seen = (f"{t.astimezone(context.timezone):%Y-%m-%d %H:%M}" for t in (u.first_seen, u.last_seen))
        sample = u.sample if len(u.sample) <= SAMPLE_CHARS else u.sample[:SAMPLE_CHARS] + "…"
        cells = (u.hes, u.profile or "", u.code, u.makes, count(u.meters), count(u.values), *seen, sample)
        table.add_row(*(escape(c) for c in cells))
    console.print(table)


@app.command()
def pull(discom: Discom, hes: Hes) -> None:
    """Pull a head-end system as the registry says (base_url in hes.csv): what came since the last pull, over REST or from a drop folder.

    Example: meterhouse hes pull -d D01 --hes HPL
    """
    ensure_ready()
    with db.connect() as conn, progress_bar() as bar:
        task = bar.add_task(f"pulling {hes}", total=None)
        summary = pulls.run(conn, discom, hes, lambda done, total, _: bar.update(task, completed=done, total=total))
    show(summary)
    if summary.failed:
        raise typer.Exit(1)


@app.command()
def status(discom: Discom) -> None:
    """List each head-end system of a DISCOM: its last delivery, values of 24 hours, silent meters, pulls. Exit code 3: one is silent.

    Example: meterhouse hes status -d D01
    """
    ensure_ready()
    with db.connect() as conn:
        known = discoms(conn)
        if discom not in known:
            fail(f"no DISCOM {discom!r} in the registry (known: {', '.join(known) or 'none'})")
        states = deliveries.states(conn, known[discom])
    table = Table("head-end system", "last delivery", "values in 24 h", "meters", "pull", box=None, pad_edge=False)
    for s in states:
        silent = f"[red]silent[/red] (expected every {s.silent_after_min} min)" if s.is_silent else ""
        values = f"{count(s.accepted)} accepted\n{count(s.rejected)} rejected"
        meters = f"{count(s.meters)}\n{count(s.silent_meters)} silent"
        last = f"{_stamp(s.last_landed_at)}\n{silent or escape(Path(s.last_source or '').name)}"
        table.add_row(f"{escape(s.code)}\n{escape(s.vendor)}", last, values, meters, escape(_pull(s)))
    console.print(table)
    if any(s.is_silent for s in states):
        raise typer.Exit(3)


def _pull(state: deliveries.HesState) -> str:
    lines = [f"every {state.pull_every_min} min" if state.pull_every_min else "on nobody's schedule"]
    for f in state.feeds:
        page = f", page {f.next_page} of a window is next" if f.next_page is not None else ""
        lines.append(f"{f.name}: {'complete up to ' + _stamp(f.complete_until) if f.complete_until else 'not complete yet'}{page}")
    if state.failures:
        lines.append(f"failed {state.failures} times since {_stamp(state.succeeded_at)}: {state.error}")
    return "\n".join(lines)


def _stamp(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "never"


@app.command("export-ies")
def export_ies(
    discom: Discom,
    first: Annotated[datetime, typer.Option("--from", help="First business day.", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", help="Last business day.", formats=["%Y-%m-%d"])],
    out: Annotated[Path, typer.Argument(help="File to write.", dir_okay=False)],
    meter: Annotated[list[str] | None, typer.Option("--meter", help="Serial of a meter; give it again for more. Default: all.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Validate each profile against the standard's schema: slower.")] = False,
) -> None:
    """Write validated readings, registers and events as India Energy Stack MeterData v0.6 (JSON).

    Example: meterhouse hes export-ies -d D01 --from 2026-10-01 --to 2026-10-07 --meter HPL00000001 readings.json
    """
    ensure_ready()
    discom_id = discom_id_of(discom)
    part = out.with_name(f".{out.name}.part")
    days = (last.date() - first.date()).days + 1
    try:
        with (
            progress_bar() as bar,
            db.connect("meterhouse_api", autocommit=True, session=db.WHOLE_PARTITIONS) as conn,
            part.open("wb") as f,
        ):
            task = bar.add_task(f"exporting {discom}", total=days)
            counts = ies.export(
                conn, discom_id, first.date(), last.date(), f, serials=meter, check=check, progress=lambda _: bar.update(task, advance=1)
            )
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    console.print(f"{out}: {count(counts.profiles)} profiles, {count(counts.values)} values, {count(counts.events)} events", soft_wrap=True)
    if counts.left_out:
        console.print(f"left out: {count(counts.left_out)} registers that were not read at midnight or events without a code")
