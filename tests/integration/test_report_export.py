"""Reports from a real PostgreSQL: two small DISCOMs built by dbt, exported, and held against plain SQL and against what was put in."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openpyxl import load_workbook

from api.reports import ReportError, catalogue, export, read_report, repository
from api.reports.files import write_reports
from api.reports.formats import FORMATS
from api.reports.repository import Span, snapshot
from orchestration import dbt
from tests.report_files import from_csv, from_json, from_parquet, from_xlsx, from_xml, same
from vee.estimation.job import estimate
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

FIRST, LAST = date(2026, 10, 30), date(2026, 11, 2)
DAYS = 4
ACME, GLOBEX = 1, 2
STEP_WH = {"ACME": 100, "GLOBEX": 777}
"""Wh that consumer n of a DISCOM takes in a half hour, times n: every figure tells whose it is."""

# The meters of a DISCOM: consumers 1-3 below one DT below one feeder. Consumer 3 has blocks of 15 minutes.
# On the first day consumer 1 lacks blocks 21 and 22, which are estimated, and the
# last two, which nothing can be estimated from. DT and feeder take in 5 % and 10 % more than the consumers.
REGISTRY = """
insert into registry.discom (discom_id, code, name) overriding system value values (%(d)s, %(code)s, %(code)s || ' Vidyut');
insert into registry.office (discom_id, office_id, code, name, level, parent_id) overriding system value values
  (%(d)s, 1, 'D', %(code)s, 'discom', null), (%(d)s, 2, 'SD', %(code)s || ' town', 'subdivision', 1);
insert into registry.substation (discom_id, substation_id, code, office_id) overriding system value values (%(d)s, 1, 'SS', 2);
insert into registry.feeder (discom_id, feeder_id, code, substation_id, office_id) overriding system value
  values (%(d)s, 1, %(code)s || '-F', 1, 2);
insert into registry.dt (discom_id, dt_id, code, feeder_id, office_id, capacity_kva) overriding system value
  values (%(d)s, 1, %(code)s || '-DT', 1, 2, 100);
insert into registry.hes (discom_id, hes_id, code, vendor) overriding system value values (%(d)s, 1, 'HES', 'hpl');
insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w) overriding system value
  select %(d)s, n, 'SP' || n, 2, 'domestic', 20000 from generate_series(1, 3) n;
insert into registry.consumer (discom_id, consumer_id, code, service_point_id, valid_from) overriding system value
  select %(d)s, n, %(code)s || '-C' || n, n, '2026-01-01' from generate_series(1, 3) n;
insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
  select %(d)s, n, '2026-01-01', 1 from generate_series(1, 3) n;
insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min) overriding system value
  select %(d)s, n, %(code)s || '-M' || n, 1, 'consumer', case n when 3 then 15 else 30 end from generate_series(1, 5) n;
insert into registry.installation (discom_id, meter_id, valid_from, service_point_id, dt_id, feeder_id)
  select %(d)s, n, '2026-01-01', case when n <= 3 then n end, case n when 4 then 1 end, case n when 5 then 1 end
  from generate_series(1, 5) n;
insert into registry.revenue_month select %(d)s, 2, m, 1000, 100, 90, 500, 450 from (values ('2026-10-01'::date), ('2026-11-01')) v(m);
insert into raw.batch (discom_id, batch_id, hes_id, source, content_sha256, received_at, values_received, values_accepted, values_rejected)
  overriding system value values (%(d)s, 1, 1, 'test', '', %(received)s, 1, 1, 0);
insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq, import_wh, export_wh)
  select %(d)s, day, n, 0, case n when 3 then 15 else 30 end, %(received)s, 1, n,
         case when n = 1 and day = %(first)s then array_fill(wh, array[20]) || array[null, null]::integer[] || array_fill(wh, array[24])
              else array_fill(wh, array[case n when 3 then 96 else 48 end]) end,
         array_fill(0, array[case n when 3 then 96 else 48 end])
  from (values (1, %(step)s), (2, 2 * %(step)s), (3, 3 * %(step)s / 2),
               (4, 6 * %(step)s * 105 / 100), (5, 6 * %(step)s * 110 / 100)) v(n, wh)
  cross join (select generate_series(%(first)s::date, %(last)s::date, interval '1 day')::date as day) d;
insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message, state)
  values (%(d)s, %(first)s, 1, 'V07', 'initial', 'fail', 'estimate', 'four blocks are missing', 'open');
"""
RECEIVED = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def built(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a warehouse in which dbt has built both DISCOMs' days."""
    with psycopg.connect(module_database) as conn:
        for table in ("raw.profile_fragment", "vee.exception"):
            conn.execute("select ops.ensure_month(%s::regclass, %s, %s)", [table, FIRST, LAST])
        for discom_id, code in ((ACME, "ACME"), (GLOBEX, "GLOBEX")):
            values = {"d": discom_id, "code": code, "step": STEP_WH[code], "first": FIRST, "last": LAST, "received": RECEIVED}
            psycopg.ClientCursor(conn).execute(REGISTRY, values)
            # As a build notes it; here dbt is run without one.
            conn.execute(
                """insert into ops.day_build (discom_id, day, saw, built_at)
                   select %s, day, pg_current_snapshot(), now() from generate_series(%s::date, %s, interval '1 day') day""",
                [discom_id, FIRST, LAST],
            )
    dbt.run(["seed"])
    overlays = tmp_path_factory.mktemp("overlays")
    for discom_id, code in ((ACME, "ACME"), (GLOBEX, "GLOBEX")):
        variables = {"discom_id": discom_id, "from_day": FIRST.isoformat(), "to_day": LAST.isoformat()}
        dbt.run(["run"], variables)
        # As if the day after had not come: then nothing tells of the last intervals.
        (overlays / f"{code}.yml").write_text(f"discom: {code}\nestimation: {{order: [linear], like_days_after: 0}}\n")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("METERHOUSE_OVERLAYS", str(overlays))
            estimate(discom_id, code, FIRST, FIRST)
    return module_database


@pytest.fixture
def sql(built: str) -> Iterator[psycopg.Connection]:
    """A connection that sees every tenant."""
    with psycopg.connect(built) as conn:
        yield conn


PERIODS = {
    "A03": "day between '2026-10-31' and '2026-11-01'",
    "B01": "day between '2026-10-31' and '2026-11-01'",
    **dict.fromkeys(
        ("C01", "D01", "D02"),
        "(period = 'day' and period_start in ('2026-10-31', '2026-11-01')) "
        "or (period = 'month' and period_start in ('2026-10-01', '2026-11-01'))",
    ),
    "D05": "(period = 'month' and period_start in ('2026-10-01', '2026-11-01')) "
    "or (period = 'quarter' and period_start = '2026-10-01') or (period = 'financial_year' and period_start = '2026-04-01')",
}
"""Rows that 31 October to 1 November must give, said in another way than the code does."""


@pytest.mark.parametrize("report_id", list(PERIODS))
def test_a_sheet_holds_what_the_database_holds(report_id: str, sql: psycopg.Connection, tmp_path: Path) -> None:
    xlsx, _ = export("ACME", date(2026, 10, 31), date(2026, 11, 1), tmp_path)
    wanted = catalogue()[report_id]
    shown = [c for c in wanted.columns if c.name not in ("discom_id", "generated_at")]
    expected = sql.execute(
        f"select {', '.join(c.name for c in shown)} from reports.{wanted.relation} where discom_id = %s and ({PERIODS[report_id]})", [ACME]
    ).fetchall()
    assert expected, "the test would compare nothing"
    header, *rows = load_workbook(xlsx)[wanted.name].iter_rows(values_only=True)
    keep = [i for i, h in enumerate(header) if not str(h).startswith("Generated at")]
    found = [tuple(row[i] for i in keep) for row in rows]
    assert sorted(repr(tuple(map(_as_excel, row))) for row in found) == sorted(repr(tuple(map(_as_excel, row))) for row in expected)


def _as_excel(value: Any) -> Any:
    """One form for a value of the database and of a sheet."""
    if isinstance(value, Decimal | float | int):
        return f"{float(value):.15g}"  # what a spreadsheet keeps of a number
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(repository.ZoneInfo("Asia/Kolkata")).replace(tzinfo=None)
    return datetime(value.year, value.month, value.day) if type(value) is date else value


@pytest.mark.parametrize("report_id", list(PERIODS))
def test_every_format_holds_what_the_database_holds(report_id: str, sql: psycopg.Connection, tmp_path: Path) -> None:
    wanted, zone = catalogue()[report_id], repository.ZoneInfo("Asia/Kolkata")
    names = [c.name for c in wanted.columns]
    rows = sql.execute(
        f"""select {", ".join(names)} from reports.{wanted.relation} where discom_id = %s and ({PERIODS[report_id]})
            order by {", ".join(wanted.key)}""",
        [ACME],
    ).fetchall()
    assert rows, "the test would compare nothing"
    expected = [dict(zip(names, row, strict=True)) for row in rows]
    (done,) = write_reports("ACME", [wanted], Span(date(2026, 10, 31), date(2026, 11, 1)), list(FORMATS), tmp_path)
    assert done.error is None
    files = {f.path.suffix[1:]: f.path for f in done.files}
    mine = ("generated_at",)  # of each transaction its own
    same(from_csv(files["csv"], wanted), expected, "CSV", without=mine)
    same(from_json(files["json"], wanted), expected, "JSON", without=mine)
    same(from_xml(files["xml"], wanted), expected, "XML", without=mine)
    same(from_parquet(files["parquet"], wanted), expected, "Parquet", without=mine)
    same(from_xlsx(files["xlsx"], wanted, zone), expected, "XLSX", without=("discom_id", *mine), rounded=True)


def test_figures_are_those_that_were_put_in(built: str) -> None:
    days = [r for r in read_report("C01", ACME, FIRST, LAST).records() if r["period"] == "day"]
    assert len(days) == 3 * DAYS
    # 48 half hours of 100, 200 and 300 Wh (the last as 96 of 150).
    assert {(r["consumer"], r["import_kwh"]) for r in days if r["period_start"] > FIRST} == {
        ("ACME-C1", Decimal("4.800")),
        ("ACME-C2", Decimal("9.600")),
        ("ACME-C3", Decimal("14.400")),
    }
    feeder = [r for r in read_report("D02", ACME, LAST, LAST).records() if r["period"] == "day"]
    assert [(r["input_kwh"], r["billed_kwh"], r["loss_kwh"]) for r in feeder] == [(Decimal("31.680"), Decimal("28.800"), Decimal("2.880"))]
    blocks = read_report("A03", ACME, FIRST, FIRST).records()
    assert {r["serial"]: r["received_blocks"] for r in blocks if r["place"] == "consumer"} == {"ACME-M1": 44, "ACME-M2": 48, "ACME-M3": 96}


def test_the_load_curve_is_average_kw_whatever_the_interval(built: str) -> None:
    with snapshot(ACME) as s:
        curve = s.load_curve(date(2026, 10, 31), LAST)
        gap = s.load_curve(FIRST, FIRST)
    assert [p.minute for p in curve] == list(range(0, 1440, 30)), "meters of 15 and 30 minutes meet at 30"
    assert {(p.measured_kw, p.estimated_kw, p.missing_share) for p in curve} == {(1.2, 0.0, 0.0)}, "600 Wh in half an hour are 1.2 kW"
    assert [round(p.estimated_kw, 9) for p in gap] == [0.2 if i in (20, 21) else 0.0 for i in range(48)]
    assert [round(p.measured_kw, 9) for p in gap] == [1.0 if i in (20, 21, 46, 47) else 1.2 for i in range(48)]
    assert [p.missing_share for p in gap] == [0.25 if i in (46, 47) else 0.0 for i in range(48)], "one of four values of a half hour"


@pytest.mark.parametrize("report_id", list(PERIODS))
def test_no_discom_sees_a_row_of_another(report_id: str, built: str) -> None:
    relation = catalogue()[report_id].relation
    for discom_id in (ACME, GLOBEX):
        rows = read_report(report_id, discom_id, FIRST, LAST).rows
        assert rows
        assert {r[0] for r in rows} == {discom_id}
        # Without any condition of ours: it is the database that keeps the rows apart.
        with snapshot(discom_id) as s:
            assert s._conn.execute(f"select distinct discom_id from reports.{relation}").fetchall() == [(discom_id,)]
    with db.connect("meterhouse_api") as conn:
        assert conn.execute(f"select count(*) from reports.{relation}").fetchone() == (0,), "who names no DISCOM must see nothing"


def test_no_file_of_a_discom_names_another(built: str, tmp_path: Path) -> None:
    xlsx, _ = export("GLOBEX", FIRST, LAST, tmp_path)
    text = [str(c) for sheet in load_workbook(xlsx) for row in sheet.iter_rows(values_only=True) for c in row if c is not None]
    assert any("GLOBEX-C1" in t for t in text)
    assert not [t for t in text if "ACME" in t]


def test_what_is_read_for_a_discom_cannot_write(built: str) -> None:
    with snapshot(ACME) as s, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        s._conn.execute("delete from vee.exception")


def test_export_writes_a_workbook_and_one_page(built: str, tmp_path: Path) -> None:
    paths = export("ACME", FIRST, LAST, tmp_path / "new" / "folder")
    assert [p.name for p in paths] == ["ACME_2026-10-30_2026-11-02.xlsx", "ACME_2026-10-30_2026-11-02.pdf"]
    assert sorted(paths[0].parent.iterdir()) == sorted(paths), "something else was left in the folder"
    assert len(re.findall(rb"/Type /Page\b", paths[1].read_bytes())) == 1
    if shutil.which("pdfinfo"):
        info = subprocess.run(["pdfinfo", str(paths[1])], capture_output=True, text=True, check=True, timeout=60).stdout
        assert re.search(r"^Pages:\s+1$", info, re.MULTILINE)
        assert "(A4)" in info
    assert export("ACME", FIRST, LAST, tmp_path / "new" / "folder") == paths, "a second export takes the place of the first"


def test_bad_requests_are_refused_in_words(built: str, tmp_path: Path) -> None:
    for call, message in {
        "unknown report": (lambda: read_report("Z99", ACME, FIRST, LAST), r"no report has the id 'Z99': there are A01 .*D05"),
        "unknown id": (lambda: read_report("D02", 99, FIRST, LAST), r"no DISCOM with the id 99"),
        "unknown code": (lambda: export("ACNE", FIRST, LAST, tmp_path), r"no DISCOM has the code 'ACNE' \(known: ACME, GLOBEX\)"),
        "wrong order": (lambda: read_report("D02", ACME, LAST, FIRST), r"ends \(2026-10-30\) before it begins"),
        "no data": (lambda: export("ACME", date(2020, 1, 1), date(2020, 1, 2), tmp_path), r"no meter-day from 2020-01-01.*meterhouse run"),
    }.values():
        with pytest.raises(ReportError, match=message):
            call()
    assert not list(tmp_path.iterdir()), "a refused export must leave no file"


def test_a_report_that_is_too_long_is_refused(built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "MAX_ROWS", 10)
    with pytest.raises(ReportError, match=r"A03 .* has more than 10 rows .* choose a shorter period"):
        read_report("A03", ACME, FIRST, LAST)


def test_a_report_that_takes_too_long_is_ended_by_the_server(built: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "STATEMENT_TIMEOUT_S", 1)
    with snapshot(ACME) as s, pytest.raises(ReportError, match=r"the night took longer than 1 s .* choose a shorter period"):
        s._read("the night", repository.sql.SQL("select pg_sleep(30)"), FIRST, LAST)


def test_a_report_that_was_never_built_says_so(database: str) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("insert into registry.discom (code, name) values ('NEW', 'New')")
    with pytest.raises(ReportError, match=r"D05 AT&C statement was never built: run `meterhouse run --discom NEW`"):
        read_report("D05", 1, FIRST, LAST)
