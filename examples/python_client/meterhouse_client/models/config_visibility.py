from typing import Literal

ConfigVisibility = Literal["private", "shared"]

CONFIG_VISIBILITY_VALUES: set[ConfigVisibility] = {
    "private",
    "shared",
}


def check_config_visibility(value: str) -> ConfigVisibility:
    if value in CONFIG_VISIBILITY_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CONFIG_VISIBILITY_VALUES!r}"
    )
