"""The dbt project on a fresh database: it builds with its data tests, and its unit tests hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt import PROJECT, dbt_environment, run
from warehouse import db

pytestmark = [pytest.mark.integration, pytest.mark.heavy]


def dbt(folder: Path, *args: str) -> dict[str, Any]:
    """Run dbt as a process of its own and give the artefacts that it wrote. Fails with what dbt said."""
    command = [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "--no-version-check", *args]
    paths = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(folder), "--log-path", str(folder)]
    done = subprocess.run(
        [*command, *paths], env={**os.environ, **dbt_environment()}, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"dbt {' '.join(args)} says:\n{done.stdout}{done.stderr}", pytrace=False)
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in ("manifest", "run_results")}


def test_the_project_builds_and_its_unit_tests_hold(database: str, tmp_path: Path) -> None:
    days = json.dumps({"discom_id": 1, "from_day": "2026-10-01", "to_day": "2026-10-02"})
    dbt(tmp_path, "build", "--exclude-resource-type", "unit_test", "--vars", days)
    artefacts = dbt(tmp_path, "test", "--select", "test_type:unit")

    manifest = artefacts["manifest"]
    ran = {r["unique_id"] for r in artefacts["run_results"]["results"]}
    assert ran == set(manifest["unit_tests"]), "not every unit test of the project was run"

    models = {n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "model" and "unfed" not in n["meta"]}
    tested = {u["model"] for u in manifest["unit_tests"].values()}
    assert models == tested, f"models without a unit test: {sorted(models - tested)}"


def test_a_view_is_made_anew_only_where_it_changed_or_is_gone(database: str) -> None:
    days = {"discom_id": 1, "from_day": "2026-10-01", "to_day": "2026-10-01"}
    run(["build", "--exclude-resource-type", "unit_test"], days)

    def views() -> dict[str, int]:
        with db.connect("meterhouse_dbt") as conn:
            rows = conn.execute(
                "select oid::regclass::text, oid::bigint from pg_class where relkind = 'v' and relowner = 'meterhouse_dbt'::regrole"
            )
            return dict(rows.fetchall())

    made = views()
    assert len(made) > 20, "these are not the project's views"
    run(["run", "--select", "config.materialized:view"], days)
    assert views() == made, "a view was made anew though nothing had changed"

    changed, below = "vee.final_day", "vee.interval_reading"
    with db.connect("meterhouse_dbt") as conn:
        conn.execute("comment on view vee.final_day is 'made of something else'")
    run(["run", "--select", "config.materialized:view"], days)
    again = views()
    assert again.keys() == made.keys(), "a view went with what it reads and did not come back"
    anew = {name for name, oid in again.items() if oid != made[name]}
    assert {changed, below} <= anew, "what changed, and what reads it, was left as it was"
    assert "staging.stg_registry__office_path" not in anew, "what does not read it was made anew"
