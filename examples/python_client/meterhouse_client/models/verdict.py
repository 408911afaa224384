from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.verdict_outcome import VerdictOutcome, check_verdict_outcome
from ..types import UNSET, Unset

T = TypeVar("T", bound="Verdict")


@_attrs_define
class Verdict:
    """What a rule said of the day at one stage. `figure`: what it judged, as table.column; `limit`: in words, of the rules
    in force.

        Attributes:
            rule (str):
            title (str):
            stage (str):
            outcome (VerdictOutcome):
            severity (str):
            action (str):
            figure (str):
            value (float | None):
            limit (str):
            message (None | str | Unset):
            state (None | str | Unset):
            since (datetime.datetime | None | Unset):
            case_id (int | None | Unset):
            slots (list[int] | Unset):
            above (bool | Unset):  Default: True.
    """

    rule: str
    title: str
    stage: str
    outcome: VerdictOutcome
    severity: str
    action: str
    figure: str
    value: float | None
    limit: str
    message: None | str | Unset = UNSET
    state: None | str | Unset = UNSET
    since: datetime.datetime | None | Unset = UNSET
    case_id: int | None | Unset = UNSET
    slots: list[int] | Unset = UNSET
    above: bool | Unset = True
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        rule = self.rule

        title = self.title

        stage = self.stage

        outcome: str = self.outcome

        severity = self.severity

        action = self.action

        figure = self.figure

        value: float | None
        value = self.value

        limit = self.limit

        message: None | str | Unset
        if isinstance(self.message, Unset):
            message = UNSET
        else:
            message = self.message

        state: None | str | Unset
        if isinstance(self.state, Unset):
            state = UNSET
        else:
            state = self.state

        since: None | str | Unset
        if isinstance(self.since, Unset):
            since = UNSET
        elif isinstance(self.since, datetime.datetime):
            since = self.since.isoformat()
        else:
            since = self.since

        case_id: int | None | Unset
        if isinstance(self.case_id, Unset):
            case_id = UNSET
        else:
            case_id = self.case_id

        slots: list[int] | Unset = UNSET
        if not isinstance(self.slots, Unset):
            slots = self.slots

        above = self.above

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "rule": rule,
                "title": title,
                "stage": stage,
                "outcome": outcome,
                "severity": severity,
                "action": action,
                "figure": figure,
                "value": value,
                "limit": limit,
            }
        )
        if message is not UNSET:
            field_dict["message"] = message
        if state is not UNSET:
            field_dict["state"] = state
        if since is not UNSET:
            field_dict["since"] = since
        if case_id is not UNSET:
            field_dict["case_id"] = case_id
        if slots is not UNSET:
            field_dict["slots"] = slots
        if above is not UNSET:
            field_dict["above"] = above

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        rule = d.pop("rule")

        title = d.pop("title")

        stage = d.pop("stage")

        outcome = check_verdict_outcome(d.pop("outcome"))

        severity = d.pop("severity")

        action = d.pop("action")

        figure = d.pop("figure")

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(d.pop("value"))

        limit = d.pop("limit")

        def _parse_message(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        message = _parse_message(d.pop("message", UNSET))

        def _parse_state(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        state = _parse_state(d.pop("state", UNSET))

        def _parse_since(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                since_type_0 = datetime.datetime.fromisoformat(data)

                return since_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        since = _parse_since(d.pop("since", UNSET))

        def _parse_case_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        case_id = _parse_case_id(d.pop("case_id", UNSET))

        slots = cast(list[int], d.pop("slots", UNSET))

        above = d.pop("above", UNSET)

        verdict = cls(
            rule=rule,
            title=title,
            stage=stage,
            outcome=outcome,
            severity=severity,
            action=action,
            figure=figure,
            value=value,
            limit=limit,
            message=message,
            state=state,
            since=since,
            case_id=case_id,
            slots=slots,
            above=above,
        )

        verdict.additional_properties = d
        return verdict

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
