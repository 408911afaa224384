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

T = TypeVar("T", bound="Assign")


@_attrs_define
class Assign:
    """Give it to somebody, whoever has it.

    Attributes:
        do (Literal['assign']):
        assignee (str):
        note (None | str | Unset):
    """

    do: Literal["assign"]
    assignee: str
    note: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        do = self.do

        assignee = self.assignee

        note: None | str | Unset
        if isinstance(self.note, Unset):
            note = UNSET
        else:
            note = self.note

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "do": do,
                "assignee": assignee,
            }
        )
        if note is not UNSET:
            field_dict["note"] = note

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        do = cast(Literal["assign"], d.pop("do"))
        if do != "assign":
            raise ValueError(f"do must match const 'assign', got '{do}'")

        assignee = d.pop("assignee")

        def _parse_note(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        note = _parse_note(d.pop("note", UNSET))

        assign = cls(
            do=do,
            assignee=assignee,
            note=note,
        )

        return assign
