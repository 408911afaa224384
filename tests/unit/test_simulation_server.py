"""The REST server of vendor hpl, run as the process that clients talk to."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulation import HplServer, SimulationConfig, generate
from simulation.drop import drop
from simulation.faults import Fault

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


# --- faults and the other styles ---


def raw(server: HplServer, fault: str | None = None, **query: str) -> tuple[int, bytes]:
    url = f"{server.url}/api/profiles?{urllib.parse.urlencode({'profile': 'block', 'size': '5', **DAY, **query})}"
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"X-Fault": fault} if fault else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def serials(body: bytes) -> list[str]:
    return [i["meterSerial"] for i in json.loads(body)["items"]]


@pytest.mark.parametrize(("fault", "status"), [("unavailable", 503), ("rate_limit", 429), ("unauthorised", 401), ("nonsense", 400)])
def test_a_fault_of_one_request_by_its_header(server: HplServer, fault: str, status: int) -> None:
    assert raw(server, fault)[0] == status
    assert raw(server)[0] == 200, "the next request is answered well"


@pytest.mark.parametrize("fault", ["cut_body", "cut_chunks"])
def test_a_body_that_is_cut(server: HplServer, fault: str) -> None:
    with pytest.raises(http.client.IncompleteRead):
        raw(server, fault)


def test_a_rule_applies_to_its_pages_as_often_as_it_says(server: HplServer) -> None:
    server.misbehave("unavailable:page=2,times=1", "rate_limit:page=3,every=2,seconds=7")
    assert [raw(server, page=p)[0] for p in ("1", "2", "2", "3", "3", "3", "3")] == [200, 503, 200, 200, 429, 200, 429]
    server.misbehave()
    assert raw(server, page="3")[0] == 200


def test_pages_that_repeat_and_pages_that_shift(server: HplServer) -> None:
    first, second = (serials(raw(server, page=p)[1]) for p in ("1", "2"))
    assert serials(raw(server, "duplicate_page", page="2")[1]) == first
    assert serials(raw(server, "shift:amount=2", page="2")[1]) == first[-2:] + second[:-2]


def test_a_clock_that_is_ahead(server: HplServer) -> None:
    well = json.loads(raw(server)[1])["items"][0]
    later = {"from": "2026-10-02T01:00:00+05:30", "to": "2026-10-03T01:00:00+05:30"}
    skewed = json.loads(raw(server, "clock_skew:amount=60", **later)[1])["items"][0]
    assert skewed["meterSerial"] == well["meterSerial"]
    assert datetime.fromisoformat(skewed["receivedAt"]) - datetime.fromisoformat(well["receivedAt"]) == timedelta(hours=1)


def test_what_is_withheld_comes_only_when_the_meter_is_read_again(server: HplServer) -> None:
    meter = serials(raw(server)[1])[0]
    window = {"profile": "block", "meters": meter, "from": "2026-10-01T00:00:00+05:30", "to": "2026-10-02T00:00:00+05:30"}

    def entries() -> tuple[int, int]:
        feed = [i for i in json.loads(raw(server, size="1000")[1])["items"] if i["meterSerial"] == meter]
        again = get(server, "/api/readings", **window)[1]["items"]
        return len(feed[0]["entries"]), len(again[0]["entries"])

    assert entries() == (48, 48)
    server.withhold(meter, "2026-10-01 10:00:00", "2026-10-01 12:00:00", on_demand=True)
    assert entries() == (44, 48)
    server.withhold(meter, "2026-10-01 10:00:00", "2026-10-01 12:00:00", on_demand=False)
    assert entries() == (44, 44)
    server._control("withheld", [])


@pytest.mark.parametrize("rule", ["nonsense", "slow:speed=3", "slow:times=-1", "slow:times=x"])
def test_a_rule_that_is_wrong_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r"no fault|no setting|negative|invalid literal"):
        Fault.parse(rule)


def test_the_control_is_for_who_has_the_token(server: HplServer) -> None:
    request = urllib.request.Request(f"{server.url}/control/faults", b"[]", {"Authorization": "Bearer other"}, method="PUT")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=5)


def test_the_flat_style_has_the_same_readings_under_other_names(data: Path) -> None:
    with HplServer(data, TOKEN, style="mdas") as mdas:
        query = {"profileType": "blockLoad", "fromTime": DAY["from"], "toTime": DAY["to"], "pageSize": "1"}
        _, body, _ = get(mdas, "/mdas/readings", pageNo="0", **query)
    line = json.loads((data / "block.jsonl").read_text().splitlines()[0])
    assert (body["number"], body["totalPages"]) == (0, 36 * 48)
    (row,) = body["content"]
    assert (row["meterNumber"], row["readingTime"]) == (line["meterSerial"], line["entries"][0][0])
    assert row["blockEnergyKwhImport"] == line["entries"][0][1], "Wh, whatever the name says"


@pytest.mark.parametrize(
    ("manner", "expected"),
    [
        ("rename", ["a_1.csv", "b_1.csv.gz"]),
        ("bare", ["a_1.csv", "b_1.csv.gz"]),
        ("truncated", ["a_1.csv", "a_1.retry.csv", "b_1.csv.gz", "b_1.retry.csv.gz"]),
        ("duplicates", ["a_1.again.csv", "a_1.csv", "b_1.again.csv.gz", "b_1.csv.gz"]),
    ],
)
def test_files_are_dropped_in_good_manner_and_bad(tmp_path: Path, manner: str, expected: list[str]) -> None:
    source, to = tmp_path / "source", tmp_path / "drop"
    source.mkdir()
    (source / "a_1.csv").write_bytes(b"0123456789")
    (source / "b_1.csv.gz").write_bytes(b"x")
    seen = [(name, sorted(p.name for p in to.iterdir())) for name in drop(source, to, manner, 0)]
    assert [name for name, _ in seen] == ["a_1.csv", "b_1.csv.gz"]
    assert sorted(p.name for p in to.iterdir()) == expected
    assert (to / "a_1.csv").read_bytes() == (b"01234" if manner == "truncated" else b"0123456789")
    with pytest.raises(ValueError, match="there are rename, bare"):
        list(drop(source, to, "politely", 0))
