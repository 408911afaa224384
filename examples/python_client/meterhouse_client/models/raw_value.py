from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.raw_value_verdict import RawValueVerdict, check_raw_value_verdict

T = TypeVar("T", bound="RawValue")


@_attrs_define
class RawValue:
    """A value as it was delivered. `stands`: the last received, of which the day is made; `same`, `other`: received before
    it.

        Attributes:
            delivery (int):
            wh (int):
            verdict (RawValueVerdict):
    """

    delivery: int
    wh: int
    verdict: RawValueVerdict
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        delivery = self.delivery

        wh = self.wh

        verdict: str = self.verdict

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "delivery": delivery,
                "wh": wh,
                "verdict": verdict,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        delivery = d.pop("delivery")

        wh = d.pop("wh")

        verdict = check_raw_value_verdict(d.pop("verdict"))

        raw_value = cls(
            delivery=delivery,
            wh=wh,
            verdict=verdict,
        )

        raw_value.additional_properties = d
        return raw_value

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
