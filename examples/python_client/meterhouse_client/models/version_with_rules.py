from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.version_with_rules_rules_item import VersionWithRulesRulesItem


T = TypeVar("T", bound="VersionWithRules")


@_attrs_define
class VersionWithRules:
    """
    Attributes:
        id (int):
        sha256 (str):
        noted_at (datetime.datetime):
        overlay (None | str):
        days (int): business days whose latest build judges by it
        rules (list[VersionWithRulesRulesItem]):
    """

    id: int
    sha256: str
    noted_at: datetime.datetime
    overlay: None | str
    days: int
    rules: list[VersionWithRulesRulesItem]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        sha256 = self.sha256

        noted_at = self.noted_at.isoformat()

        overlay: None | str
        overlay = self.overlay

        days = self.days

        rules = []
        for rules_item_data in self.rules:
            rules_item = rules_item_data.to_dict()
            rules.append(rules_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "sha256": sha256,
                "noted_at": noted_at,
                "overlay": overlay,
                "days": days,
                "rules": rules,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.version_with_rules_rules_item import VersionWithRulesRulesItem  # noqa: PLC0415

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

        rules = []
        _rules = d.pop("rules")
        for rules_item_data in _rules:
            rules_item = VersionWithRulesRulesItem.from_dict(rules_item_data)

            rules.append(rules_item)

        version_with_rules = cls(
            id=id,
            sha256=sha256,
            noted_at=noted_at,
            overlay=overlay,
            days=days,
            rules=rules,
        )

        version_with_rules.additional_properties = d
        return version_with_rules

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
