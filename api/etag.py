"""ETag of JSON answers, so that who asks again is told in a few bytes that nothing changed."""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 1 << 20
"""Bytes of an answer that is held to be hashed; larger ones and streams go out as they come."""
KEPT = {b"etag", b"cache-control", b"vary", b"date", b"content-location", b"expires"}


class ETags:
    """ASGI middleware: a weak ETag for a GET's JSON, 304 where the caller has it. An ETag that the route set itself is left as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        held: Message | None = None

        async def tagged(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                if _taggable(message):
                    held = message
                    return
            elif held is not None:
                start, held = held, None
                headers = MutableHeaders(scope=start)
                tag = headers.get("etag")
                if tag is None and not message.get("more_body"):
                    tag = f'W/"{hashlib.sha256(message.get("body", b"")).hexdigest()[:24]}"'
                    headers["ETag"] = tag
                if tag and _has(Headers(scope=scope).get("if-none-match", ""), tag):
                    start["status"] = 304
                    start["headers"] = [(k, v) for k, v in start["headers"] if k.lower() in KEPT]
                    message = {"type": "http.response.body", "body": b"", "more_body": False}
                await send(start)
            await send(message)

        return await self.app(scope, receive, tagged)


def _taggable(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    length = headers.get("content-length", "")
    if start["status"] != 200 or "no-store" in headers.get("cache-control", ""):
        return False
    return headers.get("content-type", "").startswith("application/json") and length.isdigit() and int(length) <= LARGEST


def _has(asked: str, tag: str) -> bool:
    """RFC 9110: compared weakly."""
    tags = {t.strip().removeprefix("W/") for t in asked.split(",")}
    return asked.strip() == "*" or tag.removeprefix("W/") in tags
