"""Log-ins to accounts that Meterhouse keeps itself: password, second factor, lock-out; and what their holders change about them."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import psycopg

from api.auth import local_repository as repository
from api.auth import passwords, totp
from api.auth.changes import Origin, record
from api.auth.local_repository import LocalAccount
from api.auth.sessions import LogInError, Tokens, open_session
from api.database import Database

FREE_FAILURES = 5
"""So many failures one after the other lock an account; each further one after the lock has ended locks it for twice as long."""
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)

ONE_TIME_LASTS = timedelta(days=3)
FRESH = timedelta(minutes=5)
"""How old a session may be whose holder changes the second factor."""

WRONG = "the login, the password or the code is wrong, or the account is locked or disabled"


class Refused(LogInError):
    """`account`: whose log-in was refused, where there is such an account."""

    def __init__(self, code: str, message: str, account: LocalAccount | None) -> None:
        super().__init__(code, message)
        self.account = account


class AccountError(ValueError):
    """What a holder asks for cannot be done; `code` is stable, the message says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def lock_after(failures: int) -> timedelta | None:
    """For how long an account is locked once it failed so often; None = not."""
    if failures < FREE_FAILURES:
        return None
    return min(FIRST_LOCK * 2 ** min(failures - FREE_FAILURES, 16), LONGEST_LOCK)


def log_in(
    pools: Database, login: str, password: str, code: str | None = None, discom: str | None = None, new_password: str | None = None
) -> tuple[Tokens, LocalAccount]:
    """A session for who knows the password, and the code where one is asked for. `new_password`: in place of a one-time one.

    Raises Refused: WRONG_CREDENTIALS also for unknown, locked and disabled accounts, after the same work; TOTP_REQUIRED and
    NEW_PASSWORD_REQUIRED only to who knew the password; WEAK_PASSWORD, NOT_ONE_TIME, and what open_session raises. Raises BusyError.
    """
    with pools.auth() as conn:
        found = repository.by_login(conn, login.strip().lower())
    open_to_all = found is not None and not found.barred
    right = passwords.verify(found.password_hash if found else None, password)
    step: int | None = None
    resealed: bytes | None = None
    if right and open_to_all and found is not None and found.totp_secret is not None:
        if not code:
            raise Refused("TOTP_REQUIRED", "send the code of your authenticator app as `totp`", found)
        secret, newest = totp.opened(found.totp_secret, found.account_id)
        step = totp.step_of(secret, code, time.time(), found.totp_used_at)
        resealed = None if newest else totp.seal(secret, found.account_id)
        right = step is not None
    if not (right and open_to_all):
        # Attempts at an account that is locked do not count: else anybody could keep it locked.
        _failed(pools, found.account_id if found and open_to_all else None)
        raise Refused("WRONG_CREDENTIALS", WRONG, found)
    assert found is not None
    assert found.password_hash is not None
    following = _following(found, password, new_password)
    try:
        with pools.auth() as conn:
            if not repository.succeed(conn, found.account_id, found.password_hash, step, following, resealed):
                raise Refused("WRONG_CREDENTIALS", WRONG, found)
            if found.one_time:
                assert following is not None
                repository.set_password(conn, found.account_id, following, following)
                _changed(conn, found, "auth:password", Origin())
            return open_session(conn, found, discom), found
    except Refused:
        raise
    except LogInError as e:
        raise Refused(e.code, str(e), found) from None


def _following(found: LocalAccount, password: str, new_password: str | None) -> str | None:
    """The hash to keep from now on; None = the one that is kept."""
    assert found.password_hash is not None
    if not found.one_time:
        if new_password:
            raise Refused("NOT_ONE_TIME", "your password is your own: change it with POST /api/v1/auth/password", found)
        return passwords.hashed(password) if passwords.outdated(found.password_hash) else None
    if not new_password:
        raise Refused("NEW_PASSWORD_REQUIRED", "this password is good once: send one of your own as `new_password` beside it", found)
    if new_password == password:
        raise Refused("WEAK_PASSWORD", "the new password is the one-time one: take another", found)
    try:
        passwords.check(new_password, found.login)
    except passwords.PasswordError as e:
        raise Refused("WEAK_PASSWORD", str(e), found) from None
    return passwords.hashed(new_password)


def _failed(pools: Database, account_id: int | None) -> None:
    with pools.auth() as conn:
        lasts = lock_after(repository.count_failure(conn, account_id))
        if lasts is not None:
            repository.lock(conn, account_id, lasts)


def change_password(pools: Database, account_id: int, session_id: UUID | None, present: str, new: str, origin: Origin) -> None:
    """Set one's own password, and end one's other sessions.

    Raises AccountError NOT_LOCAL, WRONG_PASSWORD (which counts as a failed log-in), WEAK_PASSWORD. Raises BusyError.
    """
    found = _local(pools, account_id)
    if not passwords.verify(found.password_hash, present) or found.barred:
        _failed(pools, None if found.barred else account_id)
        raise AccountError("WRONG_PASSWORD", "the present password is wrong, or the account is locked")
    try:
        passwords.check(new, found.login)
    except passwords.PasswordError as e:
        raise AccountError("WEAK_PASSWORD", str(e)) from None
    assert found.password_hash is not None
    kept = passwords.hashed(new)
    with pools.auth() as conn:
        if not repository.set_password(conn, account_id, found.password_hash, kept):
            raise AccountError("WRONG_PASSWORD", "the password was changed in the meantime: log in again")
        repository.revoke_others(conn, account_id, session_id, "the password was changed")
        _changed(conn, found, "auth:password", origin)


def enrol(pools: Database, account_id: int, session_id: UUID) -> tuple[str, str]:
    """(a new secret, its URI for a QR code) that `confirm` puts in force. Raises AccountError NOT_LOCAL, NOT_FRESH, TOTP_ALREADY."""
    found = _fresh(pools, account_id, session_id)
    secret = totp.new_secret()
    with pools.auth() as conn:
        if not repository.keep_pending(conn, account_id, totp.seal(secret, account_id)):
            raise AccountError("TOTP_ALREADY", "your log-ins ask for a code already: remove it first with DELETE /api/v1/auth/totp")
    return secret, totp.uri(secret, found.login)


def confirm(pools: Database, account_id: int, code: str, origin: Origin) -> None:
    """From now on log-ins ask for a code. Raises AccountError NOT_LOCAL, NOT_ENROLLED, WRONG_CODE."""
    found = _local(pools, account_id)
    if found.totp_pending is None:
        raise AccountError("NOT_ENROLLED", "nothing waits to be confirmed: begin with POST /api/v1/auth/totp")
    step = totp.step_of(totp.opened(found.totp_pending, account_id)[0], code, time.time(), None)
    if step is None:
        raise AccountError("WRONG_CODE", "the code is wrong: check the clock of the phone, and send the code that it shows now")
    with pools.auth() as conn:
        if not repository.confirm_pending(conn, account_id, found.totp_pending, step):
            raise AccountError("NOT_ENROLLED", "what waited was replaced in the meantime: begin again with POST /api/v1/auth/totp")
        _changed(conn, found, "auth:totp", origin, totp=True)


def remove_totp(pools: Database, account_id: int, session_id: UUID, origin: Origin) -> None:
    """Log-ins ask for no code any more. Raises AccountError NOT_LOCAL, NOT_FRESH, NOT_ENROLLED."""
    found = _fresh(pools, account_id, session_id)
    with pools.auth() as conn:
        if not repository.remove_totp(conn, account_id):
            raise AccountError("NOT_ENROLLED", "your log-ins ask for no code")
        _changed(conn, found, "auth:totp", origin, totp=False)


def _local(pools: Database, account_id: int) -> LocalAccount:
    with pools.auth() as conn:
        found = repository.by_id(conn, account_id)
    if found is None:
        raise AccountError("NOT_LOCAL", "your identity provider keeps your password and second factor: change them there")
    return found


def _fresh(pools: Database, account_id: int, session_id: UUID) -> LocalAccount:
    found = _local(pools, account_id)
    with pools.auth() as conn:
        if not repository.opened_within(conn, session_id, FRESH):
            raise AccountError("NOT_FRESH", f"log in again first: this needs a session of the last {FRESH.seconds // 60} minutes")
    return found


def _changed(conn: psycopg.Connection, found: LocalAccount, action: str, origin: Origin, *, totp: bool | None = None) -> None:
    before, after = ({}, {}) if totp is None else ({"totp": not totp}, {"totp": totp})
    record(conn, found.home_discom_id, f"{found.name} ({found.login})", action, found.login, before=before, after=after, origin=origin)
