"""The event dictionary: every row of the standard's table, makes that do otherwise, what is unknown, and the bits of status words."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.events import DICTIONARY, DictionaryError, esw_bits, load
from ingestion.events.dictionary import LOGS, PATH, SEVERITIES
from ingestion.events.seed import like, seed_rows

PAIRS = {
    1: ("voltage", "voltage_missing_r"),
    3: ("voltage", "voltage_missing_y"),
    5: ("voltage", "voltage_missing_b"),
    7: ("voltage", "over_voltage"),
    9: ("voltage", "low_voltage"),
    11: ("voltage", "voltage_unbalance"),
    51: ("current", "current_reverse_r"),
    53: ("current", "current_reverse_y"),
    55: ("current", "current_reverse_b"),
    57: ("current", "ct_open_r"),
    59: ("current", "ct_open_y"),
    61: ("current", "ct_open_b"),
    63: ("current", "current_unbalance"),
    65: ("current", "current_bypass"),
    67: ("current", "over_current"),
    69: ("current", "earth_loading"),
    101: ("power", "power_failure"),
    201: ("other", "magnetic_influence"),
    203: ("other", "neutral_disturbance"),
    205: ("other", "low_power_factor"),
    207: ("other", "single_wire_operation"),
    209: ("other", "communication_module_removed"),
    215: ("other", "overload"),
    301: ("control", "load_switch_disconnected"),
}
"""Code of the occurrence -> log and family (domain 1.9); the code after it is the restoration."""

SINGLES = {
    "transaction": (151, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 164, 165, 166, 167, 169, 178, 182, 191, 192),
    "other": (211, 212, 213, 214, 253),
    "non_rollover": (251,),
}
VENDOR = (*range(81, 85), *range(124, 133), 183, *range(889, 893), *range(896, 900), *range(996, 1000))


@pytest.mark.parametrize(("code", "log", "family"), [(c, *rest) for c, rest in PAIRS.items()])
def test_odd_codes_occur_and_even_ones_restore(code: int, log: str, family: str) -> None:
    occurrence, restoration = DICTIONARY.resolve(None, None, code), DICTIONARY.resolve("any", "1.0", code + 1)
    assert (occurrence.role, occurrence.family, occurrence.log) == ("occurrence", family, log)
    assert (restoration.role, restoration.family, restoration.log) == ("restoration", family, log)
    assert occurrence.event != restoration.event


@pytest.mark.parametrize(("log", "code"), [(log, c) for log, codes in SINGLES.items() for c in codes])
def test_other_codes_stand_alone(log: str, code: int) -> None:
    event = DICTIONARY.resolve(None, None, code)
    assert (event.role, event.log, event.family) == ("single", log, event.event)
    assert not event.event.startswith(("UNKNOWN", "VENDOR"))


def test_the_table_has_these_codes_and_no_others() -> None:
    known = {*PAIRS, *(c + 1 for c in PAIRS), *(c for codes in SINGLES.values() for c in codes), *VENDOR}
    assert set(DICTIONARY.codes) == known
    assert {DICTIONARY.resolve(None, None, c).event for c in VENDOR} == {f"VENDOR_{c}" for c in VENDOR}
    assert all(e.log in LOGS and e.severity in SEVERITIES for e in DICTIONARY.codes.values())


@pytest.mark.parametrize("code", [0, 13, 105, 9999, -1, 2**31 - 1])
def test_what_nobody_knows_is_kept_under_its_code(code: int) -> None:
    event = DICTIONARY.resolve("any", "1", code)
    assert (event.event, event.role, event.code) == (f"UNKNOWN_{code}", "single", code)


@pytest.mark.parametrize(
    ("make", "firmware", "code", "event"),
    [
        (None, None, 205, "low_power_factor"),
        ("Other", "1.0", 205, "low_power_factor"),
        ("COVER-AT-205", "7.1", 205, "meter_cover_opened"),
        ("cover-at-205", None, 206, "terminal_cover_opened"),
        ("cover-at-205", "7.1", 207, "single_wire_operation"),
    ],
)
def test_a_make_may_mean_something_else(make: str | None, firmware: str | None, code: int, event: str) -> None:
    assert DICTIONARY.resolve(make, firmware, code).event == event


MAKES = """
makes:
  - make: "acme*"
    firmware: "2.?"
    codes: {105: power_failure, 205: meter_cover_opened}
    esw: [{bit: 90, set: switch_weld}, {bit: 3, set: overload}]
  - {make: "acme*", codes: {205: {event: lid, family: lid, role: occurrence, log: other, severity: minor}}}
"""


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "dictionary.yml"
    path.write_text(PATH.read_text().split("\nmakes:")[0] + text)
    return path


def test_the_first_entry_that_fits_make_and_firmware_counts(tmp_path: Path) -> None:
    ours = load(own(tmp_path, MAKES))
    assert ours.resolve("ACME Meters", "2.7", 105).event == "power_failure"
    assert ours.resolve("ACME Meters", "2.7", 205).event == "meter_cover_opened"
    assert ours.resolve("ACME Meters", "2.17", 205).event == "lid"
    assert ours.resolve("ACME Meters", "2.17", 105).event == "UNKNOWN_105"
    word = bytes([0b00010000]) + bytes(10) + bytes([0b00100000]) + bytes(4)
    assert [(c.bit, c.event.event) for c in ours.decode_esw(word, "acme", "2.1")] == [(3, "overload"), (90, "switch_weld")]
    assert [(c.bit, c.event.event) for c in ours.decode_esw(word)] == [(3, "over_voltage"), (90, "UNKNOWN_ESW_90")]
    assert ours.esw_changes(word, bytes(16), "acme", "2.1") == [], "an entry without `clear` says that it means nothing when the bit goes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nmakes:\n  - {make: a, codes: {5: no_such}}\n", r"dictionary.yml:\d+: makes.0.codes.5: no event is called no_such: use one of"),
        ("\nmakes:\n  - {make: 'a[bc]', codes: {5: overload}}\n", "makes.0.make"),
        ("\nmakes:\n  - {make: a, code: {5: overload}}\n", "makes.0.code: unknown field. Known here: codes, esw, firmware, make"),
        ("\nmakes:\n  - {make: a, esw: [{bit: 128, set: overload}]}\n", "makes.0.esw.0.bit: 128 is greater"),
        ("\nmakes:\n  - {make: a, esw: [{bit: 1, set: overload}, {bit: 1, set: overload}]}\n", "bit 1 stands twice"),
        ("\nmakes: [\n", "not YAML"),
    ],
)
def test_a_wrong_dictionary_is_refused_by_line_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DictionaryError, match=said):
        load(own(tmp_path, text))


ONE_WAY = {83: 251, 85: 101, 86: 102}
BOTH_WAYS = {0: 1, 1: 3, 2: 5, 3: 7, 4: 9, 5: 11, 6: 51, 7: 53, 8: 55, 9: 63, 10: 65, 11: 67, 12: 205, 51: 69, 81: 201, 82: 203, 84: 301}
BITS = {b: (c, c + 1) for b, c in BOTH_WAYS.items()} | {b: (c, None) for b, c in ONE_WAY.items()}
"""Bit -> codes of what it means that it comes up and that it goes (domain 1.9)."""


@pytest.mark.parametrize(("bit", "codes"), BITS.items())
def test_a_bit_says_what_its_codes_say(bit: int, codes: tuple[int, int | None]) -> None:
    word = (1 << (127 - bit)).to_bytes(16, "big")
    came, went = DICTIONARY.decode_esw(word), DICTIONARY.esw_changes(word, bytes(16))
    assert [(c.bit, c.event) for c in came] == [(bit, DICTIONARY.codes[codes[0]])]
    assert [(c.bit, c.event) for c in went] == ([] if codes[1] is None else [(bit, DICTIONARY.codes[codes[1]])])


def test_bit_0_is_the_most_significant_of_the_first_octet() -> None:
    assert esw_bits(bytes.fromhex("80000000000000000000000000000001")) == {0, 127}
    assert esw_bits(bytes.fromhex("00010000000000000000040000000000")) == {15, 85}


def test_words_that_follow_each_other() -> None:
    """A push as it comes: over-voltage and an opened cover; then the cover is closed, the voltage is well and the meter loses power."""
    first, second = bytes.fromhex("10000000000000000000100000000000"), bytes.fromhex("00000000000000000000040000000000")
    assert [c.event.event for c in DICTIONARY.decode_esw(first)] == ["over_voltage", "meter_cover_opened"]
    assert [c.event.event for c in DICTIONARY.esw_changes(first, second)] == ["over_voltage_restored", "power_failure"]
    assert DICTIONARY.esw_changes(second, second) == []
    assert [c.event.event for c in DICTIONARY.esw_changes(None, second)] == ["power_failure"], "of a first word, what is set came"
    billed = bytes.fromhex("00000000000000000000010000000000")
    assert [(c.event.event, c.event.code) for c in DICTIONARY.decode_esw(billed)] == [("billing_counter_incremented", None)]
    unknown = bytes.fromhex("00000000000000000000000000000080")
    assert [(c.bit, c.event.event, c.event.role) for c in DICTIONARY.decode_esw(unknown)] == [(120, "UNKNOWN_ESW_120", "occurrence")]
    assert [(c.event.event, c.event.role) for c in DICTIONARY.esw_changes(unknown, bytes(16))] == [
        ("UNKNOWN_ESW_120_restored", "restoration")
    ]


def test_seeds_say_the_same_as_sql_patterns(tmp_path: Path) -> None:
    assert like("a*b?c_d%") == r"a%b_c\_d\%"
    header, *rows = seed_rows(load(own(tmp_path, MAKES)))["code_event"]
    of_205 = [dict(zip(header, r, strict=True)) for r in rows if r[0] == 205]
    assert [(r["make"], r["firmware"], r["rank"], r["event"]) for r in of_205] == [
        ("acme%", "2._", 0, "meter_cover_opened"),
        ("acme%", "%", 1, "lid"),
        ("%", "%", 2, "low_power_factor"),
    ]
