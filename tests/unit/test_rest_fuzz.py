"""Ten thousand mutated answers of a head-end system, without sockets: what the puller makes of a page, and of pages that do not fit.

What becomes of them in the database is the same for good pages and bad; tests/integration/test_rest_pull.py has real sockets and faults.
"""

from __future__ import annotations

import copy
import dataclasses
import gzip
import json
import random
import time
from base64 import b64encode
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from ingestion.fragments import MeterLookup
from ingestion.landing import DiscomContext, _sort_out
from ingestion.transports.rest import Http, PullError, Settings, walk
from ingestion.vendor import Vendor, load_vendor

PAGES = 10_000
CONTEXT = DiscomContext("D", 1, ZoneInfo("Asia/Kolkata"), MeterLookup.of(["M1", "M2"], [1, 2], [30, 30]), {"H": 1})
PARAMS = {"profile": "block", "from": "2026-10-01T00:00:00+05:30", "to": "2026-10-02T00:00:00+05:30", "size": "2"}


@pytest.fixture
def hpl(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    monkeypatch.setenv("METERHOUSE_HPL_TOKEN", "sesame")
    monkeypatch.setenv("METERHOUSE_MAX_PAGE_BYTES", "100000")
    vendor = load_vendor("hpl")
    block = tuple(p for p in vendor.profiles if p.name == "block")  # the others would be looked for on each page, and are never there
    return dataclasses.replace(vendor, profiles=block, transport=vendor.transport | {"attempts": 2, "backoff_s": 0, "max_pages": 20})


def register(obis: str, raw: bytes, unit: int) -> dict[str, Any]:
    return {"formattedRegisterObisCode": obis, "attributeId": 2, "unit": unit, "scalar": 0, "registerValue": b64encode(raw).decode()}


def page(number: int, pages: int = 2) -> dict[str, Any]:
    """A good page: one item of two blocks with two values each."""
    entries = []
    for slot in range(2):
        clock = (2026).to_bytes(2) + bytes([10, 1, 255, slot, 30, 0, 255, 1, 0x4A, 0])
        energy = [register(f"1.0.{c}.29.0.255", b"\x06" + (100 * number + slot).to_bytes(4), 30) for c in (1, 2)]
        entries.append({"registerValues": [register("0.0.1.0.0.255", b"\x09\x0c" + clock, 255), *energy]})
    item = {
        "meterSerial": f"M{number}",
        "formattedProfileObisCode": "1.0.99.1.0.255",
        "receivedAt": "2026-10-02T00:41:07+05:30",
        "entries": entries,
    }
    return {"page": number, "pages": pages, "items": [item]}


STRANGE: list[Any] = [None, True, -1, 0, 1, 2, 10**30, 1e308, float("nan"), float("inf"), "", "x", "\udc80", "\0", [], {}, [[]], {"a": {}}]


def mutated(rng: random.Random, body: dict[str, Any]) -> bytes:
    """A page with one to three places changed: in its tree, or in its bytes."""
    for _ in range(rng.randint(1, 3)):
        node: Any = body
        while isinstance(node, dict | list) and node:
            at = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
            child = node[at]
            if not isinstance(child, dict | list) or not child or rng.random() < 0.15:
                kind = rng.randrange(4)
                if kind == 0:
                    del node[at]
                elif kind == 1 and isinstance(node, list):
                    node.insert(at, json.loads(json.dumps(child)))
                elif kind == 2 and isinstance(child, str):
                    cut = rng.randrange(len(child) + 1)
                    node[at] = child[:cut] + rng.choice(["", "%", "é", "9"]) + child[cut + rng.randrange(3) :]
                else:
                    node[at] = copy.deepcopy(rng.choice(STRANGE))
                break
            node = child
    data = json.dumps(body).encode()
    how = rng.random()
    if how < 0.1:
        data = data[: rng.randrange(len(data))]
    elif how < 0.2:
        at = rng.randrange(len(data))
        data = data[:at] + rng.randbytes(rng.randint(1, 4)) + data[at + rng.randrange(3) :]
    elif how < 0.22:
        data = b"[" * 50_000 + data
    elif how < 0.24:
        data = b'{"pages": 1, "items": ' + b"[" * 900 + b"]" * 900 + b"}"
    return data


def test_ten_thousand_mutated_pages(hpl: Vendor) -> None:
    rng = random.Random(20261001)
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    content: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        return httpx.Response(rng.choice([200] * 40 + [204, 302, 500]), content=content[min(number, len(content)) - 1])

    with Http(Settings.of(hpl, "http://hes"), transport=httpx.MockTransport(answer)) as http:
        for _ in range(PAGES // 2):
            content[:] = [mutated(rng, page(1)), mutated(rng, page(2))]
            began = time.perf_counter()
            try:
                for step in walk(http, hpl, PARAMS, 1, 0):
                    if step.delivery is None:
                        outcomes["nothing new"] += 1
                        continue
                    received = step.delivery.values_read + step.delivery.values_rejected
                    sorted_out = _sort_out(CONTEXT, step.delivery)
                    assert sorted_out.accepted + sorted_out.rejected == received, content
                    outcomes["accepted"] += sorted_out.accepted
                    outcomes["rejected"] += sorted_out.rejected
            except PullError:
                outcomes["refused"] += 1
            slowest = max(slowest, time.perf_counter() - began)
    assert min(outcomes[k] for k in ("accepted", "rejected", "refused")) > 1000, f"the mutations miss what they aim at: {outcomes}"
    assert slowest < 10, f"a pair of pages took {slowest:.1f} s"


@pytest.mark.parametrize("stated", [-3, 0, 1, "2", 2.9])
def test_pages_are_a_number_of_some_kind(hpl: Vendor, stated: Any) -> None:
    body = json.dumps(page(1) | {"pages": stated}).encode()
    with Http(Settings.of(hpl, "http://hes"), transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body))) as http:
        steps = list(walk(http, hpl, PARAMS, 1, 0))
    assert steps[-1].next_page is None
    assert sum(s.delivery is not None for s in steps) == 1, "the item came on each page and counts once"


@pytest.mark.parametrize(("stated", "says"), [("many", "no JSON object with 'pages'"), (1e400, "no JSON object"), (10**9, "more than 20")])
def test_pages_that_cannot_be(hpl: Vendor, stated: Any, says: str) -> None:
    body = json.dumps(page(1) | {"pages": stated}).encode()
    with (
        Http(Settings.of(hpl, "http://hes"), transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body))) as http,
        pytest.raises(PullError, match=says),
    ):
        list(walk(http, hpl, PARAMS, 1, 0))


def test_an_empty_page_before_the_last(hpl: Vendor) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        return httpx.Response(200, json=page(number, 3) | ({"items": []} if number == 2 else {}))

    with (
        Http(Settings.of(hpl, "http://hes"), transport=httpx.MockTransport(answer)) as http,
        pytest.raises(PullError, match="the page is empty, though 3 are stated"),
    ):
        list(walk(http, hpl, PARAMS, 1, 0))


def test_a_packed_answer_counts_unpacked(hpl: Vendor) -> None:

    bomb = gzip.compress(b" " * 50_000_000)
    packed = {"Content-Encoding": "gzip"}
    with (
        Http(
            Settings.of(hpl, "http://hes"), transport=httpx.MockTransport(lambda _: httpx.Response(200, content=bomb, headers=packed))
        ) as http,
        pytest.raises(PullError, match="more than 100000 bytes"),
    ):
        http.page({**PARAMS, "page": "1"})
