"""What one meter reported, each event with what ended it: says what vee.event_episode says, and reads the one meter.

That view names the events of all makes of a DISCOM before it looks at a meter, which is dear where a single one is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from psycopg.sql import SQL, Composed

LOOKAHEAD = timedelta(days=31)
"""How long after the last day what ended an event is looked for."""
SAME_EVENT_S = 120
"""A status word that says within this what an event said is not told again: var same_event_s of the dbt project."""


def reported(discom_id: int, serial: str, first: date, last: date) -> tuple[Composed, dict[str, Any]]:
    """Events of the days first..last and what followed them, each once, in the order of their time.

    On days on which the caller sees where the meter hung; who sees the whole DISCOM sees all days.
    """
    return (
        SQL("""
        with m as materialized (
            select discom_id, meter_id, lower(coalesce(make, '')) as make, lower(coalesce(firmware, '')) as firmware
            from registry.meter where discom_id = %(discom_id)s and serial = %(serial)s
        ),
        profile as (
            select e.day, e.occurred_at, e.code
            from m join raw.event e on e.discom_id = m.discom_id and e.meter_id = m.meter_id
            where e.day >= %(first)s and e.day <= %(last)s
            group by e.day, e.occurred_at, e.code
        ),
        named as (
            select p.day, p.occurred_at, p.code, coalesce(k.event, 'UNKNOWN_' || p.code) as event, coalesce(k.family, 'UNKNOWN_' || p.code)
                   as family, coalesce(k.role, 'single') as role, coalesce(k.log, 'other') as log, coalesce(k.severity, 'info') as severity
            from profile p
            cross join m
            left join lateral (
                select * from reference.code_event k
                where k.code = p.code and m.make like k.make and m.firmware like k.firmware order by k.rank limit 1
            ) k on true
        ),
        word as (
            select distinct on (s.day, s.occurred_at) s.discom_id, s.day, s.meter_id, s.occurred_at, s.word
            from m join raw.event_status s on s.discom_id = m.discom_id and s.meter_id = m.meter_id
            where s.day >= %(first)s and s.day <= %(last)s
            order by s.day, s.occurred_at, s.received_at desc, s.word desc
        ),
        changed as (
            select w.*, coalesce(
                       lag(w.word) over (partition by w.day order by w.occurred_at),
                       (select p.word from raw.event_status p
                        where p.discom_id = w.discom_id and p.meter_id = w.meter_id and p.occurred_at < w.occurred_at
                        order by p.occurred_at desc, p.received_at desc, p.word desc limit 1),
                       decode(repeat('00', 16), 'hex')
                   ) as before
            from word w
        ),
        -- Bit 0 is the most significant of the first octet; get_bit counts from the least significant.
        flipped as (
            select c.day, c.occurred_at, (8 * o.octet + b.bit)::integer as bit, get_bit(c.word, 8 * o.octet + 7 - b.bit) = 1 as came
            from changed c
            cross join generate_series(0, 15) o(octet)
            cross join generate_series(0, 7) b(bit)
            where get_bit(c.word, 8 * o.octet + 7 - b.bit) <> get_bit(c.before, 8 * o.octet + 7 - b.bit)
        ),
        flag as (
            select f.day, f.occurred_at,
                   case when k.bit is null then 'UNKNOWN_ESW_' || f.bit || case when f.came then '' else '_restored' end
                        else k.event end as event,
                   coalesce(k.family, 'UNKNOWN_ESW_' || f.bit) as family,
                   case when k.bit is not null then k.role when f.came then 'occurrence' else 'restoration' end as role,
                   coalesce(k.log, 'other') as log, coalesce(k.severity, 'info') as severity
            from flipped f
            cross join m
            left join lateral (
                select * from reference.code_esw_bit k
                where k.bit = f.bit and k.came = f.came and m.make like k.make and m.firmware like k.firmware order by k.rank limit 1
            ) k on true
        ),
        every as (
            select day, occurred_at, event, family, role, log, severity, code, 'event' as source from named
            union all
            select day, occurred_at, event, family, role, log, severity, null, 'status' from flag f
            where f.event <> '' and not exists (
                select 1 from named n
                where n.event = f.event and n.day in (f.day - 1, f.day, f.day + 1)
                  and n.occurred_at between f.occurred_at - make_interval(secs => %(same)s)
                                       and f.occurred_at + make_interval(secs => %(same)s)
            )
        )
        select e.occurred_at, e.event, e.family, e.role, e.log, e.severity, e.code, e.source
        from every e
        cross join m
        where (select ops.whole_tenant()) or exists (
            select 1 from registry.installation i
            where i.discom_id = m.discom_id and i.meter_id = m.meter_id and i.valid_from <= e.day
              and (i.valid_to is null or i.valid_to > e.day)
        )
        order by e.occurred_at, e.event, e.source, e.code""").format(),
        {"discom_id": discom_id, "serial": serial, "first": first, "last": last + LOOKAHEAD, "same": SAME_EVENT_S},
    )


def episodes_of(reported: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Occurrences and what nothing ends, by time and name, of events in the order of their time, name, source and code."""
    once: dict[tuple[Any, str], Mapping[str, Any]] = {}
    for e in reported:
        once.setdefault((e["occurred_at"], e["event"]), e)  # a make may have two codes for one event
    families: dict[str, list[Mapping[str, Any]]] = {}
    for e in once.values():
        families.setdefault(e["family"], []).append(e)
    found = []
    for events in families.values():
        # Of one instant the occurrence counts first: stamps are whole seconds, and what lasts shorter ends within one.
        events.sort(key=lambda e: (e["occurred_at"], e["role"]))
        found += [_episode(e, following) for e, following in pairwise([*events, None]) if e and e["role"] != "restoration"]
    return sorted(found, key=lambda e: (e["occurred_at"], e["event"]))


def _episode(e: Mapping[str, Any], following: Mapping[str, Any] | None) -> dict[str, Any]:
    if e["role"] == "single":
        state = "single"
    elif following is None:
        state = "open"
    else:
        state = "restored" if following["role"] == "restoration" else "lost restoration"
    ended_at = following["occurred_at"] if following and e["role"] == "occurrence" else None
    return {
        **{k: e[k] for k in ("event", "family", "log", "severity", "code", "source", "occurred_at")},
        "ended_at": ended_at,
        "duration_s": int((ended_at - e["occurred_at"]).total_seconds()) if ended_at and state == "restored" else None,
        "state": state,
    }
