"""Errors as a client sees them: problem details (RFC 9457), with a stable `code` that a program can act on and a `detail` for people."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextvars import ContextVar

import psycopg
import psycopg_pool
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import methods
from ingestion.alerts.rules import AlertRuleError
from warehouse.embedded import EmbeddedError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
PAGES = "/problems"
"""Where the page of each code is."""

CURRENT_REQUEST: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request that is being answered."""


class ProblemDetails(BaseModel):
    """What the body of an error holds (RFC 9457)."""

    type: str = Field(description="of this code, the same for ever: the address of a page that says what it means")
    status: int
    code: str = Field(description="what a program acts on")
    title: str
    detail: str = Field(description="what is wrong and how to mend it, for people")
    instance: str | None = Field(default=None, description="id of the request, as in the header X-Request-ID")
    errors: list[dict[str, str]] = []


class Problem(Exception):
    """An answer other than success. `code` is stable, `detail` says what is wrong and how to mend it."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[dict[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.headers, self.errors = dict(headers or {}), list(errors)

    def response(self) -> JSONResponse:
        errors = [{name: _sendable(text) for name, text in e.items()} for e in self.errors]
        body = ProblemDetails(
            type=f"{PAGES}/{self.code}",
            status=self.status,
            code=self.code,
            title=self.title,
            detail=_sendable(self.detail),
            instance=CURRENT_REQUEST.get(),
            errors=errors,
        )
        return JSONResponse(body.model_dump(exclude_defaults=True), self.status, self.headers, MEDIA_TYPE)


def _sendable(text: str) -> str:
    """What quotes a request may hold half a character of it, which is no UTF-8."""
    return str(text).encode(errors="replace").decode()


def problems(*statuses: int) -> dict[int | str, dict[str, object]]:
    """`responses=` of a route that may answer with these statuses."""
    return {s: {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}} for s in statuses}


def too_deep() -> Problem:
    """The answer to JSON that nothing of ours is nested like."""
    return Problem(400, "TOO_DEEP", "The body is nested too deeply", "send it as /openapi.json describes it: nothing was stored")


def _not_allowed(allowed: set[str]) -> Response:
    allow = ", ".join(sorted(allowed))
    return Problem(405, "HTTP_405", "Method Not Allowed", f"this path takes {allow}", headers={"Allow": allow}).response()


def add_handlers(app: FastAPI) -> None:
    """Every error of `app` leaves as problem details; what a client did not cause says nothing of the inside."""

    @app.exception_handler(Problem)
    def on_problem(_: Request, e: Problem) -> Response:
        return e.response()

    @app.exception_handler(RequestValidationError)
    def on_invalid(request: Request, e: RequestValidationError) -> Response:
        named = methods.of_literal_path(request)
        if named and request.method not in named:  # as GET /edits/preview, which the router takes for an edit of that number
            return _not_allowed(named)
        errors = [{"field": ".".join(str(p) for p in x["loc"]), "message": str(x["msg"])} for x in e.errors()]
        return Problem(422, "INVALID_REQUEST", "The request is not valid", "correct the fields that are listed", errors=errors).response()

    @app.exception_handler(HTTPException)
    def on_http(request: Request, e: HTTPException) -> Response:
        if isinstance(e.__cause__, RecursionError):
            return too_deep().response()
        if e.status_code == 405 and (allowed := methods.of_path(request)):
            return _not_allowed(allowed)
        return Problem(e.status_code, f"HTTP_{e.status_code}", str(e.detail), str(e.detail), headers=e.headers).response()

    @app.exception_handler(AlertRuleError)
    def on_rules(_: Request, e: AlertRuleError) -> Response:
        logger.error("the alert rules cannot be read: %s", e)
        detail = "the rules of alerts cannot be read, so nothing was stored: see the log of this service"
        return Problem(503, "ALERT_RULES_UNREADABLE", "Not available", detail, headers={"Retry-After": "60"}).response()

    @app.exception_handler(psycopg.OperationalError)
    @app.exception_handler(psycopg_pool.PoolTimeout)
    @app.exception_handler(EmbeddedError)
    def on_database(_: Request, e: Exception) -> Response:
        logger.warning("the database does not answer: %s", e)
        detail = "the warehouse does not answer at this moment: nothing was written, send the request again"
        return Problem(503, "DATABASE_UNAVAILABLE", "Not available", detail, headers={"Retry-After": "5"}).response()
