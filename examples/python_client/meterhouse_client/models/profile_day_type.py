from typing import Literal

ProfileDayType = Literal["all", "saturday", "sunday", "weekday"]

PROFILE_DAY_TYPE_VALUES: set[ProfileDayType] = {
    "all",
    "saturday",
    "sunday",
    "weekday",
}


def check_profile_day_type(value: str) -> ProfileDayType:
    if value in PROFILE_DAY_TYPE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {PROFILE_DAY_TYPE_VALUES!r}"
    )
