"""The last step of a build: the exceptions of its days that need a person become cases, and cases that are due ask for field work.

What a case is depends on nothing but which exceptions are open, never on the order in which days were built:

- On one day, exceptions of one rule and stage belong to the DT of their meters where at least `min_meters` of its meters have them (of V07:
  miss an interval in common), and to its feeder where that holds for most of the feeder's DTs. The others belong to their meter.
- A case is the run of consecutive days of one such place, rule and stage.

Which case a run is written to is a matter of history: a case keeps its earliest run, a run that several cases claim goes to one that
somebody has in hand, else to the oldest. All set-based: no exception comes to Python.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from ingestion.commands.drivers import why_not
from ingestion.commands.rules import load_rules
from ingestion.commands.states import Kind
from vee.exceptions import settings
from vee.exceptions.settings import CaseRules
from warehouse import db

logger = logging.getLogger(__name__)

GAP = "V07"
"""The rule whose exceptions are the same only where intervals in common are missing."""

MACHINE = "meterhouse"
"""Who closes what nobody needs to look at."""


@dataclass(frozen=True)
class Grouped:
    """What one call did: cases that were opened, that closed themselves, that ended their wait, and work orders that were asked for."""

    exceptions: int
    opened: int
    closed: int
    woken: int
    work_orders: int
    seconds: float


def group(discom_id: int, discom_code: str, first: date, last: date, *, rules: CaseRules | None = None) -> Grouped:
    """Bring the cases of a DISCOM up to date with the exceptions of `first`..`last` (business days, inclusive), in one transaction.

    A second call on the same exceptions changes nothing. Raises CaseRuleError, psycopg.Error.
    """
    started = time.perf_counter()
    rules = rules or settings.load(discom_code)
    span = {
        "discom": discom_id,
        "first": first,
        "last": last,
        "gap": GAP,
        "who": MACHINE,
        "min_meters": rules.min_meters,
        "min_dts": rules.feeder_min_dts,
        "share": rules.feeder_share,
        "priority": Jsonb(rules.priority),
    }
    with db.connect("meterhouse_dbt") as conn:
        conn.cursor_factory = psycopg.ClientCursor  # CREATE TABLE AS takes no parameters
        # The lock of all that writes exceptions or many cases (expectations.runner, vee.exceptions.repository).
        conn.execute("select pg_advisory_xact_lock(hashtext('vee.exception'), %s)", [discom_id])
        exceptions = conn.execute(_FRESH, span).rowcount
        conn.execute("analyze fresh")
        for statement in (_AT_DT, _AT_FEEDER, _PLACED, _ISLANDS):
            conn.execute(statement, span)
        for table in ("placed", "live", "island"):
            conn.execute(f"analyze {table}")
        conn.execute(_CLAIM, span)
        opened = conn.execute(_OPEN, span).rowcount
        conn.execute("analyze island")
        conn.execute(_LINK, span)
        with conn.cursor(row_factory=dict_row) as cur:
            cur.executemany(_MOVE, [span | move for move in cur.execute(_MOVES).fetchall()])
        conn.execute(_UNLINK, span)
        conn.execute(_SUM, span)
        closed = conn.execute(_CLOSE, span).rowcount
        woken = conn.execute(_WAKE, span).rowcount
        orders = _work_orders(conn, discom_id, discom_code, rules)
    done = Grouped(exceptions, opened, closed, woken, orders, time.perf_counter() - started)
    logger.info("%s %s..%s: %s", discom_code, first, last, done)
    return done


def _work_orders(conn: psycopg.Connection, discom_id: int, discom_code: str, rules: CaseRules) -> int:
    """Ask for what live cases are due, once a case: a visit, or a command that is queued at once."""
    vendors = [v for (v,) in conn.execute("select distinct vendor from registry.hes where discom_id = %s", [discom_id])]
    asked = 0
    for order in rules.work_orders:
        due = {
            "discom": discom_id,
            "rules": list(order.rules),
            "kind": order.kind,
            "command": order.command,
            "able": [v for v in vendors if order.command and not why_not(v, Kind(order.command))],
            "after_h": order.after_h,
            "days": order.min_days,
            "meters": order.min_meters,
            "stake": order.min_stake_wh,
        }
        asked += conn.execute(_ASK, due).rowcount
        if order.command:
            how = load_rules(discom_code)
            kind = Kind(order.command)
            conn.execute(_COMMAND, due | {"who": MACHINE, "priority": how.priority[kind], "expires": how.expires[kind]})
    return asked


# --- the statements, in their order ---

# What needs a person, with where the meter hung on that day. The register's advance is the better word for the day's energy, but a register
# may be wrong, so no more than can have flowed. Small against the tables it is looked up in, hence LATERAL.
_FRESH = """
create temporary table fresh on commit drop as
select e.day, e.meter_id, e.rule, e.stage, e.severity, e.action,
       case when i.service_point_id is null then i.dt_id else x.dt_id end as dt_id,
       coalesce(i.feeder_id, x.feeder_id, d.feeder_id) as feeder_id,
       f.office_id as feeder_office_id, d.office_id as dt_office_id, coalesce(s.office_id, d.office_id, f.office_id) as office_id,
       round(m.wh * i.mf)::bigint as stake_wh
from vee.exception e
left join lateral (
    select i.service_point_id, i.dt_id, i.feeder_id, i.mf from registry.installation i
    where i.discom_id = e.discom_id and i.meter_id = e.meter_id and i.valid_from <= e.day and (i.valid_to is null or i.valid_to > e.day)
    limit 1
) i on true
left join lateral (
    select x.dt_id, x.feeder_id from registry.consumer_index x
    where x.discom_id = e.discom_id and x.service_point_id = i.service_point_id
      and x.valid_from <= e.day and (x.valid_to is null or x.valid_to > e.day)
    limit 1
) x on true
left join lateral (
    select case when coalesce(m.register_advance_wh, m.sum_wh) >= 0
                then least(coalesce(m.register_advance_wh, m.sum_wh), m.limit_wh * m.slots) end as wh
    from vee.measure m
    where m.discom_id = e.discom_id and m.day = e.day and m.meter_id = e.meter_id
    limit 1
) m on true
left join lateral (
    select s.office_id from registry.service_point s where s.discom_id = e.discom_id and s.service_point_id = i.service_point_id limit 1
) s on true
left join registry.dt d on d.discom_id = e.discom_id and d.dt_id = case when i.service_point_id is null then i.dt_id else x.dt_id end
left join registry.feeder f on f.discom_id = e.discom_id and f.feeder_id = coalesce(i.feeder_id, x.feeder_id, d.feeder_id)
where e.discom_id = %(discom)s and e.day between %(first)s and %(last)s and e.state = 'open' and e.action <> 'note'
"""

# The meters that fail with their DT. Of gaps, the interval that most of its meters miss says which of them are in it; slots of meters with
# different intervals are compared by the minute at which they begin. Only DTs with enough gaps are looked at.
_AT_DT = """
create temporary table at_dt on commit drop as
with many as (
    select * from (select *, count(*) over (partition by dt_id, day, rule, stage) as meters from fresh where dt_id is not null) f
    where meters >= %(min_meters)s
),
missing as (
    select f.day, f.meter_id, f.rule, f.stage, f.dt_id, f.feeder_id, g.minute,
           count(*) over (partition by f.dt_id, f.day, f.stage, g.minute) as meters
    from many f
    cross join lateral (
        select (u.slot - 1) * d.interval_min as minute
        from vee.meter_day d cross join lateral unnest(d.import_wh) with ordinality u(wh, slot)
        where d.discom_id = %(discom)s and d.day = f.day and d.meter_id = f.meter_id and u.wh is null
        offset 0
    ) g
    where f.rule = %(gap)s
)
select day, meter_id, rule, stage, dt_id, feeder_id from many where rule <> %(gap)s
union all
select day, meter_id, rule, stage, dt_id, feeder_id
from (select *, first_value(minute) over (partition by dt_id, day, stage order by meters desc, minute) as common from missing) m
where minute = common and meters >= %(min_meters)s
"""

_AT_FEEDER = """
create temporary table at_feeder on commit drop as
select a.feeder_id, a.day, a.rule, a.stage
from at_dt a
group by a.feeder_id, a.day, a.rule, a.stage
having count(distinct a.dt_id) >= %(min_dts)s
   and count(distinct a.dt_id) > %(share)s * (
       select count(*) from registry.dt d where d.discom_id = %(discom)s and d.feeder_id = a.feeder_id
   )
"""

# One key of place, rule and stage: of joins by several columns the planner expects too few rows, and loops.
_PLACED = """
create temporary table placed on commit drop as
select f.day, f.meter_id, f.rule, f.stage, f.severity, f.action, f.stake_wh, s.scope, p.place_id,
       concat_ws(' ', s.scope, p.place_id, f.rule, f.stage) as key, case when s.scope <> 'feeder' then f.dt_id end as dt_id, f.feeder_id,
       case s.scope when 'meter' then f.office_id when 'dt' then f.dt_office_id else f.feeder_office_id end as office_id
from fresh f
left join at_dt a using (day, meter_id, rule, stage)
left join at_feeder b on b.feeder_id = f.feeder_id and b.day = f.day and b.rule = f.rule and b.stage = f.stage
cross join lateral (select case when a.meter_id is null then 'meter' when b.feeder_id is null then 'dt' else 'feeder' end) s(scope)
cross join lateral (select case s.scope when 'meter' then f.meter_id when 'dt' then f.dt_id else f.feeder_id end) p(place_id)
"""

# Runs of consecutive days: those of now, and what lies outside the days that were built of live cases that touch them (a live case is a
# run already, so its first and last day say all).
_ISLANDS = """
create temporary table live on commit drop as
select case_id, concat_ws(' ', scope, place_id, rule, stage) as key, scope, place_id, rule, stage, first_day, last_day, state
from vee.case
where discom_id = %(discom)s and state <> 'closed' and last_day >= %(first)s::date - 1 and first_day <= %(last)s::date + 1;

create temporary table piece on commit drop as
select distinct key, scope, place_id, rule, stage, day as first_day, day as last_day, null::bigint as case_id from placed
union all
select key, scope, place_id, rule, stage, first_day, least(last_day, %(first)s::date - 1), case_id from live
where first_day < %(first)s::date
union all
select key, scope, place_id, rule, stage, greatest(first_day, %(last)s::date + 1), last_day, case_id from live
where last_day > %(last)s::date;

create temporary table island on commit drop as
with marked as (
    select *, case when first_day <= 1 + max(last_day) over (
        partition by key order by first_day, last_day rows between unbounded preceding and 1 preceding
    ) then 0 else 1 end as begins
    from piece
),
numbered as (
    select *, sum(begins) over (partition by key order by first_day, last_day) as nr from marked
)
select row_number() over () as island_id, key, scope, place_id, rule, stage, min(first_day) as first_day, max(last_day) as last_day,
       array_agg(distinct case_id) filter (where case_id is not null) as outside, null::bigint as case_id
from numbered
group by key, scope, place_id, rule, stage, nr
"""

_CLAIM = """
with claim as (
    select distinct on (l.case_id) l.case_id, l.state, i.island_id
    from live l join island i on i.key = l.key and i.first_day <= l.last_day and i.last_day >= l.first_day
    order by l.case_id, i.first_day
),
chosen as (
    select distinct on (island_id) * from claim order by island_id, state = 'open', case_id
)
update island i set case_id = c.case_id from chosen c where i.island_id = c.island_id
"""

# Of a case that was cut in two the second part may have none of the days that were built: it is as the first.
_OPEN = """
with made as (
    insert into vee.case (discom_id, scope, meter_id, dt_id, feeder_id, office_id, rule, stage, severity, action, first_day, last_day,
                          meters, meter_days, priority, follows)
    select %(discom)s, i.scope, case when i.scope = 'meter' then i.place_id end, coalesce(i.dt_id, o.dt_id),
           coalesce(i.feeder_id, o.feeder_id), coalesce(i.office_id, o.office_id), i.rule, i.stage, coalesce(i.severity, o.severity),
           coalesce(i.action, o.action), i.first_day, i.last_day, 0, 0,
           (%(priority)s::jsonb ->> coalesce(i.severity, o.severity))::smallint, i.follows
    from (
        select distinct on (i.island_id) i.*, p.dt_id, p.feeder_id, p.office_id, p.severity, p.action, c.case_id as follows
        from island i
        left join lateral (
            select c.case_id from vee.case c
            where c.discom_id = %(discom)s and c.scope = i.scope and c.place_id = i.place_id and c.rule = i.rule and c.stage = i.stage
              and c.resolution is distinct from 'merged'
            order by c.last_day desc, c.case_id desc limit 1
        ) c on true
        left join placed p on p.key = i.key and p.day between i.first_day and i.last_day
        where i.case_id is null
        order by i.island_id, p.day, p.meter_id
    ) i
    left join vee.case o on o.discom_id = %(discom)s and o.case_id = i.outside[1]
    returning case_id, concat_ws(' ', scope, place_id, rule, stage) as key, first_day
)
update island i set case_id = m.case_id from made m where i.key = m.key and i.first_day = m.first_day
"""

_LINK = """
update vee.exception e set case_id = i.case_id, stake_wh = p.stake_wh
from placed p join island i on i.key = p.key and p.day between i.first_day and i.last_day
where e.discom_id = %(discom)s and e.day between %(first)s and %(last)s
  and e.day = p.day and e.meter_id = p.meter_id and e.rule = p.rule and e.stage = p.stage
  and (e.case_id, e.stake_wh) is distinct from (i.case_id, p.stake_wh)
"""

# Days that were not built, of a case that became part of another or was cut in two. They are few: one look-up each, where a join would read
# every exception that there is.
_MOVES = """
select i.case_id as into_case, o.case_id as of_case, i.first_day, i.last_day
from island i cross join lateral unnest(i.outside) o(case_id) where i.case_id <> o.case_id
"""

_MOVE = """
update vee.exception e set case_id = %(into_case)s
where e.discom_id = %(discom)s and e.case_id = %(of_case)s and e.state = 'open' and e.day between %(first_day)s and %(last_day)s
  and e.day not between %(first)s and %(last)s
"""

# What a person closed stays with the case by which it was closed.
_UNLINK = """
update vee.exception e set case_id = null
where e.discom_id = %(discom)s and e.day between %(first)s and %(last)s and e.case_id is not null
  and (e.state in ('estimated', 'cleared') or e.state = 'open' and e.action = 'note')
"""

# A case may have no member for a while: where those of a day were settled by a build that failed before it came here.
_SUM = """
with due as (
    select c.case_id, i.first_day, i.last_day, m.meters, m.meter_days, m.stake_wh,
           coalesce((array['fatal', 'fail', 'warn', 'info'])[m.severity], c.severity) as severity,
           coalesce((array['hold', 'estimate', 'flag'])[m.action], c.action) as action
    from island i
    join vee.case c on c.discom_id = %(discom)s and c.case_id = i.case_id
    cross join lateral (
        select count(distinct e.meter_id) as meters, count(*) as meter_days,
               min(array_position(array['fatal', 'fail', 'warn', 'info'], e.severity)) as severity,
               min(array_position(array['hold', 'estimate', 'flag'], e.action)) as action, sum(e.stake_wh)::bigint as stake_wh
        from vee.exception e
        where e.discom_id = %(discom)s and e.case_id = i.case_id and e.state = 'open' and e.day between i.first_day and i.last_day
    ) m
)
update vee.case c
set first_day = d.first_day, last_day = d.last_day, meters = d.meters, meter_days = d.meter_days, severity = d.severity, action = d.action,
    stake_wh = d.stake_wh, priority = (%(priority)s::jsonb ->> d.severity)::smallint, updated_at = now()
from due d
where c.discom_id = %(discom)s and c.case_id = d.case_id
  and (c.first_day, c.last_day, c.meters, c.meter_days, c.severity, c.action, c.stake_wh, c.priority) is distinct from
      (d.first_day, d.last_day, d.meters, d.meter_days, d.severity, d.action, d.stake_wh, (%(priority)s::jsonb ->> d.severity)::smallint)
"""

_CLOSE = """
with gone as (
    select l.case_id, (
        select min(i.case_id) from island i
        where i.key = l.key and i.first_day <= l.last_day and i.last_day >= l.first_day
    ) as into_case
    from live l where not exists (select 1 from island i where i.case_id = l.case_id)
),
closed as (
    update vee.case c
    set state = 'closed', wait_reason = null, wait_until = null, closed_at = now(), closed_by = %(who)s, updated_at = now(),
        resolution = case when g.into_case is null then 'cleared' else 'merged' end,
        resolution_note = case when g.into_case is not null then 'into case ' || g.into_case end
    from gone g where c.discom_id = %(discom)s and c.case_id = g.case_id
    returning c.case_id, c.resolution, c.resolution_note
)
insert into vee.case_audit (discom_id, case_id, who, action, note, before, after)
select %(discom)s, c.case_id, %(who)s, 'close', c.resolution_note, jsonb_build_object('state', l.state),
       jsonb_build_object('state', 'closed', 'resolution', c.resolution)
from closed c join live l using (case_id)
"""

_WAKE = """
with woken as (
    update vee.case set state = case when assignee is null then 'open' else 'assigned' end, wait_reason = null, wait_until = null,
                        updated_at = now()
    where discom_id = %(discom)s and state = 'waiting' and wait_until <= now()
    returning case_id, state
)
insert into vee.case_audit (discom_id, case_id, who, action, note, before, after)
select %(discom)s, case_id, %(who)s, 'wake', 'the wait is over', jsonb_build_object('state', 'waiting'), jsonb_build_object('state', state)
from woken
"""

_ASK = """
insert into ops.work_order_request (discom_id, case_id, kind, meter_id, via)
select c.discom_id, c.case_id, %(kind)s, c.meter_id,
       case when %(command)s::text is not null and not exists (
           select 1 from vee.exception e
           join registry.meter m on m.discom_id = e.discom_id and m.meter_id = e.meter_id
           join registry.hes h on h.discom_id = m.discom_id and h.hes_id = m.hes_id
           where e.discom_id = c.discom_id and e.case_id = c.case_id and e.state = 'open' and h.vendor <> all(%(able)s::text[])
       ) then 'command' else 'visit' end
from vee.case c
where c.discom_id = %(discom)s and c.state <> 'closed' and c.rule = any(%(rules)s) and c.meters >= %(meters)s
  and c.last_day - c.first_day + 1 >= %(days)s and coalesce(c.stake_wh, 0) >= %(stake)s
  and c.opened_at <= now() - make_interval(secs => 3600 * %(after_h)s)
  and not exists (select 1 from ops.work_order_request w where w.discom_id = c.discom_id and w.case_id = c.case_id)
on conflict (discom_id, case_id) do nothing
"""

# Of the requests that this transaction made: now() is when it began.
_COMMAND = """
with made as (
    insert into ops.command (discom_id, meter_id, hes_id, kind, priority, idempotency_key, requested_by, due_at, expires_at, reason)
    select distinct m.discom_id, m.meter_id, m.hes_id, %(command)s, %(priority)s, 'case ' || w.case_id || ' meter ' || m.meter_id, %(who)s,
           now(), now() + %(expires)s::interval, 'asked for by case ' || w.case_id
    from ops.work_order_request w
    join vee.exception e on e.discom_id = w.discom_id and e.case_id = w.case_id and e.state = 'open'
    join registry.meter m on m.discom_id = e.discom_id and m.meter_id = e.meter_id
    where w.discom_id = %(discom)s and w.requested_at = now() and w.via = 'command' and w.kind = %(kind)s
    on conflict (discom_id, idempotency_key) do nothing
    returning discom_id, command_id, hes_id, reason
)
insert into ops.command_audit (discom_id, command_id, hes_id, who, to_state, why)
select discom_id, command_id, hes_id, %(who)s, 'queued', reason from made
"""
