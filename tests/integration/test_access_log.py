"""The audit log of decisions: every request that was let in or refused is a line, whatever its path holds."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from warehouse import db

pytestmark = pytest.mark.integration


def test_what_was_decided_is_written(database: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (discom_id, code, name) values (1, 'acme', 'Acme')")
        key, key_id, secret = new_key()
        insert_key(conn, 1, key_id, secret, None, "asha", [], 1000, role="approver")
    app = create_app()
    with TestClient(app) as client:
        client.get("/api/v1/edits", headers={HEADER: key})
        client.post("/api/v1/commands", headers={HEADER: key, "Idempotency-Key": "12345678"}, json={"meter": "x", "kind": "read"})
        client.get("/api/v1/vee/explain/a%00b%ed%a0%80/2026-10-05")
    with db.connect("meterhouse_owner") as conn:
        lines = conn.execute(
            "select discom_id, who, action, outcome, method, path, address from ops.access_audit order by audit_id"
        ).fetchall()
    asha = f"asha ({key_id})"
    assert [line[:5] for line in lines] == [
        (1, asha, "vee:read", "allowed", "GET"),
        (1, asha, "commands:send", "refused", "POST"),
        (None, None, "vee:read", "refused", "GET"),
    ], f"lines of the audit log: {lines}"
    assert [line[5] for line in lines[:2]] == ["/api/v1/edits", "/api/v1/commands"]
    assert lines[2][5].startswith("/api/v1/vee/explain/a"), "the path of the third is lost"
    assert "\x00" not in lines[2][5]
