"""functions that reckon with the array of a day, and that let a build use every core"""

from __future__ import annotations

from alembic import op

from warehouse.migrations import ground

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create extension if not exists cube")
    # Volatile although it is not: the planner copies an expression of a subquery to wherever it is used, unless it is volatile.
    op.execute("""
        create function ops.sorted(vals integer[]) returns integer[] language sql volatile parallel safe as
        $$ select sort_asc(case when array_position(vals, null) is null then vals else array_remove(vals, null) end) $$""")
    op.execute("comment on function ops.sorted is 'The values in rising order, without NULLs; evaluated once a row wherever it is used'")
    op.execute("""
        create function ops.total_one_by_one(vals integer[]) returns bigint language plpgsql immutable strict parallel safe as $$
        declare
          total bigint;
          val integer;
        begin
          foreach val in array vals loop
            total := coalesce(total, 0) + coalesce(val, case when total is not null then 0 end);
          end loop;
          return total;
        end $$""")
    # Volatile for the same reason. The taxicab distance of contrib/cube from the origin is a sum in C, six times faster than unnest and sum(); in double precision
    # it is exact up to 2^53. A cube has at most 100 dimensions.
    op.execute("""
        create function ops.total(vals integer[]) returns bigint language sql volatile parallel safe as $$
          select case when 0 = all (vals) and cardinality(vals) > 0 then 0
                      when cardinality(vals) between 1 and 100 and array_position(vals, null) is null and not 0 > any (vals)
                      then (cube(vals::double precision[]) <#> cube(0))::bigint
                      else ops.total_one_by_one(vals) end $$""")
    op.execute("comment on function ops.total is 'Sum of the values, NULL where there is none; exact'")
    op.execute("""
        create function ops.patched(vals anycompatiblearray, at integer[], new_vals anycompatiblearray) returns anycompatiblearray
        language plpgsql immutable parallel safe as $$
        begin
          for i in 1 .. coalesce(cardinality(at), 0) loop
            vals[at[i]] := new_vals[i];
          end loop;
          return vals;
        end $$""")
    op.execute("comment on function ops.patched is 'vals with new_vals[i] in place at[i]'")
    # ops.slots divided this by an interval. Volatile for the same reason: a subquery of days is reckoned once, not for every row of a day.
    op.execute("drop function ops.slots")
    op.execute("""
        create function ops.minutes(day date, timezone text) returns integer language sql volatile parallel safe as $$
          select (extract(epoch from (day + 1)::timestamp at time zone timezone - day::timestamp at time zone timezone) / 60)::integer $$""")
    op.execute("comment on function ops.minutes is 'Minutes in a business day: 1440 in India, 1380 or 1500 where clocks change'")
    # INSERT … SELECT never runs parallel, RETURN QUERY does. The rows of a million meters need not go
    # through a file on their way, but what the query hashes may not grow with that.
    op.execute("""
        create function ops.rows_of(shape anyelement, query text) returns setof anyelement language plpgsql
        set work_mem = '128MB' set hash_mem_multiplier = '1' as
        $$ begin return query execute query; end $$""")
    op.execute("comment on function ops.rows_of is 'The rows of a query, which may use parallel workers also where an INSERT takes them'")
    op.execute("revoke execute on function ops.rows_of from public")
    op.execute("grant execute on function ops.rows_of to meterhouse_dbt")
    # For vee.edited_day: subqueries over arrays would keep every plan that reads vee.day_total to one core.
    op.execute("""
        create function ops.edited_quality(edited integer[], estimated integer[], estimated_quality smallint[],
                                           measured integer[], measured_quality smallint[], day_quality smallint)
        returns smallint[] language plpgsql immutable parallel safe as $$
        declare
          quality smallint[] := array_fill(9::smallint, array[cardinality(measured)]);
        begin
          for i in 1 .. cardinality(measured) loop
            quality[i] := case when (coalesce(edited, measured))[i] is null then 9
                               when edited is not null and edited[i] is distinct from (coalesce(estimated, measured))[i] then 2
                               else coalesce(estimated_quality[i], greatest(measured_quality[i], day_quality)) end;
          end loop;
          return quality;
        end $$""")
    op.execute(
        "comment on function ops.edited_quality is 'Quality per slot of an edited day: 2 where a value was edited, 9 where there is none'"
    )
    op.execute("""
        create function ops.of_quality(vals integer[], quality smallint[], wanted integer) returns integer[]
        language plpgsql immutable parallel safe as $$
        begin
          for i in 1 .. coalesce(cardinality(vals), 0) loop
            if quality[i] is distinct from wanted then vals[i] := null; end if;
          end loop;
          return vals;
        end $$""")
    op.execute("comment on function ops.of_quality is 'vals, NULL where the slot has another quality than the one wanted'")
    # How many rows a day has can be told without a sample of 30,000 pages. Joins go by the statistics of the whole table, which nobody
    # but us gathers: autovacuum leaves partitioned tables alone.
    op.execute("""
        create function ops.analyze_key(of_table regclass, of_partition regclass, key text) returns void language plpgsql as $$
        begin
          perform set_config('default_statistics_target', '10', true);
          execute format('analyze %s (%s)', of_partition, key);
          execute format('analyze %s %s (%s)', case when current_setting('server_version_num')::integer >= 180000 then 'only' end, of_table, key);
        end $$""")
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
            perform ops.analyze_key(parent, child, 'discom_id, day, meter_id');
          end loop;
        end $$""")
    op.execute(
        "comment on function ops.analyze_key is 'Statistics of the key of a partition that was written, and of the table that it belongs to'"
    )
    # Days that were built before do not know in which fragment they lie: every one is stale.
    op.execute("update ops.day_build set built_at = null")


def downgrade() -> None:
    ground.create_analyze_days()
    functions = ("analyze_key", "of_quality", "edited_quality", "rows_of", "minutes", "patched", "total", "total_one_by_one", "sorted")
    op.execute(f"drop function {', '.join(f'ops.{name}' for name in functions)}")
    op.execute("drop extension cube")
    ground.create_slots()
