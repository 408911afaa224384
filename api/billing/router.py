"""/api/v1/billing: what is answered with 200 is committed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from api.auth import Caller, Permission, database, require
from api.billing import service
from api.billing.schemas import Kind, Outcome, Page, body_schema
from api.body import content
from api.database import Database
from api.errors import problems

router = APIRouter(prefix="/api/v1/billing", tags=["billing"], responses=problems(401, 403, 429, 503))

Pools = Annotated[Database, Depends(database)]
Billing = Annotated[Caller, Depends(require(Permission.BILLING_WRITE, whole=True))]
RESPONSES = problems(400, 413, 415, 422)


def _body(kind: Kind) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": body_schema(kind)}}}}


@router.post("/bills", summary="Deliver bills", responses=RESPONSES, openapi_extra=_body("bills"))
async def bills(request: Request, pools: Pools, caller: Billing) -> Outcome:
    """Each row is stored or refused by itself, all that are stored in one transaction. The same bills again change nothing."""
    return await run_in_threadpool(service.take, pools, caller, "bills", await content(request))


@router.post("/receipts", summary="Deliver receipts", responses=RESPONSES, openapi_extra=_body("receipts"))
async def receipts(request: Request, pools: Pools, caller: Billing) -> Outcome:
    """Each row is stored or refused by itself, all that are stored in one transaction. The same receipts again change nothing."""
    return await run_in_threadpool(service.take, pools, caller, "receipts", await content(request))


@router.get("/deliveries", summary="Deliveries, newest first: who, how many, and what was refused", responses=problems(422))
def deliveries(
    pools: Pools,
    caller: Billing,
    before: Annotated[int | None, Query(ge=1, le=service.MAX_ID, description="`next` of the page before")] = None,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page:
    return service.listed(pools, caller, before, size)
