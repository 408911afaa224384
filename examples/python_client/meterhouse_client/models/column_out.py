from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.ratio_out import RatioOut


T = TypeVar("T", bound="ColumnOut")


@_attrs_define
class ColumnOut:
    """A column of a dataset, and what may be done with it. Every column can be shown, grouped by and filtered.

    Attributes:
        name (str):
        title (str):
        type_ (str): text, integer, decimal, real, boolean, date or stamp
        data_type (str): as PostgreSQL has it
        unit (None | str):
        description (str):
        aggregates (list[str]):
        periods (list[str]):
        operators (list[str]):
        ratio (None | RatioOut): what `ratio_of_sums` of it is made of
    """

    name: str
    title: str
    type_: str
    data_type: str
    unit: None | str
    description: str
    aggregates: list[str]
    periods: list[str]
    operators: list[str]
    ratio: None | RatioOut
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.ratio_out import RatioOut  # noqa: PLC0415

        name = self.name

        title = self.title

        type_ = self.type_

        data_type = self.data_type

        unit: None | str
        unit = self.unit

        description = self.description

        aggregates = self.aggregates

        periods = self.periods

        operators = self.operators

        ratio: dict[str, Any] | None
        if isinstance(self.ratio, RatioOut):
            ratio = self.ratio.to_dict()
        else:
            ratio = self.ratio

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "title": title,
                "type": type_,
                "data_type": data_type,
                "unit": unit,
                "description": description,
                "aggregates": aggregates,
                "periods": periods,
                "operators": operators,
                "ratio": ratio,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.ratio_out import RatioOut  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        title = d.pop("title")

        type_ = d.pop("type")

        data_type = d.pop("data_type")

        def _parse_unit(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        unit = _parse_unit(d.pop("unit"))

        description = d.pop("description")

        aggregates = cast(list[str], d.pop("aggregates"))

        periods = cast(list[str], d.pop("periods"))

        operators = cast(list[str], d.pop("operators"))

        def _parse_ratio(data: object) -> None | RatioOut:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                ratio_type_0 = RatioOut.from_dict(data)

                return ratio_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RatioOut, data)

        ratio = _parse_ratio(d.pop("ratio"))

        column_out = cls(
            name=name,
            title=title,
            type_=type_,
            data_type=data_type,
            unit=unit,
            description=description,
            aggregates=aggregates,
            periods=periods,
            operators=operators,
            ratio=ratio,
        )

        column_out.additional_properties = d
        return column_out

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
