"""meterhouse commands: run the dispatcher; send, list, show and settle commands to meters."""

from __future__ import annotations

import json
import logging
import signal
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import uuid4

import typer
from pydantic import ValidationError
from rich.table import Table

from api.commands import service
from api.commands.schemas import CommandRequest, GroupRequest
from cli.console import console, fail, progress_bar
from cli.data import Discom
from cli.database import ensure_ready
from cli.operator import operator
from ingestion.commands.dispatcher import LEASE, THREADS, Dispatcher
from ingestion.commands.states import Kind, State, move
from warehouse import db

app = typer.Typer(no_args_is_help=True)

Id = Annotated[int, typer.Argument(help="Number of the command.", min=1)]


@app.command()
def run(
    once: Annotated[bool, typer.Option(help="Work off what is due now, and end.")] = False,
    threads: Annotated[int, typer.Option(help="Commands under way at once in this process.", min=1, max=256)] = THREADS,
    lease_s: Annotated[
        float, typer.Option(help="Seconds after which others take over from a worker that is gone.", min=1.0)
    ] = LEASE.total_seconds(),
) -> None:
    """Send commands to meters and ask what became of them, until stopped (Ctrl-C or SIGTERM: what is under way is finished).

    Any number may run, on any machine: each head-end system's limits hold over all of them. Example: meterhouse commands run
    """
    ensure_ready()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    worker = Dispatcher(threads=threads, lease=timedelta(seconds=lease_s))
    if once:
        with progress_bar() as bar:
            bar.add_task("commands", total=None)
            console.print(f"{worker.run_once()} commands taken in hand")
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    console.print(f"worker {worker.name}", soft_wrap=True)
    worker.run()


@app.command()
def send(
    discom: Discom,
    kind: Annotated[Kind, typer.Argument(help="What to ask of the meter.")],
    meter: Annotated[list[str], typer.Argument(help="Serial of the meter; several are a group.")],
    parameters: Annotated[str, typer.Option("--with", help="Parameters as JSON, such as '{\"load_limit_w\": 2000}'.")] = "{}",
    key: Annotated[str | None, typer.Option(help="Idempotency key: sent again with it, nothing is done twice. Default: a new one.")] = None,
    override: Annotated[str | None, typer.Option(help="Reason for which a disconnect may go out in protected hours.")] = None,
    priority: Annotated[int | None, typer.Option(help="1 goes first.", min=1, max=9)] = None,
) -> None:
    """Queue a command. The dispatcher sends it: meterhouse commands run.

    Example: meterhouse commands send -d D01 disconnect HPL00000001
    """
    try:
        asked: dict[str, Any] = {"kind": kind, "parameters": json.loads(parameters), "override_reason": override, "priority": priority}
        one = CommandRequest(**asked, meter=meter[0]) if len(meter) == 1 else None
        many = GroupRequest(**asked, meters=meter) if one is None else None
    except json.JSONDecodeError as e:
        fail(f"--with is no JSON: {e}")
    except ValidationError as e:
        fail("; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" if x["loc"] else x["msg"] for x in e.errors()))
    with operator(discom) as (pools, caller):
        key = key or f"cli-{uuid4()}"
        if one:
            command, new = service.accept(pools, caller, key, one)
            said = "" if new else " (it was there already)"
            console.print(f"command {command.id} is {command.state}: {command.reason}{said}", soft_wrap=True)
            return
        assert many
        group, _ = service.accept_group(pools, caller, key, many)
    console.print(f"group {group.id}: {group.states.get(State.QUEUED, 0)} queued, {len(group.refused)} refused")
    for refusal in group.refused:
        console.print(f"  {refusal.code}: {refusal.detail}", soft_wrap=True)
    if group.refused:
        raise typer.Exit(1)


@app.command("list")
def list_(
    discom: Discom,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    meter: Annotated[str | None, typer.Option(help="Only those of this meter.")] = None,
    group: Annotated[int | None, typer.Option(help="Only those of this group.")] = None,
    size: Annotated[int, typer.Option(help="How many at most.", min=1, max=500)] = 50,
) -> None:
    """List commands, newest first.

    Example: meterhouse commands list -d D01 --state unknown
    """
    with operator(discom) as (pools, caller):
        page = service.listed(pools, caller, state, meter, group, None, None, size)
    table = Table("id", "meter", "kind", "state", "requested", "by", "reason", box=None, pad_edge=False)
    for c in page.items:
        table.add_row(str(c.id), c.meter, c.kind, c.state, f"{c.requested_at:%Y-%m-%d %H:%M:%SZ}", c.requested_by, c.reason)
    console.print(table)
    if page.next:
        console.print("there are more: name a state, a meter or a group, or a larger --size")


@app.command()
def show(discom: Discom, command: Id) -> None:
    """A command with everything that happened to it.

    Example: meterhouse commands show -d D01 17
    """
    with operator(discom) as (pools, caller):
        found = service.get(pools, caller, command)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in found.model_dump(exclude={"audit"}, mode="json").items():
        if value not in (None, {}):
            table.add_row(name, json.dumps(value) if isinstance(value, dict) else str(value))
    for m in found.audit:
        table.add_row(f"{m.at:%Y-%m-%d %H:%M:%S.%f}Z", f"{m.before or ''} -> {m.after}  {m.why}  ({m.who})")
    console.print(table)


@app.command()
def settle(
    discom: Discom,
    command: Id,
    outcome: Annotated[Literal["done", "failed"], typer.Argument(help="What was found, at the meter or by telephone.")],
    reason: Annotated[str, typer.Option(help="How it was found out; kept in the audit trail.")],
) -> None:
    """Say what became of a command in state `unknown` that nothing else could settle.

    Example: meterhouse commands settle -d D01 17 done --reason "lineman saw the relay open"
    """
    with operator(discom) as (pools, caller):
        before = service.get(pools, caller, command).state
        with db.connect("meterhouse_dispatcher", autocommit=True) as conn:
            who = caller.who
            if not move(conn, caller.discom_id, command, State.UNKNOWN, State(outcome), who=who, why=reason):
                fail(f"command {command} is {before}: only an unknown one can be settled by hand")
    console.print(f"command {command} is {outcome}")
