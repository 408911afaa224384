from typing import Literal

FilterOp = Literal[
    "!=",
    "<",
    "<=",
    "=",
    ">",
    ">=",
    "between",
    "in",
    "is not null",
    "is null",
    "not in",
    "period",
    "starts with",
]

FILTER_OP_VALUES: set[FilterOp] = {
    "!=",
    "<",
    "<=",
    "=",
    ">",
    ">=",
    "between",
    "in",
    "is not null",
    "is null",
    "not in",
    "period",
    "starts with",
}


def check_filter_op(value: str) -> FilterOp:
    if value in FILTER_OP_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {FILTER_OP_VALUES!r}")
