from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.answer_column import AnswerColumn
    from ..models.chart import Chart


T = TypeVar("T", bound="Answer")


@_attrs_define
class Answer:
    """Rows in the order of `columns`. `first` to `last` are the business days that were asked for, of a dataset that has
    such.

        Attributes:
            dataset (str):
            title (str):
            columns (list[AnswerColumn]):
            rows (list[list[Any]]):
            truncated (bool): there are more rows than were asked for or are given at once
            first (datetime.date | None):
            last (datetime.date | None):
            time_zone (str):
            chart (Chart | None):
            cost (float): what the server reckons the query costs, in its units
    """

    dataset: str
    title: str
    columns: list[AnswerColumn]
    rows: list[list[Any]]
    truncated: bool
    first: datetime.date | None
    last: datetime.date | None
    time_zone: str
    chart: Chart | None
    cost: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.chart import Chart  # noqa: PLC0415

        dataset = self.dataset

        title = self.title

        columns = []
        for columns_item_data in self.columns:
            columns_item = columns_item_data.to_dict()
            columns.append(columns_item)

        rows = []
        for rows_item_data in self.rows:
            rows_item = rows_item_data

            rows.append(rows_item)

        truncated = self.truncated

        first: None | str
        if isinstance(self.first, datetime.date):
            first = self.first.isoformat()
        else:
            first = self.first

        last: None | str
        if isinstance(self.last, datetime.date):
            last = self.last.isoformat()
        else:
            last = self.last

        time_zone = self.time_zone

        chart: dict[str, Any] | None
        if isinstance(self.chart, Chart):
            chart = self.chart.to_dict()
        else:
            chart = self.chart

        cost = self.cost

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "dataset": dataset,
                "title": title,
                "columns": columns,
                "rows": rows,
                "truncated": truncated,
                "first": first,
                "last": last,
                "time_zone": time_zone,
                "chart": chart,
                "cost": cost,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.answer_column import AnswerColumn  # noqa: PLC0415
        from ..models.chart import Chart  # noqa: PLC0415

        d = dict(src_dict)
        dataset = d.pop("dataset")

        title = d.pop("title")

        columns = []
        _columns = d.pop("columns")
        for columns_item_data in _columns:
            columns_item = AnswerColumn.from_dict(columns_item_data)

            columns.append(columns_item)

        rows = []
        _rows = d.pop("rows")
        for rows_item_data in _rows:
            rows_item = cast(list[Any], rows_item_data)

            rows.append(rows_item)

        truncated = d.pop("truncated")

        def _parse_first(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                first_type_0 = datetime.date.fromisoformat(data)

                return first_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        first = _parse_first(d.pop("first"))

        def _parse_last(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_type_0 = datetime.date.fromisoformat(data)

                return last_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        last = _parse_last(d.pop("last"))

        time_zone = d.pop("time_zone")

        def _parse_chart(data: object) -> Chart | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                chart_type_0 = Chart.from_dict(data)

                return chart_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Chart | None, data)

        chart = _parse_chart(d.pop("chart"))

        cost = d.pop("cost")

        answer = cls(
            dataset=dataset,
            title=title,
            columns=columns,
            rows=rows,
            truncated=truncated,
            first=first,
            last=last,
            time_zone=time_zone,
            chart=chart,
            cost=cost,
        )

        answer.additional_properties = d
        return answer

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
