from typing import Literal

DiffChannel = Literal["export_wh", "import_vah", "import_wh"]

DIFF_CHANNEL_VALUES: set[DiffChannel] = {
    "export_wh",
    "import_vah",
    "import_wh",
}


def check_diff_channel(value: str) -> DiffChannel:
    if value in DIFF_CHANNEL_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {DIFF_CHANNEL_VALUES!r}"
    )
