"""The HTTP application: puts the routers of the domains together. No business here, no SQL."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI

from api import errors
from api.admin.router import router as admin
from api.auth.audit import AccessLog
from api.auth.federated import Federation
from api.auth.federated.router import router as federated
from api.auth.limits import Limits
from api.auth.require import Known
from api.auth.router import router as auth
from api.auth.router import well_known
from api.billing.router import router as billing
from api.builder.router import router as builder
from api.commands.router import router as commands
from api.database import Database
from api.edits.router import freezes
from api.edits.router import router as edits
from api.embed.router import router as embed
from api.energy.router import router as energy
from api.etag import ETags
from api.exceptions.router import router as exceptions
from api.explain.router import router as explain
from api.headers import CORSMiddleware, SafeHeaders, cors, cors_origins
from api.health import router as health
from api.idempotency import Idempotent, Replay, on_replay
from api.limits import BodyLimit, well_formed
from api.meters import router as meters
from api.meters.data_router import router as meter_data
from api.metrics import Metrics
from api.metrics import router as metrics
from api.observed import Observed
from api.openapi import describe, operation_id
from api.pages import add_pages
from api.problems import router as problems
from api.reports.exports.worker import Worker
from api.reports.exports.worker import wanted as exports_here
from api.reports.router import router as reports
from api.rules.router import router as rules
from api.tracing import Tracing
from ingestion.contexts import Contexts

DESCRIPTION = "Meter-data warehouse of electricity distribution companies: readings, their validation, energy balances and reports."


def create_app(tracing: Tracing | None = None) -> FastAPI:
    """The application. Needs no database to start: /readyz says whether there is one."""
    app = FastAPI(
        title="Meterhouse",
        description=DESCRIPTION,
        version=version("meterhouse"),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        # FastAPI's pages of documentation load their scripts from outside, which a closed network cannot: `api.pages` has them here.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        dependencies=[Depends(well_formed)],
        lifespan=_lifespan,
    )
    app.state.database = Database()
    app.state.limits = Limits()
    app.state.known = Known()
    app.state.access_log = AccessLog(app.state.database)
    app.state.federation = Federation.of_environment()
    app.state.contexts = Contexts()
    app.state.metrics = Metrics(app.state.database, app.state.access_log)
    app.state.tracing = tracing or Tracing()
    app.state.exports = Worker(app.state.database)
    errors.add_handlers(app)
    app.add_exception_handler(Replay, on_replay)
    # The last is the outermost.
    app.add_middleware(Idempotent)
    app.add_middleware(ETags)
    app.add_middleware(BodyLimit)
    if origins := cors_origins():
        app.add_middleware(CORSMiddleware, **cors(origins))
    app.add_middleware(Observed, metrics=app.state.metrics, tracing=app.state.tracing)
    app.add_middleware(SafeHeaders)
    app.include_router(health.router)
    app.include_router(metrics)
    app.include_router(problems)
    app.include_router(auth)
    app.include_router(well_known)
    app.include_router(admin)
    app.include_router(federated)
    app.include_router(meters.router)
    app.include_router(meter_data)
    app.include_router(energy)
    app.include_router(commands)
    app.include_router(billing)
    app.include_router(rules)
    app.include_router(edits)
    app.include_router(freezes)
    app.include_router(exceptions)
    app.include_router(explain)
    app.include_router(reports)
    app.include_router(builder)
    app.include_router(embed)
    add_pages(app)
    describe(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # What is loaded stays: to go through it again and again, looking for garbage, held every request up for a quarter of a second.
    gc.collect()
    gc.freeze()
    if exports_here():
        app.state.exports.wake()  # what another process left is taken up
    yield
    app.state.exports.close()
    app.state.access_log.close()
    app.state.tracing.close()
    await app.state.limits.close()
    app.state.federation.close()
    await app.state.database.close_async()
    app.state.database.close()
