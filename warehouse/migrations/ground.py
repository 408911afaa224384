"""What lies under the tables of the first migration: roles, schemas, grants, and the two functions that make tables tenant-safe and partitioned."""

from __future__ import annotations

from alembic import op

SCHEMAS = ("registry", "raw", "vee", "ops")
DBT_SCHEMAS = ("reference", "staging", "energy", "billing", "reports")
ROLES = {
    "meterhouse_owner": "bypassrls",
    "meterhouse_loader": "bypassrls",
    "meterhouse_dbt": "bypassrls",
    "meterhouse_api": "nobypassrls",
}


def create_roles_and_schemas() -> None:
    for role, rls in ROLES.items():
        # Roles belong to the cluster, not to the database: another warehouse may have made them, even at this moment.
        op.execute(f"""
            do $$ begin
              perform pg_advisory_xact_lock(hashtext('meterhouse roles'));
              if not exists (select 1 from pg_roles where rolname = '{role}') then
                create role {role} nologin nosuperuser {rls};
              end if;
            end $$""")
        op.execute(f"grant {role} to current_user")
    op.execute("create extension if not exists btree_gist")
    op.execute("create extension if not exists intarray")
    for schema in SCHEMAS:
        op.execute(f"create schema if not exists {schema}")
    for schema in DBT_SCHEMAS:
        op.execute(f"create schema {schema} authorization meterhouse_dbt")


def create_functions() -> None:
    op.execute("""
        create function ops.tenant() returns smallint language sql stable parallel safe as
        $$ select nullif(current_setting('app.discom_id', true), '')::smallint $$""")
    op.execute("comment on function ops.tenant is 'The tenant of this transaction (SET LOCAL app.discom_id), NULL = none: sees nothing'")
    op.execute("""
        create function ops.protect(target regclass) returns void language plpgsql as $$
        begin
          execute format('alter table %s enable row level security', target);
          execute format('alter table %s force row level security', target);
          if not exists (select 1 from pg_policy where polrelid = target and polname = 'tenant') then
            execute format('create policy tenant on %s using (discom_id = ops.tenant()) with check (discom_id = ops.tenant())', target);
          end if;
        end $$""")
    op.execute("comment on function ops.protect is 'Row-level security for a table of tenant data: enabled, forced, one policy'")
    op.execute("""
        create function ops.ensure_month(parent regclass, first date, last date) returns void
        language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
        declare
          month date;
          parent_schema name;
          parent_name name;
          child text;
        begin
          select n.nspname, c.relname into parent_schema, parent_name
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.oid = parent and c.relkind = 'p';
          if parent_name is null or parent_schema not in ('raw', 'vee') then
            raise exception '% is not a partitioned table of raw or vee', parent;
          end if;
          for month in select generate_series(date_trunc('month', first), date_trunc('month', last), interval '1 month')::date loop
            child := format('%I.%I', parent_schema, parent_name || to_char(month, '_YYYYMM'));
            continue when to_regclass(child) is not null;
            perform pg_advisory_xact_lock(hashtext(child));
            -- Not to_regclass: its cache may not know yet what the session that held the lock has made.
            continue when exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
                                  where n.nspname = parent_schema and c.relname = parent_name || to_char(month, '_YYYYMM'));
            execute format('create table %s partition of %s for values from (%L) to (%L)',
                           child, parent, month, (month + interval '1 month')::date);
            perform ops.protect(child::regclass);
          end loop;
        end $$""")
    op.execute("comment on function ops.ensure_month is 'Makes the monthly partitions of a table of raw or vee that cover first..last'")
    create_analyze_days()
    op.execute("revoke execute on function ops.ensure_month, ops.analyze_days from public")
    create_slots()


def create_analyze_days() -> None:
    op.execute("""
        create or replace function ops.analyze_days(parent regclass, first date, last date) returns void
        language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
        declare
          month date;
          child regclass;
        begin
          for month in select generate_series(date_trunc('month', first), date_trunc('month', last), interval '1 month')::date loop
            select i.inhrelid into child from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = parent and c.relname like '%' || to_char(month, '_YYYYMM');
            continue when child is null;
            execute format('analyze %s (discom_id, day, meter_id)', child);
          end loop;
        end $$""")
    op.execute(
        "comment on function ops.analyze_days is 'Statistics of the key columns of freshly written days: the planner must not wait for autovacuum'"
    )


def create_slots() -> None:
    op.execute("""
        create function ops.slots(day date, timezone text, interval_min integer) returns integer
        language sql stable parallel safe as
        $$ select (extract(epoch from ((day + 1)::timestamp at time zone timezone - day::timestamp at time zone timezone)) / 60)::integer / interval_min $$""")
    op.execute("comment on function ops.slots is 'Intervals in a business day: 48 for 30 minutes in India, 46 or 50 where clocks change'")


def grant() -> None:
    everyone = "meterhouse_owner, meterhouse_loader, meterhouse_dbt, meterhouse_api"
    for schema in SCHEMAS:
        op.execute(f"grant usage on schema {schema} to {everyone}")
        op.execute(f"grant all on all tables in schema {schema} to meterhouse_owner")
        op.execute(f"grant usage on all sequences in schema {schema} to meterhouse_owner, meterhouse_loader")
    for schema in DBT_SCHEMAS:
        op.execute(f"grant usage on schema {schema} to {everyone}")
    op.execute(f"grant select on all tables in schema registry to {everyone}")
    op.execute("grant select, insert on all tables in schema raw to meterhouse_loader")
    op.execute("grant select on all tables in schema raw to meterhouse_dbt, meterhouse_api")
    op.execute("grant select, insert, update on ops.pull_cursor to meterhouse_loader")
    op.execute("grant execute on function ops.ensure_month, ops.analyze_days to meterhouse_owner, meterhouse_loader, meterhouse_dbt")
    op.execute("grant create on schema vee to meterhouse_dbt")
    op.execute("grant select, insert, update on vee.exception to meterhouse_dbt")
    op.execute("grant select on vee.edit to meterhouse_dbt")
    op.execute("grant select, insert, update on ops.day_build to meterhouse_dbt")
    op.execute("grant select on vee.exception, vee.edit to meterhouse_api")
    op.execute("alter default privileges for role meterhouse_dbt grant select on tables to meterhouse_api, meterhouse_owner")


def drop_everything() -> None:
    """Schemas with all that they hold. The roles stay: they belong to the cluster."""
    op.execute("alter default privileges for role meterhouse_dbt revoke select on tables from meterhouse_api, meterhouse_owner")
    for schema in (*DBT_SCHEMAS, *SCHEMAS):
        op.execute(f"drop schema if exists {schema} cascade")
