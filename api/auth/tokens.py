"""Access tokens of our own: short-lived, signed, and of no more than the name of a session or key. What that may do is looked up.

A JWT (RFC 7519, RFC 9068) signed with Ed25519. The key stands in the file of METERHOUSE_TOKEN_KEY_FILE, by default one below
METERHOUSE_HOME that the first process makes; several processes or machines share it. Where the file holds several keys, the first signs
and all are good, so that a key can be changed without anybody noticing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from warehouse import settings

ISSUER = "meterhouse"
AUDIENCE = "meterhouse-api"
ALGORITHM = "EdDSA"
TYPE = "at+jwt"
LIFETIME_S = 600

_PEM = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


class TokenError(ValueError):
    """The token is none of ours, has ended, or was changed; the message says which."""


@dataclass(frozen=True)
class AccessToken:
    """Of a session, or of an API key."""

    session_id: UUID | None
    key_id: str | None
    subject: str


def issue(session_id: UUID, subject: str, lifetime_s: int = LIFETIME_S) -> str:
    """An access token for a session, as text."""
    return _issue({"sub": subject, "sid": str(session_id)}, lifetime_s)


def issue_for_key(key_id: str, lifetime_s: int = LIFETIME_S) -> str:
    """An access token for the holder of an API key, as text: it is good as long as the key is, and its lifetime at most."""
    return _issue({"sub": key_id, "client_id": key_id, "key": key_id}, lifetime_s)


def verify(token: str) -> AccessToken:
    """What it says. Raises TokenError."""
    try:
        if jwt.get_unverified_header(token).get("typ") != TYPE:
            raise TokenError("it is no access token")
        claims = jwt.decode(
            token,
            _key_of(token).public_key(),
            [ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "aud", "iss", "sub"]},
        )
        if ("sid" in claims) == ("key" in claims):
            raise TokenError("it names no session")
        session_id = UUID(str(claims["sid"])) if "sid" in claims else None
        return AccessToken(session_id, None if session_id else str(claims["key"]), str(claims["sub"]))
    except (jwt.PyJWTError, ValueError) as e:
        raise TokenError(f"the access token is not accepted: {e}") from None


def key_set() -> dict[str, list[dict[str, str]]]:
    """The public keys that tokens may be signed with (JWKS, RFC 7517)."""
    return {"keys": [{**_public(k), "use": "sig", "alg": ALGORITHM, "kid": _key_id(k)} for k in signing_keys()]}


def _issue(what: dict[str, str], lifetime_s: int) -> str:
    now, key = int(time.time()), signing_keys()[0]
    claims = {"iss": ISSUER, "aud": AUDIENCE, **what, "jti": str(uuid4()), "iat": now, "nbf": now, "exp": now + lifetime_s}
    return jwt.encode(claims, key, ALGORITHM, headers={"typ": TYPE, "kid": _key_id(key)})


def _public(key: Ed25519PrivateKey) -> dict[str, str]:
    x = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"crv": "Ed25519", "kty": "OKP", "x": x}


def _key_id(key: Ed25519PrivateKey) -> str:
    """Its thumbprint (RFC 7638, RFC 8037)."""
    said = json.dumps(_public(key), sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(said).digest()).rstrip(b"=").decode()


def seal(purpose: str, claims: dict[str, str | int], expires_at: datetime) -> str:
    """A text that says `claims` for one purpose until a time, signed as access tokens are and of no use as one."""
    body = {"iss": ISSUER, "aud": f"meterhouse-{purpose}", "exp": int(expires_at.timestamp()), **claims}
    key = signing_keys()[0]
    return jwt.encode(body, key, ALGORITHM, headers={"typ": f"{purpose}+jwt", "kid": _key_id(key)})


def unseal(purpose: str, text: str) -> dict[str, Any]:
    """What a sealed text says. Raises TokenError."""
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            _key_of(text).public_key(),
            [ALGORITHM],
            audience=f"meterhouse-{purpose}",
            issuer=ISSUER,
            options={"require": ["exp", "aud", "iss"]},
        )
        return claims
    except (jwt.PyJWTError, ValueError) as e:
        raise TokenError(str(e)) from None


def _key_of(text: str) -> Ed25519PrivateKey:
    """By which a token says that it was signed. Raises TokenError, jwt.PyJWTError."""
    said = jwt.get_unverified_header(text).get("kid")
    for key in signing_keys():
        if _key_id(key) == said:
            return key
    raise TokenError("it was not made here, or with a key that was given up")


def key_file() -> Path:
    return Path(os.environ.get("METERHOUSE_TOKEN_KEY_FILE") or settings.home() / "secrets" / "token_key.pem")


def signing_keys() -> tuple[Ed25519PrivateKey, ...]:
    """The first signs. Read again where the file was changed. Raises ValueError where it holds another kind of key, or none."""
    file = key_file()
    try:
        stat = file.stat()
    except FileNotFoundError:
        _make(file)
        stat = file.stat()
    return _read_keys(file, stat.st_mtime_ns, stat.st_size)


def derived_keys(purpose: str) -> list[bytes]:
    """Of each signing key 32 bytes for another use, that say nothing of it or of those for another purpose. The first is of the first."""
    seeds = [
        k.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()) for k in signing_keys()
    ]
    return [HKDF(hashes.SHA256(), 32, salt=None, info=f"meterhouse {purpose}".encode()).derive(seed) for seed in seeds]


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    part = file.with_name(f"{file.name}.{uuid4().hex}")
    part.touch(mode=0o600)
    part.write_bytes(pem)
    try:
        os.link(part, file)  # whoever is first makes it
    except FileExistsError:
        pass
    finally:
        part.unlink()


@lru_cache(maxsize=4)
def _read_keys(file: Path, changed: int, size: int) -> tuple[Ed25519PrivateKey, ...]:
    keys = [serialization.load_pem_private_key(pem, None) for pem in _PEM.findall(file.read_bytes())]
    good = tuple(k for k in keys if isinstance(k, Ed25519PrivateKey))
    if not good or len(good) < len(keys):
        raise ValueError(f"{file} must hold Ed25519 keys: make one with `openssl genpkey -algorithm ed25519`")
    return good
