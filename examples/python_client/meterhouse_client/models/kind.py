from typing import Literal

Kind = Literal[
    "clock_sync",
    "connect",
    "disconnect",
    "load_limit",
    "read",
    "read_profile",
    "tod_calendar",
]

KIND_VALUES: set[Kind] = {
    "clock_sync",
    "connect",
    "disconnect",
    "load_limit",
    "read",
    "read_profile",
    "tod_calendar",
}


def check_kind(value: str) -> Kind:
    if value in KIND_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {KIND_VALUES!r}")
