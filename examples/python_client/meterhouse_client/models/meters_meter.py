from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.meters_meter_payment_type_0 import (
    MetersMeterPaymentType0,
    check_meters_meter_payment_type_0,
)

if TYPE_CHECKING:
    from ..models.installed import Installed


T = TypeVar("T", bound="MetersMeter")


@_attrs_define
class MetersMeter:
    """Master data. `installations`: where it hung, as far as you see it, the latest first.

    Attributes:
        serial (str):
        make (None | str):
        firmware (None | str):
        category (str):
        interval_min (int): minutes of an interval
        voltage_v (int | None):
        i_max_a (float | None):
        register_lsb_wh (int): step of its register
        medium (None | str):
        payment (MetersMeterPaymentType0 | None):
        state (None | str): of its life: ORDERED to SCRAPPED
        commissioned_on (datetime.date | None):
        hes (str):
        timezone (str): of the DISCOM
        installations (list[Installed]):
    """

    serial: str
    make: None | str
    firmware: None | str
    category: str
    interval_min: int
    voltage_v: int | None
    i_max_a: float | None
    register_lsb_wh: int
    medium: None | str
    payment: MetersMeterPaymentType0 | None
    state: None | str
    commissioned_on: datetime.date | None
    hes: str
    timezone: str
    installations: list[Installed]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        serial = self.serial

        make: None | str
        make = self.make

        firmware: None | str
        firmware = self.firmware

        category = self.category

        interval_min = self.interval_min

        voltage_v: int | None
        voltage_v = self.voltage_v

        i_max_a: float | None
        i_max_a = self.i_max_a

        register_lsb_wh = self.register_lsb_wh

        medium: None | str
        medium = self.medium

        payment: None | str
        if isinstance(self.payment, str):
            payment = self.payment
        else:
            payment = self.payment

        state: None | str
        state = self.state

        commissioned_on: None | str
        if isinstance(self.commissioned_on, datetime.date):
            commissioned_on = self.commissioned_on.isoformat()
        else:
            commissioned_on = self.commissioned_on

        hes = self.hes

        timezone = self.timezone

        installations = []
        for installations_item_data in self.installations:
            installations_item = installations_item_data.to_dict()
            installations.append(installations_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "serial": serial,
                "make": make,
                "firmware": firmware,
                "category": category,
                "interval_min": interval_min,
                "voltage_v": voltage_v,
                "i_max_a": i_max_a,
                "register_lsb_wh": register_lsb_wh,
                "medium": medium,
                "payment": payment,
                "state": state,
                "commissioned_on": commissioned_on,
                "hes": hes,
                "timezone": timezone,
                "installations": installations,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.installed import Installed  # noqa: PLC0415

        d = dict(src_dict)
        serial = d.pop("serial")

        def _parse_make(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        make = _parse_make(d.pop("make"))

        def _parse_firmware(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        firmware = _parse_firmware(d.pop("firmware"))

        category = d.pop("category")

        interval_min = d.pop("interval_min")

        def _parse_voltage_v(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        voltage_v = _parse_voltage_v(d.pop("voltage_v"))

        def _parse_i_max_a(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        i_max_a = _parse_i_max_a(d.pop("i_max_a"))

        register_lsb_wh = d.pop("register_lsb_wh")

        def _parse_medium(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        medium = _parse_medium(d.pop("medium"))

        def _parse_payment(data: object) -> MetersMeterPaymentType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                payment_type_0 = check_meters_meter_payment_type_0(data)

                return payment_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(MetersMeterPaymentType0 | None, data)

        payment = _parse_payment(d.pop("payment"))

        def _parse_state(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        state = _parse_state(d.pop("state"))

        def _parse_commissioned_on(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                commissioned_on_type_0 = datetime.date.fromisoformat(data)

                return commissioned_on_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        commissioned_on = _parse_commissioned_on(d.pop("commissioned_on"))

        hes = d.pop("hes")

        timezone = d.pop("timezone")

        installations = []
        _installations = d.pop("installations")
        for installations_item_data in _installations:
            installations_item = Installed.from_dict(installations_item_data)

            installations.append(installations_item)

        meters_meter = cls(
            serial=serial,
            make=make,
            firmware=firmware,
            category=category,
            interval_min=interval_min,
            voltage_v=voltage_v,
            i_max_a=i_max_a,
            register_lsb_wh=register_lsb_wh,
            medium=medium,
            payment=payment,
            state=state,
            commissioned_on=commissioned_on,
            hes=hes,
            timezone=timezone,
            installations=installations,
        )

        meters_meter.additional_properties = d
        return meters_meter

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
