from typing import Literal

RulesListProposalsStateType0 = Literal["accepted", "proposed", "withdrawn"]

RULES_LIST_PROPOSALS_STATE_TYPE_0_VALUES: set[RulesListProposalsStateType0] = {
    "accepted",
    "proposed",
    "withdrawn",
}


def check_rules_list_proposals_state_type_0(value: str) -> RulesListProposalsStateType0:
    if value in RULES_LIST_PROPOSALS_STATE_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {RULES_LIST_PROPOSALS_STATE_TYPE_0_VALUES!r}"
    )
