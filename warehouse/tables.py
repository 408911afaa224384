"""Tables of registry, raw, vee and ops as SQLAlchemy Core. Alembic migrates them; dbt owns all other tables.

Every table of tenant data has `discom_id` first in its key and forced row-level security (migrations/rls.py).
Energies are integers of the smallest unit a meter resolves (Wh, VAh, varh), voltage deci-volt, current milli-ampere, power W, as the
meter counts them: the external multiplying factor `mf` stands in the installation and is applied by energy.* and the views for analysts.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import UserDefinedType

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

CHANNELS = ("import_wh", "export_wh", "import_vah", "export_vah", "import_varh", "voltage_dv", "current_ma")
"""Profile channels, in the order of the columns of raw.profile_fragment. int4 per slot."""

REGISTERS = ("import_wh", "export_wh", "import_vah", "export_vah", "md_import_w")
"""Register columns of raw.register_reading. int8."""


class Xid8(UserDefinedType[int]):
    """PostgreSQL xid8: the transaction that wrote a row."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class PgSnapshot(UserDefinedType[str]):
    """PostgreSQL pg_snapshot: which transactions a build could see."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "pg_snapshot"


def _discom() -> sa.Column[int]:
    return sa.Column("discom_id", sa.SmallInteger, sa.ForeignKey("registry.discom.discom_id"), nullable=False)


def _registry(name: str, key: str, *items: Any) -> sa.Table:
    """A registry entity: (discom_id, <key>) is the key, `code` the name that the utility knows it by."""
    return sa.Table(
        name,
        metadata,
        _discom(),
        sa.Column(key, sa.Integer, sa.Identity(), nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        *items,
        sa.PrimaryKeyConstraint("discom_id", key),
        sa.UniqueConstraint("discom_id", "code"),
        schema="registry",
    )


def _fk(column: str, table: str, key: str | None = None) -> sa.ForeignKeyConstraint:
    key = key or column
    return sa.ForeignKeyConstraint(["discom_id", column], [f"registry.{table}.discom_id", f"registry.{table}.{key}"])


def _effective() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Half-open validity: valid_from <= day < valid_to; NULL = still valid."""
    return sa.Column("valid_from", sa.Date, nullable=False), sa.Column("valid_to", sa.Date)


# --- registry ---

discom = sa.Table(
    "discom",
    metadata,
    sa.Column("discom_id", sa.SmallInteger, sa.Identity(), primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False, server_default="Asia/Kolkata"),
    schema="registry",
)

office = _registry(
    "office",
    "office_id",
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("parent_id", sa.Integer),
    _fk("parent_id", "office", "office_id"),
    sa.CheckConstraint("level in ('discom','zone','circle','division','subdivision','section')", name="level"),
)

substation = _registry(
    "substation",
    "substation_id",
    sa.Column("name", sa.Text),
    sa.Column("office_id", sa.Integer, nullable=False),
    _fk("office_id", "office"),
)

feeder = _registry(
    "feeder",
    "feeder_id",
    sa.Column("name", sa.Text),
    sa.Column("substation_id", sa.Integer, nullable=False),
    sa.Column("office_id", sa.Integer, nullable=False),
    sa.Column("voltage_kv", sa.Numeric(6, 2), nullable=False, server_default="11"),
    _fk("substation_id", "substation"),
    _fk("office_id", "office"),
)

dt = _registry(
    "dt",
    "dt_id",
    sa.Column("feeder_id", sa.Integer, nullable=False),
    sa.Column("office_id", sa.Integer, nullable=False),
    sa.Column("capacity_kva", sa.Numeric(8, 2), nullable=False),
    _fk("feeder_id", "feeder"),
    _fk("office_id", "office"),
)

service_point = _registry(
    "service_point",
    "service_point_id",
    sa.Column("office_id", sa.Integer, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("sanctioned_load_w", sa.Integer, nullable=False),
    sa.Column("supply_phases", sa.SmallInteger, nullable=False, server_default="1"),
    _fk("office_id", "office"),
)

consumer = _registry(
    "consumer",
    "consumer_id",
    sa.Column("name", sa.Text),
    sa.Column("service_point_id", sa.Integer, nullable=False),
    *_effective(),
    _fk("service_point_id", "service_point"),
)

hes = _registry("hes", "hes_id", sa.Column("vendor", sa.Text, nullable=False))

meter = sa.Table(
    "meter",
    metadata,
    _discom(),
    sa.Column("meter_id", sa.Integer, sa.Identity(), nullable=False),
    sa.Column("serial", sa.Text, nullable=False),
    sa.Column("hes_id", sa.Integer, nullable=False),
    sa.Column("make", sa.Text),
    sa.Column("firmware", sa.Text),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("interval_min", sa.SmallInteger, nullable=False),
    sa.Column("voltage_v", sa.Integer),
    sa.Column("i_max_a", sa.Numeric(10, 2)),
    sa.Column("register_lsb_wh", sa.Integer, nullable=False, server_default="1"),
    sa.PrimaryKeyConstraint("discom_id", "meter_id"),
    sa.UniqueConstraint("discom_id", "serial"),
    sa.CheckConstraint("interval_min > 0 and mod(1440, interval_min) = 0", name="interval_min"),
    _fk("hes_id", "hes"),
    schema="registry",
)

installation = sa.Table(
    "installation",
    metadata,
    _discom(),
    sa.Column("meter_id", sa.Integer, nullable=False),
    *_effective(),
    sa.Column("service_point_id", sa.Integer),
    sa.Column("dt_id", sa.Integer),
    sa.Column("feeder_id", sa.Integer),
    sa.Column("mf", sa.Numeric(12, 4), nullable=False, server_default="1"),
    sa.PrimaryKeyConstraint("discom_id", "meter_id", "valid_from"),
    sa.CheckConstraint("num_nonnulls(service_point_id, dt_id, feeder_id) = 1", name="one_place"),
    sa.CheckConstraint("valid_to is null or valid_to > valid_from", name="period"),
    sa.CheckConstraint("mf > 0", name="mf"),
    pg.ExcludeConstraint(
        ("discom_id", "="),
        ("meter_id", "="),
        (sa.text("daterange(valid_from, valid_to)"), "&&"),
        using="gist",
        name="installation_no_overlap",
    ),
    _fk("meter_id", "meter"),
    _fk("service_point_id", "service_point"),
    _fk("dt_id", "dt"),
    _fk("feeder_id", "feeder"),
    schema="registry",
)

consumer_index = sa.Table(
    "consumer_index",
    metadata,
    _discom(),
    sa.Column("service_point_id", sa.Integer, nullable=False),
    *_effective(),
    sa.Column("dt_id", sa.Integer),
    sa.Column("feeder_id", sa.Integer),
    sa.Column("state", sa.Text, nullable=False, server_default="SURVEYED"),
    sa.PrimaryKeyConstraint("discom_id", "service_point_id", "valid_from"),
    sa.CheckConstraint("num_nonnulls(dt_id, feeder_id) = 1", name="dt_or_ht_feeder"),
    sa.CheckConstraint("valid_to is null or valid_to > valid_from", name="period"),
    sa.CheckConstraint("state in ('UNTAGGED','SURVEYED','INFERRED','VERIFIED','DISPUTED')", name="state"),
    pg.ExcludeConstraint(
        ("discom_id", "="),
        ("service_point_id", "="),
        (sa.text("daterange(valid_from, valid_to)"), "&&"),
        using="gist",
        name="consumer_index_no_overlap",
    ),
    _fk("service_point_id", "service_point"),
    _fk("dt_id", "dt"),
    _fk("feeder_id", "feeder"),
    schema="registry",
)

holiday = sa.Table(
    "holiday",
    metadata,
    _discom(),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "day"),
    schema="registry",
)

revenue_month = sa.Table(
    "revenue_month",
    metadata,
    _discom(),
    sa.Column("office_id", sa.Integer, nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("revenue_inr", sa.Numeric(18, 2), nullable=False),
    sa.Column("subsidy_booked_inr", sa.Numeric(18, 2), nullable=False),
    sa.Column("subsidy_received_inr", sa.Numeric(18, 2), nullable=False),
    sa.Column("opening_debtors_inr", sa.Numeric(18, 2), nullable=False),
    sa.Column("closing_debtors_inr", sa.Numeric(18, 2), nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "office_id", "month"),
    _fk("office_id", "office"),
    sa.CheckConstraint("extract(day from month) = 1", name="month"),
    schema="registry",
)

# --- raw: append-only for every role but the owner ---

batch = sa.Table(
    "batch",
    metadata,
    _discom(),
    sa.Column("batch_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("hes_id", sa.Integer, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("content_sha256", pg.BYTEA, nullable=False),
    sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("landed_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("values_received", sa.BigInteger, nullable=False),
    sa.Column("values_accepted", sa.BigInteger, nullable=False),
    sa.Column("values_rejected", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "batch_id"),
    sa.UniqueConstraint("discom_id", "hes_id", "content_sha256"),
    sa.CheckConstraint("values_received = values_accepted + values_rejected", name="nothing_lost"),
    _fk("hes_id", "hes"),
    schema="raw",
)


def _landed() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
    )


def _meter_day() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("discom_id", sa.SmallInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("meter_id", sa.Integer, nullable=False),
    )


profile_fragment = sa.Table(
    "profile_fragment",
    metadata,
    *_meter_day(),
    sa.Column("start_slot", sa.SmallInteger, nullable=False),
    sa.Column("interval_min", sa.SmallInteger, nullable=False),
    *_landed(),
    *(sa.Column(c, pg.ARRAY(sa.Integer)) for c in CHANNELS),
    sa.Column("quality", pg.ARRAY(sa.SmallInteger)),
    sa.Index(None, "discom_id", "day", "meter_id"),
    schema="raw",
    postgresql_partition_by="RANGE (day)",
)

register_reading = sa.Table(
    "register_reading",
    metadata,
    *_meter_day(),
    sa.Column("read_at", sa.TIMESTAMP(timezone=True), nullable=False),
    *_landed(),
    *(sa.Column(c, sa.BigInteger) for c in REGISTERS),
    sa.Column("md_import_at", sa.TIMESTAMP(timezone=True)),
    sa.Index(None, "discom_id", "day", "meter_id"),
    schema="raw",
    postgresql_partition_by="RANGE (day)",
)

event = sa.Table(
    "event",
    metadata,
    *_meter_day(),
    sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("code", sa.Integer, nullable=False),
    *_landed(),
    sa.Column("detail", pg.JSONB),
    sa.Index(None, "discom_id", "day", "meter_id"),
    schema="raw",
    postgresql_partition_by="RANGE (day)",
)

rejected = sa.Table(
    "rejected",
    metadata,
    _discom(),
    sa.Column("rejected_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("batch_id", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("locator", sa.Text, nullable=False),
    sa.Column("detail", sa.Text),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("value_count", sa.BigInteger, nullable=False),
    sa.Column("meter_id", sa.Integer),
    sa.Column("stamp", sa.TIMESTAMP(timezone=True)),
    sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "rejected_id"),
    sa.ForeignKeyConstraint(["discom_id", "batch_id"], ["raw.batch.discom_id", "raw.batch.batch_id"]),
    sa.Index(None, "discom_id", "batch_id"),
    schema="raw",
)

touched_day = sa.Table(
    "touched_day",
    metadata,
    _discom(),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("batch_id", sa.BigInteger, nullable=False),
    sa.Column("written_by", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("touched_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("meters", pg.ARRAY(sa.Integer), comment="meter_id of what came, rising; NULL = not known, any"),
    sa.PrimaryKeyConstraint("discom_id", "day", "batch_id"),
    schema="raw",
)

# --- vee: the two tables that suites and people write ---

exception = sa.Table(
    "exception",
    metadata,
    *_meter_day(),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("opened_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("discom_id", "day", "meter_id", "rule", "stage"),
    sa.CheckConstraint("state in ('open','estimated','cleared','closed')", name="state"),
    sa.CheckConstraint("stage in ('initial','estimate')", name="stage"),
    schema="vee",
    postgresql_partition_by="RANGE (day)",
)

edit = sa.Table(
    "edit",
    metadata,
    _discom(),
    sa.Column("edit_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("before", pg.ARRAY(sa.Integer)),
    sa.Column("after", pg.ARRAY(sa.Integer), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("editor", sa.Text, nullable=False),
    sa.Column("edited_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("approver", sa.Text),
    sa.Column("approved_at", sa.TIMESTAMP(timezone=True)),
    sa.PrimaryKeyConstraint("discom_id", "edit_id"),
    sa.CheckConstraint("(approver is null) = (approved_at is null)", name="approval"),
    sa.CheckConstraint("approver is distinct from editor", name="four_eyes"),
    sa.Index(None, "discom_id", "day", "meter_id"),
    schema="vee",
)

# --- ops ---

day_build = sa.Table(
    "day_build",
    metadata,
    _discom(),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("saw", PgSnapshot, nullable=False),
    sa.Column("built_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("built_with", sa.Text, comment="fingerprint of the models and rules"),
    sa.Column("changed_only", sa.Boolean, nullable=False, server_default=sa.false(), comment="only for the meters of ops.changed_meter"),
    sa.PrimaryKeyConstraint("discom_id", "day"),
    schema="ops",
)

changed_meter = sa.Table(
    "changed_meter",
    metadata,
    _discom(),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "day", "meter_id"),
    schema="ops",
    comment="What a build that is under way makes anew, where it is for changed meters only",
)

registry_change = sa.Table(
    "registry_change",
    metadata,
    _discom(),
    sa.Column("written_by", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.PrimaryKeyConstraint("discom_id"),
    schema="ops",
    comment="The latest import that changed master data",
)

pull_cursor = sa.Table(
    "pull_cursor",
    metadata,
    _discom(),
    sa.Column("hes_id", sa.Integer, nullable=False),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("cursor", pg.JSONB, nullable=False),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("discom_id", "hes_id", "feed"),
    schema="ops",
)
