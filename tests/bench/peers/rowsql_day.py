"""The day in SQL with a row per meter and interval: runs rowsql_day.sql in one transaction, inside PostgreSQL."""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

from psycopg.sql import SQL, Identifier, Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.bench.peers import common
from tests.bench.peers.common import Day

NAME = "rowsql"
STATEMENTS = Path(__file__).with_suffix(".sql")


def run(url: str, discom_id: int, day: date) -> float:
    """Build the day into schema peer_rowsql. Seconds from the first read to the last commit."""
    task, schema = Day.of(url, discom_id, day), f"peer_{NAME}"
    with common.connect(url) as conn:
        common.make_schema(conn, schema)
        started = time.perf_counter()
        low, high = conn.execute(task.query("span")).fetchone() or (0, 0)
        off = [row[0] for row in conn.execute(task.query("holiday"))]
        candidates = [row[0] for row in conn.execute(task.query("candidates", like_days_before=task.like_type_days(off)))]
        zero = SQL("(select array_agg(meter_id) from figure where missing_slots = 0 and zero_slots = slots)")
        targets = {c: SQL("(select array_agg({} order by meter_id) from target)").format(Identifier(c)) for c in ("meter_id", "slots")}
        settings = {
            "discom": discom_id,
            "day": day,
            "timezone": task.timezone,
            "max_age": common.MAX_AGE_DAYS,
            "zero_domestic": common.ZERO_DAYS["domestic"],
            "zero_others": common.ZERO_DAYS_OTHERS,
            "spike_floor": common.SPIKE_FLOOR_W,
            "spike_pct": common.SPIKE_PCT,
            "sum_pct": common.SUM_PCT,
            "max_linear": common.MAX_LINEAR_MIN,
            "largest": common.LARGEST,
        }
        statements = SQL(STATEMENTS.read_text()).format(
            place=task.query("place", low=low, high=high),
            future=task.query("future"),
            zero_run=task.query("zero_run", meters=zero),
            like_days=task.query("like_days", meters=targets["meter_id"], slots=targets["slots"], candidates=candidates),
            dt=task.query("dt"),
            feeder=task.query("feeder"),
            **{name: Literal(value) for name, value in settings.items()},
        )
        conn.execute(SQL("set local search_path to {}").format(Identifier(schema)))
        conn.execute(statements)
        conn.commit()
        return time.perf_counter() - started


if __name__ == "__main__":
    common.main(NAME, run)
