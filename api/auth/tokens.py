"""Access tokens of our own: short-lived, signed, and of no more than a session's name. What the session may do is looked up.

A JWT (RFC 7519, RFC 9068) signed with Ed25519. The key stands in the file of METERHOUSE_TOKEN_KEY_FILE, by default one below
METERHOUSE_HOME that the first process makes; several processes or machines share it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from warehouse import settings

ISSUER = "meterhouse"
AUDIENCE = "meterhouse-api"
ALGORITHM = "EdDSA"
LIFETIME_S = 600


class TokenError(ValueError):
    """The token is none of ours, has ended, or was changed; the message says which."""


@dataclass(frozen=True)
class AccessToken:
    session_id: UUID
    subject: str


def issue(session_id: UUID, subject: str, lifetime_s: int = LIFETIME_S) -> str:
    """An access token for a session, as text."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "sid": str(session_id),
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_s,
    }
    return jwt.encode(claims, _signing_key(), ALGORITHM, headers={"typ": "at+jwt"})


def verify(token: str) -> AccessToken:
    """What it says. Raises TokenError."""
    try:
        claims = jwt.decode(
            token,
            _signing_key().public_key(),
            [ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "aud", "iss", "sub", "sid"]},
        )
        return AccessToken(UUID(str(claims["sid"])), str(claims["sub"]))
    except (jwt.PyJWTError, ValueError) as e:
        raise TokenError(f"the access token is not accepted: {e}") from None


def seal(purpose: str, claims: dict[str, str | int], expires_at: datetime) -> str:
    """A text that says `claims` for one purpose until a time, signed as access tokens are and of no use as one."""
    body = {"iss": ISSUER, "aud": f"meterhouse-{purpose}", "exp": int(expires_at.timestamp()), **claims}
    return jwt.encode(body, _signing_key(), ALGORITHM, headers={"typ": f"{purpose}+jwt"})


def unseal(purpose: str, text: str) -> dict[str, Any]:
    """What a sealed text says. Raises TokenError."""
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            _signing_key().public_key(),
            [ALGORITHM],
            audience=f"meterhouse-{purpose}",
            issuer=ISSUER,
            options={"require": ["exp", "aud", "iss"]},
        )
        return claims
    except (jwt.PyJWTError, ValueError) as e:
        raise TokenError(str(e)) from None


def key_file() -> Path:
    return Path(os.environ.get("METERHOUSE_TOKEN_KEY_FILE") or settings.home() / "secrets" / "token_key.pem")


def _signing_key() -> Ed25519PrivateKey:
    return _read_key(key_file())


@cache
def _read_key(file: Path) -> Ed25519PrivateKey:
    if not file.exists():
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
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file} holds no Ed25519 key: make one with `openssl genpkey -algorithm ed25519`")
    return key
