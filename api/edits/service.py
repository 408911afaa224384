"""From what HTTP says to what `vee.edits` does, and back."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg

from api.auth import Caller
from api.database import Database
from api.edits.schemas import (
    DayState,
    Diff,
    Edit,
    EditRequest,
    Edits,
    Fault,
    FileRequest,
    Freeze,
    FreezeRequest,
    Freezes,
    MakeFileRequest,
    MakeRequest,
    Page,
    Preview,
    State,
)
from api.errors import Problem
from vee.edits import bulk, errors, freezing, repository, service
from vee.edits.errors import EditError
from vee.edits.policy import PolicyError
from vee.edits.service import Asked, Decision, Editor

logger = logging.getLogger(__name__)

_STATUS = {"invalid": 422, "unknown": 404, "conflict": 409}


def day(pools: Database, caller: Caller, meter: str, on: date) -> DayState:
    """Raises Problem 404."""
    with _tenant(pools, caller) as conn:
        found = service.day(conn, caller.discom_id, meter, on)
    return DayState(
        meter=found.serial,
        day=found.day,
        interval_min=found.interval_min,
        slots=found.slots,
        quality=found.quality,
        limit_wh=found.limit_wh,
        frozen=found.frozen,
        version=found.version,
        waiting=[e.edit_id for e in found.edits if e.decision is None],
        **found.channels,
    )


def preview(pools: Database, caller: Caller, request: EditRequest) -> Preview:
    """Raises Problem where it cannot be judged as a whole."""
    with _tenant(pools, caller) as conn:
        return _preview(service.plan(conn, _editor(caller), _asked(request)), [])


def preview_file(pools: Database, caller: Caller, content: bytes, how: FileRequest) -> Preview:
    """Raises Problem where the file cannot be read."""
    with _tenant(pools, caller) as conn:
        changes, faults = bulk.read_changes(conn, caller.discom_id, content, how.name)
        return _preview(service.plan(conn, _editor(caller), Asked(changes, how.reason, how.note, how.force)), faults)


def make_file(pools: Database, caller: Caller, content: bytes, how: MakeFileRequest) -> Edits:
    """Raises Problem: 409 somebody else was quicker or the period is frozen, 422 refused."""
    with _tenant(pools, caller) as conn:
        repository.lock(conn, caller.discom_id)
        changes, faults = bulk.read_changes(conn, caller.discom_id, content, how.name)
        service.refuse(faults)
        made, _ = service.make(conn, _editor(caller), Asked(changes, how.reason, how.note, how.force), token=how.token)
    return Edits(items=[Edit(**e) for e in made])


def _preview(found: service.Plan, faults: Sequence[errors.Fault]) -> Preview:
    return Preview(
        diffs=[
            Diff(
                meter=d.day.serial,
                day=d.day.day,
                channel=d.change.channel,  # type: ignore[arg-type]
                before_wh=sum(v or 0 for v in d.before),
                after_wh=sum(v or 0 for v in d.after),
                difference_wh=d.difference,
                slots=d.slots,
                needs_approval=d.needs_approval,
                warnings=list(d.warnings),
                before=d.before,
                after=d.after,
            )
            for d in found.diffs
        ],
        faults=[Fault(where=f.where, code=f.code, detail=f.detail) for f in (*faults, *found.faults)],
        unchanged=found.unchanged,
        token=found.token,
    )


def make(pools: Database, caller: Caller, request: MakeRequest) -> Edits:
    """Raises Problem: 409 somebody else was quicker or the period is frozen, 422 refused."""
    with _tenant(pools, caller) as conn:
        made, _ = service.make(conn, _editor(caller), _asked(request), token=request.token)
    return Edits(items=[Edit(**e) for e in made])


def decide(pools: Database, caller: Caller, edit_id: int, decision: Decision, note: str | None) -> Edit:
    """Raises Problem: 404, 409 decided already or not as it was, 422 not this person."""
    with _tenant(pools, caller) as conn:
        return Edit(**service.decide(conn, _editor(caller), [edit_id], decision, note)[0])


def get(pools: Database, caller: Caller, edit_id: int) -> Edit:
    """Raises Problem 404, also for another tenant's."""
    with _tenant(pools, caller) as conn:
        found = repository.edits(conn, caller.discom_id, [edit_id])
    if not found:
        raise Problem(404, "UNKNOWN_EDIT", "No such edit", f"there is no edit {edit_id}")
    return Edit(**found[0])


def listed(
    pools: Database,
    caller: Caller,
    state: State | None,
    meter: str | None,
    on: date | None,
    request: UUID | None,
    updated_since: datetime | None,
    before: int | None,
    size: int,
) -> Page:
    """A page of edits, newest first."""
    with _tenant(pools, caller) as conn:
        rows: list[dict[str, Any]] = repository.page(
            conn,
            caller.discom_id,
            state=state,
            meter=meter,
            day=on,
            request=request,
            updated_since=updated_since,
            before=before,
            size=size + 1,
        )
    return Page(items=[Edit(**row) for row in rows[:size]], next=rows[size - 1]["id"] if len(rows) > size else None)


def freeze(pools: Database, caller: Caller, request: FreezeRequest) -> Freeze:
    """Raises Problem: 409 not everything is built or decided, or frozen already; 422."""
    with _tenant(pools, caller) as conn:
        return _freeze(freezing.freeze(conn, _editor(caller), request.first_day, request.last_day, request.reason))


def release(pools: Database, caller: Caller, freeze_id: int, reason: str) -> Freeze:
    """Raises Problem: 404, 409 released already, 422 by who froze it."""
    with _tenant(pools, caller) as conn:
        return _freeze(freezing.release(conn, _editor(caller), freeze_id, reason))


def freezes(pools: Database, caller: Caller) -> Freezes:
    """Every freeze, released ones too."""
    with _tenant(pools, caller) as conn:
        return Freezes(items=[_freeze(f) for f in repository.freezes(conn, caller.discom_id)])


@contextmanager
def _tenant(pools: Database, caller: Caller) -> Iterator[psycopg.Connection]:
    try:
        with pools.tenant(caller) as conn:
            yield conn
    except EditError as e:
        faults = [{"field": f.where, "message": f"{f.code}: {f.detail}"} for f in e.faults]
        raise Problem(_STATUS[e.kind], e.code, "Refused", e.detail, errors=faults) from None
    except PolicyError as e:
        logger.error("the policy of edits cannot be read: %s", e)
        detail = "the policy of edits cannot be read, so nothing was written: see the log of this service"
        raise Problem(503, "POLICY_UNREADABLE", "Not available", detail, headers={"Retry-After": "60"}) from None


def _editor(caller: Caller) -> Editor:
    return Editor(caller.discom_id, caller.discom, caller.name)


def _asked(request: EditRequest) -> Asked:
    return Asked([c.change() for c in request.changes], request.reason, request.note, request.force)


def _freeze(found: repository.Freeze) -> Freeze:
    return Freeze(
        id=found.freeze_id,
        first_day=found.first_day,
        last_day=found.last_day,
        frozen_at=found.frozen_at,
        frozen_by=found.frozen_by,
        reason=found.reason,
        released_at=found.released_at,
        released_by=found.released_by,
        release_reason=found.release_reason,
    )
