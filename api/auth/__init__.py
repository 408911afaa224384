"""Who calls: API keys of head-end systems, operators and billing systems, the networks they may call from, and how often.

A key reads `mh_<key id>_<secret>`; the warehouse keeps a hash of the secret. People's log-in is not here.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from api.auth.repository import find_key
from api.database import Database
from api.errors import Problem

HEADER = "X-API-Key"

Purpose = Literal["hes", "operator", "billing"]


@dataclass(frozen=True)
class Caller:
    """The holder of a key. `hes_id`, `hes` and `vendor` are those of a head-end system, None for others."""

    discom_id: int
    discom: str
    key_id: str
    name: str
    hes_id: int | None = None
    hes: str | None = None
    vendor: str | None = None


def new_key() -> tuple[str, str, bytes]:
    """(the key to hand over, its id, the hash of its secret to keep)."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"mh_{key_id}_{secret}", key_id, _hash(secret)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


_header = APIKeyHeader(name=HEADER, auto_error=False, description="mh_<key id>_<secret>")


def database(request: Request) -> Database:
    """The application's pools."""
    pools: Database = request.app.state.database
    return pools


def require_key(purpose: Purpose) -> Callable[..., Caller]:
    """A dependency that lets a request in by its key. Raises Problem: 401 no such key, 403 not for this or from there, 429 too often."""

    def caller(
        request: Request, pools: Annotated[Database, Depends(database)], key: Annotated[str | None, Security(_header)] = None
    ) -> Caller:
        parts = (key or "").split("_", 2)
        known = None
        if len(parts) == 3 and parts[0] == "mh" and parts[1].isalnum() and parts[1].isascii() and len(parts[1]) <= 64:
            with pools.anonymous() as conn:
                known = find_key(conn, parts[1])
        if known is None or not hmac.compare_digest(known.secret_sha256, _hash(parts[2])):
            detail = f"send a valid key in the header {HEADER}"
            raise Problem(401, "UNKNOWN_KEY", "Who calls is not known", detail, headers={"WWW-Authenticate": "ApiKey"})
        if known.purpose != purpose:
            raise Problem(403, "WRONG_KEY", "Not allowed", f"this is not a key of {_A[purpose]}: use the right one")
        if known.networks and not _within(request, known.networks):
            detail = "this key may not be used from your address: have it added to the key's networks"
            raise Problem(403, "WRONG_NETWORK", "Not allowed", detail)
        wait = request.app.state.limits.take(parts[1], known.requests_per_min)
        if wait > 0:
            detail = f"this key may send {known.requests_per_min} requests a minute: wait {wait:.1f} s"
            raise Problem(429, "TOO_OFTEN", "Too many requests", detail, headers={"Retry-After": str(int(wait) + 1)})
        return Caller(known.discom_id, known.discom, parts[1], known.name, known.hes_id, known.hes, known.vendor)

    return caller


_A: dict[Purpose, str] = {"hes": "a head-end system", "operator": "an operator", "billing": "a billing system"}


def _within(request: Request, networks: list[str]) -> bool:
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(n) for n in networks)


class Limits:
    """A bucket of requests a key, that fills evenly and holds a minute's worth. Of this process: several processes allow as much each."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str, per_min: int) -> float:
        """0 where a request may pass, else how many seconds it must wait. Only keys that exist come here, so the buckets are few."""
        now = self._clock()
        with self._lock:
            level, at = self._buckets.get(key_id, (float(per_min), now))
            level = min(float(per_min), level + (now - at) * per_min / 60)
            if level < 1:
                self._buckets[key_id] = level, now
                return (1 - level) * 60 / per_min
            self._buckets[key_id] = level - 1, now
            return 0.0
