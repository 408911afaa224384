"""what pulls of head-end systems came to, and which gaps they were asked to read again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("gap_request", "hes_pull")


def upgrade() -> None:
    op.create_table(
        "hes_pull",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("hes_id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False, comment="since the last success"),
        sa.Column("error", sa.Text(), nullable=True, comment="of the latest pull, NULL where it succeeded"),
        sa.ForeignKeyConstraint(
            ["discom_id", "hes_id"], ["registry.hes.discom_id", "registry.hes.hes_id"], name=op.f("hes_pull_discom_id_hes_id_fkey")
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("hes_pull_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "hes_id", name=op.f("hes_pull_pkey")),
        schema="ops",
        comment="The latest pull of each head-end system",
    )
    op.create_table(
        "gap_request",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("times", sa.SmallInteger(), nullable=False, comment="how often the head-end system answered"),
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('block','daily')", name=op.f("gap_request_kind_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("gap_request_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "day", "meter_id", "kind", name=op.f("gap_request_pkey")),
        schema="ops",
        comment="Gaps that a head-end system was asked to read again (EM1), so that it is not asked for ever",
    )
    op.create_index(op.f("batch_discom_id_hes_id_landed_at_idx"), "batch", ["discom_id", "hes_id", "landed_at"], schema="raw")
    for table in TABLES:
        op.execute(f"select ops.protect('ops.{table}')")
        op.execute(f"grant all on ops.{table} to meterhouse_owner")
        op.execute(f"grant select, insert, update on ops.{table} to meterhouse_loader")
        op.execute(f"grant select on ops.{table} to meterhouse_dbt")
    op.execute("grant delete on ops.pull_cursor to meterhouse_loader")


def downgrade() -> None:
    op.execute("revoke delete on ops.pull_cursor from meterhouse_loader")
    op.drop_index(op.f("batch_discom_id_hes_id_landed_at_idx"), table_name="batch", schema="raw")
    for table in TABLES:
        op.drop_table(table, schema="ops")
