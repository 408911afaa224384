from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.rule_source import RuleSource, check_rule_source

if TYPE_CHECKING:
    from ..models.rule_definition import RuleDefinition


T = TypeVar("T", bound="Rule")


@_attrs_define
class Rule:
    """One check in force. A rule has several where it has variants or scopes, which share no meter-day.

    Attributes:
        stage (str):
        rule (str):
        variant (None | str):
        title (str):
        enabled (bool):
        severity (str):
        action (str):
        acceptance (float): share of a day's meter-days that must pass, else the day is refused
        limit (str):
        scope (str): meter-days that it is for; empty: all
        message (str):
        source (RuleSource):
        definition (RuleDefinition): table, test, kwargs, row conditions and value, as the engine has them
    """

    stage: str
    rule: str
    variant: None | str
    title: str
    enabled: bool
    severity: str
    action: str
    acceptance: float
    limit: str
    scope: str
    message: str
    source: RuleSource
    definition: RuleDefinition
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        stage = self.stage

        rule = self.rule

        variant: None | str
        variant = self.variant

        title = self.title

        enabled = self.enabled

        severity = self.severity

        action = self.action

        acceptance = self.acceptance

        limit = self.limit

        scope = self.scope

        message = self.message

        source: str = self.source

        definition = self.definition.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "stage": stage,
                "rule": rule,
                "variant": variant,
                "title": title,
                "enabled": enabled,
                "severity": severity,
                "action": action,
                "acceptance": acceptance,
                "limit": limit,
                "scope": scope,
                "message": message,
                "source": source,
                "definition": definition,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.rule_definition import RuleDefinition  # noqa: PLC0415

        d = dict(src_dict)
        stage = d.pop("stage")

        rule = d.pop("rule")

        def _parse_variant(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        variant = _parse_variant(d.pop("variant"))

        title = d.pop("title")

        enabled = d.pop("enabled")

        severity = d.pop("severity")

        action = d.pop("action")

        acceptance = d.pop("acceptance")

        limit = d.pop("limit")

        scope = d.pop("scope")

        message = d.pop("message")

        source = check_rule_source(d.pop("source"))

        definition = RuleDefinition.from_dict(d.pop("definition"))

        rule = cls(
            stage=stage,
            rule=rule,
            variant=variant,
            title=title,
            enabled=enabled,
            severity=severity,
            action=action,
            acceptance=acceptance,
            limit=limit,
            scope=scope,
            message=message,
            source=source,
            definition=definition,
        )

        rule.additional_properties = d
        return rule

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
