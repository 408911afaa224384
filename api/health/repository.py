"""What the database says of itself: reachable, and at which revision of the schema."""

from __future__ import annotations

import psycopg
from alembic.script import ScriptDirectory

from warehouse import db

TIMEOUT_S = 5


def schema_head() -> str | None:
    """Revision that this program's migrations end at."""
    return ScriptDirectory.from_config(db.alembic_config()).get_current_head()


def schema_revision() -> str | None:
    """Revision of the database, None where it was never migrated. Raises psycopg.Error, or EmbeddedError where no server is there.

    Asked as the user that logs in: the roles of the warehouse have no business with the table of migrations.
    """
    with psycopg.connect(
        db.database_url(),
        connect_timeout=TIMEOUT_S,
        application_name="meterhouse-ready",
        options=f"-c statement_timeout={TIMEOUT_S}s",
    ) as conn:
        if conn.execute("select to_regclass('public.alembic_version')").fetchone() == (None,):
            return None
        row = conn.execute("select version_num from public.alembic_version").fetchone()
        return str(row[0]) if row else None
