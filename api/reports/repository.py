"""Rows of reports from the warehouse: the only SQL of this package, but for that of its queues.

Everything is read as meterhouse_api with app.discom_id set for the transaction, and for callers of the API what they are limited to. The
reports are security_invoker views, so row-level security gives those rows alone. Names come from the catalogue, values are parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from api.reports.catalogue import SCHEMA, Report, ReportError, ReportNotBuiltError, report
from warehouse import db
from warehouse.registry import discoms

STATEMENT_TIMEOUT_S = 300
STREAM_TIMEOUT_S = 3600
"""Of a report that is streamed into files: the statement runs as long as the slowest of them is written."""
CHUNK = 5_000
"""Rows that are handed on at once when a report is streamed."""
MAX_ROWS = 1_000_000
"""Rows of a report that are read at once; a sheet of a workbook holds hardly more."""

PERIOD_LENGTHS = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months", "financial_year": "1 year"}


@dataclass(frozen=True)
class Discom:
    discom_id: int
    code: str
    name: str
    timezone: ZoneInfo
    top_office_id: int | None
    """The office above all others; None where there is not exactly one."""


@dataclass(frozen=True)
class ReportTable:
    """Rows of a report over first..last, in the order of its columns. Energies are Decimal, shares float, stamps aware."""

    report: Report
    first: date
    last: date
    rows: list[tuple[Any, ...]]

    def records(self) -> Iterator[dict[str, Any]]:
        names = [c.name for c in self.report.columns]
        return (dict(zip(names, row, strict=True)) for row in self.rows)


@dataclass(frozen=True)
class Span:
    """What a report is asked for: business days, both included, and of reports by period the rows of one length only, or of all."""

    first: date
    last: date
    period: str | None = None


@dataclass(frozen=True)
class LoadPoint:
    """Average demand of all consumers over a part of the day that begins `minute` minutes after midnight in the DISCOM's time zone."""

    minute: int
    measured_kw: float
    estimated_kw: float
    missing_share: float
    """Share of the intervals that have no value, 0..1; they count as nothing."""


def read_report(report_id: str, discom_id: int, first: date, last: date) -> ReportTable:
    """The rows whose day lies in first..last, or whose period (week to financial year) touches it; of a list without either, all.

    Raises ReportError for an unknown report or DISCOM, days in the wrong order, and a report that was never built, is too long or too slow.
    """
    with snapshot(discom_id) as s:
        return s.report(report_id, first, last)


def discom_id(code: str) -> int:
    """Raises ReportError for a code that no DISCOM has. Looks across tenants, so it is for operators' commands and not for requests."""
    with db.connect("meterhouse_loader") as conn:
        known = discoms(conn)
    if code not in known:
        raise ReportError(f"no DISCOM has the code {code!r} (known: {', '.join(sorted(known)) or 'none'}): check the spelling")
    return known[code]


class ReportTooSlowError(ReportError):
    """The statement was stopped by its time limit."""


class Snapshot:
    """What one DISCOM's reports say at one moment: every read sees the same state of the warehouse."""

    def __init__(self, conn: psycopg.Connection, discom: Discom, timeout_s: int) -> None:
        self._conn = conn
        self._timeout_s = timeout_s
        self.discom = discom

    def report(self, report_id: str, first: date, last: date) -> ReportTable:
        """As read_report."""
        wanted = report(report_id)
        _check_days(first, last)
        query = sql.SQL("{rows} limit {limit}").format(rows=_rows(wanted, None), limit=sql.Literal(MAX_ROWS + 1))
        rows = self._read(wanted.name, query, first, last)
        if len(rows) > MAX_ROWS:
            raise ReportError(f"{wanted.name} has more than {MAX_ROWS:,} rows from {first} to {last}: choose a shorter period")
        return ReportTable(wanted, first, last, rows)

    def load_curve(self, first: date, last: date) -> list[LoadPoint]:
        """The average day of all consumers, from vee.interval_reading. Meters of different interval lengths meet at the longest of them."""
        _check_days(first, last)
        query = sql.SQL("""
            with reading as (
                select r.day, r.import_kwh, r.quality,
                       extract(epoch from r.starts_at at time zone %(timezone)s - r.day::timestamp)::integer / 60 as minute,
                       max(extract(epoch from r.ends_at - r.starts_at)::integer / 60) over () as width
                from vee.interval_reading r
                where r.discom_id = %(discom_id)s and r.day between %(first)s and %(last)s and r.place = 'consumer'
            ), days as (
                select count(distinct day) as n from reading
            )
            select (minute / width) * width,
                   (coalesce(sum(import_kwh) filter (where quality <> 'E'), 0) / d.n * 60 / width)::double precision,
                   (coalesce(sum(import_kwh) filter (where quality = 'E'), 0) / d.n * 60 / width)::double precision,
                   (count(*) filter (where import_kwh is null))::double precision / count(*)
            from reading cross join days d
            group by 1, width, d.n
            order by 1""")
        return [LoadPoint(*row) for row in self._read("the load curve", query, first, last)]

    def stream(self, wanted: Report, span: Span) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a report in chunks, in its order, however many there are: neither side holds them all.

        By COPY, for which the server plans on several cores, as it does not for a cursor. Values as in ReportTable. Raises ReportError.
        """
        _check_days(span.first, span.last)
        # COPY takes no parameters: the client writes them as literals.
        bound = psycopg.ClientCursor(self._conn).mogrify(_rows(wanted, span.period), self._parameters(span.first, span.last))
        types = [c.data_type.partition("(")[0] for c in wanted.columns]
        chunk: list[tuple[Any, ...]] = []
        with (
            self._in_words(wanted.name, span.first, span.last),
            self._conn.transaction(),  # a report that fails leaves the others their snapshot
            self._conn.cursor() as cur,
            cur.copy(sql.SQL("copy ({}) to stdout").format(sql.SQL(bound))) as copy,
        ):
            copy.set_types(types)
            for row in copy.rows():
                chunk.append(row)
                if len(chunk) == CHUNK:
                    yield chunk
                    chunk = []
        if chunk:
            yield chunk

    def page(self, wanted: Report, span: Span, equal: Mapping[str, str], after: Sequence[Any] | None, size: int) -> list[tuple[Any, ...]]:
        """The first `size` rows, in the report's order, or those after the row of this key (without discom_id). Values as in ReportTable.

        `equal`: columns of text and what they hold. Raises ReportError.
        """
        _check_days(span.first, span.last)
        key = [wanted.columns[wanted.position(name)] for name in wanted.key if name != "discom_id"]
        values: dict[str, Any] = {f"equal_{name}": value for name, value in equal.items()}
        condition = [sql.SQL(" and {} = {}").format(sql.Identifier(name), sql.Placeholder(f"equal_{name}")) for name in equal]
        if after is not None:
            values |= {f"after_{c.name}": v for c, v in zip(key, after, strict=True)}
            bounds = sql.SQL(", ").join(sql.SQL("{}::{}").format(sql.Placeholder(f"after_{c.name}"), sql.SQL(c.data_type)) for c in key)
            condition.append(sql.SQL(" and ({}) > ({})").format(_identifiers([c.name for c in key]), bounds))
        query = sql.SQL("{rows} limit {size}").format(rows=_rows(wanted, span.period, sql.Composed(condition)), size=sql.Literal(size))
        return self._read(wanted.name, query, span.first, span.last, values)

    def estimate(self, wanted: Report, span: Span) -> int:
        """How many rows the planner takes the report to have; it may be far off."""
        plan = self._read(wanted.name, sql.SQL("explain (format json) {}").format(_rows(wanted, span.period)), span.first, span.last)
        return int(plan[0][0][0]["Plan"]["Plan Rows"])

    def built_days(self, first: date, last: date) -> int:
        """How many days of first..last stand built."""
        row = self._conn.execute(
            "select count(*) from ops.day_build where discom_id = %s and day between %s and %s and built_at is not null",
            [self.discom.discom_id, first, last],
        ).fetchone()
        assert row
        return int(row[0])

    def _parameters(self, first: date, last: date) -> dict[str, Any]:
        return {"discom_id": self.discom.discom_id, "timezone": self.discom.timezone.key, "first": first, "last": last}

    @contextmanager
    def _in_words(self, what: str, first: date, last: date) -> Iterator[None]:
        """What the server refuses, said to whoever asked for a report."""
        try:
            yield
        except psycopg.errors.QueryCanceled as e:
            raise ReportTooSlowError(f"{what} took longer than {self._timeout_s} s from {first} to {last}: choose a shorter period") from e
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as e:
            raise ReportNotBuiltError(f"{what} was never built: run `meterhouse run --discom {self.discom.code}`") from e

    def _read(
        self, what: str, query: sql.SQL | sql.Composed, first: date, last: date, more: Mapping[str, Any] = MappingProxyType({})
    ) -> list[tuple[Any, ...]]:
        with self._in_words(what, first, last):
            return self._conn.execute(query, {**self._parameters(first, last), **more}).fetchall()


@contextmanager
def snapshot(discom_id: int, timeout_s: int | None = None) -> Iterator[Snapshot]:
    """A read-only transaction that sees this DISCOM alone, in which no statement runs longer than `timeout_s` (STATEMENT_TIMEOUT_S).

    Raises ReportError where there is no such DISCOM.
    """
    timeout_s = timeout_s or STATEMENT_TIMEOUT_S
    with db.connect("meterhouse_api", session=db.WHOLE_PARTITIONS) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        conn.execute(
            "select set_config('app.discom_id', %s, true), set_config('statement_timeout', %s, true)",
            [str(discom_id), f"{timeout_s}s"],
        )
        yield Snapshot(conn, _discom(conn, discom_id), timeout_s)


def snapshot_of(conn: psycopg.Connection, discom_id: int, timeout_s: int) -> Snapshot:
    """As `snapshot`, of a transaction that is limited to a caller already (`Database.snapshot`); its settings end with it."""
    settings = {**db.WHOLE_PARTITIONS, "statement_timeout": f"{timeout_s}s"}
    conn.execute(
        "select set_config(name, value, true) from unnest(%s::text[], %s::text[]) s(name, value)", [list(settings), list(settings.values())]
    )
    return Snapshot(conn, _discom(conn, discom_id), timeout_s)


def _discom(conn: psycopg.Connection, discom_id: int) -> Discom:
    row = conn.execute("select discom_id, code, name, timezone from registry.discom where discom_id = %s", [discom_id]).fetchone()
    if row is None:
        raise ReportError(f"there is no DISCOM with the id {discom_id}: import its master data with `meterhouse registry import FOLDER`")
    tops = conn.execute("select office_id from registry.office where discom_id = %s and parent_id is null", [discom_id]).fetchall()
    return Discom(row[0], row[1], row[2], ZoneInfo(row[3]), tops[0][0] if len(tops) == 1 else None)


def offices_below(conn: psycopg.Connection, discom_id: int, code: str) -> list[int]:
    """office_id of an office and all below it; none where the DISCOM has no such office."""
    row = conn.execute(
        "select ops.offices_below(discom_id, office_id) from registry.office where discom_id = %s and code = %s", [discom_id, code]
    ).fetchone()
    return row[0] if row else []


def service_points_of(conn: psycopg.Connection, discom_id: int, offices: Sequence[int], points: Sequence[int]) -> list[int]:
    """Those of `points` that belong to the offices."""
    rows = conn.execute(
        """select service_point_id from registry.service_point
           where discom_id = %s and service_point_id = any(%s) and office_id = any(%s) order by 1""",
        [discom_id, list(points), list(offices)],
    ).fetchall()
    return [row[0] for row in rows]


def _check_days(first: date, last: date) -> None:
    if last < first:
        raise ReportError(f"the period ends ({last}) before it begins ({first}): give the earlier day first")


def _identifiers(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _rows(wanted: Report, period: str | None, more: sql.Composable = sql.SQL("")) -> sql.Composed:  # noqa: B008 - it is constant
    """The query of a report's rows; of those by period the rows of one length alone, where it is given. `more` begins with ` and `."""
    one_length = period and wanted.has("period")
    of_length = sql.SQL(" and period = {}").format(sql.Literal(period)) if one_length else sql.SQL("")
    return sql.SQL(
        "select {columns} from {relation} where discom_id = %(discom_id)s and {in_period}{of_length}{more} order by {key}"
    ).format(
        columns=_identifiers([c.name for c in wanted.columns]),
        relation=sql.Identifier(SCHEMA, wanted.relation),
        in_period=_in_period(wanted),
        of_length=of_length,
        more=more,
        key=_identifiers(wanted.key),
    )


def _in_period(wanted: Report) -> sql.Composable:
    if not (wanted.has("day") or wanted.has("period_start")):
        return sql.SQL("true")  # how things stand now
    if wanted.has("day"):
        return sql.SQL("day between %(first)s and %(last)s")
    lengths = sql.SQL(" ").join(
        sql.SQL("when {} then interval {}").format(sql.Literal(period), sql.Literal(length)) for period, length in PERIOD_LENGTHS.items()
    )
    return sql.SQL("period_start <= %(last)s and period_start + case period {} end > %(first)s").format(lengths)
