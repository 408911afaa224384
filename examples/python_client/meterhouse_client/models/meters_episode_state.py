from typing import Literal

MetersEpisodeState = Literal["lost restoration", "open", "restored", "single"]

METERS_EPISODE_STATE_VALUES: set[MetersEpisodeState] = {
    "lost restoration",
    "open",
    "restored",
    "single",
}


def check_meters_episode_state(value: str) -> MetersEpisodeState:
    if value in METERS_EPISODE_STATE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {METERS_EPISODE_STATE_VALUES!r}"
    )
