"""What strangers and broken programs send: SQL in every text of every operation, NUL and broken Unicode, values without end, deep JSON,
other types of content, and tokens that are none. All of it is refused in words, nothing of it crashes the API or reaches the database."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient
from httpx import Response

from api.auth import HEADER, Permission, new_key, tokens
from api.auth.repository import insert_key
from api.main import create_app
from tests.integration.identity_world import cheap_hashes
from tests.integration.openapi_requests import Shape, shapes
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

OPENAPI = create_app().openapi()
SHAPES = list(shapes(OPENAPI))
OPERATIONS = sorted({s.operation for s in SHAPES if s.path.startswith("/api/")})
SQL = (
    "'; drop table registry.meter cascade; --",
    "' or 1=1 union select secret_sha256::text from ops.api_key --",
    "1); select pg_sleep(30); --",
    "\\'; copy ops.api_key to program 'id' --",
)
BROKEN = ("a\x00b", "\ud800", "a\udfffb", "\u202e\ufeff", "%00", "../../etc/passwd")
LONG = "9" * 60_000
WITHIN = "9" * 6_000
"""Longer than any value may be, and shorter than an address may."""
AT_THE_DOOR = (404, 405, 414, 431)
"""What may be answered before any operation: a path that is another one once it is read has no such route."""
FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"
INSIDE = ("psycopg", "Traceback", "syntax error", "SELECT ", "registry.meter", 'File "')
"""What an answer never shows of the inside, unless it was sent."""


@pytest.fixture(scope="module")
def keys(built_module_database: str) -> dict[str, str]:
    made = {}
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (discom_id, code, name) values (1, 'acme', 'Acme')")
        conn.execute("insert into registry.hes (discom_id, hes_id, code, vendor) values (1, 1, 'h1', 'hpl')")
        conn.execute(
            "insert into registry.meter (discom_id, serial, hes_id, category, interval_min) select 1, 'M' || n, 1, 'D1', 30"
            " from generate_series(1, 3) n"
        )
        held = [p for p in Permission if p != Permission.TENANTS_MANAGE]  # the platform's, which no role of a DISCOM holds
        conn.execute("insert into ops.role (discom_id, code, name, permissions) values (1, 'all', 'All', %s)", [held])
        for role in ("hes_vendor", "all"):
            made[role], key_id, secret = new_key()
            insert_key(conn, 1, key_id, secret, 1 if role == "hes_vendor" else None, role, [], 1_000_000_000, role=role)
        made["person"] = tokens.issue(_session_of_the_platform(conn), "everything")
    return made


def _session_of_the_platform(conn: psycopg.Connection) -> UUID:
    """Of an administrator of the platform who holds every role of acme's too."""
    row = conn.execute("""
        with a as (insert into ops.account (login, name, source, platform_admin) values ('everything', 'E', 'local', true)
                   returning account_id),
             g as (insert into ops.role_grant (discom_id, account_id, role, granted_by) select 1, account_id, 'all', 'test' from a)
        insert into ops.session (account_id, discom_id, refresh_sha256, expires_at)
        select account_id, 1, sha256('p'), now() + interval '1 hour' from a returning session_id""").fetchone()
    assert row
    return UUID(str(row[0]))


@pytest.fixture(scope="module")
def client(keys: dict[str, str]) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch, TestClient(create_app(), raise_server_exceptions=False) as client:
        cheap_hashes(patch)
        yield client


def send(client: TestClient, keys: dict[str, str], shape: Shape, content: bytes | None = None, media_type: str | None = None) -> Response:
    headers = _who(keys, shape.path)
    headers |= {name: _header(value) for name, value in shape.parameters["header"].items()}
    if shape.media_type or media_type:
        headers["Content-Type"] = media_type or str(shape.media_type)
        if content is None:
            content = _encoded(shape)
    return client.request(shape.method, shape.url, headers=headers, content=content)


def _who(keys: dict[str, str], path: str) -> dict[str, str | bytes]:
    """The header of somebody who may: a person, where no key can."""
    if path.startswith(("/api/v1/auth/", "/api/v1/admin/tenants")):
        return {"Authorization": f"Bearer {keys['person']}"}
    return {HEADER: keys["hes_vendor" if path in ("/api/v1/meters/readings", "/api/v1/meters/events") else "all"]}


def _encoded(shape: Shape) -> bytes:
    if shape.media_type == FORM and isinstance(shape.body, dict):
        return urlencode({k: str(v).encode("utf-8", "surrogatepass") for k, v in shape.body.items()}).encode()
    return _raw(shape.body) if shape.body is None or isinstance(shape.body, str) else json.dumps(shape.body).encode()


def _raw(body: Any) -> bytes:
    return str(body or "").encode("utf-8", "surrogatepass")


def _header(value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass").replace(b"\x00", b"").replace(b"\n", b"")


def check(shape: Shape, answer: Response, sent: str) -> None:
    """An answer that the description of the operation names, and that shows nothing of the inside."""
    told = f"{shape.operation} with {sent[:80]!r}: {answer.status_code} {answer.text[:400]}"
    assert answer.status_code < 500, f"the API breaks: {told}"
    documented = OPENAPI["paths"][shape.path][shape.method.lower()]["responses"]
    assert str(answer.status_code) in documented or answer.status_code in AT_THE_DOOR, f"no such answer is documented: {told}"
    shown = [word for word in INSIDE if word in answer.text and word not in sent]
    assert not shown, f"the answer shows {shown} of the inside: {told}"
    if answer.status_code >= 400:
        kinds = {PROBLEM} | documented.get(str(answer.status_code), {}).get("content", {}).keys()  # OAuth has errors of its own
        assert answer.headers["content-type"] in kinds, f"not problem details: {told}"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_sql_and_broken_text_in_every_text(operation: str, client: TestClient, keys: dict[str, str]) -> None:
    for shape in (s for s in SHAPES if s.operation == operation):
        for place in shape.texts:
            for text in (*SQL, *BROKEN):
                began = time.monotonic()
                check(shape, send(client, keys, shape.put(place, text)), text)
                assert time.monotonic() - began < 25, f"{operation}: {place} with {text!r} let the database sleep"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_values_without_end(operation: str, client: TestClient, keys: dict[str, str]) -> None:
    shape = next(s for s in SHAPES if s.operation == operation)
    for place in shape.texts:
        for text in (LONG, WITHIN):
            check(shape, send(client, keys, shape.put(place, text)), text)
    for name, value in shape.parameters["query"].items():
        if not isinstance(value, str):
            for number in (10**30, -(10**30), "1e400", "NaN", 0, -1):
                answer = send(client, keys, shape.put(("query", name), number))
                check(shape, answer, str(number))
            if name == "size":
                assert send(client, keys, shape.put(("query", name), 10**9)).status_code == 422, f"{operation} gives pages of any size"


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if any(s.media_type for s in SHAPES if s.operation == o)])
def test_bodies_that_are_none(operation: str, client: TestClient, keys: dict[str, str]) -> None:
    shape = next(s for s in SHAPES if s.operation == operation)
    deep = b"[" * 100_000 + b"]" * 100_000
    objects = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    for content in (
        deep,
        objects,
        b"{",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"x"',
        b"NaN",
        b'{"\\ud800": "\\ud800"}',
        b'{"a": 1' + b"0" * 5000 + b"}",
    ):
        answer = send(client, keys, shape, content)
        check(shape, answer, content.decode("latin-1"))
        assert answer.status_code >= 400, f"{operation} takes {content[:20]!r}: {answer.status_code}"


@pytest.mark.parametrize(
    "media_type", ["application/xml", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "x"]
)
@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS if any(s.media_type == "application/json" for s in SHAPES if s.operation == o)]
)
def test_other_types_of_content(operation: str, media_type: str, client: TestClient, keys: dict[str, str]) -> None:
    shape = next(s for s in SHAPES if s.operation == operation)
    answer = send(client, keys, shape, b"<a/>", media_type)
    check(shape, answer, "<a/>")
    assert answer.status_code >= 400, f"{operation} takes {media_type}: {answer.status_code}"


@pytest.mark.parametrize("grant", ["password", "refresh_token", "client_credentials"])
def test_log_ins_with_sql_and_broken_text(grant: str, client: TestClient, keys: dict[str, str]) -> None:
    shape = next(s for s in SHAPES if s.operation == "POST /api/v1/auth/token").put(("body", "grant_type"), grant)
    for place in (p for p in shape.texts if p != ("body", "grant_type")):
        for text in (*SQL, *BROKEN, LONG):
            answer = send(client, keys, shape.put(place, text))
            check(shape, answer, text)
            assert answer.status_code in (400, 401, 422), f"{grant} with {place} {text[:40]!r}: {answer.status_code} {answer.text[:200]}"


def test_nothing_of_it_reached_the_database(client: TestClient, keys: dict[str, str]) -> None:
    with db.connect("meterhouse_owner") as conn:
        assert conn.execute("select count(*) from registry.meter").fetchone() == (3,)
        assert conn.execute("select count(*) from ops.api_key where revoked_at is null").fetchone() == (2,)


# --- tokens ---


@pytest.fixture(scope="module")
def session(keys: dict[str, str]) -> UUID:
    """Of somebody who may read edits."""
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute("""
            with a as (insert into ops.account (login, name, source) values ('asha', 'Asha', 'local') returning account_id),
                 g as (insert into ops.role_grant (discom_id, account_id, role, granted_by) select 1, account_id, 'analyst', 'test' from a)
            insert into ops.session (account_id, discom_id, refresh_sha256, expires_at)
            select account_id, 1, sha256('r'), now() + interval '1 hour' from a returning session_id""").fetchone()
    assert row
    return UUID(str(row[0]))


def as_holder(client: TestClient, token: str) -> Response:
    return client.get("/api/v1/edits", headers={"Authorization": f"Bearer {token}"})


def forged(session: UUID, key: Any = None, algorithm: str = tokens.ALGORITHM, leave_out: str = "", **claims: Any) -> str:
    now = int(time.time())
    good = {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "sub": "asha",
        "sid": str(session),
        "jti": "1",
        "iat": now,
        "nbf": now,
        "exp": now + 60,
    }
    said = {k: v for k, v in {**good, **claims}.items() if k != leave_out}
    return jwt.encode(said, signing_key() if key is None else key, algorithm, headers=head())


def signing_key() -> Ed25519PrivateKey:
    return tokens.signing_keys()[0]


def head(**other: str | None) -> dict[str, Any]:
    """As of a token of ours."""
    ours = jwt.get_unverified_header(tokens.issue(uuid4(), "asha"))
    return {k: v for k, v in {**ours, **other}.items() if k != "alg" and v is not None}


def test_a_token_that_is_one(client: TestClient, session: UUID) -> None:
    assert as_holder(client, tokens.issue(session, "asha")).status_code == 200
    assert as_holder(client, forged(session)).status_code == 200, (
        "the forger does not make what is accepted, so that his failures prove nothing"
    )


def test_tokens_that_are_none(client: TestClient, session: UUID) -> None:
    now = int(time.time())
    public = signing_key().public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    good = tokens.issue(session, "asha")
    first, claims, signature = good.split(".")
    said = jwt.decode(good, options={"verify_signature": False})
    none = jwt.encode(said, None, "none", headers=head())
    bad = {
        "expired": forged(session, exp=now - 1),
        "not yet": forged(session, nbf=now + 600),
        "alg none": none,
        "alg none with a signature": f"{none.split('.')[0]}.{claims}.{signature}",
        "without a signature": f"{first}.{claims}.",
        "another key": forged(session, Ed25519PrivateKey.generate()),
        "our public key as a secret": forged(session, public, "HS256"),
        "another type": jwt.encode(said, signing_key(), tokens.ALGORITHM, headers=head(typ="JWT")),
        "no name of a key": jwt.encode(said, signing_key(), tokens.ALGORITHM, headers=head(kid=None)),
        "the name of a key that there is not": jwt.encode(said, signing_key(), tokens.ALGORITHM, headers=head(kid="../token_key.pem")),
        "the link of an export": tokens.seal("report-export", {"sub": "asha", "sid": str(session)}, datetime.now(UTC) + timedelta(hours=1)),
        "another audience": forged(session, aud="superset"),
        "another issuer": forged(session, iss="https://elsewhere.example"),
        "without an end": forged(session, leave_out="exp"),
        "without an audience": forged(session, leave_out="aud"),
        "without a session": forged(session, leave_out="sid"),
        "a session that is no id": forged(session, sid="' or 1=1 --"),
        "a session that is not there": forged(uuid4()),
        "changed claims": f"{first}.{claims[:-4]}AAAA.{signature}",
        "no token": "x",
        "nothing": "",
        "dots": "..",
        "long": "a" * 20_000,
    }
    for what, token in bad.items():
        answer = as_holder(client, token)
        assert answer.status_code == 401, f"{what}: {answer.status_code} {answer.text[:200]}"
        assert answer.headers.get("WWW-Authenticate"), f"{what}: the answer does not say how to log in"
        assert answer.headers["content-type"] == "application/problem+json", what


def test_a_session_that_ended(client: TestClient, session: UUID) -> None:
    token = tokens.issue(session, "asha")
    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.session set revoked_at = now() where session_id = %s", [session])
    client.app.state.known.forget()  # type: ignore[attr-defined]
    assert as_holder(client, token).json()["code"] == "SESSION_ENDED"
