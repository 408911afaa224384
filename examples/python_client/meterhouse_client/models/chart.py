from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.chart_kind import ChartKind, check_chart_kind
from ..types import UNSET, Unset

T = TypeVar("T", bound="Chart")


@_attrs_define
class Chart:
    """How to draw it: `y` over `x`, one line or bar for each value of `series`. All are columns of the answer, by their
    names there.

        Attributes:
            kind (ChartKind):
            x (str):
            y (list[str]):
            series (None | str | Unset):
            title (None | str | Unset):
    """

    kind: ChartKind
    x: str
    y: list[str]
    series: None | str | Unset = UNSET
    title: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        kind: str = self.kind

        x = self.x

        y = self.y

        series: None | str | Unset
        if isinstance(self.series, Unset):
            series = UNSET
        else:
            series = self.series

        title: None | str | Unset
        if isinstance(self.title, Unset):
            title = UNSET
        else:
            title = self.title

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "kind": kind,
                "x": x,
                "y": y,
            }
        )
        if series is not UNSET:
            field_dict["series"] = series
        if title is not UNSET:
            field_dict["title"] = title

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        kind = check_chart_kind(d.pop("kind"))

        x = d.pop("x")

        y = cast(list[str], d.pop("y"))

        def _parse_series(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        series = _parse_series(d.pop("series", UNSET))

        def _parse_title(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        title = _parse_title(d.pop("title", UNSET))

        chart = cls(
            kind=kind,
            x=x,
            y=y,
            series=series,
            title=title,
        )

        return chart
