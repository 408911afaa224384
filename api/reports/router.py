"""/api/v1/reports."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.background import BackgroundTask

from api.answers import as_json
from api.auth import Caller, Permission, database, require
from api.auth.audit import AccessLog, Decision
from api.database import Database
from api.errors import Problem, problems
from api.reports import service
from api.reports.exports import service as exports
from api.reports.exports import store, worker
from api.reports.exports.repository import Export
from api.reports.exports.worker import Worker
from api.reports.schemas import (
    Catalogue,
    ConsumptionQuery,
    ExportJob,
    ExportQuery,
    Group,
    IdempotencyKey,
    LossesQuery,
    ManyAsked,
    ReportInfo,
    ReportRows,
    RowsQuery,
    Text,
)

router = APIRouter(prefix="/api/v1/reports", tags=["reports"], responses=problems(401, 403, 429, 503))

PREFIX = "/api/v1/reports/exports"
MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pdf": "application/pdf",
    ".json": "application/json",
    ".xml": "application/xml",
    ".parquet": "application/vnd.apache.parquet",
    ".zip": "application/zip",
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the file",
        "content": {t: {"schema": {"type": "string", "format": "binary"}} for t in MEDIA_TYPES.values() if t != "application/json"}
        | {"application/json": {"schema": {}}},
    }
}
SCHEMA: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/schema+json": {"schema": {"type": "object"}}, "application/xml": {"schema": {"type": "string"}}}}
}
JOB: dict[int | str, dict[str, Any]] = {202: {"model": ExportJob, "description": "a job; the header Location says where it is looked at"}}

Pools = Annotated[Database, Depends(database)]
Reader = Annotated[Caller, Depends(require(Permission.REPORTS_READ))]
Exporter = Annotated[Caller, Depends(require(Permission.REPORTS_EXPORT))]
Id = Annotated[Text, Path(description="of a report, as D01", examples=["D01"])]
ExportId = Annotated[UUID, Path(description="of the job")]
Key = Annotated[
    IdempotencyKey,
    Header(alias="Idempotency-Key", description="the caller's own name for this request: sent again with it, nothing is done twice"),
]
Prefer = Annotated[str | None, Header(max_length=200, description="respond-async: always a job")]


@router.get("", summary="Which reports there are", responses=problems(422))
def list_reports(_: Reader, group: Group | None = None) -> Catalogue:
    """Each with what a row is of, its columns, their types and units, and the periods that it has."""
    return service.listed(group)


@router.get("/consumption", summary="Consumption of consumers (C01)", response_model=ReportRows, responses=problems(404, 409, 422))
def get_consumption(asked: ConsumptionQuery, pools: Pools, caller: Reader) -> Response:
    return as_json(service.consumption(pools, caller, asked))


@router.get(
    "/losses", summary="Losses of DTs, feeders, areas; the AT&C statement", response_model=ReportRows, responses=problems(404, 409, 422)
)
def get_losses(asked: LossesQuery, pools: Pools, caller: Reader) -> Response:
    return as_json(service.losses(pools, caller, asked))


@router.post("/export", status_code=202, summary="Several reports as files, as a job", responses=problems(400, 404, 409, 422))
def export_many(asked: ManyAsked, request: Request, response: Response, pools: Pools, caller: Exporter, key: Key) -> ExportJob:
    """More than one file come as one ZIP. One report that cannot be given is said in `contents`; the others are there."""
    job, _ = service.export_many(pools, caller, asked, key)
    response.headers["Location"] = f"{PREFIX}/{job.export_id}"
    return _accepted(request, job)


@router.get("/exports", summary="Your exports, the newest first", responses=problems(422))
def list_exports(pools: Pools, caller: Exporter, size: Annotated[int, Query(ge=1, le=100)] = 20) -> list[ExportJob]:
    return [_described(job) for job in exports.listed(pools, caller, size)]


@router.get("/exports/{export_id}", summary="How an export stands, and where its file is", responses=problems(404, 422))
def get_export(export_id: ExportId, pools: Pools, caller: Exporter) -> ExportJob:
    """Once it is done, `download` opens the file for a while, without other credentials. Each look gives a new link."""
    return _described(exports.get(pools, caller, export_id))


@router.delete("/exports/{export_id}", summary="Cancel an export, or give up its file", responses=problems(404, 422))
def end_export(export_id: ExportId, pools: Pools, caller: Exporter) -> ExportJob:
    return _described(exports.end(pools, caller, export_id))


@router.get(
    "/exports/{export_id}/file",
    summary="The file of an export, by its link",
    response_class=FileResponse,
    responses=FILE | problems(410),
)
def get_file(
    export_id: Annotated[str, Path(description="of the job")],
    request: Request,
    pools: Pools,
    token: Annotated[str, Query(description="of the link")] = "",
) -> Response:
    """Opened by the link alone, which is for one file and a while."""
    try:
        job, path = exports.opened(pools, export_id, token)
    except Problem:
        _note(request, None, "refused")
        raise
    _note(request, job, "allowed")
    return _file(path, {"ETag": f'"{job.file_sha256}"'}, None)


@router.get("/{id}", summary="Rows of a report", response_model=ReportRows, responses=problems(404, 409, 422))
def get_report(id: Id, asked: RowsQuery, pools: Pools, caller: Reader) -> Response:
    """In the order of its key, a page at a time. Rows and sums are those of what you may see."""
    return as_json(service.rows(pools, caller, service.found(id), asked))


@router.get("/{id}/description", summary="What a report is", responses=problems(404, 422))
def describe_report(id: Id, _: Reader) -> ReportInfo:
    return service.info(service.found(id))


@router.get(
    "/{id}/schema",
    summary="JSON Schema of its records, or with format=xsd the XML Schema of its file",
    response_class=Response,
    responses=SCHEMA | problems(404, 422),
)
def get_schema(id: Id, _: Reader, format: Annotated[str, Query(pattern="^(json|xsd)$")] = "json") -> Response:
    if format == "xsd":
        return Response(service.xml_schema(id), media_type="application/xml")
    return JSONResponse(service.json_schema(id), media_type="application/schema+json")


@router.get("/{id}/export", summary="A report as a file", response_class=FileResponse, responses=FILE | JOB | problems(404, 409, 422))
def export_report(id: Id, asked: ExportQuery, request: Request, pools: Pools, caller: Exporter, prefer: Prefer = None) -> Response:
    """At once where it is small; else 202 and a job. Asked for again before that has ended, it is the same job."""
    made = service.export(pools, caller, id, asked, later=bool(prefer and "respond-async" in prefer))
    if isinstance(made, service.Ready):
        return _file(made.path, {}, BackgroundTask(store.remove, made.folder))
    described = _accepted(request, made[0])
    return Response(described.model_dump_json(), 202, {"Location": f"{PREFIX}/{described.id}"}, "application/json")


def _accepted(request: Request, job: Export) -> ExportJob:
    if worker.wanted():
        at_work: Worker = request.app.state.exports
        at_work.wake()
    return _described(job)


def _described(job: Export) -> ExportJob:
    return service.described(job, link_to=f"{PREFIX}/{job.export_id}/file")


def _file(path: Any, headers: dict[str, str], afterwards: BackgroundTask | None) -> FileResponse:
    said = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff", **headers}
    return FileResponse(path, 200, said, MEDIA_TYPES[path.suffix], afterwards, path.name)


def _note(request: Request, job: Export | None, outcome: Any) -> None:
    """A link has no caller that `require` could note."""
    log: AccessLog = request.app.state.access_log
    log.note(
        Decision(
            job.discom_id if job else None,
            job.requested_by if job else None,
            "reports:download",
            outcome,
            request.method,
            request.url.path[:500],
            getattr(request.state, "request_id", None),
            request.client.host if request.client else None,
        )
    )
