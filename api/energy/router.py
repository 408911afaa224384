"""/api/v1/energy: balances of a DT, feeder or office, and what hangs below it, by loss."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from api.answers import as_json
from api.auth import Caller, Permission, database, require
from api.commands.schemas import Text
from api.database import Database
from api.energy import service
from api.energy.schemas import Balances, Children
from api.errors import problems
from api.exceptions.schemas import Code
from api.instants import AS_DAY

router = APIRouter(prefix="/api/v1/energy", tags=["energy"], responses=problems(401, 403, 404, 422, 429, 503))

Pools = Annotated[Database, Depends(database)]
Reader = Annotated[Caller, Depends(require(Permission.ENERGY_READ))]
Of = Annotated[Code, Path(description="code of the DT, feeder or office")]
From = Annotated[date, Query(alias="from", description="business day", ge=date(2000, 1, 1), lt=date(2100, 1, 1)), AS_DAY]
To = Annotated[date, Query(description="business day, included", ge=date(2000, 1, 1), lt=date(2100, 1, 1)), AS_DAY]
Resolution = Annotated[Literal["interval", "day", "month"], Query(description="at most 3 days of intervals, 366 of days, 1,827 of months")]
Size = Annotated[int, Query(ge=1, le=500)]
After = Annotated[Text | None, Query(max_length=200, description="`next` of the page before")]


@router.get("/dt/{code}", summary="Energy balance below a DT", response_model=Balances)
async def dt(code: Of, pools: Pools, caller: Reader, first: From, to: To, resolution: Resolution = "day") -> Response:
    """Supply without a meter is known of months: it is part of the loss of an interval."""
    return as_json(await service.balances(pools, caller, "dt", code, first, to, resolution))


@router.get("/feeder/{code}", summary="Energy balance of a feeder, down to its consumers", response_model=Balances)
async def feeder(code: Of, pools: Pools, caller: Reader, first: From, to: To, resolution: Resolution = "day") -> Response:
    """Of an interval: of the feeder against its DTs and HT consumers."""
    return as_json(await service.balances(pools, caller, "feeder", code, first, to, resolution))


@router.get("/office/{code}", summary="Energy balance of an office with the offices below it", response_model=Balances)
async def office(
    code: Of,
    pools: Pools,
    caller: Reader,
    first: From,
    to: To,
    resolution: Annotated[Literal["day", "month"], Query(description="at most 366 days of days, 1,827 of months")] = "day",
) -> Response:
    """All of its feeders together."""
    return as_json(await service.balances(pools, caller, "office", code, first, to, resolution))


@router.get("/feeder/{code}/dts", summary="DTs of a feeder, most loss first", response_model=Children)
async def dts_of_feeder(code: Of, pools: Pools, caller: Reader, first: From, to: To, after: After = None, size: Size = 100) -> Response:
    """Over at most 31 days."""
    return as_json(await service.children(pools, caller, "feeder", "dt", code, first, to, after, size))


@router.get("/office/{code}/feeders", summary="Feeders of an office, most loss first", response_model=Children)
async def feeders_of_office(code: Of, pools: Pools, caller: Reader, first: From, to: To, after: After = None, size: Size = 100) -> Response:
    """With those of the offices below it, over at most 31 days."""
    return as_json(await service.children(pools, caller, "office", "feeder", code, first, to, after, size))


@router.get("/office/{code}/dts", summary="DTs of an office, most loss first", response_model=Children)
async def dts_of_office(code: Of, pools: Pools, caller: Reader, first: From, to: To, after: After = None, size: Size = 100) -> Response:
    """With those of the offices below it, over at most 31 days."""
    return as_json(await service.children(pools, caller, "office", "dt", code, first, to, after, size))
