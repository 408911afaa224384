from typing import Literal

InstalledPlaceType0 = Literal["consumer", "dt", "feeder"]

INSTALLED_PLACE_TYPE_0_VALUES: set[InstalledPlaceType0] = {
    "consumer",
    "dt",
    "feeder",
}


def check_installed_place_type_0(value: str) -> InstalledPlaceType0:
    if value in INSTALLED_PLACE_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {INSTALLED_PLACE_TYPE_0_VALUES!r}"
    )
