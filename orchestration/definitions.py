"""What Dagster loads: assets, the job `daily`, its schedule, the sensor that rebuilds what late data touched, and the pulls."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from orchestration import assets, pulls, stale
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
        yield dg.RunRequest(
            run_key=f"{span.discom}:{span.first}:{span.last}:{span.upto_batch}", tags={**range_tags(span), assets.LATE_DATA_TAG: "true"}
        )


defs = dg.Definitions(
    assets=[pulls.pull, pulls.reread, *assets.ALL],
    asset_checks=[pulls.head_end_systems_deliver],
    jobs=[daily, pulls.pull_job, pulls.freshness],
    schedules=[every_morning, pulls.freshness_schedule],
    sensors=[late_data, pulls.pulls_due],
)
