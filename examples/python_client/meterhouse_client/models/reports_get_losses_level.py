from typing import Literal

ReportsGetLossesLevel = Literal["area", "atc", "dt", "feeder"]

REPORTS_GET_LOSSES_LEVEL_VALUES: set[ReportsGetLossesLevel] = {
    "area",
    "atc",
    "dt",
    "feeder",
}


def check_reports_get_losses_level(value: str) -> ReportsGetLossesLevel:
    if value in REPORTS_GET_LOSSES_LEVEL_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORTS_GET_LOSSES_LEVEL_VALUES!r}"
    )
