from typing import Literal

CalculatedPeriod = Literal[
    "day", "financial_year", "hour", "hour_of_day", "month", "quarter", "week"
]

CALCULATED_PERIOD_VALUES: set[CalculatedPeriod] = {
    "day",
    "financial_year",
    "hour",
    "hour_of_day",
    "month",
    "quarter",
    "week",
}


def check_calculated_period(value: str) -> CalculatedPeriod:
    if value in CALCULATED_PERIOD_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CALCULATED_PERIOD_VALUES!r}"
    )
