from typing import Literal

ProposalState = Literal["accepted", "proposed", "withdrawn"]

PROPOSAL_STATE_VALUES: set[ProposalState] = {
    "accepted",
    "proposed",
    "withdrawn",
}


def check_proposal_state(value: str) -> ProposalState:
    if value in PROPOSAL_STATE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {PROPOSAL_STATE_VALUES!r}"
    )
