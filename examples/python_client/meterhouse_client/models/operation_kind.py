from typing import Literal

OperationKind = Literal[
    "copy", "interpolate", "revert", "scale", "scale_to", "set", "zero"
]

OPERATION_KIND_VALUES: set[OperationKind] = {
    "copy",
    "interpolate",
    "revert",
    "scale",
    "scale_to",
    "set",
    "zero",
}


def check_operation_kind(value: str) -> OperationKind:
    if value in OPERATION_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {OPERATION_KIND_VALUES!r}"
    )
