"""A database that a run may leave to the next one, where making it takes longer than measuring on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import psycopg
from psycopg.sql import SQL, Identifier

from cli.bench.database import as_owner, fresh_database
from cli.bench.master_data import CODE
from cli.bench.stages import BenchError
from warehouse import db
from warehouse.embedded import EmbeddedServer


@contextmanager
def kept_database(server: EmbeddedServer, name: str, *, keep: bool, beside: str | None = None) -> Iterator[None]:
    """A fresh database that METERHOUSE_DATABASE_URL names; with `keep` that of the run before where there is one, and it stays.

    `beside`: another database that outlives no run.
    """
    with psycopg.connect(server.url("postgres"), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:

        def drop(*names: str | None) -> None:
            for database in filter(None, names):
                conn.execute(SQL("drop database if exists {} with (force)").format(Identifier(database)))

        drop(beside, None if keep else name)
        there = conn.execute("select from pg_database where datname = %s", [name]).fetchone() is not None
        try:
            with fresh_database(server, name, keep=keep, there=there):
                yield
        finally:
            drop(beside)


def made_before(meters: int, days: int) -> tuple[int, date] | None:
    """discom_id and first day of what a run before left, None where it left nothing. Raises BenchError where it is of another size."""
    with as_owner() as conn:
        found = conn.execute(
            """select d.discom_id, b.first, (select count(*) from registry.service_point s where s.discom_id = d.discom_id), b.days
               from registry.discom d
               cross join lateral (select min(day) as first, count(*) as days from ops.day_build b
                                   where b.discom_id = d.discom_id and b.built_at is not null) b
               where d.code = %s""",
            [CODE],
        ).fetchone()
    if found is None:
        return None
    discom_id, first, consumers, built = found
    if (consumers, built) != (meters, days):
        raise BenchError(f"the database that was kept has {consumers} meters x {built} days: run once without --keep, which drops it")
    return int(discom_id), first
