from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.meter_day_severity import MeterDaySeverity, check_meter_day_severity

T = TypeVar("T", bound="MeterDay")


@_attrs_define
class MeterDay:
    """A row of vee.exception.

    Attributes:
        day (datetime.date):
        meter (str):
        rule (str):
        stage (str):
        severity (MeterDaySeverity):
        action (str):
        value (float | None):
        message (str):
        state (str):
        opened_at (datetime.datetime):
        updated_at (datetime.datetime):
        case (int | None):
        stake_wh (int | None):
    """

    day: datetime.date
    meter: str
    rule: str
    stage: str
    severity: MeterDaySeverity
    action: str
    value: float | None
    message: str
    state: str
    opened_at: datetime.datetime
    updated_at: datetime.datetime
    case: int | None
    stake_wh: int | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        day = self.day.isoformat()

        meter = self.meter

        rule = self.rule

        stage = self.stage

        severity: str = self.severity

        action = self.action

        value: float | None
        value = self.value

        message = self.message

        state = self.state

        opened_at = self.opened_at.isoformat()

        updated_at = self.updated_at.isoformat()

        case: int | None
        case = self.case

        stake_wh: int | None
        stake_wh = self.stake_wh

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "day": day,
                "meter": meter,
                "rule": rule,
                "stage": stage,
                "severity": severity,
                "action": action,
                "value": value,
                "message": message,
                "state": state,
                "opened_at": opened_at,
                "updated_at": updated_at,
                "case": case,
                "stake_wh": stake_wh,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        day = datetime.date.fromisoformat(d.pop("day"))

        meter = d.pop("meter")

        rule = d.pop("rule")

        stage = d.pop("stage")

        severity = check_meter_day_severity(d.pop("severity"))

        action = d.pop("action")

        def _parse_value(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        value = _parse_value(d.pop("value"))

        message = d.pop("message")

        state = d.pop("state")

        opened_at = datetime.datetime.fromisoformat(d.pop("opened_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        def _parse_case(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        case = _parse_case(d.pop("case"))

        def _parse_stake_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        stake_wh = _parse_stake_wh(d.pop("stake_wh"))

        meter_day = cls(
            day=day,
            meter=meter,
            rule=rule,
            stage=stage,
            severity=severity,
            action=action,
            value=value,
            message=message,
            state=state,
            opened_at=opened_at,
            updated_at=updated_at,
            case=case,
            stake_wh=stake_wh,
        )

        meter_day.additional_properties = d
        return meter_day

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
