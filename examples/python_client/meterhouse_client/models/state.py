from typing import Literal

State = Literal[
    "acknowledged",
    "cancelled",
    "done",
    "failed",
    "queued",
    "sent",
    "timed_out",
    "unknown",
]

STATE_VALUES: set[State] = {
    "acknowledged",
    "cancelled",
    "done",
    "failed",
    "queued",
    "sent",
    "timed_out",
    "unknown",
}


def check_state(value: str) -> State:
    if value in STATE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {STATE_VALUES!r}")
