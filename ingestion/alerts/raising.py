"""Raises the alerts of what lands, in the landing's own transaction, so that an alert is there exactly once with its data.

Here is what a rule finds in new data, and what the throttle holds back. Sending is `dispatch`, outages are grouped by `outages`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import psycopg
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from ingestion.alerts.rules import Limit, Rule, rules_of
from ingestion.canonical import FragmentBlock
from ingestion.events import DICTIONARY, MeterEvent

SAME_EVENT = timedelta(seconds=120)
"""An event of the profile and the bit of a status word that are no further apart are one: the word is pushed some seconds later."""

POWER = "power_failure"
"""Family of last gasp and first breath."""


@dataclass(frozen=True)
class Found:
    """Something that a rule holds for."""

    rule: Rule
    meter_id: int
    event: str
    severity: str
    source: str
    occurred_at: datetime
    received_at: datetime
    code: int | None = None
    value: int | None = None


@dataclass
class _Alert:
    """An alert that is stored (`alert_id`) or is to be."""

    alert_id: int | None
    event: str
    source: str
    occurred_at: datetime
    found: Found | None = None
    repeats: int = 0
    last_at: datetime | None = None


def raise_alerts(
    conn: psycopg.Connection,
    discom_id: int,
    discom_code: str,
    timezone: ZoneInfo,
    batch_id: int,
    *,
    blocks: Sequence[FragmentBlock] = (),
    events: pd.DataFrame,
    status_words: pd.DataFrame,
    values: pd.DataFrame,
    now: datetime | None = None,
) -> int:
    """Store the alerts of a batch whose rows are written but not committed; how many. Without a rule for what came it costs nothing.

    Frames are those that landing writes: `events` meter_id, occurred_at, code, received_at; `status_words` meter_id, occurred_at, word,
    received_at; `values` meter_id, read_at, quantity, zone, value, received_at. Stamps are UTC. Raises AlertRuleError.
    """
    rules = rules_of(discom_code)
    channels = {r.channel.name for r in rules.on_channels if r.channel}
    judged = [b for b in blocks if channels & b.values.keys()]
    if not (len(events) or len(status_words) or judged or (len(values) and rules.on_quantities)):
        return 0
    found: list[Found] = []
    kinds = _Kinds(conn, discom_id, [f["meter_id"].to_numpy(np.int64) for f in (events, status_words) if len(f)])
    power: list[tuple[int, datetime]] = []
    for source, rows in (("event", _events(events, kinds)), ("status", _word_events(conn, discom_id, status_words, kinds, power))):
        for event, code, meter_id, occurred_at, received_at in rows:
            if event.family == POWER:
                power += zip(meter_id, occurred_at, strict=True)
            for rule in rules.on_events:
                if rule.event and rule.event.holds(event):
                    of = partial(Found, rule, event=event.event, severity=rule.severity or event.severity, source=source, code=code)
                    found += [of(m, occurred_at=t, received_at=r) for m, t, r in zip(meter_id, occurred_at, received_at, strict=True)]
    for rule in rules.on_channels:
        if rule.channel:
            found += _beyond(conn, discom_id, timezone, judged, rule, rule.channel)
    for rule in rules.on_quantities:
        if rule.quantity and len(values):
            found += _values_beyond(values, rule, rule.quantity)
    if power:
        meters, stamps = zip(*power, strict=True)
        conn.execute(
            "insert into ops.outage_due (discom_id, meters, occurred_at) values (%s, %s, %s)", [discom_id, list(meters), list(stamps)]
        )
    return _store(conn, discom_id, batch_id, found, (now or datetime.now(UTC)) - rules.backfill_after) if found else 0


# --- what happened -----------------------------------------------------------------------------------------------------------

EventRows = Iterator[tuple[MeterEvent, int | None, list[int], list[datetime], list[datetime]]]
"""Event, code as sent, and of each row meter_id, occurred_at, received_at."""


class _Kinds:
    """Make and firmware of the meters of a batch."""

    def __init__(self, conn: psycopg.Connection, discom_id: int, meters: Sequence[np.ndarray]) -> None:
        self.of: dict[int, tuple[str | None, str | None]] = {}
        if meters and DICTIONARY.makes:
            rows = conn.execute(
                "select meter_id, make, firmware from registry.meter where discom_id = %s and meter_id = any(%s) and make is not null",
                [discom_id, np.unique(np.concatenate(meters)).tolist()],
            ).fetchall()
            self.of = {m: (make, firmware) for m, make, firmware in rows}

    def get(self, meter_id: int) -> tuple[str | None, str | None]:
        return self.of.get(meter_id, (None, None))


def _events(events: pd.DataFrame, kinds: _Kinds) -> EventRows:
    if events.empty:
        return
    # A batch has few makes and few codes, so each pair is looked up once.
    meters, of_row = np.unique(events["meter_id"].to_numpy(np.int64), return_inverse=True)
    numbers: dict[tuple[str | None, str | None], int] = {}
    kind = np.array([numbers.setdefault(kinds.get(m), len(numbers)) for m in meters.tolist()])[of_row]
    names = list(numbers)
    pairs, of_row = np.unique(np.stack([kind, events["code"].to_numpy(np.int64)]), axis=1, return_inverse=True)
    meter_id, occurred_at, received_at = events["meter_id"].tolist(), _stamps(events["occurred_at"]), _stamps(events["received_at"])
    for n, (number, code) in enumerate(pairs.T.tolist()):
        at = np.flatnonzero(of_row == n).tolist()
        make, firmware = names[number]
        event = DICTIONARY.resolve(make, firmware, code)
        yield event, code, [meter_id[i] for i in at], [occurred_at[i] for i in at], [received_at[i] for i in at]


_WORDS_AROUND = """
select w.n, before.word, after.word, after.occurred_at
from unnest(%(meters)s::integer[], %(at)s::timestamptz[]) with ordinality w(meter_id, occurred_at, n)
left join lateral (
    select s.word from raw.event_status s
    where s.discom_id = %(discom)s and s.meter_id = w.meter_id and s.occurred_at < w.occurred_at
    order by s.occurred_at desc, s.received_at desc, s.word desc limit 1
) before on true
left join lateral (
    select s.word, s.occurred_at from raw.event_status s
    where s.discom_id = %(discom)s and s.meter_id = w.meter_id and s.occurred_at > w.occurred_at
    order by s.occurred_at, s.received_at desc, s.word desc limit 1
) after on true
order by w.n
"""


def _word_events(
    conn: psycopg.Connection, discom_id: int, words: pd.DataFrame, kinds: _Kinds, power: list[tuple[int, datetime]]
) -> EventRows:
    """Events of new words: what differs from the word before. Into `power` goes what may have changed of a meter's power failures."""
    if words.empty:
        return
    last = words.drop_duplicates(["meter_id", "occurred_at"], keep="last")
    meters, stamps, received = last["meter_id"].tolist(), _stamps(last["occurred_at"]), _stamps(last["received_at"])
    around = conn.execute(_WORDS_AROUND, {"discom": discom_id, "meters": meters, "at": stamps}).fetchall()
    rows: dict[MeterEvent, list[tuple[int, datetime, datetime]]] = defaultdict(list)
    for (n, before, after, after_at), word in zip(around, last["word"].tolist(), strict=True):
        meter_id, at = meters[n - 1], stamps[n - 1]
        changes = partial(_changes, kind=kinds.get(meter_id))
        for event in changes(before, word):
            rows[event].append((meter_id, at, received[n - 1]))
        # A word that comes late, between two that are known, moves what the later one said.
        if after and any(e.family == POWER for e in [*changes(word, after), *changes(before, after)]):
            power += [(meter_id, at), (meter_id, after_at)]
    for event, of_event in rows.items():
        meter_id, occurred_at, received_at = (list(c) for c in zip(*of_event, strict=True))
        yield event, event.code, meter_id, occurred_at, received_at


def _changes(before: bytes | None, after: bytes, kind: tuple[str | None, str | None]) -> list[MeterEvent]:
    return [c.event for c in DICTIONARY.esw_changes(before, after, *kind)]


def _values_beyond(values: pd.DataFrame, rule: Rule, limit: Limit) -> Iterator[Found]:
    of = values[(values["quantity"] == limit.name).to_numpy(bool) & (values["zone"] == 0).to_numpy(bool)]
    hit = of[limit.passed(of["value"].to_numpy(np.int64))]
    columns = (hit["meter_id"].tolist(), _stamps(hit["read_at"]), _stamps(hit["received_at"]), hit["value"].tolist())
    for meter_id, read_at, received_at, value in zip(*columns, strict=True):
        yield Found(rule, meter_id, limit.name, rule.severity or "major", "value", read_at, received_at, value=int(value))


def _beyond(
    conn: psycopg.Connection, discom_id: int, timezone: ZoneInfo, blocks: Sequence[FragmentBlock], rule: Rule, limit: Limit
) -> Iterator[Found]:
    """Runs of `limit.slots` slots beyond the limit that new fragments complete; the alert's time is the end of the slot that completes one.

    A run may have begun, or go on, in fragments that came before: of meters whose new fragment ends in a run, those are read.
    """
    for block in blocks:
        if limit.name not in block.values:
            continue
        beyond = limit.passed(block.values[limit.name]) & block.present[limit.name]
        rows = np.flatnonzero(beyond.any(axis=1))
        step = timedelta(minutes=block.interval_min)
        for day64 in np.unique(block.day[rows]):
            day = day64.astype("datetime64[D]").item()
            midnight = _midnight(day, timezone)
            of_day = rows[block.day[rows] == day64]
            at_edge = block.meter_id[of_day[beyond[of_day, 0] | beyond[of_day, -1]]].tolist()
            around = _slots_around(conn, discom_id, timezone, limit.name, day, block.interval_min, at_edge)
            for i in of_day.tolist():
                meter_id, first = int(block.meter_id[i]), int(block.start_slot[i])
                new = {midnight + step * (first + s): int(block.values[limit.name][i, s]) for s in np.flatnonzero(beyond[i]).tolist()}
                slots = {t: v for t, v in around[meter_id].items() if limit.passed(v)} if meter_id in around else new
                received_at = block.received_at[i].astype("datetime64[us]").item().replace(tzinfo=UTC)
                for run in _runs(sorted(slots), step):
                    if len(run) >= limit.slots and not new.keys().isdisjoint(run):
                        worst = limit.worst(np.array([slots[t] for t in run]))
                        end = run[0] + step * limit.slots
                        yield Found(rule, meter_id, limit.name, rule.severity or "major", "interval", end, received_at, value=worst)


def _runs(stamps: list[datetime], step: timedelta) -> Iterator[list[datetime]]:
    """Stamps that follow each other by `step`."""
    run: list[datetime] = []
    for stamp in stamps:
        if run and stamp - run[-1] != step:
            yield run
            run = []
        run.append(stamp)
    if run:
        yield run


def _slots_around(
    conn: psycopg.Connection, discom_id: int, timezone: ZoneInfo, channel: str, day: date, interval_min: int, meters: list[int]
) -> dict[int, dict[datetime, int]]:
    """What is landed of these meters on the day and its neighbours: start of the slot and its latest value."""
    latest: dict[int, dict[datetime, int]] = {m: {} for m in meters}
    if meters:
        column = Identifier(channel)
        rows = conn.execute(
            SQL(
                """select meter_id, day, start_slot, {} from raw.profile_fragment
                   where discom_id = %s and day = any(%s) and meter_id = any(%s) and interval_min = %s and {} is not null
                   order by received_at desc, seq desc"""
            ).format(column, column),
            [discom_id, [day + timedelta(days=n) for n in (-1, 0, 1)], meters, interval_min],
        ).fetchall()
        for meter_id, of_day, first, values in rows:
            midnight = _midnight(of_day, timezone)
            for n, value in enumerate(values, first):
                if value is not None:
                    latest[meter_id].setdefault(midnight + timedelta(minutes=interval_min * n), value)
    return latest


def _midnight(day: date, timezone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone).astimezone(UTC)


def _stamps(stamps: pd.Series) -> list[datetime]:
    return list(pd.to_datetime(stamps, utc=True).dt.to_pydatetime())


# --- what is kept of it ------------------------------------------------------------------------------------------------------


def _store(conn: psycopg.Connection, discom_id: int, batch_id: int, found: list[Found], backfill_before: datetime) -> int:
    # Two landings of one DISCOM that raise alerts do so one after the other, to their commits: a throttle counts what is committed.
    conn.execute("select pg_advisory_xact_lock(hashtext('meterhouse alerts'), %s)", [discom_id])
    near = _near(conn, discom_id, found)
    held: list[tuple[Found, _Alert]] = []
    new: list[_Alert] = []
    for f in sorted(found, key=lambda f: (f.occurred_at, f.event)):
        alerts = near[f.meter_id, f.rule.name]
        if any(_is_same(f, a) for a in alerts):
            continue
        nearest = min(alerts, key=lambda a: abs(a.occurred_at - f.occurred_at), default=None)
        if nearest and abs(nearest.occurred_at - f.occurred_at) < f.rule.throttle:
            held.append((f, nearest))
        else:
            alerts.append(_Alert(None, f.event, f.source, f.occurred_at, f, last_at=f.occurred_at))
            new.append(alerts[-1])
    known = _known(conn, discom_id, batch_id, [f for f, _ in held])
    counted: set[tuple[Any, ...]] = set()
    for f, alert in held:
        key = (f.meter_id, f.rule.name, f.event, f.occurred_at)
        if key in known or key in counted:
            continue
        counted.add(key)
        alert.repeats += 1
        alert.last_at = max(alert.last_at or f.occurred_at, f.occurred_at)
    _count_repeats(conn, discom_id, [a for alerts in near.values() for a in alerts if a.alert_id is not None and a.repeats])
    _insert(conn, discom_id, batch_id, new, backfill_before)
    return len(new)


def _is_same(f: Found, alert: _Alert) -> bool:
    """The same event, that came again or by another way."""
    apart = SAME_EVENT if f.source != alert.source else timedelta(0)
    return f.event == alert.event and abs(f.occurred_at - alert.occurred_at) <= apart


def _near(conn: psycopg.Connection, discom_id: int, found: list[Found]) -> dict[tuple[int, str], list[_Alert]]:
    """Alerts of the same meters and rules that are near enough in time to hold one back, or to be the same."""
    reach: dict[tuple[int, str], tuple[datetime, datetime]] = {}
    for f in found:
        wide = max(f.rule.throttle, SAME_EVENT)
        low, high = f.occurred_at - wide, f.occurred_at + wide
        before = reach.get((f.meter_id, f.rule.name), (low, high))
        reach[f.meter_id, f.rule.name] = min(low, before[0]), max(high, before[1])
    near: dict[tuple[int, str], list[_Alert]] = {key: [] for key in reach}
    with conn.cursor(row_factory=tuple_row) as cur:
        cur.execute(
            """select a.meter_id, a.rule, a.alert_id, a.event, a.source, a.occurred_at
               from unnest(%s::integer[], %s::text[], %s::timestamptz[], %s::timestamptz[]) w(meter_id, rule, low, high)
               cross join lateral (
                   select * from ops.alert a
                   where a.discom_id = %s and a.meter_id = w.meter_id and a.rule = w.rule and a.occurred_at between w.low and w.high
                   offset 0
               ) a""",
            [[k[0] for k in reach], [k[1] for k in reach], [r[0] for r in reach.values()], [r[1] for r in reach.values()], discom_id],
        )
        for meter_id, rule, *alert in cur:
            near[meter_id, rule].append(_Alert(*alert))
    return near


def _known(conn: psycopg.Connection, discom_id: int, batch_id: int, held: list[Found]) -> set[tuple[Any, ...]]:
    """Of what the throttle holds back, what an earlier batch brought already: it was counted then. Told by meter, rule, event and time."""
    asked = [f for f in held if f.source in ("event", "status") and f.code is not None]
    if not asked:
        return set()
    apart = [SAME_EVENT if f.source == "status" else timedelta(0) for f in asked]
    rows = conn.execute(
        """select w.n from unnest(%(meters)s::integer[], %(codes)s::integer[], %(at)s::timestamptz[], %(apart)s::interval[])
                          with ordinality w(meter_id, code, occurred_at, apart, n)
           where exists (
               select 1 from raw.event e
               where e.discom_id = %(discom)s and e.meter_id = w.meter_id and e.code = w.code and e.batch_id <> %(batch)s
                 and e.day between (w.occurred_at - interval '1 day')::date and (w.occurred_at + interval '1 day')::date
                 and e.occurred_at between w.occurred_at - w.apart and w.occurred_at + w.apart)""",
        {
            "discom": discom_id,
            "batch": batch_id,
            "meters": [f.meter_id for f in asked],
            "codes": [f.code for f in asked],
            "at": [f.occurred_at for f in asked],
            "apart": apart,
        },
    ).fetchall()
    return {(f.meter_id, f.rule.name, f.event, f.occurred_at) for f in (asked[n - 1] for (n,) in rows)}


def _count_repeats(conn: psycopg.Connection, discom_id: int, alerts: list[_Alert]) -> None:
    if alerts:
        conn.execute(
            """update ops.alert a set repeats = a.repeats + w.repeats, last_at = greatest(a.last_at, w.last_at)
               from unnest(%s::bigint[], %s::integer[], %s::timestamptz[]) w(alert_id, repeats, last_at)
               where a.discom_id = %s and a.alert_id = w.alert_id""",
            [[a.alert_id for a in alerts], [a.repeats for a in alerts], [a.last_at for a in alerts], discom_id],
        )


def _insert(conn: psycopg.Connection, discom_id: int, batch_id: int, alerts: list[_Alert], backfill_before: datetime) -> None:
    """Alerts and, unless they are of long ago, what is to be sent of them."""
    found = [a.found for a in alerts if a.found]
    rules = {f.rule.name: f.rule for f in found}
    sends = [(rule.name, channel, target) for rule in rules.values() for channel, target in rule.send]
    if not found:
        return
    conn.execute(
        """with raised as (
               insert into ops.alert (discom_id, batch_id, rule, meter_id, severity, event, source, code, value, occurred_at, received_at,
                                      repeats, last_at, backfill)
               select %(discom)s, %(batch)s, w.*, w.occurred_at < %(backfill_before)s
               from unnest(%(rule)s::text[], %(meter)s::integer[], %(severity)s::text[], %(event)s::text[], %(source)s::text[],
                           %(code)s::integer[], %(value)s::bigint[], %(occurred)s::timestamptz[], %(received)s::timestamptz[],
                           %(repeats)s::integer[], %(last)s::timestamptz[])
                    w(rule, meter_id, severity, event, source, code, value, occurred_at, received_at, repeats, last_at)
               returning alert_id, rule, backfill
           )
           insert into ops.alert_delivery (discom_id, alert_id, channel, target)
           select %(discom)s, r.alert_id, s.channel, s.target
           from raised r
           join unnest(%(send_rule)s::text[], %(send_channel)s::text[], %(send_target)s::text[]) s(rule, channel, target) on s.rule = r.rule
           where not r.backfill""",
        {
            "discom": discom_id,
            "batch": batch_id,
            "backfill_before": backfill_before,
            "rule": [f.rule.name for f in found],
            "meter": [f.meter_id for f in found],
            "severity": [f.severity for f in found],
            "event": [f.event for f in found],
            "source": [f.source for f in found],
            "code": [f.code for f in found],
            "value": [f.value for f in found],
            "occurred": [f.occurred_at for f in found],
            "received": [f.received_at for f in found],
            "repeats": [a.repeats for a in alerts],
            "last": [a.last_at for a in alerts],
            "send_rule": [s[0] for s in sends],
            "send_channel": [s[1] for s in sends],
            "send_target": [s[2] for s in sends],
        },
    )
