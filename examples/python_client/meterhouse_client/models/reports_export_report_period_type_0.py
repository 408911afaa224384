from typing import Literal

ReportsExportReportPeriodType0 = Literal[
    "day", "financial_year", "month", "quarter", "week"
]

REPORTS_EXPORT_REPORT_PERIOD_TYPE_0_VALUES: set[ReportsExportReportPeriodType0] = {
    "day",
    "financial_year",
    "month",
    "quarter",
    "week",
}


def check_reports_export_report_period_type_0(
    value: str,
) -> ReportsExportReportPeriodType0:
    if value in REPORTS_EXPORT_REPORT_PERIOD_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORTS_EXPORT_REPORT_PERIOD_TYPE_0_VALUES!r}"
    )
