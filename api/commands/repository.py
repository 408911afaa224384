"""SQL of commands, in a transaction of one tenant as meterhouse_api. Moves are `ingestion.commands.states.move`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from ingestion.commands.states import Kind, State


@dataclass(frozen=True)
class Meter:
    meter_id: int
    serial: str
    category: str
    hes_id: int
    hes: str
    vendor: str


@dataclass(frozen=True)
class Earlier:
    """What an idempotency key was used for."""

    id: int
    request_sha256: bytes


_COMMAND = """
    select c.command_id as id, c.group_id as group, m.serial as meter, h.code as hes, c.kind, c.parameters, c.state, c.reason, c.priority,
           c.requested_by, c.requested_at, case when c.state = 'queued' then c.due_at end as not_before, c.expires_at, c.override_reason,
           c.attempts, c.sent_at, c.finished_at, c.result
    from ops.command c
    join registry.meter m on m.discom_id = c.discom_id and m.meter_id = c.meter_id
    join registry.hes h on h.discom_id = c.discom_id and h.hes_id = c.hes_id"""


_MOVED_SINCE = "(%(since)s::timestamptz is null or c.command_id in (select command_id from ops.command_audit where at >= %(since)s))"


def now_zone_holidays(conn: psycopg.Connection) -> tuple[datetime, str, Collection[date]]:
    """The database's time, the tenant's time zone and its holidays."""
    row = conn.execute(
        "select now(), timezone, (select coalesce(array_agg(day), '{}') from registry.holiday where discom_id = d.discom_id)"
        " from registry.discom d"
    ).fetchone()
    assert row is not None
    return row[0], row[1], set(row[2])


def meters(conn: psycopg.Connection, serials: Sequence[str]) -> dict[str, Meter]:
    """The meters of these serials that there are, with the head-end system that each has now."""
    with conn.cursor(row_factory=class_row(Meter)) as cur:
        found = cur.execute(
            """select m.meter_id, m.serial, m.category, m.hes_id, h.code as hes, h.vendor
               from registry.meter m join registry.hes h on h.discom_id = m.discom_id and h.hes_id = m.hes_id
               where m.serial = any(%s)""",
            [list(serials)],
        ).fetchall()
    return {m.serial: m for m in found}


def command_of_key(conn: psycopg.Connection, key: str) -> Earlier | None:
    with conn.cursor(row_factory=class_row(Earlier)) as cur:
        return cur.execute("select command_id as id, request_sha256 from ops.command where idempotency_key = %s", [key]).fetchone()


def group_of_key(conn: psycopg.Connection, key: str) -> Earlier | None:
    with conn.cursor(row_factory=class_row(Earlier)) as cur:
        return cur.execute("select group_id as id, request_sha256 from ops.command_group where idempotency_key = %s", [key]).fetchone()


@dataclass(frozen=True)
class New:
    """What the commands of one request have in common."""

    discom_id: int
    kind: Kind
    parameters: dict[str, Any]
    priority: int
    who: str
    override_reason: str | None
    due_at: datetime
    expires_at: datetime
    why: str


def insert_commands(
    conn: psycopg.Connection,
    new: New,
    chosen: Sequence[Meter],
    *,
    group_id: int | None = None,
    key: str | None = None,
    request_sha256: bytes | None = None,
) -> list[int]:
    """Queue one command a meter, each with its first line in the audit trail. Empty where another request was quicker with the key."""
    found = conn.execute(
        """with made as (
             insert into ops.command (discom_id, group_id, meter_id, hes_id, kind, parameters, priority, idempotency_key, request_sha256,
                                      requested_by, override_reason, due_at, expires_at, reason)
             select %(discom)s, %(group)s, m.meter_id, m.hes_id, %(kind)s, %(parameters)s, %(priority)s, %(key)s, %(sha256)s,
                    %(who)s, %(override)s, %(due)s, %(expires)s, %(why)s
             from unnest(%(meters)s::int[], %(hes)s::int[]) m(meter_id, hes_id)
             on conflict (discom_id, idempotency_key) do nothing
             returning discom_id, command_id, hes_id),
           noted as (
             insert into ops.command_audit (discom_id, command_id, hes_id, who, to_state, why, detail)
             select discom_id, command_id, hes_id, %(who)s, 'queued', %(why)s, %(detail)s from made)
           select command_id from made""",
        {
            "discom": new.discom_id,
            "group": group_id,
            "kind": new.kind,
            "parameters": Jsonb(new.parameters),
            "priority": new.priority,
            "key": key,
            "sha256": request_sha256,
            "who": new.who,
            "override": new.override_reason,
            "due": new.due_at,
            "expires": new.expires_at,
            "why": new.why,
            "detail": Jsonb({"override_reason": new.override_reason}) if new.override_reason else None,
            "meters": [m.meter_id for m in chosen],
            "hes": [m.hes_id for m in chosen],
        },
    ).fetchall()
    return [row[0] for row in found]


def insert_group(
    conn: psycopg.Connection, discom_id: int, key: str, request_sha256: bytes, kind: Kind, who: str, refused: list[dict[str, str]]
) -> int | None:
    """The new group's id, None where another request was quicker with the key."""
    row = conn.execute(
        """insert into ops.command_group (discom_id, idempotency_key, request_sha256, kind, requested_by, refused)
           values (%s, %s, %s, %s, %s, %s) on conflict (discom_id, idempotency_key) do nothing returning group_id""",
        [discom_id, key, request_sha256, kind, who, Jsonb(refused)],
    ).fetchone()
    return row[0] if row else None


def note_refusals(conn: psycopg.Connection, discom_id: int, who: str, refused: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Keep (code, what was asked) of what got no command in the audit trail."""
    with conn.cursor() as cur:
        cur.executemany(
            "insert into ops.command_audit (discom_id, who, to_state, why, detail) values (%s, %s, 'refused', %s, %s)",
            [(discom_id, who, code, Jsonb(asked)) for code, asked in refused],
        )


def command(conn: psycopg.Connection, command_id: int) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_COMMAND} where c.command_id = %s", [command_id]).fetchone()


def audit(conn: psycopg.Connection, command_id: int) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            "select at, who, from_state as before, to_state as after, why from ops.command_audit where command_id = %s order by audit_id",
            [command_id],
        ).fetchall()


def page(
    conn: psycopg.Connection,
    state: State | None,
    meter: str | None,
    group_id: int | None,
    updated_since: datetime | None,
    before: int | None,
    size: int,
) -> list[dict[str, Any]]:
    """Up to `size` commands with an id below `before`, newest first. Of `updated_since` those that moved since."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            f"""{_COMMAND}
                where (%(state)s::text is null or c.state = %(state)s) and (%(meter)s::text is null or m.serial = %(meter)s)
                  and {_MOVED_SINCE}
                  and (%(group)s::bigint is null or c.group_id = %(group)s) and (%(before)s::bigint is null or c.command_id < %(before)s)
                order by c.command_id desc limit %(size)s""",
            {"state": state, "meter": meter, "group": group_id, "since": updated_since, "before": before, "size": size},
        ).fetchall()


def group(conn: psycopg.Connection, group_id: int) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cur:
        found = cur.execute(
            "select group_id as id, kind, requested_by, requested_at, refused from ops.command_group where group_id = %s", [group_id]
        ).fetchone()
        if found is None:
            return None
        states = cur.execute(
            """select state, count(*) as n, min(due_at) filter (where state = 'queued') as not_before
               from ops.command where group_id = %s group by state order by state""",
            [group_id],
        ).fetchall()
    due = [s["not_before"] for s in states if s["not_before"]]
    return {**found, "states": {s["state"]: s["n"] for s in states}, "not_before": min(due, default=None)}
