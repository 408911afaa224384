"""Alembic environment: online only, against warehouse.db.database_url()."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context

from warehouse.db import database_url
from warehouse.tables import PgSnapshot, Xid8, metadata

# SQLAlchemy does not know these two types of PostgreSQL when it reads a table back.
ISCHEMA_NAMES = {"xid8": Xid8, "pg_snapshot": PgSnapshot}

OURS = {"registry", "raw", "billing", "vee", "energy", "ops"}


def include_object(obj: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic looks after the tables of warehouse.tables; dbt's tables and the monthly partitions are not its own."""
    if kind == "table" and reflected:
        return f"{obj.schema}.{name}" in metadata.tables
    return True


def include_name(name: str | None, kind: str, _: Any) -> bool:
    return name in OURS if kind == "schema" else True


engine = sa.create_engine(sa.make_url(database_url()).set(drivername="postgresql+psycopg"))
engine.dialect.ischema_names = {**engine.dialect.ischema_names, **ISCHEMA_NAMES}  # type: ignore[attr-defined]
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_schemas=True,
        include_object=include_object,
        include_name=include_name,
        version_table_schema="public",
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
