"""Who holds which role where: given and taken by administrators of the DISCOM. No HTTP paths, no SQL."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from api.admin import repository, roles
from api.admin.rights import NOT_GRANTED, must_hold
from api.admin.schemas import GrantLine, GrantPage, GrantRequest, Where
from api.auth.caller import Caller
from api.auth.changes import Origin, record
from api.database import Database
from api.errors import Problem


@dataclass(frozen=True)
class Holder:
    """An account, or a group at a provider. `name`: as the audit log says it."""

    name: str
    account_id: int | None = None
    provider: str | None = None
    group: str | None = None


def listed(pools: Database, caller: Caller, after: int, size: int, login: str | None, role: str | None) -> GrantPage:
    """A page of what is held, by id."""
    with pools.tenant(caller) as conn:
        rows = repository.grants(conn, after, size + 1, login, role)
    return GrantPage(items=[line(r) for r in rows[:size]], next=rows[size - 1]["id"] if len(rows) > size else None)


def create(pools: Database, caller: Caller, request: GrantRequest, origin: Origin) -> GrantLine:
    """Raises Problem: 403 ESCALATION, 409 where it is held already, 422 no such login, role, office or service point."""
    with pools.tenant(caller) as conn:
        if request.login is None:
            holder = Holder(f"{request.provider}:{request.group}", None, request.provider, request.group)
        else:
            holder = account(conn, request.login)
        return give(conn, caller, holder, request, origin)


def account(conn: psycopg.Connection, login: str) -> Holder:
    """Raises Problem 422."""
    account_id = repository.user_by_login(conn, login)
    if account_id is None:
        detail = (
            f"there is no login {login} of this DISCOM or of an identity provider: create the user, "
            "or let them log in at the provider once; to an account of another DISCOM the platform's operator gives the role"
        )
        raise Problem(422, "UNKNOWN_LOGIN", "No such login", detail)
    return Holder(login, account_id)


def give(conn: psycopg.Connection, caller: Caller, holder: Holder, where: Where, origin: Origin) -> GrantLine:
    """Within the transaction of who gives. Raises as `create`."""
    repository.one_at_a_time(conn, caller.discom_id)
    may = roles.permissions(conn, where.role)
    if where.role in NOT_GRANTED:
        raise Problem(422, "NOT_FOR_ACCOUNTS", "Not for accounts", f"the role {where.role} is for keys: POST /api/v1/admin/keys with `hes`")
    if where.role == "consumer" and where.service_point is None:
        detail = "a consumer sees a service point of their own and no more: name it as `service_point`"
        raise Problem(422, "SERVICE_POINT_MISSING", "No service point", detail)
    must_hold(caller, may, f"the role {where.role}")
    office_id = place(conn, "office", "office_id", where.office)
    point_id = place(conn, "service_point", "service_point_id", where.service_point)
    made = repository.insert_grant(
        conn, caller.discom_id, holder.account_id, holder.provider, holder.group, where.role, office_id, point_id, caller.who
    )
    if made is None:
        raise Problem(409, "ALREADY_GRANTED", "It is held already", f"{holder.name} holds the role {where.role} there already")
    after = {"role": where.role, "office": where.office, "service_point": where.service_point, "grant": made}
    record(conn, caller.discom_id, caller.who, "grants:give", holder.name, after=after, origin=origin)
    found = repository.grant(conn, made)
    assert found is not None
    return line(found)


def place(conn: psycopg.Connection, table: str, column: str, code: str | None) -> int | None:
    """Id of an office, service point or head-end system. Raises Problem 422."""
    if code is None:
        return None
    found = repository.id_by_code(conn, table, column, code)
    if found is None:
        name = {"office": "office", "service_point": "service point", "hes": "head-end system"}[table]
        detail = f"the DISCOM has no {name} {code!r}: check the spelling, or import its master data"
        raise Problem(422, f"UNKNOWN_{table.upper()}", f"No such {name}", detail)
    return found


def revoke(pools: Database, caller: Caller, grant_id: int, origin: Origin, *, last_too: bool = False) -> None:
    """Raises Problem: 403 ESCALATION, 404, 409 the last administrator's, unless `last_too`."""
    with pools.tenant(caller) as conn:
        repository.one_at_a_time(conn, caller.discom_id)
        found = repository.grant(conn, grant_id)
        if found is None:
            raise Problem(404, "UNKNOWN_GRANT", "No such grant", f"the DISCOM has no grant {grant_id} in force: GET /api/v1/admin/grants")
        must_hold(caller, roles.permissions(conn, found["role"]), f"the role {found['role']}")
        if found["role"] == "tenant_admin" and not last_too and not repository.administrators(conn, but_grant=grant_id):
            raise last_administrator()
        repository.revoke_grant(conn, grant_id)
        before = {name: found[name] for name in ("role", "office", "service_point")} | {"grant": grant_id}
        of = found["login"] or (f"{found['provider']}:{found['group']}" if found["group"] else f"account {found['account_id']}")
        record(conn, caller.discom_id, caller.who, "grants:revoke", of, before=before, origin=origin)


def last_administrator() -> Problem:
    detail = "nobody would administer the DISCOM any more: give somebody else the role tenant_admin first"
    return Problem(409, "LAST_ADMINISTRATOR", "The last administrator", detail)


def line(row: dict[str, object]) -> GrantLine:
    return GrantLine.model_validate({k: v for k, v in row.items() if k != "account_id"})
