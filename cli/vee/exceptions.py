"""meterhouse vee exceptions: the queue of cases, and what is done with one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape
from rich.table import Column, Table

from api.exceptions import service
from api.exceptions.schemas import Action, Bulk, Case, CaseFilter
from cli.console import console, count, fail
from cli.data import Discom
from cli.operator import operator
from vee.exceptions.repository import Filter
from warehouse.codes import BY_MACHINE, CaseState, Resolution

app = typer.Typer()

Id = Annotated[int, typer.Argument(help="Number of the case.", min=1, max=service.MAX_ID)]
Note = Annotated[str | None, typer.Option(help="Kept in the audit trail.")]
Rule = Annotated[str | None, typer.Option(help="Only those of this rule.")]
Severity = Annotated[str | None, typer.Option(help="fatal, fail, warn or info.")]
Office = Annotated[str | None, typer.Option(help="Code of an office: those of it and of the offices below it.")]
Dt = Annotated[str | None, typer.Option(help="Code of a DT.")]
Meter = Annotated[str | None, typer.Option(help="Serial of a meter.")]
Assignee = Annotated[str | None, typer.Option(help="Only those that this person has.")]
OlderThan = Annotated[float | None, typer.Option("--older-than", help="Hours since the case was opened.", min=0)]
Overdue = Annotated[bool | None, typer.Option("--overdue/--in-time", help="Only those that are over their time, or within it.")]
Reason = Annotated[
    Resolution,
    typer.Option("--resolution", help=f"Why: {', '.join(r for r in Resolution if r not in BY_MACHINE)}.", show_choices=False),
]

_STYLE = {"fatal": "bold red", "fail": "red", "warn": "yellow", "info": "cyan"}


@app.callback(invoke_without_command=True)
def queue(
    context: typer.Context,
    discom: Annotated[str | None, typer.Option("--discom", "-d", help="Code of the DISCOM.")] = None,
    state: Annotated[CaseState | None, typer.Option(help="Only those in this state; without it all that are not closed.")] = None,
    rule: Rule = None,
    severity: Severity = None,
    office: Office = None,
    dt: Dt = None,
    meter: Meter = None,
    assignee: Assignee = None,
    older_than: OlderThan = None,
    overdue: Overdue = None,
    after: Annotated[int | None, typer.Option(help="Number of the last case of the page before.", min=1)] = None,
    size: Annotated[int, typer.Option(help="How many at most.", min=1, max=500)] = 30,
) -> None:
    """Show the queue, the most urgent case first, and how many there are by rule and age.

    Example: meterhouse vee exceptions -d D01 --severity fail --overdue
    """
    if context.invoked_subcommand:
        return
    if discom is None:
        fail("which DISCOM? Name it: meterhouse vee exceptions --discom D01")
    with operator(discom) as (pools, caller):
        page = service.listed(pools, caller, Filter(state, rule, severity, office, dt, meter, assignee, older_than, overdue), after, size)
        lines = service.summary(pools, caller)
    table = Table(
        *(
            "case",
            "rule",
            "severity",
            Column("place", overflow="fold"),
            Column("days", overflow="fold"),
            "meters",
            "kWh",
            "age",
            "state",
            "with",
            "work order",
        ),
        box=None,
        pad_edge=False,
    )
    for c in page.items:
        table.add_row(
            str(c.id),
            c.rule,
            f"[{_STYLE[c.severity]}]{c.severity}[/]",
            escape(_place(c)),
            _days(c),
            count(c.meters),
            "" if c.stake_wh is None else count(c.stake_wh / 1000),
            f"[bold red]{_age(c.age_h)}[/]" if c.overdue and c.state != CaseState.CLOSED else _age(c.age_h),
            c.state,
            escape(c.assignee or ""),
            c.work_order or "",
        )
    console.print(table)
    if page.next:
        console.print(f"there are more: --after {page.next}")
    if not lines:
        console.print("no case waits")
        return
    table = Table(*("rule", "severity", "cases", "< 1 d", "1-3 d", "3-7 d", "> 7 d", "overdue", "with nobody"), box=None, pad_edge=False)
    for s in lines:
        numbers = (s.cases, s.day, s.three_days, s.week, s.older, s.overdue, s.unassigned)
        table.add_row(s.rule, f"[{_STYLE[s.severity]}]{s.severity}[/]", *map(count, numbers))
    console.print()
    console.print(table)


@app.command()
def show(discom: Discom, case: Id) -> None:
    """A case with its meter-days and everything that was done with it.

    Example: meterhouse vee exceptions show -d D01 17
    """
    with operator(discom) as (pools, caller):
        found = service.get(pools, caller, case)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in found.model_dump(exclude={"exceptions", "audit"}, mode="json").items():
        if value is not None:
            table.add_row(name, escape(_age(value) if name in ("age_h", "sla_h") else str(value)))
    console.print(table)
    table = Table("day", "meter", "state", "what", box=None, pad_edge=False)
    for e in found.exceptions[:SHOWN]:
        table.add_row(str(e.day), e.meter, e.state, escape(e.message))
    console.print()
    console.print(table)
    if len(found.exceptions) > SHOWN:
        console.print(f"and {count(max(found.meter_days, len(found.exceptions)) - SHOWN)} more: GET /api/v1/vee/cases/{case}")
    for a in found.audit:
        changed = {k: v for k, v in a.after.items() if a.before.get(k) != v}
        line = f"{a.at:%Y-%m-%d %H:%M:%SZ}  {a.who}: {a.action}  {json.dumps(changed) if changed else ''}  {a.note or ''}"
        console.print(line.rstrip(), markup=False, soft_wrap=True)


SHOWN = 20


@app.command()
def take(discom: Discom, case: Id) -> None:
    """Take a case in hand; refused where another has it.

    Example: meterhouse vee exceptions take -d D01 17
    """
    _act(discom, case, {"do": "take"})


@app.command()
def assign(discom: Discom, case: Id, assignee: Annotated[str, typer.Argument(help="Who is to work on it.")], note: Note = None) -> None:
    """Give a case to somebody, whoever has it.

    Example: meterhouse vee exceptions assign -d D01 17 "desk 2"
    """
    _act(discom, case, {"do": "assign", "assignee": assignee, "note": note})


@app.command()
def wait(
    discom: Discom,
    case: Id,
    reason: Annotated[str, typer.Argument(help="What it waits for.")],
    until: Annotated[
        datetime | None, typer.Option(help="UTC; the first build after it wakes the case. Without it: until somebody acts.")
    ] = None,
) -> None:
    """Let a case rest until something happens.

    Example: meterhouse vee exceptions wait -d D01 17 "section office was asked"
    """
    _act(discom, case, {"do": "wait", "reason": reason, "until": f"{until.isoformat()}Z" if until else None})


@app.command()
def comment(discom: Discom, case: Id, note: Annotated[str, typer.Argument(help="What is to be remembered.")]) -> None:
    """Add a line to a case.

    Example: meterhouse vee exceptions comment -d D01 17 "consumer is away until December"
    """
    _act(discom, case, {"do": "comment", "note": note})


@app.command()
def close(discom: Discom, case: Id, resolution: Reason, note: Note = None) -> None:
    """Close a case and its exceptions: they stay closed while their values are the same.

    Example: meterhouse vee exceptions close -d D01 17 --resolution value_accepted --note "a holiday"
    """
    _act(discom, case, {"do": "close", "resolution": resolution, "note": note})


@app.command()
def reopen(discom: Discom, case: Id, note: Note = None) -> None:
    """Open a case that a person closed, with its exceptions.

    Example: meterhouse vee exceptions reopen -d D01 17 --note "it was no holiday"
    """
    _act(discom, case, {"do": "reopen", "note": note})


@app.command("close-all")
def close_all(
    discom: Discom,
    expected: Annotated[int, typer.Option(help="How many cases you saw: refused where they are more or fewer.", min=1)],
    resolution: Reason,
    note: Note = None,
    rule: Rule = None,
    severity: Severity = None,
    office: Office = None,
    dt: Dt = None,
    meter: Meter = None,
    assignee: Assignee = None,
    older_than: OlderThan = None,
    overdue: Overdue = None,
) -> None:
    """Close all cases of a filter, in one transaction.

    Example: meterhouse vee exceptions close-all -d D01 --rule V13 --office S1 --expected 12 --resolution value_accepted
    """
    wanted = {"rule": rule, "severity": severity, "office": office, "dt": dt, "meter": meter, "assignee": assignee}
    with _asked():
        asked = Bulk(
            filter=CaseFilter(**wanted, min_age_h=older_than, overdue=overdue),  # type: ignore[arg-type]
            expected=expected,
            action={"do": "close", "resolution": resolution, "note": note},  # type: ignore[arg-type]
        )
    with operator(discom) as (pools, caller):
        done = service.bulk(pools, caller, asked)
    console.print(f"{count(len(done.cases))} cases and {count(done.exceptions)} exceptions are closed")


def _act(discom: str, case: int, action: dict[str, Any]) -> None:
    with _asked():
        asked: Action = TypeAdapter(Action).validate_python(action)
    with operator(discom) as (pools, caller):
        found = service.act(pools, caller, case, asked)
    console.print(f"case {case} is {found.state}{f', with {found.assignee}' if found.assignee else ''}", markup=False, soft_wrap=True)


def _place(case: Case) -> str:
    return {"meter": case.meter, "dt": f"DT {case.dt}", "feeder": f"feeder {case.feeder}"}[case.scope] or ""


def _days(case: Case) -> str:
    return str(case.first_day) if case.first_day == case.last_day else f"{case.first_day}..{case.last_day:%m-%d}"


def _age(hours: float) -> str:
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} d"


@contextmanager
def _asked() -> Iterator[None]:
    try:
        yield
    except ValidationError as e:
        fail("; ".join(f"{'.'.join(map(str, x['loc'][1:] or x['loc']))}: {x['msg']}" for x in e.errors()))
