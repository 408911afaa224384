from typing import Literal

AggregateFn = Literal[
    "avg", "count", "count_distinct", "max", "min", "ratio_of_sums", "sum"
]

AGGREGATE_FN_VALUES: set[AggregateFn] = {
    "avg",
    "count",
    "count_distinct",
    "max",
    "min",
    "ratio_of_sums",
    "sum",
}


def check_aggregate_fn(value: str) -> AggregateFn:
    if value in AGGREGATE_FN_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {AGGREGATE_FN_VALUES!r}"
    )
