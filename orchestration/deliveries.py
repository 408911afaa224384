"""Reports that go out by themselves, as Dagster sees them: a sensor that notes what is due and asks for a run, and the job that delivers.

What is due and how it is delivered is api.reports.schedules'. Nothing of a day waits for it, nor does it wait for a day: a report whose
last day is not built yet is tried again.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from api.reports.schedules import deliver, queue
from dashboards import screenshots
from warehouse import db

ASK_AGAIN_S = 600
"""A run that was asked for and never came is asked for again after so long."""


@dg.op
def deliver_reports_due(context: dg.OpExecutionContext) -> None:
    """Make and send what is due. What did not go out is in ops.report_delivery, with its reason, and is tried again."""
    with db.connect() as conn:
        done = deliver.deliver_due(conn, pictures=screenshots.write)
    for trouble in done.troubles:
        context.log.warning(trouble)
    context.log.info("%s sent, %s to be tried again, %s failed", done.sent, done.retried, done.failed)
    if done.failed:
        raise dg.Failure(f"{done.failed} report deliveries are given up: `meterhouse report-schedule history`", allow_retries=False)


@dg.job
def deliver_reports() -> None:
    """Send the reports that are due by their schedules."""
    deliver_reports_due()


@dg.sensor(job=deliver_reports, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def reports_due(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run where something is due. A file of schedules that is no good keeps its DISCOM's reports back, and is named in the log."""
    now = datetime.now(UTC)
    with db.connect() as conn:
        faults = queue.note_due(conn, now)
        waiting = queue.due(conn)
    for fault in faults:
        context.log.error(fault)
    if not waiting:
        yield dg.SkipReason("; ".join(faults) or "no report is due")
        return
    mark = hashlib.sha256(repr(waiting).encode()).hexdigest()[:16]
    yield dg.RunRequest(run_key=f"{mark}:{int(now.timestamp()) // ASK_AGAIN_S}")
