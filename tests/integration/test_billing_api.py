"""Bills and receipts over HTTP: each row is stored or refused by itself, once, in whatever order; and each tenant sees its own."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
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
from warehouse import db

pytestmark = pytest.mark.integration

BILLS, RECEIPTS, DELIVERIES = (f"/api/v1/billing/{p}" for p in ("bills", "receipts", "deliveries"))


@pytest.fixture
def keys(database: str) -> dict[str, str]:
    """Of acme with consumers C1 to C3 and globex with C1: a key of each one's billing system, and one of an operator of acme."""
    made = {}
    with db.connect("meterhouse_owner") as conn:
        for discom_id, code, consumers in ((1, "acme", 3), (2, "globex", 1)):
            conn.execute("insert into registry.discom (discom_id, code, name) overriding system value values (%s, %s, %s)",
                         [discom_id, code, code])  # fmt: skip
            conn.execute("insert into registry.office (discom_id, code, name, level) values (%s, 'O', 'O', 'discom')", [discom_id])
            conn.execute(
                """insert into registry.service_point (discom_id, code, office_id, category, sanctioned_load_w)
                   select discom_id, 'P', office_id, 'domestic', 1000 from registry.office where discom_id = %s""",
                [discom_id],
            )
            conn.execute(
                """insert into registry.consumer (discom_id, code, service_point_id, valid_from)
                   select discom_id, 'C' || n, service_point_id, '2026-01-01' from registry.service_point, generate_series(1, %s) n
                   where discom_id = %s""",
                [consumers, discom_id],
            )
            made[code], key_id, secret = new_key()
            insert_key(conn, discom_id, key_id, secret, None, f"billing of {code}", [], 1_000_000, role="billing_system")
        made["operator"], key_id, secret = new_key()
        insert_key(conn, 1, key_id, secret, None, "control room", [], 1_000_000)
    return made


@pytest.fixture
def client(keys: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app(), headers={HEADER: keys["acme"]}) as client:
        yield client


def bill(number: str = "B1", **other: Any) -> dict[str, Any]:
    row = {"number": number, "consumer": "C1", "month": "2026-10-01", "issued_on": "2026-11-03", "energy_wh": 120_000, "amount_inr": 740.5}
    return row | other


def receipt(number: str = "R1", **other: Any) -> dict[str, Any]:
    return {"receipt": number, "consumer": "C1", "received_on": "2026-11-12", "amount_inr": 700} | other


def send(client: TestClient, path: str, *rows: Any, **request: Any) -> Response:
    return client.post(path, json={path.rsplit("/", 1)[1]: list(rows)}, **request)


def counts(answer: Response) -> tuple[int, int, int]:
    """stored, unchanged, rejected."""
    assert answer.status_code == 200, answer.text
    got = answer.json()
    assert got["received"] == got["stored"] + got["unchanged"] + got["rejected"], f"the rows do not add up: {got}"
    return got["stored"], got["unchanged"], got["rejected"]


def rows(query: str) -> list[tuple[Any, ...]]:
    with db.connect("meterhouse_owner") as conn:
        return conn.execute(query).fetchall()


def stored_bills() -> list[tuple[Any, ...]]:
    return rows(
        "select c.code, b.number, b.amount_inr from billing.bill b join registry.consumer c using (discom_id, consumer_id) order by 1, 2"
    )


def test_bills_and_receipts_are_stored_once(client: TestClient) -> None:
    assert counts(send(client, BILLS, bill(), bill("B2", consumer="C2", subsidy_inr="60.25", assessed=True))) == (2, 0, 0)
    assert counts(send(client, RECEIPTS, receipt(), receipt("R2", kind="arrears", amount_inr="-0.10"))) == (2, 0, 0)
    columns = "month, energy_wh, assessed, amount_inr, subsidy_inr, number, issued_on"
    assert rows(f"select {columns} from billing.bill order by number") == [
        (date(2026, 10, 1), 120_000, False, Decimal("740.50"), Decimal("0.00"), "B1", date(2026, 11, 3)),
        (date(2026, 10, 1), 120_000, True, Decimal("740.50"), Decimal("60.25"), "B2", date(2026, 11, 3)),
    ], "not what was sent"
    assert rows("select receipt, received_on, kind, amount_inr from billing.collection order by 1") == [
        ("R1", date(2026, 11, 12), "payment", Decimal("700.00")),
        ("R2", date(2026, 11, 12), "arrears", Decimal("-0.10")),
    ], "not what was sent"

    assert counts(send(client, BILLS, bill())) == (0, 1, 0), "the same bill again is no new one"
    assert counts(send(client, RECEIPTS, receipt(), receipt("R3"), receipt("R3"))) == (1, 2, 0), "the same receipt again is no new one"


def test_a_row_is_refused_by_itself_and_says_why(client: TestClient) -> None:
    answer = send(
        client,
        BILLS,
        bill("B1"),
        bill("B2", consumer="C9"),
        bill("B3", month="2026-10-02"),
        bill("B4", amount_inr="1.005"),
        bill("B5", energy_wh=1.5),
        bill("B6", month=20_261_001),
        bill("B7", paid=True),
        "nothing",
        bill("B1", energy_wh=1),
        bill("B\x008"),
    )
    assert counts(answer) == (1, 0, 9)
    refused = {r["row"]: (r["number"], r["code"]) for r in answer.json()["refusals"]}
    invalid = {2: "B3", 3: "B4", 4: "B5", 5: "B6", 6: "B7", 7: None, 9: "B8"}
    assert refused == {1: ("B2", "UNKNOWN_CONSUMER"), 8: ("B1", "NUMBER_REUSED"), **{i: (n, "INVALID_ROW") for i, n in invalid.items()}}
    faults = {r["row"]: r["detail"] for r in answer.json()["refusals"]}
    named = {2: "first of a month", 3: "amount_inr", 6: "paid"}
    assert all(what in faults[i] for i, what in named.items()), f"the faults are not named: {faults}"
    assert stored_bills() == [("C1", "B1", Decimal("740.50"))], "something of a refused row was stored"

    everything = send(client, RECEIPTS, receipt(kind="gift"), receipt(consumer="C9"))
    assert (everything.status_code, everything.json()["code"]) == (422, "NOTHING_ACCEPTED"), everything.text
    assert [e["code"] for e in everything.json()["errors"]] == ["INVALID_ROW", "UNKNOWN_CONSUMER"]
    reused = send(client, BILLS, bill("B1", amount_inr=1))
    assert reused.json()["errors"][0]["code"] == "NUMBER_REUSED", "a bill was changed under its number"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("together", [True, False], ids=["in one delivery", "one by one"])
def test_the_bill_that_was_issued_last_stands_in_whatever_order_they_come(
    client: TestClient, order: tuple[int, ...], together: bool
) -> None:
    bills = [bill(f"B{i}", issued_on=f"2026-11-{3 + i:02d}", amount_inr=100 + i) for i in range(3)]
    for part in [order] if together else [(i,) for i in order]:
        assert counts(send(client, BILLS, *(bills[i] for i in part)))[2] == 0
    assert stored_bills() == [("C1", "B2", Decimal(102))], "an earlier bill of the month stands"
    assert counts(send(client, BILLS, bills[0])) == (0, 1, 0), "a bill that a later one took the place of came back"


def test_a_bill_of_a_file_gives_way(client: TestClient) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            """insert into billing.bill (discom_id, consumer_id, month, energy_wh, amount_inr)
               select discom_id, consumer_id, '2026-10-01', 1, 1 from registry.consumer where code = 'C1' and discom_id = 1"""
        )
    assert counts(send(client, BILLS, bill())) == (1, 0, 0)
    assert stored_bills() == [("C1", "B1", Decimal("740.50"))]


def test_a_tenant_sees_and_writes_its_own(client: TestClient, keys: dict[str, str]) -> None:
    other = {HEADER: keys["globex"]}
    assert counts(send(client, BILLS, bill())) == (1, 0, 0)
    assert counts(send(client, BILLS, bill(amount_inr=1), headers=other)) == (1, 0, 0), "numbers are the DISCOM's own"
    unknown = send(client, BILLS, bill("B2", consumer="C3"), headers=other)
    assert unknown.json()["errors"][0]["code"] == "UNKNOWN_CONSUMER", "another DISCOM's consumer is known"
    assert rows("select discom_id, amount_inr from billing.bill order by 1") == [(1, Decimal("740.50")), (2, Decimal(1))]
    assert [d["stored"] for d in client.get(DELIVERIES).json()["items"]] == [1], "not the DISCOM's own deliveries"
    assert [d["rejected"] for d in client.get(DELIVERIES, headers=other).json()["items"]] == [1, 0]


@pytest.mark.parametrize("path", [BILLS, RECEIPTS])
def test_only_a_billing_system_may_deliver(client: TestClient, keys: dict[str, str], path: str) -> None:
    refused = send(client, path, bill(), headers={HEADER: keys["operator"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_PERMITTED")
    command = client.post("/api/v1/commands", json={"kind": "disconnect", "meter": "M1"}, headers={"Idempotency-Key": "a key of it"})
    assert command.status_code == 403, "a billing system may switch meters"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "NO_JSON"),
        (b"[" * 100_000, 400, "NO_JSON"),
        (b'{"bills": [{"amount_inr": NaN}]}', 400, "NO_JSON"),
        (b"\xff", 400, "NO_JSON"),
        (b"", 400, "EMPTY_BODY"),
        (b"[]", 422, "INVALID_REQUEST"),
        (b'{"bills": []}', 422, "INVALID_REQUEST"),
        (b'{"bills": [1], "receipts": []}', 422, "INVALID_REQUEST"),
        (b'{"bills": [1]}', 422, "NOTHING_ACCEPTED"),
        (b'{"bills": [{"number": "\\ud800"}]}', 422, "NOTHING_ACCEPTED"),
    ],
)
def test_a_body_that_is_none(client: TestClient, content: bytes, status: int, code: str) -> None:
    answer = client.post(BILLS, content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_a_packed_body(client: TestClient) -> None:
    packed = gzip.compress(json.dumps({"receipts": [receipt()]}).encode())
    assert counts(client.post(RECEIPTS, content=packed, headers={"Content-Encoding": "gzip"})) == (1, 0, 0)


def test_each_delivery_leaves_a_line_that_nobody_changes(client: TestClient) -> None:
    send(client, BILLS, bill())
    send(client, BILLS, bill(), bill("B2", consumer="C9"))
    send(client, RECEIPTS, receipt(kind="gift"))
    first = client.get(DELIVERIES, params={"size": 2}).json()
    assert [(d["kind"], d["stored"], d["unchanged"], d["rejected"]) for d in first["items"]] == [("receipts", 0, 0, 1), ("bills", 0, 1, 1)]
    assert first["items"][1]["refusals"][0]["number"] == "B2"
    assert first["items"][0]["who"].startswith("billing of acme (")
    rest = client.get(DELIVERIES, params={"before": first["next"]}).json()
    assert [d["stored"] for d in rest["items"]] == [1]
    assert rest["next"] is None
    for statement in (
        "delete from billing.delivery",
        "update billing.delivery set who = 'me'",
        "delete from billing.collection",
        "delete from billing.bill",
    ):
        with db.connect("meterhouse_api") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)


def test_a_key_of_a_billing_system_is_made_by_the_cli(keys: dict[str, str]) -> None:
    made = CliRunner().invoke(app, ["keys", "create", "-d", "acme", "--role", "billing_system", "--name", "billing of the city"])
    assert made.exit_code == 0, made.output
    with TestClient(create_app(), headers={HEADER: made.output.splitlines()[0].strip()}) as client:
        assert counts(send(client, BILLS, bill())) == (1, 0, 0)
    with db.connect("meterhouse_owner") as conn:
        assert conn.execute("select role from ops.api_key where name = 'billing of the city'").fetchall() == [("billing_system",)]
    assert CliRunner().invoke(app, ["keys", "create", "-d", "acme", "--role", "nobody", "--name", "x"]).exit_code != 0
