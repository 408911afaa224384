from typing import Literal

EditsEditState = Literal["approved", "pending", "rejected", "withdrawn"]

EDITS_EDIT_STATE_VALUES: set[EditsEditState] = {
    "approved",
    "pending",
    "rejected",
    "withdrawn",
}


def check_edits_edit_state(value: str) -> EditsEditState:
    if value in EDITS_EDIT_STATE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {EDITS_EDIT_STATE_VALUES!r}"
    )
