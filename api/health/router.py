"""GET /healthz, /readyz, /version."""

from __future__ import annotations

import logging
from importlib.metadata import version

import psycopg
from fastapi import APIRouter, Response, status
from pydantic import BaseModel

from api.health.repository import schema_head, schema_revision
from warehouse.embedded import EmbeddedError

logger = logging.getLogger(__name__)
router = APIRouter(tags=["operation"])


class Health(BaseModel):
    status: str


class Readiness(BaseModel):
    ready: bool
    reason: str | None = None


class Version(BaseModel):
    name: str
    version: str


@router.get("/healthz", summary="Liveness: the process answers")
def health() -> Health:
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="Readiness: the database is reachable and migrated",
    responses={status.HTTP_503_SERVICE_UNAVAILABLE: {"model": Readiness, "description": "Not ready; the reason says why"}},
)
def ready(response: Response) -> Readiness:
    reason = _not_ready()
    if reason:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Readiness(ready=reason is None, reason=reason)


@router.get("/version", summary="Name and version of this program")
def get_version() -> Version:
    return Version(name="meterhouse", version=version("meterhouse"))


def _not_ready() -> str | None:
    """None, or why not, without saying where the database is: this endpoint is open to all."""
    try:
        revision = schema_revision()
    except (psycopg.Error, EmbeddedError) as e:
        logger.warning("not ready: %s", e)
        return "the database does not answer: see the log of this service"
    head = schema_head()
    if revision != head:
        return f"the database is at revision {revision or 'none'}, this program needs {head}: run `meterhouse db migrate`"
    return None
