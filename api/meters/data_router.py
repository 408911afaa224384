"""GET /api/v1/meters: search, master data, consumption, events, typical day, and why a day is what it is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.concurrency import run_in_threadpool

from api.answers import as_json
from api.auth import Caller, Permission, database, require
from api.commands.schemas import Text
from api.database import Database
from api.errors import problems
from api.exceptions.schemas import Code
from api.explain.schemas import MeterSerial
from api.explain.service import meter_day_json
from api.instants import AS_DAY, Day, Instant
from api.meters import data_service as service
from api.meters.data_schemas import Channel, Consumption, EpisodePage, Meter, MeterPage, Profile
from api.meters.spans import Moment
from vee.explain import Explanation

router = APIRouter(prefix="/api/v1/meters", tags=["meters"], responses=problems(401, 403, 422, 429, 503))

Pools = Annotated[Database, Depends(database)]
Reader = Annotated[Caller, Depends(require(Permission.METERS_READ))]
Explainer = Annotated[Caller, Depends(require(Permission.VEE_READ))]
Size = Annotated[int, Query(ge=1, le=500)]
After = Annotated[Text | None, Query(max_length=200, description="`next` of the page before")]
From = Annotated[Moment, Query(alias="from", description="a day, or an instant with its zone")]
To = Annotated[Moment, Query(description="a day, which is included, or an instant with its zone, which is not")]
Zone = Annotated[
    Text | None, Query(max_length=64, description="IANA name, such as UTC; without it the DISCOM's", examples=["Asia/Kolkata"])
]


@router.get("", summary="Meters, by serial", response_model=MeterPage)
async def search(
    pools: Pools,
    caller: Reader,
    prefix: Annotated[Code | None, Query(description="the serial begins with it")] = None,
    office: Annotated[Code | None, Query(description="with the offices below it")] = None,
    dt: Annotated[Code | None, Query(description="that the consumer is indexed to, or that the meter heads")] = None,
    service_point: Code | None = None,
    after: After = None,
    size: Size = 100,
) -> Response:
    """Those that you see, and that hang today where it is asked for."""
    return as_json(
        await service.search(pools, caller, prefix=prefix, office=office, dt=dt, service_point=service_point, after=after, size=size)
    )


@router.get("/{serial}", summary="A meter's master data", response_model=Meter, responses=problems(404))
async def meter(serial: MeterSerial, pools: Pools, caller: Reader) -> Response:
    return as_json(await service.meter(pools, caller, serial))


@router.get("/{serial}/consumption", summary="Energy, demand and power factor", response_model=Consumption, responses=problems(404))
async def consumption(
    serial: MeterSerial,
    pools: Pools,
    caller: Reader,
    first: From,
    to: To,
    resolution: Annotated[
        Literal["interval", "hour", "day", "month"],
        Query(description="at most 31 days of intervals, 93 of hours, 366 of days, 1,827 of months"),
    ] = "day",
    layer: Annotated[
        Literal["raw", "estimated", "final"],
        Query(description="raw: as it came; estimated: with the machine's estimates; final: with approved edits too"),
    ] = "final",
    timezone: Zone = None,
    channels: Annotated[list[Channel] | None, Query(description="without it, all", max_length=5)] = None,
    updated_since: Annotated[
        Instant | None, Query(description="only business days that were built, or of which an edit was approved, since then")
    ] = None,
) -> Response:
    """The multiplying factor is applied. `final` is what is balanced and billed.

    An interval belongs to the row in which it begins, so rows of any resolution add up to the same, to the Wh.
    """
    return as_json(
        await service.consumption(
            pools,
            caller,
            serial,
            first,
            to,
            resolution=resolution,
            layer=layer,
            timezone=timezone,
            channels=channels or (),
            since=updated_since,
        )
    )


@router.get("/{serial}/events", summary="What a meter reported", response_model=EpisodePage, responses=problems(404))
async def list_events(
    serial: MeterSerial,
    pools: Pools,
    caller: Reader,
    first: From,
    to: To,
    family: Annotated[Code | None, Query(examples=["power_failure"])] = None,
    severity: Annotated[Literal["critical", "major", "minor", "info"] | None, Query()] = None,
    timezone: Zone = None,
    after: After = None,
    size: Size = 100,
) -> Response:
    """Events that began in at most 93 days, each with what ended it within 31 days."""
    return as_json(
        await service.events(pools, caller, serial, first, to, timezone=timezone, family=family, severity=severity, after=after, size=size)
    )


@router.get("/{serial}/profile", summary="A meter's typical day", response_model=Profile, responses=problems(404))
async def profile(
    serial: MeterSerial,
    pools: Pools,
    caller: Reader,
    first: Annotated[date, Query(alias="from", description="business day", ge=date(2000, 1, 1), lt=date(2100, 1, 1)), AS_DAY],
    to: Annotated[date, Query(description="business day, included; at most 93 days", ge=date(2000, 1, 1), lt=date(2100, 1, 1)), AS_DAY],
    day_type: Annotated[Literal["all", "weekday", "saturday", "sunday"], Query(description="sunday: or a holiday")] = "all",
) -> Response:
    """Mean, least and most of each interval over complete days of final values, beside the profile of its class of consumers."""
    return as_json(await service.profile(pools, caller, serial, first, to, day_type))


@router.get(
    "/{serial}/explain", summary="Why a meter's values of a day are what they are", response_model=Explanation, responses=problems(404)
)
async def explain(serial: MeterSerial, day: Annotated[Day, Query(description="business day")], pools: Pools, caller: Explainer) -> Response:
    """The same as /api/v1/vee/explain/{serial}/{day}."""
    return as_json(await run_in_threadpool(meter_day_json, pools, caller, serial, day))
