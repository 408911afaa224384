"""Which days of a DISCOM have data that their last build did not see, and the note that a build leaves of what it saw.

Landing writes raw.touched_day with its transaction id; a build keeps the snapshot that it began with. A day is stale where a touch was not
visible in that snapshot: exact whatever the order of commits, with no look-back window. After a dump and restore every day counts as stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

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


def begin_build(discom_id: int, first: date, last: date) -> None:
    """Note what is visible now, before anything is read. Until end_build the days stay stale, so a build that fails is done again."""
    with db.connect("meterhouse_dbt") as conn:
        conn.execute(
            """
            insert into ops.day_build (discom_id, day, saw)
            select %s, d::date, pg_current_snapshot() from generate_series(%s::date, %s::date, interval '1 day') d
            on conflict (discom_id, day) do update set saw = excluded.saw, built_at = null""",
            [discom_id, first, last],
        )
        for table in ("raw.profile_fragment", "raw.register_reading", "raw.event"):
            conn.execute("select ops.analyze_days(%s, %s, %s)", [table, first - timedelta(days=1), last])


def end_build(discom_id: int, first: date, last: date) -> None:
    """Mark the days as built up to what begin_build noted."""
    with db.connect("meterhouse_dbt") as conn:
        conn.execute("update ops.day_build set built_at = now() where discom_id = %s and day between %s and %s", [discom_id, first, last])
