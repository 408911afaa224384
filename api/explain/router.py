"""/api/v1/vee/explain."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.answers import as_json
from api.auth import Caller, Permission, database, require
from api.database import Database
from api.errors import problems
from api.explain import service
from api.explain.schemas import Day, MeterSerial, Slot
from vee.explain import Explanation
from vee.explain.model import Interval

router = APIRouter(prefix="/api/v1/vee/explain", tags=["vee"], responses=problems(401, 403, 404, 422, 429, 503))

Pools = Annotated[Database, Depends(database)]
Reader = Annotated[Caller, Depends(require(Permission.VEE_READ))]


@router.get("/{serial}/{day}", summary="Why a meter's values of a day are what they are", response_model=Explanation)
def explain_day(serial: MeterSerial, day: Day, pools: Pools, caller: Reader) -> Response:
    """Deliveries, rejected values, rules with their figures, registers, the estimate's inputs, edits, every interval from raw to final."""
    return as_json(service.meter_day_json(pools, caller, serial, day))


@router.get("/{serial}/{day}/{slot}", summary="Why a value is what it is", response_model=Interval)
def explain_interval(serial: MeterSerial, day: Day, slot: Slot, pools: Pools, caller: Reader) -> Response:
    """One interval, with every raw value that came for it."""
    return as_json(service.interval_json(pools, caller, serial, day, slot))
