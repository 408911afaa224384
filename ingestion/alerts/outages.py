"""Groups last gasps and first breaths of meters to outages of their DT and feeder (ops.outage).

Which outages there were follows from the events and the master data alone, whatever the order in which they came: what landed names meters
and times (ops.outage_due), and from there the outages of their places are worked out anew, as far as they can have changed.

A place is out from the first of so many of its children (consumers' meters of a DT, DTs of a feeder) that go out within the window, or from
when its own meter goes out. It is back when its own meter is, or the same share of those that went out. A child that goes out again without
having come back counts as out anew: its first breath was lost.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import psycopg

from ingestion.alerts.raising import POWER, SAME_EVENT
from ingestion.alerts.rules import OutageRules, rules_of
from ingestion.events import DICTIONARY

AT_ONCE = 1000
"""Rows of ops.outage_due that are worked off in one transaction."""
OWN = 0
"""Number of a place's own meter among its children; ids begin at 1."""
EVER = datetime(9999, 1, 1, tzinfo=UTC)

Level = Literal["dt", "feeder"]


@dataclass(frozen=True)
class Change:
    """A child of a place goes out or comes back."""

    at: datetime
    child: int
    out: bool


@dataclass(frozen=True)
class Outage:
    """`ended_at` is None while it lasts; `children` are those that went out with it."""

    started_at: datetime
    ended_at: datetime | None
    children: frozenset[int]


def group(
    changes: Iterable[Change], children_at: Callable[[datetime], int], share: float, at_least: int, window: timedelta
) -> list[Outage]:
    """The outages of one place, in time. `children_at` says how many children (without the own meter) it has at an instant."""
    found: list[Outage] = []
    out: dict[int, datetime] = {}
    started: datetime | None = None
    taken: set[int] = set()
    # Of one instant what goes out comes first: stamps are whole seconds, and a blink is shorter than that.
    for c in sorted(changes, key=lambda c: (c.at, not c.out, c.child)):
        if c.out:
            out[c.child] = c.at
        else:
            out.pop(c.child, None)
        if started is not None:
            if c.out:
                taken.add(c.child)
                continue
            others = taken - {OWN}
            back = len(others - out.keys())
            if (c.child == OWN and OWN in taken) or (others and back >= math.ceil(share * len(others))):
                found.append(Outage(started, c.at, frozenset(taken)))
                # What did not come back belongs to the outage that ended, and begins no other.
                started, out = None, {}
        elif c.out:
            recent = {child: at for child, at in out.items() if at > c.at - window}
            if c.child == OWN or len(recent.keys() - {OWN}) >= max(at_least, math.ceil(share * children_at(c.at))):
                started, taken = min(recent.values()), set(recent)
    if started is not None:
        found.append(Outage(started, None, frozenset(taken)))
    return found


def group_outages(conn: psycopg.Connection) -> int:
    """Work off what landed since the last time; how many outages are new or changed. `conn` has no transaction open.

    Raises AlertRuleError where the rules of a DISCOM cannot be read.
    """
    changed = 0
    with conn.transaction():
        discoms = conn.execute(
            "select discom_id, code, timezone from registry.discom where discom_id in (select discom_id from ops.outage_due)"
        ).fetchall()
    for discom_id, code, timezone in discoms:
        rules = rules_of(code).outage
        with conn.transaction():
            # One at a time of a DISCOM: two could each miss what the other has not committed.
            lock = conn.execute("select pg_try_advisory_xact_lock(hashtext('meterhouse outages'), %s)", [discom_id]).fetchone()
            if lock and lock[0]:
                changed += _Regrouping(conn, discom_id, ZoneInfo(timezone), rules).work()
    return changed


@dataclass
class _Place:
    """A DT or a feeder, and the time in which something of it changed."""

    level: Level
    place_id: int
    first: datetime = EVER
    last: datetime = datetime(1, 1, 1, tzinfo=UTC)

    def touch(self, *at: datetime) -> None:
        self.first, self.last = min(self.first, *at), max(self.last, *at)


@dataclass(frozen=True)
class _Member:
    """A meter of a place, from a day on and up to another (None = still)."""

    meter_id: int
    own: bool
    valid_from: date
    valid_to: date | None

    def on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True)
class _Row:
    """A row of ops.outage."""

    started_at: datetime
    ended_at: datetime | None
    meters_out: int
    meters_total: int


class _Regrouping:
    """One transaction of a DISCOM's regrouping."""

    def __init__(self, conn: psycopg.Connection, discom_id: int, timezone: ZoneInfo, rules: OutageRules) -> None:
        self.conn, self.discom_id, self.timezone, self.rules = conn, discom_id, timezone, rules
        self.changed = 0

    def work(self) -> int:
        due = self.conn.execute(
            """with due as (select due_id from ops.outage_due where discom_id = %(discom)s order by due_id limit %(at_once)s)
               delete from ops.outage_due d using due where d.discom_id = %(discom)s and d.due_id = due.due_id
               returning d.meters, d.occurred_at""",
            {"discom": self.discom_id, "at_once": AT_ONCE},
        ).fetchall()
        times: dict[int, list[datetime]] = defaultdict(list)
        for meters, stamps in due:
            for meter_id, at in zip(meters, stamps, strict=True):
                times[meter_id] += [at - SAME_EVENT, at + SAME_EVENT]
        dts, feeders = self._places(times)
        members = self._members_of_dts(list(dts))
        for dt_id, place in dts.items():
            feeder_id = self._feeder_of(dt_id)
            feeder = feeders.setdefault(feeder_id, _Place("feeder", feeder_id))
            self._regroup_dt(place, feeder, members[dt_id])
        for feeder in feeders.values():
            if feeder.first < EVER:
                self._regroup_feeder(feeder)
        return self.changed

    # --- places and meters ---

    def _places(self, times: dict[int, list[datetime]]) -> tuple[dict[int, _Place], dict[int, _Place]]:
        """The DTs, and the feeders by their own meter, to which these meters belong or belonged."""
        dts: dict[int, _Place] = {}
        feeders: dict[int, _Place] = {}
        rows = self.conn.execute(
            """select i.meter_id, coalesce(i.dt_id, x.dt_id), i.feeder_id
               from registry.installation i
               left join registry.consumer_index x on x.discom_id = i.discom_id and x.service_point_id = i.service_point_id
               where i.discom_id = %s and i.meter_id = any(%s)""",
            [self.discom_id, list(times)],
        ).fetchall()
        for meter_id, dt_id, feeder_id in rows:
            if dt_id is not None:
                dts.setdefault(dt_id, _Place("dt", dt_id)).touch(*times[meter_id])
            elif feeder_id is not None:
                feeders.setdefault(feeder_id, _Place("feeder", feeder_id)).touch(*times[meter_id])
        return dts, feeders

    def _members_of_dts(self, dts: list[int]) -> dict[int, list[_Member]]:
        rows = self.conn.execute(
            """select i.dt_id, i.meter_id, true, i.valid_from, i.valid_to
               from registry.installation i where i.discom_id = %(discom)s and i.dt_id = any(%(dts)s)
               union all
               select x.dt_id, i.meter_id, false, greatest(i.valid_from, x.valid_from), least(i.valid_to, x.valid_to)
               from registry.consumer_index x
               join registry.installation i on i.discom_id = x.discom_id and i.service_point_id = x.service_point_id
               where x.discom_id = %(discom)s and x.dt_id = any(%(dts)s)""",
            {"discom": self.discom_id, "dts": dts},
        ).fetchall()
        members: dict[int, list[_Member]] = {d: [] for d in dts}
        for dt_id, *member in rows:
            members[dt_id].append(_Member(*member))
        return members

    def _feeder_of(self, dt_id: int) -> int:
        row = self.conn.execute("select feeder_id from registry.dt where discom_id = %s and dt_id = %s", [self.discom_id, dt_id]).fetchone()
        assert row is not None
        return int(row[0])

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.timezone).date()

    # --- one place ---

    def _regroup_dt(self, place: _Place, feeder: _Place, members: Sequence[_Member]) -> None:
        by_meter: dict[int, list[_Member]] = defaultdict(list)
        for m in members:
            by_meter[m.meter_id].append(m)

        def changes(low: datetime, high: datetime) -> list[Change]:
            found = []
            for meter_id, at, out in self._power_events(list(by_meter), low, high):
                member = next((m for m in by_meter[meter_id] if m.on(self._day(at))), None)
                if member:
                    found.append(Change(at, OWN if member.own else meter_id, out))
            return found

        def installed(at: datetime, own: bool = False) -> int:
            return len({m.meter_id for m in members if m.on(self._day(at)) and (own or not m.own)})

        rules = self.rules
        found, low, high = self._anew(place, changes, lambda c: group(c, installed, rules.dt_share, rules.min_meters, rules.window))
        rows = [_Row(o.started_at, o.ended_at, len(o.children), installed(o.started_at, own=True)) for o in found]
        feeder_id = feeder.place_id
        for row in self._write(place, feeder_id, rows, low, high):
            feeder.touch(row.started_at, row.ended_at or row.started_at)

    def _regroup_feeder(self, place: _Place) -> None:
        own = {
            m: (_Member(m, True, a, b))
            for m, a, b in self.conn.execute(
                "select meter_id, valid_from, valid_to from registry.installation where discom_id = %s and feeder_id = %s",
                [self.discom_id, place.place_id],
            ).fetchall()
        }
        dt_rows = self.conn.execute(
            "select dt_id, started_at, ended_at, meters_out from ops.outage where discom_id = %s and feeder_id = %s and level = 'dt'",
            [self.discom_id, place.place_id],
        ).fetchall()
        dts = self.conn.execute(
            "select count(*) from registry.dt where discom_id = %s and feeder_id = %s", [self.discom_id, place.place_id]
        ).fetchone()
        assert dts is not None

        def changes(low: datetime, high: datetime) -> list[Change]:
            found = [Change(started, dt, True) for dt, started, _, _ in dt_rows if low <= started <= high]
            found += [Change(ended, dt, False) for dt, _, ended, _ in dt_rows if ended is not None and low <= ended <= high]
            found += [Change(at, OWN, out) for m, at, out in self._power_events(list(own), low, high) if own[m].on(self._day(at))]
            return found

        rules, total = self.rules, int(dts[0])
        found, low, high = self._anew(place, changes, lambda c: group(c, lambda _: total, rules.feeder_share, rules.min_dts, rules.window))
        rows = []
        for o in found:
            end = o.ended_at or EVER
            of_dts = sum(n for dt, started, ended, n in dt_rows if dt in o.children and started <= end and (ended or EVER) >= o.started_at)
            rows.append(_Row(o.started_at, o.ended_at, of_dts + (OWN in o.children), self._meters_below(place.place_id, o.started_at)))
        self._write(place, place.place_id, rows, low, high)

    def _meters_below(self, feeder_id: int, at: datetime) -> int:
        row = self.conn.execute(
            """select count(distinct i.meter_id)
               from registry.installation i
               left join registry.consumer_index x on x.discom_id = i.discom_id and x.service_point_id = i.service_point_id
                    and x.valid_from <= %(day)s and (x.valid_to is null or %(day)s < x.valid_to)
               left join registry.dt t on t.discom_id = i.discom_id and t.dt_id = coalesce(i.dt_id, x.dt_id)
               where i.discom_id = %(discom)s and coalesce(i.feeder_id, x.feeder_id, t.feeder_id) = %(feeder)s
                 and i.valid_from <= %(day)s and (i.valid_to is null or %(day)s < i.valid_to)""",
            {"discom": self.discom_id, "feeder": feeder_id, "day": self._day(at)},
        ).fetchone()
        return int(row[0]) if row else 0

    # --- what can have changed ---

    def _anew(
        self, place: _Place, changes: Callable[[datetime, datetime], list[Change]], grouped: Callable[[list[Change]], list[Outage]]
    ) -> tuple[list[Outage], datetime, datetime]:
        """Outages of the place in the time in which what landed can have changed something, and that time.

        Outside of an outage all that counts is what went out within the window before: so far beyond what changed, and beyond outages that
        reach into it, all is as it was.
        """
        window = self.rules.window
        known = self.conn.execute(
            f"select started_at, ended_at from ops.outage where discom_id = %s and level = %s and {place.level}_id = %s",  # noqa: S608
            [self.discom_id, place.level, place.place_id],
        ).fetchall()
        low, high = place.first - window, place.last + window
        while True:
            touching = [(s, e or EVER) for s, e in known if s <= high and (e or EVER) >= low]
            wider = min([low, *(s - window for s, _ in touching)]), max([high, *(min(e, EVER - window) + window for _, e in touching)])
            if wider == (low, high):
                break
            low, high = wider
        found = grouped(changes(low, high))
        if found and high < EVER and (found[-1].ended_at is None or found[-1].ended_at > high - window):
            high = EVER
            found = grouped(changes(low, high))
        return found, low, high

    def _power_events(self, meters: list[int], low: datetime, high: datetime) -> list[tuple[int, datetime, bool]]:
        """Meter, instant, whether it went out: from event profiles and status words, each once."""
        asked = {
            "discom": self.discom_id,
            "meters": meters,
            "low": low - SAME_EVENT,
            "high": min(high, EVER - SAME_EVENT) + SAME_EVENT,
            "codes": _POWER_CODES,
        }
        kinds = {m: (a, b) for m, a, b in self.conn.execute(_KINDS, asked).fetchall()}
        told: dict[tuple[int, bool], set[datetime]] = defaultdict(set)
        for meter_id, code, at in self.conn.execute(_EVENTS, asked).fetchall():
            event = DICTIONARY.resolve(*kinds[meter_id], code)
            if event.family == POWER:
                told[meter_id, event.role == "occurrence"].add(at)
        by_word: dict[tuple[int, bool], set[datetime]] = defaultdict(set)
        before: dict[int, bytes] = {}
        for meter_id, at, word in self.conn.execute(_WORDS, asked).fetchall():
            for change in DICTIONARY.esw_changes(before.get(meter_id), word, *kinds[meter_id]):
                if change.event.family == POWER:
                    by_word[meter_id, change.event.role == "occurrence"].add(at)
            before[meter_id] = word
        for key, stamps in by_word.items():
            profile = list(told.get(key, ()))
            told[key] |= {at for at in stamps if all(abs(at - p) > SAME_EVENT for p in profile)}
        return [(meter_id, at, out) for (meter_id, out), stamps in told.items() for at in stamps if low <= at <= high]

    def _write(self, place: _Place, feeder_id: int, rows: list[_Row], low: datetime, high: datetime) -> list[_Row]:
        """Bring ops.outage to `rows` in low..high; what was or is otherwise. An outage that only grows keeps its number."""
        dt_id = place.place_id if place.level == "dt" else None
        where = "discom_id = %s and feeder_id = %s and dt_id is not distinct from %s"
        key = [self.discom_id, feeder_id, dt_id]
        before = {
            r[0]: _Row(*r)
            for r in self.conn.execute(
                f"select started_at, ended_at, meters_out, meters_total from ops.outage where {where} and started_at between %s and %s",  # noqa: S608
                [*key, low, high],
            ).fetchall()
        }
        after = {r.started_at: r for r in rows}
        gone = [r for at, r in before.items() if at not in after]
        new = [r for at, r in after.items() if before.get(at) != r]
        if gone:
            self.conn.execute(f"delete from ops.outage where {where} and started_at = any(%s)", [*key, [r.started_at for r in gone]])  # noqa: S608
        for r in new:
            self.conn.execute(
                """insert into ops.outage (discom_id, level, feeder_id, dt_id, started_at, ended_at, meters_out, meters_total, state)
                   values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
                   on conflict (discom_id, feeder_id, dt_id, started_at) do update
                   set ended_at = excluded.ended_at, meters_out = excluded.meters_out, meters_total = excluded.meters_total,
                       state = excluded.state""",
                [
                    self.discom_id,
                    place.level,
                    feeder_id,
                    dt_id,
                    r.started_at,
                    r.ended_at,
                    r.meters_out,
                    r.meters_total,
                    "ended" if r.ended_at else "open",
                ],
            )
        self.changed += len(gone) + len(new)
        return [*gone, *new, *(before[r.started_at] for r in new if r.started_at in before)]


_POWER_CODES = sorted(
    {code for codes in (DICTIONARY.codes, *(m.codes for m in DICTIONARY.makes)) for code, e in codes.items() if e.family == POWER}
)

_KINDS = "select meter_id, make, firmware from registry.meter where discom_id = %(discom)s and meter_id = any(%(meters)s)"

_EVENTS = """
select meter_id, code, occurred_at from raw.event
where discom_id = %(discom)s and meter_id = any(%(meters)s) and code = any(%(codes)s)
  and day between (%(low)s - interval '1 day')::date and (%(high)s + interval '1 day')::date and occurred_at between %(low)s and %(high)s
"""

# With the word before the first, without which nobody knows what it changed. Of several words of one instant the latest received stands.
_WORDS = """
select distinct on (meter_id, occurred_at) meter_id, occurred_at, word from (
    select s.meter_id, s.occurred_at, s.word, s.received_at from raw.event_status s
    where s.discom_id = %(discom)s and s.meter_id = any(%(meters)s)
      and s.day between (%(low)s - interval '1 day')::date and (%(high)s + interval '1 day')::date
      and s.occurred_at between %(low)s and %(high)s
    union all
    select m.meter_id, b.occurred_at, b.word, b.received_at from unnest(%(meters)s::integer[]) m(meter_id)
    cross join lateral (
        select s.occurred_at, s.word, s.received_at from raw.event_status s
        where s.discom_id = %(discom)s and s.meter_id = m.meter_id and s.occurred_at < %(low)s
        order by s.occurred_at desc, s.received_at desc, s.word desc limit 1
    ) b
) w
order by meter_id, occurred_at, received_at desc, word desc
"""
