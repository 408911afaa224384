"""Pulls of head-end systems as Dagster sees them: an asset with a partition a head-end system, the sensor that asks for those due, the
re-reading of gaps before a day is built, and the check that says who is silent. How a head-end system is asked is ingestion's.

Nothing here is upstream of a day but the re-reading, which never fails: a head-end system that is down delays only its own meters.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import psycopg

from ingestion import gaps, pulls
from ingestion.landing import LandingError
from ingestion.transports.file import FolderSummary
from ingestion.transports.rest import PullError
from ingestion.vendor import VendorError
from orchestration import assets
from warehouse import db, deliveries, registry

PULL = dg.AssetKey(["raw", "pull"])
POOL = "hes_pull"
"""Pulls under way at once, of all head-end systems. Of one there is one at a time: by the tag, and by a lock wherever it is started."""
HES_TAG = "hes"

hes_partitions = dg.DynamicPartitionsDefinition(name="hes")
"""DISCOM|HES: the registry knows them, so the graph loads without a server and the sensor adds them."""

RETRY = dg.RetryPolicy(max_retries=1, delay=30, jitter=dg.Jitter.PLUS_MINUS)
"""The transport has tried each page several times, and the sensor asks again at the next turn."""


def pull_key(discom: str, hes: str) -> str:
    return f"{discom}|{hes}"


@dg.asset(
    key=PULL,
    partitions_def=hes_partitions,
    group_name="raw",
    kinds={"postgres"},
    pool=POOL,
    retry_policy=RETRY,
    description="What came from a head-end system since its last pull, landed in raw",
)
def pull(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    discom, _, hes = context.partition_key.partition("|")
    try:
        with db.connect() as conn:
            summary = pulls.run(conn, discom, hes)
            lag = _lag_min(conn, discom, hes)
    except PullError as e:
        landed = f"; landed before that: {e.summary.accepted} values of {e.summary.files} pages" if e.summary else ""
        raise dg.Failure(f"{discom} {hes}: {e}{landed}") from e
    except (LandingError, VendorError) as e:
        raise dg.Failure(f"{discom} {hes}: {e}", allow_retries=False) from e
    for name, why in summary.failures.items():
        context.log.warning("%s %s: %s: %s", discom, hes, name, why)
    return dg.MaterializeResult(metadata=_metadata(summary) | ({} if lag is None else {"lag, minutes": lag}))


def _metadata(summary: FolderSummary) -> dict[str, int]:
    return {
        "files or pages": summary.files,
        "landed": summary.landed,
        "known already": summary.duplicates,
        "failed": summary.failed,
        "waiting": len(summary.waiting),
        "values received": summary.received,
        "values accepted": summary.accepted,
        "values rejected": summary.rejected,
        "dagster/row_count": summary.accepted,
    }


def _lag_min(conn: psycopg.Connection, discom: str, hes: str) -> int | None:
    """Minutes since the instant up to which every feed is there; None where there is no cursor."""
    state = next(s for s in deliveries.states(conn, registry.discoms(conn)[discom]) if s.code == hes)
    reached = [f.complete_until for f in state.feeds if f.complete_until]
    return round((datetime.now(UTC) - min(reached)).total_seconds() / 60) if reached else None


pull_job = dg.define_asset_job(
    "pull",
    selection=dg.AssetSelection.assets(PULL).without_checks(),
    partitions_def=hes_partitions,
    description="Pull one head-end system.",
)


@dg.sensor(job=pull_job, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def pulls_due(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each head-end system whose turn (every pull_every_min) has come and whose last pull has ended."""
    with db.connect() as conn:
        found = [s for s in pulls.sources(conn) if s.pull_every_min]
    if not found:
        yield dg.SkipReason("no head-end system has a base_url and a pull_every_min in the registry")
        return
    keys = [pull_key(s.discom, s.hes) for s in found]
    context.instance.add_dynamic_partitions(str(hes_partitions.name), keys)
    unfinished = context.instance.get_runs(dg.RunsFilter(job_name="pull", statuses=_UNFINISHED))
    busy = {r.tags.get(HES_TAG) for r in unfinished}
    for source, key in zip(found, keys, strict=True):
        if key in busy:
            context.log.info("%s: its last pull is still under way", key)
            continue
        turn = int(time.time() // (60 * (source.pull_every_min or 1)))
        yield dg.RunRequest(run_key=f"{key}:{turn}", partition_key=key, tags={HES_TAG: key})


_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            assets.REREAD,
            group_name="raw",
            kinds={"postgres"},
            description="Gaps that the head-end systems were asked to read again before the day is built (EM1)",
            partitions_def=assets.partitions,
        )
    ],
    check_specs=[dg.AssetCheckSpec("head_end_systems_answer", asset=assets.REREAD, description="Head-end systems that did not answer")],
    name="reread",
    partitions_def=assets.partitions,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def reread(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    discom, _, first, last = assets.window(context)
    outcome = gaps.Reread()
    began = time.monotonic()
    try:
        with db.connect() as conn:
            outcome = gaps.read_again(conn, discom, first, last)
    except Exception as e:  # whatever it is: without the re-reading the day is built as it would be without this step
        outcome.troubles["re-reading"] = f"{type(e).__name__}: {e}"
    for hes, why in outcome.troubles.items():
        context.log.warning("%s %s: gaps were not read again: %s", discom, hes, why)
    yield dg.MaterializeResult(
        asset_key=assets.REREAD,
        metadata={
            "gaps asked for": outcome.asked,
            "values accepted": outcome.accepted,
            "values rejected": outcome.rejected,
            "seconds": round(time.monotonic() - began, 1),
        },
    )
    yield dg.AssetCheckResult(
        asset_key=assets.REREAD,
        check_name="head_end_systems_answer",
        passed=not outcome.troubles,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=dict(outcome.troubles),
    )


@dg.asset_check(asset=PULL, description="Every head-end system, pulled or pushing, delivered within its silent_after_min")
def head_end_systems_deliver() -> dg.AssetCheckResult:
    with db.connect() as conn:
        silent = deliveries.silent(conn)
    return dg.AssetCheckResult(
        passed=not silent,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(s.text for s in silent) or "every head-end system delivers",
        metadata={pull_key(s.discom, s.hes): s.since.isoformat() if s.since else "never" for s in silent},
    )


freshness = dg.define_asset_job("freshness", selection=dg.AssetSelection.checks(head_end_systems_deliver))

freshness_schedule = dg.ScheduleDefinition(
    job=freshness,
    cron_schedule="*/15 * * * *",
    execution_timezone="Asia/Kolkata",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
