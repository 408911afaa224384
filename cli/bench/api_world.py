"""The warehouse that the API is measured on: days straight into what the final layer reads, without landing and building them.

A day is one of `TEMPLATES`, so that 9 million of them are made by INSERT … SELECT; DTs and feeders count what hangs below them, to the Wh.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import psycopg

from cli.bench.database import as_owner
from cli.bench.master_data import register
from cli.bench.stages import Say
from cli.bench.world import SLOTS, World
from orchestration import steps
from warehouse import db

FIRST = date(2026, 7, 1)
TEMPLATES = 997
"""A prime: meter and day choose one of them, and neighbours have others."""
GAP_EVERY, DOUBT_EVERY, SCATTERED_EVERY, OUTAGE_EVERY, EDIT_EVERY = 33, 101, 211, 97, 9973
"""One meter-day of so many has a gap that was estimated, is doubted, came in two fragments, had an outage, was edited."""
GAP = slice(20, 26)


@dataclass(frozen=True)
class ApiWorld:
    """What was made. Meters as in `World`: serial B0000001 and on, consumers first."""

    world: World
    discom_id: int
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def make(consumers: int, days: int, seed: int, say: Say) -> ApiWorld:
    """Fill the database that METERHOUSE_DATABASE_URL names, which is migrated and empty."""
    first, last = FIRST, FIRST + timedelta(days=days - 1)
    world = World(consumers, days, seed, first)
    say("tables and views, by building days of a DISCOM that has nothing")
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute("insert into registry.discom (code, name) values ('EMPTY', 'EMPTY') returning discom_id").fetchone()
        assert row
        empty = int(row[0])
    steps.build("EMPTY", empty, first, last)
    say("master data")
    with as_owner() as conn:
        discom_id = register(conn, world)
        for table in ("raw.profile_fragment", "raw.register_reading", "raw.event", "vee.estimated_day", "vee.exception"):
            conn.execute("select ops.ensure_month(%s, %s, %s)", [table, first - timedelta(days=1), last])
        templates = _templates(conn, seed)
        of = {"d": discom_id, "empty": empty, "first": first, "last": last, "n": consumers, "k": TEMPLATES}
        of |= {"gap": GAP_EVERY, "doubt": DOUBT_EVERY, "scattered": SCATTERED_EVERY, "outage": OUTAGE_EVERY, "edit": EDIT_EVERY}
        for statement in _ONCE:
            conn.execute(statement, of)
        conn.commit()
        for n in range(days):
            say(f"day {n + 1} of {days}")
            day = first + timedelta(days=n)
            heads = _heads(world, templates, n)
            _load_heads(conn, heads)
            for statement in _DAILY:
                conn.execute(statement, {**of, "day": day, "nr": n})
            conn.commit()
        for statement in _AT_LAST:
            conn.execute(statement, of)
        conn.commit()
    return ApiWorld(world, discom_id, first, last)


def _templates(conn: psycopg.Connection, seed: int) -> np.ndarray:
    """Days as a table `day_template` of this session; import as (TEMPLATES, 48), Wh."""
    rng = np.random.default_rng(seed)
    hour = np.arange(SLOTS) / 2
    shape = 0.5 + 0.7 * np.exp(-(((hour - 7.5) / 1.5) ** 2)) + 1.3 * np.exp(-(((hour - 20) / 2.2) ** 2))
    daily = rng.lognormal(np.log(6000), 0.5, (TEMPLATES, 1)).clip(1500, 18000)
    wh = np.rint(daily * shape / shape.sum() * rng.uniform(0.75, 1.25, (TEMPLATES, SLOTS))).astype(np.int64)
    conn.execute("""
        create temporary table day_template (
            template integer primary key, import_wh integer[], export_wh integer[], import_vah integer[], voltage_dv integer[], gappy integer[],
            sum_wh bigint, sum_vah bigint, max_wh integer, third_max_wh integer, min_wh integer, gap_wh bigint)""")
    with conn.cursor() as cursor, cursor.copy("copy day_template from stdin") as copy:
        for n, values in enumerate(wh):
            vah, gappy = np.rint(values / 0.94).astype(np.int64), [str(v) for v in values]
            gappy[GAP] = ["NULL"] * (GAP.stop - GAP.start)
            high = np.sort(values)
            arrays = (values, np.zeros(SLOTS, int), vah, rng.integers(2200, 2420, SLOTS), gappy)
            figures = (values.sum(), vah.sum(), high[-1], high[-3], high[0], values[GAP].sum())
            copy.write("\t".join([str(n), *("{" + ",".join(map(str, a)) + "}" for a in arrays), *map(str, figures)]) + "\n")
    return wh


def _heads(world: World, templates: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """What the DTs and feeders count on day `n`, (head, 48) in Wh: 4 % lost below a DT, 2 % above."""
    consumers = np.arange(1, world.consumers + 1)
    of_dt, begins = np.unique(world.dt_of(consumers), return_index=True)
    taken = np.zeros((world.dts, SLOTS), np.int64)
    taken[of_dt] = np.add.reduceat(templates[(consumers * 31 + n * 17) % TEMPLATES], begins)
    dts = taken + taken // 25
    feeders = np.zeros((world.feeders, SLOTS), np.int64)
    np.add.at(feeders, np.arange(world.dts) * world.feeders // world.dts, dts)
    return np.stack([taken, dts], axis=1), feeders + feeders // 50


def _load_heads(conn: psycopg.Connection, heads: tuple[np.ndarray, np.ndarray]) -> None:
    conn.execute("drop table if exists head")
    conn.execute("create temporary table head (nr integer primary key, import_wh integer[], taken_wh bigint)")
    dts, feeders = heads
    with conn.cursor() as cursor, cursor.copy("copy head from stdin") as copy:
        rows = [*((d[1], d[0].sum()) for d in dts), *((f, 0) for f in feeders)]
        for nr, (values, taken) in enumerate(rows, 1):
            copy.write(f"{nr}\t{{{','.join(map(str, values))}}}\t{taken}\n")


_ONCE = (
    """insert into raw.batch (discom_id, hes_id, source, content_sha256, received_at, values_received, values_accepted, values_rejected)
       select %(d)s, 1, 'bench ' || g::date, sha256((g::date)::text::bytea), g + interval '26 hours', 1, 1, 0
       from generate_series(%(first)s::date, %(last)s::date, interval '1 day') g""",
    """create temporary table batch_of as
       select substr(source, 7)::date as day, batch_id, received_at from raw.batch where discom_id = %(d)s""",
    """insert into vee.class_profile (discom_id, category, interval_min, day_type, share, wh_per_kw, meter_days, learnt_to)
       select %(d)s, 'domestic', 30, t, array_fill((1.0 / 48)::real, array[48]), 2000, 300, %(last)s from unnest(array[0, 6, 7]) t""",
)

# A gap and a doubt exclude each other, as do pieces and a gap; so every kind of day is known by its numbers.
_DAILY = (
    "drop table if exists made",
    """create temporary table made as
       select n as meter_id, t.*, b.batch_id, b.received_at, (n + %(nr)s) %% %(gap)s = 0 as gap,
              (n + %(nr)s) %% %(gap)s <> 0 and (n + %(nr)s) %% %(scattered)s = 0 as scattered,
              (n + %(nr)s) %% %(gap)s <> 0 and (n * 3 + %(nr)s) %% %(doubt)s = 0 as doubted, 1 + least((n - 1) / 50, %(n)s / 50 - 1) as dt_id
       from generate_series(1, %(n)s) n
       join day_template t on t.template = (n * 31 + %(nr)s * 17) %% %(k)s
       cross join (select * from batch_of where day = %(day)s) b""",
    """insert into made
       select %(n)s + h.nr, null, h.import_wh, null, h.import_wh, null, null, s.wh, s.wh, s.high, s.high, s.low, 0, b.batch_id, b.received_at,
              false, false, false, null
       from head h
       cross join lateral (select sum(v) as wh, max(v) as high, min(v) as low from unnest(h.import_wh) v) s
       cross join (select * from batch_of where day = %(day)s) b""",
    """insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq,
                                        import_wh, export_wh, import_vah, voltage_dv)
       select %(d)s, %(day)s, m.meter_id, coalesce(p.low, 0), 30, m.received_at, m.batch_id, m.meter_id * 2 + coalesce(p.low, 0) / 24,
              case when p.low is null then case when m.gap then m.gappy else m.import_wh end else m.import_wh[p.low + 1:p.low + 24] end,
              case when p.low is null then m.export_wh else m.export_wh[p.low + 1:p.low + 24] end,
              case when p.low is null then m.import_vah else m.import_vah[p.low + 1:p.low + 24] end,
              case when p.low is null then m.voltage_dv else m.voltage_dv[p.low + 1:p.low + 24] end
       from made m left join (values (0), (24)) p(low) on m.scattered
       order by m.meter_id""",
    """insert into vee.assembled_day (discom_id, day, meter_id, interval_min, slots, fragments, duplicate_slots, conflict_slots, late_slots,
                                     received_at, import_wh, export_wh, import_vah, voltage_dv)
       select %(d)s, %(day)s, meter_id, 30, 48, 2, 0, 0, 0, received_at, import_wh, export_wh, import_vah, voltage_dv
       from made where scattered""",
    """insert into vee.measure (discom_id, day, meter_id, place, category, dt, meter_category, office_id, phases, slots, interval_min,
                               present_slots, missing_slots, fragments, duplicate_slots, conflict_slots, late_slots, negative_slots, zero_slots,
                               over_limit_slots, zero_days, sum_wh, export_sum_wh, import_sum_vah, min_wh, max_wh, third_max_wh,
                               register_lsb_wh, received_at, batch_id, seq)
       select %(d)s, %(day)s, m.meter_id, p.place, p.category, t.code, p.meter_category, p.office_id, p.phases, 48, 30,
              case when m.gap then 42 else 48 end, case when m.gap then 6 else 0 end, case when m.scattered then 2 else 1 end, 0, 0, 0, 0, 0,
              0, 0, m.sum_wh - case when m.gap then m.gap_wh else 0 end, case when m.export_wh is not null then 0 end, m.sum_vah, m.min_wh, m.max_wh, m.third_max_wh,
              1, m.received_at, case when not m.scattered then m.batch_id end, case when not m.scattered then m.meter_id * 2 end
       from made m
       join staging.stg_registry__meter_place p on p.discom_id = %(d)s and p.meter_id = m.meter_id
       left join registry.dt t on t.discom_id = %(d)s and t.dt_id = m.dt_id
       order by m.meter_id""",
    """insert into vee.estimated_day (discom_id, day, meter_id, import_wh, quality, method, import_day_wh, estimated_slots, missing_slots, estimated_wh,
                                     export_day_wh, import_day_vah)
       select %(d)s, %(day)s, meter_id, import_wh, array_fill(0::smallint, array[20]) || array_fill(6::smallint, array[6]) || array_fill(0::smallint, array[22]),
              array_fill(0::smallint, array[20]) || array_fill(3::smallint, array[6]) || array_fill(0::smallint, array[22]), sum_wh, 6, 0, gap_wh, 0, sum_vah
       from made where gap order by meter_id""",
    """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, value, message, state)
       select %(d)s, %(day)s, meter_id, case when gap then 'V07' else 'V17' end, 'initial', 'fail', case when gap then 'estimate' else 'flag' end, 6,
              'bench', case when gap then 'estimated' else 'open' end
       from made where gap or doubted order by meter_id""",
    """insert into raw.register_reading (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh)
       select %(d)s, %(day)s, meter_id, (%(day)s::date + 1)::timestamp at time zone 'Asia/Kolkata', received_at, batch_id, meter_id, 1000000 + %(nr)s * 6000
       from made order by meter_id""",
    """insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq)
       select %(d)s, %(day)s, meter_id, received_at - interval '20 hours' + c.after, c.code, received_at, batch_id, meter_id * 2 + c.code %% 2
       from made cross join (values (101, interval '0'), (102, interval '1 hour')) c(code, after)
       where (meter_id + %(nr)s) %% %(outage)s = 0 order by meter_id""",
    """insert into energy.dt_day (discom_id, day, dt_id, feeder_id, office_id, dt_import_wh, dt_export_wh, consumer_import_wh, consumer_export_wh, unmetered_wh,
                                 street_light_wh, input_wh, output_wh, loss_wh, loss_pct, consumers, consumers_complete, coverage_consumers_pct, actual_wh,
                                 coverage_energy_pct, estimated_wh, estimated_share_pct, weakest_quality)
       select %(d)s, %(day)s, t.dt_id, t.feeder_id, t.office_id, m.sum_wh, 0, h.taken_wh, 0, 0, 0, m.sum_wh, h.taken_wh, m.sum_wh - h.taken_wh,
              100.0 * (m.sum_wh - h.taken_wh) / m.sum_wh, c.n, c.n, 100, h.taken_wh - c.estimated_wh, 100.0 * (h.taken_wh - c.estimated_wh) / h.taken_wh, c.estimated_wh,
              100.0 * c.estimated_wh / (h.taken_wh + m.sum_wh), case when c.gaps > 0 then 6 when c.doubts > 0 then 5 else 0 end
       from registry.dt t
       join head h on h.nr = t.dt_id
       join made m on m.meter_id = %(n)s + t.dt_id
       join (select dt_id, count(*) as n, count(*) filter (where gap) as gaps, count(*) filter (where doubted) as doubts,
                    coalesce(sum(gap_wh) filter (where gap), 0) as estimated_wh
             from made where dt_id is not null group by dt_id) c on c.dt_id = t.dt_id
       where t.discom_id = %(d)s""",
    """insert into energy.feeder_day (discom_id, day, feeder_id, office_id, metered_wh, transfer_in_wh, transfer_out_wh, input_wh, dt_wh, ht_wh, loss_ht_wh, billed_wh,
                                     ht_billed_wh, unmetered_wh, street_light_wh, open_access_wh, ht_open_access_wh, rooftop_export_wh, loss_wh, loss_pct, dts, dts_metered,
                                     consumers, consumers_complete, coverage_consumers_pct, actual_wh, estimated_wh, read_wh, head_estimated_wh, head_quality,
                                     weakest_quality)
       select %(d)s, %(day)s, f.feeder_id, f.office_id, m.sum_wh, 0, 0, m.sum_wh, e.dt_wh, 0, m.sum_wh - e.dt_wh, e.billed_wh, 0, 0, 0, 0, 0, 0,
              m.sum_wh - e.billed_wh, 100.0 * (m.sum_wh - e.billed_wh) / m.sum_wh, e.dts, e.dts, e.consumers, e.consumers, 100,
              e.billed_wh - e.estimated_wh, e.estimated_wh, m.sum_wh + e.dt_wh + e.billed_wh, 0, 0, e.quality
       from registry.feeder f
       join made m on m.meter_id = %(n)s + (select count(*) from registry.dt where discom_id = %(d)s) + f.feeder_id
       join (select feeder_id, sum(dt_import_wh) as dt_wh, sum(consumer_import_wh) as billed_wh, count(*) as dts, sum(consumers) as consumers,
                    sum(estimated_wh) as estimated_wh, max(weakest_quality) as quality
             from energy.dt_day where discom_id = %(d)s and day = %(day)s group by feeder_id) e on e.feeder_id = f.feeder_id
       where f.discom_id = %(d)s""",
    """insert into vee.edit (discom_id, day, meter_id, channel, before, after, reason, editor, approver, approved_at)
       select %(d)s, %(day)s, meter_id, 'import_wh', import_wh, import_wh[1:40] || array[100, 100] || import_wh[43:48], 'TEST', 'bench', 'bench too', now()
       from made where not gap and meter_id <= %(n)s and (meter_id + %(nr)s) %% %(edit)s = 0""",
    """insert into raw.touched_day (discom_id, day, batch_id) select %(d)s, day, batch_id from batch_of where day = %(day)s""",
)

_AT_LAST = (
    """insert into vee.rule_set (discom_id, sha256, rules) select %(d)s, sha256, rules from vee.rule_set where discom_id = %(empty)s""",
    """insert into ops.day_build (discom_id, day, saw, built_at, built_with, rule_set_id)
       select %(d)s, b.day, pg_current_snapshot(), now(), b.built_with, (select max(rule_set_id) from vee.rule_set where discom_id = %(d)s)
       from ops.day_build b where b.discom_id = %(empty)s""",
)
