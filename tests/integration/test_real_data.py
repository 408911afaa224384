"""The real data sets through registry, landing and build: every count is the one that is published with them, to the last.

Skipped where the data is not there: it is not part of the repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cli.real import SETS, RealResult, run_set
from warehouse import db
from warehouse.codes import Quality

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

BY_CODE = {s.code: s for s in SETS}


@pytest.fixture(scope="module")
def warehouse(built_module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def run(code: str, real_data: Path) -> RealResult:
    chosen = BY_CODE[code]
    folder = real_data / chosen.folder
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: see docs/real-data.md")
    return run_set(chosen, folder)


def assert_landed(r: RealResult, values: int) -> None:
    assert r.landing.failures == {}
    assert (r.landed.received, r.landed.accepted, r.landed.rejected) == (values, values, 0), f"{r.code}: values that were landed"


@pytest.fixture(scope="module")
def edrp(warehouse: None, real_data: Path) -> RealResult:
    return run("edrp", real_data)


@pytest.fixture(scope="module")
def bareilly(warehouse: None, real_data: Path) -> RealResult:
    return run("ceew-bareilly", real_data)


@pytest.fixture(scope="module")
def mathura(warehouse: None, real_data: Path) -> RealResult:
    return run("ceew-mathura", real_data)


@pytest.fixture(scope="module")
def london(warehouse: None, real_data: Path) -> RealResult:
    return run("london", real_data)


@pytest.fixture(scope="module")
def ies(warehouse: None, real_data: Path) -> RealResult:
    return run("ies", real_data)


def test_edrp_is_complete(edrp: RealResult) -> None:
    assert_landed(edrp, 300 * 4416)
    t = edrp.totals
    assert (t.meters, t.meter_days) == (300, 300 * 92)
    assert t.due_slots == t.present_slots == 1_324_800, "every half-hour of every home is there"
    assert (t.missing_slots, t.duplicate_slots, t.conflict_slots, t.estimated_slots) == (0, 0, 0, 0), "no gap, no duplicate, no estimate"
    assert "V07" not in edrp.exceptions


def test_bareilly_has_its_published_gaps(bareilly: RealResult) -> None:
    assert_landed(bareilly, 28_119)
    t = bareilly.totals
    assert (t.meters, t.meter_days, t.due_slots, t.missing_slots) == (46, 32_007, 32_007, 3_888)
    assert (t.zero_days, t.duplicate_slots, t.conflict_slots) == (778, 0, 0)
    assert bareilly.exceptions["V07"] == 3_888, "each day that is missing is an exception"


def test_mathura_has_its_published_gaps(mathura: RealResult) -> None:
    assert_landed(mathura, 16_491)
    t = mathura.totals
    assert (t.meters, t.meter_days, t.due_slots, t.missing_slots) == (38, 24_270, 24_270, 7_779)
    assert (t.zero_days, t.duplicate_slots, t.conflict_slots) == (143, 0, 0)
    assert mathura.exceptions["V07"] == 7_779


def test_london_meets_the_published_daily_sums(london: RealResult) -> None:
    assert_landed(london, 22_536)
    assert london.totals.meters == 1
    assert london.totals.duplicate_slots + london.totals.conflict_slots == 15, "15 midnight rows are there twice"
    assert london.totals.present_slots == 22_536 - 15
    assert london.daily_sums == (470, 471)


def test_the_override_of_the_india_energy_stack_example_stands(ies: RealResult) -> None:
    assert_landed(ies, 4 * 2)
    assert (ies.totals.meters, ies.totals.present_slots) == (1, 4)
    with db.connect("meterhouse_dbt") as conn:
        rows = conn.execute(
            """select f.day, f.import_wh, f.export_wh, f.quality, f.interval_min
               from vee.final_day f join registry.discom d using (discom_id) where d.code = 'ies'"""
        ).fetchall()
    assert len(rows) == 1
    day, imported, exported, quality, interval = rows[0]
    assert (day, interval) == (date(2026, 5, 4), 30)
    assert imported[18:22] == [4620, 4850, 5210, 5040], "09:00 to 11:00 IST are slots 18 to 21"
    assert exported[18:22] == [0, 0, 120, 0]
    assert quality[20] == Quality.ESTIMATED, "the source says that 10:00 IST was estimated"
    assert [quality[s] for s in (18, 19, 21)] == [Quality.ACTUAL] * 3


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_landing_again_adds_nothing(code: str, real_data: Path, request: pytest.FixtureRequest) -> None:
    first: RealResult = request.getfixturevalue(code.removeprefix("ceew-"))
    again = run(code, real_data)
    assert (again.landing.landed, again.landing.received) == (0, 0)
    assert again.landing.duplicates == first.landing.landed > 0
    assert (again.landed, again.totals, again.exceptions) == (first.landed, first.totals, first.exceptions)
