from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ResetRequest")


@_attrs_define
class ResetRequest:
    """
    Attributes:
        remove_totp (bool | Unset): also of who has lost the phone Default: False.
    """

    remove_totp: bool | Unset = False

    def to_dict(self) -> dict[str, Any]:
        remove_totp = self.remove_totp

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if remove_totp is not UNSET:
            field_dict["remove_totp"] = remove_totp

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        remove_totp = d.pop("remove_totp", UNSET)

        reset_request = cls(
            remove_totp=remove_totp,
        )

        return reset_request
