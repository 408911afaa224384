from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.edit_reason import EditReason, check_edit_reason
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.change_request import ChangeRequest


T = TypeVar("T", bound="EditRequest")


@_attrs_define
class EditRequest:
    """Changes that are made together: all, or none.

    Attributes:
        changes (list[ChangeRequest]):
        reason (EditReason): Why a person changed a value. Stored in vee.edit.
        note (None | str | Unset): compulsory with OTHER
        force (bool | Unset): values above what can flow are a warning Default: False.
    """

    changes: list[ChangeRequest]
    reason: EditReason
    note: None | str | Unset = UNSET
    force: bool | Unset = False

    def to_dict(self) -> dict[str, Any]:
        changes = []
        for changes_item_data in self.changes:
            changes_item = changes_item_data.to_dict()
            changes.append(changes_item)

        reason: str = self.reason

        note: None | str | Unset
        if isinstance(self.note, Unset):
            note = UNSET
        else:
            note = self.note

        force = self.force

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "changes": changes,
                "reason": reason,
            }
        )
        if note is not UNSET:
            field_dict["note"] = note
        if force is not UNSET:
            field_dict["force"] = force

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.change_request import ChangeRequest  # noqa: PLC0415

        d = dict(src_dict)
        changes = []
        _changes = d.pop("changes")
        for changes_item_data in _changes:
            changes_item = ChangeRequest.from_dict(changes_item_data)

            changes.append(changes_item)

        reason = check_edit_reason(d.pop("reason"))

        def _parse_note(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        note = _parse_note(d.pop("note", UNSET))

        force = d.pop("force", UNSET)

        edit_request = cls(
            changes=changes,
            reason=reason,
            note=note,
            force=force,
        )

        return edit_request
