from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.column_info import ColumnInfo
    from ..models.period_said import PeriodSaid
    from ..models.report_rows_rows_item import ReportRowsRowsItem


T = TypeVar("T", bound="ReportRows")


@_attrs_define
class ReportRows:
    """A page of a report. Decimals keep their digits; what is missing is null.

    Attributes:
        report (str):
        name (str):
        discom (str):
        office (None | str):
        time_zone (str):
        period (PeriodSaid):
        columns (list[ColumnInfo] | None): with describe
        rows (list[ReportRowsRowsItem]):
        next_ (None | str): `after` of the next page
    """

    report: str
    name: str
    discom: str
    office: None | str
    time_zone: str
    period: PeriodSaid
    columns: list[ColumnInfo] | None
    rows: list[ReportRowsRowsItem]
    next_: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        report = self.report

        name = self.name

        discom = self.discom

        office: None | str
        office = self.office

        time_zone = self.time_zone

        period = self.period.to_dict()

        columns: list[dict[str, Any]] | None
        if isinstance(self.columns, list):
            columns = []
            for columns_type_0_item_data in self.columns:
                columns_type_0_item = columns_type_0_item_data.to_dict()
                columns.append(columns_type_0_item)

        else:
            columns = self.columns

        rows = []
        for rows_item_data in self.rows:
            rows_item = rows_item_data.to_dict()
            rows.append(rows_item)

        next_: None | str
        next_ = self.next_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "report": report,
                "name": name,
                "discom": discom,
                "office": office,
                "time_zone": time_zone,
                "period": period,
                "columns": columns,
                "rows": rows,
                "next": next_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.column_info import ColumnInfo  # noqa: PLC0415
        from ..models.period_said import PeriodSaid  # noqa: PLC0415
        from ..models.report_rows_rows_item import ReportRowsRowsItem  # noqa: PLC0415

        d = dict(src_dict)
        report = d.pop("report")

        name = d.pop("name")

        discom = d.pop("discom")

        def _parse_office(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        office = _parse_office(d.pop("office"))

        time_zone = d.pop("time_zone")

        period = PeriodSaid.from_dict(d.pop("period"))

        def _parse_columns(data: object) -> list[ColumnInfo] | None:
            if data is None:
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                columns_type_0 = []
                _columns_type_0 = data
                for columns_type_0_item_data in _columns_type_0:
                    columns_type_0_item = ColumnInfo.from_dict(columns_type_0_item_data)

                    columns_type_0.append(columns_type_0_item)

                return columns_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[ColumnInfo] | None, data)

        columns = _parse_columns(d.pop("columns"))

        rows = []
        _rows = d.pop("rows")
        for rows_item_data in _rows:
            rows_item = ReportRowsRowsItem.from_dict(rows_item_data)

            rows.append(rows_item)

        def _parse_next_(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_ = _parse_next_(d.pop("next"))

        report_rows = cls(
            report=report,
            name=name,
            discom=discom,
            office=office,
            time_zone=time_zone,
            period=period,
            columns=columns,
            rows=rows,
            next_=next_,
        )

        report_rows.additional_properties = d
        return report_rows

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
