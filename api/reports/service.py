"""Reports for one caller: what there is, a page of rows, a file at once or a job. No HTTP paths, no SQL."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg

from api.auth import Caller, Permission, Scope
from api.database import Database
from api.errors import Problem
from api.reports import of_catalogue, periods, repository
from api.reports.catalogue import GROUPS, Column, Kind, Report, ReportError, ReportNotBuiltError, catalogue
from api.reports.exports import Asked, Cut, store, submit
from api.reports.exports import service as exports
from api.reports.exports.repository import Export
from api.reports.files import chosen
from api.reports.formats.json_file import rows_as_json, schema
from api.reports.formats.xml_file import xsd
from api.reports.of_catalogue import Wanted
from api.reports.repository import ReportTooSlowError, Span, snapshot_of
from api.reports.schemas import (
    Catalogue,
    ColumnInfo,
    ConsumptionAsked,
    ExportAsked,
    ExportJob,
    ExportPart,
    Length,
    LossesAsked,
    ManyAsked,
    PeriodAsked,
    ReportInfo,
    RowsAsked,
)

ROWS_TIMEOUT_S = 20
AT_ONCE_ROWS = 20_000
AT_ONCE_TIMEOUT_S = 20
AT_ONCE = 2
"""Exports that a process makes while their requests wait; what comes beside them becomes a job."""
LONGEST = 3 * 366
"""Days that may be asked for at once."""
BY_LEVEL = {"dt": "D01", "feeder": "D02", "area": "D04", "atc": "D05"}
INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}

_at_once = threading.BoundedSemaphore(AT_ONCE)


# --- what there is ---


def listed(group: str | None) -> Catalogue:
    return Catalogue(groups=GROUPS, reports=[info(r) for r in catalogue().values() if group in (None, r.id[0])])


def info(r: Report) -> ReportInfo:
    return ReportInfo(
        id=r.id,
        name=r.title,
        group=r.id[0],  # type: ignore[arg-type]
        group_name=r.group,
        grain=r.grain,
        key=list(r.key),
        periods=list(r.lengths),  # type: ignore[arg-type]
        formula=r.formula,
        requirement=r.requirement,
        empty_because=r.unfed,
        columns=[_column(c) for c in r.columns],
    )


def found(report_id: str) -> Report:
    """D01 and d01 are the same. Raises Problem 404."""
    wanted = catalogue().get(report_id.upper())
    if wanted is None:
        raise Problem(404, "UNKNOWN_REPORT", "No such report", f"there is no report {report_id[:20]!r}: GET /api/v1/reports lists them")
    return wanted


def json_schema(report_id: str) -> dict[str, Any]:
    """Of the records of its JSON. Raises Problem 404."""
    return schema(found(report_id).columns)


def xml_schema(report_id: str) -> str:
    """Of its XML. Raises Problem 404."""
    r = found(report_id)
    return xsd(r.id, r.name, r.columns, r.key)


def _column(c: Column) -> ColumnInfo:
    return ColumnInfo(name=c.name, title=c.heading, type=c.kind.value, unit=c.unit, description=c.description)


# --- rows ---


def rows(pools: Database, caller: Caller, wanted: Report, asked: RowsAsked, equal: Mapping[str, str] | None = None) -> bytes:
    """A page as JSON (`ReportRows`). Raises Problem: 404 no such office, 409 never built, 422 bad period or cursor, or too slow."""
    after = _cursor(wanted, asked.after) if asked.after is not None else None
    with _said(wanted.name):
        seen = Cut(caller.discom_id, _narrowed(pools, caller, asked.office))
        with pools.snapshot(seen) as conn:
            s = snapshot_of(conn, caller.discom_id, ROWS_TIMEOUT_S)
            span = _span([wanted], asked, datetime.now(s.discom.timezone).date())
            try:
                page = s.page(wanted, span, equal or {}, after, asked.size + 1)
            except psycopg.DataError:
                raise _bad_cursor() from None
    more = len(page) > asked.size
    head = {
        "report": wanted.id,
        "name": wanted.title,
        "discom": s.discom.code,
        "office": asked.office,
        "time_zone": s.discom.timezone.key,
        "period": {"first": span.first, "last": span.last, "of": span.period},
        "columns": [_column(c).model_dump() for c in wanted.columns] if asked.describe else None,
        "rows": rows_as_json(wanted.columns, page[: asked.size], s.discom.timezone),
        "next": _next(wanted, page[asked.size - 1]) if more else None,
    }
    return orjson.dumps(head)


def consumption(pools: Database, caller: Caller, asked: ConsumptionAsked) -> bytes:
    """As `rows`, of C01."""
    equal = {"category": asked.category, "consumer": asked.consumer, "serial": asked.meter}
    return rows(pools, caller, found("C01"), asked, {k: v for k, v in equal.items() if v is not None})


def losses(pools: Database, caller: Caller, asked: LossesAsked) -> bytes:
    """As `rows`, of the report of the level."""
    if asked.method and asked.level != "atc":
        raise _invalid("method is of the AT&C statement: leave it out, or ask for level=atc")
    return rows(pools, caller, found(BY_LEVEL[asked.level]), asked, {"method": asked.method} if asked.method else {})


def _next(wanted: Report, row: tuple[Any, ...]) -> str:
    values = [row[wanted.position(name)] for name in wanted.key if name != "discom_id"]
    return base64.urlsafe_b64encode(orjson.dumps([wanted.id, values], default=str)).decode().rstrip("=")


def _cursor(wanted: Report, text: str) -> list[Any]:
    columns = [wanted.columns[wanted.position(name)] for name in wanted.key if name != "discom_id"]
    try:
        report_id, values = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if report_id != wanted.id or len(values) != len(columns):
            raise ValueError
        return [_value(c, v) for c, v in zip(columns, values, strict=True)]
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _bad_cursor() from None


def _value(c: Column, value: Any) -> Any:
    match c.kind:
        case Kind.DATE:
            return date.fromisoformat(value)
        case Kind.STAMP:
            stamp = datetime.fromisoformat(value)
            if stamp.tzinfo is None:
                raise ValueError
            return stamp
        case Kind.INTEGER if isinstance(value, int) and abs(value) < INTEGERS[c.data_type]:
            return value
        case Kind.TEXT if isinstance(value, str) and "\x00" not in value:
            return value
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
    raise ValueError


# --- files ---


@dataclass(frozen=True)
class Ready:
    """A file that is sent at once; its folder goes afterwards."""

    path: Path
    folder: Path


def export(pools: Database, caller: Caller, report_id: str, asked: ExportAsked, *, later: bool) -> Ready | tuple[Export, bool]:
    """The file, or where the report is large, `later` is asked for, or others are at it: a job, and whether it is new.

    Raises Problem as `rows`, and 429 too many jobs.
    """
    with _said(found(report_id).name):
        wanted, scope = _wanted(pools, caller, [found(report_id)], [asked.format], asked)
        with pools.snapshot(Cut(caller.discom_id, scope)) as conn:
            s = snapshot_of(conn, caller.discom_id, AT_ONCE_TIMEOUT_S)
            estimated = s.estimate(wanted.reports[0], wanted.span)
        if not later and estimated <= AT_ONCE_ROWS and (ready := _at_once_made(pools, Cut(caller.discom_id, scope), wanted)):
            return ready
    return _job(pools, caller, wanted, scope, estimated, None)


def export_many(pools: Database, caller: Caller, asked: ManyAsked, key: str) -> tuple[Export, bool]:
    """The job, and whether it is new. Raises Problem: 404 unknown report or office, 409 the key was used for something else, 422, 429."""
    for report_id in asked.reports:
        found(report_id)
    with _said("the reports"):
        wanted, scope = _wanted(pools, caller, chosen(asked.reports), list(dict.fromkeys(asked.formats)), asked)
    return _job(pools, caller, wanted, scope, None, key)


def described(job: Export, *, link_to: str) -> ExportJob:
    """A job as its owner sees it; `link_to` is the path of its file."""
    link = exports.link(job)
    return ExportJob(
        id=job.export_id,
        source=job.source,
        what=job.what,
        state=job.state,  # type: ignore[arg-type]
        rows=job.rows_done,
        rows_estimated=job.rows_estimated,
        attempts=job.attempts,
        error=job.error,
        requested_at=job.requested_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
        bytes=job.file_bytes,
        sha256=job.file_sha256,
        contents=[ExportPart(**c) for c in job.contents or []],
        download=f"{link_to}?token={link.token}" if link else None,
        download_expires_at=link.expires_at if link else None,
    )


def _wanted(pools: Database, caller: Caller, reports: list[Report], formats: list[str], asked: PeriodAsked) -> tuple[Wanted, Scope]:
    scope = _narrowed(pools, caller, asked.office)
    with pools.snapshot(Cut(caller.discom_id, scope)) as conn:
        zone = snapshot_of(conn, caller.discom_id, ROWS_TIMEOUT_S).discom.timezone
    span = _span(reports, asked, datetime.now(zone).date())
    periods.check(span.first, span.last, zone, datetime.now(UTC))
    return Wanted(tuple(reports), tuple(formats), span), scope


def _at_once_made(pools: Database, seen: Cut, wanted: Wanted) -> Ready | None:
    """None where it turns out to be large or slow, or the process has enough to do. Raises ReportError."""
    if not _at_once.acquire(blocking=False):
        return None
    folder = store.at_once()
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if done > AT_ONCE_ROWS:
            raise _LargeError

    ready = None
    try:
        with pools.snapshot(seen) as conn:
            (written,) = of_catalogue.write(conn, seen.discom_id, wanted, folder, AT_ONCE_TIMEOUT_S, count)
        if written.too_slow:
            return None
        if written.error:
            raise ReportError(written.error)
        (part,) = of_catalogue.parts(written, wanted)
        assert part.path, "it has no error"
        ready = Ready(part.path, folder)
        return ready
    except _LargeError:
        return None
    finally:
        _at_once.release()
        if ready is None:
            store.remove(folder)


class _LargeError(Exception):
    """More rows than are sent at once."""


def _job(pools: Database, caller: Caller, wanted: Wanted, scope: Scope, estimated: int | None, key: str | None) -> tuple[Export, bool]:
    asked = Asked("reports", wanted.as_json(), scope, Permission.REPORTS_EXPORT, estimated)
    return submit(pools, caller, asked, key)


# --- what is asked for ---


def _span(wanted: list[Report], asked: PeriodAsked, today: date) -> Span:
    """Raises Problem 422."""
    given: tuple[Length | None, date | None, date | None, date | None] = (asked.period, asked.start, asked.first, asked.last)
    for r in wanted:
        if asked.period and r.has("period") and asked.period not in r.lengths:
            raise _invalid(f"{r.name} has rows of {' and '.join(r.lengths)}, none of a {asked.period}")
    match given:
        case None, _, None, None if asked.start:
            raise _invalid("start is a day of a period: give period=day, week, month, quarter or financial_year with it")
        case length, start, None, None if length and start:
            first, last = periods.containing(length, start)
        case _, None, first, last if first and last:
            pass
        case _, None, None, None if not any(r.lengths for r in wanted):
            first = last = today
        case _:
            raise _invalid("give first and last, or period and start")
    if last < first:
        raise _invalid(f"the period ends ({last}) before it begins ({first}): give the earlier day first")
    if (last - first).days > LONGEST:
        raise _invalid(f"{first} to {last} is more than {LONGEST} days: ask for a shorter period")
    return Span(first, last, asked.period)


def _narrowed(pools: Database, caller: Caller, office: str | None) -> Scope:
    """What the caller sees of an office. Raises Problem 404, also where that is nothing."""
    if office is None:
        return caller.scope
    with pools.tenant(caller) as conn:
        below = repository.offices_below(conn, caller.discom_id, office)
        offices = below if caller.scope.whole else [o for o in below if o in (caller.scope.offices or ())]
        points = repository.service_points_of(conn, caller.discom_id, below, caller.scope.service_points or ())
    if not offices and not points:
        raise Problem(404, "UNKNOWN_OFFICE", "No such office", f"there is no office {office!r} of which you may see anything")
    return Scope(tuple(offices), tuple(points))


@contextmanager
def _said(what: str) -> Iterator[None]:
    """What goes wrong with a report, as an answer."""
    try:
        yield
    except ReportNotBuiltError as e:
        raise Problem(409, "NOT_BUILT", "Not there yet", str(e)) from None
    except ReportTooSlowError as e:
        raise Problem(422, "TOO_SLOW", "This takes too long", f"{e}, or ask for an export as a job") from None
    except ReportError as e:
        raise Problem(422, "NOT_POSSIBLE", f"{what} cannot be given", str(e)) from None


def _invalid(detail: str) -> Problem:
    return Problem(422, "INVALID_PERIOD", "The request is not valid", detail)


def _bad_cursor() -> Problem:
    detail = "after cannot be read: use `next` of the page before, of the same report"
    return Problem(422, "UNKNOWN_CURSOR", "The request is not valid", detail)
