"""Domain 2.2 and 2.3 row by row: time, scalers, zones, borrowed scalers, nameplates, status words."""

from __future__ import annotations

import base64
import json
import struct
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from ingestion.canonical import Delivery
from ingestion.normalise import axdr
from ingestion.readers import read
from ingestion.vendor import load_vendor
from warehouse.codes import Reason

ARRIVAL = datetime(2026, 10, 3, tzinfo=UTC)
STAMP = "0.0.1.0.0.255"


def b64(hexa: str) -> str:
    return base64.b64encode(bytes.fromhex(hexa)).decode()


def u32(v: int) -> str:
    return b64("06") if v < 0 else base64.b64encode(b"\x06" + struct.pack(">I", v)).decode()


def clock(text: str, deviation: int = 330) -> str:
    t = datetime.fromisoformat(text)
    octets = struct.pack(">HBBBBBBBhB", t.year, t.month, t.day, 0xFF, t.hour, t.minute, t.second, 0xFF, deviation, 0)
    return base64.b64encode(b"\x09\x0c" + octets).decode()


def reading(code: str, value: str, unit: Any = 255, scalar: Any = 0, attribute: Any = 2) -> dict[str, Any]:
    return {"formattedRegisterObisCode": code, "attributeId": attribute, "unit": unit, "scalar": scalar, "registerValue": value}


def hpl(profile: str, *readings: dict[str, Any], received: str = "2026-10-02T00:41:07+05:30") -> Delivery:
    item = {
        "meterSerial": "H1",
        "formattedProfileObisCode": profile,
        "receivedAt": received,
        "entries": [{"registerValues": list(readings)}],
    }
    return read(load_vendor("hpl"), "page", json.dumps({"items": [item]}).encode(), ARRIVAL)


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


# --- 2.2: time ---


@pytest.mark.parametrize(
    ("octets", "instant"),
    [
        ("07E907170307 0F18FF014A00", "2025-07-23 01:45:24"),  # the live sample, +330
        ("07E907170307 0F18FFFEB600", "2025-07-23 01:45:24"),  # -330, as the Blue Book has it
        ("07E907170307 0F18FF800000", "2025-07-23 01:45:24"),  # not specified
        ("07E907170307 0FFFFF014A00", "2025-07-23 01:45:00"),  # no seconds
        ("07E907170307 0F18FF000000", None),  # UTC: not what an Indian meter says
        ("07E907170307 0F18FFFFC400", None),  # -60
        ("07E907170307 0F18FF014A01", None),  # says itself that it is invalid
        ("07E90717FF19 0F18FF014A00", None),  # hour 25
        ("FFFFFFFFFFFF FFFFFF014A00", None),  # no date
    ],
)
def test_a_dlms_clock(octets: str, instant: str | None) -> None:
    d = hpl("1.0.99.1.0.255", reading(STAMP, b64("090C" + octets.replace(" ", ""))), reading("1.0.1.29.0.255", u32(1), 30))
    if instant is None:
        assert [(r.reason, r.values) for r in d.rejections] == [(Reason.BAD_STAMP, 1)], "anything else is refused, not guessed"
    else:
        assert d.profiles[0].frame["start"].tolist() == [utc(instant) - pd.Timedelta("30min")]


CSV = """\
vendor: {name}
description: one stamp
transport: {{kind: file, files: {{{kind}: ["*.csv"]}}}}
payload: {{format: csv_long, serial: M}}
time: {{zone: {zone}, stamp: {stamp}, formats: ["{format}"]}}
profiles:
  {kind}: {{kind: {kind}, interval_min: 30, stamp: T, values: [{{from: V, to: import_wh, unit: Wh}}]}}
"""


def one(tmp_path, kind: str, zone: str, stamp: str, fmt: str, text: str) -> Delivery:  # type: ignore[no-untyped-def]
    path = tmp_path / "one.yml"
    path.write_text(CSV.format(name="one", kind=kind, zone=zone, stamp=stamp, format=fmt), encoding="utf-8")
    return read(load_vendor(path), "a.csv", f"M,T,V\nM1,{text},1\n".encode(), ARRIVAL)


IST, DMY = "Asia/Kolkata", "%d-%m-%Y %H:%M"
MIDNIGHT = "2026-09-30 18:30"
"""Of 1 October in India."""


@pytest.mark.parametrize(
    ("zone", "stamp", "fmt", "text", "start"),
    [
        (IST, "end", DMY, "01-10-2026 00:30", MIDNIGHT),
        (IST, "start", DMY, "01-10-2026 00:00", MIDNIGHT),
        (IST, "end", DMY, "01-10-2026 24:00", "2026-10-01 18:00"),  # "previous day 24:00:00" is the last block
        (IST, "end", DMY, "02-10-2026 00:00", "2026-10-01 18:00"),
        (IST, "end", "iso8601", "2026-10-01T00:30:00+05:30", MIDNIGHT),
        (IST, "end", "iso8601", "2026-09-30T19:00:00Z", MIDNIGHT),
        (IST, "end", "iso8601", "2026-10-01T00:30:00", MIDNIGHT),  # naive: of the vendor's zone
        ("Etc/UTC", "end", DMY, "30-09-2026 19:00", MIDNIGHT),
        (IST, "end", "epoch_s", "1790794800", "2026-09-30 18:30"),
        (IST, "end", "%Y%m%d%H%M%S%z", "20261001003000+0530", MIDNIGHT),
        (IST, "end", "dlms_clock", "07EA 0A 01 FF 00 1E 00 FF 014A 00", MIDNIGHT),  # octets as hex text
    ],
)
def test_a_block_stamp(tmp_path, zone: str, stamp: str, fmt: str, text: str, start: str) -> None:  # type: ignore[no-untyped-def]
    d = one(tmp_path, "block", zone, stamp, fmt, text)
    assert d.rejections == []
    assert d.profiles[0].frame["start"].tolist() == [utc(start)]


@pytest.mark.parametrize(
    ("kind", "stamp", "text", "day", "read_at"),
    [
        ("daily", "end", "02-10-2026 00:00", "2026-10-01", "2026-10-01 18:30"),  # the midnight row closes the day before
        ("daily", "start", "01-10-2026 00:00", "2026-10-01", "2026-10-01 18:30"),
        ("billing", "end", "01-04-2026 00:00", "2026-03-31", "2026-03-31 18:30"),  # stamped 1 April: March
        ("billing", "start", "01-04-2026 00:00", "2026-03-31", "2026-03-31 18:30"),  # a billing date is an instant
        ("billing", "end", "15-03-2026 14:10", "2026-03-15", "2026-03-15 08:40"),  # reset by hand
        ("billing", "end", "01-01-2027 00:00", "2026-12-31", "2026-12-31 18:30"),
        ("instant", "end", "02-10-2026 00:00", "2026-10-02", "2026-10-01 18:30"),  # a moment belongs to its own day
        ("instant", "end", "01-10-2026 23:59", "2026-10-01", "2026-10-01 18:29"),
    ],
)
def test_the_business_day(tmp_path, kind: str, stamp: str, text: str, day: str, read_at: str) -> None:  # type: ignore[no-untyped-def]
    d = one(tmp_path, kind, IST, stamp, DMY, text)
    f = (d.registers or d.values)[0].frame
    assert (f["day"].iloc[0], f["read_at"].iloc[0]) == (pd.Timestamp(day), utc(read_at))


@pytest.mark.parametrize("text", ["01-13-2026 00:00", "", "0000-00-00", "9999999999999999999999", "31-12-9999 23:59"])
def test_a_stamp_that_is_none(tmp_path, text: str) -> None:  # type: ignore[no-untyped-def]
    d = one(tmp_path, "instant", IST, "end", DMY, text)
    assert [(r.reason, r.profile, r.values) for r in d.rejections] == [(Reason.BAD_STAMP, "instant", 1)]


# --- 1.11 and 2.3: scalers, once and only once ---


@pytest.mark.parametrize(
    ("profile", "code", "raw", "unit", "scalar", "quantity", "value"),
    [
        ("instant", "1.0.12.7.0.255", 23015, 35, -2, "voltage_r_mv", 230_150),
        ("instant", "1.0.12.7.0.255", 2301, 35, -1, "voltage_r_mv", 230_100),
        ("instant", "1.0.31.7.0.255", 512, 33, -2, "current_r_ma", 5120),
        ("instant", "1.0.13.7.0.255", 100, 255, -2, "power_factor_milli", 1000),
        ("instant", "1.0.13.7.0.255", 98, 0, -2, "power_factor_milli", 980),  # 0 is no unit too
        ("instant", "1.0.14.7.0.255", 498, 44, -1, "frequency_mhz", 49_800),
        ("instant", "1.0.1.7.0.255", 1154, 27, 0, "active_power_w", 1154),
        ("instant", "1.0.9.7.0.255", 1178, 28, 0, "apparent_power_va", 1178),
        ("instant", "1.0.3.7.0.255", 12, 29, 0, "reactive_power_var", 12),
        ("instant", "1.0.1.8.0.255", 95, 30, 1, "import_wh", 950),
        ("instant", "1.0.1.8.0.255", 95, 30, 0, "import_wh", 95),
        ("instant", "1.0.1.8.0.255", 95, 30, 3, "import_wh", 95_000),
        ("instant", "1.0.9.8.0.255", 95, 31, 1, "import_vah", 950),
        ("instant", "1.0.5.8.0.255", 7, 32, 1, "q1_varh", 70),
        ("instant", "0.0.94.91.14.255", 120, 6, 0, "power_on_min", 120),
        ("instant", "0.0.94.91.14.255", 1205, 6, -1, "power_on_min", 120),  # one firmware counts tenths
        ("instant", "0.0.96.7.0.255", 4, 255, 0, "power_failure_count", 4),
        ("billing", "1.0.1.6.0.255", 3210, 27, 0, "md_import_w", 3210),
        ("billing", "1.0.1.8.8.255", 5, 30, 3, "import_wh", 5000),
        ("billing", "1.0.94.91.13.255", 43_200, 6, 0, "power_on_min", 43_200),  # the other spelling of the code
    ],
)
def test_a_scaler_is_applied_once(profile: str, code: str, raw: int, unit: int, scalar: int, quantity: str, value: int) -> None:
    stamp = reading("0.0.0.1.2.255" if profile == "billing" else STAMP, clock("2026-10-01 00:00"))
    d = hpl({"instant": "1.0.94.91.0.255", "billing": "1.0.98.1.0.255"}[profile], stamp, reading(code, u32(raw), unit, scalar))
    assert d.rejections == []
    assert d.values[0].frame[["quantity", "value"]].to_numpy().tolist() == [[quantity, value]]
    assert d.values[0].frame["zone"].tolist() == [int(code.split(".")[4]) if ".8." in code[4:] and quantity == "import_wh" else 0]


@pytest.mark.parametrize(
    ("code", "unit"), [("1.0.12.7.0.255", 33), ("1.0.1.8.0.255", 31), ("1.0.13.7.0.255", 30), ("0.0.96.7.0.255", 6), ("1.0.1.8.0.255", 99)]
)
def test_a_unit_that_does_not_fit_the_quantity(code: str, unit: int) -> None:
    d = hpl("1.0.94.91.0.255", reading(STAMP, clock("2026-10-01 10:00")), reading(code, u32(1), unit))
    assert [(r.reason, r.code, r.values) for r in d.rejections] == [(Reason.WRONG_UNIT, code, 1)]


BORROW = """\
vendor: borrows
description: averages without scalers
transport: {kind: file, files: {all: ["*.json"]}}
payload:
  format: json
  rows: "items[]"
  serial: m
  profile: p
  readings: {path: "r[]", code: c, code_is: obis, value: v, unit: u, unit_is: dlms, scaler: s, borrow: true}
time: {zone: Asia/Kolkata, stamp: end, formats: [iso8601]}
profiles:
  block:
    kind: block
    code: lp
    interval_min: 30
    stamp: t
    values:
      - {from: 1.0.1.29.0.255, to: import_wh, unit: Wh}
      - {from: 1.0.2.29.0.255, to: export_wh, unit: Wh, scaler: 2}
      - {from: 1.0.12.27.0.255, to: voltage_dv, unit: V}
  now:
    kind: instant
    code: now
    stamp: t
    values:
      - {from: 1.0.12.7.0.255, to: voltage_r_mv, unit: V}
      - {from: 1.0.1.8.0.255, to: import_wh, unit: Wh}
"""


def test_scalers_are_borrowed_from_the_sibling_of_the_same_meter_else_the_maps_never_guessed(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "borrows.yml"
    path.write_text(BORROW, encoding="utf-8")
    lp = [{"c": "1.0.1.29.0.255", "v": 7}, {"c": "1.0.2.29.0.255", "v": 7}, {"c": "1.0.12.27.0.255", "v": 2301, "s": -1, "u": 35}]
    now = [{"c": "1.0.1.8.0.255", "v": 95, "u": 30, "s": 1}, {"c": "1.0.12.7.0.255", "v": 23015, "u": 35, "s": -2}]
    items = [{"m": m, "p": "lp", "t": "2026-10-01T00:30:00", "r": lp} for m in ("M1", "M2")]
    items.append({"m": "M1", "p": "now", "t": "2026-10-01T10:00:00", "r": now})  # stands behind what borrows from it
    d = read(load_vendor(path), "a.json", json.dumps({"items": items}).encode(), ARRIVAL)
    f = d.profiles[0].frame.set_index("serial")
    assert f.loc["M1", "import_wh"] == 70, "D = 29 borrows of D = 8"
    assert f.loc["M1", "voltage_dv"] == 2301, "a scaler of its own goes before one that could be borrowed"
    assert f["export_wh"].tolist() == [700, 700], "nothing to borrow: the map's"
    assert pd.isna(f.loc["M2", "import_wh"]), "another meter's scaler is not its own"
    assert [(r.reason, r.serial, r.code) for r in d.rejections] == [(Reason.WRONG_UNIT, "M2", "1.0.1.29.0.255")]


# --- status words and nameplates ---


WORD = "80000000000000000000440000000001"


@pytest.mark.parametrize("value", ["0910" + WORD, "048180" + WORD, "0a20" + WORD.encode().hex()])
def test_a_status_word_as_octets_bits_or_text(value: str) -> None:
    d = hpl("0.4.25.9.0.255", reading(STAMP, clock("2026-10-01 10:00")), reading("0.0.94.91.18.255", b64(value)))
    if value.startswith("0a"):
        assert [r.reason for r in d.rejections] == [Reason.MALFORMED], "32 octets are no word"
    else:
        assert d.status_words[0].frame["word"].tolist() == [bytes.fromhex(WORD)]


def test_a_status_word_of_another_length_is_malformed() -> None:
    d = hpl("0.4.25.9.0.255", reading(STAMP, clock("2026-10-01 10:00")), reading("0.0.94.91.18.255", b64("0902FFFF")))
    assert [(r.reason, r.values) for r in d.rejections] == [(Reason.MALFORMED, 1)]


@pytest.mark.parametrize(
    ("value", "text"),
    [("0906" + b"V1.2.3".hex(), "V1.2.3"), ("0903" + "0102FF", "0102ff"), ("1207E9", "2025"), ("0a03" + b"D1 ".hex(), "D1"), ("0301", "1")],
)
def test_a_nameplate_is_text(value: str, text: str) -> None:
    d = hpl("0.0.94.91.10.255", reading("1.0.0.2.0.255", b64(value)))
    assert d.nameplates[0].frame[["attribute", "text"]].to_numpy().tolist() == [["firmware", text]]


def test_axdr_of_long_strings_and_dates() -> None:
    assert axdr(b64("098180" + "41" * 128)) == b"A" * 128
    assert axdr(b64("1907E907170307 0F18FF014A00".replace(" ", ""))) == bytes.fromhex("07E9071703070F18FF014A00")
    for broken in ("0404", "098202", "0981FF41", "19AA", "0900"):
        with pytest.raises(ValueError, match=r"A-XDR tag"):
            axdr(b64(broken))


def test_what_is_rejected_stands_for_its_values_with_code_and_profile() -> None:
    d = hpl("1.0.98.1.0.255", reading("0.0.0.1.2.255", clock("2026-10-01 00:00")), reading("1.0.1.8.150.255", u32(1), 30))
    assert [(r.reason, r.code, r.profile, r.serial, r.values) for r in d.rejections] == [
        (Reason.UNKNOWN_OBIS, "1.0.1.8.150.255", "billing", "H1", 1)
    ], "fundamental energy of some West Bengal meters: kept, not dropped"
