"""What estimation reads and writes. Look-ups by index only: estimation is sparse, and no day is read as a whole.

Arrays come by binary COPY with a sentinel in the place of NULL, so that every row is as long as the others and numpy can take them as they
are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from ingestion import pgcopy
from ingestion.pgcopy import Field

ENERGIES = ("import_wh", "export_wh", "import_vah")
"""Channels that are estimated."""

NO_VALUE = -(2**31)
NO_REGISTER = -(2**63)

_NO_VALUE = SQL("{}::integer").format(Literal(str(NO_VALUE)))

EPOCH = date(2000, 1, 1).toordinal()


def copy_out(conn: psycopg.Connection, query: Composable, fields: Sequence[Field]) -> np.ndarray:
    """The query's rows as a structured array; dates are ordinals less EPOCH."""
    with conn.cursor() as cursor, cursor.copy(SQL("copy ({}) to stdout (format binary)").format(query)) as copy:
        return pgcopy.decode(b"".join(copy), fields)


def ordinals(days: np.ndarray) -> np.ndarray:
    """Ordinals (datetime.date) of dates as COPY gives them."""
    return days.astype(np.int64) + EPOCH


def day_range(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def day_type(day: date, holidays: frozenset[date]) -> int:
    """Day type of domain 6.3: 0 weekday, 6 Saturday, 7 Sunday or holiday."""
    return 7 if day.isoweekday() == 7 or day in holidays else 6 if day.isoweekday() == 6 else 0


def _days(days: Iterable[date]) -> Composable:
    return SQL("{}::date[]").format(Literal("{" + ",".join(d.isoformat() for d in days) + "}"))


def _ids(ids: np.ndarray) -> Composable:
    return SQL("{}::integer[]").format(Literal("{" + ",".join(map(str, ids.tolist())) + "}"))


def _channels(channels: Sequence[str], slots: int) -> Composable:
    return SQL(", ").join(
        SQL("coalesce(array_replace(m.{}, null, {}), array_fill({}, array[{}]))").format(
            Identifier(c), _NO_VALUE, _NO_VALUE, Literal(slots)
        )
        for c in channels
    )


FAILING_FIELDS = (
    *(Field(name, "int4") for name in ("meter_id", "slots", "interval_min", "max_wh", "register_lsb_wh")),
    Field("day", "date"),
    Field("limit_wh", "int8"),
    *(Field(name, "bool") for name in ("spike", "refuted", "overflow", "doubted", "stated")),
)


def failing(conn: psycopg.Connection, discom_id: int, first: date, last: date, *, changed_only: bool) -> np.ndarray:
    """Meter-days of which a slot may have to be estimated, by slots, interval, meter and day (FAILING_FIELDS).

    `spike`: V17 failed; `refuted`: and the register says that the peak was not; `overflow`: V27 failed; `doubted`: a rule holds or flags
    the day; `stated`: its source stated qualities. limit_wh is -1 where it is not known.
    """
    query = SQL("""
        select f.meter_id, x.slots, x.interval_min::integer, coalesce(x.max_wh, -1), coalesce(x.register_lsb_wh, 0), f.day,
            coalesce(x.limit_wh, -1),
               f.spike,
               -- A peak that the register bears out is real: it stays, questionable.
               f.spike and coalesce(x.sum_diff_wh > 0 and x.sum_diff_pct > 1, false),
               f.overflow, f.doubted, x.source_quality is not null
        from (
            select e.day, e.meter_id, bool_or(e.rule = 'V17' and e.action = 'estimate') as spike,
                   bool_or(e.rule = 'V27' and e.action = 'estimate') as overflow,
                   bool_or(e.action in ('hold', 'flag') and e.state = 'open') as doubted
            from vee.exception e {changed}
            where e.discom_id = {discom} and e.day between {first} and {last} and e.stage = 'initial' and e.state in ('open', 'estimated')
            group by e.day, e.meter_id
            having bool_or(e.action = 'estimate')
        ) f
        cross join lateral (
            select * from vee.measure x where x.discom_id = {discom} and x.day = f.day and x.meter_id = f.meter_id offset 0
        ) x
        order by x.slots, x.interval_min, f.meter_id, f.day""").format(
        discom=Literal(discom_id),
        first=Literal(first),
        last=Literal(last),
        changed=SQL("join ops.changed_meter c using (discom_id, day, meter_id)") if changed_only else SQL(""),
    )
    return copy_out(conn, query, FAILING_FIELDS)


def remember_meters(conn: psycopg.Connection, meters: np.ndarray) -> None:
    """The meters that the look-ups of this session are for, in a temporary table whose size the planner knows."""
    conn.execute("drop table if exists of_meter")
    conn.execute("create temporary table of_meter (meter_id integer primary key)")
    conn.execute(SQL("insert into of_meter select unnest({})").format(_ids(meters)))
    conn.execute("analyze of_meter")


def built_days(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> list[date]:
    """Days of which there are measures, rising."""
    rows = conn.execute(
        """select d::date from generate_series(%s::date, %s::date, interval '1 day') d
           -- In the order of the key, so that it is asked for one row and not for a scan that finds none.
           where (select true from vee.measure m where m.discom_id = %s and m.day = d::date order by m.day, m.meter_id limit 1)
           order by 1""",
        [first, last, discom_id],
    ).fetchall()
    return [r[0] for r in rows]


def holidays(conn: psycopg.Connection, discom_id: int) -> frozenset[date]:
    return frozenset(r[0] for r in conn.execute("select day from registry.holiday where discom_id = %s", [discom_id]))


MARK_FIELDS = (Field("day", "date"), Field("meter_id", "int4"))


def unusable(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> np.ndarray:
    """Meter-days of the remembered meters that are no reference (MARK_FIELDS): a rule estimates, holds or flags them, or supply failed or
    came back.

    Not the verdicts on estimates: those of the last build still stand while a day is built again.
    """
    query = SQL("""
        select e.day, e.meter_id from vee.exception e join of_meter using (meter_id)
        where e.discom_id = {discom} and e.day between {first} and {last}
          and e.stage = 'initial' and e.action in ('estimate', 'hold', 'flag') and e.state <> 'cleared'
        union
        select o.day, o.meter_id from raw.event o join of_meter using (meter_id)
        where o.discom_id = {discom} and o.day between {first} and {last} and o.code in (101, 102)""")
    return copy_out(conn, query.format(discom=Literal(discom_id), first=Literal(first), last=Literal(last)), MARK_FIELDS)


def days_of(
    conn: psycopg.Connection,
    discom_id: int,
    meters: np.ndarray,
    days: Sequence[date],
    slots: int,
    interval_min: int,
    channels: Sequence[str],
) -> np.ndarray:
    """What was measured, one row a meter and day of these slots: `nr` (position in `meters`), `day` and the channels,
    NO_VALUE where nothing is."""
    # OFFSET 0 keeps a look-up a look-up: an index is asked once for each meter and day, and no day is read as a whole.
    query = SQL("""
        select u.nr::integer - 1, m.day, {channels}
        from unnest({meters}) with ordinality as u(meter_id, nr)
        cross join unnest({days}) as d(day)
        cross join lateral (
            select * from vee.meter_day m
            where m.discom_id = {discom} and m.day = d.day and m.meter_id = u.meter_id and m.slots = {slots}
                and m.interval_min = {interval} offset 0
        ) m""").format(
        meters=_ids(meters),
        days=_days(days),
        discom=Literal(discom_id),
        slots=Literal(slots),
        interval=Literal(interval_min),
        channels=_channels(channels, slots),
    )
    return copy_out(conn, query, (Field("nr", "int4"), Field("day", "date"), *(Field(c, "int4", slots) for c in channels)))


def stated_qualities(conn: psycopg.Connection, discom_id: int, meters: np.ndarray, days: Sequence[date], slots: int) -> np.ndarray:
    """Qualities that sources stated, for pairs of meter and day: `nr` (position of the pair) and `quality`, 0 where a slot has none."""
    query = SQL("""
        select u.nr::integer - 1, array_replace(m.quality, null, 0::smallint)
        from unnest({meters}, {days}) with ordinality as u(meter_id, day, nr)
        cross join lateral (
            select m.quality from vee.meter_day m where m.discom_id = {discom} and m.day = u.day and m.meter_id = u.meter_id offset 0
        ) m
        where cardinality(m.quality) = {slots}""").format(
        meters=_ids(meters), days=_days(days), discom=Literal(discom_id), slots=Literal(slots)
    )
    return copy_out(conn, query, (Field("nr", "int4"), Field("quality", "int2", slots)))


def registers(conn: psycopg.Connection, discom_id: int, meters: np.ndarray, days: Sequence[date]) -> np.ndarray:
    """Midnight registers at the end of the days, for pairs of meter and day: `nr` (position of the pair) and the energies,
    NO_REGISTER where none."""
    query = SQL("""
        select u.nr::integer - 1, {energies}
        from unnest({meters}, {days}) with ordinality as u(meter_id, day, nr)
        cross join lateral (
            select * from staging.stg_raw__register_reading r where r.discom_id = {discom} and r.day = u.day
                and r.meter_id = u.meter_id offset 0
        ) r""").format(
        meters=_ids(meters),
        days=_days(days),
        discom=Literal(discom_id),
        energies=SQL(", ").join(SQL("coalesce(r.{}, {}::bigint)").format(Identifier(c), Literal(str(NO_REGISTER))) for c in ENERGIES),
    )
    return copy_out(conn, query, (Field("nr", "int4"), *(Field(c, "int8") for c in ENERGIES)))


def scaled_estimates(
    conn: psycopg.Connection, discom_id: int, meters: np.ndarray, days: Sequence[date], slots: int, channel: str
) -> np.ndarray:
    """Estimated days of pairs of meter and day that wait for no register: `nr` (position of the pair) and the channel, NO_VALUE where a
    slot has none."""
    query = SQL("""
        select u.nr::integer - 1, {channels}
        from unnest({meters}, {days}) with ordinality as u(meter_id, day, nr)
        cross join lateral (
            select * from vee.estimated_day e where e.discom_id = {discom} and e.day = u.day and e.meter_id = u.meter_id offset 0
        ) m
        where not m.unscaled and cardinality(m.import_wh) = {slots}""").format(
        meters=_ids(meters), days=_days(days), discom=Literal(discom_id), slots=Literal(slots), channels=_channels([channel], slots)
    )
    return copy_out(conn, query, (Field("nr", "int4"), Field(channel, "int4", slots)))


def zone_registers(conn: psycopg.Connection, discom_id: int, meters: np.ndarray, days: Sequence[date], zones: Sequence[int]) -> np.ndarray:
    """TOD registers of the import at the end of the days, for pairs of meter and day: `nr`, `zone`, `value`."""
    query = SQL("""
        select distinct on (u.nr, v.zone) u.nr::integer - 1, v.zone, v.value
        from unnest({meters}, {days}) with ordinality as u(meter_id, day, nr)
        join registry.discom d on d.discom_id = {discom}
        cross join lateral (
            select * from raw.meter_value v where v.discom_id = {discom} and v.day = u.day and v.meter_id = u.meter_id offset 0
        ) v
        where v.quantity = 'import_wh' and v.zone = any({zones}) and v.profile in ('daily', 'billing')
          and v.read_at = (u.day + 1)::timestamp at time zone d.timezone
        order by u.nr, v.zone, v.received_at desc, v.batch_id desc, v.seq desc""").format(
        meters=_ids(meters), days=_days(days), discom=Literal(discom_id), zones=SQL("{}::smallint[]").format(Literal(list(zones)))
    )
    return copy_out(conn, query, (Field("nr", "int4"), Field("zone", "int2"), Field("value", "int8")))


def outages(conn: psycopg.Connection, discom_id: int, meters: np.ndarray, first: date, last: date, slots: int) -> np.ndarray:
    """Proven outages of the meters: `day`, `meter_id`, `outage` (0 supply, 1 partly without, 2 wholly without)."""
    query = SQL("""
        select e.day, e.meter_id, e.outage from vee.evidence e join unnest({meters}) u(meter_id) using (meter_id)
        where e.discom_id = {discom} and e.day between {first} and {last} and cardinality(e.outage) = {slots}""")
    return copy_out(
        conn,
        query.format(meters=_ids(meters), discom=Literal(discom_id), first=Literal(first), last=Literal(last), slots=Literal(slots)),
        (*MARK_FIELDS, Field("outage", "int2", slots)),
    )


# --- writing ---


def begin_writing(conn: psycopg.Connection, first: date, last: date) -> None:
    """The months of the days, and where rows wait until all of them are made. Ends the transaction that it is called in.

    A new month locks the whole table until it is committed, and other connections of the same build read that table.
    """
    conn.execute("select ops.ensure_month('vee.estimated_day', %s, %s)", [first, last])
    conn.commit()
    conn.execute("""
        create temporary table made (
            day date, meter_id integer, import_wh integer[], export_wh integer[], import_vah integer[], quality smallint[], method
            smallint[], import_day_wh bigint, export_day_wh bigint, import_day_vah bigint, estimated_slots integer, missing_slots integer,
                estimated_wh bigint,
            unscaled smallint
        ) on commit drop""")
    conn.execute("create temporary table made_of (day date, meter_id integer, basis jsonb) on commit drop")


def write(conn: psycopg.Connection, columns: Sequence[pgcopy.Column], bases: Iterable[str]) -> None:
    """Rows, in the order of the columns of `made`; `bases` are lines of day, meter and JSON, separated by tabs."""
    with conn.cursor() as cursor:
        with cursor.copy("copy made from stdin (format binary)") as copy:
            for chunk in pgcopy.encode(columns):
                copy.write(chunk)
        with cursor.copy("copy made_of from stdin") as copy:
            copy.write("".join(bases))


def replace_days(conn: psycopg.Connection, discom_id: int, first: date, last: date, *, changed_only: bool) -> int:
    """Put what was written in the place of the build's rows; how many rows there are now."""
    changed = SQL(
        " and exists (select 1 from ops.changed_meter c where (c.discom_id, c.day, c.meter_id) = (t.discom_id, t.day, t.meter_id))"
        if changed_only
        else ""
    )
    build = {"discom": Literal(discom_id), "first": Literal(first), "last": Literal(last)}
    conn.execute(
        SQL("delete from vee.estimated_day t where t.discom_id = {discom} and t.day between {first} and {last}{changed}").format(
            changed=changed, **build
        )
    )
    rows = conn.execute(
        SQL("""
            insert into vee.estimated_day (
                discom_id, day, meter_id, import_wh, export_wh, import_vah, quality, method, import_day_wh, export_day_wh, import_day_vah,
                estimated_slots, missing_slots, estimated_wh, basis, unscaled
            )
            select {discom}, day, meter_id, import_wh, export_wh, import_vah, quality, method, import_day_wh, export_day_wh, import_day_vah,
                   estimated_slots, missing_slots, estimated_wh, basis, unscaled = 1
            from made left join made_of using (day, meter_id)
            order by day, meter_id""").format(**build)
    ).rowcount
    conn.execute("select ops.analyze_days('vee.estimated_day', %s, %s)", [first, last])
    return rows


# --- what further methods ask for: sparse, by pairs of meter and day ---


def good_days(
    conn: psycopg.Connection,
    discom_id: int,
    meters: np.ndarray,
    days: Sequence[date],
    slots: int,
    interval_min: int,
    channels: Sequence[str],
) -> np.ndarray:
    """As days_of for pairs of meter and day: those that no rule estimates, holds or flags. `nr` is the position of the pair."""
    query = SQL("""
        select u.nr::integer - 1, {channels}
        from unnest({meters}, {days}) with ordinality as u(meter_id, day, nr)
        cross join lateral (
            select * from vee.meter_day m
            where m.discom_id = {discom} and m.day = u.day and m.meter_id = u.meter_id and m.slots = {slots}
                and m.interval_min = {interval} offset 0
        ) m
        where (select count(*) from vee.exception e
               where e.discom_id = {discom} and e.day = u.day and e.meter_id = u.meter_id
                 and e.stage = 'initial' and e.action in ('estimate', 'hold', 'flag') and e.state <> 'cleared') = 0
        order by u.nr""").format(
        meters=_ids(meters),
        days=_days(days),
        discom=Literal(discom_id),
        slots=Literal(slots),
        interval=Literal(interval_min),
        channels=_channels(channels, slots),
    )
    return copy_out(conn, query, (Field("nr", "int4"), *(Field(c, "int4", slots) for c in channels)))


def check_meters(conn: psycopg.Connection, discom_id: int, meters: np.ndarray, days: Sequence[date]) -> np.ndarray:
    """For pairs of meter and day that another meter checks: `nr`, `check_meter_id`, `ratio`."""
    query = SQL("""
        select u.nr::integer - 1, c.check_meter_id, c.ratio::double precision
        from unnest({meters}, {days}) with ordinality as u(meter_id, day, nr)
        join registry.check_meter c on c.discom_id = {discom} and c.meter_id = u.meter_id
         and c.valid_from <= u.day and (c.valid_to is null or u.day < c.valid_to)""")
    return copy_out(
        conn,
        query.format(meters=_ids(meters), days=_days(days), discom=Literal(discom_id)),
        (Field("nr", "int4"), Field("check_meter_id", "int4"), Field("ratio", "float8")),
    )


def daily_use(conn: psycopg.Connection, discom_id: int, meters: np.ndarray, days: Sequence[date], back: int) -> np.ndarray:
    """Mean import of the whole days among the `back` days before, for pairs of meter and day: `nr`, `wh`; pairs without such days are left
    out."""
    query = SQL("""
        select u.nr::integer - 1, a.wh
        from unnest({meters}, {days}) with ordinality as u(meter_id, day, nr)
        cross join lateral (
            select avg(x.sum_wh)::double precision as wh
            from generate_series(1, {back}) b(days)
            cross join lateral (
                select x.sum_wh from vee.measure x
                where x.discom_id = {discom} and x.day = u.day - b.days and x.meter_id = u.meter_id and x.missing_slots = 0
                    and x.negative_slots = 0
                offset 0
            ) x
        ) a
        where a.wh is not null""")
    return copy_out(
        conn,
        query.format(meters=_ids(meters), days=_days(days), discom=Literal(discom_id), back=Literal(back)),
        (Field("nr", "int4"), Field("wh", "float8")),
    )


def neighbours(
    conn: psycopg.Connection, discom_id: int, meters: np.ndarray, days: Sequence[date], interval_min: int, at_most: int
) -> np.ndarray:
    """Consumers of the same DT and category, those of the nearest sanctioned load first, for pairs of consumer's meter and day: `nr`,
    `meter_id` and `load_ratio`, 1 where a load is not known."""
    query = SQL("""
        with pair as materialized (
            select u.nr, u.day, u.meter_id, c.dt_id, p.category, p.sanctioned_load_w::double precision as load_w
            from unnest({meters}, {days}) with ordinality as u(meter_id, day, nr)
            join registry.installation i on i.discom_id = {discom} and i.meter_id = u.meter_id
             and i.valid_from <= u.day and (i.valid_to is null or u.day < i.valid_to)
            join registry.service_point p on p.discom_id = i.discom_id and p.service_point_id = i.service_point_id
            join registry.consumer_index c on c.discom_id = i.discom_id and c.service_point_id = i.service_point_id and c.dt_id is not null
             and c.valid_from <= u.day and (c.valid_to is null or u.day < c.valid_to)
        )
        select nr::integer - 1, meter_id, load_ratio
        from (
            select t.nr, i.meter_id, coalesce(t.load_w / nullif(p.sanctioned_load_w, 0), 1)::double precision as load_ratio,
                   row_number() over (partition by t.nr order by abs(t.load_w - p.sanctioned_load_w) nulls last, i.meter_id) as place
            from pair t
            join registry.consumer_index c on c.discom_id = {discom} and c.dt_id = t.dt_id
             and c.valid_from <= t.day and (c.valid_to is null or t.day < c.valid_to)
            join registry.service_point p on p.discom_id = c.discom_id and p.service_point_id = c.service_point_id
                and p.category = t.category
            join registry.installation i on i.discom_id = c.discom_id and i.service_point_id = c.service_point_id
                and i.meter_id <> t.meter_id
             and i.valid_from <= t.day and (i.valid_to is null or t.day < i.valid_to)
            join registry.meter m on m.discom_id = i.discom_id and m.meter_id = i.meter_id and m.interval_min = {interval}
        ) n
        where place <= {at_most}
        order by nr, place""").format(
        meters=_ids(meters), days=_days(days), discom=Literal(discom_id), interval=Literal(interval_min), at_most=Literal(at_most)
    )
    return copy_out(conn, query, (Field("nr", "int4"), Field("meter_id", "int4"), Field("load_ratio", "float8")))


def temperatures(conn: psycopg.Connection, discom_id: int, meters: np.ndarray, first: date, last: date) -> np.ndarray:
    """Mean temperature of days at the meters' stations: `meter_id`, `day`, `celsius`. The station of a meter is its office, or the nearest
    above it that has readings at all."""
    query = SQL("""
        with recursive above as (
            select u.meter_id, coalesce(p.office_id, t.office_id, f.office_id) as office_id, 0 as up
            from unnest({meters}) u(meter_id)
            join registry.installation i on i.discom_id = {discom} and i.meter_id = u.meter_id
             and i.valid_from <= {last} and (i.valid_to is null or {last} < i.valid_to)
            left join registry.service_point p on p.discom_id = i.discom_id and p.service_point_id = i.service_point_id
            left join registry.dt t on t.discom_id = i.discom_id and t.dt_id = i.dt_id
            left join registry.feeder f on f.discom_id = i.discom_id and f.feeder_id = i.feeder_id
            union all
            select a.meter_id, o.parent_id, a.up + 1
            from above a join registry.office o on o.discom_id = {discom} and o.office_id = a.office_id
            where o.parent_id is not null
        ),
        station as (
            select distinct on (a.meter_id) a.meter_id, o.code
            from above a join registry.office o on o.discom_id = {discom} and o.office_id = a.office_id
            where exists (select 1 from registry.temperature t where t.discom_id = {discom} and t.station = o.code)
            order by a.meter_id, a.up
        ),
        of_day as (
            select t.station, (t.at at time zone d.timezone)::date as day, avg(t.milli_c)::double precision / 1000 as celsius
            from registry.temperature t join registry.discom d using (discom_id)
            where t.discom_id = {discom} and t.at >= {first} at time zone d.timezone and t.at < ({last} + 1) at time zone d.timezone
            group by 1, 2
        )
        select s.meter_id, o.day, o.celsius from station s join of_day o on o.station = s.code""").format(
        meters=_ids(meters),
        discom=Literal(discom_id),
        first=SQL("{}::date").format(Literal(first)),
        last=SQL("{}::date").format(Literal(last)),
    )
    return copy_out(conn, query, (Field("meter_id", "int4"), Field("day", "date"), Field("celsius", "float8")))


def meter_of(conn: psycopg.Connection, discom_id: int, serial: str) -> tuple[int, int] | None:
    """meter_id and minutes of an interval."""
    return conn.execute(
        "select meter_id, interval_min from registry.meter where discom_id = %s and serial = %s", [discom_id, serial]
    ).fetchone()


def final_imports(conn: psycopg.Connection, discom_id: int, meter_id: int, first: date, last: date) -> list[tuple[date, list[int | None]]]:
    """The last word on the import of built days, Wh by slot."""
    return conn.execute(
        "select day, import_wh from vee.final_day where discom_id = %s and meter_id = %s and day between %s and %s order by day",
        [discom_id, meter_id, first, last],
    ).fetchall()


@dataclass(frozen=True)
class Profile:
    """How the import of a category lies in a day of one type. `share` is float (s,) and sums to 1; `wh_per_kw` is of sanctioned load and
    day."""

    share: np.ndarray
    wh_per_kw: float | None
    learnt_to: date


def class_profiles(conn: psycopg.Connection, discom_id: int, interval_min: int) -> dict[tuple[str, int], Profile]:
    """By category and day type."""
    rows = conn.execute(
        "select category, day_type, share, wh_per_kw, learnt_to from vee.class_profile where discom_id = %s and interval_min = %s",
        [discom_id, interval_min],
    )
    return {(category, day_type): Profile(np.array(share), wh, to) for category, day_type, share, wh, to in rows}


def classes(conn: psycopg.Connection, discom_id: int, meters: np.ndarray, day: date) -> dict[int, tuple[str, float | None]]:
    """Category and sanctioned load (kW) of consumers' meters on a day."""
    rows = conn.execute(
        """select i.meter_id, p.category, p.sanctioned_load_w::double precision / 1000
           from registry.installation i join registry.service_point p using (discom_id, service_point_id)
           where i.discom_id = %s and i.meter_id = any(%s) and i.valid_from <= %s and (i.valid_to is null or %s < i.valid_to)""",
        [discom_id, meters.tolist(), day, day],
    )
    return {meter: (category, load) for meter, category, load in rows}


def sample_of_classes(conn: psycopg.Connection, discom_id: int, day: date, of_each: int) -> list[tuple[str, int, int, int, float | None]]:
    """So many consumers' meters of each category and interval, the same ones every time: category, interval, slots, meter, load in kW."""
    return conn.execute(
        """select category, interval_min, slots, meter_id, load_kw
           from (
               select x.category, x.interval_min, x.slots, x.meter_id, p.sanctioned_load_w::double precision / 1000 as load_kw,
                      row_number() over (partition by x.category, x.interval_min, x.slots order by hashint4(x.meter_id),
                          x.meter_id) as place
               from vee.measure x
               join registry.installation i on i.discom_id = x.discom_id and i.meter_id = x.meter_id
                and i.valid_from <= x.day and (i.valid_to is null or x.day < i.valid_to)
               join registry.service_point p on p.discom_id = i.discom_id and p.service_point_id = i.service_point_id
               where x.discom_id = %s and x.day = %s
           ) s
           where place <= %s
           order by 1, 2, 3, 4""",
        [discom_id, day, of_each],
    ).fetchall()


def replace_profiles(conn: psycopg.Connection, discom_id: int, rows: Sequence[tuple[object, ...]]) -> None:
    """Rows as vee.class_profile has them, after discom_id."""
    conn.execute("delete from vee.class_profile where discom_id = %s", [discom_id])
    with conn.cursor() as cursor:
        cursor.executemany("insert into vee.class_profile values (%s, %s, %s, %s, %s, %s, %s, %s)", [(discom_id, *r) for r in rows])
