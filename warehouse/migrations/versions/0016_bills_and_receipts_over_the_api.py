"""bills and receipts over the API: a bill's number, keys of a billing system, what was delivered and refused"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "bill", sa.Column("number", sa.Text(), nullable=True, comment="of the billing system; NULL = a file without it"), schema="billing"
    )
    op.add_column(
        "bill", sa.Column("issued_on", sa.Date(), nullable=True, comment="of two bills of a month the later one stands"), schema="billing"
    )
    op.create_index(
        "bill_number_idx",
        "bill",
        ["discom_id", "number"],
        unique=True,
        schema="billing",
        postgresql_where=sa.text("number is not null"),
    )
    op.create_table(
        "delivery",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False, comment="were there already, or a later bill of the month was"),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("content_sha256", pg.BYTEA(), nullable=False),
        sa.Column("refusals", pg.JSONB(), nullable=False, comment="[{row, number, code, detail}] of all that were rejected"),
        sa.CheckConstraint("kind in ('bills','receipts')", name=op.f("delivery_kind_check")),
        sa.CheckConstraint("received = stored + unchanged + rejected", name=op.f("delivery_nothing_lost_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("delivery_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "delivery_id", name=op.f("delivery_pkey")),
        schema="billing",
        comment="Append-only: who delivered bills or receipts over the API, and what became of them",
    )
    op.execute("select ops.protect('billing.delivery')")
    op.execute("grant all on billing.delivery to meterhouse_owner")
    op.execute("grant select on billing.delivery to meterhouse_dbt")
    op.execute("grant select, insert on billing.delivery, billing.collection to meterhouse_api")
    op.execute("grant select, insert, update on billing.bill to meterhouse_api")
    op.drop_constraint(op.f("api_key_purpose_check"), "api_key", schema="ops", type_="check")
    op.create_check_constraint(op.f("api_key_purpose_check"), "api_key", "purpose in ('hes','operator','billing')", schema="ops")


def downgrade() -> None:
    op.execute("delete from ops.api_key where purpose = 'billing'")
    op.drop_constraint(op.f("api_key_purpose_check"), "api_key", schema="ops", type_="check")
    op.create_check_constraint(op.f("api_key_purpose_check"), "api_key", "purpose in ('hes','operator')", schema="ops")
    op.execute("revoke insert, update on billing.bill from meterhouse_api")
    op.execute("revoke insert on billing.collection from meterhouse_api")
    op.drop_table("delivery", schema="billing")
    op.drop_index("bill_number_idx", table_name="bill", schema="billing")
    op.drop_column("bill", "issued_on", schema="billing")
    op.drop_column("bill", "number", schema="billing")
