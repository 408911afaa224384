"""What is claimed, kept and said again."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import psycopg_pool
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.database import Database
from api.errors import Problem
from api.idempotency import repository
from warehouse.embedded import EmbeddedError

if TYPE_CHECKING:  # api.auth calls this package
    from api.auth.caller import Caller

logger = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
KEEPS = timedelta(hours=24)
LARGEST = 1 << 20
"""Bytes of an answer that is kept."""
TAKES = timedelta(minutes=5)
"""A request that has no answer after it is taken for lost: its process ended in the middle."""
_KEY = re.compile(r"[\x21-\x7e]{8,200}")
_SAID_AGAIN = ("content-type", "location", "etag", "link")


@dataclass
class Held:
    """A request with a key. `claimed_by`: who it turned out to be of."""

    key: str
    request_sha256: bytes
    pools: Database | None = None
    claimed_by: Caller | None = None


class Replay(Exception):
    """The answer is there already."""

    def __init__(self, response: Response) -> None:
        self.response = response


def on_replay(_: Request, e: Exception) -> Response:
    """Handler of Replay."""
    assert isinstance(e, Replay)
    return e.response


async def begin(request: Request, pools: Database, caller: Caller) -> None:
    """Claim the request's key for the caller, once a request. Raises Replay; Problem: 409 used for something else or
    not done yet, 422 no key."""
    held: Held | None = getattr(request.state, "idempotency", None)
    if held is None or held.claimed_by is not None or _does_it_itself(request):
        return
    if not _KEY.fullmatch(held.key):
        raise Problem(422, "INVALID_KEY", "The request is not valid", f"{HEADER} is 8 to 200 visible characters of ASCII, such as a UUID")
    earlier = await run_in_threadpool(_claim, pools, caller, held)
    if earlier is None:
        held.pools, held.claimed_by = pools, caller
        return
    if earlier.request_sha256 != held.request_sha256:
        detail = f"this {HEADER} came with another request: give each request its own"
        raise Problem(409, "KEY_REUSED", "The key was used before", detail)
    if earlier.status is None and earlier.age < TAKES:
        detail = "the request with this key is being worked on: send it again in a moment, and it is answered as that one is"
        raise Problem(409, "IN_PROGRESS", "Not done yet", detail, headers={"Retry-After": "1"})
    if earlier.status is None or earlier.status >= 500:
        detail = f"the request with this key began at {earlier.begun_at.isoformat(timespec='seconds')} and broke off"
        raise Problem(409, "OUTCOME_UNKNOWN", "Nobody knows how it ended", f"{detail}: see whether it was done, then send a new key")
    if earlier.body is None:
        detail = f"the request with this key was done and answered with {earlier.status}; answers that are secret or large are not kept"
        raise Problem(409, "ANSWER_NOT_KEPT", "Done before", detail)
    headers = {**(earlier.headers or {}), "Idempotency-Replayed": "true"}
    raise Replay(Response(earlier.body, earlier.status, headers))


def _does_it_itself(request: Request) -> bool:
    dependant = getattr(request.scope.get("route"), "dependant", None)
    return any(p.alias.lower() == HEADER.lower() for p in getattr(dependant, "header_params", ()))


class Idempotent:
    """ASGI middleware of POSTs that have the header. What was done (2xx) is kept; what was refused (4xx, 503) may come again."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" and scope["method"] == "POST" else None
        key = headers.get(HEADER) if headers is not None else None
        if headers is None or key is None:
            return await self.app(scope, receive, send)
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return await self.app(scope, _once(message, receive), send)  # the caller is gone, or the body is too large
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        asked = (scope["path"].encode(), scope["query_string"], headers.get("content-type", "").encode("latin-1"), bytes(body))
        held = Held(key, hashlib.sha256(b"\0".join(hashlib.sha256(x).digest() for x in asked)).digest())
        scope.setdefault("state", {})["idempotency"] = held
        answer = _Answer(held, send)
        try:
            await self.app(scope, _once({"type": "http.request", "body": bytes(body), "more_body": False}, receive), answer.take)
        except Exception:
            await answer.broke()
            raise


class _Answer:
    """Holds what goes out until it is kept, so that who has seen an answer gets it again."""

    def __init__(self, held: Held, send: Send) -> None:
        self._held, self._send = held, send
        self._start: Message | None = None
        self._body: bytearray | None = bytearray()

    async def take(self, message: Message) -> None:
        if self._held.claimed_by is None:
            return await self._send(message)
        if message["type"] == "http.response.start":
            self._start = message
            return None
        if self._start is None:
            return await self._send(message)
        start, more, begins = self._start, message.get("more_body", False), False
        if self._body is not None:
            self._body += message.get("body", b"")
            if more and len(self._body) <= LARGEST:
                return None
            message = {"type": "http.response.body", "body": bytes(self._body), "more_body": more}
            begins, kept = True, None if len(self._body) > LARGEST else bytes(self._body)
            self._body = None  # what is too large to hold goes out as it comes
        else:
            kept = None
        if not more:
            await self._finish(start, kept)
        if begins:
            await self._send(start)
        return await self._send(message)

    async def broke(self) -> None:
        """A fault that nobody foresaw, before what was done was committed or after it."""
        if self._held.claimed_by is not None:
            await self._write((500, {}), None)

    async def _finish(self, start: Message, body: bytes | None) -> None:
        if 200 <= start["status"] < 300:
            headers = Headers(raw=start["headers"])
            secret = "no-store" in headers.get("cache-control", "")
            await self._write((start["status"], {n: headers[n] for n in _SAID_AGAIN if n in headers}), None if secret else body)
        else:
            await self._write(None, None)

    async def _write(self, said: tuple[int, dict[str, str]] | None, body: bytes | None) -> None:
        try:
            await run_in_threadpool(_settle, self._held, said, body)
        except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed, EmbeddedError) as e:
            logger.warning("an answer could not be kept: %s", type(e).__qualname__)


def _claim(pools: Database, caller: Caller, held: Held) -> repository.Earlier | None:
    with pools.tenant(caller) as conn:
        repository.see(conn, caller.subject)
        return repository.claim(conn, caller.discom_id, caller.subject, held.key, held.request_sha256, KEEPS)


def _settle(held: Held, said: tuple[int, dict[str, str]] | None, body: bytes | None) -> None:
    caller = held.claimed_by
    assert caller is not None
    assert held.pools is not None
    with held.pools.tenant(caller) as conn:
        repository.see(conn, caller.subject)
        if said is None:
            repository.release(conn, caller.subject, held.key)
        else:
            repository.keep(conn, caller.subject, held.key, *said, body)


def _once(first: Message, receive: Receive) -> Receive:
    """What was received, given out again, and then what comes."""
    waiting = [first]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
