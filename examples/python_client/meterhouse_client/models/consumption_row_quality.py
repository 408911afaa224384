from typing import Literal

ConsumptionRowQuality = Literal["A", "D", "E", "F", "M", "M2", "P", "Q", "R", "S"]

CONSUMPTION_ROW_QUALITY_VALUES: set[ConsumptionRowQuality] = {
    "A",
    "D",
    "E",
    "F",
    "M",
    "M2",
    "P",
    "Q",
    "R",
    "S",
}


def check_consumption_row_quality(value: str) -> ConsumptionRowQuality:
    if value in CONSUMPTION_ROW_QUALITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CONSUMPTION_ROW_QUALITY_VALUES!r}"
    )
