from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.profile_day_type import ProfileDayType, check_profile_day_type

if TYPE_CHECKING:
    from ..models.profile_slot import ProfileSlot


T = TypeVar("T", bound="Profile")


@_attrs_define
class Profile:
    """A typical day of a meter: of its final values, multiplying factor applied.

    Attributes:
        meter (str):
        first (datetime.date):
        last (datetime.date):
        timezone (str):
        day_type (ProfileDayType): sunday: or a holiday
        interval_min (int | None):
        days (int): that it was made of: no interval of them is missing
        day_kwh (float | None): mean energy of a day
        category (None | str): class of consumers that it is compared with
        slots (list[ProfileSlot]):
    """

    meter: str
    first: datetime.date
    last: datetime.date
    timezone: str
    day_type: ProfileDayType
    interval_min: int | None
    days: int
    day_kwh: float | None
    category: None | str
    slots: list[ProfileSlot]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        meter = self.meter

        first = self.first.isoformat()

        last = self.last.isoformat()

        timezone = self.timezone

        day_type: str = self.day_type

        interval_min: int | None
        interval_min = self.interval_min

        days = self.days

        day_kwh: float | None
        day_kwh = self.day_kwh

        category: None | str
        category = self.category

        slots = []
        for slots_item_data in self.slots:
            slots_item = slots_item_data.to_dict()
            slots.append(slots_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "meter": meter,
                "first": first,
                "last": last,
                "timezone": timezone,
                "day_type": day_type,
                "interval_min": interval_min,
                "days": days,
                "day_kwh": day_kwh,
                "category": category,
                "slots": slots,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.profile_slot import ProfileSlot  # noqa: PLC0415

        d = dict(src_dict)
        meter = d.pop("meter")

        first = datetime.date.fromisoformat(d.pop("first"))

        last = datetime.date.fromisoformat(d.pop("last"))

        timezone = d.pop("timezone")

        day_type = check_profile_day_type(d.pop("day_type"))

        def _parse_interval_min(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        interval_min = _parse_interval_min(d.pop("interval_min"))

        days = d.pop("days")

        def _parse_day_kwh(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        day_kwh = _parse_day_kwh(d.pop("day_kwh"))

        def _parse_category(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        category = _parse_category(d.pop("category"))

        slots = []
        _slots = d.pop("slots")
        for slots_item_data in _slots:
            slots_item = ProfileSlot.from_dict(slots_item_data)

            slots.append(slots_item)

        profile = cls(
            meter=meter,
            first=first,
            last=last,
            timezone=timezone,
            day_type=day_type,
            interval_min=interval_min,
            days=days,
            day_kwh=day_kwh,
            category=category,
            slots=slots,
        )

        profile.additional_properties = d
        return profile

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
