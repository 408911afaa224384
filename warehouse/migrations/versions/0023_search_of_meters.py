"""search of meters: by serial from its beginning on whatever the collation of the database, by DT and by office"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("meter_serial_idx", "meter", ["discom_id", sa.text('serial collate "C"')], schema="registry")
    op.create_index(op.f("service_point_discom_id_office_id_idx"), "service_point", ["discom_id", "office_id"], schema="registry")
    op.create_index(
        "consumer_index_dt_idx", "consumer_index", ["discom_id", "dt_id"], schema="registry", postgresql_where=sa.text("dt_id is not null")
    )
    op.create_index(
        "installation_dt_idx", "installation", ["discom_id", "dt_id"], schema="registry", postgresql_where=sa.text("dt_id is not null")
    )


def downgrade() -> None:
    op.drop_index("installation_dt_idx", "installation", schema="registry")
    op.drop_index("consumer_index_dt_idx", "consumer_index", schema="registry")
    op.drop_index(op.f("service_point_discom_id_office_id_idx"), "service_point", schema="registry")
    op.drop_index("meter_serial_idx", "meter", schema="registry")
