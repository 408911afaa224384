from typing import Literal

ReportsExportReportFormat = Literal["csv", "json", "parquet", "pdf", "xlsx", "xml"]

REPORTS_EXPORT_REPORT_FORMAT_VALUES: set[ReportsExportReportFormat] = {
    "csv",
    "json",
    "parquet",
    "pdf",
    "xlsx",
    "xml",
}


def check_reports_export_report_format(value: str) -> ReportsExportReportFormat:
    if value in REPORTS_EXPORT_REPORT_FORMAT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORTS_EXPORT_REPORT_FORMAT_VALUES!r}"
    )
