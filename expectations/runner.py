"""Judges meter-days by a suite and keeps vee.exception: one row per meter-day, rule and stage that fails.

Great Expectations turns each rule into the SQL of the rows that fail it; that SQL feeds one INSERT … SELECT, so no row of the warehouse
comes to Python and the number of statements is the same for one failing meter-day and for a million. The rules: suites/ and overlays/.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from sqlalchemy.dialects import postgresql

from expectations.rules import RELATIONS, SEVERITIES, Check, Stage, Suite, load_suite
from warehouse import db

logger = logging.getLogger(__name__)

KEY = ("discom_id", "day", "meter_id")


class ValidationError(RuntimeError):
    """The rules could not be judged: a table or a column is not there, or is of the wrong type."""


@dataclass(frozen=True)
class RuleDay:
    """What one rule found on one business day. `tested`: meter-days that have a figure to judge; `failed`: those that do not pass."""

    rule: str
    day: date
    tested: int
    failed: int
    acceptance: float
    """Share of `tested` that must pass, 0 to 1."""

    @property
    def accepted(self) -> bool:
        return self.tested - self.failed >= self.acceptance * self.tested


@dataclass(frozen=True)
class ValidationReport:
    """One call of validate(). `written`: exceptions that are new or changed; `cleared`: those that are no more found."""

    discom_code: str
    first: date
    last: date
    stage: Stage
    rule_days: tuple[RuleDay, ...]
    written: int
    cleared: int
    seconds: float

    @property
    def accepted(self) -> bool:
        """False blocks what is downstream of these days."""
        return all(r.accepted for r in self.rule_days)

    @property
    def refused(self) -> list[RuleDay]:
        return [r for r in self.rule_days if not r.accepted]


def validate(
    discom_id: int, discom_code: str, first: date, last: date, stage: Stage, *, changed_only: bool = False, overlays: Path | None = None
) -> ValidationReport:
    """Judges the meter-days of `first`..`last` (business days, inclusive) and brings vee.exception up to date, in one transaction.

    A row that fails anew is open; one that fails no more is cleared; one that a person closed stays closed while its value is the
    same. A second call on the same figures changes nothing. With `changed_only` the meters of ops.changed_meter alone are judged; the
    report counts all meters of the days even so. Raises RuleError (suite or overlay), ValidationError, and psycopg.Error.
    """
    if last < first:
        raise ValueError(f"the days {first} to {last} run backwards: give the first day first")
    started = time.perf_counter()
    suite = load_suite(stage, discom_code, overlays)
    partition = SQL("discom_id = {} and day between {} and {}").format(Literal(discom_id), Literal(first), Literal(last))
    rows = failing_rows(suite, discom_id, first, last, changed_only=changed_only)
    judged = partition + CHANGED.format(partition=partition) if changed_only else partition
    with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS) as conn:
        # One writer per tenant at a time: overlapping ranges must not wait for each other crosswise.
        conn.execute("select pg_advisory_xact_lock(hashtext('vee.exception'), %s)", [discom_id])
        conn.execute("select ops.ensure_month('vee.exception', %s, %s)", [first, last])
        # Apart from what writes, so that every core can read.
        conn.execute(SQL("create temporary table failing on commit drop as") + hits(rows, partition))
        conn.execute("analyze failing")
        row = conn.execute(
            KEEP.format(discom_id=Literal(discom_id), judged=judged, stage=Literal(suite.stage), rules=Literal(suite.rules))
        ).fetchone()
        failed = FAILED_AS_BEFORE.format(partition=partition, stage=Literal(suite.stage)) if changed_only else SQL("")
        found = conn.execute(COUNTS.format(tested=tested(rows, partition), failed_as_before=failed)).fetchall() if rows else []
        if stage == "estimate":
            conn.execute(SETTLE.format(partition=partition))
        conn.execute("select ops.analyze_days('vee.exception', %s, %s)", [first, last])
    assert row is not None, "an aggregate always answers with one row"
    written, cleared = row
    acceptance = suite.acceptance
    report = ValidationReport(
        discom_code=discom_code,
        first=first,
        last=last,
        stage=stage,
        rule_days=tuple(RuleDay(r, d, tested, failed, acceptance[r]) for d, r, tested, failed in found),
        written=written,
        cleared=cleared,
        seconds=time.perf_counter() - started,
    )
    logger.info("%s %s..%s %s: %s written, %s cleared, %.2f s", discom_code, first, last, stage, written, cleared, report.seconds)
    return report


@dataclass(frozen=True)
class FailingRows:
    """A check in SQL. `query` selects KEY, `columns` and the judged column of the rows that fail; `condition` is the rows that the check is
    for. `count` of them fail by Great Expectations, which does not know what the check leaves out (Check.but)."""

    check: Check
    query: str
    columns: tuple[str, ...]
    condition: str
    count: int


def failing_rows(suite: Suite, discom_id: int, first: date, last: date, *, changed_only: bool = False) -> list[FailingRows]:
    """Lets Great Expectations judge the partition, or its changed meters, worst severity first. Writes nothing; its session ends before
    the exceptions are written."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    import great_expectations as gx  # takes seconds, so only who validates pays
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.datasource.fluent.interfaces import GxDatasourceWarning

    tables = _tables_with_rows(suite, discom_id, first, last)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # Great Expectations makes an engine of its own, so what db.engine() gives as arguments goes into the URL. Its
    # PostgreSQL source refuses URLs that PostgreSQL knows (a socket, no host); the plain SQL source takes them.
    options = {
        "options": "-c role=meterhouse_dbt -c timezone=UTC -c default_transaction_read_only=on",
        "connect_timeout": str(db.CONNECT_TIMEOUT_S),
    }
    url = db.engine("meterhouse_dbt").url.update_query_dict(options)
    with warnings.catch_warnings(category=GxDatasourceWarning, action="ignore"):  # it recommends that PostgreSQL source
        source = context.data_sources.add_sql(name="warehouse", connection_string=url.render_as_string(hide_password=False))
    try:
        failing = [
            row
            for table in tables
            for row in _failing_rows_of_table(
                source, table, [c for c in suite.enabled if c.table == table], discom_id, first, last, changed_only=changed_only
            )
        ]
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()
    return sorted(failing, key=lambda f: SEVERITIES.index(f.check.severity))


def _tables_with_rows(suite: Suite, discom_id: int, first: date, last: date) -> list[str]:
    """Tables that have something to judge, or all: one that is made at month ends alone costs nothing on other days. One that is not there
    is kept, for Great Expectations to say so."""
    tables = sorted({c.table for c in suite.enabled})
    kept = []
    with db.connect("meterhouse_dbt") as conn:
        for table in tables:
            name = SQL("{}").format(Identifier(*table.split(".")))
            there = conn.execute("select to_regclass(%s) is not null", [table]).fetchone() == (True,)
            query = SQL("select 1 from {} where discom_id = %s and day between %s and %s limit 1").format(name)
            if not there or conn.execute(query, [discom_id, first, last]).fetchone():
                kept.append(table)
    return kept or tables


def _failing_rows_of_table(
    source: Any, of_table: str, checks: list[Check], discom_id: int, first: date, last: date, *, changed_only: bool
) -> list[FailingRows]:
    import great_expectations as gx
    from great_expectations.datasource.fluent.interfaces import TestConnectionError
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.row_conditions import AndCondition, Column, ComparisonCondition

    import expectations.compared  # noqa: F401  makes its expectation known

    schema, table = of_table.split(".")
    table = f"changed_{table}" if changed_only else table
    columns = tuple(sorted(set[str]().union(*(c.columns for c in checks)) - set(KEY)))
    partition = (Column("discom_id") == discom_id) & (Column("day") >= first) & (Column("day") <= last)
    own_rows = [[ComparisonCondition.parse_obj(r) for r in c.rows] for c in checks]
    rules = gx.ExpectationSuite(
        of_table,
        expectations=[
            {
                "type": check.type,
                "kwargs": {**check.kwargs, "row_condition": AndCondition(conditions=[*partition.conditions, *own])},
                "meta": {"position": position},
            }
            for position, (check, own) in enumerate(zip(checks, own_rows, strict=True))
        ],
    )
    try:
        # A table asset and a condition, not a query asset: that one fetches every row to learn the columns.
        batch = source.add_table_asset(name=table, schema_name=schema, table_name=table).add_batch_definition_whole_table("all").get_batch()
        results = batch.validate(
            rules,
            result_format={
                "result_format": "BASIC",
                "partial_unexpected_count": 0,
                "unexpected_index_column_names": [*KEY, *columns],
                "return_unexpected_index_query": True,
            },
        ).results
        to_sql = source.get_execution_engine().condition_to_filter_clause
        dialect = postgresql.dialect(paramstyle="named")

        def clause(comparisons: Sequence[ComparisonCondition]) -> str:
            parts = (to_sql(c).compile(dialect=dialect, compile_kwargs={"literal_binds": True}) for c in comparisons)
            return " and ".join(map(str, parts)) or "true"

        clauses = [
            " and ".join(
                [clause(own), *(f"({clause([ComparisonCondition.parse_obj(c) for c in group])}) is not true" for group in check.but)]
            )
            for check, own in zip(checks, own_rows, strict=True)
        ]
    except (GreatExpectationsError, TestConnectionError) as e:
        raise ValidationError(
            f"{schema}.{table} cannot be judged. Build it first: dbt build --select {table}. The reason given: {e}"
        ) from e
    by_position = {r.expectation_config.meta["position"]: r for r in results if r.expectation_config}
    return [
        FailingRows(c, _query_of(by_position[n], c, f"{schema}.{table}"), columns, clauses[n], by_position[n].result["unexpected_count"])
        for n, c in enumerate(checks)
    ]


def _query_of(result: Any, check: Check, table: str) -> str:
    query = result.result.get("unexpected_index_query")
    if not query:
        reasons = {str(e.get("exception_message")) for e in result.exception_info.values() if isinstance(e, dict)}
        raise ValidationError(f"{check.key} cannot be judged on {table}: {'; '.join(sorted(reasons)) or 'no reason given'}")
    return str(query).rstrip(";\n ")


def tested(rows: Sequence[FailingRows], partition: Composable) -> Composed:
    """A query of (day, rule, tested): how many meter-days have a figure to judge, for each day that has rows."""
    tables = []
    for table in sorted({r.check.table for r in rows}):
        here = sorted({r.check.rule for r in rows if r.check.table == table})
        counts = SQL(", ").join(
            SQL("count(*) filter (where {})").format(
                SQL(" or ").join(is_tested(r) for r in rows if r.check.rule == rule and r.check.table == table)
            )
            for rule in here
        )
        tables.append(TESTED_IN.format(table=Identifier(*table.split(".")), counts=counts, names=Literal(here), partition=partition))
    return TESTED.format(tables=SQL("\n    union all").join(tables))


def is_tested(f: FailingRows) -> Composable:
    """A figure that is NULL is not tested, and passes: so Great Expectations has it."""
    return SQL("({} and {} is not null)").format(
        SQL(f.condition), _figure(f.check, f.check.value if f.check.relation else f.check.kwargs["column"])
    )


def _figure(check: Check, name: str) -> Composable:
    """A column, or the outcome of the two figures that the check compares."""
    if not check.relation or name not in RELATIONS.values():
        return Identifier(name)
    how, other = check.relation
    form = SQL("({}::double precision / nullif({}, 0))") if how == "per" else SQL("({}::double precision - {})")
    return form.format(Identifier(check.kwargs["column"]), Identifier(other))


def hits(rows: Sequence[FailingRows], partition: Composable) -> Composed:
    """A query of the exceptions that `rows` make: one row per meter-day and rule."""
    return HITS.format(hits=SQL("").join(_hits(position, r, partition) for position, r in enumerate(rows) if r.count))


def _hits(position: int, f: FailingRows, partition: Composable) -> Composable:
    # The query of Great Expectations has the rule's limit but not the rows that it is for, hence the second where. It names the
    # judged column once more at the end, hence the list of names.
    return SQL(
        "\n    union all\n    select day, meter_id, {rule}, {position}, {severity}, {action}, {value}, {message}, {key}"
        "\n    from ({query}) as q({columns}) where {partition} and {condition}"
    ).format(
        rule=Literal(f.check.rule),
        position=Literal(position),
        severity=Literal(f.check.severity),
        action=Literal(f.check.action),
        value=_figure(f.check, f.check.value),
        message=_message(f.check),
        key=Literal(f.check.key),
        query=SQL(f.query),
        columns=SQL(", ").join(map(Identifier, [*KEY, *f.columns, "judged"])),
        partition=partition,
        condition=SQL(f.condition),
    )


def _message(check: Check) -> Composable:
    parts: list[Composable] = []
    for text, column in check.message_parts:
        parts.append(Literal(text))
        if column:
            parts.append(SQL("trim_scale(round({}::numeric, 2))").format(_figure(check, column)))
    return SQL("concat({})").format(SQL(", ").join(parts))


HITS = SQL("""
-- One row per rule: of several expectations of a rule, the worst severity wins (lowest nr).
select distinct on (day, meter_id, rule) *
from (
    select null::date as day, null::integer as meter_id, null::text as rule, 0 as nr, null::text as severity, null::text as action,
           null::double precision as value, null::text as message, null::text as check_key
    where false{hits}
) hit
order by day, meter_id, rule, nr
""")

CHANGED = SQL(" and meter_id in (select c.meter_id from ops.changed_meter c where {partition})")

FAILED_AS_BEFORE = SQL("""
    union all
    select day, rule from vee.exception
    where {partition} and stage = {stage} and state <> 'cleared' and not exists (
        select 1 from ops.changed_meter c where (c.discom_id, c.day, c.meter_id) = (exception.discom_id, exception.day, exception.meter_id)
    )""")

TESTED_IN = SQL("""
    select m.day, r.rule, r.tested
    from (select day, array[{counts}]::bigint[] as n from {table} where {partition} group by day) m
    cross join lateral unnest({names}::text[], m.n) as r(rule, tested)""")

TESTED = SQL("""select day, rule, sum(tested)::bigint as tested from ({tables}
) t group by day, rule""")

COUNTS = SQL("""
with failed as (
    select day, rule, count(*) as failed
    from (select day, rule from failing{failed_as_before}) x
    group by day, rule
)
select day, rule, coalesce(t.tested, 0), coalesce(f.failed, 0)
from ({tested}) t
left join failed f using (day, rule)
order by day, rule
""")

KEEP = SQL("""
with written as (
    insert into vee.exception as e (discom_id, day, meter_id, rule, stage, severity, action, value, message, check_key)
    select {discom_id}, day, meter_id, rule, {stage}, severity, action, value, message, check_key from failing
    order by day, meter_id, rule
    on conflict (discom_id, day, meter_id, rule, stage) do update
    set severity = excluded.severity, action = excluded.action, value = excluded.value, message = excluded.message,
        check_key = excluded.check_key, updated_at = now(),
        -- An estimate stands while what it was made for is the same.
        state = case when e.state = 'estimated' and e.action = excluded.action and e.value is not distinct from excluded.value
                     then 'estimated' else 'open' end
    where e.state = 'cleared' or e.value is distinct from excluded.value
       or e.state <> 'closed' and (e.severity, e.action, e.message, e.check_key)
             is distinct from (excluded.severity, excluded.action, excluded.message, excluded.check_key)
    returning 1
),
cleared as (
    update vee.exception e set state = 'cleared', updated_at = now()
    -- A DISCOM's own rules may be gone from its overlay.
    where {judged} and stage = {stage} and (rule = any({rules}) or rule like 'X%') and state in ('open', 'estimated')
      and not exists (select 1 from failing f where f.day = e.day and f.meter_id = e.meter_id and f.rule = e.rule)
    returning 1
)
select (select count(*) from written), (select count(*) from cleared)
""")
"""What fails is written, what fails no more is cleared. Answers with how many rows of each."""

SETTLE = SQL("""
update vee.exception e set state = s.due, updated_at = now()
from (
    select i.day, i.meter_id, i.rule,
           case when exists (select 1 from vee.estimated_day d where (d.discom_id, d.day, d.meter_id) = (i.discom_id, i.day, i.meter_id))
                 and not exists (select 1 from vee.exception x where (x.discom_id, x.day, x.meter_id) = (i.discom_id, i.day, i.meter_id)
                                 and x.stage = 'estimate' and x.state = 'open' and x.action <> 'note')
                then 'estimated' else 'open' end
    from vee.exception i
    where {partition} and stage = 'initial' and action = 'estimate' and state in ('open', 'estimated')
) s(on_day, of_meter, of_rule, due)
where {partition} and stage = 'initial' and (day, meter_id, rule) = (on_day, of_meter, of_rule) and state <> due
""")
"""An initial exception is estimated once its day was estimated and the estimate passed (a note does not stop it), and open again when that
is no longer so."""
