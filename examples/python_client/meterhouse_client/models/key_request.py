from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="KeyRequest")


@_attrs_define
class KeyRequest:
    """
    Attributes:
        name (str): who will hold it
        role (None | str | Unset):
        hes (None | str | Unset): head-end system that pushes with it, in place of a role
        office (None | str | Unset):
        networks (list[str] | Unset): from where it may be used; none: from anywhere
        requests_per_min (int | Unset):  Default: 600.
        expires_at (datetime.datetime | None | Unset):
    """

    name: str
    role: None | str | Unset = UNSET
    hes: None | str | Unset = UNSET
    office: None | str | Unset = UNSET
    networks: list[str] | Unset = UNSET
    requests_per_min: int | Unset = 600
    expires_at: datetime.datetime | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        role: None | str | Unset
        if isinstance(self.role, Unset):
            role = UNSET
        else:
            role = self.role

        hes: None | str | Unset
        if isinstance(self.hes, Unset):
            hes = UNSET
        else:
            hes = self.hes

        office: None | str | Unset
        if isinstance(self.office, Unset):
            office = UNSET
        else:
            office = self.office

        networks: list[str] | Unset = UNSET
        if not isinstance(self.networks, Unset):
            networks = self.networks

        requests_per_min = self.requests_per_min

        expires_at: None | str | Unset
        if isinstance(self.expires_at, Unset):
            expires_at = UNSET
        elif isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
            }
        )
        if role is not UNSET:
            field_dict["role"] = role
        if hes is not UNSET:
            field_dict["hes"] = hes
        if office is not UNSET:
            field_dict["office"] = office
        if networks is not UNSET:
            field_dict["networks"] = networks
        if requests_per_min is not UNSET:
            field_dict["requests_per_min"] = requests_per_min
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        def _parse_role(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        role = _parse_role(d.pop("role", UNSET))

        def _parse_hes(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        hes = _parse_hes(d.pop("hes", UNSET))

        def _parse_office(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        office = _parse_office(d.pop("office", UNSET))

        networks = cast(list[str], d.pop("networks", UNSET))

        requests_per_min = d.pop("requests_per_min", UNSET)

        def _parse_expires_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        expires_at = _parse_expires_at(d.pop("expires_at", UNSET))

        key_request = cls(
            name=name,
            role=role,
            hes=hes,
            office=office,
            networks=networks,
            requests_per_min=requests_per_min,
            expires_at=expires_at,
        )

        return key_request
