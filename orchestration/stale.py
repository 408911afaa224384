"""Which days of a DISCOM have data that their last build did not see, and the note that a build leaves of what it saw.

Landing writes raw.touched_day with its transaction id, an approved edit keeps that of its approval, any other decision of a person
ops.decided_day; a build keeps the snapshot that it began with. A day is stale where one of them was not visible in that snapshot: exact
whatever the order of commits, with no look-back window. After a dump and restore every day counts as stale. A frozen day (vee.frozen) is
not built: what lands for it is judged against what was billed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import psycopg

from warehouse import db


@dataclass(frozen=True)
class DayRange:
    """Consecutive business days of one DISCOM, both ends included. `upto` is the newest transaction that touched them."""

    discom: str
    first: date
    last: date
    upto: int

    @property
    def mark(self) -> str:
        """Another one once more came for these days."""
        return f"{self.discom}:{self.first}:{self.last}:{self.upto}"

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


# A DISCOM's days begin with its first interval: the register that opens it closes a day of which nothing else is known.
# A register that closes D opens D+1, so a touch of D also makes D+1 stale where that was built already. It also closes days before, on
# which estimates wait for a register (vee.estimation.job): those, and what lies between, are one window and are built together. The day
# that still runs is left alone. A month's last day, which looks back over the month, is stale once a day of the month is made anew.
_TOUCHED = """
    select t.discom_id, t.day, t.written_by, false as awaited from raw.touched_day t
    union all
    select t.discom_id, t.day + 1, t.written_by, false from raw.touched_day t
    join ops.day_build b on b.discom_id = t.discom_id and b.day = t.day + 1"""

_FROZEN = "exists (select 1 from vee.frozen z where z.discom_id = t.discom_id and t.day between z.first_day and z.last_day)"

_STALE = f"""
with touched as ({_TOUCHED}
    union all
    select t.discom_id, d::date, t.written_by, true
    from vee.estimated_day e
    join ops.day_build b on b.discom_id = e.discom_id and b.day = e.day
    cross join lateral (
        select r.day, r.batch_id from raw.register_reading r
        where r.discom_id = e.discom_id and r.meter_id = e.meter_id and r.day > e.day and r.day <= e.day + %(horizon)s
    ) r
    join raw.touched_day t on t.discom_id = e.discom_id and t.day = r.day and t.batch_id = r.batch_id
    cross join generate_series(e.day, r.day, interval '1 day') d
    where e.unscaled and not pg_visible_in_snapshot(t.written_by, b.saw)
    union all
    select e.discom_id, e.day, e.approved_in, false from vee.edit e
    join ops.day_build b on b.discom_id = e.discom_id and b.day = e.day
    where e.approved_in is not null
    union all
    select discom_id, day, written_by, false from ops.decided_day
    union all
    select t.discom_id, e.day, t.written_by, false from raw.touched_day t
    join ops.day_build d on d.discom_id = t.discom_id and d.day = t.day and d.built_at is not null
        and pg_visible_in_snapshot(t.written_by, d.saw)
    join ops.day_build e on e.discom_id = t.discom_id and e.day = (date_trunc('month', t.day) + interval '1 month - 1 day')::date
)
select d.code, t.day, max(t.written_by::text::bigint)
from touched t
join registry.discom d using (discom_id)
left join ops.day_build b using (discom_id, day)
where not {_FROZEN}
  and t.day < (now() at time zone d.timezone)::date
  and t.day >= (select min(f.day) from raw.profile_fragment f where f.discom_id = t.discom_id)
  and (t.awaited or b.day is null or b.built_at is null or not pg_visible_in_snapshot(t.written_by, b.saw))
  and (%(discom)s::text is null or d.code = %(discom)s)
group by d.code, t.day
order by d.code, t.day
"""  # noqa: S608  (of constants)

_TO_REBILL = f"""
with touched as ({_TOUCHED}
)
select d.code, t.day, max(t.written_by::text::bigint)
from touched t
join registry.discom d using (discom_id)
join ops.day_build b using (discom_id, day)
where {_FROZEN} and not pg_visible_in_snapshot(t.written_by, coalesce(b.rebill_saw, b.saw))
  and (%(discom)s::text is null or d.code = %(discom)s)
group by d.code, t.day
order by d.code, t.day
"""  # noqa: S608  (of constants)


REGISTER_HORIZON_DAYS = 28
"""Estimates wait so long for a register that closes them."""


def stale_ranges(discom: str | None = None) -> list[DayRange]:
    """Stale days of every DISCOM (or of one), joined into ranges. Frozen days are none of them."""
    return _ranges(_STALE, discom)


def rebill_ranges(discom: str | None = None) -> list[DayRange]:
    """Frozen days of which data landed that was not yet judged against what was billed, joined into ranges."""
    return _ranges(_TO_REBILL, discom)


def _ranges(query: str, discom: str | None) -> list[DayRange]:
    with db.connect("meterhouse_dbt") as conn:
        rows = conn.execute(query, {"discom": discom, "horizon": REGISTER_HORIZON_DAYS}).fetchall()
    ranges: list[DayRange] = []
    for code, day, upto in rows:
        last = ranges[-1] if ranges else None
        if last and last.discom == code and day - last.last == timedelta(days=1):
            ranges[-1] = DayRange(code, last.first, day, max(last.upto, upto))
        else:
            ranges.append(DayRange(code, day, day, upto))
    return ranges


class FrozenError(RuntimeError):
    """Days are frozen, so they are not built: which, by whom, and how to go on."""


def open_ranges(span: DayRange) -> list[DayRange]:
    """The parts of `span` that are not frozen."""
    with db.connect("meterhouse_dbt") as conn:
        rows = conn.execute(
            f"""select t.day from (
                  select d.discom_id, g::date as day from registry.discom d
                  cross join generate_series(%s::date, %s::date, interval '1 day') g where d.code = %s
                ) t where not {_FROZEN} order by t.day""",  # noqa: S608  (of constants)
            [span.first, span.last, span.discom],
        ).fetchall()
    parts: list[DayRange] = []
    for (day,) in rows:
        if parts and day - parts[-1].last == timedelta(days=1):
            parts[-1] = replace(parts[-1], last=day)
        else:
            parts.append(replace(span, first=day, last=day))
    return parts


def landed_range(discom: str) -> tuple[date, date] | None:
    """First and last business day of which an interval was landed, or None."""
    with db.connect("meterhouse_dbt") as conn:
        row = conn.execute(
            "select min(f.day), max(f.day) from raw.profile_fragment f join registry.discom d using (discom_id) where d.code = %s", [discom]
        ).fetchone()
    return (row[0], row[1]) if row and row[0] else None


def begin_build(
    discom_id: int, first: date, last: date, *, made_with: str, rule_set_id: int | None = None, changed_only: bool = False
) -> bool:
    """Note what is visible now, before anything is read. Until end_build the days stay stale, so a build that fails is done again.

    `made_with` is the fingerprint of models and rules, `rule_set_id` the version of the rules. With `changed_only` the build is for the
    meters of which something came since the last one (ops.changed_meter) where that is enough: all days are built, with the same models,
    rules and master data, and few meters changed. Answers whether it is; otherwise every meter is built anew. Raises FrozenError.
    """
    with db.connect("meterhouse_dbt", autocommit=True) as conn:
        # Before the snapshot is taken: who freezes days waits until they are known to be under way, or is seen here.
        conn.execute("select pg_advisory_lock(hashtext('vee.audit'), %s)", [discom_id])
        # One snapshot tells what came and is kept as what was seen.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with conn.transaction():
            partial = _note_begin(conn, discom_id, first, last, made_with, rule_set_id, changed_only=changed_only)
    with db.connect("meterhouse_dbt") as conn:
        if partial:
            conn.execute("select ops.analyze_changed_meters()")
        for table in ("raw.profile_fragment", "raw.register_reading", "raw.event"):
            conn.execute("select ops.analyze_days(%s, %s, %s)", [table, first - timedelta(days=1), last])
    return partial


def _note_begin(
    conn: psycopg.Connection, discom_id: int, first: date, last: date, made_with: str, rule_set_id: int | None, *, changed_only: bool
) -> bool:
    _refuse_frozen(conn, discom_id, first, last)
    span = {"discom": discom_id, "first": first, "last": last, "made_with": made_with}
    conn.execute("delete from ops.changed_meter where discom_id = %(discom)s and day between %(first)s and %(last)s", span)
    row = conn.execute(_MAY_BE_PARTIAL, span).fetchone() if changed_only else None
    partial = bool(row and row[0])
    if partial:
        partial = conn.execute(_CHANGED, span | {"at_most": CHANGED_AT_MOST}).rowcount > 0
    conn.execute(
        """
        insert into ops.day_build (discom_id, day, saw, built_with, changed_only, rule_set_id)
        select %(discom)s, d::date, pg_current_snapshot(), %(made_with)s, %(partial)s, %(rule_set_id)s
        from generate_series(%(first)s::date, %(last)s::date, interval '1 day') d
        on conflict (discom_id, day) do update
        set saw = excluded.saw, built_at = null, built_with = excluded.built_with, changed_only = excluded.changed_only,
            rule_set_id = excluded.rule_set_id, rebill_saw = null""",
        span | {"partial": partial, "rule_set_id": rule_set_id},
    )
    return partial


def begin_again(discom_id: int, first: date, last: date) -> None:
    """Begin to make the estimates of built days anew: what the days saw of the landed data stays noted. Until end_build they are stale.

    Raises FrozenError.
    """
    with db.connect("meterhouse_dbt") as conn:
        # As in begin_build: who freezes days waits until they are known to be under way, or is seen here.
        conn.execute("select pg_advisory_xact_lock(hashtext('vee.audit'), %s)", [discom_id])
        _refuse_frozen(conn, discom_id, first, last)
        conn.execute(
            "update ops.day_build set built_at = null, changed_only = false where discom_id = %s and day between %s and %s",
            [discom_id, first, last],
        )


def _refuse_frozen(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> None:
    frozen = conn.execute(
        """select freeze_id, first_day, last_day, frozen_by, frozen_at, reason from vee.frozen
           where discom_id = %s and first_day <= %s and last_day >= %s order by first_day limit 1""",
        [discom_id, last, first],
    ).fetchone()
    if frozen:
        freeze_id, begin, end, who, at, why = frozen
        said = f"{begin} to {end} is frozen by {who} since {at:%Y-%m-%d %H:%MZ} ({why}): nothing was built. Leave these days out"
        raise FrozenError(f"{said}, or have them released: meterhouse vee release {freeze_id} (by somebody else, with a reason)")


def unbuilt(discom_id: int, first: date, last: date) -> list[date]:
    """Days of the range of which no build ended, rising."""
    with db.connect("meterhouse_dbt") as conn:
        rows = conn.execute(
            """select d::date from generate_series(%s::date, %s::date, interval '1 day') d
               where not exists (select 1 from ops.day_build b where b.discom_id = %s and b.day = d::date
                   and b.built_at is not null) order by 1""",
            [first, last, discom_id],
        ).fetchall()
    return [r[0] for r in rows]


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
        # Released and built anew: what landed while they were frozen is in them now.
        conn.execute(
            """update vee.exception set state = 'cleared', updated_at = now()
               where discom_id = %s and day between %s and %s and stage = 'frozen' and state = 'open'""",
            span,
        )
        conn.execute("delete from ops.changed_meter where discom_id = %s and day between %s and %s", span)


def snapshot() -> str:
    """What is visible now."""
    with db.connect("meterhouse_dbt") as conn:
        row = conn.execute("select pg_current_snapshot()::text").fetchone()
    assert row is not None
    return str(row[0])


def note_rebilled(discom_id: int, first: date, last: date, saw: str) -> None:
    """Late data of these frozen days was judged, as far as it was visible in `saw`."""
    with db.connect("meterhouse_dbt") as conn:
        conn.execute(
            "update ops.day_build set rebill_saw = %s::pg_snapshot where discom_id = %s and day between %s and %s",
            [saw, discom_id, first, last],
        )


CHANGED_AT_MOST = 0.1
"""Share of the DISCOM's meters up to which a build for changed meters only is worth while: their rows are looked up one by one."""

# A build reads its own day, the one whose register opens it, and at a month's end the month.
_MAY_BE_PARTIAL = """
select count(*) = %(last)s::date - %(first)s::date + 1
   and bool_and(b.built_at is not null and b.built_with is not distinct from %(made_with)s)
   and bool_and(r.written_by is null or pg_visible_in_snapshot(r.written_by, b.saw))
   and not exists (
       select 1 from raw.touched_day t join ops.day_build o on o.discom_id = t.discom_id and t.day <= o.day
        and t.day >= case when extract(day from o.day + 1) = 1 then date_trunc('month', o.day)::date else o.day end - 1
       where o.discom_id = %(discom)s and o.day between %(first)s and %(last)s
         and t.meters is null and not pg_visible_in_snapshot(t.written_by, o.saw)
   )
from ops.day_build b left join ops.registry_change r using (discom_id)
where b.discom_id = %(discom)s and b.day between %(first)s and %(last)s
"""

# Meters of which something came on the days that are read, and of which a person decided. Estimates that wait for a register, exceptions
# that people closed and what was rejected, which touches no day, may have changed at any time: those meters are always built. A meter that
# changed is built for all days of the range, for a run of days is counted from its start.
_CHANGED = """
with changed as (
    select unnest(t.meters) as meter_id
    from raw.touched_day t join ops.day_build b on b.discom_id = t.discom_id and t.day <= b.day
        and t.day >= case when extract(day from b.day + 1) = 1 then date_trunc('month', b.day)::date else b.day end - 1
    where b.discom_id = %(discom)s and b.day between %(first)s and %(last)s and not pg_visible_in_snapshot(t.written_by, b.saw)
    union
    select meter_id from vee.estimated_day where discom_id = %(discom)s and day between %(first)s and %(last)s and unscaled
    union
    select e.meter_id from vee.edit e join ops.day_build b using (discom_id, day)
    where e.discom_id = %(discom)s and e.day between %(first)s and %(last)s and not pg_visible_in_snapshot(e.approved_in, b.saw)
    union
    select unnest(t.meters)
    from ops.decided_day t join ops.day_build b using (discom_id, day)
    where b.discom_id = %(discom)s and b.day between %(first)s and %(last)s and not pg_visible_in_snapshot(t.written_by, b.saw)
    union
    select e.meter_id from vee.exception e join ops.day_build b using (discom_id, day)
    where e.discom_id = %(discom)s and e.day between %(first)s and %(last)s and (e.state = 'closed' or e.updated_at > b.built_at)
    union
    select x.meter_id from raw.rejected x
    where x.discom_id = %(discom)s and x.meter_id is not null
      and (x.reason = 'FUTURE_STAMP' or x.stamp is null and x.reason in ('OFF_GRID', 'WRONG_INTERVAL', 'WRONG_UNIT'))
      and x.received_at >= %(first)s::date and x.received_at < %(last)s::date + 3
    union
    select x.meter_id from raw.rejected x
    where x.discom_id = %(discom)s and x.meter_id is not null and x.reason in ('OFF_GRID', 'WRONG_INTERVAL', 'WRONG_UNIT')
      and x.stamp >= %(first)s::date - 1 and x.stamp < %(last)s::date + 3
)
insert into ops.changed_meter (discom_id, day, meter_id)
select %(discom)s, d::date, c.meter_id
from changed c cross join generate_series(%(first)s::date, %(last)s::date, interval '1 day') d
where (select count(*) from changed) <= %(at_most)s * (select count(*) from registry.meter where discom_id = %(discom)s)
"""
