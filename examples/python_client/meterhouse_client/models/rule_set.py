from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.rule import Rule


T = TypeVar("T", bound="RuleSet")


@_attrs_define
class RuleSet:
    """The rules in force. `version` is None until a day was built with them.

    Attributes:
        discom (str):
        version (int | None):
        sha256 (str):
        overlay (None | str):
        rules (list[Rule]):
    """

    discom: str
    version: int | None
    sha256: str
    overlay: None | str
    rules: list[Rule]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        discom = self.discom

        version: int | None
        version = self.version

        sha256 = self.sha256

        overlay: None | str
        overlay = self.overlay

        rules = []
        for rules_item_data in self.rules:
            rules_item = rules_item_data.to_dict()
            rules.append(rules_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "discom": discom,
                "version": version,
                "sha256": sha256,
                "overlay": overlay,
                "rules": rules,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.rule import Rule  # noqa: PLC0415

        d = dict(src_dict)
        discom = d.pop("discom")

        def _parse_version(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        version = _parse_version(d.pop("version"))

        sha256 = d.pop("sha256")

        def _parse_overlay(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        overlay = _parse_overlay(d.pop("overlay"))

        rules = []
        _rules = d.pop("rules")
        for rules_item_data in _rules:
            rules_item = Rule.from_dict(rules_item_data)

            rules.append(rules_item)

        rule_set = cls(
            discom=discom,
            version=version,
            sha256=sha256,
            overlay=overlay,
            rules=rules,
        )

        rule_set.additional_properties = d
        return rule_set

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
