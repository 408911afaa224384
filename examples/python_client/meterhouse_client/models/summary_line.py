from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.summary_line_severity import (
    SummaryLineSeverity,
    check_summary_line_severity,
)

T = TypeVar("T", bound="SummaryLine")


@_attrs_define
class SummaryLine:
    """Live cases of a rule. `day`: younger than a day, `three_days`: than three, `week`: than a week.

    Attributes:
        rule (str):
        severity (SummaryLineSeverity):
        cases (int):
        meter_days (int):
        stake_wh (int | None):
        day (int):
        three_days (int):
        week (int):
        older (int):
        overdue (int):
        unassigned (int):
    """

    rule: str
    severity: SummaryLineSeverity
    cases: int
    meter_days: int
    stake_wh: int | None
    day: int
    three_days: int
    week: int
    older: int
    overdue: int
    unassigned: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        rule = self.rule

        severity: str = self.severity

        cases = self.cases

        meter_days = self.meter_days

        stake_wh: int | None
        stake_wh = self.stake_wh

        day = self.day

        three_days = self.three_days

        week = self.week

        older = self.older

        overdue = self.overdue

        unassigned = self.unassigned

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "rule": rule,
                "severity": severity,
                "cases": cases,
                "meter_days": meter_days,
                "stake_wh": stake_wh,
                "day": day,
                "three_days": three_days,
                "week": week,
                "older": older,
                "overdue": overdue,
                "unassigned": unassigned,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        rule = d.pop("rule")

        severity = check_summary_line_severity(d.pop("severity"))

        cases = d.pop("cases")

        meter_days = d.pop("meter_days")

        def _parse_stake_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        stake_wh = _parse_stake_wh(d.pop("stake_wh"))

        day = d.pop("day")

        three_days = d.pop("three_days")

        week = d.pop("week")

        older = d.pop("older")

        overdue = d.pop("overdue")

        unassigned = d.pop("unassigned")

        summary_line = cls(
            rule=rule,
            severity=severity,
            cases=cases,
            meter_days=meter_days,
            stake_wh=stake_wh,
            day=day,
            three_days=three_days,
            week=week,
            older=older,
            overdue=overdue,
            unassigned=unassigned,
        )

        summary_line.additional_properties = d
        return summary_line

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
