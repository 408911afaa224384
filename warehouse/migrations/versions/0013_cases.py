"""cases: what exceptions of meters that fail together come to, who works on them, and the work orders that they ask for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from warehouse.tables import Xid8

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("vee.case", "vee.case_audit", "ops.decided_day")

SETTLE = """
    create function vee.settle_cases(cases bigint[]) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
      settled integer;
    begin
      with due as (
        select e.day, e.meter_id, e.rule, e.stage, case when c.state = 'closed' then 'closed' else 'open' end as state
        from vee."case" c join vee.exception e on e.discom_id = c.discom_id and e.case_id = c.case_id
        where c.discom_id = ops.tenant() and c.case_id = any(cases) and e.state = case when c.state = 'closed' then 'open' else 'closed' end
      ),
      moved as (
        update vee.exception e set state = d.state, updated_at = now() from due d
        where e.discom_id = ops.tenant() and (e.day, e.meter_id, e.rule, e.stage) = (d.day, d.meter_id, d.rule, d.stage)
        returning e.day, e.meter_id
      ),
      decided as (
        insert into ops.decided_day as d (discom_id, day, meters) select ops.tenant(), day, array_agg(distinct meter_id) from moved group by day
        on conflict (discom_id, day, written_by) do update set meters = d.meters || excluded.meters
      )
      select count(*) into settled from moved;
      return settled;
    end $$"""


def upgrade() -> None:
    op.create_table(
        "case",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.Integer(), nullable=True, comment="of a case of one meter"),
        sa.Column(
            "dt_id", sa.Integer(), nullable=True, comment="of a case of a DT; of a meter the DT that it hung on when the case was opened"
        ),
        sa.Column("feeder_id", sa.Integer(), nullable=True, comment="as dt_id"),
        sa.Column("office_id", sa.Integer(), nullable=True, comment="that looks after the place"),
        sa.Column(
            "place_id",
            sa.Integer(),
            sa.Computed("case scope when 'meter' then meter_id when 'dt' then dt_id else feeder_id end", persisted=True),
            nullable=False,
        ),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False, comment="the worst of its exceptions"),
        sa.Column("action", sa.Text(), nullable=False, comment="the strictest of its exceptions"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("meters", sa.Integer(), nullable=False),
        sa.Column("meter_days", sa.Integer(), nullable=False),
        sa.Column("stake_wh", sa.BigInteger(), nullable=True, comment="energy of its meter-days where known, with the multiplying factor"),
        sa.Column("priority", sa.SmallInteger(), nullable=False, comment="1 comes first"),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("wait_reason", sa.Text(), nullable=True),
        sa.Column("wait_until", sa.TIMESTAMP(timezone=True), nullable=True, comment="NULL = until somebody acts"),
        sa.Column("follows", sa.BigInteger(), nullable=True, comment="the case before of the same place and rule"),
        sa.Column("opened_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("resolution_note", sa.Text(), nullable=True),
        sa.CheckConstraint("scope in ('meter','dt','feeder')", name=op.f("case_scope_check")),
        sa.CheckConstraint("(scope = 'meter') = (meter_id is not null)", name=op.f("case_meter_check")),
        sa.CheckConstraint("stage in ('initial','estimate','edit','frozen')", name=op.f("case_stage_check")),
        sa.CheckConstraint("state in ('open','assigned','waiting','closed')", name=op.f("case_state_check")),
        sa.CheckConstraint("state <> 'assigned' or assignee is not null", name=op.f("case_assignee_check")),
        sa.CheckConstraint("(state = 'waiting') = (wait_reason is not null)", name=op.f("case_waiting_check")),
        sa.CheckConstraint("(state = 'closed') = (num_nonnulls(closed_at, closed_by, resolution) = 3)", name=op.f("case_closed_check")),
        sa.CheckConstraint("last_day >= first_day", name=op.f("case_period_check")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("case_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "case_id", name=op.f("case_pkey")),
        schema="vee",
        comment="Exceptions that need a person, grouped: one rule at one place on consecutive days",
    )
    op.create_index("case_place_idx", "case", ["discom_id", "scope", "place_id", "rule", "stage", "last_day"], schema="vee")
    op.create_index(
        "case_queue_idx",
        "case",
        ["discom_id", "priority", sa.text("coalesce(stake_wh, 0) desc"), "opened_at", "case_id"],
        schema="vee",
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "case_audit",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("audit_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["discom_id", "case_id"], ["vee.case.discom_id", "vee.case.case_id"], name=op.f("case_audit_discom_id_case_id_fkey")
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("case_audit_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "audit_id", name=op.f("case_audit_pkey")),
        schema="vee",
        comment="Append-only: everything that people did with a case, and that the machine closed it",
    )
    op.create_index(op.f("case_audit_discom_id_case_id_idx"), "case_audit", ["discom_id", "case_id"], schema="vee")
    op.create_table(
        "decided_day",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("written_by", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("meters", postgresql.ARRAY(sa.Integer()), nullable=False, comment="meter_id of those that it is about"),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("decided_day_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "day", "written_by", name=op.f("decided_day_pkey")),
        schema="ops",
        comment="Days of which a person decided something that what is built from them must follow",
    )
    # No foreign key: it would be checked row by row for every exception of a day.
    op.add_column("exception", sa.Column("case_id", sa.BigInteger(), nullable=True), schema="vee")
    op.add_column(
        "exception",
        sa.Column("stake_wh", sa.BigInteger(), nullable=True, comment="energy of the meter-day when its case was looked at"),
        schema="vee",
    )
    op.create_index(
        op.f("exception_discom_id_case_id_idx"),
        "exception",
        ["discom_id", "case_id"],
        schema="vee",
        postgresql_where=sa.text("case_id is not null"),
    )
    _work_orders()
    for table in TABLES:
        op.execute(f"select ops.protect('{table}')")
        op.execute(f"grant all on {table} to meterhouse_owner")
    op.execute("grant select, insert, update on vee.case to meterhouse_dbt")
    op.execute("grant select, insert on vee.case_audit to meterhouse_dbt, meterhouse_api")
    op.execute("grant select on ops.decided_day to meterhouse_dbt")
    op.execute("grant select on vee.case to meterhouse_api")
    op.execute("""
        grant update (state, assignee, wait_reason, wait_until, updated_at, closed_at, closed_by, resolution, resolution_note)
        on vee.case to meterhouse_api""")
    op.execute(SETTLE)
    op.execute(
        "comment on function vee.settle_cases is 'Closes the open exceptions of closed cases, opens the closed ones of others; their days are stale'"
    )
    op.execute("revoke execute on function vee.settle_cases from public")
    op.execute("grant execute on function vee.settle_cases to meterhouse_api")


def _work_orders() -> None:
    """A case may ask for field work as an alert does: exactly one of the two asked."""
    table = "work_order_request"
    op.alter_column(table, "alert_id", nullable=True, schema="ops")
    op.alter_column(table, "meter_id", nullable=True, schema="ops", comment="NULL: of a DT or feeder, which its case names")
    op.add_column(table, sa.Column("case_id", sa.BigInteger(), nullable=True), schema="ops")
    op.add_column(table, sa.Column("via", sa.Text(), server_default="visit", nullable=False), schema="ops")
    op.create_foreign_key(
        op.f("work_order_request_discom_id_case_id_fkey"),
        table,
        "case",
        ["discom_id", "case_id"],
        ["discom_id", "case_id"],
        source_schema="ops",
        referent_schema="vee",
    )
    op.create_unique_constraint(op.f("work_order_request_discom_id_case_id_key"), table, ["discom_id", "case_id"], schema="ops")
    op.create_check_constraint(op.f("work_order_request_asked_by_check"), table, "num_nonnulls(alert_id, case_id) = 1", schema="ops")
    op.create_check_constraint(op.f("work_order_request_meter_check"), table, "case_id is not null or meter_id is not null", schema="ops")
    op.create_check_constraint(op.f("work_order_request_via_check"), table, "via in ('visit','command')", schema="ops")
    op.execute("grant select, insert on ops.work_order_request, ops.command, ops.command_audit to meterhouse_dbt")


def downgrade() -> None:
    op.execute("drop function vee.settle_cases(bigint[])")
    op.execute("delete from ops.work_order_request where case_id is not null")
    table = "work_order_request"
    op.drop_column(table, "via", schema="ops")
    op.drop_column(table, "case_id", schema="ops")
    op.drop_constraint(op.f("work_order_request_meter_check"), table, schema="ops", if_exists=True)
    op.alter_column(table, "meter_id", nullable=False, schema="ops", comment=None)
    op.alter_column(table, "alert_id", nullable=False, schema="ops")
    op.execute("revoke insert on ops.work_order_request from meterhouse_dbt")
    op.execute("revoke all on ops.command, ops.command_audit from meterhouse_dbt")
    op.drop_column("exception", "stake_wh", schema="vee")
    op.drop_column("exception", "case_id", schema="vee")
    for name in reversed(TABLES):
        schema, table = name.split(".")
        op.drop_table(table, schema=schema)
