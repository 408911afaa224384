from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.edits_edit_state import EditsEditState, check_edits_edit_state

if TYPE_CHECKING:
    from ..models.edits_edit_operation_type_0_item import EditsEditOperationType0Item
    from ..models.edits_edit_operation_type_1 import EditsEditOperationType1


T = TypeVar("T", bound="EditsEdit")


@_attrs_define
class EditsEdit:
    """An edit and what became of it.

    Attributes:
        id (int):
        request (UUID): what was asked for together
        meter (str):
        day (datetime.date):
        channel (str):
        operation (EditsEditOperationType1 | list[EditsEditOperationType0Item]):
        before (list[int | None] | None):
        after (list[int | None]):
        reason (str):
        note (None | str):
        editor (str):
        edited_at (datetime.datetime):
        state (EditsEditState):
        decided_by (None | str): policy: small enough to need no second person
        decided_at (datetime.datetime | None):
        decision_note (None | str):
        chain_no (int):
        hash_ (str):
    """

    id: int
    request: UUID
    meter: str
    day: datetime.date
    channel: str
    operation: EditsEditOperationType1 | list[EditsEditOperationType0Item]
    before: list[int | None] | None
    after: list[int | None]
    reason: str
    note: None | str
    editor: str
    edited_at: datetime.datetime
    state: EditsEditState
    decided_by: None | str
    decided_at: datetime.datetime | None
    decision_note: None | str
    chain_no: int
    hash_: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        request = str(self.request)

        meter = self.meter

        day = self.day.isoformat()

        channel = self.channel

        operation: dict[str, Any] | list[dict[str, Any]]
        if isinstance(self.operation, list):
            operation = []
            for operation_type_0_item_data in self.operation:
                operation_type_0_item = operation_type_0_item_data.to_dict()
                operation.append(operation_type_0_item)

        else:
            operation = self.operation.to_dict()

        before: list[int | None] | None
        if isinstance(self.before, list):
            before = []
            for before_type_0_item_data in self.before:
                before_type_0_item: int | None
                before_type_0_item = before_type_0_item_data
                before.append(before_type_0_item)

        else:
            before = self.before

        after = []
        for after_item_data in self.after:
            after_item: int | None
            after_item = after_item_data
            after.append(after_item)

        reason = self.reason

        note: None | str
        note = self.note

        editor = self.editor

        edited_at = self.edited_at.isoformat()

        state: str = self.state

        decided_by: None | str
        decided_by = self.decided_by

        decided_at: None | str
        if isinstance(self.decided_at, datetime.datetime):
            decided_at = self.decided_at.isoformat()
        else:
            decided_at = self.decided_at

        decision_note: None | str
        decision_note = self.decision_note

        chain_no = self.chain_no

        hash_ = self.hash_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "request": request,
                "meter": meter,
                "day": day,
                "channel": channel,
                "operation": operation,
                "before": before,
                "after": after,
                "reason": reason,
                "note": note,
                "editor": editor,
                "edited_at": edited_at,
                "state": state,
                "decided_by": decided_by,
                "decided_at": decided_at,
                "decision_note": decision_note,
                "chain_no": chain_no,
                "hash": hash_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.edits_edit_operation_type_0_item import (
            EditsEditOperationType0Item,  # noqa: PLC0415
        )
        from ..models.edits_edit_operation_type_1 import EditsEditOperationType1  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        request = UUID(d.pop("request"))

        meter = d.pop("meter")

        day = datetime.date.fromisoformat(d.pop("day"))

        channel = d.pop("channel")

        def _parse_operation(
            data: object,
        ) -> EditsEditOperationType1 | list[EditsEditOperationType0Item]:
            try:
                if not isinstance(data, list):
                    raise TypeError()
                operation_type_0 = []
                _operation_type_0 = data
                for operation_type_0_item_data in _operation_type_0:
                    operation_type_0_item = EditsEditOperationType0Item.from_dict(
                        operation_type_0_item_data
                    )

                    operation_type_0.append(operation_type_0_item)

                return operation_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            operation_type_1 = EditsEditOperationType1.from_dict(data)

            return operation_type_1

        operation = _parse_operation(d.pop("operation"))

        def _parse_before(data: object) -> list[int | None] | None:
            if data is None:
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                before_type_0 = []
                _before_type_0 = data
                for before_type_0_item_data in _before_type_0:

                    def _parse_before_type_0_item(data: object) -> int | None:
                        if data is None:
                            return data
                        return cast(int | None, data)

                    before_type_0_item = _parse_before_type_0_item(
                        before_type_0_item_data
                    )

                    before_type_0.append(before_type_0_item)

                return before_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[int | None] | None, data)

        before = _parse_before(d.pop("before"))

        after = []
        _after = d.pop("after")
        for after_item_data in _after:

            def _parse_after_item(data: object) -> int | None:
                if data is None:
                    return data
                return cast(int | None, data)

            after_item = _parse_after_item(after_item_data)

            after.append(after_item)

        reason = d.pop("reason")

        def _parse_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        note = _parse_note(d.pop("note"))

        editor = d.pop("editor")

        edited_at = datetime.datetime.fromisoformat(d.pop("edited_at"))

        state = check_edits_edit_state(d.pop("state"))

        def _parse_decided_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        decided_by = _parse_decided_by(d.pop("decided_by"))

        def _parse_decided_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                decided_at_type_0 = datetime.datetime.fromisoformat(data)

                return decided_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        decided_at = _parse_decided_at(d.pop("decided_at"))

        def _parse_decision_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        decision_note = _parse_decision_note(d.pop("decision_note"))

        chain_no = d.pop("chain_no")

        hash_ = d.pop("hash")

        edits_edit = cls(
            id=id,
            request=request,
            meter=meter,
            day=day,
            channel=channel,
            operation=operation,
            before=before,
            after=after,
            reason=reason,
            note=note,
            editor=editor,
            edited_at=edited_at,
            state=state,
            decided_by=decided_by,
            decided_at=decided_at,
            decision_note=decision_note,
            chain_no=chain_no,
            hash_=hash_,
        )

        edits_edit.additional_properties = d
        return edits_edit

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
