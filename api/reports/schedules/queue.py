"""The outbox of reports, ops.report_delivery: what is due is written there once, and marked when it went out. The only SQL of this package.

The connection acts as meterhouse_loader: it serves every DISCOM. What a report holds is read as meterhouse_api, for one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from api.reports.catalogue import ReportError
from api.reports.schedules import config
from api.reports.schedules.config import Schedule, ScheduleError

TAKEN_FOR = timedelta(hours=1)
"""How long a delivery is another's to make: longer than the longest report takes (repository.STREAM_TIMEOUT_S)."""
MAX_ATTEMPTS = 10
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=2)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tenant:
    """A DISCOM as far as its schedules need it."""

    discom_id: int
    code: str
    name: str
    zone: ZoneInfo


@dataclass(frozen=True)
class Delivery:
    """One report run to one target. `what` as Schedule.what."""

    discom_id: int
    delivery_id: int
    discom: str
    discom_name: str
    timezone: str
    schedule: str
    due_at: datetime
    first_day: date
    last_day: date
    what: dict[str, Any]
    channel: str
    target: str
    attempts: int


def tenants(conn: psycopg.Connection) -> list[Tenant]:
    with conn.transaction():
        rows = conn.execute("select discom_id, code, name, timezone from registry.discom order by code").fetchall()
    return [Tenant(i, code, name, ZoneInfo(zone)) for i, code, name, zone in rows]


def tenant(conn: psycopg.Connection, code: str) -> Tenant:
    """Raises ReportError."""
    known = tenants(conn)
    for t in known:
        if t.code == code:
            return t
    raise ReportError(f"no DISCOM has the code {code!r} (known: {', '.join(t.code for t in known) or 'none'}): check the spelling")


def note_due(conn: psycopg.Connection, now: datetime) -> list[str]:
    """Write down what was due up to `now` (aware) and is not written yet: of each schedule the last time, if it is no longer ago than its
    DISCOM makes up for. What is wrong with which file is returned; the other DISCOMs are served."""
    faults = []
    for t in tenants(conn):
        try:
            found = config.schedules_of(t.code)
        except ScheduleError as e:
            faults.append(str(e))
            continue
        for s in found.schedules if found else ():
            due_at = s.due_before(now, t.zone)
            if s.enabled and found and now - due_at <= found.catch_up:
                note(conn, t, s, due_at)
    return faults


def note(
    conn: psycopg.Connection, tenant: Tenant, schedule: Schedule, due_at: datetime, days: tuple[date, date] | None = None
) -> list[int]:
    """Write down that a schedule is due, once however often it is said. delivery_id of what is new. `days`: other than its period's."""
    first, last = days or schedule.days(due_at, tenant.zone)
    with conn.transaction():
        rows = conn.execute(
            """insert into ops.report_delivery (discom_id, schedule, due_at, first_day, last_day, what, channel, target)
               select %s, %s, %s, %s, %s, %s, s.* from unnest(%s::text[], %s::text[]) s
               on conflict (discom_id, schedule, due_at, channel, target) do nothing returning delivery_id""",
            [
                *(tenant.discom_id, schedule.name, due_at, first, last, Jsonb(schedule.what)),
                *([channel for channel, _ in schedule.send], [target for _, target in schedule.send]),
            ],
        ).fetchall()
    return [r[0] for r in rows]


def due(conn: psycopg.Connection) -> list[tuple[int, int, int]]:
    """discom_id, delivery_id and attempts of what waits to be delivered now."""
    with conn.transaction():
        return conn.execute(
            """select discom_id, delivery_id, attempts from ops.report_delivery
               where state = 'pending' and next_attempt_at <= now() order by 1, 2"""
        ).fetchall()


_TAKE = """
with due as (
    select discom_id, delivery_id from ops.report_delivery
    where state = 'pending' and next_attempt_at <= now() and (%(ids)s::bigint[] is null or delivery_id = any(%(ids)s))
    order by next_attempt_at, delivery_id limit 1 for update skip locked
)
update ops.report_delivery d set attempts = d.attempts + 1, next_attempt_at = now() + %(taken_for)s
from due, registry.discom c
where d.discom_id = due.discom_id and d.delivery_id = due.delivery_id and c.discom_id = d.discom_id
returning d.discom_id, d.delivery_id, c.code as discom, c.name as discom_name, c.timezone, d.schedule, d.due_at, d.first_day, d.last_day,
          d.what, d.channel, d.target, d.attempts
"""


def take(conn: psycopg.Connection, ids: Sequence[int] | None = None) -> Delivery | None:
    """The next delivery that is due, of these or of all; it is nobody else's until TAKEN_FOR is over."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Delivery)) as cur:
        return cur.execute(_TAKE, {"ids": list(ids) if ids is not None else None, "taken_for": TAKEN_FOR}).fetchone()


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 1, 2, 4 … minutes, up to two hours."""
    return min(FIRST_RETRY * 2 ** (attempts - 1), LONGEST_RETRY)


def mark_sent(conn: psycopg.Connection, delivery: Delivery, files: Iterable[dict[str, Any]]) -> None:
    with conn.transaction():
        conn.execute(
            """update ops.report_delivery set state = 'sent', sent_at = clock_timestamp(), last_error = null, files = %s
               where discom_id = %s and delivery_id = %s and state = 'pending'""",
            [Jsonb(list(files)), delivery.discom_id, delivery.delivery_id],
        )


def mark_failed(conn: psycopg.Connection, delivery: Delivery, error: str, *, permanent: bool) -> bool:
    """Whether it is given up; otherwise it is tried again after its wait."""
    over = permanent or delivery.attempts >= MAX_ATTEMPTS
    with conn.transaction():
        conn.execute(
            """update ops.report_delivery
               set state = case when %(over)s then 'failed' else state end, last_error = %(error)s, next_attempt_at = now() + %(wait)s
               where discom_id = %(discom)s and delivery_id = %(delivery)s and state = 'pending'""",
            {
                "over": over,
                "error": error,
                "wait": backoff(delivery.attempts),
                "discom": delivery.discom_id,
                "delivery": delivery.delivery_id,
            },
        )
    return over


@dataclass(frozen=True)
class Line:
    """A line of the history."""

    delivery_id: int
    schedule: str
    due_at: datetime
    first_day: date
    last_day: date
    channel: str
    target: str
    state: str
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    files: list[dict[str, Any]] | None
    sent_at: datetime | None


def history(conn: psycopg.Connection, discom_id: int, limit: int, schedule: str | None = None) -> list[Line]:
    """The latest deliveries of a DISCOM, the newest first."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Line)) as cur:
        return cur.execute(
            """select delivery_id, schedule, due_at, first_day, last_day, channel, target, state, attempts, next_attempt_at, last_error,
                      files, sent_at
               from ops.report_delivery
               where discom_id = %(discom)s and (%(schedule)s::text is null or schedule = %(schedule)s)
               order by due_at desc, delivery_id desc limit %(limit)s""",
            {"discom": discom_id, "schedule": schedule, "limit": limit},
        ).fetchall()
