"""From Parquet to Parquet: the inputs of a day as files, and what a peer wrote as tables, to be compared. No clock runs here."""

from __future__ import annotations

from pathlib import Path

from psycopg.sql import SQL

from tests.bench.peers import common, duckdb_day
from tests.bench.peers.common import METERS_AT_ONCE, TABLES, Day

SORTED = ("place", "fragment", "register")


def export(task: Day, folder: Path) -> None:
    """Write each query of `common` to <query>.parquet. Like days are those of all meters, since nobody knows yet which will need them."""
    with common.connect(task.url) as conn:
        low, high = conn.execute(task.query("span")).fetchone() or (0, 0)
        off = [row[0] for row in conn.execute(task.query("holiday"))]
        before = task.like_type_days(off)
        candidates = [row[0] for row in conn.execute(task.query("candidates", like_days_before=before))]
    place = task.query("place", low=low, high=high)
    of_all = {c: SQL("(select array_agg({} order by meter_id) from ({}) x)").format(SQL(c), place) for c in ("meter_id", "slots")}
    zero = SQL("(select array_agg(distinct meter_id) from ({}) x where 0 = all (import_wh))").format(
        task.query("fragment", low=low, high=high)
    )
    queries = {name: task.sql(name) for name in ("span", "future", "dt", "feeder", "holiday")}
    queries |= {name: task.sql(name, low=low, high=high) for name in SORTED}
    queries["candidates"] = task.sql("candidates", like_days_before=before)
    queries["zero_run"] = task.sql("zero_run", meters=zero)
    queries["like_days"] = task.sql("like_days", meters=of_all["meter_id"], slots=of_all["slots"], candidates=candidates)
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb_day.open_database() as con:
        con.execute(f"attach '{task.url}' as pg (type postgres, read_only)")
        for name, query in queries.items():
            order = "order by meter_id" if name in SORTED else ""
            con.execute(
                f"copy (from {duckdb_day.pushed_down(query)} {order}) to '{folder / name}.parquet' (row_group_size {METERS_AT_ONCE})"
            )


def load(task: Day, folder: Path, schema: str) -> None:
    """Copy a peer's files <table>*.parquet into the tables of `schema`, made anew."""
    with common.connect(task.url) as conn:
        common.make_schema(conn, schema)
    with duckdb_day.open_database() as con:
        con.execute(f"attach '{task.url}' as pg (type postgres)")
        for table, columns in TABLES.items():
            con.execute(f"insert into pg.{schema}.{table} select {', '.join(columns)} from '{folder / table}*.parquet'")
