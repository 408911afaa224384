"""scope: many rows at once, a meter's days end with its installation, limited callers can write, and for nobody else"""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# Of one row a function asks the registry, which takes 40 µs. A request that reads many says so (ops.reads_many) and asks for the whole set
# once. Neither costs who sees all of the tenant anything, nor a parallel plan: a plain subquery would, by the policies of what it reads.
ROWS_WITHIN = """
    create or replace function ops.rows_within(target regclass) returns text language plpgsql stable set search_path = pg_catalog, pg_temp as $$
    declare
      has name[] := array(select attname from pg_attribute where attrelid = target and attnum > 0 and not attisdropped);
      terms text[] := array['(select ops.whole_tenant())'];
      one_or_many text := 'case when (select ops.reads_many()) then %1$s_id in (select ops.%1$ss_within()) else ops.sees_%1$s(discom_id, %1$s_id) end';
    begin
      if 'office_id' = any(has) then
        terms := terms || 'office_id = any(coalesce((select ops.offices()), ''{}''))'::text;
      end if;
      if 'service_point_id' = any(has) and not 'office_id' = any(has) then
        terms := terms || format(one_or_many, 'service_point');
      elsif 'service_point_id' = any(has) then
        terms := terms || 'service_point_id = any(coalesce((select ops.service_points()), ''{}''))'::text;
      end if;
      if array['meter_id', 'day']::name[] <@ has and not 'service_point_id' = any(has) then
        -- Before and after its installation the meter hung with somebody else.
        terms := terms || 'case when (select ops.reads_many())
                           then meter_id in (select ops.meters_within())
                                and (meter_id not in (select ops.moved_meters_within()) or ops.sees_meter_on(discom_id, meter_id, day))
                           else ops.sees_meter_on(discom_id, meter_id, day) end'::text;
      elsif 'meter_id' = any(has) and not 'service_point_id' = any(has) then
        terms := terms || format(one_or_many, 'meter');
      end if;
      if 'dt_id' = any(has) and not 'office_id' = any(has) then
        terms := terms || 'ops.sees_dt(discom_id, dt_id)'::text;
      end if;
      if 'feeder_id' = any(has) and not 'office_id' = any(has) then
        terms := terms || (case when 'dt_id' = any(has) then 'dt_id is null and ' else '' end || 'ops.sees_feeder(discom_id, feeder_id)');
      end if;
      if 'consumer_id' = any(has) and not 'service_point_id' = any(has) then
        terms := terms || format(one_or_many, 'consumer');
      end if;
      -- Load curves: the office of a category stands where the DT or feeder of the others does.
      if array['kind', 'head_id']::name[] <@ has then
        terms := terms || 'case kind when ''category'' then head_id = any(coalesce((select ops.offices()), ''{}'')) when ''dt'' then ops.sees_dt(discom_id, head_id)
                           else ops.sees_feeder(discom_id, head_id) end'::text;
      end if;
      return array_to_string(array(select '(' || t || ')' from unnest(terms) t), ' or ');
    end $$"""

ONE = "returns boolean language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as"
MANY = "returns setof integer language sql stable parallel safe rows 10000 security definer set search_path = pg_catalog, pg_temp as"

_SEEN = "(s.office_id = any(ops.offices()) or s.service_point_id = any(ops.service_points()))"
_PLACES = """registry.installation i
          left join registry.service_point s on s.discom_id = i.discom_id and s.service_point_id = i.service_point_id
          left join registry.dt t on t.discom_id = i.discom_id and t.dt_id = i.dt_id
          left join registry.feeder f on f.discom_id = i.discom_id and f.feeder_id = i.feeder_id"""
_PLACED = "(coalesce(s.office_id, t.office_id, f.office_id) = any(ops.offices()) or i.service_point_id = any(ops.service_points()))"

# All of them of ops.tenant() alone, whatever they are asked for: policies run with the rights of whoever reads, so that everybody may ask.
FUNCTIONS = {
    "sees_service_point(discom smallint, point integer)": f"""{ONE} $$
        select discom = ops.tenant() and exists (
          select 1 from registry.service_point s where s.discom_id = discom and s.service_point_id = point and {_SEEN})$$""",
    "sees_dt(discom smallint, dt integer)": f"""{ONE} $$
        select discom = ops.tenant() and exists (
          select 1 from registry.dt t where t.discom_id = discom and t.dt_id = dt and t.office_id = any(ops.offices()))$$""",
    "sees_feeder(discom smallint, feeder integer)": f"""{ONE} $$
        select discom = ops.tenant() and exists (
          select 1 from registry.feeder f where f.discom_id = discom and f.feeder_id = feeder and f.office_id = any(ops.offices()))$$""",
    "sees_consumer(discom smallint, consumer integer)": f"""{ONE} $$
        select discom = ops.tenant() and exists (
          select 1 from registry.consumer c join registry.service_point s on s.discom_id = c.discom_id and s.service_point_id = c.service_point_id
          where c.discom_id = discom and c.consumer_id = consumer and {_SEEN})$$""",
    "sees_meter(discom smallint, meter integer)": f"""{ONE} $$
        select discom = ops.tenant() and exists (select 1 from {_PLACES} where i.discom_id = discom and i.meter_id = meter and {_PLACED})$$""",
    "sees_meter_on(discom smallint, meter integer, on_day date)": f"""{ONE} $$
        select discom = ops.tenant() and exists (
          select 1 from {_PLACES}
          where i.discom_id = discom and i.meter_id = meter and i.valid_from <= on_day and (i.valid_to is null or on_day < i.valid_to) and {_PLACED})$$""",
    "service_points_within()": f"""{MANY} $$
        select s.service_point_id from registry.service_point s where s.discom_id = ops.tenant() and {_SEEN}$$""",
    "consumers_within()": f"""{MANY} $$
        select c.consumer_id
        from registry.consumer c join registry.service_point s on s.discom_id = c.discom_id and s.service_point_id = c.service_point_id
        where c.discom_id = ops.tenant() and {_SEEN}$$""",
    "meters_within()": f"""{MANY} $$
        select i.meter_id from {_PLACES} where i.discom_id = ops.tenant() and {_PLACED}$$""",
    "moved_meters_within()": f"""{MANY} $$
        select i.meter_id from {_PLACES}
        where i.discom_id = ops.tenant() and {_PLACED}
          and (i.valid_to is not null
               or exists (select 1 from registry.installation o where o.discom_id = i.discom_id and o.meter_id = i.meter_id and o.valid_to is not null))$$""",
}

SEES_COMMENT = "Whether it lies in ops.offices() or ops.service_points()"

COMMENTS = {
    "reads_many": "Whether this transaction reads many rows (SET LOCAL app.reads_many): what a limited caller sees is looked up at once then",
    "sees_meter_on": "Whether the meter hung within ops.offices() or ops.service_points() on that day",
    "service_points_within": "service_point_id of those within ops.offices() or ops.service_points()",
    "consumers_within": "consumer_id of those within ops.offices() or ops.service_points()",
    "meters_within": "meter_id of those that hang or hung within ops.offices() or ops.service_points()",
    "moved_meters_within": "Of ops.meters_within() those that hung elsewhere before or after, or nowhere",
}

WHOLE = "(select ops.whole_tenant())"

# What a command's refusal, a group or a work order is of stands in no column that every such table has.
OF_ITS_THING = {
    "ops.work_order_request": f"""{WHOLE} or ops.sees_meter(discom_id, meter_id) or exists (
        select 1 from vee.case c where c.discom_id = work_order_request.discom_id and c.case_id = work_order_request.case_id)""",
}

COMMAND_AUDIT = f"""{WHOLE} or exists (
    select 1 from ops.command c where c.discom_id = command_audit.discom_id and c.command_id = command_audit.command_id)"""

# Everybody sees them, and who is limited writes none for others.
WRITTEN = {
    "vee.freeze": WHOLE,
    "ops.role": WHOLE,
    "ops.role_grant": f"{WHOLE} or office_id = any(coalesce((select ops.offices()), '{{}}')) or ops.sees_service_point(discom_id, service_point_id)",
}

# Their policies are not made from their columns and stay as they are.
OWN = ("ops.report_export", "ops.report_config", "ops.report_config_version", "ops.idempotency")

TRIGGERS = ("vee.chain()", "vee.check_edit()", "vee.check_edit_decision()", "vee.check_freeze()")


def upgrade() -> None:
    _drop_policies("within")
    for signature in _before().SEES:
        op.execute(f"drop function ops.{signature}")
    op.execute("""
        create function ops.reads_many() returns boolean language sql stable parallel safe as
        $$ select coalesce(nullif(current_setting('app.reads_many', true), '')::boolean, false) $$""")
    for signature, rest in FUNCTIONS.items():
        op.execute(f"create function ops.{signature} {rest}")
        name = signature.split("(")[0]
        op.execute(f"comment on function ops.{name} is '{COMMENTS.get(name, SEES_COMMENT)}'")
    op.execute(ROWS_WITHIN)
    for table, condition in OF_ITS_THING.items():
        op.execute(f"create policy within on {table} as restrictive using ({condition})")
    for table in ("vee.case_audit", "vee.edit_decision"):
        op.execute(f"create policy within on {table} as restrictive using ({WHOLE} or {_before().OF_ITS_THING[table]})")
    # A command and the first line of its trail are written by one statement, in which neither sees the other.
    op.execute(f"create policy within on ops.command_audit as restrictive for select using ({COMMAND_AUDIT})")
    for table, condition in WRITTEN.items():
        op.execute(f"create policy written_within on {table} as restrictive for insert with check ({condition})")
        op.execute(f"create policy changed_within on {table} as restrictive for update using ({condition})")
    _protect_all()
    # Triggers run without it, and nobody else has reason to.
    for function in TRIGGERS:
        op.execute(f"revoke execute on function {function} from public")
    op.execute("alter view ops.table_partition set (security_invoker = true)")


def downgrade() -> None:
    before = _before()
    op.execute("alter view ops.table_partition reset (security_invoker)")
    for function in TRIGGERS:
        op.execute(f"grant execute on function {function} to public")
    for table in WRITTEN:
        op.execute(f"drop policy written_within on {table}")
        op.execute(f"drop policy changed_within on {table}")
    _drop_policies("within")
    for signature in (*FUNCTIONS, "reads_many()"):
        op.execute(f"drop function ops.{signature}")
    for signature, body in before.SEES.items():
        op.execute(f"create function ops.{signature} {before.DEFINER} $${body}$$")
        op.execute(f"comment on function ops.{signature.split('(')[0]} is '{SEES_COMMENT}'")
    op.execute(before.ROWS_WITHIN.replace("create function", "create or replace function"))
    for table, condition in before.OF_ITS_THING.items():
        op.execute(f"create policy within on {table} as restrictive using ({WHOLE} or {condition})")
    _protect_all()


def _before():  # type: ignore[no-untyped-def]
    return import_module("warehouse.migrations.versions.0020_identity_and_scope")


def _drop_policies(name: str) -> None:
    op.execute(f"""
        do $$ declare t regclass; begin
          for t in select polrelid from pg_policy where polname = '{name}' and polrelid <> all ('{{{",".join(OWN)}}}'::regclass[]) loop
            execute format('drop policy {name} on %s', t);
          end loop;
        end $$""")


def _protect_all() -> None:
    op.execute("""
        do $$ declare t regclass; begin
          for t in select polrelid from pg_policy where polname = 'tenant' and polrelid <> 'ops.access_audit'::regclass loop
            perform ops.protect(t);
          end loop;
        end $$""")
