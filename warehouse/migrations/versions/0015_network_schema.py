"""schema network: what dbt makes of loads, voltages and interruptions, day by day"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create schema network authorization meterhouse_dbt")
    op.execute("grant usage on schema network to meterhouse_owner, meterhouse_loader, meterhouse_dbt, meterhouse_api")


def downgrade() -> None:
    op.execute("drop schema network cascade")
