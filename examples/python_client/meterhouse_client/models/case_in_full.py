from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.case_in_full_scope import CaseInFullScope, check_case_in_full_scope
from ..models.case_in_full_severity import (
    CaseInFullSeverity,
    check_case_in_full_severity,
)
from ..models.case_state import CaseState, check_case_state
from ..models.resolution import Resolution, check_resolution

if TYPE_CHECKING:
    from ..models.line import Line
    from ..models.meter_day import MeterDay


T = TypeVar("T", bound="CaseInFull")


@_attrs_define
class CaseInFull:
    """`exceptions`: the first 1,000, by day and meter.

    Attributes:
        id (int):
        scope (CaseInFullScope):
        meter (None | str): serial, of a case of one meter
        dt (None | str):
        feeder (None | str):
        office (None | str):
        rule (str):
        stage (str):
        severity (CaseInFullSeverity):
        action (str):
        first_day (datetime.date):
        last_day (datetime.date):
        meters (int):
        meter_days (int):
        stake_wh (int | None): energy of its meter-days where known
        priority (int): 1 comes first
        state (CaseState): State of a row of vee.case.
        assignee (None | str):
        wait_reason (None | str):
        wait_until (datetime.datetime | None):
        follows (int | None): the case before of the same place and rule
        opened_at (datetime.datetime):
        updated_at (datetime.datetime):
        closed_at (datetime.datetime | None):
        closed_by (None | str):
        resolution (None | Resolution):
        resolution_note (None | str):
        age_h (float):
        sla_h (float):
        overdue (bool):
        work_order (None | str): kind of the field work that it asked for
        exceptions (list[MeterDay]):
        audit (list[Line]):
    """

    id: int
    scope: CaseInFullScope
    meter: None | str
    dt: None | str
    feeder: None | str
    office: None | str
    rule: str
    stage: str
    severity: CaseInFullSeverity
    action: str
    first_day: datetime.date
    last_day: datetime.date
    meters: int
    meter_days: int
    stake_wh: int | None
    priority: int
    state: CaseState
    assignee: None | str
    wait_reason: None | str
    wait_until: datetime.datetime | None
    follows: int | None
    opened_at: datetime.datetime
    updated_at: datetime.datetime
    closed_at: datetime.datetime | None
    closed_by: None | str
    resolution: None | Resolution
    resolution_note: None | str
    age_h: float
    sla_h: float
    overdue: bool
    work_order: None | str
    exceptions: list[MeterDay]
    audit: list[Line]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        scope: str = self.scope

        meter: None | str
        meter = self.meter

        dt: None | str
        dt = self.dt

        feeder: None | str
        feeder = self.feeder

        office: None | str
        office = self.office

        rule = self.rule

        stage = self.stage

        severity: str = self.severity

        action = self.action

        first_day = self.first_day.isoformat()

        last_day = self.last_day.isoformat()

        meters = self.meters

        meter_days = self.meter_days

        stake_wh: int | None
        stake_wh = self.stake_wh

        priority = self.priority

        state: str = self.state

        assignee: None | str
        assignee = self.assignee

        wait_reason: None | str
        wait_reason = self.wait_reason

        wait_until: None | str
        if isinstance(self.wait_until, datetime.datetime):
            wait_until = self.wait_until.isoformat()
        else:
            wait_until = self.wait_until

        follows: int | None
        follows = self.follows

        opened_at = self.opened_at.isoformat()

        updated_at = self.updated_at.isoformat()

        closed_at: None | str
        if isinstance(self.closed_at, datetime.datetime):
            closed_at = self.closed_at.isoformat()
        else:
            closed_at = self.closed_at

        closed_by: None | str
        closed_by = self.closed_by

        resolution: None | str
        if isinstance(self.resolution, str):
            resolution = self.resolution
        else:
            resolution = self.resolution

        resolution_note: None | str
        resolution_note = self.resolution_note

        age_h = self.age_h

        sla_h = self.sla_h

        overdue = self.overdue

        work_order: None | str
        work_order = self.work_order

        exceptions = []
        for exceptions_item_data in self.exceptions:
            exceptions_item = exceptions_item_data.to_dict()
            exceptions.append(exceptions_item)

        audit = []
        for audit_item_data in self.audit:
            audit_item = audit_item_data.to_dict()
            audit.append(audit_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "scope": scope,
                "meter": meter,
                "dt": dt,
                "feeder": feeder,
                "office": office,
                "rule": rule,
                "stage": stage,
                "severity": severity,
                "action": action,
                "first_day": first_day,
                "last_day": last_day,
                "meters": meters,
                "meter_days": meter_days,
                "stake_wh": stake_wh,
                "priority": priority,
                "state": state,
                "assignee": assignee,
                "wait_reason": wait_reason,
                "wait_until": wait_until,
                "follows": follows,
                "opened_at": opened_at,
                "updated_at": updated_at,
                "closed_at": closed_at,
                "closed_by": closed_by,
                "resolution": resolution,
                "resolution_note": resolution_note,
                "age_h": age_h,
                "sla_h": sla_h,
                "overdue": overdue,
                "work_order": work_order,
                "exceptions": exceptions,
                "audit": audit,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.line import Line  # noqa: PLC0415
        from ..models.meter_day import MeterDay  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        scope = check_case_in_full_scope(d.pop("scope"))

        def _parse_meter(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        meter = _parse_meter(d.pop("meter"))

        def _parse_dt(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        dt = _parse_dt(d.pop("dt"))

        def _parse_feeder(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        feeder = _parse_feeder(d.pop("feeder"))

        def _parse_office(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        office = _parse_office(d.pop("office"))

        rule = d.pop("rule")

        stage = d.pop("stage")

        severity = check_case_in_full_severity(d.pop("severity"))

        action = d.pop("action")

        first_day = datetime.date.fromisoformat(d.pop("first_day"))

        last_day = datetime.date.fromisoformat(d.pop("last_day"))

        meters = d.pop("meters")

        meter_days = d.pop("meter_days")

        def _parse_stake_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        stake_wh = _parse_stake_wh(d.pop("stake_wh"))

        priority = d.pop("priority")

        state = check_case_state(d.pop("state"))

        def _parse_assignee(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        assignee = _parse_assignee(d.pop("assignee"))

        def _parse_wait_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        wait_reason = _parse_wait_reason(d.pop("wait_reason"))

        def _parse_wait_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                wait_until_type_0 = datetime.datetime.fromisoformat(data)

                return wait_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        wait_until = _parse_wait_until(d.pop("wait_until"))

        def _parse_follows(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        follows = _parse_follows(d.pop("follows"))

        opened_at = datetime.datetime.fromisoformat(d.pop("opened_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        def _parse_closed_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                closed_at_type_0 = datetime.datetime.fromisoformat(data)

                return closed_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        closed_at = _parse_closed_at(d.pop("closed_at"))

        def _parse_closed_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        closed_by = _parse_closed_by(d.pop("closed_by"))

        def _parse_resolution(data: object) -> None | Resolution:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                resolution_type_0 = check_resolution(data)

                return resolution_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Resolution, data)

        resolution = _parse_resolution(d.pop("resolution"))

        def _parse_resolution_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        resolution_note = _parse_resolution_note(d.pop("resolution_note"))

        age_h = d.pop("age_h")

        sla_h = d.pop("sla_h")

        overdue = d.pop("overdue")

        def _parse_work_order(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        work_order = _parse_work_order(d.pop("work_order"))

        exceptions = []
        _exceptions = d.pop("exceptions")
        for exceptions_item_data in _exceptions:
            exceptions_item = MeterDay.from_dict(exceptions_item_data)

            exceptions.append(exceptions_item)

        audit = []
        _audit = d.pop("audit")
        for audit_item_data in _audit:
            audit_item = Line.from_dict(audit_item_data)

            audit.append(audit_item)

        case_in_full = cls(
            id=id,
            scope=scope,
            meter=meter,
            dt=dt,
            feeder=feeder,
            office=office,
            rule=rule,
            stage=stage,
            severity=severity,
            action=action,
            first_day=first_day,
            last_day=last_day,
            meters=meters,
            meter_days=meter_days,
            stake_wh=stake_wh,
            priority=priority,
            state=state,
            assignee=assignee,
            wait_reason=wait_reason,
            wait_until=wait_until,
            follows=follows,
            opened_at=opened_at,
            updated_at=updated_at,
            closed_at=closed_at,
            closed_by=closed_by,
            resolution=resolution,
            resolution_note=resolution_note,
            age_h=age_h,
            sla_h=sla_h,
            overdue=overdue,
            work_order=work_order,
            exceptions=exceptions,
            audit=audit,
        )

        case_in_full.additional_properties = d
        return case_in_full

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
