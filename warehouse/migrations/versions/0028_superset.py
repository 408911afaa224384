"""superset: log-in roles for dashboards and SQL Lab, each bound to one tenant by its name"""

from __future__ import annotations

import importlib

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

SCHEMAS = ("registry", "raw", "vee", "ops", "reference", "staging", "energy", "network", "billing", "reports")

# Of a session that logged in as meterhouse_superset_<discom_id> the tenant stands in the name that it logged in with, which no SET changes: an analyst
# who writes SQL must not choose the tenant. A policy for these sessions alone costs the others nothing.
LOGIN_TENANT = """
    create function ops.login_tenant() returns smallint language sql stable parallel safe as
    $$ select substring(session_user::text from '^meterhouse_superset_([0-9]+)$')::smallint $$"""
OF_LOG_IN = """
      if not exists (select 1 from pg_policy where polrelid = target and polname = 'of_log_in') then
        execute format('create policy of_log_in on %s as restrictive to meterhouse_superset using (discom_id = (select ops.login_tenant()))', target);
      end if;
    end $$"""

# Superset sets the search path to the dataset's schema, so what a function takes of an extension must say where it lies.
TOTAL = """
    create or replace function ops.total(vals integer[]) returns bigint language sql volatile parallel safe as $$
      select case when 0 = all (vals) and cardinality(vals) > 0 then 0
                  when cardinality(vals) between 1 and 100 and array_position(vals, null) is null and not 0 > any (vals)
                  then ({cube}(vals::double precision[]) {distance} {cube}(0))::bigint
                  else ops.total_one_by_one(vals) end $$"""

# What nobody needs who reads reports: who may log in, with what, and what was asked of the API.
WITHHELD = ("account", "session", "api_key", "access_audit", "role", "role_grant")


def upgrade() -> None:
    op.execute("""
        do $$ begin
          perform pg_advisory_xact_lock(hashtext('meterhouse roles'));
          if not exists (select 1 from pg_roles where rolname = 'meterhouse_superset') then
            create role meterhouse_superset nologin nosuperuser nobypassrls;
          end if;
        end $$""")
    op.execute("grant meterhouse_superset to current_user")
    op.execute(TOTAL.format(cube="public.cube", distance="operator(public.<#>)"))
    op.execute(LOGIN_TENANT)
    op.execute(
        "comment on function ops.login_tenant is 'The tenant of a log-in meterhouse_superset_<discom_id>; NULL = of another: sees nothing'"
    )
    op.execute(protect_before().removesuffix("end $$") + OF_LOG_IN.lstrip())
    # Not by ops.protect: some tables have policies of their own in place of `within`.
    op.execute("""
        do $$ declare t regclass; begin
          for t in select polrelid from pg_policy where polname = 'tenant' loop
            execute format('create policy of_log_in on %s as restrictive to meterhouse_superset using (discom_id = (select ops.login_tenant()))', t);
          end loop;
        end $$""")
    op.execute(f"grant usage on schema {', '.join(SCHEMAS)} to meterhouse_superset")
    # Views run with the rights of who asks, so it reads what the API reads, and writes nothing.
    op.execute(f"""
        do $$ declare t regclass; begin
          for t in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where n.nspname = any('{{{",".join(SCHEMAS)}}}') and c.relkind in ('r', 'p', 'v', 'm')
                   and has_table_privilege('meterhouse_api', c.oid, 'select')
                   and not (n.nspname = 'ops' and c.relname = any('{{{",".join(WITHHELD)}}}')) loop
            execute format('grant select on %s to meterhouse_superset', t);
          end loop;
        end $$""")
    # The audit trail names who made a key. Columns that the API reads too: the hash is not among them.
    op.execute("grant select (discom_id, key_id, role, hes_id, name, created_at, revoked_at) on ops.api_key to meterhouse_superset")
    op.execute("alter default privileges for role meterhouse_dbt grant select on tables to meterhouse_superset")
    op.create_table(
        "embedded_dashboard",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("dashboard", sa.Text(), nullable=False, comment="as boards/ calls it: operations, energy-audit"),
        sa.Column("embedded_id", sa.Uuid(), nullable=False, comment="what Superset calls it where it stands in another page"),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("embedded_dashboard_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "dashboard", name=op.f("embedded_dashboard_pkey")),
        schema="ops",
        comment="Dashboards that may be shown in other pages, written by the sync with Superset",
    )
    op.execute("select ops.protect('ops.embedded_dashboard')")
    op.execute("grant all on ops.embedded_dashboard to meterhouse_owner")
    op.execute("grant select on ops.embedded_dashboard to meterhouse_api")


def downgrade() -> None:
    op.drop_table("embedded_dashboard", schema="ops")
    op.execute("revoke select (discom_id, key_id, role, hes_id, name, created_at, revoked_at) on ops.api_key from meterhouse_superset")
    op.execute("alter default privileges for role meterhouse_dbt revoke select on tables from meterhouse_superset")
    op.execute(f"revoke select on all tables in schema {', '.join(SCHEMAS)} from meterhouse_superset")
    op.execute(f"revoke usage on schema {', '.join(SCHEMAS)} from meterhouse_superset")
    op.execute("""
        do $$ declare t regclass; begin
          for t in select polrelid from pg_policy where polname = 'of_log_in' loop
            execute format('drop policy of_log_in on %s', t);
          end loop;
        end $$""")
    op.execute(TOTAL.format(cube="cube", distance="<#>"))
    op.execute(protect_before())
    op.execute("drop function ops.login_tenant()")


def protect_before() -> str:
    """ops.protect as migration 0020 has it."""
    return str(importlib.import_module("warehouse.migrations.versions.0020_identity_and_scope").PROTECT)
