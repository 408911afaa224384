"""meters and consumers of feeders: found without a walk over every installation and every tag"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("installation", "consumer_index"):
        op.create_index(
            f"{table}_feeder_idx", table, ["discom_id", "feeder_id"], schema="registry", postgresql_where=sa.text("feeder_id is not null")
        )


def downgrade() -> None:
    for table in ("consumer_index", "installation"):
        op.drop_index(f"{table}_feeder_idx", table, schema="registry")
