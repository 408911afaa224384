"""Whether the database keeps tenants and offices apart: what its catalogue says of policies, views, functions and roles. Reads no rows."""

from __future__ import annotations

import psycopg

SCHEMAS = ("registry", "raw", "vee", "energy", "network", "billing", "reports", "ops")
"""Whose tables hold the data of tenants."""
OPEN_SCHEMAS = ("reference", "staging", "public")
"""Whose tables are the same for all tenants, and hold nothing of any."""

OF_NO_TENANT = {
    "ops.account": "a person may hold roles in several DISCOMs: seen where they hold one",
    "ops.session": "seen by nobody but meterhouse_auth",
    "ops.spent": "hashes of what is good once, seen by nobody but meterhouse_auth",
    "ops.access_audit": "a line may be of no tenant; its policy `tenant` asks for one, and for all of it",
    "ops.shared_table": "names of tables",
}
"""Tables with policies of their own kind, and why."""

FOR_EVERYBODY = {
    "sees_service_point",
    "sees_dt",
    "sees_feeder",
    "sees_consumer",
    "sees_meter",
    "sees_meter_on",
    "service_points_within",
    "consumers_within",
    "meters_within",
    "moved_meters_within",
}
"""Functions of ops that run with their owner's rights for whoever reads a table, as policies need: they answer for his tenant alone."""

APPEND_ONLY = (
    "raw.batch",
    "raw.profile_fragment",
    "vee.edit",
    "vee.edit_decision",
    "vee.freeze",
    "vee.case_audit",
    "ops.command_audit",
    "ops.access_audit",
)
"""Tables of which no role that a request reaches may change or delete a row."""

_TABLES = """
select n.nspname || '.' || c.relname as name, c.relispartition, c.relrowsecurity and c.relforcerowsecurity as forced,
       exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'discom_id' and not a.attisdropped) as of_tenants,
       coalesce((select array_agg(p.polname::text || case when p.polpermissive then '' else ' restricts' end)
                 from pg_policy p where p.polrelid = c.oid), '{}') as policies,
       regexp_replace(n.nspname || '.' || c.relname, '_[0-9]{6}$', '') in (select s.name from ops.shared_table s) as shared,
       c.relkind, n.nspname
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and n.nspname = any(%s)
order by 1"""

_VIEWS = """
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'v' and n.nspname = any(%s) and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on'], false)
order by 1"""

_DEFINERS = """
select n.nspname || '.' || p.proname, has_function_privilege('public', p.oid, 'execute'),
       coalesce(p.proconfig, '{}') && array['search_path=pg_catalog, pg_temp']
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.prosecdef and n.nspname = any(%s)
order by 1"""

_ROLES = """
select rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole,
       coalesce((select array_agg(pg_get_userbyid(m.roleid)::text) from pg_auth_members m where m.member = r.oid), '{}'),
       (select count(*) from pg_class c where c.relowner = r.oid)
from pg_roles r where rolname in ('meterhouse_api', 'meterhouse_auth')"""


def faults(conn: psycopg.Connection) -> list[str]:
    """What stands open, in words; empty where nothing does. Needs a role that may read ops.shared_table (meterhouse_owner)."""
    return [*_of_tables(conn), *_of_views(conn), *_of_functions(conn), *_of_roles(conn)]


def _of_tables(conn: psycopg.Connection) -> list[str]:
    found = []
    for name, partition, forced, of_tenants, policies, shared, kind, schema in conn.execute(
        _TABLES, [[*SCHEMAS, *OPEN_SCHEMAS]]
    ).fetchall():
        if kind == "m":
            found.append(
                f"{name} is a materialised view, on which there is no row-level security: make it a table that ops.protect protects"
            )
        elif schema in OPEN_SCHEMAS:
            if of_tenants:
                found.append(f"{name} holds the data of tenants in a schema that is open to all: move it")
        elif not forced:
            found.append(f"{name} has no forced row-level security: select ops.protect('{name}')")
        elif name not in OF_NO_TENANT:
            if "tenant" not in policies:
                found.append(f"{name} has no policy `tenant`: select ops.protect('{name}')")
            if not shared and "within restricts" not in policies:
                found.append(
                    f"{name} has no restrictive policy `within`, and ops.shared_table does not name it: select ops.protect('{name}')"
                )
            if not of_tenants:
                found.append(f"{name} has no discom_id{' (a partition)' if partition else ''}: of which tenant are its rows?")
    return found


def _of_views(conn: psycopg.Connection) -> list[str]:
    return [
        f"view {name} reads with its owner's rights: alter view {name} set (security_invoker = true)"
        for (name,) in conn.execute(_VIEWS, [[*SCHEMAS, *OPEN_SCHEMAS]]).fetchall()
    ]


def _of_functions(conn: psycopg.Connection) -> list[str]:
    found = []
    for name, public, fixed in conn.execute(_DEFINERS, [[*SCHEMAS, *OPEN_SCHEMAS]]).fetchall():
        if not fixed:
            found.append(f"{name} runs with its owner's rights on the caller's search_path: set search_path = pg_catalog, pg_temp")
        if public and name.removeprefix("ops.") not in FOR_EVERYBODY:
            found.append(f"{name} runs with its owner's rights for everybody: revoke execute on function {name} from public")
    return found


def _of_roles(conn: psycopg.Connection) -> list[str]:
    found = []
    for name, super_, bypass, login, makes_roles, holds, owns in conn.execute(_ROLES).fetchall():
        for wrong, said in (
            (super_, "is a superuser"),
            (bypass, "bypasses row-level security"),
            (login, "may log in by itself"),
            (makes_roles, "may make roles"),
            (holds, f"is a member of {holds}"),
            (owns, f"owns {owns} relations"),
        ):
            if wrong:
                found.append(f"role {name} {said}: a request acts as it")
        for table in APPEND_ONLY:
            row = conn.execute(
                "select has_table_privilege(%(role)s, %(t)s, 'delete, truncate') or has_any_column_privilege(%(role)s, %(t)s, 'update')",
                {"role": name, "t": table},
            ).fetchone()
            if row and row[0]:
                found.append(f"role {name} may change or delete rows of {table}: revoke it")
    return found
