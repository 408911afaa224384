from typing import Literal

EnergyDtResolution = Literal["day", "interval", "month"]

ENERGY_DT_RESOLUTION_VALUES: set[EnergyDtResolution] = {
    "day",
    "interval",
    "month",
}


def check_energy_dt_resolution(value: str) -> EnergyDtResolution:
    if value in ENERGY_DT_RESOLUTION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ENERGY_DT_RESOLUTION_VALUES!r}"
    )
