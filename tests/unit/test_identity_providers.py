"""The file of identity providers and what is wrong with it; what is kept of a provider's answers; what is sealed for a browser."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from api.auth.federated import config, outbound, sealed
from api.auth.federated.config import IdentityFileError, Oidc, Saml, private
from api.auth.federated.outbound import AFTER_FAILURE_S, AGAIN_S, FRESH_S, STALE_S, Kept
from api.auth.federated.sealed import Begun, Done, SealError
from api.auth.federated.vouched import MOST_GROUPS, ProviderError, RefusedError, vouched
from cli.main import app

OIDC = {"kind": "oidc", "name": "corp", "issuer": "https://login.example.org", "client_id": "meterhouse"}
LDAP = {"kind": "ldap", "name": "office", "url": "ldaps://ldap.example.org", "search_base": "dc=example,dc=org"}
SAML = {"kind": "saml", "name": "campus", "issuer": "x", "sso_url": "https://idp.example.org/sso", "certificate_files": ["gone.pem"]}


def read(folder: Path, *providers: dict[str, Any], **more: Any) -> config.Identities:
    file = folder / "identity.yml"
    file.write_text(yaml.safe_dump({"public_url": "https://m.example.org/", "providers": list(providers), **more}))
    return config.read(file)


def test_defaults_are_those_of_the_standards(tmp_path: Path) -> None:
    identities = read(tmp_path, OIDC)
    (corp,) = identities.providers.values()
    assert isinstance(corp, Oidc)
    assert (corp.login, corp.groups, corp.title, corp.discoms, corp.api) == (("preferred_username",), ("groups",), "corp", None, None)
    assert not {a for a in corp.algorithms if a.startswith("HS") or a == "none"}, "a symmetric algorithm is accepted"
    assert identities.public_url == "https://m.example.org"
    assert identities.by_issuer == {}, "access tokens of a provider are taken without being asked for"


def test_no_file_is_no_provider() -> None:
    assert config.load({}).providers == {}


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        ({**OIDC, "name": "Corp"}, r":\d+: providers\.0\.name: may hold a-z"),
        ({**OIDC, "kind": "cas"}, r"providers\.0\.kind: 'cas' is not allowed. Allowed: oidc, saml, ldap"),
        ({**OIDC, "isuer": "x"}, r"providers\.0\.isuer: unknown field. Known here: algorithms"),
        ({k: v for k, v in OIDC.items() if k != "client_id"}, r"providers\.0: 'client_id' is a required property: add it"),
        ({**OIDC, "issuer": "http://login.example.org"}, r"providers\.0\.issuer: is not encrypted"),
        ({**OIDC, "issuer": "https://user:pw@login.example.org"}, r"providers\.0\.issuer: is no URL"),
        ({**OIDC, "issuer": "file:///etc/passwd"}, r"providers\.0\.issuer: is no URL"),
        ({**OIDC, "algorithms": ["HS256"]}, r"providers\.0\.algorithms\.0: 'HS256' is not allowed"),
        ({**OIDC, "algorithms": ["none"]}, r"providers\.0\.algorithms\.0: 'none' is not allowed"),
        ({**OIDC, "scopes": ["profile"]}, r"providers\.0\.scopes: lacks openid"),
        ({**OIDC, "api_tokens": {"audience": "meterhouse"}}, r"providers\.0\.api_tokens\.audience: is the client_id"),
        ({**OIDC, "client_secret": {"env": "NOT_SET_HERE"}}, r"providers\.0\.client_secret: the variable NOT_SET_HERE is not set"),
        ({**OIDC, "client_secret": {"file": "gone"}}, r"providers\.0\.client_secret: cannot be read: .*gone"),
        ({**OIDC, "client_secret": {"env": "A", "file": "b"}}, r"providers\.0\.client_secret: has one home"),
        ({**OIDC, "ca_file": "gone.pem"}, r"providers\.0\.ca_file: holds no certificate"),
        ({**OIDC, "claims": {"groups": 5}}, r"providers\.0\.claims\.groups: is the name of a claim"),
        (SAML, r"providers\.0\.certificate_files\.0: holds no certificate"),
        ({**LDAP, "url": "ldap://ldap.example.org"}, r"providers\.0\.url: would send passwords in the clear"),
        ({**LDAP, "start_tls": True}, r"providers\.0\.start_tls: is for ldap://"),
        ({**LDAP, "search_base": "people"}, r"providers\.0\.search_base: is no distinguished name"),
        ({**LDAP, "user_filter": "(uid=%s)"}, r"providers\.0\.user_filter: must be a filter in brackets that holds \{login\}"),
        ({**LDAP, "bind_dn": "cn=reader"}, r"providers\.0: bind_dn and bind_password belong together"),
        ({**LDAP, "group_search": {"base": "dc=x", "filter": "(cn=*)"}}, r"providers\.0\.group_search\.filter: must be a filter"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_line_field_and_remedy(tmp_path: Path, provider: dict[str, Any], says: str) -> None:
    with pytest.raises(IdentityFileError, match=says):
        read(tmp_path, provider)


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(IdentityFileError, match="a secret itself does not belong in this file") as e:
        read(tmp_path, {**OIDC, "client_secret": "hunter2"})
    assert "hunter2" not in str(e.value)


def test_names_and_issuers_are_there_once(tmp_path: Path) -> None:
    with pytest.raises(IdentityFileError) as e:
        read(tmp_path, OIDC, OIDC)
    assert [f.field for f in e.value.faults] == ["providers.1.issuer", "providers.1.name"]


@pytest.mark.parametrize("url", ["http://m.example.org", "https://m.example.org?x=1", "https://m.example.org#x"])
def test_a_public_url_that_tokens_would_leak_from_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(IdentityFileError, match="public_url"):
        read(tmp_path, OIDC, public_url=url)


@pytest.mark.parametrize(
    ("url", "is_private"),
    [
        ("https://x.org", True),
        ("ldaps://x.org", True),
        ("http://localhost:80", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:8080/a", True),
        ("http://127.0.0.1.evil.org", False),
        ("http://localhost.evil.org", False),
        ("http://10.0.0.1", False),
        ("ldap://x.org", False),
        ("http://", False),
    ],
)
def test_only_this_machine_may_be_spoken_to_in_the_clear(url: str, is_private: bool) -> None:
    assert private(url) is is_private


def test_the_kinds_are_distinct_types(tmp_path: Path) -> None:
    assert not isinstance(read(tmp_path, LDAP).providers["office"], Oidc | Saml)


def test_the_command_says_what_is_wrong_before_it_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "identity.yml").write_text("public_url: ftp://x\nproviders: []\n")
    monkeypatch.setenv("METERHOUSE_IDENTITY_FILE", str(tmp_path / "identity.yml"))
    result = CliRunner().invoke(app, ["api"])
    assert result.exit_code == 1
    assert "identity.yml:1: public_url: is no URL" in result.output
    assert "identity.yml:2: providers" in result.output


# --- what is kept of an answer ---


class Provider:
    """Answers with how often it was asked, or not at all."""

    def __init__(self) -> None:
        self.asked, self.down, self.now = 0, False, 1000.0

    def fetch(self) -> int:
        self.asked += 1
        if self.down:
            raise ProviderError("down")
        return self.asked

    def kept(self) -> Kept[int]:
        return Kept(self.fetch, lambda: self.now)


def test_an_answer_is_fetched_once_while_it_is_fresh() -> None:
    provider = Provider()
    kept = provider.kept()
    assert [kept.get(), kept.get()] == [1, 1]
    provider.now += FRESH_S + 1
    assert kept.get() == 2


def test_an_unknown_key_makes_it_be_fetched_anew_once_in_a_while() -> None:
    provider = Provider()
    kept = provider.kept()
    assert kept.get() == 1
    assert kept.get(anew=True) == 1, "it was fetched a moment ago"
    provider.now += AGAIN_S
    assert [kept.get(anew=True) for _ in range(5)] == [2] * 5


def test_a_provider_that_is_down_is_not_asked_by_every_request() -> None:
    provider = Provider()
    provider.down = True
    kept = provider.kept()
    for _ in range(5):
        with pytest.raises(ProviderError):
            kept.get()
    assert provider.asked == 1
    provider.down = False
    provider.now += AFTER_FAILURE_S
    assert kept.get() == 2


def test_what_it_said_serves_on_for_a_day_while_it_is_down() -> None:
    provider = Provider()
    kept = provider.kept()
    kept.get()
    provider.down = True
    provider.now += STALE_S - 1
    assert kept.get() == 1
    provider.now += 2 + AFTER_FAILURE_S
    with pytest.raises(ProviderError, match="a day"):
        kept.get()


def test_a_request_does_not_wait_long_for_what_another_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "WAIT_S", 0.01)
    entered, let_go = threading.Event(), threading.Event()

    def slow() -> int:
        entered.set()
        assert let_go.wait(30)
        return 1

    kept = Kept(slow)
    first = threading.Thread(target=kept.get)
    first.start()
    assert entered.wait(30)
    with pytest.raises(ProviderError, match="others wait"):
        kept.get()
    let_go.set()
    first.join(30)
    assert kept.get() == 1


# --- what is sealed ---


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_TOKEN_KEY_FILE", str(tmp_path / "key.pem"))


def test_what_is_sealed_opens_for_its_purpose_alone(key: None) -> None:
    begun, done = Begun("corp", "state", None, verifier="very-secret"), Done("corp", 7, "acme", "c", "once")
    assert sealed.open_begun(sealed.seal(begun)) == begun
    assert sealed.open_done(sealed.seal(done)) == done
    assert "very-secret" not in sealed.seal(begun)
    for wrong in (lambda: sealed.open_done(sealed.seal(begun)), lambda: sealed.open_begun(sealed.seal(done))):
        with pytest.raises(SealError):
            wrong()


def test_what_is_sealed_opens_while_its_key_is_in_the_file(key: None, tmp_path: Path) -> None:
    box = sealed.seal(Begun("corp", "state", None))
    file, old = tmp_path / "key.pem", (tmp_path / "key.pem").read_bytes()
    new = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(new + old)
    assert sealed.open_begun(box).state == "state", "a log-in under way ends where a key is added"
    file.write_bytes(new)
    with pytest.raises(SealError):
        sealed.open_begun(box)


@pytest.mark.parametrize("text", ["", "x", "gAAAAA", "é", "\ud800"])
def test_what_was_not_sealed_here_does_not_open(key: None, text: str) -> None:
    with pytest.raises(SealError):
        sealed.open_begun(text)


def test_what_was_sealed_too_long_ago_does_not_open(key: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography import fernet

    box = sealed.seal(Begun("corp", "state", None))
    now = fernet.time.time()
    monkeypatch.setattr(fernet.time, "time", lambda: now + sealed.BEGUN_S + 2)
    with pytest.raises(SealError):
        sealed.open_begun(box)


# --- what a provider says ---


def test_names_are_trimmed_and_logins_in_lower_case() -> None:
    who = vouched("corp", "oidc", "s", " Asha ", None, "", ["b", "a", "b"])
    assert (who.login, who.name, who.email, who.groups) == ("asha", "asha", None, ("b", "a"))


@pytest.mark.parametrize(
    "said",
    [{"subject": None}, {"login": ""}, {"login": 5}, {"login": "a\x00"}, {"name": "a\nb"}, {"groups": [None]}, {"groups": ["x" * 300]}],
)
def test_what_names_nobody_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        vouched(**{"provider": "p", "source": "oidc", "subject": "s", "login": "l", "name": None, "email": None, "groups": [], **said})


def test_groups_beyond_reason_are_refused_and_not_cut() -> None:
    with pytest.raises(RefusedError, match="more than"):
        vouched("p", "oidc", "s", "l", None, None, [f"g{n}" for n in range(MOST_GROUPS + 1)])
