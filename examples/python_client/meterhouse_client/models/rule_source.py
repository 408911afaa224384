from typing import Literal

RuleSource = Literal["base", "overlay"]

RULE_SOURCE_VALUES: set[RuleSource] = {
    "base",
    "overlay",
}


def check_rule_source(value: str) -> RuleSource:
    if value in RULE_SOURCE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {RULE_SOURCE_VALUES!r}"
    )
