from typing import Literal

PeriodSaidOfType0 = Literal["day", "financial_year", "month", "quarter", "week"]

PERIOD_SAID_OF_TYPE_0_VALUES: set[PeriodSaidOfType0] = {
    "day",
    "financial_year",
    "month",
    "quarter",
    "week",
}


def check_period_said_of_type_0(value: str) -> PeriodSaidOfType0:
    if value in PERIOD_SAID_OF_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {PERIOD_SAID_OF_TYPE_0_VALUES!r}"
    )
