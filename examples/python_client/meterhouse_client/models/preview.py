from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.diff import Diff
    from ..models.fault import Fault


T = TypeVar("T", bound="Preview")


@_attrs_define
class Preview:
    """What would be written, and what stands against it. With a fault nothing can be made.

    Attributes:
        diffs (list[Diff]):
        faults (list[Fault]):
        unchanged (int):
        token (str):
    """

    diffs: list[Diff]
    faults: list[Fault]
    unchanged: int
    token: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        diffs = []
        for diffs_item_data in self.diffs:
            diffs_item = diffs_item_data.to_dict()
            diffs.append(diffs_item)

        faults = []
        for faults_item_data in self.faults:
            faults_item = faults_item_data.to_dict()
            faults.append(faults_item)

        unchanged = self.unchanged

        token = self.token

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "diffs": diffs,
                "faults": faults,
                "unchanged": unchanged,
                "token": token,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.diff import Diff  # noqa: PLC0415
        from ..models.fault import Fault  # noqa: PLC0415

        d = dict(src_dict)
        diffs = []
        _diffs = d.pop("diffs")
        for diffs_item_data in _diffs:
            diffs_item = Diff.from_dict(diffs_item_data)

            diffs.append(diffs_item)

        faults = []
        _faults = d.pop("faults")
        for faults_item_data in _faults:
            faults_item = Fault.from_dict(faults_item_data)

            faults.append(faults_item)

        unchanged = d.pop("unchanged")

        token = d.pop("token")

        preview = cls(
            diffs=diffs,
            faults=faults,
            unchanged=unchanged,
            token=token,
        )

        preview.additional_properties = d
        return preview

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
