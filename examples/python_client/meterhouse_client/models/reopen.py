from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="Reopen")


@_attrs_define
class Reopen:
    """
    Attributes:
        do (Literal['reopen']):
        note (None | str | Unset):
    """

    do: Literal["reopen"]
    note: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        do = self.do

        note: None | str | Unset
        if isinstance(self.note, Unset):
            note = UNSET
        else:
            note = self.note

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "do": do,
            }
        )
        if note is not UNSET:
            field_dict["note"] = note

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        do = cast(Literal["reopen"], d.pop("do"))
        if do != "reopen":
            raise ValueError(f"do must match const 'reopen', got '{do}'")

        def _parse_note(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        note = _parse_note(d.pop("note", UNSET))

        reopen = cls(
            do=do,
            note=note,
        )

        return reopen
