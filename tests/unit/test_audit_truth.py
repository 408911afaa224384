"""cli.audit_truth on truth files small enough to reckon by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from audit.figures import DtLoad, DtLoss
from audit.repository import TagFound
from cli import audit_truth

DAY, NEXT = date(2026, 10, 1), date(2026, 10, 2)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n", encoding="utf-8")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    write(
        tmp_path / "truth" / "dt_day.csv",
        """dt_code,day,input_wh,consumers_wh,export_wh,technical_wh,theft_wh,misindexed_wh
        T1,2026-10-01,10000,9000,0,500,200,-100
        T1,2026-10-02,10000,9000,0,500,200,-100
        T2,2026-10-01,20000,18900,0,1000,0,100""",
    )
    write(
        tmp_path / "truth" / "technical.csv",
        """dt_code,day,no_load_wh,load_wh,line_wh,unmetered_wh
        T1,2026-10-01,100,100,300,300
        T1,2026-10-02,100,100,300,300
        T2,2026-10-01,400,300,300,100""",
    )
    write(tmp_path / "truth" / "interval.csv", "meter_serial,day,channel,v1,v2\nA,2026-10-01,import_wh,60,40")
    write(tmp_path / "truth" / "defect.csv", "meter_serial,day,defect,rule,slots,detail\nA,2026-10-01,zero_days,V13,,")
    write(tmp_path / "truth" / "consumer_index.csv", "service_point_code,tagged_dt,true_dt\nP1,T2,T1\nP2,T1,T2")
    write(
        tmp_path / "truth" / "theft.csv",
        """service_point_code,dt_code,manner,since,theft_wh,metered_wh
        P1,T1,magnet,2026-10-01,9000,100
        P2,T1,onset,2026-10-01,3000,100
        P3,T2,bypass,2026-10-01,50,100""",
    )
    write(
        tmp_path / "truth" / "dt_load.csv",
        "dt_code,day,kva_max,unbalance_avg_pct\nT1,2026-10-01,50,12\nT1,2026-10-02,50,\nT2,2026-10-01,100,20",
    )
    write(tmp_path / "registry" / "consumer_index.csv", "service_point_code,dt_code\nP4,T1")
    write(tmp_path / "registry" / "installation.csv", "meter_serial,service_point_code,dt_code,mf\nA,P4,,1")
    write(tmp_path / "registry" / "service_point.csv", "code\nP1\nP2\nP3\nP4\nP5\nP6\nP7")
    return tmp_path


def test_loss_is_compared_with_what_a_balance_must_show(world: Path) -> None:
    """T1 on the 1st: 500 + 200 + 100 + 300 = 1100 Wh; the meter A of its consumer is 20 Wh short of its 100. Shown are 850 after 290
    assessed: 1140, 20 of which nothing explains, 0.2 %. The 2nd has no balance and counts nowhere.
    T2: 1000 - 100 + 100 = 1000, shown as 900 + 0: 0.5 %."""
    losses = [DtLoss("T1", DAY, 10_000, 850, 290), DtLoss("T2", DAY, 20_000, 900, 0)]
    one, two = audit_truth.loss_errors(world / "registry", world / "truth", losses, {("A", DAY): (80, 0)})
    assert (one.dt, one.input_wh, one.loss_wh, one.true_wh, one.error_wh) == ("T1", 10_000, 1140, 1100, 20)
    assert (two.error_wh, two.error_pct) == (-100, 0.5)
    assert audit_truth.loss_bar([one, two]).held
    assert not audit_truth.loss_bar([one, audit_truth.DtError("T3", 1000, 10, 0, 10)]).held


def test_technical_loss_of_a_dt_must_lie_within_fifteen_percent(world: Path) -> None:
    real = audit_truth.technical_truth(world / "truth")
    assert real == {"T1": 1000, "T2": 1000}, "two days of T1, one of T2"
    bar = audit_truth.technical_bar(real, {"T1": 1.15, "T2": 1.151})
    assert (bar.figure, bar.held) == (50.0, False)
    assert audit_truth.technical_bar(real, {"T1": 0.85, "T2": 1.0}).held
    assert audit_truth.technical_bar(real, {"T1": 1.0}).figure == 50.0, "a DT of which nothing is said is missed"


def tag(point: str, better: str, state: str = "suspected") -> TagFound:
    return TagFound(point, "T9", better, None, state, 0.95, {}, (None, None))


def test_a_wrong_tag_counts_as_found_with_its_true_dt_only(world: Path) -> None:
    found, false = audit_truth.tag_bars(world / "truth", [tag("P1", "T1"), tag("P2", "T7"), tag("P5", "T1"), tag("P6", "T1", "possible")])
    assert (found.figure, found.held) == (50.0, False)
    assert false.figure == pytest.approx(100 / 3), "of three accused P5 is rightly tagged; what is only possible accuses nobody"


def test_traces_of_theft_and_meters_that_stand_still_do_not_count(world: Path) -> None:
    """P3 stole 25 Wh a day. P4's meter had a defect; P5 is honest and suspected: one of the four who are honest."""
    found = {"P1": ("X", ""), "P4": ("A", ""), "P5": ("Y", "")}
    hit, false = audit_truth.theft_bars(world / "registry", world / "truth", 2, found)
    assert (hit.figure, hit.held) == (50.0, False)
    assert (false.figure, false.held) == (25.0, False)


def test_loads_and_unbalance(world: Path) -> None:
    days = [DtLoad("T1", DAY, 51.0, 14.0), DtLoad("T1", NEXT, 48.0, 5.0), DtLoad("T2", DAY, 100.0, 24.0), DtLoad("T9", DAY, 1.0, 1.0)]
    kva, unbalance = audit_truth.load_bars(world / "truth", days)
    assert kva.figure == pytest.approx(200 / 3), "48 kVA is not within 3 % of 50"
    assert unbalance.figure == 50.0, "24 % is not within 3 points of 20 %; where the truth has no figure there is none to compare"


def test_nothing_to_measure_misses_no_bar(world: Path) -> None:
    write(world / "truth" / "consumer_index.csv", "service_point_code,tagged_dt,true_dt")
    found, false = audit_truth.tag_bars(world / "truth", [])
    assert (found.figure, false.figure, found.held, false.held) == (None, None, True, True)
