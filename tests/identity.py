"""Real identity providers for the tests, each a process of its own on loopback that its context manager stops: nanoidp, slapd.

And one that is not: a provider that says whatever a test wants it to, for what no honest provider says.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.brokers import Authority, free_port, stop, wait_for_port

USERS = {
    "asha": {"password": "asha-secret", "email": "asha@example.org", "groups": ["vee-operators"]},
    "ravi": {"password": "ravi-secret", "email": "ravi@example.org", "groups": ["vee-operators", "both"]},
    "nobody": {"password": "nobody-secret", "email": "nobody@example.org", "groups": ["canteen"]},
    "local": {"password": "local-secret", "email": "local@example.org", "groups": ["vee-operators"]},
}
API_AUDIENCE = "https://api.example.org"


@dataclass
class NanoIdp:
    """A nanoidp that runs: OpenID Connect and SAML."""

    url: str
    folder: Path

    @property
    def private_key(self) -> bytes:
        """PEM of the key that it signs with, for tokens that it would never give."""
        return (self.folder / "keys" / "rsa_private.pem").read_bytes()

    @property
    def kid(self) -> str:
        return (self.folder / "keys" / "kid.txt").read_text().strip()

    def certificate(self) -> bytes:
        return httpx.get(f"{self.url}/saml/cert.pem").content

    def log_in(self, url: str, login: str) -> httpx.Response:
        """A browser that comes to `url` and logs in: the provider's answer, which leads back to us."""
        with httpx.Client() as browser:
            page = browser.get(url)
            assert page.status_code == 200, f"the provider shows no log-in page: {page.status_code} {page.text[:300]}"
            fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page.text))
            return browser.post(url, data={**fields, "username": login, "password": USERS[login]["password"]})


@contextmanager
def nanoidp(folder: Path, redirect_uris: list[str]) -> Iterator[NanoIdp]:
    folder.mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    run = [sys.executable, "-m", "nanoidp"]
    subprocess.run([*run, "init"], cwd=folder, check=True, capture_output=True, timeout=60)
    settings = {
        "config_version": 1,
        "server": {"host": "127.0.0.1", "port": port},
        "oauth": {
            "issuer": url,
            "audience": API_AUDIENCE,
            "clients": [
                {"client_id": "meterhouse", "client_secret": "client-secret", "redirect_uris": redirect_uris},
                {"client_id": "nightly-job", "client_secret": "job-secret"},
            ],
        },
        "saml": {"export_groups": True, "groups_attr_name": "groups"},
    }
    (folder / "config" / "settings.yaml").write_text(yaml.safe_dump(settings))
    (folder / "config" / "users.yaml").write_text(yaml.safe_dump({"config_version": 1, "users": USERS}))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*run, "--config", str(folder / "config"), "--port", str(port)], cwd=folder, stdout=log, stderr=log)
        try:
            wait_for_port(port, process)
            yield NanoIdp(url, folder)
        finally:
            stop(process)


@dataclass
class Rogue:
    """A provider whose every answer a test may change. `claims` are those of its next ID token, signed as `signed` says."""

    url: str
    key: Any = field(default_factory=cache(lambda: rsa.generate_private_key(65537, 2048)))
    claims: dict[str, Any] = field(default_factory=dict)
    nonce: str = ""
    algorithm: str = "RS256"
    signed_with: Any = None
    """In place of its own key."""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """By path, in place of what it would say."""
    silent: threading.Event = field(default_factory=threading.Event)
    """While it is set, requests get no answer."""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks", "userinfo_endpoint": "userinfo"}
            return 200, {"issuer": self.url, **{k: f"{self.url}/{v}" for k, v in names.items()}}
        if path == "/jwks":
            return 200, {"keys": [self.jwk()]}
        if path == "/token":
            return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token()}
        if path == "/userinfo":
            return 200, {"sub": "s-1", "groups": ["vee-operators"]}
        return 404, {}

    def jwk(self) -> dict[str, Any]:
        return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())), "kid": "k1", "use": "sig"}

    def id_token(self, **changed: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": "meterhouse", "sub": "s-1", "iat": now, "exp": now + 300, "nonce": self.nonce,
                  "preferred_username": "mira", "name": "Mira"} | self.claims | changed  # fmt: skip
        return jwt.encode(
            {k: v for k, v in claims.items() if v is not None},
            self.key if self.signed_with is None else self.signed_with,
            self.algorithm,
            headers={"kid": "k1"},
        )


@contextmanager
def rogue() -> Iterator[Rogue]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply({})

        def do_POST(self) -> None:
            self.reply(dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode())))

        def reply(self, form: dict[str, str]) -> None:
            path = self.path.split("?")[0]
            status, answer = it.answer(path, form)
            ended.wait(60 if it.silent.is_set() else 0)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # who asked has gone

        def log_message(self, *_: Any) -> None:
            pass

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it = Rogue(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield it
    finally:
        ended.set()
        server.shutdown()
        server.server_close()


SLAPD = shutil.which("slapd") or "/usr/sbin/slapd"


@dataclass
class Directory:
    """A slapd that runs. `ldaps` is of the name in its certificate."""

    ldap: str
    ldaps: str
    ca_file: Path


@contextmanager
def slapd(folder: Path) -> Iterator[Directory]:
    """With the people and groups of USERS below dc=example,dc=org; skips where there is no slapd."""
    if not Path(SLAPD).exists():
        pytest.skip("slapd is not installed: apt-get install slapd ldap-utils")
    folder.mkdir()
    (folder / "db").mkdir()
    authority = Authority(folder)
    ldap, ldaps = free_port(), free_port()
    certificate, key = authority.issue("localhost")
    (folder / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
allow bind_anon_dn
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCACertificateFile {authority.ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
pidfile {folder}/pid
database mdb
maxsize 10485760
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw admin-secret
directory {folder}/db
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=example,dc=org" read by * none
""")
    below = "dc=example,dc=org"
    entries = [
        f"dn: {below}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example",
        f"dn: cn=reader,{below}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n"
        "userPassword: reader-secret",
        f"dn: ou=people,{below}\nobjectClass: organizationalUnit\nou: people",
        f"dn: ou=groups,{below}\nobjectClass: organizationalUnit\nou: groups",
    ]
    groups: dict[str, list[str]] = {}
    for uid, user in USERS.items():
        entries.append(
            f"dn: uid={uid},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid.title()} of LDAP\nsn: {uid}\n"
            f"mail: {user['email']}\nuserPassword: {user['password']}"
        )
        for group in user["groups"]:
            groups.setdefault(group, []).append(f"member: uid={uid},ou=people,dc=example,dc=org")
    entries += [f"dn: cn={g},ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: {g}\n" + "\n".join(m) for g, m in groups.items()]
    with (folder / "log").open("wb") as log:
        urls = f"ldap://127.0.0.1:{ldap}/ ldaps://127.0.0.1:{ldaps}/"
        process = subprocess.Popen([SLAPD, "-h", urls, "-f", str(folder / "slapd.conf"), "-d", "0"], stdout=log, stderr=log)
        try:
            wait_for_port(ldap, process)
            wait_for_port(ldaps, process)
            add = ["ldapadd", "-x", "-H", f"ldap://127.0.0.1:{ldap}", "-D", "cn=admin,dc=example,dc=org", "-w", "admin-secret"]
            subprocess.run(add, input="\n\n".join(entries).encode(), check=True, capture_output=True, timeout=30)
            yield Directory(f"ldap://localhost:{ldap}", f"ldaps://localhost:{ldaps}", authority.ca)
        finally:
            stop(process)
