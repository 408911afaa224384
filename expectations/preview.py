"""What an overlay would change on days that are built already, before it is in force. Judges as the runner does, and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from psycopg.rows import class_row
from psycopg.sql import SQL, Literal

from expectations.rule_set import RuleSet
from expectations.rules import STAGES, Stage
from expectations.runner import FailingRows, RuleDay, failing_rows, hits, tested
from warehouse import db

EXAMPLES = 3


@dataclass(frozen=True)
class RuleChange:
    """Meter-days that fail a rule. `new` fail by the new rules only, `gone` by the present ones only, `otherwise` by both, with another
    severity or action. Examples are serials of meters."""

    stage: str
    rule: str
    now: int
    then: int
    new: int
    gone: int
    otherwise: int
    new_examples: list[str]
    gone_examples: list[str]

    @property
    def changes(self) -> bool:
        return bool(self.new or self.gone or self.otherwise)


@dataclass(frozen=True)
class ActionChange:
    """Meter-days of the initial stage for which some rule asks for an action."""

    action: str
    now: int
    then: int
    new: int
    gone: int


@dataclass(frozen=True)
class Preview:
    """The days `first`..`last`, judged by the present rules and by the new ones. `refused`: days that the new rules would not accept."""

    discom: str
    first: date
    last: date
    rules: list[RuleChange] = field(default_factory=list)
    actions: list[ActionChange] = field(default_factory=list)
    refused: list[RuleDay] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Stages of which nothing is built yet."""
    unbuilt: list[date] = field(default_factory=list)
    """Days that no build went through, or not to its end: there is little or nothing to judge on them."""


def preview(discom_id: int, now: RuleSet, then: RuleSet, first: date, last: date) -> Preview:
    """Judge the figures of `first`..`last` (business days, inclusive) by both rule sets, in transactions that can only read.

    Estimates stand as they are: what new estimates would come to is not known before they are made. Raises ValidationError where a table
    of a stage lacks a column, ValueError, and psycopg.Error.
    """
    if last < first:
        raise ValueError(f"the days {first} to {last} run backwards: give the first day first")
    found = Preview(now.discom, first, last)
    with db.connect("meterhouse_dbt", session=READ_ONLY) as conn:
        found.unbuilt.extend(day for (day,) in conn.execute(UNBUILT, [first, last, discom_id]))
    for stage in STAGES:
        _of_stage(found, discom_id, now, then, stage)
    return found


def _of_stage(found: Preview, discom_id: int, now: RuleSet, then: RuleSet, stage: Stage) -> None:
    partition = SQL("discom_id = {} and day between {} and {}").format(Literal(discom_id), Literal(found.first), Literal(found.last))
    with db.connect("meterhouse_dbt", session=READ_ONLY) as conn:
        tables = {c.table for r in (now, then) for c in r.suites[stage].enabled}
        missing = [t for t in sorted(tables) if conn.execute("select to_regclass(%s)", [t]).fetchone() == (None,)]
    if missing:
        found.skipped.append(f"{stage} ({', '.join(missing)} is not built)")
        return
    before, after = (failing_rows(r.suites[stage], discom_id, found.first, found.last) for r in (now, then))
    with db.connect("meterhouse_dbt", session=READ_ONLY) as conn:
        both = BOTH.format(now=hits(before, partition), then=hits(after, partition))
        with conn.cursor(row_factory=class_row(RuleChange)) as cur:
            rules = cur.execute(
                both + PER_RULE.format(stage=Literal(stage), discom_id=Literal(discom_id), examples=Literal(EXAMPLES))
            ).fetchall()
        of_rule = {r.rule: r for r in rules}
        names = sorted({r.check.rule for r in (*before, *after)})
        found.rules.extend(of_rule.get(n) or RuleChange(stage, n, 0, 0, 0, 0, 0, [], []) for n in names)
        if stage == "initial":
            with conn.cursor(row_factory=class_row(ActionChange)) as cur:
                found.actions.extend(cur.execute(both + PER_ACTION).fetchall())
        found.refused.extend(d for d in _days(conn, after, then.suites[stage].acceptance, partition) if not d.accepted)


def _days(conn: Any, rows: list[FailingRows], acceptance: dict[str, float], partition: Any) -> list[RuleDay]:
    if not rows:
        return []
    query = FAILED.format(then=hits(rows, partition), tested=tested(rows, partition))
    return [RuleDay(rule, day, n, failed, acceptance[rule]) for day, rule, n, failed in conn.execute(query).fetchall()]


UNBUILT = """
select d::date from generate_series(%s::date, %s::date, interval '1 day') d
where not exists (select 1 from ops.day_build b where b.discom_id = %s and b.day = d::date and b.built_at is not null)
order by d
"""

READ_ONLY = {**db.WHOLE_PARTITIONS, "default_transaction_read_only": "on"}

BOTH = SQL("""
with now as materialized ({now}), after as materialized ({then}),
pair as (
    select day, meter_id, rule, n.nr is not null as fails_now, a.nr is not null as fails_then,
           n.severity as severity_now, a.severity as severity_then, n.action as action_now, a.action as action_then
    from now n full join after a using (day, meter_id, rule)
)""")

PER_RULE = SQL("""
, per_rule as (
    select rule, count(*) filter (where fails_now) as now, count(*) filter (where fails_then) as "then",
           count(*) filter (where not fails_now) as new, count(*) filter (where not fails_then) as gone,
           count(*) filter (where fails_now and fails_then and (severity_now, action_now) <> (severity_then, action_then)) as otherwise,
           (array_agg(distinct meter_id) filter (where not fails_now))[1:{examples}] as new_meters,
           (array_agg(distinct meter_id) filter (where not fails_then))[1:{examples}] as gone_meters
    from pair group by rule
)
select {stage} as stage, rule, now, "then", new, gone, otherwise,
       array(select serial from registry.meter m where m.discom_id = {discom_id} and m.meter_id = any(new_meters) order by meter_id)
           as new_examples,
       array(select serial from registry.meter m where m.discom_id = {discom_id} and m.meter_id = any(gone_meters) order by meter_id)
           as gone_examples
from per_rule
order by rule
""")

PER_ACTION = SQL("""
, meter_day as (
    select o.action, day, meter_id, bool_or(action_now is not distinct from o.action) as was,
           bool_or(action_then is not distinct from o.action) as is_so
    from pair cross join (values ('estimate'), ('hold')) o(action)
    group by o.action, day, meter_id
)
select action, count(*) filter (where was) as now, count(*) filter (where is_so) as "then",
       count(*) filter (where is_so and not was) as new, count(*) filter (where was and not is_so) as gone
from (select * from meter_day union all select a, null, null, false, false from unnest(array['estimate', 'hold']) a) m
group by action
order by action
""")

FAILED = SQL("""
with failing as ({then}), failed as (select day, rule, count(*) as failed from failing group by day, rule)
select day, rule, t.tested, coalesce(f.failed, 0) from ({tested}) t left join failed f using (day, rule) order by day, rule
""")
