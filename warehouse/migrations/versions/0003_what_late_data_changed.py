"""which meters a batch touched, so that late data costs what it changed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from warehouse.tables import Xid8

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("changed_meter", "registry_change")


def upgrade() -> None:
    op.add_column(
        "touched_day",
        sa.Column("meters", postgresql.ARRAY(sa.Integer()), comment="meter_id of what came, rising; NULL = not known, any"),
        schema="raw",
    )
    op.add_column("day_build", sa.Column("built_with", sa.Text(), comment="fingerprint of the models and rules"), schema="ops")
    op.add_column(
        "day_build",
        sa.Column(
            "changed_only", sa.Boolean(), nullable=False, server_default=sa.false(), comment="only for the meters of ops.changed_meter"
        ),
        schema="ops",
    )
    op.create_table(
        "changed_meter",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("changed_meter_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "day", "meter_id", name=op.f("changed_meter_pkey")),
        schema="ops",
        comment="What a build that is under way makes anew, where it is for changed meters only",
    )
    op.create_table(
        "registry_change",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("written_by", Xid8(), nullable=False, server_default=sa.text("pg_current_xact_id()")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("registry_change_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", name=op.f("registry_change_pkey")),
        schema="ops",
        comment="The latest import that changed master data",
    )
    for table in TABLES:
        op.execute(f"select ops.protect('ops.{table}')")
        op.execute(f"grant all on ops.{table} to meterhouse_owner")
    op.execute("grant select, insert, delete on ops.changed_meter to meterhouse_dbt")
    op.execute("grant select on ops.registry_change to meterhouse_dbt")
    op.execute("""
        create function ops.analyze_changed_meters() returns void language sql security definer set search_path = pg_catalog, pg_temp as
        $$ analyze ops.changed_meter $$""")
    op.execute("comment on function ops.analyze_changed_meters is 'How many meters a build is for: the planner must know'")
    op.execute("revoke execute on function ops.analyze_changed_meters from public")
    op.execute("grant execute on function ops.analyze_changed_meters to meterhouse_dbt")


def downgrade() -> None:
    op.execute("drop function ops.analyze_changed_meters()")
    for table in TABLES:
        op.drop_table(table, schema="ops")
    op.drop_column("day_build", "changed_only", schema="ops")
    op.drop_column("day_build", "built_with", schema="ops")
    op.drop_column("touched_day", "meters", schema="raw")
