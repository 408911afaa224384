from typing import Literal

MetersConsumptionLayer = Literal["estimated", "final", "raw"]

METERS_CONSUMPTION_LAYER_VALUES: set[MetersConsumptionLayer] = {
    "estimated",
    "final",
    "raw",
}


def check_meters_consumption_layer(value: str) -> MetersConsumptionLayer:
    if value in METERS_CONSUMPTION_LAYER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METERS_CONSUMPTION_LAYER_VALUES!r}"
    )
