from typing import Literal

HeadKind = Literal["dt", "feeder", "office"]

HEAD_KIND_VALUES: set[HeadKind] = {
    "dt",
    "feeder",
    "office",
}


def check_head_kind(value: str) -> HeadKind:
    if value in HEAD_KIND_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {HEAD_KIND_VALUES!r}")
