from typing import Literal

Resolution = Literal[
    "cleared",
    "communication",
    "edited",
    "master_data",
    "merged",
    "meter_fault",
    "other",
    "tamper",
    "value_accepted",
]

RESOLUTION_VALUES: set[Resolution] = {
    "cleared",
    "communication",
    "edited",
    "master_data",
    "merged",
    "meter_fault",
    "other",
    "tamper",
    "value_accepted",
}


def check_resolution(value: str) -> Resolution:
    if value in RESOLUTION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {RESOLUTION_VALUES!r}"
    )
