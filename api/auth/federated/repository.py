"""What is good once and was used; accounts and roles of those whom a provider vouches for. All as meterhouse_auth."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import class_row

from api.auth.caller import Identity
from api.auth.federated.vouched import Vouched
from api.auth.repository import grants_of
from api.auth.sessions_repository import Account

_ACCOUNT = "account_id, login, name, provider, groups, platform_admin"


def spend(conn: psycopg.Connection, what: str, until: datetime | timedelta) -> bool:
    """Use up what is good once; False where it was used before. It is remembered until it would be refused anyway."""
    conn.execute("delete from ops.spent where expires_at < now()")
    done = conn.execute(
        "insert into ops.spent (sha256, expires_at) values (%s, coalesce(%s::timestamptz, now() + %s::interval)) on conflict do nothing",
        [
            hashlib.sha256(what.encode()).digest(),
            until if isinstance(until, datetime) else None,
            until if isinstance(until, timedelta) else None,
        ],
    )
    return done.rowcount == 1


def account(conn: psycopg.Connection, account_id: int) -> Account | None:
    """None where there is none, or it is disabled."""
    with conn.cursor(row_factory=class_row(Account)) as cur:
        return cur.execute(
            f"select {_ACCOUNT} from ops.account where account_id = %s and disabled_at is null",  # noqa: S608
            [account_id],
        ).fetchone()


def account_of_program(conn: psycopg.Connection, who: Vouched) -> Account | None:
    """The account of whom a token of the provider names, made at its first call. None where it is disabled.

    Its groups stay those of the latest log-in: what a token says of groups holds for the token.
    Raises psycopg.errors.UniqueViolation where the login is another's.
    """
    find = f"select {_ACCOUNT}, disabled_at is null from ops.account where provider = %s and subject = %s"  # noqa: S608
    row = conn.execute(find, [who.provider, who.subject]).fetchone()
    if row is None:
        conn.execute(
            """insert into ops.account (login, name, email, source, provider, subject) values (lower(%s), %s, %s, %s, %s, %s)
               on conflict (provider, subject) do nothing""",
            [who.login, who.name, who.email, who.source, who.provider, who.subject],
        )
        row = conn.execute(find, [who.provider, who.subject]).fetchone()
    assert row is not None
    return Account(*row[:-1]) if row[-1] else None


def identities_of(conn: psycopg.Connection, held_by: Account, groups: tuple[str, ...]) -> list[Identity]:
    """The account in each DISCOM in which it, or one of these groups of its provider, holds a role."""
    return [
        Identity(discom_id, discom, held_by.login, held_by.name, held, account_id=held_by.account_id)
        for (discom_id, discom), held in grants_of(conn, held_by.account_id, held_by.provider, groups).items()
    ]
