from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ProfileSlot")


@_attrs_define
class ProfileSlot:
    """
    Attributes:
        slot (int):
        start (str): time of day in the DISCOM's zone
        mean_kwh (float | None):
        min_kwh (float | None):
        max_kwh (float | None):
        class_kwh (float | None): the day's mean energy, spread as its class of consumers spreads theirs
    """

    slot: int
    start: str
    mean_kwh: float | None
    min_kwh: float | None
    max_kwh: float | None
    class_kwh: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        slot = self.slot

        start = self.start

        mean_kwh: float | None
        mean_kwh = self.mean_kwh

        min_kwh: float | None
        min_kwh = self.min_kwh

        max_kwh: float | None
        max_kwh = self.max_kwh

        class_kwh: float | None
        class_kwh = self.class_kwh

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "slot": slot,
                "start": start,
                "mean_kwh": mean_kwh,
                "min_kwh": min_kwh,
                "max_kwh": max_kwh,
                "class_kwh": class_kwh,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        slot = d.pop("slot")

        start = d.pop("start")

        def _parse_mean_kwh(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        mean_kwh = _parse_mean_kwh(d.pop("mean_kwh"))

        def _parse_min_kwh(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        min_kwh = _parse_min_kwh(d.pop("min_kwh"))

        def _parse_max_kwh(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        max_kwh = _parse_max_kwh(d.pop("max_kwh"))

        def _parse_class_kwh(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        class_kwh = _parse_class_kwh(d.pop("class_kwh"))

        profile_slot = cls(
            slot=slot,
            start=start,
            mean_kwh=mean_kwh,
            min_kwh=min_kwh,
            max_kwh=max_kwh,
            class_kwh=class_kwh,
        )

        profile_slot.additional_properties = d
        return profile_slot

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
