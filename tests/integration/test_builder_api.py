"""The report builder over HTTP, on a warehouse made by hand: figures, who sees what, what is refused, saved reports and their files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from openpyxl import load_workbook
from psycopg.types.json import Jsonb

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from api.builder import limits, service
from api.builder.catalogue import datasets
from api.database import pool_size
from api.main import create_app
from api.reports.schedules import config, deliver, queue
from warehouse import db

pytestmark = pytest.mark.integration

BUILDER = "/api/v1/builder"
FIRST = date(2026, 10, 1)
DAYS = {"column": "day", "op": "between", "value": ["2026-10-01", "2026-10-31"]}

# Offices of acme: A and B below D, A1 below A. DTs 1 and 2 are A's and A1's, 3 and 4 are B's; globex has DT 1.
# On day n of October DT d took in d x 1000 x n Wh and lost a tenth of it; DT 4 has no meter, so no balance.
WORLD = """
insert into registry.discom (discom_id, code, name) overriding system value
  values (1, 'acme', 'Acme Vidyut'), (2, 'globex', 'Globex Power');
insert into registry.office (discom_id, office_id, code, name, level, parent_id) overriding system value values
  (1, 1, 'D', 'Acme', 'discom', null), (1, 2, 'A', 'North', 'division', 1), (1, 3, 'B', 'South', 'division', 1),
  (1, 4, 'A1', 'North town', 'subdivision', 2), (2, 1, 'D', 'Globex', 'discom', null);
insert into registry.substation (discom_id, substation_id, code, office_id) overriding system value
  values (1, 1, 'SS', 1), (2, 1, 'SS', 1);
insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id) overriding system value
  values (1, 1, 'F', 1, 1), (2, 1, 'F', 1, 1);
insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva) overriding system value values
  (1, 1, 'DT-1', 1, 2, 100), (1, 2, 'DT_2', 1, 4, 63), (1, 3, '=DT3', 1, 3, 25.5), (1, 4, 'DT%4', 1, 3, 25), (2, 1, 'G-1', 1, 1, 100);
insert into energy.dt_day (discom_id, day, dt_id, feeder_id, office_id,
                           input_wh, loss_wh, loss_pct, consumers, consumers_complete, actual_wh,
                           consumer_import_wh, unmetered_wh, street_light_wh, coverage_energy_pct)
select t.discom_id, d::date, t.dt_id, 1, t.office_id, wh, wh / 10, case when wh > 0 then 10.0 end,
       t.dt_id * 10, t.dt_id * 9, 90, 100, 0, 0, 90
from registry.dt t cross join generate_series('2026-10-01'::date, '2026-10-31', interval '1 day') d
cross join lateral (select case when t.dt_id < 4 then t.discom_id * t.dt_id * 1000 * extract(day from d)::bigint end as wh) x;
insert into energy.dt_day (discom_id, day, dt_id, input_wh) values (1, '2026-09-01', 1, 9e18), (1, '2026-09-01', 2, 9e18);
create view reports.rpt_d01_dt_energy_audit with (security_invoker) as
select d.discom_id, 'day'::text as period, d.day as period_start, t.code as dt, (d.input_wh * 0.001)::numeric(18, 3) as input_kwh,
       (d.loss_wh * 0.001)::numeric(18, 3) as loss_kwh, d.loss_pct, '2026-11-01 01:00+00'::timestamptz as data_as_of
from energy.dt_day d join registry.dt t using (discom_id, dt_id)
union all
select d.discom_id, 'month', '2026-10-01', t.code, sum(d.input_wh * 0.001)::numeric(18, 3), sum(d.loss_wh * 0.001)::numeric(18, 3),
       (100.0 * sum(d.loss_wh) / nullif(sum(d.input_wh), 0))::double precision, '2026-11-01 01:00+00'
from energy.dt_day d join registry.dt t using (discom_id, dt_id) where d.day >= '2026-10-01' group by d.discom_id, t.code;
create view vee.interval_reading with (security_invoker) as
select t.discom_id, '2026-10-05'::date as day, t.dt_id as meter_id, n as slot,
       '2026-10-04 18:30+00'::timestamptz + n * interval '30 min' as starts_at,
       n::numeric(18, 3) as import_kwh
from registry.dt t, generate_series(0, 47) n;
create view network.interruption with (security_invoker) as
select t.discom_id, '2026-10-05'::date as day, t.dt_id, t.dt_id as head_id, 'dt'::text as head, now() as started_at,
       5::double precision as minutes
from registry.dt t where pg_sleep(600) is not null;
grant select on reports.rpt_d01_dt_energy_audit, vee.interval_reading, network.interruption, energy.dt_day to meterhouse_api;
select ops.protect('energy.dt_day');
"""
ROLES = {
    "analyst": ("analyst", 1, None),
    "other": ("analyst", 1, None),
    "north": ("analyst", 1, "A"),
    "south": ("analyst", 1, "B"),
    "globex": ("analyst", 2, None),
    "auditor": ("auditor", 1, None),
    "reader": ("reader", 1, None),
}


def columns_of(dataset: str) -> str:
    return ", ".join(f"{f.name} {f.column.data_type}" for f in datasets()[dataset].fields.values())


@pytest.fixture(scope="module")
def keys(module_database: str) -> dict[str, str]:
    """Keys by who holds them (ROLES). `reader` may use the builder and read reports, and neither share, export nor see energy."""
    made = {}
    with psycopg.connect(module_database) as conn:
        conn.execute(f"create table energy.dt_day (discom_id smallint, {columns_of('energy.dt_day')}, primary key (discom_id, day, dt_id))")
        conn.execute(WORLD)
        conn.execute("insert into ops.role values (1, 'reader', 'Reader', '{builder:use,reports:read}')")
        for who, (role, discom_id, office) in ROLES.items():
            made[who], key_id, secret = new_key()
            offices = dict(conn.execute("select code, office_id from registry.office where discom_id = %s", [discom_id]).fetchall())
            office_id = offices[office] if office else None
            insert_key(conn, discom_id, key_id, secret, None, who, [], 1_000_000, role=role, office_id=office_id)
    return made


@pytest.fixture(scope="module")
def client(keys: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


class As:
    """Somebody who calls."""

    def __init__(self, client: TestClient, key: str) -> None:
        self.client, self.headers = client, {HEADER: key}

    def send(self, method: str, path: str, json: Any = None, **headers: str) -> Response:
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.request(method, BUILDER + path, json=json, headers={**self.headers, **named})

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        response = self.send("POST", "/preview", query)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def rows(self, query: dict[str, Any]) -> list[list[Any]]:
        return list(self.answer(query)["rows"])

    def refused(self, query: dict[str, Any], code: str = "INVALID_QUERY", status: int = 422) -> dict[str, str]:
        """What was wrong, by field."""
        response = self.send("POST", "/preview", query)
        assert response.status_code == status, f"{query} was answered {response.status_code}: {response.text[:300]}"
        body = response.json()
        assert body["code"] == code, body
        return {e["field"]: e["message"] for e in body.get("errors", [])} or {"detail": body["detail"]}

    def save(self, name: str = "Losses", **rest: Any) -> dict[str, Any]:
        response = self.send("POST", "/reports", {"name": name, "query": LOSSES, **rest})
        assert response.status_code == 201, response.text
        return {**response.json(), "etag": response.headers["etag"]}


@pytest.fixture(scope="module")
def people(client: TestClient, keys: dict[str, str]) -> dict[str, As]:
    return {who: As(client, key) for who, key in keys.items()}


@pytest.fixture
def analyst(people: dict[str, As]) -> As:
    return people["analyst"]


LOSSES = {
    "dataset": "energy.dt_day",
    "columns": ["dt_id"],
    "aggregates": [{"fn": "sum", "column": "loss_wh"}, {"fn": "ratio_of_sums", "column": "loss_pct"}, {"fn": "count"}],
    "filters": [DAYS],
}
SUM = 31 * 32 // 2
"""1 + 2 + … + 31."""


# --- the catalogue ---


def test_datasets_are_listed_and_described(analyst: As) -> None:
    names = [d["name"] for d in analyst.send("GET", "/datasets").json()]
    assert {"energy.dt_day", "reports.rpt_d01_dt_energy_audit", "vee.interval_reading", "registry.dt"} <= set(names)
    found = analyst.send("GET", "/datasets/energy.dt_day").json()
    assert (found["time_column"], found["key"], found["grain"]) == ("day", ["day", "dt_id"], "one row per DT and business day")
    fields = {f["name"]: f for f in found["fields"]}
    assert "discom_id" not in fields
    assert (fields["loss_wh"]["unit"], fields["loss_wh"]["description"]) == ("Wh", "input - output")
    assert "sum" not in fields["loss_pct"]["aggregates"]
    assert fields["loss_pct"]["ratio"]["of"] == ["loss_wh"]
    assert analyst.send("GET", "/datasets/energy.nothing").status_code == 404
    assert analyst.send("GET", "/datasets/information.tables").status_code == 404


# --- figures ---


def test_groups_sums_and_ratios_are_what_sql_says(analyst: As, module_database: str) -> None:
    answer = analyst.answer(LOSSES)
    assert answer["rows"] == [[d, d * 100 * SUM, 10.0, 31] for d in (1, 2, 3)] + [[4, None, None, 31]]
    assert [(c["name"], c["type"], c["unit"]) for c in answer["columns"]] == [
        ("dt_id", "integer", None),
        ("sum_loss_wh", "integer", "Wh"),
        ("loss_pct", "real", "%"),
        ("count", "integer", None),
    ]
    assert (answer["first"], answer["last"], answer["time_zone"], answer["truncated"]) == (
        "2026-10-01",
        "2026-10-31",
        "Asia/Kolkata",
        False,
    )
    with psycopg.connect(module_database) as conn:
        total = "select 100.0 * sum(loss_wh) / sum(input_wh) from energy.dt_day where discom_id = 1 and loss_wh is not null and day >= %s"
        (whole,) = conn.execute(total, [FIRST]).fetchone() or (0,)
    (row,) = analyst.rows({**LOSSES, "columns": []})
    assert row[1] == pytest.approx(float(whole))
    assert row[0] == 6 * 100 * SUM


def test_a_ratio_of_named_quantities_counts_rows_in_which_all_are_known(analyst: As) -> None:
    ratio = {"fn": "ratio_of_sums", "of": ["consumers_complete"], "to": ["consumers"], "times": 100, "name": "complete_pct"}
    mixed = {"fn": "ratio_of_sums", "of": ["consumers"], "to": ["input_wh"]}
    (row,) = analyst.rows({"dataset": "energy.dt_day", "aggregates": [ratio, mixed], "filters": [DAYS]})
    assert row[0] == pytest.approx(90.0)
    assert row[1] == pytest.approx(31 * 60 / (6 * 1000 * SUM)), "DT 4 has no input, so its consumers do not count either"


def test_rows_come_by_their_key_with_decimals_exact(analyst: As) -> None:
    query = {
        "dataset": "reports.rpt_d01_dt_energy_audit",
        "columns": ["dt", "period_start", "loss_kwh"],
        "filters": [{"column": "period", "op": "=", "value": "day"}, {"column": "period_start", "op": "=", "value": "2026-10-07"}],
    }
    response = analyst.send("POST", "/preview", query)
    assert '["DT-1","2026-10-07",0.700]' in response.text, "all digits of numeric(18,3) are there"
    assert [r[0] for r in response.json()["rows"]] == ["=DT3", "DT%4", "DT-1", "DT_2"]


def test_calendar_periods_are_the_discoms(analyst: As) -> None:
    said = {"dataset": "energy.dt_day", "aggregates": [{"fn": "count"}], "filters": [DAYS]}
    periods = {"month": "2026-10-01", "quarter": "2026-10-01", "financial_year": "2026-04-01"}
    for period, first in periods.items():
        assert analyst.rows({**said, "columns": [{"column": "day", "period": period}]}) == [[first, 124]]
    weeks = analyst.rows({**said, "columns": [{"column": "day", "period": "week", "name": "monday"}]})
    assert [w[0] for w in weeks] == ["2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26"]
    hours = {
        "dataset": "vee.interval_reading",
        "columns": [{"column": "starts_at", "period": "hour_of_day", "name": "hour"}, {"column": "starts_at", "period": "day"}],
        "aggregates": [{"fn": "sum", "column": "import_kwh"}, {"fn": "count_distinct", "column": "meter_id"}],
        "filters": [{"column": "day", "op": "=", "value": "2026-10-05"}],
    }
    rows = analyst.rows(hours)
    assert (len(rows), rows[0]) == (24, [0, "2026-10-05", 4.0, 4]), "18:30 UTC is midnight in India"
    assert rows[23] == [23, "2026-10-05", 4 * (46 + 47), 4]
    first = analyst.rows({**hours, "columns": [{"column": "starts_at", "period": "hour"}], "sort": [{"by": "starts_at_hour"}], "limit": 1})
    assert first[0][0] == "2026-10-05T00:00:00+05:30"


def test_every_operator_lets_through_what_it_says(analyst: As) -> None:
    def dts(*filters: dict[str, Any]) -> list[str]:
        return [r[0] for r in analyst.rows({"dataset": "registry.dt", "columns": ["code"], "filters": list(filters)})]

    def f(column: str, op: str, value: Any = None) -> dict[str, Any]:
        return {"column": column, "op": op, "value": value}

    assert dts() == ["DT-1", "DT_2", "=DT3", "DT%4"]
    assert dts(f("code", "=", "=DT3")) == ["=DT3"]
    assert dts(f("code", "!=", "=DT3")) == ["DT-1", "DT_2", "DT%4"]
    assert dts(f("code", "in", ["DT-1", "DT%4"])) == ["DT-1", "DT%4"]
    assert dts(f("code", "not in", ["DT-1", "DT%4"])) == ["DT_2", "=DT3"]
    assert dts(f("code", "starts with", "DT_")) == ["DT_2"], "_ and % are characters, and no wildcards"
    assert dts(f("code", "starts with", "DT%")) == ["DT%4"]
    assert dts(f("capacity_kva", "<", 63)) == ["=DT3", "DT%4"]
    assert dts(f("capacity_kva", "<=", "25.5"), f("capacity_kva", ">", 25)) == ["=DT3"]
    assert dts(f("capacity_kva", "between", [25, 63])) == ["DT_2", "=DT3", "DT%4"]
    assert dts(f("capacity_kva", ">=", 100)) == ["DT-1"]
    assert dts(f("commissioned_on", "is null"), f("dt_id", "in", [1, 2])) == ["DT-1", "DT_2"]
    assert dts(f("commissioned_on", "is not null")) == []


def test_sort_limit_and_whether_there_are_more(analyst: As) -> None:
    query = {**LOSSES, "sort": [{"by": "sum_loss_wh", "descending": True}], "limit": 2}
    answer = analyst.answer(query)
    assert ([r[0] for r in answer["rows"]], answer["truncated"]) == ([3, 2], True), "what is not known comes last"
    assert not analyst.answer({**query, "limit": 4})["truncated"]
    many = {"dataset": "vee.interval_reading", "columns": ["slot"], "filters": [{"column": "day", "op": "=", "value": "2026-10-05"}]}
    assert len(analyst.rows({**many, "limit": 1_000_000})) == 192


# --- who sees what ---


def test_an_office_sees_its_own_and_what_is_below_it(people: dict[str, As]) -> None:
    assert [r[0] for r in people["north"].rows(LOSSES)] == [1, 2]
    assert [r[0] for r in people["south"].rows(LOSSES)] == [3, 4]
    everything = {**LOSSES, "filters": [DAYS, {"column": "dt_id", "op": "in", "value": [1, 2, 3, 4]}]}
    assert [r[0] for r in people["south"].rows(everything)] == [3, 4], "a filter does not widen what is seen"


def test_another_discom_sees_its_own(people: dict[str, As]) -> None:
    (row,) = people["globex"].rows(LOSSES)
    assert row == [1, 200 * SUM, 10.0, 31]


def test_permissions_are_those_of_the_builder_and_of_the_data(people: dict[str, As]) -> None:
    assert people["auditor"].send("GET", "/datasets").status_code == 403
    assert people["auditor"].send("POST", "/preview", LOSSES).status_code == 403
    assert "energy:read" in people["reader"].refused(LOSSES, "NOT_PERMITTED", 403)["detail"]
    d01 = {
        "dataset": "reports.rpt_d01_dt_energy_audit",
        "aggregates": [{"fn": "count"}],
        "filters": [{"column": "period", "op": "=", "value": "month"}, {"column": "period_start", "op": "=", "value": "2026-10-01"}],
    }
    assert people["reader"].rows(d01) == [[4]]


# --- what is refused ---

HOSTILE = ["'; drop table energy.dt_day; --", '" or 1=1 --', "%(discom_id)s", "$1", "\\'; select pg_sleep(9); --", "{0}", "a\u2028b", "х"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_a_value_or_is_refused(analyst: As, text: str) -> None:
    plain = {"dataset": "registry.dt", "columns": ["code"]}
    for op, value in (("=", text), ("in", [text]), ("starts with", text), ("between", [text, text])):
        response = analyst.send("POST", "/preview", {**plain, "filters": [{"column": "code", "op": op, "value": value}]})
        assert (response.status_code, response.json().get("rows", [])) in ((200, []), (422, [])), response.text
    names: list[dict[str, Any]] = [
        {**plain, "dataset": text},
        {**plain, "columns": [text]},
        {**plain, "columns": [{"column": text, "period": "day"}]},
        {**plain, "columns": [{"column": "commissioned_on", "period": text}]},
        {**plain, "columns": [{"column": "commissioned_on", "period": "day", "name": text}]},
        {**plain, "aggregates": [{"fn": text, "column": "code"}]},
        {**plain, "aggregates": [{"fn": "count", "column": text}]},
        {**plain, "aggregates": [{"fn": "count", "name": text}]},
        {**plain, "aggregates": [{"fn": "ratio_of_sums", "of": [text], "to": [text]}]},
        {**plain, "filters": [{"column": text, "op": "=", "value": 1}]},
        {**plain, "filters": [{"column": "code", "op": text, "value": 1}]},
        {**plain, "sort": [{"by": text}]},
        {**plain, "limit": text},
        {**plain, "chart": {"kind": text, "x": "code", "y": ["code"]}},
        {**plain, "chart": {"kind": "bar", "x": text, "y": [text], "series": text}},
        {**plain, text: 1},
    ]
    for query in names:
        response = analyst.send("POST", "/preview", query)
        assert response.status_code == 422, f"{query}: {response.status_code} {response.text[:200]}"
    assert analyst.rows({"dataset": "energy.dt_day", "aggregates": [{"fn": "count"}], "filters": [DAYS]}) == [[124]]


def test_faults_name_the_field_and_the_way_out(analyst: As) -> None:
    day = {"dataset": "energy.dt_day", "filters": [DAYS]}

    def of(**more: Any) -> dict[str, str]:
        return analyst.refused({**day, "columns": ["dt_id"], **more})

    assert "it has actual_wh" in of(columns=["no_such"])["body.columns.0"]
    assert "ratio_of_sums" in of(aggregates=[{"fn": "sum", "column": "loss_pct"}])["body.aggregates.0.fn"]
    assert "unweighted: true" in of(aggregates=[{"fn": "avg", "column": "loss_pct"}])["body.aggregates.0.fn"]
    assert "has no sum" in of(aggregates=[{"fn": "sum", "column": "dt_id"}])["body.aggregates.0.fn"]
    assert "say which" in of(aggregates=[{"fn": "sum"}])["body.aggregates.0.column"]
    assert "does not say" in of(aggregates=[{"fn": "ratio_of_sums", "column": "estimated_share_pct"}])["body.aggregates.0.column"]
    assert "summed" in of(aggregates=[{"fn": "ratio_of_sums", "of": ["loss_pct"], "to": ["input_wh"]}])["body.aggregates.0.of.0"]
    assert "whole number" in of(filters=[DAYS, {"column": "dt_id", "op": "=", "value": "one"}])["body.filters.1.value"]
    assert "whole number" in of(filters=[DAYS, {"column": "dt_id", "op": "in", "value": [1, 1.5]}])["body.filters.1.value.1"]
    assert "whole number" in of(filters=[DAYS, {"column": "dt_id", "op": "=", "value": 2**70}])["body.filters.1.value"]
    assert "whole number" in of(filters=[DAYS, {"column": "dt_id", "op": "=", "value": True}])["body.filters.1.value"]
    assert "a number" in of(filters=[DAYS, {"column": "loss_pct", "op": "=", "value": "NaN"}])["body.filters.1.value"]
    assert "2026-10-31" in of(filters=[{"column": "day", "op": "=", "value": "yesterday"}])["body.filters.0.value"]
    assert (
        "lower value first"
        in of(filters=[{"column": "day", "op": "between", "value": ["2026-10-02", "2026-10-01"]}])["body.filters.0.value"]
    )
    assert "two values" in of(filters=[{"column": "day", "op": "between", "value": ["2026-10-02"]}])["body.filters.0.value"]
    assert "last_month" in of(filters=[{"column": "day", "op": "period", "value": "lately"}])["body.filters.0.value"]
    assert "choose of" in of(filters=[DAYS, {"column": "dt_id", "op": "starts with", "value": "1"}])["body.filters.1.op"]
    assert "takes no value" in of(filters=[DAYS, {"column": "dt_id", "op": "is null", "value": 1}])["body.filters.1.value"]
    assert "two columns dt_id" in of(columns=["dt_id", "dt_id"])["body.columns.1.name"]
    assert "no column loss" in of(sort=[{"by": "loss"}])["body.sort.0.by"]
    assert "no number" in of(columns=["dt_id", "day"], chart={"kind": "line", "x": "dt_id", "y": ["day"]})["body.chart.y.0"]
    assert "hour" in of(columns=[{"column": "day", "period": "hour"}])["body.columns.0.period"]
    assert "at least one" in analyst.refused(day, "INVALID_REQUEST")["body"]


def test_days_must_be_said_and_not_be_too_many(analyst: As) -> None:
    query = {"dataset": "energy.dt_day", "columns": ["dt_id"]}
    assert "say which days of day" in analyst.refused(query)["body.filters"]
    half = [{"column": "day", "op": ">=", "value": "2026-10-01"}]
    assert "say which days" in analyst.refused({**query, "filters": half})["body.filters"]
    assert len(analyst.rows({**query, "filters": [*half, {"column": "day", "op": "<", "value": "2026-10-03"}]})) == 8
    years = [{"column": "day", "op": "between", "value": ["2020-01-01", "2026-10-31"]}]
    assert "at most 400" in analyst.refused({**query, "filters": years})["body.filters"]
    intervals = {"dataset": "vee.interval_reading", "columns": ["slot"]}
    assert "at most 31" in analyst.refused({**intervals, "filters": [{**DAYS, "value": ["2026-10-01", "2026-11-01"]}]})["body.filters"]


def test_rows_that_count_the_same_things_are_not_added_up(analyst: As) -> None:
    query: dict[str, Any] = {
        "dataset": "reports.rpt_d01_dt_energy_audit",
        "aggregates": [{"fn": "sum", "column": "loss_kwh"}],
        "filters": [{**DAYS, "column": "period_start"}],
    }
    assert "filter period to one value" in analyst.refused(query)["body.filters"]
    rows = analyst.rows({**query, "columns": ["period"]})
    assert rows == [["day", 297.6], ["month", 297.6]], "all of it twice over"
    one = {"column": "period", "op": "=", "value": "month"}
    assert analyst.rows({**query, "filters": [*query["filters"], one]}) == [[297.6]]


def test_a_plan_that_costs_too_much_is_refused_with_what_helps(analyst: As, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_BUILDER_MAX_COST", "0.5")
    detail = analyst.refused(LOSSES, "TOO_COSTLY")["detail"]
    assert "dt_day" in detail
    assert "fewer than the 31 days" in detail
    assert "filter office_id or feeder_id" in detail
    plan = analyst.send("POST", "/explain", LOSSES).json()
    assert plan["cost"] > plan["max_cost"] == 0.5
    assert "energy.dt_day" in plan["sql"]
    assert "2026-10-31" in plan["parameters"].values()


def test_a_query_that_takes_too_long_is_ended(analyst: As, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_BUILDER_TIMEOUT_S", "0.2")
    query = {"dataset": "network.interruption", "columns": ["head"], "filters": [{"column": "day", "op": "=", "value": "2026-10-05"}]}
    assert "0.2 s" in analyst.refused(query, "TOO_SLOW")["detail"]
    assert len(analyst.rows(LOSSES)) == 4, "the connection is as good as before"


def test_reports_leave_the_rest_of_the_api_its_connections(analyst: As, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WAIT_S", 0.01)
    taken = 0
    while limits.room().acquire(blocking=False):
        taken += 1
    try:
        assert taken == pool_size() // 2
        response = analyst.send("POST", "/preview", LOSSES)
        assert (response.status_code, response.json()["code"]) == (429, "TOO_MANY_QUERIES")
        assert response.headers["retry-after"] == "10"
        assert analyst.send("GET", "/reports").status_code == 200, "what is no query goes on"
    finally:
        limits.room().release(taken)
    assert len(analyst.rows(LOSSES)) == 4


def test_a_dataset_that_was_never_built_is_said_to_be(analyst: As) -> None:
    query = {"dataset": "energy.feeder_day", "columns": ["feeder_id"], "filters": [DAYS]}
    assert "first day that is built" in analyst.refused(query, "NOT_BUILT", 409)["detail"]


def test_figures_beyond_reckoning_are_refused(analyst: As) -> None:
    query = {
        "dataset": "energy.dt_day",
        "aggregates": [{"fn": "sum", "column": "input_wh"}],
        "filters": [{**DAYS, "op": "=", "value": "2026-09-01"}],
    }
    assert "out of range" in analyst.refused(query, "OUT_OF_RANGE")["detail"]
    huge = {"column": "capacity_kva", "op": "=", "value": "1e400"}
    assert "a number" in analyst.refused({"dataset": "registry.dt", "columns": ["code"], "filters": [huge]})["body.filters.0.value"]


# --- saved reports ---


def test_a_report_is_saved_versioned_restored_and_deleted(analyst: As) -> None:
    saved = analyst.save("Losses", description="of October")
    assert (saved["version"], saved["own"], saved["visibility"]) == (1, True, "private")
    path = f"/reports/{saved['id']}"
    assert analyst.send("GET", path).headers["etag"] == saved["etag"], "what is read can be sent back in If-Match"
    assert analyst.send("GET", path, If_None_Match=saved["etag"]).status_code == 304
    shorter = {**LOSSES, "limit": 1}
    second = analyst.send("PUT", path, {"name": "Shorter", "query": shorter}, If_Match=saved["etag"])
    assert second.status_code == 200, second.text
    assert (second.json()["version"], second.json()["name"]) == (2, "Shorter")
    assert len(analyst.send("POST", f"{path}/run").json()["rows"]) == 1
    versions = analyst.send("GET", f"{path}/versions").json()
    assert [(v["version"], v["name"]) for v in versions] == [(2, "Shorter"), (1, "Losses")]
    assert analyst.send("GET", f"{path}/versions/1").json()["query"]["dataset"] == "energy.dt_day"
    assert analyst.send("GET", f"{path}/versions/9").status_code == 404
    third = analyst.send("POST", f"{path}/versions/1/restore", If_Match=second.headers["etag"])
    assert third.status_code == 200
    assert (third.json()["version"], third.json()["name"]) == (3, "Losses")
    assert analyst.send("GET", f"{path}/versions").json()[0]["restored_from"] == 1
    assert len(analyst.send("POST", f"{path}/run").json()["rows"]) == 4
    assert analyst.send("DELETE", path, If_Match=second.headers["etag"]).status_code == 412, "that was an older state"
    assert analyst.send("DELETE", path, If_Match=third.headers["etag"]).status_code == 204
    assert analyst.send("GET", path).status_code == 404
    assert saved["id"] not in [c["id"] for c in analyst.send("GET", "/reports").json()["items"]]


def test_two_who_change_a_report_do_not_lose_an_update(analyst: As) -> None:
    saved = analyst.save()
    path, body = f"/reports/{saved['id']}", {"name": "Mine", "query": LOSSES}
    missing = analyst.send("PUT", path, body)
    assert (missing.status_code, missing.json()["code"]) == (428, "IF_MATCH_MISSING")
    together = threading.Barrier(4)
    statuses: list[int] = []

    def change() -> None:
        together.wait()
        statuses.append(analyst.send("PUT", path, body, If_Match=saved["etag"]).status_code)

    threads = [threading.Thread(target=change) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(statuses) == [200, 412, 412, 412], "one of four changes of the same state is kept"


def test_what_is_private_is_nobody_elses(people: dict[str, As]) -> None:
    saved = people["analyst"].save("Secret")
    for who in ("other", "north", "globex"):
        for method, rest in (
            ("GET", ""),
            ("GET", "/versions"),
            ("GET", "/versions/1"),
            ("POST", "/run"),
            ("POST", "/clone"),
            ("GET", "/export"),
        ):
            response = people[who].send(method, f"/reports/{saved['id']}{rest}")
            assert response.status_code == 404, f"{who} {method} {rest}: {response.status_code}"
        assert people[who].send("PUT", f"/reports/{saved['id']}", {"name": "x", "query": LOSSES}, If_Match="*").status_code == 404
        assert people[who].send("DELETE", f"/reports/{saved['id']}", If_Match="*").status_code == 404
        assert saved["id"] not in [c["id"] for c in people[who].send("GET", "/reports").json()["items"]]


def test_what_is_shared_runs_under_the_rights_of_who_runs_it(people: dict[str, As]) -> None:
    saved = people["analyst"].save("For all", visibility="shared")
    path = f"/reports/{saved['id']}"
    assert [r[0] for r in people["analyst"].send("POST", f"{path}/run").json()["rows"]] == [1, 2, 3, 4]
    assert [r[0] for r in people["north"].send("POST", f"{path}/run").json()["rows"]] == [1, 2]
    assert people["reader"].send("POST", f"{path}/run").json()["code"] == "NOT_PERMITTED", "the owner may read energy, the runner may not"
    assert people["globex"].send("POST", f"{path}/run").status_code == 404
    theirs = people["north"].send("GET", path).json()
    assert theirs["own"] is False
    assert theirs["owner"].startswith("analyst")
    change = people["north"].send("PUT", path, {"name": "Mine", "query": LOSSES}, If_Match="*")
    assert (change.status_code, change.json()["code"]) == (403, "NOT_THE_OWNER")
    assert people["north"].send("DELETE", path, If_Match="*").status_code == 403
    clone = people["north"].send("POST", f"{path}/clone", {"name": "Of the north"}).json()
    assert (clone["own"], clone["visibility"], clone["cloned_from"], clone["version"]) == (True, "private", saved["id"], 1)
    assert people["north"].send("POST", f"{path}/clone").json()["name"] == "Copy of For all"
    assert people["analyst"].send("GET", f"/reports/{clone['id']}").status_code == 404
    own = people["north"].send("GET", "/reports?own=false").json()["items"]
    assert saved["id"] in [c["id"] for c in own]
    assert clone["id"] not in [c["id"] for c in own]


def test_what_is_shared_with_an_office_is_for_it(people: dict[str, As]) -> None:
    saved = people["analyst"].save("For the north", visibility="shared", office="A1")
    path = f"/reports/{saved['id']}"
    assert people["north"].send("GET", path).json()["office"] == "A1"
    assert people["other"].send("GET", path).status_code == 200, "who sees the whole DISCOM sees the office as well"
    assert people["south"].send("GET", path).status_code == 404
    assert people["south"].send("GET", f"{path}/versions").status_code == 404


def test_who_may_share_and_where(people: dict[str, As]) -> None:
    body = {"name": "x", "query": LOSSES, "visibility": "shared"}
    assert people["north"].send("POST", "/reports", body).json()["code"] == "NOT_PERMITTED_HERE"
    assert people["north"].send("POST", "/reports", {**body, "office": "B"}).json()["code"] == "NOT_PERMITTED_HERE"
    assert people["north"].send("POST", "/reports", {**body, "office": "A1"}).status_code == 201
    unknown = people["analyst"].send("POST", "/reports", {**body, "office": "Z"}).json()
    assert unknown["errors"][0]["field"] == "body.office"
    assert people["analyst"].send("POST", "/reports", {**body, "visibility": "private", "office": "A"}).status_code == 422
    d01 = {**LOSSES, "dataset": "reports.rpt_d01_dt_energy_audit", "columns": ["dt"], "aggregates": []}
    query = {**d01, "filters": [{**DAYS, "column": "period_start"}]}
    assert people["reader"].send("POST", "/reports", {**body, "query": query}).json()["code"] == "NOT_PERMITTED"


def test_a_report_that_cannot_run_is_not_saved(analyst: As) -> None:
    response = analyst.send("POST", "/reports", {"name": "x", "query": {**LOSSES, "columns": ["nothing"]}})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "body.query.columns.0"
    assert analyst.send("POST", "/reports", {"name": "a\nb", "query": LOSSES}).status_code == 422
    assert analyst.send("POST", "/reports", {"name": "  ", "query": LOSSES}).status_code == 422


def test_pages_of_saved_reports(people: dict[str, As]) -> None:
    made = [people["other"].save(f"N{n}")["id"] for n in range(3)]
    first = people["other"].send("GET", "/reports?own=true&size=2").json()
    assert [c["id"] for c in first["items"]] == made[:2]
    assert first["next"] == made[1]
    rest = people["other"].send("GET", f"/reports?own=true&size=2&after={first['next']}").json()
    assert [c["id"] for c in rest["items"]] == made[2:]
    assert rest["next"] is None
    assert people["other"].send("GET", "/reports?own=true&dataset=registry.dt").json()["items"] == []


def test_days_take_the_place_of_those_that_were_saved(analyst: As) -> None:
    saved = analyst.save()
    answer = analyst.send("POST", f"/reports/{saved['id']}/run", {"first": "2026-10-02", "last": "2026-10-03"}).json()
    assert answer["rows"][0] == [1, 500, 10.0, 2]
    assert (answer["first"], answer["last"]) == ("2026-10-02", "2026-10-03")
    assert analyst.send("POST", f"/reports/{saved['id']}/run", {"first": "2026-10-03", "last": "2026-10-02"}).status_code == 422


# --- files ---

EXPORTED = {
    "dataset": "reports.rpt_d01_dt_energy_audit",
    "columns": ["dt", {"column": "period_start", "period": "month", "name": "month"}],
    "aggregates": [
        {"fn": "sum", "column": "loss_kwh"},
        {"fn": "ratio_of_sums", "column": "loss_pct"},
        {"fn": "count_distinct", "column": "period_start", "name": "coverage_pct"},
        {"fn": "max", "column": "data_as_of"},
    ],
    "filters": [{"column": "period", "op": "=", "value": "day"}, {**DAYS, "column": "period_start"}],
    "chart": {"kind": "bar", "x": "dt", "y": ["sum_loss_kwh"]},
}


@pytest.mark.parametrize("fmt", ["csv", "xlsx", "json", "xml", "pdf", "parquet"])
def test_a_report_is_exported_in_each_format(analyst: As, tmp_path: Path, fmt: str) -> None:
    saved = analyst.save('Loss "of" the DTs; é', query=EXPORTED)
    response = analyst.send("GET", f"/reports/{saved['id']}/export?format={fmt}")
    assert response.status_code == 200, response.text
    assert response.headers["x-rows"] == "4"
    assert "attachment" in response.headers["content-disposition"]
    file = tmp_path / f"file.{fmt}"
    file.write_bytes(response.content)
    third = 0.3 * SUM
    if fmt == "csv":
        lines = file.read_text().splitlines()
        assert lines[0] == "dt,month,sum_loss_kwh,loss_pct,coverage_pct,max_data_as_of"
        assert lines[1] == f"'=DT3,2026-10-01,{third:.3f},10.0,31,2026-11-01T06:30:00+05:30", "a formula is made harmless"
    elif fmt == "xlsx":
        book = load_workbook(file)
        rows = list(book.worksheets[1].iter_rows(values_only=True))
        assert any(row[0] == "=DT3" and row[2] == pytest.approx(third) for row in rows), rows
    elif fmt == "json":
        body = response.json()
        assert body["records"][0]["sum_loss_kwh"] == pytest.approx(third)
        assert body["rows"] == 4
        assert body["schema"]["properties"]["sum_loss_kwh"]["unit"] == "kWh"
    elif fmt == "xml":
        assert f"<sum_loss_kwh>{third:.3f}</sum_loss_kwh>" in file.read_text()
    elif fmt == "pdf":
        assert response.content.startswith(b"%PDF-")
    else:
        table = pq.read_table(file)
        assert float(table.column("sum_loss_kwh").to_pylist()[0]) == pytest.approx(third)
        assert table.num_rows == 4


def test_an_export_needs_the_permission_and_takes_the_rights_of_who_exports(people: dict[str, As]) -> None:
    saved = people["analyst"].save("For all", visibility="shared", query=EXPORTED)
    path = f"/reports/{saved['id']}/export?format=csv"
    assert people["reader"].send("GET", path).json()["code"] == "NOT_PERMITTED"
    lines = people["south"].send("GET", path).text.splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["'=DT3", "DT%4"]
    assert people["analyst"].send("GET", f"/reports/{saved['id']}/export?format=exe").status_code == 422


def test_an_export_holds_the_limit_of_the_report_and_no_row_more(analyst: As) -> None:
    saved = analyst.save(query={**EXPORTED, "limit": 2})
    assert analyst.send("GET", f"/reports/{saved['id']}/export?format=csv").headers["x-rows"] == "2"


def test_a_saved_report_that_no_longer_fits_says_so(analyst: As, module_database: str) -> None:
    saved = analyst.save()
    with psycopg.connect(module_database) as conn:
        conn.execute(
            "update ops.report_config_version set query = query || %s where config_id = %s", [Jsonb({"columns": ["gone"]}), saved["id"]]
        )
    response = analyst.send("POST", f"/reports/{saved['id']}/run")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "query.columns.0"


# --- schedules ---

SCHEDULE = """\
version: 1
schedules:
  - name: built
    builder: {id}
    formats: [csv]
    period: yesterday
    cron: "30 7 * * *"
    send: [folder: {folder}]
"""


def sent(url: str, saved: int, folder: Path, monkeypatch: pytest.MonkeyPatch, day: int) -> tuple[list[str], str | None]:
    """Deliver a saved report by a schedule of acme on a day of October: the lines of its file, or why there is none."""
    folder.mkdir(exist_ok=True)
    (folder / "acme.yml").write_text(SCHEDULE.format(id=saved, folder=folder / "out"))
    (folder / "out").mkdir(exist_ok=True)
    monkeypatch.setenv("METERHOUSE_REPORT_SCHEDULES", str(folder))
    with psycopg.connect(url) as conn:
        conn.execute(
            """insert into ops.day_build (discom_id, day, saw, built_at)
               select 1, d, pg_current_snapshot(), now() from generate_series('2026-10-01'::date, '2026-10-31', interval '1 day') d
               on conflict do nothing"""
        )
    found = config.schedules_of("acme")
    assert found
    with db.connect() as conn:
        ids = queue.note(conn, queue.tenant(conn, "acme"), found.named("built"), datetime(2026, 10, day, 3, saved % 60, tzinfo=UTC))
        done = deliver.deliver_due(conn, ids)
    files = list((folder / "out").iterdir())
    return (files[0].read_text().splitlines() if files else []), "; ".join(done.troubles) or None


def test_a_saved_report_goes_out_by_a_schedule_of_its_days(
    people: dict[str, As], module_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = people["north"].save("Of the north")
    lines, trouble = sent(module_database, saved["id"], tmp_path, monkeypatch, 6)
    assert trouble is None
    assert lines == ["dt_id,sum_loss_wh,loss_pct,count", "1,500,10.0,1", "2,1000,10.0,1"], "the 5th, and what the owner sees"


def test_a_schedule_takes_the_rights_that_the_owner_has_now(
    client: TestClient, module_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, key_id, secret = new_key()
    with psycopg.connect(module_database) as conn:
        insert_key(conn, 1, key_id, secret, None, "leaver", [], 1000, role="analyst")
        (account,) = conn.execute(
            """insert into ops.account (login, name, source, provider, subject, groups)
               values ('asha', 'Asha', 'oidc', 'idp', '1', '{team}') returning account_id"""
        ).fetchone() or (0,)
        conn.execute(
            """insert into ops.role_grant (discom_id, provider, group_name, role, office_id, granted_by)
               values (1, 'idp', 'team', 'analyst', 2, 'admin')"""
        )
    leavers, ashas = As(client, key).save("Of a leaver"), As(client, key).save("Of Asha")
    with psycopg.connect(module_database) as conn:
        conn.execute("update ops.report_config set owner_key_id = null, owner_account_id = %s where config_id = %s", [account, ashas["id"]])
    lines, trouble = sent(module_database, ashas["id"], tmp_path / "a", monkeypatch, 7)
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2"], f"her group sees office A: {lines} {trouble}"
    with psycopg.connect(module_database) as conn:
        conn.execute("update ops.role_grant set revoked_at = now() where group_name = 'team'")
        conn.execute("update ops.api_key set revoked_at = now() where key_id = %s", [key_id])
    for n, saved in enumerate((ashas["id"], leavers["id"], 999_999)):
        lines, trouble = sent(module_database, saved, tmp_path / f"b{n}", monkeypatch, 8)
        assert lines == [], "nothing goes out in the name of who may not"
        expected = "may not use the report builder any more" if saved < 999_999 else "there is no saved report 999999"
        assert expected in (trouble or "")
    with psycopg.connect(module_database) as conn:
        states = conn.execute("select distinct state from ops.report_delivery where due_at > '2026-10-08'").fetchall()
    assert states == [("failed",)], "it is not tried again"
