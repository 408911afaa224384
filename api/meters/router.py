"""POST /api/v1/meters/readings and /events: what is acknowledged is committed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from api.auth import Caller, Permission, database, require
from api.body import content
from api.database import Database
from api.errors import Problem, problems
from api.meters import service
from ingestion.canonical import Rejection
from ingestion.landing import LandingError, LandingResult

router = APIRouter(prefix="/api/v1/meters", tags=["meters"])

SHOWN = 20

HeadEnd = Annotated[Caller, Depends(require(Permission.READINGS_PUSH, whole=True))]


class Refusal(BaseModel):
    """Something of the body that was not understood; it is kept in raw.rejected."""

    reason: str
    at: str = Field(description="Where in the body")
    detail: str


class Receipt(BaseModel):
    """What became of a body. received = accepted + rejected; a duplicate stored nothing anew and has counts of 0."""

    batch_id: int | None
    duplicate: bool
    received: int
    accepted: int
    rejected: int
    rejected_by_reason: dict[str, int]
    refusals: list[Refusal] = Field(description=f"The first {SHOWN} that the body itself gave cause for")


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            service.NATIVE: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "profiles": {"type": "array", "items": {"type": "object"}},
                        "registers": {"type": "array", "items": {"type": "object"}},
                        "events": {"type": "array", "items": {"type": "object"}},
                        "values": {"type": "array", "items": {"type": "object"}},
                    },
                    "additionalProperties": False,
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "description": "as the vendor file says"}},
        },
    }
}
RESPONSES = problems(400, 401, 403, 413, 415, 422, 429, 503)


@router.post("/readings", summary="Push readings", responses=RESPONSES, openapi_extra=BODY)
async def readings(
    request: Request,
    caller: Annotated[Caller, Depends(require(Permission.READINGS_PUSH, whole=True))],
    pools: Annotated[Database, Depends(database)],
) -> Receipt:
    """Profiles, registers, instantaneous and billing values of many meters. The same body again stores nothing again."""
    return await _take(request, caller, pools)


@router.post("/events", summary="Push events", responses=RESPONSES, openapi_extra=BODY)
async def events(
    request: Request,
    caller: Annotated[Caller, Depends(require(Permission.READINGS_PUSH, whole=True))],
    pools: Annotated[Database, Depends(database)],
) -> Receipt:
    """Events as they happen. A body may hold readings too: both ways lead to the same place."""
    return await _take(request, caller, pools)


async def _take(request: Request, caller: Caller, pools: Database) -> Receipt:
    body = await content(request)
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    try:
        result, rejections = await run_in_threadpool(
            service.take, pools, request.app.state.contexts, caller, request.url.path, media_type, body
        )
    except LandingError as e:
        raise Problem(422, "NOT_LANDED", "The body could not be stored", str(e)) from None
    receipt = _receipt(result, rejections)
    if not receipt.accepted and receipt.rejected:
        reasons = ", ".join(f"{n} {reason}" for reason, n in receipt.rejected_by_reason.items())
        detail = f"none of {receipt.received} values could be accepted ({reasons}); they are kept as batch {receipt.batch_id}"
        raise Problem(422, "NOTHING_ACCEPTED", "Nothing was accepted", detail, errors=[r.model_dump() for r in receipt.refusals])
    return receipt


def _receipt(result: LandingResult, rejections: Iterable[Rejection]) -> Receipt:
    return Receipt(
        batch_id=result.batch_id,
        duplicate=result.duplicate,
        received=result.received,
        accepted=result.accepted,
        rejected=result.rejected,
        rejected_by_reason={str(reason): n for reason, n in result.rejected_by_reason.items()},
        refusals=[Refusal(reason=str(r.reason), at=r.locator, detail=r.detail) for r in list(rejections)[:SHOWN]],
    )
