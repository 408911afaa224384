"""The identity providers of an installation: one YAML file that METERHOUSE_IDENTITY_FILE names, written by its operator.

It says who may vouch for whom, and where that stands in what a provider says. Which group holds which role is not in it: that is
`ops.role_grant`, which the administrator of each DISCOM keeps. Secrets stand in files or variables that it names, never in itself.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from cryptography import x509
from ldap3.core.exceptions import LDAPException
from ldap3.utils.dn import parse_dn

from warehouse import yaml_file
from warehouse.yaml_file import Where

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("identity.schema.json").read_text(encoding="utf-8"))
PREFIX = "/api/v1/auth"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")

Claim = tuple[str, ...]
"""Names that lead to a claim: of most, one."""


class IdentityFileError(yaml_file.FileError):
    """The file is no good: each line says where, what and how to mend it."""


@dataclass(frozen=True)
class Secret:
    """Where a secret stands. It is read when it is used, so that it can be changed while the service runs."""

    file: Path | None = None
    variable: str | None = None

    def read(self) -> str:
        """Raises OSError or KeyError where it is not there."""
        return os.environ[self.variable or ""] if self.file is None else self.file.read_text(encoding="utf-8").strip()

    def fault(self) -> str | None:
        """Why it cannot be read, if so."""
        try:
            return None if self.read() else f"{self.file or self.variable} is empty: put the secret there"
        except KeyError:
            return f"the variable {self.variable} is not set: set it to the secret"
        except (OSError, UnicodeDecodeError) as e:
            return f"cannot be read: {e}"


@dataclass(frozen=True)
class ApiTokens:
    """Access tokens of the provider that the API takes as they are."""

    audience: str
    clients: frozenset[str] | None
    """client_id (or azp) of those that may call; None = all that the provider gives such a token."""


@dataclass(frozen=True)
class _Provider:
    name: str
    title: str
    discoms: frozenset[str] | None
    """Codes of the DISCOMs that people may log in to by it; None = all."""


@dataclass(frozen=True)
class Oidc(_Provider):
    issuer: str
    client_id: str
    client_secret: Secret | None
    client_auth: Literal["basic", "post"]
    scopes: tuple[str, ...]
    algorithms: tuple[str, ...]
    login: Claim
    full_name: Claim
    email: Claim
    groups: Claim
    userinfo: bool
    api: ApiTokens | None
    timeout_s: float
    ca_file: Path | None
    kind: Literal["oidc"] = "oidc"


@dataclass(frozen=True)
class Saml(_Provider):
    issuer: str
    sso_url: str
    certificates: tuple[x509.Certificate, ...]
    entity_id: str
    """Ours."""
    subject: str | None
    """Attribute; None = the NameID, as for `login`."""
    login: str | None
    full_name: str | None
    email: str | None
    groups: str | None
    clock_skew_s: int
    kind: Literal["saml"] = "saml"


@dataclass(frozen=True)
class GroupSearch:
    base: str
    filter: str
    name: str


@dataclass(frozen=True)
class Ldap(_Provider):
    url: str
    start_tls: bool
    ca_file: Path | None
    bind_dn: str | None
    bind_password: Secret | None
    search_base: str
    user_filter: str
    subject: str
    login: str
    full_name: str
    email: str
    groups: str | None
    """Attribute that holds the DNs of the user's groups."""
    group_search: GroupSearch | None
    timeout_s: int
    kind: Literal["ldap"] = "ldap"


Provider = Oidc | Saml | Ldap


@dataclass(frozen=True)
class Identities:
    """The whole file. Without one: no provider."""

    public_url: str = ""
    """Where browsers reach the API, without a slash at its end."""
    front_ends: frozenset[str] = frozenset()
    """Pages that may be told of a log-in, each by its whole URL."""
    providers: Mapping[str, Provider] = field(default_factory=dict)

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https:")

    @property
    def path(self) -> str:
        """Of the log-ins, as browsers ask for it: a proxy may serve the API below a path of its own."""
        return urlsplit(self.public_url).path + PREFIX

    @cached_property
    def by_issuer(self) -> dict[str, Oidc]:
        """Providers whose access tokens are taken, by their issuer."""
        return {p.issuer: p for p in self.providers.values() if isinstance(p, Oidc) and p.api}


def load(environment: Mapping[str, str] = os.environ) -> Identities:
    """The file of METERHOUSE_IDENTITY_FILE; no provider where that is not set. Raises IdentityFileError."""
    path = environment.get("METERHOUSE_IDENTITY_FILE")
    return read(Path(path)) if path else Identities()


def read(path: Path) -> Identities:
    """Raises IdentityFileError."""
    file = yaml_file.read(path, SCHEMA, IdentityFileError)
    file.refuse(_faults(file.raw, path.parent))
    public_url = file.raw["public_url"].rstrip("/")
    providers = (_provider(raw, path.parent, public_url) for raw in file.raw["providers"])
    return Identities(public_url, frozenset(file.raw.get("front_ends", ())), {p.name: p for p in providers})


def private(url: str) -> bool:
    """Whether nobody outside can listen: TLS, or the machine talks to itself."""
    parts = urlsplit(url)
    if parts.scheme in ("https", "ldaps") or parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _faults(raw: dict[str, Any], folder: Path) -> Iterator[tuple[Where, str]]:
    """What no schema can say."""
    plain = "is not encrypted: give https (http is for a machine that talks to itself)"
    if not private(raw["public_url"]):
        yield ("public_url",), plain
    for i, url in enumerate(raw.get("front_ends", ())):
        if not private(url):
            yield ("front_ends", i), plain
    names: set[str] = set()
    issuers: set[str] = set()
    for i, p in enumerate(raw["providers"]):
        at: Where = ("providers", i)
        if p["name"] in names:
            yield (*at, "name"), "another provider has this name: accounts belong to a name, so give each its own"
        names.add(p["name"])
        for key in ("issuer", "sso_url"):
            if p["kind"] != "ldap" and key in p and (key == "sso_url" or p["kind"] == "oidc") and not private(p[key]):
                yield (*at, key), plain
        if p["kind"] == "oidc":
            if p["issuer"] in issuers:
                yield (*at, "issuer"), "another provider has this issuer: a token must say whose it is"
            issuers.add(p["issuer"])
            if p.get("api_tokens", {}).get("audience") == p["client_id"]:
                yield (*at, "api_tokens", "audience"), "is the client_id: an ID token would pass for an access token. Give the API its own"
        for key in ("client_secret", "bind_password"):
            if key in p and (wrong := _secret(p[key], folder).fault()):
                yield (*at, key), wrong
        if "ca_file" in p and (wrong := _certificates_fault(folder / p["ca_file"])):
            yield (*at, "ca_file"), wrong
        for n, name in enumerate(p.get("certificate_files", ())):
            if wrong := _certificates_fault(folder / name):
                yield (*at, "certificate_files", n), wrong
        if p["kind"] == "ldap":
            yield from _ldap_faults(p, at)


def _ldap_faults(p: dict[str, Any], at: Where) -> Iterator[tuple[Where, str]]:
    if p.get("start_tls") and p["url"].startswith("ldaps:"):
        yield (*at, "start_tls"), "is for ldap://: ldaps:// is encrypted from the first byte. Leave one away"
    if not private(p["url"]) and not p.get("start_tls"):
        yield (*at, "url"), "would send passwords in the clear: give ldaps://, or start_tls: true"
    if ("bind_dn" in p) != ("bind_password" in p):
        yield at, "bind_dn and bind_password belong together: give both, or neither to search anonymously"
    if "group_search" in p and "groups" in p.get("attributes", {}):
        yield (*at, "group_search"), "groups come from an attribute or from a search: leave one away"
    for key in ("bind_dn", "search_base"):
        try:
            parse_dn(p.get(key, "dc=example"))
        except LDAPException as e:
            yield (*at, key), f"is no distinguished name: {e}"


def _certificates_fault(path: Path) -> str | None:
    try:
        _certificates(path)
    except (OSError, ValueError) as e:
        return f"holds no certificate that can be read (PEM): {e}"
    return None


def _certificates(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


def _secret(raw: dict[str, str], folder: Path) -> Secret:
    return Secret(folder / raw["file"]) if "file" in raw else Secret(variable=raw["env"])


def _provider(raw: dict[str, Any], folder: Path, public_url: str) -> Provider:
    name, title = raw["name"], raw.get("title", raw["name"])
    discoms = frozenset(raw["discoms"]) if "discoms" in raw else None
    ca_file = folder / raw["ca_file"] if "ca_file" in raw else None
    if raw["kind"] == "saml":
        a = raw.get("attributes", {})
        return Saml(
            name,
            title,
            discoms,
            issuer=raw["issuer"],
            sso_url=raw["sso_url"],
            certificates=tuple(c for f in raw["certificate_files"] for c in _certificates(folder / f)),
            entity_id=raw.get("entity_id", f"{public_url}{PREFIX}/saml/{name}/metadata"),
            subject=a.get("subject"),
            login=a.get("login"),
            full_name=a.get("name"),
            email=a.get("email"),
            groups=a.get("groups"),
            clock_skew_s=raw.get("clock_skew_s", 60),
        )
    if raw["kind"] == "ldap":
        a, s = raw.get("attributes", {}), raw.get("group_search")
        return Ldap(
            name,
            title,
            discoms,
            url=raw["url"],
            start_tls=raw.get("start_tls", False),
            ca_file=ca_file,
            bind_dn=raw.get("bind_dn"),
            bind_password=_secret(raw["bind_password"], folder) if "bind_password" in raw else None,
            search_base=raw["search_base"],
            user_filter=raw.get("user_filter", "(uid={login})"),
            subject=a.get("subject", "entryUUID"),
            login=a.get("login", "uid"),
            full_name=a.get("name", "cn"),
            email=a.get("email", "mail"),
            groups=None if s else a.get("groups", "memberOf"),
            group_search=GroupSearch(s["base"], s["filter"], s.get("name", "cn")) if s else None,
            timeout_s=raw.get("timeout_s", 5),
        )
    c, api = raw.get("claims", {}), raw.get("api_tokens")
    return Oidc(
        name,
        title,
        discoms,
        issuer=raw["issuer"],
        client_id=raw["client_id"],
        client_secret=_secret(raw["client_secret"], folder) if "client_secret" in raw else None,
        client_auth=raw.get("client_auth", "basic"),
        scopes=tuple(raw.get("scopes", ("openid", "profile", "email"))),
        algorithms=tuple(raw.get("algorithms", ALGORITHMS)),
        login=_claim(c.get("login", "preferred_username")),
        full_name=_claim(c.get("name", "name")),
        email=_claim(c.get("email", "email")),
        groups=_claim(c.get("groups", "groups")),
        userinfo=raw.get("userinfo", True),
        api=ApiTokens(api["audience"], frozenset(api["clients"]) if "clients" in api else None) if api else None,
        timeout_s=float(raw.get("timeout_s", 5)),
        ca_file=ca_file,
    )


def _claim(raw: str | list[str]) -> Claim:
    return (raw,) if isinstance(raw, str) else tuple(raw)
