from typing import Literal

SavedVisibility = Literal["private", "shared"]

SAVED_VISIBILITY_VALUES: set[SavedVisibility] = {
    "private",
    "shared",
}


def check_saved_visibility(value: str) -> SavedVisibility:
    if value in SAVED_VISIBILITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {SAVED_VISIBILITY_VALUES!r}"
    )
