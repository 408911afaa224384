"""What the monthly audit reads and writes. Arrays of days come as vee.estimation reads them: by look-up, in binary, NULL as a sentinel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from ingestion import pgcopy
from ingestion.pgcopy import Field

NO_VALUE = -(2**31)
EPOCH = date(2000, 1, 1)

CONSUMER_CHANNELS = ("import_wh", "export_wh", "voltage_dv", "current_ma", "current_n_ma")
DT_CHANNELS = ("import_wh", "export_wh", "voltage_dv", "voltage_y_dv", "voltage_b_dv")

DT_FIELDS = (
    *(Field(name, "int4") for name in ("dt_id", "feeder_id", "substation_id", "meter_id", "interval_min")),
    *(Field(name, "float8") for name in ("mf", "latitude", "longitude")),
)
CONSUMER_FIELDS = (
    *(Field(name, "int4") for name in ("service_point_id", "dt_id", "meter_id", "interval_min")),
    *(Field(name, "float8") for name in ("mf", "latitude", "longitude")),
)
EVENT_FIELDS = (Field("meter_id", "int4"), Field("at_s", "int8"))


@dataclass(frozen=True)
class SuspectedTag:
    """A row of energy.suspected_tag, without its DISCOM and month."""

    service_point_id: int
    tagged_dt_id: int
    better_dt_id: int
    better_phase: str | None
    state: str
    confidence: float
    voltage_evidence: float
    energy_evidence: float
    outage_evidence: float
    distance_evidence: float
    voltage_r_tagged: float | None
    voltage_r_better: float | None
    outages: int
    outages_tagged: int
    outages_better: int
    tagged_m: float | None
    better_m: float | None


@dataclass(frozen=True)
class CurrentMismatch:
    """A row of energy.current_mismatch, without its DISCOM and month."""

    meter_id: int
    slots: int
    excess_slots: int
    phase_ah: float
    neutral_ah: float


def _copy(conn: psycopg.Connection, query: Composable, fields: Sequence[Field]) -> np.ndarray:
    with conn.cursor() as cursor, cursor.copy(SQL("copy ({}) to stdout (format binary)").format(query)) as copy:
        return pgcopy.decode(b"".join(copy), fields)


def _ids(ids: Iterable[int]) -> Composable:
    return SQL("{}::integer[]").format(Literal("{" + ",".join(map(str, ids)) + "}"))


def _days(days: Iterable[date]) -> Composable:
    return SQL("{}::date[]").format(Literal("{" + ",".join(d.isoformat() for d in days) + "}"))


def built_days(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> list[date]:
    """Days of which there are measures, rising."""
    rows = conn.execute(
        """select d::date from generate_series(%s::date, %s::date, interval '1 day') d
           where (select true from vee.measure m where m.discom_id = %s and m.day = d::date order by m.day, m.meter_id limit 1)
           order by 1""",
        [first, last, discom_id],
    ).fetchall()
    return [r[0] for r in rows]


def dts(conn: psycopg.Connection, discom_id: int, day: date) -> np.ndarray:
    """The DTs (DT_FIELDS), by id; without a meter on that day meter_id is 0, without a place it is NaN. Of several meters the first."""
    query = SQL("""
        select distinct on (d.dt_id) d.dt_id, d.feeder_id, f.substation_id, coalesce(i.meter_id, 0), coalesce(m.interval_min, 30)::integer,
               coalesce(i.mf, 1)::float8, coalesce(d.latitude, 'NaN')::float8, coalesce(d.longitude, 'NaN')::float8
        from registry.dt d
        join registry.feeder f using (discom_id, feeder_id)
        left join registry.installation i on i.discom_id = d.discom_id and i.dt_id = d.dt_id
            and i.valid_from <= {day} and (i.valid_to is null or {day} < i.valid_to)
        left join registry.meter m on m.discom_id = d.discom_id and m.meter_id = i.meter_id
        where d.discom_id = {discom}
        order by d.dt_id, i.meter_id""")
    return _copy(conn, query.format(discom=Literal(discom_id), day=Literal(day)), DT_FIELDS)


def consumers(conn: psycopg.Connection, discom_id: int, day: date) -> np.ndarray:
    """The metered consumers that are tagged to a DT on that day (CONSUMER_FIELDS), by DT. Of several meters the first."""
    query = SQL("""
        select distinct on (x.dt_id, x.service_point_id) x.service_point_id, x.dt_id, i.meter_id, m.interval_min::integer, i.mf::float8,
               coalesce(p.latitude, 'NaN')::float8, coalesce(p.longitude, 'NaN')::float8
        from registry.consumer_index x
        join registry.service_point p using (discom_id, service_point_id)
        join registry.installation i on i.discom_id = x.discom_id and i.service_point_id = x.service_point_id
            and i.valid_from <= {day} and (i.valid_to is null or {day} < i.valid_to)
        join registry.meter m on m.discom_id = x.discom_id and m.meter_id = i.meter_id
        where x.discom_id = {discom} and x.dt_id is not null and x.valid_from <= {day} and (x.valid_to is null or {day} < x.valid_to)
        order by x.dt_id, x.service_point_id, i.meter_id""")
    return _copy(conn, query.format(discom=Literal(discom_id), day=Literal(day)), CONSUMER_FIELDS)


def power_failures(conn: psycopg.Connection, discom_id: int, first: date, last: date) -> np.ndarray:
    """Every power failure (101) of the days (EVENT_FIELDS), by meter."""
    query = SQL("""
        select distinct e.meter_id, extract(epoch from e.occurred_at)::bigint
        from raw.event e
        where e.discom_id = {discom} and e.day between {first} and {last} and e.code = 101
        order by 1, 2""")
    return _copy(conn, query.format(discom=Literal(discom_id), first=Literal(first), last=Literal(last)), EVENT_FIELDS)


def days_of(
    conn: psycopg.Connection, discom_id: int, meters: Sequence[int], days: Sequence[date], slots: int, channels: Sequence[str]
) -> np.ndarray:
    """What came whole, one row a meter and day: `nr` (position in `meters`), `day` (days since 2000-01-01) and the channels, NO_VALUE where
    nothing is. Days that were put together of several fragments are left out: few, and never all of a meter's."""
    picked = SQL(", ").join(
        SQL("coalesce(array_replace(f.{c}, null, {no}), array_fill({no}, array[{slots}]))").format(
            c=Identifier(c), no=SQL("{}::integer").format(Literal(str(NO_VALUE))), slots=Literal(slots)
        )
        for c in channels
    )
    query = SQL("""
        select u.nr::integer - 1, x.day, {channels}
        from unnest({meters}) with ordinality as u(meter_id, nr)
        cross join unnest({days}) as d(day)
        cross join lateral (
            select x.day, x.batch_id, x.seq from vee.measure x
            where x.discom_id = {discom} and x.day = d.day and x.meter_id = u.meter_id and x.slots = {slots}
                and x.batch_id is not null offset 0
        ) x
        cross join lateral (
            select * from raw.profile_fragment f
            where f.discom_id = {discom} and f.day = d.day and f.meter_id = u.meter_id and f.batch_id = x.batch_id and f.seq = x.seq
                and cardinality(f.import_wh) = {slots} offset 0
        ) f""").format(channels=picked, meters=_ids(meters), days=_days(days), discom=Literal(discom_id), slots=Literal(slots))
    return _copy(conn, query, (Field("nr", "int4"), Field("day", "date"), *(Field(c, "int4", slots) for c in channels)))


def replace_month(
    conn: psycopg.Connection,
    discom_id: int,
    month: date,
    days: Sequence[date],
    checked: int,
    tags: Sequence[SuspectedTag],
    currents: Sequence[CurrentMismatch],
) -> None:
    """What a run found in the place of what an earlier one of the same month did. Other months stay: they are the history."""
    for table in ("suspected_tag", "current_mismatch", "audit_run"):
        conn.execute(SQL("delete from energy.{} where discom_id = %s and month = %s").format(Identifier(table)), [discom_id, month])
    conn.execute(
        "insert into energy.audit_run (discom_id, month, days, last_day, consumers_checked) values (%s, %s, %s, %s, %s)",
        [discom_id, month, len(days), days[-1], checked],
    )
    _insert(conn, "suspected_tag", discom_id, month, tags)
    _insert(conn, "current_mismatch", discom_id, month, currents)


def _insert(
    conn: psycopg.Connection, table: str, discom_id: int, month: date, rows: Sequence[SuspectedTag] | Sequence[CurrentMismatch]
) -> None:
    if not rows:
        return
    names = list(vars(rows[0]))
    columns = SQL(", ").join(map(Identifier, ["discom_id", "month", *names]))
    with conn.cursor() as cursor, cursor.copy(SQL("copy energy.{} ({}) from stdin").format(Identifier(table), columns)) as copy:
        for row in rows:
            copy.write_row((discom_id, month, *(getattr(row, n) for n in names)))


@dataclass(frozen=True)
class TagFound:
    """A suspected tag in the codes of the registry."""

    service_point: str
    tagged: str
    better: str
    phase: str | None
    state: str
    confidence: float
    evidence: dict[str, float]
    distance_m: tuple[float | None, float | None]


def found_tags(conn: psycopg.Connection, discom_id: int, month: date) -> list[TagFound]:
    """What the run of a month found, the most certain first."""
    rows = conn.execute(
        """select p.code, a.code, b.code, s.better_phase, s.state, s.confidence, s.voltage_evidence, s.energy_evidence, s.outage_evidence,
                  s.distance_evidence, s.tagged_m, s.better_m
           from energy.suspected_tag s
           join registry.service_point p using (discom_id, service_point_id)
           join registry.dt a on a.discom_id = s.discom_id and a.dt_id = s.tagged_dt_id
           join registry.dt b on b.discom_id = s.discom_id and b.dt_id = s.better_dt_id
           where s.discom_id = %s and s.month = %s
           order by s.confidence desc, p.code""",
        [discom_id, month],
    ).fetchall()
    names = ("voltage", "energy", "outage", "distance")
    return [TagFound(r[0], r[1], r[2], r[3], r[4], r[5], dict(zip(names, r[6:10], strict=True)), (r[10], r[11])) for r in rows]
