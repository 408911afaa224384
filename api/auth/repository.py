"""The warehouse's keys: how a caller is known."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True)
class Key:
    """A key that is not revoked, and whose it is."""

    discom_id: int
    discom: str
    secret_sha256: bytes
    purpose: str
    hes_id: int | None
    hes: str | None
    vendor: str | None
    name: str
    networks: list[str] | None
    requests_per_min: int


def find_key(conn: psycopg.Connection, key_id: str) -> Key | None:
    """The key of this id, None where there is none or it is revoked."""
    with conn.cursor(row_factory=class_row(Key)) as cur:
        return cur.execute("select * from ops.find_api_key(%s)", [key_id]).fetchone()
