"""what head-end systems send beyond blocks, midnight registers and events; who may push; where meters are read directly"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

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
EVERYONE = "meterhouse_owner, meterhouse_loader, meterhouse_dbt, meterhouse_api"


def upgrade() -> None:
    op.create_table(
        "event_status",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("word", postgresql.BYTEA(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.CheckConstraint("octet_length(word) = 16", name=op.f("event_status_word_check")),
        schema="raw",
        comment="Event status words (ESW, 128 bits) as meters push them: bit 0 is the most significant of the first octet",
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index(
        op.f("event_status_discom_id_day_meter_id_idx"), "event_status", ["discom_id", "day", "meter_id"], unique=False, schema="raw"
    )
    op.create_table(
        "meter_value",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("read_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("zone", sa.SmallInteger(), server_default="0", nullable=False, comment="0 = total, 1 to 8 = TOD zone"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.TIMESTAMP(timezone=True), nullable=True, comment="when a maximum demand was"),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.CheckConstraint("profile in ('instant','daily','billing')", name=op.f("meter_value_profile_check")),
        sa.CheckConstraint("zone between 0 and 8", name=op.f("meter_value_zone_check")),
        schema="raw",
        comment="Instantaneous, billing and further daily values. day: of the reading, or the day that is closed",
        postgresql_partition_by="RANGE (day)",
    )
    op.create_index(
        op.f("meter_value_discom_id_day_meter_id_idx"), "meter_value", ["discom_id", "day", "meter_id"], unique=False, schema="raw"
    )
    op.create_table(
        "nameplate",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        schema="raw",
    )
    op.create_index(op.f("nameplate_discom_id_meter_id_idx"), "nameplate", ["discom_id", "meter_id"], unique=False, schema="raw")
    op.create_table(
        "api_key",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("secret_sha256", postgresql.BYTEA(), nullable=False, comment="of a random secret of 256 bits: no salt is needed"),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("hes_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False, comment="who holds it, for the audit trail"),
        sa.Column("networks", postgresql.ARRAY(postgresql.CIDR()), nullable=True, comment="NULL = from anywhere"),
        sa.Column("requests_per_min", sa.Integer(), server_default="600", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(purpose = 'hes') = (hes_id is not null)", name=op.f("api_key_hes_check")),
        sa.CheckConstraint("purpose in ('hes','operator')", name=op.f("api_key_purpose_check")),
        sa.CheckConstraint("requests_per_min > 0", name=op.f("api_key_requests_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "hes_id"], ["registry.hes.discom_id", "registry.hes.hes_id"], name=op.f("api_key_discom_id_hes_id_fkey")
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("api_key_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "key_id", name=op.f("api_key_pkey")),
        sa.UniqueConstraint("key_id", name=op.f("api_key_key_id_key")),
        schema="ops",
    )
    op.create_table(
        "meter_endpoint",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), server_default="4059", nullable=False),
        sa.Column("framing", sa.Text(), server_default="wrapper", nullable=False),
        sa.Column("client_address", sa.Integer(), nullable=False),
        sa.Column("server_address", sa.Integer(), server_default="1", nullable=False),
        sa.Column("authentication", sa.Text(), nullable=False),
        sa.Column("system_title", sa.Text(), nullable=True, comment="8 octets in hex; by it a pushed frame is known"),
        sa.CheckConstraint("authentication in ('none','lls','hls_gmac')", name=op.f("meter_endpoint_authentication_check")),
        sa.CheckConstraint("framing in ('wrapper','hdlc')", name=op.f("meter_endpoint_framing_check")),
        sa.CheckConstraint("system_title ~ '^[0-9A-F]{16}$'", name=op.f("meter_endpoint_system_title_check")),
        sa.CheckConstraint("port between 1 and 65535", name=op.f("meter_endpoint_port_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "meter_id"],
            ["registry.meter.discom_id", "registry.meter.meter_id"],
            name=op.f("meter_endpoint_discom_id_meter_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("meter_endpoint_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "meter_id", name=op.f("meter_endpoint_pkey")),
        schema="registry",
        comment="Where a meter that is read directly by DLMS answers; its keys stand in the file of METERHOUSE_DLMS_KEYS",
    )
    op.add_column("rejected", sa.Column("profile", sa.Text(), nullable=True, comment="of the vendor file"), schema="raw")
    op.add_column("rejected", sa.Column("code", sa.Text(), nullable=True, comment="OBIS or vendor's code that is not mapped"), schema="raw")
    op.add_column(
        "hes",
        sa.Column("base_url", sa.Text(), nullable=True, comment="where it is pulled from; secrets come from the environment"),
        schema="registry",
    )
    op.add_column("hes", sa.Column("pull_every_min", sa.Integer(), nullable=True, comment="NULL = nobody pulls it"), schema="registry")
    op.add_column(
        "hes",
        sa.Column("max_concurrent", sa.SmallInteger(), server_default="4", nullable=False, comment="commands or reads under way at once"),
        schema="registry",
    )
    op.add_column("hes", sa.Column("commands_per_min", sa.Integer(), server_default="60", nullable=False), schema="registry")
    op.add_column(
        "hes",
        sa.Column(
            "silent_after_min", sa.Integer(), server_default="1440", nullable=False, comment="a delivery older than that is a warning"
        ),
        schema="registry",
    )
    op.create_index(
        op.f("meter_endpoint_discom_id_system_title_idx"), "meter_endpoint", ["discom_id", "system_title"], unique=True, schema="registry"
    )
    op.add_column(
        "rejected",
        sa.Column("record", postgresql.JSONB(), comment="what can be replayed once the registry knows its meter, as Meterhouse's own JSON"),
        schema="raw",
    )
    op.create_table(
        "replayed",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("rejected_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="in which it landed after all"),
        sa.ForeignKeyConstraint(
            ["discom_id", "rejected_id"],
            ["raw.rejected.discom_id", "raw.rejected.rejected_id"],
            name=op.f("replayed_discom_id_rejected_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "batch_id"], ["raw.batch.discom_id", "raw.batch.batch_id"], name=op.f("replayed_discom_id_batch_id_fkey")
        ),
        sa.PrimaryKeyConstraint("discom_id", "rejected_id", name=op.f("replayed_pkey")),
        schema="raw",
    )
    for channel in FURTHER_CHANNELS:
        op.add_column("profile_fragment", sa.Column(channel, postgresql.ARRAY(sa.Integer())), schema="raw")
    op.create_check_constraint(
        op.f("hes_limits_check"),
        "hes",
        "pull_every_min > 0 and max_concurrent > 0 and commands_per_min > 0 and silent_after_min > 0",
        schema="registry",
    )
    for table in ("raw.event_status", "raw.meter_value", "raw.nameplate", "raw.replayed", "registry.meter_endpoint", "ops.api_key"):
        op.execute(f"select ops.protect('{table}')")
        op.execute(f"grant all on {table} to meterhouse_owner")
    op.execute(f"grant select on registry.meter_endpoint to {EVERYONE}")
    for table in ("raw.event_status", "raw.meter_value", "raw.nameplate", "raw.replayed"):
        op.execute(f"grant select, insert on {table} to meterhouse_loader")
        op.execute(f"grant select on {table} to meterhouse_dbt, meterhouse_api")
    # A process that goes on for long knows by it when what it holds of the registry is out of date.
    op.execute("grant select on ops.registry_change to meterhouse_loader")
    # A key says which tenant calls, so it is looked up before there is a tenant: by this function alone, one key at a time.
    op.execute("""
        create function ops.find_api_key(wanted text)
        returns table (discom_id smallint, discom text, secret_sha256 bytea, purpose text, hes_id integer, hes text, vendor text, name text,
                       networks text[], requests_per_min integer)
        language sql stable security definer set search_path = pg_catalog, pg_temp as $$
          select k.discom_id, d.code, k.secret_sha256, k.purpose, k.hes_id, h.code, h.vendor, k.name, k.networks::text[], k.requests_per_min
          from ops.api_key k
          join registry.discom d on d.discom_id = k.discom_id
          left join registry.hes h on h.discom_id = k.discom_id and h.hes_id = k.hes_id
          where k.key_id = wanted and k.revoked_at is null
        $$""")
    op.execute("comment on function ops.find_api_key is 'The key that a request shows, unless it is revoked'")
    op.execute("revoke execute on function ops.find_api_key from public")
    op.execute("grant execute on function ops.find_api_key to meterhouse_api")


def downgrade() -> None:
    op.execute("revoke select on ops.registry_change from meterhouse_loader")
    op.execute("drop function ops.find_api_key(text)")
    op.drop_table("api_key", schema="ops")
    op.drop_table("meter_endpoint", schema="registry")
    for table in ("event_status", "meter_value", "nameplate", "replayed"):
        op.drop_table(table, schema="raw")
    for channel in FURTHER_CHANNELS:
        op.drop_column("profile_fragment", channel, schema="raw")
    for column in ("record", "code", "profile"):
        op.drop_column("rejected", column, schema="raw")
    op.drop_constraint(op.f("hes_limits_check"), "hes", schema="registry")
    for column in ("silent_after_min", "commands_per_min", "max_concurrent", "pull_every_min", "base_url"):
        op.drop_column("hes", column, schema="registry")
