"""The REST server of vendor hpl, run as the process that clients talk to."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulation import HplServer, SimulationConfig, generate

TOKEN = "token-of-the-test"
DAY = {"from": "2026-10-02T00:00:00+05:30", "to": "2026-10-03T00:00:00+05:30"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hpl")
    generate(SimulationConfig(tenants=1, dts=4, consumers=90, days=2, clean=True), out)
    return out / "D01" / "hpl"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[HplServer]:
    with HplServer(data, TOKEN) as running:
        yield running


def get(server: HplServer, path: str = "/api/profiles", token: str = TOKEN, **query: str) -> tuple[int, dict[str, Any], Any]:
    url = f"{server.url}{path}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers


def test_pages_give_every_item_of_the_window_once(server: HplServer, data: Path) -> None:
    lines = [json.loads(x) for x in (data / "block.jsonl").read_text().splitlines()]
    expected = [x["meterSerial"] for x in lines if x["receivedAt"].startswith("2026-10-02")]
    assert len(expected) == 36, "30 consumers, 4 DTs and 2 feeders"
    found: list[str] = []
    for page in (1, 2, 3):
        status, body, _ = get(server, profile="block", page=str(page), size="15", **DAY)
        assert (status, body["page"], body["pages"]) == (200, page, 3)
        found += [i["meterSerial"] for i in body["items"]]
    assert found == expected
    assert get(server, profile="block", page="4", size="15", **DAY)[1]["items"] == []


def test_an_item_is_written_as_the_format_page_says(server: HplServer) -> None:
    _, body, _ = get(server, profile="block", size="1", **DAY)
    item = body["items"][0]
    assert item["profileObisCode"] == "AQBjAQD/"
    assert item["formattedProfileObisCode"] == "1.0.99.1.0.255"
    assert len(item["entries"]) == 48
    registers = item["entries"][0]["registerValues"]
    assert [r["formattedRegisterObisCode"] for r in registers[:4]] == [
        *("0.0.1.0.0.255", "1.0.1.29.0.255", "1.0.2.29.0.255", "1.0.9.29.0.255")
    ]
    assert registers[0]["registerValue"].startswith("CQwH6goBBAAe"), "the clock of the first block ends at 00:30"
    assert registers[0]["formattedValue"] == "2026-10-01 00:30:00"
    assert registers[1]["formattedValue"].endswith(" Wh")
    assert registers[4]["scalar"] == -2
    daily = get(server, profile="daily", size="200", **DAY)[1]["items"]
    scalars = {r["scalar"] for i in daily for r in i["entries"][0]["registerValues"][1:]}
    assert scalars == {0, 1}, "registers come with scalar 0 and +1, by firmware"


def test_the_window_is_half_open_by_time_of_receipt(server: HplServer) -> None:
    items = get(server, profile="daily", **DAY)[1]["items"]
    first = items[0]["receivedAt"]
    window = {"from": first, "to": items[1]["receivedAt"]}
    assert [i["receivedAt"] for i in get(server, profile="daily", **window)[1]["items"]] == [first]
    assert get(server, profile="daily", **{"from": first, "to": first})[1]["pages"] == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from": DAY["from"], "to": DAY["to"]}, "'profile' is missing"),
        ({"profile": "minute", **DAY}, "known are block"),
        ({"profile": "block", "from": "yesterday", "to": DAY["to"]}, "ISO 8601"),
        ({"profile": "block", "from": "2026-10-02T00:00:00", "to": DAY["to"]}, "zone is missing"),
        ({"profile": "block", "size": "5000", **DAY}, "1 to 1000"),
        ({"profile": "block", "page": "0", **DAY}, "'page' is '0'"),
    ],
)
def test_a_wrong_query_is_refused_with_the_reason(server: HplServer, query: dict[str, str], words: str) -> None:
    status, body, _ = get(server, **query)
    assert status == 400
    assert words in body["error"]


def test_a_wrong_token_and_a_wrong_path_are_refused(server: HplServer) -> None:
    assert get(server, token="other", profile="block", **DAY)[0] == 401
    assert get(server, path="/api/meters", profile="block", **DAY)[0] == 404


def test_failures_come_as_often_as_asked(data: Path) -> None:
    with HplServer(data, TOKEN, fail_every=3, rate_limit_every=2) as flaky:
        answers = [get(flaky, profile="event", **DAY) for _ in range(6)]
    assert [a[0] for a in answers] == [200, 429, 503, 429, 200, 503]
    assert answers[1][2]["Retry-After"] == "0"


def test_the_process_ends_with_the_block(data: Path) -> None:
    with HplServer(data, TOKEN) as running:
        process = running._process
        assert process is not None
        assert process.poll() is None
    assert process.poll() is not None, "the server outlives its block"
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_server_that_cannot_start_says_why(tmp_path: Path, data: Path) -> None:
    with pytest.raises(RuntimeError, match="no items in"), HplServer(tmp_path, TOKEN):
        pass
    with pytest.raises(RuntimeError, match="HPL_TOKEN is empty"), HplServer(data, ""):
        pass
