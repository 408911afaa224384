"""What holds for every route: errors, request ids, the log, headers, limits of a request, ETags, Idempotency-Key, changes since a time."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Annotated, Any
from uuid import uuid4

import pytest
from fastapi import Body, Depends, FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.auth import HEADER, Caller, Permission, new_key, require
from api.auth.repository import insert_key
from api.errors import Problem
from api.logs import JsonLines
from api.main import create_app
from api.tracing import Tracing
from warehouse import db

pytestmark = pytest.mark.integration

LOOPBACK = ("127.0.0.1", 50000)
SERIAL = "PERSONAL-77"
Anybody = Annotated[Caller, Depends(require(Permission.VEE_READ))]


@pytest.fixture(scope="module")
def keys(module_database: str) -> dict[str, str]:
    """Of two DISCOMs; of acme those of two people, one who sees an office alone, and one who may call twice a minute."""
    made = {}
    with db.connect("meterhouse_owner") as conn:
        for discom_id, code in ((1, "acme"), (2, "globex")):
            conn.execute("insert into registry.discom (discom_id, code, name) overriding system value values (%s, %s, %s)",
                         [discom_id, code, code])  # fmt: skip
            conn.execute("insert into registry.office (discom_id, code, name, level) values (%s, 'O', 'O', 'discom')", [discom_id])
            conn.execute("insert into registry.hes (discom_id, code, vendor) values (%s, 'h', 'hpl')", [discom_id])
            conn.execute(
                """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
                   select discom_id, %s, hes_id, 'D1', 30 from registry.hes where discom_id = %s""",
                [SERIAL, discom_id],
            )
        office = conn.execute("select office_id from registry.office where discom_id = 1").fetchone()
        assert office
        for who, discom_id, limited, per_min in (
            ("asha", 1, None, 1_000_000),
            ("ravi", 1, None, 1_000_000),
            ("clerk", 1, office[0], 1_000_000),
            ("slow", 1, None, 2),
            ("globex", 2, None, 1_000_000),
        ):
            made[who], key_id, secret = new_key()
            insert_key(conn, discom_id, key_id, secret, None, who, [], per_min, office_id=limited)
    return made


class Counted:
    """Routes that do something, to see how often it is done."""

    def __init__(self, app: FastAPI) -> None:
        self.done = 0
        self.entered, self.go_on = threading.Event(), threading.Event()

        @app.post("/api/v1/test/acts", status_code=201)
        def acts(caller: Anybody, response: Response, what: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
            self.done += 1
            if what.get("fail"):
                raise Problem(409, "CHANGED", "No", "not now")
            if what.get("break"):
                raise RuntimeError(f"a fault about {SERIAL}")
            if what.get("wait"):
                self.entered.set()
                assert self.go_on.wait(20), "nobody let it go on"
            if what.get("secret"):
                response.headers["Cache-Control"] = "no-store"
            response.headers["Location"] = f"/api/v1/test/acts/{self.done}"
            return {"done": self.done}

        @app.post("/api/v1/test/large")
        def large(caller: Anybody) -> StreamingResponse:
            self.done += 1
            return StreamingResponse(iter([b"x" * 700_000] * 3), media_type="text/plain")

        @app.get("/api/v1/test/breaks/{serial}")
        def breaks(serial: str) -> None:
            raise RuntimeError(f"a fault about {serial}")

        @app.get("/api/v1/test/value")
        def value() -> dict[str, int]:
            return {"done": self.done}


@pytest.fixture
def app(keys: dict[str, str]) -> FastAPI:
    return create_app()


@pytest.fixture
def counted(app: FastAPI) -> Counted:
    return Counted(app)


@pytest.fixture
def client(app: FastAPI, counted: Counted, keys: dict[str, str]) -> Iterator[TestClient]:
    with TestClient(app, headers={HEADER: keys["asha"]}, client=LOOPBACK) as client:
        yield client


# --- problems ---


def test_a_problem_names_its_type_and_the_request(client: TestClient) -> None:
    answer = client.get("/api/v1/commands/999", headers={"X-Request-ID": "my-request-1"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/problems/UNKNOWN_COMMAND",
        "status": 404,
        "code": "UNKNOWN_COMMAND",
        "title": "No such command",
        "detail": "there is no command 999",
        "instance": "my-request-1",
    }
    page = client.get(answer.json()["type"])
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "another DISCOM" in page.text
    assert client.get("/problems/NO_SUCH").json()["code"] == "UNKNOWN_CODE"
    assert "UNKNOWN_COMMAND" in client.get("/problems").text


@pytest.mark.parametrize(("method", "path", "code"), [("GET", "/nowhere", "HTTP_404"), ("DELETE", "/api/v1/commands", "HTTP_405")])
def test_what_no_route_answers_is_a_problem_too(client: TestClient, method: str, path: str, code: str) -> None:
    answer = client.request(method, path)
    assert (answer.json()["code"], answer.json()["type"]) == (code, f"/problems/{code}")
    assert answer.json()["instance"] == answer.headers["X-Request-ID"]


def test_a_fault_of_the_server_says_nothing_of_the_inside(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get(f"/api/v1/test/breaks/{SERIAL}")
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert answer.headers["X-Request-ID"] in answer.json()["detail"]
    assert SERIAL not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    line = JsonLines().format(record)
    assert json.loads(line)["error"] == "RuntimeError"
    assert any("test_conventions.py" in frame for frame in json.loads(line)["stack"]), "the log must say where it was"
    assert SERIAL not in line, "the text of an exception may name a meter or a person"


# --- request ids, the log ---


@pytest.mark.parametrize(
    ("given", "taken"),
    [("0123-abcd.EF_9", True), ("short", False), ("x" * 65, False), ("has space here", False), ("line\\nbreak-1", False)],
)
def test_a_request_id_is_taken_where_it_is_harmless_and_made_where_it_is_not(client: TestClient, given: str, taken: bool) -> None:
    out = client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert (out == given) == taken
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", out)


def test_every_request_leaves_one_line_without_personal_data(
    client: TestClient, keys: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "api.access")
    client.get("/api/v1/edits/day", params={"meter": SERIAL, "day": "2026-10-05"}, headers={"X-Request-ID": "the-request"})
    client.get(f"/api/v1/vee/explain/{SERIAL}/2026-10-05")
    client.get(f"/nowhere/{SERIAL}")
    client.get("/api/v1/commands", headers={HEADER: keys["asha"][:-2]})
    records = [r for r in caplog.records if r.name == "api.access"]
    lines = [JsonLines().format(r) for r in records]
    found = [(x["method"], x["route"], x["status"], x["discom_id"]) for x in map(json.loads, lines)]
    assert found == [
        ("GET", "/api/v1/edits/day", 404, 1),
        ("GET", "/api/v1/vee/explain/{serial}/{day}", 404, 1),
        ("GET", "(none)", 404, None),
        ("GET", "/api/v1/commands", 401, None),
    ]
    assert all(json.loads(x)["ms"] > 0 for x in lines)
    for secret in (SERIAL, keys["asha"], keys["asha"][:-2], "2026-10-05", "asha"):
        assert not any(secret in line for line in lines), f"the log holds {secret[:6]}…"


def test_the_request_id_is_in_the_audit_log(client: TestClient, app: FastAPI) -> None:
    client.get("/api/v1/commands", headers={"X-Request-ID": "audited-request"})
    app.state.access_log.flush()
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute("select path, outcome from ops.access_audit where request_id = 'audited-request'").fetchone()
    assert row == ("/api/v1/commands", "allowed")


# --- metrics and traces ---


def test_metrics_count_by_route_and_are_shown_to_this_machine_alone(client: TestClient, app: FastAPI) -> None:
    client.get("/api/v1/commands/1")
    client.get("/api/v1/commands/2")
    client.request("BREW", "/healthz")
    text = client.get("/metrics").text
    assert 'meterhouse_http_requests_total{method="GET",route="/api/v1/commands/{id}",status="404"} 2.0' in text
    assert 'meterhouse_http_request_seconds_count{method="GET",route="/api/v1/commands/{id}"} 2.0' in text
    assert 'method="other"' in text, "a method that a caller makes up must not become a series of its own"
    assert "BREW" not in text
    assert re.search(r'meterhouse_pool_connections\{pid="\d+",pool="meterhouse_api"\} [1-9]', text), text
    assert "meterhouse_access_log_waiting{" in text
    with TestClient(app, client=("203.0.113.9", 1)) as outside:
        assert outside.get("/metrics").status_code == 403


def test_metrics_are_shown_to_the_networks_that_are_named(client: TestClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_METRICS_NETWORKS", "203.0.113.0/24, 2001:db8::/32")
    assert client.get("/metrics").status_code == 403
    for address in ("203.0.113.9", "2001:db8::7"):
        assert TestClient(app, client=(address, 1)).get("/metrics").status_code == 200, address


def test_a_request_is_a_span_named_by_its_route(keys: dict[str, str]) -> None:
    exporter = InMemorySpanExporter()
    with TestClient(create_app(Tracing(exporter)), headers={HEADER: keys["asha"]}) as client:
        client.get(f"/api/v1/vee/explain/{SERIAL}/2026-10-05", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    (span,) = exporter.get_finished_spans()
    assert span.name == "GET /api/v1/vee/explain/{serial}/{day}"
    assert span.context
    assert span.context.trace_id == int("ab" * 16, 16), "the span must belong to the caller's trace"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/api/v1/vee/explain/{serial}/{day}",
        "http.response.status_code": 404,
        "meterhouse.discom_id": 1,
    }
    assert SERIAL not in span.to_json()


# --- headers ---


def test_every_answer_has_the_safe_headers(client: TestClient) -> None:
    for path in ("/healthz", "/nowhere", "/api/v1/commands", "/problems", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert headers["Cache-Control"] == "private, no-cache", path
        assert "X-API-Key" in headers["Vary"], path
        assert "Strict-Transport-Security" not in headers, "plain HTTP must not promise TLS"


def test_tls_is_promised_where_there_is_tls(app: FastAPI) -> None:
    assert "max-age=31536000" in TestClient(app, base_url="https://testserver").get("/healthz").headers["Strict-Transport-Security"]


def test_no_other_site_may_read_answers_unless_it_is_named(keys: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"Origin": "https://portal.example.org", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    closed = TestClient(create_app())
    assert closed.options("/api/v1/commands", headers=asked).status_code == 405
    assert "access-control-allow-origin" not in closed.get("/healthz", headers=asked).headers
    monkeypatch.setenv("METERHOUSE_CORS_ORIGINS", "https://portal.example.org")
    named = TestClient(create_app())
    assert named.options("/api/v1/commands", headers=asked).headers["access-control-allow-origin"] == "https://portal.example.org"
    other = named.options("/api/v1/commands", headers={**asked, "Origin": "https://evil.example.org"})
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-credentials" not in named.get("/healthz", headers=asked).headers


@pytest.mark.parametrize("origin", ["*", "portal.example.org", "https://portal.example.org/path", "https://*.example.org"])
def test_what_is_no_origin_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("METERHOUSE_CORS_ORIGINS", origin)
    with pytest.raises(ValueError, match="METERHOUSE_CORS_ORIGINS"):
        create_app()


# --- limits of a request ---


def test_an_address_that_is_too_long(client: TestClient) -> None:
    answer = client.get("/api/v1/commands", params={"meter": "x" * 9000})
    assert (answer.status_code, answer.json()["code"]) == (414, "URL_TOO_LONG")


def test_headers_that_are_too_large(client: TestClient) -> None:
    answer = client.get("/api/v1/commands", headers={f"x-{n}": "y" * 1000 for n in range(40)})
    assert (answer.status_code, answer.json()["code"]) == (431, "HEADERS_TOO_LARGE")


@pytest.mark.parametrize("depth", [70, 300, 900, 5_000, 200_000])
@pytest.mark.parametrize("path", ["/api/v1/edits", "/api/v1/edits/preview", "/api/v1/commands", "/api/v1/vee/rules/proposals"])
def test_json_that_is_too_deep_is_the_callers_fault(client: TestClient, path: str, depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        content = '{"parameters":' + opening * depth + "1" + closing * depth + "}"
        answer = client.post(path, content=content, headers={"Content-Type": "application/json", "Idempotency-Key": uuid4().hex})
        assert (answer.status_code, answer.json()["code"]) == (400, "TOO_DEEP"), f"{path}, {depth} levels"


@pytest.mark.parametrize("path", ["/api/v1/meters/readings", "/api/v1/billing/bills"])
def test_json_that_is_too_deep_where_the_route_reads_it_itself(client: TestClient, keys: dict[str, str], path: str) -> None:
    with db.connect("meterhouse_owner") as conn:
        role, hes = ("billing_system", None) if "billing" in path else ("hes_vendor", 1)
        made, key_id, secret = new_key()
        insert_key(conn, 1, key_id, secret, hes, "deep", [], 1_000_000, role=role)
    kinds = ("application/vnd.meterhouse+json", "application/json") if "meters" in path else ("application/json",)
    for kind, depth in product(kinds, (200, 500, 900, 5_000, 200_000)):
        deep = "[" * depth + "1" + "]" * depth
        record = f'{{"serial": "S", "import_wh": {deep}}}'
        for content in (deep, f'{{"profiles": {deep}}}', f'{{"profiles": [{record}]}}', f'{{"bills": [{deep}]}}'):
            answer = client.post(path, content=content, headers={"Content-Type": kind, HEADER: made})
            assert answer.status_code in (400, 422), f"{kind}, {depth} levels: {answer.status_code} {answer.text[:200]}"


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json", "multipart/form-data"])
def test_a_body_of_another_media_type_is_refused(client: TestClient, kind: str) -> None:
    answer = client.post("/api/v1/edits/preview", content=b"{}", headers={"Content-Type": kind} if kind else {})
    assert (answer.status_code, answer.json()["code"]) == (415, "UNKNOWN_MEDIA_TYPE")
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("content", [b'{"\\ud800": 1}', b'{"changes": "\\udfff"}', b"\xff\xfe", b'{"a": NaN}', b"", b"null", b'"x"'])
def test_odd_json_is_refused_as_what_it_is(client: TestClient, content: bytes) -> None:
    answer = client.post("/api/v1/edits/preview", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"] in ("INVALID_REQUEST", "HTTP_400")


# --- ETag ---


def test_an_answer_that_did_not_change_is_not_sent_again(client: TestClient, counted: Counted) -> None:
    first = client.get("/api/v1/test/value")
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    for asked in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = client.get("/api/v1/test/value", headers={"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag), asked
        assert "content-type" not in again.headers
        assert "X-Request-ID" in again.headers
    counted.done += 1
    changed = client.get("/api/v1/test/value", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()) == (200, {"done": counted.done})
    assert changed.headers["ETag"] != tag
    assert "ETag" not in client.get("/api/v1/commands/999").headers, "an error has no version"


# --- Idempotency-Key ---


def act(client: TestClient, key: str, body: dict[str, Any] | None = None, path: str = "/api/v1/test/acts", **headers: str) -> Any:
    return client.post(path, json=body or {}, headers={"Idempotency-Key": key, **headers})


def test_the_same_request_with_the_same_key_acts_once_and_is_answered_alike(client: TestClient, counted: Counted) -> None:
    key = uuid4().hex
    first, again = act(client, key), act(client, key)
    assert counted.done == 1, "it was done twice"
    assert (again.status_code, again.json(), again.headers["Location"]) == (201, {"done": 1}, first.headers["Location"])
    assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first.headers) == ("true", False)
    assert act(client, uuid4().hex).json() == {"done": 2}
    client.post("/api/v1/test/acts", json={})
    client.post("/api/v1/test/acts", json={})
    assert counted.done == 4, "without a key each request acts"


def test_another_request_under_the_same_key_is_refused(client: TestClient, counted: Counted) -> None:
    key = uuid4().hex
    act(client, key, {"a": 1})
    others = ({"a": 2}, "/api/v1/test/acts"), ({"a": 1}, "/api/v1/test/acts?b=1"), ({"a": 1}, "/api/v1/test/large")
    for answer in (act(client, key, body, path) for body, path in others):
        assert (answer.status_code, answer.json()["code"]) == (409, "KEY_REUSED")
    assert counted.done == 1


def test_a_key_is_its_callers_own(client: TestClient, counted: Counted, keys: dict[str, str]) -> None:
    key = uuid4().hex
    made = {who: act(client, key, **{HEADER: keys[who]}).json()["done"] for who in ("asha", "ravi", "clerk", "globex")}
    assert sorted(made.values()) == [1, 2, 3, 4], "one caller's key answered another"
    for who, done in made.items():
        assert act(client, key, **{HEADER: keys[who]}).json() == {"done": done}, who
    with db.connect("meterhouse_api") as conn:
        conn.execute("select set_config('app.discom_id', '1', true)")
        assert conn.execute("select count(*) from ops.idempotency").fetchone() == (0,), "answers are seen by their caller alone"


def test_two_at_once_act_once(client: TestClient, counted: Counted) -> None:
    key = uuid4().hex
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(act, client, key, {"wait": True})
        assert counted.entered.wait(20), "the first never began"
        second = act(client, key, {"wait": True})
        counted.go_on.set()
        assert first.result().json() == {"done": 1}
    assert (second.status_code, second.json()["code"], second.headers["Retry-After"]) == (409, "IN_PROGRESS", "1")
    assert act(client, key, {"wait": True}).json() == {"done": 1}
    assert counted.done == 1


def test_what_was_refused_may_be_sent_again(client: TestClient, counted: Counted) -> None:
    key = uuid4().hex
    assert [act(client, key, {"fail": True}).status_code for _ in range(2)] == [409, 409]
    assert counted.done == 2, "a refusal is no answer to keep: the next attempt must be judged anew"


def test_what_broke_off_is_not_done_again_blindly(client: TestClient, counted: Counted) -> None:
    key = uuid4().hex
    assert act(client, key, {"break": True}).json()["code"] == "INTERNAL"
    again = act(client, key, {"break": True})
    assert (again.status_code, again.json()["code"]) == (409, "OUTCOME_UNKNOWN")
    assert counted.done == 1, "what it did before it broke may be committed"


def test_who_may_not_call_is_not_given_an_answer_of_before(client: TestClient, counted: Counted, keys: dict[str, str]) -> None:
    key = uuid4().hex
    act(client, key)
    assert act(client, key, **{HEADER: "mh_nobody_x"}).status_code == 401
    assert counted.done == 1


def test_secret_and_large_answers_are_not_kept(client: TestClient, counted: Counted) -> None:
    key, other = uuid4().hex, uuid4().hex
    assert act(client, key, {"secret": True}).json() == {"done": 1}
    again = act(client, key, {"secret": True})
    assert (again.status_code, again.json()["code"]) == (409, "ANSWER_NOT_KEPT")
    assert len(act(client, other, path="/api/v1/test/large").content) == 2_100_000, "a large answer must arrive whole"
    assert act(client, other, path="/api/v1/test/large").json()["code"] == "ANSWER_NOT_KEPT"
    assert counted.done == 2
    with db.connect("meterhouse_owner") as conn:
        assert conn.execute("select body from ops.idempotency where key = %s", [key]).fetchone() in (None, (None,))


def test_a_request_whose_process_ended_in_the_middle_is_not_done_again_blindly(client: TestClient, counted: Counted) -> None:
    key = uuid4().hex
    act(client, key)
    superuser("update ops.idempotency set status = null, body = null, begun_at = now() - interval '1 hour' where key = %s", key)
    answer = act(client, key)
    assert (answer.status_code, answer.json()["code"]) == (409, "OUTCOME_UNKNOWN")
    assert counted.done == 1


def test_keys_are_forgotten_after_their_time(client: TestClient, counted: Counted) -> None:
    old, older = uuid4().hex, uuid4().hex
    act(client, old)
    act(client, older)
    superuser("update ops.idempotency set expires_at = now() - interval '1 second' where key = %s", old)
    superuser("update ops.idempotency set expires_at = now() - interval '1 hour' where key = %s", older)
    assert act(client, old).json() == {"done": 3}, "after its time a key is as good as new"
    assert superuser("select count(*) from ops.idempotency where key = %s", older) == [(0,)], "rows must not pile up"


@pytest.mark.parametrize("key", ["short", "x" * 201, "with a space in it", "nul\\x01control"])
def test_a_key_that_is_none(client: TestClient, counted: Counted, key: str) -> None:
    answer = act(client, key.encode().decode("unicode_escape"))
    assert (answer.status_code, answer.json()["code"], counted.done) == (422, "INVALID_KEY", 0)


def superuser(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Past row-level security, which hides these rows from the owner too."""
    import psycopg

    with psycopg.connect(db.database_url(), autocommit=True) as conn:
        cursor = conn.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


# --- how often ---


def test_every_answer_says_what_is_left_of_the_limit(client: TestClient, keys: dict[str, str]) -> None:
    answers = [client.get("/api/v1/commands", headers={HEADER: keys["slow"]}) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["RateLimit-Remaining"] for a in answers] == ["1", "0", "0"]
    assert {a.headers["RateLimit-Limit"] for a in answers} == {"2"}
    assert 30 <= int(answers[1].headers["RateLimit-Reset"]) <= 60
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 30


# --- tables of the conventions ---


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("ops.idempotency", "app.subject"),
        ("ops.report_export", "<@ COALESCE"),
        ("ops.report_config", "share_office_id"),
        ("ops.report_config_version", "report_config"),
    ],
)
def test_policies_that_are_not_made_from_columns_outlive_later_migrations(keys: dict[str, str], table: str, said: str) -> None:
    found = superuser(
        "select pg_get_expr(polqual, polrelid) from pg_policy where polname in ('within', 'shared_with') and polrelid = %s::regclass", table
    )
    assert len(found) == 1, f"{table} has no policy for limited callers"
    assert said in found[0][0], f"a later migration wrote another policy over that of {table}: {found[0][0]}"
