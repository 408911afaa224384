"""What Dagster loads: assets, the job `daily`, its schedule, and the sensor that rebuilds what late data touched."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from orchestration import assets, stale
from warehouse import db, registry

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.assets(*assets.ALL),
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


defs = dg.Definitions(assets=assets.ALL, jobs=[daily], schedules=[every_morning], sensors=[late_data])
