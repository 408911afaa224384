"""Numbers, clocks and stamps: scaled once, rounded half to even, in UTC, and never guessed row by row."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.normalise import axdr, clean, dlms_clock, numbers, received_from_name, rejection, scale, stamps
from ingestion.readers import read
from ingestion.vendor import load_vendor
from warehouse.codes import Reason

IST = "Asia/Kolkata"


def at(text):
    return np.datetime64(text, "us")


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from([0, 1, 2, 3]))
def test_decimal_text_becomes_the_exact_integer(whole, places):
    text = str(Decimal(whole).scaleb(-places))
    num, given_ = numbers([text])
    assert given_.tolist() == [True]
    assert int(scale(num, places)[0]) == whole, f"{text} * 10^{places} must be exactly {whole}"


@given(st.integers(-(10**9), 10**9), st.integers(-3, 3))
def test_rounding_is_half_to_even(raw, exponent):
    want = Decimal(raw).scaleb(exponent).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert int(scale(np.array([float(raw)]), exponent)[0]) == int(want)


def test_long_float_text_rounds_to_the_watt_hour():
    num, _ = numbers(["6.959999999999997", " 4.910999999999991 "])
    assert scale(num, 3).tolist() == [6960, 4911]


def test_what_is_no_number_and_what_is_empty():
    num, given_ = numbers(["1", "", " ", None, "x", "nan", "inf", "--", True, "1 000", "NULL"], frozenset({"--"}))
    assert given_.tolist() == [True, False, False, False, True, True, True, False, True, True, True]
    assert np.isnan(num[[4, 5, 6, 9, 10]]).all()


def test_axdr_values():
    def of(hexa):
        return axdr(base64.b64encode(bytes.fromhex(hexa)).decode())

    assert of("060000005f") == 95
    assert of("05fffffffe") == -2
    assert of("0fff") == -1
    assert of("12ffff") == 65535
    assert of("15ffffffffffffffff") == 2**64 - 1
    assert of("00") is None
    assert of("0902abcd") == b"\xab\xcd"
    for broken in ("", "06", "0600005f", "0903abcd", "77", "060000005f00"):
        with pytest.raises(ValueError, match=r"A-XDR|octets"):
            of(broken)
    with pytest.raises(ValueError, match="not base64"):
        axdr("§")


def test_dlms_clock_of_a_live_meter():
    live = bytes.fromhex("07E907170307 0F18FF014A00".replace(" ", ""))
    assert dlms_clock(live, IST) == datetime(2025, 7, 23, 1, 45, 24, tzinfo=UTC), "07:15:24 IST"
    assert dlms_clock(bytes.fromhex("FF" * 9 + "014A00"), IST) is None, "no date"
    for octets, why in (
        ("07E90717030 70F18FF003C00", "deviation 60"),
        ("07E90D17030 70F18FF014A00", "month"),
        ("07E907170307 0F18FF014A01", "invalid"),
        ("07E9", "12 octets"),
    ):
        with pytest.raises(ValueError, match=why):
            dlms_clock(bytes.fromhex(octets.replace(" ", "")), IST)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_ist_stamps_are_five_and_a_half_hours_ahead(local):
    local = local.replace(microsecond=0)
    text = f"{local:%d-%m-%Y %H:%M:%S}"
    assert stamps([text], ["%d-%m-%Y %H:%M:%S"], IST)[0] == at(local) - np.timedelta64(330, "m")


def test_the_first_format_that_reads_the_whole_column_is_taken():
    formats = ["%d-%m-%Y", "%m-%d-%Y"]
    assert (
        stamps(["03-04-2026", "04-04-2026"], formats, "Etc/UTC").tolist()
        == stamps(["2026-04-03", "2026-04-04"], ["iso8601"], "Etc/UTC").tolist()
    ), "both fit: the order in the vendor file decides"
    got = stamps(["03-04-2026", "03-14-2026"], formats, "Etc/UTC")
    assert got.tolist() == [at("2026-03-04").item(), at("2026-03-14").item()], "one row shows that it is month first"
    got = stamps(["03-04-2026", "03-14-2026", "14-03-2026"], formats, "Etc/UTC")
    assert np.isnat(got).sum() == 1, "mixed: one format for all rows, the rest is bad"


@pytest.mark.parametrize("offset", ["+05:30", "+0530", " +05:30", "+5:30"])
def test_an_offset_in_any_notation_never_raises(offset):
    utc = at("2026-05-04T03:30")
    for text in (f"2026-05-04T09:00:00{offset}", f"2026-05-04 09:00{offset}", f"20260504T0900{offset}"):
        got = stamps([text, "2026-05-04T09:00:00", "2026-05-04T03:30:00Z"], ["iso8601"], IST)
        assert got.tolist()[1:] == [utc.item()] * 2
        assert got[0] == utc
    for text in (
        "2026-05-04T09+5",
        "2026-05-04Z",
        "2026-05-04+05:30",
        "2026-05-04T",
        "T9+",
        "2026-05-04T09:00:00+530",
        "2026-05-04T09:00-",
    ):
        assert stamps([text, "2026-05-04T09:00:00"], ["iso8601"], IST)[1] == utc


def test_iso_with_offset_with_z_and_naive():
    got = stamps(["2026-05-04T09:00:00+05:30", "2026-05-04T03:30:00Z", "2026-05-04 09:00", "x", None, ""], ["iso8601"], IST)
    assert [str(g) for g in got[:3]] == ["2026-05-04T03:30:00.000000"] * 3
    assert np.isnat(got[3:]).all()


@pytest.mark.parametrize("zone", ["+05:3", "+5:3", "+05:309", "z+1"])
def test_a_zone_that_is_written_wrong_is_no_stamp_and_spoils_no_other(zone):
    got = stamps([f"2026-05-04T09:00:00{zone}", "2026-05-04T09:00:00", "2026-05-04T09:00:00+05:30"], ["iso8601"], IST)
    assert np.isnat(got[0])
    assert got[1] == got[2] == at("2026-05-04T03:30")


@pytest.mark.parametrize("received", ["0001-01-01T00:00:00+05:30", "9998-01-01T00:00:00+05:30"])
def test_a_receipt_that_cannot_be_is_the_arrival(received):
    entries = [{"registerValues": []}]
    item = {"meterSerial": "M\udc80", "formattedProfileObisCode": "1.0.99.1.0.255", "receivedAt": received, "entries": entries}
    registers = entries[0]["registerValues"]
    for obis, raw, unit in (("0.0.1.0.0.255", "CQwH6goBBAAeAP8BSgA=", 255), ("1.0.1.29.0.255", "BgAAAF8=", 30)):
        registers.append({"formattedRegisterObisCode": obis, "attributeId": 2, "unit": unit, "scalar": 0, "registerValue": raw})
    arrival = datetime(2026, 10, 2, tzinfo=UTC)
    delivery = read(load_vendor("hpl"), "page", json.dumps({"items": [item]}).encode(), arrival)
    (frame,) = [p.frame for p in delivery.profiles if len(p.frame)]
    assert delivery.received_at == frame["received_at"].iloc[0] == arrival
    assert str(frame["serial"].iloc[0]) == r"M\udc80", "a lone surrogate is written out"


def test_hour_24_and_epochs():
    assert stamps(["01-10-2026 24:00:00"], ["%d-%m-%Y %H:%M:%S"], IST)[0] == at("2026-10-01T18:30")
    assert stamps(["1790000000"], ["epoch_s"], IST)[0] == stamps([1790000000000], ["epoch_ms"], IST)[0]


def test_a_clock_change_is_never_guessed():
    got = stamps(["2026-03-29 01:30", "2026-10-25 01:30", "2026-07-01 01:30"], ["%Y-%m-%d %H:%M"], "Europe/London")
    assert np.isnat(got).tolist() == [True, True, False], "skipped and repeated hours need a fixed zone in the vendor file"


def test_received_at_from_the_file_name():
    v = load_vendor("vendor_b")
    assert received_from_name(v, "drop/blockload_20261002_013000.csv.gz") == datetime(2026, 10, 1, 20, 0, tzinfo=UTC)
    assert received_from_name(v, "blockload_20261302_013000.csv") is None
    assert received_from_name(v, "blockload.csv") is None


def test_texts_are_storable():
    r = rejection(Reason.MALFORMED, "l", "a\x00b\ud800" + "x" * 3000, serial="\x00")
    assert len(r.payload) == 2000
    assert r.payload.startswith("a\ufffdb?x")
    assert clean("é") == "é"


BLOCK = "METER_NO,BLOCK_END_TIME,BLOCK_ENERGY_KWH_IMPORT,BLOCK_ENERGY_KWH_EXPORT,BLOCK_ENERGY_KVAH_IMPORT,AVG_VOLTAGE\n"
ARRIVAL = datetime(2026, 10, 2, tzinfo=UTC)


def block(vendor, rows):
    text = BLOCK + "".join(f"{serial},{stamp:%d-%m-%Y %H:%M:%S},{kwh},,,\n" for serial, stamp, kwh in rows)
    return read(vendor, "blockload_20261002_013000.csv", text.encode(), ARRIVAL)


def test_fifteen_minute_meters_beside_thirty_minute_ones():
    quarter = [("Q", t, 1) for t in pd.date_range("2026-10-01 00:15", periods=96, freq="15min") if t.hour != 3]
    half = [("H", t, 1) for t in pd.date_range("2026-10-01 00:30", periods=48, freq="30min")]
    lone = [("L", pd.Timestamp("2026-10-01 12:00"), 1)]
    d = block(load_vendor("vendor_b"), quarter + half + lone)
    starts = {(p.interval_min, s): f["start"].min() for p in d.profiles for s, f in p.frame.groupby("serial")}
    midnight = pd.Timestamp("2026-09-30 18:30", tz="UTC")
    assert starts[15, "Q"] == midnight
    assert starts[30, "H"] == midnight
    assert d.values_read == len(quarter) + 48 + 1
    assert block(load_vendor("vendor_b"), lone).profiles[0].interval_min == 30, "one stamp alone: as the vendor file says"


def test_the_first_of_two_rows_can_count():
    rows = [("B", pd.Timestamp("2026-10-01 00:30"), kwh) for kwh in (1, 2)]
    last = block(load_vendor("vendor_b"), rows).profiles[0].frame
    first = block(replace(load_vendor("vendor_b"), duplicates="first"), rows).profiles[0].frame
    assert last["import_wh"].tolist() == [1000, 2000], "the later row of a slot wins downstream"
    assert first["import_wh"].tolist() == [2000, 1000]
