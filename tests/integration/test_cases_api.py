"""The queue over HTTP: order, filters and pages, what may be done with a case, two at once, and what follows from a decision."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from typer.testing import CliRunner

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.main import create_app
from cli.main import app
from orchestration import stale
from vee.exceptions.job import group
from warehouse import db

pytestmark = pytest.mark.integration

DAY = date(2026, 10, 5)
NEXT = DAY + timedelta(days=1)
CASES = "/api/v1/vee/cases"


def owner(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with db.connect("meterhouse_owner", autocommit=True) as conn:
        cursor = conn.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def keys(database: str) -> dict[str, str]:
    """Of two DISCOMs, acme (1) with 20 meters and built days DAY and NEXT, and globex (2) with one; two people of acme."""
    made = {}
    with db.connect("meterhouse_owner") as conn:
        for discom_id, code, meters in ((1, "acme", 20), (2, "globex", 1)):
            conn.execute("insert into registry.discom (discom_id, code, name) overriding system value values (%s, %s, %s)",
                         [discom_id, code, code])  # fmt: skip
            conn.execute("insert into registry.office (discom_id, code, name, level) values (%s, 'O', 'O', 'discom')", [discom_id])
            conn.execute(
                "insert into registry.office (discom_id, code, name, level, parent_id) select %s, 'S' || n, 'S', 'section', office_id"
                " from registry.office, generate_series(1, 2) n where discom_id = %s and level = 'discom'",
                [discom_id, discom_id],
            )
            conn.execute("insert into registry.hes (discom_id, code, vendor) values (%s, 'h', 'hpl')", [discom_id])
            conn.execute(
                """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min) overriding system value
                   select %s, n, 'M' || n, hes_id, 'D1', 30 from registry.hes, generate_series(1, %s) n where discom_id = %s""",
                [discom_id, meters, discom_id],
            )
            for who in ("asha", "ravi") if code == "acme" else (code,):
                made[who], key_id, secret = new_key()
                insert_key(conn, discom_id, key_id, secret, None, who, [], 1_000_000)
        conn.execute(
            """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
               overriding system value
               select 1, n, 'P' || n, office_id, 'domestic', 1000 from generate_series(1, 20) n
               join registry.office o on o.discom_id = 1 and o.code = case when n <= 5 then 'S1' else 'S2' end"""
        )
        conn.execute("""insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
                        select 1, n, '2026-01-01', n from generate_series(1, 20) n""")
    with db.connect("meterhouse_dbt") as conn:
        conn.execute("""
            create table vee.measure (discom_id smallint, day date, meter_id integer, slots integer, limit_wh bigint, sum_wh bigint,
                                      register_advance_wh bigint, primary key (discom_id, day, meter_id))""")
        conn.execute(
            "create table vee.meter_day (discom_id smallint, day date, meter_id integer, interval_min smallint, import_wh integer[])"
        )
        conn.execute("select ops.ensure_month('vee.exception', %s, %s)", [DAY, DAY])
    return made


@pytest.fixture
def client(keys: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(), headers={HEADER: keys["asha"]}) as client:
        yield client


def fail(meter_id: int, rule: str = "V19", *, discom: int = 1, day: date = DAY, severity: str = "fail", wh: int | None = None) -> None:
    with db.connect("meterhouse_dbt") as conn:
        conn.execute(
            """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, value, message)
               values (%s, %s, %s, %s, 'initial', %s, 'hold', 'nan', 'x')""",
            [discom, day, meter_id, rule, severity],
        )
        conn.execute("insert into vee.measure values (%s, %s, %s, 48, 1000, %s, null) on conflict do nothing", [discom, day, meter_id, wh])


def build(first: date = DAY, last: date | None = None) -> None:
    group(1, "acme", first, last or first)


def do(client: TestClient, case: int, action: str, key: str | None = None, **rest: Any) -> Response:
    headers = {HEADER: key} if key else {}
    return client.post(f"{CASES}/{case}/actions", json={"do": action, **rest}, headers=headers)


def listed(client: TestClient, **filters: Any) -> list[dict[str, Any]]:
    answer = client.get(CASES, params=filters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def only(client: TestClient) -> int:
    (case,) = listed(client)
    return int(case["id"])


# --- the queue ---


def test_severity_comes_first_then_energy_then_age(client: TestClient) -> None:
    fail(1, severity="warn", wh=40_000)
    fail(2, wh=5_000)
    fail(3, wh=9_000)
    fail(4)
    build()
    fail(5, severity="fatal")
    fail(6)
    build()
    owner("update vee.case set opened_at = opened_at - interval '1 hour' where meter_id = 6")
    assert [(c["meter"], c["stake_wh"]) for c in listed(client)] == [
        ("M5", None),
        ("M3", 9_000),
        ("M2", 5_000),
        ("M6", None),
        ("M4", None),
        ("M1", 40_000),
    ]


def test_pages_give_every_case_once(client: TestClient) -> None:
    for n in range(1, 12):
        fail(n, severity="warn" if n % 2 else "fail", wh=1000 * (n % 3))
    build()
    found: list[int] = []
    after = None
    while True:
        page = client.get(CASES, params={"size": 4, **({"after": after} if after else {})}).json()
        found += [c["id"] for c in page["items"]]
        if (after := page["next"]) is None:
            break
    assert found == [c["id"] for c in listed(client)]
    assert len(set(found)) == 11
    assert client.get(CASES, params={"after": 10**9}).json()["code"] == "UNKNOWN_CURSOR"


def test_filters(client: TestClient) -> None:
    fail(1, "V13", severity="warn")
    fail(2, "V19")
    fail(6, "V19")
    build()
    owner("update vee.case set opened_at = now() - interval '49 hours' where meter_id in (1, 2)")
    case = next(c["id"] for c in listed(client, meter="M6"))
    do(client, case, "take")

    def meters(**filters: Any) -> set[str]:
        return {c["meter"] for c in listed(client, **filters)}

    assert meters(rule="V13") == {"M1"}
    assert meters(severity="fail") == {"M2", "M6"}
    assert meters(office="S1") == {"M1", "M2"}
    assert meters(office="O") == {"M1", "M2", "M6"}, "an office counts with those below it"
    assert meters(assignee="asha") == {"M6"}
    assert meters(state="assigned") == {"M6"}
    assert meters(min_age_h=48) == {"M1", "M2"}
    assert meters(overdue=True) == {"M2"}, "a warning has more time"
    assert meters(state="closed") == set()
    summary = client.get(f"{CASES}/summary").json()
    assert [(s["rule"], s["cases"], s["day"], s["three_days"], s["overdue"], s["unassigned"]) for s in summary] == [
        ("V19", 2, 1, 1, 1, 1),
        ("V13", 1, 0, 1, 0, 1),
    ]


def test_the_raw_list_of_exceptions_in_pages(client: TestClient) -> None:
    for n in (1, 2, 3):
        fail(n, "V13")
        fail(n, "V19", day=NEXT)
    found: list[tuple[str, str]] = []
    after = None
    while True:
        answer = client.get(
            "/api/v1/vee/exceptions", params={"first": str(DAY), "last": str(NEXT), "size": 2, **({"after": after} if after else {})}
        )
        assert answer.status_code == 200, answer.text
        found += [(e["meter"], e["rule"]) for e in answer.json()["items"]]
        if (after := answer.json()["next"]) is None:
            break
    assert found == [*(("M1", "V13"), ("M2", "V13"), ("M3", "V13")), *(("M1", "V19"), ("M2", "V19"), ("M3", "V19"))]
    one = client.get("/api/v1/vee/exceptions", params={"first": str(DAY), "last": str(NEXT), "meter": "M2", "rule": "V19"}).json()["items"]
    assert [(e["day"], e["value"], e["state"]) for e in one] == [(str(NEXT), None, "open")]
    assert client.get("/api/v1/vee/exceptions", params={"first": str(NEXT), "last": str(DAY)}).json()["code"] == "WRONG_DAYS"
    assert (
        client.get("/api/v1/vee/exceptions", params={"first": str(DAY), "last": str(DAY), "after": "[]"}).json()["code"] == "UNKNOWN_CURSOR"
    )


# --- what is done with a case ---


def test_a_case_from_taking_to_reopening_with_every_step_in_the_audit_trail(client: TestClient, keys: dict[str, str]) -> None:
    fail(1)
    fail(1, day=NEXT)
    build(DAY, NEXT)
    case = only(client)
    assert do(client, case, "take").json()["assignee"] == "asha"
    assert do(client, case, "take").status_code == 200, "one's own again"
    until = datetime.now(UTC) + timedelta(days=1)
    waiting = do(client, case, "wait", reason="asked the section office", until=until.isoformat()).json()
    assert (waiting["state"], waiting["wait_reason"]) == ("waiting", "asked the section office")
    assert do(client, case, "comment", note="they call back").json()["state"] == "waiting"
    assert do(client, case, "assign", assignee="ravi").json()["state"] == "assigned"
    closed = do(client, case, "close", keys["ravi"], resolution="value_accepted", note="a holiday").json()
    assert (closed["state"], closed["resolution"], closed["closed_by"].split()[0]) == ("closed", "value_accepted", "ravi")
    assert listed(client) == []
    assert [c["id"] for c in listed(client, state="closed")] == [case]
    assert owner("select distinct state from vee.exception") == [("closed",)]
    opened = do(client, case, "reopen", note="it was no holiday").json()
    assert (opened["state"], opened["assignee"], opened["resolution"]) == ("assigned", "ravi", None)
    assert owner("select distinct state from vee.exception") == [("open",)]
    full = client.get(f"{CASES}/{case}").json()
    assert [(m["day"], m["meter"]) for m in full["exceptions"]] == [(str(DAY), "M1"), (str(NEXT), "M1")]
    assert [(a["action"], a["who"].split()[0], a["before"]["state"], a["after"]["state"]) for a in full["audit"]] == [
        ("take", "asha", "open", "assigned"),
        ("wait", "asha", "assigned", "waiting"),
        ("comment", "asha", "waiting", "waiting"),
        ("assign", "asha", "waiting", "assigned"),
        ("close", "ravi", "assigned", "closed"),
        ("reopen", "asha", "closed", "assigned"),
    ]
    assert full["audit"][4]["note"] == "a holiday"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ({"do": "take"}, "CLOSED"),
        ({"do": "assign", "assignee": "ravi"}, "CLOSED"),
        ({"do": "wait", "reason": "r"}, "CLOSED"),
        ({"do": "close", "resolution": "edited"}, "CLOSED"),
    ],
)
def test_a_closed_case_takes_comments_and_can_be_reopened_and_nothing_else(client: TestClient, action: dict[str, Any], code: str) -> None:
    fail(1)
    build()
    case = only(client)
    do(client, case, "close", resolution="edited")
    answer = client.post(f"{CASES}/{case}/actions", json=action)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert "asha" in answer.json()["detail"], "it must say who closed it"
    assert do(client, case, "comment", note="n").status_code == 200
    assert len(client.get(f"{CASES}/{case}").json()["audit"]) == 2, "a refusal changes nothing"


def test_what_is_not_possible_says_why(client: TestClient) -> None:
    fail(1)
    build()
    case = only(client)
    assert do(client, case, "reopen").json()["code"] == "NOT_CLOSED"
    assert do(client, case, "wait", reason="r", until="2020-01-01T00:00:00Z").json()["code"] == "PAST"
    assert do(client, case, "close", resolution="cleared").status_code == 422, "that is for the machine to say"
    assert do(client, case, "close", resolution="other").status_code == 422, "other needs a note"
    assert do(client, 10**9, "take").status_code == 404
    owner("update vee.exception set state = 'cleared'")
    build()
    assert do(client, case, "reopen").json()["code"] == "NOTHING_LEFT"
    assert owner("select state, resolution from vee.case") == [("closed", "cleared")], "nothing half applied"
    assert owner("select action from vee.case_audit") == [("close",)]


def test_what_a_person_closed_stays_closed_and_another_value_is_a_new_case(client: TestClient) -> None:
    fail(1)
    build()
    case = only(client)
    do(client, case, "close", resolution="value_accepted")
    build()
    assert listed(client) == []
    owner("update vee.exception set state = 'open', value = 2")  # as the suite does where the value is another
    build()
    (new,) = listed(client)
    assert (new["follows"], new["id"] != case, new["state"]) == (case, True, "open")


# --- many at once ---


def test_bulk_closes_what_was_seen_or_nothing(client: TestClient) -> None:
    for n in range(1, 8):
        fail(n, "V13" if n < 6 else "V19")
    build()
    body = {"filter": {"rule": "V13"}, "expected": 4, "action": {"do": "close", "resolution": "value_accepted", "note": "festival"}}
    answer = client.post(f"{CASES}/actions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "COUNT_DIFFERS")
    assert len(listed(client)) == 7
    assert owner("select count(*) from vee.case_audit") == [(0,)]
    done = client.post(f"{CASES}/actions", json={**body, "expected": 5}).json()
    assert (len(done["cases"]), done["exceptions"]) == (5, 5)
    assert {c["rule"] for c in listed(client)} == {"V19"}
    assert owner("select action, note, count(*) from vee.case_audit group by 1, 2") == [("close", "festival", 5)]
    assert owner("select state, rule, count(*) from vee.exception group by 1, 2 order by 1") == [("closed", "V13", 5), ("open", "V19", 2)]


def test_bulk_assigns_and_takes_no_misspelt_filter(client: TestClient) -> None:
    for n in range(1, 4):
        fail(n)
    build()
    action = {"do": "assign", "assignee": "ravi"}
    assert client.post(f"{CASES}/actions", json={"filter": {"rul": "V13"}, "expected": 3, "action": action}).status_code == 422
    assert client.post(f"{CASES}/actions", json={"filter": {}, "expected": 3, "action": action}).json()["exceptions"] == 0
    assert {(c["assignee"], c["state"]) for c in listed(client)} == {("ravi", "assigned")}


# --- two at once ---


def test_of_two_who_take_a_case_one_has_it_and_the_other_is_told_who(client: TestClient, keys: dict[str, str]) -> None:
    fail(1)
    build()
    case = only(client)
    start = threading.Barrier(8)

    def take(n: int) -> Response:
        start.wait()
        return do(client, case, "take", keys["asha" if n % 2 else "ravi"])

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(take, range(8)))
    has = listed(client)[0]["assignee"]
    assert sorted(a.status_code for a in answers) == [200] * 4 + [409] * 4
    assert {a.json()["assignee"] for a in answers if a.status_code == 200} == {has}
    refused = [a.json() for a in answers if a.status_code == 409]
    assert {r["code"] for r in refused} == {"TAKEN"}
    assert all(f"is with {has}" in r["detail"] for r in refused)
    assert owner("select action, count(*) from vee.case_audit group by 1") == [("take", 1)]


def test_people_and_builds_at_once_do_not_stop_each_other(client: TestClient, keys: dict[str, str]) -> None:
    for n in range(1, 13):
        fail(n)
        fail(n, day=NEXT)
    build(DAY, NEXT)
    cases = [c["id"] for c in listed(client)]

    def close(case: int) -> int:
        return do(client, case, "close", resolution="edited").status_code

    def bulk(_: int) -> int:
        body = {"filter": {}, "expected": 1, "action": {"do": "assign", "assignee": "ravi"}}
        return client.post(f"{CASES}/actions", json=body).status_code

    def rebuild(_: int) -> int:
        build(DAY, NEXT)
        return 0

    with ThreadPoolExecutor(6) as pool:
        closed = [pool.submit(close, c) for c in cases]
        others = [pool.submit(f, n) for n in range(6) for f in (bulk, rebuild)]
        assert [f.result() for f in closed] == [200] * 12
        assert {f.result() for f in others} <= {0, 200, 409}
    assert owner("select state, count(*) from vee.exception group by 1") == [("closed", 24)]
    assert owner("select state, count(*) from vee.case group by 1") == [("closed", 12)]


# --- what follows from a decision ---


def test_a_decision_makes_its_days_stale_for_its_meters_alone(client: TestClient, database: str) -> None:
    fail(7)
    fail(8, day=NEXT)
    build(DAY, NEXT)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("insert into ops.registry_change (discom_id) values (1)")
        conn.execute("select ops.ensure_month('raw.profile_fragment', %s, %s)", [DAY, NEXT])
        conn.execute("""insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq)
                        values (1, %s, 1, 0, 30, now(), 1, 1)""", [DAY])  # fmt: skip
        for day in (DAY, NEXT):
            conn.execute("insert into raw.touched_day (discom_id, day, batch_id, meters) values (1, %s, 1, '{1}')", [day])
    stale.begin_build(1, DAY, NEXT, made_with="m")
    stale.end_build(1, DAY, NEXT)
    assert stale.stale_ranges("acme") == []
    case = next(c["id"] for c in listed(client, meter="M7"))
    do(client, case, "take")
    assert stale.stale_ranges("acme") == [], "who has it changes no value"
    do(client, case, "close", resolution="value_accepted")
    (range_,) = stale.stale_ranges("acme")
    assert (range_.first, range_.last) == (DAY, DAY)
    assert stale.begin_build(1, DAY, DAY, made_with="m", changed_only=True)
    assert owner("select day, meter_id from ops.changed_meter") == [(DAY, 7)]
    do(client, case, "reopen")  # while the build goes on
    stale.end_build(1, DAY, DAY)
    (again,) = stale.stale_ranges("acme")
    assert again.upto > range_.upto, "by it the sensor knows that this is another run"
    assert stale.begin_build(1, DAY, DAY, made_with="m", changed_only=True)
    assert owner("select day, meter_id from ops.changed_meter") == [(DAY, 7)]


# --- the command line ---


def test_the_queue_and_a_case_from_the_command_line(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    fail(1, severity="fatal", wh=12_000_000)
    fail(2)
    build()
    owner("update vee.case set opened_at = now() - interval '5 days' where meter_id = 1")
    case = listed(client)[0]["id"]

    def meterhouse(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["vee", "exceptions", *arguments], env={"COLUMNS": "200"})
        return result.exit_code, result.output + capsys.readouterr().out

    code, said = meterhouse("-d", "acme")
    assert code == 0
    rows = [line.split() for line in said.splitlines() if "V19" in line]
    assert rows[0][:4] == [str(case), "V19", "fatal", "M1"]
    assert rows[2:] == [["V19", "fatal", *"1001011"], ["V19", "fail", *"1100001"]]
    assert meterhouse("take", "-d", "acme", str(case))[0] == 0
    assert meterhouse("assign", "-d", "acme", str(case), "ravi")[0] == 0
    assert meterhouse("take", "-d", "acme", str(case))[0] == 1, "it is with ravi"
    assert meterhouse("close", "-d", "acme", str(case), "--resolution", "other")[0] == 1, "other needs a note"
    assert meterhouse("close", "-d", "acme", str(case), "--resolution", "meter_fault", "--note", "burnt")[0] == 0
    code, said = meterhouse("show", "-d", "acme", str(case))
    assert code == 0
    assert "burnt" in said
    assert meterhouse("close-all", "-d", "acme", "--expected", "2", "--resolution", "edited")[0] == 1
    assert meterhouse("close-all", "-d", "acme", "--expected", "1", "--resolution", "edited")[0] == 0
    assert "no case waits" in meterhouse("-d", "acme")[1]
    assert meterhouse()[0] == 1, "which DISCOM?"
    assert meterhouse("-d", "nobody")[0] == 1


# --- tenants and rights ---


def test_another_tenants_cases_are_not_there(client: TestClient, keys: dict[str, str]) -> None:
    fail(1)
    fail(1, discom=2)
    build()
    group(2, "globex", DAY, DAY)
    mine = only(client)
    stranger = {HEADER: keys["globex"]}
    (theirs,) = client.get(CASES, headers=stranger).json()["items"]
    assert theirs["id"] != mine
    assert client.get(f"{CASES}/{mine}", headers=stranger).status_code == 404
    assert do(client, mine, "close", keys["globex"], resolution="edited").status_code == 404
    body = {"filter": {}, "expected": 1, "action": {"do": "close", "resolution": "edited"}}
    assert client.post(f"{CASES}/actions", json=body, headers=stranger).json()["cases"] == [theirs["id"]]
    assert owner("select discom_id, state from vee.exception order by 1") == [(1, "open"), (2, "closed")]
    found = client.get("/api/v1/vee/exceptions", params={"first": str(DAY), "last": str(DAY)}).json()["items"]
    assert [e["state"] for e in found] == ["open"]
    with db.connect("meterhouse_api") as conn:
        conn.execute("select set_config('app.discom_id', '2', true)")
        conn.execute("update vee.case set updated_at = now()")
        assert conn.execute("select vee.settle_cases(%s)", [[mine]]).fetchone() == (0,), "another tenant's case is not settled"


@pytest.mark.parametrize(
    "statement",
    [
        "update vee.exception set state = 'closed'",
        "update vee.case set severity = 'info'",
        "update vee.case set first_day = '2020-01-01'",
        "insert into vee.case default values",
        "delete from vee.case",
        "update vee.case_audit set who = 'somebody'",
        "delete from vee.case_audit",
        "insert into ops.work_order_request default values",
        "insert into ops.decided_day default values",
    ],
)
def test_a_request_may_change_no_more_than_it_must(database: str, statement: str) -> None:
    with db.connect("meterhouse_api") as conn:
        conn.execute("select set_config('app.discom_id', '1', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)
