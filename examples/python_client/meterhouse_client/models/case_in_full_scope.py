from typing import Literal

CaseInFullScope = Literal["dt", "feeder", "meter"]

CASE_IN_FULL_SCOPE_VALUES: set[CaseInFullScope] = {
    "dt",
    "feeder",
    "meter",
}


def check_case_in_full_scope(value: str) -> CaseInFullScope:
    if value in CASE_IN_FULL_SCOPE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CASE_IN_FULL_SCOPE_VALUES!r}"
    )
