"""registry, raw, vee and ops"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from warehouse.migrations import ground
from warehouse.tables import PgSnapshot, Xid8

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROTECTED = (
    "raw.event",
    "raw.profile_fragment",
    "raw.register_reading",
    "registry.discom",
    "vee.exception",
    "ops.day_build",
    "ops.pull_cursor",
    "raw.touched_day",
    "registry.hes",
    "registry.holiday",
    "registry.office",
    "vee.edit",
    "raw.batch",
    "registry.meter",
    "registry.revenue_month",
    "registry.service_point",
    "registry.substation",
    "raw.rejected",
    "registry.consumer",
    "registry.feeder",
    "registry.dt",
    "registry.consumer_index",
    "registry.installation",
)


def upgrade() -> None:
    ground.create_roles_and_schemas()
    op.create_table(
        "event",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        schema="raw",
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index(op.f("event_discom_id_day_meter_id_idx"), "event", ["discom_id", "day", "meter_id"], unique=False, schema="raw")
    op.create_table(
        "profile_fragment",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("start_slot", sa.SmallInteger(), nullable=False),
        sa.Column("interval_min", sa.SmallInteger(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("import_wh", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("export_wh", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("import_vah", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("export_vah", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("import_varh", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("voltage_dv", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("current_ma", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("quality", postgresql.ARRAY(sa.SmallInteger()), nullable=True),
        schema="raw",
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index(
        op.f("profile_fragment_discom_id_day_meter_id_idx"),
        "profile_fragment",
        ["discom_id", "day", "meter_id"],
        unique=False,
        schema="raw",
    )
    op.create_table(
        "register_reading",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("import_wh", sa.BigInteger(), nullable=True),
        sa.Column("export_wh", sa.BigInteger(), nullable=True),
        sa.Column("import_vah", sa.BigInteger(), nullable=True),
        sa.Column("export_vah", sa.BigInteger(), nullable=True),
        sa.Column("md_import_w", sa.BigInteger(), nullable=True),
        sa.Column("md_import_at", sa.TIMESTAMP(timezone=True), nullable=True),
        schema="raw",
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index(
        op.f("register_reading_discom_id_day_meter_id_idx"),
        "register_reading",
        ["discom_id", "day", "meter_id"],
        unique=False,
        schema="raw",
    )
    op.create_table(
        "discom",
        sa.Column("discom_id", sa.SmallInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), server_default="Asia/Kolkata", nullable=False),
        sa.PrimaryKeyConstraint("discom_id", name=op.f("discom_pkey")),
        sa.UniqueConstraint("code", name=op.f("discom_code_key")),
        schema="registry",
    )
    op.create_table(
        "exception",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("opened_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("stage in ('initial','estimate')", name=op.f("exception_stage_check")),
        sa.CheckConstraint("state in ('open','estimated','cleared','closed')", name=op.f("exception_state_check")),
        sa.PrimaryKeyConstraint("discom_id", "day", "meter_id", "rule", "stage", name=op.f("exception_pkey")),
        schema="vee",
        postgresql_partition_by="RANGE (day)",
    )
    op.create_table(
        "day_build",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("saw", PgSnapshot(), nullable=False),
        sa.Column("built_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("day_build_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "day", name=op.f("day_build_pkey")),
        schema="ops",
    )
    op.create_table(
        "pull_cursor",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("hes_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("pull_cursor_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "hes_id", "feed", name=op.f("pull_cursor_pkey")),
        schema="ops",
    )
    op.create_table(
        "touched_day",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("written_by", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("touched_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("touched_day_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "day", "batch_id", name=op.f("touched_day_pkey")),
        schema="raw",
    )
    op.create_table(
        "hes",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("hes_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("hes_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "hes_id", name=op.f("hes_pkey")),
        sa.UniqueConstraint("discom_id", "code", name=op.f("hes_discom_id_code_key")),
        schema="registry",
    )
    op.create_table(
        "holiday",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("holiday_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "day", name=op.f("holiday_pkey")),
        schema="registry",
    )
    op.create_table(
        "office",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("office_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("level in ('discom','zone','circle','division','subdivision','section')", name=op.f("office_level_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "parent_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("office_discom_id_parent_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("office_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "office_id", name=op.f("office_pkey")),
        sa.UniqueConstraint("discom_id", "code", name=op.f("office_discom_id_code_key")),
        schema="registry",
    )
    op.create_table(
        "edit",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("edit_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("before", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("after", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("editor", sa.Text(), nullable=False),
        sa.Column("edited_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(approver is null) = (approved_at is null)", name=op.f("edit_approval_check")),
        sa.CheckConstraint("approver is distinct from editor", name=op.f("edit_four_eyes_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("edit_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "edit_id", name=op.f("edit_pkey")),
        schema="vee",
    )
    op.create_index(op.f("edit_discom_id_day_meter_id_idx"), "edit", ["discom_id", "day", "meter_id"], unique=False, schema="vee")
    op.create_table(
        "batch",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hes_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content_sha256", postgresql.BYTEA(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("landed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("values_received", sa.BigInteger(), nullable=False),
        sa.Column("values_accepted", sa.BigInteger(), nullable=False),
        sa.Column("values_rejected", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("values_received = values_accepted + values_rejected", name=op.f("batch_nothing_lost_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "hes_id"],
            ["registry.hes.discom_id", "registry.hes.hes_id"],
            name=op.f("batch_discom_id_hes_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("batch_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "batch_id", name=op.f("batch_pkey")),
        sa.UniqueConstraint("discom_id", "hes_id", "content_sha256", name=op.f("batch_discom_id_hes_id_content_sha256_key")),
        schema="raw",
    )
    op.create_table(
        "meter",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("meter_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("hes_id", sa.Integer(), nullable=False),
        sa.Column("make", sa.Text(), nullable=True),
        sa.Column("firmware", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("interval_min", sa.SmallInteger(), nullable=False),
        sa.Column("voltage_v", sa.Integer(), nullable=True),
        sa.Column("i_max_a", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("register_lsb_wh", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("interval_min > 0 and mod(1440, interval_min) = 0", name=op.f("meter_interval_min_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "hes_id"],
            ["registry.hes.discom_id", "registry.hes.hes_id"],
            name=op.f("meter_discom_id_hes_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("meter_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "meter_id", name=op.f("meter_pkey")),
        sa.UniqueConstraint("discom_id", "serial", name=op.f("meter_discom_id_serial_key")),
        schema="registry",
    )
    op.create_table(
        "revenue_month",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("revenue_inr", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("subsidy_booked_inr", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("subsidy_received_inr", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("opening_debtors_inr", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("closing_debtors_inr", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("revenue_month_month_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "office_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("revenue_month_discom_id_office_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("revenue_month_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "office_id", "month", name=op.f("revenue_month_pkey")),
        schema="registry",
    )
    op.create_table(
        "service_point",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("service_point_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("sanctioned_load_w", sa.Integer(), nullable=False),
        sa.Column("supply_phases", sa.SmallInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["discom_id", "office_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("service_point_discom_id_office_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("service_point_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "service_point_id", name=op.f("service_point_pkey")),
        sa.UniqueConstraint("discom_id", "code", name=op.f("service_point_discom_id_code_key")),
        schema="registry",
    )
    op.create_table(
        "substation",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("substation_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["discom_id", "office_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("substation_discom_id_office_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("substation_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "substation_id", name=op.f("substation_pkey")),
        sa.UniqueConstraint("discom_id", "code", name=op.f("substation_discom_id_code_key")),
        schema="registry",
    )
    op.create_table(
        "rejected",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("rejected_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("value_count", sa.BigInteger(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=True),
        sa.Column("stamp", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["discom_id", "batch_id"],
            ["raw.batch.discom_id", "raw.batch.batch_id"],
            name=op.f("rejected_discom_id_batch_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("rejected_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "rejected_id", name=op.f("rejected_pkey")),
        schema="raw",
    )
    op.create_index(op.f("rejected_discom_id_batch_id_idx"), "rejected", ["discom_id", "batch_id"], unique=False, schema="raw")
    op.create_table(
        "consumer",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("consumer_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["discom_id", "service_point_id"],
            ["registry.service_point.discom_id", "registry.service_point.service_point_id"],
            name=op.f("consumer_discom_id_service_point_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("consumer_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "consumer_id", name=op.f("consumer_pkey")),
        sa.UniqueConstraint("discom_id", "code", name=op.f("consumer_discom_id_code_key")),
        schema="registry",
    )
    op.create_table(
        "feeder",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("feeder_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("substation_id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("voltage_kv", sa.Numeric(precision=6, scale=2), server_default="11", nullable=False),
        sa.ForeignKeyConstraint(
            ["discom_id", "office_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("feeder_discom_id_office_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "substation_id"],
            ["registry.substation.discom_id", "registry.substation.substation_id"],
            name=op.f("feeder_discom_id_substation_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("feeder_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "feeder_id", name=op.f("feeder_pkey")),
        sa.UniqueConstraint("discom_id", "code", name=op.f("feeder_discom_id_code_key")),
        schema="registry",
    )
    op.create_table(
        "dt",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("dt_id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("feeder_id", sa.Integer(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("capacity_kva", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.ForeignKeyConstraint(
            ["discom_id", "feeder_id"],
            ["registry.feeder.discom_id", "registry.feeder.feeder_id"],
            name=op.f("dt_discom_id_feeder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "office_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("dt_discom_id_office_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("dt_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "dt_id", name=op.f("dt_pkey")),
        sa.UniqueConstraint("discom_id", "code", name=op.f("dt_discom_id_code_key")),
        schema="registry",
    )
    op.create_table(
        "consumer_index",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("dt_id", sa.Integer(), nullable=True),
        sa.Column("feeder_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), server_default="SURVEYED", nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("discom_id"), "="),
            (sa.column("service_point_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="consumer_index_no_overlap",
        ),
        sa.CheckConstraint("state in ('UNTAGGED','SURVEYED','INFERRED','VERIFIED','DISPUTED')", name=op.f("consumer_index_state_check")),
        sa.CheckConstraint("num_nonnulls(dt_id, feeder_id) = 1", name=op.f("consumer_index_dt_or_ht_feeder_check")),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("consumer_index_period_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "dt_id"],
            ["registry.dt.discom_id", "registry.dt.dt_id"],
            name=op.f("consumer_index_discom_id_dt_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "feeder_id"],
            ["registry.feeder.discom_id", "registry.feeder.feeder_id"],
            name=op.f("consumer_index_discom_id_feeder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "service_point_id"],
            ["registry.service_point.discom_id", "registry.service_point.service_point_id"],
            name=op.f("consumer_index_discom_id_service_point_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("consumer_index_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "service_point_id", "valid_from", name=op.f("consumer_index_pkey")),
        schema="registry",
    )
    op.create_table(
        "installation",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("service_point_id", sa.Integer(), nullable=True),
        sa.Column("dt_id", sa.Integer(), nullable=True),
        sa.Column("feeder_id", sa.Integer(), nullable=True),
        sa.Column("mf", sa.Numeric(precision=12, scale=4), server_default="1", nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("discom_id"), "="),
            (sa.column("meter_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="installation_no_overlap",
        ),
        sa.CheckConstraint("mf > 0", name=op.f("installation_mf_check")),
        sa.CheckConstraint("num_nonnulls(service_point_id, dt_id, feeder_id) = 1", name=op.f("installation_one_place_check")),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("installation_period_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "dt_id"],
            ["registry.dt.discom_id", "registry.dt.dt_id"],
            name=op.f("installation_discom_id_dt_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "feeder_id"],
            ["registry.feeder.discom_id", "registry.feeder.feeder_id"],
            name=op.f("installation_discom_id_feeder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "meter_id"],
            ["registry.meter.discom_id", "registry.meter.meter_id"],
            name=op.f("installation_discom_id_meter_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "service_point_id"],
            ["registry.service_point.discom_id", "registry.service_point.service_point_id"],
            name=op.f("installation_discom_id_service_point_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("installation_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "meter_id", "valid_from", name=op.f("installation_pkey")),
        schema="registry",
    )
    ground.create_functions()
    for table in PROTECTED:
        op.execute(f"select ops.protect('{table}')")
    ground.grant()


def downgrade() -> None:
    ground.drop_everything()
