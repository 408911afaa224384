"""meterhouse hes check, meterhouse hes unmapped: how a sample would be read, without landing it, and which codes nobody has mapped yet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.console import console, count
from cli.database import ensure_ready
from ingestion.check import check_sample, render
from ingestion.landing import DiscomContext
from ingestion.unmapped import unmapped as find_unmapped
from ingestion.vendor import load_vendor
from warehouse import db

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
