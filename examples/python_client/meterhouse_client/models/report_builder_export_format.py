from typing import Literal

ReportBuilderExportFormat = Literal["csv", "json", "parquet", "pdf", "xlsx", "xml"]

REPORT_BUILDER_EXPORT_FORMAT_VALUES: set[ReportBuilderExportFormat] = {
    "csv",
    "json",
    "parquet",
    "pdf",
    "xlsx",
    "xml",
}


def check_report_builder_export_format(value: str) -> ReportBuilderExportFormat:
    if value in REPORT_BUILDER_EXPORT_FORMAT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORT_BUILDER_EXPORT_FORMAT_VALUES!r}"
    )
