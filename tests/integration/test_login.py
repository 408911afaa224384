"""Log-ins with a password and a code, tokens and sessions over HTTP: who gets in, who does not, and what ends when."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import psycopg
import pyotp
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from api.auth import passwords, tokens
from tests.integration.identity_world import PASSWORD, TOKEN, account, bearer, by_key, cheap_hashes, key, log_in, rows, serving, world
from warehouse import db

pytestmark = pytest.mark.integration

ME = "/api/v1/auth/me"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap_hashes(monkeypatch)


@pytest.fixture
def client(database: str, _cheap_hashes: None) -> Iterator[TestClient]:
    world()
    account("anita", ("acme", "analyst"))
    with serving() as c:
        yield c


def with_totp(client: TestClient, login: str) -> tuple[pyotp.TOTP, int]:
    """(the authenticator of an account that has just confirmed it, the time step that it used)."""
    headers = bearer(client, login)
    enrolled = client.post("/api/v1/auth/totp", headers=headers)
    assert enrolled.status_code == 201, enrolled.text
    app = pyotp.TOTP(enrolled.json()["secret"])
    step = int(time.time()) // 30 - 1  # the one before counts too, so that the next ones stay free
    confirmed = client.post("/api/v1/auth/totp/confirm", headers=headers, json={"code": app.generate_otp(step)})
    assert confirmed.status_code == 204, confirmed.text
    return app, step


# --- passwords ---


def test_a_right_password_opens_a_session_that_says_who_one_is(client: TestClient) -> None:
    answer = log_in(client, "  Anita ")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store", "tokens must not be cached"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", tokens.LIFETIME_S)

    me = client.get(ME, headers={"Authorization": f"Bearer {body['access_token']}"}).json()
    assert (me["kind"], me["subject"], me["discom"], me["roles"]) == ("account", "anita", "acme", ["analyst"])
    assert {"permission": "meters:read", "whole": True, "offices": [], "service_points": []} in me["permissions"]
    assert me["session_id"] == body["session_id"]


def test_a_limited_role_names_its_topmost_offices(client: TestClient) -> None:
    account("ravi", ("acme", "field_engineer"), office="HQ")
    account("consumer-1", ("acme", "consumer"), service_point="SP-NORTH")
    (held,) = [p for p in client.get(ME, headers=bearer(client, "ravi")).json()["permissions"] if p["permission"] == "meters:read"]
    assert held == {"permission": "meters:read", "whole": False, "offices": ["HQ"], "service_points": []}
    (held,) = client.get(ME, headers=bearer(client, "consumer-1")).json()["permissions"]
    assert held == {"permission": "meters:read", "whole": False, "offices": [], "service_points": ["SP-NORTH"]}


def test_wrong_unknown_locked_and_disabled_get_one_answer_after_the_same_work(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    account("gone", ("acme", "analyst"))
    account("locked", ("acme", "analyst"))
    account("invited", ("acme", "analyst"))
    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.account set disabled_at = now() where login = 'gone'")
        conn.execute("update ops.account set locked_until = now() + interval '1 hour' where login = 'locked'")
        conn.execute("update ops.account set one_time_until = now() - interval '1 second' where login = 'invited'")
    hashes: list[str] = []
    inner = passwords._HASHER.verify
    spy = type("Spy", (), {"verify": staticmethod(lambda kept, text: hashes.append(kept) or inner(kept, text))})
    passwords._nobodys()  # made once, at the first log-in that is wrong
    monkeypatch.setattr(passwords, "_HASHER", spy)

    attempts = [("anita", "wrong password!!"), ("nobody", PASSWORD), ("locked", PASSWORD), ("gone", PASSWORD), ("invited", PASSWORD)]
    answers = [log_in(client, login, password) for login, password in attempts]

    assert {a.status_code for a in answers} == {400}
    assert len({a.text for a in answers}) == 1, "an answer must not tell which logins there are"
    assert answers[0].json()["error"] == "invalid_grant"
    assert len(hashes) == len(attempts), f"each attempt must cost one hash, {len(hashes)} of {len(attempts)} did"
    assert len({h.split("$")[3] for h in hashes}) == 1, "the hash of nobody must cost what others cost"


def test_five_failures_lock_and_further_ones_for_twice_as_long(client: TestClient) -> None:
    for _ in range(5):
        assert log_in(client, "anita", "not the password").status_code == 400
    assert log_in(client, "anita").status_code == 400, "the right password must not open a locked account"
    assert rows("select failed_logins, round(extract(epoch from locked_until - now()) / 60) from ops.account") == [(5, 1)]

    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.account set locked_until = now()")
    log_in(client, "anita", "not the password")
    assert rows("select failed_logins, round(extract(epoch from locked_until - now()) / 60) from ops.account") == [(6, 2)]

    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.account set locked_until = now()")
    assert log_in(client, "anita").status_code == 200, "once the lock has ended the right password opens"
    assert rows("select failed_logins, locked_until from ops.account") == [(0, None)]


def test_a_hash_of_older_parameters_is_made_anew(client: TestClient) -> None:
    with db.connect("meterhouse_owner") as conn:
        conn.execute(
            "update ops.account set password_hash = %s", [PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)]
        )
    assert log_in(client, "anita").status_code == 200
    ((kept,),) = rows("select password_hash from ops.account")
    assert not passwords.outdated(kept), f"the hash is still {kept[:30]}"
    assert log_in(client, "anita").status_code == 200


def test_who_holds_roles_in_two_discoms_says_which(client: TestClient) -> None:
    account("both", ("acme", "analyst"), ("globex", "auditor"))
    account("nowhere")
    answer = log_in(client, "both")
    assert (answer.status_code, answer.json()["code"]) == (400, "WHICH_DISCOM")
    assert client.get(ME, headers=bearer(client, "both", discom="globex")).json()["discom"] == "globex"
    assert log_in(client, "both", discom="elsewhere").json()["code"] == "NO_ROLE"
    assert log_in(client, "nowhere").json()["code"] == "NO_ROLE"


def test_a_one_time_password_is_good_once_to_set_another(client: TestClient) -> None:
    account("new", ("acme", "analyst"), password="handed-over-on-paper")
    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.account set one_time_until = now() + interval '1 day' where login = 'new'")
    handed = "handed-over-on-paper"
    assert log_in(client, "new", handed).json()["code"] == "NEW_PASSWORD_REQUIRED"
    assert log_in(client, "new", "wrong password").json()["code"] == "WRONG_CREDENTIALS", "only who knows it is told that it is one-time"
    for weak in ("short", handed, "aaaaaaaaaaaaaaaa"):
        assert log_in(client, "new", handed, new_password=weak).json()["code"] == "WEAK_PASSWORD", f"{weak!r} was taken"
    assert log_in(client, "new", handed, new_password=PASSWORD).status_code == 200
    assert log_in(client, "new", handed, new_password="yet another horse").status_code == 400, "it was good once"
    assert log_in(client, "new").status_code == 200
    assert log_in(client, "new", new_password="yet another horse").json()["code"] == "NOT_ONE_TIME"


def test_a_changed_password_ends_the_other_sessions(client: TestClient) -> None:
    here, there = bearer(client, "anita"), bearer(client, "anita")
    change = {"present": PASSWORD, "new": "another horse entirely"}
    assert client.post("/api/v1/auth/password", headers=here, json=change | {"present": "no"}).json()["code"] == "WRONG_PASSWORD"
    assert client.post("/api/v1/auth/password", headers=here, json=change | {"new": "anita anita anita"}).json()["code"] == "WEAK_PASSWORD"
    assert client.get(ME, headers=there).status_code == 200
    assert client.post("/api/v1/auth/password", headers=here, json=change).status_code == 204
    assert client.get(ME, headers=here).status_code == 200, "the session that changed it goes on"
    assert client.get(ME, headers=there).status_code == 401, "the other session must end"
    assert log_in(client, "anita").status_code == 400
    assert log_in(client, "anita", change["new"]).status_code == 200


def test_guesses_at_the_present_password_lock_too(client: TestClient) -> None:
    here = bearer(client, "anita")
    for _ in range(5):
        client.post("/api/v1/auth/password", headers=here, json={"present": "a guess", "new": "another horse entirely"})
    right = client.post("/api/v1/auth/password", headers=here, json={"present": PASSWORD, "new": "another horse entirely"})
    assert right.json()["code"] == "WRONG_PASSWORD", "a stolen token must not allow endless guesses"


# --- the second factor ---


def test_a_code_is_asked_for_and_counts_once(client: TestClient) -> None:
    app, step = with_totp(client, "anita")
    assert log_in(client, "anita").json()["code"] == "TOTP_REQUIRED"
    assert log_in(client, "anita", "wrong password").json()["code"] == "WRONG_CREDENTIALS", "no code is asked of who has no password"
    assert log_in(client, "anita", totp=app.generate_otp(step)).status_code == 400, "the code that confirmed was used"
    code = app.generate_otp(step + 1)
    assert log_in(client, "anita", totp=code).status_code == 200
    replayed = log_in(client, "anita", totp=code)
    assert (replayed.status_code, replayed.json()["code"]) == (400, "WRONG_CREDENTIALS"), "a code must count once"
    assert log_in(client, "anita", totp=app.generate_otp(step + 40)).status_code == 400, "a code of another time is wrong"


def test_wrong_codes_lock(client: TestClient) -> None:
    app, step = with_totp(client, "anita")
    for _ in range(5):
        assert log_in(client, "anita", totp="000000" if app.generate_otp(step + 1) != "000000" else "111111").status_code == 400
    assert log_in(client, "anita", totp=app.generate_otp(step + 1)).status_code == 400, "five wrong codes must lock"


def test_the_secret_is_sealed_and_the_database_alone_cannot_read_it(client: TestClient) -> None:
    app, _ = with_totp(client, "anita")
    ((sealed,),) = rows("select totp_secret from ops.account")
    assert app.secret.encode() not in sealed
    assert base64.b32decode(app.secret) not in sealed
    with db.connect("meterhouse_api") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select totp_secret from ops.account")


def test_a_second_factor_is_changed_only_in_a_fresh_session(client: TestClient) -> None:
    here = bearer(client, "anita")
    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.session set created_at = now() - interval '10 minutes'")
    assert client.post("/api/v1/auth/totp", headers=here).json()["code"] == "NOT_FRESH"
    app, step = with_totp(client, "anita")
    assert client.delete("/api/v1/auth/totp", headers=here).json()["code"] == "NOT_FRESH"
    fresh = bearer(client, "anita", totp=app.generate_otp(step + 1))
    assert client.post("/api/v1/auth/totp", headers=fresh).json()["code"] == "TOTP_ALREADY"
    assert client.delete("/api/v1/auth/totp", headers=fresh).status_code == 204
    assert log_in(client, "anita").status_code == 200


def test_a_second_factor_whose_key_is_gone_lets_nobody_in_and_is_logged(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app, step = with_totp(client, "anita")
    (tmp_path / "keys").write_text("another key of thirty-two characters")
    monkeypatch.setenv("METERHOUSE_SECRETS_KEY_FILE", str(tmp_path / "keys"))
    answer = log_in(client, "anita", totp=app.generate_otp(step + 1))
    assert (answer.status_code, answer.json()["code"]) == (503, "SECOND_FACTOR_SEALED")
    assert "METERHOUSE_SECRETS_KEY_FILE" in caplog.text, "the log must say how to mend it"
    assert "METERHOUSE" not in answer.text


def test_nothing_is_confirmed_by_a_wrong_code(client: TestClient) -> None:
    here = bearer(client, "anita")
    confirm = "/api/v1/auth/totp/confirm"
    assert client.post(confirm, headers=here, json={"code": "123456"}).json()["code"] == "NOT_ENROLLED"
    client.post("/api/v1/auth/totp", headers=here)
    assert client.post(confirm, headers=here, json={"code": "abcdef"}).json()["code"] == "WRONG_CODE"
    assert log_in(client, "anita").status_code == 200, "what is not confirmed is not asked for"


# --- tokens and sessions ---


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(client: TestClient) -> None:
    first = log_in(client, "anita").json()
    second = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
    assert second.status_code == 200, second.text
    assert second.json()["session_id"] == first["session_id"]
    headers = {"Authorization": f"Bearer {second.json()['access_token']}"}
    assert client.get(ME, headers=headers).status_code == 200

    stolen = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    client.app.state.known.forget()  # type: ignore[attr-defined]
    assert client.get(ME, headers=headers).json()["code"] == "SESSION_ENDED", "a token that comes twice ends the session for both"
    after = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": second.json()["refresh_token"]})
    assert after.status_code == 400


def test_what_ended_is_refused_within_the_time_that_callers_are_remembered(client: TestClient) -> None:
    from api.auth.require import REMEMBERED_S, Known

    now = 1000.0
    client.app.state.known = Known(lambda: now)  # type: ignore[attr-defined]
    here = bearer(client, "anita")
    assert client.get(ME, headers=here).status_code == 200
    with db.connect("meterhouse_owner") as conn:  # as another process does it
        conn.execute("update ops.session set revoked_at = now()")
    assert client.get(ME, headers=here).status_code == 200
    now += REMEMBERED_S
    assert client.get(ME, headers=here).json()["code"] == "SESSION_ENDED"


def test_log_out_revocation_and_sessions_of_mine(client: TestClient) -> None:
    account("ravi", ("acme", "analyst"))
    here, there = bearer(client, "anita"), log_in(client, "anita").json()
    others = client.get("/api/v1/auth/sessions", headers=bearer(client, "ravi")).json()["items"]
    mine = client.get("/api/v1/auth/sessions", headers=here).json()["items"]
    assert [(s["discom"], s["present"]) for s in mine] == [("acme", False), ("acme", True)]
    assert client.delete(f"/api/v1/auth/sessions/{others[0]['id']}", headers=here).status_code == 404, "somebody else's session"
    assert client.delete(f"/api/v1/auth/sessions/{there['session_id']}", headers=here).status_code == 204
    assert client.get(ME, headers={"Authorization": f"Bearer {there['access_token']}"}).status_code == 401

    third = log_in(client, "anita").json()
    assert client.post("/api/v1/auth/revoke", data={"token": third["refresh_token"]}).status_code == 200
    assert client.get(ME, headers={"Authorization": f"Bearer {third['access_token']}"}).status_code == 401
    assert client.post("/api/v1/auth/revoke", data={"token": "none of ours"}).status_code == 200, "RFC 7009, 2.2"
    assert client.post("/api/v1/auth/revoke", data={}).json()["error"] == "invalid_request"

    assert client.post("/api/v1/auth/logout", headers=here).status_code == 204
    assert client.get(ME, headers=here).status_code == 401


def test_disabling_an_account_ends_its_sessions(client: TestClient) -> None:
    here = log_in(client, "anita").json()
    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.account set disabled_at = now()")
    client.app.state.known.forget()  # type: ignore[attr-defined]
    assert client.get(ME, headers={"Authorization": f"Bearer {here['access_token']}"}).status_code == 401
    refreshed = client.post(TOKEN, data={"grant_type": "refresh_token", "refresh_token": here["refresh_token"]})
    assert refreshed.status_code == 400


def forged(kind: str, good: str) -> str:
    """A token that must not pass, made from one that does."""
    claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
    header = jwt.get_unverified_header(good)
    mine, now = tokens.signing_keys()[0], int(time.time())
    public = mine.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def signed(key: Any = mine, **more: Any) -> str:
        kept = {k: v for k, v in (claims | more).items() if v is not None}
        return jwt.encode(kept, key, "EdDSA", headers={"typ": header["typ"], "kid": header["kid"]})

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    head, body, signature = good.split(".")
    hs256 = f"{part(header | {'alg': 'HS256'})}.{body}"
    mac = base64.urlsafe_b64encode(hmac.new(public, hs256.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    return {
        "no algorithm": f"{part(header | {'alg': 'none'})}.{body}.",
        "no algorithm, with a signature": f"{part(header | {'alg': 'none'})}.{body}.{signature}",
        "HS256 with the public key": f"{hs256}.{mac}",
        "another key": signed(Ed25519PrivateKey.generate()),
        "another key of another name": jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"typ": "at+jwt", "kid": "x"}),
        "a key in the header": jwt.encode(
            claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"typ": "at+jwt", "jwk": tokens.key_set()["keys"][0]}
        ),
        "another audience": signed(aud="meterhouse-web"),
        "another issuer": signed(iss="somebody"),
        "ended": signed(exp=now - 1),
        "not yet": signed(nbf=now + 600),
        "no end": signed(exp=None),
        "no session": signed(sid=None),
        "a session that is none": signed(sid=str(uuid4())),
        "a session that is no UUID": signed(sid="1 or 1=1"),
        "a session and a key": jwt.encode(claims | {"key": "x"}, mine, "EdDSA", headers=header),
        "a key that is none": jwt.encode({k: v for k, v in claims.items() if k != "sid"} | {"key": "0123"}, mine, "EdDSA", headers=header),
        "an id token": jwt.encode(claims, mine, "EdDSA", headers=header | {"typ": "JWT"}),
        "a changed body": f"{head}.{part(claims | {'sub': 'admin'})}.{signature}",
        "garbage": "a.b.c",
        "empty": "..",
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        *("no algorithm", "no algorithm, with a signature", "HS256 with the public key", "another key", "another key of another name"),
        *("a key in the header", "another audience", "another issuer", "ended", "not yet", "no end", "no session"),
        *("a session that is none", "a session that is no UUID", "a session and a key", "a key that is none", "an id token"),
        *("a changed body", "garbage", "empty"),
    ],
)
def test_a_forged_token_is_refused(forgeries: tuple[TestClient, str], kind: str) -> None:
    client, good = forgeries
    assert client.get(ME, headers={"Authorization": f"Bearer {good}"}).status_code == 200
    answer = client.get(ME, headers={"Authorization": f"Bearer {forged(kind, good)}"})
    assert (answer.status_code, answer.json()["code"]) in [(401, "INVALID_TOKEN"), (401, "SESSION_ENDED")], f"{kind}: {answer.text}"


@pytest.fixture(scope="module")
def forgeries(module_database: str) -> Iterator[tuple[TestClient, str]]:
    world()
    account("anita", ("acme", "analyst"))
    with serving() as c:
        yield c, log_in(c, "anita").json()["access_token"]


def test_the_signing_key_changes_without_anybody_noticing(client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def pem() -> bytes:
        return Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    file, old, new = tmp_path / "token_key.pem", pem(), pem()
    file.write_bytes(old)
    monkeypatch.setenv("METERHOUSE_TOKEN_KEY_FILE", str(file))
    app, step = with_totp(client, "anita")
    before = bearer(client, "anita", totp=app.generate_otp(step + 1))
    file.write_bytes(new + old)
    client.app.state.known.forget()  # type: ignore[attr-defined]
    assert client.get(ME, headers=before).status_code == 200, "a token of the old key is good while the key is in the file"
    published = client.get("/.well-known/jwks.json").json()["keys"]
    assert len(published) == 2
    after = bearer(client, "anita", totp=app.generate_otp(step + 2))
    kid = jwt.get_unverified_header(after["Authorization"].split()[1])["kid"]
    assert kid == published[0]["kid"], "the first key signs"
    file.write_bytes(new)
    client.app.state.known.forget()  # type: ignore[attr-defined]
    assert client.get(ME, headers=before).json()["code"] == "INVALID_TOKEN"
    assert client.get(ME, headers=after).status_code == 200
    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.account set totp_used_at = null")
    assert log_in(client, "anita", totp=app.generate_otp(step + 1)).status_code == 200, "a log-in seals the second factor with the new key"


def test_others_can_check_our_tokens_with_the_published_key(client: TestClient) -> None:
    (published,) = client.get("/.well-known/jwks.json").json()["keys"]
    assert "d" not in published, "the private key must not be published"
    token = log_in(client, "anita").json()["access_token"]
    claims = jwt.decode(token, jwt.PyJWK(published).key, ["EdDSA"], audience=tokens.AUDIENCE)
    assert claims["sub"] == "anita"


# --- keys for tokens ---


def test_a_key_gets_an_access_token_that_ends_with_it(client: TestClient) -> None:
    whole = key("acme", "analyst")
    _, key_id, secret = whole.split("_", 2)
    form = {"grant_type": "client_credentials", "client_id": key_id, "client_secret": secret}
    answers = [client.post(TOKEN, data=form), client.post(TOKEN, data={"grant_type": "client_credentials"}, auth=(key_id, secret))]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert "refresh_token" not in answer.json(), "RFC 6749, 4.4.3"
    headers = {"Authorization": f"Bearer {answers[0].json()['access_token']}"}
    me = client.get(ME, headers=headers).json()
    assert (me["kind"], me["subject"], me["roles"]) == ("key", key_id, ["analyst"])
    assert client.post("/api/v1/auth/logout", headers=headers).json()["code"] == "NO_SESSION"
    assert client.post("/api/v1/auth/revoke", data={"token": headers["Authorization"][7:]}).json()["error"] == "unsupported_token_type"

    with db.connect("meterhouse_owner") as conn:
        conn.execute("update ops.api_key set revoked_at = now()")
    client.app.state.known.forget()  # type: ignore[attr-defined]
    assert client.get(ME, headers=headers).status_code == 401, "the token of a revoked key must end with it"
    assert client.post(TOKEN, data=form).status_code == 401


def test_a_wrong_secret_or_network_gets_no_token(client: TestClient) -> None:
    _, key_id, secret = key("acme", "analyst").split("_", 2)
    _, other, others = key("acme", "analyst", networks=["192.0.2.0/24"]).split("_", 2)
    grant = {"grant_type": "client_credentials"}
    for form in ({"client_id": key_id, "client_secret": secret + "x"}, {"client_id": "0" * 12, "client_secret": secret}, {}):
        answer = client.post(TOKEN, data=grant | form)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), f"{sorted(form)}: {answer.text}"
        assert answer.headers["www-authenticate"].startswith("Basic")
    wrong = client.post(TOKEN, data=grant | {"client_id": other, "client_secret": others})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "WRONG_NETWORK")
    assert client.post(TOKEN, data=grant, headers={"Authorization": "Basic !!!"}).status_code == 401


# --- bad input, and what is written of it ---


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "password", "username": "anita"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a\x00", "password": "b"}, "invalid_request"),
        ({"grant_type": "password", "username": "a" * 5000, "password": "b"}, "invalid_request"),
        ({"grant_type": "password", "username": "' or 1=1 --", "password": "b"}, "invalid_grant"),
        ({"grant_type": "password", "username": "anita", "password": "b" * 4000}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "none"}, "invalid_grant"),
    ],
)
def test_bad_forms_are_told_as_oauth_says(forgeries: tuple[TestClient, str], form: dict[str, str], error: str) -> None:
    answer = forgeries[0].post(TOKEN, data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error_description"]


def test_log_ins_are_in_the_audit_log_without_what_was_typed(client: TestClient) -> None:
    log_in(client, "anita")
    log_in(client, "anita", "a wrong password")
    log_in(client, "my secret password by mistake", "x")
    client.app.state.access_log.flush()  # type: ignore[attr-defined]
    lines = rows("select who, outcome from ops.access_audit where action = 'auth:log-in' order by audit_id")
    assert lines == [("Anita (anita)", "allowed"), ("Anita (anita)", "refused"), (None, "refused")]
    ((everything,),) = rows("select string_agg(a::text, ' ') from ops.access_audit a")
    assert "secret password" not in everything
    assert PASSWORD not in everything


def test_a_path_with_a_nul_does_not_stop_the_audit_log(client: TestClient) -> None:
    client.get("/api/v1/auth/sessions/%00", headers=by_key(key("acme", "analyst")))
    client.delete("/api/v1/auth/sessions/%00", headers=by_key(key("acme", "analyst")))
    client.get("/api/v1/vee/explain/%00/2026-10-01", headers=by_key(key("acme", "analyst")))
    bearer(client, "anita")
    client.app.state.access_log.flush()  # type: ignore[attr-defined]
    assert rows("select count(*) from ops.access_audit where who = 'Anita (anita)'") == [(1,)], "what came after it must be written"


def test_without_anything_nobody_is_known(client: TestClient) -> None:
    for method, path in (
        ("GET", ME),
        ("POST", "/api/v1/auth/logout"),
        ("POST", "/api/v1/auth/password"),
        ("POST", "/api/v1/auth/totp"),
        ("DELETE", "/api/v1/auth/totp"),
        ("GET", "/api/v1/auth/sessions"),
    ):
        assert client.request(method, path).status_code == 401, f"{method} {path}"
