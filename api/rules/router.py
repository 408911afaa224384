"""/api/v1/vee/rules."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response, status

from api.auth import Caller, Permission, database, require
from api.database import Database
from api.errors import problems
from api.rules import service
from api.rules.schemas import Page, Proposal, ProposalRequest, RuleSet, State, Versions, VersionWithRules

router = APIRouter(prefix="/api/v1/vee/rules", tags=["rules"], responses=problems(401, 403, 429, 503))

Pools = Annotated[Database, Depends(database)]
Reader = Annotated[Caller, Depends(require(Permission.RULES_READ, whole=True))]
Proposer = Annotated[Caller, Depends(require(Permission.RULES_PROPOSE, whole=True))]
Id = Annotated[int, Path(ge=1, le=service.MAX_ID)]


@router.get("", summary="The rules in force, with their version")
def in_force(pools: Pools, caller: Reader) -> RuleSet:
    return service.in_force(pools, caller)


@router.get("/versions", summary="Versions of the rules that days were judged by, newest first")
def list_versions(pools: Pools, caller: Reader) -> Versions:
    return service.versions(pools, caller)


@router.get("/versions/{id}", summary="A version with all its rules", responses=problems(404, 422))
def get_version(id: Annotated[int, Path(ge=1, le=service.MAX_VERSION)], pools: Pools, caller: Reader) -> VersionWithRules:
    return service.version(pools, caller, id)


@router.post("/proposals", status_code=status.HTTP_201_CREATED, summary="Propose an overlay", responses=problems(400, 422))
def propose(request: ProposalRequest, pools: Pools, caller: Proposer, response: Response) -> Proposal:
    """Nothing is in force by it: `meterhouse vee rules accept` puts it in force, by somebody else than who proposed it."""
    made = service.propose(pools, caller, request)
    response.headers["Location"] = f"{router.prefix}/proposals/{made.id}"
    return made


@router.get("/proposals", summary="Proposals, newest first", responses=problems(422))
def list_proposals(
    pools: Pools,
    caller: Reader,
    state: State | None = None,
    before: Annotated[int | None, Query(ge=1, le=service.MAX_ID, description="`next` of the page before")] = None,
    size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page:
    return service.listed(pools, caller, state, before, size)


@router.get("/proposals/{id}", summary="A proposal with its preview", responses=problems(404, 422))
def get(id: Id, pools: Pools, caller: Reader) -> Proposal:
    return service.get(pools, caller, id)


@router.post("/proposals/{id}/withdraw", summary="Take a proposal back", responses=problems(404, 409, 422))
def withdraw(id: Id, pools: Pools, caller: Proposer) -> Proposal:
    return service.withdraw(pools, caller, id)
