from typing import Literal

ReportsGetReportPeriodType0 = Literal[
    "day", "financial_year", "month", "quarter", "week"
]

REPORTS_GET_REPORT_PERIOD_TYPE_0_VALUES: set[ReportsGetReportPeriodType0] = {
    "day",
    "financial_year",
    "month",
    "quarter",
    "week",
}


def check_reports_get_report_period_type_0(value: str) -> ReportsGetReportPeriodType0:
    if value in REPORTS_GET_REPORT_PERIOD_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORTS_GET_REPORT_PERIOD_TYPE_0_VALUES!r}"
    )
