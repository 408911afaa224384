"""SQL of ops.report_export. What a caller does runs in a transaction of the tenant; what a worker does runs as meterhouse_loader, which
serves every DISCOM and has no transaction open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from api.auth import Scope

_COLUMNS = """discom_id, export_id, source, what, request_sha256, subject, account_id, requested_by, permission, offices, service_points,
              state, rows_done, rows_estimated, attempts, next_attempt_at, error, file, file_bytes, file_sha256, contents, requested_at,
              finished_at, expires_at"""


@dataclass(frozen=True)
class Export:
    """A row of ops.report_export."""

    discom_id: int
    export_id: UUID
    source: str
    what: dict[str, Any]
    request_sha256: bytes
    subject: str
    account_id: int | None
    requested_by: str
    permission: str
    offices: list[int] | None
    service_points: list[int] | None
    state: str
    rows_done: int
    rows_estimated: int | None
    attempts: int
    next_attempt_at: datetime
    error: str | None
    file: str | None
    file_bytes: int | None
    file_sha256: str | None
    contents: list[dict[str, Any]] | None
    requested_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None

    @property
    def scope(self) -> Scope:
        if self.offices is None and self.service_points is None:
            return Scope()
        return Scope(tuple(self.offices or ()), tuple(self.service_points or ()))


# --- for a caller ---


def of_key(conn: psycopg.Connection, subject: str, key: str) -> Export | None:
    return _one(conn, "subject = %s and idempotency_key = %s", [subject, key])


def alike(conn: psycopg.Connection, subject: str, digest: bytes) -> Export | None:
    """A job of the same caller for the same thing that is not finished."""
    return _one(conn, "subject = %s and request_sha256 = %s and state in ('queued', 'running')", [subject, digest])


def of_caller(conn: psycopg.Connection, export_id: UUID, subject: str | None) -> Export | None:
    """`subject` None: whoever asked for it."""
    return _one(conn, "export_id = %s and (%s::text is null or subject = %s)", [export_id, subject, subject])


def latest(conn: psycopg.Connection, subject: str, limit: int) -> list[Export]:
    with conn.cursor(row_factory=class_row(Export)) as cur:
        return cur.execute(
            f"select {_COLUMNS} from ops.report_export where subject = %s order by requested_at desc, export_id limit %s",  # noqa: S608
            [subject, limit],
        ).fetchall()


def unfinished(conn: psycopg.Connection, discom_id: int, subject: str) -> tuple[int, int]:
    """Jobs of the caller and of the DISCOM. Until this transaction ends nobody else of the DISCOM comes this far."""
    conn.execute("select pg_advisory_xact_lock(hashtext('report exports'), %s)", [discom_id])
    row = conn.execute("select of_owner, of_discom from ops.open_exports(%s)", [subject]).fetchone()
    assert row
    return row[0], row[1]


def insert(
    conn: psycopg.Connection,
    *,
    discom_id: int,
    source: str,
    what: dict[str, Any],
    digest: bytes,
    key: str | None,
    subject: str,
    account_id: int | None,
    requested_by: str,
    permission: str,
    scope: Scope,
    rows_estimated: int | None,
) -> UUID | None:
    """export_id; None where the caller has a job of this key already."""
    whole = scope.whole
    row = conn.execute(
        """insert into ops.report_export (discom_id, source, what, request_sha256, idempotency_key, subject, account_id, requested_by,
                                          permission, offices, service_points, rows_estimated)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           on conflict (discom_id, subject, idempotency_key) do nothing returning export_id""",
        [
            *(discom_id, source, Jsonb(what), digest, key, subject, account_id, requested_by, permission),
            *(None if whole else list(scope.offices or ()), None if whole else list(scope.service_points or ()), rows_estimated),
        ],
    ).fetchone()
    return row[0] if row else None


def end(conn: psycopg.Connection, export_id: UUID) -> None:
    """Cancel what is not finished; of what is done, the file goes."""
    conn.execute(
        """update ops.report_export
           set state = case state when 'done' then 'expired' else 'cancelled' end, finished_at = coalesce(finished_at, now())
           where export_id = %s and state in ('queued', 'running', 'done')""",
        [export_id],
    )


def _one(conn: psycopg.Connection, condition: str, parameters: Sequence[Any]) -> Export | None:
    with conn.cursor(row_factory=class_row(Export)) as cur:
        return cur.execute(
            f"select {_COLUMNS} from ops.report_export where {condition} order by requested_at limit 1",  # noqa: S608 - all of this module
            parameters,
        ).fetchone()


# --- for a worker ---

_TAKE = f"""
with due as (
    select discom_id, export_id from ops.report_export
    where state in ('queued', 'running') and next_attempt_at <= now()
    order by next_attempt_at, requested_at, export_id limit 1 for update skip locked
)
update ops.report_export e
set state = 'running', attempts = e.attempts + 1, leased_by = %(worker)s, next_attempt_at = now() + %(lease)s, rows_done = 0
from due where e.discom_id = due.discom_id and e.export_id = due.export_id
returning {", ".join("e." + c.strip() for c in _COLUMNS.split(","))}
"""  # noqa: S608 - all of this module


def take(conn: psycopg.Connection, worker: str, lease: timedelta) -> Export | None:
    """The next job that is due, or whose worker let its lease end; it is this worker's until `lease` is over."""
    with conn.cursor(row_factory=class_row(Export)) as cur:
        return cur.execute(_TAKE, {"worker": worker, "lease": lease}).fetchone()


def renew(conn: psycopg.Connection, job: Export, worker: str, lease: timedelta, rows: int) -> bool:
    """Whether the job is this worker's still, and not cancelled."""
    return _update(conn, job, worker, "next_attempt_at = now() + %s, rows_done = %s", [lease, rows])


def finish(
    conn: psycopg.Connection, job: Export, worker: str, *, file: str, bytes_: int, sha256: str, contents: list[dict[str, Any]], rows: int,
    keep: timedelta,
) -> bool:  # fmt: skip
    return _update(
        conn,
        job,
        worker,
        """state = 'done', finished_at = now(), expires_at = now() + %s, file = %s, file_bytes = %s, file_sha256 = %s, contents = %s,
           rows_done = %s, error = null, leased_by = null""",
        [keep, file, bytes_, sha256, Jsonb(contents), rows],
    )


def fail(conn: psycopg.Connection, job: Export, worker: str, error: str) -> bool:
    return _update(conn, job, worker, "state = 'failed', finished_at = now(), error = %s, leased_by = null", [error])


def retry(conn: psycopg.Connection, job: Export, worker: str, error: str | None, wait: timedelta, *, counts: bool = True) -> bool:
    """Back into the queue. `counts`: whether this attempt was one."""
    return _update(
        conn,
        job,
        worker,
        "state = 'queued', error = %s, next_attempt_at = now() + %s, attempts = attempts - %s, leased_by = null",
        [error, wait, 0 if counts else 1],
    )


def _update(conn: psycopg.Connection, job: Export, worker: str, assignments: str, parameters: Sequence[Any]) -> bool:
    done = conn.execute(
        f"""update ops.report_export set {assignments}
            where discom_id = %s and export_id = %s and state = 'running' and leased_by = %s and attempts = %s""",  # noqa: S608
        [*parameters, job.discom_id, job.export_id, worker, job.attempts],
    )
    return done.rowcount > 0


def expire(conn: psycopg.Connection, forget: timedelta) -> None:
    """Files whose time is over are known no more; jobs that ended so long ago are not either."""
    conn.execute("update ops.report_export set state = 'expired' where state = 'done' and expires_at <= now()")
    conn.execute("delete from ops.report_export where finished_at < now() - %s", [forget])


def with_files(conn: psycopg.Connection) -> set[tuple[int, UUID]]:
    """Jobs whose folder is in use."""
    rows = conn.execute("select discom_id, export_id from ops.report_export where state in ('queued', 'running', 'done')").fetchall()
    return {(discom_id, export_id) for discom_id, export_id in rows}
