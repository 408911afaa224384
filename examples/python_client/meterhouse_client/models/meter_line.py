from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.installed import Installed


T = TypeVar("T", bound="MeterLine")


@_attrs_define
class MeterLine:
    """A meter and where it hangs today; all of `installed` is null where it hangs nowhere, or nowhere that you see.

    Attributes:
        serial (str):
        make (None | str):
        category (str): of the meter: D1, D2, D3, D4, A, B or C
        interval_min (int):
        state (None | str):
        hes (str):
        installed (Installed | None):
    """

    serial: str
    make: None | str
    category: str
    interval_min: int
    state: None | str
    hes: str
    installed: Installed | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.installed import Installed  # noqa: PLC0415

        serial = self.serial

        make: None | str
        make = self.make

        category = self.category

        interval_min = self.interval_min

        state: None | str
        state = self.state

        hes = self.hes

        installed: dict[str, Any] | None
        if isinstance(self.installed, Installed):
            installed = self.installed.to_dict()
        else:
            installed = self.installed

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "serial": serial,
                "make": make,
                "category": category,
                "interval_min": interval_min,
                "state": state,
                "hes": hes,
                "installed": installed,
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

        category = d.pop("category")

        interval_min = d.pop("interval_min")

        def _parse_state(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        state = _parse_state(d.pop("state"))

        hes = d.pop("hes")

        def _parse_installed(data: object) -> Installed | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                installed_type_0 = Installed.from_dict(data)

                return installed_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Installed | None, data)

        installed = _parse_installed(d.pop("installed"))

        meter_line = cls(
            serial=serial,
            make=make,
            category=category,
            interval_min=interval_min,
            state=state,
            hes=hes,
            installed=installed,
        )

        meter_line.additional_properties = d
        return meter_line

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
