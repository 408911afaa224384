from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="Where")


@_attrs_define
class Where:
    """A role, and where it is held: in all of the DISCOM, in an office with those below it, or at a service point.

    Attributes:
        role (str):
        office (None | str | Unset): code of the office
        service_point (None | str | Unset): code of the service point, of a consumer
    """

    role: str
    office: None | str | Unset = UNSET
    service_point: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        role = self.role

        office: None | str | Unset
        if isinstance(self.office, Unset):
            office = UNSET
        else:
            office = self.office

        service_point: None | str | Unset
        if isinstance(self.service_point, Unset):
            service_point = UNSET
        else:
            service_point = self.service_point

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "role": role,
            }
        )
        if office is not UNSET:
            field_dict["office"] = office
        if service_point is not UNSET:
            field_dict["service_point"] = service_point

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        role = d.pop("role")

        def _parse_office(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        office = _parse_office(d.pop("office", UNSET))

        def _parse_service_point(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        service_point = _parse_service_point(d.pop("service_point", UNSET))

        where = cls(
            role=role,
            office=office,
            service_point=service_point,
        )

        return where
