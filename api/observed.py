"""What is noted of every request, whatever its route: an id, a line in the log, figures, a span. None names a person or a meter."""

from __future__ import annotations

import logging
import re
import time
from contextlib import nullcontext
from math import ceil
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import CURRENT_REQUEST, Problem
from api.metrics import Metrics
from api.tracing import Tracing

logger = logging.getLogger("api.access")

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
NO_ROUTE = "(none)"
GONE = 499
"""Status in the log of a request whose caller did not wait for the answer."""


class Observed:
    """ASGI middleware, the outermost. An error that nobody foresaw is answered here, with the request's id and no word of the inside."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing) -> None:
        self.app, self.metrics, self.tracing = app, metrics, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        began, status = time.perf_counter(), 0
        headers = Headers(scope=scope)
        given = headers.get(HEADER, "")
        request_id = given if _GIVEN.fullmatch(given) else uuid4().hex
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        current = CURRENT_REQUEST.set(request_id)

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out[HEADER] = request_id
                if rate := state.get("rate"):
                    out["RateLimit-Limit"] = str(rate.per_min)
                    out["RateLimit-Remaining"] = str(int(rate.left))
                    out["RateLimit-Reset"] = str(ceil(rate.full_in_s))
            await send(message)

        with self.tracing.span(scope["method"], headers) if self.tracing.on else nullcontext() as span:
            try:
                await self.app(scope, receive, answered)
            except Exception as e:
                logging.getLogger("api").error("an error that nobody foresaw", exc_info=e)
                if status:
                    raise  # a part of the answer is out: only the connection can tell that the rest does not come
                detail = f"this is a fault of the server: name the request id {request_id} to whoever runs it"
                await Problem(500, "INTERNAL", "Something went wrong here", detail).response()(scope, receive, answered)
            finally:
                took, route = time.perf_counter() - began, template(scope)
                discom_id = state.get("discom_id")
                self.metrics.observe(scope["method"], route, status or GONE, took)
                if span is not None:
                    self.tracing.end(span, scope["method"], route, status or GONE, discom_id)
                line = {
                    "method": scope["method"],
                    "route": route,
                    "status": status or GONE,
                    "ms": round(took * 1000, 2),
                    "discom_id": discom_id,
                }
                logger.info("request", extra={"fields": line})
                CURRENT_REQUEST.reset(current)


def template(scope: Scope) -> str:
    """The path as the route writes it, so that no id of a meter stands in it."""
    return getattr(scope.get("route"), "path", None) or NO_ROUTE
