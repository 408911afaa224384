"""What a DISCOM agreed stands in the warehouse as its file says it, and is another DISCOM's business no more than its readings."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from orchestration.sla.repository import note
from orchestration.sla.settings import Band, load
from warehouse import db

pytestmark = pytest.mark.integration


@pytest.fixture
def conn(database: str) -> psycopg.Connection:
    with db.connect("meterhouse_owner") as owner:
        owner.execute("insert into registry.discom (discom_id, code, name) overriding system value values (1, 'A', 'A'), (2, 'B', 'B')")
    return db.connect("meterhouse_dbt")


def test_the_targets_are_written_once_and_then_only_where_they_changed(conn: psycopg.Connection) -> None:
    agreed = load("A")
    with conn:
        assert note(conn, 1, agreed) == len(agreed), "not every target came into the warehouse"
        assert note(conn, 1, agreed) == 0, "what did not change was written again"
        assert note(conn, 2, agreed[:1]) == 1
        changed = [replace(agreed[0], target_pct=97.5, bands=(Band(97.5, 2),), verified=True), *agreed[2:]]
        assert note(conn, 1, changed) == 2, "one target changed and one is gone"
        rows = conn.execute(
            "select sla, target_no, target_pct::float8, bands, verified from ops.sla_target where discom_id = 1 order by 1, 2"
        ).fetchall()
        assert rows[0] == ("SLA-01", 1, 97.5, [{"below_pct": 97.5, "penalty_pct": 2}], True), "the row does not say what was agreed"
        assert [(r[0], r[1]) for r in rows] == [(t.sla, t.number) for t in changed], "a target that is not agreed any more is still there"
        assert conn.execute("select count(*) from ops.sla_target where discom_id = 2").fetchone() == (1,), (
            "another DISCOM's targets were touched"
        )


def test_a_discom_sees_its_own_targets_alone(conn: psycopg.Connection) -> None:
    with conn:
        note(conn, 1, load("A"))
        note(conn, 2, load("B")[:3])
    with db.connect("meterhouse_api") as api:
        api.execute("select set_config('app.discom_id', '2', true)")
        assert api.execute("select distinct discom_id, count(*) from ops.sla_target group by 1").fetchall() == [(2, 3)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api.execute("update ops.sla_target set target_pct = 1")


def test_holders_of_keys_may_be_reported_and_their_secrets_not(conn: psycopg.Connection) -> None:
    with conn:
        conn.execute("select discom_id, key_id, role, name, created_at, revoked_at from ops.api_key")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select secret_sha256 from ops.api_key")
