"""The graph as Dagster sees it: what is in it, a range of days in one run, the sensor for late data, the schedule, a failing step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
from alembic import command
from typer.testing import CliRunner

from cli.demo import land
from cli.main import app
from expectations.rules import load_suite
from orchestration import assets, dbt, stale
from orchestration.definitions import daily, day_built, defs, every_morning, late_data
from orchestration.run import RunError, dagster_home, run_days
from orchestration.stale import DayRange
from simulation import SimulationConfig, generate
from warehouse import db, security
from warehouse.registry_import import import_registry

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 2)


@pytest.fixture(scope="module")
def built(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """Two days of a small DISCOM, landed and built by one run of the job."""
    world = tmp_path_factory.mktemp("world")
    generate(SimulationConfig(tenants=1, feeders=1, dts=1, consumers=24, days=2), world)
    with db.connect("meterhouse_owner") as conn:
        import_registry(conn, world / "D01" / "registry")
    land(world / "D01", FIRST, LAST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_HOME", str(tmp_path_factory.mktemp("home")))
        run_days(DayRange("D01", FIRST, LAST, 0))
        with dg.DagsterInstance.get() as instance:
            yield instance


def test_every_model_is_an_asset_and_every_rule_and_test_a_check() -> None:
    graph = defs.resolve_asset_graph()
    keys = {"/".join(k.path) for k in graph.get_all_asset_keys()}
    models = [n for n in dbt.manifest()["nodes"].values() if n["resource_type"] == "model"]
    assert {f"{m['schema']}/{m['name']}" for m in models} <= keys, "a model of dbt is no asset"
    checks = {(c.asset_key.path[-1], c.name) for c in graph.asset_check_keys}
    for asset, stage in (("exception", "initial"), ("estimate_exception", "estimate")):
        rules = {c.rule for c in load_suite(stage, "").checks}  # type: ignore[arg-type]
        assert {(asset, r) for r in rules} <= checks, f"a rule of the {stage} suite is no check"
    tests = {n["name"] for n in dbt.manifest()["nodes"].values() if n["resource_type"] == "test"}
    assert tests == {name for _, name in checks} & tests, "a test of dbt is no check"


def test_reports_wait_for_the_verdict_on_the_estimates() -> None:
    graph = defs.resolve_asset_graph()
    assert assets.ESTIMATE_VERDICT in graph.get(dg.AssetKey(["energy", "dt_day"])).parent_keys
    assert dg.AssetKey(["vee", "exception"]) in graph.get(assets.ESTIMATED_DAY).parent_keys
    assert assets.ESTIMATED_DAY in graph.get(dg.AssetKey(["vee", "estimated_measure"])).parent_keys


def test_a_range_of_days_is_one_run_with_a_materialisation_each(built: dg.DagsterInstance) -> None:
    runs = built.get_runs()
    assert [r.status for r in runs] == [dg.DagsterRunStatus.SUCCESS]
    partitions = built.get_materialized_partitions(dg.AssetKey(["energy", "dt_day"]))
    assert partitions == {assets.partition_key("D01", FIRST), assets.partition_key("D01", LAST)}
    with db.connect("meterhouse_dbt") as conn:
        days = conn.execute("select day, count(*) from vee.meter_day group by day order by day").fetchall()
        assert days == [(FIRST, 26), (LAST, 26)], "24 consumers, a DT and a feeder meter on each day"
        assert conn.execute("select count(*) from ops.day_build where built_at is not null").fetchone() == (2,)


def test_what_dbt_makes_keeps_tenants_apart(built: dg.DagsterInstance) -> None:
    with db.connect("meterhouse_owner") as conn:
        assert security.faults(conn) == [], "what dbt made stands open to other tenants or offices"
    with db.connect("meterhouse_api") as conn:
        for relation in (
            "vee.final_day",
            "vee.interval_reading",
            "energy.dt_day",
            "reports.rpt_d01_dt_energy_audit",
            "reports.rpt_b01_vee_summary",
        ):
            conn.execute("select set_config('app.discom_id', '1', true)")
            assert conn.execute(f"select count(*) > 0 from {relation}").fetchone() == (True,), f"{relation}: its own tenant sees nothing"
            conn.execute("select set_config('app.discom_id', '2', true)")
            assert conn.execute(f"select count(*) from {relation}").fetchone() == (0,), f"{relation}: another tenant sees rows"


def test_the_sensor_asks_for_what_late_data_touched_and_for_nothing_else(built: dg.DagsterInstance) -> None:
    def evaluate() -> list[dg.RunRequest | dg.SkipReason]:
        return list(late_data(dg.build_sensor_context(instance=built)))  # type: ignore[arg-type]

    assert stale.stale_ranges() == [], "the days are built, and the register that opens the first day makes no day of its own"
    with db.connect() as conn:
        conn.execute(
            """insert into raw.touched_day (discom_id, day, batch_id, meters)
               select discom_id, %s, max(batch_id) + 1, '{1}' from raw.batch group by discom_id""",
            [FIRST],
        )
    requests = [r for r in evaluate() if isinstance(r, dg.RunRequest) and str(LAST) in r.tags["dagster/asset_partition_range_end"]]
    assert len(requests) == 1, "one run for the touched day and the next, whose opening register it holds"
    assert requests[0].tags["discom"] == "D01"
    assert [r.run_key for r in evaluate()] == [r.run_key for r in evaluate()], "asking again must not start a second run"

    before = written_by()
    assert defs.resolve_job_def("daily").execute_in_process(instance=built, tags=requests[0].tags).success
    assert {m for m, xmin in written_by().items() if before[m] != xmin} == {1}, "its run builds the meter of which something came"
    assert stale.stale_ranges() == []


def written_by() -> dict[int, str]:
    """The transactions that wrote a meter's measures."""
    with db.connect("meterhouse_dbt") as conn:
        return dict(conn.execute("select meter_id, string_agg(xmin::text, ' ' order by day) from vee.measure group by meter_id"))


def test_estimates_of_built_days_are_made_anew(built: dg.DagsterInstance) -> None:
    with db.connect("meterhouse_dbt") as conn:
        before = conn.execute("select * from vee.estimated_day order by day, meter_id").fetchall()
        conn.execute("delete from vee.estimated_day")
    done = CliRunner().invoke(app, ["vee", "reestimate", "-d", "D01", "--from", str(FIRST), "--to", str(LAST)])
    assert done.exit_code == 0, done.output
    with db.connect("meterhouse_dbt") as conn:
        assert conn.execute("select * from vee.estimated_day order by day, meter_id").fetchall() == before
    assert f"{len(before)} meter-days" in done.output
    assert stale.stale_ranges() == []


def test_the_schedule_builds_yesterday_of_every_discom(built: dg.DagsterInstance) -> None:
    context = dg.build_schedule_context(instance=built, scheduled_execution_time=datetime(2026, 10, 3, 0, 30, tzinfo=UTC))
    requests = list(every_morning(context))  # type: ignore[arg-type]
    assert [r.partition_key for r in requests] == [assets.partition_key("D01", date(2026, 10, 2))]
    assert daily.name == "daily"


def test_a_built_day_asks_for_its_dashboards_where_they_have_a_cache(built: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = built.get_runs(limit=1, filters=dg.RunsFilter(job_name="daily"))
    (record,) = built.get_event_records(dg.EventRecordsFilter(dg.DagsterEventType.RUN_SUCCESS), limit=1)
    event = record.event_log_entry.dagster_event
    assert event is not None

    def evaluate(tags: dict[str, str]) -> object:
        context = dg.build_run_status_sensor_context("day_built", event, built, run.with_tags(tags))
        return day_built(context)

    monkeypatch.delenv("METERHOUSE_SUPERSET_REDIS_URL", raising=False)
    skipped = evaluate({"discom": "D01"})
    assert isinstance(skipped, dg.SkipReason)
    assert "METERHOUSE_SUPERSET_REDIS_URL" in str(skipped.skip_message)
    monkeypatch.setattr("orchestration.warming.why_not", lambda: None)
    for tags in ({"discom": "D01"}, {"dagster/partition/discom": "D01"}):
        asked = evaluate(tags)
        assert isinstance(asked, dg.RunRequest)
        assert asked.run_config == {"ops": {"ask_for_charts": {"config": {"discom": "D01"}}}}, f"a run with {tags}"


def test_a_failing_step_says_which_and_why(built: dg.DagsterInstance) -> None:
    with pytest.raises(RunError, match="no DISCOM 'nobody' in the registry"):
        run_days(DayRange("nobody", FIRST, LAST, 0))


def test_scope_can_be_taken_back_and_put_on_again_under_what_dbt_made(built: dg.DagsterInstance) -> None:
    command.downgrade(db.alembic_config(), "0019")
    db.migrate()
    with db.connect("meterhouse_owner") as conn:
        assert security.faults(conn) == []


def test_telemetry_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_HOME", str(tmp_path))
    assert "telemetry:\n  enabled: false" in (dagster_home() / "dagster.yaml").read_text()
