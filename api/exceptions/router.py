"""/api/v1/vee/cases and /api/v1/vee/exceptions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query

from api.auth import Caller, Permission, database, require
from api.database import Database
from api.errors import problems
from api.exceptions import service
from api.exceptions.schemas import Action, AgeH, Bulk, BulkDone, Case, CaseInFull, Code, ExceptionPage, Name, Page, Severity, SummaryLine
from api.instants import Day
from api.paging import Cursor, Since
from vee.exceptions.repository import Filter
from warehouse.codes import CaseState, ExceptionState

router = APIRouter(prefix="/api/v1/vee", tags=["cases"], responses=problems(401, 403, 429, 503))

Pools = Annotated[Database, Depends(database)]
Reader = Annotated[Caller, Depends(require(Permission.VEE_READ))]
Worker = Annotated[Caller, Depends(require(Permission.VEE_WORK))]
Id = Annotated[int, Path(ge=1, le=service.MAX_ID)]
Size = Annotated[int, Query(ge=1, le=500)]


@router.get("/cases", summary="Cases that wait for a person, the most urgent first", responses=problems(422))
def list_cases(
    pools: Pools,
    caller: Reader,
    state: CaseState | None = None,
    rule: Code | None = None,
    severity: Severity | None = None,
    office: Annotated[Code | None, Query(description="with the offices below it")] = None,
    dt: Code | None = None,
    meter: Code | None = None,
    assignee: Name | None = None,
    min_age_h: AgeH | None = None,
    overdue: bool | None = None,
    updated_since: Since = None,
    after: Annotated[int | None, Query(ge=1, le=service.MAX_ID, description="`next` of the page before")] = None,
    size: Size = 100,
) -> Page:
    """Without `state` and `updated_since`, those that are not closed. Order: priority of the severity, energy at stake, age."""
    wanted = Filter(state, rule, severity, office, dt, meter, assignee, min_age_h, overdue, updated_since)
    return service.listed(pools, caller, wanted, after, size)


@router.get("/cases/summary", summary="Cases that wait, by rule and age")
def get_summary(pools: Pools, caller: Reader) -> list[SummaryLine]:
    return service.summary(pools, caller)


@router.post("/cases/actions", summary="Assign or close all cases of a filter", responses=problems(400, 409, 422))
def act_on_many(asked: Bulk, pools: Pools, caller: Worker) -> BulkDone:
    return service.bulk(pools, caller, asked)


@router.get("/cases/{id}", summary="A case with its exceptions and its audit trail", responses=problems(404, 422))
def get_case(id: Id, pools: Pools, caller: Reader) -> CaseInFull:
    return service.get(pools, caller, id)


@router.post("/cases/{id}/actions", summary="Take, assign, wait, comment, close, reopen", responses=problems(400, 404, 409, 422))
def act(id: Id, action: Annotated[Action, Body()], pools: Pools, caller: Worker) -> Case:
    return service.act(pools, caller, id, action)


@router.get("/exceptions", summary="Meter-days that fail a rule", responses=problems(422))
def list_exceptions(
    pools: Pools,
    caller: Reader,
    first: Annotated[Day, Query(description="business day")],
    last: Annotated[Day, Query(description="business day, included")],
    meter: Code | None = None,
    rule: Code | None = None,
    state: ExceptionState | None = None,
    updated_since: Since = None,
    after: Cursor = None,
    size: Size = 100,
) -> ExceptionPage:
    return service.exceptions(
        pools, caller, first, last, meter=meter, rule=rule, state=state, updated_since=updated_since, after=after, size=size
    )
