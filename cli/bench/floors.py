"""What PostgreSQL itself needs for the rows that were landed, with nothing done to them: COPY in, INSERT … SELECT, and a scan."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from typing import IO

import psycopg
from psycopg.sql import SQL, Identifier

from cli.bench.database import as_owner
from cli.bench.stages import Say

TABLES = ("profile_fragment", "register_reading")
READ = "select count(*), sum(meter_id) from bench.{0}_inserted"
COPY, INSERT, SCAN = "binary COPY", "INSERT … SELECT", "sequential scan"


def floors(say: Say) -> dict[str, float]:
    """Seconds of each floor, in one session on tables like those of raw with their index; COPY in the transactions of landing."""
    seconds: dict[str, float] = {}
    with as_owner() as conn, tempfile.TemporaryFile() as spool:
        conn.autocommit = True
        say("floors: copying out")
        batches = [r[0] for r in conn.execute("select batch_id from raw.batch order by batch_id")]
        ends = [_copy_out(conn, table, batch, spool) for batch in batches for table in TABLES]
        conn.execute("create schema bench")
        for table in TABLES:
            for kind in ("copied", "inserted"):
                conn.execute(
                    SQL("create table {} (like {} including all)").format(Identifier("bench", f"{table}_{kind}"), Identifier("raw", table))
                )
        say(f"floors: {COPY}")
        seconds[COPY] = _clock(conn, lambda: _copy_in(conn, spool, len(batches), ends))
        _each(conn, READ.replace("inserted", "copied"))  # the first look at a row writes that it is committed: no part of a floor
        say(f"floors: {INSERT}")
        seconds[INSERT] = _clock(conn, lambda: _each(conn, "insert into bench.{0}_inserted select * from bench.{0}_copied"))
        conn.execute("set max_parallel_workers_per_gather = 0")
        _each(conn, READ)
        say(f"floors: {SCAN}")
        seconds[SCAN] = _clock(conn, lambda: _each(conn, READ))
        conn.execute("drop schema bench cascade")
    return seconds


def _copy_out(conn: psycopg.Connection, table: str, batch: int, spool: IO[bytes]) -> int:
    """Where the rows end in `spool`."""
    query = SQL("copy (select * from {} where batch_id = {}) to stdout (format binary)").format(Identifier("raw", table), batch)
    with conn.cursor() as cur, cur.copy(query) as out:
        for chunk in out:
            spool.write(chunk)
    return spool.tell()


def _copy_in(conn: psycopg.Connection, spool: IO[bytes], batches: int, ends: list[int]) -> None:
    spool.seek(0)
    left = iter(ends)
    for _ in range(batches):
        with conn.transaction():
            for table in TABLES:
                end = next(left)
                with conn.cursor() as cur, cur.copy(f"copy bench.{table}_copied from stdin (format binary)") as copy:
                    while chunk := spool.read(min(1 << 20, end - spool.tell())):
                        copy.write(chunk)


def _each(conn: psycopg.Connection, statement: str) -> None:
    for table in TABLES:
        conn.execute(statement.format(table))


def _clock(conn: psycopg.Connection, work: Callable[[], object]) -> float:
    conn.execute("checkpoint")
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
