"""editing: decisions on edits, a chain of hashes over what people do, frozen periods"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from warehouse.tables import PgSnapshot, Xid8

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CHAINED = ("edit", "edit_decision", "freeze")
STAGES = ("initial", "estimate", "edit", "frozen")
XID = sa.text("pg_current_xact_id()")
STAMP = """to_char(%s at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

LINES = {
    "edit": f"""'edit', r.discom_id, r.edit_id, r.request, r.day, r.meter_id, r.channel, r.operation, r.before, r.after, r.reason, r.note,
                r.editor, {STAMP % "r.edited_at"}, r.written_by::text""",
    "edit_decision": f"""'edit_decision', r.discom_id, r.edit_id, r.decision, r.decided_by, {STAMP % "r.decided_at"}, r.note,
                r.written_by::text""",
    "freeze": f"""'freeze', r.discom_id, r.freeze_id, r.releases, r.first_day, r.last_day, {STAMP % "r.frozen_at"}, r.frozen_by, r.reason,
                r.written_by::text""",
}
"""What of a row is hashed: all that never changes. Of an edit, approver and approved_at are those of its decision."""

CHAIN = """
    create function vee.chain() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
      head ops.audit_head;
    begin
      perform pg_advisory_xact_lock(hashtext('vee.audit'), new.discom_id);
      select * into head from ops.audit_head h where h.discom_id = new.discom_id;
      new.written_by := pg_current_xact_id();
      new.chain_no := coalesce(head.entries, 0) + 1;
      new.prev_hash := coalesce(head.hash, '');
      new.hash := sha256(new.prev_hash || convert_to(vee.audit_line(new), 'UTF8'));
      insert into ops.audit_head (discom_id, entries, hash) values (new.discom_id, new.chain_no, new.hash)
      on conflict (discom_id) do update set entries = excluded.entries, hash = excluded.hash;
      return new;
    end $$"""

CHECK_EDIT = """
    create function vee.check_edit() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    begin
      if exists (select 1 from vee.frozen f where f.discom_id = new.discom_id and new.day between f.first_day and f.last_day) then
        raise exception '% is frozen: it is not edited', new.day;
      end if;
      new.approved_in := case when new.approved_at is not null then pg_current_xact_id() end;
      return new;
    end $$"""

CHECK_DECISION = """
    create function vee.check_edit_decision() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
      e vee.edit;
    begin
      select * into e from vee.edit x where x.discom_id = new.discom_id and x.edit_id = new.edit_id;
      if (lower(btrim(new.decided_by)) = lower(btrim(e.editor))) <> (new.decision = 'withdrawn') then
        raise exception 'edit % is of %: others approve or reject it, only its editor withdraws it', e.edit_id, e.editor;
      end if;
      if new.decision = 'approved' then
        if exists (select 1 from vee.frozen f where f.discom_id = e.discom_id and e.day between f.first_day and f.last_day) then
          raise exception '% is frozen: it is not edited', e.day;
        end if;
        update vee.edit x set approver = new.decided_by, approved_at = new.decided_at, approved_in = pg_current_xact_id()
        where x.discom_id = e.discom_id and x.edit_id = e.edit_id;
      end if;
      return new;
    end $$"""

CHECK_FREEZE = """
    create function vee.check_freeze() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
      f vee.freeze;
    begin
      if new.releases is null then
        if exists (select 1 from vee.frozen o where o.discom_id = new.discom_id
                   and o.first_day <= new.last_day and new.first_day <= o.last_day) then
          raise exception 'some of % to % is frozen already', new.first_day, new.last_day;
        end if;
        return new;
      end if;
      select * into f from vee.freeze x where x.discom_id = new.discom_id and x.freeze_id = new.releases and x.releases is null;
      if (f.first_day, f.last_day) is distinct from (new.first_day, new.last_day) then
        raise exception 'freeze % is not one of % to %', new.releases, new.first_day, new.last_day;
      end if;
      if lower(btrim(new.frozen_by)) = lower(btrim(f.frozen_by)) then
        raise exception 'freeze % is of %: somebody else releases it', f.freeze_id, f.frozen_by;
      end if;
      return new;
    end $$"""

FROZEN = """
    create view vee.frozen with (security_invoker = true) as
    select f.discom_id, f.freeze_id, f.first_day, f.last_day, f.frozen_at, f.frozen_by, f.reason
    from vee.freeze f
    where f.releases is null and not exists (select 1 from vee.freeze r where r.discom_id = f.discom_id and r.releases = f.freeze_id)"""


def upgrade() -> None:
    _stages(STAGES)
    # What is there already comes into the chain as if it were written now.
    op.execute("create temporary table old_edit on commit drop as table vee.edit")
    op.execute("delete from vee.edit")
    op.add_column("edit", sa.Column("request", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")), schema="vee")
    op.add_column(
        "edit",
        sa.Column("operation", postgresql.JSONB(), nullable=False, server_default="[]", comment="what was done: kind, slots, parameters"),
        schema="vee",
    )
    op.add_column("edit", sa.Column("note", sa.Text()), schema="vee")
    op.add_column("edit", sa.Column("approved_in", Xid8(), comment="transaction of the approval: builds that did not see it"), schema="vee")
    _chained("edit")
    op.create_index(op.f("edit_request_idx"), "edit", ["discom_id", "request"], schema="vee")
    op.create_table(
        "edit_decision",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("edit_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="policy: small enough to need no second person"),
        sa.Column("decided_at", sa.TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.CheckConstraint("decision in ('approved','rejected','withdrawn')", name=op.f("edit_decision_decision_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "edit_id"], ["vee.edit.discom_id", "vee.edit.edit_id"], name=op.f("edit_decision_discom_id_edit_id_fkey")
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("edit_decision_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "edit_id", name=op.f("edit_decision_pkey")),
        schema="vee",
        comment="Append-only: what became of an edit. No row: it waits",
    )
    _chained("edit_decision")
    op.create_table(
        "freeze",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("freeze_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("releases", sa.BigInteger(), comment="the freeze that this row ends"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("frozen_at", sa.TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("freeze_period_check")),
        sa.ForeignKeyConstraint(
            ["discom_id", "releases"], ["vee.freeze.discom_id", "vee.freeze.freeze_id"], name=op.f("freeze_discom_id_releases_fkey")
        ),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("freeze_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "freeze_id", name=op.f("freeze_pkey")),
        sa.UniqueConstraint("discom_id", "releases", name=op.f("freeze_discom_id_releases_key")),
        schema="vee",
        comment="Append-only: periods that were billed, and their release",
    )
    _chained("freeze")
    op.create_table(
        "audit_head",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("hash", postgresql.BYTEA(), nullable=False),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("audit_head_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", name=op.f("audit_head_pkey")),
        schema="ops",
        comment="Where the chain over vee.edit, vee.edit_decision and vee.freeze ends, so that a shortened one is seen",
    )
    op.add_column("day_build", sa.Column("rebill_saw", PgSnapshot(), comment="frozen: up to where late data was judged"), schema="ops")
    _functions()
    _grants()
    op.execute("""
        insert into vee.edit (discom_id, edit_id, day, meter_id, channel, before, after, reason, editor, edited_at) overriding system value
        select discom_id, edit_id, day, meter_id, channel, before, after, reason, editor, edited_at
        from old_edit order by discom_id, edit_id""")
    op.execute("""
        insert into vee.edit_decision (discom_id, edit_id, decision, decided_by, decided_at)
        select discom_id, edit_id, 'approved', approver, approved_at from old_edit where approved_at is not null order by discom_id, edit_id""")


def _chained(table: str) -> None:
    for column in (
        sa.Column("written_by", Xid8(), nullable=False, server_default=XID),
        sa.Column("chain_no", sa.BigInteger(), nullable=False, comment="place in the DISCOM's chain, from 1"),
        sa.Column("prev_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("hash", postgresql.BYTEA(), nullable=False, comment="sha256(prev_hash, vee.audit_line of the row), set by a trigger"),
    ):
        op.add_column(table, column, schema="vee")
    op.create_index(op.f(f"{table}_discom_id_chain_no_idx"), table, ["discom_id", "chain_no"], unique=True, schema="vee")


def _functions() -> None:
    op.execute(FROZEN)
    op.execute("comment on view vee.frozen is 'Periods that are frozen now'")
    for table, line in LINES.items():
        op.execute(f"""
            create function vee.audit_line(r vee.{table}) returns text language sql stable
            as $$ select jsonb_build_array({line})::text $$""")
        op.execute(f"comment on function vee.audit_line(vee.{table}) is 'The row as it is hashed: a JSON array'")
    op.execute(CHAIN)
    for statement in (CHECK_EDIT, CHECK_DECISION, CHECK_FREEZE):
        op.execute(statement)
    for table in CHAINED:
        # By name, chain comes before check: it takes the lock under which the checks look.
        op.execute(f"create trigger chain before insert on vee.{table} for each row execute function vee.chain()")
        op.execute(f"create trigger check_row before insert on vee.{table} for each row execute function vee.check_{table}()")


def _grants() -> None:
    for table in ("vee.edit_decision", "vee.freeze", "ops.audit_head"):
        op.execute(f"select ops.protect('{table}')")
        op.execute(f"grant all on {table} to meterhouse_owner")
        op.execute(f"grant select on {table} to meterhouse_dbt, meterhouse_api")
    op.execute("grant select on vee.frozen to meterhouse_owner, meterhouse_dbt, meterhouse_api")
    op.execute("grant select on ops.day_build to meterhouse_api")
    # What decides and when, the chain and the approval are the database's to write.
    op.execute("""
        grant insert (discom_id, request, day, meter_id, channel, operation, before, after, reason, note, editor) on vee.edit
        to meterhouse_api""")
    op.execute("grant insert (discom_id, edit_id, decision, decided_by, note) on vee.edit_decision to meterhouse_api")
    op.execute("grant insert (discom_id, releases, first_day, last_day, frozen_by, reason) on vee.freeze to meterhouse_api")


def _stages(stages: tuple[str, ...]) -> None:
    """The stages of vee.exception."""
    op.drop_constraint(op.f("exception_stage_check"), "exception", schema="vee")
    listed = ",".join(f"'{s}'" for s in stages)
    op.create_check_constraint(op.f("exception_stage_check"), "exception", f"stage in ({listed})", schema="vee")


def downgrade() -> None:
    for table in CHAINED:
        op.execute(f"drop trigger check_row on vee.{table}")
        op.execute(f"drop trigger chain on vee.{table}")
        op.execute(f"drop function vee.check_{table}()")
        op.execute(f"drop function vee.audit_line(vee.{table})")
    op.execute("drop function vee.chain()")
    op.execute("drop view vee.frozen")
    op.execute("revoke select on ops.day_build from meterhouse_api")
    op.execute(
        "revoke insert (discom_id, request, day, meter_id, channel, operation, before, after, reason, note, editor) on vee.edit from meterhouse_api"
    )
    op.drop_column("day_build", "rebill_saw", schema="ops")
    op.drop_table("audit_head", schema="ops")
    op.drop_table("freeze", schema="vee")
    op.drop_table("edit_decision", schema="vee")
    op.drop_index(op.f("edit_request_idx"), table_name="edit", schema="vee")
    for column in ("hash", "prev_hash", "chain_no", "written_by", "approved_in", "note", "operation", "request"):
        op.drop_column("edit", column, schema="vee")
    op.execute("delete from vee.exception where stage in ('edit','frozen')")
    _stages(STAGES[:2])
