from typing import Literal

EditReason = Literal[
    "AGREED_WITH_CONSUMER",
    "CHECK_METER",
    "CLOCK_ERROR",
    "COMMUNICATION_LOSS",
    "COURT_ORDER",
    "METER_FAULT",
    "METER_REPLACED",
    "OTHER",
    "POWER_OUTAGE",
    "REVERT",
    "TAMPER",
    "TEST",
    "WRONG_MULTIPLIER",
]

EDIT_REASON_VALUES: set[EditReason] = {
    "AGREED_WITH_CONSUMER",
    "CHECK_METER",
    "CLOCK_ERROR",
    "COMMUNICATION_LOSS",
    "COURT_ORDER",
    "METER_FAULT",
    "METER_REPLACED",
    "OTHER",
    "POWER_OUTAGE",
    "REVERT",
    "TAMPER",
    "TEST",
    "WRONG_MULTIPLIER",
}


def check_edit_reason(value: str) -> EditReason:
    if value in EDIT_REASON_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {EDIT_REASON_VALUES!r}"
    )
