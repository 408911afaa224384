from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.calculated_period import CalculatedPeriod, check_calculated_period
from ..types import UNSET, Unset

T = TypeVar("T", bound="Calculated")


@_attrs_define
class Calculated:
    """The calendar period in which a day or a stamp lies, in the DISCOM's time zone: its first day (of an hour, its first
    instant), or with
    `hour_of_day` 0 to 23. A financial year begins in April.

        Attributes:
            column (str):
            period (CalculatedPeriod):
            name (None | str | Unset): what it is called in the answer; by itself <column>_<period>
    """

    column: str
    period: CalculatedPeriod
    name: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        column = self.column

        period: str = self.period

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "column": column,
                "period": period,
            }
        )
        if name is not UNSET:
            field_dict["name"] = name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        column = d.pop("column")

        period = check_calculated_period(d.pop("period"))

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        calculated = cls(
            column=column,
            period=period,
            name=name,
        )

        return calculated
