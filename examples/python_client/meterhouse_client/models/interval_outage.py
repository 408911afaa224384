from typing import Literal

IntervalOutage = Literal["no", "partly", "wholly"]

INTERVAL_OUTAGE_VALUES: set[IntervalOutage] = {
    "no",
    "partly",
    "wholly",
}


def check_interval_outage(value: str) -> IntervalOutage:
    if value in INTERVAL_OUTAGE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {INTERVAL_OUTAGE_VALUES!r}"
    )
