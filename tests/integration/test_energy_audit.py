"""Energy balances of a simulated DISCOM with street light, HT consumers, a transfer and incomers: against its truth, and each other."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from orchestration import steps
from simulation import SimulationConfig
from tests.integration.simulated import World, land_all, register, simulate
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 3)


@dataclass(frozen=True)
class Built:
    world: World
    discom_id: int
    conn: psycopg.Connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the DISCOM, which it calls %(discom)s."""
        return self.conn.execute(query, {"discom": self.discom_id}).fetchall()

    def one(self, query: str) -> tuple[Any, ...]:
        (row,) = self.rows(query)
        return row

    def truth(self, name: str) -> list[dict[str, str]]:
        with (self.world.truth / f"{name}.csv").open() as f:
            return list(csv.DictReader(f))


@pytest.fixture(scope="module")
def built(built_module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Three clean days of 80 consumers."""
    days = (LAST - FIRST).days + 1
    config = SimulationConfig(tenants=1, feeders=2, dts=6, consumers=80, start=FIRST, days=days, seed=3, clean=True, audit=True)
    (world,) = simulate(tmp_path_factory.mktemp("world"), config)
    discom_id = register(world)
    land_all(world)
    steps.build(world.code, discom_id, FIRST, LAST)
    with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS) as conn:
        yield Built(world, discom_id, conn)


def test_a_dt_loses_what_physics_thieves_and_wrong_tags_take(built: Built) -> None:
    """The loss is what was lost, and of the supply without a meter what its assessment does not know of."""
    unmetered = {(r["dt_code"], r["day"]): int(r["unmetered_wh"]) for r in built.truth("technical")}
    explained = {
        (r["dt_code"], r["day"]): int(r["technical_wh"]) + int(r["theft_wh"]) - int(r["misindexed_wh"]) + unmetered[r["dt_code"], r["day"]]
        for r in built.truth("dt_day")
    }
    balances = built.rows(
        """select d.code, b.day::text, b.loss_wh, b.unmetered_wh + b.street_light_wh, i.mf
           from energy.dt_day b join registry.dt d using (discom_id, dt_id) join registry.installation i using (discom_id, dt_id)
           where b.discom_id = %(discom)s"""
    )
    assert len(balances) == len(explained) > 0
    assert any(assessed for _, _, _, assessed, _ in balances), "without assessed supply this test shows little"
    for code, day, loss, assessed, mf in balances:
        assert loss is not None, f"{code} has no balance on {day}"
        rest = loss + assessed - explained[code, day]
        assert abs(rest) <= 2 * mf, f"{code} on {day}: {rest} Wh are not explained (two counts of its meter are {2 * mf} Wh)"


def test_the_days_of_a_month_would_add_up_to_its_assessment(built: Built) -> None:
    """Whole Wh a day, the same but for what remains: a day is the month's 31st part, rounded one way or the other."""
    months = built.rows(
        """select a.dt_id, a.kind = 'street_light', sum(a.energy_wh)::bigint, count(*) from registry.assessed_supply a
           where a.discom_id = %(discom)s and a.month = '2026-10-01' group by 1, 2"""
    )
    days = {
        (dt, light): energies
        for dt, unmetered, lights in built.rows(
            """select dt_id, array_agg(unmetered_wh order by day), array_agg(street_light_wh order by day) from energy.dt_day
               where discom_id = %(discom)s group by dt_id"""
        )
        for light, energies in ((False, unmetered), (True, lights))
    }
    assert months
    for dt, light, month, parts in months:
        for energy in days[dt, light]:
            assert month // 31 - parts < energy <= month // 31 + parts, f"DT {dt}: {energy} Wh of {month} in 31 days"


def test_a_feeder_loses_what_its_line_does(built: Built) -> None:
    """Input, with transfers, less DTs and HT consumers."""
    technical = {(r["feeder_code"], r["day"]): int(r["technical_wh"]) for r in built.truth("feeder_day")}
    moved = {(r["feeder_code"], r["day"]): (int(r["ht_wh"]), int(r["transfer_wh"])) for r in built.truth("feeder_extra")}
    balances = built.rows(
        """with meter as (
               select coalesce(i.feeder_id, d.feeder_id, c.feeder_id) as feeder_id, sum(i.mf) as mf
               from registry.installation i
               left join registry.dt d on d.discom_id = i.discom_id and d.dt_id = i.dt_id
               left join registry.consumer_index c on c.discom_id = i.discom_id and c.service_point_id = i.service_point_id
               where i.discom_id = %(discom)s group by 1
           )
           select f.code, b.day::text, b.loss_ht_wh, b.ht_wh, b.transfer_out_wh - b.transfer_in_wh, 2 * m.mf
           from energy.feeder_day b join registry.feeder f using (discom_id, feeder_id) join meter m using (feeder_id)
           where b.discom_id = %(discom)s"""
    )
    assert len(balances) == len(technical) > 0, "feeders that go out to consumers have a row, incomers none"
    assert any(m for _, m in moved.values()), "without a transfer this test shows little"
    for code, day, loss, ht, passed, counts in balances:
        assert abs(loss - technical[code, day]) <= counts, f"{code} on {day}: {loss} Wh lost, {technical[code, day]} in truth"
        assert abs(ht - moved[code, day][0]) <= counts, f"{code} on {day}: HT consumers"
        assert passed == moved[code, day][1], f"{code} on {day}: what it passed on to others"


def test_a_bus_takes_in_a_little_more_than_leaves_it(built: Built) -> None:
    buses = built.rows(
        """select input_wh, output_wh, unbalance_pct, coverage_pct from energy.substation_day
           where discom_id = %(discom)s and incomers > 0"""
    )
    assert buses
    for taken_in, out, unbalance, coverage in buses:
        assert coverage == 100, "an incomer or a feeder of the bus has no reading"
        assert out < taken_in, "more left than came in"
        assert unbalance < 3, f"{taken_in} Wh came in and {out} left"


def test_areas_count_each_feeder_once(built: Built) -> None:
    energy = "sum(input_kwh), sum(billed_kwh), sum(unmetered_kwh + street_light_kwh), sum(loss_kwh)"
    for period in ("day", "month"):
        of = f"where discom_id = %(discom)s and period = '{period}'"
        feeders = built.one(f"select {energy} from reports.rpt_d02_feeder_energy_audit {of}")
        assert built.one(f"select {energy} from reports.rpt_d04_area_energy_audit {of} and level = 'discom'") == feeders, period
    figures = defaultdict(set)
    for period, taken_in, loss in built.rows(
        """select period, input_kwh, loss_kwh from reports.rpt_d04_area_energy_audit
           where discom_id = %(discom)s and level = 'discom' and period <> 'day'"""
    ):
        figures[taken_in, loss].add(period)
    assert list(figures.values()) == [{"month", "quarter", "financial_year"}], "the days lie in one month, quarter and year"
    towns = built.one("select sum(input_wh) from energy.town_day where discom_id = %(discom)s")
    assert towns == built.one(
        """select sum(b.input_wh) from energy.feeder_day b join registry.feeder f using (discom_id, feeder_id)
           where b.discom_id = %(discom)s and f.town is not null"""
    )


@pytest.mark.parametrize(
    ("head", "day_loss"), [("dt", "loss_wh + unmetered_wh + street_light_wh"), ("feeder", "metered_wh - dt_wh - ht_wh")]
)
def test_slots_add_up_to_their_day(built: Built, head: str, day_loss: str) -> None:
    """What is known of a month or a day alone, assessed supply and transfers, has no slots."""
    of = f"from energy.{head}_%s where discom_id = %%(discom)s and day = '2026-10-02'"
    slots = built.rows(f"select {head}_id, sum(loss_wh)::bigint {of % 'interval'} group by {head}_id")
    days = built.rows(f"select {head}_id, {day_loss} {of % 'day'}")
    assert dict(slots) == dict(days)


def test_open_access_is_a_part_of_what_was_billed(built: Built) -> None:
    month, billed, wheeled = built.one(
        """select (select sum(energy_wh) from registry.open_access where discom_id = %(discom)s and month = '2026-10-01'),
                  sum(billed_wh), sum(open_access_wh) from energy.feeder_day where discom_id = %(discom)s"""
    )
    assert 0 < wheeled < billed
    assert abs(wheeled - Decimal(month) * 3 / 31) <= 3, "three of 31 days"
