"""network and billing: what energy audit needs beside readings (losses of nameplates, positions, assessed supply, transfers, purchases), bills and receipts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


REGISTRY = ("assessed_supply", "feeder_transfer", "energy_purchase", "open_access", "planned_outage", "load_forecast", "rdss_target")
BILLING = ("bill", "collection")
POSITION = "latitude between -90 and 90 and longitude between -180 and 180"
CHECKS = {
    ("feeder", "supply"): "supply in ('urban','rural','agricultural','industrial','mixed')",
    ("dt", "position"): POSITION,
    ("dt", "losses"): "no_load_loss_w >= 0 and load_loss_w >= 0 and lt_line_ohm >= 0",
    ("service_point", "phase"): "phase in ('R','Y','B')",
    ("service_point", "position"): POSITION,
    ("meter", "payment"): "payment in ('prepaid','postpaid')",
    ("meter", "state"): "state in ("
    "'ORDERED','MANUFACTURED','FAT_PASS','DISPATCHED','IN_STOCK','QUARANTINE','TEST_PASS','TEST_FAIL','SEALED',"
    "'ISSUED','IN_TRANSIT','RETURNED','INSTALLED','INSTALL_REJECTED','COMMISSIONED','COMM_PENDING',"
    "'ACTIVE','DISCONNECTED','NON_COMM','FAULTY','UNDER_TEST','TAMPERED','REMOVED','REUSABLE','SCRAPPED')",
}


def upgrade() -> None:
    op.create_table(
        "energy_purchase",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("voltage_kv", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False, comment="traded: what was sold on"),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind in ('generation','long_term','medium_term','short_term','renewable','banking','exchange','open_access','traded')",
            name=op.f("energy_purchase_kind_check"),
        ),
        sa.CheckConstraint("energy_wh >= 0", name=op.f("energy_purchase_energy_check")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("energy_purchase_month_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("energy_purchase_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "source", "month", "kind", "voltage_kv", name=op.f("energy_purchase_pkey")),
        schema="registry",
        comment="Where the DISCOM's energy came from (row A of the AT&C table, BEE P2)",
    )
    op.create_table(
        "rdss_target",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("sanctioned", sa.Integer(), nullable=False),
        sa.CheckConstraint("item in ('consumer','dt','feeder')", name=op.f("rdss_target_item_check")),
        sa.CheckConstraint("sanctioned >= 0", name=op.f("rdss_target_sanctioned_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "office_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("rdss_target_discom_id_office_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("rdss_target_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "office_id", "item", name=op.f("rdss_target_pkey")),
        schema="registry",
        comment="Meters sanctioned under RDSS",
    )
    op.create_table(
        "open_access",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("service_point_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("energy_wh >= 0", name=op.f("open_access_energy_check")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("open_access_month_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "service_point_id"],
            ["registry.service_point.discom_id", "registry.service_point.service_point_id"],
            name=op.f("open_access_discom_id_service_point_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("open_access_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "service_point_id", "month", name=op.f("open_access_pkey")),
        schema="registry",
        comment="Of what a consumer's meter counted, what it bought elsewhere and the DISCOM only wheeled",
    )
    op.create_table(
        "bill",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("consumer_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False, comment="billed"),
        sa.Column("assessed", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="not from a reading"),
        sa.Column("amount_inr", sa.Numeric(precision=14, scale=2), nullable=False, comment="with the subsidy that was booked"),
        sa.Column(
            "subsidy_inr", sa.Numeric(precision=14, scale=2), server_default="0", nullable=False, comment="booked, a part of the amount"
        ),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("bill_month_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "consumer_id"],
            ["registry.consumer.discom_id", "registry.consumer.consumer_id"],
            name=op.f("bill_discom_id_consumer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("bill_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "consumer_id", "month", name=op.f("bill_pkey")),
        schema="billing",
        comment="What a consumer was billed for a month: the latest bill of it",
    )
    op.create_table(
        "collection",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("consumer_id", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="payment", nullable=False),
        sa.Column("amount_inr", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.CheckConstraint("kind in ('payment','arrears','subsidy','adjustment')", name=op.f("collection_kind_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "consumer_id"],
            ["registry.consumer.discom_id", "registry.consumer.consumer_id"],
            name=op.f("collection_discom_id_consumer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("collection_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "receipt", name=op.f("collection_pkey")),
        schema="billing",
        comment="What was received of a consumer, receipt by receipt",
    )
    op.create_index(
        op.f("collection_discom_id_consumer_id_received_on_idx"),
        "collection",
        ["discom_id", "consumer_id", "received_on"],
        unique=False,
        schema="billing",
    )
    op.create_table(
        "feeder_transfer",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("from_feeder_id", sa.Integer(), nullable=False),
        sa.Column("to_feeder_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("energy_wh >= 0", name=op.f("feeder_transfer_energy_check")),
        sa.CheckConstraint("from_feeder_id <> to_feeder_id", name=op.f("feeder_transfer_other_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "from_feeder_id"],
            ["registry.feeder.discom_id", "registry.feeder.feeder_id"],
            name=op.f("feeder_transfer_discom_id_from_feeder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "to_feeder_id"],
            ["registry.feeder.discom_id", "registry.feeder.feeder_id"],
            name=op.f("feeder_transfer_discom_id_to_feeder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("feeder_transfer_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "from_feeder_id", "to_feeder_id", "day", name=op.f("feeder_transfer_pkey")),
        schema="registry",
        comment="Energy that one feeder passed on to another (load transfer, back-feed), behind the meter of the first",
    )
    op.create_table(
        "load_forecast",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("feeder_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("power_w", sa.BigInteger(), nullable=False, comment="mean over the slot that begins then, on the primary side"),
        sa.ForeignKeyConstraint(
            ["discom_id", "feeder_id"],
            ["registry.feeder.discom_id", "registry.feeder.feeder_id"],
            name=op.f("load_forecast_discom_id_feeder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("load_forecast_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "feeder_id", "starts_at", name=op.f("load_forecast_pkey")),
        schema="registry",
        comment="What was forecast a day ahead, by whoever forecasts",
    )
    op.create_table(
        "planned_outage",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("feeder_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('planned','load_shedding')", name=op.f("planned_outage_kind_check")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("planned_outage_period_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "feeder_id"],
            ["registry.feeder.discom_id", "registry.feeder.feeder_id"],
            name=op.f("planned_outage_discom_id_feeder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("planned_outage_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "feeder_id", "starts_at", name=op.f("planned_outage_pkey")),
        schema="registry",
    )
    op.create_table(
        "assessed_supply",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("dt_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False, comment="of the consumers, as of service points"),
        sa.Column("consumers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("connected_load_w", sa.Integer(), nullable=True),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False, comment="assessed for the month"),
        sa.CheckConstraint("kind in ('unmetered','street_light','other')", name=op.f("assessed_supply_kind_check")),
        sa.CheckConstraint("energy_wh >= 0 and consumers >= 0", name=op.f("assessed_supply_energy_check")),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("assessed_supply_month_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "dt_id"], ["registry.dt.discom_id", "registry.dt.dt_id"], name=op.f("assessed_supply_discom_id_dt_id_fkey")
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("assessed_supply_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "dt_id", "month", "kind", "category", name=op.f("assessed_supply_pkey")),
        schema="registry",
        comment="Supply without a meter below a DT, as assessed month by month",
    )
    op.add_column(
        "dt", sa.Column("no_load_loss_w", sa.Integer(), nullable=True, comment="P0 of the nameplate, at rated voltage"), schema="registry"
    )
    op.add_column(
        "dt", sa.Column("load_loss_w", sa.Integer(), nullable=True, comment="Pk of the nameplate, at rated load"), schema="registry"
    )
    op.add_column(
        "dt",
        sa.Column(
            "lt_line_ohm",
            sa.Numeric(precision=10, scale=5),
            nullable=True,
            comment="equivalent resistance of a phase of the LT network: its loss is 3 x I² x lt_line_ohm",
        ),
        schema="registry",
    )
    op.add_column("dt", sa.Column("latitude", sa.Numeric(precision=9, scale=6), nullable=True), schema="registry")
    op.add_column("dt", sa.Column("longitude", sa.Numeric(precision=9, scale=6), nullable=True), schema="registry")
    op.add_column("dt", sa.Column("commissioned_on", sa.Date(), nullable=True), schema="registry")
    op.add_column(
        "feeder", sa.Column("town", sa.Text(), nullable=True, comment="that it mostly supplies, for town-wise audit"), schema="registry"
    )
    op.add_column(
        "feeder",
        sa.Column("supply", sa.Text(), nullable=True, comment="urban, rural, agricultural, industrial or mixed"),
        schema="registry",
    )
    op.add_column(
        "feeder",
        sa.Column(
            "line_ohm",
            sa.Numeric(precision=10, scale=5),
            nullable=True,
            comment="equivalent resistance of a phase: its loss is 3 x I² x line_ohm",
        ),
        schema="registry",
    )
    op.add_column(
        "feeder",
        sa.Column(
            "feeds_substation_id",
            sa.Integer(),
            nullable=True,
            comment="of an incomer: the substation that it feeds; NULL = it goes out to consumers",
        ),
        schema="registry",
    )
    op.create_foreign_key(
        op.f("feeder_discom_id_feeds_substation_id_fkey"),
        "feeder",
        "substation",
        ["discom_id", "feeds_substation_id"],
        ["discom_id", "substation_id"],
        source_schema="registry",
        referent_schema="registry",
    )
    op.add_column(
        "meter", sa.Column("medium", sa.Text(), nullable=True, comment="how it communicates: RF, 4G, NB-IoT, PLC …"), schema="registry"
    )
    op.add_column("meter", sa.Column("payment", sa.Text(), nullable=True, comment="prepaid or postpaid"), schema="registry")
    op.add_column(
        "meter", sa.Column("state", sa.Text(), nullable=True, comment="of its life: ORDERED to SCRAPPED (domain 7)"), schema="registry"
    )
    op.add_column("meter", sa.Column("lot", sa.Text(), nullable=True, comment="of its purchase"), schema="registry")
    op.add_column("meter", sa.Column("manufactured_on", sa.Date(), nullable=True), schema="registry")
    op.add_column("meter", sa.Column("commissioned_on", sa.Date(), nullable=True), schema="registry")
    op.add_column("meter", sa.Column("warranty_until", sa.Date(), nullable=True), schema="registry")
    op.add_column(
        "meter",
        sa.Column("target_firmware", sa.Text(), nullable=True, comment="that it shall have; NULL = what it has is right"),
        schema="registry",
    )
    op.add_column(
        "service_point",
        sa.Column("phase", sa.Text(), nullable=True, comment="R, Y or B of a single-phase supply, as surveyed"),
        schema="registry",
    )
    op.add_column("service_point", sa.Column("latitude", sa.Numeric(precision=9, scale=6), nullable=True), schema="registry")
    op.add_column("service_point", sa.Column("longitude", sa.Numeric(precision=9, scale=6), nullable=True), schema="registry")
    for (table, name), rule in CHECKS.items():
        op.create_check_constraint(op.f(f"{table}_{name}_check"), table, rule, schema="registry")
    for table in (*(f"registry.{t}" for t in REGISTRY), *(f"billing.{t}" for t in BILLING)):
        op.execute(f"select ops.protect('{table}')")
        op.execute(f"grant all on {table} to meterhouse_owner")
        op.execute(f"grant select on {table} to meterhouse_dbt, meterhouse_api")


def downgrade() -> None:
    op.drop_column("service_point", "longitude", schema="registry")
    op.drop_column("service_point", "latitude", schema="registry")
    op.drop_column("service_point", "phase", schema="registry")
    op.drop_column("meter", "target_firmware", schema="registry")
    op.drop_column("meter", "warranty_until", schema="registry")
    op.drop_column("meter", "commissioned_on", schema="registry")
    op.drop_column("meter", "manufactured_on", schema="registry")
    op.drop_column("meter", "lot", schema="registry")
    op.drop_column("meter", "state", schema="registry")
    op.drop_column("meter", "payment", schema="registry")
    op.drop_column("meter", "medium", schema="registry")
    op.drop_constraint(op.f("feeder_discom_id_feeds_substation_id_fkey"), "feeder", schema="registry", type_="foreignkey")
    op.drop_column("feeder", "feeds_substation_id", schema="registry")
    op.drop_column("feeder", "line_ohm", schema="registry")
    op.drop_column("feeder", "supply", schema="registry")
    op.drop_column("feeder", "town", schema="registry")
    op.drop_column("dt", "commissioned_on", schema="registry")
    op.drop_column("dt", "longitude", schema="registry")
    op.drop_column("dt", "latitude", schema="registry")
    op.drop_column("dt", "lt_line_ohm", schema="registry")
    op.drop_column("dt", "load_loss_w", schema="registry")
    op.drop_column("dt", "no_load_loss_w", schema="registry")
    op.drop_table("assessed_supply", schema="registry")
    op.drop_table("planned_outage", schema="registry")
    op.drop_table("load_forecast", schema="registry")
    op.drop_table("feeder_transfer", schema="registry")
    op.drop_index(op.f("collection_discom_id_consumer_id_received_on_idx"), table_name="collection", schema="billing")
    op.drop_table("collection", schema="billing")
    op.drop_table("bill", schema="billing")
    op.drop_table("open_access", schema="registry")
    op.drop_table("rdss_target", schema="registry")
    op.drop_table("energy_purchase", schema="registry")
