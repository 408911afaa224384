from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.meters_episode_source import (
    MetersEpisodeSource,
    check_meters_episode_source,
)
from ..models.meters_episode_state import MetersEpisodeState, check_meters_episode_state

T = TypeVar("T", bound="MetersEpisode")


@_attrs_define
class MetersEpisode:
    """What a meter reported, with what ended it.

    Attributes:
        event (str):
        family (str):
        log (str):
        severity (str):
        code (int | None): of the event profile; null = seen in the status word
        source (MetersEpisodeSource):
        occurred_at (datetime.datetime):
        ended_at (datetime.datetime | None):
        duration_s (int | None):
        state (MetersEpisodeState):
    """

    event: str
    family: str
    log: str
    severity: str
    code: int | None
    source: MetersEpisodeSource
    occurred_at: datetime.datetime
    ended_at: datetime.datetime | None
    duration_s: int | None
    state: MetersEpisodeState
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        event = self.event

        family = self.family

        log = self.log

        severity = self.severity

        code: int | None
        code = self.code

        source: str = self.source

        occurred_at = self.occurred_at.isoformat()

        ended_at: None | str
        if isinstance(self.ended_at, datetime.datetime):
            ended_at = self.ended_at.isoformat()
        else:
            ended_at = self.ended_at

        duration_s: int | None
        duration_s = self.duration_s

        state: str = self.state

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "event": event,
                "family": family,
                "log": log,
                "severity": severity,
                "code": code,
                "source": source,
                "occurred_at": occurred_at,
                "ended_at": ended_at,
                "duration_s": duration_s,
                "state": state,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        event = d.pop("event")

        family = d.pop("family")

        log = d.pop("log")

        severity = d.pop("severity")

        def _parse_code(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        code = _parse_code(d.pop("code"))

        source = check_meters_episode_source(d.pop("source"))

        occurred_at = datetime.datetime.fromisoformat(d.pop("occurred_at"))

        def _parse_ended_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                ended_at_type_0 = datetime.datetime.fromisoformat(data)

                return ended_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        ended_at = _parse_ended_at(d.pop("ended_at"))

        def _parse_duration_s(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        duration_s = _parse_duration_s(d.pop("duration_s"))

        state = check_meters_episode_state(d.pop("state"))

        meters_episode = cls(
            event=event,
            family=family,
            log=log,
            severity=severity,
            code=code,
            source=source,
            occurred_at=occurred_at,
            ended_at=ended_at,
            duration_s=duration_s,
            state=state,
        )

        meters_episode.additional_properties = d
        return meters_episode

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
