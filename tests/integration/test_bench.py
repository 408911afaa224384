"""`meterhouse bench` on a small DISCOM: its stages run, its checks hold, and the checks can fail. No time is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from cli.bench import command, peers, push, report, stages
from cli.bench.checks import check
from cli.bench.clock import Clock
from cli.bench.database import as_owner, fresh_database
from cli.bench.master_data import register
from cli.bench.world import DAY, RULE_OF, World
from cli.main import app
from ingestion import landing
from warehouse.embedded import EmbeddedServer

pytestmark = [pytest.mark.integration, pytest.mark.heavy]


PEER = """
import json, sys
name = sys.argv[1]
if name == "pandas":
    sys.exit("no such table")
if name == "rowsql":
    print("{}")
else:
    differences = ["dt_day: 3 rows differ"] if name == "duckdb" else []
    print("a line before")
    print(json.dumps({"peer": name, "seconds": 1.5, "peak_octets": 7 << 20, "differences": differences}))
"""
"""Stands for the peers: Polars finds what we find, DuckDB something else, pandas fails and the SQL says nothing."""


@pytest.fixture(scope="module")
def ended(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A whole run of the command, small, with a home of its own on the tests' server: exit code, output, document and page."""
    home = tmp_path_factory.mktemp("bench")
    (home / "tests" / "bench" / "peers").mkdir(parents=True)
    (home / "tests" / "bench" / "peers" / "__main__.py").write_text(PEER)
    sizes = ["--meters", "200,2000", "--slow-peers-up-to", "200", "--peers", "polars,duckdb,pandas,rowsql"]
    (home / "benchmarks.md").write_text(report.with_section("# Benchmarks\n\nof a run before\n", report.API, "of another command"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peers, "ROOT", home)
        patch.setattr("cli.bench.growth.REPEATS", 1)
        patch.setattr("cli.bench.growth.DAYS_WITH_REPORTS_AT_ONCE", 31)
        result = run(server, home, *sizes, "--history", "0,8", "--history-meters", "200", "--month-meters", "100", "--no-push")
    yield result
    with psycopg.connect(server.url("postgres")) as conn:
        left = conn.execute("select datname from pg_database where datname like 'bench%%'").fetchall()
    assert not left, f"the bench leaves databases behind: {left}"


def run(server: EmbeddedServer, home: Path, *options: str) -> SimpleNamespace:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_HOME", str(home))
        patch.setattr("warehouse.embedded.EmbeddedServer", lambda: server)
        patch.setattr(command, "DOCS", home / "benchmarks.md")
        result = CliRunner().invoke(app, ["bench", *options, "--write-docs"])
    assert isinstance(result.exception, SystemExit | None), result.exception
    (path,) = (home / "bench").glob("*.json")
    page = (home / "benchmarks.md").read_text()
    return SimpleNamespace(code=result.exit_code, output=result.output, doc=json.loads(path.read_text()), page=page)


def verdicts(doc: dict[str, Any]) -> dict[str, str]:
    return {bar["what"]: bar["verdict"] for bar in doc["bars"]}


def test_a_run_gives_every_stage_and_its_checks_hold(ended: SimpleNamespace) -> None:
    small, size = ended.doc["sizes"]
    order = ["landed", "initial suite", "estimation", "estimate suite", "edit suite", "cases", "rest of the build", "reports"]
    assert [s for s in size["laps"] if s in order] == order, "a stage is missing"
    parts = {part for lap in size["laps"].values() for part in lap["parts"]}
    assert {"cutting", "encoding", "assembled_day", "measure", "evidence", "estimated_measure", "dt_day", "feeder_day"} <= parts, (
        "a stage was not taken apart"
    )
    assert not any("rpt_" in part for part in parts), "a report is counted among the balances"
    idle = [stage for stage, lap in size["laps"].items() if lap["seconds"] <= 0]
    assert not idle, f"stages that took no time did not run: {idle}"
    assert set(size["floors"]) == {"binary COPY", "INSERT … SELECT", "sequential scan"}, "a floor is missing"
    assert size["reports"], "no report was read"
    assert size["figures"]["peak_octets"] > 50 << 20, "no memory was sampled"
    assert size["figures"]["balanced_s"] < size["figures"]["total_s"], "the reports are no part of the whole"
    assert 0 < size["figures"]["judged_s"] < size["figures"]["from_raw_s"], "validation and estimation are a part of the build"
    assert size["meters"] == 2000 + 40 + 2, "consumers, DTs and feeders have a meter each"
    assert all(size["defects"].values()), f"a kind of defect does not occur: {size['defects']}"
    assert {"raw", "vee", "energy", "indexes"} <= set(size["octets"])
    for checks in (size["checks"], size["rerun"]["checks"], small["checks"]):
        assert {"every outage is found by V30", "V28 finds no meter-day without programming"} <= set(checks)
        assert "every DT balance closes with the truth, to the Wh" in checks
    assert size["rerun"]["meters"] == 20, "1 % of the consumers get late data"


def test_sizes_and_history_give_growth(ended: SimpleNamespace) -> None:
    assert {days: len(runs) for days, runs in ended.doc["history"]["runs"].items()} == {"0": 1, "8": 1}
    assert ended.doc["history"]["ratio"] > 0
    assert {"rpt_d01_dt_energy_audit", "rpt_d05_atc_statement"} <= set(ended.doc["month"]["reports"]), "a monthly report was not read"
    assert not any("rpt_a03" in name for name in ended.doc["month"]["reports"]), "a report of days was read with the monthly ones"
    assert verdicts(ended.doc)["monthly reports over 31 days of 1,00,000 meters, read in full"] == "not measured", (
        "100 meters are not 100,000"
    )
    (growth,) = ended.doc["growth"]
    assert (growth["from"], growth["to"], growth["meters"]) == (200, 2000, 10.0)
    assert "0 to 8 days behind the day, 200 meters" in ended.page
    assert verdicts(ended.doc)["growth: 90 days behind the day"] == "not measured", "8 days are not 90"
    assert verdicts(ended.doc)["growth: 10 x meters"] in ("hold", "short")


def test_only_a_peer_that_finds_the_same_has_a_time(ended: SimpleNamespace) -> None:
    small, size = (({p["peer"]: p for p in s["peers"]}) for s in ended.doc["sizes"])
    assert (size["polars"]["seconds"], size["polars"]["differences"]) == (1.5, [])
    assert {name for name, p in small.items() if p["seconds"] is None} == {"duckdb", "pandas", "rowsql"}
    assert set(size) == {"polars", "duckdb"}, "slow peers are left out above their size"
    assert "no such table" in small["pandas"]["differences"][0]
    assert verdicts(ended.doc)["against DuckDB, from and to PostgreSQL"] == "outcome differs"
    assert ended.code == 1, "a run of which an outcome is wrong ends well"
    assert "3 rows differ" in ended.output


def test_the_page_is_that_of_the_document(ended: SimpleNamespace) -> None:
    assert ended.page == report.with_section(report.page(ended.doc), report.API, "of another command")
    stages_of_sizes = [stage for size in ended.doc["sizes"] for stage in size["laps"]]
    for text in (*stages_of_sizes, *verdicts(ended.doc), "| Polars | 1.50 |", "Not measured yet", "10,00,000 meters"):
        assert text in ended.page, f"the page does not name {text!r}"


def test_all_peers_find_what_we_find(server: EmbeddedServer, tmp_path: Path) -> None:
    """The real peers at 10,000 meters, by outcome alone."""
    ended = run(server, tmp_path, "--meters", "10000", "--history", "none", "--reports-up-to", "0", "--month-meters", "0", "--no-push")
    (size,) = ended.doc["sizes"]
    assert {p["peer"]: p["differences"] for p in size["peers"]} == {name: [] for name in peers.PEERS}
    assert all(p["seconds"] for p in size["peers"])
    assert ended.code == 0, ended.output


def test_a_run_that_loses_a_value_fails(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = landing._register_columns

    def forgetful(*args: object) -> dict[str, object]:
        return {name: column for name, column in honest(*args).items() if name != "export_wh"}

    monkeypatch.setattr(landing, "_register_columns", forgetful)
    world = World(200, 1, 1)
    with fresh_database(server, "bench_loss"), Clock(server.status().pid) as clock:
        with as_owner() as conn:
            discom_id = register(conn, world)
        _, accepted = stages.land(world.deliveries(), clock, print)
        with pytest.raises(stages.BenchError, match="values stored in raw = values sent"):
            check(world, discom_id, accepted)


def test_wrong_outcomes_fail_a_run(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without building after late data the old balances stand beside the new truth."""
    world = World(2000, 1, 1)
    with fresh_database(server, "bench_control"), Clock(server.status().pid) as clock:
        with as_owner() as conn:
            discom_id = register(conn, world)
        _, accepted = stages.land(world.deliveries(), clock, print)
        stages.build(discom_id, DAY, DAY, clock, print, with_reports=False)
        check(world, discom_id, accepted)
        with monkeypatch.context() as patch:
            patch.setitem(RULE_OF, "gap", "V99")
            with pytest.raises(stages.BenchError, match="every gap is found by V99"):
                check(world, discom_id, accepted)
        _, more = stages.land([world.late()], clock, print)
        with pytest.raises(stages.BenchError, match="every duplicate is found by V06"):
            check(world, discom_id, accepted + more)
        world.defects = {kind: set() for kind in RULE_OF}
        monkeypatch.setattr("cli.bench.checks._FOUND", "select 'V06', null, null where %s is null")
        with pytest.raises(stages.BenchError, match="every DT balance closes"):
            check(world, discom_id, accepted + more)


def test_production_that_is_built_otherwise_is_said_so(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.steps.build", lambda *_, **__: None)
    with Clock(None) as clock, pytest.raises(stages.BenchError, match=r"judge was not called"):
        stages.build(1, DAY, DAY, clock, print, with_reports=True)


def test_the_push_path_alone(server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small series of pushes to the API's own processes; one whose values are not what was sent is no measurement."""
    monkeypatch.setattr(push, "SHAPES", ((48, 40), (1, 40)))
    ended = run(server, tmp_path, "--meters", "none", "--history", "none", "--quick")
    assert ended.code == 0, ended.output
    assert [(p["slots"], p["bodies"], p["intervals"]) for p in ended.doc["push"]] == [(48, 4, 19_200), (1, 4, 400)]
    assert all(p["seconds"] > 0 and p["copy_s"] > 0 and p["p99_ms"] >= p["p50_ms"] > 0 for p in ended.doc["push"])
    assert ended.doc["events"]["alerts"] == ended.doc["events"]["events"] == 2_000
    assert "100 meters x 48 intervals a body" in ended.output.replace("\n", " ")
    honest = push._bodies
    monkeypatch.setattr(push, "_bodies", lambda *args: (honest(*args)[0], honest(*args)[1] + 1))
    with pytest.raises(stages.BenchError, match="were sent and acknowledged, but"):
        push.push(server, 1, 4, 1, print)


def test_without_the_source_tree_peers_are_asked_for_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    with pytest.raises(stages.BenchError, match="need the source tree"):
        peers.require_source_tree()
