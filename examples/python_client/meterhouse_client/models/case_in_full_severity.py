from typing import Literal

CaseInFullSeverity = Literal["fail", "fatal", "info", "warn"]

CASE_IN_FULL_SEVERITY_VALUES: set[CaseInFullSeverity] = {
    "fail",
    "fatal",
    "info",
    "warn",
}


def check_case_in_full_severity(value: str) -> CaseInFullSeverity:
    if value in CASE_IN_FULL_SEVERITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CASE_IN_FULL_SEVERITY_VALUES!r}"
    )
