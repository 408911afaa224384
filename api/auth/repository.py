"""The warehouse's keys, accounts and sessions: how a caller is known, and what an administrator does with keys (as meterhouse_owner)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

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


def identity_of_key(key_id: str, key: Key) -> Identity:
    """The holder of a key."""
    return Identity(
        discom_id=key.discom_id,
        discom=key.discom,
        subject=key_id,
        name=key.name,
        grants=(Grant(permissions_of(key.role, key.permissions), _scope(None, key.offices), key.role),),
        requests_per_min=key.requests_per_min,
        networks=tuple(key.networks or ()),
        hes_id=key.hes_id,
        hes=key.hes,
        vendor=key.vendor,
    )


def grants_of(
    conn: psycopg.Connection, account_id: int, provider: str | None, groups: Sequence[str], discom_id: int | None = None
) -> dict[tuple[int, str], tuple[Grant, ...]]:
    """What an account, and groups at its provider, hold now: by DISCOM (id, code), in all or in one (as meterhouse_auth)."""
    found: dict[tuple[int, str], list[Grant]] = {}
    for in_discom, code, role, permissions, point, offices in conn.execute(
        """select d.discom_id, d.code, g.role, r.permissions, g.service_point_id,
                  case when g.office_id is not null then ops.offices_below(g.discom_id, g.office_id) end
           from ops.role_grant g
           join registry.discom d on d.discom_id = g.discom_id
           left join ops.role r on r.discom_id = g.discom_id and r.code = g.role
           where g.revoked_at is null and (g.account_id = %(account)s or (g.provider = %(provider)s and g.group_name = any(%(groups)s)))
             and (%(discom)s::smallint is null or g.discom_id = %(discom)s)
           order by d.discom_id, g.grant_id""",
        {"account": account_id, "provider": provider, "groups": list(groups), "discom": discom_id},
    ):
        found.setdefault((in_discom, code), []).append(Grant(permissions_of(role, permissions), _scope(point, offices), role))
    return {discom: tuple(grants) for discom, grants in found.items()}


def identity_of_session(conn: psycopg.Connection, session_id: UUID) -> Identity | None:
    """Who logged in, with the roles that the account and its groups hold now (as meterhouse_auth).

    None where the session has ended or the account is disabled.
    """
    row = conn.execute(
        """select s.account_id, s.discom_id from ops.session s
           where s.session_id = %s and s.revoked_at is null and s.expires_at > now()""",
        [session_id],
    ).fetchone()
    identity = identity_of_account(conn, row[1], row[0]) if row else None
    return replace(identity, session_id=str(session_id)) if identity else None


def identity_of_account(conn: psycopg.Connection, discom_id: int | None, account_id: int) -> Identity | None:
    """An account in a DISCOM (None: of a platform administrator, in none), with what it holds now; None where it is disabled."""
    with conn.cursor(row_factory=dict_row) as cur:
        who = cur.execute(
            """select a.login, a.name, a.provider, a.groups, a.platform_admin, coalesce(d.code, '') as discom
               from ops.account a left join registry.discom d on d.discom_id = %s
               where a.account_id = %s and a.disabled_at is null""",
            [discom_id, account_id],
        ).fetchone()
    if who is None:
        return None
    held = grants_of(conn, account_id, who["provider"], who["groups"], discom_id) if discom_id is not None else {}
    grants = [grant for of_discom in held.values() for grant in of_discom]
    if who["platform_admin"]:
        grants.append(Grant(permissions_of("platform_admin", None), role="platform_admin"))
    return Identity(discom_id or 0, who["discom"], who["login"], who["name"], tuple(grants), account_id=account_id)


def _scope(point: int | None, offices: Sequence[int] | None) -> Scope:
    if point is not None:
        return Scope((), (point,))
    return Scope() if offices is None else Scope(tuple(offices), ())


def insert_decisions(conn: psycopg.Connection, decisions: Sequence[tuple[Any, ...]]) -> None:
    """Lines of the audit log, one at least: discom_id, who, action, outcome, method, path, request id, address (as meterhouse_auth)."""
    # Not by COPY, which row-level security does not allow.
    conn.execute(
        """insert into ops.access_audit (discom_id, who, action, outcome, method, path, request_id, address)
           select * from unnest(%s::smallint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])""",
        [list(column) for column in zip(*decisions, strict=True)],
    )


def insert_change(
    conn: psycopg.Connection, discom_id: int | None, who: str, action: str, detail: dict[str, Any], origin: Sequence[str | None]
) -> None:
    """A change of who may do what, in the transaction that makes it. `origin`: method, path, request id, address. Never a secret."""
    conn.execute(
        """insert into ops.access_audit (discom_id, who, action, outcome, method, path, request_id, address, detail)
           values (%s, %s, %s, 'changed', %s, %s, %s, %s, %s)""",
        [discom_id, who, action, *origin, Jsonb(detail, dumps=_json)],
    )


def _json(detail: Any) -> str:
    return json.dumps(detail, default=str, ensure_ascii=False)


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


def offices_by_id(conn: psycopg.Connection, ids: Sequence[int]) -> dict[int, tuple[str, int | None]]:
    """(code, office_id of the one above) by office_id, of the transaction's tenant."""
    rows = conn.execute("select office_id, code, parent_id from registry.office where office_id = any(%s)", [list(ids)]).fetchall()
    return {office_id: (code, parent) for office_id, code, parent in rows}


def service_points_by_id(conn: psycopg.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Code by service_point_id, of the transaction's tenant."""
    rows = conn.execute("select service_point_id, code from registry.service_point where service_point_id = any(%s)", [list(ids)])
    return dict(rows.fetchall())


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
