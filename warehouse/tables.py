"""Tables of registry, raw, billing (feeds), vee and ops as SQLAlchemy Core. Alembic migrates them; dbt owns all other tables.

Every table of tenant data has `discom_id` first in its key and forced row-level security (migrations/rls.py).
Energies are integers of the smallest unit a meter resolves (Wh, VAh, varh), voltage deci-volt, current milli-ampere, power W, as the
meter counts them: the external multiplying factor `mf` stands in the installation and is applied by energy.* and the views for analysts.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import UserDefinedType

from warehouse.codes import MeterState

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

FURTHER_CHANNELS = (
    "voltage_y_dv",
    "voltage_b_dv",
    "current_y_ma",
    "current_b_ma",
    "current_n_ma",
    "q1_varh",
    "q2_varh",
    "q3_varh",
    "q4_varh",
    "power_factor_milli",
    "frequency_mhz",
    "status_bits",
    "signal_dbm",
)
"""Profile channels that are landed beside CHANNELS and that no rule judges. int4 per slot. voltage_dv and current_ma are those of phase R,
or of the only phase."""

ALL_CHANNELS = (*CHANNELS, *FURTHER_CHANNELS)

REGISTERS = ("import_wh", "export_wh", "import_vah", "export_vah", "md_import_w")
"""Register columns of raw.register_reading. int8."""

QUANTITIES = (
    *("import_wh", "export_wh", "import_vah", "export_vah", "q1_varh", "q2_varh", "q3_varh", "q4_varh", "net_wh"),
    *("usage_import_wh", "usage_export_wh", "usage_import_vah", "usage_export_vah"),
    *("usage_q1_varh", "usage_q2_varh", "usage_q3_varh", "usage_q4_varh"),
    *("md_import_w", "md_export_w", "md_import_va", "md_export_va"),
    *("voltage_r_mv", "voltage_y_mv", "voltage_b_mv", "current_r_ma", "current_y_ma", "current_b_ma", "current_n_ma"),
    *("power_factor_milli", "power_factor_r_milli", "power_factor_y_milli", "power_factor_b_milli", "frequency_mhz"),
    *("active_power_w", "apparent_power_va", "reactive_power_var", "load_limit_w"),
    *("power_on_min", "power_off_min", "power_failure_count", "tamper_count", "billing_count", "programming_count"),
    *("relay_closed_flag", "load_limit_flag", "reset_type_code", "signal_dbm", "temperature_mdegc", "clock_drift_s"),
)
"""What raw.meter_value may hold, one value a row: instantaneous readings, billing rows, and of daily rows what is not in REGISTERS.
Energies are registers; usage_ is what was used in the period that the row closes, where the source states that. Single-phase voltage and
current are those of phase R. clock_drift_s: the meter's clock less the reference, seconds. int8."""

PROFILES = ("instant", "daily", "billing")
"""Profiles whose values stand in raw.meter_value."""


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


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    """A column that holds one of a few codes. `info` says the same to who checks before the server does (warehouse.registry_import)."""
    allowed = ",".join(f"'{v}'" for v in values)
    return sa.CheckConstraint(f"{column} in ({allowed})", name=column, info={"column": column, "one_of": values})


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
    _one_of("level", "discom", "zone", "circle", "division", "subdivision", "section"),
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
    sa.Column("town", sa.Text, comment="that it mostly supplies, for town-wise audit"),
    sa.Column("supply", sa.Text, comment="urban, rural, agricultural, industrial or mixed"),
    sa.Column("line_ohm", sa.Numeric(10, 5), comment="equivalent resistance of a phase: its loss is 3 x I² x line_ohm"),
    sa.Column("feeds_substation_id", sa.Integer, comment="of an incomer: the substation that it feeds; NULL = it goes out to consumers"),
    _fk("substation_id", "substation"),
    _fk("office_id", "office"),
    _fk("feeds_substation_id", "substation", "substation_id"),
    _one_of("supply", "urban", "rural", "agricultural", "industrial", "mixed"),
)

dt = _registry(
    "dt",
    "dt_id",
    sa.Column("feeder_id", sa.Integer, nullable=False),
    sa.Column("office_id", sa.Integer, nullable=False),
    sa.Column("capacity_kva", sa.Numeric(8, 2), nullable=False),
    sa.Column("no_load_loss_w", sa.Integer, comment="P0 of the nameplate, at rated voltage"),
    sa.Column("load_loss_w", sa.Integer, comment="Pk of the nameplate, at rated load"),
    sa.Column(
        "lt_line_ohm", sa.Numeric(10, 5), comment="equivalent resistance of a phase of the LT network: its loss is 3 x I² x lt_line_ohm"
    ),
    sa.Column("latitude", sa.Numeric(9, 6)),
    sa.Column("longitude", sa.Numeric(9, 6)),
    sa.Column("commissioned_on", sa.Date),
    _fk("feeder_id", "feeder"),
    _fk("office_id", "office"),
    sa.CheckConstraint("latitude between -90 and 90 and longitude between -180 and 180", name="position"),
    sa.CheckConstraint("no_load_loss_w >= 0 and load_loss_w >= 0 and lt_line_ohm >= 0", name="losses"),
)

service_point = _registry(
    "service_point",
    "service_point_id",
    sa.Column("office_id", sa.Integer, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("sanctioned_load_w", sa.Integer, nullable=False),
    sa.Column("supply_phases", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("tariff", sa.Text),
    sa.Column("phase", sa.Text, comment="R, Y or B of a single-phase supply, as surveyed"),
    sa.Column("latitude", sa.Numeric(9, 6)),
    sa.Column("longitude", sa.Numeric(9, 6)),
    _fk("office_id", "office"),
    sa.Index(None, "discom_id", "office_id"),
    _one_of("phase", "R", "Y", "B"),
    sa.CheckConstraint("latitude between -90 and 90 and longitude between -180 and 180", name="position"),
)

consumer = _registry(
    "consumer",
    "consumer_id",
    sa.Column("name", sa.Text),
    sa.Column("service_point_id", sa.Integer, nullable=False),
    *_effective(),
    _fk("service_point_id", "service_point"),
    sa.Index(None, "discom_id", "service_point_id"),
    sa.Index("consumer_ended_idx", "discom_id", "valid_to", postgresql_where=sa.text("valid_to is not null")),
)

hes = _registry(
    "hes",
    "hes_id",
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("base_url", sa.Text, comment="where it is pulled from; secrets come from the environment"),
    sa.Column("pull_every_min", sa.Integer, comment="NULL = nobody pulls it"),
    sa.Column("max_concurrent", sa.SmallInteger, nullable=False, server_default="4", comment="commands or reads under way at once"),
    sa.Column("commands_per_min", sa.Integer, nullable=False, server_default="60"),
    sa.Column("silent_after_min", sa.Integer, nullable=False, server_default="1440", comment="a delivery older than that is a warning"),
    sa.CheckConstraint("pull_every_min > 0 and max_concurrent > 0 and commands_per_min > 0 and silent_after_min > 0", name="limits"),
)

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
    sa.Column("register_digits", sa.SmallInteger, comment="of the kWh register before the point; NULL = never rolls"),
    sa.Column("medium", sa.Text, comment="how it communicates: RF, 4G, NB-IoT, PLC …"),
    sa.Column("payment", sa.Text, comment="prepaid or postpaid"),
    sa.Column("state", sa.Text, comment="of its life: ORDERED to SCRAPPED (domain 7)"),
    sa.Column("lot", sa.Text, comment="of its purchase"),
    sa.Column("manufactured_on", sa.Date),
    sa.Column("commissioned_on", sa.Date),
    sa.Column("warranty_until", sa.Date),
    sa.Column("target_firmware", sa.Text, comment="that it shall have; NULL = what it has is right"),
    sa.PrimaryKeyConstraint("discom_id", "meter_id"),
    sa.UniqueConstraint("discom_id", "serial"),
    sa.Index("meter_serial_idx", "discom_id", "serial"),  # of collation C: by its beginning, whatever the database's collation is
    sa.CheckConstraint("interval_min > 0 and mod(1440, interval_min) = 0", name="interval_min"),
    sa.CheckConstraint("register_digits between 4 and 12", name="register_digits"),
    _one_of("payment", "prepaid", "postpaid"),
    _one_of("state", *MeterState),
    _fk("hes_id", "hes"),
    schema="registry",
)

meter_endpoint = sa.Table(
    "meter_endpoint",
    metadata,
    _discom(),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("port", sa.Integer, nullable=False, server_default="4059"),
    sa.Column("framing", sa.Text, nullable=False, server_default="wrapper"),
    sa.Column("client_address", sa.Integer, nullable=False),
    sa.Column("server_address", sa.Integer, nullable=False, server_default="1"),
    sa.Column("authentication", sa.Text, nullable=False),
    sa.Column("system_title", sa.Text, comment="8 octets in hex; by it a pushed frame is known"),
    sa.PrimaryKeyConstraint("discom_id", "meter_id"),
    sa.Index(None, "discom_id", "system_title", unique=True),
    sa.CheckConstraint("port between 1 and 65535", name="port"),
    _one_of("framing", "wrapper", "hdlc"),
    _one_of("authentication", "none", "lls", "hls_gmac"),
    sa.CheckConstraint("system_title ~ '^[0-9A-F]{16}$'", name="system_title"),
    _fk("meter_id", "meter"),
    schema="registry",
    comment="Where a meter that is read directly by DLMS answers; its keys stand in the file of METERHOUSE_DLMS_KEYS",
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
    sa.Index(None, "discom_id", "service_point_id"),
    sa.Index("installation_dt_idx", "discom_id", "dt_id", postgresql_where=sa.text("dt_id is not null")),
    sa.Index("installation_feeder_idx", "discom_id", "feeder_id", postgresql_where=sa.text("feeder_id is not null")),
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
    _one_of("state", "UNTAGGED", "SURVEYED", "INFERRED", "VERIFIED", "DISPUTED"),
    pg.ExcludeConstraint(
        ("discom_id", "="),
        ("service_point_id", "="),
        (sa.text("daterange(valid_from, valid_to)"), "&&"),
        using="gist",
        name="consumer_index_no_overlap",
    ),
    sa.Index("consumer_index_dt_idx", "discom_id", "dt_id", postgresql_where=sa.text("dt_id is not null")),
    sa.Index("consumer_index_feeder_idx", "discom_id", "feeder_id", postgresql_where=sa.text("feeder_id is not null")),
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

check_meter = sa.Table(
    "check_meter",
    metadata,
    _discom(),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.Column("check_meter_id", sa.Integer, nullable=False),
    sa.Column("ratio", sa.Numeric(12, 6), nullable=False, server_default="1", comment="Wh of meter_id per Wh of check_meter_id"),
    *_effective(),
    sa.PrimaryKeyConstraint("discom_id", "meter_id", "valid_from"),
    sa.CheckConstraint("ratio > 0", name="ratio"),
    sa.CheckConstraint("meter_id <> check_meter_id", name="other"),
    sa.CheckConstraint("valid_to is null or valid_to > valid_from", name="period"),
    pg.ExcludeConstraint(
        ("discom_id", "="),
        ("meter_id", "="),
        (sa.text("daterange(valid_from, valid_to)"), "&&"),
        using="gist",
        name="check_meter_no_overlap",
    ),
    _fk("meter_id", "meter"),
    _fk("check_meter_id", "meter", "meter_id"),
    schema="registry",
    comment="Which meter checks which (EM2)",
)

temperature = sa.Table(
    "temperature",
    metadata,
    _discom(),
    sa.Column("station", sa.Text, nullable=False, comment="code of the office that it is for, and for all offices below"),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("milli_c", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "station", "at"),
    sa.CheckConstraint("milli_c between -60000 and 65000", name="range"),
    schema="registry",
    comment="Air temperature, thousandths of a degree Celsius (EM5)",
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

_MONTH = "extract(day from month) = 1"

assessed_supply = sa.Table(
    "assessed_supply",
    metadata,
    _discom(),
    sa.Column("dt_id", sa.Integer, nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False, comment="of the consumers, as of service points"),
    sa.Column("consumers", sa.Integer, nullable=False, server_default="0"),
    sa.Column("connected_load_w", sa.Integer),
    sa.Column("energy_wh", sa.BigInteger, nullable=False, comment="assessed for the month"),
    sa.PrimaryKeyConstraint("discom_id", "dt_id", "month", "kind", "category"),
    sa.CheckConstraint(_MONTH, name="month"),
    _one_of("kind", "unmetered", "street_light", "other"),
    sa.CheckConstraint("energy_wh >= 0 and consumers >= 0", name="energy"),
    _fk("dt_id", "dt"),
    schema="registry",
    comment="Supply without a meter below a DT, as assessed month by month",
)

feeder_transfer = sa.Table(
    "feeder_transfer",
    metadata,
    _discom(),
    sa.Column("from_feeder_id", sa.Integer, nullable=False),
    sa.Column("to_feeder_id", sa.Integer, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("energy_wh", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "from_feeder_id", "to_feeder_id", "day"),
    sa.CheckConstraint("from_feeder_id <> to_feeder_id", name="other"),
    sa.CheckConstraint("energy_wh >= 0", name="energy"),
    _fk("from_feeder_id", "feeder", "feeder_id"),
    _fk("to_feeder_id", "feeder", "feeder_id"),
    schema="registry",
    comment="Energy that one feeder passed on to another (load transfer, back-feed), behind the meter of the first",
)

energy_purchase = sa.Table(
    "energy_purchase",
    metadata,
    _discom(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("voltage_kv", sa.Numeric(6, 2), nullable=False),
    sa.Column("energy_wh", sa.BigInteger, nullable=False, comment="traded: what was sold on"),
    sa.Column("remarks", sa.Text),
    sa.PrimaryKeyConstraint("discom_id", "source", "month", "kind", "voltage_kv"),
    sa.CheckConstraint(_MONTH, name="month"),
    _one_of("kind", "generation", "long_term", "medium_term", "short_term", "renewable", "banking", "exchange", "open_access", "traded"),
    sa.CheckConstraint("energy_wh >= 0", name="energy"),
    schema="registry",
    comment="Where the DISCOM's energy came from (row A of the AT&C table, BEE P2)",
)

open_access = sa.Table(
    "open_access",
    metadata,
    _discom(),
    sa.Column("service_point_id", sa.Integer, nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("energy_wh", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "service_point_id", "month"),
    sa.CheckConstraint(_MONTH, name="month"),
    sa.CheckConstraint("energy_wh >= 0", name="energy"),
    _fk("service_point_id", "service_point"),
    schema="registry",
    comment="Of what a consumer's meter counted, what it bought elsewhere and the DISCOM only wheeled",
)

planned_outage = sa.Table(
    "planned_outage",
    metadata,
    _discom(),
    sa.Column("feeder_id", sa.Integer, nullable=False),
    sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("discom_id", "feeder_id", "starts_at"),
    _one_of("kind", "planned", "load_shedding"),
    sa.CheckConstraint("ends_at > starts_at", name="period"),
    _fk("feeder_id", "feeder"),
    schema="registry",
)

load_forecast = sa.Table(
    "load_forecast",
    metadata,
    _discom(),
    sa.Column("feeder_id", sa.Integer, nullable=False),
    sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("power_w", sa.BigInteger, nullable=False, comment="mean over the slot that begins then, on the primary side"),
    sa.PrimaryKeyConstraint("discom_id", "feeder_id", "starts_at"),
    _fk("feeder_id", "feeder"),
    schema="registry",
    comment="What was forecast a day ahead, by whoever forecasts",
)

rdss_target = sa.Table(
    "rdss_target",
    metadata,
    _discom(),
    sa.Column("office_id", sa.Integer, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("sanctioned", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "office_id", "item"),
    _one_of("item", "consumer", "dt", "feeder"),
    sa.CheckConstraint("sanctioned >= 0", name="sanctioned"),
    _fk("office_id", "office"),
    schema="registry",
    comment="Meters sanctioned under RDSS",
)

# --- billing: what the billing system tells ---

bill = sa.Table(
    "bill",
    metadata,
    _discom(),
    sa.Column("consumer_id", sa.Integer, nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("energy_wh", sa.BigInteger, nullable=False, comment="billed"),
    sa.Column("assessed", sa.Boolean, nullable=False, server_default=sa.false(), comment="not from a reading"),
    sa.Column("amount_inr", sa.Numeric(14, 2), nullable=False, comment="with the subsidy that was booked"),
    sa.Column("subsidy_inr", sa.Numeric(14, 2), nullable=False, server_default="0", comment="booked, a part of the amount"),
    sa.Column("number", sa.Text, comment="of the billing system; NULL = a file without it"),
    sa.Column("issued_on", sa.Date, comment="of two bills of a month the later one stands"),
    sa.PrimaryKeyConstraint("discom_id", "consumer_id", "month"),
    sa.CheckConstraint(_MONTH, name="month"),
    sa.Index("bill_number_idx", "discom_id", "number", unique=True, postgresql_where=sa.text("number is not null")),
    _fk("consumer_id", "consumer"),
    schema="billing",
    comment="What a consumer was billed for a month: the latest bill of it",
)

delivery = sa.Table(
    "delivery",
    metadata,
    _discom(),
    sa.Column("delivery_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("received", sa.Integer, nullable=False),
    sa.Column("stored", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False, comment="were there already, or a later bill of the month was"),
    sa.Column("rejected", sa.Integer, nullable=False),
    sa.Column("content_sha256", pg.BYTEA, nullable=False),
    sa.Column("refusals", pg.JSONB, nullable=False, comment="[{row, number, code, detail}] of all that were rejected"),
    sa.PrimaryKeyConstraint("discom_id", "delivery_id"),
    sa.CheckConstraint("kind in ('bills','receipts')", name="kind"),
    sa.CheckConstraint("received = stored + unchanged + rejected", name="nothing_lost"),
    schema="billing",
    comment="Append-only: who delivered bills or receipts over the API, and what became of them",
)

collection = sa.Table(
    "collection",
    metadata,
    _discom(),
    sa.Column("receipt", sa.Text, nullable=False),
    sa.Column("consumer_id", sa.Integer, nullable=False),
    sa.Column("received_on", sa.Date, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, server_default="payment"),
    sa.Column("amount_inr", sa.Numeric(14, 2), nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "receipt"),
    _one_of("kind", "payment", "arrears", "subsidy", "adjustment"),
    sa.Index(None, "discom_id", "consumer_id", "received_on"),
    _fk("consumer_id", "consumer"),
    schema="billing",
    comment="What was received of a consumer, receipt by receipt",
)

# --- energy: what the monthly audit finds (audit.job); all else there is dbt's ---

audit_run = sa.Table(
    "audit_run",
    metadata,
    _discom(),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("days", sa.SmallInteger, nullable=False, comment="of the month that were read"),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("consumers_checked", sa.Integer, nullable=False),
    sa.Column("ran_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("discom_id", "month"),
    sa.CheckConstraint(_MONTH, name="month"),
    schema="energy",
    comment="Months whose tags and currents were checked",
)

suspected_tag = sa.Table(
    "suspected_tag",
    metadata,
    _discom(),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("service_point_id", sa.Integer, nullable=False),
    sa.Column("tagged_dt_id", sa.Integer, nullable=False),
    sa.Column("better_dt_id", sa.Integer, nullable=False),
    sa.Column("better_phase", sa.Text, comment="R, Y or B whose voltage it follows; NULL = their mean, or not known"),
    sa.Column("state", sa.Text, nullable=False, comment="suspected, or possible where it is less certain"),
    sa.Column("confidence", sa.Double, nullable=False, comment="probability that the better DT is the right one, of 1"),
    sa.Column("voltage_evidence", sa.Double, nullable=False, comment="log-likelihood ratios: positive speaks for the better DT"),
    sa.Column("energy_evidence", sa.Double, nullable=False),
    sa.Column("outage_evidence", sa.Double, nullable=False),
    sa.Column("distance_evidence", sa.Double, nullable=False),
    sa.Column("voltage_r_tagged", sa.Double),
    sa.Column("voltage_r_better", sa.Double),
    sa.Column("outages", sa.Integer, nullable=False, comment="power failures of the consumer's meter in the month"),
    sa.Column("outages_tagged", sa.Integer, nullable=False, comment="of them with the tagged DT at once"),
    sa.Column("outages_better", sa.Integer, nullable=False),
    sa.Column("tagged_m", sa.Double, comment="distance"),
    sa.Column("better_m", sa.Double),
    sa.PrimaryKeyConstraint("discom_id", "month", "service_point_id"),
    sa.CheckConstraint(_MONTH, name="month"),
    _one_of("better_phase", "R", "Y", "B"),
    _one_of("state", "suspected", "possible"),
    schema="energy",
    comment="Consumers that are likelier at another DT than their tag says, month by month",
)

current_mismatch = sa.Table(
    "current_mismatch",
    metadata,
    _discom(),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.Column("slots", sa.Integer, nullable=False, comment="with current, of the days that were read"),
    sa.Column("excess_slots", sa.Integer, nullable=False, comment="of them with clearly more in the neutral"),
    sa.Column("phase_ah", sa.Double, nullable=False),
    sa.Column("neutral_ah", sa.Double, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "month", "meter_id"),
    sa.CheckConstraint(_MONTH, name="month"),
    schema="energy",
    comment="Single-phase meters whose neutral carries more than their phase, month by month",
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
    sa.Index(None, "discom_id", "hes_id", "landed_at"),
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
    *(sa.Column(c, pg.ARRAY(sa.Integer)) for c in FURTHER_CHANNELS),
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
    # What vee.evidence looks back for: the supply of the days around, the relay's whole history.
    sa.Index("event_power_idx", "discom_id", "day", "meter_id", "occurred_at", "code", postgresql_where=sa.text("code in (101, 102)")),
    sa.Index("event_relay_idx", "discom_id", "meter_id", "occurred_at", "code", postgresql_where=sa.text("code in (301, 302)")),
    schema="raw",
    postgresql_partition_by="RANGE (day)",
)

meter_value = sa.Table(
    "meter_value",
    metadata,
    *_meter_day(),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("read_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("quantity", sa.Text, nullable=False),
    sa.Column("zone", sa.SmallInteger, nullable=False, server_default="0", comment="0 = total, 1 to 8 = TOD zone"),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), comment="when a maximum demand was"),
    *_landed(),
    sa.CheckConstraint("profile in ('instant','daily','billing')", name="profile"),
    sa.CheckConstraint("zone between 0 and 8", name="zone"),
    sa.Index(None, "discom_id", "day", "meter_id"),
    sa.Index("meter_value_clock_idx", "discom_id", "day", "meter_id", postgresql_where=sa.text("quantity = 'clock_drift_s'")),
    sa.Index("meter_value_zone_idx", "discom_id", "day", "meter_id", postgresql_where=sa.text("zone > 0")),
    schema="raw",
    postgresql_partition_by="RANGE (day)",
    comment="Instantaneous, billing and further daily values. day: of the reading, or the day that is closed",
)

nameplate = sa.Table(
    "nameplate",
    metadata,
    sa.Column("discom_id", sa.SmallInteger, nullable=False),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.Column("read_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("attribute", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    *_landed(),
    sa.Index(None, "discom_id", "meter_id"),
    sa.Index(
        "nameplate_identity_idx",
        "discom_id",
        "attribute",
        "meter_id",
        postgresql_where=sa.text("attribute in ('serial','ct_ratio','pt_ratio','mf')"),
    ),
    schema="raw",
)

event_status = sa.Table(
    "event_status",
    metadata,
    *_meter_day(),
    sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("word", pg.BYTEA, nullable=False),
    *_landed(),
    sa.CheckConstraint("octet_length(word) = 16", name="word"),
    sa.Index(None, "discom_id", "day", "meter_id"),
    sa.Index(None, "discom_id", "meter_id", "occurred_at"),  # which word came before
    schema="raw",
    postgresql_partition_by="RANGE (day)",
    comment="Event status words (ESW, 128 bits) as meters push them: bit 0 is the most significant of the first octet",
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
    sa.Column("profile", sa.Text, comment="of the vendor file"),
    sa.Column("code", sa.Text, comment="OBIS or vendor's code that is not mapped"),
    sa.Column("record", pg.JSONB, comment="what can be replayed once the registry knows its meter, as Meterhouse's own JSON"),
    sa.PrimaryKeyConstraint("discom_id", "rejected_id"),
    sa.ForeignKeyConstraint(["discom_id", "batch_id"], ["raw.batch.discom_id", "raw.batch.batch_id"]),
    sa.Index(None, "discom_id", "batch_id"),
    sa.Index(
        "rejected_stamp_idx",
        "discom_id",
        "stamp",
        postgresql_where=sa.text("meter_id is not null and reason in ('OFF_GRID','WRONG_INTERVAL','WRONG_UNIT')"),
    ),
    sa.Index(
        "rejected_received_idx",
        "discom_id",
        "received_at",
        postgresql_where=sa.text("meter_id is not null and (stamp is null or reason = 'FUTURE_STAMP')"),
    ),
    schema="raw",
)

replayed = sa.Table(
    "replayed",
    metadata,
    sa.Column("discom_id", sa.SmallInteger, nullable=False),
    sa.Column("rejected_id", sa.BigInteger, nullable=False),
    sa.Column("batch_id", sa.BigInteger, nullable=False, comment="in which it landed after all"),
    sa.PrimaryKeyConstraint("discom_id", "rejected_id"),
    sa.ForeignKeyConstraint(["discom_id", "rejected_id"], ["raw.rejected.discom_id", "raw.rejected.rejected_id"]),
    sa.ForeignKeyConstraint(["discom_id", "batch_id"], ["raw.batch.discom_id", "raw.batch.batch_id"]),
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

# --- vee: what suites, people and estimation write ---

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
    sa.Column("check_key", sa.Text, comment="rule and variant of the suite: V13.domestic"),
    # No foreign key: it would be checked row by row for every exception of a day.
    sa.Column("case_id", sa.BigInteger),
    sa.Column("stake_wh", sa.BigInteger, comment="energy of the meter-day when its case was looked at"),
    sa.PrimaryKeyConstraint("discom_id", "day", "meter_id", "rule", "stage"),
    sa.CheckConstraint("state in ('open','estimated','cleared','closed')", name="state"),
    sa.CheckConstraint("stage in ('initial','estimate','edit','frozen')", name="stage"),
    sa.Index(None, "discom_id", "case_id", postgresql_where=sa.text("case_id is not null")),
    schema="vee",
    postgresql_partition_by="RANGE (day)",
)

case = sa.Table(
    "case",
    metadata,
    _discom(),
    sa.Column("case_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("meter_id", sa.Integer, comment="of a case of one meter"),
    sa.Column("dt_id", sa.Integer, comment="of a case of a DT; of a meter the DT that it hung on when the case was opened"),
    sa.Column("feeder_id", sa.Integer, comment="as dt_id"),
    sa.Column("office_id", sa.Integer, comment="that looks after the place"),
    sa.Column(
        "place_id",
        sa.Integer,
        sa.Computed("case scope when 'meter' then meter_id when 'dt' then dt_id else feeder_id end", persisted=True),
        nullable=False,
    ),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False, comment="the worst of its exceptions"),
    sa.Column("action", sa.Text, nullable=False, comment="the strictest of its exceptions"),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("meters", sa.Integer, nullable=False),
    sa.Column("meter_days", sa.Integer, nullable=False),
    sa.Column("stake_wh", sa.BigInteger, comment="energy of its meter-days where known, with the multiplying factor"),
    sa.Column("priority", sa.SmallInteger, nullable=False, comment="1 comes first"),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("assignee", sa.Text),
    sa.Column("wait_reason", sa.Text),
    sa.Column("wait_until", sa.TIMESTAMP(timezone=True), comment="NULL = until somebody acts"),
    sa.Column("follows", sa.BigInteger, comment="the case before of the same place and rule"),
    sa.Column("opened_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("closed_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("closed_by", sa.Text),
    sa.Column("resolution", sa.Text),
    sa.Column("resolution_note", sa.Text),
    sa.PrimaryKeyConstraint("discom_id", "case_id"),
    sa.CheckConstraint("scope in ('meter','dt','feeder')", name="scope"),
    sa.CheckConstraint("(scope = 'meter') = (meter_id is not null)", name="meter"),
    sa.CheckConstraint("stage in ('initial','estimate','edit','frozen')", name="stage"),
    sa.CheckConstraint("state in ('open','assigned','waiting','closed')", name="state"),
    sa.CheckConstraint("state <> 'assigned' or assignee is not null", name="assignee"),
    sa.CheckConstraint("(state = 'waiting') = (wait_reason is not null)", name="waiting"),
    sa.CheckConstraint("(state = 'closed') = (num_nonnulls(closed_at, closed_by, resolution) = 3)", name="closed"),
    sa.CheckConstraint("last_day >= first_day", name="period"),
    sa.Index("case_place_idx", "discom_id", "scope", "place_id", "rule", "stage", "last_day"),
    sa.Index(
        "case_queue_idx",
        "discom_id",
        "priority",
        sa.text("coalesce(stake_wh, 0) desc"),
        "opened_at",
        "case_id",
        postgresql_where=sa.text("state <> 'closed'"),
    ),
    schema="vee",
    comment="Exceptions that need a person, grouped: one rule at one place on consecutive days",
)

case_audit = sa.Table(
    "case_audit",
    metadata,
    _discom(),
    sa.Column("audit_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("case_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("before", pg.JSONB, nullable=False),
    sa.Column("after", pg.JSONB, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "audit_id"),
    sa.ForeignKeyConstraint(["discom_id", "case_id"], ["vee.case.discom_id", "vee.case.case_id"]),
    sa.Index(None, "discom_id", "case_id"),
    schema="vee",
    comment="Append-only: everything that people did with a case, and that the machine closed it",
)


def _chained() -> tuple[Any, ...]:
    """The chain over what people do: each row has the hash of the one before (trigger vee.chain), per DISCOM over all these tables."""
    return (
        sa.Column("written_by", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
        sa.Column("chain_no", sa.BigInteger, nullable=False, comment="place in the DISCOM's chain, from 1"),
        sa.Column("prev_hash", pg.BYTEA, nullable=False),
        sa.Column("hash", pg.BYTEA, nullable=False, comment="sha256(prev_hash, vee.audit_line of the row), set by a trigger"),
        sa.Index(None, "discom_id", "chain_no", unique=True),
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
    sa.Column("request", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid()),
    sa.Column("operation", pg.JSONB, nullable=False, server_default="[]", comment="what was done: kind, slots, parameters"),
    sa.Column("note", sa.Text),
    sa.Column("approved_in", Xid8, comment="transaction of the approval: builds that did not see it"),
    *_chained(),
    sa.PrimaryKeyConstraint("discom_id", "edit_id"),
    sa.CheckConstraint("(approver is null) = (approved_at is null)", name="approval"),
    sa.CheckConstraint("approver is distinct from editor", name="four_eyes"),
    sa.Index(None, "discom_id", "day", "meter_id"),
    sa.Index("edit_request_idx", "discom_id", "request"),
    schema="vee",
)

rule_set = sa.Table(
    "rule_set",
    metadata,
    _discom(),
    sa.Column("rule_set_id", sa.Integer, sa.Identity(), nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False, comment="of the rules"),
    sa.Column("rules", pg.JSONB, nullable=False, comment="the checks of all stages, as they are in force"),
    sa.Column("overlay", sa.Text, comment="text of the DISCOM's overlay when it was first in force; NULL = none"),
    sa.Column("noted_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("discom_id", "rule_set_id"),
    sa.UniqueConstraint("discom_id", "sha256"),
    schema="vee",
    comment="Versions of the rules in force; append-only",
)

rule_proposal = sa.Table(
    "rule_proposal",
    metadata,
    _discom(),
    sa.Column("proposal_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("overlay", sa.Text, nullable=False, comment="text of the whole overlay that is proposed"),
    sa.Column("replaces_sha256", sa.LargeBinary, comment="of the overlay's text that was in force; NULL = none was"),
    sa.Column("note", sa.Text, nullable=False, comment="why"),
    sa.Column("preview", pg.JSONB, comment="what it would have changed on the days that were asked for"),
    sa.Column("proposed_by", sa.Text, nullable=False),
    sa.Column("proposed_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("state", sa.Text, nullable=False, server_default="proposed"),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", sa.TIMESTAMP(timezone=True)),
    sa.PrimaryKeyConstraint("discom_id", "proposal_id"),
    sa.CheckConstraint("state in ('proposed','withdrawn','accepted')", name="state"),
    sa.CheckConstraint("(state = 'proposed') = (decided_at is null) and (decided_by is null) = (decided_at is null)", name="decision"),
    sa.CheckConstraint("state <> 'accepted' or decided_by <> proposed_by", name="four_eyes"),
    schema="vee",
    comment="Overlays that people propose; the file of the overlay says what is in force",
)

edit_decision = sa.Table(
    "edit_decision",
    metadata,
    _discom(),
    sa.Column("edit_id", sa.BigInteger, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False, comment="policy: small enough to need no second person"),
    sa.Column("decided_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("note", sa.Text),
    *_chained(),
    sa.PrimaryKeyConstraint("discom_id", "edit_id"),
    sa.ForeignKeyConstraint(["discom_id", "edit_id"], ["vee.edit.discom_id", "vee.edit.edit_id"]),
    sa.CheckConstraint("decision in ('approved','rejected','withdrawn')", name="decision"),
    schema="vee",
    comment="Append-only: what became of an edit. No row: it waits",
)

freeze = sa.Table(
    "freeze",
    metadata,
    _discom(),
    sa.Column("freeze_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("releases", sa.BigInteger, comment="the freeze that this row ends"),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("frozen_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("frozen_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    *_chained(),
    sa.PrimaryKeyConstraint("discom_id", "freeze_id"),
    sa.ForeignKeyConstraint(["discom_id", "releases"], ["vee.freeze.discom_id", "vee.freeze.freeze_id"]),
    sa.UniqueConstraint("discom_id", "releases"),
    sa.CheckConstraint("first_day <= last_day", name="period"),
    schema="vee",
    comment="Append-only: periods that were billed, and their release",
)

estimated_day = sa.Table(
    "estimated_day",
    metadata,
    *_meter_day(),
    sa.Column("import_wh", pg.ARRAY(sa.Integer), nullable=False),
    sa.Column("export_wh", pg.ARRAY(sa.Integer)),
    sa.Column("import_vah", pg.ARRAY(sa.Integer)),
    sa.Column("quality", pg.ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("method", pg.ARRAY(sa.SmallInteger), nullable=False),
    sa.Column("import_day_wh", sa.BigInteger),
    sa.Column("export_day_wh", sa.BigInteger),
    sa.Column("import_day_vah", sa.BigInteger),
    sa.Column("estimated_slots", sa.Integer, nullable=False),
    sa.Column("missing_slots", sa.Integer, nullable=False),
    sa.Column("estimated_wh", sa.BigInteger, nullable=False),
    sa.Column("basis", pg.JSONB),
    sa.Column("unscaled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.PrimaryKeyConstraint("discom_id", "day", "meter_id"),
    sa.Index(None, "discom_id", "day", "meter_id", postgresql_where=sa.text("unscaled")),
    schema="vee",
    postgresql_partition_by="RANGE (day)",
)

class_profile = sa.Table(
    "class_profile",
    metadata,
    _discom(),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("interval_min", sa.SmallInteger, nullable=False),
    sa.Column("day_type", sa.SmallInteger, nullable=False, comment="0 weekday, 6 Saturday, 7 Sunday or holiday"),
    sa.Column("share", pg.ARRAY(sa.REAL), nullable=False, comment="of each slot in the day's energy; sums to 1"),
    sa.Column("wh_per_kw", sa.Double, comment="mean energy of a day per kW of sanctioned load; NULL = no load is known"),
    sa.Column("meter_days", sa.Integer, nullable=False, comment="good days that it was learnt from"),
    sa.Column("learnt_to", sa.Date, nullable=False, comment="last of them"),
    sa.PrimaryKeyConstraint("discom_id", "category", "interval_min", "day_type"),
    sa.CheckConstraint("day_type in (0, 6, 7)", name="day_type"),
    schema="vee",
    comment="How the import of a category lies in the day, learnt from the DISCOM's own good days (EM7)",
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
    sa.Column("rule_set_id", sa.Integer, comment="vee.rule_set that judges the day"),
    sa.Column("rebill_saw", PgSnapshot, comment="frozen: up to where late data was judged"),
    sa.PrimaryKeyConstraint("discom_id", "day"),
    schema="ops",
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    _discom(),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("hash", pg.BYTEA, nullable=False),
    sa.PrimaryKeyConstraint("discom_id"),
    schema="ops",
    comment="Where the chain over vee.edit, vee.edit_decision and vee.freeze ends, so that a shortened one is seen",
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

decided_day = sa.Table(
    "decided_day",
    metadata,
    _discom(),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("written_by", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("meters", pg.ARRAY(sa.Integer), nullable=False, comment="meter_id of those that it is about"),
    sa.PrimaryKeyConstraint("discom_id", "day", "written_by"),
    schema="ops",
    comment="Days of which a person decided something that what is built from them must follow",
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

api_key = sa.Table(
    "api_key",
    metadata,
    _discom(),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("secret_sha256", pg.BYTEA, nullable=False, comment="of a random secret of 256 bits: no salt is needed"),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("hes_id", sa.Integer),
    sa.Column("office_id", sa.Integer, comment="with the offices below it; NULL = the whole DISCOM"),
    sa.Column("name", sa.Text, nullable=False, comment="who holds it, for the audit trail"),
    sa.Column("networks", pg.ARRAY(pg.CIDR), comment="NULL = from anywhere"),
    sa.Column("requests_per_min", sa.Integer, nullable=False, server_default="600"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), comment="NULL = it does not end by itself"),
    sa.Column("revoked_at", sa.TIMESTAMP(timezone=True)),
    sa.PrimaryKeyConstraint("discom_id", "key_id"),
    sa.UniqueConstraint("key_id"),
    sa.CheckConstraint("(role = 'hes_vendor') = (hes_id is not null)", name="hes"),
    sa.CheckConstraint("role <> 'platform_admin'", name="role"),
    _fk("office_id", "office"),
    sa.CheckConstraint("requests_per_min > 0", name="requests"),
    _fk("hes_id", "hes"),
    schema="ops",
)

# --- who calls ---

account = sa.Table(
    "account",
    metadata,
    sa.Column("account_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("login", sa.Text, nullable=False, comment="in lower case"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, comment="name of the identity provider or directory; NULL = local"),
    sa.Column("subject", sa.Text, comment="what the provider calls it"),
    sa.Column("groups", pg.ARRAY(sa.Text), nullable=False, server_default="{}", comment="at the provider, as of the latest log-in"),
    sa.Column("password_hash", sa.Text, comment="argon2id"),
    sa.Column("totp_secret", pg.BYTEA, comment="sealed with the key of the API"),
    sa.Column("totp_used_at", sa.BigInteger, comment="time step of the latest code: none counts twice"),
    sa.Column("failed_logins", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("locked_until", sa.TIMESTAMP(timezone=True)),
    sa.Column(
        "platform_admin", sa.Boolean, nullable=False, server_default="false", comment="administers tenants; sees the data of none by it"
    ),
    sa.Column("disabled_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column(
        "home_discom_id",
        sa.SmallInteger,
        sa.ForeignKey("registry.discom.discom_id"),
        index=True,
        comment="whose administrators look after it; NULL = the platform's or a provider's",
    ),
    sa.Column(
        "one_time_until",
        sa.TIMESTAMP(timezone=True),
        comment="the password is good once, until then, to set another; NULL = the holder's own",
    ),
    sa.Column("totp_pending", pg.BYTEA, comment="not confirmed yet; sealed as totp_secret"),
    sa.Column("totp_since", sa.TIMESTAMP(timezone=True), comment="NULL = log-ins ask for no code"),
    sa.PrimaryKeyConstraint("account_id"),
    sa.UniqueConstraint("login"),
    sa.UniqueConstraint("provider", "subject"),
    sa.CheckConstraint("source in ('local','oidc','saml','ldap')", name="source"),
    sa.CheckConstraint("(source = 'local') = (provider is null)", name="provider"),
    sa.CheckConstraint("login = lower(login)", name="login"),
    sa.CheckConstraint("home_discom_id is null or (source = 'local' and not platform_admin)", name="home"),
    schema="ops",
    comment="People and programs that log in; what they may do stands in ops.role_grant",
)

role = sa.Table(
    "role",
    metadata,
    _discom(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("permissions", pg.ARRAY(sa.Text), nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "code"),
    sa.CheckConstraint("code not in ('tenant_admin','platform_admin')", name="code"),
    sa.CheckConstraint("not ('tenants:manage' = any(permissions))", name="permissions"),
    schema="ops",
    comment="Roles of a DISCOM's own, beside those that are shipped",
)

role_grant = sa.Table(
    "role_grant",
    metadata,
    _discom(),
    sa.Column("grant_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("ops.account.account_id")),
    sa.Column("provider", sa.Text),
    sa.Column("group_name", sa.Text, comment="at the provider: whoever is in it holds the role"),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("office_id", sa.Integer, comment="with the offices below it; NULL = not limited to one"),
    sa.Column("service_point_id", sa.Integer, comment="of a consumer"),
    sa.Column("granted_by", sa.Text, nullable=False),
    sa.Column("granted_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("revoked_at", sa.TIMESTAMP(timezone=True)),
    sa.PrimaryKeyConstraint("discom_id", "grant_id"),
    sa.CheckConstraint("(account_id is null) = (group_name is not null)", name="holder"),
    sa.CheckConstraint("(group_name is null) = (provider is null)", name="group"),
    sa.CheckConstraint("num_nonnulls(office_id, service_point_id) < 2", name="scope"),
    sa.CheckConstraint("role not in ('platform_admin','hes_vendor')", name="role"),
    _fk("office_id", "office"),
    _fk("service_point_id", "service_point"),
    sa.Index(None, "account_id"),
    sa.Index(None, "provider", "group_name"),
    schema="ops",
    comment="Who holds which role in a DISCOM, and where",
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("session_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("ops.account.account_id"), nullable=False),
    sa.Column("discom_id", sa.SmallInteger, sa.ForeignKey("registry.discom.discom_id"), comment="NULL = of a platform administrator"),
    sa.Column("refresh_sha256", pg.BYTEA, nullable=False),
    sa.Column("previous_sha256", pg.BYTEA, comment="shown again, it was stolen: the session ends"),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("used_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("revoked_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("revoked_why", sa.Text),
    sa.PrimaryKeyConstraint("session_id"),
    sa.UniqueConstraint("refresh_sha256"),
    sa.Index(None, "account_id"),
    schema="ops",
    comment="Log-ins: an access token names one, a refresh token prolongs it",
)

spent = sa.Table(
    "spent",
    metadata,
    sa.Column("sha256", pg.BYTEA, nullable=False),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="from then on it is refused for its age"),
    sa.PrimaryKeyConstraint("sha256"),
    schema="ops",
    comment="What is good once and was used in a log-in: states, assertions, codes of front ends",
)

access_audit = sa.Table(
    "access_audit",
    metadata,
    sa.Column("audit_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("discom_id", sa.SmallInteger, comment="NULL = of no tenant, as a caller who is not known"),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("who", sa.Text),
    sa.Column("action", sa.Text, nullable=False, comment="the permission that was asked for, or what was changed"),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("method", sa.Text),
    sa.Column("path", sa.Text),
    sa.Column("request_id", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("detail", pg.JSONB),
    sa.PrimaryKeyConstraint("audit_id"),
    sa.CheckConstraint("outcome in ('allowed','refused','changed')", name="outcome"),
    sa.Index(None, "discom_id", "at"),
    sa.Index("access_audit_changed_idx", "discom_id", "at", postgresql_where=sa.text("outcome = 'changed'")),
    schema="ops",
    comment="Every decision on a request, and every change of who may do what; append-only",
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("discom_id", sa.SmallInteger, nullable=False, comment="0 = of a platform administrator"),
    sa.Column("subject", sa.Text, nullable=False, comment="id of the key, or login, of who asked"),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("request_sha256", pg.BYTEA, nullable=False, comment="of path, query, media type and body"),
    sa.Column("begun_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("status", sa.SmallInteger, comment="NULL = not answered"),
    sa.Column("headers", pg.JSONB),
    sa.Column("body", pg.BYTEA, comment="NULL = not kept: secret or large"),
    sa.PrimaryKeyConstraint("discom_id", "subject", "key"),
    sa.Index(None, "expires_at"),
    schema="ops",
    comment="Requests that came with an Idempotency-Key, and what they were answered",
)

shared_table = sa.Table(
    "shared_table",
    metadata,
    sa.Column("name", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("name"),
    schema="ops",
    comment="Tables whose rows all callers of a tenant see, however limited",
)

# --- commands to meters ---

command_group = sa.Table(
    "command_group",
    metadata,
    _discom(),
    sa.Column("group_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("idempotency_key", sa.Text, nullable=False),
    sa.Column("request_sha256", pg.BYTEA, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("requested_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("refused", pg.JSONB, nullable=False, comment="[{meter, code, detail}] of the meters that got no command"),
    sa.PrimaryKeyConstraint("discom_id", "group_id"),
    sa.UniqueConstraint("discom_id", "idempotency_key"),
    schema="ops",
    comment="Many meters, one instruction",
)

command = sa.Table(
    "command",
    metadata,
    _discom(),
    sa.Column("command_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("group_id", sa.BigInteger),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.Column("hes_id", sa.Integer, nullable=False, comment="of the meter when the command was accepted"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("parameters", pg.JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("state", sa.Text, nullable=False, server_default="queued"),
    sa.Column("reason", sa.Text, comment="why it is in this state"),
    sa.Column("priority", sa.SmallInteger, nullable=False, comment="1 goes first"),
    sa.Column("idempotency_key", sa.Text, comment="NULL in a group, which has one"),
    sa.Column("request_sha256", pg.BYTEA),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("requested_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("override_reason", sa.Text, comment="why a disconnect may go out in protected hours"),
    sa.Column(
        "due_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="queued: not sent before; acknowledged, unknown: looked at next"
    ),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0", comment="sends"),
    sa.Column("looks", sa.SmallInteger, nullable=False, server_default="0", comment="times that its outcome was asked for"),
    sa.Column("leased_by", sa.Text, comment="worker that has it in hand"),
    sa.Column("leased_until", sa.TIMESTAMP(timezone=True)),
    sa.Column("reference", sa.Text, comment="what the head-end system calls it"),
    sa.Column("sent_at", sa.TIMESTAMP(timezone=True), comment="of the latest send, noted before it"),
    sa.Column("finished_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("result", pg.JSONB),
    sa.PrimaryKeyConstraint("discom_id", "command_id"),
    sa.UniqueConstraint("discom_id", "idempotency_key"),
    sa.ForeignKeyConstraint(["discom_id", "group_id"], ["ops.command_group.discom_id", "ops.command_group.group_id"]),
    _fk("meter_id", "meter"),
    _fk("hes_id", "hes"),
    sa.CheckConstraint(
        "kind in ('connect','disconnect','load_limit','read','read_profile','clock_sync','tod_calendar')",
        name="kind",
    ),
    sa.CheckConstraint("state in ('queued','sent','acknowledged','unknown','done','failed','timed_out','cancelled')", name="state"),
    sa.CheckConstraint("priority between 1 and 9", name="priority"),
    sa.CheckConstraint("expires_at > requested_at", name="expires"),
    sa.CheckConstraint("(leased_by is null) = (leased_until is null)", name="lease"),
    sa.CheckConstraint("(finished_at is null) = (state in ('queued','sent','acknowledged','unknown'))", name="finished"),
    sa.Index(None, "discom_id", "meter_id", "command_id"),
    sa.Index(None, "discom_id", "group_id", "command_id"),
    sa.Index(
        "command_open_idx",
        "discom_id",
        "hes_id",
        "priority",
        "due_at",
        "command_id",
        postgresql_where=sa.text("state in ('queued','sent','acknowledged','unknown')"),
    ),
    schema="ops",
)

command_audit = sa.Table(
    "command_audit",
    metadata,
    _discom(),
    sa.Column("audit_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("command_id", sa.BigInteger, comment="NULL: refused, so there is no command"),
    sa.Column("hes_id", sa.Integer),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("from_state", sa.Text),
    sa.Column("to_state", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("detail", pg.JSONB),
    sa.PrimaryKeyConstraint("discom_id", "audit_id"),
    sa.ForeignKeyConstraint(["discom_id", "command_id"], ["ops.command.discom_id", "ops.command.command_id"]),
    sa.CheckConstraint("(command_id is null) = (to_state = 'refused')", name="refused"),
    sa.Index(None, "discom_id", "command_id"),
    sa.Index(None, "discom_id", "at"),
    sa.Index("command_audit_sends_idx", "discom_id", "hes_id", "at", postgresql_where=sa.text("to_state = 'sent'")),
    schema="ops",
    comment="Append-only: every move of every command, and every refusal",
)

# --- pulls ---

hes_pull = sa.Table(
    "hes_pull",
    metadata,
    _discom(),
    sa.Column("hes_id", sa.Integer, nullable=False),
    sa.Column("began_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("succeeded_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("failed_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="since the last success"),
    sa.Column("error", sa.Text, comment="of the latest pull, NULL where it succeeded"),
    sa.PrimaryKeyConstraint("discom_id", "hes_id"),
    _fk("hes_id", "hes"),
    schema="ops",
    comment="The latest pull of each head-end system",
)

gap_request = sa.Table(
    "gap_request",
    metadata,
    _discom(),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("times", sa.SmallInteger, nullable=False, comment="how often the head-end system answered"),
    sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "day", "meter_id", "kind"),
    sa.CheckConstraint("kind in ('block','daily')", name="kind"),
    schema="ops",
    comment="Gaps that a head-end system was asked to read again (EM1), so that it is not asked for ever",
)

alert = sa.Table(
    "alert",
    metadata,
    _discom(),
    sa.Column("alert_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("meter_id", sa.Integer, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False, comment="of the event dictionary, or the channel or quantity whose limit was passed"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("code", sa.Integer, comment="as the meter sent it"),
    sa.Column("value", sa.BigInteger, comment="the worst, of a limit that was passed"),
    sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("raised_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Column("batch_id", sa.BigInteger, nullable=False),
    sa.Column("repeats", sa.Integer, nullable=False, server_default="0", comment="further ones that the throttle held back"),
    sa.Column("last_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="when the latest of them occurred"),
    sa.Column("backfill", sa.Boolean, nullable=False, comment="too long ago when it came: nobody was told"),
    sa.PrimaryKeyConstraint("discom_id", "alert_id"),
    sa.UniqueConstraint("discom_id", "meter_id", "rule", "occurred_at", "event"),
    sa.CheckConstraint("severity in ('critical','major','minor','info')", name="severity"),
    sa.CheckConstraint("source in ('event','status','interval','value')", name="source"),
    sa.Index(None, "discom_id", "raised_at"),
    _fk("meter_id", "meter"),
    schema="ops",
)


alert_delivery = sa.Table(
    "alert_delivery",
    metadata,
    _discom(),
    sa.Column("delivery_id", sa.BigInteger, sa.Identity(), nullable=False),
    # No foreign key: it is written by the statement that writes the alert, which nobody deletes, and checking it cost ten times the rest
    # (the plan of the check is kept from when the table was empty).
    sa.Column("alert_id", sa.BigInteger, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False, comment="address of the webhook, mail address, MQTT topic, or kind of work order"),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("next_attempt_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("last_error", sa.Text),
    sa.Column("sent_at", sa.TIMESTAMP(timezone=True)),
    sa.PrimaryKeyConstraint("discom_id", "delivery_id"),
    sa.CheckConstraint("channel in ('webhook','email','mqtt','work_order')", name="channel"),
    sa.CheckConstraint("state in ('pending','sent','failed')", name="state"),
    sa.CheckConstraint("(state = 'sent') = (sent_at is not null)", name="sent"),
    sa.Index(None, "next_attempt_at", postgresql_where=sa.text("state = 'pending'")),
    sa.Index(None, "discom_id", "alert_id"),
    schema="ops",
    comment="Outbox of alerts: what is to be sent is written with the alert, and sent afterwards at least once",
)

work_order_request = sa.Table(
    "work_order_request",
    metadata,
    _discom(),
    sa.Column("request_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("alert_id", sa.BigInteger),
    sa.ForeignKeyConstraint(["discom_id", "alert_id"], ["ops.alert.discom_id", "ops.alert.alert_id"]),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("meter_id", sa.Integer, comment="NULL: of a DT or feeder, which its case names"),
    sa.Column("requested_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("case_id", sa.BigInteger),
    sa.Column("via", sa.Text, nullable=False, server_default="visit"),
    sa.PrimaryKeyConstraint("discom_id", "request_id"),
    sa.UniqueConstraint("discom_id", "alert_id", "kind"),
    sa.ForeignKeyConstraint(["discom_id", "case_id"], ["vee.case.discom_id", "vee.case.case_id"]),
    sa.UniqueConstraint("discom_id", "case_id"),
    sa.CheckConstraint("num_nonnulls(alert_id, case_id) = 1", name="asked_by"),
    sa.CheckConstraint("case_id is not null or meter_id is not null", name="meter"),
    sa.CheckConstraint("via in ('visit','command')", name="via"),
    _fk("meter_id", "meter"),
    schema="ops",
)

outage = sa.Table(
    "outage",
    metadata,
    _discom(),
    sa.Column("outage_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("feeder_id", sa.Integer, nullable=False),
    sa.Column("dt_id", sa.Integer, comment="NULL = the whole feeder"),
    sa.Column("started_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("meters_out", sa.Integer, nullable=False, comment="that reported it"),
    sa.Column("meters_total", sa.Integer, nullable=False, comment="that are installed there"),
    sa.Column("state", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("discom_id", "outage_id"),
    sa.UniqueConstraint("discom_id", "feeder_id", "dt_id", "started_at", postgresql_nulls_not_distinct=True),
    sa.CheckConstraint("(level = 'dt') = (dt_id is not null) and level in ('dt','feeder')", name="level"),
    sa.CheckConstraint("state = case when ended_at is null then 'open' else 'ended' end", name="state"),
    sa.CheckConstraint("ended_at >= started_at", name="period"),
    _fk("feeder_id", "feeder"),
    _fk("dt_id", "dt"),
    schema="ops",
    comment="Power failures of meters (last gasp, first breath) grouped to their DT or feeder",
)

outage_due = sa.Table(
    "outage_due",
    metadata,
    _discom(),
    sa.Column("due_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("meters", pg.ARRAY(sa.Integer), nullable=False),
    sa.Column("occurred_at", pg.ARRAY(sa.TIMESTAMP(timezone=True)), nullable=False, comment="of each meter's power event"),
    sa.PrimaryKeyConstraint("discom_id", "due_id"),
    schema="ops",
    comment="Power events that landed and of which ops.outage does not know yet",
)


# --- service levels ---

sla_target = sa.Table(
    "sla_target",
    metadata,
    _discom(),
    sa.Column("sla", sa.Text, nullable=False, comment="SLA-01 to SLA-13 (domain 3.3)"),
    sa.Column("target_no", sa.SmallInteger, nullable=False, comment="of a service level that has several, from 1"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("within_min", sa.Integer, comment="NULL = no time is measured"),
    sa.Column("target_pct", sa.Numeric(6, 3), nullable=False),
    sa.Column("bands", pg.JSONB, nullable=False, comment="[{below_pct, penalty_pct}]: share of the month's fee where less was achieved"),
    sa.Column("exclude_network_outage", sa.Boolean, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False, comment="the figures were compared with the contract"),
    sa.Column("noted_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("discom_id", "sla", "target_no"),
    sa.CheckConstraint("within_min > 0", name="within"),
    sa.CheckConstraint("target_pct > 0 and target_pct <= 100", name="target"),
    schema="ops",
    comment="What was agreed, as the DISCOM's file of service levels says it",
)


# --- reports that go out ---

report_delivery = sa.Table(
    "report_delivery",
    metadata,
    _discom(),
    sa.Column("delivery_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("schedule", sa.Text, nullable=False, comment="its name in the DISCOM's file of schedules"),
    sa.Column("due_at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("what", pg.JSONB, nullable=False, comment="reports, formats, only, layout, as the schedule said them when it was due"),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False, comment="mail addresses, with commas, or a folder"),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("next_attempt_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("last_error", sa.Text),
    sa.Column("files", pg.JSONB, comment="name, bytes, rows and sha256 of each file that went out"),
    sa.Column("sent_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("noted_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("discom_id", "delivery_id"),
    sa.UniqueConstraint("discom_id", "schedule", "due_at", "channel", "target"),
    sa.CheckConstraint("last_day >= first_day", name="period"),
    sa.CheckConstraint("channel in ('email','folder')", name="channel"),
    sa.CheckConstraint("state in ('pending','sent','failed')", name="state"),
    sa.CheckConstraint("(state = 'sent') = (sent_at is not null and files is not null)", name="sent"),
    sa.Index(None, "next_attempt_at", postgresql_where=sa.text("state = 'pending'")),
    schema="ops",
    comment="Reports that were due by a schedule: the outbox and the history of what went where",
)

report_export = sa.Table(
    "report_export",
    metadata,
    _discom(),
    sa.Column("export_id", pg.UUID, nullable=False, server_default=sa.text("gen_random_uuid()")),
    sa.Column("source", sa.Text, nullable=False, comment="which part of the API makes the files"),
    sa.Column("what", pg.JSONB, nullable=False, comment="what was asked for, as the source understands it"),
    sa.Column("request_sha256", pg.BYTEA, nullable=False, comment="of source and what"),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("subject", sa.Text, nullable=False, comment="whose job: id of a key, or login of an account"),
    sa.Column("account_id", sa.BigInteger, comment="of an account; NULL = a key"),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("permission", sa.Text, nullable=False, comment="that must still be held when the files are made and fetched"),
    sa.Column("offices", pg.ARRAY(sa.Integer), comment="what the caller was limited to; NULL = not"),
    sa.Column("service_points", pg.ARRAY(sa.Integer), comment="as offices"),
    sa.Column("state", sa.Text, nullable=False, server_default="queued"),
    sa.Column("rows_done", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("rows_estimated", sa.BigInteger),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column(
        "next_attempt_at",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.now(),
        comment="of a running job: when its lease ends",
    ),
    sa.Column("leased_by", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("file", sa.Text, comment="path below the folder of exports"),
    sa.Column("file_bytes", sa.BigInteger),
    sa.Column("file_sha256", sa.Text),
    sa.Column("contents", pg.JSONB, comment="of each part: name, bytes, sha256, rows, error"),
    sa.Column("requested_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("finished_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), comment="when the file goes"),
    sa.PrimaryKeyConstraint("discom_id", "export_id"),
    sa.UniqueConstraint("discom_id", "subject", "idempotency_key"),
    sa.CheckConstraint("state in ('queued','running','done','failed','cancelled','expired')", name="state"),
    sa.CheckConstraint(
        "state <> 'done' or (file is not null and file_bytes is not null and file_sha256 is not null and expires_at is not null)",
        name="done",
    ),
    sa.CheckConstraint("(state in ('queued','running')) = (finished_at is null)", name="finished"),
    sa.Index(None, "next_attempt_at", postgresql_where=sa.text("state in ('queued','running')")),
    sa.Index(None, "discom_id", "subject", "requested_at"),
    schema="ops",
    comment="Exports that were asked for over the API and are made by a worker",
)

report_config = sa.Table(
    "report_config",
    metadata,
    _discom(),
    sa.Column("config_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("owner_account_id", sa.BigInteger, sa.ForeignKey("ops.account.account_id")),
    sa.Column("owner_key_id", sa.Text, comment="of whom calls with a key"),
    sa.Column("owner", sa.Text, nullable=False, comment="as it called itself when it saved the first version"),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("share_office_id", sa.Integer, comment="shared with who sees of this office or below; NULL = with all"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1", comment="that is in force"),
    sa.Column("cloned_from", sa.BigInteger),
    sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("deleted_at", sa.TIMESTAMP(timezone=True)),
    sa.PrimaryKeyConstraint("discom_id", "config_id"),
    sa.CheckConstraint("num_nonnulls(owner_account_id, owner_key_id) = 1", name="owner"),
    sa.CheckConstraint("visibility in ('private','shared')", name="visibility"),
    sa.CheckConstraint("share_office_id is null or visibility = 'shared'", name="share"),
    _fk("share_office_id", "office", "office_id"),
    schema="ops",
    comment="Reports that people built and saved; what they hold stands in their versions",
)

report_config_version = sa.Table(
    "report_config_version",
    metadata,
    _discom(),
    sa.Column("config_id", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("query", pg.JSONB, nullable=False, comment="as api.builder.schemas.Query"),
    sa.Column("saved_by", sa.Text, nullable=False),
    sa.Column("saved_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("restored_from", sa.Integer, comment="version that it is again"),
    sa.PrimaryKeyConstraint("discom_id", "config_id", "version"),
    sa.ForeignKeyConstraint(["discom_id", "config_id"], ["ops.report_config.discom_id", "ops.report_config.config_id"]),
    schema="ops",
    comment="Each state of a report in which it was saved; append-only",
)

# --- dashboards ---

embedded_dashboard = sa.Table(
    "embedded_dashboard",
    metadata,
    _discom(),
    sa.Column("dashboard", sa.Text, nullable=False, comment="as boards/ calls it: operations, energy-audit"),
    sa.Column("embedded_id", sa.Uuid, nullable=False, comment="what Superset calls it where it stands in another page"),
    sa.PrimaryKeyConstraint("discom_id", "dashboard"),
    schema="ops",
    comment="Dashboards that may be shown in other pages, written by the sync with Superset",
)
