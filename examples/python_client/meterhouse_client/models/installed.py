from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.installed_place_type_0 import (
    InstalledPlaceType0,
    check_installed_place_type_0,
)

T = TypeVar("T", bound="Installed")


@_attrs_define
class Installed:
    """Where a meter hangs. `at`: code of the service point, DT or feeder.

    Attributes:
        place (InstalledPlaceType0 | None):
        at (None | str):
        dt (None | str):
        feeder (None | str):
        office (None | str):
        valid_from (datetime.date | None):
        valid_to (datetime.date | None): the first day on which it does not hang there any more; null = it still does
        mf (float | None): multiplying factor
        category (None | str): of the service point
        tariff (None | str):
        supply_phases (int | None):
        sanctioned_load_w (int | None):
    """

    place: InstalledPlaceType0 | None
    at: None | str
    dt: None | str
    feeder: None | str
    office: None | str
    valid_from: datetime.date | None
    valid_to: datetime.date | None
    mf: float | None
    category: None | str
    tariff: None | str
    supply_phases: int | None
    sanctioned_load_w: int | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        place: None | str
        if isinstance(self.place, str):
            place = self.place
        else:
            place = self.place

        at: None | str
        at = self.at

        dt: None | str
        dt = self.dt

        feeder: None | str
        feeder = self.feeder

        office: None | str
        office = self.office

        valid_from: None | str
        if isinstance(self.valid_from, datetime.date):
            valid_from = self.valid_from.isoformat()
        else:
            valid_from = self.valid_from

        valid_to: None | str
        if isinstance(self.valid_to, datetime.date):
            valid_to = self.valid_to.isoformat()
        else:
            valid_to = self.valid_to

        mf: float | None
        mf = self.mf

        category: None | str
        category = self.category

        tariff: None | str
        tariff = self.tariff

        supply_phases: int | None
        supply_phases = self.supply_phases

        sanctioned_load_w: int | None
        sanctioned_load_w = self.sanctioned_load_w

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "place": place,
                "at": at,
                "dt": dt,
                "feeder": feeder,
                "office": office,
                "valid_from": valid_from,
                "valid_to": valid_to,
                "mf": mf,
                "category": category,
                "tariff": tariff,
                "supply_phases": supply_phases,
                "sanctioned_load_w": sanctioned_load_w,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_place(data: object) -> InstalledPlaceType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                place_type_0 = check_installed_place_type_0(data)

                return place_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(InstalledPlaceType0 | None, data)

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

        def _parse_feeder(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        feeder = _parse_feeder(d.pop("feeder"))

        def _parse_office(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        office = _parse_office(d.pop("office"))

        def _parse_valid_from(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                valid_from_type_0 = datetime.date.fromisoformat(data)

                return valid_from_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        valid_from = _parse_valid_from(d.pop("valid_from"))

        def _parse_valid_to(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                valid_to_type_0 = datetime.date.fromisoformat(data)

                return valid_to_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        valid_to = _parse_valid_to(d.pop("valid_to"))

        def _parse_mf(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        mf = _parse_mf(d.pop("mf"))

        def _parse_category(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        category = _parse_category(d.pop("category"))

        def _parse_tariff(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        tariff = _parse_tariff(d.pop("tariff"))

        def _parse_supply_phases(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        supply_phases = _parse_supply_phases(d.pop("supply_phases"))

        def _parse_sanctioned_load_w(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        sanctioned_load_w = _parse_sanctioned_load_w(d.pop("sanctioned_load_w"))

        installed = cls(
            place=place,
            at=at,
            dt=dt,
            feeder=feeder,
            office=office,
            valid_from=valid_from,
            valid_to=valid_to,
            mf=mf,
            category=category,
            tariff=tariff,
            supply_phases=supply_phases,
            sanctioned_load_w=sanctioned_load_w,
        )

        installed.additional_properties = d
        return installed

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
