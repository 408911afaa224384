"""The monthly audit in Dagster: tags and currents of the month before, of every DISCOM, when its last days have come in."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg

from audit import job
from warehouse import db, registry


class Month(dg.Config):
    """A DISCOM and any day of a month, as 2026-10-01."""

    discom: str
    month: str


@dg.op
def check_tags_and_currents(context: dg.OpExecutionContext, config: Month) -> None:
    """Fill energy.suspected_tag and energy.current_mismatch of a month. A month without a built day is passed over."""
    with db.connect() as conn:
        discom_id = registry.discoms(conn)[config.discom]
    try:
        report = job.audit_month(discom_id, config.discom, date.fromisoformat(config.month))
    except job.NothingBuiltError as nothing:
        context.log.warning(str(nothing))
        return
    context.log.info("%s", report)


@dg.job
def audit_month() -> None:
    """Which consumers hang at another DT than their tag says, and which meters do not count what flows."""
    check_tags_and_currents()


@dg.schedule(job=audit_month, cron_schedule="0 7 3 * *", execution_timezone="Asia/Kolkata", default_status=dg.DefaultScheduleStatus.RUNNING)
def every_month(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """The month before, on the third day at 07:00 IST."""
    month = (context.scheduled_execution_time.date().replace(day=1) - timedelta(days=1)).replace(day=1)
    with db.connect() as conn:
        codes = registry.discoms(conn)
    for discom in codes:
        config = {"discom": discom, "month": month.isoformat()}
        yield dg.RunRequest(
            run_key=f"{discom}:{month}", run_config={"ops": {"check_tags_and_currents": {"config": config}}}, tags={"discom": discom}
        )
