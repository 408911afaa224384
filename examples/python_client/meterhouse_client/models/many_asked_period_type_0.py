from typing import Literal

ManyAskedPeriodType0 = Literal["day", "financial_year", "month", "quarter", "week"]

MANY_ASKED_PERIOD_TYPE_0_VALUES: set[ManyAskedPeriodType0] = {
    "day",
    "financial_year",
    "month",
    "quarter",
    "week",
}


def check_many_asked_period_type_0(value: str) -> ManyAskedPeriodType0:
    if value in MANY_ASKED_PERIOD_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {MANY_ASKED_PERIOD_TYPE_0_VALUES!r}"
    )
