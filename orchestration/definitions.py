"""What Dagster loads: assets, the job `daily`, its schedule, the sensors, the pulls, reports that go out."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    MULTIDIMENSIONAL_PARTITION_PREFIX,
)

from orchestration import assets, deliveries, monthly, pulls, stale, steps, warming
from warehouse import db, registry

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.assets(pulls.reread, *assets.ALL),
    description="Build the business days of one DISCOM, from landed fragments to reports. A range of days is one run.",
    partitions_def=assets.partitions,
)


def range_tags(span: stale.DayRange) -> dict[str, str]:
    """Tags by which Dagster runs a range of partitions at once."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: assets.partition_key(span.discom, span.first),
        ASSET_PARTITION_RANGE_END_TAG: assets.partition_key(span.discom, span.last),
        "discom": span.discom,
    }


@dg.schedule(job=daily, cron_schedule="0 6 * * *", execution_timezone="Asia/Kolkata", default_status=dg.DefaultScheduleStatus.RUNNING)
def every_morning(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Yesterday of every DISCOM at 06:00 IST, by when head-end systems have delivered; what comes later is the sensor's."""
    yesterday = (context.scheduled_execution_time - timedelta(days=1)).date()
    with db.connect() as conn:
        codes = registry.discoms(conn)
    for discom in codes:
        context.instance.add_dynamic_partitions(str(assets.discoms.name), [discom])
        yield dg.RunRequest(run_key=f"{discom}:{yesterday}", partition_key=assets.partition_key(discom, yesterday), tags={"discom": discom})


@dg.sensor(job=daily, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def late_data(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each range of days with data that their last build did not see."""
    spans = stale.stale_ranges()
    if not spans:
        yield dg.SkipReason("every landed day is built")
    for span in spans:
        context.instance.add_dynamic_partitions(str(assets.discoms.name), [span.discom])
        yield dg.RunRequest(run_key=span.mark, tags={**range_tags(span), assets.LATE_DATA_TAG: "true"})


class Span(dg.Config):
    """Business days of a DISCOM, both ends included, as 2026-10-05."""

    discom: str
    first: str
    last: str


@dg.op
def judge_late_data(context: dg.OpExecutionContext, config: Span) -> None:
    """V34 for what landed of frozen days since they were billed."""
    with db.connect() as conn:
        discom_id = registry.discoms(conn)[config.discom]
    report = steps.rebill(config.discom, discom_id, date.fromisoformat(config.first), date.fromisoformat(config.last))
    context.log.info("%s exceptions written", report.written)


@dg.job
def rebill() -> None:
    """Judge late data of frozen days. Nothing is built."""
    judge_late_data()


@dg.sensor(job=rebill, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def late_data_of_frozen_days(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each range of frozen days of which something landed that was not judged yet."""
    spans = stale.rebill_ranges()
    if not spans:
        yield dg.SkipReason("nothing landed for frozen days")
    for span in spans:
        config = {"discom": span.discom, "first": span.first.isoformat(), "last": span.last.isoformat()}
        yield dg.RunRequest(run_key=span.mark, run_config={"ops": {"judge_late_data": {"config": config}}}, tags={"discom": span.discom})


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[daily],
    request_job=warming.warm_dashboards,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def day_built(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
    """The dashboards of a DISCOM whose days were built are asked for, where there is a cache to fill."""
    if reason := warming.why_not():
        return dg.SkipReason(reason)
    tags = context.dagster_run.tags
    code = tags.get("discom") or tags[f"{MULTIDIMENSIONAL_PARTITION_PREFIX}{assets.discoms.name}"]
    config = {"ops": {"ask_for_charts": {"config": {"discom": code}}}}
    return dg.RunRequest(run_key=context.dagster_run.run_id, run_config=config, tags={"discom": code})


defs = dg.Definitions(
    assets=[pulls.pull, pulls.reread, *assets.ALL, assets.report_views],
    asset_checks=[pulls.head_end_systems_deliver],
    jobs=[daily, rebill, monthly.audit_month, pulls.pull_job, pulls.freshness, deliveries.deliver_reports, warming.warm_dashboards],
    schedules=[every_morning, monthly.every_month, pulls.freshness_schedule],
    sensors=[late_data, late_data_of_frozen_days, pulls.pulls_due, deliveries.reports_due, day_built],
)
