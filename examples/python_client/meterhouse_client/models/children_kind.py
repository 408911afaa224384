from typing import Literal

ChildrenKind = Literal["dt", "feeder"]

CHILDREN_KIND_VALUES: set[ChildrenKind] = {
    "dt",
    "feeder",
}


def check_children_kind(value: str) -> ChildrenKind:
    if value in CHILDREN_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CHILDREN_KIND_VALUES!r}"
    )
