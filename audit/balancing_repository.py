"""What load-balancing advice reads: DTs of a month as network.dt_load_day has them, their consumers, and the consumers' days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import psycopg

from audit.balancing import Floats, Member, Transformer


@dataclass(frozen=True)
class DtMonth:
    """A DT of a month. `peak_slot` counts from 0; unbalance as metered at its head, %, NULL where its phases do not come."""

    dt_id: int
    feeder_id: int
    dt: Transformer
    peak_day: date
    peak_slot: int
    unbalance_pct: float | None
    metered_unbalanced_h: float | None


def month_of(first: date) -> tuple[date, date]:
    """First and last day of the month of a day."""
    first = first.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def dt_months(conn: psycopg.Connection, discom_id: int, month: date) -> list[DtMonth]:
    """The DTs that have a load in the month, by code."""
    rows = conn.execute(
        """
        select l.dt_id, t.feeder_id, t.code, t.capacity_kva::float8, l.peak[1], coalesce(l.power_factor, 0.9),
               t.latitude::float8, t.longitude::float8, date '2000-01-01' + l.peak[2]::integer, l.peak[3]::integer - 1,
               l.unbalance_pct, l.unbalanced_h
        from (
            select d.dt_id, max(array[d.kva_max, d.day - date '2000-01-01', d.kva_max_slot]) filter (where d.kva_max is not null) as peak,
                   sum(d.import_wh)::float8 / nullif(sum(d.import_vah), 0) as power_factor,
                   avg(d.unbalance_avg_pct) as unbalance_pct, sum(d.hours_unbalanced) as unbalanced_h
            from network.dt_load_day d
            where d.discom_id = %(discom)s and d.day between %(first)s and %(last)s
            group by d.dt_id
        ) l
        join registry.dt t on t.discom_id = %(discom)s and t.dt_id = l.dt_id
        where l.peak is not null
        order by t.code
        """,
        {"discom": discom_id, **_span(month)},
    ).fetchall()
    return [
        DtMonth(
            dt_id=r[0],
            feeder_id=r[1],
            dt=Transformer(r[2], r[3], r[4], max(float(r[5]), 0.1), r[6], r[7]),
            peak_day=r[8],
            peak_slot=r[9],
            unbalance_pct=r[10],
            metered_unbalanced_h=r[11],
        )
        for r in rows
    ]


def members(conn: psycopg.Connection, discom_id: int, month: date, dt: DtMonth) -> list[Member]:
    """The consumers that are indexed to the DT at its peak and whose meter has its slots: mean W by slot over the month, and on the peak
    day. Those whose interval is another than most have are left out."""
    rows = conn.execute(
        """
        with head as (
            select s.code, case when s.supply_phases = 1 then s.phase end as phase, i.meter_id, i.mf::float8 as mf,
                   s.latitude::float8 as latitude, s.longitude::float8 as longitude
            from registry.consumer_index x
            join registry.service_point s using (discom_id, service_point_id)
            join registry.installation i on i.discom_id = x.discom_id and i.service_point_id = x.service_point_id
                and i.valid_from <= %(peak)s and (i.valid_to is null or %(peak)s < i.valid_to)
            where x.discom_id = %(discom)s and x.dt_id = %(dt)s
                and x.valid_from <= %(peak)s and (x.valid_to is null or %(peak)s < x.valid_to)
        )
        select h.code, h.phase, h.latitude, h.longitude, u.slot::integer,
               avg((u.wh - coalesce(u.export_wh, 0)) * h.mf * 60 / f.interval_min)::float8 as w,
               (max((u.wh - coalesce(u.export_wh, 0)) * h.mf * 60 / f.interval_min) filter (where f.day = %(peak)s))::float8 as peak_w
        from head h
        cross join generate_series(%(first)s::date, %(last)s::date, interval '1 day') as d(day)
        cross join lateral (
            select f.day, f.interval_min, f.slots, f.import_wh, f.export_wh
            from vee.final_day f where f.discom_id = %(discom)s and f.day = d.day::date and f.meter_id = h.meter_id offset 0
        ) f
        cross join lateral unnest(f.import_wh, f.export_wh) with ordinality as u(wh, export_wh, slot)
        where u.wh is not null
        group by h.code, h.phase, h.latitude, h.longitude, u.slot
        order by h.code, u.slot
        """,
        {"discom": discom_id, "dt": dt.dt_id, "peak": dt.peak_day, **_span(month)},
    ).fetchall()
    slots = max((r[4] for r in rows), default=0)
    found: dict[str, tuple[tuple[str | None, float | None, float | None], Floats, Floats]] = {}
    for code, phase, latitude, longitude, slot, w, peak_w in rows:
        _, mean, peak = found.setdefault(code, ((phase, latitude, longitude), np.full(slots, np.nan), np.zeros(slots)))
        mean[slot - 1], peak[slot - 1] = w, peak_w or 0.0
    return [
        Member(code, phase, mean, float(peak.max()), float(peak[min(dt.peak_slot, slots - 1)]), latitude, longitude)
        for code, ((phase, latitude, longitude), mean, peak) in found.items()
        if not np.isnan(mean).any()
    ]


def _span(month: date) -> dict[str, date]:
    first, last = month_of(month)
    return {"first": first, "last": last}
