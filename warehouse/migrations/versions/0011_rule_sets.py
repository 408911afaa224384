"""versions of the rules that judged a day, and what people propose to change in them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("rule_set", "rule_proposal")


def upgrade() -> None:
    op.create_table(
        "rule_set",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("rule_set_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="of the rules"),
        sa.Column("rules", pg.JSONB(), nullable=False, comment="the checks of all stages, as they are in force"),
        sa.Column("overlay", sa.Text(), nullable=True, comment="text of the DISCOM's overlay when it was first in force; NULL = none"),
        sa.Column("noted_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("rule_set_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "rule_set_id", name=op.f("rule_set_pkey")),
        sa.UniqueConstraint("discom_id", "sha256", name=op.f("rule_set_discom_id_sha256_key")),
        schema="vee",
        comment="Versions of the rules in force; append-only",
    )
    op.create_table(
        "rule_proposal",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("overlay", sa.Text(), nullable=False, comment="text of the whole overlay that is proposed"),
        sa.Column("replaces_sha256", sa.LargeBinary(), nullable=True, comment="of the overlay's text that was in force; NULL = none was"),
        sa.Column("note", sa.Text(), nullable=False, comment="why"),
        sa.Column("preview", pg.JSONB(), nullable=True, comment="what it would have changed on the days that were asked for"),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('proposed','withdrawn','accepted')", name=op.f("rule_proposal_state_check")),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_at is null) and (decided_by is null) = (decided_at is null)",
            name=op.f("rule_proposal_decision_check"),
        ),
        sa.CheckConstraint("state <> 'accepted' or decided_by <> proposed_by", name=op.f("rule_proposal_four_eyes_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("rule_proposal_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "proposal_id", name=op.f("rule_proposal_pkey")),
        schema="vee",
        comment="Overlays that people propose; the file of the overlay says what is in force",
    )
    op.add_column(
        "day_build", sa.Column("rule_set_id", sa.Integer(), nullable=True, comment="vee.rule_set that judges the day"), schema="ops"
    )
    for table in TABLES:
        op.execute(f"select ops.protect('vee.{table}')")
        op.execute(f"grant all on vee.{table} to meterhouse_owner")
        op.execute(f"grant select on vee.{table} to meterhouse_dbt, meterhouse_api")
    op.execute("grant insert on vee.rule_set to meterhouse_dbt")
    op.execute("grant insert on vee.rule_proposal to meterhouse_api")
    op.execute("grant update (state, decided_by, decided_at) on vee.rule_proposal to meterhouse_api")
    # vee.final_day says by which rules its day was judged.
    op.execute("grant select on ops.day_build to meterhouse_api")


def downgrade() -> None:
    op.execute("drop view if exists vee.interval_reading, vee.final_day")
    op.execute("revoke select on ops.day_build from meterhouse_api")
    op.drop_column("day_build", "rule_set_id", schema="ops")
    for table in reversed(TABLES):
        op.drop_table(table, schema="vee")
