"""How large and how odd a request may be: seen before anybody parses it or asks who calls."""

from __future__ import annotations

import os
from typing import Any

from fastapi import Request
from fastapi.params import Form
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, too_deep

LONGEST_URL = 8 << 10
LARGEST_HEADERS = 32 << 10
DEEPEST = 64
"""Levels of a JSON body."""
JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def max_body_bytes() -> int:
    """METERHOUSE_API_MAX_BODY_BYTES, 16 MiB by default."""
    return int(os.environ.get("METERHOUSE_API_MAX_BODY_BYTES", 16 << 20))


def too_large(limit: int, when: str) -> Problem:
    """The answer to a body that is larger."""
    return Problem(413, "TOO_LARGE", "The body is too large", f"more than {limit} bytes {when}: send it in parts; nothing was stored")


class BodyLimit:
    """ASGI middleware: 413 for a body that says that it is too large, and for one that turns out to be; 414 and 431 for the head."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if refusal := _head(scope):
            return await refusal.response()(scope, receive, send)
        limit, taken, refused, begun = max_body_bytes(), 0, False, False
        stated = next((v for k, v in scope["headers"] if k == b"content-length"), b"")
        if stated.isdigit() and int(stated) > limit:
            return await too_large(limit, "as sent").response()(scope, receive, send)

        async def counted() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                refused = True
                return {"type": "http.disconnect"}  # the application reads no further, and whatever it answers is not sent
            return message

        async def unless_refused(message: Message) -> None:
            nonlocal begun
            if not refused or begun:
                begun = True
                await send(message)

        try:
            await self.app(scope, counted, unless_refused)
        except Exception:
            if not refused:
                raise
        if refused and not begun:
            await too_large(limit, "as sent").response()(scope, receive, send)
        return None


def _head(scope: Scope) -> Problem | None:
    if len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"]) > LONGEST_URL:
        return Problem(414, "URL_TOO_LONG", "The address is too long", f"more than {LONGEST_URL} bytes: ask for less at a time")
    if sum(len(k) + len(v) for k, v in scope["headers"]) > LARGEST_HEADERS:
        return Problem(431, "HEADERS_TOO_LARGE", "The headers are too large", f"more than {LARGEST_HEADERS} bytes: send fewer")
    return None


async def well_formed(request: Request) -> None:
    """A dependency of every route, before its own: the body is of a kind that the route reads, and no deeper than anything is.

    Raises Problem: 400 too deep, 415 another media type. A route that reads its body itself judges that itself.
    """
    field = getattr(request.scope.get("route"), "body_field", None)
    if field is None:
        return
    wanted = FORMS if isinstance(field.field_info, Form) else (getattr(field.field_info, "media_type", JSON),)
    sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
    json = sent.startswith("application/") and (sent == JSON or sent.endswith("+json"))
    if wanted == FORMS:
        if sent not in FORMS and request.headers.get("content-length", "0") != "0":
            raise _wrong_type(sent, wanted)
    elif await request.body():
        if wanted == (JSON,) and not json:
            raise _wrong_type(sent, wanted)
        if json and _deep(await request.json()):
            raise too_deep()


def _wrong_type(sent: str, wanted: tuple[str, ...]) -> Problem:
    detail = f"Content-Type {sent[:100]!r} is not read here: send {' or '.join(wanted)}"
    return Problem(415, "UNKNOWN_MEDIA_TYPE", "Unsupported media type", detail)


def _deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        below = (v for x in level for v in (x.values() if isinstance(x, dict) else x if isinstance(x, list) else ()))
        level = [v for v in below if isinstance(v, dict | list)]
        if not level:
            return False
    return True
