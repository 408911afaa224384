from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.aggregate import Aggregate
    from ..models.calculated import Calculated
    from ..models.chart import Chart
    from ..models.filter_ import Filter
    from ..models.sort import Sort


T = TypeVar("T", bound="Query")


@_attrs_define
class Query:
    """What a report holds. With aggregates, `columns` are the groups, each a row; without, the rows are those of the
    dataset.

        Attributes:
            dataset (str):
            columns (list[Calculated | str] | Unset):
            aggregates (list[Aggregate] | Unset):
            filters (list[Filter] | Unset):
            sort (list[Sort] | Unset):
            limit (int | None | Unset):
            chart (Chart | None | Unset):
    """

    dataset: str
    columns: list[Calculated | str] | Unset = UNSET
    aggregates: list[Aggregate] | Unset = UNSET
    filters: list[Filter] | Unset = UNSET
    sort: list[Sort] | Unset = UNSET
    limit: int | None | Unset = UNSET
    chart: Chart | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.calculated import Calculated  # noqa: PLC0415
        from ..models.chart import Chart  # noqa: PLC0415

        dataset = self.dataset

        columns: list[dict[str, Any] | str] | Unset = UNSET
        if not isinstance(self.columns, Unset):
            columns = []
            for columns_item_data in self.columns:
                columns_item: dict[str, Any] | str
                if isinstance(columns_item_data, Calculated):
                    columns_item = columns_item_data.to_dict()
                else:
                    columns_item = columns_item_data
                columns.append(columns_item)

        aggregates: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.aggregates, Unset):
            aggregates = []
            for aggregates_item_data in self.aggregates:
                aggregates_item = aggregates_item_data.to_dict()
                aggregates.append(aggregates_item)

        filters: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.filters, Unset):
            filters = []
            for filters_item_data in self.filters:
                filters_item = filters_item_data.to_dict()
                filters.append(filters_item)

        sort: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.sort, Unset):
            sort = []
            for sort_item_data in self.sort:
                sort_item = sort_item_data.to_dict()
                sort.append(sort_item)

        limit: int | None | Unset
        if isinstance(self.limit, Unset):
            limit = UNSET
        else:
            limit = self.limit

        chart: dict[str, Any] | None | Unset
        if isinstance(self.chart, Unset):
            chart = UNSET
        elif isinstance(self.chart, Chart):
            chart = self.chart.to_dict()
        else:
            chart = self.chart

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "dataset": dataset,
            }
        )
        if columns is not UNSET:
            field_dict["columns"] = columns
        if aggregates is not UNSET:
            field_dict["aggregates"] = aggregates
        if filters is not UNSET:
            field_dict["filters"] = filters
        if sort is not UNSET:
            field_dict["sort"] = sort
        if limit is not UNSET:
            field_dict["limit"] = limit
        if chart is not UNSET:
            field_dict["chart"] = chart

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.aggregate import Aggregate  # noqa: PLC0415
        from ..models.calculated import Calculated  # noqa: PLC0415
        from ..models.chart import Chart  # noqa: PLC0415
        from ..models.filter_ import Filter  # noqa: PLC0415
        from ..models.sort import Sort  # noqa: PLC0415

        d = dict(src_dict)
        dataset = d.pop("dataset")

        _columns = d.pop("columns", UNSET)
        columns: list[Calculated | str] | Unset = UNSET
        if _columns is not UNSET:
            columns = []
            for columns_item_data in _columns:

                def _parse_columns_item(data: object) -> Calculated | str:
                    try:
                        if not isinstance(data, dict):
                            raise TypeError()
                        columns_item_type_1 = Calculated.from_dict(data)

                        return columns_item_type_1
                    except (TypeError, ValueError, AttributeError, KeyError):
                        pass
                    return cast(Calculated | str, data)

                columns_item = _parse_columns_item(columns_item_data)

                columns.append(columns_item)

        _aggregates = d.pop("aggregates", UNSET)
        aggregates: list[Aggregate] | Unset = UNSET
        if _aggregates is not UNSET:
            aggregates = []
            for aggregates_item_data in _aggregates:
                aggregates_item = Aggregate.from_dict(aggregates_item_data)

                aggregates.append(aggregates_item)

        _filters = d.pop("filters", UNSET)
        filters: list[Filter] | Unset = UNSET
        if _filters is not UNSET:
            filters = []
            for filters_item_data in _filters:
                filters_item = Filter.from_dict(filters_item_data)

                filters.append(filters_item)

        _sort = d.pop("sort", UNSET)
        sort: list[Sort] | Unset = UNSET
        if _sort is not UNSET:
            sort = []
            for sort_item_data in _sort:
                sort_item = Sort.from_dict(sort_item_data)

                sort.append(sort_item)

        def _parse_limit(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        limit = _parse_limit(d.pop("limit", UNSET))

        def _parse_chart(data: object) -> Chart | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                chart_type_0 = Chart.from_dict(data)

                return chart_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Chart | None | Unset, data)

        chart = _parse_chart(d.pop("chart", UNSET))

        query = cls(
            dataset=dataset,
            columns=columns,
            aggregates=aggregates,
            filters=filters,
            sort=sort,
            limit=limit,
            chart=chart,
        )

        return query
