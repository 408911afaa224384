"""A change of who may do what, as the audit log keeps it: written in the transaction that makes it, with what was before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

import psycopg
from fastapi import Request

from api.auth.repository import insert_change


@dataclass(frozen=True)
class Origin:
    """Where a change came from; all None: the command line."""

    method: str | None = None
    path: str | None = None
    request_id: str | None = None
    address: str | None = None

    @staticmethod
    def of(request: Request) -> Origin:
        address = request.client.host if request.client else None
        return Origin(request.method, request.url.path[:500], getattr(request.state, "request_id", None), address)


def record(
    conn: psycopg.Connection,
    discom_id: int | None,
    who: str,
    action: str,
    of: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    origin: Origin,
) -> None:
    """`of`: what was changed, by its id or name. Never a secret, nor its hash."""
    detail = {"of": of, "before": dict(before or {}), "after": dict(after or {})}
    insert_change(conn, discom_id, who, action, detail, astuple(origin))
