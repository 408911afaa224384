"""SQL of the queue, in a transaction of one tenant as meterhouse_api. What is allowed is `service`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier, Placeholder
from psycopg.types.json import Jsonb

from warehouse.codes import CaseState


@dataclass(frozen=True)
class Filter:
    """Which cases; None = any. Codes as the registry has them; an office counts with those below it.

    Without `state`, those not closed; of `updated_since` closed ones too, so that who keeps a copy learns of it.
    """

    state: CaseState | None = None
    rule: str | None = None
    severity: str | None = None
    office: str | None = None
    dt: str | None = None
    meter: str | None = None
    assignee: str | None = None
    min_age_h: float | None = None
    overdue: bool | None = None
    updated_since: datetime | None = None


_CASE = """
    select c.case_id as id, c.scope, m.serial as meter, d.code as dt, f.code as feeder, o.code as office, c.rule, c.stage, c.severity,
           c.action, c.first_day, c.last_day, c.meters, c.meter_days, c.stake_wh, c.priority, c.state, c.assignee, c.wait_reason,
           c.wait_until, c.follows, c.opened_at, c.updated_at, c.closed_at, c.closed_by, c.resolution, c.resolution_note,
           t.age_h, t.sla_h, t.age_h > t.sla_h as overdue, w.kind as work_order
    from vee.case c
    cross join lateral (
        select (extract(epoch from coalesce(c.closed_at, now()) - c.opened_at) / 3600)::float8, (%(sla)s::jsonb ->> c.severity)::float8
    ) t(age_h, sla_h)
    left join registry.meter m on m.discom_id = c.discom_id and m.meter_id = c.meter_id
    left join registry.dt d on d.discom_id = c.discom_id and d.dt_id = c.dt_id
    left join registry.feeder f on f.discom_id = c.discom_id and f.feeder_id = c.feeder_id
    left join registry.office o on o.discom_id = c.discom_id and o.office_id = c.office_id
    left join ops.work_order_request w on w.discom_id = c.discom_id and w.case_id = c.case_id"""

_WHERE = """
    (%(state)s::text is null and (c.state <> 'closed' or %(updated_since)s::timestamptz is not null) or c.state = %(state)s)
    and (%(updated_since)s::timestamptz is null or c.updated_at >= %(updated_since)s)
    and (%(rule)s::text is null or c.rule = %(rule)s)
    and (%(severity)s::text is null or c.severity = %(severity)s)
    and (%(assignee)s::text is null or c.assignee = %(assignee)s)
    and (%(dt)s::text is null or c.dt_id = (select dt_id from registry.dt where code = %(dt)s))
    and (%(meter)s::text is null or c.meter_id = (select meter_id from registry.meter where serial = %(meter)s))
    and (%(min_age_h)s::float8 is null or t.age_h >= %(min_age_h)s)
    and (%(overdue)s::boolean is null or (t.age_h > t.sla_h) = %(overdue)s)
    and (%(office)s::text is null or c.office_id in (
        with recursive below as (
            select office_id from registry.office where code = %(office)s
            union
            select o.office_id from registry.office o join below b on o.parent_id = b.office_id
        )
        select office_id from below))"""

_AFTER = """
    (%(after)s::bigint is null or (c.priority, -coalesce(c.stake_wh, 0), c.opened_at, c.case_id) >
     (select a.priority, -coalesce(a.stake_wh, 0), a.opened_at, a.case_id from vee.case a where a.case_id = %(after)s))"""

_ORDER = "c.priority, coalesce(c.stake_wh, 0) desc, c.opened_at, c.case_id"

_STATE = SQL("""jsonb_strip_nulls(jsonb_build_object('state', c.state, 'assignee', c.assignee, 'wait_reason', c.wait_reason,
    'wait_until', c.wait_until, 'resolution', c.resolution, 'resolution_note', c.resolution_note))""")


def lock(conn: psycopg.Connection, discom_id: int) -> None:
    """The lock of all that writes exceptions or many cases of a DISCOM, taken before any row of them."""
    conn.execute("select pg_advisory_xact_lock(hashtext('vee.exception'), %s)", [discom_id])


def page(conn: psycopg.Connection, wanted: Filter, sla_h: Mapping[str, float], after: int | None, size: int) -> list[dict[str, Any]]:
    """Up to `size` cases that come after case `after`, the most urgent first."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            f"{_CASE} where {_WHERE} and {_AFTER} order by {_ORDER} limit %(size)s",
            _parameters(wanted, sla_h) | {"after": after, "size": size},
        ).fetchall()


def case(conn: psycopg.Connection, case_id: int, sla_h: Mapping[str, float]) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(f"{_CASE} where c.case_id = %(case)s", {"case": case_id, "sla": Jsonb(dict(sla_h))}).fetchone()


def locked(conn: psycopg.Connection, case_id: int) -> dict[str, Any] | None:
    """State of a case, which nobody else changes until this transaction ends."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            "select state, assignee, closed_by, closed_at, resolution from vee.case where case_id = %s for update", [case_id]
        ).fetchone()


def locked_of(conn: psycopg.Connection, wanted: Filter, sla_h: Mapping[str, float]) -> list[int]:
    """Ids of the cases that the filter finds, locked."""
    rows = conn.execute(f"{_CASE} where {_WHERE} order by c.case_id for update of c", _parameters(wanted, sla_h)).fetchall()
    return [row[0] for row in rows]


def change(
    conn: psycopg.Connection, discom_id: int, cases: Sequence[int], who: str, action: str, note: str | None, columns: Mapping[str, Any]
) -> None:
    """Set `columns` of the cases, with a line each in the audit trail."""
    assignments = SQL("").join(SQL(", {} = {}").format(Identifier(name), Placeholder(name)) for name in columns)
    conn.execute(
        _CHANGE.format(assignments=assignments, state=_STATE),
        {**columns, "cases": list(cases), "discom": discom_id, "who": who, "did": action, "note": note},
    )


_CHANGE = SQL("""
with before as (select c.case_id, {state} as was from vee.case c where c.case_id = any(%(cases)s) for update),
changed as (
    update vee.case c set updated_at = now(){assignments} from before b where b.case_id = c.case_id
    returning c.case_id, b.was, {state} as becomes
)
insert into vee.case_audit (discom_id, case_id, who, action, note, before, after)
select %(discom)s, case_id, %(who)s, %(did)s, %(note)s, was, becomes from changed order by case_id""")


def settle(conn: psycopg.Connection, cases: Sequence[int]) -> int:
    """Close the exceptions of closed cases, open those of others again; their days are stale then. How many changed."""
    row = conn.execute("select vee.settle_cases(%s)", [list(cases)]).fetchone()
    assert row is not None
    return int(row[0])


def audit(conn: psycopg.Connection, case_id: int) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            "select at, who, action, note, before, after from vee.case_audit where case_id = %s order by audit_id", [case_id]
        ).fetchall()


_EXCEPTION = """
    select e.day, m.serial as meter, e.rule, e.stage, e.severity, e.action, e.value, e.message, e.state, e.opened_at, e.updated_at,
           e.case_id as case, e.stake_wh
    from vee.exception e join registry.meter m on m.discom_id = e.discom_id and m.meter_id = e.meter_id"""


_OF_DAYS = """
    e.day between %(first)s and %(last)s
    and (%(meter)s::text is null or e.meter_id = (select meter_id from registry.meter where serial = %(meter)s))
    and (%(rule)s::text is null or e.rule = %(rule)s) and (%(state)s::text is null or e.state = %(state)s)
    and (%(since)s::timestamptz is null or e.updated_at >= %(since)s)
    and (%(day)s::date is null or (e.day, e.meter_id, e.rule, e.stage) >
         (%(day)s, (select meter_id from registry.meter where serial = %(serial)s), %(after_rule)s, %(stage)s))"""


def members(conn: psycopg.Connection, case_id: int, size: int) -> list[dict[str, Any]]:
    """Exceptions of a case, by day and meter: of one that is open those that are left, of one that a person closed those that it closed."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            f"{_EXCEPTION} where e.case_id = %(case)s order by e.day, e.meter_id limit %(size)s",
            {"case": case_id, "size": size},
        ).fetchall()


def exceptions(
    conn: psycopg.Connection,
    first: date,
    last: date,
    *,
    meter: str | None,
    rule: str | None,
    state: str | None,
    updated_since: datetime | None = None,
    after: tuple[date, str, str, str] | None,
    size: int,
) -> list[dict[str, Any]]:
    """Up to `size` exceptions of the days, by day, meter, rule and stage, after the one that `after` names."""
    day, serial, after_rule, stage = after or (None, None, None, None)
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            f"{_EXCEPTION} where {_OF_DAYS} order by e.day, e.meter_id, e.rule, e.stage limit %(size)s",
            {
                "first": first,
                "last": last,
                "meter": meter,
                "rule": rule,
                "state": state,
                "since": updated_since,
                "day": day,
                "serial": serial,
                "after_rule": after_rule,
                "stage": stage,
                "size": size,
            },
            prepare=False,  # which of the filters are given decides how it is best read
        ).fetchall()


def summary(conn: psycopg.Connection, sla_h: Mapping[str, float]) -> list[dict[str, Any]]:
    """Live cases by rule and severity: how many by age, how many are over their time, how many nobody has."""
    with conn.cursor(row_factory=dict_row) as cur:
        return cur.execute(
            """select c.rule, c.severity, count(*) as cases, sum(c.meter_days)::bigint as meter_days, sum(c.stake_wh)::bigint as stake_wh,
                      count(*) filter (where t.age_h < 24) as day,
                      count(*) filter (where t.age_h >= 24 and t.age_h < 72) as three_days,
                      count(*) filter (where t.age_h >= 72 and t.age_h < 168) as week,
                      count(*) filter (where t.age_h >= 168) as older,
                      count(*) filter (where t.age_h > (%(sla)s::jsonb ->> c.severity)::float8) as overdue,
                      count(*) filter (where c.assignee is null) as unassigned
               from vee.case c cross join lateral (select extract(epoch from now() - c.opened_at) / 3600) t(age_h)
               where c.state <> 'closed'
               group by c.rule, c.severity
               order by min(c.priority), c.rule""",
            {"sla": Jsonb(dict(sla_h))},
        ).fetchall()


def _parameters(wanted: Filter, sla_h: Mapping[str, float]) -> dict[str, Any]:
    return asdict(wanted) | {"sla": Jsonb(dict(sla_h))}
