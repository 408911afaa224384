from typing import Literal

ChildRowQuality = Literal["A", "D", "E", "F", "M", "M2", "P", "Q", "R", "S"]

CHILD_ROW_QUALITY_VALUES: set[ChildRowQuality] = {
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


def check_child_row_quality(value: str) -> ChildRowQuality:
    if value in CHILD_ROW_QUALITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CHILD_ROW_QUALITY_VALUES!r}"
    )
