"""Every format on made-up rows, read back by readers of others: the same figures in all, typed, harmless, in bounded memory."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from openpyxl import load_workbook

from api.reports import ReportError, catalogue, charts, periods, report, workbook
from api.reports.catalogue import Column, Kind, Report
from api.reports.formats import FORMATS, writer
from api.reports.formats import pdf_file as pdf
from api.reports.formats.pdf_drawing import figure, ticks
from api.reports.formats.writer import About, Found
from api.reports.repository import Discom, Span
from tests.report_files import Record, from_csv, from_json, from_parquet, from_xlsx, from_xml, same

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
NOW = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)
IST = ZoneInfo("Asia/Kolkata")
DISCOM = Discom(1, "ACME", "Acme Vidyut", IST, 1)

COLUMNS = (
    Column("discom_id", "smallint", ""),
    *(Column(name, "text", "") for name in ("zone", "circle", "division", "subdivision", "office")),
    Column("day", "date", ""),
    Column("meter_id", "integer", ""),
    Column("serial", "text", "A <serial> & more"),
    Column("import_wh", "bigint", ""),
    Column("import_kwh", "numeric(18,3)", "Sum of the intervals"),
    Column("tiny_kwh", "numeric(20,8)", ""),
    Column("loss_pct", "double precision", ""),
    Column("is_net", "boolean", ""),
    Column("coverage_pct", "double precision", "Share of intervals"),
    Column("data_as_of", "timestamp with time zone", ""),
    Column("generated_at", "timestamp with time zone", ""),
)
ODD = Report(
    "I05", "Odd | values", "a < b & c", "W5", "one row per meter and day", "rpt_i05_odd", ("discom_id", "day", "meter_id"), COLUMNS
)
TEXTS = ('=HYPERLINK("http://x")', "+91", "-1", "@SUM(A1)", "＝1", 'a,b\n"c"', "<&>'", "नगर ₹", "\t=1", "plain", None)
STAMP = datetime(2026, 10, 1, 20, 30, 15, 123456, tzinfo=UTC)


def odd(n: int) -> tuple[Any, ...]:
    """Row n: everything that a format may stumble over, in turn."""
    kwh = (Decimal("0.000"), Decimal("-1234567.891"), Decimal("999999999999999.999"), None)[n % 4]
    tiny = (Decimal("0E-8"), Decimal("0.00000001"), Decimal("-12.50000000"))[n % 3]
    pct = (0.1 + 0.2, -2.5, 1e-7, 33.333333333333336, None)[n % 5]
    return (
        *(1, "North", "East", None, TEXTS[n % len(TEXTS)], "Market"),
        *(FIRST + timedelta(days=n % 31), n, TEXTS[n % len(TEXTS)], 10**15 + n, kwh, tiny, pct, n % 2 == 0),
        *(100.0 - n % 7, STAMP + timedelta(hours=n), NOW),
    )


def write(folder: Path, name: str, of: Report, rows: Sequence[tuple[Any, ...]], discom: Discom = DISCOM, chunk: int = 7) -> Path:
    path = folder / f"{of.id}.{name}"
    w, found = writer(name)(path, About(of, discom, Span(FIRST, LAST), NOW)), Found(of)
    for i in range(0, len(rows), chunk):
        found.add(rows[i : i + chunk])
        w.add(rows[i : i + chunk])
    w.close(found)
    return path


def records(of: Report, rows: Sequence[tuple[Any, ...]]) -> list[Record]:
    return [dict(zip((c.name for c in of.columns), row, strict=True)) for row in rows]


# --- the same figures in every format ---


@pytest.mark.parametrize("number", [0, 1, 60])
def test_a_report_says_the_same_in_every_format(number: int, tmp_path: Path) -> None:
    rows = [odd(n) for n in range(number)]
    expected = records(ODD, rows)
    same(from_csv(write(tmp_path, "csv", ODD, rows), ODD), expected, "CSV")
    same(from_json(write(tmp_path, "json", ODD, rows), ODD), expected, "JSON")
    same(from_xml(write(tmp_path, "xml", ODD, rows), ODD), expected, "XML")
    same(from_parquet(write(tmp_path, "parquet", ODD, rows), ODD), expected, "Parquet")
    xlsx = from_xlsx(write(tmp_path, "xlsx", ODD, rows), ODD, IST)
    same(xlsx, expected, "XLSX", without=("discom_id",), rounded=True)


def test_pandas_reads_what_pyarrow_wrote(tmp_path: Path) -> None:
    rows = [odd(n) for n in range(60)]
    frame = pd.read_parquet(write(tmp_path, "parquet", ODD, rows), dtype_backend="pyarrow")
    assert frame["import_kwh"].sum() == sum(r[10] for r in rows if r[10] is not None), "decimals must add up exactly"
    assert str(frame["data_as_of"].dtype) == "timestamp[us, tz=Asia/Kolkata][pyarrow]"


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed: apt-get install poppler-utils")
def test_the_pdf_shows_the_figures(tmp_path: Path) -> None:
    rows = [odd(n) for n in range(24)]
    text = pdf_text(write(tmp_path, "pdf", ODD, rows))
    flat = text.replace("−", "-").replace("\n", " ")
    shown = {"-1234567.891": "-12,34,567.891", "999999999999999.999": "99,99,99,99,99,99,999.999", "0.000": "0.000"}
    for row in rows:
        figure = shown[str(row[10])] if row[10] is not None else ""
        assert figure in flat, f"{row[10]} is not in the PDF as {figure}"
        assert f"{row[6]:%d-%b-%Y}" in flat
        if row[12] is not None:
            assert f"{row[12]:.2f}" in flat, f"{row[12]} is not in the PDF"
    assert "Zone: North" in flat, "what every row has is said once"
    assert "₹" in flat, "the rupee sign needs a font that has it"


def pdf_text(path: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True, timeout=60).stdout


def test_every_report_of_the_catalogue_can_be_written_in_every_format(tmp_path: Path) -> None:
    for r in catalogue().values():
        for name in FORMATS:
            write(tmp_path, name, r, [])
        same(from_xml(tmp_path / f"{r.id}.xml", r), [], r.id)
        same(from_json(tmp_path / f"{r.id}.json", r), [], r.id)


# --- what a spreadsheet would run ---


def test_no_cell_of_a_csv_begins_as_a_formula(tmp_path: Path) -> None:
    path = write(tmp_path, "csv", ODD, [odd(n) for n in range(len(TEXTS))])
    with path.open(encoding="utf-8", newline="") as f:
        cells = [row["serial"] for row in csv.DictReader(f)]
    assert not [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))], "a spreadsheet would run it"
    assert "'-1" in cells, "a text that begins with a minus is neutralised too"
    assert any(line["import_kwh"] == "-1234567.891" for line in csv.DictReader(path.open(encoding="utf-8", newline=""))), "figures are not"


# --- XLSX ---


def test_what_does_not_fit_on_a_sheet_goes_on_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_SHEET_ROWS", 11)
    rows = [odd(n) for n in range(25)]
    path = write(tmp_path, "xlsx", ODD, rows)
    book = load_workbook(path)
    assert [s.title for s in book.worksheets] == ["About", "I05 Odd | values", "I05 (2)", "I05 (3)"]
    assert [s.auto_filter.ref for s in book.worksheets[1:]] == ["A1:P11", "A1:P11", "A1:P6"]
    assert [s.freeze_panes for s in book.worksheets[1:]] == ["A2"] * 3
    same(from_xlsx(path, ODD, IST), records(ODD, rows), "XLSX of three sheets", without=("discom_id",), rounded=True)


def test_the_offices_above_fold_away_and_the_header_is_printed_on_each_page(tmp_path: Path) -> None:
    sheet = load_workbook(write(tmp_path, "xlsx", ODD, [odd(0)])).worksheets[1]
    assert [sheet.column_dimensions[c].outlineLevel for c in "ABCDE"] == [1, 1, 1, 1, 0]
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.orientation == "landscape"


def test_about_says_what_each_column_means(tmp_path: Path) -> None:
    about = load_workbook(write(tmp_path, "xlsx", ODD, [odd(0)]))["About"]
    rows = [[c for c in row if c is not None] for row in about.iter_rows(values_only=True)]
    assert ["Rows", "1"] in rows
    assert ["Import (kWh)", "import_kwh", "kWh", "number", "Sum of the intervals"] in [r for r in rows if len(r) == 5]
    unfed = load_workbook(write(tmp_path, "xlsx", report("I04"), []))["About"]
    assert any(row[0] == "Empty because" for row in unfed.iter_rows(values_only=True)), "an empty report must say why"


# --- memory ---


def test_a_streamed_file_holds_no_more_than_a_chunk(tmp_path: Path) -> None:
    """Peak of what Python holds while rows pass by: the same for many as for few."""
    block = [odd(n) for n in range(1_000)]

    def peak(name: str, blocks: int) -> int:
        w, found = writer(name)(tmp_path / f"x.{name}", About(ODD, DISCOM, Span(FIRST, LAST), NOW)), Found(ODD)
        tracemalloc.start()
        for _ in range(blocks):
            found.add(block)
            w.add(block)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        w.close(found)
        return highest

    for name in ("csv", "json", "xml"):
        few, many = peak(name, 2), peak(name, 20)
        assert many < few + 100_000, f"{name}: {many:,} octets for 20,000 rows, {few:,} for 2,000"


# --- PDF ---


def pages(path: Path) -> int:
    return len(re.findall(rb"/Type /Page\b", path.read_bytes()))


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed: apt-get install poppler-utils")
def test_every_page_is_numbered_and_a_long_report_says_what_it_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_ROWS", 100)
    path = write(tmp_path, "pdf", ODD, [odd(n) for n in range(150)])
    text, number = pdf_text(path), pages(path)
    assert number > 2
    assert [f"Page {n} of {number}" in text for n in range(1, number + 1)] == [True] * number
    assert "Rows: 150. The first 100 are here" in text
    assert "Acme Vidyut" in text.split("\f")[-2], "the last page is as branded as the first"


def test_a_table_too_wide_for_a_page_goes_on_with_what_names_its_rows(tmp_path: Path) -> None:
    wide = Report(
        **{
            **{f: getattr(ODD, f) for f in ("id", "title", "formula", "requirement", "grain", "relation", "key")},
            "columns": COLUMNS[:-3] + tuple(Column(f"zone_{n}_import_kwh", "numeric(18,3)", "") for n in range(30)) + COLUMNS[-3:],
        }
    )
    rows = [(*odd(n)[:-3], *(Decimal(f"{1000 * n + z}.125") for z in range(30)), *odd(n)[-3:]) for n in range(5)]
    path = write(tmp_path, "pdf", wide, rows)
    if shutil.which("pdftotext"):
        text = pdf_text(path)
        assert "columns 2 of" in text
        assert all(f"4,0{z:02}.125" in text for z in range(30)), "a column was lost between the pages"
        assert all(text.split("\f")[n].count("01-Oct-2026") >= 1 for n in range(pages(path))), "each page names its rows"


def test_a_report_without_a_row_says_why(tmp_path: Path) -> None:
    path = write(tmp_path, "pdf", report("I04"), [])
    assert pages(path) == 1
    if shutil.which("pdftotext"):
        assert "This report is empty as yet" in pdf_text(path)


# --- charts ---


def d01(period: str, start: date, dt: str, loss: float | None, into: float | None) -> tuple[Any, ...]:
    wanted = report("D01")
    kwh = {"loss_kwh": loss, "input_kwh": into}
    said = {"period": period, "period_start": start, "dt": dt, **{k: None if v is None else Decimal(str(v)) for k, v in kwh.items()}}
    return tuple(said.get(c.name) for c in wanted.columns)


def gathered(rows: Sequence[tuple[Any, ...]]) -> list[charts.Drawn]:
    found = charts.gather(report("D01"))
    for row in rows:
        for c in found:
            c.add([row])
    return [c.drawn() for c in found]


def test_a_share_in_a_chart_is_of_the_sums() -> None:
    one, two = FIRST, FIRST + timedelta(days=1)
    rows = [d01("day", one, "T1", 10, 100), d01("day", one, "T2", 90, 900), d01("day", one, "T3", None, 50), d01("day", two, "T1", 5, 100)]
    series, _ = gathered([*rows, d01("month", FIRST, "T1", 15, 200)])
    assert series.x == [one, two], "days, not months"
    assert series.lines[0].values == [10.0, 5.0], "100 of 1000: a row without a loss takes no part with its input either"


def test_a_ranking_is_of_the_longest_period_and_holds_the_highest() -> None:
    days = [d01("day", FIRST, f"T{n}", 1000 + n, 9999) for n in range(40)]
    months = [d01("month", FIRST, f"T{n}", n + 1, 9999) for n in range(40)]
    _, ranking = gathered([*days, *months])
    assert [(b.label, b.value) for b in ranking.bars] == [(f"T{n}", n + 1.0) for n in range(39, 24, -1)]
    assert ranking.note == "15 highest of 40"


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed: apt-get install poppler-utils")
def test_hours_in_a_chart_are_the_discoms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(charts.CHARTS, ODD.id, (charts.Series("Energy by hour", "data_as_of", ("import_kwh",)),))
    # 04:30 and 10:30 in India. The table says it as well, but with the day.
    rows = [(*odd(0)[:-2], datetime(2026, 10, 1, 23 if n == 0 else 5, 0, tzinfo=UTC) + timedelta(days=n), NOW) for n in range(2)]
    first = pdf_text(write(tmp_path, "pdf", ODD, rows)).split("\f")[0]
    assert "Energy by hour (kWh)" in first
    assert ("04:30" in first, "10:30" in first) == (True, True), "stamps must be in the DISCOM's time zone"


def test_a_summed_ranking_adds_up_the_rows_of_a_label_and_takes_those_it_is_of() -> None:
    wanted = report("B01")
    rows = [{"rule": f"V{n % 3}", "title": "t", "failed": n, "severity": "fail" if n < 9 else "warn"} for n in range(12)]
    chart = charts.Ranking("x", "failed", ("rule", "title"), summed=True, where=("severity", "fail"))
    found = charts.Gathered(wanted, chart)
    found.add([tuple(r.get(c.name) for c in wanted.columns) for r in rows])
    assert [(b.label, b.value) for b in found.drawn().bars] == [("V2 t", 15.0), ("V1 t", 12.0), ("V0 t", 9.0)]


def test_charts_are_of_columns_that_their_reports_have() -> None:
    for report_id, of in charts.CHARTS.items():
        if report_id in catalogue():
            names = {c.name for c in catalogue()[report_id].columns}
            for chart in of:
                assert charts.columns_of(chart) <= names, f"{report_id}, {chart.title}: no column {charts.columns_of(chart) - names}"


@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 1), (-3.2, 17), (0, 98_765_432), (0, 0.004), (-5, 0)])
def test_ticks_are_round_and_cover_what_is_drawn(low: float, high: float) -> None:
    found = ticks(low, high)
    assert found[0] <= low
    assert found[-1] >= high
    assert 2 <= len(found) <= 9


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (5, "5"), (1234567.8, "12,34,568"), (99.94, "99.9"), (3.14159, "3.14"), (0.000385, "0.000385"), (-0.05, "−0.0500")],
)
def test_a_figure_at_a_bar_has_the_digits_that_tell_something(value: float, text: str) -> None:
    assert figure(value) == text


# --- periods ---


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (periods.month("2026-02"), (date(2026, 2, 1), date(2026, 2, 28))),
        (periods.month("2026-12"), (date(2026, 12, 1), date(2026, 12, 31))),
        (periods.quarter("2026-Q1"), (date(2026, 4, 1), date(2026, 6, 30))),
        (periods.quarter("2026-Q4"), (date(2027, 1, 1), date(2027, 3, 31))),
        (periods.financial_year("2026-27"), (date(2026, 4, 1), date(2027, 3, 31))),
        (periods.financial_year("2099-00"), (date(2099, 4, 1), date(2100, 3, 31))),
        (periods.NAMED["yesterday"](date(2026, 3, 1)), (date(2026, 2, 28), date(2026, 2, 28))),
        (periods.NAMED["last_week"](date(2026, 10, 5)), (date(2026, 9, 28), date(2026, 10, 4))),
        (periods.NAMED["last_week"](date(2026, 10, 11)), (date(2026, 9, 28), date(2026, 10, 4))),
        (periods.NAMED["month_to_yesterday"](date(2026, 11, 1)), (date(2026, 10, 1), date(2026, 10, 31))),
        (periods.NAMED["last_month"](date(2027, 1, 15)), (date(2026, 12, 1), date(2026, 12, 31))),
        (periods.NAMED["last_quarter"](date(2026, 4, 2)), (date(2026, 1, 1), date(2026, 3, 31))),
        (periods.NAMED["last_financial_year"](date(2026, 3, 31)), (date(2024, 4, 1), date(2025, 3, 31))),
        (periods.NAMED["last_financial_year"](date(2026, 4, 1)), (date(2025, 4, 1), date(2026, 3, 31))),
    ],
)
def test_periods(days: tuple[date, date], expected: tuple[date, date]) -> None:
    assert days == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: periods.month("2026-13"), "'2026-13' is no month: write it as 2026-10"),
        (lambda: periods.quarter("2026-Q5"), "'2026-Q5' is no quarter: write it as 2026-Q3"),
        (lambda: periods.financial_year("2026-28"), "'2026-28' is no financial year: write it as 2026-27"),
        (lambda: periods.check(date(2027, 1, 1), date(2027, 1, 31), IST, NOW), "2027-01 lies in the future: today is 2026-11-03"),
        (lambda: periods.check(LAST, FIRST, IST, NOW), "ends .2026-10-01. before it begins"),
        (lambda: writer("doc"), "no report is written as 'doc': choose of xlsx, csv, json, xml, pdf, parquet"),
        (lambda: Column("path", "ltree", "").kind, "column path is of type ltree"),
    ],
)
def test_what_cannot_be_is_refused_in_words(call: Any, message: str) -> None:
    with pytest.raises(ReportError, match=message):
        call()


def test_every_column_of_the_catalogue_is_of_a_kind_that_all_formats_can_say() -> None:
    for r in catalogue().values():
        for c in r.columns:
            assert isinstance(c.kind, Kind), f"{r.id}: {c.name}"
