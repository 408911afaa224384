"""meterhouse api, meterhouse keys create|list|rotate|revoke."""

from __future__ import annotations

import getpass
import os
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import psycopg
import typer
from rich.table import Table

from api import logs
from api.admin import keys as service
from api.admin.rights import administrator_grant
from api.auth import HEADER, Caller, new_key
from api.auth import repository as keys_of
from api.auth.changes import Origin, record
from api.auth.federated import config
from api.metrics import SHARED_FOLDER
from cli.console import console, fail
from cli.data import Discom
from cli.database import ensure_ready
from cli.operator import operator
from ingestion.landing import DiscomContext
from warehouse import db

keys = typer.Typer(no_args_is_help=True)


def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    openapi: Annotated[bool, typer.Option("--openapi", help="Print the description (OpenAPI) and serve nothing.")] = False,
) -> None:
    """Serve the API until Ctrl-C. The log is JSON, a line a request.

    Example: meterhouse api --port 8000 --workers 2
    """
    if openapi:
        from api.main import create_app
        from api.openapi import written

        sys.stdout.write(written(create_app()))
        return
    from api.workers import serve

    try:
        config.load()
    except config.IdentityFileError as e:
        fail(str(e))
    ensure_ready()
    with tempfile.TemporaryDirectory(prefix="meterhouse-metrics-") as shared:
        if workers > 1:
            os.environ.setdefault(SHARED_FOLDER, shared)  # read by prometheus_client when a worker starts
        try:
            serve(
                "api.main:create_app",
                factory=True,
                host=host,
                port=port,
                workers=workers,
                log_config=logs.config(),
                access_log=False,
                server_header=False,
                timeout_worker_healthcheck=60,  # with the default of 5 s a busy machine ends processes again that are still starting
            )
        except OSError as e:
            fail(f"{host}:{port} cannot be listened on ({e.strerror}): stop what is there, or give another --port")


@keys.command()
def create(
    discom: Discom,
    name: Annotated[str, typer.Option(help="Who will hold it.")],
    hes: Annotated[str | None, typer.Option(help="Head-end system that will push with it, in place of a role.")] = None,
    role: Annotated[str, typer.Option(help="What it may do: billing_system, analyst … or a role of the DISCOM's own.")] = "operator",
    office: Annotated[str | None, typer.Option(help="Limit it to this office and those below it.")] = None,
    days: Annotated[int | None, typer.Option(help="It ends after so many days. Default: never.", min=1)] = None,
    network: Annotated[list[str] | None, typer.Option(help="Address or network it may be used from; may be given often.")] = None,
    requests_per_min: Annotated[int, typer.Option(help="How many requests it may send a minute.", min=1)] = 600,
) -> None:
    """Make a key and show it once: the warehouse keeps only a hash.

    Example: meterhouse keys create -d D01 --hes HPL --name "HPL Jaipur" --network 10.20.0.0/16
    """
    ensure_ready()
    key, key_id, secret_sha256 = new_key()
    with db.connect("meterhouse_owner") as conn:
        context = DiscomContext.load(conn, discom)
        hes_id = context.hes_id(hes) if hes else None
        if hes_id is None and role not in (known := keys_of.role_codes(conn, context.discom_id)) - {"hes_vendor"}:
            fail(f"--role {role}: there is no such role; there are {', '.join(sorted(known - {'hes_vendor'}))}")
        office_id = keys_of.office_id(conn, context.discom_id, office) if office else None
        if office and office_id is None:
            fail(f"--office {office}: DISCOM {discom} has no such office")
        try:
            keys_of.insert_key(
                conn,
                context.discom_id,
                key_id,
                secret_sha256,
                hes_id,
                name,
                network or [],
                requests_per_min,
                role=role,
                office_id=office_id,
                expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
            )
        except psycopg.DataError as e:
            fail(f"--network: {str(e).splitlines()[0]}: write 10.20.0.0/16 or 10.20.0.7")
        _record(conn, context.discom_id, "keys:create", key_id, {"name": name, "role": "hes_vendor" if hes else role, "office": office})
    console.print(key, markup=False, highlight=False, soft_wrap=True)
    console.print(f"send it in the header {HEADER}; it is not shown again", style="dim")


@keys.command("list")
def list_(discom: Discom) -> None:
    """List the keys of a DISCOM.

    Example: meterhouse keys list -d D01
    """
    ensure_ready()
    table = Table("key", "role", "in", "held by", "from", "a minute", "created", "ends", "revoked")
    with db.connect("meterhouse_owner") as conn:
        for k in keys_of.keys(conn, DiscomContext.load(conn, discom).discom_id):
            created, ends, revoked = (f"{t:%Y-%m-%d %H:%M}" if (t := k[at]) else "" for at in ("created_at", "expires_at", "revoked_at"))
            networks = ", ".join(k["networks"] or ["anywhere"])
            table.add_row(
                k["key_id"],
                k["role"],
                k["hes"] or k["office"] or discom,
                k["name"],
                networks,
                str(k["requests_per_min"]),
                created,
                ends,
                revoked,
            )
    console.print(table)


@keys.command()
def revoke(discom: Discom, key_id: Annotated[str, typer.Argument(help="As `keys list` shows it.")]) -> None:
    """Revoke a key: from now on it is refused.

    Example: meterhouse keys revoke -d D01 3fa94c0e12ab
    """
    ensure_ready()
    with db.connect("meterhouse_owner") as conn:
        discom_id = DiscomContext.load(conn, discom).discom_id
        if not keys_of.revoke_key(conn, discom_id, key_id):
            fail(f"DISCOM {discom} has no key {key_id!r} in use: `meterhouse keys list -d {discom}`")
        _record(conn, discom_id, "keys:revoke", key_id, {"revoked": True})
    console.print(f"{key_id} is revoked")


@keys.command()
def rotate(
    discom: Discom,
    key_id: Annotated[str, typer.Argument(help="As `keys list` shows it.")],
    overlap_hours: Annotated[int, typer.Option(help="How long the old key stays good.", min=0, max=720)] = 24,
) -> None:
    """Make a key in the place of another, with the same role, networks and limits, and show it once. The old one ends after the overlap.

    Example: meterhouse keys rotate -d D01 3fa94c0e12ab --overlap-hours 48
    """
    with operator(discom) as (pools, caller):
        caller = Caller(replace(caller.identity, grants=(administrator_grant(),)))
        made = service.rotate(pools, caller, key_id, timedelta(hours=overlap_hours), Origin())
    console.print(made.key, markup=False, highlight=False, soft_wrap=True)
    console.print(f"send it in the header {HEADER}; it is not shown again. {key_id} stays good for {overlap_hours} h", style="dim")


def _record(conn: psycopg.Connection, discom_id: int, action: str, key_id: str, after: dict[str, Any]) -> None:
    record(conn, discom_id, f"{getpass.getuser()} (cli)", action, key_id, after=after, origin=Origin())
