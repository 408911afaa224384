"""What the peers share: the parameters of the rules, the queries that read what is no reading of the day, and the tables that they write.

The peers do for one business day of one DISCOM what `orchestration.steps.build` does. How a day is put together, judged, estimated and
balanced belongs to each peer alone. Left out by all: edits (vee.edit), overlays of a DISCOM, the refusal of a day (`acceptance`).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

CONNECT_TIMEOUT_S = 10
STATEMENT_TIMEOUT_MS = 1_800_000
THREADS = 2
METERS_AT_ONCE = 50_000

# Rules: expectations/suites and the vars of dbt_project.yml.
MAX_AGE_DAYS = 90
ZERO_DAYS = {"domestic": 7, "dt": None, "feeder": None}
ZERO_DAYS_OTHERS = 3
ZERO_LOOKBACK = 10
SPIKE_PCT = 180.0
SPIKE_FLOOR_W = 500
SUM_PCT = 1.0
MAX_LINEAR_MIN = 120
LIKE_DAYS = 4
LIKE_WINDOW = 90
LARGEST = 2**31 - 1
"""No slot can hold more Wh."""

CHANNELS = ("import_wh", "export_wh", "import_vah")

_PLACE = """
select x.meter_id, x.place, x.category, x.interval_min, x.slots, x.register_lsb_wh, x.mf_e4, x.dt_id, x.feeder_id, x.consumer_dt_id,
       x.ht_feeder_id,
       -- 1.1 x interval x max(2 x load / MF, I_max x V x phases), in whole numbers and rounded half up.
       greatest((11::bigint * x.interval_min * x.load_w * 20000 * 2 + 600 * x.mf_e4) / (600 * x.mf_e4 * 2),
                (11::bigint * x.interval_min * x.va_e2 * 2 + 60000) / (60000 * 2)) as limit_wh
from (
    select i.meter_id,
           case when i.service_point_id is not null then 'consumer' when i.dt_id is not null then 'dt' else 'feeder' end as place,
           coalesce(sp.category, case when i.dt_id is not null then 'dt' else 'feeder' end) as category,
           m.interval_min::integer as interval_min, {minutes} / m.interval_min as slots, m.register_lsb_wh,
           (i.mf * 10000)::bigint as mf_e4,
           coalesce(sp.sanctioned_load_w::bigint, (t.capacity_kva * 1000)::bigint) as load_w,
           (m.i_max_a * 100)::bigint * m.voltage_v * coalesce(sp.supply_phases, 3) as va_e2,
           i.dt_id, i.feeder_id, c.dt_id as consumer_dt_id, c.feeder_id as ht_feeder_id
    from registry.installation i
    join registry.meter m on m.discom_id = i.discom_id and m.meter_id = i.meter_id
    left join registry.service_point sp on sp.discom_id = i.discom_id and sp.service_point_id = i.service_point_id
    left join registry.dt t on t.discom_id = i.discom_id and t.dt_id = i.dt_id
    left join registry.consumer_index c on c.discom_id = i.discom_id and c.service_point_id = i.service_point_id
         and c.valid_from <= {day} and (c.valid_to is null or {day} < c.valid_to)
    where i.discom_id = {discom} and i.meter_id between {low} and {high}
      and i.valid_from <= {day} and (i.valid_to is null or {day} < i.valid_to)
) x"""

_SPAN = "select min(meter_id) as low, max(meter_id) as high from registry.installation where discom_id = {discom}"

_FRAGMENT = """
select meter_id, start_slot, received_at, seq, import_wh, export_wh, import_vah, quality
from raw.profile_fragment where discom_id = {discom} and day = {day} and meter_id between {low} and {high}"""

_REGISTER = """
select meter_id, day = {day} as closes, received_at, seq, import_wh, export_wh, import_vah
from raw.register_reading where discom_id = {discom} and day in ({day}, {day} - 1) and meter_id between {low} and {high}"""

# Stamps in the future count on the last full day before they were received.
_FUTURE = """
select meter_id, sum(value_count)::bigint as stamps from raw.rejected
where discom_id = {discom} and reason = 'FUTURE_STAMP' and meter_id is not null
  and received_at >= {next_midnight} and received_at < {second_midnight}
group by meter_id"""

# The run of zero days that ends with the day, for meters that read zero all day. An outage (101 with no 102 before it ends) breaks it.
_ZERO_RUN = """
select z.meter_id,
       coalesce(min(a.ago) filter (where o.outage or a.ago > 0 and not coalesce(m.zero, false)), {zero_lookback} + 1)::integer as zero_days
from unnest({meters}::integer[]) z(meter_id)
cross join generate_series(0, {zero_lookback}) a(ago)
left join lateral (
    select 0 = all (h.import_wh) and array_position(h.import_wh, null) is null as zero from vee.meter_day h
    where h.discom_id = {discom} and h.meter_id = z.meter_id and h.day = {day} - a.ago and a.ago > 0
) m on true
cross join lateral (
    select exists (
        select from raw.event f
        where f.discom_id = {discom} and f.meter_id = z.meter_id and f.code = 101
          and f.day between {day} - a.ago - {zero_lookback} and {day} - a.ago
          and not exists (select from raw.event b where b.discom_id = {discom} and b.meter_id = z.meter_id and b.code = 102
                          and b.day between f.day and {day} - a.ago and b.occurred_at > f.occurred_at)) as outage
) o
group by z.meter_id"""

_CANDIDATES = """
select c.day from unnest({like_days_before}::date[]) c(day)
where exists (select from vee.meter_day m where m.discom_id = {discom} and m.day = c.day)"""

# The latest good days of the same type: no rule doubts them, no outage.
_LIKE_DAYS = """
select t.meter_id, l.import_wh, l.export_wh, l.import_vah
from unnest({meters}::integer[], {slots}::integer[]) t(meter_id, slots)
cross join lateral (
    select m.import_wh, m.export_wh, m.import_vah
    from unnest({candidates}::date[]) c(day)
    join vee.meter_day m on m.discom_id = {discom} and m.day = c.day and m.meter_id = t.meter_id and m.slots = t.slots
    where not exists (
              select from vee.exception e
              where e.discom_id = {discom} and e.day = c.day and e.meter_id = t.meter_id
                and e.stage = 'initial' and e.action in ('estimate', 'hold', 'flag') and e.state <> 'cleared')
      and not exists (
              select from raw.event o where o.discom_id = {discom} and o.day = c.day and o.meter_id = t.meter_id and o.code in (101, 102))
    order by c.day desc
    limit {like_days}
) l"""

_QUERIES = {
    "span": _SPAN,
    "place": _PLACE,
    "fragment": _FRAGMENT,
    "register": _REGISTER,
    "future": _FUTURE,
    "zero_run": _ZERO_RUN,
    "candidates": _CANDIDATES,
    "like_days": _LIKE_DAYS,
    "holiday": "select day from registry.holiday where discom_id = {discom}",
    "dt": "select dt_id, feeder_id, office_id from registry.dt where discom_id = {discom}",
    "feeder": "select feeder_id, office_id from registry.feeder where discom_id = {discom}",
}

TABLES: dict[str, dict[str, str]] = {
    "final_day": {
        "meter_id": "integer",
        "import_wh": "integer[]",
        "export_wh": "integer[]",
        "import_vah": "integer[]",
        "quality": "smallint[]",
        "day_quality": "smallint",
        "import_day_wh": "bigint",
        "export_day_wh": "bigint",
        "import_day_vah": "bigint",
        "estimated_slots": "integer",
        "missing_slots": "integer",
        "estimated_wh": "bigint",
        "weakest_quality": "smallint",
    },
    "exception": {
        "meter_id": "integer",
        "rule": "text",
        "stage": "text",
        "severity": "text",
        "action": "text",
        "value": "double precision",
    },
    "dt_day": {
        "dt_id": "integer",
        "feeder_id": "integer",
        "office_id": "integer",
        "dt_import_wh": "bigint",
        "dt_export_wh": "bigint",
        "consumer_import_wh": "bigint",
        "consumer_export_wh": "bigint",
        "unmetered_wh": "bigint",
        "input_wh": "bigint",
        "output_wh": "bigint",
        "loss_wh": "bigint",
        "loss_pct": "double precision",
        "consumers": "integer",
        "consumers_complete": "integer",
        "coverage_consumers_pct": "double precision",
        "estimated_wh": "bigint",
        "estimated_share_pct": "double precision",
        "weakest_quality": "smallint",
    },
    "feeder_day": {
        "feeder_id": "integer",
        "office_id": "integer",
        "input_wh": "bigint",
        "dt_wh": "bigint",
        "ht_wh": "bigint",
        "loss_ht_wh": "bigint",
        "loss_ht_pct": "double precision",
        "billed_wh": "bigint",
        "rooftop_export_wh": "bigint",
        "loss_wh": "bigint",
        "loss_pct": "double precision",
        "dts": "integer",
        "dts_metered": "integer",
        "consumers": "integer",
        "consumers_complete": "integer",
        "estimated_wh": "bigint",
        "weakest_quality": "smallint",
    },
}
"""What every peer writes, with the meaning of vee.final_day, vee.exception, energy.dt_day and energy.feeder_day."""


@dataclass(frozen=True)
class Day:
    """The business day to build, and where."""

    url: str
    discom_id: int
    day: date
    timezone: str

    @classmethod
    def of(cls, url: str, discom_id: int, day: date) -> Day:
        with connect(url) as conn:
            row = conn.execute("select timezone from registry.discom where discom_id = %s", [discom_id]).fetchone()
        if row is None:
            raise SystemExit(f"no DISCOM has the id {discom_id}")
        timed = f"{url}{'&' if '?' in url else '?'}connect_timeout={CONNECT_TIMEOUT_S}"
        return cls(timed, discom_id, day, row[0])

    def midnight(self, days: int = 0) -> datetime:
        """The midnight that begins the day, or one so many days later."""
        return datetime.combine(self.day + timedelta(days=days), datetime.min.time(), ZoneInfo(self.timezone))

    def query(self, name: str, **values: Any) -> Composed:
        """One of the queries above with its values."""
        known: dict[str, Any] = {
            "discom": self.discom_id,
            "day": self.day,
            "minutes": int((self.midnight(1).timestamp() - self.midnight().timestamp()) // 60),
            "next_midnight": self.midnight(1),
            "second_midnight": self.midnight(2),
            "zero_lookback": ZERO_LOOKBACK,
            "like_days": LIKE_DAYS,
        }
        return SQL(_QUERIES[name]).format(**{k: v if isinstance(v, Composable) else Literal(v) for k, v in (known | values).items()})

    def sql(self, name: str, **values: Any) -> str:
        """The same as text, since neither DuckDB nor connectorx takes parameters."""
        return self.query(name, **values).as_string()

    def ranges(self, low: int, high: int) -> list[tuple[int, int]]:
        """The meter ids low..high in ranges of at most METERS_AT_ONCE, one a thread at least."""
        parts = max(THREADS, -(-(high - low + 1) // METERS_AT_ONCE))
        edges = [low + (high - low + 1) * n // parts for n in range(parts + 1)]
        return [(a, b - 1) for a, b in pairwise(edges) if a < b]

    def like_type_days(self, holidays: Iterable[date]) -> list[date]:
        """The days of the like-day window that are of the day's type (weekday, Saturday, Sunday or holiday)."""
        off = set(holidays)

        def kind(day: date) -> int:
            return 7 if day.isoweekday() == 7 or day in off else 6 if day.isoweekday() == 6 else 0

        before = (self.day - timedelta(days=n) for n in range(1, LIKE_WINDOW + 1))
        return [day for day in before if kind(day) == kind(self.day)]


def connect(url: str) -> psycopg.Connection:
    """A connection that may read and write everything, as the URL's own user."""
    return psycopg.connect(
        url,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="bench peer",
        options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
    )


def make_schema(conn: psycopg.Connection, schema: str) -> None:
    """The peer's schema with its empty tables, made anew."""
    conn.execute(SQL("drop schema if exists {} cascade").format(Identifier(schema)))
    conn.execute(SQL("create schema {}").format(Identifier(schema)))
    for table, columns in TABLES.items():
        body = SQL(", ").join(SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in columns.items())
        conn.execute(SQL("create table {} ({})").format(Identifier(schema, table), body))
    conn.commit()


def main(peer: str, run: Callable[[str, int, date], float], run_parquet: Callable[[Day, Path, Path], float] | None = None) -> None:
    """The command line of a peer: one JSON line with the seconds and the meter-days written."""
    parser = argparse.ArgumentParser(description=f"Build one business day of a DISCOM the {peer} way, into the schema peer_{peer}.")
    parser.add_argument("--url", default=os.environ.get("METERHOUSE_DATABASE_URL"), help="default: METERHOUSE_DATABASE_URL")
    parser.add_argument("--discom-id", type=int, required=True)
    parser.add_argument("--day", type=date.fromisoformat, required=True, help="2026-10-05")
    if run_parquet:
        parser.add_argument(
            "--parquet", nargs=2, type=Path, metavar=("FROM", "TO"), help="folders: read and write Parquet files, not the database"
        )
    args = parser.parse_args()
    if not args.url:
        parser.error("give --url, or set METERHOUSE_DATABASE_URL")
    if run_parquet and args.parquet:
        peer = f"{peer}_parquet"
        seconds = run_parquet(Day.of(args.url, args.discom_id, args.day), *args.parquet)
        rows = None
    else:
        seconds = run(args.url, args.discom_id, args.day)
        with connect(args.url) as conn:
            rows = conn.execute(SQL("select count(*) from {}").format(Identifier(f"peer_{peer}", "final_day"))).fetchall()[0][0]
    print(json.dumps({"peer": peer, "seconds": round(seconds, 3), "rows": rows}))
