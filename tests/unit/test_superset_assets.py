"""The dashboards' files: as generated, in agreement with dbt's models, and what is wrong in them is told before a server sees it."""

from __future__ import annotations

import copy
import json
from datetime import date

import pytest

from dashboards.catalogue import AssetError, datasets
from dashboards.charts import form_data, query
from dashboards.columns import number_format
from dashboards.generate import WINDOWS, Assets, asset_id, dump, generate, read
from dashboards.sync import of_tenant
from dashboards.tenants import Tenant
from dashboards.validate import columns_of, validate
from warehouse.column_names import heading

COMMUNICATED = "charts/operations/communicated.yaml"
A01 = "datasets/warehouse/rpt_a01_communication_status.yaml"


@pytest.fixture(scope="module")
def assets() -> Assets:
    return read()


def test_files_are_as_generated(assets: Assets) -> None:
    made = generate()
    differ = [p for p in made.keys() | assets.keys() if dump(made.get(p)) != dump(assets.get(p))]
    assert not differ, f"run `meterhouse superset generate`: {sorted(differ)[:5]}"


def test_files_agree_with_each_other_and_with_dbt(assets: Assets) -> None:
    assert validate(assets) == []


def test_every_report_is_a_dataset_with_a_table(assets: Assets) -> None:
    reports = [d for d in datasets().values() if d.is_report]
    assert len(reports) == 71
    for report in reports:
        assert assets[f"datasets/warehouse/{report.table}.yaml"]["extra"]["certification"], f"{report.key} is not certified"
        assert assets[f"charts/reports/{report.table}.yaml"]["viz_type"] == "table"


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        (COMMUNICATED, {"dataset_uuid": asset_id("dataset", "nothing")}, "dataset_uuid is of no dataset"),
        (COMMUNICATED, {"uuid": asset_id("dashboard", "operations")}, "its uuid is that of"),
        (COMMUNICATED, {"query_context": "{"}, "no query"),
        (A01, {"table_name": "rpt_a99"}, "rpt_a99 is no report"),
        (A01, {"main_dttm_col": "medium"}, "no column of days"),
        (
            "datasets/warehouse/rpt_a01_communication_status.yaml",
            {"metrics": [{"metric_name": "x", "expression": "sum(nil)"}]},
            "of nil, which",
        ),
        (A01, {"columns": []}, "has no column day"),
        (A01, {"columns": [{"column_name": "nil"}]}, "has no column nil"),
        ("dashboards/vee.yaml", {"slug": "operations"}, "its slug 'operations' is that of"),
        ("dashboards/vee.yaml", {"position": {"ROW-1": {"type": "ROW", "children": ["CHART-9"]}}}, "holds CHART-9, which has no place"),
    ],
)
def test_what_is_wrong_is_told(assets: Assets, path: str, change: dict[str, object], told: str) -> None:
    broken = copy.deepcopy(assets)
    broken[path] |= change
    faults = validate(broken)
    assert any(told in f for f in faults), f"{told!r} is not among {faults[:5]}"


def test_a_file_that_is_gone_is_missed(assets: Assets) -> None:
    less = {p: c for p, c in assets.items() if p != COMMUNICATED}
    assert any("'Communicated' is of no chart" in f for f in validate(less))
    less = {p: c for p, c in assets.items() if p != "charts/reports/rpt_a02_silent_meters.yaml"}
    assert any("report A02 has no chart" in f for f in validate(less))


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("100.0 * sum(communicated) / nullif(sum(due_meters), 0)", {"communicated", "due_meters"}),
        ("count(*) filter (where state = 'open day')", {"state"}),
        ("(array_agg(saifi order by consumers desc nulls last))[1]", {"saifi", "consumers"}),
        ("started_at at time zone 'Asia/Kolkata'", {"started_at"}),
    ],
)
def test_columns_of_an_expression(expression: str, columns: set[str]) -> None:
    assert columns_of(expression) == columns


def test_a_design_that_names_what_there_is_not() -> None:
    with pytest.raises(AssetError, match="has no metric 'nothing'"):
        form_data({"title": "x", "viz": "number", "metric": "nothing"}, datasets()["A01"], "No filter")
    with pytest.raises(AssetError, match="viz 'cube' is none of"):
        form_data({"title": "x", "viz": "cube"}, datasets()["A01"], "No filter")


def test_a_chart_asks_for_its_period_and_its_condition() -> None:
    params = form_data({"title": "x", "viz": "number", "metric": "meters_due", "where": "medium = 'all'"}, datasets()["A01"], "Last week")
    (asked,) = json.loads(query(params, datasets()["A01"]))["queries"]
    assert asked["filters"] == [{"col": "day", "op": "TEMPORAL_RANGE", "val": "Last week"}]
    assert asked["extras"]["where"] == "(medium = 'all')"


@pytest.fixture
def home(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_DATABASE_URL", "postgresql://someone:hunter2@db.example:5433/warehouse")


def test_each_tenant_has_its_own_copy(assets: Assets, home: None) -> None:
    one, two = (of_tenant(assets, Tenant(n, f"D0{n}", "x", date(2026, 10, 7)), date(2026, 11, 1)) for n in (1, 2))
    assert len(one) == len(two) == len(assets)
    shared = {c["uuid"] for c in one.values()} & {c["uuid"] for c in two.values()}
    assert not shared, "two tenants share an asset"
    uri = one["databases/D01/warehouse.yaml"]["sqlalchemy_uri"]
    assert uri == "postgresql+psycopg2://meterhouse_superset_1:XXXXXXXXXX@db.example:5433/warehouse"
    ours = {c["uuid"] for c in one.values()}
    for path, content in one.items():
        for field in ("database_uuid", "dataset_uuid"):
            assert field not in content or content[field] in ours, f"{path} refers to another tenant's {field}"


@pytest.mark.parametrize(("today", "shown"), [(date(2026, 10, 9), WINDOWS["week"]), (date(2026, 10, 20), "2026-10-01 : 2026-10-08")])
def test_periods_end_with_the_data_where_it_is_old(assets: Assets, home: None, today: date, shown: str) -> None:
    mine = of_tenant(assets, Tenant(1, "D01", "x", date(2026, 10, 7)), today)
    (period, *_) = mine["dashboards/D01/operations.yaml"]["metadata"]["native_filter_configuration"]
    assert period["defaultDataMask"]["filterState"]["value"] == shown
    assert json.loads(mine["charts/D01/operations/communicated.yaml"]["query_context"])["queries"][0]["filters"][0]["val"] == shown


@pytest.mark.parametrize(
    ("name", "text"), [("loss_pct", "Loss (%)"), ("a_input_mu", "A. Input (MU)"), ("hes", "HES"), ("e_revenue_inr", "E. Revenue (₹)")]
)
def test_headings(name: str, text: str) -> None:
    assert heading(name) == text


@pytest.mark.parametrize(
    ("name", "kind", "pattern"),
    [("meters", "integer", ",d"), ("meter_id", "integer", None), ("loss_pct", "double precision", ",.1f"), ("serial", "text", None)],
)
def test_number_formats(name: str, kind: str, pattern: str | None) -> None:
    assert number_format(name, kind) == pattern


def test_an_axis_of_time_is_the_time_of_its_data() -> None:
    """Superset's page draws what it takes for the time of the data, whatever the chart asked for."""
    design = {"title": "T", "data": "day_story", "viz": "line", "x": "day", "metrics": ["final"]}
    with pytest.raises(AssetError, match="its axis is day, and the page would put starts_at"):
        form_data(design, datasets()["day_story"], WINDOWS["month"])
