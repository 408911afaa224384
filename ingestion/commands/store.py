"""What the dispatcher reads and writes of ops.command, as meterhouse_dispatcher: claiming, leases, what time alone decides.

All stamps are the database's, so that workers need not agree on the time. Moves themselves are `states.move`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row, namedtuple_row

from ingestion.canonical import Delivery
from ingestion.commands.driver import Command
from ingestion.commands.rules import Rules, load_rules
from ingestion.commands.states import RELAY, Kind, State, move
from ingestion.fragments import MeterLookup
from ingestion.landing import DiscomContext, LandingResult, land

CONTROL_EVENTS = {Kind.DISCONNECT: 301, Kind.CONNECT: 302}
"""Load switch disconnected, connected."""

SWEEP = 500
"""Commands that one sweep takes on at most of each sort."""

RATE_WINDOW = timedelta(minutes=1)


@dataclass(frozen=True)
class HeadEnd:
    """A head-end system as the registry knows it, with its DISCOM."""

    discom_id: int
    discom: str
    timezone: str
    hes_id: int
    code: str
    vendor: str
    base_url: str | None
    max_concurrent: int
    commands_per_min: int

    @property
    def rules(self) -> Rules:
        return load_rules(self.discom)


@dataclass(frozen=True)
class Endpoint:
    """registry.meter_endpoint: where a meter that is read directly answers."""

    host: str
    port: int
    framing: str
    client_address: int
    server_address: int
    authentication: str
    system_title: str | None


@dataclass(frozen=True)
class Job:
    """A command that this worker has the lease of. `state` is `sent`: to be sent now; acknowledged or unknown: to be looked at."""

    command: Command
    state: State
    hes: HeadEnd
    meter_id: int
    interval_min: int
    endpoint: Endpoint | None


def heads_with_work(conn: psycopg.Connection) -> list[HeadEnd]:
    """Head-end systems that have a command due, in no order that would favour one."""
    with conn.cursor(row_factory=dict_row) as cur:
        found = cur.execute(
            """select h.discom_id, d.code as discom, d.timezone, h.hes_id, h.code, h.vendor, h.base_url,
                      h.max_concurrent, h.commands_per_min
               from registry.hes h join registry.discom d using (discom_id)
               where exists (select 1 from ops.command c
                             where c.discom_id = h.discom_id and c.hes_id = h.hes_id and c.state in ('queued','acknowledged','unknown')
                               and c.due_at <= clock_timestamp() and (c.leased_until is null or c.leased_until < clock_timestamp()))
               order by random()"""
        ).fetchall()
    return [HeadEnd(**row) for row in found]


# --- claiming ---

# A meter is spoken to about one command at a time: many take one association only.
_CANDIDATE = """
    select c.command_id, c.meter_id, c.kind, c.parameters, c.state, c.attempts, c.looks, c.reference, c.expires_at, c.sent_at,
           c.override_reason, m.serial, m.interval_min,
           e.host, e.port, e.framing, e.client_address, e.server_address, e.authentication, e.system_title
    from ops.command c
    join registry.meter m on m.discom_id = c.discom_id and m.meter_id = c.meter_id
    left join registry.meter_endpoint e on e.discom_id = c.discom_id and e.meter_id = c.meter_id
    where c.discom_id = %(discom)s and c.hes_id = %(hes)s and c.due_at <= %(now)s
      and not exists (
        select 1 from ops.command o
        where o.discom_id = c.discom_id and o.meter_id = c.meter_id and o.command_id <> c.command_id and o.leased_until > %(now)s)"""

# Of one meter's relay commands one is under way at a time, and none that a later one has overtaken.
_TO_SEND = f"""{_CANDIDATE} and c.state = 'queued' and c.expires_at > %(now)s
      and not (c.kind = any(%(relay)s) and exists (
        select 1 from ops.command o
        where o.discom_id = c.discom_id and o.meter_id = c.meter_id and o.kind = any(%(relay)s) and o.command_id <> c.command_id
          and (o.state in ('sent','acknowledged') or (o.command_id > c.command_id and o.state <> 'cancelled'))))
    order by c.priority, c.due_at, c.command_id limit %(most)s for update of c skip locked"""  # noqa: S608

_TO_LOOK_AT = f"""{_CANDIDATE} and c.state in ('acknowledged','unknown')
      and (c.leased_until is null or c.leased_until < %(now)s)
    order by c.priority, c.due_at, c.command_id limit %(most)s for update of c skip locked"""


def claim(conn: psycopg.Connection, hes: HeadEnd, worker: str, lease: timedelta, most: int) -> list[Job]:
    """Take up to `most` due commands of one head-end system, within its limits, which hold over all workers together.

    What is to be sent is `sent` and committed when this returns: whatever happens then, nobody sends it again without knowing.
    Empty also where another worker is claiming there at this moment.
    """
    with conn.transaction(), conn.cursor(row_factory=namedtuple_row) as cur:
        lock = f"meterhouse commands {hes.discom_id} {hes.hes_id}"
        (free,) = cur.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [lock]).fetchone() or (False,)
        if not free:
            return []
        window: Any = cur.execute(
            """select clock_timestamp() as now,
                 (select count(*) from ops.command where discom_id = %(discom)s and hes_id = %(hes)s
                    and state in ('sent','acknowledged','unknown') and leased_until > clock_timestamp()) as under_way,
                 (select count(*) from ops.command_audit where discom_id = %(discom)s and hes_id = %(hes)s
                    and to_state = 'sent' and at > clock_timestamp() - %(window)s) as sends""",
            {"discom": hes.discom_id, "hes": hes.hes_id, "window": RATE_WINDOW},
        ).fetchone()
        capacity = min(most, hes.max_concurrent - window.under_way)
        if capacity <= 0:
            return []
        asked = {"discom": hes.discom_id, "hes": hes.hes_id, "now": window.now, "relay": sorted(RELAY)}
        jobs: list[Job] = []
        leased = {"leased_by": worker, "leased_until": window.now + lease}
        to_send = cur.execute(_TO_SEND, {**asked, "most": max(0, min(capacity, hes.commands_per_min - window.sends))}).fetchall()
        for row in _outside_protected_hours(conn, hes, worker, window.now, to_send):
            why = f"attempt {row.attempts + 1}"
            if row.meter_id in (job.meter_id for job in jobs):
                continue
            sent = {**leased, "attempts": row.attempts + 1, "sent_at": window.now}
            if move(conn, hes.discom_id, row.command_id, State.QUEUED, State.SENT, who=worker, why=why, **sent):
                jobs.append(_job(hes, row, State.SENT, window.now))
        to_look_at: list[Any] = cur.execute(_TO_LOOK_AT, {**asked, "most": capacity - len(jobs)}).fetchall()
        for row in to_look_at:
            if row.meter_id in (job.meter_id for job in jobs):
                continue
            conn.execute(
                "update ops.command set leased_by = %(leased_by)s, leased_until = %(leased_until)s, looks = looks + 1"
                " where discom_id = %(discom)s and command_id = %(command)s",
                {**leased, "discom": hes.discom_id, "command": row.command_id},
            )
            jobs.append(_job(hes, row, State(row.state), row.sent_at))
    return jobs


def _outside_protected_hours(conn: psycopg.Connection, hes: HeadEnd, worker: str, now: datetime, rows: Iterable[Any]) -> list[Any]:
    """The rows that may go out now; disconnects that may not are put off to when they may, or ended where that is too late."""
    rows = list(rows)
    if not any(row.kind == Kind.DISCONNECT and row.override_reason is None for row in rows):
        return rows
    opens = hes.rules.opens_at(now, ZoneInfo(hes.timezone), holidays(conn, hes.discom_id))
    kept = []
    for row in rows:
        if row.kind != Kind.DISCONNECT or row.override_reason is not None or opens <= now:
            kept.append(row)
        elif opens < row.expires_at:
            move(
                conn,
                hes.discom_id,
                row.command_id,
                State.QUEUED,
                State.QUEUED,
                who=worker,
                why=f"protected hours, put off to {opens.isoformat()}",
                due_at=opens,
            )
        else:
            why = f"protected hours until {opens.isoformat()}, later than it expires"
            move(conn, hes.discom_id, row.command_id, State.QUEUED, State.TIMED_OUT, who=worker, why=why)
    return kept


def holidays(conn: psycopg.Connection, discom_id: int) -> Collection[date]:
    """Days of registry.holiday."""
    return {day for (day,) in conn.execute("select day from registry.holiday where discom_id = %s", [discom_id]).fetchall()}


def _job(hes: HeadEnd, row: Any, state: State, sent_at: datetime | None) -> Job:
    command = Command(
        discom_id=hes.discom_id,
        command_id=row.command_id,
        serial=row.serial,
        kind=Kind(row.kind),
        parameters=row.parameters,
        reference=row.reference or f"MH-{hes.discom_id}-{row.command_id}",
        attempts=row.attempts + (state == State.SENT),
        looks=row.looks + (state != State.SENT),
        expires_at=row.expires_at,
        sent_at=sent_at,
    )
    endpoint = (
        Endpoint(row.host, row.port, row.framing, row.client_address, row.server_address, row.authentication, row.system_title)
        if row.host
        else None
    )
    return Job(command, state, hes, row.meter_id, row.interval_min, endpoint)


# --- leases ---


def renew(conn: psycopg.Connection, worker: str, lease: timedelta, in_hand: Iterable[tuple[int, int]]) -> None:
    """Keep the leases of (discom_id, command_id) that this worker still has."""
    for discom_id, command_id in in_hand:
        conn.execute(
            """update ops.command set leased_until = clock_timestamp() + %s
               where discom_id = %s and command_id = %s and leased_by = %s""",
            [lease, discom_id, command_id, worker],
        )


def may_send(conn: psycopg.Connection, job: Job, worker: str) -> bool:
    """Whether this worker still has what it claimed: one that was held up may find that others have taken it for gone."""
    row = conn.execute(
        """select state = 'sent' and leased_by = %s and leased_until > clock_timestamp() from ops.command
           where discom_id = %s and command_id = %s""",
        [worker, job.hes.discom_id, job.command.command_id],
    ).fetchone()
    return bool(row and row[0])


def look_again(conn: psycopg.Connection, job: Job, worker: str, wait: timedelta) -> None:
    """Give the lease back: nothing new was learnt, look again after `wait`."""
    conn.execute(
        """update ops.command set leased_by = null, leased_until = null, due_at = clock_timestamp() + %s
           where discom_id = %s and command_id = %s and leased_by = %s""",
        [wait, job.hes.discom_id, job.command.command_id, worker],
    )


def state_of(conn: psycopg.Connection, job: Job) -> State:
    row = conn.execute(
        "select state from ops.command where discom_id = %s and command_id = %s", [job.hes.discom_id, job.command.command_id]
    ).fetchone()
    assert row is not None
    return State(row[0])


# --- what time alone decides ---


def sweep(conn: psycopg.Connection, worker: str) -> int:
    """Move on what nobody has in hand: overtaken, expired, or left by a worker that is gone. Returns how many were moved."""
    return _overtaken(conn, worker) + _expired(conn, worker) + _abandoned(conn, worker)


def _overtaken(conn: psycopg.Connection, worker: str) -> int:
    """A relay command in the queue gives way to a later one of the same meter: the latest instruction stands."""
    with conn.transaction():
        found = conn.execute(
            """select c.discom_id, c.command_id, l.latest
               from ops.command c
               cross join lateral (
                 select max(o.command_id) as latest from ops.command o
                 where o.discom_id = c.discom_id and o.meter_id = c.meter_id and o.kind = any(%(relay)s) and o.command_id > c.command_id
                   and o.state <> 'cancelled') l
               where c.state = 'queued' and c.kind = any(%(relay)s) and l.latest is not null
               order by c.command_id limit %(most)s for update of c skip locked""",
            {"relay": sorted(RELAY), "most": SWEEP},
        ).fetchall()
        for discom_id, command_id, latest in found:
            move(conn, discom_id, command_id, State.QUEUED, State.CANCELLED, who=worker, why=f"overtaken by command {latest}")
    return len(found)


def _expired(conn: psycopg.Connection, worker: str) -> int:
    with conn.transaction():
        found = conn.execute(
            """select discom_id, command_id, state, kind from ops.command
               where state in ('queued','acknowledged') and expires_at <= clock_timestamp()
                 and (leased_until is null or leased_until < clock_timestamp())
               order by command_id limit %s for update skip locked""",
            [SWEEP],
        ).fetchall()
        for discom_id, command_id, state, kind in found:
            if state == State.QUEUED:
                move(conn, discom_id, command_id, State.QUEUED, State.TIMED_OUT, who=worker, why="expired before it was sent")
            elif kind in RELAY:
                why = "accepted, but not confirmed in time"
                move(conn, discom_id, command_id, State.ACKNOWLEDGED, State.UNKNOWN, who=worker, why=why)
            else:
                move(
                    conn, discom_id, command_id, State.ACKNOWLEDGED, State.TIMED_OUT, who=worker, why="accepted, but no answer came in time"
                )
    return len(found)


def _abandoned(conn: psycopg.Connection, worker: str) -> int:
    """Sent, and the worker's lease lapsed before it noted an outcome: the worker is gone."""
    with conn.transaction():
        found = conn.execute(
            """select c.discom_id, c.command_id, c.kind, c.attempts, c.leased_by, d.code
               from ops.command c join registry.discom d using (discom_id)
               where c.state = 'sent' and c.leased_until < clock_timestamp()
               order by c.command_id limit %s for update of c skip locked""",
            [SWEEP],
        ).fetchall()
        for discom_id, command_id, kind, attempts, gone, code in found:
            why = f"worker {gone} ended while it was being sent"
            if kind in RELAY:
                after = State.UNKNOWN
            elif attempts < load_rules(code).attempts:
                after = State.QUEUED
            else:
                after = State.FAILED
            move(conn, discom_id, command_id, State.SENT, after, who=worker, why=why)
    return len(found)


# --- confirmation ---


def confirmed_by_event(conn: psycopg.Connection, job: Job) -> dict[str, Any] | None:
    """The landed 301 or 302 that confirms a relay command: the meter's latest of the two since it was sent. None: there is none."""
    if job.command.sent_at is None:
        return None
    since = job.command.sent_at - job.hes.rules.event_tolerance
    row = conn.execute(
        """select code, occurred_at, batch_id from raw.event
           where discom_id = %s and meter_id = %s and day >= %s and occurred_at >= %s and code = any(%s)
           order by occurred_at desc, received_at desc limit 1""",
        [
            job.hes.discom_id,
            job.meter_id,
            since.astimezone(ZoneInfo(job.hes.timezone)).date(),
            since,
            sorted(CONTROL_EVENTS.values()),
        ],
    ).fetchone()
    if row is None or row[0] != CONTROL_EVENTS[job.command.kind]:
        return None
    return {"event": row[0], "occurred_at": row[1].isoformat(), "batch_id": row[2]}


def overtaken_by_a_send(conn: psycopg.Connection, job: Job) -> bool:
    """Whether a later relay command of this meter went out: then the relay's position says nothing of this one."""
    row = conn.execute(
        """select exists (select 1 from ops.command where discom_id = %s and meter_id = %s and command_id > %s
                          and kind = any(%s) and sent_at is not null)""",
        [job.hes.discom_id, job.meter_id, job.command.command_id, sorted(RELAY)],
    ).fetchone()
    return bool(row and row[0])


def land_answer(conn: psycopg.Connection, job: Job, delivery: Delivery) -> LandingResult:
    """Land what a command brought back. Only this meter's values are expected in it; others are rejected, not lost."""
    hes = job.hes
    meters = MeterLookup.of([job.command.serial], [job.meter_id], [job.interval_min])
    return land(
        conn, DiscomContext(hes.discom, hes.discom_id, ZoneInfo(hes.timezone), meters, {hes.code: hes.hes_id}), hes.hes_id, delivery
    )
