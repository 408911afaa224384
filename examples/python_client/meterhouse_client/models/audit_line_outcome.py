from typing import Literal

AuditLineOutcome = Literal["allowed", "changed", "refused"]

AUDIT_LINE_OUTCOME_VALUES: set[AuditLineOutcome] = {
    "allowed",
    "changed",
    "refused",
}


def check_audit_line_outcome(value: str) -> AuditLineOutcome:
    if value in AUDIT_LINE_OUTCOME_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {AUDIT_LINE_OUTCOME_VALUES!r}"
    )
