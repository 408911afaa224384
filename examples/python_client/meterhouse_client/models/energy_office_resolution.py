from typing import Literal

EnergyOfficeResolution = Literal["day", "month"]

ENERGY_OFFICE_RESOLUTION_VALUES: set[EnergyOfficeResolution] = {
    "day",
    "month",
}


def check_energy_office_resolution(value: str) -> EnergyOfficeResolution:
    if value in ENERGY_OFFICE_RESOLUTION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ENERGY_OFFICE_RESOLUTION_VALUES!r}"
    )
