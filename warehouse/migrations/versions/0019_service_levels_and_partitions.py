"""service levels: what a DISCOM agreed; which partitions there are; who holds API keys may be reported"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# The secret's hash stays with the owner.
KEY_COLUMNS = "discom_id, key_id, purpose, hes_id, name, created_at, revoked_at"


def upgrade() -> None:
    op.create_table(
        "sla_target",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("sla", sa.Text(), nullable=False, comment="SLA-01 to SLA-13 (domain 3.3)"),
        sa.Column("target_no", sa.SmallInteger(), nullable=False, comment="of a service level that has several, from 1"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("within_min", sa.Integer(), nullable=True, comment="NULL = no time is measured"),
        sa.Column("target_pct", sa.Numeric(precision=6, scale=3), nullable=False),
        sa.Column(
            "bands",
            postgresql.JSONB(),
            nullable=False,
            comment="[{below_pct, penalty_pct}]: share of the month's fee where less was achieved",
        ),
        sa.Column("exclude_network_outage", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False, comment="the figures were compared with the contract"),
        sa.Column("noted_at", sa.TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("within_min > 0", name=op.f("sla_target_within_check")),
        sa.CheckConstraint("target_pct > 0 and target_pct <= 100", name=op.f("sla_target_target_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("sla_target_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "sla", "target_no", name=op.f("sla_target_pkey")),
        schema="ops",
        comment="What was agreed, as the DISCOM's file of service levels says it",
    )
    op.execute("select ops.protect('ops.sla_target')")
    op.execute("grant all on ops.sla_target to meterhouse_owner")
    op.execute("grant select, insert, update, delete on ops.sla_target to meterhouse_dbt")
    op.execute("grant select on ops.sla_target to meterhouse_api")
    op.execute("""
        create view ops.table_partition as
        select n.nspname || '.' || p.relname as dataset, to_date(right(c.relname, 6), 'YYYYMM') as month,
               greatest(c.reltuples, 0)::bigint as rows_estimate, pg_total_relation_size(c.oid) as bytes
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        join pg_class p on p.oid = i.inhparent and p.relkind = 'p'
        join pg_namespace n on n.oid = p.relnamespace
        where c.relkind = 'r' and c.relname ~ '_[0-9]{6}$' and n.nspname in ('raw', 'vee', 'energy', 'network', 'reports')""")
    op.execute(
        "comment on view ops.table_partition is 'Monthly partitions that are online, of all DISCOMs together; rows as of the latest ANALYZE'"
    )
    op.execute("grant select on ops.table_partition to meterhouse_owner, meterhouse_dbt, meterhouse_api")
    op.execute(f"grant select ({KEY_COLUMNS}) on ops.api_key to meterhouse_dbt, meterhouse_api")


def downgrade() -> None:
    op.execute(f"revoke select ({KEY_COLUMNS}) on ops.api_key from meterhouse_dbt, meterhouse_api")
    op.execute("drop view ops.table_partition")
    op.drop_table("sla_target", schema="ops")
