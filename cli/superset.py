"""meterhouse superset: the dashboards' server, and their files."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.console import console, fail
from cli.database import ensure_ready
from dashboards import server_control as server
from dashboards.client import administrator

app = typer.Typer(no_args_is_help=True)
Discoms = Annotated[list[str] | None, typer.Option("--discom", "-d", help="Code of a DISCOM; may be given often. Default: all.")]


@app.command()
def up(
    port: Annotated[int | None, typer.Option(help="Default: the last one, or 8088.")] = None,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    sync: Annotated[bool, typer.Option(help="Bring the dashboards in line with the files as well.")] = True,
    host: Annotated[str, typer.Option(help="Address to listen on, and by which it is reached.")] = "127.0.0.1",
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay until it ends; Ctrl-C stops it.")] = False,
) -> None:
    """Start Superset, or find the running one, and bring it in line with the files.

    Example: meterhouse superset up --port 8088
    """
    ensure_ready()
    with console.status("starting Superset (half a minute, the first time a whole one)"):
        state = server.up(port, workers, host)
    console.print(f"Superset: {state.url}, pid {state.pid}, log {state.log}")
    console.print(f"log in as [bold]{server.ADMIN}[/bold] with the password that `meterhouse superset password` shows")
    try:
        if sync:
            bring_in_line(None, dry_run=False)
        if foreground:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            while server.status().running:
                time.sleep(1)
            fail(f"Superset ended: see {state.log}")
    finally:
        if foreground:
            server.down()


@app.command()
def down() -> None:
    """Stop Superset. Nothing is lost.

    Example: meterhouse superset down
    """
    console.print("stopped" if server.down() else "it did not run")


@app.command()
def status() -> None:
    """Say whether Superset runs, and where. Exit code 3 where it does not.

    Example: meterhouse superset status
    """
    state = server.status()
    if not state.running:
        console.print("not running")
        raise typer.Exit(3)
    console.print(f"running at {state.url}, pid {state.pid}, log {state.log}")


@app.command()
def password() -> None:
    """Show the password of Superset's administrator.

    Example: meterhouse superset password
    """
    typer.echo(server.secret("admin_password"))


@app.command()
def user(
    login: Annotated[str, typer.Argument(help="Name to log in with.")],
    discom: Annotated[str, typer.Option("--discom", "-d", help="DISCOM whose data this person sees.")],
    email: Annotated[str, typer.Option(help="Address; reports go there.")],
    name: Annotated[str, typer.Option(help="First name and last name.")] = "Meterhouse Analyst",
) -> None:
    """Make a person who sees the dashboards of one DISCOM and may ask in SQL. The password is asked for, or read from standard input.

    Example: meterhouse superset user asha -d D01 --email asha@discom.example
    """
    from dashboards.people import add
    from dashboards.tenants import tenant

    chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    first, _, last = name.partition(" ")
    with administrator() as client:
        made = add(client, tenant(discom), login, chosen, email, first, last or "-")
    console.print(f"{login} {'was made' if made else 'is there: roles and password were set'} for {discom}")


@app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 where the files are not what they would be.")] = False,
) -> None:
    """Write dashboards/assets/ anew from dbt's YAML, the figures and the designs.

    Example: meterhouse superset generate
    """
    from dashboards.generate import dump, read, write
    from dashboards.generate import generate as made

    assets = made()
    if check:
        there = read()
        differ = sorted(p for p in assets.keys() | there.keys() if dump(assets.get(p)) != dump(there.get(p)))
        if differ:
            fail(
                f"{len(differ)} files of dashboards/assets are not as generated (`meterhouse superset generate`): {', '.join(differ[:10])}"
            )
        console.print(f"{len(assets)} assets are as generated")
        return
    changed = write(assets)
    console.print(f"{len(assets)} assets, {len(changed)} files written or removed")


@app.command()
def validate() -> None:
    """Check every asset without a server: dashboard, chart, dataset, dbt model and column, one by the other.

    Example: meterhouse superset validate
    """
    from dashboards.generate import read
    from dashboards.validate import validate as faults_of

    assets = read()
    if faults := faults_of(assets):
        fail("\n".join(faults))
    console.print(f"{len(assets)} assets agree with each other and with dbt's models")


@app.command()
def sync(
    discom: Discoms = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Bring Superset in line with the files: assets, roles, row-level security. The second time there is nothing to do.

    Example: meterhouse superset sync --dry-run
    """
    bring_in_line(discom, dry_run=dry_run)


def bring_in_line(discom: list[str] | None, *, dry_run: bool) -> None:
    """Sync, and say what was done."""
    from dashboards.sync import sync as synchronise
    from dashboards.tenants import tenant, tenants

    chosen = [tenant(code) for code in discom] if discom else tenants()
    if not chosen:
        console.print(
            "no DISCOM is registered yet, so there is nothing to show: `meterhouse registry import`, then `meterhouse superset sync`"
        )
        return
    with administrator() as client:
        change = synchronise(client, chosen, dry_run=dry_run, say=lambda text: console.print(f"[dim]{text}[/dim]"))
    for sign, names in (("+", change.created), ("~", change.changed), ("-", change.removed)):
        for name in names if len(names) <= 30 else [*names[:10], f"… {len(names) - 10} more"]:
            console.print(f" {sign} {name}" + (f"  ({', '.join(change.details[name])})" if name in change.details else ""), highlight=False)
    done = "would be" if dry_run else "were"
    console.print(
        f"{len(change.created)} {done} created, {len(change.changed)} changed, {len(change.removed)} removed" if change else "no change"
    )


@app.command()
def warm(
    discom: Discoms = None,
    anew: Annotated[bool, typer.Option("--anew", help="Ask past the cache.")] = False,
    limit: Annotated[float | None, typer.Option(help="Seconds; exit code 1 where a chart takes longer.", min=0)] = None,
) -> None:
    """Ask for every chart of the dashboards as they open: the cache then has them, and what is slow is told.

    Example: meterhouse superset warm -d D01 --anew --limit 2
    """
    from dashboards.tenants import tenant, tenants
    from dashboards.warm import Answer, by_board
    from dashboards.warm import warm as ask

    answers: list[Answer] = []
    with administrator() as client, console.status("asking for charts") as status:
        for of in [tenant(code) for code in discom] if discom else tenants():
            for answer in ask(client, of, anew=anew):
                status.update(f"{of.code}: {answer.board}, {answer.chart}")
                answers.append(answer)
    for board, of_it in by_board(answers).items():
        cached = sum(a.cached for a in of_it)
        slowest = f"slowest {of_it[0].seconds:6.2f} s: {of_it[0].chart}"
        console.print(f"{board:20} {len(of_it):3} charts, {cached:3} from the cache, {slowest}", highlight=False)
    for answer in answers:
        if answer.error:
            console.print(f"  [red]{answer.board}, {answer.chart}: {answer.error[:500]}[/red]", highlight=False)
        elif limit is not None and answer.seconds > limit:
            console.print(f"  [red]{answer.board}, {answer.chart}: {answer.seconds:.2f} s[/red]", highlight=False)
    if wrong := sum(bool(a.error) for a in answers):
        fail(f"{wrong} charts do not answer")
    if limit is not None and (slow := sum(a.seconds > limit for a in answers)):
        fail(f"{slow} of {len(answers)} charts take longer than {limit:g} s")


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Folder to write to; made if need be.")]) -> None:
    """Write every asset of the server as files, also those that people made in it.

    Example: meterhouse superset export backup/superset
    """
    with administrator() as client:
        files = client.export()
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    console.print(f"{len(files)} files in {folder}")


@app.command()
def screenshot(
    discom: Annotated[str, typer.Option("--discom", "-d", help="DISCOM whose dashboards are shown.")],
    board: Annotated[list[str] | None, typer.Option("--board", "-b", help="Name of a dashboard; may be given often. Default: all.")] = None,
    folder: Annotated[Path, typer.Option("--to", help="Folder of the pictures.")] = Path("screenshots"),
    width: Annotated[int, typer.Option(help="Pixels.", min=800, max=3840)] = 1600,
    dark: Annotated[bool, typer.Option("--dark", help="In the dark theme.")] = False,
    bare: Annotated[bool, typer.Option("--bare", help="Without Superset's own header.")] = False,
) -> None:
    """Make pictures of the dashboards with headless Chromium, as somebody of the DISCOM sees them.

    Exit code 1 where a panel fails or is empty.

    Example: meterhouse superset screenshot -d D01 --to screenshots
    """
    from dashboards.screenshots import pictures

    wrong = 0
    for picture in pictures(discom, board or [], folder, width=width, dark=dark, bare=bare):
        console.print(f"{picture.file}  {picture.charts} charts, {picture.seconds} s")
        for text in (*picture.errors, *picture.empty):
            wrong += 1
            console.print(f"  [red]{text}[/red]")
    if wrong:
        fail(f"{wrong} panels are not as they should be")


def installed() -> bool:
    """Whether there is a Superset to start."""
    try:
        return bool(server.python())
    except server.SupersetError:
        return False
