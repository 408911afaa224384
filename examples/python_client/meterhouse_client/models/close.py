from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define

from ..models.resolution import Resolution, check_resolution
from ..types import UNSET, Unset

T = TypeVar("T", bound="Close")


@_attrs_define
class Close:
    """Close it and its exceptions, which stay closed while their values are the same.

    Attributes:
        do (Literal['close']):
        resolution (Resolution): Why a case was closed.
        note (None | str | Unset):
    """

    do: Literal["close"]
    resolution: Resolution
    note: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        do = self.do

        resolution: str = self.resolution

        note: None | str | Unset
        if isinstance(self.note, Unset):
            note = UNSET
        else:
            note = self.note

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "do": do,
                "resolution": resolution,
            }
        )
        if note is not UNSET:
            field_dict["note"] = note

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        do = cast(Literal["close"], d.pop("do"))
        if do != "close":
            raise ValueError(f"do must match const 'close', got '{do}'")

        resolution = check_resolution(d.pop("resolution"))

        def _parse_note(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        note = _parse_note(d.pop("note", UNSET))

        close = cls(
            do=do,
            resolution=resolution,
            note=note,
        )

        return close
