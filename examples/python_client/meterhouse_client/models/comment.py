from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

T = TypeVar("T", bound="Comment")


@_attrs_define
class Comment:
    """
    Attributes:
        do (Literal['comment']):
        note (str):
    """

    do: Literal["comment"]
    note: str

    def to_dict(self) -> dict[str, Any]:
        do = self.do

        note = self.note

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "do": do,
                "note": note,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        do = cast(Literal["comment"], d.pop("do"))
        if do != "comment":
            raise ValueError(f"do must match const 'comment', got '{do}'")

        note = d.pop("note")

        comment = cls(
            do=do,
            note=note,
        )

        return comment
