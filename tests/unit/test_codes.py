"""The seeds of the warehouse are those of the code."""

from __future__ import annotations

import csv
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.seed import write_seed
from ingestion.alerts.raising import SAME_EVENT
from ingestion.events.seed import write_seeds as write_event_seeds
from ingestion.readers.nem12 import _QUALITY as NEM12_QUALITY
from ingestion.vendor import load_vendor
from vee.estimation.job import OVERFLOWS
from warehouse.codes import SCALED, SEEDS, Method, Quality, QualityFlag, seed_rows, standard_codes, unverified, validation_code, write_seeds


def test_seeds_are_those_of_the_code(tmp_path: Path) -> None:
    write_seeds(tmp_path)
    write_seed(tmp_path)
    write_event_seeds(tmp_path)
    written = {p.name: p.read_text() for p in tmp_path.glob("*.csv")}
    committed = {p.name: p.read_text() for p in SEEDS.glob("*.csv")}
    assert committed == written, (
        "run `python -m warehouse.codes`, `python -m expectations.seed` and `python -m ingestion.events.seed`, then commit the seeds"
    )


@pytest.mark.parametrize("name", sorted(seed_rows()))
def test_codes_are_unique_and_explained(name: str) -> None:
    with (SEEDS / f"{name}.csv").open(newline="") as f:
        header, *rows = list(csv.reader(f))
    assert len({r[0] for r in rows}) == len(rows), f"{name}: a code stands twice"
    if "meaning" in header:
        assert all(r[header.index("meaning")] for r in rows), f"{name}: a code without meaning"


def test_a_weaker_quality_has_a_higher_number() -> None:
    order = [Quality.ACTUAL, Quality.EDITED, Quality.SUBSTITUTED, Quality.QUESTIONABLE, Quality.ESTIMATED, Quality.MISSING]
    assert order == sorted(order), "a roll-up takes the maximum as the weakest"


def test_one_event_is_one_by_the_same_seconds_in_alerts_and_in_dbt() -> None:
    project = yaml.safe_load((SEEDS.parent / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["vars"]["same_event_s"] == SAME_EVENT.total_seconds()


def test_a_types_maximum_is_the_same_to_the_rule_and_to_estimation() -> None:
    project = yaml.safe_load((SEEDS.parent / "dbt_project.yml").read_text(encoding="utf-8"))
    assert tuple(project["vars"]["overflow_values"]) == OVERFLOWS


# --- what the standards call it ---

METHODS = [int(m) + scaled for m in Method for scaled in (0, SCALED) if not (scaled and m in (Method.NONE, Method.OUTAGE))]


@pytest.mark.parametrize("quality", Quality, ids=lambda q: q.name)
@pytest.mark.parametrize("method", METHODS)
def test_every_quality_and_method_has_codes_that_the_standards_know(quality: Quality, method: int) -> None:
    codes = standard_codes(quality, method)
    if quality is Quality.RAW:
        assert codes.nem12 is None, "NEM12 has no letter for what is not validated"
    else:
        assert codes.nem12, "only what is not validated may not be delivered"
        assert NEM12_QUALITY.fullmatch(codes.nem12)
        assert (codes.nem12[0] in "EFS") == (len(codes.nem12) == 3), "E, F and S state a method, the others none (MDFF)"
    assert all(re.fullmatch(r"3\.\d+\.\d+", c) for c in codes.cim)
    assert 0 <= codes.ieee2030_5 < 128
    assert bool(codes.ieee2030_5) == (quality not in (Quality.RAW, Quality.MISSING)), "a value that was judged says how it came about"


@pytest.mark.parametrize(
    ("quality", "method", "more", "nem12", "cim", "flags"),
    [
        (Quality.ACTUAL, 0, {}, "A", "3.0.0", {0}),
        (Quality.QUESTIONABLE, 0, {}, "A", "3.5.258", {4}),
        (Quality.MISSING, 0, {}, "N", "3.5.259", set()),
        (Quality.EDITED, 0, {}, "S18", "3.7.0", {1}),
        (Quality.EDITED, 0, {"added": True}, "S18", "3.7.1", {1}),
        (Quality.EDITED, 0, {"frozen": True}, "F18", "3.7.0", {1}),
        (Quality.EDITED, 0, {"edited_by": "set"}, "S18", "3.7.0", {1}),
        (Quality.EDITED, 0, {"edited_by": "zero"}, "S19", "3.7.0", {1}),
        (Quality.EDITED, 0, {"edited_by": "copy", "frozen": True}, "F14", "3.7.0", {1}),
        (Quality.ESTIMATED, Method.LINEAR, {}, "S17", "3.8.3", {3}),
        (Quality.ESTIMATED, Method.LIKE_DAY, {}, "S15", "3.8.4", {2}),
        (Quality.ESTIMATED, Method.LIKE_DAY + SCALED, {}, "S24", "3.8.4", {2}),
        (Quality.ESTIMATED, Method.LIKE_DAY, {"frozen": True}, "F15", "3.8.4", {2}),
        (Quality.ESTIMATED, Method.OUTAGE, {}, "S19", "3.8.20", {2, 5}),
        (Quality.ESTIMATED, Method.LAST_YEAR, {}, "S23", "3.8.6", {2}),
        (Quality.ESTIMATED, Method.FLAT, {}, "S25", "3.8.10", {2, 5}),
        (Quality.SUBSTITUTED, Method.CHECK_METER, {}, "S11", "3.8.2", {2}),
        (Quality.DERIVED, 0, {}, "V", "3.11.0", {5}),
        (Quality.PROJECTED, Method.LIKE_DAY, {}, "E22", "3.12.0", {6}),
        (Quality.ACTUAL, 0, {"frozen": True}, "A", "3.0.0", {0}),
    ],
)
def test_codes_are_those_of_the_domain(quality: Quality, method: int, more: dict[str, Any], nem12: str, cim: str, flags: set[int]) -> None:
    codes = standard_codes(quality, method, **more)
    assert (codes.nem12, codes.cim[0]) == (nem12, cim)
    assert {bit for bit in range(7) if codes.ieee2030_5 >> bit & 1} == flags
    names = ("valid", "manually_edited", "reference_day", "linear_interpolation", "questionable", "derived", "projected")
    assert codes.ieee2030_5_flags == tuple(names[bit] for bit in sorted(flags))


def test_failed_rules_stand_beside_the_state_each_code_once() -> None:
    failed = (("V16", True), ("V17", True), ("V18", True), ("V11", False), ("V07", True), ("V99", True))
    assert standard_codes(Quality.QUESTIONABLE, failed=failed).cim == ("3.5.258", "3.6.3", "3.6.5", "3.6.4", "3.6.0")


def test_a_rule_with_two_limits_says_which_was_passed() -> None:
    assert [validation_code("V15", above=above) for above in (True, False)] == ["3.6.5", "3.6.6"]


def test_assumed_codes_say_so() -> None:
    assert unverified(standard_codes(Quality.ESTIMATED, Method.LIKE_DAY).cim[0])
    assert not unverified(standard_codes(Quality.QUESTIONABLE).cim[0])


@pytest.mark.parametrize("quality", Quality, ids=lambda q: q.name)
def test_what_we_call_a_quality_is_read_back_as_it(quality: Quality) -> None:
    read = load_vendor("cim_meter_readings").quality
    back = Quality[next(read[p] for p in read if fnmatchcase(standard_codes(quality).cim[0], p))]
    # What is frozen was measured; what another meter had is an estimate of this one.
    assert back is {Quality.FROZEN: Quality.ACTUAL, Quality.SUBSTITUTED: Quality.ESTIMATED}.get(quality, quality)


def test_flags_are_the_bits_of_ieee_2030_5() -> None:
    assert [f.name for f in QualityFlag] == [
        "VALID",
        "MANUALLY_EDITED",
        "REFERENCE_DAY",
        "LINEAR_INTERPOLATION",
        "QUESTIONABLE",
        "DERIVED",
        "PROJECTED",
    ]
