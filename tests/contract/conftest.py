"""Callers of the contract tests."""

from __future__ import annotations

import pytest

from api.auth import Permission, new_key
from api.auth.repository import insert_key
from warehouse import db


@pytest.fixture(scope="module")
def keys(built_module_database: str) -> dict[str, str]:
    """A key of a head-end system, and one that has every permission."""
    made = {}
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme')")
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'hpl' from registry.discom")
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M' || n, hes_id, 'D1', 30 from registry.hes, generate_series(1, 3) n"""
        )
        conn.execute("insert into ops.role (discom_id, code, name, permissions) select discom_id, 'all', 'All', %s from registry.discom",
                     [[p for p in Permission if p != Permission.TENANTS_MANAGE]])  # fmt: skip
        discom_id, hes_id = conn.execute("select discom_id, hes_id from registry.hes").fetchone() or (0, 0)
        for role in ("hes_vendor", "all"):
            made[role], key_id, secret = new_key()
            insert_key(conn, discom_id, key_id, secret, hes_id if role == "hes_vendor" else None, role, [], 1_000_000_000, role=role)
    return made
