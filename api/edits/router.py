"""/api/v1/edits and /api/v1/freezes."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Query, status

from api.auth import Caller, Permission, database, require
from api.database import Database
from api.edits import service
from api.edits.schemas import (
    MAX_ID,
    Day,
    DayState,
    DecisionRequest,
    Edit,
    EditRequest,
    Edits,
    FileRequest,
    Freeze,
    FreezeRequest,
    Freezes,
    MakeFileRequest,
    MakeRequest,
    Page,
    Preview,
    ReleaseRequest,
    Serial,
    State,
)
from api.errors import problems
from api.paging import Since
from vee.edits.service import Decision

router = APIRouter(prefix="/api/v1/edits", tags=["edits"], responses=problems(401, 403, 429, 503))
freezes = APIRouter(prefix="/api/v1/freezes", tags=["edits"], responses=problems(401, 403, 429, 503))

Pools = Annotated[Database, Depends(database)]
Reader = Annotated[Caller, Depends(require(Permission.VEE_READ))]
Editor = Annotated[Caller, Depends(require(Permission.VEE_EDIT))]
Approver = Annotated[Caller, Depends(require(Permission.VEE_APPROVE))]
Freezer = Annotated[Caller, Depends(require(Permission.VEE_FREEZE, whole=True))]
Id = Annotated[int, Path(ge=1, le=MAX_ID)]
File = Annotated[bytes, Body(media_type="application/octet-stream", description="CSV or XLSX as it is, see docs/vee-editing.md")]


@router.get("/day", summary="A meter's day as it is now, with its version", responses=problems(404, 422))
def day(pools: Pools, caller: Reader, meter: Annotated[Serial, Query()], day: Annotated[Day, Query()]) -> DayState:
    return service.day(pools, caller, meter, day)


@router.post("/preview", summary="What edits would do; nothing is written", responses=problems(400, 409, 422))
def preview(request: EditRequest, pools: Pools, caller: Editor) -> Preview:
    return service.preview(pools, caller, request)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Edit days, all that is named or none", responses=problems(400, 409, 422))
def make(request: MakeRequest, pools: Pools, caller: Editor) -> Edits:
    """A change above the limits of the DISCOM's policy waits for a second person. Sent again it is a conflict: the versions are past."""
    return service.make(pools, caller, request)


@router.post("/file/preview", summary="What a file of edits would do; nothing is written", responses=problems(400, 409, 422))
def preview_file(content: File, how: Annotated[FileRequest, Query()], pools: Pools, caller: Editor) -> Preview:
    """Every fault is listed with row and column."""
    return service.preview_file(pools, caller, content, how)


@router.post(
    "/file", status_code=status.HTTP_201_CREATED, summary="Make the edits of a file, all or none", responses=problems(400, 409, 422)
)
def make_file(content: File, how: Annotated[MakeFileRequest, Query()], pools: Pools, caller: Editor) -> Edits:
    return service.make_file(pools, caller, content, how)


@router.get("", summary="Edits, newest first", responses=problems(422))
def list_edits(
    pools: Pools,
    caller: Reader,
    state: State | None = None,
    meter: Annotated[Serial | None, Query()] = None,
    day: Annotated[Day | None, Query()] = None,
    request: UUID | None = None,
    updated_since: Since = None,
    before: Annotated[int | None, Query(ge=1, le=MAX_ID, description="`next` of the page before")] = None,
    size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page:
    return service.listed(pools, caller, state, meter, day, request, updated_since, before, size)


@router.get("/{id}", summary="An edit and what became of it", responses=problems(404, 422))
def get(id: Id, pools: Pools, caller: Reader) -> Edit:
    return service.get(pools, caller, id)


@router.post("/{id}/approve", summary="Approve another person's edit", responses=problems(400, 404, 409, 422))
def approve(id: Id, request: DecisionRequest, pools: Pools, caller: Approver) -> Edit:
    """Only while the day still shows what stood before the edit."""
    return service.decide(pools, caller, id, Decision.APPROVED, request.note)


@router.post("/{id}/reject", summary="Reject another person's edit", responses=problems(400, 404, 409, 422))
def reject(id: Id, request: DecisionRequest, pools: Pools, caller: Approver) -> Edit:
    return service.decide(pools, caller, id, Decision.REJECTED, request.note)


@router.post("/{id}/withdraw", summary="Take back an edit of one's own that waits", responses=problems(400, 404, 409, 422))
def withdraw(id: Id, request: DecisionRequest, pools: Pools, caller: Editor) -> Edit:
    return service.decide(pools, caller, id, Decision.WITHDRAWN, request.note)


@freezes.get("", summary="Frozen periods, released ones too")
def list_freezes(pools: Pools, caller: Reader) -> Freezes:
    return service.freezes(pools, caller)


@freezes.post("", status_code=status.HTTP_201_CREATED, summary="Freeze a period that was billed", responses=problems(400, 409, 422))
def freeze(request: FreezeRequest, pools: Pools, caller: Freezer) -> Freeze:
    """Every day of it must be built with all that landed, and no edit may wait."""
    return service.freeze(pools, caller, request)


@freezes.post(
    "/{id}/release",
    status_code=status.HTTP_201_CREATED,
    summary="Release a period that somebody else froze",
    responses=problems(400, 404, 409, 422),
)
def release(id: Id, request: ReleaseRequest, pools: Pools, caller: Freezer) -> Freeze:
    return service.release(pools, caller, id, request.reason)
