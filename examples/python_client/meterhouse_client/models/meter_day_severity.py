from typing import Literal

MeterDaySeverity = Literal["fail", "fatal", "info", "warn"]

METER_DAY_SEVERITY_VALUES: set[MeterDaySeverity] = {
    "fail",
    "fatal",
    "info",
    "warn",
}


def check_meter_day_severity(value: str) -> MeterDaySeverity:
    if value in METER_DAY_SEVERITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METER_DAY_SEVERITY_VALUES!r}"
    )
