"""alerts with their outbox, requests for field work, outages of DTs and feeders"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("alert", "alert_delivery", "work_order_request", "outage", "outage_due")


def _discom(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f(f"{table}_discom_id_fkey"))


def _registry(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    refers = [f"registry.{of}.discom_id", f"registry.{of}.{column}"]
    return sa.ForeignKeyConstraint(["discom_id", column], refers, name=op.f(f"{table}_discom_id_{column}_fkey"))


def _alert(table: str) -> sa.ForeignKeyConstraint:
    refers = ["ops.alert.discom_id", "ops.alert.alert_id"]
    return sa.ForeignKeyConstraint(["discom_id", "alert_id"], refers, name=op.f(f"{table}_discom_id_alert_id_fkey"))


def upgrade() -> None:
    op.create_index(
        op.f("event_status_discom_id_meter_id_occurred_at_idx"), "event_status", ["discom_id", "meter_id", "occurred_at"], schema="raw"
    )
    op.create_table(
        "alert",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False, comment="of the event dictionary, or the channel or quantity whose limit was passed"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True, comment="as the meter sent it"),
        sa.Column("value", sa.BigInteger(), nullable=True, comment="the worst, of a limit that was passed"),
        sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("raised_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False, comment="further ones that the throttle held back"),
        sa.Column("last_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="when the latest of them occurred"),
        sa.Column("backfill", sa.Boolean(), nullable=False, comment="too long ago when it came: nobody was told"),
        sa.CheckConstraint("severity in ('critical','major','minor','info')", name=op.f("alert_severity_check")),
        sa.CheckConstraint("source in ('event','status','interval','value')", name=op.f("alert_source_check")),
        _discom("alert"),
        _registry("alert", "meter_id", "meter"),
        sa.PrimaryKeyConstraint("discom_id", "alert_id", name=op.f("alert_pkey")),
        sa.UniqueConstraint(
            "discom_id", "meter_id", "rule", "occurred_at", "event", name=op.f("alert_discom_id_meter_id_rule_occurred_at_event_key")
        ),
        schema="ops",
    )
    op.create_index(op.f("alert_discom_id_raised_at_idx"), "alert", ["discom_id", "raised_at"], schema="ops")
    op.create_table(
        "alert_delivery",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False, comment="address of the webhook, mail address, MQTT topic, or kind of work order"),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("channel in ('webhook','email','mqtt','work_order')", name=op.f("alert_delivery_channel_check")),
        sa.CheckConstraint("state in ('pending','sent','failed')", name=op.f("alert_delivery_state_check")),
        sa.CheckConstraint("(state = 'sent') = (sent_at is not null)", name=op.f("alert_delivery_sent_check")),
        _discom("alert_delivery"),
        sa.PrimaryKeyConstraint("discom_id", "delivery_id", name=op.f("alert_delivery_pkey")),
        schema="ops",
        comment="Outbox of alerts: what is to be sent is written with the alert, and sent afterwards at least once",
    )
    op.create_index(
        op.f("alert_delivery_next_attempt_at_idx"),
        "alert_delivery",
        ["next_attempt_at"],
        schema="ops",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(op.f("alert_delivery_discom_id_alert_id_idx"), "alert_delivery", ["discom_id", "alert_id"], schema="ops")
    op.create_table(
        "work_order_request",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        _discom("work_order_request"),
        _alert("work_order_request"),
        _registry("work_order_request", "meter_id", "meter"),
        sa.PrimaryKeyConstraint("discom_id", "request_id", name=op.f("work_order_request_pkey")),
        sa.UniqueConstraint("discom_id", "alert_id", "kind", name=op.f("work_order_request_discom_id_alert_id_kind_key")),
        schema="ops",
    )
    op.create_table(
        "outage",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("outage_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("feeder_id", sa.Integer(), nullable=False),
        sa.Column("dt_id", sa.Integer(), nullable=True, comment="NULL = the whole feeder"),
        sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("meters_out", sa.Integer(), nullable=False, comment="that reported it"),
        sa.Column("meters_total", sa.Integer(), nullable=False, comment="that are installed there"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("(level = 'dt') = (dt_id is not null) and level in ('dt','feeder')", name=op.f("outage_level_check")),
        sa.CheckConstraint("state = case when ended_at is null then 'open' else 'ended' end", name=op.f("outage_state_check")),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("outage_period_check")),
        _discom("outage"),
        _registry("outage", "feeder_id", "feeder"),
        _registry("outage", "dt_id", "dt"),
        sa.PrimaryKeyConstraint("discom_id", "outage_id", name=op.f("outage_pkey")),
        sa.UniqueConstraint(
            "discom_id",
            "feeder_id",
            "dt_id",
            "started_at",
            name=op.f("outage_discom_id_feeder_id_dt_id_started_at_key"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="ops",
        comment="Power failures of meters (last gasp, first breath) grouped to their DT or feeder",
    )
    op.create_table(
        "outage_due",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("due_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meters", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("occurred_at", postgresql.ARRAY(sa.TIMESTAMP(timezone=True)), nullable=False, comment="of each meter's power event"),
        _discom("outage_due"),
        sa.PrimaryKeyConstraint("discom_id", "due_id", name=op.f("outage_due_pkey")),
        schema="ops",
        comment="Power events that landed and of which ops.outage does not know yet",
    )
    for table in TABLES:
        op.execute(f"select ops.protect('ops.{table}')")
        op.execute(f"grant all on ops.{table} to meterhouse_owner")
        op.execute(f"grant select, insert on ops.{table} to meterhouse_loader")
    op.execute("grant update on ops.alert, ops.alert_delivery, ops.outage to meterhouse_loader")
    op.execute("grant delete on ops.outage, ops.outage_due to meterhouse_loader")
    op.execute("grant select on ops.alert, ops.alert_delivery, ops.work_order_request, ops.outage to meterhouse_api, meterhouse_dbt")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema="ops")
    op.drop_index(op.f("event_status_discom_id_meter_id_occurred_at_idx"), "event_status", schema="raw")
