from typing import Literal

ReportsListReportsGroupType0 = Literal["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]

REPORTS_LIST_REPORTS_GROUP_TYPE_0_VALUES: set[ReportsListReportsGroupType0] = {
    "A",
    "B",
    "C",
    "D",
    "E",
    "F",
    "G",
    "H",
    "I",
    "J",
}


def check_reports_list_reports_group_type_0(value: str) -> ReportsListReportsGroupType0:
    if value in REPORTS_LIST_REPORTS_GROUP_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORTS_LIST_REPORTS_GROUP_TYPE_0_VALUES!r}"
    )
