"""SQL of one meter's data, as queries for `Database.read_async`. What a caller may see is limited by row-level security: a day counts for it
where it sees the installation of that day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from psycopg.sql import SQL, Composed

Found = tuple[Composed, dict[str, Any]]

_PLACE = """
    case when i.service_point_id is not null then 'consumer' when i.dt_id is not null then 'dt' when i.feeder_id is not null then 'feeder' end
        as place,
    coalesce(sp.code, t.code, f.code) as at,
    case when i.service_point_id is not null then x.code else t.code end as dt,
    coalesce(xf.code, tf.code, f.code) as feeder,
    o.code as office, i.valid_from, i.valid_to, i.mf, sp.category, sp.tariff, sp.supply_phases, sp.sanctioned_load_w"""

_PLACE_JOINS = """
    left join registry.service_point sp on sp.discom_id = i.discom_id and sp.service_point_id = i.service_point_id
    left join registry.consumer_index c on c.discom_id = i.discom_id and c.service_point_id = i.service_point_id
      and c.valid_from <= coalesce(i.valid_to - 1, current_date) and (c.valid_to is null or c.valid_to > coalesce(i.valid_to - 1, current_date))
    left join registry.dt x on x.discom_id = i.discom_id and x.dt_id = c.dt_id
    left join registry.dt t on t.discom_id = i.discom_id and t.dt_id = i.dt_id
    left join registry.feeder f on f.discom_id = i.discom_id and f.feeder_id = i.feeder_id
    left join registry.feeder xf on xf.discom_id = i.discom_id and xf.feeder_id = coalesce(x.feeder_id, c.feeder_id)
    left join registry.feeder tf on tf.discom_id = i.discom_id and tf.feeder_id = t.feeder_id
    left join registry.office o on o.discom_id = i.discom_id and o.office_id = coalesce(sp.office_id, t.office_id, f.office_id)"""


def meter(discom_id: int, serial: str) -> Found:
    """The meter; no row where there is none that the caller sees."""
    return (
        SQL("""
        select m.serial, m.make, m.firmware, m.category, m.interval_min, m.voltage_v, m.i_max_a::float8 as i_max_a, m.register_lsb_wh, m.medium,
               m.payment, m.state, m.commissioned_on, h.code as hes, d.timezone
        from registry.meter m
        join registry.discom d on d.discom_id = m.discom_id
        join registry.hes h on h.discom_id = m.discom_id and h.hes_id = m.hes_id
        where m.discom_id = %(discom_id)s and m.serial = %(serial)s""").format(),
        {"discom_id": discom_id, "serial": serial},
    )


def installations(discom_id: int, serial: str) -> Found:
    """Where the meter hung, the latest first."""
    return (
        SQL(f"""
        select {_PLACE}
        from registry.meter m
        join registry.installation i on i.discom_id = m.discom_id and i.meter_id = m.meter_id
        {_PLACE_JOINS}
        where m.discom_id = %(discom_id)s and m.serial = %(serial)s
        order by i.valid_from desc""").format(),  # type: ignore[arg-type]
        {"discom_id": discom_id, "serial": serial},
    )


def search(
    discom_id: int, *, prefix: str | None, office: str | None, dt: str | None, service_point: str | None, after: str | None, size: int
) -> Found:
    """Meters by serial, with where they hang now. The office counts with those below it."""
    conditions, parameters = [SQL("m.discom_id = %(discom_id)s")], {"discom_id": discom_id, "size": size}
    given: list[tuple[str, Any, str]] = [
        ("after", after, 'm.serial collate "C" > %(after)s'),
        # The bounds find the place in the index, and row-level security lets them through.
        ("prefix", prefix, 'm.serial collate "C" >= %(prefix)s and starts_with(m.serial, %(prefix)s)'),
        ("below", prefix and _following(prefix), 'm.serial collate "C" < %(below)s'),
        ("service_point", service_point, "sp.code = %(service_point)s"),
        ("dt", dt, "coalesce(x.code, t.code) = %(dt)s"),
        (
            "office",
            office,
            """coalesce(sp.office_id, t.office_id, f.office_id) = any(
               select b from registry.office q cross join lateral unnest(ops.offices_below(q.discom_id, q.office_id)) b
               where q.discom_id = %(discom_id)s and q.code = %(office)s)""",
        ),
    ]
    for name, value, condition in given:
        if value is not None:
            conditions.append(SQL(condition))  # type: ignore[arg-type]
            parameters[name] = value
    placed = SQL("left " if service_point is dt is office is None else "")
    return (
        SQL("""
        select m.serial, m.make, m.category as meter_category, m.interval_min, m.state, h.code as hes, {place}
        from registry.meter m
        join registry.hes h on h.discom_id = m.discom_id and h.hes_id = m.hes_id
        {placed}join registry.installation i on i.discom_id = m.discom_id and i.meter_id = m.meter_id
          and i.valid_from <= current_date and (i.valid_to is null or i.valid_to > current_date)
        {joins}
        where {conditions}
        order by m.serial collate "C" limit %(size)s""").format(
            place=SQL(_PLACE), joins=SQL(_PLACE_JOINS), placed=placed, conditions=SQL(" and ").join(conditions)
        ),
        parameters,
    )


def _following(prefix: str) -> str | None:
    """The first text, by code point, that lies behind all that begin with `prefix`."""
    head, last = prefix[:-1], ord(prefix[-1])
    last = 0xE000 if last == 0xD7FF else last + 1  # no text has a surrogate
    return head + chr(last) if last <= 0x10FFFF else None


_DAYS = """
    from registry.meter r
    join registry.installation i on i.discom_id = r.discom_id and i.meter_id = r.meter_id
    join vee.measure x on x.discom_id = i.discom_id and x.meter_id = i.meter_id
      and x.day >= i.valid_from and x.day < coalesce(i.valid_to, date '9999-01-01')"""
_ESTIMATED = "left join vee.estimated_day e on e.discom_id = x.discom_id and e.day = x.day and e.meter_id = x.meter_id"
_STATES = """
    exists (select 1 from vee.exception q where q.discom_id = x.discom_id and q.day = x.day and q.meter_id = x.meter_id
            and q.stage = 'initial' and q.action in ('hold', 'flag', 'estimate') and q.state = 'open') as doubted,
    exists (select 1 from vee.edit q where q.discom_id = x.discom_id and q.day = x.day and q.meter_id = x.meter_id
            and q.approved_at is not null) as edited"""
_WHICH = "r.discom_id = %(discom_id)s and r.serial = %(serial)s and x.day >= %(first)s::date and x.day <= %(last)s::date"
_SINCE = """
    and (exists (select 1 from ops.day_build b where b.discom_id = x.discom_id and b.day = x.day and b.built_at >= %(since)s)
         or exists (select 1 from vee.edit q where q.discom_id = x.discom_id and q.day = x.day and q.meter_id = x.meter_id
                    and q.approved_at >= %(since)s))"""


def totals(discom_id: int, serial: str, first: date, last: date, since: datetime | None) -> Found:
    """Figures of the meter's days without their arrays, which are those of vee.final_day but for edits: `edited` says where there are any."""
    return _days(
        SQL(f"""
        select x.day, x.interval_min, x.slots, x.missing_slots, x.sum_wh, x.export_sum_wh, x.import_sum_vah, x.max_wh, x.source_quality, i.mf,
               e.import_day_wh as e_import_day_wh, e.export_day_wh as e_export_day_wh, e.import_day_vah as e_import_day_vah,
               e.import_wh as e_import_wh, e.quality as e_quality, e.method as e_method, e.estimated_slots, e.estimated_wh,
               e.missing_slots as e_missing_slots, {_STATES}
        {_DAYS} {_ESTIMATED}
        where {_WHICH}{_SINCE if since else ""}
        order by x.day"""),  # type: ignore[arg-type]
        discom_id,
        serial,
        first,
        last,
        since,
    )


def values(discom_id: int, serial: str, first: date, last: date, since: datetime | None) -> Found:
    """The meter's days with their arrays: as they came, and as they were estimated. `edited` as in `totals`."""
    return _days(
        SQL(f"""
        select x.day, x.interval_min, x.slots, x.missing_slots, i.mf,
               coalesce(f.import_wh, a.import_wh) as import_wh,
               case when x.batch_id is null then a.export_wh else f.export_wh end as export_wh,
               case when x.batch_id is null then a.import_vah else f.import_vah end as import_vah,
               case when x.batch_id is null then a.quality else f.quality end as quality,
               e.import_wh as e_import_wh, e.export_wh as e_export_wh, e.import_vah as e_import_vah,
               e.quality as e_quality, e.method as e_method, {_STATES}
        {_DAYS} {_ESTIMATED}
        left join raw.profile_fragment f
          on f.discom_id = x.discom_id and f.day = x.day and f.meter_id = x.meter_id and f.batch_id = x.batch_id and f.seq = x.seq
        left join vee.assembled_day a on a.discom_id = x.discom_id and a.day = x.day and a.meter_id = x.meter_id and x.batch_id is null
        where {_WHICH}{_SINCE if since else ""}
        order by x.day"""),  # type: ignore[arg-type]
        discom_id,
        serial,
        first,
        last,
        since,
    )


def edited_days(discom_id: int, serial: str, first: date, last: date) -> Found:
    """What vee.edited_day says of the meter."""
    return _days(
        SQL("""
        select d.day, d.import_wh, d.export_wh, d.import_vah, d.quality, d.day_quality, d.method
        from registry.meter r
        join vee.edited_day d on d.discom_id = r.discom_id and d.meter_id = r.meter_id
        where r.discom_id = %(discom_id)s and r.serial = %(serial)s and d.day >= %(first)s::date and d.day <= %(last)s::date""").format(),
        discom_id,
        serial,
        first,
        last,
        None,
    )


def _days(query: Any, discom_id: int, serial: str, first: date, last: date, since: datetime | None) -> Found:
    parameters = {"discom_id": discom_id, "serial": serial, "first": first, "last": last} | ({"since": since} if since else {})
    return query, parameters


def class_profiles(discom_id: int, serial: str) -> Found:
    """How the import of the meter's category lies in the day: share of each slot, by type of day."""
    return (
        SQL("""
        select p.category, p.day_type, p.share, p.meter_days, p.learnt_to
        from registry.meter r
        join lateral (
            select sp.category
            from registry.installation i
            join registry.service_point sp on sp.discom_id = i.discom_id and sp.service_point_id = i.service_point_id
            where i.discom_id = r.discom_id and i.meter_id = r.meter_id
            order by i.valid_from desc limit 1
        ) c on true
        join vee.class_profile p on p.discom_id = r.discom_id and p.category = c.category and p.interval_min = r.interval_min
        where r.discom_id = %(discom_id)s and r.serial = %(serial)s""").format(),
        {"discom_id": discom_id, "serial": serial},
    )


def holidays(discom_id: int, first: date, last: date) -> Found:
    return (
        SQL("select day from registry.holiday where discom_id = %(discom_id)s and day between %(first)s and %(last)s").format(),
        {"discom_id": discom_id, "first": first, "last": last},
    )
