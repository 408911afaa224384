"""Commands as operators ask for them, over HTTP: accepted once, refused with a reason that is kept, held back in protected hours."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from fastapi.testclient import TestClient
from httpx import Response

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from ingestion.commands.rules import Rules, load_rules
from warehouse import db

pytestmark = pytest.mark.integration

IST = ZoneInfo("Asia/Kolkata")
SENT = "update ops.command set state = 'sent', leased_by = 'w', leased_until = now() + interval '1 hour' where command_id = %s"


@pytest.fixture
def keys(database: str) -> dict[str, str]:
    """Two DISCOMs with one meter of each category, and an operator's key of each."""
    made = {}
    with db.connect("meterhouse_owner") as conn:
        for code in ("acme", "globex"):
            row = conn.execute("insert into registry.discom (code, name) values (%s, %s) returning discom_id", [code, code]).fetchone()
            assert row
            conn.execute("insert into registry.hes (discom_id, code, vendor) values (%s, 'h1', 'hpl'), (%s, 'h2', 'hpl')", [row[0]] * 2)
            conn.execute(
                """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
                   select h.discom_id, c, h.hes_id, c, 30
                   from registry.hes h, unnest(array['D1','D2','D3','D4','A','B','C']) c where h.discom_id = %s and h.code = 'h1'""",
                [row[0]],
            )
            made[code], key_id, secret = new_key()
            insert_key(conn, row[0], key_id, secret, None, "control room", [], 1_000_000)
    return made


@pytest.fixture
def client(keys: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(), headers={HEADER: keys["acme"]}) as client:
        yield client


def post(client: TestClient, kind: str, meter: str = "D1", key: str | None = None, **rest: Any) -> Response:
    headers = {"Idempotency-Key": key or uuid4().hex}
    return client.post("/api/v1/commands", json={"kind": kind, "meter": meter, **rest}, headers=headers)


def owner(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with db.connect("meterhouse_owner", autocommit=True) as conn:
        cursor = conn.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


# --- accepted once ---


def test_a_command_is_queued_with_the_head_end_system_that_the_meter_has_now(client: TestClient) -> None:
    first = post(client, "connect")
    owner("update registry.meter m set hes_id = h.hes_id from registry.hes h where h.discom_id = m.discom_id and h.code = 'h2'")
    second = post(client, "connect")
    assert [r.status_code for r in (first, second)] == [201, 201]
    assert (first.json()["hes"], second.json()["hes"]) == ("h1", "h2"), "the head-end system of the meter as of now takes the command"
    found = client.get(first.headers["Location"]).json()
    assert (found["state"], found["priority"], found["requested_by"].split()[0]) == ("queued", 1, "control")
    assert [(m["before"], m["after"]) for m in found["audit"]] == [(None, "queued")]


def test_the_same_key_and_body_give_the_same_command_and_another_body_a_conflict(client: TestClient) -> None:
    one = post(client, "load_limit", key="key-of-one", parameters={"load_limit_w": 2000})
    again = post(client, "load_limit", key="key-of-one", parameters={"load_limit_w": 2000})
    other = post(client, "load_limit", key="key-of-one", parameters={"load_limit_w": 3000})
    assert (one.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json() == one.json()
    assert other.json()["code"] == "KEY_REUSED"
    assert owner("select count(*) from ops.command") == [(1,)]


def test_of_many_requests_at_once_with_one_key_one_makes_the_command(client: TestClient) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: post(client, "read", key="key-of-many"), range(24)))
    codes = [a.status_code for a in answers]
    assert sorted(codes) == [200] * 23 + [201], f"one is new, the others are told of it: {codes}"
    assert len({a.json()["id"] for a in answers}) == 1
    assert owner("select count(*), (select count(*) from ops.command_audit) from ops.command") == [(1, 1)]


def test_without_a_key_of_its_own_a_request_is_not_valid(client: TestClient) -> None:
    answer = client.post("/api/v1/commands", json={"kind": "read", "meter": "D1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


# --- refused ---


@pytest.mark.parametrize("kind", ["connect", "disconnect", "load_limit"])
@pytest.mark.parametrize("category", ["D3", "D4", "A", "B", "C"])
def test_meters_without_a_relay_take_no_relay_command(client: TestClient, category: str, kind: str) -> None:
    answer = post(client, kind, category, parameters={"load_limit_w": 1000} if kind == "load_limit" else {})
    assert (answer.status_code, answer.json()["code"]) == (422, "NO_RELAY")
    assert category in answer.json()["detail"]
    assert owner("select count(*) from ops.command") == [(0,)]
    line = owner("select command_id, to_state, why, detail->>'meter', detail->>'kind', who from ops.command_audit")[0]
    assert line[:5] == (None, "refused", "NO_RELAY", category, kind), "a refusal is kept in the audit trail"
    assert line[5].startswith("control room")


def test_a_meter_whose_head_end_system_takes_no_commands_is_refused_at_once(client: TestClient) -> None:
    owner("update registry.hes set vendor = 'vendor_c' where code = 'h1' returning 1")
    answer = post(client, "read")
    assert (answer.status_code, answer.json()["code"]) == (422, "NO_WAY")
    assert "vendor_c takes no commands" in answer.json()["detail"]
    assert owner("select count(*) from ops.command") == [(0,)]


def test_a_meter_without_a_relay_can_be_read(client: TestClient) -> None:
    assert post(client, "read", "D4").status_code == 201


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("load_limit", {}, "load_limit_w"),
        ("load_limit", {"load_limit_w": 0}, "greater than or equal to 1"),
        ("connect", {"force": True}, "force"),
        ("read_profile", {"profile": "block", "since": "2026-10-02T00:00:00Z", "until": "2026-10-01T00:00:00Z"}, "later than since"),
        ("read_profile", {"profile": "block", "since": "2026-10-02T00:00:00", "until": "2026-10-03T00:00:00Z"}, "timezone"),
        ("read_profile", {"profile": "block", "since": "2025-10-02T00:00:00Z", "until": "2026-10-03T00:00:00Z"}, "ask in parts"),
        ("tod_calendar", {"name": "summer", "switches": [{"at": "06:00", "zone": 1}]}, "first switch"),
        ("tod_calendar", {"name": "summer", "switches": [{"at": "00:00", "zone": 9}]}, "zone"),
    ],
)
def test_wrong_parameters_are_named(client: TestClient, kind: str, parameters: dict[str, Any], said: str) -> None:
    answer = post(client, kind, parameters=parameters)
    assert answer.status_code == 422
    assert said in answer.text, f"the answer must say {said!r}: {answer.text}"


def test_an_unknown_meter_and_a_past_expiry_are_refused(client: TestClient) -> None:
    assert post(client, "read", "nobody").json()["code"] == "UNKNOWN_METER"
    assert post(client, "read", expires_at="2020-01-01T00:00:00Z").json()["code"] == "EXPIRED"


# --- protected hours ---


def at(day: str, hour: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), IST)


@pytest.mark.parametrize(
    ("now", "opens", "why"),
    [
        (at("2026-10-05", "10:00"), at("2026-10-05", "10:00"), "a Monday morning is open"),
        (at("2026-10-05", "17:59"), at("2026-10-05", "17:59"), "the last minute"),
        (at("2026-10-05", "18:00"), at("2026-10-06", "08:00"), "an evening waits for the morning"),
        (at("2026-10-05", "03:00"), at("2026-10-05", "08:00"), "a night waits for its morning"),
        (at("2026-10-03", "20:00"), at("2026-10-05", "08:00"), "Saturday evening waits for Monday"),
        (at("2026-10-04", "11:00"), at("2026-10-05", "08:00"), "a Sunday"),
        (at("2026-10-01", "20:00"), at("2026-10-03", "08:00"), "Friday is a holiday, Saturday is not"),
    ],
)
def test_when_a_disconnect_may_go_out(now: datetime, opens: datetime, why: str) -> None:
    assert load_rules("acme").opens_at(now, IST, {date(2026, 10, 2)}) == opens, why


def open_hours(monkeypatch: pytest.MonkeyPatch, opens: datetime | None) -> None:
    """Disconnects may go out from `opens` on; None: at once."""
    monkeypatch.setattr(Rules, "opens_at", lambda self, at, zone, holidays: max(at, opens) if opens else at)


def test_a_disconnect_waits_for_protected_hours_to_end_and_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    opens = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=7)
    open_hours(monkeypatch, opens)
    answer = post(client, "disconnect").json()
    assert datetime.fromisoformat(answer["not_before"]) == opens
    assert datetime.fromisoformat(answer["expires_at"]) == opens + timedelta(hours=10), "the time to expire counts from then"
    assert "protected hours" in answer["reason"]
    assert post(client, "connect", "D2").json()["not_before"] < answer["not_before"], "nothing but disconnects waits"
    refused = post(client, "disconnect", expires_at=(opens - timedelta(hours=1)).isoformat())
    assert (refused.status_code, refused.json()["code"]) == (422, "PROTECTED_HOURS")


def test_protected_hours_are_overridden_with_a_reason_that_is_kept(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    open_hours(monkeypatch, datetime.now(UTC) + timedelta(hours=7))
    assert post(client, "disconnect", override_reason="hm").status_code == 422, "a reason says something"
    answer = post(client, "disconnect", override_reason="burning service cable").json()
    assert datetime.fromisoformat(answer["not_before"]) <= datetime.now(UTC) + timedelta(seconds=5)
    detail = owner("select detail->>'override_reason' from ops.command_audit where command_id = %s", answer["id"])
    assert detail == [("burning service cable",)]


# --- groups ---


def test_a_group_queues_what_can_be_and_lists_what_is_refused(client: TestClient) -> None:
    body = {"kind": "connect", "meters": ["D1", "D3", "D2", "nobody"]}
    first = client.post("/api/v1/commands/groups", json=body, headers={"Idempotency-Key": "key-of-group"})
    again = client.post("/api/v1/commands/groups", json=body, headers={"Idempotency-Key": "key-of-group"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["states"] == {"queued": 2}
    assert [(r["meter"], r["code"]) for r in first.json()["refused"]] == [("D3", "NO_RELAY"), ("nobody", "UNKNOWN_METER")]
    listed = client.get("/api/v1/commands", params={"group": first.json()["id"]}).json()
    assert sorted(c["meter"] for c in listed["items"]) == ["D1", "D2"]
    lines = owner("select to_state, count(*) from ops.command_audit group by 1 order by 1")
    assert lines == [("queued", 2), ("refused", 2)], "queued + refused = asked"
    other = client.post("/api/v1/commands/groups", json={**body, "kind": "read"}, headers={"Idempotency-Key": "key-of-group"})
    assert other.status_code == 409
    twice = client.post("/api/v1/commands/groups", json={**body, "meters": ["D1", "D1"]}, headers={"Idempotency-Key": "key-of-twice"})
    assert twice.status_code == 422


# --- listing, taking back, tenants ---


def test_pages_give_every_command_once_newest_first(client: TestClient) -> None:
    made = [post(client, "read").json()["id"] for _ in range(7)]
    found, before = [], None
    while True:
        page = client.get("/api/v1/commands", params={"size": 3, "state": "queued", **({"before": before} if before else {})}).json()
        found += [c["id"] for c in page["items"]]
        if (before := page["next"]) is None:
            break
    assert found == made[::-1]
    assert client.get("/api/v1/commands", params={"meter": "D2"}).json()["items"] == []


def test_what_is_queued_can_be_taken_back_and_what_is_sent_cannot(client: TestClient) -> None:
    one, two = (post(client, "disconnect").json()["id"] for _ in range(2))
    owner(SENT, two)
    taken = [client.post(f"/api/v1/commands/{one}/cancel") for _ in range(2)]
    assert [(t.status_code, t.json()["state"]) for t in taken] == [(200, "cancelled")] * 2, "to take back twice is no error"
    late = client.post(f"/api/v1/commands/{two}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "NOT_QUEUED")
    assert [m["after"] for m in client.get(f"/api/v1/commands/{one}").json()["audit"]] == ["queued", "cancelled"]


def test_another_tenants_command_is_not_there(client: TestClient, keys: dict[str, str]) -> None:
    mine = post(client, "connect").json()["id"]
    stranger = {HEADER: keys["globex"]}
    assert client.get(f"/api/v1/commands/{mine}", headers=stranger).status_code == 404
    assert client.post(f"/api/v1/commands/{mine}/cancel", headers=stranger).status_code == 404
    assert client.get("/api/v1/commands", headers=stranger).json()["items"] == []
    assert client.get(f"/api/v1/commands/{mine}").json()["state"] == "queued", "a stranger must not have changed it"


def test_a_request_may_not_rewrite_what_was_asked_nor_the_audit_trail(client: TestClient) -> None:
    post(client, "connect")
    (discom_id,) = owner("select discom_id from ops.command")[0]
    statements = {
        "meterhouse_api": ["update ops.command set kind = 'read'", "delete from ops.command", "update ops.command_audit set why = ''"],
        "meterhouse_dispatcher": [
            "update ops.command set meter_id = 1",
            "delete from ops.command_audit",
            "insert into ops.command default values",
        ],
        "meterhouse_loader": ["select 1 from ops.command"],
    }
    for role, forbidden in statements.items():
        for statement in forbidden:
            with db.connect(role) as conn:
                conn.execute("select set_config('app.discom_id', %s, true)", [str(discom_id)])
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(statement)
