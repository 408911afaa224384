"""The warehouse's keys, accounts and sessions: how a caller is known, and what an administrator does with keys (as meterhouse_owner)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from api.auth.caller import Grant, Identity, Scope
from api.auth.permissions import permissions_of, shipped_roles


@dataclass(frozen=True)
class Key:
    """A key that is in use. `permissions` are those of a role of the DISCOM's own, `offices` what the key is limited to."""

    discom_id: int
    discom: str
    secret_sha256: bytes
    role: str
    permissions: list[str] | None
    hes_id: int | None
    hes: str | None
    vendor: str | None
    name: str
    networks: list[str] | None
    requests_per_min: int
    offices: list[int] | None


def find_key(conn: psycopg.Connection, key_id: str) -> Key | None:
    """The key of this id, None where there is none, or it is revoked or has ended."""
    with conn.cursor(row_factory=class_row(Key)) as cur:
        return cur.execute("select * from ops.find_api_key(%s)", [key_id]).fetchone()


def identity_of_session(conn: psycopg.Connection, session_id: UUID) -> Identity | None:
    """Who logged in, with the roles that the account and its groups hold now (as meterhouse_auth).

    None where the session has ended or the account is disabled.
    """
    with conn.cursor(row_factory=dict_row) as cur:
        rows = cur.execute(
            """select coalesce(s.discom_id, 0) as discom_id, coalesce(d.code, '') as discom, a.account_id, a.login, a.name,
                      a.platform_admin, g.role, r.permissions, g.service_point_id,
                      case when g.office_id is not null then ops.offices_below(g.discom_id, g.office_id) end as offices
               from ops.session s
               join ops.account a on a.account_id = s.account_id
               left join registry.discom d on d.discom_id = s.discom_id
               left join ops.role_grant g on g.discom_id = s.discom_id and g.revoked_at is null
                 and (g.account_id = a.account_id or (g.provider = a.provider and g.group_name = any(a.groups)))
               left join ops.role r on r.discom_id = g.discom_id and r.code = g.role
               where s.session_id = %s and s.revoked_at is null and s.expires_at > now() and a.disabled_at is null""",
            [session_id],
        ).fetchall()
    if not rows:
        return None
    grants = [Grant(permissions_of(g["role"], g["permissions"]), _scope(g)) for g in rows if g["role"]]
    who = rows[0]
    if who["platform_admin"]:
        grants.append(Grant(permissions_of("platform_admin", None)))
    return Identity(
        discom_id=who["discom_id"],
        discom=who["discom"],
        subject=who["login"],
        name=who["name"],
        grants=tuple(grants),
        account_id=who["account_id"],
        session_id=str(session_id),
    )


def _scope(grant: dict[str, Any]) -> Scope:
    if grant["service_point_id"] is not None:
        return Scope((), (grant["service_point_id"],))
    return Scope() if grant["offices"] is None else Scope(tuple(grant["offices"]), ())


def insert_decisions(conn: psycopg.Connection, decisions: Sequence[tuple[Any, ...]]) -> None:
    """Lines of the audit log: discom_id, who, action, outcome, method, path, request id, address (as meterhouse_auth)."""
    # COPY cannot write to a table with row-level security.
    columns = [list(column) for column in zip(*decisions, strict=True)]
    conn.execute(
        """insert into ops.access_audit (discom_id, who, action, outcome, method, path, request_id, address)
           select * from unnest(%s::smallint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])""",
        columns,
    )


def insert_key(
    conn: psycopg.Connection,
    discom_id: int,
    key_id: str,
    secret_sha256: bytes,
    hes_id: int | None,
    name: str,
    networks: list[str],
    per_min: int,
    *,
    role: str = "operator",
    office_id: int | None = None,
    expires_at: datetime | None = None,
) -> None:
    """A key of a head-end system; where `hes_id` is None, of whoever holds the role. Raises DataError for a bad network."""
    with conn.transaction():
        conn.execute(
            """insert into ops.api_key (discom_id, key_id, secret_sha256, role, hes_id, name, networks, requests_per_min, office_id,
                                       expires_at)
               values (%s, %s, %s, %s, %s, %s, %s::cidr[], %s, %s, %s)""",
            [
                discom_id,
                key_id,
                secret_sha256,
                role if hes_id is None else "hes_vendor",
                hes_id,
                name,
                networks or None,
                per_min,
                office_id,
                expires_at,
            ],
        )


def role_codes(conn: psycopg.Connection, discom_id: int) -> set[str]:
    """Roles that a key or an account of the DISCOM can hold."""
    own = conn.execute("select code from ops.role where discom_id = %s", [discom_id]).fetchall()
    return {code for (code,) in own} | (set(shipped_roles()) - {"platform_admin"})


def office_id(conn: psycopg.Connection, discom_id: int, code: str) -> int | None:
    """None where the DISCOM has no such office."""
    found = conn.execute("select office_id from registry.office where discom_id = %s and code = %s", [discom_id, code]).fetchone()
    return found[0] if found else None


def keys(conn: psycopg.Connection, discom_id: int) -> list[dict[str, Any]]:
    """All keys of a DISCOM, revoked ones too, the oldest first."""
    with conn.transaction(), conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            """select k.key_id, k.role, h.code as hes, o.code as office, k.name, k.networks::text[] as networks,
                      k.requests_per_min, k.created_at,
                      k.expires_at, k.revoked_at
               from ops.api_key k left join registry.hes h using (discom_id, hes_id)
               left join registry.office o using (discom_id, office_id)
               where k.discom_id = %s order by k.created_at, k.key_id""",
            [discom_id],
        ).fetchall()


def revoke_key(conn: psycopg.Connection, discom_id: int, key_id: str) -> bool:
    """Whether there was such a key in use."""
    with conn.transaction():
        done = conn.execute(
            "update ops.api_key set revoked_at = now() where discom_id = %s and key_id = %s and revoked_at is null", [discom_id, key_id]
        )
    return done.rowcount > 0
