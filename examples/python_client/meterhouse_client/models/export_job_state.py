from typing import Literal

ExportJobState = Literal["cancelled", "done", "expired", "failed", "queued", "running"]

EXPORT_JOB_STATE_VALUES: set[ExportJobState] = {
    "cancelled",
    "done",
    "expired",
    "failed",
    "queued",
    "running",
}


def check_export_job_state(value: str) -> ExportJobState:
    if value in EXPORT_JOB_STATE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {EXPORT_JOB_STATE_VALUES!r}"
    )
