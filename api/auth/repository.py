"""The warehouse's keys: how a caller is known, and what an administrator does with them (as meterhouse_owner)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row


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


def insert_key(
    conn: psycopg.Connection,
    discom_id: int,
    key_id: str,
    secret_sha256: bytes,
    hes_id: int | None,
    name: str,
    networks: list[str],
    per_min: int,
    *,
    billing: bool = False,
) -> None:
    """A key of a head-end system; where `hes_id` is None, of an operator or a billing system. Raises DataError for a bad network."""
    purpose = "billing" if billing else "operator" if hes_id is None else "hes"
    with conn.transaction():
        conn.execute(
            """insert into ops.api_key (discom_id, key_id, secret_sha256, purpose, hes_id, name, networks, requests_per_min)
               values (%s, %s, %s, %s, %s, %s, %s::cidr[], %s)""",
            [discom_id, key_id, secret_sha256, purpose, hes_id, name, networks or None, per_min],
        )


def keys(conn: psycopg.Connection, discom_id: int) -> list[dict[str, Any]]:
    """All keys of a DISCOM, revoked ones too, the oldest first."""
    with conn.transaction(), conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            """select k.key_id, k.purpose, h.code as hes, k.name, k.networks::text[] as networks, k.requests_per_min, k.created_at,
                      k.revoked_at
               from ops.api_key k left join registry.hes h using (discom_id, hes_id)
               where k.discom_id = %s order by k.created_at, k.key_id""",
            [discom_id],
        ).fetchall()


def revoke_key(conn: psycopg.Connection, discom_id: int, key_id: str) -> bool:
    """Whether there was such a key in use."""
    with conn.transaction():
        done = conn.execute(
            "update ops.api_key set revoked_at = now() where discom_id = %s and key_id = %s and revoked_at is null", [discom_id, key_id]
        )
    return done.rowcount > 0
