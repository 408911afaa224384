"""energy.suspected_tag, current_mismatch and audit_run: what the monthly audit of tags and currents found (audit.job)"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = ("energy.audit_run", "energy.suspected_tag", "energy.current_mismatch")


def upgrade() -> None:
    op.create_table(
        "audit_run",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("days", sa.SmallInteger(), nullable=False, comment="of the month that were read"),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("consumers_checked", sa.Integer(), nullable=False),
        sa.Column("ran_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("audit_run_month_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("audit_run_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "month", name=op.f("audit_run_pkey")),
        schema="energy",
        comment="Months whose tags and currents were checked",
    )
    op.create_table(
        "suspected_tag",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("tagged_dt_id", sa.Integer(), nullable=False),
        sa.Column("better_dt_id", sa.Integer(), nullable=False),
        sa.Column("better_phase", sa.Text(), nullable=True, comment="R, Y or B whose voltage it follows; NULL = their mean, or not known"),
        sa.Column("state", sa.Text(), nullable=False, comment="suspected, or possible where it is less certain"),
        sa.Column("confidence", sa.Double(), nullable=False, comment="probability that the better DT is the right one, of 1"),
        sa.Column("voltage_evidence", sa.Double(), nullable=False, comment="log-likelihood ratios: positive speaks for the better DT"),
        sa.Column("energy_evidence", sa.Double(), nullable=False),
        sa.Column("outage_evidence", sa.Double(), nullable=False),
        sa.Column("distance_evidence", sa.Double(), nullable=False),
        sa.Column("voltage_r_tagged", sa.Double(), nullable=True),
        sa.Column("voltage_r_better", sa.Double(), nullable=True),
        sa.Column("outages", sa.Integer(), nullable=False, comment="power failures of the consumer's meter in the month"),
        sa.Column("outages_tagged", sa.Integer(), nullable=False, comment="of them with the tagged DT at once"),
        sa.Column("outages_better", sa.Integer(), nullable=False),
        sa.Column("tagged_m", sa.Double(), nullable=True, comment="distance"),
        sa.Column("better_m", sa.Double(), nullable=True),
        sa.CheckConstraint("better_phase in ('R','Y','B')", name=op.f("suspected_tag_better_phase_check")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("suspected_tag_month_check")),
        sa.CheckConstraint("state in ('suspected','possible')", name=op.f("suspected_tag_state_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("suspected_tag_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "month", "service_point_id", name=op.f("suspected_tag_pkey")),
        schema="energy",
        comment="Consumers that are likelier at another DT than their tag says, month by month",
    )
    op.create_table(
        "current_mismatch",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False, comment="with current, of the days that were read"),
        sa.Column("excess_slots", sa.Integer(), nullable=False, comment="of them with clearly more in the neutral"),
        sa.Column("phase_ah", sa.Double(), nullable=False),
        sa.Column("neutral_ah", sa.Double(), nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("current_mismatch_month_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("current_mismatch_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "month", "meter_id", name=op.f("current_mismatch_pkey")),
        schema="energy",
        comment="Single-phase meters whose neutral carries more than their phase, month by month",
    )
    for table in TABLES:
        op.execute(f"select ops.protect('{table}')")
        op.execute(f"grant all on {table} to meterhouse_owner")
        op.execute(f"grant select, insert, delete on {table} to meterhouse_dbt")
        op.execute(f"grant select on {table} to meterhouse_api")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
