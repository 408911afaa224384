"""The dependency of every route that is not open to all: who calls, whether it may, and of what it sees the rows."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Callable, Coroutine
from math import ceil
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.auth import keys, tokens
from api.auth.audit import AccessLog, Decision
from api.auth.caller import Caller, Identity, Scope
from api.auth.federated import Federation
from api.auth.keys import HEADER
from api.auth.limits import Limits
from api.auth.permissions import Permission
from api.auth.repository import identity_of_session
from api.database import Database
from api.errors import Problem
from api.idempotency import begin

REMEMBERED_S = 5.0
"""How long a process takes a caller for what it was: what was revoked ends after it at the latest."""
MOST_REMEMBERED = 10_000
OF_ONESELF = "auth:self"
"""How the audit log names what needs no permission."""

_header = APIKeyHeader(name=HEADER, scheme_name="API key", auto_error=False, description="mh_<key id>_<secret>")
_bearer = HTTPBearer(scheme_name="Access token", auto_error=False, bearerFormat="JWT", description="from POST /api/v1/auth/token")


def database(request: Request) -> Database:
    """The application's pools."""
    pools: Database = request.app.state.database
    return pools


class Known:
    """Callers that were looked up a moment ago, by a hash of what they showed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: dict[bytes, tuple[float, Identity]] = {}

    def get(self, shown: bytes) -> Identity | None:
        until, identity = self._entries.get(shown, (0.0, None))
        return identity if self._clock() < until else None

    def put(self, shown: bytes, identity: Identity) -> None:
        if len(self._entries) >= MOST_REMEMBERED:
            self._entries.clear()
        self._entries[shown] = self._clock() + REMEMBERED_S, identity

    def forget(self) -> None:
        """Look everybody up anew."""
        self._entries.clear()


def require(permission: Permission | None, *, whole: bool = False) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """A dependency that lets a request in where its caller holds the permission; with `whole`, in all of the DISCOM.

    Without a permission: whoever is known, about themselves. Such a caller sees no rows of the DISCOM.

    Raises Problem: 401 not known, 403 not allowed or not from there, 409 an Idempotency-Key in use, 429 too often.
    """

    async def caller(
        request: Request,
        pools: Annotated[Database, Depends(database)],
        key: Annotated[str | None, Security(_header)] = None,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    ) -> Caller:
        identity: Identity | None = None
        try:
            identity = await _known(request, pools, key, bearer.credentials if bearer else None)
            allowed = await _allowed(request, identity, permission, whole)
        except Problem as e:
            if e.status != 429:
                _note(request, identity, permission, "refused")
            raise
        _note(request, identity, permission, "allowed")
        await begin(request, pools, allowed)
        return allowed

    return caller


async def _known(request: Request, pools: Database, key: str | None, token: str | None) -> Identity:
    shown = hashlib.sha256(f"{'key' if key else 'token'}:{key or token or ''}".encode()).digest()
    remembered: Known = request.app.state.known
    if identity := remembered.get(shown):
        return identity
    if key:
        identity = await run_in_threadpool(keys.holder, pools, key)
        if identity is None:
            detail = f"send a valid key in the header {HEADER}"
            raise Problem(401, "UNKNOWN_KEY", "Who calls is not known", detail, headers={"WWW-Authenticate": "ApiKey"})
    elif token:
        identity = await run_in_threadpool(_holder_of_token, request.app.state.federation, pools, token)
    else:
        detail = f"send a key in the header {HEADER}, or an access token in the header Authorization"
        raise Problem(401, "NO_CREDENTIALS", "Who calls is not known", detail, headers={"WWW-Authenticate": "Bearer, ApiKey"})
    remembered.put(shown, identity)
    return identity


def _holder_of_token(federation: Federation, pools: Database, token: str) -> Identity:
    if (vouched_for := federation.holder_of_token(pools, token)) is not None:
        return vouched_for
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    try:
        access = tokens.verify(token)
    except tokens.TokenError as e:
        raise Problem(401, "INVALID_TOKEN", "Who calls is not known", str(e), headers=challenge) from None
    if access.key_id is not None:
        identity = keys.holder_of(pools, access.key_id, None)
    else:
        assert access.session_id is not None
        with pools.auth() as conn:
            identity = identity_of_session(conn, access.session_id)
    if identity is None:
        raise Problem(401, "SESSION_ENDED", "Who calls is not known", "this session has ended: log in again", headers=challenge)
    return identity


async def _allowed(request: Request, identity: Identity, permission: Permission | None, whole: bool) -> Caller:
    if identity.networks and not within(request, identity.networks):
        detail = "this key may not be used from your address: have it added to the key's networks"
        raise Problem(403, "WRONG_NETWORK", "Not allowed", detail)
    request.state.discom_id = identity.discom_id or None
    limits: Limits = request.app.state.limits
    request.state.rate = rate = await limits.taken(identity.subject, identity.requests_per_min)
    if rate.wait_s > 0:
        detail = f"you may send {identity.requests_per_min} requests a minute: wait {rate.wait_s:.1f} s"
        raise Problem(429, "TOO_OFTEN", "Too many requests", detail, headers={"Retry-After": str(ceil(rate.wait_s))})
    if permission is None:
        return Caller(identity, Scope((), ()))
    scope = identity.scope(permission)
    if scope is None:
        detail = f"this needs the permission {permission}: ask the administrator of your DISCOM for a role that has it"
        raise Problem(403, "NOT_PERMITTED", "Not allowed", detail)
    if whole and not scope.whole:
        detail = f"this needs the permission {permission} for the whole DISCOM, and you hold it for a part of it"
        raise Problem(403, "NOT_PERMITTED_HERE", "Not allowed", detail)
    return Caller(identity, scope)


def within(request: Request, networks: tuple[str, ...]) -> bool:
    """Whether a request comes from one of the networks."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(n) for n in networks)


def _note(request: Request, identity: Identity | None, permission: Permission | None, outcome: Any) -> None:
    log: AccessLog = request.app.state.access_log
    log.note(
        Decision(
            identity.discom_id or None if identity else None,
            f"{identity.name} ({identity.subject})" if identity else None,
            permission or OF_ONESELF,
            outcome,
            request.method,
            request.url.path[:500],
            getattr(request.state, "request_id", None),
            request.client.host if request.client else None,
        )
    )
