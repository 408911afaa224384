from typing import Literal

CaseFilterSeverityType0 = Literal["fail", "fatal", "info", "warn"]

CASE_FILTER_SEVERITY_TYPE_0_VALUES: set[CaseFilterSeverityType0] = {
    "fail",
    "fatal",
    "info",
    "warn",
}


def check_case_filter_severity_type_0(value: str) -> CaseFilterSeverityType0:
    if value in CASE_FILTER_SEVERITY_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CASE_FILTER_SEVERITY_TYPE_0_VALUES!r}"
    )
