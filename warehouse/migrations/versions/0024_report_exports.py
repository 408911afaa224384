"""report exports: jobs that make files of reports for who asked over the API; rows of the shared network that a limited caller sees"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WITHIN = """
    create policy within on ops.report_export as restrictive using (
      (select ops.whole_tenant())
      or (offices is not null and service_points is not null
          and offices <@ coalesce((select ops.offices()), '{}') and service_points <@ coalesce((select ops.service_points()), '{}')))"""


def upgrade() -> None:
    stamp = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "report_export",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("export_id", postgresql.UUID(), nullable=False, server_default=sa.text("gen_random_uuid()")),
        sa.Column("source", sa.Text(), nullable=False, comment="which part of the API makes the files"),
        sa.Column("what", postgresql.JSONB(), nullable=False, comment="what was asked for, as the source understands it"),
        sa.Column("request_sha256", postgresql.BYTEA(), nullable=False, comment="of source and what"),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False, comment="whose job: id of a key, or login of an account"),
        sa.Column("account_id", sa.BigInteger(), nullable=True, comment="of an account; NULL = a key"),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False, comment="that must still be held when the files are made and fetched"),
        sa.Column("offices", postgresql.ARRAY(sa.Integer()), nullable=True, comment="what the caller was limited to; NULL = not"),
        sa.Column("service_points", postgresql.ARRAY(sa.Integer()), nullable=True, comment="as offices"),
        sa.Column("state", sa.Text(), nullable=False, server_default="queued"),
        sa.Column("rows_done", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("rows_estimated", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("next_attempt_at", stamp, nullable=False, server_default=sa.func.now(), comment="of a running job: when its lease ends"),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True, comment="path below the folder of exports"),
        sa.Column("file_bytes", sa.BigInteger(), nullable=True),
        sa.Column("file_sha256", sa.Text(), nullable=True),
        sa.Column("contents", postgresql.JSONB(), nullable=True, comment="of each part: name, bytes, sha256, rows, error"),
        sa.Column("requested_at", stamp, nullable=False, server_default=sa.func.now()),
        sa.Column("finished_at", stamp, nullable=True),
        sa.Column("expires_at", stamp, nullable=True, comment="when the file goes"),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("report_export_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "export_id", name=op.f("report_export_pkey")),
        sa.UniqueConstraint("discom_id", "subject", "idempotency_key", name=op.f("report_export_discom_id_subject_idempotency_key_key")),
        sa.CheckConstraint("state in ('queued','running','done','failed','cancelled','expired')", name=op.f("report_export_state_check")),
        sa.CheckConstraint(
            "state <> 'done' or (file is not null and file_bytes is not null and file_sha256 is not null and expires_at is not null)",
            name=op.f("report_export_done_check"),
        ),
        sa.CheckConstraint("(state in ('queued','running')) = (finished_at is null)", name=op.f("report_export_finished_check")),
        schema="ops",
        comment="Exports that were asked for over the API and are made by a worker",
    )
    op.create_index(
        op.f("report_export_next_attempt_at_idx"),
        "report_export",
        ["next_attempt_at"],
        schema="ops",
        postgresql_where=sa.text("state in ('queued','running')"),
    )
    op.create_index(
        op.f("report_export_discom_id_subject_requested_at_idx"),
        "report_export",
        ["discom_id", "subject", "requested_at"],
        schema="ops",
    )
    op.execute(WITHIN)
    op.execute("select ops.protect('ops.report_export')")
    op.execute("grant all on ops.report_export to meterhouse_owner")
    op.execute("grant select on ops.report_export to meterhouse_api")
    op.execute("""
        grant insert (discom_id, source, what, request_sha256, idempotency_key, subject, account_id, requested_by, permission, offices,
                      service_points, rows_estimated) on ops.report_export to meterhouse_api""")
    op.execute("grant update (state, finished_at) on ops.report_export to meterhouse_api")
    op.execute("grant select, update, delete on ops.report_export to meterhouse_loader")
    # How many jobs there are is limited for a DISCOM, of which who asks may see a part.
    op.execute("""
        create function ops.open_exports(owner text) returns table (of_owner integer, of_discom integer)
        language sql stable security definer set search_path = pg_catalog, pg_temp as $$
          select count(*) filter (where subject = owner)::integer, count(*)::integer
          from ops.report_export where discom_id = ops.tenant() and state in ('queued', 'running')
        $$""")
    op.execute("comment on function ops.open_exports is 'Exports of this tenant that are not finished: of one caller, and of all'")
    op.execute("revoke execute on function ops.open_exports from public")
    op.execute("grant execute on function ops.open_exports to meterhouse_api")
    op.execute("""
        create function ops.sees_office(office integer) returns boolean language sql stable parallel safe as
        $$ select ops.whole_tenant() or coalesce(office = any(ops.offices()), false) $$""")
    op.execute("comment on function ops.sees_office is 'Whether this transaction sees what is of an office'")


def downgrade() -> None:
    op.execute("drop function ops.sees_office(integer) cascade")
    op.execute("drop function ops.open_exports(text)")
    op.drop_table("report_export", schema="ops")
