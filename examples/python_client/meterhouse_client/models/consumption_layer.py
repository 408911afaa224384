from typing import Literal

ConsumptionLayer = Literal["estimated", "final", "raw"]

CONSUMPTION_LAYER_VALUES: set[ConsumptionLayer] = {
    "estimated",
    "final",
    "raw",
}


def check_consumption_layer(value: str) -> ConsumptionLayer:
    if value in CONSUMPTION_LAYER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CONSUMPTION_LAYER_VALUES!r}"
    )
