"""Reports over HTTP: what there is, rows by page, files at once; who sees which rows, and what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from api.reports import service
from api.reports.catalogue import GROUPS, catalogue
from api.reports.files import write_reports
from api.reports.formats import FORMATS
from api.reports.repository import Span
from tests.integration.reports_world import FIRST, LAST, LIST, MISSING, key_of, make, make_offices, put_into_catalogue
from tests.report_files import from_csv, from_json, from_parquet, from_xlsx, from_xml, same

pytestmark = pytest.mark.integration

OCTOBER = {"first": "2026-10-01", "last": "2026-10-31"}


@pytest.fixture(scope="module")
def world(module_database: str) -> Iterator[str]:
    """ACME with offices TOWN and PORT, and GLOBEX; reports made by hand in the catalogue."""
    make(module_database)
    make_offices(module_database)
    with pytest.MonkeyPatch.context() as patch:
        put_into_catalogue(patch)
        yield module_database


@pytest.fixture(scope="module")
def client(world: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_EXPORTS", str(tmp_path_factory.mktemp("exports")))
        patch.setenv("METERHOUSE_EXPORT_WORKER", "0")
        with TestClient(create_app()) as c:
            yield c


@pytest.fixture(scope="module")
def keys(world: str) -> dict[str, dict[str, str]]:
    """Headers of an analyst of ACME, of one of its office TOWN, of GLOBEX, and of somebody of ACME who may read and not export."""
    return {
        "acme": key_of("ACME"),
        "town": key_of("ACME", office="TOWN"),
        "globex": key_of("GLOBEX"),
        "reader": key_of("ACME", role="approver"),
        "field": key_of("ACME", role="field_engineer"),
    }


def get(client: TestClient, path: str, headers: dict[str, str], **parameters: Any) -> Any:
    answer = client.get(f"/api/v1/reports{path}", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def problem(client: TestClient, path: str, headers: dict[str, str], **parameters: Any) -> tuple[int, str, str]:
    answer = client.get(f"/api/v1/reports{path}", params=parameters, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json", answer.text[:300]
    body = answer.json()
    return answer.status_code, body["code"], body["detail"]


def test_the_catalogue_says_what_a_report_is(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    whole = get(client, "", keys["acme"])
    assert [r["id"] for r in whole["reports"]] == list(catalogue())
    assert whole["groups"] == GROUPS
    of_d = get(client, "", keys["acme"], group="D")["reports"]
    assert [r["id"] for r in of_d] == [i for i in catalogue() if i.startswith("D")]
    d01 = get(client, "/d01/description", keys["acme"])
    assert (d01["id"], d01["periods"], d01["group_name"]) == ("D01", ["day", "month"], "Energy audit and losses")
    assert {c["name"]: (c["type"], c["unit"]) for c in d01["columns"] if c["name"] in ("dt", "period_start", "loss_kwh", "loss_pct")} == {
        "dt": ("text", None),
        "period_start": ("date", None),
        "loss_kwh": ("decimal", "kWh"),
        "loss_pct": ("real", "%"),
    }


def test_rows_come_typed_and_page_by_page(client: TestClient, keys: dict[str, dict[str, str]], tmp_path: Path) -> None:
    page = get(client, "/D09", keys["acme"], **OCTOBER, size=7, describe=True)
    assert (page["report"], page["discom"], page["time_zone"]) == ("D09", "ACME", "Asia/Kolkata")
    assert page["period"] == {"first": "2026-10-01", "last": "2026-10-31", "of": None}
    assert [c["name"] for c in page["columns"]] == [c.name for c in LIST.columns]
    found = page["rows"]
    assert found[0]["import_kwh"] == Decimal("-98.875"), "a decimal keeps its digits"
    assert found[0]["data_as_of"] == "2026-11-01T06:30:00+05:30", "stamps are in the DISCOM's time zone"
    assert (found[0]["is_net"], found[3]["loss_pct"]) == (False, None)
    pages = 1
    while page["next"]:
        page = get(client, "/D09", keys["acme"], **OCTOBER, size=7, after=page["next"])
        found += page["rows"]
        pages += 1
    assert (pages, len(found)) == (9, 60)
    order = [(r["period"], r["period_start"], r["n"]) for r in found]
    assert order == sorted(set(order)), "every row once, in the order of the key"
    (done,) = write_reports("ACME", [LIST], Span(FIRST, LAST), ["json"], tmp_path)
    of_file = json.loads(done.files[0].path.read_text(), parse_float=Decimal)["records"]
    without = [{k: v for k, v in r.items() if k != "generated_at"} for r in found]
    assert without == [{k: v for k, v in r.items() if k != "generated_at"} for r in of_file], "rows say what the command's file says"


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({"period": "month", "start": "2026-10-17"}, ("2026-10-01", "2026-10-31", "month", 30)),
        ({"period": "day", "start": "2026-10-05"}, ("2026-10-05", "2026-10-05", "day", 30)),
        ({**OCTOBER, "period": "month"}, ("2026-10-01", "2026-10-31", "month", 30)),
        ({"first": "2026-10-06", "last": "2026-10-06"}, ("2026-10-06", "2026-10-06", None, 30)),
    ],
)
def test_a_period_is_named_or_given_by_its_days(
    client: TestClient, keys: dict[str, dict[str, str]], asked: dict[str, str], days: tuple[str, str, str | None, int]
) -> None:
    page = get(client, "/D09", keys["acme"], **asked, size=1000)
    assert (page["period"]["first"], page["period"]["last"], page["period"]["of"], len(page["rows"])) == days


def test_a_quarter_and_a_financial_year_begin_in_april(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    quarter = get(client, "/C04", keys["acme"], period="quarter", start="2026-02-11")
    year = get(client, "/C04", keys["acme"], period="financial_year", start="2026-02-11")
    assert list(quarter["period"].values()) == ["2026-01-01", "2026-03-31", "quarter"]
    assert list(year["period"].values()) == ["2025-04-01", "2026-03-31", "financial_year"]


def test_what_is_seen_depends_on_who_asks_and_on_the_office(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    def codes(who: str, **more: str) -> list[str]:
        return [r["code"] for r in get(client, "/C04", keys[who], **OCTOBER, **more)["rows"]]

    assert codes("acme") == ["ACME-P1", "ACME-P2", "ACME-P3"]
    assert codes("town") == ["ACME-P1", "ACME-P2"]
    assert codes("globex") == ["GLOBEX-P1"]
    assert codes("acme", office="PORT") == ["ACME-P3"]
    assert codes("acme", office="TOP") == ["ACME-P1", "ACME-P2", "ACME-P3"], "an office has those below it"
    assert codes("town", office="TOP") == ["ACME-P1", "ACME-P2"], "an office above shows its part of what the caller sees"
    for who, office in (("town", "PORT"), ("globex", "TOWN"), ("acme", "NOWHERE")):
        assert problem(client, "/C04", keys[who], **OCTOBER, office=office)[:2] == (404, "UNKNOWN_OFFICE")


def test_consumption_and_losses_are_the_reports_of_their_names(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    consumption = get(client, "/consumption", keys["acme"], **OCTOBER)
    assert (consumption["report"], len(consumption["rows"])) == ("C01", 3)
    one = get(client, "/consumption", keys["acme"], **OCTOBER, consumer="ACME-P2")["rows"]
    assert [r["consumer"] for r in one] == ["ACME-P2"]
    assert len(get(client, "/consumption", keys["acme"], **OCTOBER, category="domestic")["rows"]) == 2
    assert get(client, "/consumption", keys["acme"], **OCTOBER, category="' or true --")["rows"] == []
    assert problem(client, "/losses", keys["acme"], **OCTOBER, level="dt", method="MOP_2023")[:2] == (422, "INVALID_PERIOD")
    assert problem(client, "/losses", keys["acme"], **OCTOBER, level="atc")[:2] == (409, "NOT_BUILT")


def test_a_file_says_what_the_command_writes_in_every_format(client: TestClient, keys: dict[str, dict[str, str]], tmp_path: Path) -> None:
    (written,) = write_reports("ACME", [LIST], Span(FIRST, LAST), ["csv"], tmp_path / "cli")
    rows = from_csv(written.files[0].path, LIST)
    readers = {"csv": from_csv, "json": from_json, "xml": from_xml, "parquet": from_parquet}
    for name in FORMATS:
        answer = client.get("/api/v1/reports/D09/export", params={**OCTOBER, "format": name}, headers=keys["acme"])
        assert answer.status_code == 200, answer.text
        assert f'filename="d09_list_ACME_2026-10.{name}"' in answer.headers["content-disposition"]
        file = tmp_path / f"over_http.{name}"
        file.write_bytes(answer.content)
        if name == "xml":
            schema = client.get("/api/v1/reports/D09/schema", params={"format": "xsd"}, headers=keys["acme"])
            file.with_suffix(".xsd").write_text(schema.text)
        if name == "xlsx":
            same(from_xlsx(file, LIST, ZoneInfo("Asia/Kolkata")), rows, name, without=("discom_id", "generated_at"), rounded=True)
        elif name == "pdf":
            assert answer.content.startswith(b"%PDF-")
        else:
            same(readers[name](file, LIST), rows, name, without=("generated_at",))
    assert not list(service.store.root().glob("now-*")), "what was sent is not kept"


def test_a_file_holds_what_its_caller_sees(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    answer = client.get("/api/v1/reports/C04/export", params={**OCTOBER, "format": "csv"}, headers=keys["town"])
    assert [line.split(",")[6] for line in answer.text.splitlines()[1:]] == ["ACME-P1", "ACME-P2"]


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code", "said"),
    [
        ("/Z99", OCTOBER, 404, "UNKNOWN_REPORT", "'Z99'"),
        ("/D09'; drop table ops.command --", OCTOBER, 404, "UNKNOWN_REPORT", "there is no report"),
        ("/D09", {}, 422, "INVALID_PERIOD", "give first and last, or period and start"),
        ("/D09", {"first": "2026-10-01"}, 422, "INVALID_PERIOD", "give first and last"),
        ("/D09", {"start": "2026-10-01"}, 422, "INVALID_PERIOD", "give period=day, week"),
        ("/D09", {**OCTOBER, "start": "2026-10-01", "period": "month"}, 422, "INVALID_PERIOD", "give first and last, or"),
        ("/D09", {"first": "2026-10-31", "last": "2026-10-01"}, 422, "INVALID_PERIOD", "ends (2026-10-01) before it begins"),
        ("/D09", {"first": "1900-01-01", "last": "2026-10-01"}, 422, "INVALID_PERIOD", "more than 1098 days"),
        ("/D09", {"period": "quarter", "start": "2026-10-01"}, 422, "INVALID_PERIOD", "has rows of day and month, none of a quarter"),
        ("/J05", {"period": "week", "start": "9999-12-31"}, 422, "NOT_POSSIBLE", "beyond the calendar"),
        ("/D09", {"period": "fortnight", "start": "2026-10-01"}, 422, "INVALID_REQUEST", "fields that are listed"),
        ("/D09", {**OCTOBER, "size": 100_000}, 422, "INVALID_REQUEST", "fields that are listed"),
        ("/D09", {**OCTOBER, "after": "rubbish"}, 422, "UNKNOWN_CURSOR", "of the page before"),
        ("/D09", {**OCTOBER, "after": "%00"}, 422, "UNKNOWN_CURSOR", "of the page before"),
        ("/D09", {**OCTOBER, "office": "x\x00y"}, 422, "INVALID_REQUEST", "fields that are listed"),
        ("/D09", {**OCTOBER, "office": "TOWN' or '1'='1"}, 404, "UNKNOWN_OFFICE", "no office"),
        ("/D09", {**OCTOBER, "office": "%s%(discom_id)s"}, 404, "UNKNOWN_OFFICE", "no office"),
        ("/I05", OCTOBER, 409, "NOT_BUILT", "never built"),
        ("/D09/export", {**OCTOBER, "format": "docx"}, 422, "INVALID_REQUEST", "fields that are listed"),
        ("/D09/export", {"first": "2099-01-01", "last": "2099-01-31", "format": "csv"}, 422, "NOT_POSSIBLE", "lies in the future"),
        ("/D09/export", {"first": "2026-08-01", "last": "2026-08-31", "format": "csv"}, 409, "NOT_BUILT", "no day of ACME"),
        ("/Z99/export", {**OCTOBER, "format": "csv"}, 404, "UNKNOWN_REPORT", "Z99"),
        ("/Z99/schema", {}, 404, "UNKNOWN_REPORT", "Z99"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_is_said(
    client: TestClient, keys: dict[str, dict[str, str]], path: str, parameters: dict[str, Any], status: int, code: str, said: str
) -> None:
    found = problem(client, path, keys["acme"], **parameters)
    assert found[:2] == (status, code), found
    assert said in found[2], found[2]


@pytest.mark.parametrize(
    "values",
    [
        ["day", "2026-10-05"],
        ["day", "2026-10-05", 2**40],
        ["day", "2026-13-05", 1],
        ["day\x00", "2026-10-05", 1],
        [1, "2026-10-05", 1],
        ["day", "2026-10-05", "1 or true"],
        ["day", None, 1],
    ],
)
def test_a_forged_cursor_is_refused(client: TestClient, keys: dict[str, dict[str, str]], values: list[Any]) -> None:
    forged = base64.urlsafe_b64encode(json.dumps(["D09", values]).encode()).decode().rstrip("=")
    assert problem(client, "/D09", keys["acme"], **OCTOBER, after=forged)[:2] == (422, "UNKNOWN_CURSOR")


def test_sql_in_a_cursor_is_a_text(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    forged = base64.urlsafe_b64encode(json.dumps(["D09", ["'; drop view reports.rpt_d09_list; --%s", "2026-10-05", 1]]).encode()).decode()
    assert len(get(client, "/D09", keys["acme"], **OCTOBER, after=forged.rstrip("="), size=1000)["rows"]) == 60


def test_a_cursor_is_of_its_report(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    cursor = get(client, "/D09", keys["acme"], **OCTOBER, size=1)["next"]
    assert problem(client, "/D07", keys["acme"], **OCTOBER, after=cursor)[:2] == (422, "UNKNOWN_CURSOR")


def test_reading_and_exporting_are_permissions_of_their_own(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    assert get(client, "/D09", keys["reader"], **OCTOBER, size=1)["rows"]
    assert problem(client, "/D09/export", keys["reader"], **OCTOBER, format="csv")[:2] == (403, "NOT_PERMITTED")
    assert problem(client, "/exports", keys["reader"])[:2] == (403, "NOT_PERMITTED")
    assert problem(client, "", keys["field"])[:2] == (403, "NOT_PERMITTED")
    assert problem(client, "/D09", {}, **OCTOBER)[:2] == (401, "NO_CREDENTIALS")


def test_rows_that_take_too_long_are_given_up(
    client: TestClient, keys: dict[str, dict[str, str]], world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_TIMEOUT_S", 1)
    with psycopg.connect(world) as conn:
        conn.execute("set role meterhouse_dbt")
        conn.execute(
            f"create or replace view reports.{MISSING.relation} with (security_invoker) as"
            f" select l.* from reports.{LIST.relation} l cross join lateral (select pg_sleep(0.1), l.n) s"
        )
        conn.execute(f"grant select on reports.{MISSING.relation} to meterhouse_api")
    try:
        found = problem(client, "/I05", keys["acme"], **OCTOBER)
        assert found[:2] == (422, "TOO_SLOW"), found
    finally:
        with psycopg.connect(world) as conn:
            conn.execute(f"drop view reports.{MISSING.relation}")


def test_a_report_that_says_how_things_stand_needs_no_days(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    assert [r["code"] for r in get(client, "/J05", keys["acme"])["rows"]] == ["ACME-P1", "ACME-P2", "ACME-P3"]


def test_a_report_of_many_rows_has_a_page_at_its_end(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["D07", ["month", "2026-10-01", 499_999]]).encode()).decode().rstrip("=")
    page = get(client, "/D07", keys["acme"], **OCTOBER, after=cursor)
    assert ([r["n"] for r in page["rows"]], page["next"]) == ([500_000], None)
