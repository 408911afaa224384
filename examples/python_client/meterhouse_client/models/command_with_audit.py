from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.kind import Kind, check_kind
from ..models.state import State, check_state

if TYPE_CHECKING:
    from ..models.command_with_audit_parameters import CommandWithAuditParameters
    from ..models.command_with_audit_result_type_0 import CommandWithAuditResultType0
    from ..models.move import Move


T = TypeVar("T", bound="CommandWithAudit")


@_attrs_define
class CommandWithAudit:
    """
    Attributes:
        id (int):
        group (int | None):
        meter (str):
        hes (str):
        kind (Kind): What a command asks of a meter.
        parameters (CommandWithAuditParameters):
        state (State): docs/commands.md says what each means to an operator.
        reason (None | str):
        priority (int):
        requested_by (str):
        requested_at (datetime.datetime):
        not_before (datetime.datetime | None): queued: when it may go out at the earliest
        expires_at (datetime.datetime):
        override_reason (None | str):
        attempts (int):
        sent_at (datetime.datetime | None):
        finished_at (datetime.datetime | None):
        result (CommandWithAuditResultType0 | None): what confirmed it; of a read also the batch that it was landed in
        audit (list[Move]):
    """

    id: int
    group: int | None
    meter: str
    hes: str
    kind: Kind
    parameters: CommandWithAuditParameters
    state: State
    reason: None | str
    priority: int
    requested_by: str
    requested_at: datetime.datetime
    not_before: datetime.datetime | None
    expires_at: datetime.datetime
    override_reason: None | str
    attempts: int
    sent_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    result: CommandWithAuditResultType0 | None
    audit: list[Move]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.command_with_audit_result_type_0 import (
            CommandWithAuditResultType0,  # noqa: PLC0415
        )

        id = self.id

        group: int | None
        group = self.group

        meter = self.meter

        hes = self.hes

        kind: str = self.kind

        parameters = self.parameters.to_dict()

        state: str = self.state

        reason: None | str
        reason = self.reason

        priority = self.priority

        requested_by = self.requested_by

        requested_at = self.requested_at.isoformat()

        not_before: None | str
        if isinstance(self.not_before, datetime.datetime):
            not_before = self.not_before.isoformat()
        else:
            not_before = self.not_before

        expires_at = self.expires_at.isoformat()

        override_reason: None | str
        override_reason = self.override_reason

        attempts = self.attempts

        sent_at: None | str
        if isinstance(self.sent_at, datetime.datetime):
            sent_at = self.sent_at.isoformat()
        else:
            sent_at = self.sent_at

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        result: dict[str, Any] | None
        if isinstance(self.result, CommandWithAuditResultType0):
            result = self.result.to_dict()
        else:
            result = self.result

        audit = []
        for audit_item_data in self.audit:
            audit_item = audit_item_data.to_dict()
            audit.append(audit_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "group": group,
                "meter": meter,
                "hes": hes,
                "kind": kind,
                "parameters": parameters,
                "state": state,
                "reason": reason,
                "priority": priority,
                "requested_by": requested_by,
                "requested_at": requested_at,
                "not_before": not_before,
                "expires_at": expires_at,
                "override_reason": override_reason,
                "attempts": attempts,
                "sent_at": sent_at,
                "finished_at": finished_at,
                "result": result,
                "audit": audit,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.command_with_audit_parameters import CommandWithAuditParameters  # noqa: PLC0415
        from ..models.command_with_audit_result_type_0 import (
            CommandWithAuditResultType0,  # noqa: PLC0415
        )
        from ..models.move import Move  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        def _parse_group(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        group = _parse_group(d.pop("group"))

        meter = d.pop("meter")

        hes = d.pop("hes")

        kind = check_kind(d.pop("kind"))

        parameters = CommandWithAuditParameters.from_dict(d.pop("parameters"))

        state = check_state(d.pop("state"))

        def _parse_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reason = _parse_reason(d.pop("reason"))

        priority = d.pop("priority")

        requested_by = d.pop("requested_by")

        requested_at = datetime.datetime.fromisoformat(d.pop("requested_at"))

        def _parse_not_before(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                not_before_type_0 = datetime.datetime.fromisoformat(data)

                return not_before_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        not_before = _parse_not_before(d.pop("not_before"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        def _parse_override_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        override_reason = _parse_override_reason(d.pop("override_reason"))

        attempts = d.pop("attempts")

        def _parse_sent_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                sent_at_type_0 = datetime.datetime.fromisoformat(data)

                return sent_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        sent_at = _parse_sent_at(d.pop("sent_at"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finished_at"))

        def _parse_result(data: object) -> CommandWithAuditResultType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                result_type_0 = CommandWithAuditResultType0.from_dict(data)

                return result_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CommandWithAuditResultType0 | None, data)

        result = _parse_result(d.pop("result"))

        audit = []
        _audit = d.pop("audit")
        for audit_item_data in _audit:
            audit_item = Move.from_dict(audit_item_data)

            audit.append(audit_item)

        command_with_audit = cls(
            id=id,
            group=group,
            meter=meter,
            hes=hes,
            kind=kind,
            parameters=parameters,
            state=state,
            reason=reason,
            priority=priority,
            requested_by=requested_by,
            requested_at=requested_at,
            not_before=not_before,
            expires_at=expires_at,
            override_reason=override_reason,
            attempts=attempts,
            sent_at=sent_at,
            finished_at=finished_at,
            result=result,
            audit=audit,
        )

        command_with_audit.additional_properties = d
        return command_with_audit

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
