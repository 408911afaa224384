"""idempotency: answers of requests that acted, kept for a day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False, comment="0 = of a platform administrator"),
        sa.Column("subject", sa.Text(), nullable=False, comment="id of the key, or login, of who asked"),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", postgresql.BYTEA(), nullable=False, comment="of path, query, media type and body"),
        sa.Column("begun_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True, comment="NULL = not answered"),
        sa.Column("headers", postgresql.JSONB(), nullable=True),
        sa.Column("body", postgresql.BYTEA(), nullable=True, comment="NULL = not kept: secret or large"),
        sa.PrimaryKeyConstraint("discom_id", "subject", "key", name=op.f("idempotency_pkey")),
        schema="ops",
        comment="Requests that came with an Idempotency-Key, and what they were answered",
    )
    # For lists of what changed since a time.
    op.create_index(op.f("command_audit_discom_id_at_idx"), "command_audit", ["discom_id", "at"], schema="ops")
    op.create_index(op.f("idempotency_expires_at_idx"), "idempotency", ["expires_at"], schema="ops")
    # A caller sees its own keys alone, wherever in the DISCOM it is limited to: so this table's policy is made before ops.protect.
    op.execute("""
        create policy within on ops.idempotency as restrictive
        using (subject = current_setting('app.subject', true)) with check (subject = current_setting('app.subject', true))""")
    op.execute("select ops.protect('ops.idempotency')")
    op.execute("grant select, insert, update, delete on ops.idempotency to meterhouse_api")
    op.execute("grant all on ops.idempotency to meterhouse_owner")
    op.execute("""
        create function ops.forget_idempotency() returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
          delete from ops.idempotency i using (
            select discom_id, subject, key from ops.idempotency where expires_at < now() - interval '1 minute'
            order by expires_at limit 100 for update skip locked) old
          where i.discom_id = old.discom_id and i.subject = old.subject and i.key = old.key
        $$""")
    op.execute("comment on function ops.forget_idempotency is 'Deletes up to 100 rows of ops.idempotency whose time is over'")
    op.execute("revoke execute on function ops.forget_idempotency from public")
    op.execute("grant execute on function ops.forget_idempotency to meterhouse_api")


def downgrade() -> None:
    op.execute("drop function ops.forget_idempotency()")
    op.drop_table("idempotency", schema="ops")
    op.drop_index(op.f("command_audit_discom_id_at_idx"), "command_audit", schema="ops")
