from typing import Literal

MetersConsumptionResolution = Literal["day", "hour", "interval", "month"]

METERS_CONSUMPTION_RESOLUTION_VALUES: set[MetersConsumptionResolution] = {
    "day",
    "hour",
    "interval",
    "month",
}


def check_meters_consumption_resolution(value: str) -> MetersConsumptionResolution:
    if value in METERS_CONSUMPTION_RESOLUTION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METERS_CONSUMPTION_RESOLUTION_VALUES!r}"
    )
