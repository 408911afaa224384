from typing import Literal

RawValueVerdict = Literal["not built yet", "other", "same", "stands"]

RAW_VALUE_VERDICT_VALUES: set[RawValueVerdict] = {
    "not built yet",
    "other",
    "same",
    "stands",
}


def check_raw_value_verdict(value: str) -> RawValueVerdict:
    if value in RAW_VALUE_VERDICT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {RAW_VALUE_VERDICT_VALUES!r}"
    )
