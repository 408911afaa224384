from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.diff_channel import DiffChannel, check_diff_channel

T = TypeVar("T", bound="Diff")


@_attrs_define
class Diff:
    """What a change does to a day.

    Attributes:
        meter (str):
        day (datetime.date):
        channel (DiffChannel):
        before_wh (int):
        after_wh (int):
        difference_wh (int):
        slots (int): that change
        needs_approval (bool):
        warnings (list[str]):
        before (list[int | None]):
        after (list[int | None]):
    """

    meter: str
    day: datetime.date
    channel: DiffChannel
    before_wh: int
    after_wh: int
    difference_wh: int
    slots: int
    needs_approval: bool
    warnings: list[str]
    before: list[int | None]
    after: list[int | None]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        meter = self.meter

        day = self.day.isoformat()

        channel: str = self.channel

        before_wh = self.before_wh

        after_wh = self.after_wh

        difference_wh = self.difference_wh

        slots = self.slots

        needs_approval = self.needs_approval

        warnings = self.warnings

        before = []
        for before_item_data in self.before:
            before_item: int | None
            before_item = before_item_data
            before.append(before_item)

        after = []
        for after_item_data in self.after:
            after_item: int | None
            after_item = after_item_data
            after.append(after_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "meter": meter,
                "day": day,
                "channel": channel,
                "before_wh": before_wh,
                "after_wh": after_wh,
                "difference_wh": difference_wh,
                "slots": slots,
                "needs_approval": needs_approval,
                "warnings": warnings,
                "before": before,
                "after": after,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        meter = d.pop("meter")

        day = datetime.date.fromisoformat(d.pop("day"))

        channel = check_diff_channel(d.pop("channel"))

        before_wh = d.pop("before_wh")

        after_wh = d.pop("after_wh")

        difference_wh = d.pop("difference_wh")

        slots = d.pop("slots")

        needs_approval = d.pop("needs_approval")

        warnings = cast(list[str], d.pop("warnings"))

        before = []
        _before = d.pop("before")
        for before_item_data in _before:

            def _parse_before_item(data: object) -> int | None:
                if data is None:
                    return data
                return cast(int | None, data)

            before_item = _parse_before_item(before_item_data)

            before.append(before_item)

        after = []
        _after = d.pop("after")
        for after_item_data in _after:

            def _parse_after_item(data: object) -> int | None:
                if data is None:
                    return data
                return cast(int | None, data)

            after_item = _parse_after_item(after_item_data)

            after.append(after_item)

        diff = cls(
            meter=meter,
            day=day,
            channel=channel,
            before_wh=before_wh,
            after_wh=after_wh,
            difference_wh=difference_wh,
            slots=slots,
            needs_approval=needs_approval,
            warnings=warnings,
            before=before,
            after=after,
        )

        diff.additional_properties = d
        return diff

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
