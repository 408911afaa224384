from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.explain_edit_decision_type_0 import (
    ExplainEditDecisionType0,
    check_explain_edit_decision_type_0,
)

if TYPE_CHECKING:
    from ..models.explain_edit_operations_item import ExplainEditOperationsItem


T = TypeVar("T", bound="ExplainEdit")


@_attrs_define
class ExplainEdit:
    """A change by a person.

    Attributes:
        edit_id (int):
        operations (list[ExplainEditOperationsItem]):
        slots (list[int]):
        before_wh (int):
        after_wh (int):
        reason (str):
        note (None | str):
        editor (str):
        edited_at (datetime.datetime):
        decision (ExplainEditDecisionType0 | None):
        decided_by (None | str):
        decided_at (datetime.datetime | None):
    """

    edit_id: int
    operations: list[ExplainEditOperationsItem]
    slots: list[int]
    before_wh: int
    after_wh: int
    reason: str
    note: None | str
    editor: str
    edited_at: datetime.datetime
    decision: ExplainEditDecisionType0 | None
    decided_by: None | str
    decided_at: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        edit_id = self.edit_id

        operations = []
        for operations_item_data in self.operations:
            operations_item = operations_item_data.to_dict()
            operations.append(operations_item)

        slots = self.slots

        before_wh = self.before_wh

        after_wh = self.after_wh

        reason = self.reason

        note: None | str
        note = self.note

        editor = self.editor

        edited_at = self.edited_at.isoformat()

        decision: None | str
        if isinstance(self.decision, str):
            decision = self.decision
        else:
            decision = self.decision

        decided_by: None | str
        decided_by = self.decided_by

        decided_at: None | str
        if isinstance(self.decided_at, datetime.datetime):
            decided_at = self.decided_at.isoformat()
        else:
            decided_at = self.decided_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "edit_id": edit_id,
                "operations": operations,
                "slots": slots,
                "before_wh": before_wh,
                "after_wh": after_wh,
                "reason": reason,
                "note": note,
                "editor": editor,
                "edited_at": edited_at,
                "decision": decision,
                "decided_by": decided_by,
                "decided_at": decided_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.explain_edit_operations_item import ExplainEditOperationsItem  # noqa: PLC0415

        d = dict(src_dict)
        edit_id = d.pop("edit_id")

        operations = []
        _operations = d.pop("operations")
        for operations_item_data in _operations:
            operations_item = ExplainEditOperationsItem.from_dict(operations_item_data)

            operations.append(operations_item)

        slots = cast(list[int], d.pop("slots"))

        before_wh = d.pop("before_wh")

        after_wh = d.pop("after_wh")

        reason = d.pop("reason")

        def _parse_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        note = _parse_note(d.pop("note"))

        editor = d.pop("editor")

        edited_at = datetime.datetime.fromisoformat(d.pop("edited_at"))

        def _parse_decision(data: object) -> ExplainEditDecisionType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                decision_type_0 = check_explain_edit_decision_type_0(data)

                return decision_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ExplainEditDecisionType0 | None, data)

        decision = _parse_decision(d.pop("decision"))

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

        explain_edit = cls(
            edit_id=edit_id,
            operations=operations,
            slots=slots,
            before_wh=before_wh,
            after_wh=after_wh,
            reason=reason,
            note=note,
            editor=editor,
            edited_at=edited_at,
            decision=decision,
            decided_by=decided_by,
            decided_at=decided_at,
        )

        explain_edit.additional_properties = d
        return explain_edit

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
