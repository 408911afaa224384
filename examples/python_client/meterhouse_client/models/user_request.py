from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.where import Where


T = TypeVar("T", bound="UserRequest")


@_attrs_define
class UserRequest:
    """
    Attributes:
        login (str):
        name (str):
        email (None | str | Unset):
        grants (list[Where] | Unset):
    """

    login: str
    name: str
    email: None | str | Unset = UNSET
    grants: list[Where] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        login = self.login

        name = self.name

        email: None | str | Unset
        if isinstance(self.email, Unset):
            email = UNSET
        else:
            email = self.email

        grants: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.grants, Unset):
            grants = []
            for grants_item_data in self.grants:
                grants_item = grants_item_data.to_dict()
                grants.append(grants_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "login": login,
                "name": name,
            }
        )
        if email is not UNSET:
            field_dict["email"] = email
        if grants is not UNSET:
            field_dict["grants"] = grants

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.where import Where  # noqa: PLC0415

        d = dict(src_dict)
        login = d.pop("login")

        name = d.pop("name")

        def _parse_email(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        email = _parse_email(d.pop("email", UNSET))

        _grants = d.pop("grants", UNSET)
        grants: list[Where] | Unset = UNSET
        if _grants is not UNSET:
            grants = []
            for grants_item_data in _grants:
                grants_item = Where.from_dict(grants_item_data)

                grants.append(grants_item)

        user_request = cls(
            login=login,
            name=name,
            email=email,
            grants=grants,
        )

        return user_request
