from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RoleLine")


@_attrs_define
class RoleLine:
    """
    Attributes:
        code (str):
        name (str):
        permissions (list[str]):
        shipped (bool):
    """

    code: str
    name: str
    permissions: list[str]
    shipped: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        name = self.name

        permissions = self.permissions

        shipped = self.shipped

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "name": name,
                "permissions": permissions,
                "shipped": shipped,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        code = d.pop("code")

        name = d.pop("name")

        permissions = cast(list[str], d.pop("permissions"))

        shipped = d.pop("shipped")

        role_line = cls(
            code=code,
            name=name,
            permissions=permissions,
            shipped=shipped,
        )

        role_line.additional_properties = d
        return role_line

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
