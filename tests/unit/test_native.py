"""Meterhouse's own JSON: whatever comes, every value is accepted or rejected, and nothing escapes."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.fragments import MeterLookup
from ingestion.landing import DiscomContext, _sort_out
from ingestion.readers.native import LISTS, read_native
from warehouse.codes import Reason
from warehouse.tables import ALL_CHANNELS, QUANTITIES, REGISTERS

NOW = datetime(2026, 10, 2, tzinfo=UTC)
START = "2026-10-01T00:00:00+05:30"
DISCOM = DiscomContext("acme", 1, ZoneInfo("Asia/Kolkata"), MeterLookup.of(["M1", "M2"], [1, 2], [30, 15]), {"h": 1})

FIELDS = (
    *("start", "interval_min", "read_at", "day", "occurred_at", "code", "detail", "profile", "quantity", "zone", "value", "at"),
    *("attribute", "text", "word", "quality", "md_import_at", "other", *ALL_CHANNELS[:3], *REGISTERS[:3]),
)
SERIALS = st.sampled_from(("M1", "M2", "NOBODY", "", "\x00"))
TEXTS = ("M1", START, "2026-10-01", "9999-12-31T23:59:59-23:59", "billing", "instant", *QUANTITIES[:2], "0" * 32, "\x00")
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.sampled_from(TEXTS) | st.just(30)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), SCALARS, max_size=3)
LOOSE = st.fixed_dictionaries({"serial": SERIALS}, optional=dict.fromkeys(FIELDS, VALUES))
TIMES = ("start", "read_at", "occurred_at")
STAMPED = st.fixed_dictionaries(
    {"serial": SERIALS, **{t: st.just(START) for t in TIMES}, "interval_min": st.sampled_from((15, 30))},
    optional={f: VALUES for f in FIELDS if f not in (*TIMES, "interval_min")},
)
BODIES = st.dictionaries(st.sampled_from((*LISTS, "other")), st.lists(LOOSE | STAMPED | VALUES, max_size=4) | VALUES, max_size=3)


def sorted_out(content: bytes) -> tuple[int, int]:
    """(accepted, rejected); landing itself raises where they are not what was received."""
    result = _sort_out(DISCOM, read_native("body", content, NOW))
    return result.accepted, result.rejected


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_every_json_is_accounted_for(body: dict[str, Any]) -> None:
    accepted, rejected = sorted_out(orjson.dumps(body))
    strange = [n for n, records in body.items() if not isinstance(records, list) or any(not isinstance(r, dict) for r in records)]
    assert accepted + rejected >= len(strange), "what is no record must at least be rejected"


def _sound() -> bytes:
    block = {"start": START, "interval_min": 30, "import_wh": [1, 2, None, 4], "voltage_dv": [2301] * 4, "quality": ["ACTUAL"] * 4}
    return orjson.dumps(
        {
            "profiles": [{"serial": "M1", **block}, {"serial": "M2", **block, "interval_min": 15}],
            "registers": [{"serial": "M1", "read_at": START, "import_wh": 5, "md_import_w": 7, "md_import_at": START}],
            "events": [{"serial": "M1", "occurred_at": START, "code": 101, "detail": {"a": [1, None]}}],
            "values": [
                {"serial": "M1", "profile": "billing", "read_at": START, "quantity": "import_wh", "zone": 1, "value": 7, "at": START}
            ],
            "nameplates": [{"serial": "M1", "read_at": START, "attribute": "firmware", "text": "V1"}],
            "status_words": [{"serial": "M1", "occurred_at": START, "word": "80" + "00" * 15}],
        }
    )


def test_a_sound_body_is_accepted_whole() -> None:
    assert sorted_out(_sound()) == (14 + 2 + 1 + 1 + 1 + 1, 0)


@pytest.mark.heavy
def test_ten_thousand_broken_bodies_are_accounted_for() -> None:
    rng = random.Random(7)
    sound = _sound()
    pieces = [b"null", b"[]", b"{}", b"1e999", b"-1", b'"', b"[", b"}", b",", b"\x00", b"\xff", b"99999999999999999999", b'"serial":"M1",']
    slowest = 0.0
    for _ in range(10_000):
        body = bytearray(sound)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(body))
            kind = rng.randrange(4)
            if kind == 0:
                body[at] = rng.randrange(256)
            elif kind == 1:
                del body[at : at + rng.randint(1, 30)]
            elif kind == 2:
                body[at:at] = rng.choice(pieces)
            else:
                body[at:at] = body[at : at + rng.randint(1, 60)]
            if not body:
                body = bytearray(b"x")
        began = time.perf_counter()
        accepted, rejected = sorted_out(bytes(body))
        slowest = max(slowest, time.perf_counter() - began)
        assert accepted + rejected > 0, f"nothing became of {bytes(body)!r}"
    assert slowest < 5, "a body of a kilobyte hangs"


@pytest.mark.parametrize("depth", [100, 100_000])
def test_nesting_without_end_is_refused(depth: int) -> None:
    assert sorted_out(b'{"profiles":' + b"[" * depth + b"]" * depth + b"}")[1] >= 1


def test_a_record_too_long_is_refused_by_itself() -> None:
    long = {"serial": "M1", "start": START, "interval_min": 1, "import_wh": [1] * 60_000}
    delivery = read_native("body", orjson.dumps({"profiles": [long]}), NOW)
    assert [(r.reason, r.values) for r in delivery.rejections] == [(Reason.MALFORMED, 60_000)]
