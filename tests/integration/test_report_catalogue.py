"""Every report of the catalogue on a simulated DISCOM that was built: it has rows, one for each of its grain, and is declared as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from openpyxl import load_workbook
from psycopg import sql

from api.builder import repository as builder
from api.builder.catalogue import Dataset, Field, datasets
from api.builder.compile import compile_query
from api.builder.schemas import Query
from api.reports import catalogue
from api.reports.catalogue import SCHEMA, Report
from api.reports.files import write_reports
from api.reports.formats import FORMATS
from api.reports.layouts import layouts, write_layout
from api.reports.repository import Span
from audit.job import audit_month
from orchestration import steps
from simulation import SimulationConfig
from tests.integration import acted
from tests.integration.billed import change_a_meter, switch_a_meter
from tests.integration.other_office import Rows, offices_below, with_and_without_the_rest
from tests.integration.simulated import HES, IST, land_all, register, simulate
from tests.report_files import from_csv, from_json, from_parquet, from_xlsx, from_xml, same
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 3)
EVER = Span(date(2000, 1, 1), date(2100, 1, 1))
"""Some reports tell of days before those that were built; what people do is of the day on which the tests run."""


@pytest.fixture(scope="module")
def built(built_module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    """A DISCOM of 60 consumers after three days."""
    days = (LAST - FIRST).days + 1
    config = SimulationConfig(tenants=1, feeders=2, dts=4, consumers=60, start=FIRST, days=days, seed=13, audit=True)
    (world,) = simulate(tmp_path_factory.mktemp("world"), config)
    discom_id = register(world)
    land_all(world)
    acted.before_the_build(world.code, HES["hpl"], FIRST)
    change_a_meter(world.code, LAST)
    switch_a_meter(world.code, FIRST)
    steps.build(world.code, discom_id, FIRST, LAST)
    audit_month(discom_id, world.code, FIRST)
    acted.after_the_build(world.code, FIRST)
    with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS) as conn:
        yield conn


@pytest.mark.parametrize("report", catalogue().values(), ids=lambda r: r.id)
def test_a_report_has_rows_and_one_of_each_grain(built: psycopg.Connection, report: Report) -> None:
    key = sql.SQL(", ").join(map(sql.Identifier, report.key))
    query = sql.SQL("select count(*), count(distinct ({key})), count(*) filter (where num_nulls({key}) > 0) from {view}").format(
        key=key, view=sql.Identifier(SCHEMA, report.relation)
    )
    row = built.execute(query).fetchone()
    assert row is not None
    rows, grains, without = row
    assert (rows == 0) == (report.unfed is not None), f"{report.name} has {rows} rows, and its YAML says: {report.unfed or 'it is fed'}"
    assert grains == rows, f"{report.name}: {rows} rows for {grains} of {', '.join(report.key)}"
    assert without == 0, f"{report.name}: {without} rows lack a part of their key {', '.join(report.key)}"


@pytest.mark.parametrize("report", catalogue().values(), ids=lambda r: r.id)
def test_a_report_says_the_same_in_every_format(built: psycopg.Connection, report: Report, tmp_path: Path) -> None:
    """What the database says is CSV's in test_report_files; here every format is held against it, for every report there is."""
    (done,) = write_reports("D01", [report], EVER, list(FORMATS), tmp_path)
    assert done.error is None, done.error
    files = {f.path.suffix[1:]: f.path for f in done.files}
    rows = from_csv(files["csv"], report)
    assert (len(rows) == 0) == (report.unfed is not None), (
        f"{report.name} has {len(rows)} rows, and its YAML says: {report.unfed or 'it is fed'}"
    )
    same(from_json(files["json"], report), rows, "JSON")
    same(from_xml(files["xml"], report), rows, "XML")
    same(from_parquet(files["parquet"], report), rows, "Parquet")
    same(from_xlsx(files["xlsx"], report, IST), rows, "XLSX", without=("discom_id",), rounded=True)
    assert files["pdf"].read_bytes().startswith(b"%PDF-")


MINE, OTHER = "D01-SD1", "D01-SD2"
"""Two sub-divisions, of which each has a feeder with its DTs and consumers."""
OF_NO_OFFICE = ("A09", "J06", "J08")
"""Of the whole DISCOM or of none: who is limited sees no row of it."""


@pytest.fixture(scope="module")
def limited(built: psycopg.Connection, built_module_database: str) -> dict[str, tuple[Rows, Rows]]:
    """All reports as a caller of either office reads them, with the other there and with it gone."""
    built.rollback()
    wanted = list(catalogue().values())
    return {code: with_and_without_the_rest(built_module_database, 1, offices_below(built, code), wanted) for code in (MINE, OTHER)}


@pytest.mark.parametrize("report", catalogue().values(), ids=lambda r: r.id)
def test_who_is_limited_to_an_office_reads_nothing_of_another(
    limited: dict[str, tuple[Rows, Rows]], built: psycopg.Connection, report: Report
) -> None:
    names = dict(built.execute("select code, name from registry.office").fetchall())
    for code, other in ((MINE, OTHER), (OTHER, MINE)):
        before, after = (side[report.id] for side in limited[code])
        columns = [c.name for c in report.columns if c.name != "generated_at"]
        places = [columns.index(c) for c in ("division", "subdivision", "office", "area") if c in columns]
        foreign = [row for row in before if names[other] in [row[i] for i in places]]
        assert not foreign, f"{report.name} shows {names[code]} {len(foreign)} rows of {names[other]}: {foreign[0]}"
        assert before == after, (
            f"{report.name} says something else to {names[code]} once {names[other]} is gone: its sums hold what is foreign"
        )
    if report.id in OF_NO_OFFICE:
        assert not limited[MINE][0][report.id], f"{report.name} is of no office, and who is limited to one sees it"


def test_who_is_limited_to_an_office_reads_what_is_of_it(limited: dict[str, tuple[Rows, Rows]], built: psycopg.Connection) -> None:
    """Else the test above would hold of reports that are empty."""
    empty = [
        r.id
        for r in catalogue().values()
        if r.id not in OF_NO_OFFICE and not r.unfed and not any(limited[code][0][r.id] for code in (MINE, OTHER))
    ]
    assert empty == ["D03"], "a substation belongs to the division above; of all else one of the two has a row"
    for report_id in ("A03", "B05", "C01", "D01", "D02", "F01", "I01"):
        report = catalogue()[report_id]
        row = built.execute(
            sql.SQL("select count(*) from {} where office = 'Subdivision 1'").format(sql.Identifier(SCHEMA, report.relation))
        ).fetchone()
        assert row
        assert row[0] == len(limited[MINE][0][report_id]) > 0, f"{report.name} keeps rows from the office that they are of"


@pytest.mark.parametrize("report", catalogue().values(), ids=lambda r: r.id)
def test_a_report_says_of_which_periods_its_rows_are(built: psycopg.Connection, report: Report) -> None:
    assert report.lengths or not report.has("period_start"), f"{report.name}: the grain {report.grain!r} names no period"
    if report.has("period"):
        rows = built.execute(sql.SQL("select distinct period from {}").format(sql.Identifier(SCHEMA, report.relation))).fetchall()
        assert {p for (p,) in rows} <= set(report.lengths), f"{report.name} has rows of {rows} and says {report.lengths}"


@pytest.mark.parametrize("name", list(layouts()))
def test_no_form_of_an_authority_is_empty(built: psycopg.Connection, name: str, tmp_path: Path) -> None:
    (file,) = write_layout(name, "D01", FIRST, LAST, tmp_path)
    if file.path.suffix == ".csv":
        assert len(file.path.read_text(encoding="utf-8").splitlines()) > 1, f"{name} has no row"
        return
    for sheet in load_workbook(file.path):
        rows = list(sheet.iter_rows(min_row=7, values_only=True))
        filled = [row for row in rows[: next(i for i, row in enumerate(rows) if not any(row))] if any(row)]
        assert filled, f"{name}, {sheet.title} has no row"


@pytest.mark.parametrize("dataset", datasets().values(), ids=lambda d: d.name)
def test_a_dataset_of_the_builder_is_as_its_yaml_says_and_can_be_read(built: psycopg.Connection, dataset: Dataset) -> None:
    whole = dict.fromkeys(("smallint", "integer", "bigint"), "whole number")  # a contract does not tell them apart
    declared = {f.name: whole.get(f.column.data_type, f.column.data_type.partition("(")[0]) for f in dataset.fields.values()}
    found = built.execute(
        """select attname, format_type(atttypid, null) from pg_attribute
           where attrelid = %s::regclass and attnum > 0 and not attisdropped""",
        [dataset.name],
    ).fetchall()
    there = {name: whole.get(kind, kind) for name, kind in found}
    assert {name: there.get(name) for name in declared} == declared, f"{dataset.name} is not as it is declared"
    days = [{"column": dataset.time, "op": "between", "value": [str(FIRST), str(LAST)]}] if dataset.time else []
    query = Query.model_validate({"dataset": dataset.name, "columns": list(dataset.fields), "filters": days})
    with db.connect("meterhouse_api") as conn:
        discom_id = _discom_id()
        conn.execute("select set_config('app.discom_id', %s, true)", [str(discom_id)])
        compiled = compile_query(query, discom_id, IST, datetime.now(UTC), max_rows=20)
        for row in builder.rows(conn, compiled):
            assert len(row) == len(dataset.fields)


def _discom_id() -> int:
    with db.connect("meterhouse_loader") as loader:
        row = loader.execute("select discom_id from registry.discom").fetchone()
    assert row
    return int(row[0])


RATIOS = [(d, f) for d in datasets().values() for f in d.fields.values() if f.ratio]


@pytest.mark.parametrize(("dataset", "field"), RATIOS, ids=[f"{d.name}.{f.name}" for d, f in RATIOS])
def test_a_ratio_is_what_its_yaml_says_that_it_is_made_of(built: psycopg.Connection, dataset: Dataset, field: Field) -> None:
    """For each single row the ratio of sums is the column itself, so over many rows it is their weighted mean."""
    assert field.ratio
    of, to = (sql.SQL(" + ").join(map(sql.Identifier, side)) for side in (field.ratio.of, field.ratio.to))
    wrong = sql.SQL(
        """select count(*) filter (where abs({column} - {times} * ({of}) / nullif({to}, 0)) > 1e-6 * greatest(1, abs({column}))),
                  count({column})
           from {relation}"""
    ).format(
        column=sql.Identifier(field.name),
        times=sql.Literal(float(field.ratio.times)),
        of=of,
        to=to,
        relation=sql.Identifier(dataset.schema, dataset.relation),
    )
    row = built.execute(wrong).fetchone()
    assert row
    assert row[1] > 0, f"{dataset.name}.{field.name} has no value, so nothing was compared"
    assert row[0] == 0, f"{dataset.name}.{field.name} differs in {row[0]} rows from {field.ratio}"
