from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.meters_events_json_body_events_item import (
        MetersEventsJsonBodyEventsItem,
    )
    from ..models.meters_events_json_body_profiles_item import (
        MetersEventsJsonBodyProfilesItem,
    )
    from ..models.meters_events_json_body_registers_item import (
        MetersEventsJsonBodyRegistersItem,
    )
    from ..models.meters_events_json_body_values_item import (
        MetersEventsJsonBodyValuesItem,
    )


T = TypeVar("T", bound="MetersEventsJsonBody")


@_attrs_define
class MetersEventsJsonBody:
    """
    Attributes:
        profiles (list[MetersEventsJsonBodyProfilesItem] | Unset):
        registers (list[MetersEventsJsonBodyRegistersItem] | Unset):
        events (list[MetersEventsJsonBodyEventsItem] | Unset):
        values (list[MetersEventsJsonBodyValuesItem] | Unset):
    """

    profiles: list[MetersEventsJsonBodyProfilesItem] | Unset = UNSET
    registers: list[MetersEventsJsonBodyRegistersItem] | Unset = UNSET
    events: list[MetersEventsJsonBodyEventsItem] | Unset = UNSET
    values: list[MetersEventsJsonBodyValuesItem] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        profiles: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.profiles, Unset):
            profiles = []
            for profiles_item_data in self.profiles:
                profiles_item = profiles_item_data.to_dict()
                profiles.append(profiles_item)

        registers: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.registers, Unset):
            registers = []
            for registers_item_data in self.registers:
                registers_item = registers_item_data.to_dict()
                registers.append(registers_item)

        events: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.events, Unset):
            events = []
            for events_item_data in self.events:
                events_item = events_item_data.to_dict()
                events.append(events_item)

        values: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.values, Unset):
            values = []
            for values_item_data in self.values:
                values_item = values_item_data.to_dict()
                values.append(values_item)

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if profiles is not UNSET:
            field_dict["profiles"] = profiles
        if registers is not UNSET:
            field_dict["registers"] = registers
        if events is not UNSET:
            field_dict["events"] = events
        if values is not UNSET:
            field_dict["values"] = values

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.meters_events_json_body_events_item import (
            MetersEventsJsonBodyEventsItem,  # noqa: PLC0415
        )
        from ..models.meters_events_json_body_profiles_item import (
            MetersEventsJsonBodyProfilesItem,  # noqa: PLC0415
        )
        from ..models.meters_events_json_body_registers_item import (
            MetersEventsJsonBodyRegistersItem,  # noqa: PLC0415
        )
        from ..models.meters_events_json_body_values_item import (
            MetersEventsJsonBodyValuesItem,  # noqa: PLC0415
        )

        d = dict(src_dict)
        _profiles = d.pop("profiles", UNSET)
        profiles: list[MetersEventsJsonBodyProfilesItem] | Unset = UNSET
        if _profiles is not UNSET:
            profiles = []
            for profiles_item_data in _profiles:
                profiles_item = MetersEventsJsonBodyProfilesItem.from_dict(
                    profiles_item_data
                )

                profiles.append(profiles_item)

        _registers = d.pop("registers", UNSET)
        registers: list[MetersEventsJsonBodyRegistersItem] | Unset = UNSET
        if _registers is not UNSET:
            registers = []
            for registers_item_data in _registers:
                registers_item = MetersEventsJsonBodyRegistersItem.from_dict(
                    registers_item_data
                )

                registers.append(registers_item)

        _events = d.pop("events", UNSET)
        events: list[MetersEventsJsonBodyEventsItem] | Unset = UNSET
        if _events is not UNSET:
            events = []
            for events_item_data in _events:
                events_item = MetersEventsJsonBodyEventsItem.from_dict(events_item_data)

                events.append(events_item)

        _values = d.pop("values", UNSET)
        values: list[MetersEventsJsonBodyValuesItem] | Unset = UNSET
        if _values is not UNSET:
            values = []
            for values_item_data in _values:
                values_item = MetersEventsJsonBodyValuesItem.from_dict(values_item_data)

                values.append(values_item)

        meters_events_json_body = cls(
            profiles=profiles,
            registers=registers,
            events=events,
            values=values,
        )

        return meters_events_json_body
