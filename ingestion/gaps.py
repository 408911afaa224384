"""EM1: gaps are read again from the head-end system before anything is estimated. Finds them, asks for just these, notes that it asked.

Bounded in count, in time and in how often one gap is asked for. What comes lands as any delivery does.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock
from zoneinfo import ZoneInfo

import psycopg

from ingestion.landing import DiscomContext, LandingError
from ingestion.pulls import READS_AGAIN, Source, sources
from ingestion.transports.rest import PullError
from ingestion.vendor import Vendor, VendorError, load_vendor

BUFFER_DAYS = 35
"""How long meters keep their profiles, where the vendor file does not say (transport.on_demand.buffer_days)."""


@dataclass(frozen=True)
class Limits:
    """What one run may ask for; from the environment."""

    meters: int
    """METERHOUSE_REREAD_METERS: gaps of one head-end system (2000)."""
    seconds: float
    """METERHOUSE_REREAD_S: of one DISCOM, shared evenly by its head-end systems (300)."""
    times: int
    """METERHOUSE_REREAD_TIMES: answers that are had for one gap (2)."""
    pause_min: int
    """METERHOUSE_REREAD_PAUSE_MIN: between two questions for one gap (60)."""

    @classmethod
    def of_environment(cls) -> Limits:
        def number(name: str, default: int) -> int:
            return int(os.environ.get(f"METERHOUSE_REREAD_{name}", default))

        return cls(number("METERS", 2000), number("S", 300), number("TIMES", 2), number("PAUSE_MIN", 60))


@dataclass(frozen=True)
class Gap:
    """A profile of one meter-day that is not whole: kind block = slots, daily = the register that closes the day."""

    day: date
    kind: str
    meter_id: int
    serial: str


@dataclass
class Reread:
    """What became of the gaps of one DISCOM. `troubles` has what went wrong, by head-end system: its gaps stay for the next run."""

    asked: int = 0
    accepted: int = 0
    rejected: int = 0
    troubles: dict[str, str] = field(default_factory=dict)


def read_again(conn: psycopg.Connection, discom: str, first: date, last: date, limits: Limits | None = None) -> Reread:
    """Ask the head-end systems of a DISCOM for the gaps of first..last. A head-end system that fails is a trouble, not an error.

    Raises psycopg.Error where the database fails.
    """
    limits = limits or Limits.of_environment()
    outcome = Reread()
    able: list[tuple[Source, Vendor]] = []
    for source in sources(conn, discom):
        try:
            vendor = load_vendor(source.vendor)
        except VendorError as e:
            outcome.troubles[source.hes] = str(e)
            continue
        if vendor.transport["kind"] in READS_AGAIN and "on_demand" in vendor.transport:
            able.append((source, vendor))
    context = DiscomContext.load(conn, discom) if able else None
    for source, vendor in able:
        assert context is not None
        today = datetime.now(context.timezone).date()
        oldest = today - timedelta(days=vendor.transport["on_demand"].get("buffer_days", BUFFER_DAYS))
        span = max(first, oldest), min(last, today - timedelta(days=1))
        if span[0] > span[1]:
            continue
        ends = time.monotonic() + limits.seconds / len(able)
        try:
            _ask(conn, context, source, vendor, find(conn, source, *span, limits), ends, outcome)
        except (PullError, LandingError) as e:
            outcome.troubles[source.hes] = str(e)
    return outcome


def _ask(
    conn: psycopg.Connection, context: DiscomContext, source: Source, vendor: Vendor, gaps: list[Gap], ends: float, outcome: Reread
) -> None:
    together: dict[tuple[date, str], list[Gap]] = defaultdict(list)
    for gap in gaps:
        together[gap.day, gap.kind].append(gap)
    ask = READS_AGAIN[vendor.transport["kind"]]
    for (day, kind), some in together.items():
        begin, end = (_midnight(day + timedelta(days=n), context.timezone) for n in (0, 1))
        try:
            landed = ask(conn, context, source, vendor, [g.serial for g in some], begin, end, [kind], ends - time.monotonic())
        except PullError as e:
            if e.summary:
                outcome.accepted += e.summary.accepted
                outcome.rejected += e.summary.rejected
            raise
        outcome.asked += len(some)
        outcome.accepted += landed.accepted
        outcome.rejected += landed.rejected
        _note(conn, source, some)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock(), zone)


# A meter-day of which one fragment is whole is no gap and costs one look; only of the others the slots are counted.
_FIND = """
with d as (
    select g::date as day, ops.minutes(g::date, z.timezone) as minutes
    from registry.discom z, generate_series(%(first)s::date, %(last)s::date, interval '1 day') g where z.discom_id = %(discom)s
),
due as (
    select d.day, m.meter_id, m.serial, d.minutes / m.interval_min as slots
    from d
    join registry.installation i on i.discom_id = %(discom)s and i.valid_from <= d.day and (i.valid_to is null or i.valid_to > d.day)
    join registry.meter m on m.discom_id = i.discom_id and m.meter_id = i.meter_id and m.hes_id = %(hes)s
),
scattered as (
    select u.* from due u
    where not exists (
        select from raw.profile_fragment f
        where f.discom_id = %(discom)s and f.day = u.day and f.meter_id = u.meter_id and f.day between %(first)s and %(last)s
          and f.start_slot = 0 and cardinality(f.import_wh) = u.slots and array_position(f.import_wh, null) is null
    )
),
gap as (
    select s.day, 'block' as kind, s.meter_id, s.serial
    from scattered s
    cross join lateral (
        select count(distinct f.start_slot + v.i) as slots
        from raw.profile_fragment f cross join lateral unnest(f.import_wh) with ordinality as v(wh, i)
        where f.discom_id = %(discom)s and f.day = s.day and f.meter_id = s.meter_id and v.wh is not null
    ) f
    where f.slots < s.slots
    union all
    select u.day, 'daily', u.meter_id, u.serial from due u
    where not exists (
        select from raw.register_reading r
        where r.discom_id = %(discom)s and r.day = u.day and r.meter_id = u.meter_id and r.day between %(first)s and %(last)s
    )
)
select g.day, g.kind, g.meter_id, g.serial
from gap g
left join ops.gap_request q on q.discom_id = %(discom)s and q.day = g.day and q.meter_id = g.meter_id and q.kind = g.kind
where coalesce(q.times, 0) < %(times)s and (q.asked_at is null or q.asked_at < now() - make_interval(mins => %(pause)s))
order by coalesce(q.times, 0), g.day desc, g.kind, g.meter_id
limit %(meters)s
"""


def find(conn: psycopg.Connection, source: Source, first: date, last: date, limits: Limits) -> list[Gap]:
    """Gaps of meters of one head-end system that may still be asked for, the newest days first."""
    wanted = {"discom": source.discom_id, "hes": source.hes_id, "first": first, "last": last}
    with conn.transaction():
        rows = conn.execute(_FIND, wanted | {"times": limits.times, "pause": limits.pause_min, "meters": limits.meters}).fetchall()
    return [Gap(*row) for row in rows]


def _note(conn: psycopg.Connection, source: Source, gaps: list[Gap]) -> None:
    with conn.transaction(), conn.cursor() as cur:
        cur.executemany(
            """insert into ops.gap_request (discom_id, day, meter_id, kind, times, asked_at) values (%s, %s, %s, %s, 1, now())
               on conflict (discom_id, day, meter_id, kind) do update set times = ops.gap_request.times + 1, asked_at = now()""",
            [(source.discom_id, g.day, g.meter_id, g.kind) for g in gaps],
        )
