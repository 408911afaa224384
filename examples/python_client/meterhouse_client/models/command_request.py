from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.kind import Kind, check_kind
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.command_request_parameters import CommandRequestParameters


T = TypeVar("T", bound="CommandRequest")


@_attrs_define
class CommandRequest:
    """One meter, one instruction.

    Attributes:
        kind (Kind): What a command asks of a meter.
        meter (str): serial number
        parameters (CommandRequestParameters | Unset): load_limit: load_limit_w. read_profile: profile, since, until.
            tod_calendar: name, activates_at, switches. Else none.
        priority (int | None | Unset): 1 goes first; default by kind
        expires_at (datetime.datetime | None | Unset): not sent later than this; default by kind
        override_reason (None | str | Unset): why a disconnect may go out in protected hours; kept in the audit trail
    """

    kind: Kind
    meter: str
    parameters: CommandRequestParameters | Unset = UNSET
    priority: int | None | Unset = UNSET
    expires_at: datetime.datetime | None | Unset = UNSET
    override_reason: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        kind: str = self.kind

        meter = self.meter

        parameters: dict[str, Any] | Unset = UNSET
        if not isinstance(self.parameters, Unset):
            parameters = self.parameters.to_dict()

        priority: int | None | Unset
        if isinstance(self.priority, Unset):
            priority = UNSET
        else:
            priority = self.priority

        expires_at: None | str | Unset
        if isinstance(self.expires_at, Unset):
            expires_at = UNSET
        elif isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        override_reason: None | str | Unset
        if isinstance(self.override_reason, Unset):
            override_reason = UNSET
        else:
            override_reason = self.override_reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "kind": kind,
                "meter": meter,
            }
        )
        if parameters is not UNSET:
            field_dict["parameters"] = parameters
        if priority is not UNSET:
            field_dict["priority"] = priority
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at
        if override_reason is not UNSET:
            field_dict["override_reason"] = override_reason

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.command_request_parameters import CommandRequestParameters  # noqa: PLC0415

        d = dict(src_dict)
        kind = check_kind(d.pop("kind"))

        meter = d.pop("meter")

        _parameters = d.pop("parameters", UNSET)
        parameters: CommandRequestParameters | Unset
        if isinstance(_parameters, Unset):
            parameters = UNSET
        else:
            parameters = CommandRequestParameters.from_dict(_parameters)

        def _parse_priority(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        priority = _parse_priority(d.pop("priority", UNSET))

        def _parse_expires_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        expires_at = _parse_expires_at(d.pop("expires_at", UNSET))

        def _parse_override_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        override_reason = _parse_override_reason(d.pop("override_reason", UNSET))

        command_request = cls(
            kind=kind,
            meter=meter,
            parameters=parameters,
            priority=priority,
            expires_at=expires_at,
            override_reason=override_reason,
        )

        return command_request
