from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.catalogue_groups import CatalogueGroups
    from ..models.report_info import ReportInfo


T = TypeVar("T", bound="Catalogue")


@_attrs_define
class Catalogue:
    """
    Attributes:
        groups (CatalogueGroups):
        reports (list[ReportInfo]):
    """

    groups: CatalogueGroups
    reports: list[ReportInfo]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        groups = self.groups.to_dict()

        reports = []
        for reports_item_data in self.reports:
            reports_item = reports_item_data.to_dict()
            reports.append(reports_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "groups": groups,
                "reports": reports,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.catalogue_groups import CatalogueGroups  # noqa: PLC0415
        from ..models.report_info import ReportInfo  # noqa: PLC0415

        d = dict(src_dict)
        groups = CatalogueGroups.from_dict(d.pop("groups"))

        reports = []
        _reports = d.pop("reports")
        for reports_item_data in _reports:
            reports_item = ReportInfo.from_dict(reports_item_data)

            reports.append(reports_item)

        catalogue = cls(
            groups=groups,
            reports=reports,
        )

        catalogue.additional_properties = d
        return catalogue

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
