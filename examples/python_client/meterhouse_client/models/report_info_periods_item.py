from typing import Literal

ReportInfoPeriodsItem = Literal["day", "financial_year", "month", "quarter", "week"]

REPORT_INFO_PERIODS_ITEM_VALUES: set[ReportInfoPeriodsItem] = {
    "day",
    "financial_year",
    "month",
    "quarter",
    "week",
}


def check_report_info_periods_item(value: str) -> ReportInfoPeriodsItem:
    if value in REPORT_INFO_PERIODS_ITEM_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {REPORT_INFO_PERIODS_ITEM_VALUES!r}"
    )
