from typing import Literal

CaseSeverity = Literal["fail", "fatal", "info", "warn"]

CASE_SEVERITY_VALUES: set[CaseSeverity] = {
    "fail",
    "fatal",
    "info",
    "warn",
}


def check_case_severity(value: str) -> CaseSeverity:
    if value in CASE_SEVERITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CASE_SEVERITY_VALUES!r}"
    )
