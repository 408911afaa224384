from typing import Literal

BalancesResolution = Literal["day", "interval", "month"]

BALANCES_RESOLUTION_VALUES: set[BalancesResolution] = {
    "day",
    "interval",
    "month",
}


def check_balances_resolution(value: str) -> BalancesResolution:
    if value in BALANCES_RESOLUTION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {BALANCES_RESOLUTION_VALUES!r}"
    )
