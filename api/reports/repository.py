"""Rows of reports from the warehouse: the only SQL of this package.

Everything is read as meterhouse_api with app.discom_id set for the transaction: the reports are security_invoker views, so row-level
security gives the rows of that DISCOM alone. Identifiers come from the catalogue, values are parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from api.reports.catalogue import SCHEMA, Report, ReportError, report
from warehouse import db
from warehouse.registry import discoms

STATEMENT_TIMEOUT_S = 300
MAX_ROWS = 1_000_000
"""Rows of a report that are read at once; a sheet of a workbook holds hardly more."""

_PERIOD_LENGTH = {"day": "1 day", "month": "1 month", "quarter": "3 months", "financial_year": "1 year"}


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
class LoadPoint:
    """Average demand of all consumers over a part of the day that begins `minute` minutes after midnight in the DISCOM's time zone."""

    minute: int
    measured_kw: float
    estimated_kw: float
    missing_share: float
    """Share of the intervals that have no value, 0..1; they count as nothing."""


def read_report(report_id: str, discom_id: int, first: date, last: date) -> ReportTable:
    """The rows whose day lies in first..last, or whose period (month, quarter, financial year) touches it.

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


class Snapshot:
    """What one DISCOM's reports say at one moment: every read sees the same state of the warehouse."""

    def __init__(self, conn: psycopg.Connection, discom: Discom) -> None:
        self._conn = conn
        self.discom = discom

    def report(self, report_id: str, first: date, last: date) -> ReportTable:
        """As read_report."""
        wanted = report(report_id)
        _check_days(first, last)
        query = sql.SQL(
            "select {columns} from {relation} where discom_id = %(discom_id)s and {in_period} order by {key} limit {limit}"
        ).format(
            columns=_identifiers([c.name for c in wanted.columns]),
            relation=sql.Identifier(SCHEMA, wanted.relation),
            in_period=_in_period(wanted),
            key=_identifiers(wanted.key),
            limit=sql.Literal(MAX_ROWS + 1),
        )
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

    def _read(self, what: str, query: sql.SQL | sql.Composed, first: date, last: date) -> list[tuple[Any, ...]]:
        parameters = {"discom_id": self.discom.discom_id, "timezone": self.discom.timezone.key, "first": first, "last": last}
        try:
            return self._conn.execute(query, parameters).fetchall()
        except psycopg.errors.QueryCanceled as e:
            raise ReportError(f"{what} took longer than {STATEMENT_TIMEOUT_S} s from {first} to {last}: choose a shorter period") from e
        except psycopg.errors.UndefinedTable as e:
            raise ReportError(f"{what} was never built: run `meterhouse run --discom {self.discom.code}`") from e


@contextmanager
def snapshot(discom_id: int) -> Iterator[Snapshot]:
    """A read-only transaction that sees this DISCOM alone. Raises ReportError where there is no such DISCOM."""
    with db.connect("meterhouse_api", session=db.WHOLE_PARTITIONS) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        conn.execute(
            "select set_config('app.discom_id', %s, true), set_config('statement_timeout', %s, true)",
            [str(discom_id), f"{STATEMENT_TIMEOUT_S}s"],
        )
        row = conn.execute("select discom_id, code, name, timezone from registry.discom where discom_id = %s", [discom_id]).fetchone()
        if row is None:
            raise ReportError(
                f"there is no DISCOM with the id {discom_id}: import its master data with `meterhouse registry import FOLDER`"
            )
        tops = conn.execute("select office_id from registry.office where discom_id = %s and parent_id is null", [discom_id]).fetchall()
        yield Snapshot(conn, Discom(row[0], row[1], row[2], ZoneInfo(row[3]), tops[0][0] if len(tops) == 1 else None))


def _check_days(first: date, last: date) -> None:
    if last < first:
        raise ReportError(f"the period ends ({last}) before it begins ({first}): give the earlier day first")


def _identifiers(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _in_period(wanted: Report) -> sql.Composable:
    if wanted.has("day"):
        return sql.SQL("day between %(first)s and %(last)s")
    lengths = sql.SQL(" ").join(
        sql.SQL("when {} then interval {}").format(sql.Literal(period), sql.Literal(length)) for period, length in _PERIOD_LENGTH.items()
    )
    return sql.SQL("period_start <= %(last)s and period_start + case period {} end > %(first)s").format(lengths)
