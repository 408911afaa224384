"""Accounts as log-ins see them, and sessions. All as meterhouse_auth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from api.auth.repository import grants_of


@dataclass(frozen=True)
class Account:
    account_id: int
    login: str
    name: str
    provider: str | None
    groups: list[str]
    platform_admin: bool


_ACCOUNT = "account_id, login, name, provider, groups, platform_admin"


def account_of_provider(
    conn: psycopg.Connection, source: str, provider: str, subject: str, login: str, name: str, email: str | None, groups: Sequence[str]
) -> Account | None:
    """The account of whom a provider vouches for, made at the first log-in, with the groups of today.

    `login` must be free or this account's own: else psycopg.errors.UniqueViolation. None where the account is disabled.
    """
    with conn.cursor(row_factory=class_row(Account)) as cur:
        return cur.execute(
            f"""insert into ops.account as a (login, name, email, source, provider, subject, groups)
                values (lower(%s), %s, %s, %s, %s, %s, %s)
                on conflict (provider, subject) do update set name = excluded.name, email = excluded.email, groups = excluded.groups
                where a.disabled_at is null
                returning {_ACCOUNT}""",  # noqa: S608
            [login, name, email, source, provider, subject, list(groups)],
        ).fetchone()


def discoms_of(conn: psycopg.Connection, account: Account) -> dict[str, int]:
    """DISCOMs in which the account, or a group of it, holds a role: code -> discom_id."""
    return {code: discom_id for discom_id, code in grants_of(conn, account.account_id, account.provider, account.groups)}


def insert_session(conn: psycopg.Connection, account_id: int, discom_id: int | None, refresh_sha256: bytes, lifetime: timedelta) -> UUID:
    row = conn.execute(
        "insert into ops.session (account_id, discom_id, refresh_sha256, expires_at) values (%s, %s, %s, now() + %s) returning session_id",
        [account_id, discom_id, refresh_sha256, lifetime],
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def rotate(conn: psycopg.Connection, shown: bytes, following: bytes) -> tuple[UUID, str] | None:
    """Put the next refresh token in the place of the one that was shown: (session, login); None where it is none that is good."""
    return conn.execute(
        """update ops.session s set refresh_sha256 = %s, previous_sha256 = s.refresh_sha256, used_at = now()
           from ops.account a
           where a.account_id = s.account_id and a.disabled_at is null
             and s.refresh_sha256 = %s and s.revoked_at is null and s.expires_at > now()
           returning s.session_id, a.login""",
        [following, shown],
    ).fetchone()


def revoke_reused(conn: psycopg.Connection, shown: bytes) -> None:
    conn.execute(
        "update ops.session set revoked_at = now(), revoked_why = 'a refresh token came twice' "
        "where previous_sha256 = %s and revoked_at is null",
        [shown],
    )


def revoke(conn: psycopg.Connection, session_id: UUID, why: str) -> bool:
    """Whether it had not ended yet."""
    done = conn.execute(
        "update ops.session set revoked_at = now(), revoked_why = %s where session_id = %s and revoked_at is null and expires_at > now()",
        [why, session_id],
    )
    return done.rowcount > 0
