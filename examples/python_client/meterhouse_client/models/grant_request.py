from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="GrantRequest")


@_attrs_define
class GrantRequest:
    """To an account, by its login, or to a group at an identity provider.

    Attributes:
        role (str):
        office (None | str | Unset): code of the office
        service_point (None | str | Unset): code of the service point, of a consumer
        login (None | str | Unset):
        provider (None | str | Unset):
        group (None | str | Unset):
    """

    role: str
    office: None | str | Unset = UNSET
    service_point: None | str | Unset = UNSET
    login: None | str | Unset = UNSET
    provider: None | str | Unset = UNSET
    group: None | str | Unset = UNSET

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

        login: None | str | Unset
        if isinstance(self.login, Unset):
            login = UNSET
        else:
            login = self.login

        provider: None | str | Unset
        if isinstance(self.provider, Unset):
            provider = UNSET
        else:
            provider = self.provider

        group: None | str | Unset
        if isinstance(self.group, Unset):
            group = UNSET
        else:
            group = self.group

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
        if login is not UNSET:
            field_dict["login"] = login
        if provider is not UNSET:
            field_dict["provider"] = provider
        if group is not UNSET:
            field_dict["group"] = group

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

        def _parse_login(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        login = _parse_login(d.pop("login", UNSET))

        def _parse_provider(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        provider = _parse_provider(d.pop("provider", UNSET))

        def _parse_group(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        group = _parse_group(d.pop("group", UNSET))

        grant_request = cls(
            role=role,
            office=office,
            service_point=service_point,
            login=login,
            provider=provider,
            group=group,
        )

        return grant_request
