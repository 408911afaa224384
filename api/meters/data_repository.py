"""SQL of one meter's data, as queries for `Database.read_async`.

What a caller may see is limited by row-level security: a day counts for it where it sees the installation of that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from psycopg.sql import SQL, Composable, Composed

Found = tuple[Composed, dict[str, Any]]

_PLACE = """
    case when i.service_point_id is not null then 'consumer' when i.dt_id is not null then 'dt'
         when i.feeder_id is not null then 'feeder' end as place,
    coalesce(sp.code, t.code, f.code) as at,
    case when i.service_point_id is not null then x.code else t.code end as dt,
    coalesce(xf.code, tf.code, f.code) as feeder,
    o.code as office, i.valid_from, i.valid_to, i.mf, sp.category, sp.tariff, sp.supply_phases, sp.sanctioned_load_w"""

_PLACE_JOINS = """
    left join registry.service_point sp on sp.discom_id = i.discom_id and sp.service_point_id = i.service_point_id
    left join registry.consumer_index c on c.discom_id = i.discom_id and c.service_point_id = i.service_point_id
      and c.valid_from <= coalesce(i.valid_to - 1, current_date)
      and (c.valid_to is null or c.valid_to > coalesce(i.valid_to - 1, current_date))
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
        select m.serial, m.make, m.firmware, m.category, m.interval_min, m.voltage_v, m.i_max_a::float8 as i_max_a,
               m.register_lsb_wh, m.medium, m.payment, m.state, m.commissioned_on, h.code as hes, d.timezone
        from registry.meter m
        join registry.discom d on d.discom_id = m.discom_id
        join registry.hes h on h.discom_id = m.discom_id and h.hes_id = m.hes_id
        where m.discom_id = %(discom_id)s and m.serial = %(serial)s""").format(),
        {"discom_id": discom_id, "serial": serial},
    )


def installations(discom_id: int, serial: str) -> Found:
    """Where the meter hung, the latest first."""
    return (
        SQL("""
        select {place}
        from registry.meter m
        join registry.installation i on i.discom_id = m.discom_id and i.meter_id = m.meter_id
        {joins}
        where m.discom_id = %(discom_id)s and m.serial = %(serial)s
        order by i.valid_from desc""").format(place=SQL(_PLACE), joins=SQL(_PLACE_JOINS)),
        {"discom_id": discom_id, "serial": serial},
    )


def offices(discom_id: int, code: str) -> Found:
    """The office and those below it as `ids` (NULL where there is none), and how many there are in all."""
    return (
        SQL("""
        select (select ops.offices_below(o.discom_id, o.office_id) from registry.office o
                where o.discom_id = %(discom_id)s and o.code = %(code)s) as ids,
               (select count(*) from registry.office o where o.discom_id = %(discom_id)s) as all_offices""").format(),
        {"discom_id": discom_id, "code": code},
    )


_NOW = SQL("i.valid_from <= current_date and (i.valid_to is null or i.valid_to > current_date)")
_OF_DT = SQL("""
    m.meter_id = any(array(
        with wanted as materialized (select discom_id, dt_id from registry.dt where discom_id = %(discom_id)s and code = %(dt)s)
        select i.meter_id from wanted w
        join registry.installation i on i.discom_id = w.discom_id and i.dt_id = w.dt_id and {now}
        union all
        select i.meter_id from wanted w
        join registry.consumer_index c on c.discom_id = w.discom_id and c.dt_id = w.dt_id
          and c.valid_from <= current_date and (c.valid_to is null or c.valid_to > current_date)
        join registry.installation i on i.discom_id = c.discom_id and i.service_point_id = c.service_point_id and {now}))""").format(
    now=_NOW
)
_OF_SERVICE_POINT = SQL("""
    m.meter_id = any(array(
        -- `offset 0` keeps the meters looked up point by point: how many points an office has the planner does not know.
        select i.meter_id from registry.service_point s
        cross join lateral (
            select i.meter_id from registry.installation i
            where i.discom_id = s.discom_id and i.service_point_id = s.service_point_id and {now} offset 0) i
        where s.discom_id = %(discom_id)s and s.code = %(service_point)s))""").format(now=_NOW)
_OF_FEW_OFFICES = SQL("""
    m.meter_id = any(array(
        -- `offset 0` keeps the meters looked up point by point: how many points an office has the planner does not know.
        select i.meter_id from registry.service_point s
        cross join lateral (
            select i.meter_id from registry.installation i
            where i.discom_id = s.discom_id and i.service_point_id = s.service_point_id and {now} offset 0) i
        where s.discom_id = %(discom_id)s and s.office_id = any(%(offices)s::integer[])
        union all
        select i.meter_id from registry.dt t join registry.installation i on i.discom_id = t.discom_id and i.dt_id = t.dt_id and {now}
        where t.discom_id = %(discom_id)s and t.office_id = any(%(offices)s::integer[])
        union all
        select i.meter_id from registry.feeder f
        join registry.installation i on i.discom_id = f.discom_id and i.feeder_id = f.feeder_id and {now}
        where f.discom_id = %(discom_id)s and f.office_id = any(%(offices)s::integer[])))""").format(now=_NOW)
_OF_MANY_OFFICES = SQL("""
    (select coalesce(sp.office_id, t.office_id, f.office_id)
     from registry.installation i
     left join registry.service_point sp on sp.discom_id = i.discom_id and sp.service_point_id = i.service_point_id
     left join registry.dt t on t.discom_id = i.discom_id and t.dt_id = i.dt_id
     left join registry.feeder f on f.discom_id = i.discom_id and f.feeder_id = i.feeder_id
     where i.discom_id = m.discom_id and i.meter_id = m.meter_id and {now}) = any(%(offices)s::integer[])""").format(now=_NOW)


def search(
    discom_id: int,
    *,
    prefix: str | None,
    dt: str | None,
    service_point: str | None,
    office_ids: Sequence[int] | None,
    many_offices: bool,
    limited: bool,
    after: str | None,
    size: int,
) -> Found:
    """Meters by serial, with where they hang now.

    `many_offices`: most meters are of them, so they are found on a walk by serial; those of few are looked up. `limited`: the caller sees a
    part of the DISCOM; row-level security finds that out of every meter that a walk passes, so the walk is kept to those within.
    """
    conditions: list[Composable] = [SQL("m.discom_id = %(discom_id)s")]
    if limited:
        conditions.append(SQL("m.meter_id = any(array(select ops.meters_within()))"))
    parameters: dict[str, Any] = {"discom_id": discom_id, "size": size}
    given: list[tuple[str, Any, Composable]] = [
        ("after", after, SQL('m.serial collate "C" > %(after)s')),
        # The bounds find the place in the index, and row-level security lets them through.
        ("prefix", prefix, SQL('m.serial collate "C" >= %(prefix)s and starts_with(m.serial, %(prefix)s)')),
        ("below", prefix and _following(prefix), SQL('m.serial collate "C" < %(below)s')),
        ("service_point", service_point, _OF_SERVICE_POINT),
        ("dt", dt, _OF_DT),
        ("offices", office_ids, _OF_MANY_OFFICES if many_offices else _OF_FEW_OFFICES),
    ]
    for name, value, condition in given:
        if value is not None:
            conditions.append(condition)
            parameters[name] = value
    return (
        SQL("""
        with m as materialized (
            select m.* from registry.meter m where {conditions} order by m.serial collate "C" limit %(size)s
        )
        select m.serial, m.make, m.category as meter_category, m.interval_min, m.state,
               (select h.code from registry.hes h where h.discom_id = m.discom_id and h.hes_id = m.hes_id) as hes, p.*
        from m
        left join lateral (
            select {place} from registry.installation i {joins}
            where i.discom_id = m.discom_id and i.meter_id = m.meter_id and {now} limit 1
        ) p on true
        order by m.serial collate "C"
        """).format(place=SQL(_PLACE), joins=SQL(_PLACE_JOINS), now=_NOW, conditions=SQL(" and ").join(conditions)),
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
    """Figures of the meter's days without their arrays: those of vee.final_day, but for edits. `edited` says where there are any."""
    return _days(
        SQL("""
        select x.day, x.interval_min, x.slots, x.missing_slots, x.sum_wh, x.export_sum_wh, x.import_sum_vah, x.max_wh,
               x.source_quality, i.mf, e.import_day_wh as e_import_day_wh, e.export_day_wh as e_export_day_wh,
               e.import_day_vah as e_import_day_vah,
               e.import_wh as e_import_wh, e.quality as e_quality, e.method as e_method, e.estimated_slots, e.estimated_wh,
               e.missing_slots as e_missing_slots, {states}
        {days} {estimated}
        where {which}
        order by x.day"""),
        discom_id,
        serial,
        first,
        last,
        since,
    )


def values(discom_id: int, serial: str, first: date, last: date, since: datetime | None) -> Found:
    """The meter's days with their arrays: as they came, and as they were estimated. `edited` as in `totals`."""
    return _days(
        SQL("""
        select x.day, x.interval_min, x.slots, x.missing_slots, i.mf,
               coalesce(f.import_wh, a.import_wh) as import_wh,
               case when x.batch_id is null then a.export_wh else f.export_wh end as export_wh,
               case when x.batch_id is null then a.import_vah else f.import_vah end as import_vah,
               case when x.batch_id is null then a.quality else f.quality end as quality,
               e.import_wh as e_import_wh, e.export_wh as e_export_wh, e.import_vah as e_import_vah,
               e.quality as e_quality, e.method as e_method, {states}
        {days} {estimated}
        left join raw.profile_fragment f
          on f.discom_id = x.discom_id and f.day = x.day and f.meter_id = x.meter_id and f.batch_id = x.batch_id and f.seq = x.seq
        left join vee.assembled_day a on a.discom_id = x.discom_id and a.day = x.day and a.meter_id = x.meter_id and x.batch_id is null
        where {which}
        order by x.day"""),
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
        where r.discom_id = %(discom_id)s and r.serial = %(serial)s and d.day >= %(first)s::date and d.day <= %(last)s::date"""),
        discom_id,
        serial,
        first,
        last,
        None,
    )


def _days(query: SQL, discom_id: int, serial: str, first: date, last: date, since: datetime | None) -> Found:
    which = SQL(_WHICH) + SQL(_SINCE if since else "")
    parameters = {"discom_id": discom_id, "serial": serial, "first": first, "last": last} | ({"since": since} if since else {})
    return query.format(days=SQL(_DAYS), estimated=SQL(_ESTIMATED), states=SQL(_STATES), which=which), parameters


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
