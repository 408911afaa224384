"""SQL of one meter-day, in a transaction of one tenant as meterhouse_api. Rows are dicts; nothing is written.

Most functions give a query; `read` sends any number of them at once, for a round trip costs more than what is read.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Identifier

from vee.explain.events import episodes_of, reported

Row = dict[str, Any]
Query = tuple[str | Composable, Row]

EPISODES_LOOKBACK = timedelta(days=400)
"""How long before the day an event that lasts into it is looked for."""
OPEN_FOR = timedelta(days=90)
"""How long an event that nothing ended is taken to last."""
NEAREST_REGISTER_DAYS = 40
"""How far from the day a register is looked for."""


def meter(discom: str, serial: str, day: date) -> Query:
    """The meter with its place on the day, and the DISCOM's time zone. No row where there is no such meter."""
    return (
        """
        select d.discom_id, d.timezone, m.meter_id, m.serial, m.make, m.interval_min, m.register_lsb_wh, h.code as hes,
               ops.minutes(%(day)s, d.timezone) as minutes, i.mf,
               case when i.service_point_id is not null then 'consumer' when i.dt_id is not null then 'dt'
                    when i.feeder_id is not null then 'feeder' end as place,
               coalesce(sp.code, t.code, f.code) as at, sp.category, coalesce(x.code, t.code) as dt
        from registry.discom d
        join registry.meter m using (discom_id)
        join registry.hes h using (discom_id, hes_id)
        left join registry.installation i
          on i.discom_id = m.discom_id and i.meter_id = m.meter_id and daterange(i.valid_from, i.valid_to) @> %(day)s
        left join registry.service_point sp on sp.discom_id = m.discom_id and sp.service_point_id = i.service_point_id
        left join registry.dt t on t.discom_id = m.discom_id and t.dt_id = i.dt_id
        left join registry.feeder f on f.discom_id = m.discom_id and f.feeder_id = i.feeder_id
        left join registry.consumer_index c
          on c.discom_id = m.discom_id and c.service_point_id = i.service_point_id and daterange(c.valid_from, c.valid_to) @> %(day)s
        left join registry.dt x on x.discom_id = m.discom_id and x.dt_id = c.dt_id
        where d.code = %(discom)s and m.serial = %(serial)s""",
        {"discom": discom, "serial": serial, "day": day},
    )


def fragments(key: Row) -> Query:
    """What was delivered of the day, the last received first: the order in which a value stands."""
    return (
        """
        select f.batch_id, f.seq, f.start_slot, f.received_at, f.import_wh, h.code as hes, b.source,
               coalesce(pg_visible_in_snapshot(t.written_by, o.saw), false) as in_build
        from raw.profile_fragment f
        join raw.batch b using (discom_id, batch_id)
        join registry.hes h using (discom_id, hes_id)
        left join raw.touched_day t on t.discom_id = f.discom_id and t.day = f.day and t.batch_id = f.batch_id
        left join ops.day_build o on o.discom_id = f.discom_id and o.day = f.day and o.built_at is not null
        where f.discom_id = %(discom_id)s and f.day = %(day)s and f.meter_id = %(meter_id)s
        order by f.received_at desc, f.seq desc, f.batch_id""",
        key,
    )


def rejected(key: Row, begin: datetime, end: datetime) -> Query:
    """Rejected values of the meter that are stamped begin <= stamp < end, or that ran ahead of the clock when the day was received."""
    return (
        """
        select x.stamp, x.reason, x.detail, x.value_count, x.locator, x.received_at, left(x.payload, 500) as payload, h.code as hes,
               b.source, r.rejected_id is not null as landed_after_all
        from raw.rejected x
        join raw.batch b using (discom_id, batch_id)
        join registry.hes h using (discom_id, hes_id)
        left join raw.replayed r using (discom_id, rejected_id)
        where x.discom_id = %(discom_id)s and x.meter_id = %(meter_id)s
          and (x.stamp >= %(begin)s and x.stamp < %(end)s
               or x.reason = 'FUTURE_STAMP' and x.received_at >= %(end)s and x.received_at < %(end)s + interval '1 day')
        order by x.stamp, x.rejected_id""",
        {**key, "begin": begin, "end": end},
    )


def register(key: Row, *, opening: bool) -> Query:
    """The register nearest to the midnight that the day begins with (`opening`) or ends with, on the far side of the day."""
    span = SQL("r.day < %(day)s and r.day >= %(day)s - %(days)s") if opening else SQL("r.day >= %(day)s and r.day < %(day)s + %(days)s")
    return (
        SQL("""
        select r.day, r.read_at, r.received_at, r.import_wh, h.code as hes, b.source, count(*) over (partition by r.day) as versions
        from raw.register_reading r
        join raw.batch b using (discom_id, batch_id)
        join registry.hes h using (discom_id, hes_id)
        where r.discom_id = %(discom_id)s and r.meter_id = %(meter_id)s and {span}
        order by r.day {near}, (r.received_at, r.seq, coalesce(r.import_wh, 0), coalesce(r.export_wh, 0), coalesce(r.import_vah, 0),
                                r.batch_id) desc
        limit 1""").format(span=span, near=SQL("desc" if opening else "asc")),
        {**key, "days": NEAREST_REGISTER_DAYS},
    )


def final_energy(key: Row, first: date, last: date) -> Query:
    """`wh`, of the final values of the days first..last: NULL where one of them was not built or an interval has no value. One row."""
    return (
        """
        select case when count(*) = %(last)s::date - %(first)s::date + 1 and sum(missing_slots) = 0
                    then sum(import_day_wh)::bigint end as wh
        from vee.day_total
        where discom_id = %(discom_id)s and meter_id = %(meter_id)s and day between %(first)s and %(last)s""",
        {**key, "first": first, "last": last},
    )


def day_build(key: Row) -> Query:
    return "select * from ops.day_build where discom_id = %(discom_id)s and day = %(day)s and built_at is not null", key


def made(tables: Collection[str]) -> Query:
    """Of tables and views those that a build has made, as `t`."""
    return "select t from unnest(%(tables)s::text[]) t where to_regclass(t) is not null", {"tables": list(tables)}


def row_of(table: str, key: Row) -> Query:
    """The meter-day's row of a table or view with key (discom_id, day, meter_id)."""
    query = SQL("select * from {} where discom_id = %(discom_id)s and day = %(day)s and meter_id = %(meter_id)s")
    return query.format(Identifier(*table.split("."))), key


def rules(rule_set_id: int | None) -> Query:
    """The checks of a version of the rules, as expectations.rule_set describes them; no row for None."""
    return "select rules from vee.rule_set where rule_set_id = %(id)s", {"id": rule_set_id}


def exceptions(key: Row) -> Query:
    return (
        """
        select * from vee.exception
        where discom_id = %(discom_id)s and day = %(day)s and meter_id = %(meter_id)s and state <> 'cleared'
        order by rule, stage""",
        key,
    )


def edits(key: Row) -> Query:
    """Edits of the import, in the order in which they were made."""
    return (
        """
        select e.*, d.decision, d.decided_by, d.decided_at
        from vee.edit e
        left join vee.edit_decision d using (discom_id, edit_id)
        where e.discom_id = %(discom_id)s and e.day = %(day)s and e.meter_id = %(meter_id)s and e.channel = 'import_wh'
        order by e.edit_id""",
        key,
    )


def frozen(key: Row) -> Query:
    """The frozen period that the day lies in."""
    return "select * from vee.frozen where discom_id = %(discom_id)s and %(day)s between first_day and last_day", key


def events(key: Row, serial: str) -> Query:
    """What the meter reported that may reach into the day: for `episodes`."""
    return reported(key["discom_id"], serial, key["day"] - EPISODES_LOOKBACK, key["day"])


def episodes(rows: list[Row], begin: datetime, end: datetime) -> list[Row]:
    """Of `events` those that reach into begin <= t < end, in the order of their occurrence."""
    return [
        e
        for e in episodes_of(rows)
        if e["occurred_at"] < end
        and (
            e["occurred_at"] >= begin
            or (e["state"] == "restored" and e["ended_at"] > begin)
            or (e["state"] == "open" and e["occurred_at"] >= begin - OPEN_FOR)
        )
    ]


def read(conn: psycopg.Connection, *queries: Query) -> list[list[Row]]:
    """The rows of each query, all in one round trip."""
    cursors = []
    with conn.pipeline():
        for text, values in queries:
            cursor = conn.cursor(row_factory=dict_row)
            # To plan what reads the final layer takes longer than to read a meter-day: it is done once a connection.
            cursor.execute(text, values, prepare=True)  # type: ignore[arg-type]
            cursors.append(cursor)
    return [cursor.fetchall() for cursor in cursors]
