from typing import Literal

MetersProfileDayType = Literal["all", "saturday", "sunday", "weekday"]

METERS_PROFILE_DAY_TYPE_VALUES: set[MetersProfileDayType] = {
    "all",
    "saturday",
    "sunday",
    "weekday",
}


def check_meters_profile_day_type(value: str) -> MetersProfileDayType:
    if value in METERS_PROFILE_DAY_TYPE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METERS_PROFILE_DAY_TYPE_VALUES!r}"
    )
