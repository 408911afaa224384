"""/api/v1/admin."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import StringConstraints

from api.admin import grants, keys, roles, tenants, trail, users
from api.admin.rights import in_a_discom
from api.admin.schemas import (
    MAX_ID,
    Administrator,
    AuditPage,
    DiscomCode,
    GrantLine,
    GrantPage,
    GrantRequest,
    KeyChange,
    KeyLine,
    KeyPage,
    KeyRequest,
    NewKey,
    NewPassword,
    NewRole,
    ResetRequest,
    RoleCode,
    RoleLine,
    RoleRequest,
    Roles,
    Rotation,
    Tenant,
    TenantRequest,
    Tenants,
    User,
    UserPage,
    UserRequest,
)
from api.auth import Caller, Permission, database, require
from api.auth.changes import Origin
from api.auth.oauth import NO_STORE
from api.auth.schemas import Text
from api.database import Database
from api.errors import problems
from api.instants import Instant

router = APIRouter(prefix="/api/v1/admin", tags=["administration"], responses=problems(400, 401, 403, 429, 503))


def _administrator(permission: Permission) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """Who holds the permission in all of a DISCOM."""
    known = Depends(require(permission, whole=True))

    async def caller(found: Caller = known) -> Caller:
        return in_a_discom(found)

    return caller


def _change(request: Request) -> Origin:
    return Origin.of(request)


def _forget(request: Request) -> None:
    """This process looks all callers up anew; others do within REMEMBERED_S."""
    request.app.state.known.forget()


Pools = Annotated[Database, Depends(database)]
OfUsers = Annotated[Caller, Depends(_administrator(Permission.USERS_MANAGE))]
OfKeys = Annotated[Caller, Depends(_administrator(Permission.KEYS_MANAGE))]
Auditor = Annotated[Caller, Depends(_administrator(Permission.AUDIT_READ))]
OfTenants = Annotated[Caller, Depends(require(Permission.TENANTS_MANAGE, whole=True))]
From = Annotated[Origin, Depends(_change)]
Id = Annotated[int, Path(ge=1, le=MAX_ID)]
KeyId = Annotated[str, Path(pattern="^[A-Za-z0-9]{1,64}$")]
Size = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=MAX_ID, description="`next` of the page before")]
Words = Annotated[Text, StringConstraints(min_length=1, max_length=200)]


# --- users ---


@router.get("/users", summary="Who may log in to the DISCOM", responses=problems(422))
def list_users(pools: Pools, caller: OfUsers, after: After = 0, size: Size = 100) -> UserPage:
    return users.listed(pools, caller, after, size)


@router.post(
    "/users", status_code=status.HTTP_201_CREATED, summary="Make an account, with a one-time password", responses=problems(409, 422)
)
def create_user(request: Request, wanted: UserRequest, pools: Pools, caller: OfUsers, origin: From, response: Response) -> NewPassword:
    """The password is shown once and good for three days: the first log-in sets another (`new_password`)."""
    made = users.create(pools, caller, wanted, origin)
    response.headers.update({**NO_STORE, "Location": f"{router.prefix}/users/{made.user.id}"})
    return made


@router.get("/users/{id}", summary="An account, with its roles", responses=problems(404, 422))
def get_user(id: Id, pools: Pools, caller: OfUsers) -> User:
    return users.get(pools, caller, id)


@router.post("/users/{id}/disable", summary="Let it log in no more, and end its sessions", responses=problems(404, 409, 422))
def disable_user(request: Request, id: Id, pools: Pools, caller: OfUsers, origin: From) -> User:
    done = users.disable(pools, caller, id, origin)
    _forget(request)
    return done


@router.post("/users/{id}/enable", summary="Let it log in again", responses=problems(404, 409, 422))
def enable_user(id: Id, pools: Pools, caller: OfUsers, origin: From) -> User:
    return users.enable(pools, caller, id, origin)


@router.post("/users/{id}/unlock", summary="End a lock after failed log-ins", responses=problems(404, 409, 422))
def unlock_user(id: Id, pools: Pools, caller: OfUsers, origin: From) -> User:
    return users.unlock(pools, caller, id, origin)


@router.post("/users/{id}/reset-password", summary="A new one-time password; its sessions end", responses=problems(404, 409, 422))
def reset_user(
    request: Request, id: Id, wanted: ResetRequest, pools: Pools, caller: OfUsers, origin: From, response: Response
) -> NewPassword:
    done = users.reset(pools, caller, id, origin, remove_totp=wanted.remove_totp)
    _forget(request)
    response.headers.update(NO_STORE)
    return done


# --- roles and grants ---


@router.get("/roles", summary="Roles, shipped and own")
def list_roles(pools: Pools, caller: OfUsers) -> Roles:
    return roles.listed(pools, caller)


@router.post("/roles", status_code=status.HTTP_201_CREATED, summary="Make a role of the DISCOM's own", responses=problems(409, 422))
def create_role(wanted: NewRole, pools: Pools, caller: OfUsers, origin: From) -> RoleLine:
    """With permissions that you hold yourself; an administrator of the DISCOM with any but `tenants:manage`."""
    return roles.create(pools, caller, wanted, origin)


@router.put("/roles/{code}", summary="Change a role, for all who hold it", responses=problems(404, 409, 422))
def change_role(request: Request, code: RoleCode, wanted: RoleRequest, pools: Pools, caller: OfUsers, origin: From) -> RoleLine:
    done = roles.change(pools, caller, code, wanted, origin)
    _forget(request)
    return done


@router.delete(
    "/roles/{code}", status_code=status.HTTP_204_NO_CONTENT, summary="Delete a role that nobody holds", responses=problems(404, 409, 422)
)
def delete_role(code: RoleCode, pools: Pools, caller: OfUsers, origin: From) -> Response:
    roles.delete(pools, caller, code, origin)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/grants", summary="Who holds which role where", responses=problems(422))
def list_grants(
    pools: Pools, caller: OfUsers, after: After = 0, size: Size = 100, login: Words | None = None, role: Words | None = None
) -> GrantPage:
    return grants.listed(pools, caller, after, size, login, role)


@router.post("/grants", status_code=status.HTTP_201_CREATED, summary="Give a role", responses=problems(409, 422))
def create_grant(request: Request, wanted: GrantRequest, pools: Pools, caller: OfUsers, origin: From) -> GrantLine:
    """To a login, or to a group at an identity provider; in all of the DISCOM, an office and those below it, or at a service point."""
    done = grants.create(pools, caller, wanted, origin)
    _forget(request)
    return done


@router.delete("/grants/{id}", status_code=status.HTTP_204_NO_CONTENT, summary="Take a role", responses=problems(404, 409, 422))
def revoke_grant(request: Request, id: Id, pools: Pools, caller: OfUsers, origin: From) -> Response:
    grants.revoke(pools, caller, id, origin)
    _forget(request)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


# --- keys ---


@router.get("/keys", summary="Keys, ended ones too", responses=problems(422))
def list_keys(
    pools: Pools,
    caller: OfKeys,
    after: Annotated[str, Query(pattern="^[A-Za-z0-9]{0,64}$", description="`next` of the page before")] = "",
    size: Size = 100,
) -> KeyPage:
    return keys.listed(pools, caller, after, size)


@router.post("/keys", status_code=status.HTTP_201_CREATED, summary="Make a key", responses=problems(422))
def create_key(wanted: KeyRequest, pools: Pools, caller: OfKeys, origin: From, response: Response) -> NewKey:
    """It is shown once: the warehouse keeps a hash."""
    made = keys.create(pools, caller, wanted, origin)
    response.headers.update(NO_STORE)
    return made


@router.patch("/keys/{id}", summary="Change a key's networks, rate or end", responses=problems(404, 409, 422))
def change_key(request: Request, id: KeyId, wanted: KeyChange, pools: Pools, caller: OfKeys, origin: From) -> KeyLine:
    done = keys.change(pools, caller, id, wanted, origin)
    _forget(request)
    return done


@router.post(
    "/keys/{id}/rotate",
    status_code=status.HTTP_201_CREATED,
    summary="A new key in the place of one, which stays good for a while",
    responses=problems(404, 409, 422),
)
def rotate_key(request: Request, id: KeyId, wanted: Rotation, pools: Pools, caller: OfKeys, origin: From, response: Response) -> NewKey:
    made = keys.rotate(pools, caller, id, timedelta(hours=wanted.overlap_hours), origin)
    _forget(request)
    response.headers.update(NO_STORE)
    return made


@router.delete("/keys/{id}", status_code=status.HTTP_204_NO_CONTENT, summary="Revoke a key", responses=problems(404, 409, 422))
def revoke_key(request: Request, id: KeyId, pools: Pools, caller: OfKeys, origin: From) -> Response:
    keys.revoke(pools, caller, id, origin)
    _forget(request)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


# --- the audit log ---


@router.get("/audit", summary="Decisions and changes, the latest first", responses=problems(422))
def list_audit(
    pools: Pools,
    caller: Auditor,
    before: Annotated[str | None, Query(max_length=60, description="`next` of the page before")] = None,
    size: Size = 100,
    action: Words | None = None,
    outcome: Literal["allowed", "refused", "changed"] | None = None,
    who: Words | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> AuditPage:
    """`who`, `action` exactly as the log has them; `since` is included, `until` is not."""
    return trail.listed(pools, caller, size, before, action, outcome, who, since, until)


# --- tenants ---


@router.get("/tenants", summary="DISCOMs of the platform")
def list_tenants(pools: Pools, caller: OfTenants) -> Tenants:
    return tenants.listed(pools)


@router.post("/tenants", status_code=status.HTTP_201_CREATED, summary="Make a DISCOM", responses=problems(409, 422))
def create_tenant(wanted: TenantRequest, pools: Pools, caller: OfTenants, origin: From) -> Tenant:
    return tenants.create(pools, caller, wanted, origin)


@router.post(
    "/tenants/{code}/administrators",
    status_code=status.HTTP_201_CREATED,
    summary="Name the first administrator of a DISCOM",
    responses=problems(404, 409, 422),
)
def name_administrator(
    code: DiscomCode, wanted: Administrator, pools: Pools, caller: OfTenants, origin: From, response: Response
) -> NewPassword:
    made = tenants.name_administrator(pools, caller, code, wanted, origin)
    response.headers.update(NO_STORE)
    return made
