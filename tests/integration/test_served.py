"""What only processes show: their log, one limit over two of them with Redis, spans that a receiver gets, pages in a browser."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from api.auth import HEADER, new_key
from api.auth.repository import insert_key
from tests.brokers import free_port, redis_server
from tests.integration.served import Served, serving
from warehouse import db

pytestmark = pytest.mark.integration

SERIAL = "PERSONAL-77"


@pytest.fixture(scope="module")
def keys(module_database: str) -> dict[str, str]:
    """By requests a minute."""
    made = {}
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme')")
        for name, per_min in (("quick", 1_000_000), ("ten", 10), ("twenty", 20)):
            made[name], key_id, secret = new_key()
            insert_key(conn, 1, key_id, secret, None, f"Asha {name}", [], per_min)
    return made


def eventually(happened: Callable[[], bool], what: str) -> None:
    for _ in range(200):
        if happened():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within 20 s: {what}")


Spans = list[tuple[str, ExportTraceServiceRequest]]


@pytest.fixture(scope="module")
def served(keys: dict[str, str]) -> Iterator[tuple[Served, Spans]]:
    """Two processes on one port, and what a receiver of spans got of them."""
    got: Spans = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = ExportTraceServiceRequest()
            request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
            got.append((self.path, request))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        endpoint = f"http://127.0.0.1:{receiver.server_port}"
        with serving("--workers", "2", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="200") as server:
            yield server, got
    finally:
        receiver.shutdown()


def test_the_log_is_json_and_nothing_personal_is_in_it(keys: dict[str, str], served: tuple[Served, Spans]) -> None:
    server, key = served[0], keys["quick"]
    with httpx.Client(base_url=server.url, headers={HEADER: key, "X-Request-ID": "a-known-request"}) as client:
        for _ in range(20):
            assert client.get("/api/v1/commands", params={"meter": SERIAL}).status_code == 200
        client.get(f"/api/v1/vee/explain/{SERIAL}/2026-10-05")
        client.get("/api/v1/commands", headers={HEADER: key + "x"})
        client.post("/api/v1/edits/preview", json={"serial": SERIAL})
    eventually(lambda: server.log.count("a-known-request") >= 23, "23 lines in the log")
    log = server.log
    assert [line for line in log.splitlines() if line and not line.startswith("{")] == [], "a line of the log is no JSON"
    requests = [x for line in log.splitlines() if line and (x := json.loads(line)).get("request_id") == "a-known-request"]
    assert {x["route"] for x in requests} == {"/api/v1/commands", "/api/v1/vee/explain/{serial}/{day}", "/api/v1/edits/preview"}
    assert set(requests[0]) == {"at", "level", "logger", "message", "request_id", "method", "route", "status", "ms", "discom_id"}
    for secret in (SERIAL, key, key.split("_")[2], "Asha", "meter="):
        assert secret not in log, f"the log holds {secret[:8]}…"


def test_processes_count_together(keys: dict[str, str], served: tuple[Served, Spans]) -> None:
    for _ in range(12):
        httpx.get(f"{served[0].url}/api/v1/freezes", headers={HEADER: keys["quick"]})
    texts = [httpx.get(f"{served[0].url}/metrics").text for _ in range(6)]
    total = re.compile(r'requests_total\{method="GET",route="/api/v1/freezes",status="200"\} (\S+)')
    assert {found[1] for text in texts if (found := total.search(text))} == {"12.0"}, "each process shows figures of its own"
    assert all("meterhouse_pool_connections" in text for text in texts)


def test_spans_arrive_at_a_receiver(keys: dict[str, str], served: tuple[Served, Spans]) -> None:
    server, got = served
    httpx.get(f"{server.url}/api/v1/vee/explain/{SERIAL}/2026-10-05", headers={HEADER: keys["quick"]})
    name = "GET /api/v1/vee/explain/{serial}/{day}"
    eventually(lambda: name in str(got), "a span of the request at the receiver")
    assert {path for path, _ in got} == {"/v1/traces"}
    assert SERIAL not in str(got), "a span names a meter"


def test_a_port_that_is_taken_is_said_and_not_shared(keys: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as our own processes have it
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "cli.main", "api", "--port", port, "--workers", "2"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, f"two processes share a port that somebody else listens on: {done.stdout[-500:]}"
    assert "give another --port" in done.stderr, done.stderr[-500:]


# --- one limit over several processes ---


def test_two_processes_share_a_limit_and_go_on_without_redis(keys: dict[str, str]) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"

    def ask(server: Served, key: str) -> httpx.Response:
        return httpx.get(f"{server.url}/api/v1/commands", headers={HEADER: keys[key]}, timeout=10)

    with redis_server(port) as redis, serving(METERHOUSE_REDIS_URL=url) as one, serving(METERHOUSE_REDIS_URL=url) as other:
        began = time.monotonic()
        answers = [ask((one, other)[n % 2], "ten") for n in range(16)]
        refilled = (time.monotonic() - began) * 10 / 60
        passed = [a.status_code for a in answers].count(200)
        assert 10 <= passed <= 10 + refilled + 1, f"{passed} of 16 passed two processes that allow 10 together"
        left = [int(a.headers["RateLimit-Remaining"]) for a in answers]
        assert left[1] < 9, f"the second process knows nothing of the first: {left}"
        assert answers[-1].json()["code"] == "TOO_OFTEN"

        assert ask(one, "twenty").headers["RateLimit-Remaining"] == "19"
        redis.kill()
        redis.wait(5)
        after = [ask((one, other)[n % 2], "twenty") for n in range(8)]
        assert {a.status_code for a in after} == {200}, "nobody is to be refused because Redis is away"
        assert after[0].headers["RateLimit-Remaining"] == "19", "each process counts for itself now"
        for server in (one, other):
            said = [x for x in server.log.splitlines() if "Redis does not answer" in x]
            assert len(said) == 1, f"it must be said once: {said}"
        with redis_server(port):
            eventually(lambda: ask(one, "quick").status_code == 200 and "Redis answers again" in one.log, "Redis is used again")


# --- pages ---


OUR_POLICY_BLOCKS = "https://cdn.redoc.ly/redoc/logo-mini.svg"
"""Redoc's bundle names this picture; the page's policy keeps the browser from asking for it."""


@pytest.mark.parametrize(("page", "shows"), [("docs", "commands_create"), ("redoc", "Idempotency-Key")])
def test_the_pages_work_in_a_browser_that_reaches_nothing_else(served: tuple[Served, Spans], tmp_path: Path, page: str, shows: str) -> None:
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    command = [
        *(binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={tmp_path}"),
        *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr", "--virtual-time-budget=20000"),
        *("--dump-dom", f"{served[0].url}/{page}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line and OUR_POLICY_BLOCKS not in line]
    complaints = [line for line in said if re.search("Refused|violate|Error|ERR_", line)]
    assert complaints == [], "the page wants something that it may not have"
    assert shows in done.stdout, f"the page does not show the operations: {done.stdout[-2000:]}"
