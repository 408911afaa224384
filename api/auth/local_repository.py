"""Local accounts as a log-in and their holders see them. All as meterhouse_auth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from api.auth.sessions_repository import Account


@dataclass(frozen=True)
class LocalAccount(Account):
    """`barred`: locked, disabled, or of a one-time password that has ended."""

    home_discom_id: int | None
    password_hash: str | None
    one_time: bool
    totp_secret: bytes | None
    totp_pending: bytes | None
    totp_used_at: int | None
    barred: bool


_LOCAL = """
    select account_id, login, name, provider, groups, platform_admin, home_discom_id, password_hash, one_time_until is not null as one_time,
           case when totp_since is not null then totp_secret end as totp_secret, totp_pending, totp_used_at,
           disabled_at is not null or coalesce(locked_until > now(), false) or coalesce(one_time_until <= now(), false) as barred
    from ops.account where source = 'local'"""


def by_login(conn: psycopg.Connection, login: str) -> LocalAccount | None:
    with conn.cursor(row_factory=class_row(LocalAccount)) as cur:
        return cur.execute(f"{_LOCAL} and login = %s", [login]).fetchone()


def by_id(conn: psycopg.Connection, account_id: int) -> LocalAccount | None:
    """None also for an account of a provider."""
    with conn.cursor(row_factory=class_row(LocalAccount)) as cur:
        return cur.execute(f"{_LOCAL} and account_id = %s", [account_id]).fetchone()


def count_failure(conn: psycopg.Connection, account_id: int | None) -> int:
    """How many there are now, one after the other; 0 of no account."""
    row = conn.execute(
        "update ops.account set failed_logins = least(failed_logins + 1, 1000) where account_id = %s returning failed_logins", [account_id]
    ).fetchone()
    return int(row[0]) if row else 0


def lock(conn: psycopg.Connection, account_id: int | None, lasts: timedelta) -> None:
    conn.execute("update ops.account set locked_until = now() + %s where account_id = %s", [lasts, account_id])


def succeed(
    conn: psycopg.Connection, account_id: int, shown: str, step: int | None, password_hash: str | None, totp_secret: bytes | None
) -> bool:
    """A log-in with the hash `shown` is right: no failures any more, the time step is used.

    False where another log-in has used the step, or somebody has changed, locked or disabled the account in the meantime.
    `password_hash` and `totp_secret` take the place of what was kept, unless None.
    """
    done = conn.execute(
        """update ops.account set failed_logins = 0, locked_until = null, totp_used_at = coalesce(%(step)s, totp_used_at),
                  password_hash = coalesce(%(hash)s, password_hash), totp_secret = coalesce(%(secret)s, totp_secret)
           where account_id = %(id)s and password_hash = %(shown)s and disabled_at is null and coalesce(locked_until <= now(), true)
             and (%(step)s::bigint is null or coalesce(totp_used_at < %(step)s, true))""",
        {"id": account_id, "shown": shown, "step": step, "hash": password_hash, "secret": totp_secret},
    )
    return done.rowcount > 0


def set_password(conn: psycopg.Connection, account_id: int, shown: str, password_hash: str) -> bool:
    """The holder's own password from now on. False where it is not the one of the hash `shown` any more."""
    done = conn.execute(
        """update ops.account set password_hash = %s, one_time_until = null, failed_logins = 0, locked_until = null
           where account_id = %s and password_hash = %s""",
        [password_hash, account_id, shown],
    )
    return done.rowcount > 0


def keep_pending(conn: psycopg.Connection, account_id: int, sealed: bytes) -> bool:
    """False where log-ins ask for a code already."""
    done = conn.execute("update ops.account set totp_pending = %s where account_id = %s and totp_since is null", [sealed, account_id])
    return done.rowcount > 0


def confirm_pending(conn: psycopg.Connection, account_id: int, sealed: bytes, step: int) -> bool:
    """From now on log-ins ask for a code. False where `sealed` is not what waits any more."""
    done = conn.execute(
        """update ops.account set totp_secret = totp_pending, totp_pending = null, totp_since = now(), totp_used_at = %s
           where account_id = %s and totp_pending = %s and totp_since is null""",
        [step, account_id, sealed],
    )
    return done.rowcount > 0


def remove_totp(conn: psycopg.Connection, account_id: int) -> bool:
    """Whether there was one."""
    done = conn.execute(
        "update ops.account set totp_secret = null, totp_pending = null, totp_since = null, totp_used_at = null "
        "where account_id = %s and totp_since is not null",
        [account_id],
    )
    return done.rowcount > 0


def sessions_of(conn: psycopg.Connection, account_id: int) -> list[dict[str, Any]]:
    """Those that last, the latest first."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            """select s.session_id as id, d.code as discom, s.created_at, s.used_at, s.expires_at
               from ops.session s left join registry.discom d using (discom_id)
               where s.account_id = %s and s.revoked_at is null and s.expires_at > now()
               order by s.created_at desc, s.session_id limit 1000""",
            [account_id],
        ).fetchall()


def owns(conn: psycopg.Connection, account_id: int, session_id: UUID) -> bool:
    return (
        conn.execute("select 1 from ops.session where session_id = %s and account_id = %s", [session_id, account_id]).fetchone() is not None
    )


def opened_within(conn: psycopg.Connection, session_id: UUID, age: timedelta) -> bool:
    return (
        conn.execute("select 1 from ops.session where session_id = %s and created_at > now() - %s", [session_id, age]).fetchone()
        is not None
    )


def revoke_others(conn: psycopg.Connection, account_id: int, but: UUID | None, why: str) -> int:
    """End all sessions of an account but one; how many that were."""
    done = conn.execute(
        """update ops.session set revoked_at = now(), revoked_why = %s
           where account_id = %s and session_id is distinct from %s and revoked_at is null""",
        [why, account_id, but],
    )
    return done.rowcount


def revoke_by_refresh(conn: psycopg.Connection, sha256: bytes) -> None:
    """End the session of a refresh token, be it the last one or the one before."""
    conn.execute(
        """update ops.session set revoked_at = now(), revoked_why = 'revoked by its holder'
           where (refresh_sha256 = %(shown)s or previous_sha256 = %(shown)s) and revoked_at is null""",
        {"shown": sha256},
    )
