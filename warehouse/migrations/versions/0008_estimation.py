"""estimated days become a table of ours, with their basis; what estimation asks for: check meters, temperatures, class profiles"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _adopt_estimated_day()
    op.create_table(
        "check_meter",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("check_meter_id", sa.Integer(), nullable=False),
        sa.Column(
            "ratio",
            sa.Numeric(precision=12, scale=6),
            server_default="1",
            nullable=False,
            comment="Wh of meter_id per Wh of check_meter_id",
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("discom_id"), "="),
            (sa.column("meter_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="check_meter_no_overlap",
        ),
        sa.CheckConstraint("ratio > 0", name=op.f("check_meter_ratio_check")),
        sa.CheckConstraint("meter_id <> check_meter_id", name=op.f("check_meter_other_check")),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("check_meter_period_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "meter_id"],
            ["registry.meter.discom_id", "registry.meter.meter_id"],
            name=op.f("check_meter_discom_id_meter_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "check_meter_id"],
            ["registry.meter.discom_id", "registry.meter.meter_id"],
            name=op.f("check_meter_discom_id_check_meter_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("check_meter_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "meter_id", "valid_from", name=op.f("check_meter_pkey")),
        schema="registry",
        comment="Which meter checks which (EM2)",
    )
    op.create_table(
        "temperature",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False, comment="code of the office that it is for, and for all offices below"),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("milli_c", sa.Integer(), nullable=False),
        sa.CheckConstraint("milli_c between -60000 and 65000", name=op.f("temperature_range_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("temperature_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "station", "at", name=op.f("temperature_pkey")),
        schema="registry",
        comment="Air temperature, thousandths of a degree Celsius (EM5)",
    )
    op.create_table(
        "class_profile",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("interval_min", sa.SmallInteger(), nullable=False),
        sa.Column("day_type", sa.SmallInteger(), nullable=False, comment="0 weekday, 6 Saturday, 7 Sunday or holiday"),
        sa.Column("share", postgresql.ARRAY(sa.REAL()), nullable=False, comment="of each slot in the day's energy; sums to 1"),
        sa.Column(
            "wh_per_kw", sa.Double(), nullable=True, comment="mean energy of a day per kW of sanctioned load; NULL = no load is known"
        ),
        sa.Column("meter_days", sa.Integer(), nullable=False, comment="good days that it was learnt from"),
        sa.Column("learnt_to", sa.Date(), nullable=False, comment="last of them"),
        sa.CheckConstraint("day_type in (0, 6, 7)", name=op.f("class_profile_day_type_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("class_profile_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "category", "interval_min", "day_type", name=op.f("class_profile_pkey")),
        schema="vee",
        comment="How the import of a category lies in the day, learnt from the DISCOM's own good days (EM7)",
    )
    for table in ("vee.estimated_day", "registry.check_meter", "registry.temperature", "vee.class_profile"):
        op.execute(f"select ops.protect('{table}')")
        op.execute(f"grant all on {table} to meterhouse_owner")
        op.execute(f"grant select on {table} to meterhouse_dbt, meterhouse_api")
    for table in ("registry.check_meter", "registry.temperature"):
        op.execute(f"grant select on {table} to meterhouse_loader")
    op.execute("grant insert, update on registry.temperature to meterhouse_loader")
    op.execute("grant insert, delete on vee.estimated_day, vee.class_profile to meterhouse_dbt")


def _adopt_estimated_day() -> None:
    """A warehouse that was built before has the table, made by dbt: its rows stay, and so do the views on it."""
    op.execute("""
        do $$ declare t regclass; begin
          if to_regclass('vee.estimated_day') is null then
            return;
          end if;
          for t in select 'vee.estimated_day'::regclass union all select inhrelid from pg_inherits where inhparent = 'vee.estimated_day'::regclass loop
            execute format('alter table %s owner to current_user', t);
          end loop;
          alter table vee.estimated_day add column basis jsonb, add column unscaled boolean not null default false;
        end $$""")
    if sa.inspect(op.get_bind()).has_table("estimated_day", schema="vee"):
        for column in ("import_wh", "quality", "method", "estimated_slots", "missing_slots", "estimated_wh"):
            op.alter_column("estimated_day", column, nullable=False, schema="vee")
    else:
        op.create_table(
            "estimated_day",
            sa.Column("discom_id", sa.SmallInteger(), nullable=False),
            sa.Column("day", sa.Date(), nullable=False),
            sa.Column("meter_id", sa.Integer(), nullable=False),
            sa.Column("import_wh", postgresql.ARRAY(sa.Integer()), nullable=False),
            sa.Column("export_wh", postgresql.ARRAY(sa.Integer()), nullable=True),
            sa.Column("import_vah", postgresql.ARRAY(sa.Integer()), nullable=True),
            sa.Column("quality", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
            sa.Column("method", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
            sa.Column("import_day_wh", sa.BigInteger(), nullable=True),
            sa.Column("export_day_wh", sa.BigInteger(), nullable=True),
            sa.Column("import_day_vah", sa.BigInteger(), nullable=True),
            sa.Column("estimated_slots", sa.Integer(), nullable=False),
            sa.Column("missing_slots", sa.Integer(), nullable=False),
            sa.Column("estimated_wh", sa.BigInteger(), nullable=False),
            sa.Column("basis", postgresql.JSONB(), nullable=True),
            sa.Column("unscaled", sa.Boolean(), server_default=sa.false(), nullable=False),
            sa.PrimaryKeyConstraint("discom_id", "day", "meter_id", name=op.f("estimated_day_pkey")),
            schema="vee",
            postgresql_partition_by="RANGE (day)",
        )
    op.create_index(
        op.f("estimated_day_discom_id_day_meter_id_idx"),
        "estimated_day",
        ["discom_id", "day", "meter_id"],
        schema="vee",
        postgresql_where=sa.text("unscaled"),
    )


def downgrade() -> None:
    for table in ("vee.class_profile", "registry.temperature", "registry.check_meter"):
        op.execute(f"drop table {table}")
    # dbt makes its own again, from landed days; until then its views have no estimates to read.
    op.execute("drop table vee.estimated_day cascade")
    op.execute("update ops.day_build set built_at = null")
