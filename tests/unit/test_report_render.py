"""The catalogue, the workbook and the page on made-up rows: no database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from api.reports import ReportError, ReportTable, catalogue, report
from api.reports import render as render_module
from api.reports.catalogue import Column
from api.reports.page import draw, dt_losses, energy, headlines, indian, percent, write_pdf
from api.reports.repository import Discom, LoadPoint
from api.reports.workbook import number_format, write_xlsx

FIRST = date(2026, 10, 1)
NOW = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)
DISCOM = Discom(1, "ACME", "Acme Vidyut Vitran Nigam", ZoneInfo("Asia/Kolkata"), 1)
GUESS: dict[str, Any] = {"text": "x", "date": FIRST, "timestamp with time zone": NOW, "double precision": 50.0}


def table(report_id: str, *records: Mapping[str, Any], last: date = FIRST) -> ReportTable:
    """A report with these rows; what a record does not say is made up by type."""
    wanted = report(report_id)
    rows = []
    for r in records:
        unknown = set(r) - {c.name for c in wanted.columns}
        assert not unknown, f"report {report_id} has no columns {unknown}"
        rows.append(tuple(r[c.name] if c.name in r else _guess(c.data_type) for c in wanted.columns))
    return ReportTable(wanted, FIRST, last, rows)


def _guess(data_type: str) -> Any:
    return Decimal("1.000") if data_type.startswith("numeric") else GUESS.get(data_type, 1)


def feeder_day(n: int = 0, **figures: Any) -> dict[str, Any]:
    good = {"period": "day", "period_start": FIRST + timedelta(days=n), "input_kwh": Decimal(1000), "rooftop_export_kwh": Decimal(100)}
    return {**good, "billed_kwh": Decimal(1000), "loss_kwh": Decimal(100), **figures}


def dt_day(dt: str, loss: float, *, n: int = 0, consumers: int = 10, coverage: float | None = 100.0, into: float = 1000) -> dict[str, Any]:
    return {
        "period": "day",
        "period_start": FIRST + timedelta(days=n),
        "dt": dt,
        "feeder": "F01",
        "input_kwh": Decimal(str(into)),
        "loss_kwh": Decimal(str(loss)),
        "consumers": consumers,
        "coverage_pct": coverage,
    }


def consumer_day(consumer_id: int, kwh: str, estimated: str = "0") -> dict[str, Any]:
    return {
        "period": "day",
        "period_start": FIRST,
        "consumer_id": consumer_id,
        "import_kwh": Decimal(kwh),
        "estimated_kwh": Decimal(estimated),
    }


def atc(method: str, loss: float | None, office_id: int = 1, period: str = "month", start: date = FIRST) -> dict[str, Any]:
    return {"office_id": office_id, "period": period, "period_start": start, "method": method, "l_atc_loss_pct": loss}


def exceptions(rule: str, failed: int, estimated: int = 0, pending: int = 0) -> dict[str, Any]:
    return {"rule": rule, "failed": failed, "auto_estimated": estimated, "pending": pending}


def everything(last: date = FIRST) -> dict[str, ReportTable]:
    """A small DISCOM's day, all reports filled."""
    return {
        "A03": table("A03", {"due_blocks": 48, "received_blocks": 48}, {"due_blocks": 48, "received_blocks": 42}, last=last),
        "B01": table("B01", exceptions("V07", 3, 2, 1), exceptions("V17", 1, 1), exceptions("V05", 0), last=last),
        "C01": table(
            "C01", consumer_day(1, "600", "6"), consumer_day(2, "400"), {"period": "month", "import_kwh": Decimal(9999)}, last=last
        ),
        "D01": table("D01", dt_day("DT1", 70), dt_day("DT2", -20), last=last),
        "D02": table("D02", feeder_day(), feeder_day(loss_kwh=None, billed_kwh=None), last=last),
        "D05": table("D05", atc("CEA_2017_CAPPED", 14.26), atc("MOP_2023", 12.04), atc("MOP_2023", 99.0, office_id=2), last=last),
    }


CURVE = [LoadPoint(30 * i, 100 + i, 2.0 if i % 5 == 0 else 0.0, 0.01) for i in range(48)]


# --- the catalogue ---


OFFICES = ("zone", "circle", "division", "subdivision", "office")
REPORTS = {"A": 9, "B": 6, "C": 8, "D": 9, "E": 6, "F": 6, "G": 6, "H": 6, "I": 7, "J": 8}
"""Reports of each group: 71."""


def test_the_catalogue_is_that_of_the_dbt_project() -> None:
    assert set(catalogue()) <= {f"{letter}{n:02}" for letter, last in REPORTS.items() for n in range(1, last + 1)}
    for r in catalogue().values():
        assert r.title
        assert r.formula
        assert r.grain.startswith("one row per"), f"{r.id} does not say its grain"
        assert set(r.key) <= {c.name for c in r.columns}, f"the key of {r.id} is not among its columns"
        for name in ("discom_id", *OFFICES, "coverage_pct", "data_as_of", "generated_at"):
            assert r.has(name), f"{r.id} carries no {name}"


def test_an_unknown_report_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ReportError, match=r"no report has the id 'Z99'.*D05 AT&C statement"):
        report("Z99")
    with pytest.raises(ReportError, match=r"no report has the id 'D99': there are D01 .*, D09 [^,]*$"):
        report("D99")


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("loss_kwh", "Loss (kWh)"),
        ("loss_pct", "Loss (%)"),
        ("loss_ht_pct", "Loss HT (%)"),
        ("dt_export_kwh", "DT export (kWh)"),
        ("import_kvah", "Import (kVAh)"),
        ("md_kw", "MD (kW)"),
        ("capacity_kva", "Capacity (kVA)"),
        ("meter_id", "Meter ID"),
        ("power_factor", "Power factor"),
        ("data_as_of", "Data as of"),
        ("a_input_mu", "A. Input (MU)"),
        ("e_revenue_inr", "E. Revenue (₹)"),
        ("l_atc_loss_pct", "L. AT&C loss (%)"),
        ("dt", "DT"),
    ],
)
def test_headings_are_plain_words_with_their_unit(name: str, heading: str) -> None:
    assert Column(name, "text", "").heading == heading


def test_no_heading_stands_twice_in_a_report() -> None:
    for r in catalogue().values():
        headings = [c.heading for c in r.columns]
        assert len(set(headings)) == len(headings), f"{r.id}: {sorted(h for h in headings if headings.count(h) > 1)}"


# --- the workbook ---


def test_cells_are_typed_and_formatted(tmp_path: Path) -> None:
    stamp = datetime(2026, 10, 1, 20, 30, tzinfo=UTC)
    row = {"period_start": FIRST, "import_kwh": Decimal("1234567.891"), "power_factor": 0.95, "coverage_pct": None, "data_as_of": stamp}
    write_xlsx([table("C01", row)], tmp_path / "x.xlsx", DISCOM, NOW)
    sheet = load_workbook(tmp_path / "x.xlsx")["C01 Consumption"]
    cells = {head.value: cell for head, cell in zip(*sheet.iter_rows(min_row=1, max_row=2), strict=True)}
    assert cells["Import (kWh)"].value == 1234567.891
    assert cells["Import (kWh)"].number_format.startswith(r"[>=10000000]##\,##\,##\,##0.000")
    assert cells["Period start"].value == datetime(2026, 10, 1)
    assert cells["Period start"].number_format == "dd-mmm-yyyy"
    assert cells["Coverage (%)"].value is None, "an unknown share must be an empty cell, not 0"
    assert cells["Data as of (IST)"].value == datetime(2026, 10, 2, 2, 0), "stamps must be in the DISCOM's time zone"
    assert "Discom ID" not in cells


def test_sheets_have_a_frozen_header_and_a_filter_over_all_rows(tmp_path: Path) -> None:
    write_xlsx([table("B01", *[exceptions("V07", n) for n in range(5)])], tmp_path / "x.xlsx", DISCOM, NOW)
    sheet = load_workbook(tmp_path / "x.xlsx")["B01 VEE summary"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{get_column_letter(sheet.max_column)}6"


def test_a_code_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    write_xlsx([table("C01", {"consumer": '=HYPERLINK("http://x")', "serial": "A\x00B"})], tmp_path / "x.xlsx", DISCOM, NOW)
    values = [c for row in load_workbook(tmp_path / "x.xlsx")["C01 Consumption"].iter_rows(min_row=2) for c in row]
    (code,) = [c for c in values if c.value == '=HYPERLINK("http://x")']
    assert code.data_type == "s", "a consumer's code would run as a formula"
    assert "AB" in [c.value for c in values], "a control character must not stop the export"


def test_about_says_what_the_workbook_holds(tmp_path: Path) -> None:
    write_xlsx([*everything().values()], tmp_path / "x.xlsx", DISCOM, NOW)
    book = load_workbook(tmp_path / "x.xlsx")
    assert book.sheetnames == ["About", *[t.report.name for t in everything().values()]]
    rows = [[c for c in row if c is not None] for row in book["About"].iter_rows(values_only=True)]
    facts = {r[0]: r[1] for r in rows if len(r) == 2}
    assert facts["DISCOM"] == "Acme Vidyut Vitran Nigam (ACME)"
    assert facts["Period"] == "01-Oct-2026 to 01-Oct-2026, business days"
    assert facts["Generated at"] == "03-Nov-2026 01:30 IST"
    d02 = next(r for r in rows if r and r[0] == "D02 Feeder energy audit")
    assert d02[1] == "feeder and period (day, month)"
    assert d02[3] == 2, "the number of rows"


@pytest.mark.parametrize(
    ("column", "fmt"),
    [
        (Column("serial", "text", ""), "General"),
        (Column("due_blocks", "integer", ""), "General"),
        (Column("loss_pct", "double precision", ""), "0.00"),
        (Column("d_sold_mu", "double precision", ""), "#,##0.000000"),
        (Column("data_as_of", "timestamp with time zone", ""), "dd-mmm-yyyy hh:mm"),
    ],
)
def test_number_formats(column: Column, fmt: str) -> None:
    assert number_format(column) == fmt


def test_half_a_file_never_takes_the_place_of_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_text("yesterday's")

    def dies(part: Path) -> None:
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        render_module._whole(path, dies)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.xlsx", "yesterday's")]


# --- the page ---


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0, 0, "0"),
        (999, 0, "999"),
        (1000, 0, "1,000"),
        (99_999, 0, "99,999"),
        (100_000, 0, "1,00,000"),
        (1_234_567.891, 2, "12,34,567.89"),
        (Decimal("123456789"), 0, "12,34,56,789"),
        (-100_000, 0, "−1,00,000"),
        (-0.4, 0, "0"),
    ],
)
def test_digits_are_grouped_as_in_india(value: float, decimals: int, text: str) -> None:
    assert indian(value, decimals) == text


def test_large_energies_are_in_million_units() -> None:
    assert energy(Decimal("999999")) == "9,99,999 kWh"
    assert energy(Decimal("12345678")) == "12.35 MU"
    assert energy(-12_345_678) == "−12.35 MU"


def test_a_share_is_never_rounded_up_to_the_whole() -> None:
    assert percent(9999, 10_000) == "99.9 %", "one block is missing"
    assert percent(10_000, 10_000) == "100.0 %"
    assert percent(5, 0) == "–"
    assert percent(-2, 100) == "−2.0 %"


def test_headlines_are_sums_over_the_rows_that_count() -> None:
    found = {h.label: (h.value, h.note) for h in headlines(everything(), DISCOM)}
    assert found == {
        "Energy into feeders": ("1,100 kWh", "incl. rooftop export"),
        "Consumption": ("1,000 kWh", "2 consumers"),
        "Energy loss": ("9.1 %", "100 kWh lost"),
        "AT&C loss, Oct 2026": ("14.3 % | 12.0 %", "CEA 2017, capped | MoP 2023"),
        "Blocks received": ("93.8 %", "6 of 96 missing"),
        "Estimated share": ("0.60 %", "of consumption"),
    }


def test_atc_is_that_of_the_office_above_all_in_the_last_month() -> None:
    november = date(2026, 11, 1)
    rows = [
        atc("CEA_2017_CAPPED", 10.0),
        atc("MOP_2023", 9.0),
        atc("CEA_2017_CAPPED", None, start=november),
        atc("MOP_2023", 8.0, start=november),
    ]
    tables = {**everything(), "D05": table("D05", *rows, atc("MOP_2023", 1.0, period="quarter"))}
    found = headlines(tables, DISCOM)[3]
    assert (found.label, found.value) == ("AT&C loss, Nov 2026", "– | 8.0 %")
    assert "no office" in headlines(tables, replace(DISCOM, top_office_id=None))[3].note


def test_dts_are_ranked_over_their_days_with_a_balance() -> None:
    none = {**dt_day("DT3", 0), "loss_kwh": None, "input_kwh": None}
    half = [dt_day("DT1", 100, consumers=10, coverage=100.0), dt_day("DT1", 300, n=1, consumers=30, coverage=60.0)]
    losses, without = dt_losses(table("D01", *half, dt_day("DT2", -50), none, {"period": "month", "dt": "DT2"}))
    assert [(d.dt, d.loss_kwh, d.loss_pct) for d in losses] == [("DT1", 400, 20.0), ("DT2", -50, -5.0)]
    assert losses[0].coverage_pct == pytest.approx(70.0), "weighted by consumers: (10 x 100 + 30 x 60) / 40"
    assert without == 1


def _many() -> dict[str, ReportTable]:
    """Months of a large DISCOM: many DTs, days, exceptions; long names; large figures."""
    days = range(45)
    last = FIRST + timedelta(days=44)
    return {
        **everything(last),
        "A03": table("A03", {"due_blocks": 2_000_000_000, "received_blocks": 1_999_999_999}, last=last),
        "B01": table("B01", *[exceptions(f"V{n:02d}", 10 ** (n % 7) if n < 15 else 0, 1) for n in range(1, 30)], last=last),
        "C01": table("C01", consumer_day(1, "999999", "12345"), last=last),
        "D01": table("D01", *[dt_day(f"DT-WITH-A-LONG-CODE-{n}", 300 - 10 * n, coverage=100 - n) for n in range(60)], last=last),
        "D02": table("D02", *[feeder_day(n, input_kwh=Decimal(98_765_432), billed_kwh=Decimal(88_000_000)) for n in days], last=last),
    }


def _cases() -> dict[str, tuple[dict[str, ReportTable], list[LoadPoint], Discom]]:
    empty = {i: table(i) for i in catalogue()}
    negative = {
        **everything(),
        "D01": table("D01", dt_day("DT1", -500)),
        "D02": table("D02", feeder_day(loss_kwh=Decimal(-900), billed_kwh=Decimal(2000))),
    }
    return {
        "a small day": (everything(), CURVE, DISCOM),
        "nothing at all": (empty, [], DISCOM),
        "large": (
            _many(),
            [LoadPoint(15 * i, 2_345_678.0, 100.0, 0) for i in range(96)],
            replace(DISCOM, name="A Name of a Company That Is Very Long Indeed Limited"),
        ),
        "only negative losses": (negative, CURVE, DISCOM),
        "one interval a day": (everything(), [LoadPoint(0, 5.0, 0.0, 0.0)], DISCOM),
    }


@pytest.mark.parametrize("case", list(_cases()))
def test_the_page_is_one_and_nothing_on_it_is_cut_off(case: str, tmp_path: Path) -> None:
    tables, curve, discom = _cases()[case]
    write_pdf(tables, curve, tmp_path / "x.pdf", discom, NOW)
    pages = re.findall(rb"/Type /Page\b", (tmp_path / "x.pdf").read_bytes())
    assert len(pages) == 1, f"{len(pages)} pages"

    figure = draw(tables, curve, discom, NOW)
    figure.canvas.draw()
    page = figure.bbox
    texts = [(t.get_text(), t.get_window_extent()) for t in figure.texts if t.get_text().strip()]
    legends = [("a legend", legend.get_window_extent()) for ax in figure.axes if (legend := ax.get_legend())]
    charts = [(f"chart {n}", box) for n, ax in enumerate(figure.axes, 1) if (box := ax.get_tightbbox())]
    for name, box in (*texts, *charts):
        inside = page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        assert inside, f"cut off at the edge of the page: {name!r}"
    tiles = [a.get_window_extent() for a in figure.artists]
    for name, box in texts:
        for tile in tiles:
            if tile.overlaps(box):
                assert tile.x0 < box.x0 < box.x1 < tile.x1, f"{name!r} is wider than its tile"
    for group in ([*texts, *legends], charts):
        for (one, a), (other, b) in combinations(group, 2):
            assert not a.overlaps(b), f"{one!r} is printed over {other!r}"
