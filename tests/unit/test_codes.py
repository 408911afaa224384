"""The seeds of the warehouse are those of the code."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from expectations.seed import write_seed
from ingestion.alerts.raising import SAME_EVENT
from ingestion.events.seed import write_seeds as write_event_seeds
from warehouse.codes import SEEDS, Quality, seed_rows, write_seeds


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
