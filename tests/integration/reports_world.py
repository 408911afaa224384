"""A DISCOM and a few reports made by hand, without dbt: what exports and schedules need of a warehouse, in a second."""

from __future__ import annotations

from datetime import date

import psycopg

from api.reports.catalogue import Column, Report

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
OFFICES = ("zone", "circle", "division", "subdivision", "office")

COLUMNS = (
    Column("discom_id", "smallint", ""),
    *(Column(name, "text", "") for name in OFFICES),
    Column("period", "text", "day or month"),
    Column("period_start", "date", ""),
    Column("n", "integer", ""),
    Column("code", "text", ""),
    Column("import_kwh", "numeric(18,3)", ""),
    Column("loss_pct", "double precision", ""),
    Column("is_net", "boolean", ""),
    Column("coverage_pct", "double precision", "Share of blocks"),
    Column("data_as_of", "timestamp with time zone", ""),
    Column("generated_at", "timestamp with time zone", ""),
)


def hand_made(report_id: str, title: str, relation: str) -> Report:
    key = ("discom_id", "period", "period_start", "n")
    return Report(report_id, title, "in - out", "SBD", "one row per n and period (day, month)", relation, key, COLUMNS)


LIST = hand_made("D09", "A list", "rpt_d09_list")
MISSING = hand_made("I05", "Never made", "rpt_i05_missing")
LONG = hand_made("D07", "A long list", "rpt_d07_long")

SELECT = """
create view reports.{relation} with (security_invoker) as
select d.discom_id, 'North'::text as zone, null::text as circle, null::text as division, null::text as subdivision, d.name as office,
       p.period, p.start as period_start, n::integer as n, case n % 3 when 0 then '=cmd()' when 1 then d.code || '-' || n end as code,
       (n * 1.125 - 100)::numeric(18,3) as import_kwh,
       case when n % 4 > 0 then n / 3.0::double precision end as loss_pct, n % 2 = 0 as is_net,
       (100 - n % 10)::double precision as coverage_pct, '2026-11-01 01:00+00'::timestamptz as data_as_of, now() as generated_at
from registry.discom d
cross join (values ('day', '2026-10-05'::date), ('day', '2026-11-05'), ('month', '2026-10-01')) p(period, start)
cross join generate_series(1, {rows}) n
"""


def make(url: str, *, built: tuple[date, date] | None = (FIRST, LAST)) -> None:
    """DISCOMs ACME and GLOBEX, the views of LIST (30 rows a period) and LONG, and which days of ACME stand built."""
    with psycopg.connect(url) as conn:
        conn.execute("insert into registry.discom (code, name) values ('ACME', 'Acme Vidyut'), ('GLOBEX', 'Globex Power')")
        conn.execute("set role meterhouse_dbt")
        for report, rows in ((LIST, 30), (LONG, 500_000)):
            conn.execute(SELECT.format(relation=report.relation, rows=rows))
            conn.execute(f"grant select on reports.{report.relation} to meterhouse_api")
        if built:
            build(conn, *built)


def build(conn: psycopg.Connection, first: date, last: date) -> None:
    """Note that days stand built."""
    conn.execute(
        """insert into ops.day_build (discom_id, day, saw, built_at)
           select discom_id, day, pg_current_snapshot(), now()
           from registry.discom, generate_series(%s::date, %s::date, interval '1 day') day where code = 'ACME'""",
        [first, last],
    )
