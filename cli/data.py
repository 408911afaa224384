"""meterhouse registry import, meterhouse land files|rest|dlms|replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.markup import escape
from rich.table import Table

from cli.console import console, count, fail, progress_bar
from cli.database import ensure_ready
from ingestion.landing import DiscomContext
from ingestion.replay import replay as replay_rejected
from ingestion.transports.dlms import read_meters
from ingestion.transports.file import FolderSummary, Progress, land_folder
from ingestion.transports.rest import pull
from ingestion.vendor import load_vendor
from warehouse import db
from warehouse.registry import vendor_of
from warehouse.registry_import import import_registry

registry = typer.Typer(no_args_is_help=True)
land = typer.Typer(no_args_is_help=True)

Discom = Annotated[str, typer.Option("--discom", "-d", help="Code of the DISCOM.")]
Hes = Annotated[str, typer.Option("--hes", help="Code of the head-end system in the registry.")]
VendorName = Annotated[
    str | None, typer.Option("--vendor", help="Vendor file: a name in ingestion/vendors or a path. Default: what the registry says.")
]


@registry.command("import")
def import_(folder: Annotated[Path, typer.Argument(help="Folder of CSV files, see docs/hes-formats.md section 1.")]) -> None:
    """Import master data: all of it or, where there is any error, none. Importing again changes nothing.

    Example: meterhouse registry import ./master-data
    """
    ensure_ready()
    with db.connect("meterhouse_owner") as conn:
        changed = import_registry(conn, folder)
    console.print("  ".join(f"{name} {count(n)}" for name, n in changed.items()) + "  rows changed")


@land.command()
def files(
    discom: Discom,
    hes: Hes,
    folder: Annotated[Path, typer.Argument(help="Drop folder. Files move to done/ or failed/ below it.")],
    vendor: VendorName = None,
    keep: Annotated[bool, typer.Option(help="Leave the files where they are.")] = False,
) -> None:
    """Land the files of a drop folder. What was landed before is recognised by its content and adds nothing.

    Example: meterhouse land files -d D01 --hes VENDOR_B ./drop
    """
    with _landing(discom, f"landing {folder.name}") as (conn, context, progress):
        summary = land_folder(conn, context, hes, load_vendor(vendor or _vendor_of(conn, hes, discom)), folder, progress, keep=keep)
    show(summary)
    if summary.failed:
        raise typer.Exit(1)


@land.command()
def rest(
    discom: Discom,
    hes: Hes,
    base_url: Annotated[str, typer.Argument(help="Address of the head-end system.")],
    until: Annotated[
        datetime,
        typer.Option(help="Received before this instant, with its zone (2026-10-02T06:00:00+05:30).", formats=["%Y-%m-%dT%H:%M:%S%z"]),
    ],
    since: Annotated[
        datetime | None,
        typer.Option(help="Received from this instant on. Default: where the last pull ended.", formats=["%Y-%m-%dT%H:%M:%S%z"]),
    ] = None,
    vendor: VendorName = None,
) -> None:
    """Pull a head-end system over REST and land each page. A pull that was broken off goes on with the next page.

    Example: meterhouse land rest -d D01 --hes HPL http://127.0.0.1:8080 --until 2026-10-08T12:00:00+05:30
    """
    with _landing(discom, f"pulling {hes}") as (conn, context, progress):
        summary = pull(conn, context, hes, load_vendor(vendor or _vendor_of(conn, hes, discom)), base_url, since, until, progress)
    show(summary)


@land.command()
def replay(discom: Discom) -> None:
    """Land what was rejected because its meter was not registered, or with another interval, and now is. Each value once.

    Example: meterhouse registry import ./master-data && meterhouse land replay -d D01
    """
    with _landing(discom, "replaying") as (conn, context, progress):
        summary = replay_rejected(conn, context, progress)
    show(summary)


@land.command()
def dlms(
    discom: Discom,
    hes: Hes,
    since: Annotated[
        datetime,
        typer.Option("--from", help="Rows stamped after this instant, with its zone.", formats=["%Y-%m-%dT%H:%M:%S%z"]),
    ],
    until: Annotated[datetime, typer.Option("--to", help="Up to and with this instant, with its zone.", formats=["%Y-%m-%dT%H:%M:%S%z"])],
    meter: Annotated[list[str] | None, typer.Option(help="Serial of a meter, may be repeated. Default: all that have an endpoint.")] = None,
    profile: Annotated[
        list[str] | None, typer.Option(help="instant, block, daily, billing, event or nameplate, may be repeated. Default: all mapped.")
    ] = None,
    vendor: VendorName = None,
) -> None:
    """Read meters directly by DLMS/COSEM and land what they say. Keys come from the file that METERHOUSE_DLMS_KEYS names.

    Example: meterhouse land dlms -d D01 --hes DLMS --from 2026-10-01T00:00:00+05:30 --to 2026-10-02T00:00:00+05:30
    """
    with _landing(discom, f"reading meters of {hes}") as (conn, context, progress):
        named = load_vendor(vendor or _vendor_of(conn, hes, discom))
        summary = read_meters(conn, context, hes, named, meter, profile, since, until, progress)
    show(summary)
    if summary.failed:
        raise typer.Exit(1)


@contextmanager
def _landing(discom: str, what: str) -> Iterator[tuple[psycopg.Connection, DiscomContext, Progress]]:
    """A loader's connection, what it must know of the DISCOM, and a progress bar that is named `what`."""
    ensure_ready()
    with db.connect() as conn, progress_bar() as bar:
        task = bar.add_task(what, total=None)
        yield conn, DiscomContext.load(conn, discom), lambda done, total, _: bar.update(task, completed=done, total=total)


def _vendor_of(conn: psycopg.Connection, hes: str, discom: str) -> str:
    with conn.transaction():
        vendor = vendor_of(conn, discom, hes)
    if vendor is None:
        fail(f"DISCOM {discom} has no head-end system {hes!r} in the registry: check hes.csv and import it again")
    return vendor


def show(summary: FolderSummary) -> None:
    """The counts of a landing, and what was refused."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row(
        "files or pages", f"{summary.files}: {summary.landed} landed, {summary.duplicates} known already, {summary.failed} failed"
    )
    table.add_row("values", f"{count(summary.received)} received = {count(summary.accepted)} accepted + {count(summary.rejected)} rejected")
    for reason, n in sorted(summary.rejected_by_reason.items(), key=lambda r: -r[1]):
        table.add_row("", f"[yellow]{count(n)} {reason.value}[/yellow]: {reason.meaning}")
    for name, why in summary.failures.items():
        table.add_row("[red]failed[/red]", escape(f"{name}: {why}"))
    console.print(table)
