"""Style G (domain 2.1): a CSV that names both ends of an interval and the OBIS code of each column; the two stamps are the truth."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from ingestion.canonical import Delivery
from ingestion.readers import read
from ingestion.vendor import VendorError, load_vendor
from warehouse.codes import Reason

ARRIVAL = datetime(2026, 10, 3, tzinfo=UTC)
SAMPLE = Path(__file__).parent.parent / "data" / "hes" / "generic_obis_periods" / "load_survey_20261002.csv"
HEAD = "Meter No,Date,Interval Start,Interval End,KWh Imp. [1.0.1.29.0.255]"


def periods(*lines: str, head: str = HEAD) -> Delivery:
    return read(load_vendor("generic_obis_periods"), "a.csv", "\n".join([head, *lines, ""]).encode(), ARRIVAL)


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def test_both_stamps_say_start_and_length() -> None:
    d = read(load_vendor("generic_obis_periods"), SAMPLE.name, SAMPLE.read_bytes(), ARRIVAL)
    assert d.rejections == []
    by_minutes = {p.interval_min: p.frame for p in d.profiles}
    assert by_minutes[30]["start"].tolist() == [utc("2026-09-30 18:30"), utc("2026-10-01 18:00")], "an end at 00:00 is of the next day"
    assert by_minutes[30]["import_wh"].tolist() == [95, 110]
    assert by_minutes[30]["q3_varh"].tolist() == [10, pd.NA]
    assert by_minutes[15]["start"].tolist() == [utc("2026-09-30 18:30"), utc("2026-09-30 18:45")]
    assert by_minutes[15]["export_wh"].tolist() == [250, 240]
    assert by_minutes[15]["voltage_dv"].tolist() == [2290, 2291]


def test_the_title_before_the_code_may_be_any() -> None:
    d = periods("G1,01-10-2026,00:00,00:30,1", head=HEAD.replace("KWh Imp. [1.0.1.29.0.255]", "Active Import (Wh?) [1-0:1.29.0*255]"))
    assert d.profiles[0].frame["import_wh"].tolist() == [1000]


def test_stamps_that_make_no_interval_reject_their_line() -> None:
    d = periods(
        "G1,01-10-2026,00:00,00:30,1",
        "G1,01-10-2026,00:30,00:37,2",
        "G1,01-10-2026,01:00,late,3",
        "G1,01-13-2026,01:00,01:30,4",
        "G1,01-10-2026,02:00,,5",
    )
    assert d.profiles[0].frame["import_wh"].tolist() == [1000]
    assert sorted((r.locator, r.reason, r.values) for r in d.rejections) == [
        ("line 3", Reason.MALFORMED, 1),
        ("line 4", Reason.MALFORMED, 1),
        ("line 5", Reason.BAD_STAMP, 1),
        ("line 6", Reason.MALFORMED, 1),
    ]
    assert "01-10-2026 01:00 to 01-10-2026 late" in next(r.detail for r in d.rejections if r.locator == "line 4")


def test_full_stamps_without_a_date_column(tmp_path: Path) -> None:
    text = load_vendor("generic_obis_periods").path.read_text().replace("    date: Date", "    # date")
    path = tmp_path / "generic_obis_periods.yml"
    path.write_text(text)
    lines = ["G1,01-10-2026 23:30,02-10-2026 00:00,1", "G1,02-10-2026 00:30,02-10-2026 00:00,1", ""]
    body = "\n".join(["Meter No,Interval Start,Interval End,[1.0.1.29.0.255]", *lines])
    d = read(load_vendor(path), "a.csv", body.encode(), ARRIVAL)
    assert d.profiles[0].frame["start"].tolist() == [utc("2026-10-01 18:00")]
    assert [r.reason for r in d.rejections] == [Reason.MALFORMED], "an end before its start is no interval"


def test_a_vendor_file_that_says_both_ends_and_stamp_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "generic_obis_periods.yml"
    path.write_text(load_vendor("generic_obis_periods").path.read_text().replace("stamp: start", "stamp: end"))
    with pytest.raises(VendorError, match=r"profiles\.block\.end: .*stamp: start"):
        load_vendor(path)
