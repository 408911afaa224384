"""IEC 61968-9: reading types decoded, messages of any edition read, what is wrong rejected with its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from ingestion.canonical import Delivery
from ingestion.cim import FIELDS, ReadingType, check_pattern
from ingestion.readers import read
from ingestion.vendor import VendorError, load_vendor
from warehouse.codes import Quality, Reason

ARRIVAL = datetime(2026, 10, 2, 4, 0, tzinfo=UTC)
IMPORT_15 = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
EXPORT_15 = "0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.3.72.0"
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


# --- reading types ------------------------------------------------------------------------------------------------------------


def test_the_fields_of_a_reading_type() -> None:
    kind = ReadingType.parse(IMPORT_15)
    assert dict(zip(FIELDS, kind.fields, strict=True))["accumulation"] == 4
    assert (kind.minutes, kind.unit, kind.multiplier, str(kind)) == (15, "Wh", 3, IMPORT_15)


@pytest.mark.parametrize(
    ("period", "minutes"),
    [(0, None), (1, 10), (2, 15), (3, 1), (4, 1440), (5, 30), (6, 5), (7, 60), (10, 2), (14, 3), (31, 20), (51, None)],
)
def test_periods(period: int, minutes: int | None) -> None:
    assert ReadingType.parse(f"0.0.{period}.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0").minutes == minutes


@pytest.mark.parametrize(
    ("code", "unit"),
    [(72, "Wh"), (71, "VAh"), (73, "varh"), (38, "W"), (61, "VA"), (63, "var"), (29, "V"), (5, "A"), (33, "Hz"), (119, "CIM 119")],
)
def test_units(code: int, unit: str) -> None:
    assert ReadingType.parse(f"0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.-3.{code}.0").unit == unit


def test_patterns() -> None:
    kind = ReadingType.parse(IMPORT_15)
    assert kind.matches("0.*.*.4.1.*.12.0.0.0.0.0.0.0.0.*.72.0")
    assert not kind.matches("0.*.*.4.19.*.12.0.0.0.0.0.0.0.0.*.72.0")
    for text in ("", "0.0.2", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72", f"{IMPORT_15}.0", "a.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"):
        with pytest.raises(ValueError, match="no CIM reading type"):
            check_pattern(text)
        with pytest.raises(ValueError, match="no CIM reading type"):
            ReadingType.parse(text)


def test_a_vendor_file_with_a_wrong_pattern_is_refused(tmp_path: Path) -> None:
    text = Path(load_vendor("cim_meter_readings").path).read_text().replace("0.*.*.4.1.*.12.0.0.0.0.0.0.0.0.*.72.0", "0.*.*.4.1.*.12.72.0")
    path = tmp_path / "cim_meter_readings.yml"
    path.write_text(text)
    with pytest.raises(VendorError, match=r"profiles\.block\.values\.0\.from: .*eighteen numbers"):
        load_vendor(path)


# --- messages -----------------------------------------------------------------------------------------------------------------


def cim(body: str) -> Delivery:
    return read(load_vendor("cim_meter_readings"), "a.xml", body.encode(), ARRIVAL)


def reading(*content: str, serial: str = "M1") -> str:
    meter = f"<Meter><mRID>7c1</mRID><Names><name>{serial}</name><NameType><name>SerialNumber</name></NameType></Names></Meter>"
    return f"<MeterReading>{meter}{''.join(content)}</MeterReading>"


def message(*readings: str) -> str:
    header = "<Header><Verb>created</Verb><Noun>MeterReadings</Noun><Timestamp>2026-10-02T02:00:00+05:30</Timestamp></Header>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><EventMessage xmlns="http://iec.ch/TC57/2011/schema/message">'
        f'{header}<Payload><MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">{"".join(readings)}</MeterReadings></Payload></EventMessage>'
    )


def block(kind: str, *items: str) -> str:
    return f'<IntervalBlocks>{"".join(items)}<ReadingType ref="{kind}"/></IntervalBlocks>'


def interval(value: object, stamp: str = "2026-10-01T00:15:00+05:30", quality: str = "") -> str:
    q = f'<ReadingQualities><ReadingQualityType ref="{quality}"/></ReadingQualities>' if quality else ""
    return f"<IntervalReadings><timeStamp>{stamp}</timeStamp><value>{value}</value>{q}</IntervalReadings>"


def register(value: object, kind: str = REGISTER, stamp: str = "2026-10-02T00:00:00+05:30") -> str:
    return f'<Readings><timeStamp>{stamp}</timeStamp><value>{value}</value><ReadingType ref="{kind}"/></Readings>'


def event(kind: str = "3.26.0.85", more: str = "") -> str:
    at = "<createdDateTime>2026-10-01T14:02:11+05:30</createdDateTime>"
    return f'<EndDeviceEvents>{at}{more}<EndDeviceEventType ref="{kind}"/></EndDeviceEvents>'


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def only(d: Delivery, reason: Reason) -> str:
    assert [r.reason for r in d.rejections] == [reason], f"one {reason} was expected: {d.rejections}"
    return d.rejections[0].detail


def test_interval_blocks_of_one_meter_become_rows() -> None:
    d = cim(
        message(reading(block(IMPORT_15, interval(0.095), interval("0.1", "2026-10-01T00:30:00+05:30")), block(EXPORT_15, interval(0.02))))
    )
    f = d.profiles[0].frame
    assert (d.values_read, d.rejections, d.profiles[0].interval_min) == (3, [], 15)
    assert list(f["start"]) == [utc("2026-09-30 18:30"), utc("2026-09-30 18:45")], "timeStamp is the end of the interval"
    assert f["import_wh"].tolist() == [95, 100]
    assert f["export_wh"].tolist() == [20, pd.NA]
    assert set(f["received_at"]) == {utc("2026-10-01 20:30")}, "the header's Timestamp"
    assert set(f["serial"]) == {"M1"}


def test_multiplier_and_period_come_from_the_type() -> None:
    kinds = {"0.0.5.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0": (30, 95), "0.0.7.4.1.1.12.0.0.0.0.0.0.0.0.6.72.0": (60, 95_000_000)}
    for kind, (minutes, wh) in kinds.items():
        d = cim(message(reading(block(kind, interval(95, "2026-10-01T01:00:00+05:30")))))
        assert (d.profiles[0].interval_min, d.profiles[0].frame["import_wh"].tolist()) == (minutes, [wh])


def test_apparent_and_reactive_energy_and_voltage() -> None:
    energies = {"4.1.1.12.{}.3.71.0": "import_vah", "4.1.1.12.{}.3.73.0": "import_varh", "4.15.1.12.{}.3.73.0": "q1_varh"}
    body = [block("0.0.2." + k.format("0.0.0.0.0.0.0.0"), interval(1)) for k in energies]
    for phase in (129, 64, 32):
        body.append(block(f"0.2.2.6.0.1.54.0.0.0.0.0.0.0.{phase}.-1.29.0", interval(2300 + phase)))
        body.append(block(f"0.2.2.6.0.1.4.0.0.0.0.0.0.0.{phase if phase < 129 else 128}.0.5.0", interval(phase)))
    d = cim(message(reading(*body)))
    f = d.profiles[0].frame.iloc[0]
    assert d.rejections == []
    assert f[[*energies.values()]].tolist() == [1000, 1000, 1000]
    assert f[["voltage_dv", "voltage_y_dv", "voltage_b_dv"]].tolist() == [2429, 2364, 2332]
    assert f[["current_ma", "current_y_ma", "current_b_ma"]].tolist() == [129_000, 64_000, 32_000]


def test_registers_at_midnight_close_the_day_before() -> None:
    d = cim(message(reading(register("74860.9"), register(5, "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.3.72.0"))))
    f = d.registers[0].frame
    assert len(f) == 1
    assert (f["day"].iloc[0], f["read_at"].iloc[0]) == (pd.Timestamp("2026-10-01"), utc("2026-10-01 18:30"))
    assert f[["import_wh", "export_wh"]].iloc[0].tolist() == [74_860_900, 5000]


def test_readings_at_other_times_are_instantaneous() -> None:
    noon = "2026-10-02T12:00:00+05:30"
    d = cim(
        message(reading(register("74860.9", stamp=noon), register("231.4", "0.0.0.6.0.1.54.0.0.0.0.0.0.0.129.0.29.0", noon), register(5)))
    )
    assert d.rejections == []
    f = d.values[0].frame
    assert f[["quantity", "value"]].values.tolist() == [["import_wh", 74_860_900], ["voltage_r_mv", 231_400]]
    assert set(f["read_at"]) == {utc("2026-10-02 06:30")}
    assert d.registers[0].frame["import_wh"].tolist() == [5000], "midnight closes a day"


def test_billing_registers_with_tod_zones_and_the_time_of_a_demand() -> None:
    period = "<timePeriod><end>2026-10-01T00:00:00+05:30</end><start>2026-09-01T00:00:00+05:30</start></timePeriod>"
    demand = register("8.42", "8.8.2.6.1.1.8.0.0.0.0.0.0.0.0.3.38.0", "2026-09-12T19:30:00+05:30").replace("<value>", f"{period}<value>")
    registers = [register(100 + z, f"8.0.0.1.1.1.12.0.0.0.0.{z}.0.0.0.3.72.0", "2026-10-01T00:00:00+05:30") for z in range(3)]
    d = cim(message(reading(*registers, demand)))
    assert d.rejections == []
    f = d.values[0].frame
    assert sorted(f[["quantity", "zone", "value"]].values.tolist()) == [
        ["import_wh", 0, 100_000],
        ["import_wh", 1, 101_000],
        ["import_wh", 2, 102_000],
        ["md_import_w", 0, 8420],
    ]
    assert f.set_index("quantity").loc["md_import_w", "at"] == utc("2026-09-12 14:00")
    assert set(f["day"]) == {pd.Timestamp("2026-09-30")}, "the billing row closes September"


def test_events_are_mapped_to_codes_and_keep_what_was_said() -> None:
    more = "<reason>x</reason><EndDeviceEventDetails><name>phase</name><value>R</value></EndDeviceEventDetails>"
    d = cim(message(reading(event(more=more), event("3.26.0.216"), event("3.9.9.9"))))
    f = d.events[0].frame
    assert f["code"].tolist() == [101, 102]
    assert f["occurred_at"].iloc[0] == utc("2026-10-01 08:32:11")
    assert f["detail"].iloc[0] == {"type": "3.26.0.85", "reason": "x", "phase": "R"}
    assert "3.9.9.9 is not mapped" in only(d, Reason.UNKNOWN_OBIS)
    assert d.rejections[0].code == "3.9.9.9", "hes unmapped lists it"


def test_the_message_of_events_alone() -> None:
    one = (
        "<EndDeviceEvent><createdDateTime>2026-10-01T14:02:11+05:30</createdDateTime>"
        '<Assets><mRID>M9</mRID></Assets><EndDeviceEventType ref="3.26.0.85"/></EndDeviceEvent>'
    )
    d = cim(f'<e:EndDeviceEvents xmlns:e="urn:x">{one.replace("<", "<e:").replace("<e:/", "</e:")}</e:EndDeviceEvents>')
    assert d.events[0].frame[["serial", "code"]].values.tolist() == [["M9", 101]]


@pytest.mark.parametrize(
    ("code", "quality"),
    [
        *[(f"{system}.0.0", Quality.ACTUAL) for system in (1, 2, 3)],
        ("3.5.258", Quality.QUESTIONABLE),
        ("2.6.4", Quality.QUESTIONABLE),
        ("2.7.1", Quality.EDITED),
        ("2.8.0", Quality.ESTIMATED),
        ("2.4.1", Quality.RAW),
        ("2.11.0", Quality.DERIVED),
        ("2.12.0", Quality.PROJECTED),
    ],
)
def test_quality_codes(code: str, quality: Quality) -> None:
    d = cim(message(reading(block(IMPORT_15, interval(1, quality=code)))))
    assert (d.rejections, d.profiles[0].frame["quality"].tolist()) == ([], [int(quality)])


def test_a_reading_that_is_said_to_be_missing_is_no_value() -> None:
    d = cim(message(reading(block(IMPORT_15, interval(0, quality="2.5.259"), interval(1, "2026-10-01T00:30:00+05:30")))))
    assert (d.values_read, d.rejections) == (1, [])


def test_an_unknown_quality_makes_the_value_questionable_and_is_told_once() -> None:
    d = cim(message(reading(block(IMPORT_15, interval(1, quality="9.99.9"), interval(1, "2026-10-01T00:30:00+05:30", "9.99.9")))))
    assert "'9.99.9' is not in the vendor file" in only(d, Reason.UNKNOWN_OBIS)
    assert d.rejections[0].values == 0, "the values were taken"
    assert set(d.profiles[0].frame["quality"]) == {int(Quality.QUESTIONABLE)}


def test_the_serial_is_the_name_asked_for_else_the_only_one_else_the_mrid() -> None:
    def serial(device: str) -> list[str]:
        d = cim(message(f"<MeterReading>{device}{block(IMPORT_15, interval(1))}</MeterReading>"))
        return [*(d.profiles[0].frame["serial"] if d.profiles else []), *(r.detail for r in d.rejections)]

    two = "<Names><name>A</name><NameType><name>Badge</name></NameType></Names>"
    assert serial(f"<Meter>{two}<Names><name>B</name><NameType><name>SerialNumber</name></NameType></Names></Meter>") == ["B"]
    assert serial("<EndDevice><mRID>C</mRID></EndDevice>") == ["C"]
    assert serial(f"<Meter>{two}</Meter>") == ["A"]
    assert serial(f"<Meter>{two}<Names><name>D</name></Names></Meter>") == ["no meter serial"]
    assert serial("") == ["no meter serial"]


def test_a_time_period_is_the_truth_where_it_is_given() -> None:
    period = "<timePeriod><start>2026-10-01T00:00:00+05:30</start><end>{}</end></timePeriod>"
    item = interval(1, "2026-10-01T09:00:00+05:30").replace("<value>", period.format("2026-10-01T00:15:00+05:30") + "<value>")
    d = cim(message(reading(block(IMPORT_15, item))))
    assert list(d.profiles[0].frame["start"]) == [utc("2026-09-30 18:30")]
    untimed = IMPORT_15.replace("0.0.2.", "0.0.0.", 1)
    d = cim(message(reading(block(untimed, item))))
    assert (d.profiles[0].interval_min, d.rejections) == (15, []), "the type states no period"
    longer = item.replace("T00:15:00+05:30</end>", "T00:30:00+05:30</end>")
    d = cim(message(reading(block(IMPORT_15, longer))))
    assert f"of 30 minutes, reading type {IMPORT_15} of 15" in only(d, Reason.WRONG_INTERVAL)
    d = cim(message(reading(block(untimed, interval(1)))))
    assert "says how long the interval is" in only(d, Reason.WRONG_INTERVAL)


def test_names_for_types_and_references_to_declared_types() -> None:
    named = block(IMPORT_15, interval(1)).replace(f' ref="{IMPORT_15}"/>', f"><Names><name>{IMPORT_15}</name></Names></ReadingType>")
    assert cim(message(reading(named))).values_read == 1
    declared = f"<ReadingType><mRID>rt-1</mRID><Names><name>{IMPORT_15}</name></Names></ReadingType>"
    assert cim(message(reading(block("rt-1", interval(1))), declared)).values_read == 1


@pytest.mark.parametrize(
    ("kind", "reason", "says"),
    [
        ("0.0.2.4.4.1.12.0.0.0.0.0.0.0.0.3.72.0", Reason.UNKNOWN_OBIS, "does not map reading type 0.0.2.4.4.1.12"),
        (REGISTER, Reason.UNKNOWN_OBIS, "does not map"),
        ("1.2.3", Reason.UNKNOWN_OBIS, "eighteen numbers"),
        ("", Reason.MALFORMED, "no ReadingType"),
    ],
)
def test_types_that_are_not_mapped_are_one_rejection_a_meter(kind: str, reason: Reason, says: str) -> None:
    items = [interval(k, (datetime(2026, 10, 1, tzinfo=UTC) + k * timedelta(minutes=15)).isoformat()) for k in range(96)]
    d = cim(message(reading(block(kind, *items))))
    assert says in only(d, reason)
    assert (d.rejections[0].values, d.rejections[0].serial, d.values_read) == (96, "M1", 0)


def test_bad_values_and_stamps_reject_themselves_alone() -> None:
    d = cim(message(reading(block(IMPORT_15, interval("x"), interval(1, "yesterday"), interval(2, "2026-10-01T00:30:00+05:30")), event())))
    assert sorted(r.reason for r in d.rejections) == [Reason.BAD_STAMP, Reason.NOT_A_NUMBER]
    assert (d.values_read, d.values_rejected) == (2, 2)


def test_the_same_value_twice_is_kept_twice_so_that_the_later_wins() -> None:
    d = cim(message(reading(block(IMPORT_15, interval(1), interval(2)))))
    assert d.profiles[0].frame["import_wh"].tolist() == [1000, 2000]


def test_other_messages_and_strange_elements_are_rejected() -> None:
    assert "no MeterReadings" in only(cim("<EndDeviceControls><EndDeviceControl/></EndDeviceControls>"), Reason.MALFORMED)
    d = cim(message(reading("<Magic><value>1</value><value>2</value></Magic>", block(IMPORT_15, interval(1)))))
    assert "Magic in a MeterReading is not read" in only(d, Reason.MALFORMED)
    assert (d.values_read, d.values_rejected) == (1, 2)


def test_entities_and_external_references_are_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]>' + message(reading(block(IMPORT_15, interval("&c;"))))[38:]
    assert "DOCTYPE" in only(cim(bomb), Reason.MALFORMED)
    outside = '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + message()[38:]
    assert "DOCTYPE" in only(cim(outside), Reason.MALFORMED)
    assert "not XML" in only(cim(message(reading(block(IMPORT_15, interval("&c;"))))), Reason.MALFORMED)


def test_a_broken_document_gives_what_stands_before_the_break() -> None:
    whole = message(reading(block(IMPORT_15, interval(1)), serial="M1"), reading(block(IMPORT_15, interval(2)), serial="M2"))
    d = cim(whole[: whole.index("M2")])
    assert "not XML from here on" in only(d, Reason.MALFORMED)
    assert d.profiles[0].frame["import_wh"].tolist() == [1000]


# --- style F: reading types in JSON ---------------------------------------------------------------------------------------------


def test_reading_types_in_json() -> None:
    sample = Path(__file__).parent.parent / "data" / "hes" / "generic_cim_json" / "readings_20261002.json"
    d = read(load_vendor("generic_cim_json"), sample.name, sample.read_bytes(), ARRIVAL)
    assert d.rejections == []
    assert d.profiles[0].frame[["import_wh", "export_wh"]].values.tolist() == [[95, 12]], "kilo and plain, each by its type"
    assert d.registers[0].frame["import_wh"].tolist() == [74_860_900]


def test_a_reading_type_of_another_period_than_the_profile_is_rejected() -> None:
    body = (
        '{"meterReadings": [{"meter": "F1", "readings": [{"timeStamp": "2026-10-01T00:30:00+05:30", "values": ['
        '{"readingType": "0.0.5.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "value": 1}, {"readingType": "1.2", "value": 2}]}]}]}'
    )
    d = read(load_vendor("generic_cim_json"), "a.json", body.encode(), ARRIVAL)
    said = sorted((r.reason, r.profile, r.values) for r in d.rejections)
    assert (Reason.WRONG_INTERVAL, "block", 1) in said
    assert (Reason.UNKNOWN_OBIS, "block", 1) in said
    assert d.values_read == 0
