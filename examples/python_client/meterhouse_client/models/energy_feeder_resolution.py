from typing import Literal

EnergyFeederResolution = Literal["day", "interval", "month"]

ENERGY_FEEDER_RESOLUTION_VALUES: set[EnergyFeederResolution] = {
    "day",
    "interval",
    "month",
}


def check_energy_feeder_resolution(value: str) -> EnergyFeederResolution:
    if value in ENERGY_FEEDER_RESOLUTION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ENERGY_FEEDER_RESOLUTION_VALUES!r}"
    )
