from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Held")


@_attrs_define
class Held:
    """A permission and where it is held.

    Attributes:
        permission (str):
        whole (bool): in all of the DISCOM
        offices (list[str]): codes of offices; what lies below them is held with them
        service_points (list[str]):
    """

    permission: str
    whole: bool
    offices: list[str]
    service_points: list[str]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        permission = self.permission

        whole = self.whole

        offices = self.offices

        service_points = self.service_points

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "permission": permission,
                "whole": whole,
                "offices": offices,
                "service_points": service_points,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        permission = d.pop("permission")

        whole = d.pop("whole")

        offices = cast(list[str], d.pop("offices"))

        service_points = cast(list[str], d.pop("service_points"))

        held = cls(
            permission=permission,
            whole=whole,
            offices=offices,
            service_points=service_points,
        )

        held.additional_properties = d
        return held

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
