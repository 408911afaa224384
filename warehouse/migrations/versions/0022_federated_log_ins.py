"""log-ins that an identity provider vouches for: what of them is good once"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spent",
        sa.Column("sha256", postgresql.BYTEA(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="from then on it is refused for its age"),
        sa.PrimaryKeyConstraint("sha256", name=op.f("spent_pkey")),
        schema="ops",
        comment="What is good once and was used in a log-in: states, assertions, codes of front ends",
    )
    op.execute("alter table ops.spent enable row level security")
    op.execute("alter table ops.spent force row level security")
    op.execute("create policy log_in on ops.spent to meterhouse_auth using (true) with check (true)")
    op.execute("grant all on ops.spent to meterhouse_owner")
    op.execute("grant select, insert, delete on ops.spent to meterhouse_auth")


def downgrade() -> None:
    op.drop_table("spent", schema="ops")
