from typing import Literal

ConsumptionResolution = Literal["day", "hour", "interval", "month"]

CONSUMPTION_RESOLUTION_VALUES: set[ConsumptionResolution] = {
    "day",
    "hour",
    "interval",
    "month",
}


def check_consumption_resolution(value: str) -> ConsumptionResolution:
    if value in CONSUMPTION_RESOLUTION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CONSUMPTION_RESOLUTION_VALUES!r}"
    )
