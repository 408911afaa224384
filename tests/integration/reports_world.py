"""A DISCOM and a few reports made by hand, without dbt: what exports and schedules need of a warehouse, in a second."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from api.auth import HEADER, new_key
from api.auth.repository import insert_key, office_id
from api.reports.catalogue import Column, Report, catalogue
from warehouse import db

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


# --- with offices, for the API ---

_OFFICE_COLUMNS = (
    Column("discom_id", "smallint", ""),
    *(Column(name, "text", "") for name in OFFICES),
    Column("code", "text", ""),
)
_END = (
    Column("coverage_pct", "double precision", ""),
    Column("data_as_of", "timestamp with time zone", ""),
    Column("generated_at", "timestamp with time zone", ""),
)


def _of_offices(report_id: str, title: str, relation: str, grain: str, *columns: Column) -> Report:
    return Report(report_id, title, "-", "SBD", grain, relation, ("discom_id", "code"), (*_OFFICE_COLUMNS, *columns, *_END))


OF_OFFICES = _of_offices(
    "C04",
    "Points",
    "rpt_c04_points",
    "one row per point and period (month, quarter, financial_year)",
    Column("period", "text", ""),
    Column("period_start", "date", ""),
)
AS_THINGS_STAND = _of_offices("J05", "Points now", "rpt_j05_points", "one row per point")
CONSUMPTION = _of_offices(
    "C01",
    "Consumption",
    "rpt_c01_points",
    "one row per consumer and period (day, month)",
    *(Column(n, "text", "") for n in ("period", "consumer", "category", "serial")),
    Column("period_start", "date", ""),
)

_POINTS = """
create view reports.{relation} with (security_invoker) as
select p.discom_id, null::text as zone, null::text as circle, null::text as division, null::text as subdivision, o.name as office,
       d.code || '-' || p.code as code, {more} 100::double precision as coverage_pct, null::timestamptz as data_as_of, now() as generated_at
from registry.service_point p
join registry.discom d on d.discom_id = p.discom_id
join registry.office o on o.discom_id = p.discom_id and o.office_id = p.office_id
"""


def make_offices(url: str) -> None:
    """ACME's offices TOP, and below it TOWN with P1 and P2 and PORT with P3; GLOBEX's own TOP with P1."""
    with psycopg.connect(url) as conn:
        for discom, offices in (("ACME", ("TOWN", "PORT")), ("GLOBEX", ())):
            conn.execute(
                "insert into registry.office (discom_id, code, name, level) select discom_id, 'TOP', 'Top', 'discom' from registry.discom"
                " where code = %s",
                [discom],
            )
            for office in offices:
                conn.execute(
                    """insert into registry.office (discom_id, code, name, level, parent_id)
                       select o.discom_id, %s, initcap(%s), 'subdivision', o.office_id
                       from registry.office o join registry.discom d using (discom_id) where d.code = %s and o.code = 'TOP'""",
                    [office, office, discom],
                )
        conn.execute(
            """insert into registry.service_point (discom_id, code, office_id, category, sanctioned_load_w)
               select o.discom_id, v.code, o.office_id, v.category, 1000
               from (values ('ACME', 'TOWN', 'P1', 'domestic'), ('ACME', 'TOWN', 'P2', 'domestic'), ('ACME', 'PORT', 'P3', 'ht'),
                            ('GLOBEX', 'TOP', 'P1', 'domestic')) v(discom, office, code, category)
               join registry.discom d on d.code = v.discom join registry.office o on o.discom_id = d.discom_id and o.code = v.office"""
        )
        conn.execute("set role meterhouse_dbt")
        month = "'month'::text as period, '2026-10-01'::date as period_start,"
        of_consumer = f"d.code || '-' || p.code as consumer, p.category, p.code as serial, {month}"
        for report, more in ((OF_OFFICES, month), (AS_THINGS_STAND, ""), (CONSUMPTION, of_consumer)):
            conn.execute(_POINTS.format(relation=report.relation, more=more))
            conn.execute(f"grant select on reports.{report.relation} to meterhouse_api")


def put_into_catalogue(patch: pytest.MonkeyPatch) -> None:
    """The reports of this module in the place of those of their ids."""
    for report in (LIST, MISSING, LONG, OF_OFFICES, AS_THINGS_STAND, CONSUMPTION):
        patch.setitem(catalogue(), report.id, report)


def key_of(discom: str, *, role: str = "analyst", office: str | None = None) -> dict[str, str]:
    """Headers of a new key."""
    key, key_id, secret = new_key()
    with db.connect("meterhouse_owner") as conn:
        found = conn.execute("select discom_id from registry.discom where code = %s", [discom]).fetchone()
        assert found, f"there is no DISCOM {discom}"
        of_office = office_id(conn, found[0], office) if office else None
        insert_key(conn, found[0], key_id, secret, None, f"{role} {office or ''}".strip(), [], 1_000_000, role=role, office_id=of_office)
    return {HEADER: key}
