"""Readers: what stands in a payload lands as it was meant, and what cannot be read is rejected, counted and located."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import struct
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.readers import read
from ingestion.vendor import load_vendor
from warehouse.codes import Quality, Reason

ARRIVAL = datetime(2026, 10, 2, 4, 0, tzinfo=UTC)
REAL = Path(os.environ.get("METERHOUSE_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
BLOCK = "METER_NO,BLOCK_END_TIME,BLOCK_ENERGY_KWH_IMPORT,BLOCK_ENERGY_KWH_EXPORT,BLOCK_ENERGY_KVAH_IMPORT,AVG_VOLTAGE"
B_NAME = "blockload_20261002_013000.csv"


def vendor_b(*lines, name=B_NAME, end="\n"):
    return read(load_vendor("vendor_b"), name, ("\n".join([BLOCK, *lines]) + end).encode(), ARRIVAL)


def only(delivery, reason):
    assert [r.reason for r in delivery.rejections] == [reason], f"one {reason} was expected: {delivery.rejections}"
    return delivery.rejections[0]


def utc(text):
    return pd.Timestamp(text, tz="UTC")


# --- vendor_b: CSV --------------------------------------------------------------------------------------------------------


def test_a_block_line_lands_with_start_in_utc_and_whole_units():
    d = vendor_b("B1,01-10-2026 00:30:00,0.095,0.000,0.1,231.4", "B1,02-10-2026 00:00:00,6.959999999999997,,0.2,")
    f = d.profiles[0].frame
    assert d.profiles[0].interval_min == 30
    assert list(f["start"]) == [utc("2026-09-30 18:30"), utc("2026-10-01 18:00")], "stamps name the end, IST"
    assert list(f["import_wh"]) == [95, 6960]
    assert f["voltage_dv"].tolist() == [2314, pd.NA], "volts are kept in deci-volt, an empty cell is no value"
    assert list(f["locator"]) == ["line 2", "line 3"]
    assert set(f["received_at"]) == {utc("2026-10-01 20:00")}, "the file's name says when the HES wrote it, IST"
    assert d.received_at == utc("2026-10-01 20:00")
    assert (d.values_read, d.values_rejected) == (6, 0)


def test_registers_close_the_day_before_midnight():
    text = (
        "METER_NO,MIDNIGHT_TIME,CUMULATIVE_ENERGY_KWH_IMPORT,CUMULATIVE_ENERGY_KWH_EXPORT,CUMULATIVE_ENERGY_KVAH_IMPORT\n"
        "B1,02-10-2026 00:00:00,74860.9,0.0,80000.123\n"
    )
    f = read(load_vendor("vendor_b"), "dailyload_20261002_013000.csv", text.encode(), ARRIVAL).registers[0].frame
    assert f["day"].iloc[0] == pd.Timestamp("2026-10-01")
    assert f["read_at"].iloc[0] == utc("2026-10-01 18:30")
    assert (f["import_wh"].iloc[0], f["import_vah"].iloc[0]) == (74_860_900, 80_000_123)


def test_events_have_code_and_time():
    text = "METER_NO,EVENT_TIME,EVENT_CODE\nB1,01-10-2026 14:02:11,101\nB2,01-10-2026 14:02:12,x\n"
    d = read(load_vendor("vendor_b"), "event_20261002_013000.csv", text.encode(), ARRIVAL)
    f = d.events[0].frame
    assert f[["serial", "occurred_at", "code"]].values.tolist() == [["B1", utc("2026-10-01 08:32:11"), 101]]
    assert only(d, Reason.NOT_A_NUMBER).serial == "B2"


def test_text_that_is_no_number_rejects_that_value_only():
    d = vendor_b("B1,01-10-2026 00:30:00,0.095,N/A,0.1,231.4")
    r = only(d, Reason.NOT_A_NUMBER)
    assert r.locator == "line 2, column BLOCK_ENERGY_KWH_EXPORT"
    assert r.payload == "B1,01-10-2026 00:30:00,0.095,N/A,0.1,231.4"
    assert (r.serial, r.stamp, r.values) == ("B1", utc("2026-09-30 18:30"), 1)
    assert d.values_read == 3


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1,5"[:1] + "_5", "0x1f", "True"])
def test_special_floats_are_no_numbers(text):
    d = vendor_b(f"B1,01-10-2026 00:30:00,{text},0,0,230")
    only(d, Reason.NOT_A_NUMBER)


def test_a_bad_stamp_rejects_the_rows_values():
    d = vendor_b("B1,31-02-2026 00:30:00,0.1,0,0.1,", "B1,01-10-2026 00:30:00,0.1,0,0.1,231")
    r = only(d, Reason.BAD_STAMP)
    assert (r.values, r.locator) == (3, "line 2")
    assert d.values_read == 4


def test_month_first_stamps_are_never_guessed_row_by_row():
    d = vendor_b("B1,10-01-2026 00:30:00,0.1,,,", "B1,10-13-2026 00:30:00,0.1,,,")
    assert only(d, Reason.BAD_STAMP).locator == "line 3", "dd-mm is what the vendor file states for the whole column"
    assert d.profiles[0].frame["start"].iloc[0] == utc("2026-01-09 18:30")


def test_too_large_a_value_is_out_of_range():
    r = only(vendor_b("B1,01-10-2026 00:30:00,2147483.648,0,0,230"), Reason.OUT_OF_RANGE)
    assert "BLOCK_ENERGY_KWH_IMPORT" in r.locator
    assert vendor_b("B1,01-10-2026 00:30:00,2147483.647,0,0,230").profiles[0].frame["import_wh"].iloc[0] == 2**31 - 1


def test_a_wrong_header_rejects_the_file_and_names_the_columns():
    text = BLOCK.replace("AVG_VOLTAGE", "VOLTAGE") + "\nB1,01-10-2026 00:30:00,1,0,1,230\n\nB1,01-10-2026 01:00:00,1,0,1,230\n"
    d = read(load_vendor("vendor_b"), B_NAME, text.encode(), ARRIVAL)
    r = only(d, Reason.WRONG_HEADER)
    assert r.values == 2, "one a data line, blank lines are none"
    assert "missing AVG_VOLTAGE" in r.detail
    assert "unexpected VOLTAGE" in r.detail
    assert r.payload.startswith("METER_NO,")
    assert d.profiles == []


def test_a_header_alone_is_read_and_a_wrong_one_counts_as_one():
    d = vendor_b()
    assert (d.values_read, d.rejections) == (0, [])
    assert only(read(load_vendor("vendor_b"), B_NAME, b"a,b\n", ARRIVAL), Reason.WRONG_HEADER).values == 1
    only(read(load_vendor("vendor_b"), B_NAME, b"", ARRIVAL), Reason.MALFORMED)


def test_an_unknown_extra_column_is_rejected_and_the_rest_lands():
    text = BLOCK + ",PF\nB1,01-10-2026 00:30:00,1,0,1,230,0.98\nB1,01-10-2026 01:00:00,1,0,1,230,\n"
    d = read(load_vendor("vendor_b"), B_NAME, text.encode(), ARRIVAL)
    r = only(d, Reason.UNKNOWN_OBIS)
    assert (r.locator, r.values) == ("column PF", 1)
    assert d.values_read == 8
    text = BLOCK + ",\nB1,01-10-2026 00:30:00,1,0,1,230,7\n"
    d = read(load_vendor("vendor_b"), B_NAME, text.encode(), ARRIVAL)
    assert only(d, Reason.UNKNOWN_OBIS).locator == "column 7, which has no name"


def test_column_order_does_not_matter_and_the_header_tells_the_profile_where_the_name_does_not():
    head = ",".join(reversed(BLOCK.split(",")))
    d = read(load_vendor("vendor_b"), "x.csv", f"{head}\n230,0.1,0,0.2,01-10-2026 00:30:00,B1\n".encode(), ARRIVAL)
    assert d.profiles[0].frame[["import_wh", "import_vah", "voltage_dv"]].iloc[0].tolist() == [200, 100, 2300]


def test_lines_that_are_not_utf8_are_rejected_and_the_others_land():
    text = f"{BLOCK}\nB1,01-10-2026 00:30:00,1,0,1,230\n".encode() + b"B\xe91,01-10-2026 00:30:00,1,0,1,\n"
    d = read(load_vendor("vendor_b"), B_NAME, text, ARRIVAL)
    r = only(d, Reason.NOT_UTF8)
    assert (r.locator, r.values, r.payload) == ("line 3", 3, "B\\xe91,01-10-2026 00:30:00,1,0,1,")
    assert d.values_read == 4


def test_lines_of_other_widths_and_open_quotes_are_malformed():
    d = vendor_b(
        "B1,01-10-2026 00:30:00,1,0,1",
        "B1,01-10-2026 00:30:00,1,0,1,230,9",
        'B1,01-10-2026 00:30:00,1,0,1,"230',
        '"B1",01-10-2026 00:30:00,"1",0,1,230',
    )
    assert [r.reason for r in d.rejections] == [Reason.MALFORMED] * 3
    assert sorted((r.locator, r.values) for r in d.rejections) == [("line 2", 3), ("line 3", 4), ("line 4", 4)]
    assert d.values_read == 4


def test_nul_and_control_characters_never_reach_a_payload_as_nul():
    d = vendor_b("B\x001,01-10-2026 00:30:00,1,0,1,230", "B\x07,01-10-2026 00:30:00,1,0,1,230")
    assert d.values_rejected == 8
    assert all("\x00" not in r.payload + r.detail for r in d.rejections), "PostgreSQL stores no NUL in text"


def test_windows_line_ends_and_a_byte_order_mark():
    text = "\ufeff" + BLOCK + "\r\nB1,01-10-2026 00:30:00,1,0,1,230\r\n"
    d = read(load_vendor("vendor_b"), B_NAME, text.encode(), ARRIVAL)
    assert (d.values_read, d.rejections) == (4, [])


def test_a_gzip_is_read_and_the_hash_is_of_the_bytes_as_received():
    import hashlib

    packed = gzip.compress(f"{BLOCK}\nB1,01-10-2026 00:30:00,1,0,1,230\n".encode())
    d = read(load_vendor("vendor_b"), B_NAME + ".gz", packed, ARRIVAL)
    assert d.values_read == 4
    assert d.content_sha256 == hashlib.sha256(packed).digest()


def test_a_truncated_gzip_gives_whole_lines_and_one_truncated_rejection():
    lines = [f"B{i},01-10-2026 00:30:00,{i / 7:.3f},0,1,{200 + i % 50}.{i % 10}" for i in range(3000)]
    packed = gzip.compress("\n".join([BLOCK, *lines, ""]).encode())
    d = read(load_vendor("vendor_b"), B_NAME + ".gz", packed[: len(packed) // 2], ARRIVAL)
    r = only(d, Reason.TRUNCATED)
    f = d.profiles[0].frame
    assert 100 < len(f) < 3000
    assert f["import_wh"].tolist() == [round(float(line.split(",")[2]) * 1000) for line in lines[: len(f)]]
    assert r.locator in (f"line {len(f) + 2}", B_NAME + ".gz"), "the line that was cut is named, none of it landed"


def test_a_corrupt_gzip_is_rejected_whole():
    packed = bytearray(gzip.compress(f"{BLOCK}\nB1,01-10-2026 00:30:00,1,0,1,230\n".encode()))
    packed[-6] ^= 0xFF
    d = read(load_vendor("vendor_b"), B_NAME + ".gz", bytes(packed), ARRIVAL)
    assert "corrupt" in only(d, Reason.MALFORMED).detail
    assert d.values_read == 0


def test_a_plain_file_cut_within_its_last_line_is_truncated():
    d = vendor_b("B1,01-10-2026 00:30:00,1,0,1,230", "B1,01-10-2026 01:00:00,1,0", end="")
    r = only(d, Reason.TRUNCATED)
    assert (r.locator, r.values) == ("line 3", 2)
    assert d.values_read == 4


def test_a_naive_arrival_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        read(load_vendor("vendor_b"), B_NAME, b"x", datetime(2026, 1, 1))


CELL = st.sampled_from(["", "0.095", "1", "x", "nan", " ", "9e99", "-3.2", "1e-3", "é"])
STAMP = st.sampled_from(["01-10-2026 00:30:00", "01-10-2026 24:00:00", "", "2026-10-01", "31-02-2026 00:00:00"])
LINE = st.tuples(st.sampled_from(["B1", "B2", "", "B\x07"]), STAMP, CELL, CELL, CELL, CELL)


@given(st.lists(LINE, max_size=12))
def test_nothing_is_lost(lines):
    d = vendor_b(*(",".join(line) for line in lines))
    cells = sum(1 for line in lines for c in line[2:] if c.strip())
    assert d.values_read + d.values_rejected == cells, "values understood + rejected = values in the file"


@given(st.binary(max_size=200))
def test_no_content_raises(content):
    for name in ("vendor_b", "hpl", "vendor_c", "ies_meterdata"):
        for head in (b"", BLOCK.encode() + b"\n", b"PK\x03\x04", b"\x1f\x8b\x08", b'{"items":[', b"<CDF>"):
            d = read(load_vendor_once(name), B_NAME, head + content, ARRIVAL)
            assert all("\x00" not in r.payload and len(r.payload) <= 2000 for r in d.rejections)


_LOADED = {}


def load_vendor_once(name):
    if name not in _LOADED:
        _LOADED[name] = load_vendor(name)
    return _LOADED[name]


# --- csv_wide ---------------------------------------------------------------------------------------------------------------

WIDE = """\
vendor: wide
description: one line a meter-day
transport: {kind: file, files: {block: ["*.csv"]}}
payload: {format: csv_wide, serial: METER, delimiter: ";", empty: ["--"]}
time: {zone: Asia/Kolkata, stamp: end, formats: ["%d/%m/%Y"]}
profiles:
  block:
    kind: block
    interval_min: 360
    slots: 4
    stamp: DAY
    values:
      - {from: "B{slot:02d}", to: import_wh, unit: kWh}
    ignore: [TOTAL]
"""


def test_a_line_a_day_with_a_column_a_slot(tmp_path):
    (tmp_path / "wide.yml").write_text(WIDE)
    text = "METER;DAY;B01;B02;B03;B04;TOTAL\nW1;01/10/2026;1;--;2;x;9\nW1;01-10-2026;1;1;;1;9\n"
    d = read(load_vendor(tmp_path / "wide.yml"), "a.csv", text.encode(), ARRIVAL)
    f = d.profiles[0].frame
    assert f[["start", "import_wh"]].values.tolist() == [[utc("2026-09-30 18:30"), 1000], [utc("2026-10-01 06:30"), 2000]]
    assert Counter((r.reason, r.locator) for r in d.rejections) == {
        (Reason.NOT_A_NUMBER, "line 2, slot 4, column B{slot:02d}"): 1,
        (Reason.BAD_STAMP, "line 3, slot 1"): 1,
        (Reason.BAD_STAMP, "line 3, slot 2"): 1,
        (Reason.BAD_STAMP, "line 3, slot 4"): 1,
    }


# --- hpl: JSON ----------------------------------------------------------------------------------------------------------------


def axdr(fmt, tag, v):
    return base64.b64encode(bytes([tag]) + struct.pack(fmt, v)).decode()


def clock(y, mo, d, h, mi, deviation=330, status=0):
    octets = struct.pack(">HBBBBBBBhB", y, mo, d, 0xFF, h, mi, 0, 0xFF, deviation, status)
    return base64.b64encode(b"\x09\x0c" + octets).decode()


def register(code, value, unit=30, scalar=0, attribute=2):
    return {
        "formattedRegisterObisCode": code,
        "attributeId": attribute,
        "unit": unit,
        "scalar": scalar,
        "registerValue": value,
        "formattedValue": "999999 Wh",
    }


def entry(stamp, *registers):
    return {"registerValues": [register("0.0.1.0.0.255", stamp, 255), *registers]}


def item(*entries, profile="1.0.99.1.0.255", serial="HPL00000001"):
    return {
        "meterSerial": serial,
        "formattedProfileObisCode": profile,
        "receivedAt": "2026-10-02T00:41:07+05:30",
        "entries": list(entries),
    }


def hpl(*items, raw=None):
    body = raw if raw is not None else json.dumps({"page": 1, "pages": 1, "items": items}).encode()
    return read(load_vendor("hpl"), "http://hes/api/profiles?page=1", body, ARRIVAL)


def test_raw_values_are_scaled_once_and_never_the_formatted_ones():
    d = hpl(
        item(
            entry(
                clock(2026, 10, 1, 0, 30),
                register("1.0.1.29.0.255", axdr(">I", 6, 95)),
                register("1.0.12.27.0.255", axdr(">H", 0x12, 23015), 35, -2),
                register("1.0.9.29.0.255", "AA==", 31),
            )
        )
    )
    f = d.profiles[0].frame
    assert f[["serial", "start", "import_wh", "voltage_dv"]].values.tolist() == [["HPL00000001", utc("2026-09-30 18:30"), 95, 2302]]
    assert "import_vah" not in f, "A-XDR null is no value"
    assert d.received_at == utc("2026-10-01 19:11:07")
    assert (d.values_read, d.values_rejected) == (2, 0)


def test_scalers_of_the_firmware_are_honoured():
    d = hpl(
        item(
            entry(
                clock(2026, 10, 2, 0, 0),
                register("1.0.1.8.0.255", axdr(">I", 6, 95), 30, 1),
                register("1.0.2.8.0.255", axdr(">Q", 0x15, 7), 255, 3),
                register("1.0.9.8.0.255", axdr(">i", 5, -4), 0, 0),
            ),
            profile="1.0.99.2.0.255",
        )
    )
    f = d.registers[0].frame
    assert f[["import_wh", "export_wh", "import_vah"]].iloc[0].tolist() == [950, 7000, -4], "unit 255 and 0: the map's"
    assert f["day"].iloc[0] == pd.Timestamp("2026-10-01")


def test_three_phase_meters_give_current():
    d = hpl(
        item(
            entry(
                clock(2026, 10, 1, 0, 30),
                register("1.0.32.27.0.255", axdr(">H", 0x12, 23015), 35, -2),
                register("1.0.31.27.0.255", axdr(">H", 0x12, 512), 33, -2),
            )
        )
    )
    assert d.profiles[0].frame[["voltage_dv", "current_ma"]].iloc[0].tolist() == [2302, 5120]


def test_events_of_the_power_profile():
    d = hpl(
        item(
            entry(clock(2026, 10, 1, 14, 2), register("0.0.96.11.2.255", axdr(">H", 0x12, 101), 255)),
            profile="0.0.99.98.2.255",
        )
    )
    assert d.events[0].frame[["occurred_at", "code"]].values.tolist() == [[utc("2026-10-01 08:32"), 101]]


@pytest.mark.parametrize(("deviation", "read_"), [(330, True), (-330, True), (-0x8000, True), (0, False), (60, False)])
def test_deviation_of_ist_with_either_sign(deviation, read_):
    d = hpl(item(entry(clock(2026, 10, 1, 0, 30, deviation), register("1.0.1.29.0.255", axdr(">I", 6, 95)))))
    if read_:
        assert d.profiles[0].frame["start"].iloc[0] == utc("2026-09-30 18:30")
    else:
        only(d, Reason.BAD_STAMP)


def test_a_clock_without_a_date_is_a_bad_stamp():
    nothing = base64.b64encode(b"\x09\x0c" + b"\xff" * 9 + b"\x01\x4a\x00").decode()
    d = hpl(item(entry(nothing, register("1.0.1.29.0.255", axdr(">I", 6, 95)))))
    assert only(d, Reason.BAD_STAMP).values == 1


def test_wrong_unit_unknown_code_and_other_attribute_are_rejected_by_meter():
    entries = [
        entry(
            clock(2026, 10, 1, h, 30),
            register("1.0.1.29.0.255", axdr(">I", 6, 95), 31),
            register("1.0.128.7.0.255", axdr(">I", 6, 95), 32),
            register("1.0.2.29.0.255", axdr(">I", 6, 1), attribute=5),
            register("1.0.9.29.0.255", axdr(">I", 6, 95), 31),
        )
        for h in range(3)
    ]
    d = hpl(item(*entries))
    assert {(r.reason, r.values, r.serial) for r in d.rejections} == {
        (Reason.WRONG_UNIT, 3, "HPL00000001"),
        (Reason.UNKNOWN_OBIS, 3, "HPL00000001"),
    }
    assert d.values_read == 3
    assert d.values_rejected == 9
    assert d.rejections[0].locator.startswith("items[0].entries[0], code 1.0.1.29.0.255")


@pytest.mark.parametrize("scalar", [400, "two", 1.5, True])
def test_a_scaler_that_is_none_is_malformed(scalar):
    d = hpl(item(entry(clock(2026, 10, 1, 0, 30), register("1.0.1.29.0.255", axdr(">I", 6, 95), scalar=scalar))))
    assert "power of ten" in only(d, Reason.MALFORMED).detail


def test_broken_axdr_is_no_number():
    d = hpl(item(entry(clock(2026, 10, 1, 0, 30), register("1.0.1.29.0.255", "1234"))))
    assert "1234" in only(d, Reason.NOT_A_NUMBER).detail


def test_a_value_given_twice_is_not_lost():
    a, b = register("1.0.1.29.0.255", axdr(">I", 6, 95)), register("1.0.1.29.0.255", axdr(">I", 6, 96))
    d = hpl(item(entry(clock(2026, 10, 1, 0, 30), a, b)))
    only(d, Reason.MALFORMED)
    assert d.profiles[0].frame["import_wh"].tolist() == [95]


def test_an_unknown_profile_is_rejected_with_its_values():
    e = entry(clock(2026, 10, 1, 0, 30), register("1.0.1.7.0.255", axdr(">I", 6, 95)))
    assert only(hpl(item(e, profile="1.0.99.128.0.255")), Reason.UNKNOWN_OBIS).values >= 1


def test_a_cut_json_gives_what_stands_before_the_break():
    entries = [entry(clock(2026, 10, 1, h, 30), register("1.0.1.29.0.255", axdr(">I", 6, h))) for h in range(10)]
    body = json.dumps({"page": 1, "pages": 1, "items": [item(*entries)]}).encode()
    d = hpl(raw=body[: int(len(body) * 0.7)])
    assert only(d, Reason.MALFORMED).locator.startswith("line 1 column ")
    assert d.profiles[0].frame["import_wh"].tolist() == list(range(len(d.profiles[0].frame)))
    assert 4 < len(d.profiles[0].frame) < 10
    packed = gzip.compress(body, 0)
    only(hpl(raw=packed[: int(len(packed) * 0.7)]), Reason.TRUNCATED)


# --- vendor_c: CDF XML --------------------------------------------------------------------------------------------------------

CDF = """<CDF>
 <UTILITYTYPE>
  <D1><G1>VC0000001</G1><G2 VALUE="02-10-2026 01:20:00"/><G22 CODE="17" NAME="SYNTHETIC"/></D1>
  <D3><D3-00 DATETIME="02-10-2026 00:00:00">
      <B3 PARAMCODE="P7-1-18-0-0" VALUE="74860.9" UNIT="k"/>
      <B3 PARAMCODE="P7-2-18-0-0" VALUE="0.0" UNIT="k"/></D3-00></D3>
  <D4 INTERVALPERIOD="30">
   <DAYPROFILE DATE="01-10-2026">
    <IP INTERVAL="1"><PARAMETER PARAMCODE="P7-1-5-1-0" VALUE="0.095" UNIT="k"/>
      <PARAMETER PARAMCODE="P1-2-1-1-0" VALUE="231.4" UNIT=""/></IP>
    <IP INTERVAL="48"><PARAMETER PARAMCODE="P7-1-5-1-0" VALUE="0.1" UNIT="k"/></IP>
   </DAYPROFILE></D4>
  <D5><EVENT CODE="101" DATETIME="01-10-2026 14:02:11"/></D5>
 </UTILITYTYPE>
</CDF>
"""


def cdf(text=CDF, name="cdf_20261002_020000.xml"):
    return read(load_vendor("vendor_c"), name, text.encode() if isinstance(text, str) else text, ARRIVAL)


def test_cdf_blocks_registers_and_events():
    d = cdf()
    p = d.profiles[0]
    assert p.interval_min == 30
    assert p.frame[["serial", "start", "import_wh"]].values.tolist() == [
        ["VC0000001", utc("2026-09-30 18:30"), 95],
        ["VC0000001", utc("2026-10-01 18:00"), 100],
    ]
    assert p.frame["voltage_dv"].tolist() == [2314, pd.NA]
    r = d.registers[0].frame
    assert r[["day", "import_wh", "export_wh"]].values.tolist() == [[pd.Timestamp("2026-10-01"), 74_860_900, 0]]
    assert d.events[0].frame[["occurred_at", "code"]].values.tolist() == [[utc("2026-10-01 08:32:11"), 101]]
    assert d.received_at == utc("2026-10-01 19:50")
    assert (d.values_read, d.values_rejected) == (6, 0)


def test_cdf_in_a_zip_and_a_zip_cut_off():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("cdf_20261002_020000.xml", CDF)
    assert cdf(buffer.getvalue(), "cdf_20261002_020000.zip").values_read == 6
    d = cdf(buffer.getvalue()[:330], "cdf_20261002_020000.zip")
    assert only(d, Reason.TRUNCATED)
    assert 0 < d.values_read < 6


def test_a_zip_of_several_files_names_the_member(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("north.xml", CDF)
        z.writestr("south.xml", CDF.replace("VC0000001", "VC0000002").replace('"0.1"', '"?"'))
    d = cdf(buffer.getvalue(), "cdf_20261002_020000.zip")
    assert only(d, Reason.NOT_A_NUMBER).locator.startswith("south.xml: UTILITYTYPE[1].D4[1]")
    assert [p.frame["locator"][0].split(":")[0] for p in d.profiles] == ["north.xml", "south.xml"]


def test_cdf_broken_gives_what_stands_before_the_break():
    at = CDF.index('<IP INTERVAL="48">')
    d = cdf(CDF[:at])
    assert only(d, Reason.MALFORMED)
    assert d.values_read == 4, "two registers and the first block"


def test_cdf_wrong_units_codes_and_slots():
    text = CDF.replace('VALUE="0.095" UNIT="k"', 'VALUE="0.095" UNIT="Q"').replace('INTERVAL="48"', 'INTERVAL="49"')
    d = cdf(text.replace("P7-2-18-0-0", "P9-9-9-9-9"))
    assert Counter(r.reason for r in d.rejections) == {Reason.WRONG_UNIT: 1, Reason.BAD_STAMP: 1, Reason.UNKNOWN_OBIS: 1}
    assert d.values_read + d.values_rejected == 6


def test_a_doctype_is_refused():
    d = cdf('<!DOCTYPE x [<!ENTITY a "aaaa">]>\n' + CDF)
    assert "DOCTYPE" in only(d, Reason.MALFORMED).detail
    assert d.values_read == 0


# --- damage of every kind -------------------------------------------------------------------------------------------------

HPL_PAGE = {
    "page": 1,
    "items": [
        item(entry(clock(2026, 10, 1, 0, 30), register("1.0.1.29.0.255", axdr(">I", 6, 95)))),
        item(entry(clock(2026, 10, 2, 0, 0), register("1.0.1.8.0.255", axdr(">I", 6, 95))), profile="1.0.99.2.0.255"),
    ],
}
IES_PAYLOAD = [
    {
        "profileType": "DESCRIPTOR",
        "payloadDescriptorSets": [
            {
                "name": "S",
                "payloadDescriptors": [{"readingType": "kWh imp block", "unit": "kWh", "multiplier": 0.5}],
                "compactSequences": [{"name": "Q", "sequenceItems": [{"readingType": "kWh imp block", "attribute": "value"}]}],
            }
        ],
    },
    {
        "profileType": "INTERVAL",
        "meterRefs": [{"value": "did:x:M1"}],
        "payloadDescriptorSetRef": "S",
        "compactSequenceRef": "Q",
        "intervalPeriod": {"start": "2026-05-04T09:00:00+05:30", "duration": "PT30M"},
        "intervals": [
            {"id": 0, "payloads": [4.62], "overrides": [{"descriptorIndex": 0, "validationStatus": "ESTIMATED"}]},
            {"id": 1, "readings": [{"readingType": "kWh imp block", "value": 1.5, "validationStatus": "VALID"}]},
        ],
    },
    {
        "profileType": "DAILY",
        "meterRefs": [{"value": "M1"}],
        "intervalPeriod": {"start": "2026-05-04T00:00:00+05:30", "duration": "P1D"},
        "intervals": [{"id": 0, "readings": [{"readingType": "MD kW", "value": 1, "occurredAt": "2026-05-04T09:00:00Z"}]}],
    },
    {"profileType": "EVENT", "meterRefs": [{"value": "M1"}], "events": [{"timestamp": "2026-05-04T09:00:00Z", "eventId": 101}]},
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from(["", "x", "\x00", "\ud800", "1e999"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["value", "id", "x"]), inner, max_size=2),
    max_leaves=4,
)


def spots(node, path=()):
    yield path
    for k, v in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from spots(v, (*path, k))


def put(node, path, v):
    if not path:
        return v
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = put(node[path[0]], path[1:], v)
    return copy


@pytest.mark.parametrize(("vendor", "good"), [("hpl", HPL_PAGE), ("ies_meterdata", IES_PAYLOAD)])
def test_any_part_of_a_payload_may_be_junk(vendor, good):
    whole = read(load_vendor_once(vendor), "a.json", json.dumps(good).encode(), ARRIVAL)
    assert whole.rejections == []
    assert whole.values_read >= 2

    @given(st.sampled_from(list(spots(good))), JUNK)
    def damaged(spot, junk):
        d = read(load_vendor_once(vendor), "a.json", json.dumps(put(good, spot, junk)).encode(), ARRIVAL)
        for r in d.rejections:
            assert "\x00" not in r.payload + r.detail + (r.serial or "")
            (r.payload + r.detail + (r.serial or "")).encode()
        for e in d.events:
            assert "\\u0000" not in json.dumps(list(e.frame["detail"]))
            "".join(e.frame["serial"]).encode()

    damaged()


def test_numbers_of_thousands_of_digits_and_bottomless_brackets():
    for body in ('{"items": [' + "9" * 5000 + "]}", "[" * 100_000, '{"items":' * 50_000):
        assert hpl(raw=body.encode()).rejections
    assert only(cdf("<a>" * 1000), Reason.MALFORMED)


# --- real data ------------------------------------------------------------------------------------------------------------------


def real(path):
    if not (REAL / path).exists():
        pytest.skip(f"real data not here: {REAL / path} (set METERHOUSE_REAL_DATA to the folder that has them)")
    return (REAL / path).read_bytes()


def test_edrp_is_complete():
    d = read(load_vendor("edrp_scotland"), "readings.csv.gz", real("edrp_scotland/readings.csv.gz"), ARRIVAL)
    f = d.profiles[0].frame
    assert (d.values_read, d.rejections) == (1_324_800, [])
    assert (f.groupby("serial", sort=False).size() == 4416).all()
    assert f["serial"].nunique() == 300
    assert not f.duplicated(["serial", "start"]).any()


@pytest.mark.parametrize(
    ("town", "meters", "rows", "missing", "zero"),
    [("bareilly", 46, 28_119, 3_888, 778), ("mathura", 38, 16_491, 7_779, 143)],
)
def test_ceew_days_agree_with_what_is_known(town, meters, rows, missing, zero):
    d = read(load_vendor(f"ceew_{town}"), f"{town}_daily.csv", real(f"ceew_uttar_pradesh/{town}_daily.csv"), ARRIVAL)
    f = d.profiles[0].frame
    assert (len(f), d.rejections, f["serial"].nunique()) == (rows, [], meters)
    assert d.profiles[0].interval_min == 1440
    span = f.groupby("serial")["start"].agg(["min", "max"])
    assert int(((span["max"] - span["min"]).dt.days + 1).sum()) - rows == missing
    assert int((f["import_wh"] == 0).sum()) == zero


def test_london_daily_sums_agree_with_the_published():
    d = read(load_vendor("london_mac000002"), "half_hourly.csv.gz", real("london_mac000002/half_hourly.csv.gz"), ARRIVAL)
    f = d.profiles[0].frame
    assert (len(f), d.rejections, set(f["serial"])) == (22_536, [], {"MAC000002"})
    assert int(f.duplicated("start").sum()) == 15
    published = pd.read_csv(io.BytesIO(real("london_mac000002/published_daily_sums.csv")))
    published.index = pd.to_datetime(published["day"], format="%m/%d/%Y")
    ours = f.drop_duplicates("start", keep="last").groupby(f["start"].dt.tz_localize(None).dt.normalize())["import_wh"].sum()
    both = pd.concat([ours, published["energy_sum"] * 1000], axis=1, join="inner")
    same = (both["import_wh"] - both["energy_sum"]).abs() < 0.5
    assert (len(same), int(same.sum())) == (471, 470), "one published day differs from its half-hours"


def ies(name, folder="examples"):
    path = f"india_energy_stack/MeterData-v0.6/{folder}/{name}.json"
    return read(load_vendor("ies_meterdata"), f"{name}.json", real(path), ARRIVAL)


def test_ies_interval_profile_with_an_estimated_value():
    d = ies("IntervalProfile")
    f = d.profiles[0].frame
    assert (d.values_read, d.rejections, d.profiles[0].interval_min) == (8, [], 30)
    assert f["import_wh"].tolist() == [4620, 4850, 5210, 5040]
    assert f["quality"].tolist() == [pd.NA, pd.NA, int(Quality.ESTIMATED), pd.NA]
    assert set(f["serial"]) == {"DISCOM-SM-2025-654321"}
    assert f["start"].iloc[0] == utc("2026-05-04 03:30"), "start stamps stay"


def test_ies_compact_and_elaborated_mean_the_same():
    for name in ("IntervalProfile", "DailyProfile", "MultiMeterBulkDataset"):
        a, b = ies(name), ies(f"{name}_Elaborated")
        for x, y in zip(a.profiles + a.registers, b.profiles + b.registers, strict=True):
            pd.testing.assert_frame_equal(x.frame.drop(columns="quality", errors="ignore"), y.frame)


def test_ies_registers_events_and_what_is_refused():
    f = ies("DailyProfile").registers[0].frame
    assert f.loc[0, ["import_wh", "export_wh", "md_import_w"]].tolist() == [1_000_000, 0, 8420]
    assert (f.loc[0, "day"], f.loc[0, "read_at"]) == (pd.Timestamp("2026-05-04"), utc("2026-05-04 18:30"))
    assert f.loc[0, "md_import_at"] == utc("2026-05-04 14:00")
    events = ies("EventProfile").events[0].frame
    assert events["code"].tolist() == [101, 102, 1, 11, 201, 301, 305]
    assert events["detail"][0] == {"eventName": "POWER_FAIL", "sequence": 1234}
    for name in ("invalid_missing_descriptor", "invalid_missing_descriptor_ref"):
        assert "not declared" in only(ies(name, "validation"), Reason.MALFORMED).detail
    assert ies("valid_interval_profile", "validation").values_read == 2
