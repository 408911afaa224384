from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="FreezeRequest")


@_attrs_define
class FreezeRequest:
    """
    Attributes:
        first_day (datetime.date):
        last_day (datetime.date):
        reason (str):
    """

    first_day: datetime.date
    last_day: datetime.date
    reason: str

    def to_dict(self) -> dict[str, Any]:
        first_day = self.first_day.isoformat()

        last_day = self.last_day.isoformat()

        reason = self.reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "first_day": first_day,
                "last_day": last_day,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        first_day = datetime.date.fromisoformat(d.pop("first_day"))

        last_day = datetime.date.fromisoformat(d.pop("last_day"))

        reason = d.pop("reason")

        freeze_request = cls(
            first_day=first_day,
            last_day=last_day,
            reason=reason,
        )

        return freeze_request
