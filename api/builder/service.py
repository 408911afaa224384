"""What a caller may do with datasets and saved reports, and what goes wrong as an answer. No HTTP paths, no SQL.

A report runs under the rights of who runs it, whoever saved it: it sees the rows where the caller holds both builder:use and what the
dataset itself needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import psycopg

from api.auth import Caller, Permission
from api.auth.caller import Scope
from api.builder import limits, repository
from api.builder.catalogue import Dataset, Field, datasets
from api.builder.compile import Compiled, Output, QueryError, compile_query, operators
from api.builder.limits import Limit
from api.builder.repository import Plan
from api.builder.schemas import (
    Answer,
    AnswerColumn,
    ColumnOut,
    Config,
    ConfigLine,
    ConfigPage,
    DatasetLine,
    DatasetOut,
    Days,
    Query,
    RatioOut,
    Saved,
    Version,
    VersionLine,
)
from api.builder.schemas import Plan as PlanOut
from api.database import Database
from api.errors import Problem
from api.reports.catalogue import Report
from api.reports.charts import Chart, Ranking, Series
from api.reports.files import UNSAFE, File, write_rows
from api.reports.formats.writer import About, Found, plain, real
from api.reports.repository import Discom, Span

MAX_ID = 2**63 - 1
WAIT_S = 5.0
"""How long a query waits for others to end before it is turned away."""
NARROWING = ("office", "office_id", "feeder", "feeder_id", "dt", "dt_id", "serial", "meter_id", "consumer", "consumer_id", "category")
"""Columns of which a filter makes a query read less, the widest first."""


# --- the catalogue ---


def listed() -> list[DatasetLine]:
    return [_line(d) for d in datasets().values()]


def described(name: str) -> DatasetOut:
    """Raises Problem 404."""
    found = datasets().get(name)
    if found is None:
        raise Problem(404, "UNKNOWN_DATASET", "Not found", "there is no such dataset: see GET /api/v1/builder/datasets")
    return DatasetOut(
        **_line(found).model_dump(),
        time_column=found.time,
        max_days=found.max_days if found.time else None,
        key=list(found.key),
        overlap=list(found.overlap),
        fields=[_column(f) for f in found.fields.values()],
    )


def _line(d: Dataset) -> DatasetLine:
    return DatasetLine(
        name=d.name, title=d.title, grain=d.grain, description=d.description, report=d.report, unfed=d.unfed, columns=len(d.fields)
    )


def _column(f: Field) -> ColumnOut:
    return ColumnOut(
        name=f.name,
        title=f.column.heading,
        type=f.kind.value,
        data_type=f.column.data_type,
        unit=f.column.unit,
        description=f.column.description,
        aggregates=list(f.aggregates),
        periods=list(f.periods),
        operators=operators(f),
        ratio=RatioOut(of=list(f.ratio.of), to=list(f.ratio.to), times=f.ratio.times) if f.ratio else None,
    )


# --- running ---


def preview(pools: Database, caller: Caller, query: Query) -> bytes:
    """An `Answer` as JSON, of few rows. Raises Problem."""
    return _run(pools, caller, query, limits.of_preview(), "body.")


def explain(pools: Database, caller: Caller, query: Query) -> PlanOut:
    """Raises Problem."""
    limit = limits.of_preview()
    allowed = narrowed(caller, _dataset(query))
    with _in_words(limit), pools.tenant(allowed, many=True) as conn:
        _, compiled = _compiled(conn, allowed, query, limit, "body.", None)
        repository.read_only(conn, limit)
        plan = repository.plan(conn, compiled)
    parameters = {k: v if isinstance(v, int | float | str | list) else str(v) for k, v in compiled.parameters.items()}
    parameters = {
        k: [x if isinstance(x, int | float | str) else str(x) for x in v] if isinstance(v, list) else v for k, v in parameters.items()
    }
    return PlanOut(
        sql=compiled.sql,
        parameters=parameters,
        cost=plan.cost,
        rows=plan.rows,
        max_cost=limit.cost,
        columns=[_answer_column(o) for o in compiled.outputs],
    )


def _run(pools: Database, caller: Caller, query: Query, limit: Limit, prefix: str, days: Days | None = None) -> bytes:
    allowed = narrowed(caller, _dataset(query))
    with _in_words(limit), pools.tenant(allowed, many=True) as conn:
        discom, compiled = _compiled(conn, allowed, query, limit, prefix, days)
        repository.read_only(conn, limit)
        plan = repository.plan(conn, compiled)
        check_cost(plan, compiled, limit)
        rows = repository.rows(conn, compiled)
    most = min(limit.rows, query.limit or limit.rows)
    answer = Answer(
        dataset=compiled.dataset.name,
        title=compiled.dataset.title,
        columns=[_answer_column(o) for o in compiled.outputs],
        rows=[],
        truncated=len(rows) > most,
        first=compiled.first,
        last=compiled.last,
        time_zone=discom.timezone.key,
        chart=query.chart,
        cost=plan.cost,
    ).model_dump(mode="json")
    return orjson.dumps({**answer, "rows": [[_said(v, discom) for v in row] for row in rows[:most]]})


def _said(value: Any, discom: Discom) -> Any:
    """A value as JSON has it: decimals keep their digits, stamps are in the DISCOM's time zone, what is no number is nothing."""
    if isinstance(value, float):
        return real(value)
    if isinstance(value, Decimal):
        return orjson.Fragment(plain(value)) if value.is_finite() else None
    if isinstance(value, datetime):
        return value.astimezone(discom.timezone)
    return value


def _answer_column(o: Output) -> AnswerColumn:
    return AnswerColumn(name=o.name, title=o.heading, type=o.kind.value, unit=o.unit, description=o.description)


def _dataset(query: Query, prefix: str = "body.") -> Dataset:
    found = datasets().get(query.dataset)
    if found is None:
        raise invalid([("dataset", f"there is no dataset {query.dataset}: see GET /api/v1/builder/datasets")], prefix)
    return found


def narrowed(caller: Caller, dataset: Dataset) -> Caller:
    """The caller where it holds what the dataset needs as well. Raises Problem 403."""
    held = caller.identity.scope(dataset.permission)
    if held is None:
        detail = f"{dataset.name} needs the permission {dataset.permission}: ask the administrator of your DISCOM for a role that has it"
        raise Problem(403, "NOT_PERMITTED", "Not allowed", detail)
    return replace(caller, scope=_both(caller.scope, held))


def _both(one: Scope, other: Scope) -> Scope:
    if one.whole or other.whole:
        return other if one.whole else one
    offices, points = (tuple(sorted(set(getattr(one, n) or ()) & set(getattr(other, n) or ()))) for n in ("offices", "service_points"))
    return Scope(offices, points)


def _compiled(
    conn: psycopg.Connection, caller: Caller, query: Query, limit: Limit, prefix: str, days: Days | None, *, whole: bool = False
) -> tuple[Discom, Compiled]:
    discom = repository.discom(conn, caller.discom_id)
    try:
        now = datetime.now(UTC)
        return discom, compile_query(query, caller.discom_id, discom.timezone, now, max_rows=limit.rows, days=days, whole=whole)
    except QueryError as e:
        raise invalid(e.faults, prefix) from None


def invalid(faults: Sequence[tuple[str, str]], prefix: str) -> Problem:
    errors = [{"field": f"{prefix}{where}", "message": what} for where, what in faults]
    return Problem(422, "INVALID_QUERY", "The query is not valid", "correct the fields that are listed", errors=errors)


def check_cost(plan: Plan, query: Compiled, limit: Limit) -> None:
    """Raises Problem 422 where the server reckons that the query costs too much, with what would make it cheaper."""
    if plan.cost <= limit.cost:
        return
    dataset, advice = query.dataset, []
    if query.first and query.last and query.first != query.last:
        number = (query.last - query.first).days + 1
        advice.append(f"ask for fewer than the {number} days from {query.first} to {query.last}")
    if free := [c for c in NARROWING if c in dataset.fields and c not in query.filtered]:
        advice.append(f"filter {' or '.join(free[:4])}")
    advice.append("or take a dataset of fewer rows, as of days or months")
    reads = ", ".join(name for name, _ in plan.relations[:3])
    detail = f"it would cost {plan.cost:,.0f}, and {limit.cost:,.0f} is the most (it reads {reads}): {'; '.join(advice)}"
    raise Problem(422, "TOO_COSTLY", "The query costs too much", detail)


@contextmanager
def _in_words(limit: Limit) -> Iterator[None]:
    """Runs in the room that there is for queries. What the server refuses, said to whoever asked."""
    if not limits.room().acquire(timeout=WAIT_S):
        detail = "as many reports as this service runs at once are under way: try again in a moment"
        raise Problem(429, "TOO_MANY_QUERIES", "Too many reports at once", detail, headers={"Retry-After": "10"})
    try:
        yield
    except psycopg.errors.QueryCanceled:
        detail = f"it took longer than {limit.seconds:g} s: ask for fewer days, or filter an office, feeder, DT or meter"
        raise Problem(422, "TOO_SLOW", "The query takes too long", detail) from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        detail = "this dataset is not built as yet: it comes with the first day that is built"
        raise Problem(409, "NOT_BUILT", "Not there yet", detail) from None
    except psycopg.errors.DataError as e:
        detail = f"a figure is beyond what can be reckoned with ({e.diag.message_primary}): filter the rows that it is made of"
        raise Problem(422, "OUT_OF_RANGE", "The query is not valid", detail) from None
    finally:
        limits.room().release()


# --- saved reports ---


def configs(pools: Database, caller: Caller, after: int, size: int, *, own: bool | None, dataset: str | None) -> ConfigPage:
    with pools.tenant(caller) as conn:
        rows = repository.configs(conn, caller, after, size + 1, own=own, dataset=dataset)
    return ConfigPage(items=[_config_line(r) for r in rows[:size]], next=rows[size - 1]["id"] if len(rows) > size else None)


def config(pools: Database, caller: Caller, config_id: int) -> Config:
    """Raises Problem 404, also of what the caller may not see."""
    with pools.tenant(caller) as conn:
        return _config(_found(conn, caller, config_id))


def create(pools: Database, caller: Caller, saved: Saved) -> Config:
    """Raises Problem: 403 may not share, 409 has too many, 422."""
    with pools.tenant(caller) as conn:
        return _create(conn, caller, saved, None)


def _create(conn: psycopg.Connection, caller: Caller, saved: Saved, cloned_from: int | None) -> Config:
    _check(conn, caller, saved)
    if repository.count_own(conn, caller) >= repository.MAX_SAVED:
        raise Problem(409, "TOO_MANY", "Too many reports", f"you have {repository.MAX_SAVED} saved reports: delete some")
    office = _office(conn, caller, saved)
    new = repository.insert(conn, caller, _content(saved), saved.visibility, office, cloned_from)
    return _config(_found(conn, caller, new))


def update(pools: Database, caller: Caller, config_id: int, saved: Saved, if_match: str | None) -> Config:
    """Save the next version. Raises Problem: 403 not the owner's, or may not share; 404, 412, 422, 428."""
    with pools.tenant(caller) as conn:
        before = _own(conn, caller, config_id, if_match)
        _check(conn, caller, saved)
        sharing = (saved.visibility, _office(conn, caller, saved))
        repository.update(conn, caller, config_id, before["version"] + 1, _content(saved), sharing=sharing)
        return _config(_found(conn, caller, config_id))


def delete(pools: Database, caller: Caller, config_id: int, if_match: str | None) -> None:
    """Raises Problem: 403, 404, 412, 428."""
    with pools.tenant(caller) as conn:
        _own(conn, caller, config_id, if_match)
        repository.delete(conn, caller, config_id)


def versions(pools: Database, caller: Caller, config_id: int) -> list[VersionLine]:
    """The newest first. Raises Problem 404."""
    with pools.tenant(caller) as conn:
        _found(conn, caller, config_id)
        return [VersionLine(**v) for v in repository.versions(conn, config_id)]


def version(pools: Database, caller: Caller, config_id: int, number: int) -> Version:
    """Raises Problem 404."""
    with pools.tenant(caller) as conn:
        _found(conn, caller, config_id)
        return Version(**_version(conn, config_id, number))


def restore(pools: Database, caller: Caller, config_id: int, number: int, if_match: str | None) -> Config:
    """What a version held, as the next version; whom it is shared with stays. Raises Problem: 403, 404, 412, 428."""
    with pools.tenant(caller) as conn:
        before = _own(conn, caller, config_id, if_match)
        old = _version(conn, config_id, number)
        repository.update(conn, caller, config_id, before["version"] + 1, old, restored_from=number)
        return _config(_found(conn, caller, config_id))


def clone(pools: Database, caller: Caller, config_id: int, name: str | None) -> Config:
    """A private copy of the caller's own. Raises Problem: 404, 409."""
    with pools.tenant(caller) as conn:
        of = _found(conn, caller, config_id)
        saved = Saved(name=name or f"Copy of {of['name']}"[:120], description=of["description"], query=_query(of), office=None)
        return _create(conn, caller, saved, config_id)


def run(pools: Database, caller: Caller, config_id: int, days: Days | None) -> bytes:
    """An `Answer` as JSON. Raises Problem."""
    return _run(pools, caller, _query(_row(pools, caller, config_id)), limits.of_run(), "query.", days)


def etag(config: Config) -> str:
    return f'"{config.id}-{config.version}"'


def _found(conn: psycopg.Connection, caller: Caller, config_id: int, *, lock: bool = False) -> dict[str, Any]:
    found = repository.config(conn, caller, config_id, lock=lock)
    if found is None:
        raise Problem(404, "UNKNOWN_REPORT", "Not found", f"there is no saved report {config_id} that you may see")
    return found


def _row(pools: Database, caller: Caller, config_id: int) -> dict[str, Any]:
    with pools.tenant(caller) as conn:
        return _found(conn, caller, config_id)


def _own(conn: psycopg.Connection, caller: Caller, config_id: int, if_match: str | None) -> dict[str, Any]:
    """The report, locked, where it is the caller's own and as the caller saw it."""
    found = _found(conn, caller, config_id, lock=True)
    if not found["own"]:
        raise Problem(403, "NOT_THE_OWNER", "Not allowed", f"report {config_id} is {found['owner']}'s: clone it, and change your copy")
    if if_match is None:
        detail = "say in the header If-Match which state you change: the ETag that you were given with it"
        raise Problem(428, "IF_MATCH_MISSING", "Say what you change", detail)
    now = etag(_config(found))
    if if_match.strip() != "*" and now not in [t.strip().removeprefix("W/") for t in if_match.split(",")]:
        detail = f"report {config_id} is now in version {found['version']}: read it again, and put your change to that"
        raise Problem(412, "CHANGED_MEANWHILE", "Changed meanwhile", detail, headers={"ETag": now})
    return found


def _version(conn: psycopg.Connection, config_id: int, number: int) -> dict[str, Any]:
    found = repository.version(conn, config_id, number)
    if found is None:
        raise Problem(404, "UNKNOWN_VERSION", "Not found", f"report {config_id} has no version {number}")
    return found


def _check(conn: psycopg.Connection, caller: Caller, saved: Saved) -> None:
    """That it can run as it stands, for who saves it."""
    allowed = narrowed(caller, _dataset(saved.query, "body.query."))
    _compiled(conn, allowed, saved.query, limits.of_run(), "body.query.", None)


def _office(conn: psycopg.Connection, caller: Caller, saved: Saved) -> int | None:
    """office_id of the office that it is shared with, where the caller may share with it."""
    if saved.visibility == "private":
        return None
    held = caller.identity.scope(Permission.BUILDER_SHARE)
    if held is None:
        detail = f"to share a report needs the permission {Permission.BUILDER_SHARE}"
        raise Problem(403, "NOT_PERMITTED", "Not allowed", detail)
    office = repository.office_id(conn, saved.office) if saved.office is not None else None
    if saved.office is not None and office is None:
        raise invalid([("office", f"there is no office {saved.office}")], "body.")
    if not held.whole and (office is None or office not in (held.offices or ())):
        detail = "you may share for a part of the DISCOM: name an office of it"
        raise Problem(403, "NOT_PERMITTED_HERE", "Not allowed", detail)
    return office


def _content(saved: Saved) -> dict[str, Any]:
    query = saved.query.model_dump(mode="json", exclude_none=True)
    return {"name": saved.name, "description": saved.description, "query": query}


def _query(row: dict[str, Any]) -> Query:
    return Query.model_validate(row["query"])


def _config_line(row: dict[str, Any]) -> ConfigLine:
    return ConfigLine(**{k: row[k] for k in ConfigLine.model_fields if k in row}, dataset=row["query"]["dataset"])


def _config(row: dict[str, Any]) -> Config:
    return Config(**_config_line(row).model_dump(), query=_query(row))


# --- files ---


def export(
    pools: Database, caller: Caller, config_id: int, formats: Sequence[str], days: Days | None, folder: Path
) -> tuple[list[File], Found]:
    """A saved report as a file of each format in `folder`; beside XML stands its schema. Raises Problem."""
    row = _row(pools, caller, config_id)
    if caller.identity.scope(Permission.REPORTS_EXPORT) is None:
        detail = f"to export needs the permission {Permission.REPORTS_EXPORT}"
        raise Problem(403, "NOT_PERMITTED", "Not allowed", detail)
    query, limit = _query(row), limits.of_export()
    allowed = narrowed(caller, _dataset(query, "query."))
    with _in_words(limit), pools.tenant(allowed, many=True) as conn:
        discom, compiled = _compiled(conn, allowed, query, limit, "query.", days, whole=True)
        repository.read_only(conn, limit)
        check_cost(repository.plan(conn, compiled), compiled, limit)
        about = _about(row, query, compiled, discom)
        stem = f"{UNSAFE.sub('_', row['name'])[:60]}_{UNSAFE.sub('_', discom.code)}_{about.span.first}_{about.span.last}"
        with repository.chunks(conn, compiled) as taken:
            found, files = write_rows(about, _at_most(taken, limit), formats, folder, stem)
    return files, found


def _at_most(chunks: Iterator[list[tuple[Any, ...]]], limit: Limit) -> Iterator[list[tuple[Any, ...]]]:
    rows = 0
    for chunk in chunks:
        rows += len(chunk)
        if rows > limit.rows:
            detail = f"it has more than {limit.rows:,} rows, the most that a file holds: filter them, group them, or set a limit"
            raise Problem(422, "TOO_MANY_ROWS", "The report is too long", detail)
        yield chunk


def _about(row: dict[str, Any], query: Query, compiled: Compiled, discom: Discom) -> About:
    """A saved report as the formats know one."""
    dataset = compiled.dataset
    today = datetime.now(UTC).astimezone(discom.timezone).date()
    first: date = compiled.first or today
    groups = [o.name for o in compiled.outputs[: len(query.columns)]]
    grain = f"one row per {', '.join(groups) or 'report'}" if query.aggregates else dataset.grain
    report = Report(
        id=f"R{row['id']}",
        title=row["name"],
        formula=row["description"] or "as chosen in the report builder",
        requirement=f"of {dataset.name}, {dataset.title}; version {row['version']}",
        grain=grain,
        relation=f"built_{row['id']}",
        key=(),
        columns=compiled.outputs,
        unfed=dataset.unfed,
        charts=_charts(query, row["name"]),
    )
    return About(report, discom, Span(first, compiled.last or first), datetime.now(UTC))


def _charts(query: Query, name: str) -> tuple[Chart, ...]:
    """What a PDF draws of it; other kinds are for who reads the answer."""
    chart = query.chart
    if chart is None or chart.series:
        return ()
    if chart.kind in ("bar", "pie"):
        return tuple(Ranking(chart.title or f"{name}: {y}", y, (chart.x,)) for y in chart.y)
    if chart.kind in ("line", "area"):
        return (Series(chart.title or name, chart.x, tuple(chart.y)),)
    return ()
