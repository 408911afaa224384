"""The audit log of decisions and changes, as an auditor of the DISCOM reads it. No HTTP paths, no SQL."""

from __future__ import annotations

from datetime import UTC, datetime

from api.admin import repository
from api.admin.schemas import MAX_ID, AuditLine, AuditPage
from api.auth.caller import Caller
from api.database import Database
from api.errors import Problem

_CURSOR = "%Y%m%dT%H%M%S%fZ"


def listed(
    pools: Database,
    caller: Caller,
    size: int,
    before: str | None,
    action: str | None,
    outcome: str | None,
    who: str | None,
    since: datetime | None,
    until: datetime | None,
) -> AuditPage:
    """A page, the latest first. Raises Problem 422 where `before` is no cursor."""
    place = _place(before) if before else None
    with pools.tenant(caller) as conn:
        rows = repository.audit(conn, size + 1, place, action, outcome, who, since, until)
    more = rows[size - 1] if len(rows) > size else None
    following = f"{more['at'].astimezone(UTC):{_CURSOR}}_{more['id']}" if more else None
    return AuditPage(items=[AuditLine(**r) for r in rows[:size]], next=following)


def _place(cursor: str) -> tuple[datetime, int]:
    at, _, audit_id = cursor.partition("_")
    try:
        place = datetime.strptime(at, _CURSOR).replace(tzinfo=UTC), int(audit_id)
    except ValueError:
        place = None
    if place is None or not 0 < place[1] <= MAX_ID:
        raise Problem(422, "INVALID_CURSOR", "The cursor is not valid", "`before` must be `next` of the page before, as it was given")
    return place
