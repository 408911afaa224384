from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.column_out import ColumnOut


T = TypeVar("T", bound="DatasetOut")


@_attrs_define
class DatasetOut:
    """
    Attributes:
        name (str):
        title (str):
        grain (str):
        description (str):
        report (None | str): id of the report that it is
        unfed (None | str): why it is empty as yet
        columns (int):
        time_column (None | str): a query must say which days of it it wants, at most `max_days`
        max_days (int | None):
        key (list[str]): columns that name a row
        overlap (list[str]): of each, aggregates need a filter to one value, or a group: rows of two values count the
            same things
        fields (list[ColumnOut]):
    """

    name: str
    title: str
    grain: str
    description: str
    report: None | str
    unfed: None | str
    columns: int
    time_column: None | str
    max_days: int | None
    key: list[str]
    overlap: list[str]
    fields: list[ColumnOut]
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

        time_column: None | str
        time_column = self.time_column

        max_days: int | None
        max_days = self.max_days

        key = self.key

        overlap = self.overlap

        fields = []
        for fields_item_data in self.fields:
            fields_item = fields_item_data.to_dict()
            fields.append(fields_item)

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
                "time_column": time_column,
                "max_days": max_days,
                "key": key,
                "overlap": overlap,
                "fields": fields,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.column_out import ColumnOut  # noqa: PLC0415

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

        def _parse_time_column(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        time_column = _parse_time_column(d.pop("time_column"))

        def _parse_max_days(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_days = _parse_max_days(d.pop("max_days"))

        key = cast(list[str], d.pop("key"))

        overlap = cast(list[str], d.pop("overlap"))

        fields = []
        _fields = d.pop("fields")
        for fields_item_data in _fields:
            fields_item = ColumnOut.from_dict(fields_item_data)

            fields.append(fields_item)

        dataset_out = cls(
            name=name,
            title=title,
            grain=grain,
            description=description,
            report=report,
            unfed=unfed,
            columns=columns,
            time_column=time_column,
            max_days=max_days,
            key=key,
            overlap=overlap,
            fields=fields,
        )

        dataset_out.additional_properties = d
        return dataset_out

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
