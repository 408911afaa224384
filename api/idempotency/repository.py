"""SQL of ops.idempotency, in a transaction of one tenant as meterhouse_api. Row-level security shows a caller its own keys alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb


@dataclass(frozen=True)
class Earlier:
    """What a key was used for. `status` None: no answer so far; `body` None: the answer was not kept."""

    request_sha256: bytes
    begun_at: datetime
    age: timedelta
    status: int | None
    headers: dict[str, str] | None
    body: bytes | None


def see(conn: psycopg.Connection, subject: str) -> None:
    """Show this transaction the keys of one caller."""
    conn.execute("select set_config('app.subject', %s, true)", [subject])


def claim(conn: psycopg.Connection, discom_id: int, subject: str, key: str, request_sha256: bytes, keeps: timedelta) -> Earlier | None:
    """None where the key is claimed now, else what it was used for. A key whose time is over is as good as new."""
    conn.execute("select ops.forget_idempotency()")
    claimed = conn.execute(
        """insert into ops.idempotency as i (discom_id, subject, key, request_sha256, expires_at)
           values (%(discom)s, %(subject)s, %(key)s, %(sha256)s, now() + %(keeps)s)
           on conflict (discom_id, subject, key) do update
           set request_sha256 = excluded.request_sha256, begun_at = excluded.begun_at, expires_at = excluded.expires_at,
               status = null, headers = null, body = null
           where i.expires_at <= now()
           returning true""",
        {"discom": discom_id, "subject": subject, "key": key, "sha256": request_sha256, "keeps": keeps},
    ).fetchone()
    if claimed:
        return None
    with conn.cursor(row_factory=class_row(Earlier)) as cur:
        return cur.execute(
            """select request_sha256, begun_at, now() - begun_at as age, status, headers, body from ops.idempotency
               where subject = %s and key = %s""",
            [subject, key],
        ).fetchone()


def keep(conn: psycopg.Connection, subject: str, key: str, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    conn.execute(
        "update ops.idempotency set status = %s, headers = %s, body = %s where subject = %s and key = %s",
        [status, Jsonb(dict(headers)), body, subject, key],
    )


def release(conn: psycopg.Connection, subject: str, key: str) -> None:
    """The request did nothing: its key may be used again."""
    conn.execute("delete from ops.idempotency where subject = %s and key = %s", [subject, key])
