"""How large a body may be as it is sent: counted while it comes in, before anybody parses it or asks who calls."""

from __future__ import annotations

import os

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem


def max_body_bytes() -> int:
    """METERHOUSE_API_MAX_BODY_BYTES, 16 MiB by default."""
    return int(os.environ.get("METERHOUSE_API_MAX_BODY_BYTES", 16 << 20))


def too_large(limit: int, when: str) -> Problem:
    """The answer to a body that is larger."""
    return Problem(413, "TOO_LARGE", "The body is too large", f"more than {limit} bytes {when}: send it in parts; nothing was stored")


class BodyLimit:
    """ASGI middleware: answers 413 for a body that says that it is too large, and for one that turns out to be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
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
