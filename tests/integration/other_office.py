"""What a caller that is limited to one office reads, with the rest of the DISCOM there and with it gone: it must be the same.

Which rows belong elsewhere is told here by the registry, without the policies that are under test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg import sql

from api.auth import Scope
from api.database import LIMIT, NOBODY, limits
from api.reports.catalogue import SCHEMA, Report
from api.reports.exports import Cut
from warehouse import db

Rows = dict[str, list[tuple[Any, ...]]]

# What stands in registry is the network, which everybody knows, but reports must not show it of others either.
_OTHERS = """
create temp table other_office on commit drop as
    select office_id as id from registry.office where discom_id = %(discom)s and not office_id = any(%(mine)s)
        and office_id in (select office_id from registry.dt union select office_id from registry.service_point);
create temp table other_dt on commit drop as select dt_id as id from registry.dt where office_id in (select id from other_office);
create temp table other_feeder on commit drop as
    select feeder_id as id from registry.feeder where office_id in (select id from other_office);
create temp table other_service_point on commit drop as
    select service_point_id as id from registry.service_point where office_id in (select id from other_office);
create temp table other_consumer on commit drop as
    select consumer_id as id from registry.consumer where service_point_id in (select id from other_service_point);
create temp table other_meter on commit drop as
    select i.meter_id as id from registry.installation i group by i.meter_id
    having bool_and(coalesce(i.service_point_id in (select id from other_service_point), false)
                    or coalesce(i.dt_id in (select id from other_dt), false)
                    or coalesce(i.feeder_id in (select id from other_feeder), false));
"""

_TABLES = """
select n.nspname, c.relname, array_agg(a.attname::text)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'office'
  and n.nspname in ('registry', 'raw', 'vee', 'energy', 'network', 'billing', 'ops', 'reports')
group by 1, 2
"""
THINGS = ("office", "dt", "feeder", "service_point", "consumer", "meter")


def offices_below(conn: psycopg.Connection, code: str) -> list[int]:
    row = conn.execute("select ops.offices_below(discom_id, office_id) from registry.office where code = %s", [code]).fetchone()
    assert row, f"the simulated DISCOM has no office {code}"
    return cast(list[int], row[0])


def with_and_without_the_rest(url: str, discom_id: int, offices: list[int], reports: list[Report]) -> tuple[Rows, Rows]:
    """Both at the same moment, so that ages are the same; nothing of it stays."""
    with psycopg.connect(url, options=db.options(db.WHOLE_PARTITIONS) + " -c timezone=UTC") as conn:
        conn.execute("select now()")  # what follows is one transaction
        with _limited(conn, discom_id, offices):
            before = {r.id: _read(conn, r) for r in reports}
        conn.execute("set local session_replication_role = replica")
        for statement in _OTHERS.split(";"):
            conn.execute(statement, {"discom": discom_id, "mine": offices})
        gone = sum(_delete(conn, *table) for table in conn.execute(_TABLES).fetchall())
        assert gone > 1000, "there must be something to be seen"
        with _limited(conn, discom_id, offices):
            after = {r.id: _read(conn, r) for r in reports}
        conn.rollback()
    return before, after


@contextmanager
def _limited(conn: psycopg.Connection, discom_id: int, offices: list[int]) -> Iterator[None]:
    """As api.database limits a caller."""
    with conn.transaction():
        conn.execute("set local role meterhouse_api")
        conn.execute(LIMIT, limits(Cut(discom_id, Scope(tuple(offices), ())), many=True))
        yield
        conn.execute("set local role none")
    conn.execute(LIMIT, NOBODY)


def _read(conn: psycopg.Connection, report: Report) -> list[tuple[Any, ...]]:
    columns = sql.SQL(", ").join(sql.Identifier(c.name) for c in report.columns if c.name != "generated_at")
    rows = conn.execute(sql.SQL("select {} from {}").format(columns, sql.Identifier(SCHEMA, report.relation))).fetchall()
    return sorted(rows, key=repr)


def _delete(conn: psycopg.Connection, schema: str, table: str, columns: list[str]) -> int:
    conditions = [
        sql.SQL("{} in (select id from {})").format(sql.Identifier(f"{x}_id"), sql.Identifier(f"other_{x}"))
        for x in THINGS
        if f"{x}_id" in columns
    ]
    if {"kind", "head_id"} <= set(columns):
        conditions.append(
            sql.SQL("""case kind when 'category' then head_id in (select id from other_office)
                                 when 'dt' then head_id in (select id from other_dt) else head_id in (select id from other_feeder) end""")
        )
    if not conditions:
        return 0
    query = sql.SQL("delete from {} where {}").format(sql.Identifier(schema, table), sql.SQL(" or ").join(conditions))
    return conn.execute(query).rowcount
