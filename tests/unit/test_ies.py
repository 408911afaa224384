"""India Energy Stack MeterData v0.6: every published example imports to the figures that stand in it, an invalid case says why not.

The expected figures were taken from the examples by hand. The files are not part of the repository: without them, tests are skipped.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ingestion.canonical import Delivery
from ingestion.readers import read
from ingestion.vendor import load_vendor
from warehouse.codes import Quality, Reason

ARRIVAL = datetime(2026, 10, 2, 4, 0, tzinfo=UTC)
METER = "DISCOM-SM-2025-654321"
OTHER = "DISCOM-SM-2025-999999"


def ies(payload: Any) -> Delivery:
    return read(load_vendor("ies_meterdata"), "a.json", json.dumps(payload).encode(), ARRIVAL)


@pytest.fixture
def example(real_data: Path) -> Any:
    """Reads one file of the standard's folder."""
    folder = real_data / "india_energy_stack" / "MeterData-v0.6"

    def load(name: str, where: str = "examples") -> Delivery:
        return read(load_vendor("ies_meterdata"), f"{name}.json", (folder / where / f"{name}.json").read_bytes(), ARRIVAL)

    return load


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).tz_convert("UTC")


def values(d: Delivery, profile: str) -> dict[tuple[str, str, str, int], int]:
    """(serial, read_at in IST, quantity, zone) -> value."""
    out = {}
    for v in d.values:
        if v.profile == profile:
            for r in v.frame.itertuples():
                out[r.serial, r.read_at.tz_convert("Asia/Kolkata").strftime("%Y-%m-%d %H:%M"), r.quantity, r.zone] = int(r.value)
    return out


def times(d: Delivery) -> dict[tuple[str, str], str]:
    """(serial, quantity) -> time of the demand in IST, where there is one."""
    frame = pd.concat([v.frame for v in d.values])
    frame = frame[frame["at"].notna()]
    return {(r.serial, r.quantity): r.at.tz_convert("Asia/Kolkata").strftime("%Y-%m-%d %H:%M") for r in frame.itertuples()}


COUNTS = {
    "IntervalProfile": 8,
    "IntervalProfile_Elaborated": 8,
    "DailyProfile": 28,
    "DailyProfile_Elaborated": 28,
    "DailyProfile_ReadingMode": 4,
    "EventProfile": 7,
    "AlarmProfile": 3,
    "Billing_MonthlyProfile": 12,
    "MonthlyProfile": 11,
    "MDM_MonthlyProfile": 21,
    "MonthlyProfile_MultipleResets": 6,
    "InstantaneousProfile": 17,
    "AggregatedFeeder": 96,
    "Anonymised_Telemetry_Response": 16,
    "Anonymised_Topology_Example": 0,
    "BillDetails": 0,
    "CustomerBillingSummary": 9,
    "CustomerProfile": 0,
    "MultiMeterBulkDataset": 28,
    "MultiMeterBulkDataset_Elaborated": 28,
}
"""Values in each example: a usage and the register that closes it are two, a time of demand is none of its own."""


def test_no_example_is_forgotten(real_data: Path) -> None:
    files = {p.stem for p in (real_data / "india_energy_stack" / "MeterData-v0.6" / "examples").glob("*.json")}
    assert files == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_every_example_imports_whole(name: str, example: Any) -> None:
    d = example(name)
    assert d.rejections == []
    assert d.values_read == COUNTS[name]


def test_what_is_left_out_is_stated() -> None:
    assert load_vendor("ies_meterdata").ignore_profiles == {"DESCRIPTOR", "CUSTOMER"}


@pytest.mark.parametrize("name", ["IntervalProfile", "IntervalProfile_Elaborated"])
def test_interval_profile(name: str, example: Any) -> None:
    (p,) = example(name).profiles
    assert p.interval_min == 30
    assert p.frame["start"].iloc[0] == utc("2026-05-04 09:00+05:30")
    assert p.frame[["serial", "import_wh", "export_wh"]].values.tolist() == [
        [METER, 4620, 0],
        [METER, 4850, 0],
        [METER, 5210, 120],
        [METER, 5040, 0],
    ]
    quality = list(p.frame["quality"]) if "quality" in p.frame else None
    assert quality == ([pd.NA, pd.NA, int(Quality.ESTIMATED), pd.NA] if name == "IntervalProfile" else None), "VEE flag of 10:00"


@pytest.mark.parametrize("name", ["DailyProfile", "DailyProfile_Elaborated"])
def test_daily_profile(name: str, example: Any) -> None:
    d = example(name)
    (r,) = d.registers
    f = r.frame
    assert f["import_wh"].tolist() == [1_000_000, 1_005_200, 1_011_800, 1_016_500, 1_022_700, 1_028_300, 1_034_900]
    assert f["md_import_w"].tolist() == [8420, 9150, 8740, 7920, 9410, 6180, 6020]
    assert f["day"].iloc[[0, 6]].tolist() == [pd.Timestamp("2026-05-04"), pd.Timestamp("2026-05-10")]
    assert f["read_at"].iloc[0] == utc("2026-05-05 00:00+05:30"), "the period's end is when the register was read"
    assert f["md_import_at"].iloc[[0, 6]].tolist() == [utc("2026-05-04 19:30+05:30"), utc("2026-05-10 14:00+05:30")]
    assert values(d, "daily") == {(METER, f"2026-05-{5 + k:02} 00:00", "q1_varh", 0): 0 for k in range(7)}


def test_daily_profile_without_units_or_obis(example: Any) -> None:
    f = example("DailyProfile_ReadingMode").registers[0].frame
    assert f["import_wh"].tolist() == [1_000_000, 1_005_500, 1_012_300, 1_018_000], "the short code's unit is kWh"


def test_event_profile(example: Any) -> None:
    f = example("EventProfile").events[0].frame
    assert f["code"].tolist() == [101, 102, 1, 11, 201, 301, 305]
    assert f["occurred_at"].iloc[0] == utc("2026-05-04 03:12:45+05:30")
    assert f["detail"].iloc[2] == {"eventName": "VOLTAGE_MISSING", "sequence": 1236, "magnitude": 0.0, "duration": "PT15S"}


def test_alarm_profile(example: Any) -> None:
    f = example("AlarmProfile").events[0].frame
    assert f["code"].tolist() == [251, 10801, 10], "cover open, low balance (no code in IS 15959), the end of a voltage sag"
    assert f["occurred_at"].iloc[2] == utc("2026-05-22 11:00+05:30")
    assert f["detail"].iloc[1] == {"alarmId": 8, "alarmName": "Low Prepayment Balance", "status": "ACTIVE", "severity": "WARNING"}


def test_billing_with_usage_alone(example: Any) -> None:
    d = example("Billing_MonthlyProfile")
    assert values(d, "billing") == {
        (METER, "2026-04-01 00:00", "usage_import_wh", 0): 395_000,
        (METER, "2026-04-01 00:00", "usage_import_vah", 0): 405_000,
        (METER, "2026-04-01 00:00", "usage_export_wh", 0): 0,
        (METER, "2026-04-01 00:00", "md_import_w", 0): 7820,
        (METER, "2026-05-01 00:00", "usage_import_wh", 0): 412_500,
        (METER, "2026-05-01 00:00", "usage_import_vah", 0): 421_800,
        (METER, "2026-05-01 00:00", "usage_export_wh", 0): 0,
        (METER, "2026-05-01 00:00", "md_import_w", 0): 8420,
        (OTHER, "2026-05-01 00:00", "usage_import_wh", 0): 150_000,
        (OTHER, "2026-05-01 00:00", "usage_import_vah", 0): 155_000,
        (OTHER, "2026-05-01 00:00", "usage_export_wh", 0): 0,
        (OTHER, "2026-05-01 00:00", "md_import_w", 0): 3420,
    }
    assert set(d.values[0].frame["day"]) == {pd.Timestamp("2026-03-31"), pd.Timestamp("2026-04-30")}, "the month before"


MAY = "2026-05-01 00:00"
TOU = {
    (METER, MAY, "import_wh", 1): 138_200,
    (METER, MAY, "import_wh", 2): 62_400,
    (METER, MAY, "import_wh", 3): 174_000,
    (METER, MAY, "import_wh", 4): 37_900,
}
"""Registers, for so the example's descriptors have it (reportedMode READING), though its figures add up to the month's usage."""


def test_monthly_with_registers_and_tod_zones(example: Any) -> None:
    d = example("MonthlyProfile")
    assert values(d, "billing") == {
        (METER, MAY, "usage_import_wh", 0): 412_500,
        (METER, MAY, "import_wh", 0): 18_845_000,
        (METER, MAY, "usage_import_vah", 0): 421_800,
        (METER, MAY, "import_vah", 0): 19_137_200,
        (METER, MAY, "usage_export_wh", 0): 0,
        (METER, MAY, "export_wh", 0): 0,
        (METER, MAY, "md_import_w", 0): 8420,
        **TOU,
    }
    assert times(d) == {(METER, "md_import_w"): "2026-04-23 19:30"}


def test_a_bill_with_readings(example: Any) -> None:
    d = example("CustomerBillingSummary")
    assert values(d, "billing") == {
        (METER, MAY, "usage_import_wh", 0): 412_500,
        (METER, MAY, "import_wh", 0): 18_845_000,
        (METER, MAY, "usage_import_vah", 0): 421_800,
        (METER, MAY, "import_vah", 0): 19_137_200,
        (METER, MAY, "md_import_w", 0): 8420,
        **TOU,
    }


def test_monthly_history_of_the_mdm(example: Any) -> None:
    d = example("MDM_MonthlyProfile")
    closing = {k: v for k, v in values(d, "billing").items() if not k[2].startswith("usage") and k[2] != "export_wh"}
    assert closing == {
        (METER, "2026-04-01 00:00", "import_wh", 0): 18_432_500,
        (METER, "2026-04-01 00:00", "import_vah", 0): 18_715_400,
        (METER, "2026-04-01 00:00", "md_import_w", 0): 7820,
        (METER, MAY, "import_wh", 0): 18_845_000,
        (METER, MAY, "import_vah", 0): 19_137_200,
        (METER, MAY, "md_import_w", 0): 8420,
        (OTHER, MAY, "import_wh", 0): 1_150_000,
        (OTHER, MAY, "import_vah", 0): 1_205_000,
        (OTHER, MAY, "md_import_w", 0): 3420,
    }


def test_two_resets_in_a_month_are_two_rows(example: Any) -> None:
    assert values(example("MonthlyProfile_MultipleResets"), "billing") == {
        (METER, "2026-04-16 00:00", "usage_import_wh", 0): 200_000,
        (METER, "2026-04-16 00:00", "import_wh", 0): 18_632_500,
        (METER, "2026-04-16 00:00", "md_import_w", 0): 4200,
        (METER, "2026-04-30 00:00", "usage_import_wh", 0): 212_500,
        (METER, "2026-04-30 00:00", "import_wh", 0): 18_845_000,
        (METER, "2026-04-30 00:00", "md_import_w", 0): 8420,
    }


def test_instantaneous_profile(example: Any) -> None:
    d = example("InstantaneousProfile")
    expected = {
        "voltage_r_mv": 231_200,
        "voltage_y_mv": 230_800,
        "voltage_b_mv": 232_100,
        "current_r_ma": 12_400,
        "current_y_ma": 11_900,
        "current_b_ma": 12_800,
        "power_factor_r_milli": 930,
        "power_factor_y_milli": 950,
        "power_factor_b_milli": 940,
        "power_factor_milli": 940,
        "frequency_mhz": 50_020,
        "active_power_w": 8320,
        "reactive_power_var": 2100,
        "apparent_power_va": 8580,
        "import_wh": 18_723_400,
        "export_wh": 0,
        "md_import_w": 8420,
    }
    assert values(d, "instant") == {(METER, "2026-05-11 14:32", q, 0): v for q, v in expected.items()}
    assert times(d) == {(METER, "md_import_w"): "2026-04-23 19:30"}
    assert set(d.values[0].frame["day"]) == {pd.Timestamp("2026-05-11")}


def test_aggregated_feeder(example: Any) -> None:
    (p,) = example("AggregatedFeeder").profiles
    assert set(p.frame["serial"]) == {"FDR-11KV-NDL-072"}
    assert (len(p.frame), p.interval_min) == (48, 30)
    assert p.frame["import_wh"].iloc[[0, 20, 47]].tolist() == [600_000, 1_000_000, 620_000]
    assert (int(p.frame["import_wh"].sum()), int(p.frame["export_wh"].sum())) == (40_230_000, 9_600_000)
    assert p.frame["start"].iloc[47] == utc("2026-05-18 23:30+05:30")


def test_anonymised_telemetry_of_two_meters(example: Any) -> None:
    (p,) = example("Anonymised_Telemetry_Response").profiles
    assert p.frame.groupby("serial")[["import_wh", "export_wh"]].sum().values.tolist() == [[4950, 0], [0, 10_200]]


@pytest.mark.parametrize("name", ["MultiMeterBulkDataset", "MultiMeterBulkDataset_Elaborated"])
def test_bulk_of_several_meters_and_profiles(name: str, example: Any) -> None:
    d = example(name)
    by_minutes = {p.interval_min: p.frame for p in d.profiles}
    assert by_minutes[30][["serial", "import_wh", "import_vah"]].values.tolist() == [
        ["METER-GENUS-01", 14_500, 15_100],
        ["METER-GENUS-01", 16_200, 16_800],
    ]
    assert by_minutes[15][["serial", "import_wh"]].values.tolist() == [["METER-HPL-02", 2100], ["METER-HPL-02", 2400]]
    f = d.registers[0].frame
    assert f[["serial", "import_wh", "import_vah"]].values.tolist() == [
        ["METER-GENUS-01", 24_512_400, 25_134_800],
        ["METER-HPL-02", 4_325_700, pd.NA],
    ]
    assert values(d, "billing") == {
        ("METER-GENUS-01", MAY, "usage_import_wh", 0): 5_800_000,
        ("METER-GENUS-01", MAY, "import_wh", 0): 24_300_000,
        ("METER-GENUS-01", MAY, "usage_import_vah", 0): 6_050_000,
        ("METER-GENUS-01", MAY, "import_vah", 0): 24_950_000,
        ("METER-GENUS-01", MAY, "md_import_w", 0): 42_500,
        ("METER-GENUS-01", MAY, "import_wh", 1): 1_500_000,
        ("METER-GENUS-01", MAY, "import_wh", 2): 2_400_000,
        ("METER-HPL-02", MAY, "usage_import_wh", 0): 950_000,
        ("METER-HPL-02", MAY, "import_wh", 0): 4_150_000,
    }
    assert values(d, "instant") == {
        ("METER-GENUS-01", "2026-05-18 12:00", "voltage_r_mv", 0): 240_200,
        ("METER-GENUS-01", "2026-05-18 12:00", "voltage_y_mv", 0): 239_800,
        ("METER-GENUS-01", "2026-05-18 12:00", "voltage_b_mv", 0): 241_100,
        ("METER-GENUS-01", "2026-05-18 12:00", "current_r_ma", 0): 58_400,
        ("METER-HPL-02", "2026-05-18 12:00", "voltage_r_mv", 0): 238_500,
        ("METER-HPL-02", "2026-05-18 12:00", "current_r_ma", 0): 14_200,
    }
    codes = pd.concat([e.frame for e in d.events])[["serial", "code"]].values.tolist()
    assert codes == [["METER-GENUS-01", 101], ["METER-GENUS-01", 102], ["METER-HPL-02", 205], ["METER-HPL-02", 251]]


@pytest.mark.parametrize("name", ["invalid_missing_descriptor", "invalid_missing_descriptor_ref"])
def test_invalid_cases_say_why(name: str, example: Any) -> None:
    d = example(name, "validation")
    (r,) = d.rejections
    assert (r.reason, r.serial, d.values_read) == (Reason.MALFORMED, "TEST-METER", 0)
    assert "is not declared in this payload: send the DESCRIPTOR profile with it" in r.detail


def test_the_valid_case_is_read(example: Any) -> None:
    d = example("valid_interval_profile", "validation")
    assert (d.values_read, d.rejections) == (2, [])


# --- what the examples do not show ------------------------------------------------------------------------------------------------

SETS = {
    "profileType": "DESCRIPTOR",
    "id": "D",
    "payloadDescriptorSets": [
        {
            "name": "S",
            "payloadDescriptors": [
                {"readingType": "kWh imp", "obis": "1.0.1.8.0.255", "unit": "kWh", "reportedMode": "USAGE"},
                {"readingType": "MD kW", "obis": "1.0.1.6.0.255", "unit": "kW", "reportedMode": "USAGE"},
                {"readingType": "kWh imp block", "obis": "1-0:1.29.0*255", "unit": "kWh", "multiplier": 0.001},
            ],
            "compactSequences": [
                {
                    "name": "U",
                    "sequenceItems": [
                        {"readingType": "kWh imp"},
                        {"readingType": "kWh imp", "attribute": "openingValue"},
                        {"readingType": "kWh imp", "attribute": "closingValue"},
                        {"readingType": "MD kW", "attribute": "value"},
                    ],
                },
                {
                    "name": "B",
                    "sequenceItems": [{"readingType": "kWh imp block"}, {"readingType": "kWh imp block", "attribute": "validationStatus"}],
                },
            ],
        }
    ],
}
PERIOD = {"start": "2026-05-04T00:00:00+05:30", "duration": "P1D"}
HALF_HOUR = {"start": "2026-05-04T00:00:00+05:30", "duration": "PT30M"}


def profile(kind: str, **fields: Any) -> dict[str, Any]:
    return {"profileType": kind, "meterRefs": [{"scheme": "METER_SERIAL", "value": "M1"}], "payloadDescriptorSetRef": "S", **fields}


def test_usage_of_a_day_with_its_registers() -> None:
    overrides = [{"descriptorIndex": 1, "occurredAt": "2026-05-04T19:30:00+05:30"}]
    daily = profile(
        "DAILY",
        compactSequenceRef="U",
        intervalPeriod=PERIOD,
        intervals=[{"id": 0, "payloads": [5.2, 1000, 1005.2, 8.4], "overrides": overrides}],
    )
    d = ies([SETS, daily])
    assert d.rejections == []
    assert values(d, "daily") == {("M1", "2026-05-05 00:00", "usage_import_wh", 0): 5200}
    f = d.registers[0].frame
    assert f[["import_wh", "md_import_w"]].values.tolist() == [[1_005_200, 8400]]
    assert f["md_import_at"].iloc[0] == utc("2026-05-04 19:30+05:30"), "an override gives the time of a demand"


def test_an_opening_value_that_does_not_add_up_is_rejected() -> None:
    readings = [{"readingType": "kWh imp", "value": 5, "openingValue": 900, "closingValue": 1000}]
    d = ies([SETS, profile("MONTHLY", timePeriod={"start": PERIOD["start"], "duration": "P1M"}, readings=readings)])
    assert [r.detail for r in d.rejections] == ["openingValue 900 and value do not add up to the closingValue"]
    assert (d.values_read, d.values_rejected) == (2, 1), "usage and closing register stand"


def test_validation_status_in_the_sequence_and_of_readings() -> None:
    intervals = [
        {"id": 0, "payloads": [4620, "MANUAL"]},
        {"id": 1, "readings": [{"readingType": "kWh imp block", "value": 1500, "validationStatus": "SUSPECT"}]},
        {"id": 2, "payloads": [95, "VALID"]},
    ]
    f = ies([SETS, profile("INTERVAL", compactSequenceRef="B", intervalPeriod=HALF_HOUR, intervals=intervals)]).profiles[0].frame
    assert f["import_wh"].tolist() == [4620, 1500, 95], "multiplier 0.001: the figures are Wh"
    assert f["quality"].tolist() == [int(Quality.EDITED), int(Quality.QUESTIONABLE), int(Quality.ACTUAL)]


def test_readings_outside_of_intervals_have_periods_of_their_own() -> None:
    readings = [
        {"readingType": "kWh imp block", "value": 1000},
        {"readingType": "kWh imp block", "value": 2000, "timePeriod": {"start": "2026-05-04T01:00:00+05:30", "duration": "PT15M"}},
    ]
    d = ies([SETS, profile("INTERVAL", intervalPeriod=HALF_HOUR, readings=readings)])
    assert {p.interval_min: p.frame[["start", "import_wh"]].values.tolist() for p in d.profiles} == {
        30: [[utc("2026-05-04 00:00+05:30"), 1000]],
        15: [[utc("2026-05-04 01:00+05:30"), 2000]],
    }


def test_a_bucket_may_name_the_quantity_alone() -> None:
    bare = copy.deepcopy(SETS)
    bare["payloadDescriptorSets"][0]["payloadDescriptors"][0]["reportedMode"] = "READING"
    buckets = [
        {"zone": 3, "readings": [{"readingType": "kWh imp", "value": 7}]},
        {"zone": 2, "readings": [{"readingType": "kWh TZ1", "value": 7}]},
    ]
    d = ies([bare, profile("MONTHLY", timePeriod={"start": PERIOD["start"], "duration": "P1M"}, touBuckets=buckets)])
    assert values(d, "billing") == {("M1", "2026-06-04 00:00", "import_wh", 3): 7000}
    assert ["stands in a bucket of zone 2" in r.detail for r in d.rejections] == [True]


def test_the_meter_is_the_serial_among_its_references() -> None:
    refs = [{"scheme": "DID", "value": "did:web:x:assets:meter:A-1"}, {"scheme": "METER_SERIAL", "value": "S-9"}]
    event = {"timestamp": PERIOD["start"], "eventId": 101}
    d = ies([{**profile("EVENT", events=[event]), "meterRefs": refs}, {**profile("EVENT", events=[event]), "meterRefs": refs[:1]}])
    assert d.events[0].frame["serial"].tolist() == ["S-9", "A-1"]


@pytest.mark.parametrize(
    ("what", "reason", "lost", "says"),
    [
        (profile("WEATHER", readings=[1, 2]), Reason.UNKNOWN_OBIS, 2, "profile type WEATHER is not known"),
        ("text", Reason.UNKNOWN_OBIS, 1, "profile type none"),
        (profile("INTERVAL", intervals=[{"id": 0, "payloads": [1]}]), Reason.MALFORMED, 1, "no intervalPeriod"),
        (profile("INTERVAL", intervalPeriod={**HALF_HOUR, "duration": "1h"}, intervals=[]), Reason.MALFORMED, 1, "not of the form PT30M"),
        (profile("INTERVAL", intervalPeriod={**HALF_HOUR, "duration": "P1M"}, intervals=[]), Reason.MALFORMED, 1, "not P1M"),
        (profile("DAILY", intervalPeriod=HALF_HOUR, intervals=[{"id": 0, "readings": [1]}]), Reason.MALFORMED, 1, "P1D"),
        (profile("INTERVAL", intervalPeriod=HALF_HOUR, intervals="x"), Reason.MALFORMED, 1, "intervals is not a list"),
        (profile("INTERVAL", intervalPeriod=HALF_HOUR, intervals=["x"]), Reason.MALFORMED, 1, "not an object"),
        (
            profile("INTERVAL", intervalPeriod=HALF_HOUR, compactSequenceRef="B", intervals=[{"id": 0, "payloads": [1, "VALID", 3]}]),
            Reason.MALFORMED,
            3,
            "3 payloads for the 2 items",
        ),
        (
            profile("INTERVAL", intervalPeriod=HALF_HOUR, compactSequenceRef="B", intervals=[{"id": "x", "payloads": [1, "VALID"]}]),
            Reason.MALFORMED,
            2,
            "interval id 'x'",
        ),
        (
            profile("INTERVAL", intervalPeriod=HALF_HOUR, intervals=[{"id": 0, "readings": [{"readingType": "gas m3", "value": 1}]}]),
            Reason.UNKNOWN_OBIS,
            1,
            "does not map gas m3",
        ),
        (profile("ALARM", alarms=[{"timestamp": PERIOD["start"], "alarmId": 99, "status": "ACTIVE"}]), Reason.UNKNOWN_OBIS, 1, "99 ACTIVE"),
        (profile("EVENT", events=[{"timestamp": PERIOD["start"]}]), Reason.MALFORMED, 1, "no eventId"),
        (profile("EVENT", events=[{"timestamp": "soon", "eventId": 101}]), Reason.BAD_STAMP, 1, "soon"),
        (profile("INSTANTANEOUS", readings=[{"readingType": "V_R", "value": 1}]), Reason.BAD_STAMP, 1, "None"),
    ],
)
def test_what_cannot_be_read_says_why(what: Any, reason: Reason, lost: int, says: str) -> None:
    d = ies([SETS, what])
    assert [(r.reason, r.values) for r in d.rejections] == [(reason, lost)], d.rejections
    assert says in d.rejections[0].detail
    assert d.values_read == 0
