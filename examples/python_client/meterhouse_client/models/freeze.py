from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Freeze")


@_attrs_define
class Freeze:
    """A period that was billed: its days are not built again and not edited.

    Attributes:
        id (int):
        first_day (datetime.date):
        last_day (datetime.date):
        frozen_at (datetime.datetime):
        frozen_by (str):
        reason (str):
        released_at (datetime.datetime | None):
        released_by (None | str):
        release_reason (None | str):
    """

    id: int
    first_day: datetime.date
    last_day: datetime.date
    frozen_at: datetime.datetime
    frozen_by: str
    reason: str
    released_at: datetime.datetime | None
    released_by: None | str
    release_reason: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        first_day = self.first_day.isoformat()

        last_day = self.last_day.isoformat()

        frozen_at = self.frozen_at.isoformat()

        frozen_by = self.frozen_by

        reason = self.reason

        released_at: None | str
        if isinstance(self.released_at, datetime.datetime):
            released_at = self.released_at.isoformat()
        else:
            released_at = self.released_at

        released_by: None | str
        released_by = self.released_by

        release_reason: None | str
        release_reason = self.release_reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "first_day": first_day,
                "last_day": last_day,
                "frozen_at": frozen_at,
                "frozen_by": frozen_by,
                "reason": reason,
                "released_at": released_at,
                "released_by": released_by,
                "release_reason": release_reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        first_day = datetime.date.fromisoformat(d.pop("first_day"))

        last_day = datetime.date.fromisoformat(d.pop("last_day"))

        frozen_at = datetime.datetime.fromisoformat(d.pop("frozen_at"))

        frozen_by = d.pop("frozen_by")

        reason = d.pop("reason")

        def _parse_released_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                released_at_type_0 = datetime.datetime.fromisoformat(data)

                return released_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        released_at = _parse_released_at(d.pop("released_at"))

        def _parse_released_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        released_by = _parse_released_by(d.pop("released_by"))

        def _parse_release_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        release_reason = _parse_release_reason(d.pop("release_reason"))

        freeze = cls(
            id=id,
            first_day=first_day,
            last_day=last_day,
            frozen_at=frozen_at,
            frozen_by=frozen_by,
            reason=reason,
            released_at=released_at,
            released_by=released_by,
            release_reason=release_reason,
        )

        freeze.additional_properties = d
        return freeze

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
