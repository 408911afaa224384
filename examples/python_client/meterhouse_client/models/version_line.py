from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="VersionLine")


@_attrs_define
class VersionLine:
    """
    Attributes:
        version (int):
        name (str):
        saved_by (str):
        saved_at (datetime.datetime):
        restored_from (int | None):
    """

    version: int
    name: str
    saved_by: str
    saved_at: datetime.datetime
    restored_from: int | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        version = self.version

        name = self.name

        saved_by = self.saved_by

        saved_at = self.saved_at.isoformat()

        restored_from: int | None
        restored_from = self.restored_from

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "version": version,
                "name": name,
                "saved_by": saved_by,
                "saved_at": saved_at,
                "restored_from": restored_from,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        version = d.pop("version")

        name = d.pop("name")

        saved_by = d.pop("saved_by")

        saved_at = datetime.datetime.fromisoformat(d.pop("saved_at"))

        def _parse_restored_from(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        restored_from = _parse_restored_from(d.pop("restored_from"))

        version_line = cls(
            version=version,
            name=name,
            saved_by=saved_by,
            saved_at=saved_at,
            restored_from=restored_from,
        )

        version_line.additional_properties = d
        return version_line

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
