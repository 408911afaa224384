from typing import Literal

ConfigLineVisibility = Literal["private", "shared"]

CONFIG_LINE_VISIBILITY_VALUES: set[ConfigLineVisibility] = {
    "private",
    "shared",
}


def check_config_line_visibility(value: str) -> ConfigLineVisibility:
    if value in CONFIG_LINE_VISIBILITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CONFIG_LINE_VISIBILITY_VALUES!r}"
    )
