"""NEM12: a foreign interval format lands like any other, and what is wrong in a file is rejected with its line."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pandas as pd
import pytest

from ingestion.canonical import Delivery
from ingestion.readers import read
from ingestion.vendor import load_vendor
from warehouse.codes import Quality, Reason

ARRIVAL = datetime(2026, 10, 5, 4, 0, tzinfo=UTC)
HEAD = "100,NEM12,202610021030,UNITEDDP,NEMMCO"


def nem12(*lines: str, end: str = "\n") -> Delivery:
    return read(load_vendor("nem12"), "a.csv", ("\n".join([HEAD, *lines]) + end).encode(), ARRIVAL)


def stream(suffix: str = "E1", serial: str = "01009", unit: str = "kWh", minutes: int | str = 30) -> str:
    return f"200,NEM1201009,E1B1,1,{suffix},N1,{serial},{unit},{minutes},20261104"


def day(*values: object, quality: str = "A", date: str = "20261001", updated: str = "20261002021500") -> str:
    return ",".join(["300", date, *map(str, values), quality, "", "", updated, ""])


def only(d: Delivery, reason: Reason) -> str:
    assert [r.reason for r in d.rejections] == [reason], f"one {reason} was expected: {d.rejections}"
    return d.rejections[0].detail


def test_a_day_of_half_hours_lands_in_utc_and_in_watt_hours() -> None:
    d = nem12(stream(), day(*(k / 1000 for k in range(48))), "900")
    f = d.profiles[0].frame
    assert (d.values_read, d.rejections, d.profiles[0].interval_min) == (48, [], 30)
    assert f["import_wh"].tolist() == list(range(48)), "kWh become Wh"
    assert f["start"].iloc[0] == pd.Timestamp("2026-09-30 14:00", tz="UTC"), "interval 1 begins at midnight, UTC+10"
    assert f["start"].iloc[47] == pd.Timestamp("2026-10-01 13:30", tz="UTC")
    assert set(f["received_at"]) == {pd.Timestamp("2026-10-01 16:15", tz="UTC")}, "UpdateDateTime says which version is the later"
    assert set(f["quality"]) == {int(Quality.ACTUAL)}
    assert f["locator"].iloc[47] == "line 3, interval 48"


def test_import_and_export_of_one_meter_share_their_rows() -> None:
    lines = [stream("E1"), day(*[1] * 48), stream("B1"), day(*[2] * 48, quality="E52"), stream("Q1", unit="kvarh"), day(*[3] * 48), "900"]
    f = nem12(*lines).profiles[0].frame
    assert len(f) == 48
    assert f[["import_wh", "export_wh", "import_varh"]].drop_duplicates().values.tolist() == [[1000, 2000, 3000]]
    assert set(f["quality"]) == {int(Quality.ESTIMATED)}, "the weakest quality of a slot stands"


@pytest.mark.parametrize(("minutes", "n"), [(5, 288), (15, 96), (30, 48)])
def test_interval_lengths_and_units(minutes: int, n: int) -> None:
    for unit, each in (("Wh", 7), ("KWH", 7_000), ("MWh", 7_000_000)):
        d = nem12(stream(unit=unit, minutes=minutes), day(*[7] * n), "900")
        assert (d.profiles[0].interval_min, d.values_read, set(d.profiles[0].frame["import_wh"])) == (minutes, n, {each})


def test_variable_quality_is_that_of_its_400_records() -> None:
    lines = [stream(), day(*[1] * 48, quality="V"), "400,1,20,A,,", "400,21,40,S14,,", "400,41,48,F53,79,reason", "900"]
    q = nem12(*lines).profiles[0].frame["quality"]
    assert q.tolist() == [int(Quality.ACTUAL)] * 20 + [int(Quality.SUBSTITUTED)] * 28


def test_variable_quality_without_its_400_records_is_rejected_for_those_intervals() -> None:
    d = nem12(stream(), day(*[1] * 48, quality="V"), "400,1,20,A,,", "900")
    assert "no 400 record says which of interval 21 to 48" in only(d, Reason.MALFORMED)
    assert (d.values_read, d.values_rejected) == (20, 28)


def test_null_intervals_are_no_values() -> None:
    d = nem12(stream(), day(*[0] * 48, quality="V"), "400,1,46,N,,", "400,47,48,A,,", day(*[0] * 48, quality="N", date="20261002"), "900")
    assert (d.values_read, d.rejections) == (2, [])


def test_b2b_records_are_ignored_on_purpose_and_k_suffixes_too() -> None:
    d = nem12(stream(), day(*[1] * 48), "500,O,S01009,20261002021500,12345", stream("K1", unit="kvarh"), day(*[1] * 48), "900")
    assert (d.values_read, d.rejections) == (48, [])


def test_an_unknown_suffix_is_rejected_with_all_its_values() -> None:
    d = nem12(stream("E2"), day(*[1] * 48), day(*[1] * 48, date="20261002"), stream(), day(*[1] * 48), "900")
    assert "does not map NMI suffix 'E2'" in only(d, Reason.UNKNOWN_OBIS)
    assert (d.rejections[0].locator, d.rejections[0].values, d.rejections[0].serial) == ("line 2", 96, "01009")
    assert d.rejections[0].code == "E2", "hes unmapped lists it"
    assert d.values_read == 48


@pytest.mark.parametrize(
    ("details", "reason", "says"),
    [
        (stream(unit="kVAh"), Reason.WRONG_UNIT, "does not fit import_wh"),
        (stream(unit="cubits"), Reason.WRONG_UNIT, "unit cubits is unknown"),
        (stream(minutes=20), Reason.MALFORMED, "NEM12 has 5, 15, 30 minutes"),
        ("200,NEM1201009,E1B1,1,E1", Reason.MALFORMED, "at least 9 fields, this has 5"),
        (stream(serial=""), Reason.MALFORMED, "no meter serial"),
    ],
)
def test_a_200_record_that_cannot_be_read_rejects_its_values(details: str, reason: Reason, says: str) -> None:
    d = nem12(details, day(*[1] * 48), "900")
    assert {r.reason for r in d.rejections} == {reason}
    assert says in d.rejections[0].detail
    assert (d.values_read, d.values_rejected) == (0, 48)


@pytest.mark.parametrize("n", [47, 49, 96, 1])
def test_a_wrong_count_of_values_rejects_the_day(n: int) -> None:
    d = nem12(stream(), day(*[1] * n), day(*[1] * 48, date="20261002"), "900")
    assert f"{n} values: a day of 30-minute intervals has 48 values" in only(d, Reason.MALFORMED)
    assert (d.values_read, d.values_rejected) == (48, n)


def test_a_quality_that_is_none_rejects_the_day() -> None:
    assert "no quality" in only(nem12(stream(), day(*[1] * 48, quality="Z"), "900"), Reason.MALFORMED)


def test_records_out_of_place_are_rejected() -> None:
    d = nem12(day(*[1] * 48), "400,1,2,A,,", "250,x", HEAD, stream(), "400,1,48,A,,", "900", day(*[1] * 48))
    said = [(r.reason, r.values, r.detail.split(":")[0]) for r in d.rejections]
    assert [s[:2] for s in said] == [
        (Reason.MALFORMED, 48),
        (Reason.MALFORMED, 0),
        (Reason.UNKNOWN_OBIS, 1),
        (Reason.MALFORMED, 1),
        (Reason.MALFORMED, 0),
        (Reason.MALFORMED, 48),
    ]
    assert "behind it" in said[-1][2]


@pytest.mark.parametrize("record", ["400,0,20,A", "400,20,1,A", "400,1,49,A", "400,1,48,V", "400,1,48,Q", "400,x,48,A", "400,1"])
def test_a_400_record_that_says_nothing_is_rejected(record: str) -> None:
    d = nem12(stream(), day(*[1] * 48), record, "900")
    assert "first and last interval" in only(d, Reason.MALFORMED)
    assert (d.values_read, d.values_rejected) == (48, 0), "a 400 record holds no value"


def test_one_value_that_is_no_number_and_a_date_that_is_none() -> None:
    d = nem12(stream(), day(*[1] * 47, "x"), day(*[1] * 48, date="20261302"), "900")
    assert sorted((r.reason, r.values) for r in d.rejections)[-1] == (Reason.NOT_A_NUMBER, 1)
    assert sum(r.values for r in d.rejections if r.reason is Reason.BAD_STAMP) == 48
    assert d.values_read == 47


def test_a_day_sent_twice_in_a_file_keeps_both_so_that_the_later_wins() -> None:
    f = nem12(stream(), day(*[1] * 48), day(*[2] * 48), "900").profiles[0].frame
    assert f["import_wh"].tolist() == [1000] * 48 + [2000] * 48


def test_a_file_without_its_end_is_truncated() -> None:
    d = nem12(stream(), day(*[1] * 48))
    assert "no 900 record" in only(d, Reason.TRUNCATED)
    assert d.values_read == 48, "what stands before was read"
    d = nem12(stream(), day(*[1] * 48), day(*[1] * 48, date="20261002")[:100], end="")
    assert "ends within a line" in only(d, Reason.TRUNCATED)
    assert (d.values_read, d.rejections[0].locator, d.rejections[0].values) == (48, "line 4", 44)
    whole = gzip.compress("\n".join([HEAD, stream(), *(day(*range(48), date=f"202610{k:02}") for k in range(1, 29)), "900", ""]).encode())
    d = read(load_vendor("nem12"), "a.csv.gz", whole[: len(whole) // 2], ARRIVAL)
    only(d, Reason.TRUNCATED)
    assert d.values_read % 48 == 0


@pytest.mark.parametrize("head", ["100,NEM13,202610021030,A,B", "METER,VALUE", "200,NEM1201009"])
def test_another_file_is_refused_whole(head: str) -> None:
    body = "\n".join([head, stream(), day(*[1] * 48), "900", ""])
    d = read(load_vendor("nem12"), "a.csv", body.encode(), ARRIVAL)
    assert "a NEM12 file begins with 100,NEM12" in only(d, Reason.WRONG_HEADER)
    assert (d.values_read, d.values_rejected) == (0, 48)


def test_octets_that_are_no_text_reject_their_line() -> None:
    body = f"{HEAD}\n{stream()}\n{day(*[1] * 48)}\n".encode() + day(*[1] * 48, date="20261002").encode()[:-1] + b"\xff,\n900\n"
    d = read(load_vendor("nem12"), "a.csv", body, ARRIVAL)
    only(d, Reason.NOT_UTF8)
    assert (d.values_read, d.values_rejected) == (48, 48)
