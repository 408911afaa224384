"""Queries of the report builder as SQL: whatever comes in, names are the catalogue's alone, and no value is in the text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.builder.catalogue import NUMBERS, datasets
from api.builder.compile import Compiled, QueryError, compile_query, operators
from api.builder.schemas import Days, Query
from api.reports.catalogue import Kind, catalogue

ZONE = ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 11, 5, 20, 0, tzinfo=UTC)
"""The 6th of November in India."""

WORDS = set(
    re.findall(
        r"\w+",
        """select from where and or not in is null as cast group by order asc desc nulls last limit between filter distinct on any all
        extract hour count sum avg min max nullif date_trunc timezone make_interval starts_with q smallint integer bigint numeric double
        precision text varchar boolean date timestamp with without time zone interval true false""",
    )
)
"""What SQL is made of here, beside names of the catalogue."""
TOKEN = re.compile(r"%\((\w+)\)s|([A-Za-z_][A-Za-z0-9_]*)|(\d+)|('|\"|;|--|/\*)|.", re.DOTALL)


def compiled(query: dict[str, Any], **more: Any) -> Compiled:
    return compile_query(Query.model_validate(query), 1, ZONE, NOW, max_rows=1000, **more)


def faults(query: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(QueryError) as caught:
        compiled(query)
    return dict(caught.value.faults)


def check_text(found: Compiled) -> None:
    """Every word of the SQL is SQL's or of the catalogue, no figure or text stands in it, and what is bound is what it names."""
    dataset = found.dataset
    names = {dataset.schema, dataset.relation, "discom_id", *dataset.fields, *(f"s_{c}" for c in dataset.fields)}
    names |= {f"c{n}" for n in range(1, len(found.outputs) + 1)}
    bound = set()
    for m in TOKEN.finditer(found.sql):
        parameter, word, number, quote = m.groups()
        if parameter:
            bound.add(parameter)
        assert not quote, f"{quote} stands in {found.sql}"
        assert not number, f"the figure {number} stands in {found.sql}"
        assert not word or word in names or word.lower() in WORDS, f"{word} stands in {found.sql}"
    assert bound == set(found.parameters), "what is bound is what the text names"


ANYTHING = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "'; drop table x; --",
            "%(discom_id)s",
            '"',
            "\\",
            "$1",
            "1) or (1=1",
            "select",
            "discom_id",
            "c1",
            "pg_sleep",
            "2026-10-05",
            "4",
            "NaN",
            "1e400",
            "\x00",
        ]
    ),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
)
NAMES = sorted(datasets())


@st.composite
def queries(draw: st.DrawFn) -> dict[str, Any]:
    """Queries of which most hold together, with names and values of any kind among those that are right."""
    dataset = datasets()[draw(st.sampled_from(NAMES))]
    name = st.sampled_from(sorted(dataset.fields))
    rarely = st.integers(0, 40).map(lambda n: n == 40)

    def of(strategy: st.SearchStrategy[Any]) -> Any:
        return draw(ANYTHING) if draw(rarely) else draw(strategy)

    def value(column: str) -> Any:
        kind = dataset.fields[column].kind if column in dataset.fields else Kind.TEXT
        right = {
            Kind.TEXT: st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=20),
            Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
            Kind.BOOLEAN: st.booleans(),
            Kind.DATE: st.dates().map(str),
            Kind.STAMP: st.datetimes(timezones=st.just(UTC)).map(lambda d: d.isoformat()),
        }
        return of(right.get(kind, st.floats(-1e9, 1e9, allow_nan=False)))

    filters = []
    for _ in range(draw(st.integers(0, 4))):
        column = of(name)
        known = dataset.fields.get(column) if isinstance(column, str) else None
        op = of(st.sampled_from(operators(known) if known else ["="]))
        several = [value(column) for _ in range(2 if op == "between" else draw(st.integers(1, 3)))] if known else [1]
        filters.append({"column": column, "op": op, "value": several if op in ("in", "not in", "between") else several[0]})
        if op in ("is null", "is not null"):
            filters[-1].pop("value")
        if op == "period":
            filters[-1]["value"] = of(st.sampled_from(["last_month", "yesterday", "last_financial_year"]))
    if dataset.time:
        filters.append({"column": dataset.time, "op": "period", "value": "last_month"} if dataset.max_days < 31 else _month(dataset.time))
    columns: list[Any] = []
    for n in range(draw(st.integers(0, 3))):
        column = of(name)
        known = dataset.fields.get(column) if isinstance(column, str) else None
        if known and known.periods and draw(st.booleans()):
            columns.append({"column": column, "period": of(st.sampled_from(known.periods)), "name": f"k{n}"})
        else:
            columns.append(column)
    aggregates = []
    for n in range(draw(st.integers(0, 3))):
        column = of(name)
        known = dataset.fields.get(column) if isinstance(column, str) else None
        fn = of(st.sampled_from(known.aggregates if known else ("count",)))
        aggregates.append({"fn": fn, "column": column, "name": of(st.just(f"a{n}")), "unweighted": True})
    sums = [f.name for f in dataset.fields.values() if "sum" in f.aggregates]
    if len(sums) > 1 and draw(st.booleans()):
        aggregates.append({"fn": "ratio_of_sums", "of": [sums[0]], "to": [sums[1]], "times": of(st.sampled_from([1, 100]))})
    if aggregates:
        columns = [*dataset.overlap, *(c for c in columns if c not in dataset.overlap)]
    columns = [c for n, c in enumerate(columns) if c not in columns[:n]]
    return {
        "dataset": of(st.just(dataset.name)),
        "columns": columns,
        "aggregates": aggregates,
        "filters": filters,
        "sort": [{"by": of(st.just(c))} for c in columns[:1] if isinstance(c, str)],
        "limit": of(st.integers(1, 1000) | st.none()),
    }


def _month(time: str) -> dict[str, Any]:
    return {"column": time, "op": "between", "value": ["2026-10-01", "2026-10-31"]}


def test_no_value_and_no_name_of_the_caller_comes_into_the_sql() -> None:
    good = 0
    said: list[QueryError] = []

    @given(queries())
    @settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def holds(query: dict[str, Any]) -> None:
        nonlocal good
        try:
            found = compile_query(Query.model_validate(query), 1, ZONE, NOW, max_rows=1000)
        except ValidationError:
            return
        except QueryError as refused:
            said.append(refused)
            return
        good += 1
        check_text(found)

    holds()
    assert all(where and what for e in said for where, what in e.faults), "a fault names its field and the way out"
    assert good > 100, f"only {good} of the queries were good ones, so the property was hardly tried"


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_every_dataset_can_be_shown_filtered_and_aggregated(name: str) -> None:
    dataset = datasets()[name]
    days = [_month(dataset.time)] if dataset.time else []
    fields = list(dataset.fields.values())
    for begin in range(0, len(fields), 60):
        check_text(compiled({"dataset": name, "columns": [f.name for f in fields[begin : begin + 60]], "filters": days}))
    one = [{"column": c, "op": "=", "value": "x"} for c in dataset.overlap if dataset.fields[c].kind is Kind.TEXT]
    one += [{"column": c, "op": "=", "value": 1} for c in dataset.overlap if dataset.fields[c].kind is Kind.INTEGER]
    for f in fields:
        calculated = [{"column": f.name, "period": p} for p in f.periods]
        aggregates = [{"fn": fn, "column": f.name, "unweighted": True} for fn in f.aggregates]
        check_text(compiled({"dataset": name, "columns": calculated, "aggregates": aggregates, "filters": [*days, *one]}))


def test_the_datasets_are_the_reports_and_what_the_project_serves() -> None:
    reports = {d.report for d in datasets().values() if d.report}
    assert reports == set(catalogue())
    assert {"energy.dt_day", "energy.feeder_day", "network.interruption", "vee.interval_reading", "vee.day_total", "registry.meter"} <= set(
        datasets()
    )
    for d in datasets().values():
        assert d.title, f"{d.name} has no title"
        assert d.grain.startswith("one row per"), f"{d.name} does not say what its rows are"
        assert set(d.overlap) <= set(d.fields), f"{d.name}: overlap names columns that it has not: {d.overlap}"
        for f in d.fields.values():
            if f.ratio:
                quantities = [d.fields[c] for c in (*f.ratio.of, *f.ratio.to)]
                assert all(q.is_measure and q.kind in NUMBERS for q in quantities), f"{d.name}.{f.name} is made of what is no quantity"


def test_what_is_personal_or_the_tenants_key_is_not_served() -> None:
    assert "name" not in datasets()["registry.consumer"].fields
    assert not [d.name for d in datasets().values() if "discom_id" in d.fields]
    assert not [n for n in datasets() if n.startswith(("ops.", "raw.", "billing."))]


D01 = {
    "dataset": "reports.rpt_d01_dt_energy_audit",
    "columns": ["dt"],
    "filters": [{"column": "period_start", "op": "period", "value": "last_month"}],
}


def test_named_periods_are_reckoned_when_it_runs_in_the_discoms_zone() -> None:
    found = compiled(D01)
    assert (found.first, found.last) == (date(2026, 10, 1), date(2026, 10, 31))
    late = datetime(2026, 11, 30, 18, 29, tzinfo=UTC), datetime(2026, 11, 30, 18, 30, tzinfo=UTC)
    firsts = [compile_query(Query.model_validate(D01), 1, ZONE, now, max_rows=10).first for now in late]
    assert firsts == [date(2026, 10, 1), date(2026, 11, 1)], "December begins at 18:30 UTC"


def test_days_that_are_given_take_the_place_of_the_filters() -> None:
    found = compiled(D01, days=Days(first=date(2026, 9, 1), last=date(2026, 9, 2)))
    assert (found.first, found.last) == (date(2026, 9, 1), date(2026, 9, 2))
    assert date(2026, 10, 1) not in found.parameters.values()


def test_one_row_more_than_asked_shows_whether_there_are_more() -> None:
    def limit(asked: int | None, **more: Any) -> Any:
        found = compiled({**D01, "limit": asked}, **more)
        return [v for k, v in found.parameters.items() if k.startswith("param")][-1]

    assert (limit(5), limit(None), limit(1_000_000)) == (6, 1001, 1001)
    assert (limit(5, whole=True), limit(None, whole=True)) == (5, 1001)


def test_a_column_says_its_unit_and_its_meaning() -> None:
    query = {
        **D01,
        "aggregates": [
            {"fn": "sum", "column": "loss_kwh"},
            {"fn": "sum", "column": "loss_kwh", "name": "lost"},
            {"fn": "count_distinct", "column": "loss_kwh"},
            {"fn": "ratio_of_sums", "of": ["loss_kwh"], "to": ["input_kwh"], "times": 100, "name": "share"},
        ],
        "filters": [*D01["filters"], {"column": "period", "op": "=", "value": "day"}],  # type: ignore[misc]
    }
    dt, total, lost, distinct, share = compiled(query).outputs
    assert (dt.heading, total.heading, lost.heading, distinct.unit, share.heading) == (
        "DT",
        "Sum loss (kWh)",
        "Lost (kWh)",
        None,
        "Share (%)",
    )
    assert total.data_type == "numeric(38,3)"
    assert distinct.data_type == "bigint"
    assert share.description == "100 x sum(loss_kwh) / sum(input_kwh), of rows in which all are known"


def test_extremes_and_levels_do_not_add_up() -> None:
    query = {"dataset": "reports.rpt_c01_consumption", "columns": ["period"], "filters": [_month("period_start")]}
    assert "does not add up" in faults({**query, "aggregates": [{"fn": "sum", "column": "md_kw"}]})["aggregates.0.fn"]
    assert compiled({**query, "aggregates": [{"fn": "max", "column": "md_kw"}]}).outputs[1].unit == "kW"
