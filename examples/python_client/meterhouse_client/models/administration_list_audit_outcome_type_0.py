from typing import Literal

AdministrationListAuditOutcomeType0 = Literal["allowed", "changed", "refused"]

ADMINISTRATION_LIST_AUDIT_OUTCOME_TYPE_0_VALUES: set[
    AdministrationListAuditOutcomeType0
] = {
    "allowed",
    "changed",
    "refused",
}


def check_administration_list_audit_outcome_type_0(
    value: str,
) -> AdministrationListAuditOutcomeType0:
    if value in ADMINISTRATION_LIST_AUDIT_OUTCOME_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ADMINISTRATION_LIST_AUDIT_OUTCOME_TYPE_0_VALUES!r}"
    )
