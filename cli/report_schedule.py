"""meterhouse report-schedule: list, run, deliver, history, check."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.markup import escape
from rich.table import Table

from cli.console import console, count, fail
from cli.data import Discom
from cli.database import ensure_ready
from warehouse import db

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(discom: Discom) -> None:
    """List the schedules of a DISCOM, and when each is due next.

    Example: meterhouse report-schedule list --discom D01
    """
    from api.reports.schedules import config, queue

    ensure_ready()
    with db.connect() as conn:
        tenant = queue.tenant(conn, discom)
    found = config.schedules_of(discom)
    if found is None:
        console.print(f"{discom} has no file of schedules: copy api/reports/schedules/discoms/_example.yml")
        return
    table = Table("schedule", "reports", "formats", "period", "to", "next", title=str(found.path), title_justify="left", box=None)
    now = datetime.now(UTC)
    for s in found.schedules:
        saved = f"saved report {s.builder}" if s.builder else None
        reports = (
            saved or s.layout or " ".join(s.dashboards) or (" ".join(s.reports) if len(s.reports) <= 6 else f"{len(s.reports)} reports")
        )
        following = f"{s.due_after(now, tenant.zone).astimezone(tenant.zone):%Y-%m-%d %H:%M}" if s.enabled else "switched off"
        to = ", ".join(f"{channel} {target}" for channel, target in s.send)
        table.add_row(escape(s.name), reports, " ".join(s.formats if not s.layout else ()), s.period, escape(to), following)
    console.print(table)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="Name of the schedule.")],
    discom: Discom,
    first: Annotated[
        datetime | None, typer.Option("--from", help="First business day. Default: the schedule's period.", formats=["%Y-%m-%d"])
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", help="Last business day.", formats=["%Y-%m-%d"])] = None,
) -> None:
    """Make and send the reports of a schedule now, as if it were due. Exit code 1 where they did not go out; they are then tried again.

    Example: meterhouse report-schedule run "losses of yesterday" --discom D01
    """
    from api.reports import periods
    from api.reports.schedules import config, queue

    if (first is None) != (last is None):
        fail("--from and --to belong together")
    ensure_ready()
    now = datetime.now(UTC)
    with db.connect() as conn:
        tenant = queue.tenant(conn, discom)
        found = config.schedules_of(discom)
        if found is None:
            fail(f"{discom} has no file of schedules: copy api/reports/schedules/discoms/_example.yml")
        schedule = found.named(name)
        days = (first.date(), last.date()) if first and last else schedule.days(now, tenant.zone)
        periods.check(*days, tenant.zone, now)
        _deliver(conn, queue.note(conn, tenant, schedule, now, days))


@app.command("deliver")
def deliver_() -> None:
    """Note what is due by the schedules of every DISCOM, and deliver what waits. Dagster does so by itself each minute.

    Example: meterhouse report-schedule deliver
    """
    from api.reports.schedules import queue

    ensure_ready()
    with db.connect() as conn:
        faults = queue.note_due(conn, datetime.now(UTC))
        _deliver(conn, None)
    if faults:
        fail("\n".join(faults))


def _deliver(conn: psycopg.Connection, ids: list[int] | None) -> None:
    from api.reports.schedules.deliver import Delivery, deliver_due
    from dashboards import screenshots

    def tell(d: Delivery, state: str) -> None:
        console.print(f"{d.discom} {d.schedule}: {d.channel} {d.target}: {state}", markup=False)

    done = deliver_due(conn, ids, tell, screenshots.write)
    if done.troubles:
        fail("; ".join(done.troubles))
    console.print(f"{done.sent} sent")


@app.command()
def history(
    discom: Discom,
    schedule: Annotated[str | None, typer.Option(help="Of this schedule alone.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 20,
) -> None:
    """Show what went out, what waits and what failed, the newest first.

    Example: meterhouse report-schedule history --discom D01
    """
    from api.reports.schedules import queue

    ensure_ready()
    with db.connect() as conn:
        tenant = queue.tenant(conn, discom)
        lines = queue.history(conn, tenant.discom_id, limit, schedule)
    table = Table("due", "schedule", "days", "to", "state", "attempts", "files", "", box=None)
    for line in lines:
        files = f"{len(line.files)}, {count(sum(f['bytes'] for f in line.files))} octets" if line.files else ""
        waits = line.state == "pending" and line.attempts
        note = (line.last_error or "") + (f" (again at {line.next_attempt_at.astimezone(tenant.zone):%H:%M})" if waits else "")
        table.add_row(
            f"{line.due_at.astimezone(tenant.zone):%Y-%m-%d %H:%M}",
            escape(line.schedule),
            f"{line.first_day} to {line.last_day}" if line.first_day != line.last_day else str(line.first_day),
            escape(f"{line.channel} {line.target}"),
            line.state,
            str(line.attempts),
            files,
            escape(note),
        )
    console.print(table if lines else "no deliveries")


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A file of schedules.")]) -> None:
    """Check a file of schedules before it is put in place.

    Example: meterhouse report-schedule check ./schedules/D01.yml
    """
    from api.reports.schedules import config
    from dashboards import screenshots

    found = config.load(file)
    for s in found.schedules:
        screenshots.check(s.dashboards)
    console.print(f"{file}: {len(found.schedules)} schedules, no fault")
