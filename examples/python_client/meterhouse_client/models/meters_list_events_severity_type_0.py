from typing import Literal

MetersListEventsSeverityType0 = Literal["critical", "info", "major", "minor"]

METERS_LIST_EVENTS_SEVERITY_TYPE_0_VALUES: set[MetersListEventsSeverityType0] = {
    "critical",
    "info",
    "major",
    "minor",
}


def check_meters_list_events_severity_type_0(
    value: str,
) -> MetersListEventsSeverityType0:
    if value in METERS_LIST_EVENTS_SEVERITY_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METERS_LIST_EVENTS_SEVERITY_TYPE_0_VALUES!r}"
    )
