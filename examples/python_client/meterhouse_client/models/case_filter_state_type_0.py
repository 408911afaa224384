from typing import Literal

CaseFilterStateType0 = Literal["assigned", "open", "waiting"]

CASE_FILTER_STATE_TYPE_0_VALUES: set[CaseFilterStateType0] = {
    "assigned",
    "open",
    "waiting",
}


def check_case_filter_state_type_0(value: str) -> CaseFilterStateType0:
    if value in CASE_FILTER_STATE_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CASE_FILTER_STATE_TYPE_0_VALUES!r}"
    )
