"""Small questions to the registry that several parts ask."""

from __future__ import annotations

import psycopg


def discoms(conn: psycopg.Connection) -> dict[str, int]:
    """discom_id by code."""
    return dict(conn.execute("select code, discom_id from registry.discom order by code").fetchall())


def vendor_of(conn: psycopg.Connection, discom: str, hes: str) -> str | None:
    """Name of the vendor file of a head-end system, or None where the DISCOM has no such system."""
    row = conn.execute(
        "select h.vendor from registry.hes h join registry.discom d using (discom_id) where d.code = %s and h.code = %s", [discom, hes]
    ).fetchone()
    return str(row[0]) if row else None
