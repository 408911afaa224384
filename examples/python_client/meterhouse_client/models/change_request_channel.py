from typing import Literal

ChangeRequestChannel = Literal["export_wh", "import_vah", "import_wh"]

CHANGE_REQUEST_CHANNEL_VALUES: set[ChangeRequestChannel] = {
    "export_wh",
    "import_vah",
    "import_wh",
}


def check_change_request_channel(value: str) -> ChangeRequestChannel:
    if value in CHANGE_REQUEST_CHANNEL_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CHANGE_REQUEST_CHANNEL_VALUES!r}"
    )
