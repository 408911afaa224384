"""What came from each head-end system, and when last: for `meterhouse hes status` and the freshness check."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import psycopg


@dataclass(frozen=True)
class Silence:
    """A head-end system that delivered nothing for longer than registry.hes.silent_after_min; `since` None = it never did."""

    discom: str
    hes: str
    since: datetime | None
    silent_after_min: int

    @property
    def text(self) -> str:
        since = f"silent since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else "has never delivered anything"
        return f"{self.discom} {self.hes}: {since} (expected every {self.silent_after_min} min)"


_LAST = "select max(b.landed_at) from raw.batch b where b.discom_id = h.discom_id and b.hes_id = h.hes_id"

_SILENT = f"""
select d.code, h.code, b.landed_at, h.silent_after_min
from registry.hes h
join registry.discom d using (discom_id)
cross join lateral ({_LAST}) b(landed_at)
where exists (select from registry.meter m where m.discom_id = h.discom_id and m.hes_id = h.hes_id)
  and (b.landed_at is null or b.landed_at < now() - make_interval(mins => h.silent_after_min))
order by d.code, h.code
"""  # noqa: S608 (a constant of this module)


def silent(conn: psycopg.Connection) -> list[Silence]:
    """Head-end systems with meters that are silent for too long, of every DISCOM."""
    return [Silence(*row) for row in conn.execute(_SILENT).fetchall()]


@dataclass(frozen=True)
class Feed:
    """A pull's cursor. `complete_until` None = never pulled to an end; `next_page` None = no window is under way."""

    name: str
    complete_until: datetime | None
    next_page: int | None


@dataclass(frozen=True)
class HesState:
    """One head-end system. Values are of the last 24 h; a meter is silent of which nothing landed within silent_after_min."""

    code: str
    vendor: str
    pull_every_min: int | None
    silent_after_min: int
    last_landed_at: datetime | None
    last_source: str | None
    accepted: int
    rejected: int
    meters: int
    silent_meters: int
    succeeded_at: datetime | None
    failures: int
    error: str | None
    is_silent: bool
    feeds: tuple[Feed, ...] = ()


_STATE = f"""
select h.code, h.vendor, h.pull_every_min, h.silent_after_min, b.landed_at, b.source, v.accepted, v.rejected, m.meters, m.meters - s.heard,
       p.succeeded_at, coalesce(p.failures, 0), p.error,
       m.meters > 0 and (b.landed_at is null or b.landed_at < now() - make_interval(mins => h.silent_after_min))
from registry.hes h
left join ops.hes_pull p using (discom_id, hes_id)
left join lateral (
    select b.landed_at, b.source from raw.batch b
    where b.discom_id = h.discom_id and b.hes_id = h.hes_id and b.landed_at = ({_LAST}) limit 1
) b on true
cross join lateral (
    select coalesce(sum(b.values_accepted), 0)::bigint as accepted, coalesce(sum(b.values_rejected), 0)::bigint as rejected
    from raw.batch b where b.discom_id = h.discom_id and b.hes_id = h.hes_id and b.landed_at > now() - interval '24 hours'
) v
cross join lateral (select count(*) as meters from registry.meter m where m.discom_id = h.discom_id and m.hes_id = h.hes_id) m
cross join lateral (
    select count(*) as heard from registry.meter m
    where m.discom_id = h.discom_id and m.hes_id = h.hes_id and m.meter_id in (
        select unnest(t.meters) from raw.touched_day t
        where t.discom_id = h.discom_id and t.touched_at > now() - make_interval(mins => h.silent_after_min)
    )
) s
where h.discom_id = %(discom)s
order by h.code
"""  # noqa: S608 (a constant of this module)


def states(conn: psycopg.Connection, discom_id: int) -> list[HesState]:
    """Every head-end system of a DISCOM, by code."""
    feeds: dict[str, list[Feed]] = {}
    for code, name, cursor in conn.execute(
        """select h.code, c.feed, c.cursor from ops.pull_cursor c join registry.hes h using (discom_id, hes_id)
           where c.discom_id = %s order by c.feed""",
        [discom_id],
    ).fetchall():
        until = cursor.get("complete_until")
        feeds.setdefault(code, []).append(Feed(name, datetime.fromisoformat(until) if until else None, cursor.get("next_page")))
    rows = conn.execute(_STATE, {"discom": discom_id}).fetchall()
    return [replace(state, feeds=tuple(feeds.get(state.code, ()))) for state in (HesState(*row) for row in rows)]
