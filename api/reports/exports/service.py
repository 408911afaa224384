"""Jobs for whoever asked for them: accept, look, cancel, fetch. No HTTP paths, no SQL, no files made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from api.auth import Caller, Permission, Scope, tokens
from api.auth.standing import covers, held_now
from api.database import Database
from api.errors import Problem
from api.reports.exports import repository, store
from api.reports.exports.model import Cut
from api.reports.exports.repository import Export

MOST_OF_CALLER = 5
MOST_OF_DISCOM = 50
"""Jobs that are not finished."""
LINK_FOR = timedelta(minutes=15)
PURPOSE = "report-export"


@dataclass(frozen=True)
class Asked:
    """What a job shall make, of which rows (no more than the caller's); `permission` must be held still when it is made and fetched."""

    source: str
    what: dict[str, Any]
    """As JSON, whatever the source understands; the same request gives the same."""
    scope: Scope
    permission: Permission
    rows_estimated: int | None = None


@dataclass(frozen=True)
class Link:
    token: str
    expires_at: datetime


def submit(pools: Database, caller: Caller, asked: Asked, key: str | None) -> tuple[Export, bool]:
    """The job, and whether it is new: the same key with the same request gives the same job again. Without a key, a job of the same caller
    for the same that is not finished is given.

    Raises Problem: 409 the key was used for something else, 429 too many jobs.
    """
    digest = _digest(asked)
    with pools.tenant(caller) as conn:
        earlier = repository.of_key(conn, caller.subject, key) if key else repository.alike(conn, caller.subject, digest)
        if earlier is None:
            _check_room(*repository.unfinished(conn, caller.discom_id, caller.subject))
            made = repository.insert(
                conn,
                discom_id=caller.discom_id,
                source=asked.source,
                what=asked.what,
                digest=digest,
                key=key,
                subject=caller.subject,
                account_id=caller.identity.account_id,
                requested_by=caller.who,
                permission=asked.permission,
                scope=asked.scope,
                rows_estimated=asked.rows_estimated,
            )
            if made:
                job = repository.of_caller(conn, made, caller.subject)
                assert job, "it was made in this transaction"
                return job, True
            assert key, "nothing else can be in the way"
            earlier = repository.of_key(conn, caller.subject, key)
    if earlier is None or earlier.request_sha256 != digest:
        detail = "this Idempotency-Key came with another request: give each request its own"
        raise Problem(409, "KEY_REUSED", "The key was used before", detail)
    return earlier, False


def get(pools: Database, caller: Caller, export_id: UUID) -> Export:
    """Raises Problem 404, also for another caller's."""
    with pools.tenant(caller) as conn:
        job = repository.of_caller(conn, export_id, caller.subject)
    if job is None:
        raise _unknown(export_id)
    return job


def listed(pools: Database, caller: Caller, limit: int) -> list[Export]:
    """The caller's own, the newest first."""
    with pools.tenant(caller) as conn:
        return repository.latest(conn, caller.subject, limit)


def end(pools: Database, caller: Caller, export_id: UUID) -> Export:
    """Cancel it, or give up its file. Raises Problem 404."""
    with pools.tenant(caller) as conn:
        if repository.of_caller(conn, export_id, caller.subject) is None:
            raise _unknown(export_id)
        repository.end(conn, export_id)
        job = repository.of_caller(conn, export_id, caller.subject)
    assert job
    return job


def link(job: Export, now: datetime | None = None) -> Link | None:
    """A text that opens the file of a job that is done, for a while, to whoever shows it. `now` is aware."""
    now = now or datetime.now(UTC)
    if job.state != "done" or job.expires_at is None or job.expires_at <= now:
        return None
    until = min(now + LINK_FOR, job.expires_at)
    claims: dict[str, str | int] = {"discom": job.discom_id, "sub": str(job.export_id), "sha256": job.file_sha256 or ""}
    return Link(tokens.seal(PURPOSE, claims, until), until)


def opened(pools: Database, export_id: str, token: str) -> tuple[Export, Path]:
    """The job and the file that a link opens.

    Raises Problem: 401 no link of ours for this, or over, or its caller may have it no more; 410 the file is gone.
    """
    try:
        claims = tokens.unseal(PURPOSE, token)
        discom_id, signed_for = int(claims["discom"]), UUID(str(claims["sub"]))
    except (tokens.TokenError, KeyError, TypeError, ValueError):
        raise refused("this link is none of ours, or its time is over") from None
    if str(signed_for) != export_id:
        raise refused("this link is for another export")
    with pools.tenant(Cut(discom_id, Scope())) as conn:
        job = repository.of_caller(conn, signed_for, None)
    path = store.path_of(job.file) if job and job.state == "done" and job.file else None
    if job is None or path is None or job.file_sha256 != claims.get("sha256"):
        raise Problem(410, "EXPORT_GONE", "The file is gone", "files of exports are kept for a while: ask for the export anew")
    if not covers(held_now(pools, discom_id, job.subject, job.account_id, Permission(job.permission)), job.scope):
        raise refused("who asked for this export may have it no more")
    return job, path


def refused(why: str) -> Problem:
    detail = f"{why}: take a new one from GET /api/v1/reports/exports/{{id}}"
    return Problem(401, "INVALID_LINK", "The link is not accepted", detail, headers={"WWW-Authenticate": "Link"})


def _digest(asked: Asked) -> bytes:
    said = {"source": asked.source, "what": asked.what, "offices": asked.scope.offices, "points": asked.scope.service_points}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def _check_room(of_caller: int, of_discom: int) -> None:
    if of_caller >= MOST_OF_CALLER or of_discom >= MOST_OF_DISCOM:
        whose, n = ("you have", of_caller) if of_caller >= MOST_OF_CALLER else ("your DISCOM has", of_discom)
        detail = f"{whose} {n} exports that are not finished: wait for one, or cancel it"
        raise Problem(429, "TOO_MANY_EXPORTS", "Too many exports", detail, headers={"Retry-After": "60"})


def _unknown(export_id: UUID) -> Problem:
    return Problem(404, "UNKNOWN_EXPORT", "No such export", f"you have no export {export_id}")
