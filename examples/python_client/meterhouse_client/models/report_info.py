from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.report_info_group import ReportInfoGroup, check_report_info_group
from ..models.report_info_periods_item import (
    ReportInfoPeriodsItem,
    check_report_info_periods_item,
)

if TYPE_CHECKING:
    from ..models.column_info import ColumnInfo


T = TypeVar("T", bound="ReportInfo")


@_attrs_define
class ReportInfo:
    """
    Attributes:
        id (str):
        name (str):
        group (ReportInfoGroup):
        group_name (str):
        grain (str): what one row is of
        key (list[str]): columns that tell rows apart, and order them
        periods (list[ReportInfoPeriodsItem]): lengths of its rows' periods; nothing where it says how things stand now
        formula (str):
        requirement (str): why the report exists
        empty_because (None | str): what would feed it, of a report that nothing feeds yet
        columns (list[ColumnInfo]):
    """

    id: str
    name: str
    group: ReportInfoGroup
    group_name: str
    grain: str
    key: list[str]
    periods: list[ReportInfoPeriodsItem]
    formula: str
    requirement: str
    empty_because: None | str
    columns: list[ColumnInfo]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        group: str = self.group

        group_name = self.group_name

        grain = self.grain

        key = self.key

        periods = []
        for periods_item_data in self.periods:
            periods_item: str = periods_item_data
            periods.append(periods_item)

        formula = self.formula

        requirement = self.requirement

        empty_because: None | str
        empty_because = self.empty_because

        columns = []
        for columns_item_data in self.columns:
            columns_item = columns_item_data.to_dict()
            columns.append(columns_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "group": group,
                "group_name": group_name,
                "grain": grain,
                "key": key,
                "periods": periods,
                "formula": formula,
                "requirement": requirement,
                "empty_because": empty_because,
                "columns": columns,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.column_info import ColumnInfo  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        group = check_report_info_group(d.pop("group"))

        group_name = d.pop("group_name")

        grain = d.pop("grain")

        key = cast(list[str], d.pop("key"))

        periods = []
        _periods = d.pop("periods")
        for periods_item_data in _periods:
            periods_item = check_report_info_periods_item(periods_item_data)

            periods.append(periods_item)

        formula = d.pop("formula")

        requirement = d.pop("requirement")

        def _parse_empty_because(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        empty_because = _parse_empty_because(d.pop("empty_because"))

        columns = []
        _columns = d.pop("columns")
        for columns_item_data in _columns:
            columns_item = ColumnInfo.from_dict(columns_item_data)

            columns.append(columns_item)

        report_info = cls(
            id=id,
            name=name,
            group=group,
            group_name=group_name,
            grain=grain,
            key=key,
            periods=periods,
            formula=formula,
            requirement=requirement,
            empty_because=empty_because,
            columns=columns,
        )

        report_info.additional_properties = d
        return report_info

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
