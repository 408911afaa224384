"""Each style of head-end system that domain.md 2.1 found: a sample as it comes, what lands of it, and the trap that it is known for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from ingestion.canonical import Delivery
from ingestion.readers import read
from ingestion.vendor import load_vendor
from warehouse.codes import Reason

SAMPLES = Path(__file__).parent.parent / "data" / "hes"
ARRIVAL = datetime(2026, 10, 3, tzinfo=UTC)


def sample(vendor: str, name: str) -> Delivery:
    return read(load_vendor(vendor), name, (SAMPLES / vendor / name).read_bytes(), ARRIVAL)


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def values(delivery: Delivery, profile: str, serial: str | None = None) -> dict[tuple[str, int], int]:
    """(quantity, zone) -> value of the one row of a profile and meter."""
    frames = [v.frame for v in delivery.values if v.profile == profile]
    f = pd.concat(frames)
    f = f if serial is None else f[f["serial"] == serial]
    assert f["read_at"].nunique() == 1, "one row was expected"
    return {(q, z): v for q, z, v in zip(f["quantity"], f["zone"], f["value"], strict=True)}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_sample_is_read_and_all_its_values_are_counted(path: Path) -> None:
    d = sample(path.parent.name, path.name)
    assert d.values_read > 0, f"nothing was read: {d.rejections}"
    assert {r.reason for r in d.rejections} <= {Reason.UNKNOWN_OBIS, Reason.WRONG_UNIT}, d.rejections
    assert all(r.code for r in d.rejections), "what no map knows must be listed by its code"


def test_a_dlms_json_has_every_profile() -> None:
    d = sample("generic_dlms_json", "profiles_20261002.json")
    assert d.rejections == []
    block = d.profiles[0].frame.iloc[0]
    assert block[["import_wh", "voltage_dv", "current_ma"]].tolist() == [95, 2302, 830]
    register = d.registers[0].frame.iloc[0]
    assert (register["import_wh"], register["day"]) == (950, pd.Timestamp("2026-10-01")), "scaler +1 once, never from formattedValue"
    now = values(d, "instant")
    assert now["voltage_r_mv", 0] == 230_150
    assert now["frequency_mhz", 0] == 49_800
    assert now["power_factor_milli", 0] == 980
    assert now["relay_closed_flag", 0] == 1
    assert now["load_limit_w", 0] == 5000, "attribute 3 of the limiter"
    assert now["billing_count", 0] == 11, "unit 0 is no unit, as 255 is"
    f = next(v.frame for v in d.values if v.profile == "instant").set_index("quantity")
    assert f.loc["md_import_w", "at"] == utc("2026-09-30 13:30"), "the same OBIS twice: attribute 2 is the value, 5 the time"
    assert pd.isna(f.loc["md_import_va", "at"]), "a demand that never was has a date of FF octets: no time"
    assert f.loc["billing_count", "at"] == utc("2026-09-30 18:30"), "the last billing date goes with the count"
    assert f.loc["import_wh", "read_at"] == utc("2026-10-01 09:00:12"), "deviation -330 is IST too"


def test_a_billing_row_has_zones_and_belongs_to_the_month_before() -> None:
    d = sample("generic_dlms_json", "profiles_20261002.json")
    f = next(v.frame for v in d.values if v.profile == "billing")
    assert set(f["day"]) == {pd.Timestamp("2026-09-30")}, "stamped 1 October 00:00: it closes September"
    assert set(f["read_at"]) == {utc("2026-09-30 18:30")}, "an unspecified deviation is IST"
    bill = values(d, "billing")
    assert [bill["import_wh", z] for z in range(9)] == [80000 + 100 * z for z in range(9)]
    demand = f[f["quantity"] == "md_import_w"].set_index("zone")["at"]
    assert demand[8] == utc("2026-09-09 13:00"), "each zone has the time of its own demand"


def test_a_events_carry_what_the_meter_noted_beside_them() -> None:
    e = sample("generic_dlms_json", "profiles_20261002.json").events[0].frame.iloc[0]
    assert (e["code"], e["occurred_at"]) == (51, utc("2026-10-01 08:32:11"))
    assert e["detail"] == {"sequence": 7, "voltage_r_mv": 231_000, "import_wh": 950}


def test_a_nameplate_and_status_word() -> None:
    d = sample("generic_dlms_json", "profiles_20261002.json")
    plate = d.nameplates[0].frame
    said = dict(zip(plate["attribute"], plate["text"], strict=True))
    assert said["firmware"] == "V1.02.03"
    assert said["category"] == "D1"
    assert said["year_of_manufacture"] == "2025"
    assert said["ct_ratio"] == "100.0", "the scaler holds for a nameplate's number too"
    assert plate["read_at"].iloc[0] == utc("2026-10-01 19:11:07"), "a nameplate without a clock was read when it was received"
    word = d.status_words[0].frame["word"].iloc[0]
    assert [i for i in range(128) if word[i // 8] & 0x80 >> i % 8] == [81, 85], "bit 0 is the most significant of the first octet"


def test_b_the_unit_is_the_vendor_files_whatever_the_name_says() -> None:
    d = sample("generic_mdas_json", "block_load.json")
    f = d.profiles[0].frame
    assert f["import_wh"].tolist() == [95, 90], "blockEnergyKwhImport is in Wh: 95 is 95 Wh, not 95 kWh"
    assert f["start"].tolist() == [utc("2026-09-30 18:30"), utc("2026-10-01 18:00")], "24:00 ends the last block of the day"
    bill = values(sample("generic_mdas_json", "billing.json"), "billing")
    assert bill["md_import_w", 3] == 3003, "a tier is a TOD zone"
    assert bill["power_factor_milli", 0] == 970
    detail = sample("generic_mdas_json", "events.json").events[0].frame["detail"].iloc[0]
    assert detail == {"eventDescription": "Power failure", "sequence": 17}


def test_c_one_register_has_many_codes_and_the_history_is_billing() -> None:
    d = sample("generic_mios", "CDF_MI000001.xml")
    assert d.rejections == []
    assert d.profiles[0].frame["import_wh"].tolist() == [95, 90], "P7-1-5-2-0 in a load survey is kWh of the block"
    assert d.registers[0].frame["import_wh"].tolist() == [74_860_900], "P7-1-18-1-0 is the register"
    f = next(v.frame for v in d.values if v.profile == "billing")
    assert f[f["quantity"] == "import_wh"]["value"].tolist() == [74_700_500, 73_100_000], "P7-1-18-0-0 and P7-1-13-2-0"
    assert f[f["quantity"] == "import_wh"]["day"].tolist() == [pd.Timestamp("2026-09-30"), pd.Timestamp("2026-08-31")]
    assert values(d, "instant")["voltage_r_mv", 0] == 231_400


def test_d_hex_is_not_decimal() -> None:
    d = sample("generic_hex_obis", "01_00_63_01_00_FF_20261001.csv")
    assert d.rejections == []
    f = d.profiles[0].frame
    assert f["import_wh"].tolist() == [95, 90], "01_00_01_1D_00_FF is 1.0.1.29.0.255"
    assert f["voltage_dv"].tolist() == [2302, 2298]
    assert sample("generic_hex_obis", "01_00_63_02_00_FF_20261002.csv").registers[0].frame["import_wh"].tolist() == [74_860_900]


def test_e_reduced_identifiers_and_pairs() -> None:
    d = sample("generic_edis", "readout_20261002.json")
    r = d.registers[0].frame.iloc[0]
    assert (r["import_wh"], r["export_wh"], r["md_import_w"]) == (74_860_900, 12_500, 3210), "1-0:1.8.0*255, 1-0:2.8.0 and 1.6.0"
    assert r["day"] == pd.Timestamp("2026-10-01"), "18:30 UTC is midnight in India"
    assert values(d, "daily") == {("import_wh", 1): 20_000_100}
    assert values(d, "instant") == {("voltage_r_mv", 0): 231_400, ("power_factor_b_milli", 0): 970}, "73.25 is the maker's own"
    assert [(x.code, x.reason) for x in d.rejections] == [("14.7", Reason.UNKNOWN_OBIS)], (
        "a pair that nobody has explained is never guessed"
    )


def test_h_the_period_says_what_a_logger_is_and_scalers_are_borrowed() -> None:
    d = sample("generic_loggers", "loggers_20261002.json")
    p = d.profiles[0]
    assert p.interval_min == 15, "1.0.99.2.0.255 is a logger of 900 s here, not the daily profile"
    assert p.frame["voltage_dv"].tolist() == [2302, 2302], "23015 with the scaler -2 of 1.0.32.7.0.255"
    assert p.frame["import_wh"].tolist() == [120, 110], "12 with the scaler +1 of 1.0.1.8.0.255"
    assert d.registers[0].frame["import_wh"].tolist() == [748_600], "1.0.99.128.0.255 is the daily one"
    assert [(r.code, r.reason, r.values) for r in d.rejections] == [
        ("rows", Reason.UNKNOWN_OBIS, 1),
        ("1.0.3.29.0.255", Reason.WRONG_UNIT, 2),
    ], "a logger that is neither, and a scaler that is nowhere stated: never guessed"


def test_i_codes_of_makers_hold_for_their_meters_only() -> None:
    d = sample("generic_makes", "profiles_20261002.json")
    assert values(d, "instant", "MA000001") == {("current_n_ma", 0): 410, ("temperature_mdegc", 0): 31_000, ("import_wh", 0): 950}
    assert values(d, "instant", "MB000001") == {("import_wh", 0): 7000, ("signal_dbm", 0): -71}, "firmware 2.* says Wh and counts kWh"
    assert values(d, "instant", "MB000002") == {("import_wh", 0): 7000}, "firmware 3.0 is right"
    assert sorted((r.code, r.serial) for r in d.rejections) == [
        ("0.128.162.27.128.255", "MB000001"),
        ("0.128.96.0.13.255", "MA000001"),
    ], "kept with code and meter for `hes unmapped`"
