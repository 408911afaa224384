"""SQL of the administration of a DISCOM, in a transaction of its tenant as meterhouse_api; that of DISCOMs as meterhouse_auth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from api.auth.local import ONE_TIME_LASTS

# --- users ---

_USER = """
    select a.account_id as id, a.login, a.name, a.email, a.source, a.provider,
           a.home_discom_id is not distinct from ops.tenant() as administered_here,
           a.disabled_at, case when a.locked_until > now() then a.locked_until end as locked_until, a.one_time_until,
           a.totp_since is not null as totp, a.created_at
    from ops.account a"""

_HERE = """(a.home_discom_id = ops.tenant() or exists (
    select 1 from ops.role_grant g where g.discom_id = ops.tenant() and g.account_id = a.account_id and g.revoked_at is null))"""


def insert_user(
    conn: psycopg.Connection, discom_id: int, login: str, name: str, email: str | None, password_hash: str, one_time: timedelta | None
) -> int:
    """A local account of the DISCOM. Raises UniqueViolation where the login is taken, by whomever."""
    row = conn.execute(
        """insert into ops.account (login, name, email, source, home_discom_id, password_hash, one_time_until)
           values (%s, %s, %s, 'local', %s, %s, now() + %s::interval) returning account_id""",
        [login, name, email, discom_id, password_hash, one_time],
    ).fetchone()
    assert row is not None
    return int(row[0])


def user(conn: psycopg.Connection, account_id: int) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_USER} where {_HERE} and a.account_id = %s", [account_id]).fetchone()


def user_by_login(conn: psycopg.Connection, login: str) -> int | None:
    """Id of an account that is the DISCOM's, holds or held a role in it, or is a provider's."""
    row = conn.execute(
        "select coalesce((select account_id from ops.account where login = %(login)s), ops.federated_account(%(login)s))", {"login": login}
    ).fetchone()
    return row[0] if row else None


def account_id(conn: psycopg.Connection, login: str) -> int | None:
    """Of whatever DISCOM (as meterhouse_auth)."""
    row = conn.execute("select account_id from ops.account where login = %s", [login]).fetchone()
    return int(row[0]) if row else None


def insert_platform_admin(conn: psycopg.Connection, login: str, name: str, email: str | None, password_hash: str, one_time: bool) -> None:
    """As meterhouse_auth. Raises UniqueViolation."""
    conn.execute(
        """insert into ops.account (login, name, email, source, platform_admin, password_hash, one_time_until)
           values (%s, %s, %s, 'local', true, %s, case when %s then now() + %s end)""",
        [login, name, email, password_hash, one_time, ONE_TIME_LASTS],
    )


_OF_THE_PLATFORM = """
    login = %(login)s and source = 'local' and (home_discom_id is null or exists (
      select 1 from ops.role_grant g where g.account_id = a.account_id and g.revoked_at is null and g.discom_id <> a.home_discom_id))"""


def reset_platform_account(conn: psycopg.Connection, login: str, password_hash: str, one_time: bool, remove_totp: bool) -> bool:
    """A new password for a local account that is the platform's, or opens several DISCOMs; its sessions end. As meterhouse_auth."""
    row = conn.execute(
        f"""update ops.account a set password_hash = %(hash)s, one_time_until = case when %(one_time)s then now() + %(lasts)s end,
                  failed_logins = 0, locked_until = null, totp_secret = case when not %(remove)s then totp_secret end,
                  totp_since = case when not %(remove)s then totp_since end
            where {_OF_THE_PLATFORM} returning account_id""",  # noqa: S608
        {"login": login, "hash": password_hash, "one_time": one_time, "lasts": ONE_TIME_LASTS, "remove": remove_totp},
    ).fetchone()
    if row:
        end_sessions(conn, row[0], "the password was reset")
    return row is not None


def disable_platform_account(conn: psycopg.Connection, login: str) -> bool:
    """As `reset_platform_account`: it logs in no more, and its sessions end."""
    row = conn.execute(
        f"update ops.account a set disabled_at = coalesce(disabled_at, now()) where {_OF_THE_PLATFORM} returning account_id",  # noqa: S608
        {"login": login},
    ).fetchone()
    if row:
        end_sessions(conn, row[0], "the account was disabled")
    return row is not None


def users(conn: psycopg.Connection, after: int, size: int) -> list[dict[str, Any]]:
    """Up to `size` of the DISCOM's accounts and of those that hold a role in it, by id."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_USER} where {_HERE} and a.account_id > %s order by a.account_id limit %s", [after, size]).fetchall()


def set_disabled(conn: psycopg.Connection, account_id: int, disabled: bool) -> bool:
    """Whether it is an account that the DISCOM administers."""
    done = conn.execute(
        "update ops.account set disabled_at = case when %s then coalesce(disabled_at, now()) end where account_id = %s",
        [disabled, account_id],
    )
    return done.rowcount > 0


def unlock(conn: psycopg.Connection, account_id: int) -> bool:
    done = conn.execute("update ops.account set failed_logins = 0, locked_until = null where account_id = %s", [account_id])
    return done.rowcount > 0


def reset(conn: psycopg.Connection, account_id: int, password_hash: str, one_time: timedelta | None, remove_totp: bool) -> bool:
    done = conn.execute(
        """update ops.account set password_hash = %s, one_time_until = now() + %s::interval, failed_logins = 0, locked_until = null
           where account_id = %s""",
        [password_hash, one_time, account_id],
    )
    if done.rowcount and remove_totp:
        conn.execute(
            "update ops.account set totp_secret = null, totp_pending = null, totp_since = null where account_id = %s", [account_id]
        )
    return done.rowcount > 0


def end_sessions(conn: psycopg.Connection, account_id: int, why: str) -> int:
    """End all sessions of an account that the DISCOM administers, of another those in the DISCOM; how many."""
    return conn.execute(
        "update ops.session set revoked_at = now(), revoked_why = %s where account_id = %s and revoked_at is null", [why, account_id]
    ).rowcount


# --- roles and grants ---


def one_at_a_time(conn: psycopg.Connection, discom_id: int) -> None:
    """Until the transaction ends, nobody else changes roles and grants of the DISCOM."""
    conn.execute("select pg_advisory_xact_lock(hashtext('ops.role_grant'), %s)", [discom_id])


def roles(conn: psycopg.Connection) -> dict[str, dict[str, Any]]:
    """The DISCOM's own, by code."""
    with conn.cursor(row_factory=dict_row) as cur:
        rows = cur.execute("select code, name, permissions from ops.role order by code").fetchall()
    return {r["code"]: r for r in rows}


def insert_role(conn: psycopg.Connection, discom_id: int, code: str, name: str, permissions: Sequence[str]) -> None:
    """Raises UniqueViolation."""
    conn.execute(
        "insert into ops.role (discom_id, code, name, permissions) values (%s, %s, %s, %s)", [discom_id, code, name, list(permissions)]
    )


def update_role(conn: psycopg.Connection, code: str, name: str, permissions: Sequence[str]) -> None:
    conn.execute("update ops.role set name = %s, permissions = %s where code = %s", [name, list(permissions), code])


def delete_role(conn: psycopg.Connection, code: str) -> None:
    conn.execute("delete from ops.role where code = %s", [code])


def holders_of(conn: psycopg.Connection, role: str) -> int:
    """Grants and keys in use that hold the role."""
    row = conn.execute(
        """select (select count(*) from ops.role_grant where role = %(role)s and revoked_at is null)
                + (select count(*) from ops.api_key where role = %(role)s and revoked_at is null and coalesce(expires_at > now(), true))""",
        {"role": role},
    ).fetchone()
    assert row is not None
    return int(row[0])


_GRANT = """
    select g.grant_id as id, g.account_id, a.login, g.provider, g.group_name as "group", g.role, o.code as office, s.code as service_point,
           g.granted_by, g.granted_at
    from ops.role_grant g
    left join ops.account a on a.account_id = g.account_id
    left join registry.office o on o.discom_id = g.discom_id and o.office_id = g.office_id
    left join registry.service_point s on s.discom_id = g.discom_id and s.service_point_id = g.service_point_id
    where g.revoked_at is null"""


def insert_grant(
    conn: psycopg.Connection,
    discom_id: int,
    account_id: int | None,
    provider: str | None,
    group: str | None,
    role: str,
    office_id: int | None,
    service_point_id: int | None,
    who: str,
) -> int | None:
    """None where the holder holds it there already."""
    row = conn.execute(
        """insert into ops.role_grant (discom_id, account_id, provider, group_name, role, office_id, service_point_id, granted_by)
           select %(discom)s, %(account)s, %(provider)s, %(group)s, %(role)s, %(office)s, %(point)s, %(who)s
           where not exists (
             select 1 from ops.role_grant where discom_id = %(discom)s and revoked_at is null and role = %(role)s
             and account_id is not distinct from %(account)s::bigint and provider is not distinct from %(provider)s::text
             and group_name is not distinct from %(group)s::text and office_id is not distinct from %(office)s::integer
             and service_point_id is not distinct from %(point)s::integer)
           returning grant_id""",
        {
            "discom": discom_id,
            "account": account_id,
            "provider": provider,
            "group": group,
            "role": role,
            "office": office_id,
            "point": service_point_id,
            "who": who,
        },
    ).fetchone()
    return int(row[0]) if row else None


def grant(conn: psycopg.Connection, grant_id: int) -> dict[str, Any] | None:
    """One that was not revoked."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_GRANT} and g.grant_id = %s", [grant_id]).fetchone()


def grants(conn: psycopg.Connection, after: int, size: int, login: str | None, role: str | None) -> list[dict[str, Any]]:
    """Up to `size` that were not revoked, by id."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            f"""{_GRANT} and g.grant_id > %(after)s and (%(login)s::text is null or a.login = %(login)s)
                and (%(role)s::text is null or g.role = %(role)s) order by g.grant_id limit %(size)s""",
            {"after": after, "login": login, "role": role, "size": size},
        ).fetchall()


def grants_of(conn: psycopg.Connection, account_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Those of accounts themselves that were not revoked."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_GRANT} and g.account_id = any(%s) order by g.grant_id", [list(account_ids)]).fetchall()


def revoke_grant(conn: psycopg.Connection, grant_id: int) -> bool:
    done = conn.execute("update ops.role_grant set revoked_at = now() where grant_id = %s and revoked_at is null", [grant_id])
    return done.rowcount > 0


def administrators(conn: psycopg.Connection, *, but_grant: int | None = None, but_account: int | None = None) -> int:
    """Grants of `tenant_admin` for the whole DISCOM, to groups or to accounts that are not disabled."""
    row = conn.execute(
        """select count(*) from ops.role_grant g left join ops.account a on a.account_id = g.account_id
           where g.role = 'tenant_admin' and g.revoked_at is null and g.office_id is null and g.service_point_id is null
             and a.disabled_at is null and g.grant_id is distinct from %s and (g.account_id is null or g.account_id is distinct from %s)""",
        [but_grant, but_account],
    ).fetchone()
    assert row is not None
    return int(row[0])


def id_by_code(conn: psycopg.Connection, table: str, column: str, code: str) -> int | None:
    """Of an office, service point or head-end system of the DISCOM."""
    query = sql.SQL("select {} from {} where code = %s").format(sql.Identifier(column), sql.Identifier("registry", table))
    row = conn.execute(query, [code]).fetchone()
    return int(row[0]) if row else None


# --- keys ---

_KEY = """
    select k.key_id as id, k.name, k.role, h.code as hes, o.code as office, coalesce(k.networks::text[], '{}') as networks,
           k.requests_per_min, k.created_at, k.expires_at, k.revoked_at
    from ops.api_key k
    left join registry.hes h on h.discom_id = k.discom_id and h.hes_id = k.hes_id
    left join registry.office o on o.discom_id = k.discom_id and o.office_id = k.office_id"""


def key(conn: psycopg.Connection, key_id: str) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_KEY} where k.key_id = %s", [key_id]).fetchone()


def keys(conn: psycopg.Connection, after: str, size: int) -> list[dict[str, Any]]:
    """Up to `size`, ended ones too, by id."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_KEY} where k.key_id > %s order by k.key_id limit %s", [after, size]).fetchall()


def copy_key(conn: psycopg.Connection, key_id: str, new_id: str, secret_sha256: bytes) -> None:
    """A key like another, that lasts from its making as long as the other did from its own."""
    conn.execute(
        """insert into ops.api_key (discom_id, key_id, secret_sha256, role, hes_id, office_id, name, networks, requests_per_min, expires_at)
           select discom_id, %s, %s, role, hes_id, office_id, name, networks, requests_per_min, now() + (expires_at - created_at)
           from ops.api_key where key_id = %s""",
        [new_id, secret_sha256, key_id],
    )


def change_key(
    conn: psycopg.Connection, key_id: str, networks: Sequence[str] | None, per_min: int | None, expires_at: datetime | None
) -> None:
    """What is None stays; no networks at all: from anywhere."""
    conn.execute(
        """update ops.api_key set networks = case when %(given)s then nullif(%(networks)s::cidr[], '{}') else networks end,
                  requests_per_min = coalesce(%(per_min)s, requests_per_min), expires_at = coalesce(%(expires)s, expires_at)
           where key_id = %(key)s""",
        {
            "given": networks is not None,
            "networks": list(networks or ()),
            "per_min": per_min,
            "expires": expires_at,
            "key": key_id,
        },
    )


def end_key(conn: psycopg.Connection, key_id: str, within: timedelta) -> None:
    """It is good for so long yet, and not longer than it was."""
    conn.execute("update ops.api_key set expires_at = least(expires_at, now() + %s) where key_id = %s", [within, key_id])


# --- the audit log ---


def audit(
    conn: psycopg.Connection,
    size: int,
    before: tuple[datetime, int] | None,
    action: str | None,
    outcome: str | None,
    who: str | None,
    since: datetime | None,
    until: datetime | None,
) -> list[dict[str, Any]]:
    """Up to `size` lines, the latest first."""
    at, audit_id = before or (None, None)
    asked = {
        "(at, audit_id) < (%(at)s, %(id)s)": at,
        "action = %(action)s": action,
        # As the condition of the index of changes has it, which are few among the decisions.
        "outcome = 'changed'": outcome == "changed" or None,
        "outcome = %(outcome)s": outcome,
        "who = %(who)s": who,
        "at >= %(since)s": since,
        "at < %(until)s": until,
    }
    conditions = " and ".join(["discom_id = ops.tenant()", *(condition for condition, value in asked.items() if value is not None)])
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            f"""select audit_id as id, at, who, action, outcome, method, path, request_id, address, detail from ops.access_audit
                where {conditions} order by at desc, audit_id desc limit %(size)s""",  # noqa: S608
            {"size": size, "at": at, "id": audit_id, "action": action, "outcome": outcome, "who": who, "since": since, "until": until},
        ).fetchall()


# --- tenants ---


def tenants(conn: psycopg.Connection) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute("select discom_id, code, name, timezone from registry.discom order by code").fetchall()


def insert_tenant(conn: psycopg.Connection, code: str, name: str, timezone: str) -> int:
    """Raises UniqueViolation."""
    row = conn.execute(
        "insert into registry.discom (code, name, timezone) values (%s, %s, %s) returning discom_id", [code, name, timezone]
    ).fetchone()
    assert row is not None
    return int(row[0])
