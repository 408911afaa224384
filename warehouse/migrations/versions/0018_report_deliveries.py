"""report deliveries: what was due by a schedule, and what became of it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_delivery",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False, comment="its name in the DISCOM's file of schedules"),
        sa.Column("due_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column(
            "what", postgresql.JSONB(), nullable=False, comment="reports, formats, only, layout, as the schedule said them when it was due"
        ),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False, comment="mail addresses, with commas, or a folder"),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("files", postgresql.JSONB(), nullable=True, comment="name, bytes, rows and sha256 of each file that went out"),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("noted_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("last_day >= first_day", name=op.f("report_delivery_period_check")),
        sa.CheckConstraint("channel in ('email','folder')", name=op.f("report_delivery_channel_check")),
        sa.CheckConstraint("state in ('pending','sent','failed')", name=op.f("report_delivery_state_check")),
        sa.CheckConstraint("(state = 'sent') = (sent_at is not null and files is not null)", name=op.f("report_delivery_sent_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("report_delivery_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "delivery_id", name=op.f("report_delivery_pkey")),
        sa.UniqueConstraint(
            "discom_id",
            "schedule",
            "due_at",
            "channel",
            "target",
            name=op.f("report_delivery_discom_id_schedule_due_at_channel_target_key"),
        ),
        schema="ops",
        comment="Reports that were due by a schedule: the outbox and the history of what went where",
    )
    op.create_index(
        op.f("report_delivery_next_attempt_at_idx"),
        "report_delivery",
        ["next_attempt_at"],
        schema="ops",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.execute("select ops.protect('ops.report_delivery')")
    op.execute("grant all on ops.report_delivery to meterhouse_owner")
    op.execute("grant select, insert, update on ops.report_delivery to meterhouse_loader")
    op.execute("grant select on ops.report_delivery to meterhouse_api, meterhouse_dbt")


def downgrade() -> None:
    op.drop_table("report_delivery", schema="ops")
