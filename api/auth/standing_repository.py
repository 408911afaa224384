"""Grants of an account, read without a session (as meterhouse_auth)."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from api.auth.caller import Scope


@dataclass(frozen=True)
class Held:
    """A role, the permissions of one of the DISCOM's own, and where it is held."""

    role: str
    permissions: list[str] | None
    scope: Scope


def grants_of_account(conn: psycopg.Connection, discom_id: int, account_id: int) -> list[Held]:
    """None of an account that is disabled."""
    rows = conn.execute(
        """select g.role, r.permissions, g.service_point_id,
                  case when g.office_id is not null then ops.offices_below(g.discom_id, g.office_id) end
           from ops.account a
           join ops.role_grant g on g.discom_id = %s and g.revoked_at is null
             and (g.account_id = a.account_id or (g.provider = a.provider and g.group_name = any(a.groups)))
           left join ops.role r on r.discom_id = g.discom_id and r.code = g.role
           where a.account_id = %s and a.disabled_at is null""",
        [discom_id, account_id],
    ).fetchall()
    return [Held(role, permissions, _scope(point, offices)) for role, permissions, point, offices in rows]


def _scope(point: int | None, offices: list[int] | None) -> Scope:
    if point is not None:
        return Scope((), (point,))
    return Scope() if offices is None else Scope(tuple(offices), ())
