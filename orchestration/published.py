"""Of which state of the dbt project the views of schema `reports` were made: the schema's comment says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from warehouse import db


@contextmanager
def publishing() -> Iterator[psycopg.Connection]:
    """A connection that publishes alone: two builds that end together would make the same views."""
    with db.connect("meterhouse_dbt") as conn:
        conn.execute("select pg_advisory_xact_lock(hashtext('meterhouse reports'))")
        yield conn


def is_published(conn: psycopg.Connection, made_of: str, views: int) -> bool:
    """Whether all so many views stand as that state of the project makes them; what a table takes along when it is made anew does not."""
    row = conn.execute(
        """select obj_description('reports'::regnamespace, 'pg_namespace'),
                  (select count(*) from pg_class where relnamespace = 'reports'::regnamespace and relkind = 'v')"""
    ).fetchone()
    return row == (made_of, views)


def note_published(conn: psycopg.Connection, made_of: str) -> None:
    conn.execute(sql.SQL("comment on schema reports is {}").format(sql.Literal(made_of)))
