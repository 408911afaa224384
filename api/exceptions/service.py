"""The queue for one caller: a transaction of the tenant, and what goes wrong as an answer. No HTTP paths, no SQL."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from api.auth import Caller
from api.database import Database
from api.errors import Problem
from api.exceptions.schemas import (
    Action,
    Assign,
    Bulk,
    BulkDone,
    Case,
    CaseInFull,
    Close,
    Comment,
    ExceptionPage,
    MeterDay,
    Page,
    Reopen,
    SummaryLine,
    Take,
    Wait,
)
from api.paging import cursor, read_cursor
from vee.exceptions import repository, settings
from vee.exceptions.repository import Filter
from vee.exceptions.service import CaseConflictError, Desk, UnknownCaseError

MAX_ID = 2**63 - 1
MAX_MEMBERS = 1_000
LONGEST_RANGE = timedelta(days=92)


def listed(pools: Database, caller: Caller, wanted: Filter, after: int | None, size: int) -> Page:
    """A page of the queue. Raises Problem 422 where the cursor is no case."""
    sla_h = settings.load(caller.discom).sla_h
    with pools.tenant(caller) as conn:
        if after is not None and repository.case(conn, after, sla_h) is None:
            raise Problem(422, "UNKNOWN_CURSOR", "The request is not valid", f"after {after} is no case: use `next` of the page before")
        rows = repository.page(conn, wanted, sla_h, after, size + 1)
    return Page(items=[Case(**row) for row in rows[:size]], next=rows[size - 1]["id"] if len(rows) > size else None)


def summary(pools: Database, caller: Caller) -> list[SummaryLine]:
    with pools.tenant(caller) as conn:
        return [SummaryLine(**row) for row in repository.summary(conn, settings.load(caller.discom).sla_h)]


def get(pools: Database, caller: Caller, case_id: int) -> CaseInFull:
    """Raises Problem 404, also for another tenant's."""
    with pools.tenant(caller) as conn:
        row = repository.case(conn, case_id, settings.load(caller.discom).sla_h)
        if row is None:
            raise _unknown(f"there is no case {case_id}")
        members = repository.members(conn, case_id, MAX_MEMBERS)
        return CaseInFull(**row, exceptions=[_meter_day(m) for m in members], audit=repository.audit(conn, case_id))  # type: ignore[arg-type]


def act(pools: Database, caller: Caller, case_id: int, action: Action) -> Case:
    """Raises Problem: 404, 409 where the case is not in a state for it or somebody was quicker."""
    with _desk(pools, caller) as desk:
        match action:
            case Take():
                desk.take(case_id)
            case Assign():
                desk.assign(case_id, action.assignee, action.note)
            case Wait():
                desk.wait(case_id, action.reason, action.until)
            case Comment():
                desk.comment(case_id, action.note)
            case Close():
                desk.close(case_id, action.resolution, action.note)
            case Reopen():
                desk.reopen(case_id, action.note)
        row = repository.case(desk.conn, case_id, settings.load(caller.discom).sla_h)
    assert row is not None, "it is locked, and nobody deletes cases"
    return Case(**row)


def bulk(pools: Database, caller: Caller, asked: Bulk) -> BulkDone:
    """Raises Problem 409 where the count differs: nothing is done then."""
    action = asked.action
    with _desk(pools, caller) as desk:
        cases, exceptions = desk.bulk(
            asked.filter.filter, asked.expected, settings.load(caller.discom), action.do, **action.model_dump(exclude={"do"})
        )
    return BulkDone(cases=cases, exceptions=exceptions)


def exceptions(
    pools: Database,
    caller: Caller,
    first: date,
    last: date,
    *,
    meter: str | None,
    rule: str | None,
    state: str | None,
    updated_since: datetime | None,
    after: str | None,
    size: int,
) -> ExceptionPage:
    """Rows of vee.exception. Raises Problem 422 where the days or the cursor are no good."""
    if not timedelta() <= last - first <= LONGEST_RANGE:
        detail = f"give the first day first, and at most {LONGEST_RANGE.days} days"
        raise Problem(422, "WRONG_DAYS", "The request is not valid", detail)
    with pools.tenant(caller) as conn:
        rows = repository.exceptions(
            conn,
            first,
            last,
            meter=meter,
            rule=rule,
            state=state,
            updated_since=updated_since,
            after=read_cursor(after, date, str, str, str) if after is not None else None,
            size=size + 1,
        )
    page = [_meter_day(row) for row in rows[:size]]
    following = cursor(page[-1].day, page[-1].meter, page[-1].rule, page[-1].stage) if len(rows) > size else None
    return ExceptionPage(items=page, next=following)


def _meter_day(row: dict[str, object]) -> MeterDay:
    value = row["value"]
    # JSON has no infinity: a share of nothing is not a number either.
    return MeterDay(**{**row, "value": value if isinstance(value, float) and math.isfinite(value) else None})  # type: ignore[arg-type]


@contextmanager
def _desk(pools: Database, caller: Caller) -> Iterator[Desk]:
    try:
        with pools.tenant(caller) as conn:
            yield Desk(conn, caller.discom_id, caller.name, caller.who)
    except UnknownCaseError as e:
        raise _unknown(str(e)) from None
    except CaseConflictError as e:
        raise Problem(409, e.code, "Not possible now", str(e)) from None


def _unknown(detail: str) -> Problem:
    return Problem(404, "UNKNOWN_CASE", "No such case", detail)
