from typing import Literal

CasesListCasesSeverityType0 = Literal["fail", "fatal", "info", "warn"]

CASES_LIST_CASES_SEVERITY_TYPE_0_VALUES: set[CasesListCasesSeverityType0] = {
    "fail",
    "fatal",
    "info",
    "warn",
}


def check_cases_list_cases_severity_type_0(value: str) -> CasesListCasesSeverityType0:
    if value in CASES_LIST_CASES_SEVERITY_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CASES_LIST_CASES_SEVERITY_TYPE_0_VALUES!r}"
    )
