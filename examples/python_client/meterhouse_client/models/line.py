from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.line_after import LineAfter
    from ..models.line_before import LineBefore


T = TypeVar("T", bound="Line")


@_attrs_define
class Line:
    """A line of the audit trail.

    Attributes:
        at (datetime.datetime):
        who (str):
        action (str):
        note (None | str):
        before (LineBefore):
        after (LineAfter):
    """

    at: datetime.datetime
    who: str
    action: str
    note: None | str
    before: LineBefore
    after: LineAfter
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        who = self.who

        action = self.action

        note: None | str
        note = self.note

        before = self.before.to_dict()

        after = self.after.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "at": at,
                "who": who,
                "action": action,
                "note": note,
                "before": before,
                "after": after,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.line_after import LineAfter  # noqa: PLC0415
        from ..models.line_before import LineBefore  # noqa: PLC0415

        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        who = d.pop("who")

        action = d.pop("action")

        def _parse_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        note = _parse_note(d.pop("note"))

        before = LineBefore.from_dict(d.pop("before"))

        after = LineAfter.from_dict(d.pop("after"))

        line = cls(
            at=at,
            who=who,
            action=action,
            note=note,
            before=before,
            after=after,
        )

        line.additional_properties = d
        return line

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
