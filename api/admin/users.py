"""Accounts of a DISCOM's people: made, disabled, unlocked and given a new password by its administrators. No HTTP paths, no SQL."""

from __future__ import annotations

from typing import Any

import psycopg

from api.admin import grants, repository, roles
from api.admin.grants import Holder
from api.admin.rights import must_hold
from api.admin.schemas import NewPassword, User, UserPage, UserRequest
from api.auth import passwords
from api.auth.caller import Caller
from api.auth.changes import Origin, record
from api.auth.local import ONE_TIME_LASTS
from api.database import Database
from api.errors import Problem


def listed(pools: Database, caller: Caller, after: int, size: int) -> UserPage:
    """A page of the DISCOM's accounts and of those that hold a role in it, by id."""
    with pools.tenant(caller) as conn:
        rows = repository.users(conn, after, size + 1)
        held = repository.grants_of(conn, [r["id"] for r in rows[:size]])
    return UserPage(items=[_user(r, held) for r in rows[:size]], next=rows[size - 1]["id"] if len(rows) > size else None)


def get(pools: Database, caller: Caller, account_id: int) -> User:
    """Raises Problem 404."""
    with pools.tenant(caller) as conn:
        return _shown(conn, account_id)


def create(pools: Database, caller: Caller, request: UserRequest, origin: Origin, password: str | None = None) -> NewPassword:
    """An account with its roles, and a one-time password unless `password` is given.

    Raises Problem: 403 ESCALATION, 409 the login is taken, 422 no such role or place, or a weak password; 503 busy.
    """
    given, kept = _password(password, request.login)
    with pools.tenant(caller) as conn:
        return insert(conn, caller, request, origin, given, kept)


def insert(conn: psycopg.Connection, caller: Caller, request: UserRequest, origin: Origin, password: str | None, kept: str) -> NewPassword:
    """As `create`, in the transaction of who does it. `password`: the one-time one that `kept` is the hash of; None = the holder's own."""
    lasts = ONE_TIME_LASTS if password else None
    try:
        with conn.transaction():
            made = repository.insert_user(conn, caller.discom_id, request.login, request.name, request.email, kept, lasts)
    except psycopg.errors.UniqueViolation:
        detail = f"the login {request.login} is taken, here or elsewhere on this platform: take another, as an e-mail address"
        raise Problem(409, "LOGIN_TAKEN", "The login is taken", detail) from None
    after = {"name": request.name, "email": request.email, "one_time": password is not None}
    record(conn, caller.discom_id, caller.who, "users:create", request.login, after=after, origin=origin)
    for where in request.grants:
        grants.give(conn, caller, Holder(request.login, made), where, origin)
    return NewPassword(user=_shown(conn, made), one_time_password=password or "")


def disable(pools: Database, caller: Caller, account_id: int, origin: Origin, *, last_too: bool = False) -> User:
    """It can log in no more, and its sessions end. Raises Problem: 403 ESCALATION, 404, 409 not administered here, one's own, the last
    administrator's unless `last_too`."""
    with pools.tenant(caller) as conn:
        repository.one_at_a_time(conn, caller.discom_id)
        found = _administered(conn, caller, account_id)
        if (
            any(g.role == "tenant_admin" for g in found.grants)
            and not last_too
            and not repository.administrators(conn, but_account=account_id)
        ):
            raise grants.last_administrator()
        _done(repository.set_disabled(conn, account_id, True))
        repository.end_sessions(conn, account_id, "the account was disabled")
        _changed(conn, caller, "users:disable", found, {"disabled": bool(found.disabled_at)}, {"disabled": True}, origin)
        return _shown(conn, account_id)


def enable(pools: Database, caller: Caller, account_id: int, origin: Origin) -> User:
    """Raises Problem as `disable`."""
    with pools.tenant(caller) as conn:
        repository.one_at_a_time(conn, caller.discom_id)
        found = _administered(conn, caller, account_id)
        _done(repository.set_disabled(conn, account_id, False))
        _changed(conn, caller, "users:enable", found, {"disabled": bool(found.disabled_at)}, {"disabled": False}, origin)
        return _shown(conn, account_id)


def unlock(pools: Database, caller: Caller, account_id: int, origin: Origin) -> User:
    """Raises Problem as `disable`."""
    with pools.tenant(caller) as conn:
        found = _administered(conn, caller, account_id)
        _done(repository.unlock(conn, account_id))
        _changed(conn, caller, "users:unlock", found, {"locked_until": found.locked_until}, {"locked_until": None}, origin)
        return _shown(conn, account_id)


def reset(
    pools: Database, caller: Caller, account_id: int, origin: Origin, *, remove_totp: bool = False, password: str | None = None
) -> NewPassword:
    """A new one-time password, unless `password` is given; the sessions end. Raises Problem as `disable`, and as `create`."""
    with pools.tenant(caller) as conn:
        login = _administered(conn, caller, account_id).login
    given, kept = _password(password, login)
    with pools.tenant(caller) as conn:
        repository.one_at_a_time(conn, caller.discom_id)
        found = _administered(conn, caller, account_id)
        _done(repository.reset(conn, account_id, kept, ONE_TIME_LASTS if given else None, remove_totp))
        repository.end_sessions(conn, account_id, "the password was reset")
        after = {"one_time": given is not None, "totp": found.totp and not remove_totp}
        _changed(conn, caller, "users:reset-password", found, {"totp": found.totp}, after, origin)
        return NewPassword(user=_shown(conn, account_id), one_time_password=given or "")


def _administered(conn: psycopg.Connection, caller: Caller, account_id: int) -> User:
    """An account that the caller may take over. Raises Problem."""
    found = _shown(conn, account_id)
    if caller.identity.account_id == account_id:
        detail = "another administrator does this to your account; your own password you change with POST /api/v1/auth/password"
        raise Problem(409, "OWN_ACCOUNT", "Your own account", detail)
    if not found.administered_here:
        detail = (
            f"{found.login} is administered by its provider, another DISCOM or the platform: take its roles here with /api/v1/admin/grants"
        )
        raise Problem(409, "NOT_ADMINISTERED_HERE", "Administered elsewhere", detail)
    for held in found.grants:
        must_hold(caller, roles.permissions(conn, held.role), f"the role {held.role} of {found.login}")
    return found


def _done(done: bool) -> None:
    """The warehouse lets no DISCOM change an account that opens another one."""
    if not done:
        detail = "this account holds a role in another DISCOM too: the platform's operator does this with `meterhouse users`"
        raise Problem(409, "HOLDS_ELSEWHERE", "Administered elsewhere", detail)


def _password(password: str | None, login: str) -> tuple[str | None, str]:
    """(a one-time password where none is given, the hash to keep)."""
    try:
        if password is not None:
            passwords.check(password, login)
            return None, passwords.hashed(password)
        given = passwords.one_time()
        return given, passwords.hashed(given)
    except passwords.PasswordError as e:
        raise Problem(422, "WEAK_PASSWORD", "The password is not good enough", str(e)) from None
    except passwords.BusyError as e:
        raise Problem(503, "BUSY", "Not available", str(e), headers={"Retry-After": "5"}) from None


def _changed(
    conn: psycopg.Connection, caller: Caller, action: str, found: User, before: dict[str, Any], after: dict[str, Any], origin: Origin
) -> None:
    record(conn, caller.discom_id, caller.who, action, found.login, before=before, after=after, origin=origin)


def _shown(conn: psycopg.Connection, account_id: int) -> User:
    row = repository.user(conn, account_id)
    if row is None:
        raise Problem(404, "UNKNOWN_USER", "No such user", f"no account {account_id} is the DISCOM's or holds a role in it")
    return _user(row, repository.grants_of(conn, [account_id]))


def _user(row: dict[str, Any], held: list[dict[str, Any]]) -> User:
    return User(**row, grants=[grants.line(g) for g in held if g["account_id"] == row["id"]])
