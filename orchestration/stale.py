"""Which days of a DISCOM have data that their last build did not see, and the note that a build leaves of what it saw.

Landing writes raw.touched_day with its transaction id; a build keeps the snapshot that it began with. A day is stale where a touch was not
visible in that snapshot: exact whatever the order of commits, with no look-back window. After a dump and restore every day counts as stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from warehouse import db


@dataclass(frozen=True)
class DayRange:
    """Consecutive business days of one DISCOM, both ends included. `upto_batch` is the newest batch that touched them."""

    discom: str
    first: date
    last: date
    upto_batch: int

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


# A DISCOM's days begin with its first interval: the register that opens it closes a day of which nothing else is known.
# A register that closes D opens D+1, so a touch of D also makes D+1 stale where that was built already. The day that still runs
# is left alone.
_STALE = """
with touched as (
    select t.discom_id, t.day, t.written_by, t.batch_id from raw.touched_day t
    union all
    select t.discom_id, t.day + 1, t.written_by, t.batch_id from raw.touched_day t
    join ops.day_build b on b.discom_id = t.discom_id and b.day = t.day + 1
)
select d.code, t.day, max(t.batch_id)
from touched t
join registry.discom d using (discom_id)
left join ops.day_build b using (discom_id, day)
where t.day < (now() at time zone d.timezone)::date
  and t.day >= (select min(f.day) from raw.profile_fragment f where f.discom_id = t.discom_id)
  and (b.day is null or b.built_at is null or not pg_visible_in_snapshot(t.written_by, b.saw))
  and (%(discom)s::text is null or d.code = %(discom)s)
group by d.code, t.day
order by d.code, t.day
"""


def stale_ranges(discom: str | None = None) -> list[DayRange]:
    """Stale days of every DISCOM (or of one), joined into ranges."""
    with db.connect("meterhouse_dbt") as conn:
        rows = conn.execute(_STALE, {"discom": discom}).fetchall()
    ranges: list[DayRange] = []
    for code, day, batch in rows:
        last = ranges[-1] if ranges else None
        if last and last.discom == code and day - last.last == timedelta(days=1):
            ranges[-1] = DayRange(code, last.first, day, max(last.upto_batch, batch))
        else:
            ranges.append(DayRange(code, day, day, batch))
    return ranges


def landed_range(discom: str) -> tuple[date, date] | None:
    """First and last business day of which an interval was landed, or None."""
    with db.connect("meterhouse_dbt") as conn:
        row = conn.execute(
            "select min(f.day), max(f.day) from raw.profile_fragment f join registry.discom d using (discom_id) where d.code = %s", [discom]
        ).fetchone()
    return (row[0], row[1]) if row and row[0] else None


def begin_build(discom_id: int, first: date, last: date, *, made_with: str, changed_only: bool = False) -> bool:
    """Note what is visible now, before anything is read. Until end_build the days stay stale, so a build that fails is done again.

    `made_with` is the fingerprint of models and rules. With `changed_only` the build is for the meters of which something came since the
    last one (ops.changed_meter) where that is enough: all days are built, with the same models, rules and master data, and few meters
    changed. Answers whether it is; otherwise every meter is built anew.
    """
    with db.connect("meterhouse_dbt") as conn:
        # One snapshot tells what came and is kept as what was seen.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        span = {"discom": discom_id, "first": first, "last": last, "made_with": made_with}
        conn.execute("delete from ops.changed_meter where discom_id = %(discom)s and day between %(first)s and %(last)s", span)
        row = conn.execute(_MAY_BE_PARTIAL, span).fetchone() if changed_only else None
        partial = bool(row and row[0])
        if partial:
            partial = conn.execute(_CHANGED, span | {"at_most": CHANGED_AT_MOST}).rowcount > 0
        conn.execute(
            """
            insert into ops.day_build (discom_id, day, saw, built_with, changed_only)
            select %(discom)s, d::date, pg_current_snapshot(), %(made_with)s, %(partial)s
            from generate_series(%(first)s::date, %(last)s::date, interval '1 day') d
            on conflict (discom_id, day) do update
            set saw = excluded.saw, built_at = null, built_with = excluded.built_with, changed_only = excluded.changed_only""",
            span | {"partial": partial},
        )
    with db.connect("meterhouse_dbt") as conn:
        if partial:
            conn.execute("select ops.analyze_changed_meters()")
        for table in ("raw.profile_fragment", "raw.register_reading", "raw.event"):
            conn.execute("select ops.analyze_days(%s, %s, %s)", [table, first - timedelta(days=1), last])
    return partial


def is_partial(discom_id: int, first: date, last: date) -> bool:
    """Whether the build of these days that is under way is for changed meters only."""
    with db.connect("meterhouse_dbt") as conn:
        row = conn.execute(
            "select bool_and(changed_only and built_at is null) from ops.day_build where discom_id = %s and day between %s and %s",
            [discom_id, first, last],
        ).fetchone()
    return bool(row and row[0])


def end_build(discom_id: int, first: date, last: date) -> None:
    """Mark the days as built up to what begin_build noted."""
    span = [discom_id, first, last]
    with db.connect("meterhouse_dbt") as conn:
        conn.execute("update ops.day_build set built_at = now() where discom_id = %s and day between %s and %s", span)
        conn.execute("delete from ops.changed_meter where discom_id = %s and day between %s and %s", span)


CHANGED_AT_MOST = 0.1
"""Share of the DISCOM's meters up to which a build for changed meters only is worth while: their rows are looked up one by one."""

_MAY_BE_PARTIAL = """
select count(*) = %(last)s::date - %(first)s::date + 1
   and bool_and(b.built_at is not null and b.built_with is not distinct from %(made_with)s)
   and bool_and(r.written_by is null or pg_visible_in_snapshot(r.written_by, b.saw))
   and not exists (
       select 1 from raw.touched_day t join ops.day_build o on o.discom_id = t.discom_id and t.day in (o.day, o.day - 1)
       where o.discom_id = %(discom)s and o.day between %(first)s and %(last)s
         and t.meters is null and not pg_visible_in_snapshot(t.written_by, o.saw)
   )
from ops.day_build b left join ops.registry_change r using (discom_id)
where b.discom_id = %(discom)s and b.day between %(first)s and %(last)s
"""

# Meters of which something came, on these days or on the one before, whose register opens the first. What people did (edits, exceptions
# that they closed) and stamps in the future, which touch no day, may have come at any time: those meters are always built. A meter that
# changed is built for all days of the range, for a run of days is counted from its start.
_CHANGED = """
with changed as (
    select unnest(t.meters) as meter_id
    from raw.touched_day t join ops.day_build b on b.discom_id = t.discom_id and t.day in (b.day, b.day - 1)
    where b.discom_id = %(discom)s and b.day between %(first)s and %(last)s and not pg_visible_in_snapshot(t.written_by, b.saw)
    union
    select meter_id from vee.edit where discom_id = %(discom)s and day between %(first)s and %(last)s and approved_at is not null
    union
    select e.meter_id from vee.exception e join ops.day_build b using (discom_id, day)
    where e.discom_id = %(discom)s and e.day between %(first)s and %(last)s and (e.state = 'closed' or e.updated_at > b.built_at)
    union
    select x.meter_id from raw.rejected x
    where x.discom_id = %(discom)s and x.reason = 'FUTURE_STAMP' and x.meter_id is not null
      and x.received_at >= %(first)s::date and x.received_at < %(last)s::date + 3
)
insert into ops.changed_meter (discom_id, day, meter_id)
select %(discom)s, d::date, c.meter_id
from changed c cross join generate_series(%(first)s::date, %(last)s::date, interval '1 day') d
where (select count(*) from changed) <= %(at_most)s * (select count(*) from registry.meter where discom_id = %(discom)s)
"""
