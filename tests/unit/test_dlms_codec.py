"""A-XDR, ciphering, framings and messages of DLMS: ours against the simulation's, which shares no code with it, and against dlms-cosem."""

from __future__ import annotations

import json
import struct
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dlms_cosem.hdlc import address as their_address
from dlms_cosem.hdlc import frames as their_frames
from dlms_cosem.protocol import acse
from dlms_cosem.time import datetime_to_bytes
from hypothesis import given
from hypothesis import strategies as st

from ingestion.dlms import apdu, axdr, link, push
from ingestion.dlms.errors import DlmsMalformed, DlmsNotAuthentic, DlmsRefused, DlmsTransient
from ingestion.dlms.profiles import Column, Profile, expand, payload, profile_objects
from ingestion.dlms.security import Keys, KeysError, KeyStore, client_title, next_counter
from ingestion.normalise import dlms_clock
from ingestion.obis import Obis
from simulation.dlms import axdr as theirs
from simulation.dlms import framing
from simulation.dlms.security import MeterKeys, Undecipherable

EK, AK = bytes(range(16)), bytes(range(0xD0, 0xE0))
OURS, METERS = Keys(EK, AK, b"12345678"), MeterKeys(EK, AK, b"12345678")
TITLE = b"SIM\x00\x00\x00\x00\x01"

RANGES = {"u8": (0, 8), "u16": (0, 16), "u32": (0, 32), "u64": (0, 64), "i8": (1, 8), "i16": (1, 16), "i32": (1, 32), "enum": (0, 8)}


def numbers() -> st.SearchStrategy[tuple[bytes, Any]]:
    def of(kind: str) -> st.SearchStrategy[tuple[bytes, Any]]:
        signed, bits = RANGES[kind]
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        return st.integers(low, high).map(lambda v: (theirs.number(kind, v), v))

    return st.sampled_from(sorted(RANGES)).flatmap(of)


leaves = st.one_of(
    numbers(),
    st.just((theirs.NULL, None)),
    st.booleans().map(lambda v: (theirs.boolean(v), v)),
    st.binary(max_size=300).map(lambda v: (theirs.octets(v), v)),
    st.binary(min_size=1, max_size=16).map(lambda v: (theirs.bits(v), v)),
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=6).flatmap(
        lambda items: st.sampled_from([theirs.array([b for b, _ in items]), theirs.structure(*(b for b, _ in items))]).map(
            lambda octets: (octets, [v for _, v in items])
        )
    ),
    max_leaves=40,
)


def plain(d: axdr.Data) -> Any:
    return [plain(i) for i in d.value] if isinstance(d.value, list) else d.value


@given(values)
def test_what_the_meter_encodes_is_read_back_and_each_value_keeps_its_octets(value: tuple[bytes, Any]) -> None:
    octets, expected = value
    data = axdr.read(octets)
    assert plain(data) == expected
    assert data.octets == octets
    if isinstance(data.value, list) and data.value:
        assert b"".join(i.octets for i in data.items) == octets[-sum(len(i.octets) for i in data.items) :]


@given(values, st.integers(1, 60))
def test_octets_that_end_early_are_malformed_and_nothing_else(value: tuple[bytes, Any], cut: int) -> None:
    octets, _ = value
    with pytest.raises(DlmsMalformed):
        axdr.read(octets[:-cut])


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x01\x84\xff\xff\xff\xff", "elements do not fit"),
        (b"\x02\x84\x7f\xff\xff\xff\x00", "elements do not fit"),
        (b"\x09\x85\x00\x00\x00\x00\x01a", "length of 5 octets"),
        (b"\x01\x01" * 40 + b"\x00", "nested"),
        (b"\x63", "tag 63"),
        (b"", "octets end"),
        (b"\x00\x00", "stand behind"),
    ],
)
def test_counts_and_lengths_are_not_taken_on_trust(octets: bytes, why: str) -> None:
    begin = time.perf_counter()
    with pytest.raises(DlmsMalformed, match=why):
        axdr.read(octets)
    assert time.perf_counter() - begin < 1, "a few octets must not keep the reader busy"


@given(st.integers(0, 2**28 - 1))
def test_hdlc_addresses_are_read_back_by_the_meter(number: int) -> None:
    octets = link.address(number)
    assert len(octets) in (1, 2, 4)
    assert framing.address_number(octets) == number


@given(st.binary(max_size=200), st.integers(1, 127), st.integers(0, 16383), st.booleans())
def test_hdlc_frames_are_the_same_on_both_sides(info: bytes, client: int, server: int, segmented: bool) -> None:
    ours = link.Frame(link.address(server), link.address(client), 0x10, info, segmented)
    octets = ours.to_bytes()
    assert octets == framing.hdlc_frame(link.address(server), link.address(client), 0x10, info, segmented)
    assert link.parse_frame(octets[1:-1]) == ours
    wrong = bytes([octets[-2] ^ 1])
    with pytest.raises(DlmsMalformed):
        link.parse_frame(octets[1:-2] + wrong)


def test_hdlc_frames_are_those_of_an_independent_library() -> None:
    server = their_address.HdlcAddress(logical_address=1, physical_address=None, address_type="server")
    client = their_address.HdlcAddress(logical_address=48, physical_address=None, address_type="client")
    frame = their_frames.InformationFrame(server, client, b"\xe6\xe6\x00\x60", send_sequence_number=3, receive_sequence_number=2)
    assert link.Frame(link.address(1), link.address(48), 2 << 5 | 0x10 | 3 << 1, b"\xe6\xe6\x00\x60").to_bytes() == frame.to_bytes()


def test_the_parameters_of_ua_say_how_long_a_frame_may_be() -> None:
    assert link.information_size(b"") == 128
    assert link.information_size(framing.NEGOTIATED) == framing.MAX_INFORMATION
    assert link.information_size(bytes.fromhex("81800405020400") + b"") == 128
    assert link.information_size(bytes.fromhex("818004060207D0")) == 2000
    with pytest.raises(DlmsMalformed):
        link.information_size(b"\x00\x00\x00")


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_both_sides_seal_alike_and_a_flipped_bit_is_found(message: bytes, counter: int) -> None:
    sealed = OURS.seal(TITLE, counter, message)
    assert sealed == METERS.seal(TITLE, counter, message)
    assert OURS.open(TITLE, sealed) == METERS.open(TITLE, sealed) == (counter, message)
    assert OURS.proof(TITLE, counter, message)[5:] == METERS.gmac(TITLE, counter, message)
    for at in (1, len(sealed) - 1):
        forged = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(DlmsNotAuthentic):
            OURS.open(TITLE, forged)
        with pytest.raises(Undecipherable):
            METERS.open(TITLE, forged)


def test_a_message_that_is_only_authenticated_or_only_encrypted_is_refused() -> None:
    sealed = OURS.seal(TITLE, 1, b"x")
    for control in (0x10, 0x20, 0x00, 0x31):
        with pytest.raises(DlmsNotAuthentic):
            OURS.open(TITLE, bytes([control]) + sealed[1:])


def test_counters_only_rise_and_are_above_what_the_meter_saw() -> None:
    first = next_counter(b"k")
    assert next_counter(b"k") == first + 1
    assert next_counter(b"k", first + 500) == first + 501
    assert next_counter(b"k", 3) == first + 502
    assert first > 150_000_000, "a new process must begin above all that an earlier one may have used"
    assert first < 2**32
    with pytest.raises(DlmsRefused, match="used up"):
        next_counter(b"k", 2**32 - 1)
    assert next_counter(b"k") == first + 503, "a counter that cannot be used must not spoil the next"


# --- keys ---


def write(path: Path, content: object, mode: int = 0o600) -> Path:
    path.write_text(json.dumps(content))
    path.chmod(mode)
    return path


def test_keys_are_read_and_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"encryption_key": EK.hex(), "authentication_key": AK.hex(), "password": "secret", "system_title": TITLE.hex()}
    path = write(tmp_path / "keys.json", {"M1": entry})
    monkeypatch.setenv("METERHOUSE_DLMS_KEYS", str(path))
    store = KeyStore.load()
    assert (store.of("M1").encryption, store.of("M1").password, store.of("M1").ciphering) == (EK, b"secret", "service")
    assert store.serial_by_title == {TITLE: "M1"}
    assert store.of("another") == Keys()
    shown = repr(store.of("M1")) + repr(store)
    assert EK.hex() not in shown
    assert "secret" not in shown
    assert repr(EK)[2:-1] not in shown


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"encryption_key": "zz"}, "not hexadecimal"),
        ({"encryption_key": "00"}, "has 1 octets, it must have 16"),
        ({"encryption_key": EK.hex()}, "go together"),
        ({"key": "x"}, "was expected"),
        ({"ciphering": "both"}, "service or general"),
        ([], "was expected"),
    ],
)
def test_keys_that_are_wrong_are_named_without_being_shown(tmp_path: Path, entry: object, why: str) -> None:
    with pytest.raises(KeysError, match=why) as error:
        KeyStore.load(write(tmp_path / "keys.json", {"M1": entry}))
    assert EK.hex() not in str(error.value)


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="chmod 600"):
        KeyStore.load(write(tmp_path / "keys.json", {}, 0o644))
    with pytest.raises(KeysError, match="cannot be read"):
        KeyStore.load(tmp_path / "none.json")


def test_the_own_system_title_has_eight_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(client_title()) == 8
    monkeypatch.setenv("METERHOUSE_DLMS_TITLE", "00")
    with pytest.raises(KeysError, match="16 hexadecimal digits"):
        client_title()


# --- clocks ---


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda t: t.replace(microsecond=0)),
    st.sampled_from([330, -330, -0x8000]),
)
def test_clock_octets_of_the_meter_are_read_whatever_the_sign_of_their_deviation(local: datetime, deviation: int) -> None:
    octets = theirs.date_time(local, deviation)
    read = dlms_clock(octets, "Asia/Kolkata")
    assert read is not None
    assert read.replace(tzinfo=None) == local
    assert read.utcoffset() == timedelta(minutes=330)
    assert theirs.local_time(axdr.date_time(local)) == local
    assert theirs.local_time(axdr.date_time(local, deviation)) == local


def test_a_time_in_utc_is_understood_by_the_meter() -> None:
    assert theirs.local_time(datetime_to_bytes(datetime(2026, 10, 1))) in (datetime(2026, 10, 1, 5, 30), datetime(2026, 10, 1))
    assert theirs.local_time(struct.pack(">HBBBBBBBhB", 2026, 10, 1, 4, 0, 0, 0, 0, 0, 0)) == datetime(2026, 10, 1, 5, 30)
    assert dlms_clock(theirs.date_time(None), "Asia/Kolkata") is None


# --- messages ---


def test_the_association_request_is_read_by_an_independent_library() -> None:
    sealed = OURS.seal(TITLE, 7, apdu.initiate_request())
    request = acse.ApplicationAssociationRequest.from_bytes(apdu.association_request("hls_gmac", b"c" * 16, TITLE, sealed))
    assert (request.ciphered, request.system_title, request.authentication_value) == (True, TITLE, b"c" * 16)
    lls = acse.ApplicationAssociationRequest.from_bytes(apdu.association_request("lls", b"12345678", TITLE, None))
    assert (lls.ciphered, lls.system_title, lls.authentication_value) == (False, None, b"12345678")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("c401c100060000005f", apdu.Answer("get", 0, bytes.fromhex("060000005f"))),
        ("c401c10104", apdu.Answer("get", 4)),
        ("c402c1000000000100021234", apdu.Answer("get", 0, b"\x12\x34", 1, False)),
        ("c402c1010000000200021234", apdu.Answer("get", 0, b"\x12\x34", 2, True)),
        ("c402c1010000000201 0e", apdu.Answer("get", 14, block=2)),
        ("c501c103", apdu.Answer("set", 3)),
        ("c701c10000", apdu.Answer("action", 0)),
        ("c701c1000100 0900", apdu.Answer("action", 0, b"\x09\x00")),
    ],
)
def test_answers(octets: str, expected: apdu.Answer) -> None:
    assert apdu.answer(bytes.fromhex(octets)) == expected


def test_refusals_say_why() -> None:
    with pytest.raises(DlmsRefused, match="deciphering error"):
        apdu.answer(b"\xd8\x01\x05")
    with pytest.raises(DlmsRefused, match="service error"):
        apdu.answer(b"\x0e\x01\x06\x00")
    with pytest.raises(DlmsRefused, match="object undefined") as refused:
        apdu.raise_trouble(apdu.Answer("get", 4), "GET")
    assert refused.value.result == 4
    with pytest.raises(DlmsTransient, match="busy"):
        apdu.raise_trouble(apdu.Answer("action", 2), "ACTION")
    with pytest.raises(DlmsRefused, match="result 99"):
        apdu.raise_trouble(apdu.Answer("set", 99), "SET")


def test_range_and_entries_are_what_the_meter_reads() -> None:
    first, last = axdr.date_time(datetime(2026, 10, 1)), axdr.date_time(datetime(2026, 10, 2))
    octets = apdu.Range(first, last).octets()
    assert octets[0] == 1
    assert theirs.read(octets, 1)[0] == [[8, bytes([0, 0, 1, 0, 0, 255]), 2, 0], first, last, []]
    assert theirs.read(apdu.Entries(2, 5, 1, 3).octets(), 1)[0] == [2, 5, 1, 3]


# --- profiles ---


def test_the_table_of_profiles_holds_together() -> None:
    known = profile_objects()
    assert [Obis.parse(p.obis) for p in known.values()]
    assert len({p.obis for p in known.values()}) == len(known) == 12
    assert all(Obis.parse(p.scaler_obis) for p in known.values() if p.scaler_obis)
    assert known["block"].obis == "1.0.99.1.0.255"
    assert known["billing"].scaler_obis == "1.0.94.91.6.255"
    assert [p.name for p in expand(["daily", "event"])][:2] == ["daily", "event_voltage"]
    with pytest.raises(ValueError, match="'weekly' is no profile"):
        expand(["weekly"])


def test_a_payload_is_style_a_and_says_nothing_of_when_it_was_read() -> None:
    row = [axdr.read(theirs.octets(theirs.date_time(datetime(2026, 10, 1)))), axdr.read(theirs.number("u32", 95))]
    columns = (Column(8, "0.0.1.0.0.255", 2), Column(3, "1.0.1.29.0.255", 2, unit=30, scaler=0))
    content = payload([Profile("1.0.99.1.0.255", columns, [row]).item("M1")])
    assert json.loads(content) == {
        "items": [
            {
                "meterSerial": "M1",
                "formattedProfileObisCode": "1.0.99.1.0.255",
                "entries": [
                    {
                        "registerValues": [
                            {"formattedRegisterObisCode": "0.0.1.0.0.255", "attributeId": 2, "registerValue": "CQwH6goBBAAAAP8BSgA="},
                            {
                                "formattedRegisterObisCode": "1.0.1.29.0.255",
                                "attributeId": 2,
                                "unit": 30,
                                "scalar": 0,
                                "registerValue": "BgAAAF8=",
                            },
                        ]
                    }
                ],
            }
        ]
    }


# --- push ---


def test_blocks_are_put_together_in_order_only_and_not_beyond_the_limit() -> None:
    def block(control: int, number: int, part: bytes) -> bytes:
        return bytes([0xE0, control]) + number.to_bytes(2, "big") + b"\x00\x00" + axdr.length(len(part)) + part

    a = push.Assembler()
    assert a.feed(block(0x41, 1, b"\x0f\x00")) == (None, None)
    assert a.feed(block(0x01, 2, b"\x01")) == (None, bytes.fromhex("e0810001000200")), "the end of a window must be acknowledged"
    assert a.feed(block(0x80, 3, b"\x02")) == (b"\x0f\x00\x01\x02", None)
    assert a.feed(b"\x0f\x00") == (b"\x0f\x00", None)
    a.feed(block(0x41, 1, b"x"))
    with pytest.raises(DlmsMalformed, match="block 3 where block 2"):
        a.feed(block(0x41, 3, b"x"))
    big = push.Assembler()
    for n in range(1, 5):
        big.feed(block(0x41, n, bytes(60_000)))
    with pytest.raises(DlmsMalformed, match="more than"):
        big.feed(block(0x41, 5, bytes(60_000)))


def test_push_setups_that_are_wrong_are_named() -> None:
    with pytest.raises(ValueError, match=r"transport.push\[0\]"):
        push.push_setups([{"setup": "0.0.25.9.0.255", "objects": [{"class": 3}]}])
    with pytest.raises(ValueError, match=r"transport.push\[1\]"):
        push.push_setups([{"setup": "0.0.25.9.0.255"}, {"profile": "x"}])


def test_a_register_without_scaler_is_not_guessed() -> None:
    body = axdr.read(theirs.structure(theirs.octets(theirs.date_time(datetime(2026, 10, 1))), theirs.number("u32", 5)))
    objects = [{"class": 8, "of": "0.0.1.0.0.255"}, {"class": 3, "of": "1.0.1.8.0.255"}]
    with pytest.raises(DlmsMalformed, match=r"scaler of 1\.0\.1\.8\.0\.255"):
        push.interpret(body, push.push_setups([{"setup": "0.0.25.9.0.255", "objects": objects}]))


def test_a_counter_that_was_used_is_a_replay_after_a_restart_too() -> None:
    counters = push.Counters({TITLE: 7}.__getitem__)
    with pytest.raises(DlmsNotAuthentic, match="replay"):
        counters.check(TITLE, 7)
    counters.check(TITLE, 8)
    counters.advance(TITLE, 8)
    with pytest.raises(DlmsNotAuthentic):
        counters.check(TITLE, 8)
