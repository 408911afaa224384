"""What each check costs: its SQL run by itself over built days. The table and the column that it judges say where the figure stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from psycopg.sql import SQL, Identifier, Literal

from expectations.rules import Check, Stage, load_suite
from expectations.runner import KEY, failing_rows, is_tested
from warehouse import db


@dataclass(frozen=True)
class CheckCost:
    """`tested`: meter-days with a figure; `failed` of them fail. `seconds`: the server's time to find these, without planning."""

    check: Check
    tested: int
    failed: int
    seconds: float


def measure_costs(
    discom_id: int,
    discom_code: str,
    first: date,
    last: date,
    stage: Stage,
    *,
    overlays: Path | None = None,
    said: Callable[[int, int], None] = lambda done, total: None,
) -> list[CheckCost]:
    """The checks in force, dearest first. Writes nothing. `said` hears (checks done, checks in all). Raises as runner.validate."""
    partition = SQL("discom_id = {} and day between {} and {}").format(Literal(discom_id), Literal(first), Literal(last))
    rows = failing_rows(load_suite(stage, discom_code, overlays), discom_id, first, last)
    costs = []
    with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS) as conn:
        for done, f in enumerate(rows, start=1):
            # It comes first, so that no check pays for reading what others find in memory.
            tested = conn.execute(
                TESTED.format(table=Identifier(*f.check.table.split(".")), partition=partition, is_tested=is_tested(f))
            ).fetchone()
            plan = conn.execute(
                EXPLAIN.format(
                    query=SQL(f.query),
                    columns=SQL(", ").join(map(Identifier, [*KEY, *f.columns, "judged"])),
                    partition=partition,
                    condition=SQL(f.condition),
                )
            ).fetchone()
            assert tested is not None, "an aggregate always answers with one row"
            assert plan is not None, "a plan always has a row"
            ran = plan[0][0]
            costs.append(CheckCost(f.check, tested[0], int(ran["Plan"]["Actual Rows"]), ran["Execution Time"] / 1000))
            said(done, len(rows))
    return sorted(costs, key=lambda c: -c.seconds)


TESTED = SQL("select count(*) from {table} where {partition} and {is_tested}")

EXPLAIN = SQL("explain (analyze, timing off, format json) select * from ({query}) as q({columns}) where {partition} and {condition}")
