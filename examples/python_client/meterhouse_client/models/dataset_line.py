from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="DatasetLine")


@_attrs_define
class DatasetLine:
    """
    Attributes:
        name (str):
        title (str):
        grain (str):
        description (str):
        report (None | str): id of the report that it is
        unfed (None | str): why it is empty as yet
        columns (int):
    """

    name: str
    title: str
    grain: str
    description: str
    report: None | str
    unfed: None | str
    columns: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        title = self.title

        grain = self.grain

        description = self.description

        report: None | str
        report = self.report

        unfed: None | str
        unfed = self.unfed

        columns = self.columns

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "title": title,
                "grain": grain,
                "description": description,
                "report": report,
                "unfed": unfed,
                "columns": columns,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        title = d.pop("title")

        grain = d.pop("grain")

        description = d.pop("description")

        def _parse_report(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        report = _parse_report(d.pop("report"))

        def _parse_unfed(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        unfed = _parse_unfed(d.pop("unfed"))

        columns = d.pop("columns")

        dataset_line = cls(
            name=name,
            title=title,
            grain=grain,
            description=description,
            report=report,
            unfed=unfed,
            columns=columns,
        )

        dataset_line.additional_properties = d
        return dataset_line

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
