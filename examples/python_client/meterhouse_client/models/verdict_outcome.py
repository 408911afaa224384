from typing import Literal

VerdictOutcome = Literal["failed", "not for this meter", "not judged", "off", "passed"]

VERDICT_OUTCOME_VALUES: set[VerdictOutcome] = {
    "failed",
    "not for this meter",
    "not judged",
    "off",
    "passed",
}


def check_verdict_outcome(value: str) -> VerdictOutcome:
    if value in VERDICT_OUTCOME_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {VERDICT_OUTCOME_VALUES!r}"
    )
