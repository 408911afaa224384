"""The dbt project on a fresh database: it builds with its data tests, and its unit tests (models/*/_*__unit_tests.yml) hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt import PROJECT, dbt_environment

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

    models = {n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "model"}
    tested = {u["model"] for u in manifest["unit_tests"].values()}
    assert models == tested, f"models without a unit test: {sorted(models - tested)}"
