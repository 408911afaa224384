"""Roles of a DISCOM, shipped and its own. No HTTP paths, no SQL."""

from __future__ import annotations

from typing import Any

import psycopg

from api.admin import repository
from api.admin.rights import must_hold
from api.admin.schemas import NewRole, RoleLine, RoleRequest, Roles
from api.auth.caller import Caller
from api.auth.changes import Origin, record
from api.auth.permissions import Permission, permissions_of, shipped_roles
from api.database import Database
from api.errors import Problem


def listed(pools: Database, caller: Caller) -> Roles:
    """Those that an account or key of the DISCOM may hold: the shipped ones, then its own."""
    with pools.tenant(caller) as conn:
        own = repository.roles(conn)
    shipped = [
        RoleLine(code=r.code, name=r.name, permissions=sorted(r.permissions), shipped=True)
        for r in shipped_roles().values()
        if r.code != "platform_admin" and r.code not in own
    ]
    mine = [
        RoleLine(code=c, name=r["name"], permissions=sorted(permissions_of(c, r["permissions"])), shipped=False) for c, r in own.items()
    ]
    return Roles(items=[*shipped, *mine])


def create(pools: Database, caller: Caller, request: NewRole, origin: Origin) -> RoleLine:
    """Raises Problem: 403 ESCALATION, 409 where a role has the code."""
    _not_shipped(request.code)
    said = sorted(set(request.permissions))
    must_hold(caller, said, f"the role {request.code}")
    with pools.tenant(caller) as conn:
        repository.one_at_a_time(conn, caller.discom_id)
        if request.code in repository.roles(conn):
            raise Problem(409, "ROLE_EXISTS", "There is such a role", f"the DISCOM has a role {request.code}: change it")
        repository.insert_role(conn, caller.discom_id, request.code, request.name, said)
        after = {"name": request.name, "permissions": said}
        record(conn, caller.discom_id, caller.who, "roles:create", request.code, after=after, origin=origin)
    return RoleLine(code=request.code, name=request.name, permissions=list(said), shipped=False)


def change(pools: Database, caller: Caller, code: str, request: RoleRequest, origin: Origin) -> RoleLine:
    """For all who hold it. Raises Problem: 403 ESCALATION where the caller does not hold what the role had or will have, 404, 409."""
    said = sorted(set(request.permissions))
    with pools.tenant(caller) as conn:
        before = _own(conn, caller, code)
        must_hold(caller, {*permissions_of(code, before["permissions"]), *said}, f"the role {code}, before or after,")
        repository.update_role(conn, code, request.name, said)
        after = {"name": request.name, "permissions": said}
        record(conn, caller.discom_id, caller.who, "roles:change", code, before=before, after=after, origin=origin)
    return RoleLine(code=code, name=request.name, permissions=list(said), shipped=False)


def delete(pools: Database, caller: Caller, code: str, origin: Origin) -> None:
    """Raises Problem: 403 ESCALATION, 404, 409 where somebody holds it."""
    with pools.tenant(caller) as conn:
        before = _own(conn, caller, code)
        must_hold(caller, permissions_of(code, before["permissions"]), f"the role {code}")
        if holders := repository.holders_of(conn, code):
            detail = f"{holders} grants and keys hold the role {code}: revoke them first"
            raise Problem(409, "ROLE_IN_USE", "The role is in use", detail)
        repository.delete_role(conn, code)
        record(conn, caller.discom_id, caller.who, "roles:delete", code, before=before, origin=origin)


def permissions(conn: psycopg.Connection, code: str) -> frozenset[Permission]:
    """Of a role, in the transaction's tenant. Raises Problem 422 where there is none."""
    own = repository.roles(conn)
    if code not in own and (code not in shipped_roles() or code == "platform_admin"):
        known = sorted(own.keys() | (shipped_roles().keys() - {"platform_admin"}))
        raise Problem(422, "UNKNOWN_ROLE", "No such role", f"there is no role {code}: there are {', '.join(known)}")
    return permissions_of(code, own[code]["permissions"] if code in own else None)


def _own(conn: psycopg.Connection, caller: Caller, code: str) -> dict[str, Any]:
    _not_shipped(code)
    repository.one_at_a_time(conn, caller.discom_id)
    found = repository.roles(conn).get(code)
    if found is None:
        raise Problem(404, "UNKNOWN_ROLE", "No such role", f"the DISCOM has no role {code} of its own: GET /api/v1/admin/roles")
    return {"name": found["name"], "permissions": found["permissions"]}


def _not_shipped(code: str) -> None:
    if code in shipped_roles():
        detail = f"{code} is a role that every DISCOM has and none changes: make one of your own with another code"
        raise Problem(409, "SHIPPED_ROLE", "The role is shipped", detail)
