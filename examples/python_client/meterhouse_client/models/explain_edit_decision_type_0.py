from typing import Literal

ExplainEditDecisionType0 = Literal["approved", "rejected", "withdrawn"]

EXPLAIN_EDIT_DECISION_TYPE_0_VALUES: set[ExplainEditDecisionType0] = {
    "approved",
    "rejected",
    "withdrawn",
}


def check_explain_edit_decision_type_0(value: str) -> ExplainEditDecisionType0:
    if value in EXPLAIN_EDIT_DECISION_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {EXPLAIN_EDIT_DECISION_TYPE_0_VALUES!r}"
    )
