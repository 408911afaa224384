"""What a vendor file can say beyond names and units: inheritance, zones and times, words, maps for some meters, files of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from ingestion.canonical import Delivery
from ingestion.readers import read
from ingestion.vendor import ValueMap, VendorError, load_vendor, names
from warehouse.codes import Reason

ARRIVAL = datetime(2026, 10, 3, tzinfo=UTC)

BASE = """\
vendor: base
description: a system
transport: {kind: file, files: {block: ["b_*.csv"], daily: ["d_*.csv"]}}
payload: {format: csv_long, serial: METER, make: MAKE, firmware: FW}
time: {zone: Asia/Kolkata, stamp: end, formats: ["%d-%m-%Y %H:%M"]}
profiles:
  block:
    kind: block
    interval_min: 30
    stamp: END
    values:
      - {from: [KWH, E_KWH], to: import_wh, unit: kWh}
      - {from: V, to: voltage_dv, unit: V}
  daily:
    kind: daily
    stamp: END
    values:
      - {from: KWH, to: import_wh, unit: kWh}
"""

CHILD = """\
vendor: child
extends: base
description: a later version
payload: {delimiter: ";"}
transport: {files: {daily: null}}
profiles:
  daily: null
  block:
    interval_min: 15
    values:
      - {from: KWH, to: import_wh, unit: Wh}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METERHOUSE_VENDORS", str(tmp_path))
    (tmp_path / "base.yml").write_text(BASE, encoding="utf-8")
    return tmp_path


def put(folder: Path, text: str) -> str:
    name = text.split("\n", 1)[0].removeprefix("vendor: ")
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return name


def take(vendor: str, name: str, text: str) -> Delivery:
    return read(load_vendor(vendor), name, text.encode(), ARRIVAL)


def test_a_folder_of_ones_own_is_found_before_what_comes_with_meterhouse(folder: Path) -> None:
    assert "base" in names()
    assert load_vendor("base").path == folder / "base.yml"
    put(folder, BASE.replace("vendor: base", "vendor: vendor_b"))
    assert load_vendor("vendor_b").path.parent == folder


def test_a_child_is_laid_on_its_parent(folder: Path) -> None:
    v = load_vendor(put(folder, CHILD))
    assert (v.name, v.delimiter, v.zone) == ("child", ";", "Asia/Kolkata")
    assert [p.name for p in v.profiles] == ["block"], "null takes a profile away"
    block = v.profile("block")
    assert block.interval_min == 15
    assert [(m.sources, m.to, m.unit) for m in block.values] == [
        (("KWH",), "import_wh", "Wh"),
        (("E_KWH",), "import_wh", "kWh"),
        (("V",), "voltage_dv", "V"),
    ], "the child's maps first; of the parent's what the child does not map itself"


def test_a_chain_of_parents_and_lists_that_are_replaced(folder: Path) -> None:
    put(folder, CHILD.replace("  daily: null\n", "").replace("transport: {files: {daily: null}}\n", ""))
    v = load_vendor(put(folder, "vendor: grandchild\nextends: child\ndescription: x\ntime: {formats: [iso8601]}\n"))
    assert v.stamp_formats == ("iso8601",), "a list replaces that of the parent"
    assert v.profile("block").interval_min == 15
    assert v.profile("daily").kind == "daily"


def test_what_the_child_ignores_is_not_mapped_by_the_parent(folder: Path) -> None:
    v = load_vendor(put(folder, CHILD.replace("    interval_min: 15\n", "    interval_min: 15\n    ignore: [V]\n")))
    assert [m.to for m in v.profile("block").values] == ["import_wh", "import_wh"]


def test_a_fault_is_told_where_it_stands(folder: Path) -> None:
    (folder / "base.yml").write_text(BASE.replace("to: voltage_dv, unit: V", "to: voltage_dv, unit: A"), encoding="utf-8")
    with pytest.raises(VendorError, match=r"base\.yml:13: profiles\.block\.values\.2: unit A does not fit voltage_dv"):
        load_vendor(put(folder, CHILD))
    (folder / "base.yml").write_text(BASE, encoding="utf-8")
    with pytest.raises(VendorError, match=r"child\.yml:11: profiles\.block\.values\.0: unit A does not fit import_wh"):
        load_vendor(put(folder, CHILD.replace("unit: Wh", "unit: A")))


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        ("child", r"child\.yml:2: extends: child extends child: a circle"),
        ("nobody", r"child\.yml:2: extends: .*nobody\.yml: no such vendor file"),
        ("[a, b]", r"child\.yml:2: extends: name one vendor file"),
        ("broken", r"child\.yml:2: extends: .*broken\.yml:2: not YAML"),
    ],
)
def test_a_parent_that_cannot_be(folder: Path, parent: str, message: str) -> None:
    (folder / "broken.yml").write_text("a: [\n", encoding="utf-8")
    with pytest.raises(VendorError, match=message):
        load_vendor(put(folder, CHILD.replace("extends: base", f"extends: {parent}")))


def test_a_circle_of_two(folder: Path) -> None:
    put(folder, CHILD.replace("extends: base", "extends: other"))
    put(folder, CHILD.replace("vendor: child", "vendor: other").replace("extends: base", "extends: child"))
    with pytest.raises(VendorError, match=r"child extends other extends child: a circle"):
        load_vendor("child")


def test_a_file_that_extends_one_of_its_own_name_mends_what_comes_with_meterhouse(folder: Path) -> None:
    put(folder, "vendor: vendor_b\nextends: vendor_b\ndescription: ours\nprofiles: {block: {interval_min: 15}}\n")
    v = load_vendor("vendor_b")
    assert (v.description, v.profile("block").interval_min) == ("ours", 15)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("to: voltage_dv, unit: V", "to: at", r"base\.yml:13: .*at is the time of a quantity: name it|at does not belong"),
        ("to: voltage_dv, unit: V", "to: voltage_dv, unit: V, zone: 2", r"a block profile has no TOD zones"),
        ("to: voltage_dv, unit: V", "to: voltage_dv, unit: Volt", r"'Volt' is not allowed. Allowed: Wh, kWh"),
        ("format: csv_long", "format: csv_logn", r"csv_logn is not known: csv_long, csv_wide, json, xml"),
        ("make: MAKE, firmware: FW}", "codes: {x: y}}", r"payload\.codes\.x: 'y' is no OBIS code"),
        ("from: V,", "from: V, for: {colour: red},", r"for\.colour: unknown field. Known here: firmware, make, serial"),
        ("kind: daily\n    stamp: END\n", "kind: daily\n", r"profiles\.daily: no stamp"),
    ],
)
def test_faults_of_the_new_words(folder: Path, old: str, new: str, message: str) -> None:
    assert old in BASE
    with pytest.raises(VendorError, match=message):
        load_vendor(put(folder, BASE.replace(old, new)))


def test_for_needs_to_know_where_the_make_stands(folder: Path) -> None:
    text = BASE.replace(", make: MAKE, firmware: FW", "").replace("from: V,", "from: V, for: {make: X},")
    with pytest.raises(VendorError, match=r"for\.make: where does the payload state it\? Name the path or column as payload\.make"):
        load_vendor(put(folder, text))


def test_a_time_names_its_quantity(folder: Path) -> None:
    text = BASE + "      - {from: MD_TIME, to: at}\n"
    with pytest.raises(VendorError, match=r"at is the time of a quantity: name it, as in"):
        load_vendor(put(folder, text))


MAKES = "\n".join(
    [
        "METER,MAKE,FW,END,KWH,V",
        "A1,Alpha Ltd,1.0,01-10-2026 00:30,5,230",
        "A2,Alpha Ltd,2.7,01-10-2026 00:30,5,230",
        "B1,Beta,2.7,01-10-2026 00:30,5,230",
        "Z1,Beta,2.7,01-10-2026 00:30,5,230",
        "",
    ]
)


def test_lines_of_some_meters_have_a_map_of_their_own(folder: Path) -> None:
    """Domain 1.11: scalers are not fixed by the code, they differ by make and firmware."""
    own = """\
      - {from: KWH, to: import_wh, unit: Wh, for: {make: "alpha*", firmware: "2.*"}}
      - {from: KWH, to: import_wh, unit: MWh, for: {serial: "Z*"}}
"""
    put(folder, CHILD.replace("      - {from: KWH, to: import_wh, unit: Wh}\n", own).replace('payload: {delimiter: ";"}\n', ""))
    d = take("child", "b_1.csv", MAKES)
    assert d.rejections == []
    f = d.profiles[0].frame.set_index("serial")["import_wh"]
    assert f.to_dict() == {"A1": 5000, "A2": 5, "B1": 5000, "Z1": 5_000_000}
    assert d.values_read == 8, "each cell is one value"


BILLING = """\
vendor: bills
description: one line a bill
transport: {kind: file, files: {billing: ["*.csv"]}}
payload: {format: csv_long, serial: METER}
time: {zone: Asia/Kolkata, stamp: start, formats: ["%d-%m-%Y %H:%M"]}
profiles:
  billing:
    kind: billing
    stamp: BILL_DATE
    values:
      - {from: KWH, to: import_wh, unit: kWh}
      - {from: "KWH_TZ{zone}", to: import_wh, unit: kWh}
      - {from: MD_KW, to: md_import_w, unit: kW}
      - {from: MD_TIME, to: at, of: md_import_w}
      - {from: RELAY, to: relay_closed_flag, words: {ON: 1, OFF: 0}}
      - {from: PF, to: power_factor_milli, optional: true}
      - {from: PF_PERCENT, to: power_factor_milli, unit: "%", optional: true}
"""


def test_billing_lines_with_zones_times_and_words(folder: Path) -> None:
    put(folder, BILLING)
    text = (
        "METER,BILL_DATE,KWH,KWH_TZ1,KWH_TZ8,MD_KW,MD_TIME,RELAY,PF_PERCENT\n"
        "M1,01-04-2026 00:00,100.5,40,60.5,3.2,14-03-2026 19:30,ON,98\n"
        "M2,15-03-2026 14:10,100.5,,,3.2,never,OFF,97\n"
    )
    d = take("bills", "x.csv", text)
    f = d.values[0].frame
    one = f[f["serial"] == "M1"]
    assert {(q, z): v for q, z, v in zip(one["quantity"], one["zone"], one["value"], strict=True)} == {
        ("import_wh", 0): 100_500,
        ("import_wh", 1): 40_000,
        ("import_wh", 8): 60_500,
        ("md_import_w", 0): 3200,
        ("relay_closed_flag", 0): 1,
        ("power_factor_milli", 0): 980,
    }
    assert set(one["day"]) == {pd.Timestamp("2026-03-31")}, "1 April 00:00 bills March, also where other stamps name the start"
    assert one.set_index("quantity")["at"]["md_import_w"] == pd.Timestamp("2026-03-14 14:00", tz="UTC")
    two = f[f["serial"] == "M2"]
    assert set(two["day"]) == {pd.Timestamp("2026-03-15")}, "a reset in mid-month closes its own day"
    assert two.set_index("quantity")["at"].isna().all()
    assert [(r.reason, r.values) for r in d.rejections] == [(Reason.BAD_STAMP, 0)], "the time is refused, its value stands"


def test_an_unknown_column_is_kept_with_its_name(folder: Path) -> None:
    d = take("base", "d_1.csv", "METER,END,KWH,THD\nM1,02-10-2026 00:00,5,7\n")
    assert [(r.reason, r.code, r.profile, r.values) for r in d.rejections] == [(Reason.UNKNOWN_OBIS, "THD", "daily", 1)]


FLAT = """\
vendor: flat
description: fields
transport: {kind: file, files: {all: ["*.json"]}}
payload: {format: json, rows: "items[]", serial: m}
time: {zone: Asia/Kolkata, stamp: end, formats: [epoch_s]}
profiles:
  instant:
    kind: instant
    stamp: t
    values:
      - {from: v, to: voltage_r_mv, unit: V}
      - {from: relay, to: relay_closed_flag}
    ignore: [note]
"""


def test_fields_of_json_that_nobody_knows_are_kept_with_their_name(folder: Path) -> None:
    put(folder, FLAT)
    rows = '{"items": [{"m": "M1", "t": 1790000000, "v": 230.1, "relay": true, "note": "x", "thd": 4.1, "list": [], "none": null}]}'
    d = take("flat", "a.json", rows)
    assert dict(zip(d.values[0].frame["quantity"], d.values[0].frame["value"], strict=True)) == {
        "voltage_r_mv": 230_100,
        "relay_closed_flag": 1,
    }
    assert [(r.reason, r.code, r.profile) for r in d.rejections] == [(Reason.UNKNOWN_OBIS, "thd", "instant")]


UNITS = [
    ("import_wh", "kWh", 3),
    ("import_wh", "MWh", 6),
    ("import_vah", "VAh", 0),
    ("q4_varh", "Mvarh", 6),
    ("md_import_w", "kW", 3),
    ("md_import_va", "MVA", 6),
    ("reactive_power_var", "kvar", 3),
    ("voltage_r_mv", "V", 3),
    ("voltage_r_mv", "kV", 6),
    ("voltage_dv", "mV", -2),
    ("current_n_ma", "A", 3),
    ("frequency_mhz", "Hz", 3),
    ("power_factor_milli", None, 3),
    ("power_factor_milli", "%", 1),
    ("power_on_min", "min", 0),
    ("clock_drift_s", "s", 0),
    ("clock_drift_s", "ms", -3),
    ("tamper_count", None, 0),
    ("signal_dbm", "dBm", 0),
    ("temperature_mdegc", "degC", 3),
]


@pytest.mark.parametrize(("to", "unit", "power"), UNITS)
def test_units(to: str, unit: str | None, power: int) -> None:
    assert ValueMap((), to, unit=unit).exponent() == power
    assert ValueMap((), to, unit=unit).exponent(scaler=-2) == power - 2, "a scaler of the payload counts"
    assert ValueMap((), to, unit=unit, scaler=1).exponent() == power + 1, "else the map's"
    assert ValueMap((), to, unit=unit, scaler=1).exponent(scaler=-2) == power - 2, "once, never both"
    assert ValueMap((), to, unit=unit, scaler=1, force=True).exponent("V", -2) == power + 1, "unless the map insists"


@pytest.mark.parametrize("unit", ["A", "kWh", "V", "min"])
def test_a_unit_of_another_quantity_does_not_fit(unit: str) -> None:
    with pytest.raises(ValueError, match="does not fit power_factor_milli"):
        ValueMap((), "power_factor_milli").exponent(unit)


def _kinds() -> Iterator[str]:
    yield from ("block", "daily", "event", "instant", "billing", "nameplate", "status")


@pytest.mark.parametrize("kind", _kinds())
def test_a_wrong_target_is_told_with_those_that_fit(folder: Path, kind: str) -> None:
    text = FLAT.replace("kind: instant", f"kind: {kind}\n    interval_min: 30").replace("to: voltage_r_mv, unit: V", "to: nonsense")
    text = text.replace("      - {from: relay, to: relay_closed_flag}\n", "")
    if kind == "nameplate":
        assert load_vendor(put(folder, text)).profile("instant").values[0].to == "nonsense", "a nameplate takes any name"
        return
    with pytest.raises(VendorError, match=rf"nonsense does not belong in a {kind} profile: .*stamp"):
        load_vendor(put(folder, text))


@pytest.mark.parametrize("body", ['{"error": "try later"}', '{"item": []}', "[1]", "5", '"text"'])
def test_a_message_of_another_kind_is_kept(folder: Path, body: str) -> None:
    put(folder, FLAT)
    d = take("flat", "a.json", body)
    assert [r.reason for r in d.rejections] == [Reason.MALFORMED]
    assert "none of items is there" in d.rejections[0].detail
    assert take("flat", "a.json", '{"items": []}').rejections == [], "an empty list is no fault"


def test_headings_with_an_obis_code_in_brackets(folder: Path) -> None:
    text = BASE.replace("vendor: base", "vendor: brackets").replace(
        "serial: METER, make: MAKE, firmware: FW", "serial: METER, columns: obis"
    )
    text = (
        text.replace("from: [KWH, E_KWH]", "from: 1.0.1.29.0.255")
        .replace("from: V,", "from: 0100201B00FF,")
        .replace("from: KWH", "from: 1.8.0")
    )
    put(folder, text)
    d = take("brackets", "b_1.csv", "METER,END,KWh Imp. [1.0.1.29.0.255],V [1-0:32.27.0*255]\nM1,01-10-2026 00:30,0.5,230\n")
    assert d.rejections == []
    assert d.profiles[0].frame[["import_wh", "voltage_dv"]].to_numpy().tolist() == [[500, 2300]]
