"""Whether somebody who asked for something a while ago may still have it: what is done later is done for who holds the permission then."""

from __future__ import annotations

from api.auth.caller import Scope
from api.auth.permissions import Permission, permissions_of
from api.auth.repository import find_key
from api.auth.standing_repository import grants_of_account
from api.database import Database


def held_now(pools: Database, discom_id: int, subject: str, account_id: int | None, permission: Permission) -> Scope | None:
    """Where a key (`subject` its id) or an account of the DISCOM holds the permission at this moment; None = nowhere."""
    if account_id is None:
        with pools.anonymous() as conn:
            key = find_key(conn, subject)
        if key is None or key.discom_id != discom_id or permission not in permissions_of(key.role, key.permissions):
            return None
        return Scope() if key.offices is None else Scope(tuple(key.offices), ())
    with pools.auth() as conn:
        grants = grants_of_account(conn, discom_id, account_id)
    held = [g.scope for g in grants if permission in permissions_of(g.role, g.permissions)]
    return Scope.union(held) if held else None


def covers(now: Scope | None, then: Scope) -> bool:
    """Whether all that was seen then may be seen now."""
    if now is None:
        return False
    if now.whole:
        return True
    if then.whole:
        return False
    return set(then.offices or ()) <= set(now.offices or ()) and set(then.service_points or ()) <= set(now.service_points or ())
