"""DISCOMs, made by the platform's administrators, who see the data of none. No HTTP paths, no SQL."""

from __future__ import annotations

from dataclasses import replace

import psycopg

from api.admin import repository, users
from api.admin.rights import administrator_grant
from api.admin.schemas import Administrator, NewPassword, Tenant, TenantRequest, Tenants, UserRequest, Where
from api.auth import passwords
from api.auth.caller import Caller
from api.auth.changes import Origin, record
from api.database import Database
from api.errors import Problem


def listed(pools: Database) -> Tenants:
    with pools.auth() as conn:
        return Tenants(items=[Tenant(code=r["code"], name=r["name"], timezone=r["timezone"]) for r in repository.tenants(conn)])


def create(pools: Database, caller: Caller, request: TenantRequest, origin: Origin) -> Tenant:
    """Raises Problem 409 where there is such a DISCOM."""
    try:
        with pools.auth() as conn:
            made = repository.insert_tenant(conn, request.code, request.name, request.timezone)
            record(conn, made, caller.who, "tenants:create", request.code, after=request.model_dump(), origin=origin)
    except psycopg.errors.UniqueViolation:
        raise Problem(409, "TENANT_EXISTS", "There is such a DISCOM", f"a DISCOM has the code {request.code}: take another") from None
    return Tenant(**request.model_dump())


def name_administrator(pools: Database, caller: Caller, code: str, request: Administrator, origin: Origin) -> NewPassword:
    """The first administrator of a DISCOM. Raises Problem: 404, 409 it has one, or the login is taken; 503 busy."""
    with pools.auth() as conn:
        found = next((r for r in repository.tenants(conn) if r["code"] == code), None)
    if found is None:
        raise Problem(404, "UNKNOWN_TENANT", "No such DISCOM", f"there is no DISCOM {code}: GET /api/v1/admin/tenants")
    # For this one act the caller stands where the DISCOM's administrator will; the DISCOM's audit log says so.
    acting = Caller(replace(caller.identity, discom_id=found["discom_id"], discom=code, grants=(administrator_grant(),)))
    given = passwords.one_time()
    try:
        kept = passwords.hashed(given)
    except passwords.BusyError as e:
        raise Problem(503, "BUSY", "Not available", str(e), headers={"Retry-After": "5"}) from None
    wanted = UserRequest(login=request.login, name=request.name, email=request.email, grants=[Where(role="tenant_admin")])
    with pools.tenant(acting) as conn:
        repository.one_at_a_time(conn, acting.discom_id)
        if repository.administrators(conn):
            raise Problem(409, "HAS_ADMINISTRATOR", "It has an administrator", f"{code} has an administrator, who names the next ones")
        return users.insert(conn, acting, wanted, origin, given, kept)
