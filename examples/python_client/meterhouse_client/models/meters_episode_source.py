from typing import Literal

MetersEpisodeSource = Literal["event", "status"]

METERS_EPISODE_SOURCE_VALUES: set[MetersEpisodeSource] = {
    "event",
    "status",
}


def check_meters_episode_source(value: str) -> MetersEpisodeSource:
    if value in METERS_EPISODE_SOURCE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METERS_EPISODE_SOURCE_VALUES!r}"
    )
