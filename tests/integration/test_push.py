"""Pushing readings and events to the API: what is acknowledged is committed, once, whatever dies; and who or what is refused."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from api.auth import HEADER, new_key
from api.auth.limits import Limits
from api.auth.repository import insert_key, revoke_key
from api.main import create_app
from api.meters.service import NATIVE
from warehouse import db

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parent.parent.parent
START = "2026-10-01T00:00:00+05:30"


def registry(meters: int = 20) -> dict[str, int]:
    """Two DISCOMs with meters M0001, M0002, … each; discom_id by code."""
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'Acme'), ('globex', 'Globex')")
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'vendor_b' from registry.discom")
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M' || to_char(n, 'FM0000'), hes_id, 'D1', 30 from registry.hes, generate_series(1, %s) n""",
            [meters],
        )
        return dict(conn.execute("select code, discom_id from registry.discom").fetchall())


def key(discom: str = "acme", *, operator: bool = False, networks: list[str] | None = None, per_min: int = 100_000) -> str:
    secret, key_id, sha256 = new_key()
    with db.connect("meterhouse_owner") as conn:
        discom_id, hes_id = conn.execute(
            "select discom_id, hes_id from registry.hes join registry.discom d using (discom_id) where d.code = %s", [discom]
        ).fetchone() or (0, 0)
        insert_key(conn, discom_id, key_id, sha256, None if operator else hes_id, "test", networks or [], per_min)
    return secret


def body(first: int = 1, meters: int = 3, slots: int = 2, value: int = 100) -> bytes:
    profiles = [
        {"serial": f"M{first + i:04d}", "start": START, "interval_min": 30, "import_wh": [value] * slots, "voltage_dv": [2301] * slots}
        for i in range(meters)
    ]
    return json.dumps({"profiles": profiles}).encode()


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    registry()
    with TestClient(create_app()) as c:
        c.headers[HEADER] = key()
        c.headers["Content-Type"] = NATIVE
        yield c


def push(client: TestClient, content: bytes, to: str = "readings", **headers: str) -> httpx.Response:
    return client.post(f"/api/v1/meters/{to}", content=content, headers=headers)


def rows(sql: str) -> list[tuple[object, ...]]:
    with db.connect() as conn:
        return conn.execute(sql).fetchall()


def test_readings_are_committed_when_they_are_acknowledged_and_stored_once(client: TestClient) -> None:
    answer = push(client, body())

    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert (receipt["received"], receipt["accepted"], receipt["rejected"], receipt["duplicate"]) == (12, 12, 0, False)
    landed = rows("select meter_id, start_slot, import_wh, voltage_dv from raw.profile_fragment order by meter_id")
    assert [r[1:] for r in landed] == [(0, [100, 100], [2301, 2301])] * 3

    again = push(client, body()).json()
    assert again["duplicate"], "the same body must be recognised"
    assert (again["batch_id"], again["accepted"]) == (receipt["batch_id"], 12), "the receipt of a repetition is that of the first"
    assert len(rows("select 1 from raw.profile_fragment")) == 3, "a repetition must store nothing"


def test_every_kind_of_record_lands(client: TestClient) -> None:
    content = {
        "registers": [{"serial": "M0001", "read_at": START, "import_wh": 5_000_000_000, "md_import_w": 4200, "md_import_at": START}],
        "events": [{"serial": "M0002", "occurred_at": "2026-10-01T09:00:00+05:30", "code": 101, "detail": {"phase": "R"}}],
        "values": [
            {"serial": "M0001", "profile": "billing", "read_at": START, "quantity": "import_wh", "zone": 2, "value": 77},
            {"serial": "M0001", "profile": "instant", "read_at": START, "quantity": "voltage_r_mv", "value": 230150},
        ],
    }

    receipt = push(client, json.dumps(content).encode(), "events").json()

    assert (receipt["accepted"], receipt["rejected"]) == (5, 0), receipt
    assert rows("select day::text, import_wh, md_import_w, md_import_at is not null from raw.register_reading") == [
        ("2026-09-30", 5_000_000_000, 4200, True)
    ], "a register of midnight closes the day before"
    assert rows("select code, detail from raw.event") == [(101, {"phase": "R"})]
    assert rows("select day::text, profile, quantity, zone, value from raw.meter_value order by profile") == [
        ("2026-09-30", "billing", "import_wh", 2, 77),
        ("2026-10-01", "instant", "voltage_r_mv", 0, 230150),
    ]


def test_what_is_not_understood_is_refused_by_itself_and_kept(client: TestClient) -> None:
    start = {"start": START, "interval_min": 30}
    content = {
        "profiles": [
            {"serial": "M0001", **start, "import_wh": [1, None, 2.5, "x"], "kwh": [1, 2]},
            {"serial": "M0002", **start, "import_wh": [1, 2], "export_wh": [1]},
            {"serial": "M0003", **start, "start": "2026-10-01 00:00", "import_wh": [1, 2]},
            {"serial": "M0004", **start, "interval_min": 7, "import_wh": [1, 2]},
            {"serial": "NOBODY", **start, "import_wh": [1, 2]},
            {"serial": "M0005", **start, "interval_min": 15, "import_wh": [1]},
            {"start": START},
            7,
        ],
        "events": [{"serial": "M0001", "occurred_at": START, "code": "101"}],
        "letters": [1, 2],
    }

    receipt = push(client, json.dumps(content).encode()).json()

    expected = {"NOT_A_NUMBER": 3, "UNKNOWN_OBIS": 4, "MALFORMED": 7, "BAD_STAMP": 2, "UNKNOWN_METER": 2, "WRONG_INTERVAL": 1}
    assert receipt["rejected_by_reason"] == expected
    assert (receipt["received"], receipt["accepted"]) == (sum(expected.values()) + 1, 1)
    kept = dict(rows("select reason, sum(value_count)::int from raw.rejected group by 1"))  # type: ignore[arg-type]
    assert kept == expected, "what was refused must be kept with its reason"
    places = {r["at"]: r["detail"] for r in receipt["refusals"]}
    assert "2.5" in places["profiles[0].import_wh[2]"]
    assert "zone" in places["profiles[2]"], "the message must say how to mend it"


def test_a_body_of_which_nothing_is_accepted_is_an_error_that_says_so_every_time(client: TestClient) -> None:
    for _ in range(2):
        answer = push(client, b'{"profiles": "none"}')
        assert answer.status_code == 422
        assert answer.json()["code"] == "NOTHING_ACCEPTED"
    assert answer.headers["content-type"] == "application/problem+json"
    assert rows("select count(*) from raw.rejected") == [(1,)], "and it is kept once"


def test_a_body_in_the_vendors_own_format_is_read_by_its_vendor_file(client: TestClient) -> None:
    csv = (
        "METER_NO,BLOCK_END_TIME,BLOCK_ENERGY_KWH_IMPORT,BLOCK_ENERGY_KWH_EXPORT,BLOCK_ENERGY_KVAH_IMPORT,AVG_VOLTAGE\n"
        "M0001,01-10-2026 00:30:00,0.100,0,0.110,230.1\n"
    )
    receipt = push(client, gzip.compress(csv.encode(), mtime=0), **{"Content-Type": "text/csv", "Content-Encoding": "gzip"}).json()
    assert (receipt["accepted"], receipt["rejected"]) == (4, 0), receipt
    assert rows("select import_wh, voltage_dv from raw.profile_fragment") == [([100], [2301])]


@pytest.mark.parametrize("wrong", ["", "mh_abc_def", "mh_", "mh_abc_d\u00e9f", "x" * 5000])
def test_without_a_valid_key_nobody_comes_in(client: TestClient, wrong: str) -> None:
    answer = client.post("/api/v1/meters/readings", content=body(), headers={HEADER: wrong.encode("latin-1", "replace")})
    assert (answer.status_code, answer.json()["code"]) == (401, "UNKNOWN_KEY" if wrong else "NO_CREDENTIALS")


def test_a_key_is_for_its_purpose_its_networks_and_its_time(client: TestClient) -> None:
    assert push(client, body(), **{HEADER: key(operator=True)}).json()["code"] == "NOT_PERMITTED"
    # The test's client calls from an address that is no address at all.
    assert push(client, body(), **{HEADER: key(networks=["10.0.0.0/8"])}).json()["code"] == "WRONG_NETWORK"
    mine = key()
    with db.connect("meterhouse_owner") as conn:
        assert revoke_key(conn, 1, mine.split("_")[1])
    assert push(client, body(), **{HEADER: mine}).status_code == 401, "a revoked key must be refused"
    assert rows("select count(*) from raw.batch") == [(0,)]


def test_a_key_reaches_only_its_own_discom(client: TestClient) -> None:
    push(client, body(), **{HEADER: key("globex")})
    found = rows("select d.code, count(*) from raw.profile_fragment join registry.discom d using (discom_id) group by 1")
    assert found == [("globex", 3)]


def test_too_many_requests_are_told_when_to_come_again(client: TestClient) -> None:
    mine = key(per_min=2)
    answers = [push(client, body(), **{HEADER: mine}) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 31


def test_a_bucket_fills_evenly() -> None:
    now = [0.0]
    limits = Limits(lambda: now[0])
    assert [limits.take("k", 60) for _ in range(60)] == [0.0] * 60
    assert limits.take("k", 60) == pytest.approx(1.0)
    now[0] = 2.0
    assert [limits.take("k", 60) > 0 for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", {}, 400, "EMPTY_BODY"),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400, "BROKEN_GZIP"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], {"Content-Encoding": "gzip"}, 400, "BROKEN_GZIP"),
        (gzip.compress(bytes(3_000_000), mtime=0), {"Content-Encoding": "gzip"}, 413, "TOO_LARGE"),
        (b"x" * 200_000, {}, 413, "TOO_LARGE"),
        (b"{}", {"Content-Encoding": "br"}, 415, "UNKNOWN_ENCODING"),
    ],
)
def test_bad_bodies_are_refused_before_they_cost_anything(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    monkeypatch.setenv("METERHOUSE_API_MAX_BODY_BYTES", "100000")
    monkeypatch.setenv("METERHOUSE_API_MAX_CONTENT_BYTES", "1000000")
    answer = push(client, content, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/api/v1/meters/readings", "/api/v1/commands", "/healthz"])
def test_a_body_that_does_not_say_its_size_is_counted_whoever_sends_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("METERHOUSE_API_MAX_BODY_BYTES", "100000")
    answer = client.post(path, content=iter([b"x" * 60_000] * 3), headers={HEADER: "nobody"} if "commands" in path else {})
    allowed = {413, 405} if path == "/healthz" else {413}  # a method that is not there is refused unread
    assert answer.status_code in allowed, answer.text
    assert answer.status_code == 405 or answer.json()["code"] == "TOO_LARGE"


def test_a_meter_that_is_imported_later_is_known_without_a_restart(client: TestClient) -> None:
    assert push(client, body(first=21, meters=1)).json()["code"] == "NOTHING_ACCEPTED"
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M0021', hes_id, 'D1', 30 from registry.hes where discom_id = 1"""
        )
        conn.execute("insert into ops.registry_change (discom_id) values (1)")
    assert push(client, body(first=21, meters=1)).json()["accepted"] == 4


# --- the server as a process of its own ----------------------------------------------------------------------------------


class Server:
    """`meterhouse api` as a process that can be killed and started again on the same port."""

    def __init__(self) -> None:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = int(s.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "cli.main", "api", "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy())
        for _ in range(300):
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=1).status_code == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError("the API did not start within 30 s")

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.mark.heavy
def test_a_stream_of_pushes_survives_kills_of_the_server(database: str) -> None:
    """A sender that repeats what was not acknowledged: at the end everything is there, and once."""
    registry()
    headers = {HEADER: key(), "Content-Type": NATIVE}
    day = datetime(2026, 10, 1, tzinfo=UTC)
    bodies = []
    for n in range(60):
        start = (day + timedelta(hours=n)).isoformat()
        profiles = [{"serial": f"M{i:04d}", "start": start, "interval_min": 30, "import_wh": [n, i]} for i in range(1, 21)]
        bodies.append(json.dumps({"profiles": profiles}).encode())
    repeated = 0
    with serving() as server:
        for n, content in enumerate(bodies):
            if n in (7, 23, 41):
                # The body goes out, the server dies at once: whether it was committed nobody knows.
                with socket.create_connection(("127.0.0.1", server.port)) as s:
                    head = f"POST /api/v1/meters/readings HTTP/1.1\r\nHost: x\r\n{HEADER}: {headers[HEADER]}\r\n"
                    s.sendall(f"{head}Content-Type: {NATIVE}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
                    time.sleep(0.02 * (n % 4))
                    server.kill()
                server.start()
            for _ in range(5):
                try:
                    answer = httpx.post(f"http://127.0.0.1:{server.port}/api/v1/meters/readings", content=content, headers=headers)
                except httpx.TransportError:
                    repeated += 1
                    continue
                break
            assert answer.status_code == 200, answer.text
            repeated += answer.json()["duplicate"]
    found = rows("select sum(cardinality(import_wh))::int, sum(ops.total(import_wh))::int from raw.profile_fragment")
    assert found == [(60 * 20 * 2, sum(n * 20 + 210 for n in range(60)))], "something was lost or stored twice"
    assert rows("select count(*)::int, sum(values_accepted)::int from raw.batch") == [(60, 60 * 20 * 2)]


def test_openapi_names_the_key_and_the_problems(database: str) -> None:
    paths = create_app().openapi()["paths"]
    for path in ("/api/v1/meters/readings", "/api/v1/meters/events"):
        operation = paths[path]["post"]
        assert operation["security"], f"{path} must say that it needs a key"
        assert {"401", "413", "422", "429"} <= set(operation["responses"])


def test_the_database_away_is_a_503(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    registry()
    mine = key()
    monkeypatch.setenv("METERHOUSE_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:1/nothing")
    monkeypatch.setattr("api.database.WAIT_S", 0.5)
    with TestClient(create_app(), raise_server_exceptions=False) as c:
        answer = c.post("/api/v1/meters/readings", content=body(), headers={HEADER: mine, "Content-Type": NATIVE})
    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert psycopg.__name__ not in answer.text
