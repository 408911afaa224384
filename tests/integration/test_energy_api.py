"""Energy balances over the API: what energy.* says, and what hangs below by its loss; to nobody more than is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from psycopg.rows import dict_row

from api.energy.schemas import Balances, Children
from api.main import create_app
from tests.integration import meter_data_world as world
from tests.integration.edits_world import tenant
from tests.integration.meter_data_world import CODE, DAYS, FIRST, LAST, World
from warehouse.codes import Quality

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

ALL = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
HEADS = {"dt": "TN", "feeder": "F"}


@pytest.fixture(scope="module")
def made(built_module_database: str) -> World:
    return world.make()


@pytest.fixture(scope="module")
def client(made: World) -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


@pytest.fixture
def get(client: TestClient, made: World) -> Any:
    def get(path: str, who: str = "analyst", status: int = 200, **query: Any) -> Any:
        answer = client.get(f"/api/v1/energy{path}", params={**ALL, **query}, headers=made.headers[who])
        assert answer.status_code == status, f"{path} {query} as {who}: {answer.text[:500]}"
        return answer.json()

    return get


def table(made: World, query: str) -> list[dict[str, Any]]:
    with tenant(made.ids[CODE]) as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()  # type: ignore[arg-type]


def pct(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else round(100 * part / whole, 2)


def test_a_dt_has_the_balances_of_its_days(get: Any, made: World) -> None:
    told = get("/dt/TN")
    Balances.model_validate(told)
    assert told["of"] == {"kind": "dt", "code": "TN", "name": None, "feeder": "F", "office": "north"}
    wanted = table(made, "select * from energy.dt_day where dt_id = 1 order by day")
    assert len(wanted) == len(DAYS)
    for ours, row in zip(told["rows"], wanted, strict=True):
        assert ours["start"][:10] == row["day"].isoformat()
        assert (ours["input_wh"], ours["supplied_wh"], ours["loss_wh"]) == (row["input_wh"], row["output_wh"], row["loss_wh"])
        assert ours["input_wh"] - ours["supplied_wh"] == ours["loss_wh"]
        for key, column in (
            ("loss_pct", "loss_pct"),
            ("coverage_pct", "coverage_consumers_pct"),
            ("measured_pct", "coverage_energy_pct"),
            ("estimated_pct", "estimated_share_pct"),
        ):
            assert ours[key] == pytest.approx(row[column], abs=0.006), key
        assert ours["quality"] == Quality(row["weakest_quality"]).letter


def test_a_feeder_has_the_balances_of_its_days(get: Any, made: World) -> None:
    wanted = table(made, "select * from energy.feeder_day order by day")
    for ours, row in zip(get("/feeder/F")["rows"], wanted, strict=True):
        assert ours["input_wh"] == row["input_wh"] + row["rooftop_export_wh"]
        assert ours["supplied_wh"] == row["billed_wh"] + row["unmetered_wh"] + row["street_light_wh"]
        assert ours["loss_wh"] == row["loss_wh"]
        assert ours["loss_pct"] == pytest.approx(row["loss_pct"], abs=0.006)


@pytest.mark.parametrize(("kind", "code"), [*HEADS.items(), ("office", "root")])
def test_a_month_is_the_sum_of_its_days(get: Any, kind: str, code: str) -> None:
    days, months = get(f"/{kind}/{code}")["rows"], get(f"/{kind}/{code}", resolution="month")["rows"]
    (month,) = months
    for figure in ("input_wh", "supplied_wh", "loss_wh", "balances", "balances_known"):
        assert month[figure] == sum(d[figure] for d in days), figure
    assert (month["start"][:10], month["end"][:10]) == (FIRST.isoformat(), (LAST + timedelta(days=1)).isoformat())
    letters = [q.letter for q in Quality]
    assert letters.index(month["quality"]) == max(letters.index(d["quality"]) for d in days)


@pytest.mark.parametrize(("kind", "code"), HEADS.items())
def test_intervals_are_those_of_the_view(get: Any, made: World, kind: str, code: str) -> None:
    day = {"from": FIRST.isoformat(), "to": DAYS[1].isoformat(), "resolution": "interval"}
    told = get(f"/{kind}/{code}", **day)
    Balances.model_validate(told)
    wanted = table(made, f"select * from energy.{kind}_interval where {kind}_id = 1 and day <= '{DAYS[1]}' order by starts_at")
    assert len(wanted) == 96
    assert [(datetime.fromisoformat(r["start"]), r["loss_wh"], r["input_wh"]) for r in told["rows"]] == [
        (r["starts_at"], r["loss_wh"], r["import_wh"] + r["given_wh"]) for r in wanted
    ]
    assert all(r["input_wh"] - r["supplied_wh"] == r["loss_wh"] for r in told["rows"])


def test_an_office_has_the_feeders_below_it(get: Any) -> None:
    root, feeder = get("/office/root"), get("/feeder/F")
    assert [r["loss_wh"] for r in root["rows"]] == [r["loss_wh"] for r in feeder["rows"]]
    assert get("/office/north")["rows"] == [], "the feeder belongs to the root"


@pytest.mark.parametrize("path", ["/feeder/F/dts", "/office/root/dts"])
def test_what_hangs_below_comes_by_loss(get: Any, made: World, path: str) -> None:
    told = get(path)
    Children.model_validate(told)
    sums = {
        r["code"]: r
        for r in table(
            made,
            """select t.code, sum(d.loss_wh)::bigint as loss_wh, sum(d.input_wh) filter (where d.loss_wh is not null)::bigint as input_wh
               from energy.dt_day d join registry.dt t on t.discom_id = d.discom_id and t.dt_id = d.dt_id group by t.code""",
        )
    }
    assert [i["code"] for i in told["items"]] == sorted(sums, key=lambda c: -sums[c]["loss_wh"])
    for item in told["items"]:
        assert item["loss_wh"] == sums[item["code"]]["loss_wh"]
        assert item["loss_pct"] == pct(item["loss_wh"], sums[item["code"]]["input_wh"])
    first = get(path, size=1)
    assert first["items"] == told["items"][:1]
    assert get(path, size=1, after=first["next"])["items"] == told["items"][1:]
    assert get(path, size=1, after=first["next"])["next"] is None
    assert [i["code"] for i in get("/office/root/feeders")["items"]] == ["F"]


def test_a_dt_without_a_balance_comes_last_and_says_so(get: Any, made: World) -> None:
    with tenant(made.ids[CODE]) as conn:
        conn.execute("set local role meterhouse_dbt")
        conn.execute("update energy.dt_day set dt_import_wh = null, input_wh = null, loss_wh = null where dt_id = 1")
        conn.commit()
    try:
        items = get("/feeder/F/dts")["items"]
        assert [(i["code"], i["loss_wh"], i["balances_known"]) for i in items][1:] == [("TN", None, 0)]
        first = get("/feeder/F/dts", size=1)
        assert get("/feeder/F/dts", size=1, after=first["next"])["items"] == items[1:]
        row = get("/dt/TN")["rows"][0]
        assert (row["input_wh"], row["loss_wh"], row["loss_pct"], row["balances_known"]) == (None, None, None, 0)
    finally:
        with tenant(made.ids[CODE]) as conn:
            conn.execute("set local role meterhouse_dbt")
            conn.execute(
                """update energy.dt_day set dt_import_wh = output_wh + 1, input_wh = output_wh + 1, loss_wh = 1
                   where dt_id = 1 and loss_wh is null"""
            )
            conn.commit()


# --- who sees what ---


def test_an_office_sees_its_own_dts_and_no_others(get: Any) -> None:
    assert len(get("/dt/TN", who="north")["rows"]) == len(DAYS)
    assert get("/dt/TS", who="north", status=404)["code"] == "UNKNOWN_DT"
    assert get("/feeder/F", who="north", status=404)["code"] == "UNKNOWN_FEEDER", "it belongs to the office above"
    assert get("/office/root", who="north", status=404)["code"] == "UNKNOWN_OFFICE"
    assert [i["code"] for i in get("/office/north/dts", who="north")["items"]] == ["TN"]
    assert get("/dt/TS", who="north", status=404, resolution="interval", to=FIRST.isoformat())["code"] == "UNKNOWN_DT"


def test_another_discom_sees_its_own_and_no_data_of_this(get: Any) -> None:
    assert get("/dt/TN", who="stranger")["rows"] == [], "it has a DT of that code too, and no days"
    with_intervals = get("/dt/TN", who="stranger", resolution="interval", to=FIRST.isoformat())
    assert with_intervals["rows"] == []
    assert get("/office/root/dts", who="stranger")["items"] == []


@pytest.mark.parametrize("who", ["billing", "P6"])
def test_who_may_not_see_balances_is_refused(get: Any, who: str) -> None:
    assert get("/dt/TN", who=who, status=403)["code"] == "NOT_PERMITTED"


# --- bad requests ---


@pytest.mark.parametrize(
    "path", ["/dt/none", "/feeder/none", "/office/none", "/feeder/none/dts", "/office/none/dts", "/office/none/feeders"]
)
def test_what_is_unknown_is_404(get: Any, path: str) -> None:
    assert get(path, status=404)["code"].startswith("UNKNOWN_")


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/dt/TN", {"from": "2026-10-09", "to": "2026-10-05"}, "WRONG_RANGE"),
        ("/dt/TN", {"from": "2024-10-09"}, "RANGE_TOO_LONG"),
        ("/dt/TN", {"resolution": "interval"}, "RANGE_TOO_LONG"),
        ("/feeder/F/dts", {"from": "2026-08-01"}, "RANGE_TOO_LONG"),
        ("/office/root", {"resolution": "interval"}, "INVALID_REQUEST"),
        ("/dt/TN", {"from": "0001-01-01"}, "INVALID_REQUEST"),
        ("/feeder/F/dts", {"after": "TN"}, "UNKNOWN_CURSOR"),
        ("/feeder/F/dts", {"after": "99999999999999999999,TN"}, "UNKNOWN_CURSOR"),
        ("/feeder/F/dts", {"size": 0}, "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_answered_is_refused(get: Any, path: str, query: dict[str, Any], code: str) -> None:
    assert get(path, status=422, **query)["code"] == code
