"""meterhouse db: start, stop, status, psql, migrate, check-security."""

from __future__ import annotations

import os

import typer

from cli.console import console, fail
from warehouse import db, security, settings
from warehouse.embedded import EmbeddedServer

app = typer.Typer(no_args_is_help=True)


def ensure_ready() -> None:
    """A database to work on, migrated: the embedded one is started if need be."""
    if not settings.explicit_database_url():
        EmbeddedServer().start()
    db.migrate()


@app.command()
def start() -> None:
    """Start the embedded PostgreSQL (or find the running one) and bring its schema up to date.

    Example: meterhouse db start
    """
    if settings.explicit_database_url():
        fail("METERHOUSE_DATABASE_URL is set, so no embedded server is used: `meterhouse db migrate` brings that one up to date")
    state = EmbeddedServer().start()
    db.migrate()
    console.print(f"PostgreSQL {state.version} on 127.0.0.1:{state.port}, pid {state.pid}, data in {state.data}")


@app.command()
def stop() -> None:
    """Stop the embedded PostgreSQL. Nothing is lost.

    Example: meterhouse db stop
    """
    EmbeddedServer().stop()
    console.print("stopped")


@app.command()
def status() -> None:
    """Say whether the embedded PostgreSQL runs, and where. Exit code 3 where it does not.

    Example: meterhouse db status
    """
    state = EmbeddedServer().status()
    if not state.running:
        console.print(f"not running (data in {state.data})")
        raise typer.Exit(3)
    console.print(f"running on 127.0.0.1:{state.port}, pid {state.pid}, data in {state.data}")


@app.command()
def migrate() -> None:
    """Bring the schema of the warehouse up to date.

    Example: METERHOUSE_DATABASE_URL=postgresql://… meterhouse db migrate
    """
    ensure_ready()
    console.print("the schema is up to date")


@app.command("check-security")
def check_security() -> None:
    """Say what the catalogue of the warehouse leaves open between tenants and offices. Reads no rows; exit code 1 where there is something.

    Example: meterhouse db check-security
    """
    with db.connect("meterhouse_owner") as conn:
        found = security.faults(conn)
    for fault in found:
        console.print(f"- {fault}")
    if found:
        raise typer.Exit(1)
    console.print("nothing stands open: every table of tenants, view, function and role is as docs/security.md says")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context) -> None:
    """Open psql on the warehouse; what follows is passed on to it.

    Example: meterhouse db psql -c 'select * from reports.rpt_d01_dt_energy_audit limit 5'
    """
    # The password goes by the environment: a command line can be read by every user of the machine.
    import sqlalchemy as sa

    url = sa.make_url(db.database_url())
    program = "psql" if settings.explicit_database_url() else EmbeddedServer().psql()
    environment = os.environ | {"PGPASSWORD": url.password or "", "PGOPTIONS": "-c role=meterhouse_owner"}
    command = [
        program,
        "-h",
        url.host or "",
        "-p",
        str(url.port or 5432),
        "-U",
        url.username or "",
        "-d",
        url.database or "",
        *context.args,
    ]
    os.execvpe(program, command, environment)  # noqa: S606
