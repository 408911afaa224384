"""What is accepted, what is refused and why. No HTTP paths, no SQL."""

from __future__ import annotations

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg

from api.auth import Caller
from api.commands import repository
from api.commands.repository import Meter, New
from api.commands.schemas import Command, CommandRequest, CommandWithAudit, Group, GroupRequest, Page, Refusal
from api.database import Database
from api.errors import Problem
from ingestion.commands.drivers import why_not
from ingestion.commands.rules import load_rules
from ingestion.commands.states import NEEDS_RELAY, RELAY_CATEGORIES, Kind, State, move

MAX_ID = 2**63 - 1


def accept(pools: Database, caller: Caller, key: str, request: CommandRequest) -> tuple[Command, bool]:
    """The command, and whether it is new: the same key with the same request gives the same command again.

    Raises Problem: 409 the key was used for something else, 422 refused (which the audit trail keeps).
    """
    digest = _digest(request)
    with pools.tenant(caller) as conn:
        if earlier := repository.command_of_key(conn, key):
            return _again(conn, earlier.id, earlier.request_sha256 == digest), False
        found = repository.meters(conn, [request.meter])
        refusal = _refusal(request, request.meter, found.get(request.meter))
        new, late = _new(conn, caller, request)
        if refusal := refusal or (late and Refusal(meter=request.meter, code=late[0], detail=late[1])):
            asked = {**request.model_dump(mode="json"), "idempotency_key": key}
            repository.note_refusals(conn, caller.discom_id, caller.who, [(refusal.code, asked)])
        elif made := repository.insert_commands(conn, new, [found[request.meter]], key=key, request_sha256=digest):
            return _command(conn, made[0]), True
        elif earlier := repository.command_of_key(conn, key):  # another request with this key was quicker
            return _again(conn, earlier.id, earlier.request_sha256 == digest), False
        else:  # or was of an office that this caller does not see
            raise _key_reused()
    assert refusal
    raise Problem(422, refusal.code, "The command is refused", refusal.detail)


def accept_group(pools: Database, caller: Caller, key: str, request: GroupRequest) -> tuple[Group, bool]:
    """The group, and whether it is new. Meters that are refused are listed, the others are queued.

    Raises Problem: 409 the key was used for something else, 422 where the request as a whole is refused.
    """
    digest = _digest(request)
    with pools.tenant(caller) as conn:
        earlier = repository.group_of_key(conn, key)
        if earlier is None:
            found = repository.meters(conn, request.meters)
            refusals = [r for m in request.meters if (r := _refusal(request, m, found.get(m)))]
            new, late = _new(conn, caller, request)
            asked = request.model_dump(mode="json", exclude={"meters"})
            if late:
                repository.note_refusals(conn, caller.discom_id, caller.who, [(late[0], {**asked, "meters": len(request.meters)})])
            else:
                listed = [r.model_dump() for r in refusals]
                group_id = repository.insert_group(conn, caller.discom_id, key, digest, request.kind, caller.who, listed)
                if group_id is not None:
                    refused = {r.meter for r in refusals}
                    repository.insert_commands(conn, new, [found[m] for m in request.meters if m not in refused], group_id=group_id)
                    lines = [(r.code, {**asked, "meter": r.meter, "group": group_id}) for r in refusals]
                    repository.note_refusals(conn, caller.discom_id, caller.who, lines)
                    return _group(conn, group_id), True
                earlier = repository.group_of_key(conn, key)
        if earlier is not None:
            if earlier.request_sha256 != digest:
                raise _key_reused()
            return _group(conn, earlier.id), False
    assert late
    raise Problem(422, late[0], "The commands are refused", late[1])


def get(pools: Database, caller: Caller, command_id: int) -> CommandWithAudit:
    """Raises Problem 404, also for another tenant's."""
    with pools.tenant(caller) as conn:
        return CommandWithAudit(**_command(conn, command_id).model_dump(), audit=repository.audit(conn, command_id))  # type: ignore[arg-type]


def get_group(pools: Database, caller: Caller, group_id: int) -> Group:
    """Raises Problem 404."""
    with pools.tenant(caller) as conn:
        return _group(conn, group_id)


def listed(
    pools: Database,
    caller: Caller,
    state: State | None,
    meter: str | None,
    group_id: int | None,
    updated_since: datetime | None,
    before: int | None,
    size: int,
) -> Page:
    """A page of commands, newest first."""
    with pools.tenant(caller) as conn:
        rows = repository.page(conn, state, meter, group_id, updated_since, before, size + 1)
    return Page(items=[Command(**row) for row in rows[:size]], next=rows[size - 1]["id"] if len(rows) > size else None)


def cancel(pools: Database, caller: Caller, command_id: int) -> Command:
    """Take back what was not sent yet. Raises Problem: 404, 409 where it is too late."""
    with pools.tenant(caller) as conn:
        done = move(conn, caller.discom_id, command_id, State.QUEUED, State.CANCELLED, who=caller.who, why="taken back")
        command = _command(conn, command_id)
    if not done and command.state != State.CANCELLED:
        raise Problem(
            409, "NOT_QUEUED", "Too late to take it back", f"command {command_id} is {command.state}: only what is queued can be taken back"
        )
    return command


# --- deciding ---


def _refusal(request: CommandRequest | GroupRequest, serial: str, meter: Meter | None) -> Refusal | None:
    if meter is None:
        detail = f"no meter {serial!r} is in the registry: check the serial, or import the master data"
        return Refusal(meter=serial, code="UNKNOWN_METER", detail=detail)
    if request.kind in NEEDS_RELAY and meter.category not in RELAY_CATEGORIES:
        detail = f"meter {serial} is of category {meter.category}, which has no load switch: only D1 and D2 take {request.kind}"
        return Refusal(meter=serial, code="NO_RELAY", detail=detail)
    if why := why_not(meter.vendor, request.kind):
        return Refusal(meter=serial, code="NO_WAY", detail=f"meter {serial} is of head-end system {meter.hes}: {why}")
    return None


def _new(conn: psycopg.Connection, caller: Caller, request: CommandRequest | GroupRequest) -> tuple[New, tuple[str, str] | None]:
    """What the commands have in common; and code and detail where it would expire before it may go out."""
    rules = load_rules(caller.discom)
    now, zone, holidays = repository.now_zone_holidays(conn)
    due_at, why = now, "accepted"
    if request.kind == Kind.DISCONNECT:
        if request.override_reason:
            why = f"accepted, protected hours overridden: {request.override_reason}"
        elif (opens := rules.opens_at(now, ZoneInfo(zone), holidays)) > now:
            due_at, why = opens, f"accepted, waits for protected hours to end at {opens.isoformat()}"
    expires_at = request.expires_at or due_at + rules.expires[request.kind]
    priority = request.priority or rules.priority[request.kind]
    new = New(caller.discom_id, request.kind, request.parameters, priority, caller.who, request.override_reason, due_at, expires_at, why)
    if expires_at <= now:
        return new, ("EXPIRED", f"expires_at {_iso(expires_at)} is past: leave it out or name a later time")
    if expires_at <= due_at:
        detail = f"it may not go out before {_iso(due_at)} (protected hours), and expires at {_iso(expires_at)}"
        return new, ("PROTECTED_HOURS", f"{detail}: let it expire later, or give override_reason")
    return new, None


def _iso(stamp: datetime) -> str:
    return stamp.isoformat(timespec="seconds")


def _digest(request: CommandRequest | GroupRequest) -> bytes:
    return hashlib.sha256(request.model_dump_json().encode()).digest()


def _again(conn: psycopg.Connection, command_id: int, same: bool) -> Command:
    if not same:
        raise _key_reused()
    return _command(conn, command_id)


def _key_reused() -> Problem:
    return Problem(
        409, "KEY_REUSED", "The key was used before", "this Idempotency-Key came with another request: give each request its own"
    )


def _command(conn: psycopg.Connection, command_id: int) -> Command:
    row = repository.command(conn, command_id) if command_id <= MAX_ID else None
    if row is None:
        raise Problem(404, "UNKNOWN_COMMAND", "No such command", f"there is no command {command_id}")
    return Command(**row)


def _group(conn: psycopg.Connection, group_id: int) -> Group:
    row = repository.group(conn, group_id) if group_id <= MAX_ID else None
    if row is None:
        raise Problem(404, "UNKNOWN_GROUP", "No such group", f"there is no group of commands {group_id}")
    return Group(**row)
