"""What a log-in must remember between two requests, sealed into the hands of the browser: it can neither be read there nor changed."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from api.auth import tokens

BEGUN_S = 600
"""How long somebody may take to log in at the provider."""
DONE_S = 60
"""How long a front end may take to ask for the tokens."""


class SealError(ValueError):
    """None of ours, changed, of another purpose, or too old."""


@dataclass(frozen=True)
class Begun:
    """A log-in that went out to a provider."""

    provider: str
    state: str
    discom: str | None
    nonce: str = ""
    verifier: str = ""
    """OIDC: of PKCE."""
    request_id: str = ""
    """SAML: of the AuthnRequest."""
    return_to: str | None = None
    challenge: str | None = None
    """The front end's own, S256."""


@dataclass(frozen=True)
class Done:
    """A log-in that a provider confirmed, and of which a front end may have the tokens, once."""

    provider: str
    account_id: int
    discom: str | None
    challenge: str
    once: str


def seal(what: Begun | Done) -> str:
    return _box(type(what)).encrypt(json.dumps(asdict(what)).encode()).decode()


def open_begun(sealed: str) -> Begun:
    """Raises SealError."""
    return Begun(**_open(Begun, sealed, BEGUN_S))


def open_done(sealed: str) -> Done:
    """Raises SealError."""
    return Done(**_open(Done, sealed, DONE_S))


def _open(kind: type, sealed: str, lifetime_s: int) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(_box(kind).decrypt(sealed.encode(), ttl=lifetime_s))
    except (InvalidToken, UnicodeEncodeError):
        raise SealError("it is none of ours, was changed, or is too old") from None
    return content


def _box(kind: type) -> MultiFernet:
    """Sealed with the first key of the API, opened with any: one of its own for each purpose, so that nothing opens for another."""
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in tokens.derived_keys(f"log-in {kind.__name__}")])
