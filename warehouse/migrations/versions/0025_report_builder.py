"""report builder: reports that people saved, and their versions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SEEN = """(select ops.whole_tenant()) or {c}.visibility = 'private' or {c}.share_office_id is null
          or ops.offices_below({c}.discom_id, {c}.share_office_id) && (select ops.offices())"""


def upgrade() -> None:
    now = sa.text("now()")
    stamp = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "report_config",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("config_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_account_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_key_id", sa.Text(), nullable=True, comment="of whom calls with a key"),
        sa.Column("owner", sa.Text(), nullable=False, comment="as it called itself when it saved the first version"),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("share_office_id", sa.Integer(), nullable=True, comment="shared with who sees of this office or below; NULL = with all"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False, comment="that is in force"),
        sa.Column("cloned_from", sa.BigInteger(), nullable=True),
        sa.Column("created_at", stamp, server_default=now, nullable=False),
        sa.Column("updated_at", stamp, server_default=now, nullable=False),
        sa.Column("deleted_at", stamp, nullable=True),
        sa.CheckConstraint("num_nonnulls(owner_account_id, owner_key_id) = 1", name=op.f("report_config_owner_check")),
        sa.CheckConstraint("visibility in ('private','shared')", name=op.f("report_config_visibility_check")),
        sa.CheckConstraint("share_office_id is null or visibility = 'shared'", name=op.f("report_config_share_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("report_config_discom_id_fkey")),
        sa.ForeignKeyConstraint(["owner_account_id"], ["ops.account.account_id"], name=op.f("report_config_owner_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["discom_id", "share_office_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("report_config_discom_id_share_office_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("discom_id", "config_id", name=op.f("report_config_pkey")),
        schema="ops",
        comment="Reports that people built and saved; what they hold stands in their versions",
    )
    op.create_table(
        "report_config_version",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("query", postgresql.JSONB(), nullable=False, comment="as api.builder.schemas.Query"),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.Column("saved_at", stamp, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("restored_from", sa.Integer(), nullable=True, comment="version that it is again"),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("report_config_version_discom_id_fkey")),
        sa.ForeignKeyConstraint(
            ["discom_id", "config_id"],
            ["ops.report_config.discom_id", "ops.report_config.config_id"],
            name=op.f("report_config_version_discom_id_config_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("discom_id", "config_id", "version", name=op.f("report_config_version_pkey")),
        schema="ops",
        comment="Each state of a report in which it was saved; append-only",
    )
    # Not by office_id, as ops.rows_within would: a private report has none, and a shared one is for who sees any of the office's sub-tree.
    op.execute(f"create policy within on ops.report_config as restrictive using ({SEEN.format(c='report_config')})")
    op.execute("""
        create policy within on ops.report_config_version as restrictive using (exists (
          select 1 from ops.report_config c where c.discom_id = report_config_version.discom_id and c.config_id = report_config_version.config_id))""")
    for table in ("report_config", "report_config_version"):
        op.execute(f"select ops.protect('ops.{table}')")
        op.execute(f"grant all on ops.{table} to meterhouse_owner")
        op.execute(f"grant select, insert on ops.{table} to meterhouse_api")
        op.execute(f"grant select on ops.{table} to meterhouse_loader")
    op.execute("grant update (visibility, share_office_id, version, updated_at, deleted_at) on ops.report_config to meterhouse_api")


def downgrade() -> None:
    op.drop_table("report_config_version", schema="ops")
    op.drop_table("report_config", schema="ops")
