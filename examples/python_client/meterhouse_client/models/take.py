from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

T = TypeVar("T", bound="Take")


@_attrs_define
class Take:
    """Take it in hand. 409 with who has it where somebody was quicker.

    Attributes:
        do (Literal['take']):
    """

    do: Literal["take"]

    def to_dict(self) -> dict[str, Any]:
        do = self.do

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "do": do,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        do = cast(Literal["take"], d.pop("do"))
        if do != "take":
            raise ValueError(f"do must match const 'take', got '{do}'")

        take = cls(
            do=do,
        )

        return take
