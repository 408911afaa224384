from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="Sort")


@_attrs_define
class Sort:
    """
    Attributes:
        by (str): a column of the answer, by its name there
        descending (bool | Unset):  Default: False.
    """

    by: str
    descending: bool | Unset = False

    def to_dict(self) -> dict[str, Any]:
        by = self.by

        descending = self.descending

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "by": by,
            }
        )
        if descending is not UNSET:
            field_dict["descending"] = descending

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        by = d.pop("by")

        descending = d.pop("descending", UNSET)

        sort = cls(
            by=by,
            descending=descending,
        )

        return sort
