from typing import Literal

BalanceRowQuality = Literal["A", "D", "E", "F", "M", "M2", "P", "Q", "R", "S"]

BALANCE_ROW_QUALITY_VALUES: set[BalanceRowQuality] = {
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


def check_balance_row_quality(value: str) -> BalanceRowQuality:
    if value in BALANCE_ROW_QUALITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {BALANCE_ROW_QUALITY_VALUES!r}"
    )
