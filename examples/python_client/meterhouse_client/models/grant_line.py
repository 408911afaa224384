from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="GrantLine")


@_attrs_define
class GrantLine:
    """
    Attributes:
        id (int):
        login (None | str):
        provider (None | str):
        group (None | str):
        role (str):
        office (None | str):
        service_point (None | str):
        granted_by (str):
        granted_at (datetime.datetime):
    """

    id: int
    login: None | str
    provider: None | str
    group: None | str
    role: str
    office: None | str
    service_point: None | str
    granted_by: str
    granted_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        login: None | str
        login = self.login

        provider: None | str
        provider = self.provider

        group: None | str
        group = self.group

        role = self.role

        office: None | str
        office = self.office

        service_point: None | str
        service_point = self.service_point

        granted_by = self.granted_by

        granted_at = self.granted_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "login": login,
                "provider": provider,
                "group": group,
                "role": role,
                "office": office,
                "service_point": service_point,
                "granted_by": granted_by,
                "granted_at": granted_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        def _parse_login(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        login = _parse_login(d.pop("login"))

        def _parse_provider(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        provider = _parse_provider(d.pop("provider"))

        def _parse_group(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        group = _parse_group(d.pop("group"))

        role = d.pop("role")

        def _parse_office(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        office = _parse_office(d.pop("office"))

        def _parse_service_point(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        service_point = _parse_service_point(d.pop("service_point"))

        granted_by = d.pop("granted_by")

        granted_at = datetime.datetime.fromisoformat(d.pop("granted_at"))

        grant_line = cls(
            id=id,
            login=login,
            provider=provider,
            group=group,
            role=role,
            office=office,
            service_point=service_point,
            granted_by=granted_by,
            granted_at=granted_at,
        )

        grant_line.additional_properties = d
        return grant_line

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
