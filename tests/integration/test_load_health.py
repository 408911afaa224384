"""Interruptions, load and health of DTs, technical losses and advice on a simulated DISCOM, against its truth."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest
from psycopg import sql

from audit.advice import AdviceError, Limits, advise
from orchestration import steps
from simulation import SimulationConfig
from tests.integration.simulated import World, land_all, register, simulate
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 4)
TABLES = ("interruption_day", "dt_load_day", "load_curve", "event_day", "neutral_day")


class Built:
    """A DISCOM of 240 consumers below 8 DTs after four days."""

    def __init__(self, world: World, discom_id: int) -> None:
        self.world, self.discom_id = world, discom_id

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS) as conn:
            return conn.execute(query).fetchall()  # type: ignore[arg-type]

    def truth(self, name: str) -> list[dict[str, str]]:
        with (Path(self.world.truth) / f"{name}.csv").open(newline="", encoding="utf-8") as f:
            return list(csv.DictReader(f))


@pytest.fixture(scope="module")
def built(built_module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    config = SimulationConfig(tenants=1, feeders=2, dts=8, consumers=240, start=FIRST, days=(LAST - FIRST).days + 1, seed=11, audit=True)
    (world,) = simulate(tmp_path_factory.mktemp("world"), config)
    discom_id = register(world)
    land_all(world)
    steps.build(world.code, discom_id, FIRST, LAST)
    return Built(world, discom_id)


def contents(discom_id: int) -> dict[str, list[tuple[str]]]:
    """Every row of the tables as text, in order."""
    found = {}
    with db.connect("meterhouse_dbt") as conn:
        for table in TABLES:
            query = sql.SQL("select t::text from {} t where discom_id = %s order by 1").format(sql.Identifier("network", table))
            found[table] = conn.execute(query, [discom_id]).fetchall()
    return found


def test_every_outage_is_one_interruption_of_its_dt_or_feeder(built: Built) -> None:
    """truth/outage.csv names the meters without supply: of each DT's own meter one outage a day."""
    heads = dict(
        built.rows(
            "select m.serial, t.code from registry.installation i join registry.meter m using (discom_id, meter_id)"
            " join registry.dt t using (discom_id, dt_id)"
        )
    )
    true = {(heads[r["meter_serial"]], date.fromisoformat(r["day"])) for r in built.truth("outage") if r["meter_serial"] in heads}
    found = {
        (code, day)
        for code, day in built.rows(
            "select t.code, i.day from network.interruption i join registry.dt t on t.discom_id = i.discom_id"
            " and (t.dt_id = i.dt_id or i.head = 'feeder' and t.feeder_id = i.feeder_id)"
        )
    }
    assert true, "the world has no outage"
    assert found == true, "a DT was said to be without supply when it was not, or the other way round"
    twice = built.rows(
        "select d.dt_id from network.interruption d"
        " join network.interruption f on f.discom_id = d.discom_id and f.feeder_id = d.feeder_id and f.head = 'feeder'"
        " where d.head = 'dt' and d.started_at < f.ended_at and f.started_at < d.ended_at"
    )
    assert twice == [], "minutes of a DT are told again beside its feeder's"
    causes = Counter(r[0] for r in built.rows("select cause from network.interruption where head = 'feeder'"))
    assert min(causes["planned"], causes["load_shedding"]) > 0, f"what was announced was not known again: {causes}"


def test_load_and_unbalance_are_those_of_the_truth(built: Built) -> None:
    true = {(r["dt_code"], r["day"]): r for r in built.truth("dt_load")}
    found = built.rows(
        "select t.code, d.day::text, d.kva_max, d.unbalance_avg_pct from network.dt_load_day d join registry.dt t using (discom_id, dt_id)"
    )
    assert len(found) == len(true), "not every DT and day has its load"
    for code, day, kva, unbalance in found:
        expected = true[str(code), str(day)]
        # A meter behind a CT of 10 to 60 counts whole Wh of half an hour: a step is up to 0.12 kVA.
        assert kva == pytest.approx(float(expected["kva_max"]), rel=0.03, abs=0.25), f"{code} on {day}: highest load"
        if expected["unbalance_avg_pct"]:
            assert unbalance == pytest.approx(float(expected["unbalance_avg_pct"]), rel=0.05, abs=2.5), f"{code} on {day}: unbalance"


def test_technical_loss_lies_within_15_pct_of_the_truth_at_nine_of_ten_dts(built: Built) -> None:
    true: Counter[str] = Counter()
    for r in built.truth("dt_day"):
        true[r["dt_code"]] += int(r["technical_wh"])
    found = dict(built.rows("select dt, technical_kwh::float8 from reports.rpt_d06_technical_commercial_loss where level = 'dt'"))
    assert found.keys() == true.keys(), "a DT has no row"
    off = {code: 100 * (float(str(found[code])) * 1000 / wh - 1) for code, wh in true.items()}
    good = [code for code, pct in off.items() if abs(pct) <= 15]
    assert len(good) >= 0.9 * len(true), f"off by {off} %"


def test_a_day_built_again_is_the_same(built: Built) -> None:
    before = contents(built.discom_id)
    assert all(before.values()), f"a table is empty: { {k: len(v) for k, v in before.items()} }"
    steps.build(built.world.code, built.discom_id, date(2026, 10, 2), date(2026, 10, 2))
    after = contents(built.discom_id)
    for table in TABLES:
        assert after[table] == before[table], f"network.{table} differs after a day was built again"


def test_advice_lowers_the_unbalance_of_the_simulated_dts(built: Built) -> None:
    with db.connect("meterhouse_dbt") as conn:
        found = advise(conn, built.discom_id, FIRST, limits=Limits(unbalance_pct=10))
        assert any(a.phase_moves for a in found), "no DT of the world is unbalanced"
        for a in found:
            assert a.unbalance_after_pct <= a.unbalance_before_pct, f"advice makes {a.dt} worse"
            for m in a.phase_moves:
                assert m.after_pct < m.before_pct, f"{a.dt}: moving {m.service_point} gains nothing"
        # Told that a DT may be loaded to a tenth only, it has others take consumers, as far as they have room.
        relieved = advise(conn, built.discom_id, FIRST, limits=Limits(loading_pct=10, target_pct=100, reach_m=10_000))
        assert any(a.dt_moves for a in relieved), "no DT gives consumers away"
        for a in relieved:
            assert a.loading_after_pct <= a.loading_pct
        with pytest.raises(AdviceError, match="no load"):
            advise(conn, built.discom_id, FIRST, "NO-SUCH-DT")
        with pytest.raises(AdviceError, match="build its days first"):
            advise(conn, built.discom_id, datetime(2020, 1, 1).date())
