from typing import Literal

EditsListEditsStateType0 = Literal["approved", "pending", "rejected", "withdrawn"]

EDITS_LIST_EDITS_STATE_TYPE_0_VALUES: set[EditsListEditsStateType0] = {
    "approved",
    "pending",
    "rejected",
    "withdrawn",
}


def check_edits_list_edits_state_type_0(value: str) -> EditsListEditsStateType0:
    if value in EDITS_LIST_EDITS_STATE_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {EDITS_LIST_EDITS_STATE_TYPE_0_VALUES!r}"
    )
