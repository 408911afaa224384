"""Whether somebody who asked for something a while ago may still have it: what is done later is done for who holds the permission then."""

from __future__ import annotations

from api.auth.caller import Identity, Scope
from api.auth.keys import holder_of
from api.auth.permissions import Permission
from api.auth.repository import identity_of_account
from api.database import Database


def identity_now(pools: Database, discom_id: int, key_id: str | None, account_id: int | None) -> Identity | None:
    """Who a key or an account of the DISCOM is at this moment; None where the key is no good any more, or the account is disabled."""
    if account_id is not None:
        with pools.auth() as conn:
            return identity_of_account(conn, discom_id, account_id)
    identity = holder_of(pools, key_id or "", None)
    return identity if identity and identity.discom_id == discom_id else None


def held_now(pools: Database, discom_id: int, subject: str, account_id: int | None, permission: Permission) -> Scope | None:
    """Where a key (`subject` its id) or an account of the DISCOM holds the permission at this moment; None = nowhere."""
    identity = identity_now(pools, discom_id, subject, account_id)
    return identity.scope(permission) if identity else None


def covers(now: Scope | None, then: Scope) -> bool:
    """Whether all that was seen then may be seen now."""
    if now is None:
        return False
    if now.whole:
        return True
    if then.whole:
        return False
    return set(then.offices or ()) <= set(now.offices or ()) and set(then.service_points or ()) <= set(now.service_points or ())
