"""Sessions: what a log-in of whatever kind ends in.

An access token names its session and ends soon; a refresh token is good once, for the next pair.
Who shows a refresh token that was used before has stolen it, or was stolen from: the session ends for both.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg

from api.auth import sessions_repository as repository
from api.auth import tokens
from api.auth.keys import hash_of
from api.auth.sessions_repository import Account

LIFETIME = timedelta(hours=12)
"""Of a session, however often it is prolonged."""


class LogInError(Exception):
    """A log-in is refused. `code` is stable; the message says nothing that would help to guess."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Tokens:
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token ends."""
    session_id: UUID


def open_session(conn: psycopg.Connection, account: Account, discom: str | None) -> Tokens:
    """Log an account in to a DISCOM, as meterhouse_auth. None = the only one that it holds a role in; of a platform administrator, none.

    Raises LogInError: NO_ROLE where it holds no role there, WHICH_DISCOM where it must say which.
    """
    held = repository.discoms_of(conn, account)
    if discom is not None:
        held = {code: i for code, i in held.items() if code == discom}
    if len(held) > 1:
        raise LogInError("WHICH_DISCOM", f"you hold roles in {', '.join(sorted(held))}: say in which you log in")
    if not held and not (account.platform_admin and discom is None):
        raise LogInError("NO_ROLE", "you hold no role there: ask the administrator of the DISCOM for one")
    refresh_token = secrets.token_urlsafe(32)
    session_id = repository.insert_session(conn, account.account_id, next(iter(held.values()), None), hash_of(refresh_token), LIFETIME)
    return Tokens(tokens.issue(session_id, account.login), refresh_token, tokens.LIFETIME_S, session_id)


def prolong(conn: psycopg.Connection, refresh_token: str) -> Tokens | None:
    """The next pair of tokens; None where the refresh token is none, was used before, or its session has ended. As meterhouse_auth.

    Of a token that was used before the session is revoked: commit also where this gives None.
    """
    following = secrets.token_urlsafe(32)
    found = repository.rotate(conn, hash_of(refresh_token), hash_of(following))
    if found is None:
        repository.revoke_reused(conn, hash_of(refresh_token))
        return None
    session_id, login = found
    return Tokens(tokens.issue(session_id, login), following, tokens.LIFETIME_S, session_id)
