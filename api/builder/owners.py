"""Who saved a report, as a caller of today: what the account or the key may do and see now (as meterhouse_auth)."""

from __future__ import annotations

import psycopg
from psycopg.rows import dict_row

from api.auth.caller import Grant, Identity, Scope
from api.auth.permissions import permissions_of
from api.auth.repository import find_key


def identity_of_account(conn: psycopg.Connection, discom_id: int, account_id: int) -> Identity | None:
    """With the roles that the account and its groups hold in a DISCOM; None where it is disabled."""
    with conn.cursor(row_factory=dict_row) as cur:
        rows = cur.execute(
            """select d.code as discom, a.login, a.name, g.role, r.permissions, g.service_point_id,
                      case when g.office_id is not null then ops.offices_below(g.discom_id, g.office_id) end as offices
               from ops.account a
               join registry.discom d on d.discom_id = %(discom)s
               left join ops.role_grant g on g.discom_id = d.discom_id and g.revoked_at is null
                 and (g.account_id = a.account_id or (g.provider = a.provider and g.group_name = any(a.groups)))
               left join ops.role r on r.discom_id = g.discom_id and r.code = g.role
               where a.account_id = %(account)s and a.disabled_at is null""",
            {"discom": discom_id, "account": account_id},
        ).fetchall()
    if not rows:
        return None
    grants = []
    for g in rows:
        if g["role"]:
            point, offices = g["service_point_id"], g["offices"]
            scope = Scope((), (point,)) if point is not None else Scope() if offices is None else Scope(tuple(offices), ())
            grants.append(Grant(permissions_of(g["role"], g["permissions"]), scope))
    who = rows[0]
    return Identity(discom_id, who["discom"], who["login"], who["name"], tuple(grants), account_id=account_id)


def identity_of_key(conn: psycopg.Connection, discom_id: int, key_id: str) -> Identity | None:
    """None where the key was revoked or has ended."""
    key = find_key(conn, key_id)
    if key is None or key.discom_id != discom_id:
        return None
    scope = Scope() if key.offices is None else Scope(tuple(key.offices), ())
    return Identity(discom_id, key.discom, key_id, key.name, (Grant(permissions_of(key.role, key.permissions), scope),))
