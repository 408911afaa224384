"""The pulls as Dagster runs them, on one small DISCOM with three head-end systems: REST, a drop folder, and one that is down."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import psycopg
import pytest

from ingestion import gaps, pulls
from ingestion.landing import LandingError
from orchestration import assets
from orchestration import pulls as graph
from orchestration.definitions import defs
from orchestration.run import dagster_home, run_days
from orchestration.stale import DayRange
from simulation import HplServer, SimulationConfig, generate
from warehouse import db, deliveries
from warehouse.codes import Quality
from warehouse.registry_import import import_registry

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

IST = ZoneInfo("Asia/Kolkata")
TOKEN = "a token of the test"
DAYS = 2


@dataclass
class World:
    """A DISCOM whose head-end systems are to be pulled: HES-HPL over REST, HES-B from a drop folder, HES-C not at all."""

    folder: Path
    drop: Path
    hes: HplServer
    instance: dg.DagsterInstance
    first: date
    url: str

    @property
    def last(self) -> date:
        return self.first + timedelta(days=DAYS - 1)

    def sql(self, statement: str, *of: object) -> list[tuple]:
        with psycopg.connect(self.url) as conn:
            cur = conn.execute(statement, of)
            return cur.fetchall() if cur.description else []

    def pull(self, hes: str) -> dg.ExecuteInProcessResult:
        key = graph.pull_key("D01", hes)
        self.instance.add_dynamic_partitions(str(graph.hes_partitions.name), [key])
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(graph.pull.op, "_retry_policy", dg.RetryPolicy(graph.RETRY.max_retries))  # without its delay
            return defs.resolve_job_def("pull").execute_in_process(
                instance=self.instance, partition_key=key, raise_on_error=False, run_config=quiet
            )

    def meters(self, hes: str) -> list[str]:
        found = self.sql(
            "select m.serial from registry.meter m join registry.hes h using (discom_id, hes_id) where h.code = %s order by 1", hes
        )
        return [serial for (serial,) in found]


@pytest.fixture(scope="module")
def world(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Nothing is landed yet. The days end three days ago: then all was received more than a day ago, and the simulated clock is ours."""
    first = datetime.now(IST).date() - timedelta(days=DAYS + 2)
    folder = tmp_path_factory.mktemp("world") / "w"
    generate(SimulationConfig(tenants=1, feeders=1, dts=1, consumers=24, days=DAYS, start=first, clean=True), folder)
    drop = tmp_path_factory.mktemp("drop with space")
    with pytest.MonkeyPatch.context() as patch, HplServer(folder / "D01" / "hpl", TOKEN) as hes:
        patch.setenv("METERHOUSE_HPL_TOKEN", TOKEN)
        patch.setenv("METERHOUSE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("METERHOUSE_FIRST_PULL_DAYS", str(DAYS + 4))
        with db.connect("meterhouse_owner") as conn:
            import_registry(conn, folder / "D01" / "registry")
            conn.execute("update registry.hes set base_url = %s, pull_every_min = 15 where code = 'HES-HPL'", [hes.url])
            conn.execute("update registry.hes set base_url = %s, pull_every_min = 30 where code = 'HES-B'", [drop.as_uri()])
        dagster_home()
        with dg.DagsterInstance.get() as instance:
            yield World(folder / "D01", drop, hes, instance, first, module_database)


def metadata(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, object]:
    (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key == key]
    return {k: v.value for k, v in event.materialization.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {c.check_name: c for c in result.get_asset_check_evaluations()}


# --- before anything was pulled ---


def test_the_graph_loads_without_a_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = "from orchestration.definitions import defs; print(sorted(j.name for j in defs.resolve_all_job_defs()))"
    nowhere = os.environ | {"METERHOUSE_DATABASE_URL": "postgresql://postgres@127.0.0.1:9/meterhouse"}
    done = subprocess.run([sys.executable, "-c", code], env=nowhere, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for job in ("daily", "freshness", "pull"):
        assert f"'{job}'" in done.stdout, f"the graph has no job {job}"


def test_a_head_end_system_that_never_delivered_is_named(world: World) -> None:
    with db.connect() as conn:
        silent = deliveries.silent(conn)
    assert [s.hes for s in silent] == ["HES-B", "HES-C", "HES-HPL"]
    result = defs.resolve_job_def("freshness").execute_in_process(instance=world.instance)
    check = checks(result)["head_end_systems_deliver"]
    assert result.success, "silence is a warning"
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "D01 HES-C: has never delivered anything" in (check.description or "")
    assert check.metadata["D01|HES-HPL"].value == "never"


def test_the_sensor_asks_for_each_that_is_due_once(world: World) -> None:
    def asked() -> list[dg.RunRequest]:
        found = list(graph.pulls_due(dg.build_sensor_context(instance=world.instance)))  # type: ignore[arg-type]
        return [r for r in found if isinstance(r, dg.RunRequest)]

    at = time.time() // 3600 * 3600 + 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph.time, "time", lambda: at)
        first, again = asked(), asked()
        patch.setattr(graph.time, "time", lambda: at + 15 * 60)
        later = asked()
    assert [r.partition_key for r in first] == ["D01|HES-B", "D01|HES-HPL"], "HES-C has no address"
    assert [r.tags["hes"] for r in first] == ["D01|HES-B", "D01|HES-HPL"]
    assert all("discom" not in r.tags for r in first), "a pull must not wait for a build, nor a build for it"
    assert [r.run_key for r in again] == [r.run_key for r in first], "one run a turn"
    assert [a.run_key == b.run_key for a, b in zip(later, first, strict=True)] == [True, False], "15 minutes on, one of them is due again"


def test_the_sensor_waits_for_a_pull_that_is_under_way(world: World) -> None:
    run = dg.DagsterRun(job_name="pull", status=dg.DagsterRunStatus.STARTED, tags={"hes": "D01|HES-HPL"})
    world.instance.add_run(run)
    found = list(graph.pulls_due(dg.build_sensor_context(instance=world.instance)))  # type: ignore[arg-type]
    world.instance.delete_run(run.run_id)
    assert [r.partition_key for r in found if isinstance(r, dg.RunRequest)] == ["D01|HES-B"]


def test_the_limits_are_dagsters(world: World) -> None:
    settings = (dagster_home() / "dagster.yaml").read_text()
    assert "key: hes" in settings
    assert graph.pull.op.pool == graph.POOL
    assert world.instance.get_concurrency_config().pool_config.default_pool_limit == 4


# --- one of them is down ---


def drop_files(world: World, manner: str, seconds: float = 0) -> None:
    command = [sys.executable, "-m", "simulation", "drop", "--data", str(world.folder / "vendor_b"), "--to", str(world.drop)]
    subprocess.run([*command, "--manner", manner, "--seconds", str(seconds)], check=True, timeout=60, capture_output=True)


def test_a_head_end_system_that_is_down_delays_only_its_own_meters(world: World) -> None:
    drop_files(world, "rename")
    old = time.time() - 60
    for path in world.drop.iterdir():
        os.utime(path, (old, old))
    world.hes.kill()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ingestion.transports.rest.time.sleep", lambda _: None)
            failed = world.pull("HES-HPL")
        landed = world.pull("HES-B")
        run_days(DayRange("D01", world.first, world.last, 0))
    finally:
        world.hes.start()
    assert not failed.success
    (event,) = [e for e in failed.all_events if e.is_step_failure]
    said = str(event.step_failure_data.user_failure_data.description)
    assert said.startswith("D01 HES-HPL: GET "), said
    assert "ConnectError" in said
    assert "Is the head-end system up?" in said

    assert landed.success
    told = metadata(landed, graph.PULL)
    assert told["landed"] == told["files or pages"]
    assert told["values accepted"] == told["values received"]
    assert told["values rejected"] == 0
    built = world.sql(
        """select h.code, min(m.present_slots), count(*) from vee.measure m join registry.meter r using (discom_id, meter_id)
           join registry.hes h using (discom_id, hes_id) group by 1 order by 1"""
    )
    assert [(c, p) for c, p, _ in built] == [("HES-B", 48), ("HES-C", 0), ("HES-HPL", 0)], "the day is built, with what is there"
    assert world.sql("select count(*) from ops.day_build where built_at is not null") == [(DAYS,)]

    state = {s.code: s for s in _states()}
    assert (state["HES-HPL"].failures, state["HES-HPL"].succeeded_at) == (2, None), "it is tried once more"
    assert "ConnectError" in (state["HES-HPL"].error or "")
    assert (state["HES-B"].failures, state["HES-B"].is_silent, state["HES-B"].silent_meters) == (0, False, 0)
    assert state["HES-HPL"].is_silent


def _states() -> list[deliveries.HesState]:
    with db.connect() as conn:
        return deliveries.states(conn, 1)


def test_who_is_silent_is_named_with_since_when(world: World) -> None:
    world.sql("update registry.hes set silent_after_min = 1 where code = 'HES-B'")
    world.sql("update raw.batch set landed_at = landed_at - interval '2 minutes'")
    with db.connect() as conn:
        (silent,) = [s for s in deliveries.silent(conn) if s.hes == "HES-B"]
    world.sql("update registry.hes set silent_after_min = 1440 where code = 'HES-B'")
    assert silent.since is not None
    assert "D01 HES-B: silent since 20" in silent.text
    assert "expected every 1 min" in silent.text


# --- it comes back, without some blocks ---


def lose(world: World, serial: str, day: date) -> None:
    """As if nothing of this meter-day had come."""
    meter = "(select meter_id from registry.meter where serial = %s)"
    world.sql(f"delete from raw.profile_fragment where meter_id = {meter} and day = %s", serial, day)


def final(world: World, serial: str, day: date) -> list[str]:
    """Quality of each slot of a meter-day in the final layer."""
    rows = world.sql(
        "select r.quality from vee.interval_reading r join registry.meter m using (discom_id, meter_id) "
        "where m.serial = %s and r.day = %s order by r.slot",
        serial,
        day,
    )
    return [quality for (quality,) in rows]


def withhold(world: World, serial: str, *, on_demand: bool) -> None:
    day = world.first
    world.hes.withhold(serial, f"{day} 10:00:00", f"{day} 13:00:00", on_demand=on_demand)


def test_gaps_are_read_again_before_anything_is_estimated(world: World) -> None:
    first = world.meters("HES-HPL")[0]
    withhold(world, first, on_demand=True)
    done = world.pull("HES-HPL")
    assert done.success
    assert metadata(done, graph.PULL)["lag, minutes"] in range(10)
    blocks = (
        "select sum(cardinality(array_remove(import_wh, null))) from raw.profile_fragment join registry.meter using (meter_id) "
        "where serial = %s and day = %s"
    )
    assert world.sql(blocks, first, world.first) == [(42,)], "the feed does not have six of the blocks"
    asked = len(world.hes.requests())
    result = daily(world, world.first)
    requests = world.hes.requests()[asked:]
    assert [(r["path"], r["profile"], r["meters"]) for r in requests] == [("/api/readings", "block", first)], "just this gap is asked for"
    assert metadata(result, assets.REREAD)["gaps asked for"] == 1
    assert checks(result)["head_end_systems_answer"].passed
    assert final(world, first, world.first) == 48 * [Quality.ACTUAL.letter], "measured, not estimated"


def daily(world: World, day: date, **tags: str) -> dg.ExecuteInProcessResult:
    world.instance.add_dynamic_partitions(str(assets.discoms.name), ["D01"])
    result = defs.resolve_job_def("daily").execute_in_process(
        instance=world.instance,
        partition_key=assets.partition_key("D01", day),
        tags={"discom": "D01", **tags},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    assert result.success
    return result


def test_what_the_head_end_system_never_has_is_estimated_and_not_asked_for_for_ever(world: World) -> None:
    serial = world.meters("HES-HPL")[2]
    day = world.first
    lose(world, serial, day)
    withhold(world, serial, on_demand=False)
    asked = len(world.hes.requests())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_REREAD_PAUSE_MIN", "0")
        daily(world, day)
        counts = [len(world.hes.requests()) - asked]
        for _ in range(3):
            with db.connect() as conn:
                gaps.read_again(conn, "D01", day, day)
            counts.append(len(world.hes.requests()) - asked)
    assert counts == [1, 2, 2, 2], "two answers are had for a gap, no more"
    quality = final(world, serial, day)
    assert quality[20:26] == 6 * [Quality.ESTIMATED.letter], "10:00 to 13:00 is estimated as without the question"
    assert quality[:20] == 20 * [Quality.ACTUAL.letter], "what the meter gave when it was asked is measured"
    world.hes._control("withheld", [])


def test_a_failing_reread_never_blocks_the_day(world: World) -> None:
    serial = world.meters("HES-HPL")[3]
    day = world.last
    lose(world, serial, day)
    world.hes.misbehave("silence:seconds=20")
    began = time.monotonic()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("METERHOUSE_REREAD_S", "1")
            result = daily(world, day)
    finally:
        world.hes.misbehave()
    check = checks(result)["head_end_systems_answer"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "the time for it is up" in str(check.metadata["HES-HPL"].value)
    assert float(str(metadata(result, assets.REREAD)["seconds"])) < 10 < time.monotonic() - began + 60
    assert world.sql("select count(*) from ops.gap_request where day = %s", day) == [(0,)], "no answer was had: it is asked again"

    def broken(*_: object) -> None:
        raise RuntimeError("anything at all")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gaps, "read_again", broken)
        result = dg.materialize([graph.reread], instance=world.instance, partition_key=assets.partition_key("D01", day))
    assert result.success
    assert "anything at all" in str(checks(result)["head_end_systems_answer"].metadata["re-reading"].value)


def test_gaps_are_bounded_in_count_and_by_the_meters_buffer(world: World) -> None:
    with db.connect() as conn:
        source = pulls.source(conn, "D01", "HES-HPL")
        one = gaps.find(conn, source, world.first - timedelta(days=5), world.last, gaps.Limits(7, 1, 2, 0))
        assert len(one) == 7, "no more than the limit"
        long_ago = gaps.read_again(conn, "D01", date(2020, 1, 1), date(2020, 2, 1))
    assert (long_ago.asked, long_ago.troubles) == (0, {}), "no meter keeps its profiles so long"


# --- drop folders and settings ---


def test_a_file_that_is_written_slowly_under_its_own_name_is_not_taken_half(world: World) -> None:
    for path in world.drop.rglob("*"):
        if path.is_file():
            path.unlink()
    name = sorted(p.name for p in (world.folder / "vendor_b").iterdir())[0]
    whole = (world.folder / "vendor_b" / name).read_bytes() + b""
    (world.drop / name).write_bytes(whole[: len(whole) // 2])
    batches = world.sql("select count(*) from raw.batch")
    told = metadata(world.pull("HES-B"), graph.PULL)
    assert (told["waiting"], told["files or pages"]) == (1, 0)
    (world.drop / name).write_bytes(whole)
    os.utime(world.drop / name, (time.time() - 60,) * 2)
    told = metadata(world.pull("HES-B"), graph.PULL)
    assert (told["waiting"], told["known already"], told["values rejected"]) == (0, 1, 0), "whole, and known from the first test"
    assert world.sql("select count(*) from raw.batch") == batches


def test_duplicates_and_cut_files_of_a_drop_folder(world: World, database: str, tmp_path: Path) -> None:
    """A head-end system of bad manners: each file cut first and whole later, and everything once more."""
    from ingestion.landing import DiscomContext
    from ingestion.transports.file import land_folder
    from ingestion.vendor import load_vendor
    from simulation.drop import drop

    with db.connect("meterhouse_owner") as conn:
        import_registry(conn, world.folder / "registry")
    for manner in ("truncated", "duplicates"):
        list(drop(world.folder / "vendor_b", tmp_path / "d", manner, 0))
        with db.connect() as conn:
            summary = land_folder(conn, DiscomContext.load(conn, "D01"), "HES-B", load_vendor("vendor_b"), tmp_path / "d")
        assert summary.received == summary.accepted + summary.rejected
        assert not summary.failed, summary.failures
    assert summary.landed == 0, "the second round is known by its content"
    with psycopg.connect(database) as conn:
        slots = conn.execute(
            """select count(distinct (f.meter_id, f.day, f.start_slot + u.i))
               from raw.profile_fragment f, unnest(f.import_wh) with ordinality u(v, i) where u.v is not null"""
        ).fetchone()
    assert slots == (48 * DAYS * len(world.meters("HES-B")),), "no slot is lost"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://somewhere/drop", "is no drop folder: write base_url"),
        ("file:///no/such/folder", "/no/such/folder is not a folder"),
        (None, "has no head-end system 'HES-C' with an address"),
    ],
)
def test_settings_that_are_wrong_are_told_and_not_tried_again(world: World, address: str | None, says: str) -> None:
    world.sql("update registry.hes set base_url = %s where code = 'HES-C'", address)
    result = world.pull("HES-C")
    world.sql("update registry.hes set base_url = null where code = 'HES-C'")
    (event,) = [e for e in result.all_events if e.is_step_failure]
    assert says in str(event.step_failure_data.user_failure_data.description)
    assert not [e for e in result.all_events if e.is_step_up_for_retry], "a setting does not mend itself"


def test_an_address_with_a_password_is_refused(world: World) -> None:
    world.sql("update registry.hes set base_url = 'http://me:secret@127.0.0.1:9' where code = 'HES-HPL'")
    with db.connect() as conn, pytest.raises(LandingError) as caught:
        pulls.run(conn, "D01", "HES-HPL")
    world.sql("update registry.hes set base_url = %s where code = 'HES-HPL'", world.hes.url)
    assert "secret" not in str(caught.value).replace("put the secret into", "")


# --- the command ---


def test_the_command_lists_and_pulls(world: World) -> None:
    settings = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}

    def meterhouse(*args: str, group: str = "hes") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli.main", group, *args]
        return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)

    done = meterhouse("pull", "-d", "D01", "--hes", "HES-HPL")
    assert done.returncode == 0, done.stderr
    done = meterhouse("status", "-d", "D01")
    assert done.returncode == 3, "HES-C is silent"
    assert "HES-HPL" in done.stdout
    assert "block: complete up to 20" in done.stdout
    assert "silent (expected every 1440 min)" in done.stdout
    assert meterhouse("status", "-d", "D99").returncode == 1

    stamp = "%Y-%m-%dT00:00:00+05:30"
    window = ["--since", f"{world.first:{stamp}}", "--until", f"{world.last:{stamp}}"]
    on_demand = ["rest", "-d", "D01", "--hes", "HES-HPL", world.hes.url, *window, "--meter", world.meters("HES-HPL")[0]]
    done = meterhouse(*on_demand, group="land")
    assert done.returncode == 0, done.stderr
    assert "2 landed" in done.stdout, "the blocks of a day and the register that closes it"
