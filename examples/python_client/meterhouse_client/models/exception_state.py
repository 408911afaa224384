from typing import Literal

ExceptionState = Literal["cleared", "closed", "estimated", "open"]

EXCEPTION_STATE_VALUES: set[ExceptionState] = {
    "cleared",
    "closed",
    "estimated",
    "open",
}


def check_exception_state(value: str) -> ExceptionState:
    if value in EXCEPTION_STATE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {EXCEPTION_STATE_VALUES!r}"
    )
