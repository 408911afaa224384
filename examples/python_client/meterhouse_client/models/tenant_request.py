from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="TenantRequest")


@_attrs_define
class TenantRequest:
    """
    Attributes:
        code (str):
        name (str):
        timezone (str | Unset):  Default: 'Asia/Kolkata'.
    """

    code: str
    name: str
    timezone: str | Unset = "Asia/Kolkata"

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        name = self.name

        timezone = self.timezone

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "code": code,
                "name": name,
            }
        )
        if timezone is not UNSET:
            field_dict["timezone"] = timezone

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        code = d.pop("code")

        name = d.pop("name")

        timezone = d.pop("timezone", UNSET)

        tenant_request = cls(
            code=code,
            name=name,
            timezone=timezone,
        )

        return tenant_request
