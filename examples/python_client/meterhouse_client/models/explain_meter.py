from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ExplainMeter")


@_attrs_define
class ExplainMeter:
    """The meter and the place where it hung on the day; `place` is None where it was not installed.

    Attributes:
        serial (str):
        make (None | str):
        hes (str):
        place (None | str):
        at (None | str):
        dt (None | str):
        category (None | str):
        mf (float | None):
    """

    serial: str
    make: None | str
    hes: str
    place: None | str
    at: None | str
    dt: None | str
    category: None | str
    mf: float | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        serial = self.serial

        make: None | str
        make = self.make

        hes = self.hes

        place: None | str
        place = self.place

        at: None | str
        at = self.at

        dt: None | str
        dt = self.dt

        category: None | str
        category = self.category

        mf: float | None
        mf = self.mf

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "serial": serial,
                "make": make,
                "hes": hes,
                "place": place,
                "at": at,
                "dt": dt,
                "category": category,
                "mf": mf,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        serial = d.pop("serial")

        def _parse_make(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        make = _parse_make(d.pop("make"))

        hes = d.pop("hes")

        def _parse_place(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        place = _parse_place(d.pop("place"))

        def _parse_at(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        at = _parse_at(d.pop("at"))

        def _parse_dt(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        dt = _parse_dt(d.pop("dt"))

        def _parse_category(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        category = _parse_category(d.pop("category"))

        def _parse_mf(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        mf = _parse_mf(d.pop("mf"))

        explain_meter = cls(
            serial=serial,
            make=make,
            hes=hes,
            place=place,
            at=at,
            dt=dt,
            category=category,
            mf=mf,
        )

        explain_meter.additional_properties = d
        return explain_meter

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
