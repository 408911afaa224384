"""Reports of a real PostgreSQL as files: read in one pass, whole or not at all, a million rows in the memory of a few."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from openpyxl import load_workbook

from api.reports import ReportError, files, layouts, repository
from api.reports.files import write_index, write_reports
from api.reports.formats import FORMATS, csv_file
from api.reports.layouts import write_layout
from api.reports.repository import Span
from tests.integration.reports_world import FIRST, LAST, LIST, LONG, MISSING, make
from tests.report_files import Record, from_csv, from_json, from_parquet, from_xlsx, from_xml, same

pytestmark = pytest.mark.integration

IST = ZoneInfo("Asia/Kolkata")
OCTOBER = Span(FIRST, LAST)


@pytest.fixture(scope="module")
def world(module_database: str) -> str:
    make(module_database)
    return module_database


def expected(url: str, condition: str = "true") -> list[Record]:
    """Rows of October, said in another way than the code does."""
    names = [c.name for c in LIST.columns]
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            f"""select {", ".join(names)} from reports.rpt_d09_list
                where discom_id = (select discom_id from registry.discom where code = 'ACME')
                  and ((period = 'day' and period_start = '2026-10-05') or period = 'month') and {condition}
                order by discom_id, period, period_start, n""",
        ).fetchall()
    assert rows, "the test would compare nothing"
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_a_report_says_the_same_in_every_format_and_in_the_database(world: str, tmp_path: Path) -> None:
    (done,) = write_reports("ACME", [LIST], OCTOBER, list(FORMATS), tmp_path)
    assert (done.error, done.rows, done.lowest_coverage_pct) == (None, 60, 91.0)
    stem = tmp_path / "d09_list_ACME_2026-10"
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".csv", ".json", ".parquet", ".pdf", ".xlsx", ".xml", ".xsd"]
    rows = expected(world)
    without = ("generated_at",)  # of each transaction its own
    same(from_csv(stem.with_suffix(".csv"), LIST), rows, "CSV", without=without)
    same(from_json(stem.with_suffix(".json"), LIST), rows, "JSON", without=without)
    same(from_xml(stem.with_suffix(".xml"), LIST), rows, "XML", without=without)
    same(from_parquet(stem.with_suffix(".parquet"), LIST), rows, "Parquet", without=without)
    same(from_xlsx(stem.with_suffix(".xlsx"), LIST, IST), rows, "XLSX", without=("discom_id", *without), rounded=True)
    for f in done.files:
        assert hashlib.sha256(f.path.read_bytes()).hexdigest() == f.sha256, f"{f.path.name} is not what its hash says"


def test_rows_of_one_length_alone(world: str, tmp_path: Path) -> None:
    (done,) = write_reports("ACME", [LIST], Span(FIRST, LAST, "month"), ["json"], tmp_path)
    same(from_json(done.files[0].path, LIST), expected(world, "period = 'month'"), "months", without=("generated_at",))


def test_a_report_that_fails_leaves_the_others_whole_and_no_file_of_its_own(world: str, tmp_path: Path) -> None:
    heard: list[str] = []
    done = write_reports(
        "ACME", [MISSING, LIST], OCTOBER, ["csv", "xlsx", "parquet"], tmp_path, listener=lambda w: heard.append(w.report.id)
    )
    assert [w.error for w in done] == ["I05 Never made was never built: run `meterhouse run --discom ACME`", None]
    assert heard == ["I05", "D09"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"d09_list_ACME_2026-10.{x}" for x in ("csv", "parquet", "xlsx")]


def test_a_writer_that_dies_leaves_yesterdays_file(world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d09_list_ACME_2026-10.csv").write_text("yesterday's")
    monkeypatch.setattr(csv_file.CsvFile, "close", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_reports("ACME", [LIST], OCTOBER, ["xlsx", "csv", "json"], tmp_path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("d09_list_ACME_2026-10.csv", "yesterday's")]


def test_what_cannot_be_given_is_refused_before_anything_is_written(world: str, tmp_path: Path) -> None:
    for span, message in (
        (Span(date(2099, 1, 1), date(2099, 1, 31)), r"2099-01 lies in the future: today is"),
        (Span(LAST, FIRST), r"the period ends \(2026-10-01\) before it begins"),
        (Span(date(2026, 8, 1), date(2026, 8, 31)), r"no day of ACME from 2026-08-01 to 2026-08-31 was built: `meterhouse run"),
    ):
        with pytest.raises(ReportError, match=message):
            write_reports("ACME", [LIST], span, ["csv"], tmp_path / "new")
    with pytest.raises(ReportError, match=r"no DISCOM has the code 'ACNE' \(known: ACME, GLOBEX\)"):
        write_reports("ACNE", [LIST], OCTOBER, ["csv"], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_index_leads_to_every_file(world: str, tmp_path: Path) -> None:
    done = write_reports("ACME", [MISSING, LIST], OCTOBER, ["csv", "xml"], tmp_path, grouped=True)
    html, said = write_index("ACME", done, OCTOBER, tmp_path)
    index = json.loads(said.read_text())
    files = [f for r in index["reports"] for f in r["files"]]
    assert {f["path"] for f in files} == {p.relative_to(tmp_path).as_posix() for p in tmp_path.glob("*/*")}
    assert all(hashlib.sha256((tmp_path / f["path"]).read_bytes()).hexdigest() == f["sha256"] for f in files)
    page = html.read_text()
    assert all(f'href="{f["path"]}"' in page for f in files)
    assert "was never built" in page, "what could not be written must be seen in the index"


LAYOUT = """
title: A form
file: "FORM_{discom}_{period}.xlsx"
kind: xlsx
sheets:
  - name: P5
    title: "P5 losses"
    report: D09
    period: month
    where: {is_net: true}
    columns:
      - {head: Number, column: n}
      - {group: Energy, head: MU, column: import_kwh, divide: 1000000, decimals: 6}
      - {group: Energy, head: "Loss (%)", column: loss_pct, decimals: 2}
      - {head: Code, column: code}
"""


@pytest.fixture
def hand_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue knows the report made by hand."""
    for module in (layouts, repository):
        monkeypatch.setattr(module, "report", {"D09": LIST}.__getitem__)
    monkeypatch.setattr(layouts, "catalogue", lambda: {"D09": LIST})


def test_an_authoritys_form_has_its_own_headings_and_units(
    world: str, hand_made: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "form.yml").write_text(LAYOUT)
    monkeypatch.setattr(layouts, "layouts", lambda: {"form": layouts.load(tmp_path / "form.yml")})
    (file,) = write_layout("form", "ACME", FIRST, LAST, tmp_path / "out")
    assert file.path.name == "FORM_ACME_2026-10.xlsx"
    sheet = load_workbook(file.path)["P5"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0] == "P5 losses"
    assert rows[1][0] == "Acme Vidyut, 01 Oct 2026 to 31 Oct 2026"
    assert rows[4] == ("Number", "MU", "Loss (%)", "Code")
    assert rows[5] == ("(1)", "(2)", "(3)", "(4)")
    assert [str(r) for r in sheet.merged_cells.ranges] == ["B4:C4"], "columns of a group have one heading"
    wanted = [r for r in expected(world, "period = 'month'") if r["is_net"]]
    shown = rows[6 : 6 + len(wanted)]
    for row, e in zip(shown, wanted, strict=True):
        assert row == (e["n"], pytest.approx(float(e["import_kwh"]) / 1e6, rel=1e-12), pytest.approx(e["loss_pct"]), e["code"])
    assert sheet.cell(7, 2).number_format == "#,##0.000000"
    assert rows[6 + len(wanted)][0] is None
    assert rows[7 + len(wanted)][0].startswith("Report D09 A list: 15 rows, lowest coverage 92.00 %. Data as of 01-Nov-2026 06:30 IST")


def test_a_csv_form(world: str, hand_made: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = LAYOUT.replace("kind: xlsx", 'kind: csv\nstamp: "%d-%m-%Y %H:%M"').replace("}.xlsx", "}.csv")
    (tmp_path / "form.yml").write_text(text + "      - {head: AS_OF, column: data_as_of}\n")
    monkeypatch.setattr(layouts, "layouts", lambda: {"form": layouts.load(tmp_path / "form.yml")})
    (file,) = write_layout("form", "ACME", FIRST, LAST, tmp_path / "out")
    lines = file.path.read_text().splitlines()
    assert lines[0] == "Number,MU,Loss (%),Code,AS_OF"
    assert lines[1] == "2,-0.000098,0.67,,01-11-2026 06:30", "2 x 1.125 - 100 = -97.75 kWh"
    assert lines[3].split(",")[0] == "6"
    assert "'=cmd()" in lines[3], "what a spreadsheet would run is neutralised here too"
    assert len(lines) == 16


def test_a_layout_that_names_what_is_not_there_says_where(hand_made: None, tmp_path: Path) -> None:
    (tmp_path / "form.yml").write_text(LAYOUT.replace("column: loss_pct", "column: loss_percent").replace("is_net: true", "gross: true"))
    with pytest.raises(layouts.LayoutError) as e:
        layouts.load(tmp_path / "form.yml")
    first, second = str(e.value).splitlines()
    assert "form.yml:10: sheets.0.where.gross: report D09 has no such column" in first
    assert "form.yml:14: sheets.0.columns.2.column: report D09 has no column loss_percent" in second


MEASURE = """
import resource, sys
from pathlib import Path
from api.reports.files import write_reports
from api.reports.repository import Span
from tests.integration.reports_world import FIRST, LAST, {report}
(done,) = write_reports("ACME", [{report}], Span(FIRST, LAST), ["csv"], Path(sys.argv[1]))
assert done.error is None, done.error
print(done.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.heavy
def test_a_million_rows_take_no_more_memory_than_a_few(world: str, tmp_path: Path) -> None:
    """Peak memory of a process that writes 60 rows, and of one that writes a million with the same columns."""

    def measure(report: str) -> tuple[int, int]:
        line = [sys.executable, "-c", MEASURE.format(report=report), str(tmp_path)]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        rows, kb = map(int, done.stdout.split())
        return rows, kb

    few, small = measure("LIST")
    many, large = measure("LONG")
    assert (few, many) == (60, 1_000_000)
    path = tmp_path / "d07_long_ACME_2026-10.csv"
    assert path.stat().st_size > 60_000_000, "the file would not show a memory that grows"
    assert large < small + 20_000, f"{many:,} rows take {large:,} kB, {few} rows {small:,} kB: the rows are held"


def test_stamps_and_the_discoms_zone(world: str, tmp_path: Path) -> None:
    (done,) = write_reports("ACME", [LIST], OCTOBER, ["csv"], tmp_path)
    record = from_csv(done.files[0].path, LIST)[0]
    assert record["data_as_of"] == datetime(2026, 11, 1, 6, 30, tzinfo=IST)
    assert "2026-11-01T06:30:00+05:30" in done.files[0].path.read_text()
    assert files.file_stem(LONG, repository.Discom(1, "A/B", "", IST, None), OCTOBER) == "d07_long_A_B_2026-10"
