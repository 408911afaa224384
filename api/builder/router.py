"""/api/v1/builder: datasets, previews, and the reports that people save."""

from __future__ import annotations

import base64
import shutil
import tempfile
from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Response, status
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from api.auth import Caller, Permission, database, require
from api.builder import service
from api.builder.schemas import (
    Answer,
    CloneRequest,
    Config,
    ConfigPage,
    DatasetLine,
    DatasetName,
    DatasetOut,
    Days,
    Format,
    Plan,
    Saved,
    Version,
    VersionLine,
)
from api.builder.schemas import Query as BuilderQuery
from api.database import Database
from api.errors import problems

router = APIRouter(prefix="/api/v1/builder", tags=["report builder"], responses=problems(401, 403, 429, 503))

Pools = Annotated[Database, Depends(database)]
User = Annotated[Caller, Depends(require(Permission.BUILDER_USE))]
Id = Annotated[int, Path(ge=1, le=service.MAX_ID)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="of the version")]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=500, description="ETag of what is changed; compulsory")]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=500)]

JSON = "application/json"
MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": JSON,
    "xml": "application/xml",
    "pdf": "application/pdf",
    "parquet": "application/vnd.apache.parquet",
}


@router.get("/datasets", summary="Datasets that reports are built over")
def list_datasets(caller: User) -> list[DatasetLine]:
    """All of them. To read one needs beside builder:use what its data needs: reports:read, energy:read or meters:read."""
    return service.listed()


@router.get("/datasets/{name}", summary="A dataset with its columns and what may be done with each", responses=problems(404, 422))
def get_dataset(name: Annotated[DatasetName, Path()], caller: User) -> DatasetOut:
    return service.described(name)


@router.post("/preview", summary="Run a query and give its first rows", response_model=Answer, responses=problems(409, 422))
def preview(query: BuilderQuery, pools: Pools, caller: User) -> Response:
    """At most 1,000 rows, of those that the caller may see."""
    return Response(service.preview(pools, caller, query), media_type=JSON)


@router.post("/explain", summary="What a query would be and cost, without running it", responses=problems(409, 422))
def explain(query: BuilderQuery, pools: Pools, caller: User) -> Plan:
    return service.explain(pools, caller, query)


@router.get("/reports", summary="Saved reports that the caller may run", responses=problems(422))
def list_reports(
    pools: Pools,
    caller: User,
    own: Annotated[bool | None, Query(description="the caller's own alone, or those of others alone")] = None,
    dataset: Annotated[DatasetName | None, Query()] = None,
    after: Annotated[int, Query(ge=0, le=service.MAX_ID, description="`next` of the page before")] = 0,
    size: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ConfigPage:
    return service.configs(pools, caller, after, size, own=own, dataset=dataset)


@router.post("/reports", status_code=status.HTTP_201_CREATED, summary="Save a report", responses=problems(409, 422))
def create(saved: Saved, pools: Pools, caller: User, response: Response) -> Config:
    """Private, or shared (which needs builder:share): others run it under their own rights, never under the owner's."""
    return _tagged(service.create(pools, caller, saved), response)


@router.get(
    "/reports/{id}",
    summary="A saved report",
    responses={**problems(404, 422), 304: {"description": "as in If-None-Match"}},
    response_model=Config,
)
def get(id: Id, pools: Pools, caller: User, response: Response, if_none_match: IfNoneMatch = None) -> Config | Response:
    found = service.config(pools, caller, id)
    tag = service.etag(found)
    if if_none_match and tag in [t.strip().removeprefix("W/") for t in if_none_match.split(",")]:
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
    return _tagged(found, response)


@router.put("/reports/{id}", summary="Save the next version of a report", responses=problems(404, 412, 422, 428))
def update(id: Id, saved: Saved, pools: Pools, caller: User, response: Response, if_match: IfMatch = None) -> Config:
    """Its owner alone may. 412 where it was changed since the ETag of If-Match was given."""
    return _tagged(service.update(pools, caller, id, saved, if_match), response)


@router.delete("/reports/{id}", status_code=status.HTTP_204_NO_CONTENT, summary="Delete a report", responses=problems(404, 412, 422, 428))
def delete(id: Id, pools: Pools, caller: User, if_match: IfMatch = None) -> None:
    service.delete(pools, caller, id, if_match)


@router.get("/reports/{id}/versions", summary="Versions of a report, the newest first", responses=problems(404, 422))
def list_versions(id: Id, pools: Pools, caller: User) -> list[VersionLine]:
    return service.versions(pools, caller, id)


@router.get("/reports/{id}/versions/{number}", summary="A version of a report", responses=problems(404, 422))
def get_version(id: Id, number: Number, pools: Pools, caller: User) -> Version:
    return service.version(pools, caller, id, number)


@router.post("/reports/{id}/versions/{number}/restore", summary="Make a version the next one again", responses=problems(404, 412, 422, 428))
def restore(id: Id, number: Number, pools: Pools, caller: User, response: Response, if_match: IfMatch = None) -> Config:
    """Whom it is shared with stays as it is."""
    return _tagged(service.restore(pools, caller, id, number, if_match), response)


@router.post(
    "/reports/{id}/clone",
    status_code=status.HTTP_201_CREATED,
    summary="Copy a report to one of your own",
    responses=problems(404, 409, 422),
)
def clone(id: Id, pools: Pools, caller: User, response: Response, asked: CloneRequest | None = None) -> Config:
    """Private, whoever the other is shared with."""
    return _tagged(service.clone(pools, caller, id, asked.name if asked else None), response)


@router.post("/reports/{id}/run", summary="Run a saved report", response_model=Answer, responses=problems(404, 409, 422))
def run(id: Id, pools: Pools, caller: User, days: Days | None = None) -> Response:
    """At most 10,000 rows. Days in the body take the place of what its filters say of the dataset's days."""
    return Response(service.run(pools, caller, id, days), media_type=JSON)


@router.get(
    "/reports/{id}/export",
    summary="A saved report as a file",
    response_class=FileResponse,
    responses={**problems(404, 409, 422), 200: {"content": {m: {} for m in MEDIA.values()}, "description": "the file"}},
)
def export(
    id: Id,
    pools: Pools,
    caller: User,
    format: Annotated[Format, Query()] = "xlsx",
) -> FileResponse:
    """At most 1,000,000 rows. Needs reports:export."""
    folder = Folder(tempfile.mkdtemp(prefix="meterhouse-builder-"))
    try:
        files, found = service.export(pools, caller, id, [format], None, folder)
        (file,) = (f for f in files if f.path.suffix == f".{format}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    headers = {"X-Rows": str(found.rows), "Content-Digest": f"sha-256=:{_base64(file.sha256)}:"}
    cleared = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(file.path, media_type=MEDIA[format], filename=file.path.name, headers=headers, background=cleared)


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def _tagged(config: Config, response: Response) -> Config:
    response.headers["ETag"] = service.etag(config)
    return config
