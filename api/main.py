"""The HTTP application: puts the routers of the domains together. No business here, no SQL, no telemetry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from api import errors
from api.auth.audit import AccessLog
from api.auth.limits import Limits
from api.auth.require import Known
from api.billing.router import router as billing
from api.commands.router import router as commands
from api.database import Database
from api.edits.router import freezes
from api.edits.router import router as edits
from api.embed.router import router as embed
from api.exceptions.router import router as exceptions
from api.explain.router import router as explain
from api.health import router as health
from api.limits import BodyLimit
from api.meters import router as meters
from api.rules.router import router as rules
from ingestion.contexts import Contexts

DESCRIPTION = "Meter-data warehouse of electricity distribution companies: readings, their validation, energy balances and reports."


def create_app() -> FastAPI:
    """The application. Needs no database to start: /ready says whether there is one."""
    app = FastAPI(
        title="Meterhouse",
        description=DESCRIPTION,
        version=version("meterhouse"),
        # FastAPI's pages of documentation load their scripts from outside, which a closed network cannot: /openapi.json serves any viewer.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.database = Database()
    app.state.limits = Limits()
    app.state.known = Known()
    app.state.access_log = AccessLog(app.state.database)
    app.state.contexts = Contexts()
    errors.add_handlers(app)
    app.add_middleware(BodyLimit)
    app.include_router(health.router)
    app.include_router(meters.router)
    app.include_router(commands)
    app.include_router(billing)
    app.include_router(rules)
    app.include_router(edits)
    app.include_router(freezes)
    app.include_router(exceptions)
    app.include_router(explain)
    app.include_router(embed)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.access_log.close()
    await app.state.database.close_async()
    app.state.database.close()
