"""The monthly audit on a simulated DISCOM in the warehouse: wrong tags and theft come back, months are kept, one can be done anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import psycopg
import pytest
from dagster import DagsterInstance, build_schedule_context

from api.reports import catalogue
from audit import figures, repository
from audit.job import NothingBuiltError, audit_month
from cli import audit_truth
from orchestration import monthly, steps
from simulation import SimulationConfig
from tests.integration.simulated import World, land_all, register, simulate
from warehouse import db, summary

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 4)
SEPTEMBER = date(2026, 9, 1)


@dataclass(frozen=True)
class Audited:
    world: World
    discom_id: int
    conn: psycopg.Connection


@pytest.fixture(scope="module")
def audited(built_module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """A DISCOM of 120 consumers after four days, October audited."""
    config = SimulationConfig(tenants=1, feeders=2, dts=6, consumers=120, start=FIRST, days=(LAST - FIRST).days + 1, seed=21, audit=True)
    (world,) = simulate(tmp_path_factory.mktemp("world"), config)
    discom_id = register(world)
    land_all(world)
    steps.build(world.code, discom_id, FIRST, LAST)
    audit_month(discom_id, world.code, FIRST)
    with db.connect("meterhouse_dbt", session=db.WHOLE_PARTITIONS, autocommit=True) as conn:
        yield Audited(world, discom_id, conn)


def test_all_that_an_audited_world_sends_is_understood(audited: Audited) -> None:
    """What is rejected are the defects' stamps in the future, and nothing else."""
    reasons = audited.conn.execute("select distinct reason from raw.rejected where discom_id = %s", [audited.discom_id]).fetchall()
    assert {r for (r,) in reasons} <= {"FUTURE_STAMP"}
    profiles = audited.conn.execute("select distinct profile from raw.meter_value where discom_id = %s", [audited.discom_id]).fetchall()
    assert {p for (p,) in profiles} == {"billing", "instant"}


def test_losses_come_back_to_the_metering_error(audited: Audited) -> None:
    losses = figures.dt_losses(audited.conn, audited.discom_id, FIRST, LAST)
    final = summary.final_energy(audited.conn, audited.discom_id, FIRST, LAST)
    errors = audit_truth.loss_errors(audited.world.folder / "registry", audited.world.truth, losses, final)
    bar = audit_truth.loss_bar(errors)
    assert len(errors) == 6, "not every DT has a balance"
    assert bar.held, f"{bar.detail}: {bar.figure:.2f} %"


def test_wrong_tags_come_back_with_their_dt(audited: Audited) -> None:
    for bar in audit_truth.tag_bars(audited.world.truth, repository.found_tags(audited.conn, audited.discom_id, FIRST)):
        assert bar.figure is not None, bar.name
        assert bar.held, f"{bar.name}: {bar.figure}, {bar.detail}"


def test_thieves_come_back(audited: Audited) -> None:
    found = figures.suspected_theft(audited.conn, audited.discom_id, FIRST)
    for bar in audit_truth.theft_bars(audited.world.folder / "registry", audited.world.truth, 4, found):
        assert bar.figure is not None, bar.name
        assert bar.held, f"{bar.name}: {bar.figure}, {bar.detail}"


def test_the_indexing_report_counts_the_suspected_tags(audited: Audited) -> None:
    suspected = [t for t in repository.found_tags(audited.conn, audited.discom_id, FIRST) if t.state == "suspected"]
    rows = audited.conn.execute(
        """select r.office, r.consumers, r.mismatched, r.audited_month, r.surveyed + r.verified + r.inferred + r.disputed
           from reports.rpt_d08_indexing_status r join registry.office o using (discom_id, office_id)
           where r.discom_id = %s and o.level = 'discom'""",
        [audited.discom_id],
    ).fetchall()
    assert rows == [("Synthetic DISCOM 1", 122, len(suspected), FIRST, 122)], "120 at DTs and two at HT"
    assert catalogue()["D08"].key == ("discom_id", "office_id")


def test_a_month_that_is_audited_again_holds_the_same_and_others_stay(audited: Audited) -> None:
    conn, who = audited.conn, audited.discom_id
    conn.execute(
        "insert into energy.audit_run (discom_id, month, days, last_day, consumers_checked) values (%s, %s, 1, %s, 1)",
        [who, SEPTEMBER, SEPTEMBER],
    )
    before = repository.found_tags(conn, who, FIRST)
    report = audit_month(who, audited.world.code, FIRST)
    assert (report.days, report.consumers) == (4, 120)
    assert repository.found_tags(conn, who, FIRST) == before
    months = conn.execute("select month from energy.audit_run where discom_id = %s order by 1", [who]).fetchall()
    assert months == [(SEPTEMBER,), (FIRST,)], "history is gone, or a month stands twice"


def test_a_month_without_a_built_day_is_refused_and_changes_nothing(audited: Audited) -> None:
    with pytest.raises(NothingBuiltError, match="no day of 2026-08 is built"):
        audit_month(audited.discom_id, audited.world.code, date(2026, 8, 15))
    rows = audited.conn.execute("select count(*) from energy.audit_run where month = '2026-08-01'").fetchone()
    assert rows == (0,)


@pytest.mark.parametrize(("month", "runs"), [("2026-10-01", 1), ("2026-07-01", 0)], ids=["built", "no day is built"])
def test_dagster_audits_a_month_and_passes_over_one_that_is_not_there(audited: Audited, month: str, runs: int) -> None:
    config = {"ops": {"check_tags_and_currents": {"config": {"discom": audited.world.code, "month": month}}}}
    with DagsterInstance.ephemeral() as instance:
        assert monthly.audit_month.execute_in_process(run_config=config, instance=instance).success
    rows = audited.conn.execute(
        "select count(*) from energy.audit_run where discom_id = %s and month = %s and ran_at > now() - interval '10 minutes'",
        [audited.discom_id, month],
    ).fetchone()
    assert rows == (runs,)


def test_the_schedule_asks_for_the_month_before_of_every_discom(audited: Audited) -> None:
    with DagsterInstance.ephemeral() as instance:
        context = build_schedule_context(instance=instance, scheduled_execution_time=datetime(2026, 11, 3, 1, 30, tzinfo=UTC))
        requests = list(monthly.every_month(context))
    assert [(r.run_config["ops"]["check_tags_and_currents"]["config"]) for r in requests] == [
        {"discom": audited.world.code, "month": "2026-10-01"}
    ]


def test_what_the_audit_found_is_the_tenants_own(audited: Audited) -> None:
    with db.connect("meterhouse_api") as conn:
        for table in ("audit_run", "suspected_tag", "current_mismatch"):
            assert conn.execute(f"select count(*) from energy.{table}").fetchone() == (0,), f"energy.{table} shows rows without a tenant"
        conn.execute("select set_config('app.discom_id', %s, true)", [str(audited.discom_id)])
        assert conn.execute("select count(*) from energy.audit_run where month = %s", [FIRST]).fetchone() == (1,)
