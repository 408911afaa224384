from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.child_row_quality import ChildRowQuality, check_child_row_quality

T = TypeVar("T", bound="ChildRow")


@_attrs_define
class ChildRow:
    """
    Attributes:
        input_wh (int | None): what came in, export of roofs included
        supplied_wh (int | None): what was supplied: metered, assessed and street light
        loss_wh (int | None): input - supplied
        loss_pct (float | None): of the input
        coverage_pct (float | None): share of the consumers (of an interval: of the meters below) with complete data
        measured_pct (float | None): share of what was supplied that was measured, neither estimated nor assessed; null
            of intervals
        estimated_pct (float | None): estimated part of the energy that was read for it; null of intervals
        quality (ChildRowQuality): the weakest of what it sums
        code (str):
        office (str):
        balances (int):
        balances_known (int):
    """

    input_wh: int | None
    supplied_wh: int | None
    loss_wh: int | None
    loss_pct: float | None
    coverage_pct: float | None
    measured_pct: float | None
    estimated_pct: float | None
    quality: ChildRowQuality
    code: str
    office: str
    balances: int
    balances_known: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        input_wh: int | None
        input_wh = self.input_wh

        supplied_wh: int | None
        supplied_wh = self.supplied_wh

        loss_wh: int | None
        loss_wh = self.loss_wh

        loss_pct: float | None
        loss_pct = self.loss_pct

        coverage_pct: float | None
        coverage_pct = self.coverage_pct

        measured_pct: float | None
        measured_pct = self.measured_pct

        estimated_pct: float | None
        estimated_pct = self.estimated_pct

        quality: str = self.quality

        code = self.code

        office = self.office

        balances = self.balances

        balances_known = self.balances_known

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "input_wh": input_wh,
                "supplied_wh": supplied_wh,
                "loss_wh": loss_wh,
                "loss_pct": loss_pct,
                "coverage_pct": coverage_pct,
                "measured_pct": measured_pct,
                "estimated_pct": estimated_pct,
                "quality": quality,
                "code": code,
                "office": office,
                "balances": balances,
                "balances_known": balances_known,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_input_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        input_wh = _parse_input_wh(d.pop("input_wh"))

        def _parse_supplied_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        supplied_wh = _parse_supplied_wh(d.pop("supplied_wh"))

        def _parse_loss_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        loss_wh = _parse_loss_wh(d.pop("loss_wh"))

        def _parse_loss_pct(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        loss_pct = _parse_loss_pct(d.pop("loss_pct"))

        def _parse_coverage_pct(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        coverage_pct = _parse_coverage_pct(d.pop("coverage_pct"))

        def _parse_measured_pct(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        measured_pct = _parse_measured_pct(d.pop("measured_pct"))

        def _parse_estimated_pct(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        estimated_pct = _parse_estimated_pct(d.pop("estimated_pct"))

        quality = check_child_row_quality(d.pop("quality"))

        code = d.pop("code")

        office = d.pop("office")

        balances = d.pop("balances")

        balances_known = d.pop("balances_known")

        child_row = cls(
            input_wh=input_wh,
            supplied_wh=supplied_wh,
            loss_wh=loss_wh,
            loss_pct=loss_pct,
            coverage_pct=coverage_pct,
            measured_pct=measured_pct,
            estimated_pct=estimated_pct,
            quality=quality,
            code=code,
            office=office,
            balances=balances,
            balances_known=balances_known,
        )

        child_row.additional_properties = d
        return child_row

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
