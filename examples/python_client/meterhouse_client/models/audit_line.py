from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.audit_line_outcome import AuditLineOutcome, check_audit_line_outcome

if TYPE_CHECKING:
    from ..models.audit_line_detail_type_0 import AuditLineDetailType0


T = TypeVar("T", bound="AuditLine")


@_attrs_define
class AuditLine:
    """
    Attributes:
        id (int):
        at (datetime.datetime):
        who (None | str):
        action (str): the permission that was asked for, or what was changed
        outcome (AuditLineOutcome):
        method (None | str):
        path (None | str):
        request_id (None | str):
        address (None | str):
        detail (AuditLineDetailType0 | None):
    """

    id: int
    at: datetime.datetime
    who: None | str
    action: str
    outcome: AuditLineOutcome
    method: None | str
    path: None | str
    request_id: None | str
    address: None | str
    detail: AuditLineDetailType0 | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.audit_line_detail_type_0 import AuditLineDetailType0  # noqa: PLC0415

        id = self.id

        at = self.at.isoformat()

        who: None | str
        who = self.who

        action = self.action

        outcome: str = self.outcome

        method: None | str
        method = self.method

        path: None | str
        path = self.path

        request_id: None | str
        request_id = self.request_id

        address: None | str
        address = self.address

        detail: dict[str, Any] | None
        if isinstance(self.detail, AuditLineDetailType0):
            detail = self.detail.to_dict()
        else:
            detail = self.detail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "at": at,
                "who": who,
                "action": action,
                "outcome": outcome,
                "method": method,
                "path": path,
                "request_id": request_id,
                "address": address,
                "detail": detail,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.audit_line_detail_type_0 import AuditLineDetailType0  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        def _parse_who(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        who = _parse_who(d.pop("who"))

        action = d.pop("action")

        outcome = check_audit_line_outcome(d.pop("outcome"))

        def _parse_method(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        method = _parse_method(d.pop("method"))

        def _parse_path(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        path = _parse_path(d.pop("path"))

        def _parse_request_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        request_id = _parse_request_id(d.pop("request_id"))

        def _parse_address(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        address = _parse_address(d.pop("address"))

        def _parse_detail(data: object) -> AuditLineDetailType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                detail_type_0 = AuditLineDetailType0.from_dict(data)

                return detail_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AuditLineDetailType0 | None, data)

        detail = _parse_detail(d.pop("detail"))

        audit_line = cls(
            id=id,
            at=at,
            who=who,
            action=action,
            outcome=outcome,
            method=method,
            path=path,
            request_id=request_id,
            address=address,
            detail=detail,
        )

        audit_line.additional_properties = d
        return audit_line

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
