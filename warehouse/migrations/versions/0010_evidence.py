"""what rules other than those on intervals look up, and which check wrote an exception"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXES: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("event_power_idx", "raw.event", ["discom_id", "day", "meter_id", "occurred_at", "code"], "code in (101, 102)"),
    ("event_relay_idx", "raw.event", ["discom_id", "meter_id", "occurred_at", "code"], "code in (301, 302)"),
    ("meter_value_clock_idx", "raw.meter_value", ["discom_id", "day", "meter_id"], "quantity = 'clock_drift_s'"),
    ("meter_value_zone_idx", "raw.meter_value", ["discom_id", "day", "meter_id"], "zone > 0"),
    (
        "nameplate_identity_idx",
        "raw.nameplate",
        ["discom_id", "attribute", "meter_id"],
        "attribute in ('serial','ct_ratio','pt_ratio','mf')",
    ),
    (
        "rejected_stamp_idx",
        "raw.rejected",
        ["discom_id", "stamp"],
        "meter_id is not null and reason in ('OFF_GRID','WRONG_INTERVAL','WRONG_UNIT')",
    ),
    (
        "rejected_received_idx",
        "raw.rejected",
        ["discom_id", "received_at"],
        "meter_id is not null and (stamp is null or reason = 'FUTURE_STAMP')",
    ),
    ("consumer_discom_id_service_point_id_idx", "registry.consumer", ["discom_id", "service_point_id"], None),
    ("consumer_ended_idx", "registry.consumer", ["discom_id", "valid_to"], "valid_to is not null"),
    ("installation_discom_id_service_point_id_idx", "registry.installation", ["discom_id", "service_point_id"], None),
)
"""Partial, so that a row which no rule looks for pays nothing when it lands."""


def upgrade() -> None:
    op.add_column("exception", sa.Column("check_key", sa.Text(), comment="rule and variant of the suite: V13.domestic"), schema="vee")
    _stages("'initial','estimate','edit','frozen'")
    for name, table, columns, where in INDEXES:
        schema, of = table.split(".")
        op.create_index(op.f(name), of, columns, schema=schema, postgresql_where=sa.text(where) if where else None)


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(op.f(name), table_name=table.split(".")[1], schema=table.split(".")[0])
    _stages("'initial','estimate'")
    op.drop_column("exception", "check_key", schema="vee")


def _stages(known: str) -> None:
    op.drop_constraint(op.f("exception_stage_check"), "exception", schema="vee")
    op.create_check_constraint(op.f("exception_stage_check"), "exception", f"stage in ({known})", schema="vee")
