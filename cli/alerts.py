"""meterhouse alerts: run, list, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.console import console, fail
from cli.database import ensure_ready
from ingestion.alerts import dispatch, rules
from ingestion.events.dictionary import SEVERITIES
from warehouse import db, registry

app = typer.Typer(no_args_is_help=True)


@app.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, and end. Exit code 1 where a delivery failed.")] = False,
) -> None:
    """Send alerts from the outbox and group power failures to outages, until interrupted.

    Several may run side by side. What cannot be sent is tried again, 8 times over some twenty minutes. docs/events.md says how to name the
    mail server, the MQTT broker and the secret that signs webhooks.

    Example: meterhouse alerts run
    """
    ensure_ready()

    def say(done: dispatch.Dispatched) -> None:
        if not done.idle:
            console.print(
                f"{done.sent} sent, {done.retried} to be tried again, {done.failed} failed, {done.outages} outages new or changed"
            )

    with db.connect() as conn:
        total = dispatch.run(conn, once=once, listener=say)
    if total.failed:
        raise typer.Exit(1)


@app.command("list")
def list_(
    discom: Annotated[str, typer.Option("--discom", "-d", help="Code of the DISCOM.")],
    limit: Annotated[int, typer.Option(help="The latest so many.", min=1, max=10_000)] = 50,
    severity: Annotated[str | None, typer.Option(help="critical, major, minor or info: only these.")] = None,
) -> None:
    """Show the latest alerts of a DISCOM, and what became of their deliveries.

    Example: meterhouse alerts list -d D01 --severity critical
    """
    if severity is not None and severity not in SEVERITIES:
        fail(f"no severity is called {severity!r}: write one of {', '.join(SEVERITIES)}")
    ensure_ready()
    with db.connect() as conn:
        known = registry.discoms(conn)
        if discom not in known:
            fail(f"no DISCOM has the code {discom!r} (known: {', '.join(known) or 'none'})")
        rows = dispatch.latest_alerts(conn, known[discom], limit, severity)
    table = Table(box=None, pad_edge=False)
    for title in ("raised (UTC)", "severity", "meter", "event", "rule", "occurred (UTC)", "repeats", "deliveries"):
        table.add_column(title)
    for raised, level, meter, event, rule, occurred, repeats, backfill, deliveries in rows:
        told = deliveries or ("too old to tell" if backfill else "")
        table.add_row(f"{raised:%Y-%m-%d %H:%M:%S}", level, meter, event, rule, f"{occurred:%Y-%m-%d %H:%M:%S}", str(repeats), told)
    console.print(table if rows else "no alerts")


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A file of alert rules.")]) -> None:
    """Check a file of alert rules before it is put in place.

    Example: meterhouse alerts check ./rules/D01.yml
    """
    found = rules.load(file)
    console.print(f"{file}: {len(found.rules)} rules, no fault")
