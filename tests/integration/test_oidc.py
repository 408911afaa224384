"""Log-ins by OpenID Connect and the provider's own access tokens: against nanoidp, and against a provider that says what none should."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi.testclient import TestClient

from api.auth.federated.oidc import s256
from tests.brokers import free_port
from tests.identity import API_AUDIENCE, NanoIdp, Rogue, nanoidp, rogue
from tests.integration.federated_world import PROTECTED, URL, api, forget, grant_to, owner, path_of, query_of, refused, two_discoms, works

pytestmark = pytest.mark.integration

CALLBACK = "/api/v1/auth/oidc/corp/callback"
LOG_IN = "/api/v1/auth/oidc/corp/login"
PAGE = "http://localhost:3000/signed-in"
VERIFIER = "v" * 50


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NanoIdp]:
    with nanoidp(tmp_path_factory.mktemp("idp") / "nano", [URL + CALLBACK]) as running:
        yield running


def corp(folder: Path, idp: NanoIdp, **more: Any) -> dict[str, Any]:
    (folder / "secret").write_text("client-secret\n")
    return {
        "kind": "oidc",
        "name": "corp",
        "title": "Corporate log-in",
        "issuer": idp.url,
        "client_id": "meterhouse",
        "client_secret": {"file": "secret"},
        "api_tokens": {"audience": API_AUDIENCE},
        **more,
    }


@pytest.fixture
def client(module_database: str, idp: NanoIdp, tmp_path: Path) -> Iterator[TestClient]:
    two_discoms("corp")
    with api(tmp_path, [corp(tmp_path, idp)], front_ends=[PAGE]) as running:
        yield running


@pytest.fixture
def bad(module_database: str, tmp_path: Path) -> Iterator[tuple[TestClient, Rogue]]:
    """The API, and the provider that a test has say what it wants."""
    two_discoms("corp")
    with rogue() as provider:
        oidc = {"kind": "oidc", "name": "corp", "issuer": provider.url, "client_id": "meterhouse", "timeout_s": 0.3}
        with api(tmp_path, [{**oidc, "api_tokens": {"audience": API_AUDIENCE, "clients": ["job"]}}]) as running:
            yield running, provider


def log_in(client: TestClient, idp: NanoIdp, login: str, query: str = "") -> httpx.Response:
    """From the first request to the answer of the callback."""
    away = client.get(LOG_IN + query)
    assert away.status_code == 303, away.text
    back = idp.log_in(away.headers["location"], login)
    assert back.status_code == 302, f"the provider does not send the browser back: {back.status_code} {back.text[:300]}"
    return client.get(path_of(back.headers["location"]))


def begin(client: TestClient, provider: Rogue) -> str:
    """State of a log-in whose nonce the provider knows."""
    away = client.get(LOG_IN)
    asked = query_of(away.headers["location"])
    provider.nonce = asked["nonce"]
    return asked["state"]


def finish(client: TestClient, provider: Rogue) -> httpx.Response:
    return client.get(CALLBACK, params={"state": begin(client, provider), "code": "c"})


def test_log_in_opens_a_session_with_the_roles_of_the_groups(client: TestClient, idp: NanoIdp) -> None:
    tokens = works(client, log_in(client, idp, "asha"))
    assert owner("select login, email, source, provider, groups from ops.account") == [
        ("asha", "asha@example.org", "oidc", "corp", ["vee-operators"])
    ]
    assert tokens["expires_in"] > 0
    client.app.state.access_log.flush()  # type: ignore[attr-defined]
    noted = owner("select discom_id, who, outcome from ops.access_audit where action = 'log-in:corp'")
    assert noted == [(1, "asha (asha)", "allowed")], "the log-in is not in the audit log of the DISCOM"


def test_what_goes_to_the_provider_is_a_code_request_with_pkce_and_the_cookie_is_closed(client: TestClient) -> None:
    away = client.get(LOG_IN)
    asked = query_of(away.headers["location"])
    assert (asked["response_type"], asked["code_challenge_method"], asked["redirect_uri"]) == ("code", "S256", URL + CALLBACK)
    assert min(len(asked[k]) for k in ("state", "nonce", "code_challenge")) >= 43, "too short to be unguessable"
    cookie = away.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=600" in cookie
    assert asked["nonce"].lower() not in cookie, "what the cookie remembers can be read"


def test_an_installation_behind_https_marks_its_cookies_secure(module_database: str, idp: NanoIdp, tmp_path: Path) -> None:
    with api(tmp_path, [corp(tmp_path, idp)], public_url="https://meterhouse.example.org") as client:
        away = client.get(LOG_IN)
        assert "secure" in away.headers["set-cookie"].lower()
        assert query_of(away.headers["location"])["redirect_uri"] == "https://meterhouse.example.org" + CALLBACK


def test_an_installation_below_a_path_has_its_cookies_and_addresses_there(module_database: str, idp: NanoIdp, tmp_path: Path) -> None:
    with api(tmp_path, [corp(tmp_path, idp)], public_url="http://localhost/data/") as client:
        away = client.get(LOG_IN)
        assert "path=/data/api/v1/auth;" in away.headers["set-cookie"].lower()
        assert query_of(away.headers["location"])["redirect_uri"] == "http://localhost/data" + CALLBACK
        assert client.get("/api/v1/auth/providers").json()["providers"][0]["log_in"] == "/data" + LOG_IN


def test_ways_to_log_in_are_listed_without_how_they_are_set_up(client: TestClient, idp: NanoIdp) -> None:
    listed = client.get("/api/v1/auth/providers")
    assert listed.json() == {"providers": [{"name": "corp", "kind": "oidc", "title": "Corporate log-in", "log_in": LOG_IN}]}


def test_without_a_file_there_is_no_provider_and_the_api_works(module_database: str) -> None:
    from api.main import create_app

    with TestClient(create_app()) as client:
        assert client.get("/api/v1/auth/providers").json() == {"providers": []}
        refused(client.get(LOG_IN), 404, "UNKNOWN_PROVIDER")


def test_who_holds_roles_in_two_discoms_says_which(client: TestClient, idp: NanoIdp) -> None:
    detail = refused(log_in(client, idp, "ravi"), 422, "WHICH_DISCOM")
    assert "acme, globex" in detail
    works(client, log_in(client, idp, "ravi", "?discom=globex"))
    assert owner("select discom_id from ops.session") == [(2,)]


def test_a_provider_of_one_discom_lets_nobody_into_another(module_database: str, idp: NanoIdp, tmp_path: Path) -> None:
    two_discoms("corp")
    with api(tmp_path, [corp(tmp_path, idp, discoms=["acme"])]) as client:
        refused(client.get(LOG_IN, params={"discom": "globex"}), 403, "NO_ROLE")
        works(client, log_in(client, idp, "ravi"))
    assert owner("select discom_id from ops.session") == [(1,)]


def test_a_group_without_a_role_logs_nobody_in_until_the_account_is_given_one(client: TestClient, idp: NanoIdp) -> None:
    refused(log_in(client, idp, "nobody"), 403, "NO_ROLE")
    assert owner("select count(*) from ops.session") == [(0,)]
    grant_to("nobody")
    works(client, log_in(client, idp, "nobody"))


def test_a_login_that_a_local_account_has_is_not_taken_over(client: TestClient, idp: NanoIdp) -> None:
    owner("insert into ops.account (login, name, source) values ('local', 'Local', 'local')")
    refused(log_in(client, idp, "local"), 409, "LOGIN_TAKEN")
    assert owner("select provider from ops.account where login = 'local'") == [(None,)]


def test_a_disabled_account_stays_out_whatever_the_provider_says(client: TestClient, idp: NanoIdp) -> None:
    tokens = works(client, log_in(client, idp, "asha"))
    owner("update ops.account set disabled_at = now() where login = 'asha'")
    forget(client)
    refused(client.get(PROTECTED, headers={"Authorization": f"Bearer {tokens['access_token']}"}), 401, "SESSION_ENDED")
    refused(log_in(client, idp, "asha"), 403, "ACCOUNT_DISABLED")


def test_a_group_that_is_left_at_the_provider_ends_the_role_at_the_next_log_in(client: TestClient, idp: NanoIdp) -> None:
    works(client, log_in(client, idp, "asha"))
    owner("update ops.role_grant set revoked_at = now() where group_name = 'vee-operators'")
    refused(log_in(client, idp, "asha"), 403, "NO_ROLE")


def test_another_state_than_the_browsers_is_refused(client: TestClient, idp: NanoIdp) -> None:
    back = idp.log_in(client.get(LOG_IN).headers["location"], "asha").headers["location"]
    answer = query_of(back)
    refused(client.get(CALLBACK, params={**answer, "state": "A" * 43}), 400, "LOG_IN_UNKNOWN")
    other = answer["state"][:16] + "B" * 27  # finds the cookie, and is not what it holds
    refused(client.get(CALLBACK, params={**answer, "state": other}), 400, "LOG_IN_UNKNOWN")
    cookies = dict(client.cookies)
    client.cookies.clear()
    refused(client.get(path_of(back)), 400, "LOG_IN_UNKNOWN")  # an attacker's log-in in somebody else's browser
    (name,) = cookies
    client.cookies.set(name, cookies[name][:-6] + "AAAAA=")
    refused(client.get(path_of(back)), 400, "LOG_IN_UNKNOWN")
    assert owner("select count(*) from ops.account") == [(0,)]


def test_a_callback_is_good_once(client: TestClient, idp: NanoIdp) -> None:
    back = idp.log_in(client.get(LOG_IN).headers["location"], "asha").headers["location"]
    cookies = dict(client.cookies)
    works(client, client.get(path_of(back)))
    for name, value in cookies.items():
        client.cookies.set(name, value)
    refused(client.get(path_of(back)), 400, "LOG_IN_USED")


def test_a_code_of_another_log_in_is_refused_by_pkce(client: TestClient, idp: NanoIdp) -> None:
    stolen = query_of(idp.log_in(client.get(LOG_IN).headers["location"], "asha").headers["location"])["code"]
    state = query_of(client.get(LOG_IN).headers["location"])["state"]
    detail = refused(client.get(CALLBACK, params={"state": state, "code": stolen}), 401, "NOT_VOUCHED")
    assert "code" in detail


def test_a_code_is_not_taken_twice_by_the_provider(client: TestClient, idp: NanoIdp) -> None:
    code = query_of(idp.log_in(client.get(LOG_IN).headers["location"], "asha").headers["location"])["code"]
    state = query_of(client.get(LOG_IN).headers["location"])["state"]
    refused(client.get(CALLBACK, params={"state": state, "code": code + "x"}), 401, "NOT_VOUCHED")


def test_what_the_provider_refuses_is_said_and_not_repeated_as_it_came(client: TestClient) -> None:
    state = query_of(client.get(LOG_IN).headers["location"])["state"]
    response = client.get(CALLBACK, params={"state": state, "error": "access_denied<script>"})
    assert refused(response, 401, "NOT_VOUCHED") == "the provider did not log you in: access_deniedscript"


def test_a_front_end_gets_a_code_and_for_it_the_tokens_once(client: TestClient, idp: NanoIdp) -> None:
    query = str(httpx.QueryParams({"return_to": PAGE, "code_challenge": s256(VERIFIER)}))
    sent = log_in(client, idp, "asha", f"?{query}")
    assert sent.status_code == 303
    assert sent.headers["location"].startswith(PAGE + "?code=")
    form = {"code": query_of(sent.headers["location"])["code"], "code_verifier": VERIFIER}
    assert owner("select count(*) from ops.session") == [(0,)], "no session before the front end asks for it"
    works(client, client.post("/api/v1/auth/federated/token", data=form))
    refused(client.post("/api/v1/auth/federated/token", data=form), 400, "INVALID_CODE")


def test_a_front_ends_code_is_nothing_without_its_verifier(client: TestClient, idp: NanoIdp) -> None:
    query = str(httpx.QueryParams({"return_to": PAGE, "code_challenge": s256(VERIFIER)}))
    code = query_of(log_in(client, idp, "asha", f"?{query}").headers["location"])["code"]
    refused(client.post("/api/v1/auth/federated/token", data={"code": code, "code_verifier": "w" * 50}), 400, "INVALID_CODE")
    refused(client.post("/api/v1/auth/federated/token", data={"code": code, "code_verifier": VERIFIER}), 400, "INVALID_CODE")
    refused(client.post("/api/v1/auth/federated/token", data={"code": "x", "code_verifier": VERIFIER}), 400, "INVALID_CODE")


def test_a_front_end_is_told_why_there_is_no_code(client: TestClient, idp: NanoIdp) -> None:
    owner("insert into ops.account (login, name, source) values ('local', 'Local', 'local')")
    query = str(httpx.QueryParams({"return_to": PAGE, "code_challenge": s256(VERIFIER)}))
    assert log_in(client, idp, "local", f"?{query}").headers["location"] == f"{PAGE}?error=LOGIN_TAKEN"


@pytest.mark.parametrize(
    "page", ["https://evil.example", PAGE + "/", PAGE + "?x=1", PAGE + "@evil.example", "//evil.example", "javascript:alert(1)"]
)
def test_a_page_that_is_not_listed_is_never_gone_to(client: TestClient, page: str) -> None:
    refused(client.get(LOG_IN, params={"return_to": page, "code_challenge": s256(VERIFIER)}), 400, "UNKNOWN_FRONT_END")


def test_a_front_end_without_a_challenge_is_refused(client: TestClient) -> None:
    refused(client.get(LOG_IN, params={"return_to": PAGE}), 400, "CHALLENGE_MISSING")


# --- what no honest provider says ---


def test_the_rogue_provider_is_believed_while_it_is_honest(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    works(client, finish(client, provider))


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another log-in"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": ["meterhouse", "somebody-else"]},
        {"aud": ["meterhouse", "somebody-else"], "azp": "somebody-else"},
        {"aud": None},
        {"azp": "somebody-else"},
        {"iss": "https://other.example"},
        {"iss": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": 4_000_000_000, "exp": 4_000_000_300},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": "s-2"},
        {"preferred_username": None},
        {"preferred_username": "a\u0000b"},
        {"preferred_username": ["root"]},
        {"name": "x" * 300},
    ],
    ids=str,
)
def test_an_id_token_of_other_claims_is_refused(bad: tuple[TestClient, Rogue], claims: dict[str, Any]) -> None:
    client, provider = bad
    provider.claims = claims
    refused(finish(client, provider), 401, "NOT_VOUCHED")
    assert owner("select count(*) from ops.account") == [(0,)]


def forged(provider: Rogue, how: str, claims: dict[str, Any]) -> str:
    """Claims, signed as the provider would not."""
    public = provider.jwk()
    if how == "alg none":
        return jwt.encode(claims, "", "none", headers={"kid": "k1"})
    if how == "HS256 with the public key":
        # PyJWT refuses to sign so; an attacker's library does not.
        import base64
        import hashlib
        import hmac
        import json

        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        pem = provider.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        parts = [json.dumps({"alg": "HS256", "typ": "JWT", "kid": "k1"}).encode(), json.dumps(claims).encode()]
        text = b".".join(base64.urlsafe_b64encode(p).rstrip(b"=") for p in parts)
        return (text + b"." + base64.urlsafe_b64encode(hmac.new(pem, text, hashlib.sha256).digest()).rstrip(b"=")).decode()
    if how == "another RSA key":
        return jwt.encode(claims, rsa.generate_private_key(65537, 2048), "RS256", headers={"kid": "k1"})
    if how == "a key that it brings itself":
        own = rsa.generate_private_key(65537, 2048)
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key(), as_dict=True)
        return jwt.encode(claims, own, "RS256", headers={"kid": "k2", "jwk": jwk, "jku": provider.url + "/jwks"})
    if how == "another kind of key":
        return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "k1"})
    assert public["kid"] == "k1"
    whole = jwt.encode(claims, provider.key, "RS256", headers={"kid": "k1"})
    head, body, signature = whole.split(".")
    return {
        "a changed signature": f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        "no signature": f"{head}.{body}.",
        "not allowed RS1": whole.replace(head, jwt.utils.base64url_encode(b'{"alg":"RS1","kid":"k1"}').decode()),
        "no JWT": "ey.ey.ey",
        "nothing": "",
        "too long": "a" * 20_000,
    }[how]


FORGED = ["alg none", "HS256 with the public key", "another RSA key", "a key that it brings itself", "another kind of key",
          "a changed signature", "no signature", "not allowed RS1", "no JWT", "too long"]  # fmt: skip


@pytest.mark.parametrize("how", [*FORGED, "nothing"])
def test_a_forged_id_token_is_refused(bad: tuple[TestClient, Rogue], how: str) -> None:
    client, provider = bad
    state = begin(client, provider)
    now = int(time.time())
    claims = {"iss": provider.url, "aud": "meterhouse", "sub": "s-1", "iat": now, "exp": now + 300, "nonce": provider.nonce,
              "preferred_username": "mira"}  # fmt: skip
    provider.answers["/token"] = 200, {"access_token": "x", "id_token": forged(provider, how, claims)}
    refused(client.get(CALLBACK, params={"state": state, "code": "c"}), 401, "NOT_VOUCHED")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/token", (500, {})),
        ("/token", (400, {"error": "invalid_client"})),
        ("/token", (200, b"<html>")),
        ("/token", (200, b"[1]")),
        ("/token", (200, b"x" * 2_000_000)),
        ("/token", (302, {})),
        ("/userinfo", (401, {})),
        ("/userinfo", (200, b"")),
        ("/jwks", (200, {"keys": []})),
        ("/jwks", (200, {"keys": "none"})),
        ("/jwks", (404, {})),
    ],
    ids=str,
)
def test_a_provider_that_answers_nonsense_is_told_from_a_bad_log_in(
    bad: tuple[TestClient, Rogue], path: str, answer: tuple[int, Any]
) -> None:
    client, provider = bad
    provider.answers[path] = answer
    response = finish(client, provider)
    detail = refused(response, 503, "PROVIDER_UNAVAILABLE")
    assert "corp" in detail
    assert response.headers["retry-after"]
    assert owner("select count(*) from ops.session") == [(0,)]


def test_userinfo_of_somebody_else_is_refused(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    provider.answers["/userinfo"] = 200, {"sub": "s-2", "groups": ["vee-operators"]}
    refused(finish(client, provider), 401, "NOT_VOUCHED")


def test_an_answer_that_says_it_is_from_another_provider_is_refused(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    state = begin(client, provider)
    refused(client.get(CALLBACK, params={"state": state, "code": "c", "iss": "https://evil.example"}), 401, "NOT_VOUCHED")
    assert "/token" not in provider.asked, "the code was sent on"


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "http://metadata.internal/latest"},
        {"authorization_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_elsewhere_is_not_followed(bad: tuple[TestClient, Rogue], document: dict[str, Any]) -> None:
    client, provider = bad
    _, honest = provider.answer("/.well-known/openid-configuration", {})
    provider.answers["/.well-known/openid-configuration"] = 200, {**honest, **document}
    refused(client.get(LOG_IN), 503, "PROVIDER_UNAVAILABLE")


def test_a_provider_that_is_down_is_said_to_be(module_database: str, tmp_path: Path) -> None:
    oidc = {"kind": "oidc", "name": "corp", "issuer": f"http://127.0.0.1:{free_port()}", "client_id": "meterhouse"}
    with api(tmp_path, [oidc]) as client:
        refused(client.get(LOG_IN), 503, "PROVIDER_UNAVAILABLE")


def test_a_provider_that_is_slow_is_not_waited_for(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    state = begin(client, provider)
    provider.silent.set()
    refused(client.get(CALLBACK, params={"state": state, "code": "c"}), 503, "PROVIDER_UNAVAILABLE")
    assert provider.asked.count("/token") == 1, "a code is good once: it must not be sent twice"


# --- the provider's own access tokens ---


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_program_of_the_provider_calls_with_its_token_once_it_holds_a_role(client: TestClient, idp: NanoIdp) -> None:
    got = httpx.post(f"{idp.url}/token", data={"grant_type": "client_credentials"}, auth=("nightly-job", "job-secret")).json()
    refused(client.get(PROTECTED, headers=bearer(got["access_token"])), 403, "NO_ROLE")
    grant_to("nightly-job")
    answer = client.get(PROTECTED, headers=bearer(got["access_token"]))
    assert answer.status_code == 200, answer.text
    refused(client.get(PROTECTED, headers=bearer(got["access_token"] + "x")), 401, "INVALID_TOKEN")
    owner("update ops.account set disabled_at = now()")
    forget(client)
    refused(client.get(PROTECTED, headers=bearer(got["access_token"])), 403, "ACCOUNT_DISABLED")


def test_a_token_without_groups_does_not_take_those_of_the_log_in_away(client: TestClient, idp: NanoIdp) -> None:
    tokens = works(client, log_in(client, idp, "asha"))
    now = int(time.time())
    claims = {"iss": idp.url, "aud": API_AUDIENCE, "sub": "asha", "iat": now, "exp": now + 60}
    refused(client.get(PROTECTED, headers=bearer(jwt.encode(claims, idp.private_key, "RS256", headers={"kid": idp.kid}))), 403, "NO_ROLE")
    forget(client)
    assert client.get(PROTECTED, headers=bearer(tokens["access_token"])).status_code == 200


def api_token(provider: Rogue, **changed: Any) -> str:
    claims = {"sub": "j-1", "preferred_username": "job", "aud": API_AUDIENCE, "azp": "job", "groups": ["vee-operators"], "nonce": None}
    return provider.id_token(**{**claims, **changed})


def test_groups_in_a_token_hold_for_the_token(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    assert client.get(PROTECTED, headers=bearer(api_token(provider))).status_code == 200
    refused(client.get(PROTECTED, headers=bearer(api_token(provider, groups=["canteen"]))), 403, "NO_ROLE")
    refused(client.get(PROTECTED, headers=bearer(api_token(provider, groups=["vee-operators", "both"]))), 403, "WHICH_DISCOM")


@pytest.mark.parametrize(
    "changed",
    [{"aud": "meterhouse"}, {"aud": "other"}, {"azp": "other"}, {"azp": None}, {"exp": 1_000_000_000}, {"exp": None}, {"sub": None}],
    ids=str,
)
def test_an_access_token_of_other_claims_is_refused(bad: tuple[TestClient, Rogue], changed: dict[str, Any]) -> None:
    client, provider = bad
    refused(client.get(PROTECTED, headers=bearer(api_token(provider, **changed))), 401, "INVALID_TOKEN")


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_access_token_is_refused(bad: tuple[TestClient, Rogue], how: str) -> None:
    client, provider = bad
    now = int(time.time())
    claims = {
        "iss": provider.url,
        "aud": API_AUDIENCE,
        "sub": "j-1",
        "azp": "job",
        "iat": now,
        "exp": now + 60,
        "groups": ["vee-operators"],
    }
    refused(client.get(PROTECTED, headers=bearer(forged(provider, how, claims))), 401, "INVALID_TOKEN")


def test_a_token_of_an_issuer_that_is_not_in_the_file_is_nobodys(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    refused(client.get(PROTECTED, headers=bearer(api_token(provider, iss="https://other.example"))), 401, "INVALID_TOKEN")
    assert provider.asked == [], "the provider was asked for the sake of a foreign token"


def test_unknown_keys_make_the_provider_be_asked_once_in_a_while_only(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    assert client.get(PROTECTED, headers=bearer(api_token(provider))).status_code == 200
    for n in range(20):
        now = int(time.time())
        claims = {"iss": provider.url, "aud": API_AUDIENCE, "sub": "j-1", "iat": now, "exp": now + 60}
        refused(
            client.get(PROTECTED, headers=bearer(jwt.encode(claims, provider.key, "RS256", headers={"kid": f"n{n}"}))), 401, "INVALID_TOKEN"
        )
    assert provider.asked.count("/jwks") == 1, "an attacker's tokens must not become requests to the provider"


def test_keys_serve_on_while_the_provider_is_away(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    assert client.get(PROTECTED, headers=bearer(api_token(provider))).status_code == 200
    provider.answers |= {"/jwks": (500, {}), "/.well-known/openid-configuration": (500, {})}
    forget(client)
    assert client.get(PROTECTED, headers=bearer(api_token(provider))).status_code == 200


def test_a_login_of_a_token_that_a_local_account_has_is_refused(bad: tuple[TestClient, Rogue]) -> None:
    client, provider = bad
    owner("insert into ops.account (login, name, source) values ('job', 'Local', 'local')")
    refused(client.get(PROTECTED, headers=bearer(api_token(provider))), 403, "LOGIN_TAKEN")
