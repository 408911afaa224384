"""meterhouse hes check: how a sample would be read, without landing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import console
from ingestion.check import check_sample, render
from ingestion.vendor import load_vendor

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Head-end systems and their vendor files."""


@app.command()
def check(
    vendor: Annotated[str, typer.Argument(help="Vendor file: a name in ingestion/vendors or a path.")],
    sample: Annotated[Path, typer.Argument(help="A file as the head-end system delivers it.", exists=True, dir_okay=False)],
) -> None:
    """Show how a sample would be read by a vendor file: counts, first rows, what would be rejected and why. Nothing is landed.

    Example: meterhouse hes check vendor_b blockload_20261002_012000.csv
    """
    report = check_sample(load_vendor(vendor), sample.name, sample.read_bytes())
    console.print(render(report))
