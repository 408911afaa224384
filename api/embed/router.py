"""/api/v1/embed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from api.auth import Caller, Permission, database, require
from api.database import Database
from api.embed import service
from api.embed.schemas import GuestToken, Wanted
from api.errors import problems

router = APIRouter(prefix="/api/v1/embed", tags=["embed"], responses=problems(401, 403, 404, 422, 429, 503))

# Superset reads all of a DISCOM: who may see a part of it cannot be given a dashboard of the whole.
Reader = Annotated[Caller, Depends(require(Permission.REPORTS_READ, whole=True))]


@router.post("/guest-token", summary="A token to show a dashboard in another page")
def guest_token(wanted: Wanted, pools: Annotated[Database, Depends(database)], caller: Reader) -> GuestToken:
    """For ten minutes and one dashboard of the caller's DISCOM. The page's own server asks for it, so that the caller's key stays there."""
    return service.guest_token(pools, caller, wanted.dashboard)
