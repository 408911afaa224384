"""Ten thousand damaged payloads of the standard formats, always the same ones: nothing raises, nothing is lost, what is kept can be stored.

Damage to octets shows that no exception escapes. Damage to single values of a payload that stays whole shows that accepted + rejected is
what was there, counted by other means than the reader's.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ingestion.canonical import Delivery
from ingestion.readers import read
from ingestion.vendor import Vendor, load_vendor
from tests.fuzz import mutations

pytestmark = pytest.mark.heavy

SAMPLES = Path(__file__).parent.parent / "data" / "hes"
ARRIVAL = datetime(2026, 10, 5, tzinfo=UTC)
COUNT = int(os.environ.get("METERHOUSE_FUZZ", "10000"))
OCTETS = {"ies_meterdata": 0.06, "cim_meter_readings": 0.14, "nem12": 0.2, "generic_cim_json": 0.2, "generic_obis_periods": 0.14}
VALUES = {"ies_meterdata": 0.02, "cim_meter_readings": 0.04, "nem12": 0.12, "generic_obis_periods": 0.08}
"""Shares of the payloads: those that are read quickly have more."""

DESCRIPTOR = {
    "profileType": "DESCRIPTOR",
    "payloadDescriptorSets": [
        {
            "name": "S",
            "payloadDescriptors": [
                {"readingType": "kWh imp block", "obis": "1.0.1.29.0.255", "unit": "kWh", "multiplier": 1.0},
                {"readingType": "kWh imp", "unit": "kWh", "reportedMode": "USAGE"},
                {"readingType": "MD kW", "unit": "kW", "reportedMode": "USAGE"},
            ],
            "compactSequences": [
                {
                    "name": "B",
                    "sequenceItems": [{"readingType": "kWh imp block"}, {"readingType": "kWh imp block", "attribute": "validationStatus"}],
                }
            ],
        }
    ],
}
PERIOD = {"start": "2026-05-04T00:00:00+05:30", "duration": "PT30M"}


def _profile(kind: str, **fields: Any) -> dict[str, Any]:
    return {"profileType": kind, "meterRefs": [{"scheme": "METER_SERIAL", "value": "M1"}], "payloadDescriptorSetRef": "S", **fields}


IES = [
    DESCRIPTOR,
    _profile(
        "INTERVAL",
        compactSequenceRef="B",
        intervalPeriod=PERIOD,
        intervals=[
            {"id": 0, "payloads": [4.62, "VALID"], "overrides": [{"descriptorIndex": 0, "validationStatus": "ESTIMATED"}]},
            {"id": 1, "readings": [{"readingType": "kWh imp block", "value": 1.5}]},
        ],
    ),
    _profile(
        "DAILY",
        intervalPeriod={**PERIOD, "duration": "P1D"},
        intervals=[{"id": 0, "readings": [{"readingType": "MD kW", "value": 7, "occurredAt": "2026-05-04T09:00:00Z"}]}],
    ),
    _profile(
        "MONTHLY",
        timePeriod={**PERIOD, "duration": "P1M"},
        readings=[
            {"readingType": "kWh imp", "value": 5, "openingValue": 1, "closingValue": 6},
            {"readingType": "MD kW", "value": 5, "occurredAt": "2026-05-04T09:00:00Z"},
        ],
        touBuckets=[{"zone": 1, "readings": [{"readingType": "kWh TZ1", "value": 3}]}],
    ),
    _profile("INSTANTANEOUS", timestamp="2026-05-11T14:32:00+05:30", readings=[{"readingType": "V_R", "value": 231.2}]),
    _profile("EVENT", events=[{"timestamp": "2026-05-04T09:00:00Z", "eventId": 101, "sequence": 7}]),
    _profile("ALARM", alarms=[{"timestamp": "2026-05-04T09:00:00Z", "alarmId": 1, "status": "ACTIVE"}]),
]


def _sample(vendor: str) -> bytes:
    return next((SAMPLES / vendor).iterdir()).read_bytes()


SEEDS: dict[str, bytes] = {
    "ies_meterdata": json.dumps(IES).encode(),
    **{v: _sample(v) for v in ("cim_meter_readings", "nem12", "generic_cim_json", "generic_obis_periods")},
}
TEXTS = [
    "",
    " ",
    "x",
    "nan",
    "-Infinity",
    "1e999",
    "9" * 400,
    "2026-13-01",
    "1_5",
    "\u202e",
    "0x1f",
    "-0.0",
    "12.5",
    "\u0663",
    "1.0.1.29.0.255",
]


@pytest.fixture(scope="module")
def vendors() -> dict[str, Vendor]:
    return {name: load_vendor(name) for name in SEEDS}


def assert_sound(d: Delivery) -> None:
    """What PostgreSQL can store: no NUL, no lone surrogate, no endless text."""
    for r in d.rejections:
        for text in (r.payload, r.detail, r.locator, r.serial or "", r.code or ""):
            text.encode()
            assert "\x00" not in text
            assert len(text) <= 2000
        assert r.values >= 0
    for e in d.events:
        assert "\\u0000" not in json.dumps(list(e.frame["detail"]))


@pytest.mark.parametrize("name", SEEDS)
def test_damage_to_octets_never_raises(name: str, vendors: dict[str, Vendor]) -> None:
    whole = read(vendors[name], "a", SEEDS[name], ARRIVAL)
    assert whole.rejections == []
    read_values = 0
    for _, spoilt in mutations(SEEDS[name], round(COUNT * OCTETS[name])):
        d = read(vendors[name], "a", spoilt, ARRIVAL)
        assert_sound(d)
        read_values += d.values_read
    assert read_values > COUNT * OCTETS[name] / 4, "most of what is damaged a little still lands"


# --- nothing is lost ----------------------------------------------------------------------------------------------------------------

Damaged = tuple[bytes, int]
"""(payload, values in it)."""


def there(v: Any) -> bool:
    """A blank is no value."""
    return v is not None and not (isinstance(v, str) and not v.strip())


def nem12(seed: bytes, chance: random.Random) -> Damaged:
    """One cell of the values of a 300 record is something else."""
    lines = [line.split(",") for line in seed.decode().splitlines()]
    row = chance.choice([r for r in lines if r[0] == "300"])
    row[chance.randrange(2, 50)] = chance.choice(TEXTS).replace(",", "")
    values = sum(1 for r in lines if r[0] == "300" for c in r[2:50] if c.strip())
    return ("\n".join(",".join(r) for r in lines) + "\n").encode(), values


def cim(seed: bytes, chance: random.Random) -> Damaged:
    """One text or attribute of the readings is something else, or an element is gone."""
    root = ElementTree.fromstring(seed)
    parents = {c: p for p in root.iter() for c in p}
    local = {e: e.tag.rpartition("}")[2] for e in root.iter()}
    spot = chance.choice(
        [e for e in root.iter() if local[e] in {"value", "timeStamp", "createdDateTime", "ReadingType", "name", "NameType"}]
    )
    if chance.random() < 0.2:
        parents[spot].remove(spot)
    elif spot.attrib:
        spot.set("ref", chance.choice(TEXTS))
    else:
        spot.text = chance.choice(TEXTS)
    values = 0
    for e in root.iter():
        if local[e] in {"IntervalReadings", "Readings"}:
            value = next((c.text for c in e if local[c] == "value"), None)
            values += bool(value and value.strip())
        values += local[e] == "EndDeviceEvents"
    return ElementTree.tostring(root), values


def ies(seed: bytes, chance: random.Random) -> Damaged:
    """One scalar of the profiles is something else; a value that is gone is none."""
    payload = copy.deepcopy(json.loads(seed))

    def leaves(node: Any) -> Iterator[tuple[Any, Any]]:
        for k, v in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(v, dict | list):
                yield from leaves(v)
            elif k not in {
                "profileType",
                "payloadDescriptorSetRef",
                "openingValue",
                "closingValue",
                "duration",
                "start",
                "id",
                "compactSequenceRef",
            }:
                yield node, k

    node, key = chance.choice([leaf for profile in payload[1:] for leaf in leaves(profile)])
    node[key] = chance.choice([*TEXTS, None, True, -5, 2**70, 1e300, [1], {"a": 1}])
    values = 0
    for p in payload[1:]:
        for i in p.get("intervals", []):
            values += "payloads" in i and there(i["payloads"][0])
            values += sum(there(r["value"]) for r in i.get("readings", []))
        readings = [*p.get("readings", []), *(r for b in p.get("touBuckets", []) for r in b["readings"])]
        values += sum(there(r["value"]) + ("closingValue" in r) for r in readings)
        values += len(p.get("events", [])) + len(p.get("alarms", []))
    return json.dumps(payload).encode(), values


def obis_periods(seed: bytes, chance: random.Random) -> Damaged:
    """One cell of a line is something else."""
    lines = [line.split(",") for line in seed.decode().splitlines()]
    row = chance.choice(lines[1:])
    row[chance.randrange(len(row))] = chance.choice(TEXTS).replace(",", "")
    values = sum(1 for r in lines[1:] for c in r[4:] if c.strip() not in {"", "-"})
    return ("\n".join(",".join(r) for r in lines) + "\n").encode(), values


DAMAGE: dict[str, Callable[[bytes, random.Random], Damaged]] = {
    "nem12": nem12,
    "cim_meter_readings": cim,
    "ies_meterdata": ies,
    "generic_obis_periods": obis_periods,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_every_value_is_accepted_or_rejected(name: str, vendors: dict[str, Vendor]) -> None:
    chance = random.Random(f"values {name}")
    for _ in range(round(COUNT * VALUES[name])):
        payload, values = DAMAGE[name](SEEDS[name], chance)
        d = read(vendors[name], "a", payload, ARRIVAL)
        assert_sound(d)
        opening = sum(r.values for r in d.rejections if r.detail.startswith("openingValue"))  # it stands beside its reading's value
        assert d.values_read + d.values_rejected - opening == values, f"{payload!r}: {d.rejections}"
