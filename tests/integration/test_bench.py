"""`meterhouse bench` on a small DISCOM: its stages run, its checks hold, and the checks can fail. No time is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.bench import command, measure, report
from cli.bench.memory import pss, tree
from cli.bench.world import RULE_OF, World
from cli.main import app
from ingestion import landing
from warehouse.embedded import EmbeddedServer

pytestmark = [pytest.mark.integration, pytest.mark.heavy]


@pytest.fixture
def home(server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, on the tests' server."""
    monkeypatch.setenv("METERHOUSE_HOME", str(tmp_path))
    monkeypatch.setattr("warehouse.embedded.EmbeddedServer", lambda: server)
    monkeypatch.setattr(command, "DOCS", tmp_path / "benchmarks.md")
    yield tmp_path
    with measure.psycopg.connect(server.url("postgres")) as conn:
        left = conn.execute("select datname from pg_database where datname like 'bench%%'").fetchall()
    assert not left, f"the bench leaves databases behind: {left}"


def test_a_run_gives_every_stage_and_its_checks_hold(home: Path) -> None:
    result = CliRunner().invoke(app, ["bench", "--meters", "2000", "--write-docs"], catch_exceptions=False)

    assert result.exit_code == 0, result.output
    (path,) = (home / "bench").glob("*.json")
    document = json.loads(path.read_text())
    (size,) = document["sizes"]
    assert list(size["seconds"]) == list(measure.STAGES), "a stage is missing"
    idle = [stage for stage, seconds in size["seconds"].items() if seconds <= 0]
    assert not idle, f"stages that took no time did not run: {idle}"
    assert set(size["floors"]) == {"binary COPY", "INSERT … SELECT", "sequential scan"}, "a floor is missing"
    assert size["reports"], "no report was read"
    assert all(size["landing_parts"].values()), f"landing was not taken apart: {size['landing_parts']}"
    assert max(size["peak_octets"].values()) > 50 << 20, "no memory was sampled"
    assert size["meters"] == 2000 + 40 + 2, "consumers, DTs and feeders have a meter each"
    assert all(size["defects"].values()), f"a kind of defect does not occur: {size['defects']}"
    assert "every DT balance closes with the truth, to the Wh" in size["checks"]
    page = (home / "benchmarks.md").read_text()
    assert page == report.page(document), "the page is not that of the JSON"
    for stage in (*measure.STAGES, "Not measured yet", "1,000,000 meters"):
        assert stage in page, f"the page does not name {stage!r}"


def test_a_run_that_loses_a_value_fails(home: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = landing._register_columns

    def forgetful(*args: object) -> dict[str, object]:
        return {name: column for name, column in honest(*args).items() if name != "export_wh"}

    monkeypatch.setattr(landing, "_register_columns", forgetful)
    with pytest.raises(measure.BenchError, match="values stored in raw = values sent"):
        measure.measure(server, 200, 1, 1)


def test_defects_that_no_rule_finds_fail_a_run(home: Path, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULE_OF, "gap", "V99")
    with pytest.raises(measure.BenchError, match="every gap is found by V99"):
        measure.measure(server, 2000, 1, 1)


def test_the_same_seed_gives_the_same_readings() -> None:
    def sent(seed: int) -> list[bytes]:
        return [d.profiles[0].frame.to_csv().encode() for d in World(200, 2, seed).deliveries()]

    assert sent(3) == sent(3), "a run cannot be repeated"
    assert sent(3) != sent(4), "the seed has no effect"


@pytest.mark.parametrize("sizes", ["", "ten", "50", "2000,1000", "1000,1000"])
def test_sizes_that_make_no_sense_are_refused(sizes: str) -> None:
    result = CliRunner().invoke(app, ["bench", "--meters", sizes])
    assert result.exit_code == 1
    assert "smallest first" in result.output


def test_memory_of_a_process_that_is_gone_is_nothing() -> None:
    assert pss(2**22 + 1) == 0
    assert {1} <= tree([1])
