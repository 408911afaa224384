from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.case_filter_severity_type_0 import (
    CaseFilterSeverityType0,
    check_case_filter_severity_type_0,
)
from ..models.case_filter_state_type_0 import (
    CaseFilterStateType0,
    check_case_filter_state_type_0,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="CaseFilter")


@_attrs_define
class CaseFilter:
    """Which live cases; what is left out is any.

    Attributes:
        state (CaseFilterStateType0 | None | Unset):
        rule (None | str | Unset):
        severity (CaseFilterSeverityType0 | None | Unset):
        office (None | str | Unset):
        dt (None | str | Unset):
        meter (None | str | Unset):
        assignee (None | str | Unset):
        min_age_h (float | None | Unset):
        overdue (bool | None | Unset):
    """

    state: CaseFilterStateType0 | None | Unset = UNSET
    rule: None | str | Unset = UNSET
    severity: CaseFilterSeverityType0 | None | Unset = UNSET
    office: None | str | Unset = UNSET
    dt: None | str | Unset = UNSET
    meter: None | str | Unset = UNSET
    assignee: None | str | Unset = UNSET
    min_age_h: float | None | Unset = UNSET
    overdue: bool | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        state: None | str | Unset
        if isinstance(self.state, Unset):
            state = UNSET
        elif isinstance(self.state, str):
            state = self.state
        else:
            state = self.state

        rule: None | str | Unset
        if isinstance(self.rule, Unset):
            rule = UNSET
        else:
            rule = self.rule

        severity: None | str | Unset
        if isinstance(self.severity, Unset):
            severity = UNSET
        elif isinstance(self.severity, str):
            severity = self.severity
        else:
            severity = self.severity

        office: None | str | Unset
        if isinstance(self.office, Unset):
            office = UNSET
        else:
            office = self.office

        dt: None | str | Unset
        if isinstance(self.dt, Unset):
            dt = UNSET
        else:
            dt = self.dt

        meter: None | str | Unset
        if isinstance(self.meter, Unset):
            meter = UNSET
        else:
            meter = self.meter

        assignee: None | str | Unset
        if isinstance(self.assignee, Unset):
            assignee = UNSET
        else:
            assignee = self.assignee

        min_age_h: float | None | Unset
        if isinstance(self.min_age_h, Unset):
            min_age_h = UNSET
        else:
            min_age_h = self.min_age_h

        overdue: bool | None | Unset
        if isinstance(self.overdue, Unset):
            overdue = UNSET
        else:
            overdue = self.overdue

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if state is not UNSET:
            field_dict["state"] = state
        if rule is not UNSET:
            field_dict["rule"] = rule
        if severity is not UNSET:
            field_dict["severity"] = severity
        if office is not UNSET:
            field_dict["office"] = office
        if dt is not UNSET:
            field_dict["dt"] = dt
        if meter is not UNSET:
            field_dict["meter"] = meter
        if assignee is not UNSET:
            field_dict["assignee"] = assignee
        if min_age_h is not UNSET:
            field_dict["min_age_h"] = min_age_h
        if overdue is not UNSET:
            field_dict["overdue"] = overdue

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_state(data: object) -> CaseFilterStateType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                state_type_0 = check_case_filter_state_type_0(data)

                return state_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CaseFilterStateType0 | None | Unset, data)

        state = _parse_state(d.pop("state", UNSET))

        def _parse_rule(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        rule = _parse_rule(d.pop("rule", UNSET))

        def _parse_severity(data: object) -> CaseFilterSeverityType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                severity_type_0 = check_case_filter_severity_type_0(data)

                return severity_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CaseFilterSeverityType0 | None | Unset, data)

        severity = _parse_severity(d.pop("severity", UNSET))

        def _parse_office(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        office = _parse_office(d.pop("office", UNSET))

        def _parse_dt(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        dt = _parse_dt(d.pop("dt", UNSET))

        def _parse_meter(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        meter = _parse_meter(d.pop("meter", UNSET))

        def _parse_assignee(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        assignee = _parse_assignee(d.pop("assignee", UNSET))

        def _parse_min_age_h(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        min_age_h = _parse_min_age_h(d.pop("min_age_h", UNSET))

        def _parse_overdue(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        overdue = _parse_overdue(d.pop("overdue", UNSET))

        case_filter = cls(
            state=state,
            rule=rule,
            severity=severity,
            office=office,
            dt=dt,
            meter=meter,
            assignee=assignee,
            min_age_h=min_age_h,
            overdue=overdue,
        )

        return case_filter
