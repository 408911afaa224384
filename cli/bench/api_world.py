"""The warehouse that the API is measured on: days straight into what the final layer reads, without landing and building them.

A day is one of `TEMPLATES`, so that 9 million of them are made by INSERT … SELECT; DTs and feeders count what hangs below them, to the Wh.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files

import numpy as np
import psycopg

from cli.bench.database import as_owner
from cli.bench.master_data import register
from cli.bench.stages import Say
from cli.bench.world import SLOTS, World
from orchestration import dbt, steps
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
        for statement in _statements("once"):
            conn.execute(statement, of)
        conn.commit()
        daily = _statements("each day")
        for n in range(days):
            say(f"day {n + 1} of {days}")
            day = first + timedelta(days=n)
            heads = _heads(world, templates, n)
            _load_heads(conn, heads)
            for statement in daily:
                conn.execute(statement, {**of, "day": day, "nr": n})
            conn.commit()
        for statement in _statements("at last"):
            conn.execute(statement, of)
        conn.commit()
    say("months of meters")
    dbt.run(["run", "--select", "meter_part"], {"discom_id": discom_id, "from_day": f"{first}", "to_day": f"{last}"})
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
            template integer primary key, import_wh integer[], export_wh integer[], import_vah integer[], voltage_dv integer[],
            gappy integer[], sum_wh bigint, sum_vah bigint, max_wh integer, third_max_wh integer, min_wh integer, gap_wh bigint)""")
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


def _statements(section: str) -> list[str]:
    """Of a section of api_world.sql."""
    text = files("cli.bench").joinpath("api_world.sql").read_text()
    (part,) = [p for p in text.split("\n-- ") if p.startswith(f"{section}\n")]
    return [s for s in part.removeprefix(section).split(";\n") if s.strip()]
