"""vee.estimated_day by the job: which days, which slots, what stays, and what the registers say, on meter-days made by hand.

The engine's methods have unit tests of their own; days without others around them are linear or flat, and their figures are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import namedtuple_row

from orchestration import dbt
from vee.estimation import job, repository
from vee.estimation.profiles import learn, refresh
from vee.estimation.settings import load_settings
from warehouse import db

pytestmark = pytest.mark.integration

DAY = date(2026, 10, 5)
"""A Monday."""

Values = list[int | None]
_ = None


@pytest.fixture(scope="module")
def models(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The tables and views that estimation reads, empty."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_HOME", str(tmp_path_factory.mktemp("home")))
        days: dict[str, object] = {"discom_id": 1, "from_day": "2026-08-01", "to_day": "2026-12-31"}
        dbt.run(["seed", "--select", "code_event", "code_esw_bit"])  # the names of events are a view on them
        dbt.run(["run", "--select", "staging", "assembled_day", "day_reading", "measure", "meter_day"], days)
        yield module_database


class World:
    """One DISCOM in which meter-days are put by hand."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.conn = conn
        row = conn.execute("insert into registry.discom (code, name) values (gen_random_uuid(), 'd') returning discom_id, code").fetchone()
        assert row is not None
        self.discom_id, self.code = row
        for table in ("raw.profile_fragment", "raw.register_reading", "raw.event", "vee.exception"):
            conn.execute("select ops.ensure_month(%s, '2026-08-01', '2026-12-31')", [table])

    def day(
        self,
        meter: int,
        import_wh: Values | None,
        *rules: str,
        day: date = DAY,
        minutes: int | None = None,
        export_wh: Values | None = None,
        import_vah: Values | None = None,
        quality: Values | None = None,
        **figures: Any,
    ) -> None:
        """A meter-day as it came, with the rules that it failed: V07, or V19:hold, or V07:estimate:closed."""
        slots = len(import_wh or export_wh or ())
        received = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
        key = [self.discom_id, day, meter]
        interval = minutes or 1440 // slots
        self.conn.execute(
            """insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq, import_wh,
                                                 export_wh, import_vah, quality)
               values (%s, %s, %s, 0, %s, %s, 1, 1, %s, %s, %s, %s)""",
            [*key, interval, received, import_wh, export_wh, import_vah, quality],
        )
        measure = {
            "slots": slots,
            "interval_min": interval,
            "limit_wh": 5000,
            "register_lsb_wh": 1,
            "batch_id": 1,
            "seq": 1,
            "max_wh": max((v for v in import_wh or () if v is not None), default=None),
            "source_quality": max((q for q in quality or () if q is not None), default=None),
            **figures,
        }
        self.conn.execute(
            f"insert into vee.measure (discom_id, day, meter_id, {', '.join(measure)}) values (%s, %s, %s{', %s' * len(measure)})",
            [*key, *measure.values()],
        )
        for rule in rules:
            name, action, state, stage = [*rule.split(":"), *["estimate", "open", "initial"][rule.count(":") :]]
            self.conn.execute(
                """insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, message, state)
                   values (%s, %s, %s, %s, %s, 'fail', %s, '', %s)""",
                [*key, name, stage, action, state],
            )

    def register(self, meter: int, wh: int | None, day: date = DAY, export_wh: int | None = None, batch: int = 1) -> None:
        """The register at the end of the day."""
        at = datetime(day.year, day.month, day.day, 19, tzinfo=UTC)
        self.conn.execute(
            """insert into raw.register_reading (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh, export_wh)
               values (%s, %s, %s, %s, %s, %s, 1, %s, %s)""",
            [self.discom_id, day, meter, at, at, batch, wh, export_wh],
        )

    def consumers(self, loads: dict[int, int], category: str = "domestic") -> None:
        """Meters of one DT, with their sanctioned loads in W."""
        who = {"d": self.discom_id, "category": category}
        for statement in (
            "insert into registry.office (discom_id, code, name, level) values (%(d)s, 'O', 'O', 'discom') on conflict do nothing",
            "insert into registry.hes (discom_id, code, vendor) values (%(d)s, 'H', 'v') on conflict do nothing",
            """insert into registry.substation (discom_id, code, name, office_id)
               select %(d)s, 'S', 'S', office_id from registry.office where discom_id = %(d)s on conflict do nothing""",
            """insert into registry.feeder (discom_id, code, name, substation_id, office_id)
               select discom_id, 'F', 'F', substation_id, office_id from registry.substation where discom_id = %(d)s
               on conflict do nothing""",
            """insert into registry.dt (discom_id, code, feeder_id, office_id, capacity_kva)
               select discom_id, 'T', feeder_id, office_id, 100 from registry.feeder where discom_id = %(d)s on conflict do nothing""",
        ):
            self.conn.execute(statement, who)
        for meter, load in loads.items():
            for statement in (
                """insert into registry.service_point (discom_id, service_point_id, code, office_id, category, sanctioned_load_w)
                   overriding system value select %(d)s, %(m)s, %(m)s, office_id, %(category)s, %(load)s
                   from registry.office where discom_id = %(d)s""",
                """insert into registry.meter (discom_id, meter_id, serial, hes_id, category, interval_min)
                   overriding system value select %(d)s, %(m)s, %(m)s, hes_id, 'D1', 360 from registry.hes where discom_id = %(d)s""",
                """insert into registry.installation (discom_id, meter_id, valid_from, service_point_id)
                   values (%(d)s, %(m)s, '2026-01-01', %(m)s)""",
                """insert into registry.consumer_index (discom_id, service_point_id, valid_from, dt_id)
                   select %(d)s, %(m)s, '2026-01-01', dt_id from registry.dt where discom_id = %(d)s""",
            ):
                self.conn.execute(statement, {**who, "m": meter, "load": load})

    def advance(self, meter: int, wh: int, day: date = DAY, export_wh: int | None = None) -> None:
        """Registers that open and close the day."""
        self.register(meter, 70000, day - timedelta(1), None if export_wh is None else 300)
        self.register(meter, 70000 + wh, day, None if export_wh is None else 300 + export_wh)

    def estimate(self, first: date = DAY, last: date = DAY, **options: Any) -> dict[Any, Any]:
        """Rows of vee.estimated_day after the job, by meter, or by meter and day where several were built."""
        self.conn.commit()
        job.estimate(self.discom_id, self.code, first, last, **options)
        with self.conn.cursor(row_factory=namedtuple_row) as cursor:
            rows = cursor.execute(
                "select * from vee.estimated_day where discom_id = %s order by day, meter_id", [self.discom_id]
            ).fetchall()
        return {r.meter_id if first == last else (r.meter_id, r.day): r for r in rows}


@pytest.fixture
def world(models: str) -> Iterator[World]:
    with psycopg.connect(models) as conn:
        yield World(conn)


def figures(row: Any) -> tuple[Any, ...]:
    return row.import_wh, row.quality, row.method, row.import_day_wh, row.estimated_slots, row.missing_slots, row.estimated_wh


def test_short_gaps_are_linear_where_nothing_else_is_known(world: World) -> None:
    """2 h is the limit: four half-hours, eight quarter-hours. At an edge of what is known there is one good side only. A half rounds up."""
    world.day(1, [10, _, 20], "V07", minutes=30)
    world.day(2, [10, _, _, _, _, 20], "V07", minutes=30)
    world.day(3, [10, _, _, _, _, _, 20], "V07", minutes=30)
    world.day(4, [_, 10, 20], "V07", minutes=30)
    world.day(5, [10, 20, _], "V07", minutes=30)
    world.day(6, [0, *[_] * 8, 90], "V07", minutes=15)
    world.day(7, [0, *[_] * 9, 90], "V07", minutes=15)
    world.day(9, [10, _, 20, 40, _, _, 10], "V07", minutes=30)
    rows = world.estimate()
    assert figures(rows[1]) == ([10, 15, 20], [0, 6, 0], [0, 3, 0], 45, 1, 0, 15)
    assert figures(rows[2]) == ([10, 12, 14, 16, 18, 20], [0, 6, 6, 6, 6, 0], [0, 3, 3, 3, 3, 0], 90, 4, 0, 60)
    assert figures(rows[3]) == ([10, _, _, _, _, _, 20], [0, 9, 9, 9, 9, 9, 0], [0] * 7, 30, 0, 5, 0)
    assert figures(rows[4]) == ([_, 10, 20], [9, 0, 0], [0, 0, 0], 30, 0, 1, 0)
    assert figures(rows[5]) == ([10, 20, _], [0, 0, 9], [0, 0, 0], 30, 0, 1, 0)
    assert figures(rows[6]) == ([0, 10, 20, 30, 40, 50, 60, 70, 80, 90], [0, *[6] * 8, 0], [0, *[3] * 8, 0], 450, 8, 0, 360)
    assert figures(rows[7]) == ([0, *[_] * 9, 90], [0, *[9] * 9, 0], [0] * 11, 90, 0, 9, 0)
    assert figures(rows[9]) == ([10, 15, 20, 40, 30, 20, 10], [0, 6, 0, 0, 6, 6, 0], [0, 3, 0, 0, 3, 3, 0], 145, 3, 0, 65)
    assert (rows[1].export_wh, rows[1].import_vah, rows[1].export_day_wh, rows[1].import_day_vah) == (None, None, None, None)
    assert not any(r.unscaled for r in rows.values()), "no register was ever read: none is waited for"


def test_what_the_register_says_is_missing_sits_in_the_bad_slots(world: World) -> None:
    """To the last Wh, by largest remainder; without anything else, evenly."""
    world.day(1, [100, _, _, _], "V07")
    world.advance(1, 1000)
    world.day(2, [100, _, _, _], "V07")
    world.advance(2, 110)
    world.day(4, [10, _, 20], "V07", minutes=30)
    world.advance(4, 60)
    world.day(8, [_, _, _, _], "V07")
    world.advance(8, 10)
    world.day(10, [0, _, _, _, 4], "V07", minutes=30)
    world.advance(10, 9)
    rows = world.estimate()
    assert figures(rows[1]) == ([100, 300, 300, 300], [0, 6, 6, 6], [0, 110, 110, 110], 1000, 3, 0, 900)
    assert figures(rows[2]) == ([100, 4, 3, 3], [0, 6, 6, 6], [0, 110, 110, 110], 110, 3, 0, 10)
    assert figures(rows[4]) == ([10, 30, 20], [0, 6, 0], [0, 103, 0], 60, 1, 0, 30)
    assert figures(rows[8]) == ([3, 3, 2, 2], [6] * 4, [110] * 4, 10, 4, 0, 10)
    assert figures(rows[10]) == ([0, 1, 2, 2, 4], [0, 6, 6, 6, 0], [0, 103, 103, 103, 0], 9, 3, 0, 5)
    (run,) = rows[4].basis
    assert run == {
        "channel": "import_wh",
        "from": 1,
        "slots": 1,
        "method": "EM3",
        "scaled": {"first": "2026-10-05", "last": "2026-10-05", "advance_wh": 60, "measured_wh": 30},
    }


def test_a_register_that_cannot_be_right_does_not_scale(world: World) -> None:
    """1: the good slots exceed the advance by less than the step: nothing is left. 2: by more. 4: more than can flow; 5: as much as can.
    7: more than a column holds. 8 has no closing register, 9 no opening one; 10 knows nothing at all."""
    for meter, advance in ((1, 1950), (2, 1850), (7, 5_000_000_000)):
        world.day(meter, [1000, _, 1000], "V07", minutes=30, register_lsb_wh=100, limit_wh=None if meter == 7 else 5000)
        world.advance(meter, advance)
    for meter, advance in ((4, 1301), (5, 1300)):
        world.day(meter, [400, _, 400], "V07", minutes=30, register_lsb_wh=100, limit_wh=500)
        world.advance(meter, advance)
    for meter in (8, 9, 10):
        world.day(meter, [1000, _, 1000] if meter < 10 else [_, _, _], "V07", minutes=30)
    world.register(8, 70000, DAY - timedelta(1))
    world.register(9, 71000)
    rows = world.estimate()
    assert figures(rows[1])[:4] == ([1000, 0, 1000], [0, 6, 0], [0, 103, 0], 2000)
    assert figures(rows[2])[:4] == ([1000, 1000, 1000], [0, 6, 0], [0, 3, 0], 3000)
    assert figures(rows[4])[:4] == ([400, 400, 400], [0, 6, 0], [0, 3, 0], 1200)
    assert figures(rows[5])[:4] == ([400, 500, 400], [0, 6, 0], [0, 103, 0], 1300)
    assert [figures(rows[m])[2] for m in (7, 8, 9)] == [[0, 3, 0]] * 3
    assert figures(rows[10]) == ([_, _, _], [9, 9, 9], [0, 0, 0], None, 0, 3, 0)
    assert rows[2].basis[0]["not_scaled"]["why"] == "SUM_NEG"
    assert rows[4].basis[0]["not_scaled"]["why"] == "ABOVE_LIMIT"
    assert {m for m, r in rows.items() if r.unscaled} == {8}, "a closing register may yet come"


def test_what_a_rule_refutes_is_replaced_as_if_it_had_not_come(world: World) -> None:
    """1: negative. 2: above the limit, which the limit itself is not. 3: a peak that the register refutes. 4: no register to ask: it stays.
    5: borne out, nothing to estimate. 6: borne out, while another slot is negative. 7: two slots at the refuted height. 8: a type's
    maximum."""
    world.day(1, [100, -5, 120], "V11", minutes=30)
    world.day(2, [100, 5001, 5000], "V16", minutes=30)
    world.day(3, [100, 900, 100, 100], "V17", minutes=30, sum_diff_wh=600, sum_diff_pct=30)
    world.advance(3, 600)
    world.day(4, [100, 900, 140, 100], "V17", minutes=30)
    world.day(5, [100, 900, 100, 100], "V17", minutes=30, sum_diff_wh=12, sum_diff_pct=1)
    world.advance(5, 1188)
    world.day(6, [100, 900, -1, 100], "V17", "V11", minutes=30, sum_diff_wh=-1, sum_diff_pct=0)
    world.advance(6, 1100)
    world.day(7, [100, 900, 100, 900, 100], "V17", minutes=30, sum_diff_wh=1600, sum_diff_pct=320)
    world.advance(7, 500)
    world.day(8, [100, 65535, 100], "V27", minutes=30, limit_wh=None)
    rows = world.estimate()
    assert set(rows) == {1, 2, 3, 6, 7, 8}, "a day in which nothing had to be estimated stays as it was measured"
    assert figures(rows[1])[:4] == ([100, 110, 120], [0, 6, 0], [0, 3, 0], 330)
    assert figures(rows[2])[:4] == ([100, 2550, 5000], [0, 6, 0], [0, 3, 0], 7650)
    assert figures(rows[3])[:4] == ([100, 300, 100, 100], [0, 6, 0, 0], [0, 103, 0, 0], 600)
    assert figures(rows[6])[:4] == ([100, 900, 0, 100], [5, 5, 6, 5], [0, 0, 103, 0], 1100)
    assert figures(rows[7])[:4] == ([100, 100, 100, 100, 100], [0, 6, 0, 6, 0], [0, 103, 0, 103, 0], 500)
    assert figures(rows[8])[:4] == ([100, 100, 100], [0, 6, 0], [0, 3, 0], 300)


def test_each_channel_has_its_own_register_and_reference_days(world: World) -> None:
    """1: import 400 - 200 over two slots, export 7 - 4; apparent energy has no register and stays missing. 2: import is whole; the
    register says that there was export, which did not come. 3: no export is known. 4: other days know the export, and a negative one is
    none."""
    world.day(1, [100, _, _, 100], "V07", export_wh=[0, _, _, 4], import_vah=[110, _, _, 110])
    world.advance(1, 400, export_wh=7)
    world.day(2, [1, 2, 3, 4], "V07")
    world.advance(2, 10, export_wh=10)
    world.day(3, [100, _, _, 100], "V07")
    world.advance(3, 400)
    world.day(4, [1, 2, 3, _], "V07", export_wh=[0, 5, -6, 0])
    for n in range(1, 29):
        world.day(4, [9, 8, 7, 6], day=DAY - timedelta(n), export_wh=[1, 2, 3, 4])
    rows = world.estimate()
    r = rows[1]
    assert (r.import_wh, r.export_wh, r.import_vah) == ([100, 100, 100, 100], [0, 2, 1, 4], [110, _, _, 110])
    assert (r.quality, r.method) == ([0, 6, 6, 0], [0, 110, 110, 0])
    assert (r.import_day_wh, r.export_day_wh, r.import_day_vah, r.estimated_slots, r.estimated_wh) == (400, 7, 220, 2, 200)
    r = rows[2]
    assert (r.import_wh, r.export_wh, r.import_vah) == ([1, 2, 3, 4], [3, 3, 2, 2], None)
    assert (r.quality, r.method, r.export_day_wh, r.estimated_slots) == ([0] * 4, [0] * 4, 10, 0)
    assert {x["channel"] for x in r.basis} == {"export_wh"}
    assert (rows[3].export_wh, rows[3].import_vah) == (None, None)
    r = rows[4]
    assert (r.quality, r.method, r.export_day_wh) == ([0, 0, 0, 6], [0, 0, 0, 4], sum(r.export_wh))
    assert r.export_wh[2] > 0, "what cannot be is estimated from the other days"
    assert r.basis[0]["reference_days"], "a like-day estimate says which days it comes from"


def test_only_days_that_failed_a_rule_that_estimates(world: World) -> None:
    """Found on the readings, neither cleared nor closed; one whose estimate has passed is estimated again. Measured slots keep the source's
    quality, or are questionable where a rule holds or flags the day too."""
    rules = {
        1: ["V07:estimate:estimated"],
        2: ["V07", "V19:hold"],
        3: ["V07", "V13:flag"],
        4: ["V07", "V19:hold:closed"],
        5: ["V07:estimate:cleared"],
        6: ["V07:estimate:closed"],
        7: ["V07:estimate:open:estimate"],
        8: ["V07:hold"],
    }
    stated: dict[int, Values] = {1: [0, 9, 1], 3: [0, _, 7]}
    for meter, failed in rules.items():
        world.day(meter, [10, _, 30], *failed, minutes=30, quality=stated.get(meter))
    world.day(9, [10, _, 30], "V07", day=DAY - timedelta(1), minutes=30)
    rows = world.estimate()
    assert {m: (r.import_wh, r.quality, r.method) for m, r in rows.items()} == {
        1: ([10, 20, 30], [0, 6, 1], [0, 3, 0]),
        2: ([10, 20, 30], [5, 6, 5], [0, 3, 0]),
        3: ([10, 20, 30], [5, 6, 7], [0, 3, 0]),
        4: ([10, 20, 30], [0, 6, 0], [0, 3, 0]),
    }


def test_days_of_several_lengths_and_a_second_build(world: World) -> None:
    world.day(1, [10, _, 20], "V07", minutes=30)
    world.day(2, [10, _, 20, 30], "V07", minutes=15)
    world.day(3, [10, _, 20], "V07", minutes=60)
    first = world.estimate()
    assert [r.import_wh for r in first.values()] == [[10, 15, 20], [10, 15, 20, 30], [10, 15, 20]]
    assert world.estimate() == first, "a second build of the same gives the same"
    world.conn.execute("update vee.exception set state = 'cleared' where discom_id = %s and meter_id = 2", [world.discom_id])
    assert set(world.estimate()) == {1, 3}, "late actuals take the place of estimates: a day that passes has none"


def test_changed_meters_alone(world: World) -> None:
    for meter in (1, 2):
        world.day(meter, [10, _, 20], "V07", minutes=30)
    before = world.estimate()
    world.conn.execute("update raw.profile_fragment set import_wh[1] = 30 where discom_id = %s", [world.discom_id])
    world.conn.execute("insert into ops.changed_meter (discom_id, day, meter_id) values (%s, %s, 2)", [world.discom_id, DAY])
    after = world.estimate(changed_only=True)
    assert after[1] == before[1]
    assert after[2].import_wh == [30, 25, 20]


def test_days_with_registers_at_both_ends_alone_are_scaled_together(world: World) -> None:
    """1: three days that did not come share the advance. 2: a register within cuts the window. 3: what was measured between counts. 4: a
    day between of which nothing came and nothing is estimated, since its exception is closed, leaves the window open."""
    days = [DAY + timedelta(n) for n in range(3)]
    for day in days:
        world.day(1, [_, _], "V07", day=day)
        world.day(2, [_, _], "V07", day=day)
        world.day(3, [_, _] if day != days[1] else [40, 60], *(["V07"] if day != days[1] else []), day=day)
        world.day(4, [_, _], "V07" if day != days[1] else "V07:estimate:closed", day=day)
    for meter in (1, 2, 3, 4):
        world.register(meter, 5000, DAY - timedelta(1))
        world.register(meter, 5600, days[2])
    world.register(2, 5100, days[1])
    rows = world.estimate(days[0], days[2])
    assert [rows[1, d].import_wh for d in days] == [[100, 100]] * 3
    assert [rows[2, d].import_wh for d in days] == [[25, 25], [25, 25], [250, 250]]
    assert [rows[3, d].import_wh for d in (days[0], days[2])] == [[125, 125]] * 2
    assert [rows[4, d].import_wh for d in (days[0], days[2])] == [[_, _]] * 2
    assert rows[1, days[1]].basis[0]["scaled"] == {"first": str(days[0]), "last": str(days[2]), "advance_wh": 600, "measured_wh": 0}
    assert not any(r.unscaled for r in rows.values())


def test_zone_registers_cut_a_window_by_zone(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1: zones say where the energy lies; each is cut to its step,
        and the largest takes what is left of the whole. 2: zones that do not add up
    say nothing. 3 has none."""
    (tmp_path / f"{world.code}.yml").write_text(
        f"discom: {world.code}\nestimation:\n  tou_zones: {{1: ['00:00-06:00', '18:00-24:00'], 2: ['06:00-18:00']}}\n"
    )
    monkeypatch.setattr(job, "load_settings", lambda code: load_settings(code, tmp_path))
    world.conn.execute("select ops.ensure_month('raw.meter_value', '2026-10-01', '2026-10-31')")
    for meter, zones in ((1, (100, 900)), (2, (500, 900)), (3, ())):
        world.day(meter, [_, _, _, _], "V07", register_lsb_wh=10)
        world.advance(meter, 1010)
        for day, scale in ((DAY - timedelta(1), 0), (DAY, 1)):
            at = datetime(day.year, day.month, day.day, 18, 30, tzinfo=UTC)
            for zone, wh in enumerate(zones, start=1):
                world.conn.execute(
                    """insert into raw.meter_value (discom_id, day, meter_id, profile, read_at, quantity, zone, value, received_at,
                    batch_id, seq)
                       values (%s, %s, %s, 'billing', %s, 'import_wh', %s, %s, %s, 1, 1)""",
                    [world.discom_id, day, meter, at, zone, 7000 + scale * wh, at],
                )
    rows = world.estimate()
    assert rows[1].import_wh == [50, 455, 455, 50]
    assert rows[2].import_wh == rows[3].import_wh == [253, 253, 252, 252]
    assert [r.import_day_wh for r in rows.values()] == [1010] * 3


def test_a_check_meter_stands_in(world: World) -> None:
    """1: its check meter counts half of it. 2: the check meter's day is held. Quality says substituted."""
    world.consumers(dict.fromkeys((1, 2, 11, 12), 3000))
    world.day(1, [100, _, _, 100], "V07")
    world.day(2, [100, _, _, 100], "V07")
    world.day(11, [50, 60, 70, 50])
    world.day(12, [50, 60, 70, 50], "V19:hold")
    for meter in (1, 2):
        world.conn.execute("insert into registry.check_meter values (%s, %s, %s, 2, '2026-01-01')", [world.discom_id, meter, meter + 10])
    rows = world.estimate()
    assert figures(rows[1]) == ([100, 120, 140, 100], [0, 4, 4, 0], [0, 2, 2, 0], 460, 2, 0, 260)
    assert rows[1].basis[0]["method"] == "EM2"
    assert 4 not in rows[2].quality


def test_neighbours_of_the_same_dt_and_category(world: World) -> None:
    """1: half of its day is known and twice that of the mean of its neighbours (10 20 30 40). 2: nothing is known: by its load, a half of
    theirs.
    3: a shop has no neighbour. A neighbour whose day is held is none."""
    world.consumers({1: 4000, 2: 2000, 4: 4000, 5: 4000, 6: 4000})
    world.consumers({3: 4000}, "commercial")
    world.day(1, [20, 40, _, _], "V07")
    world.day(2, [_, _, _, _], "V07")
    world.day(3, [_, _, _, _], "V07")
    world.day(4, [5, 10, 20, 30])
    world.day(5, [15, 30, 40, 50])
    world.day(6, [900, 900, 900, 900], "V19:hold")
    rows = world.estimate()
    assert figures(rows[1])[:3] == ([20, 40, 60, 80], [0, 0, 6, 6], [0, 0, 8, 8])
    assert figures(rows[2])[:3] == ([5, 10, 15, 20], [6] * 4, [8] * 4)
    assert rows[3].import_wh == [_] * 4


def test_the_same_weekday_a_year_ago(world: World) -> None:
    """Half as much is used now as was then."""
    year = timedelta(364)
    for table in ("vee.measure", "raw.profile_fragment", "vee.exception"):
        if table != "vee.measure":
            world.conn.execute("select ops.ensure_month(%s, '2025-09-01', '2025-10-31')", [table])
    world.conn.execute(
        "create table if not exists vee.measure_2025 partition of vee.measure for values from ('2025-01-01') to ('2026-01-01')"
    )
    world.day(1, [_, _, _, _], "V07")
    world.day(1, [10, 20, 30, 40], day=DAY - year)
    for n in (1, 2):
        world.day(1, [50, 50, 50, 50], day=DAY - year - timedelta(n), sum_wh=200, missing_slots=0, negative_slots=0)
        world.day(1, [25, 25, 25, 25], day=DAY - timedelta(n), sum_wh=100, missing_slots=0, negative_slots=0)
    rows = world.estimate()
    assert figures(rows[1])[:3] == ([5, 10, 15, 20], [6] * 4, [6] * 4)


def test_days_of_the_nearest_temperature(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A weekday of 30 degrees, of whose weekdays before two were as warm; a warm Sunday is none of them."""
    (tmp_path / f"{world.code}.yml").write_text(
        f"discom: {world.code}\nestimation: {{order: [temperature, like_day], temperature_days: 2, temperature_window_days: 14}}\n"
    )
    monkeypatch.setattr(job, "load_settings", lambda code: load_settings(code, tmp_path))
    world.consumers({1: 3000})
    world.day(1, [_, _, _, _], "V07")
    warm = {1: 30.0, 3: 29.0, 4: 20.0, 5: 31.0, 6: 12.0}
    for n, celsius in {**warm, 0: 30.0}.items():
        day = DAY - timedelta(n)
        if n:
            world.day(1, [10 * n] * 4, day=day)
        world.conn.execute(
            "insert into registry.temperature values (%s, 'O', %s, %s)",
            [world.discom_id, datetime(day.year, day.month, day.day, 6, tzinfo=UTC), round(1000 * celsius)],
        )
    rows = world.estimate()
    assert figures(rows[1])[:3] == ([40] * 4, [6] * 4, [5] * 4), "Friday and Wednesday before, 3 and 5 days back"


def test_a_class_profile_is_learnt_and_serves_who_has_no_history(world: World) -> None:
    """Two kinds of households that use 100 Wh a kW; the new one has no day of its own. Learnt once, profiles are learnt anew when old."""
    world.consumers({**dict.fromkeys(range(1, 7), 2000), 9: 4000})
    for n in range(1, 8):
        for meter in range(1, 7):
            world.day(
                meter, [20, 40, 60, 80] if meter % 2 else [60, 80, 20, 40], day=DAY - timedelta(n), place="consumer", category="domestic"
            )
    world.day(9, [_, _, _, _], "V07")
    world.conn.execute("delete from registry.consumer_index where discom_id = %s", [world.discom_id])
    assert world.estimate()[9].import_wh == [_] * 4, "no profile was learnt yet"
    with db.connect("meterhouse_dbt") as conn:
        assert learn(conn, world.discom_id, DAY - timedelta(1), 28) == 1, "weekdays: there are too few Saturdays and Sundays"
    row = world.estimate()[9]
    assert figures(row)[:3] == ([80, 120, 80, 120], [6] * 4, [7] * 4)
    with db.connect("meterhouse_dbt") as conn:
        refresh(conn, world.discom_id, DAY + timedelta(60), 28, 365)
        assert conn.execute("select count(*) from vee.class_profile where discom_id = %s", [world.discom_id]).fetchone() == (1,)
        refresh(conn, world.discom_id, DAY + timedelta(60), 28, 30)
        assert conn.execute("select count(*) from vee.class_profile where discom_id = %s", [world.discom_id]).fetchone() == (0,)


def test_without_supply_nothing_was_used(world: World) -> None:
    """1: no supply in two of three missing slots; the register puts its energy in the third. 2: a day with an outage is no reference,
    which the others are."""
    world.conn.execute("create table vee.evidence (discom_id smallint, day date, meter_id integer, outage smallint[])")
    world.conn.execute("grant select on vee.evidence to meterhouse_dbt")
    try:
        world.day(1, [100, _, _, _], "V07")
        world.advance(1, 150)
        world.day(2, [_, _, _, _], "V07")
        for n in (3, 4, 5, 6, 7, 10):
            world.day(2, [10, 10, 10, 10], day=DAY - timedelta(n))
        world.day(2, [900, 900, 0, 0], day=DAY - timedelta(11))
        for meter, day, outage in ((1, DAY, [0, 2, 2, 0]), (2, DAY - timedelta(11), [0, 0, 2, 2])):
            world.conn.execute("insert into vee.evidence values (%s, %s, %s, %s)", [world.discom_id, day, meter, outage])
        rows = world.estimate()
        assert figures(rows[1])[:3] == ([100, 0, 0, 50], [0, 6, 6, 6], [0, 20, 20, 110])
        assert figures(rows[2])[:3] == ([10, 10, 10, 10], [6] * 4, [4] * 4)
        assert str(DAY - timedelta(11)) not in rows[2].basis[0]["reference_days"]
    finally:
        world.conn.rollback()
        world.conn.execute("drop table vee.evidence")
        world.conn.commit()


def test_a_new_month_does_not_keep_the_builds_other_connections_waiting(database: str) -> None:
    """They read the table that gets the month: a lock held until the end of the build would never be given up."""
    with db.connect("meterhouse_dbt") as out, db.connect("meterhouse_dbt") as aside:
        repository.begin_writing(out, date(2031, 5, 30), date(2031, 6, 2))
        aside.execute("set local lock_timeout = '2s'")
        assert aside.execute("select count(*) from vee.estimated_day").fetchone() == (0,), "the new table holds rows"
        assert out.execute("select to_regclass('vee.estimated_day_203106') is not null, to_regclass('made') is not null").fetchone() == (
            True,
            True,
        ), "the months, and the table that waits for rows"
