from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.explain_delivery import ExplainDelivery
    from ..models.explain_edit import ExplainEdit
    from ..models.explain_episode import ExplainEpisode
    from ..models.explain_meter import ExplainMeter
    from ..models.explanation_evidence import ExplanationEvidence
    from ..models.interval import Interval
    from ..models.rejected import Rejected
    from ..models.run import Run
    from ..models.sum_check import SumCheck
    from ..models.verdict import Verdict


T = TypeVar("T", bound="Explanation")


@_attrs_define
class Explanation:
    """One meter-day. `built_at` is None where it was not built: its values are then raw.

    Attributes:
        discom (str):
        day (datetime.date):
        timezone (str):
        interval_min (int):
        meter (ExplainMeter): The meter and the place where it hung on the day; `place` is None where it was not
            installed.
        built_at (datetime.datetime | None):
        rule_set (int | None):
        frozen (bool):
        final_wh (int | None):
        deliveries (list[ExplainDelivery]):
        rejected (list[Rejected]):
        rules (list[Verdict]):
        registers (None | SumCheck):
        evidence (ExplanationEvidence):
        episodes (list[ExplainEpisode]):
        edits (list[ExplainEdit]):
        runs (list[Run]):
        intervals (list[Interval]):
    """

    discom: str
    day: datetime.date
    timezone: str
    interval_min: int
    meter: ExplainMeter
    built_at: datetime.datetime | None
    rule_set: int | None
    frozen: bool
    final_wh: int | None
    deliveries: list[ExplainDelivery]
    rejected: list[Rejected]
    rules: list[Verdict]
    registers: None | SumCheck
    evidence: ExplanationEvidence
    episodes: list[ExplainEpisode]
    edits: list[ExplainEdit]
    runs: list[Run]
    intervals: list[Interval]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.sum_check import SumCheck  # noqa: PLC0415

        discom = self.discom

        day = self.day.isoformat()

        timezone = self.timezone

        interval_min = self.interval_min

        meter = self.meter.to_dict()

        built_at: None | str
        if isinstance(self.built_at, datetime.datetime):
            built_at = self.built_at.isoformat()
        else:
            built_at = self.built_at

        rule_set: int | None
        rule_set = self.rule_set

        frozen = self.frozen

        final_wh: int | None
        final_wh = self.final_wh

        deliveries = []
        for deliveries_item_data in self.deliveries:
            deliveries_item = deliveries_item_data.to_dict()
            deliveries.append(deliveries_item)

        rejected = []
        for rejected_item_data in self.rejected:
            rejected_item = rejected_item_data.to_dict()
            rejected.append(rejected_item)

        rules = []
        for rules_item_data in self.rules:
            rules_item = rules_item_data.to_dict()
            rules.append(rules_item)

        registers: dict[str, Any] | None
        if isinstance(self.registers, SumCheck):
            registers = self.registers.to_dict()
        else:
            registers = self.registers

        evidence = self.evidence.to_dict()

        episodes = []
        for episodes_item_data in self.episodes:
            episodes_item = episodes_item_data.to_dict()
            episodes.append(episodes_item)

        edits = []
        for edits_item_data in self.edits:
            edits_item = edits_item_data.to_dict()
            edits.append(edits_item)

        runs = []
        for runs_item_data in self.runs:
            runs_item = runs_item_data.to_dict()
            runs.append(runs_item)

        intervals = []
        for intervals_item_data in self.intervals:
            intervals_item = intervals_item_data.to_dict()
            intervals.append(intervals_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "discom": discom,
                "day": day,
                "timezone": timezone,
                "interval_min": interval_min,
                "meter": meter,
                "built_at": built_at,
                "rule_set": rule_set,
                "frozen": frozen,
                "final_wh": final_wh,
                "deliveries": deliveries,
                "rejected": rejected,
                "rules": rules,
                "registers": registers,
                "evidence": evidence,
                "episodes": episodes,
                "edits": edits,
                "runs": runs,
                "intervals": intervals,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.explain_delivery import ExplainDelivery  # noqa: PLC0415
        from ..models.explain_edit import ExplainEdit  # noqa: PLC0415
        from ..models.explain_episode import ExplainEpisode  # noqa: PLC0415
        from ..models.explain_meter import ExplainMeter  # noqa: PLC0415
        from ..models.explanation_evidence import ExplanationEvidence  # noqa: PLC0415
        from ..models.interval import Interval  # noqa: PLC0415
        from ..models.rejected import Rejected  # noqa: PLC0415
        from ..models.run import Run  # noqa: PLC0415
        from ..models.sum_check import SumCheck  # noqa: PLC0415
        from ..models.verdict import Verdict  # noqa: PLC0415

        d = dict(src_dict)
        discom = d.pop("discom")

        day = datetime.date.fromisoformat(d.pop("day"))

        timezone = d.pop("timezone")

        interval_min = d.pop("interval_min")

        meter = ExplainMeter.from_dict(d.pop("meter"))

        def _parse_built_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                built_at_type_0 = datetime.datetime.fromisoformat(data)

                return built_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        built_at = _parse_built_at(d.pop("built_at"))

        def _parse_rule_set(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        rule_set = _parse_rule_set(d.pop("rule_set"))

        frozen = d.pop("frozen")

        def _parse_final_wh(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        final_wh = _parse_final_wh(d.pop("final_wh"))

        deliveries = []
        _deliveries = d.pop("deliveries")
        for deliveries_item_data in _deliveries:
            deliveries_item = ExplainDelivery.from_dict(deliveries_item_data)

            deliveries.append(deliveries_item)

        rejected = []
        _rejected = d.pop("rejected")
        for rejected_item_data in _rejected:
            rejected_item = Rejected.from_dict(rejected_item_data)

            rejected.append(rejected_item)

        rules = []
        _rules = d.pop("rules")
        for rules_item_data in _rules:
            rules_item = Verdict.from_dict(rules_item_data)

            rules.append(rules_item)

        def _parse_registers(data: object) -> None | SumCheck:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                registers_type_0 = SumCheck.from_dict(data)

                return registers_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SumCheck, data)

        registers = _parse_registers(d.pop("registers"))

        evidence = ExplanationEvidence.from_dict(d.pop("evidence"))

        episodes = []
        _episodes = d.pop("episodes")
        for episodes_item_data in _episodes:
            episodes_item = ExplainEpisode.from_dict(episodes_item_data)

            episodes.append(episodes_item)

        edits = []
        _edits = d.pop("edits")
        for edits_item_data in _edits:
            edits_item = ExplainEdit.from_dict(edits_item_data)

            edits.append(edits_item)

        runs = []
        _runs = d.pop("runs")
        for runs_item_data in _runs:
            runs_item = Run.from_dict(runs_item_data)

            runs.append(runs_item)

        intervals = []
        _intervals = d.pop("intervals")
        for intervals_item_data in _intervals:
            intervals_item = Interval.from_dict(intervals_item_data)

            intervals.append(intervals_item)

        explanation = cls(
            discom=discom,
            day=day,
            timezone=timezone,
            interval_min=interval_min,
            meter=meter,
            built_at=built_at,
            rule_set=rule_set,
            frozen=frozen,
            final_wh=final_wh,
            deliveries=deliveries,
            rejected=rejected,
            rules=rules,
            registers=registers,
            evidence=evidence,
            episodes=episodes,
            edits=edits,
            runs=runs,
            intervals=intervals,
        )

        explanation.additional_properties = d
        return explanation

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
