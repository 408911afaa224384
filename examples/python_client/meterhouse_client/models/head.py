from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.head_kind import HeadKind, check_head_kind

T = TypeVar("T", bound="Head")


@_attrs_define
class Head:
    """A DT, feeder or office. What is not said of its kind is null.

    Attributes:
        kind (HeadKind):
        code (str):
        name (None | str):
        feeder (None | str):
        office (str):
    """

    kind: HeadKind
    code: str
    name: None | str
    feeder: None | str
    office: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind: str = self.kind

        code = self.code

        name: None | str
        name = self.name

        feeder: None | str
        feeder = self.feeder

        office = self.office

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "code": code,
                "name": name,
                "feeder": feeder,
                "office": office,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = check_head_kind(d.pop("kind"))

        code = d.pop("code")

        def _parse_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        name = _parse_name(d.pop("name"))

        def _parse_feeder(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        feeder = _parse_feeder(d.pop("feeder"))

        office = d.pop("office")

        head = cls(
            kind=kind,
            code=code,
            name=name,
            feeder=feeder,
            office=office,
        )

        head.additional_properties = d
        return head

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
