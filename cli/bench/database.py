"""The bench's own databases on the embedded server: made, copied, warmed up, weighed and dropped."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.sql import SQL, Identifier

from cli.bench.world import DAY, TIMEZONE
from orchestration import steps
from warehouse import db
from warehouse.embedded import EmbeddedServer


@contextmanager
def fresh_database(
    server: EmbeddedServer, name: str, *, template: str | None = None, keep: bool = False, there: bool = False
) -> Iterator[None]:
    """A migrated database, or a copy of `template`, which METERHOUSE_DATABASE_URL names meanwhile; dropped afterwards unless `keep`.

    `there`: it was kept by a run before, and is taken as it is.
    """
    before = os.environ.get("METERHOUSE_DATABASE_URL")
    with psycopg.connect(server.url("postgres"), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        if template:
            conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [template])
            conn.execute(SQL("create database {} template {} strategy file_copy").format(Identifier(name), Identifier(template)))
        elif not there:
            conn.execute(SQL("create database {}").format(Identifier(name)))
        os.environ["METERHOUSE_DATABASE_URL"] = server.url(name)
        try:
            if not template:
                db.migrate()
            yield
        finally:
            if before is None:
                del os.environ["METERHOUSE_DATABASE_URL"]
            else:
                os.environ["METERHOUSE_DATABASE_URL"] = before
            if not keep:
                conn.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))


@contextmanager
def as_owner() -> Iterator[psycopg.Connection]:
    """A connection as the URL's own user, for none of our roles may make tables, change those of the registry, or ask for a checkpoint."""
    with psycopg.connect(db.database_url(), connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        yield conn


def warm_up() -> None:
    """Build a day of a DISCOM that has nothing: libraries are imported, dbt has read its project, and its tables and views are there.

    A process or a database pays that once, and not by size.
    """
    import great_expectations  # noqa: F401

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)  # names its temporary folders
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute(
            """insert into registry.discom (code, name, timezone) values ('EMPTY', 'EMPTY', %s)
               on conflict (code) do update set name = excluded.name returning discom_id""",
            [TIMEZONE],
        ).fetchone()
    steps.build("EMPTY", int(row[0]), DAY, DAY)  # type: ignore[index]


def checkpoint() -> None:
    """Nobody pays for pages that another left dirty."""
    with psycopg.connect(db.database_url(), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        conn.execute("checkpoint")


def settle() -> None:
    """Vacuum and analyze everything, as autovacuum has done with days gone by: else it does so beside what is measured."""
    with psycopg.connect(db.database_url(), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        conn.execute("vacuum (analyze)")


def octets_by_kind() -> dict[str, int]:
    """Octets on disk: tables (with what is stored apart) by schema, and the indexes of all but the registry."""
    with as_owner() as conn:
        return {str(kind): int(octets) for kind, octets in conn.execute(_OCTETS)}


_OCTETS = """
with relation as (
    select n.nspname as schema, pg_table_size(c.oid) as heap, pg_indexes_size(c.oid) as indexes
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('registry', 'raw', 'vee', 'energy', 'network', 'reports')
)
select case when schema = 'registry' then 'master data' else schema end, sum(heap + case when schema = 'registry' then indexes else 0 end)
from relation group by schema
union all
select 'indexes', sum(indexes) from relation where schema <> 'registry'
order by 2 desc"""
