from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RulesVersion")


@_attrs_define
class RulesVersion:
    """
    Attributes:
        id (int):
        sha256 (str):
        noted_at (datetime.datetime):
        overlay (None | str):
        days (int): business days whose latest build judges by it
    """

    id: int
    sha256: str
    noted_at: datetime.datetime
    overlay: None | str
    days: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        sha256 = self.sha256

        noted_at = self.noted_at.isoformat()

        overlay: None | str
        overlay = self.overlay

        days = self.days

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "sha256": sha256,
                "noted_at": noted_at,
                "overlay": overlay,
                "days": days,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        sha256 = d.pop("sha256")

        noted_at = datetime.datetime.fromisoformat(d.pop("noted_at"))

        def _parse_overlay(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        overlay = _parse_overlay(d.pop("overlay"))

        days = d.pop("days")

        rules_version = cls(
            id=id,
            sha256=sha256,
            noted_at=noted_at,
            overlay=overlay,
            days=days,
        )

        rules_version.additional_properties = d
        return rules_version

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
