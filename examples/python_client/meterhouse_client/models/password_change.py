from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="PasswordChange")


@_attrs_define
class PasswordChange:
    """
    Attributes:
        present (str):
        new (str):
    """

    present: str
    new: str

    def to_dict(self) -> dict[str, Any]:
        present = self.present

        new = self.new

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "present": present,
                "new": new,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        present = d.pop("present")

        new = d.pop("new")

        password_change = cls(
            present=present,
            new=new,
        )

        return password_change
