from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.user_source import UserSource, check_user_source
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.grant_line import GrantLine


T = TypeVar("T", bound="User")


@_attrs_define
class User:
    """
    Attributes:
        id (int):
        login (str):
        name (str):
        email (None | str):
        source (UserSource):
        provider (None | str):
        administered_here (bool): else by its provider, another DISCOM or the platform: you give and take roles alone
        disabled_at (datetime.datetime | None):
        locked_until (datetime.datetime | None):
        one_time_until (datetime.datetime | None): it still has a one-time password, good until then
        totp (bool):
        created_at (datetime.datetime):
        grants (list[GrantLine] | Unset):
    """

    id: int
    login: str
    name: str
    email: None | str
    source: UserSource
    provider: None | str
    administered_here: bool
    disabled_at: datetime.datetime | None
    locked_until: datetime.datetime | None
    one_time_until: datetime.datetime | None
    totp: bool
    created_at: datetime.datetime
    grants: list[GrantLine] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        login = self.login

        name = self.name

        email: None | str
        email = self.email

        source: str = self.source

        provider: None | str
        provider = self.provider

        administered_here = self.administered_here

        disabled_at: None | str
        if isinstance(self.disabled_at, datetime.datetime):
            disabled_at = self.disabled_at.isoformat()
        else:
            disabled_at = self.disabled_at

        locked_until: None | str
        if isinstance(self.locked_until, datetime.datetime):
            locked_until = self.locked_until.isoformat()
        else:
            locked_until = self.locked_until

        one_time_until: None | str
        if isinstance(self.one_time_until, datetime.datetime):
            one_time_until = self.one_time_until.isoformat()
        else:
            one_time_until = self.one_time_until

        totp = self.totp

        created_at = self.created_at.isoformat()

        grants: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.grants, Unset):
            grants = []
            for grants_item_data in self.grants:
                grants_item = grants_item_data.to_dict()
                grants.append(grants_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "login": login,
                "name": name,
                "email": email,
                "source": source,
                "provider": provider,
                "administered_here": administered_here,
                "disabled_at": disabled_at,
                "locked_until": locked_until,
                "one_time_until": one_time_until,
                "totp": totp,
                "created_at": created_at,
            }
        )
        if grants is not UNSET:
            field_dict["grants"] = grants

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.grant_line import GrantLine  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        login = d.pop("login")

        name = d.pop("name")

        def _parse_email(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        email = _parse_email(d.pop("email"))

        source = check_user_source(d.pop("source"))

        def _parse_provider(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        provider = _parse_provider(d.pop("provider"))

        administered_here = d.pop("administered_here")

        def _parse_disabled_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                disabled_at_type_0 = datetime.datetime.fromisoformat(data)

                return disabled_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        disabled_at = _parse_disabled_at(d.pop("disabled_at"))

        def _parse_locked_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                locked_until_type_0 = datetime.datetime.fromisoformat(data)

                return locked_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        locked_until = _parse_locked_until(d.pop("locked_until"))

        def _parse_one_time_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                one_time_until_type_0 = datetime.datetime.fromisoformat(data)

                return one_time_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        one_time_until = _parse_one_time_until(d.pop("one_time_until"))

        totp = d.pop("totp")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        _grants = d.pop("grants", UNSET)
        grants: list[GrantLine] | Unset = UNSET
        if _grants is not UNSET:
            grants = []
            for grants_item_data in _grants:
                grants_item = GrantLine.from_dict(grants_item_data)

                grants.append(grants_item)

        user = cls(
            id=id,
            login=login,
            name=name,
            email=email,
            source=source,
            provider=provider,
            administered_here=administered_here,
            disabled_at=disabled_at,
            locked_until=locked_until,
            one_time_until=one_time_until,
            totp=totp,
            created_at=created_at,
            grants=grants,
        )

        user.additional_properties = d
        return user

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
