"""What a build came to, in figures: for `meterhouse run`, the demo and the tests that compare with known truth. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import psycopg

from warehouse import db


@dataclass(frozen=True)
class Landed:
    """Values that landing received and what became of them; `by_reason` counts the rejected."""

    received: int
    accepted: int
    rejected: int
    by_reason: dict[str, int]


@dataclass(frozen=True)
class Totals:
    """A DISCOM's days in figures. Slots are interval values of the import channel; energies are the meters' own count (MF not applied)."""

    meters: int
    meter_days: int
    due_slots: int
    present_slots: int
    missing_slots: int
    duplicate_slots: int
    conflict_slots: int
    zero_days: int
    estimated_slots: int
    estimated_wh: int
    still_missing_slots: int


@dataclass(frozen=True)
class Found:
    """An exception of the initial suite."""

    serial: str
    day: date
    rule: str
    state: str


@dataclass(frozen=True)
class EstimatedDay:
    """A meter-day with estimates, import channel: final and quality per slot, Wh."""

    serial: str
    day: date
    final_wh: list[int | None]
    quality: list[int]
    method: list[int]


def landed(conn: psycopg.Connection, discom_id: int) -> Landed:
    counts = conn.execute(
        """
        select coalesce(sum(values_received), 0)::bigint, coalesce(sum(values_accepted), 0)::bigint,
               coalesce(sum(values_rejected), 0)::bigint
        from raw.batch where discom_id = %s""",
        [discom_id],
    ).fetchone()
    assert counts is not None
    reasons = conn.execute(
        "select reason, sum(value_count)::bigint from raw.rejected where discom_id = %s group by reason order by 2 desc", [discom_id]
    ).fetchall()
    received, accepted, rejected = counts
    return Landed(received, accepted, rejected, dict(reasons))


def totals(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> Totals:
    row = conn.execute(
        """
        select count(distinct m.meter_id), count(*), sum(m.slots), sum(m.present_slots), sum(m.missing_slots), sum(m.duplicate_slots),
               sum(m.conflict_slots), count(*) filter (where m.zero_slots = m.slots),
               sum(f.estimated_slots), sum(f.estimated_wh), sum(f.missing_slots)
        from vee.measure m join vee.final_day f using (discom_id, day, meter_id)
        where m.discom_id = %s and m.day between %s and %s""",
        [discom_id, first, last],
    ).fetchone()
    assert row is not None
    return Totals(*(int(v or 0) for v in row))


def found(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> list[Found]:
    """Exceptions of the initial suite that stand (cleared ones do not)."""
    rows = conn.execute(
        """
        select m.serial, e.day, e.rule, e.state from vee.exception e join registry.meter m using (discom_id, meter_id)
        where e.discom_id = %s and e.day between %s and %s and e.stage = 'initial' and e.state <> 'cleared'""",
        [discom_id, first, last],
    ).fetchall()
    return [Found(*r) for r in rows]


def estimated_days(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> list[EstimatedDay]:
    rows = conn.execute(
        """
        select m.serial, e.day, e.import_wh, e.quality, e.method from vee.estimated_day e join registry.meter m using (discom_id, meter_id)
        where e.discom_id = %s and e.day between %s and %s""",
        [discom_id, first, last],
    ).fetchall()
    return [EstimatedDay(*r) for r in rows]


def day_to_tell(conn: psycopg.Connection, discom_id: int, first: date, last: date, slots: int) -> tuple[str, date] | None:
    """A consumer's day on which a gap of `slots` intervals or more, but not half the day, was estimated to a known register.

    Of several the one on which the gap weighs most. None of agriculture, whose supply is rostered.
    """
    row = conn.execute(
        """
        select m.serial, e.day
        from vee.estimated_day e
        join vee.measure x using (discom_id, day, meter_id)
        join registry.meter m using (discom_id, meter_id)
        where e.discom_id = %s and e.day between %s and %s and x.place = 'consumer' and x.category <> 'agricultural' and e.missing_slots = 0
          and e.estimated_slots between %s and cardinality(e.import_wh) / 2 and x.missing_slots = e.estimated_slots
          and x.register_advance_wh is not null
          and not exists (select 1 from vee.exception o
                          where (o.discom_id, o.day, o.meter_id) = (e.discom_id, e.day, e.meter_id) and o.state = 'open')
        order by e.estimated_wh::double precision / nullif(e.import_day_wh, 0) desc nulls last, m.serial, e.day limit 1""",
        [discom_id, first, last, slots],
    ).fetchone()
    return (row[0], row[1]) if row else None


def final_energy(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> dict[tuple[str, date], tuple[int, int]]:
    """(import, export) of each meter-day in the final layer by serial and day, Wh of the meter's own count."""
    rows = conn.execute(
        """
        select m.serial, f.day, coalesce(f.import_day_wh, 0), coalesce(f.export_day_wh, 0)
        from vee.final_day f join registry.meter m using (discom_id, meter_id)
        where f.discom_id = %s and f.day between %s and %s""",
        [discom_id, first, last],
    ).fetchall()
    return {(serial, day): (imported, exported) for serial, day, imported, exported in rows}


def dt_balance(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> dict[str, tuple[int, int]]:
    """(input_wh, loss_wh) of the days by DT code."""
    rows = conn.execute(
        """
        select d.code, sum(b.input_wh)::bigint, sum(b.loss_wh)::bigint from energy.dt_day b join registry.dt d using (discom_id, dt_id)
        where b.discom_id = %s and b.day between %s and %s group by d.code order by d.code""",
        [discom_id, first, last],
    ).fetchall()
    return {code: (i, loss) for code, i, loss in rows}


def feeder_balance(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> dict[str, tuple[int, int, int]]:
    """(input_wh, loss_ht_wh, loss_wh) of the days by feeder code."""
    rows = conn.execute(
        """
        select f.code, sum(b.input_wh)::bigint, sum(b.loss_ht_wh)::bigint, sum(b.loss_wh)::bigint
        from energy.feeder_day b join registry.feeder f using (discom_id, feeder_id)
        where b.discom_id = %s and b.day between %s and %s group by f.code order by f.code""",
        [discom_id, first, last],
    ).fetchall()
    return {code: (i, ht, loss) for code, i, ht, loss in rows}


def measured_daily_sums(conn: psycopg.Connection, discom_id: int, serial: str) -> dict[date, int]:
    """Import of each business day of a meter as measured, without estimates, Wh."""
    rows = conn.execute(
        """
        select x.day, x.sum_wh from vee.measure x join registry.meter m using (discom_id, meter_id)
        where x.discom_id = %s and m.serial = %s and x.present_slots > 0 order by x.day""",
        [discom_id, serial],
    ).fetchall()
    return dict(rows)


def run_summary(discom_id: int, first: date, last: date) -> dict[str, int | str]:
    """Lines for `meterhouse run`."""
    with db.connect("meterhouse_dbt") as conn:
        t = totals(conn, discom_id, first, last)
        exceptions = found(conn, discom_id, first, last)
    by_rule: dict[str, int] = {}
    for e in exceptions:
        by_rule[e.rule] = by_rule.get(e.rule, 0) + 1
    return {
        "meter-days": t.meter_days,
        "intervals due": t.due_slots,
        "intervals received": t.present_slots,
        "intervals estimated": t.estimated_slots,
        "intervals still missing": t.still_missing_slots,
        "kWh estimated": round(t.estimated_wh / 1000),
        "exceptions": ", ".join(f"{r} {n}" for r, n in sorted(by_rule.items())) or "none",
        "exceptions open": sum(e.state == "open" for e in exceptions),
    }
