"""Which dashboards may be shown in other pages."""

from __future__ import annotations

from uuid import UUID

import psycopg


def embedded(conn: psycopg.Connection) -> dict[str, UUID]:
    """What Superset calls each dashboard of the tenant, by our name of it."""
    return dict(conn.execute("select dashboard, embedded_id from ops.embedded_dashboard order by dashboard").fetchall())
