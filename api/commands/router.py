"""/api/v1/commands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Response, status

from api.auth import Caller, Permission, database, require
from api.commands import service
from api.commands.schemas import Command, CommandRequest, CommandWithAudit, Group, GroupRequest, IdempotencyKey, Page, Serial
from api.database import Database
from api.errors import problems
from api.paging import Since
from ingestion.commands.states import State

router = APIRouter(prefix="/api/v1/commands", tags=["commands"], responses=problems(401, 403, 429, 503))

Pools = Annotated[Database, Depends(database)]
Reader = Annotated[Caller, Depends(require(Permission.COMMANDS_READ))]
Sender = Annotated[Caller, Depends(require(Permission.COMMANDS_SEND))]
ReaderOfMany = Annotated[Caller, Depends(require(Permission.COMMANDS_READ, whole=True))]
SenderToMany = Annotated[Caller, Depends(require(Permission.COMMANDS_SEND, whole=True))]
Key = Annotated[
    IdempotencyKey,
    Header(alias="Idempotency-Key", description="the caller's own name for this request: sent again with it, nothing is done twice"),
]
Id = Annotated[int, Path(ge=1, le=service.MAX_ID)]
KNOWN = {status.HTTP_200_OK: {"description": "This request came before: what it made, as it stands now"}}


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Ask one meter for something",
    response_model=Command,
    responses={**problems(400, 409, 422), 200: {"model": Command, **KNOWN[200]}},
)
def create(request: CommandRequest, pools: Pools, caller: Sender, key: Key, response: Response) -> Command:
    """Queue a command with the head-end system that the meter has now. A later connect or disconnect of a meter overtakes a queued one."""
    command, new = service.accept(pools, caller, key, request)
    response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
    response.headers["Location"] = f"{router.prefix}/{command.id}"
    return command


@router.post(
    "/groups",
    status_code=status.HTTP_201_CREATED,
    summary="Ask many meters for the same thing",
    response_model=Group,
    responses={**problems(400, 409, 422), 200: {"model": Group, **KNOWN[200]}},
)
def create_group(request: GroupRequest, pools: Pools, caller: SenderToMany, key: Key, response: Response) -> Group:
    """One command a meter. Meters that cannot take it are listed in `refused`, the others are queued."""
    group, new = service.accept_group(pools, caller, key, request)
    response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
    response.headers["Location"] = f"{router.prefix}/groups/{group.id}"
    return group


@router.get("/groups/{id}", summary="A group and how many of its commands are in which state", responses=problems(404, 422))
def get_group(id: Id, pools: Pools, caller: ReaderOfMany) -> Group:
    return service.get_group(pools, caller, id)


@router.get("", summary="Commands, newest first", responses=problems(422))
def list_commands(
    pools: Pools,
    caller: Reader,
    state: State | None = None,
    meter: Serial | None = None,
    group: Annotated[int | None, Query(ge=1, le=service.MAX_ID)] = None,
    updated_since: Since = None,
    before: Annotated[int | None, Query(ge=1, le=service.MAX_ID, description="`next` of the page before")] = None,
    size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page:
    return service.listed(pools, caller, state, meter, group, updated_since, before, size)


@router.get("/{id}", summary="A command with its audit trail", responses=problems(404, 422))
def get(id: Id, pools: Pools, caller: Reader) -> CommandWithAudit:
    return service.get(pools, caller, id)


@router.post("/{id}/cancel", summary="Take back a command that was not sent yet", responses=problems(404, 409, 422))
def cancel(id: Id, pools: Pools, caller: Sender) -> Command:
    return service.cancel(pools, caller, id)
