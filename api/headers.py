"""Headers that every answer has, whatever the route: nothing is sniffed, framed, cached by others or run."""

from __future__ import annotations

import os
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": CONTENT,
    "Cache-Control": "private, no-cache",
}
A_YEAR_S = 31_536_000


class SafeHeaders:
    """ASGI middleware. What a route says itself of these stands."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers.add_vary_header("Authorization")
                headers.add_vary_header("X-API-Key")
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", f"max-age={A_YEAR_S}")
            await send(message)

        return await self.app(scope, receive, safe)


def cors_origins() -> list[str]:
    """METERHOUSE_CORS_ORIGINS, with commas between; none by default. Raises ValueError for `*` and for what is no origin."""
    origins = [o.strip() for o in os.environ.get("METERHOUSE_CORS_ORIGINS", "").split(",") if o.strip()]
    for origin in origins:
        scheme, _, host = origin.partition("://")
        if scheme not in ("https", "http") or not host or "/" in host or "*" in host:
            raise ValueError(f"METERHOUSE_CORS_ORIGINS: {origin!r} is no origin: write https://portal.example.org")
    return origins


def cors(origins: list[str]) -> dict[str, Any]:
    """Arguments of CORSMiddleware. Cookies are not used, so none are let through."""
    return {
        "allow_origins": origins,
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": ["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID"],
        "expose_headers": [
            *("ETag", "Location", "Retry-After", "X-Request-ID", "Idempotency-Replayed"),
            *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
        ],
        "max_age": 600,
    }


__all__ = ["CORSMiddleware", "SafeHeaders", "cors", "cors_origins"]
