"""what the rules on intervals and registers need: tariffs, digits of a register, and arithmetic on two channels of a day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("service_point", sa.Column("tariff", sa.Text(), nullable=True), schema="registry")
    op.add_column(
        "meter",
        sa.Column("register_digits", sa.SmallInteger(), nullable=True, comment="of the kWh register before the point; NULL = never rolls"),
        schema="registry",
    )
    op.create_check_constraint(op.f("meter_register_digits_check"), "meter", "register_digits between 4 and 12", schema="registry")
    # Volatile as ops.sorted is: evaluated once a row wherever it is used.
    op.execute("""
        create function ops.advance(opening bigint, closing bigint, modulus bigint, most bigint) returns bigint language sql volatile parallel safe as $$
          select case when closing >= opening then closing - opening
                      when opening > 0.9::double precision * modulus and closing - opening + modulus <= most then closing - opening + modulus
                      else closing - opening end $$""")
    op.execute(
        "comment on function ops.advance is 'What a register gained. One that fell has rolled over where it stood above 90 % of `modulus` and no "
        "more than `most` came after that (V12); else the advance is negative'"
    )
    op.execute("""
        create function ops.sum_diff_pct(total bigint, advance bigint, step bigint) returns double precision language sql volatile parallel safe as $$
          select (abs(total - advance) - least(abs(total - advance), step))::double precision / greatest(abs(advance), 1) * 100 $$""")
    op.execute(
        "comment on function ops.sum_diff_pct is 'What one register step does not explain of total - advance, % of the advance; NULL where "
        "either is NULL (V19, V21)'"
    )
    # Loops, and so slow: rules call them for the few days that a comparison in C did not clear.
    op.execute("""
        create function ops.longest_run(vals integer[]) returns integer language plpgsql immutable strict parallel safe as $$
        declare
          longest integer := 0;
          run integer := 0;
          last integer := 0;
          val integer;
        begin
          foreach val in array vals loop
            run := case when val = 0 or val is null then 0 when val = last then run + 1 else 1 end;
            longest := greatest(longest, run);
            last := val;
          end loop;
          return longest;
        end $$""")
    op.execute("comment on function ops.longest_run is 'Most consecutive slots with one value that is not 0'")
    op.execute("""
        create function ops.greatest_step(vals integer[], floor_wh integer) returns double precision
        language plpgsql immutable strict parallel safe as $$
        declare
          most double precision := 0;
        begin
          for i in 2 .. cardinality(vals) loop
            if abs(vals[i] - vals[i - 1]) >= floor_wh then
              most := greatest(most, abs(vals[i] - vals[i - 1])::double precision / greatest(vals[i - 1], 1));
            end if;
          end loop;
          return most * 100;
        end $$""")
    op.execute(
        "comment on function ops.greatest_step is 'Most that a slot differs from the one before, % of that; steps below the floor do not count'"
    )
    op.execute("""
        create function ops.both_above(a integer[], b integer[], floor_wh integer) returns integer
        language plpgsql immutable strict parallel safe as $$
        declare
          n integer := 0;
        begin
          for i in 1 .. cardinality(a) loop
            if a[i] > floor_wh and b[i] > floor_wh then n := n + 1; end if;
          end loop;
          return n;
        end $$""")
    op.execute("comment on function ops.both_above is 'Slots in which both are above the floor'")
    op.execute("""
        create function ops.dead_slots(voltage_dv integer[], import_wh integer[], export_wh integer[]) returns integer
        language plpgsql immutable parallel safe as $$
        declare
          n integer := 0;
        begin
          for i in 1 .. coalesce(cardinality(voltage_dv), 0) loop
            if voltage_dv[i] = 0 and (import_wh[i] > 0 or export_wh[i] > 0) then n := n + 1; end if;
          end loop;
          return n;
        end $$""")
    op.execute("comment on function ops.dead_slots is 'Slots of 0 V in which energy flows'")
    op.execute("""
        create function ops.apparent(import_wh integer[], lagging_varh integer[], leading_varh integer[]) returns double precision
        language plpgsql immutable parallel safe as $$
        declare
          total double precision := 0;
        begin
          for i in 1 .. coalesce(cardinality(import_wh), 0) loop
            total := total + coalesce(sqrt(import_wh[i]::double precision ^ 2 + (lagging_varh[i] + coalesce(leading_varh[i], 0))::double precision ^ 2), 0);
          end loop;
          return total;
        end $$""")
    op.execute("comment on function ops.apparent is 'Apparent energy of the slots that have kWh and kvarh, VAh'")


def downgrade() -> None:
    functions = ("sum_diff_pct", "advance", "apparent", "dead_slots", "both_above", "greatest_step", "longest_run")
    op.execute(f"drop function {', '.join(f'ops.{name}' for name in functions)}")
    op.drop_constraint(op.f("meter_register_digits_check"), "meter", schema="registry")
    op.drop_column("meter", "register_digits", schema="registry")
    op.drop_column("service_point", "tariff", schema="registry")
