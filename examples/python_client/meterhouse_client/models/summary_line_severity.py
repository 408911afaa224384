from typing import Literal

SummaryLineSeverity = Literal["fail", "fatal", "info", "warn"]

SUMMARY_LINE_SEVERITY_VALUES: set[SummaryLineSeverity] = {
    "fail",
    "fatal",
    "info",
    "warn",
}


def check_summary_line_severity(value: str) -> SummaryLineSeverity:
    if value in SUMMARY_LINE_SEVERITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {SUMMARY_LINE_SEVERITY_VALUES!r}"
    )
