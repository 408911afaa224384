"""The day in DuckDB, written to win: list functions on whole meter-days, rows a slot only for the few that are put together or estimated.

The postgres extension reads by queries that are pushed down and writes by binary COPY. Two cursors take ranges of meters, each in one
transaction with a table of its own, so that the server need not log the rows (wal_level = minimal).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_postgres_scanner as extension

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tests.bench.peers import common
from tests.bench.peers.common import CHANNELS, TABLES, Day

NAME = "duckdb"
SPILL_AT = "6GB"

REST = {"exception": "all_exception", "dt_day": "dt_day", "feeder_day": "feeder_day"}
"""Tables beside final_day, and where they stand in DuckDB."""

Source = Callable[..., str]
"""What stands after FROM to read one of the queries of `common`, with its values."""

Store = Callable[[], object]
"""Keeps the rows of the view final_day."""

SCATTERED = [*CHANNELS, "quality"]
PIECES = " union all ".join(
    f"select meter_id, '{c}' as channel, received_at, seq, start_slot, slots, {c}::integer[] as vals "
    "from fragment join torn using (meter_id)"
    for c in SCATTERED
)
MERGED = ", ".join(
    f"case when count(v) filter (where channel = '{c}') > 0 then list(v order by slot) filter (where channel = '{c}') end as {c}"
    for c in SCATTERED
)
ADVANCES = ", ".join(f"c.{c} - o.{c} as {c}_advance" for c in CHANNELS)

# One row a meter. The common case is one fragment that is the whole day; anything else is put together by slot: the latest value stands.
ASSEMBLE = f"""
create or replace temp table place as from {{place}};
create or replace temp table fragment as from {{fragment}};
create or replace temp table torn as
    select f.meter_id, any_value(p.slots) as slots from fragment f join place p using (meter_id)
    group by f.meter_id having count(*) > 1 or not (any_value(f.start_slot) = 0 and count(f.import_wh) = 1
        and any_value(len(f.import_wh)) = any_value(p.slots));
create or replace temp table scattered as
    with piece as (
        select meter_id, channel, received_at, seq, slots, unnest(vals) as v, start_slot + generate_subscripts(vals, 1) as slot
               from ({PIECES})
    ), slot as (
        select meter_id, channel, slot, max_by(v, (received_at, seq, v)) as v, count(distinct v) as versions
        from piece where v is not null and slot <= slots group by meter_id, channel, slot
    ), grid as (
        select meter_id, unnest(range(1, slots + 1)) as slot, channel from torn, (select unnest({SCATTERED!r}) as channel)
    )
    select meter_id, {MERGED}, count(*) filter (where channel = 'import_wh' and versions > 1) as conflict_slots
    from grid left join slot using (meter_id, channel, slot)
    group by meter_id;
create or replace temp view day as
    select meter_id, {", ".join(SCATTERED)} from fragment anti join torn using (meter_id)
    union all
    select meter_id, coalesce(import_wh, list_resize([]::integer[], slots)), export_wh, import_vah, quality
    from scattered join torn using (meter_id)
    union all
    select meter_id, list_resize([]::integer[], slots), null, null, null from place anti join fragment using (meter_id)"""

# What the rules judge beside the slots. The latest received reading of a midnight is its register.
KNOWN = f"""
create or replace temp table register as from {{register}};
create or replace temp table reread as select meter_id, closes from register group by all having count(*) > 1;
create or replace temp table known as
    with last as (
        select * from register anti join reread using (meter_id, closes)
        union all
        select * from register semi join reread using (meter_id, closes)
        qualify row_number() over (partition by meter_id, closes order by received_at desc, seq desc, import_wh desc) = 1
    ), advance as (
        select c.meter_id, {ADVANCES} from last c join last o using (meter_id) where c.closes and not o.closes
    ), arrival as (
        select meter_id, (max(received_at) at time zone '{{timezone}}')::date - '{{day}}'::date as age_days from fragment group by meter_id
    )
    select p.*, v.* exclude (meter_id), r.age_days, u.stamps, s.conflict_slots
    from place p
    left join advance v using (meter_id)
    left join arrival r using (meter_id)
    left join future u using (meter_id)
    left join scattered s using (meter_id)"""

# Figures of each meter's slots. Three intervals near the peak rule a spike out, so few days are sorted.
FIGURES = f"""
create or replace temp table {{figures}} as
    with figure as (
        select k.*, d.import_wh, d.quality is not null as stated, list_max(d.quality) as worst_slot,
               k.slots - list_count(d.import_wh) as missing_slots, list_min(d.import_wh) as min_wh, list_max(d.import_wh) as max_wh,
               list_sum(d.import_wh)::bigint as import_day_wh, list_sum(d.export_wh)::bigint as export_day_wh,
               list_sum(d.import_vah)::bigint as import_day_vah
        from {{days}} d join known k using (meter_id)
    ), third as (
        select * exclude (import_wh),
               case when min_wh < 0 then len(list_filter(import_wh, lambda w: w < 0)) end as negative_slots,
               case when max_wh > limit_wh then len(list_filter(import_wh, lambda w: w > limit_wh)) end as over_slots,
               case when place = 'consumer' and max_wh * 60 >= {common.SPIKE_FLOOR_W} * interval_min
                         and len(list_filter(import_wh, lambda w: w * 2.7 > max_wh)) < 3
                    then list_sort(import_wh, 'DESC', 'NULLS LAST')[3] end as third_wh,
               case when missing_slots = 0 then abs(import_day_wh - import_wh_advance) end as off_wh
        from figure
    )
    select *, (max_wh - third_wh)::double / greatest(third_wh, 1) * 100 as spike_pct,
           case when off_wh is not null
                then (off_wh - least(off_wh, register_lsb_wh))::double / greatest(abs(import_wh_advance), 1) * 100 end as sum_diff_pct
    from third"""

REPAIRED = [
    ("V07", "fail", "estimate", "missing_slots", "missing_slots > 0"),
    ("V16", "fail", "estimate", "over_slots", "over_slots > 0"),
    ("V17", "fail", "estimate", "spike_pct", f"spike_pct > {common.SPIKE_PCT}"),
]
SUM_CHECK = ("V19", "fail", "hold", "sum_diff_pct", f"sum_diff_pct > {common.SUM_PCT}")
_NO_ZERO_RULE = ", ".join(f"'{k}'" for k, days in common.ZERO_DAYS.items() if days is None)
_ZERO_LIMIT = " ".join(f"when '{k}' then {days}" for k, days in common.ZERO_DAYS.items() if days)
INITIAL = [
    ("V05", "fatal", "note", "stamps", "stamps > 0"),
    ("V05", "warn", "note", "age_days", f"age_days > {common.MAX_AGE_DAYS} and coalesce(stamps, 0) = 0"),
    ("V06", "warn", "note", "conflict_slots", "conflict_slots > 0"),
    ("V11", "fail", "estimate", "negative_slots", "negative_slots > 0"),
    (
        *("V13", "warn", "flag", "zero_days"),
        f"category not in ({_NO_ZERO_RULE}) and zero_days >= case category {_ZERO_LIMIT} else {common.ZERO_DAYS_OTHERS} end",
    ),
    *REPAIRED,
    SUM_CHECK,
]
ESTIMATED = [(rule, severity, "hold", value, fails) for rule, severity, _, value, fails in [*REPAIRED, SUM_CHECK]]


def verdicts(figures: str, stage: str, rules: Iterable[tuple[str, str, str, str, str]]) -> str:
    """The SELECT of the exceptions that the rules find."""
    return " union all ".join(
        f"select meter_id, '{rule}' as rule, '{stage}' as stage, '{severity}' as severity, '{action}' as action, {value}::double as value "
        f"from {figures} where {fails}"
        for rule, severity, action, value, fails in rules
    )


# A peak that the register bears out is real and stays.
TARGET = f"""
create or replace temp table target as
    with failing as (
        select meter_id, bool_or(rule = 'V17') as spike, bool_or(action in ('hold', 'flag')) as doubted
        from found group by meter_id having bool_or(action = 'estimate')
    )
    select f.*, d.* exclude (meter_id), x.spike, x.doubted,
           x.spike and coalesce(f.import_day_wh > f.import_wh_advance and f.sum_diff_pct > {common.SUM_PCT}, false) as refuted
    from day d join failing x using (meter_id) join figure f using (meter_id)"""

_CHANNEL = """
select t.meter_id, {n} as channel, t.slots, t.interval_min, t.limit_wh, t.register_lsb_wh, t.{c}_advance as advance,
       list_transform(coalesce(t.{c}, list_resize([]::integer[], t.slots)), lambda v: case when v >= 0 and not {beyond}
           then v::bigint end) as good
from target t
where t.{c} is not null or t.{c}_advance is not null or exists (select 1 from usual u where u.meter_id = t.meter_id and u.channel = {n})"""
_BEYOND = "(coalesce(v > t.limit_wh, false) or t.refuted and v = t.max_wh)"
_SEGMENTS = " union all ".join(_CHANNEL.format(n=n, c=c, beyond="false" if n else _BEYOND) for n, c in enumerate(CHANNELS))
_LIKE_SLOTS = " union all ".join(
    f"select meter_id, {n} as channel, unnest({c}) as v, generate_subscripts({c}, 1) as slot from {{like_days}}"
    for n, c in enumerate(CHANNELS)
)

# Linear over short gaps between good slots, else like days, else flat; then scaled to what the register says is in the bad slots (EM9).
ESTIMATE = f"""
create or replace temp table usual as
    with positive as (
        select meter_id, channel, slot, sum(v) filter (where v >= 0) as total, count(*) filter (where v >= 0) as n
        from ({_LIKE_SLOTS}) group by meter_id, channel, slot
    )
    select meter_id, channel, slot, ((2 * total + n) // (2 * n))::bigint as v from positive;
create or replace temp table segment as
    select *, list_filter(range(1, slots + 1), lambda s: good[s] is null) as bad,
           list_filter(range(1, slots + 1), lambda s: good[s] is not null) as there
    from ({_SEGMENTS});
create or replace temp table estimate as
    with bad_slot as (
        select *, len(bad) as bad_slots, advance - coalesce(list_sum(good), 0)::bigint as target, unnest(bad) as slot from segment
    ), framed as (
        select *, list_max(list_filter(there, lambda s: s < slot)) as before, list_min(list_filter(there, lambda s: s > slot)) as after
               from bad_slot
    ), sized as (
        select *, coalesce(after, slots + 1) - coalesce(before, 0) as gap, slot - coalesce(before, 0) as pos from framed
    ), raw as (
        select z.*,
               case when (gap - 1) * interval_min <= {common.MAX_LINEAR_MIN} and before is not null and after is not null
                    then (2 * (good[before] * gap + (good[after] - good[before]) * pos) + gap) // (2 * gap) else u.v end as raw
        from sized z left join usual u using (meter_id, channel, slot)
    ), weighed as (
        select *,
               case when target between -register_lsb_wh and coalesce(limit_wh * bad_slots, {common.LARGEST})
                   then greatest(target, 0) end as fit,
               coalesce(raw, (2 * sum(raw) over segment + count(raw) over segment) // nullif(2 * count(raw) over segment, 0), 1)::bigint
                   as weight
        from raw window segment as (partition by meter_id, channel)
    ), weighted as (
        select *, (sum(weight) over (partition by meter_id, channel))::bigint as weights from weighed
    ), shared as (
        select *, case when weights > 0 then weight * fit // weights else fit // bad_slots end as share,
               case when weights > 0 then weight * fit % weights else 0 end as remainder
        from weighted
    )
    select meter_id, channel, slot,
           coalesce(share + (row_number() over (partition by meter_id, channel order by remainder desc, slot)
                             <= fit - sum(share) over (partition by meter_id, channel))::bigint, raw)::bigint as v
    from shared;
create or replace temp table estimated as
    with filled as (
        select meter_id, channel, list(slot order by slot) as slots, list(v order by slot) as vals, count(v) as estimated,
               count(*) - count(v) as missing,
               coalesce(sum(v), 0)::bigint as energy
        from estimate group by meter_id, channel
    ), channel as (
        select s.meter_id, s.channel, s.slots, s.good, coalesce(f.estimated, 0) as estimated, coalesce(f.missing, 0) as missing,
               coalesce(f.energy, 0) as energy,
               list_transform(range(1, s.slots + 1), lambda s: coalesce(s.good[s], f.vals[list_position(f.slots, s)])::integer) as vals
        from segment s left join filled f using (meter_id, channel)
    )
    select i.meter_id, i.vals as import_wh, x.vals as export_wh, a.vals as import_vah,
           list_transform(range(1, i.slots + 1), lambda s: case
               when i.vals[s] is null then 9 when i.good[s] is null then 6
               else greatest(case when t.doubted or t.spike and not t.refuted then 5 else 0 end,
                   coalesce(t.quality[s], 0)) end)::smallint[] as quality,
           i.estimated, i.missing, i.energy
    from target t
    join channel i on i.meter_id = t.meter_id and i.channel = 0
    left join channel x on x.meter_id = t.meter_id and x.channel = 1
    left join channel a on a.meter_id = t.meter_id and a.channel = 2
    where i.estimated > 0 or i.missing > 0 or x.estimated > 0 or a.estimated > 0"""

FINAL = """
create or replace temp table graded as
    with doubted as (
        select distinct meter_id from found where action in ('hold', 'flag', 'estimate')
    )
    select f.*, (case when d.meter_id is not null then 5 else 0 end)::smallint as base
    from figure f anti join estimated using (meter_id) left join doubted d using (meter_id);
create or replace temp view final_day as
    select meter_id, d.import_wh, d.export_wh, d.import_vah,
           case when d.quality is not null then list_transform(range(1, g.slots + 1), lambda s: case when d.import_wh[s] is null then 9
                else greatest(g.base, coalesce(d.quality[s], 0)) end)::smallint[] end as quality,
           g.base as day_quality, g.import_day_wh, g.export_day_wh, g.import_day_vah, 0 as estimated_slots,
           g.missing_slots::integer as missing_slots, 0 as estimated_wh,
           greatest(g.base, coalesce(g.worst_slot, 0))::smallint as weakest_quality
    from day d join graded g using (meter_id)
    union all
    select meter_id, e.import_wh, e.export_wh, e.import_vah, e.quality, 0, r.import_day_wh, r.export_day_wh, r.import_day_vah,
           e.estimated, e.missing, e.energy, r.worst_slot
    from estimated e join refigured r using (meter_id)"""

KEEP = """
insert into flow
    select place, dt_id, feeder_id, consumer_dt_id, ht_feeder_id, mf_e4, import_day_wh, export_day_wh, 0, missing_slots,
           greatest(base, coalesce(worst_slot, 0))
    from graded
    union all
    select place, dt_id, feeder_id, consumer_dt_id, ht_feeder_id, mf_e4, import_day_wh, export_day_wh, energy, missing, worst_slot
    from refigured join estimated using (meter_id);
insert into exception from found"""

FLOW = """
create temp table flow (place text, dt_id integer, feeder_id integer, consumer_dt_id integer, ht_feeder_id integer, mf_e4 bigint,
    import_day_wh bigint, export_day_wh bigint, estimated_wh bigint, missing_slots integer, weakest_quality smallint);
create temp table exception (meter_id integer, rule text, stage text, severity text, action text, value double)"""


def _pct(part: str, whole: str) -> str:
    return f"100.0::double * ({part}) / nullif({whole}, 0)"


# In Wh that flowed: the multiplying factor is applied, to the whole Wh of each meter. A head of which slots are missing gives no balance.
BALANCES = f"""
create temp macro flowed(wh, mf_e4) as sign(wh * mf_e4)::bigint * ((abs(wh * mf_e4) + 5000) // 10000);
create temp table placed as
    select *, flowed(import_day_wh, mf_e4) as import_wh, coalesce(flowed(export_day_wh, mf_e4), 0) as export_wh,
           flowed(estimated_wh, mf_e4) as estimated from all_flow;
create temp table head as
    select place, coalesce(dt_id, feeder_id) as id, case when max(missing_slots) = 0 then sum(import_wh)::bigint end as import_wh,
           case when max(missing_slots) = 0 then sum(export_wh)::bigint end as export_wh, sum(estimated)::bigint as estimated,
           max(weakest_quality) as quality
    from placed where place <> 'consumer' group by all;
create temp table served as
    select case when consumer_dt_id is not null then 'dt' else 'feeder' end as place, coalesce(consumer_dt_id, ht_feeder_id) as id,
           count(*) as consumers,
           count(*) filter (where missing_slots = 0) as complete, coalesce(sum(import_wh), 0)::bigint as import_wh,
           sum(export_wh)::bigint as export_wh,
           sum(estimated)::bigint as estimated, max(weakest_quality) as quality
    from placed where place = 'consumer' and coalesce(consumer_dt_id, ht_feeder_id) is not null group by all;
create temp table dt_day as
    with joined as (
        select d.*, h.import_wh as dt_import_wh, h.export_wh as dt_export_wh, coalesce(c.import_wh, 0) as consumer_import_wh,
               coalesce(c.export_wh, 0) as consumer_export_wh, 0::bigint as unmetered_wh, coalesce(c.consumers, 0) as consumers,
               coalesce(c.complete, 0) as consumers_complete, coalesce(c.estimated, 0) + coalesce(h.estimated, 0) as estimated_wh,
               greatest(coalesce(h.quality, 9), coalesce(c.quality, 0)) as weakest_quality
        from {{dt}} d
        left join head h on h.place = 'dt' and h.id = d.dt_id
        left join served c on c.place = 'dt' and c.id = d.dt_id
    ), balance as (
        select *, dt_import_wh + consumer_export_wh as input_wh, consumer_import_wh + dt_export_wh as output_wh,
               input_wh - output_wh as loss_wh from joined
    )
    select *, {_pct("loss_wh", "input_wh")} as loss_pct, {_pct("consumers_complete", "consumers")} as coverage_consumers_pct,
           {_pct("estimated_wh", "consumer_import_wh + coalesce(dt_import_wh, 0)")} as estimated_share_pct
    from balance;
create temp table feeder_day as
    with below as (
        select feeder_id, count(*) as dts, count(dt_import_wh) as dts_metered,
               coalesce(sum(dt_import_wh - dt_export_wh), 0)::bigint as net_wh,
               sum(consumer_import_wh)::bigint as import_wh, sum(consumer_export_wh)::bigint as export_wh, sum(consumers) as consumers,
               sum(consumers_complete) as complete, sum(estimated_wh)::bigint as estimated, max(weakest_quality) as quality
        from dt_day group by feeder_id
    ), joined as (
        select f.*, h.import_wh - h.export_wh as input_wh, coalesce(b.net_wh, 0) as dt_wh, coalesce(t.import_wh - t.export_wh, 0) as ht_wh,
               coalesce(b.import_wh, 0) + coalesce(t.import_wh, 0) as billed_wh,
               coalesce(b.export_wh, 0) + coalesce(t.export_wh, 0) as rooftop_export_wh,
               coalesce(b.dts, 0) as dts, coalesce(b.dts_metered, 0) as dts_metered,
               coalesce(b.consumers, 0) + coalesce(t.consumers, 0) as consumers,
               coalesce(b.complete, 0) + coalesce(t.complete, 0) as consumers_complete,
               coalesce(h.estimated, 0) + coalesce(b.estimated, 0) + coalesce(t.estimated, 0) as estimated_wh,
               greatest(coalesce(h.quality, 9), b.quality, t.quality) as weakest_quality
        from {{feeder}} f
        left join head h on h.place = 'feeder' and h.id = f.feeder_id
        left join below b using (feeder_id)
        left join served t on t.place = 'feeder' and t.id = f.feeder_id
    ), balance as (
        select *, input_wh - dt_wh - ht_wh as loss_ht_wh, input_wh + rooftop_export_wh - billed_wh as loss_wh from joined
    )
    select *, {_pct("loss_ht_wh", "input_wh")} as loss_ht_pct, {_pct("loss_wh", "input_wh + rooftop_export_wh")} as loss_pct from balance"""


def build(con: duckdb.DuckDBPyConnection, day: Day, low: int, high: int, candidates: list[date], source: Source) -> None:
    """The days of the meters low..high, into the temporary tables final_day (made anew), flow and exception (added to)."""
    span = {"low": low, "high": high}
    con.execute(ASSEMBLE.format(place=source("place", **span), fragment=source("fragment", **span)))
    con.execute(KNOWN.format(register=source("register", **span), timezone=day.timezone, day=day.day))
    con.execute(FIGURES.format(figures="figure", days="day"))
    zero = _first(con, "select meter_id from figure where missing_slots = 0 and min_wh = 0 and max_wh = 0")
    run_of_zero = source("zero_run", meters=zero) if zero else "(select null::integer as meter_id, 0 as zero_days where false)"
    con.execute(f"create or replace temp table judged as select * from figure left join {run_of_zero} using (meter_id)")
    con.execute(f"create or replace temp table found as {verdicts('judged', 'initial', INITIAL)}")
    con.execute(TARGET)
    like = f"(select 0 as meter_id, {', '.join(f'null::integer[] as {c}' for c in CHANNELS)} where false)"
    if candidates and (targets := con.execute("select meter_id, slots from target").fetchall()):
        like = source("like_days", meters=[m for m, _ in targets], slots=[s for _, s in targets], candidates=candidates)
        con.execute(f"create or replace temp table like_day as from {like}")
        like = "like_day"
    con.execute(ESTIMATE.format(like_days=like))
    con.execute(FIGURES.format(figures="refigured", days="estimated"))
    con.execute(f"insert into found {verdicts('refigured', 'estimate', ESTIMATED)}")
    con.execute(FINAL)


def _first(con: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return [row[0] for row in con.execute(query).fetchall()]


def open_database() -> duckdb.DuckDBPyConnection:
    """An empty database in memory that can talk to PostgreSQL. The extension comes with its wheel, so nothing is downloaded."""
    # A cursor computes in the thread that calls it; more threads of DuckDB's own beside the two cost 70 % more CPU and gain nothing.
    con = duckdb.connect(config={"threads": 1, "memory_limit": SPILL_AT, "autoinstall_known_extensions": False})
    con.execute("set TimeZone = 'UTC'")
    (library,) = Path(extension.__file__).parent.rglob("postgres_scanner.duckdb_extension")
    con.load_extension(str(library))
    return con


def pushed_down(query: str) -> str:
    """A query that PostgreSQL, attached as pg, is to answer; stands after FROM."""
    return "postgres_query('pg', '" + query.replace("'", "''") + "')"


def run(url: str, discom_id: int, day: date) -> float:
    """Build the day into schema peer_duckdb. Seconds from the first read to the last commit."""
    task, schema = Day.of(url, discom_id, day), f"peer_{NAME}"
    with common.connect(url) as conn:
        common.make_schema(conn, schema)

    @contextmanager
    def part(own: duckdb.DuckDBPyConnection, thread: int) -> Iterator[Store]:
        table = f"{schema}.final_day_{thread}"
        own.execute("begin")
        own.execute(f"create table pg.{table} ({', '.join(f'{c} {kind}' for c, kind in TABLES['final_day'].items())})")
        yield lambda: own.execute(f"insert into pg.{table} from final_day")
        own.execute(f"call postgres_execute('pg', 'alter table {table} add primary key (meter_id)')")
        own.execute("commit")

    with open_database() as con:
        con.execute(f"attach '{task.url}' as pg (type postgres)")
        started = time.perf_counter()
        build_all(con, task, lambda query, **values: pushed_down(task.sql(query, **values)), part)
        con.execute("begin")
        for thread in range(common.THREADS):
            con.execute(f"call postgres_execute('pg', 'alter table {schema}.final_day_{thread} inherit {schema}.final_day')")
        for table, relation in REST.items():
            con.execute(f"insert into pg.{schema}.{table} select {', '.join(TABLES[table])} from {relation}")
        con.execute("commit")
        return time.perf_counter() - started


def run_parquet(task: Day, source: Path, target: Path) -> float:
    """Build the day from the files of `parquet.export` into files <table>*.parquet. Seconds from the first read to the last write."""

    def rows(query: str, low: int | None = None, high: int | None = None, meters: list[int] | None = None, **_: Any) -> str:
        some = (
            f"where meter_id between {low} and {high}"
            if low is not None
            else ""
            if meters is None
            else f"where meter_id in ({', '.join(map(str, meters))})"
        )
        return f"(from '{source / query}.parquet' {some})"

    @contextmanager
    def part(own: duckdb.DuckDBPyConnection, thread: int) -> Iterator[Store]:
        number = count()
        yield lambda: own.execute(f"copy (from final_day) to '{target}/final_day_{thread}_{next(number)}.parquet'")

    with open_database() as con:
        started = time.perf_counter()
        build_all(con, task, rows, part)
        for table, relation in REST.items():
            con.execute(f"copy (select {', '.join(TABLES[table])} from {relation}) to '{target / table}.parquet'")
        return time.perf_counter() - started


def build_all(
    con: duckdb.DuckDBPyConnection,
    task: Day,
    source: Source,
    part: Callable[[duckdb.DuckDBPyConnection, int], AbstractContextManager[Store]],
) -> None:
    """The day of all meters, two ranges at a time. final_day goes to what `part` opens for a cursor; the other tables are those of REST."""
    con.execute(f"create table future as from {source('future')}")
    off = _first(con, f"from {source('holiday')}")
    candidates = _first(con, f"from {source('candidates', like_days_before=task.like_type_days(off))}")
    ((low, high),) = con.execute(f"from {source('span')}").fetchall()
    con.execute(FLOW.replace("temp table ", "table all_"))
    todo = iter(task.ranges(low, high))

    def work(thread: int) -> None:
        with con.cursor() as own:
            own.execute(FLOW)
            with part(own, thread) as store:
                for low, high in todo:
                    build(own, task, low, high, candidates, source)
                    store()
                    own.execute(KEEP)
            own.execute("insert into all_flow from flow; insert into all_exception from exception")

    with ThreadPoolExecutor(common.THREADS) as pool:
        list(pool.map(work, range(common.THREADS)))
    con.execute(BALANCES.format(dt=source("dt"), feeder=source("feeder")))


if __name__ == "__main__":
    common.main(NAME, run, run_parquet)
