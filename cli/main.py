"""Puts the command groups together and turns expected errors into one clear message and exit code 1."""

from __future__ import annotations

import typer
from sqlalchemy.exc import OperationalError

from cli import (
    alerts,
    api,
    audit,
    audit_advice,
    audit_score,
    audit_tags,
    commands,
    data,
    database,
    demo,
    dlms,
    report,
    report_schedule,
    run,
    sla,
    streams,
    superset,
    up,
    users,
    vendors,
)
from cli.bench import command as bench
from cli.bench import section_commands
from cli.console import fail
from cli.vee import app as vee

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Meterhouse: the open meter-data warehouse. Start with [bold]meterhouse demo[/bold].",
)
app.add_typer(database.app, name="db", help="The warehouse's PostgreSQL: embedded, or what METERHOUSE_DATABASE_URL names.")
app.add_typer(data.registry, name="registry", help="Master data: offices, feeders, DTs, meters, consumers.")
app.add_typer(data.land, name="land", help="Land what head-end systems deliver.")
data.land.command("mqtt")(streams.mqtt)
data.land.command("kafka")(streams.kafka)
app.add_typer(vendors.app, name="hes", help="Head-end systems and their vendor files.")
vendors.app.command("listen-dlms")(dlms.listen)
app.add_typer(api.keys, name="keys", help="Keys of those who push to the API or command meters.")
app.add_typer(users.app, name="users", help="Accounts of people, and the roles that they hold.")
app.add_typer(users.role_app, name="roles", help="Roles that accounts and keys hold.")
app.command("api")(api.api)
app.add_typer(commands.app, name="commands", help="Commands to meters: connect, disconnect, load limit, reads, clock, TOD calendar.")
app.add_typer(alerts.app, name="alerts", help="Alerts of meters' events: who is told, and what was.")
app.add_typer(audit.app, name="audit", help="Energy audit: losses, indexing and load, and what may be done about them.")
audit.app.command("advice")(audit_advice.advice)
audit.app.command("tags")(audit_tags.tags)
audit.app.command("score")(audit_score.score)
app.add_typer(vee, name="vee", help="Validate, estimate, edit and explain meter-days.")
app.command("sla")(sla.sla)
app.command("run")(run.run)
app.command("report")(report.report)
app.add_typer(report_schedule.app, name="report-schedule", help="Reports that go out by themselves: what is due, what went where.")
app.command("dagster")(run.dagster)
app.add_typer(superset.app, name="superset", help="Dashboards: Superset as a server of this machine, and its assets as files.")
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("bench")(bench.bench)
app.command("bench-api")(section_commands.bench_api)
app.command("bench-dashboards")(section_commands.bench_dashboards)


def main() -> None:
    """Entry point."""
    try:
        app()
    except KeyboardInterrupt:
        fail("interrupted: what was landed or built so far stays, and the same command goes on from there", 130)
    except Exception as e:
        # The migrations go through SQLAlchemy, which wraps what the driver says of a server that does not answer.
        said = e.orig if isinstance(e, OperationalError) and e.orig else e
        if not _expected(said):
            raise
        fail(str(said).strip())


def _expected(error: BaseException) -> bool:
    """Errors whose message says what is wrong and how to mend it; anything else is our mistake and keeps its traceback."""
    modules = ("warehouse", "ingestion", "expectations", "vee", "audit", "orchestration", "api", "dashboards", "cli", "simulation")
    name = type(error).__module__.split(".")[0]
    return name in modules or isinstance(error, (OSError,)) or type(error).__module__.startswith("psycopg")


if __name__ == "__main__":
    main()
