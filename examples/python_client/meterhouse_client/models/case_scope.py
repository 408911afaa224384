from typing import Literal

CaseScope = Literal["dt", "feeder", "meter"]

CASE_SCOPE_VALUES: set[CaseScope] = {
    "dt",
    "feeder",
    "meter",
}


def check_case_scope(value: str) -> CaseScope:
    if value in CASE_SCOPE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CASE_SCOPE_VALUES!r}"
    )
