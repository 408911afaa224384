"""The parts of streams that need no broker: topics, joining messages, the read step under mutated payloads, settings."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.canonical import Delivery
from ingestion.transports import kafka, mqtt, stream
from ingestion.transports.kafka import KafkaSettings
from ingestion.transports.mqtt import MqttSettings, MqttSource
from ingestion.transports.stream import Limits, Message, Routes, StreamError, identity, join, take_apart
from ingestion.vendor import load_vendor

NOW = datetime(2026, 10, 2, tzinfo=UTC)
HPL = load_vendor("hpl")


def routes(*topics: str) -> Routes:
    return Routes(HPL, topics, mqtt.compile_topic)


def message(content: bytes, topic: str = "hpl/M1/profiles") -> Message:
    return Message(f"mqtt://host/{topic}", topic, content, NOW)


# --- topics ---


@pytest.mark.parametrize(
    ("topic", "subscription", "matches", "not_these"),
    [
        ("a/b", "a/b", ["a/b"], ["a", "a/b/c", "x/a/b"]),
        ("a/+/c", "a/+/c", ["a/b/c", "a//c"], ["a/b/b/c", "a/c"]),
        ("a/#", "a/#", ["a", "a/b", "a/b/c"], ["ab", "b/a"]),
        ("#", "#", ["a", "a/b"], []),
        ("a.b/+", "a.b/+", ["a.b/c"], ["axb/c"]),
        ("hes/{serial}/p", "hes/+/p", ["hes/M1/p"], ["hes//p"]),
        ("$share/g/a/{serial}", "$share/g/a/+", ["a/M1"], ["$share/g/a/M1"]),
    ],
)
def test_an_mqtt_topic_subscribes_and_matches(topic: str, subscription: str, matches: list[str], not_these: list[str]) -> None:
    filter_, pattern = mqtt.compile_topic(topic)
    assert filter_ == subscription
    assert [t for t in matches if not pattern.fullmatch(t)] == []
    assert [t for t in not_these if pattern.fullmatch(t)] == []


@pytest.mark.parametrize("topic", ["", "a+/b", "a/#/b", "a/b#", "a/{meter}", "{serial}/{serial}", "$share/g", "a/\0"])
def test_what_is_no_mqtt_topic_is_refused(topic: str) -> None:
    with pytest.raises(StreamError, match="no topic filter"):
        mqtt.compile_topic(topic)


def test_a_kafka_topic_is_a_name_or_an_expression() -> None:
    assert kafka.compile_topic("hpl.block")[1].fullmatch("hpl.block")
    assert not kafka.compile_topic("hpl.block")[1].fullmatch("hplxblock")
    assert kafka.compile_topic("^hpl\\..*")[1].fullmatch("hpl.block")
    for wrong in ("", "a b", "^(", "a/b"):
        with pytest.raises(StreamError):
            kafka.compile_topic(wrong)


def test_topics_of_the_vendor_file_say_the_profile_and_the_serial(tmp_path: Path) -> None:
    vendor = dataclasses.replace(HPL, transport={"kind": "mqtt", "topics": {"block": ["b/{serial}"], "all": ["a/+"]}})
    known = Routes(vendor, [], mqtt.compile_topic)
    assert known.subscriptions == ["b/+", "a/+"]
    assert (known.find("b/M7"), known.find("a/x")) == (("block", "M7"), ("all", None))
    only_block = known.vendor_of("block", "M7")
    assert [(p.name, p.serial, p.constant_serial) for p in only_block.profiles] == [("block", None, "M7")]
    assert Routes(vendor, ["c"], mqtt.compile_topic).subscriptions == ["c"], "topics that are given replace those of the file"
    wrong = dataclasses.replace(HPL, transport={"topics": {"blocks": ["b"]}})
    with pytest.raises(StreamError, match=r"no profile blocks: there are .*block.*, all"):
        Routes(wrong, [], mqtt.compile_topic)
    with pytest.raises(StreamError, match=r"add transport\.topics"):
        Routes(HPL, [], mqtt.compile_topic)


def test_a_message_is_known_by_its_content_and_by_what_its_topic_says() -> None:
    plain, with_serial = routes("hpl/+/profiles"), routes("hpl/{serial}/profiles")
    one, other = message(b"x", "hpl/M1/profiles"), message(b"x", "hpl/M2/profiles")
    assert identity(plain, one) == identity(plain, other), "the way says nothing of the content"
    assert identity(with_serial, one) != identity(with_serial, other), "here the way says whose content it is"
    assert identity(plain, one) != identity(plain, message(b"y"))


# --- joining ---


def registers(*pairs: tuple[str, bytes, int]) -> list[dict[str, Any]]:
    return [
        {"formattedRegisterObisCode": o, "attributeId": 2, "unit": u, "scalar": 0, "registerValue": b64encode(raw).decode()}
        for o, raw, u in pairs
    ]


def event(serial: str, minute: int, code: int = 101) -> dict[str, Any]:
    clock = (2026).to_bytes(2) + bytes([10, 1, 255, 12, minute, 0, 255, 1, 0x4A, 0])
    values = registers(("0.0.1.0.0.255", b"\x09\x0c" + clock, 255), ("0.0.96.11.2.255", b"\x12" + code.to_bytes(2), 255))
    return {
        "meterSerial": serial,
        "formattedProfileObisCode": "0.0.99.98.2.255",
        "receivedAt": "2026-10-02T00:41:07+05:30",
        "entries": [{"registerValues": values}],
    }


def content(*items: dict[str, Any]) -> bytes:
    return json.dumps({"items": list(items)}).encode()


def test_joined_messages_say_what_they_say_one_by_one() -> None:
    contents = [content(event(f"M{n}", n)) for n in range(5)]
    joined = join(HPL, contents)
    assert joined is not None
    whole = take_apart(routes("#"), message(joined), Limits())
    parts = [take_apart(routes("#"), message(c), Limits()) for c in contents]
    told = [
        tuple(r) for d in parts for e in d.events for r in e.frame[["serial", "occurred_at", "code", "received_at"]].itertuples(index=False)
    ]
    assert [
        tuple(r) for e in whole.events for r in e.frame[["serial", "occurred_at", "code", "received_at"]].itertuples(index=False)
    ] == told
    assert not whole.rejections


@pytest.mark.parametrize(
    "odd", [b"", b"{", b"[]", b'{"items": 7}', b"null", b'{"items": [NaN]}', b'{"items": [1e400]}x', b"\x1f\x8bgzip", b"\xff"]
)
def test_what_cannot_be_joined_is_left_alone(odd: bytes) -> None:
    assert join(HPL, [content(event("M1", 1)), odd]) is None


def test_what_stands_beside_the_list_prevents_joining() -> None:
    profiles = tuple(dataclasses.replace(p, serial="$.meter") for p in HPL.profiles)
    assert join(dataclasses.replace(HPL, profiles=profiles), [content(event("M1", 1))]) is None
    assert join(dataclasses.replace(HPL, format="xml"), [b"<a/>"]) is None


# --- the read step never raises ---

ODD = (None, "", "x", -1, 2**63, 1.5, True, [], {}, "9" * 400, "\0", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), [[[]]])


def mutated(rng: random.Random, body: bytes) -> bytes:
    """A payload with one to three faults: of bytes, or of values in the tree."""
    if rng.random() < 0.4:
        spoilt = json.loads(body)
        for _ in range(rng.randint(1, 3)):
            node: Any = spoilt
            while True:
                keys: Sequence[Any] = list(node) if isinstance(node, dict) else range(len(node))
                if not keys:
                    break
                key = rng.choice(keys)
                if isinstance(node[key], (dict, list)) and node[key] and rng.random() < 0.8:
                    node = node[key]
                    continue
                node[key] = copy.deepcopy(rng.choice(ODD))
                break
        return json.dumps(spoilt).encode()
    data = bytearray(body)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) or 1)
        kind = rng.randrange(5)
        if kind == 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            del data[at : at + rng.randint(1, 30)]
        elif kind == 3:
            data[at:at] = rng.choice(
                [b'"', b"[", b"{", b"\x00", b"\xff\xfe", b"\\u0000", b"1e999", b"\x1f\x8b\x08", b"PK\x03\x04", b"," * 9]
            )
        else:
            data[at:at] = data[at : at + rng.randint(1, 60)]
    return bytes(data)


@pytest.mark.heavy
def test_ten_thousand_mutated_messages_are_read_or_rejected() -> None:
    """Nothing escapes, and nothing that is not empty vanishes without a trace."""
    rng = random.Random(20261001)
    body = content(event("M1", 1), event("M2", 2))
    vendor = dataclasses.replace(HPL, transport={"topics": {"event": ["e"]}})
    known = Routes(vendor, [], mqtt.compile_topic)
    accepted = rejected = 0
    for n in range(10_000):
        payload = mutated(rng, body)
        delivery = take_apart(known, message(payload, "e"), Limits())
        assert isinstance(delivery, Delivery), f"payload {n}: {payload!r}"
        assert delivery.content_sha256 == identity(known, message(payload, "e"))
        assert all(r.values >= 1 for r in delivery.rejections), f"payload {n}: {payload!r}"
        accepted += delivery.values_read
        rejected += delivery.values_rejected
    assert accepted > 1000, "some mutations leave readings whole"
    assert rejected > 1000, "some mutations spoil them"


def test_a_reader_that_fails_puts_the_message_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Delivery:
        raise RecursionError("too deep")

    monkeypatch.setattr(stream, "read", fails)
    delivery = take_apart(routes("#"), message(b"\xffpoison"), Limits())
    assert [(r.locator, r.payload, r.values) for r in delivery.rejections] == [("mqtt://host/hpl/M1/profiles", "\\xffpoison", 1)]
    assert "please report it" in delivery.rejections[0].detail


def test_a_message_that_is_too_large_is_not_read() -> None:
    delivery = take_apart(routes("#"), message(b"x" * 11), Limits(message_bytes=10))
    assert delivery.rejections[0].detail == "the message has 11 bytes, more than the 10 that are read"


# --- settings ---


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (MqttSettings("http://host", "c"), "no address of an MQTT broker"),
        (MqttSettings("mqtt://", "c"), "no address of an MQTT broker"),
        (MqttSettings("mqtts://user:secret@host", "c"), "METERHOUSE_MQTT_PASSWORD"),
        (MqttSettings("mqtts://host", "c", "4"), "choose 3.1.1 or 5"),
        (MqttSettings("mqtts://host", ""), "needs a client id"),
        (MqttSettings("mqtts://host", "c", ca=Path("/nowhere.pem")), "cannot be used .*nowhere.pem"),
        (MqttSettings("mqtts://host", "c", cert=Path("/nowhere.pem")), "both --cert and --key"),
        (MqttSettings("mqtt://host", "c", ca=Path("/nowhere.pem")), "without TLS"),
    ],
)
def test_mqtt_settings_that_cannot_be(settings: MqttSettings, says: str) -> None:
    with pytest.raises(StreamError, match=says) as refused:
        MqttSource(settings, routes("a"), Limits())
    assert "secret" not in str(refused.value)


def test_kafka_properties_come_from_the_environment() -> None:
    given = {
        "METERHOUSE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "METERHOUSE_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "METERHOUSE_KAFKA_SSL_CA_LOCATION": "/etc/ca.pem",
        "OTHER": "x",
    }
    made = kafka.properties(KafkaSettings("a:1,b:2", "g"), given)
    assert (made["security.protocol"], made["sasl.mechanism"], made["ssl.ca.location"]) == ("SASL_SSL", "SCRAM-SHA-512", "/etc/ca.pem")
    assert (made["bootstrap.servers"], made["group.id"], made["enable.auto.commit"], made["auto.offset.reset"]) == (
        "a:1,b:2",
        "g",
        "false",
        "earliest",
    )
    with pytest.raises(StreamError, match="METERHOUSE_KAFKA_GROUP_ID cannot be set"):
        kafka.properties(KafkaSettings("a:1", "g"), {"METERHOUSE_KAFKA_GROUP_ID": "x"})


def test_waits_grow_and_are_bounded() -> None:
    limits = Limits(backoff_s=1, longest_backoff_s=8)
    waits = [max(limits.wait(attempt) for _ in range(200)) for attempt in (1, 2, 3, 4, 5, 1000)]
    assert waits[:4] == sorted(set(waits[:4])), waits
    assert max(waits) <= 8
