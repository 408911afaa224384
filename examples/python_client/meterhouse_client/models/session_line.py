from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="SessionLine")


@_attrs_define
class SessionLine:
    """
    Attributes:
        id (UUID):
        discom (None | str):
        created_at (datetime.datetime):
        used_at (datetime.datetime): when it was last prolonged
        expires_at (datetime.datetime):
        present (bool): the one that this request is made in
    """

    id: UUID
    discom: None | str
    created_at: datetime.datetime
    used_at: datetime.datetime
    expires_at: datetime.datetime
    present: bool
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        discom: None | str
        discom = self.discom

        created_at = self.created_at.isoformat()

        used_at = self.used_at.isoformat()

        expires_at = self.expires_at.isoformat()

        present = self.present

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "discom": discom,
                "created_at": created_at,
                "used_at": used_at,
                "expires_at": expires_at,
                "present": present,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        def _parse_discom(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        discom = _parse_discom(d.pop("discom"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        used_at = datetime.datetime.fromisoformat(d.pop("used_at"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        present = d.pop("present")

        session_line = cls(
            id=id,
            discom=discom,
            created_at=created_at,
            used_at=used_at,
            expires_at=expires_at,
            present=present,
        )

        session_line.additional_properties = d
        return session_line

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
