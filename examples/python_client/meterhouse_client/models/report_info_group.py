from typing import Literal

ReportInfoGroup = Literal["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]

REPORT_INFO_GROUP_VALUES: set[ReportInfoGroup] = {
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


def check_report_info_group(value: str) -> ReportInfoGroup:
    if value in REPORT_INFO_GROUP_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORT_INFO_GROUP_VALUES!r}"
    )
