from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.me_kind import MeKind, check_me_kind

if TYPE_CHECKING:
    from ..models.held import Held


T = TypeVar("T", bound="Me")


@_attrs_define
class Me:
    """
    Attributes:
        kind (MeKind):
        subject (str): login of the account, or id of the key
        name (str):
        discom (None | str): None of a platform administrator outside any DISCOM
        roles (list[str]):
        permissions (list[Held]):
        requests_per_min (int):
        session_id (None | UUID):
    """

    kind: MeKind
    subject: str
    name: str
    discom: None | str
    roles: list[str]
    permissions: list[Held]
    requests_per_min: int
    session_id: None | UUID
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind: str = self.kind

        subject = self.subject

        name = self.name

        discom: None | str
        discom = self.discom

        roles = self.roles

        permissions = []
        for permissions_item_data in self.permissions:
            permissions_item = permissions_item_data.to_dict()
            permissions.append(permissions_item)

        requests_per_min = self.requests_per_min

        session_id: None | str
        if isinstance(self.session_id, UUID):
            session_id = str(self.session_id)
        else:
            session_id = self.session_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "subject": subject,
                "name": name,
                "discom": discom,
                "roles": roles,
                "permissions": permissions,
                "requests_per_min": requests_per_min,
                "session_id": session_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.held import Held  # noqa: PLC0415

        d = dict(src_dict)
        kind = check_me_kind(d.pop("kind"))

        subject = d.pop("subject")

        name = d.pop("name")

        def _parse_discom(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        discom = _parse_discom(d.pop("discom"))

        roles = cast(list[str], d.pop("roles"))

        permissions = []
        _permissions = d.pop("permissions")
        for permissions_item_data in _permissions:
            permissions_item = Held.from_dict(permissions_item_data)

            permissions.append(permissions_item)

        requests_per_min = d.pop("requests_per_min")

        def _parse_session_id(data: object) -> None | UUID:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                session_id_type_0 = UUID(data)

                return session_id_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UUID, data)

        session_id = _parse_session_id(d.pop("session_id"))

        me = cls(
            kind=kind,
            subject=subject,
            name=name,
            discom=discom,
            roles=roles,
            permissions=permissions,
            requests_per_min=requests_per_min,
            session_id=session_id,
        )

        me.additional_properties = d
        return me

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
