"""cli.score on truth files small enough to reckon by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cli import score
from warehouse.summary import EstimatedDay, Found

D1, D2 = date(2026, 10, 1), date(2026, 10, 2)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n", encoding="utf-8")


def found(serial: str, day: date, rule: str) -> Found:
    return Found(serial, day, rule, "open")


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    folder = tmp_path / "truth"
    write(
        folder / "defect.csv",
        """meter_serial,day,defect,rule,slots,detail
        A,2026-10-01,short_gap,V07,3,
        B,2026-10-01,clock_ahead,V05,3,
        B,2026-10-01,clock_ahead,V07,3,
        C,2026-10-02,late,,,""",
    )
    write(folder / "outage.csv", "meter_serial,day,slots\nA,2026-10-01,1 2\nE,2026-10-02,1")
    write(
        folder / "interval.csv",
        """meter_serial,day,channel,v1,v2,v3
        A,2026-10-01,import_wh,10,20,30
        A,2026-10-01,export_wh,0,5,0
        A,2026-10-01,import_vah,11,22,33
        X,2026-10-01,import_wh,4,4,4""",
    )
    write(
        folder / "dt_day.csv",
        """dt_code,day,input_wh,consumers_wh,export_wh,technical_wh,theft_wh,misindexed_wh
        DT2,2026-10-01,500,400,0,60,40,0
        DT1,2026-10-01,1000,900,0,70,30,-25
        DT1,2026-10-02,2000,1900,0,80,20,-5""",
    )
    write(folder / "feeder_day.csv", "feeder_code,day,input_wh,dt_wh,technical_wh\nF1,2026-10-01,10,8,2\nF1,2026-10-02,10,7,3")
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    folder = tmp_path / "registry"
    write(
        folder / "installation.csv",
        """meter_serial,valid_from,valid_to,service_point_code,dt_code,feeder_code,mf
        A,2026-01-01,,SP1,,,1
        X,2026-01-01,,,DT2,,20""",
    )
    write(folder / "consumer_index.csv", "service_point_code,valid_from,valid_to,dt_code,feeder_code,state\nSP1,2026-01-01,,DT1,,SURVEYED")
    return folder


def test_a_defect_that_is_found_counts_and_one_that_is_not_is_named(truth: Path) -> None:
    v05, v07, v11 = score.rule_scores(truth, [found("A", D1, "V07")], ["V05", "V07", "V11"])
    assert (v07.injected, v07.found, v07.false, v07.missed) == (2, 1, 0, (("B", D1),))
    assert (v05.injected, v05.found, v05.missed) == (1, 0, (("B", D1),))
    assert (v11.injected, v11.found, v11.false) == (0, 0, 0), "a rule without defects has nothing to find"


def test_a_meter_day_of_another_day_is_not_the_one_that_was_injected(truth: Path) -> None:
    (v07,) = score.rule_scores(truth, [found("A", D2, "V07")], ["V07"])
    assert (v07.found, v07.false) == (0, 1)


def test_an_accusation_is_false_only_where_nothing_was_done(truth: Path) -> None:
    (v19,) = score.rule_scores(truth, [found("A", D1, "V19"), found("C", D2, "V19"), found("D", D1, "V19")], ["V19"])
    assert (v19.injected, v19.false) == (0, 1), "A and C carry other defects, only D was let alone"


def test_an_outage_is_to_be_found_and_excuses_no_other_rule(truth: Path) -> None:
    v19, v30 = score.rule_scores(truth, [found("E", D2, "V30"), found("C", D2, "V30"), found("E", D2, "V19")], ["V19", "V30"])
    assert (v30.injected, v30.found, v30.false, v30.missed) == (2, 1, 0, (("A", D1),))
    assert v19.false == 1


def test_estimates_are_compared_slot_by_slot(truth: Path) -> None:
    days = [
        EstimatedDay("A", D1, [10, 26, 29], [0, 6, 6], [0, 103, 103]),
        EstimatedDay("A", D2, [1, 1, 1], [6, 6, 6], [3, 3, 3]),
    ]
    assert score.estimate_score(truth, days) == score.EstimateScore(slots=2, estimated_wh=55, true_wh=50, error_wh=7)


def test_a_slot_that_could_not_be_estimated_is_no_error(truth: Path) -> None:
    assert score.estimate_score(truth, [EstimatedDay("A", D1, [10, None, 30], [0, 9, 6], [0, 0, 3])]) == score.EstimateScore(1, 30, 30, 0)


def test_losses_of_a_dt_are_summed_over_days_and_wrong_tags_turn_their_sign(truth: Path) -> None:
    losses = score.dt_truth(truth)
    assert list(losses) == ["DT1", "DT2"]
    assert losses["DT1"] == score.LossTruth(input_wh=3000, technical_wh=150, theft_wh=50, indexing_wh=30)
    assert losses["DT1"].apparent_wh == 230
    assert losses["DT2"].apparent_wh == 100


def test_a_consumer_that_counts_too_little_adds_to_the_loss_of_its_dt(truth: Path, registry: Path) -> None:
    assert score.meter_faults(registry, truth, {("A", D1): (50, 5)}) == {"DT1": 10}


def test_a_rooftop_that_counts_too_little_export_takes_from_the_loss(truth: Path, registry: Path) -> None:
    assert score.meter_faults(registry, truth, {("A", D1): (60, 2)}) == {"DT1": -3}


def test_a_dt_meter_that_counts_too_little_hides_loss_with_its_multiplying_factor(truth: Path, registry: Path) -> None:
    assert score.meter_faults(registry, truth, {("X", D1): (10, 0)}) == {"DT2": -2 * 20}


def test_a_day_that_is_not_built_has_no_fault(truth: Path, registry: Path) -> None:
    assert score.meter_faults(registry, truth, {}) == {}


def test_feeder_losses_are_summed_over_days(truth: Path) -> None:
    assert score.feeder_truth(truth) == {"F1": 5}
