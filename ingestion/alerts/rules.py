"""The alert rules of a DISCOM: read from YAML, checked, ready to be asked. No database and no data here.

METERHOUSE_ALERT_RULES  folder of <code of the DISCOM>.yml and default.yml, or one file for every DISCOM (default: the folder `rules` here)
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingestion.events import DICTIONARY, MeterEvent
from ingestion.events.dictionary import SEVERITIES
from warehouse import yaml_file
from warehouse.tables import ALL_CHANNELS, QUANTITIES

FOLDER = Path(__file__).parent / "rules"
SCHEMA = Path(__file__).parent / "rules.schema.json"

log = logging.getLogger(__name__)


class AlertRuleError(yaml_file.FileError):
    """A file of alert rules is wrong. The message has one line a fault: file, line, field, how to mend it."""


@dataclass(frozen=True)
class EventCondition:
    """Holds for an event that all given fields fit. Restorations count only where `event` names them."""

    events: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    log: str | None = None
    min_severity: str | None = None

    def holds(self, event: MeterEvent) -> bool:
        if self.events:
            return event.event in self.events
        if event.role == "restoration":
            return False
        if self.families:
            return event.family in self.families
        if self.log:
            return event.log == self.log
        return self.min_severity is not None and SEVERITIES.index(event.severity) <= SEVERITIES.index(self.min_severity)


@dataclass(frozen=True)
class Limit:
    """A channel of intervals (`slots` that follow each other) or a quantity (one value) beyond a limit, in its own unit."""

    name: str
    above: int | None
    below: int | None
    slots: int = 1

    def passed(self, values: Any) -> Any:
        """Which of a numpy array of values are beyond the limit."""
        if self.above is not None and self.below is not None:
            return (values > self.above) | (values < self.below)
        return values > self.above if self.above is not None else values < self.below

    def worst(self, values: Any) -> int:
        return int(values.max() if self.above is not None else values.min())


@dataclass(frozen=True)
class Rule:
    """One rule. Exactly one of the three conditions is there."""

    name: str
    throttle: timedelta
    severity: str | None
    send: tuple[tuple[str, str], ...]
    """(channel, target)."""
    event: EventCondition | None = None
    channel: Limit | None = None
    quantity: Limit | None = None


@dataclass(frozen=True)
class OutageRules:
    """How power failures are grouped. Shares are of the installed meters of a DT, and of the DTs of a feeder."""

    window: timedelta = timedelta(minutes=5)
    dt_share: float = 0.5
    feeder_share: float = 0.5
    min_meters: int = 2
    min_dts: int = 1


@dataclass(frozen=True)
class AlertRules:
    """The rules of a DISCOM."""

    path: Path
    rules: tuple[Rule, ...]
    backfill_after: timedelta = timedelta(hours=24)
    outage: OutageRules = field(default_factory=OutageRules)

    @property
    def on_events(self) -> list[Rule]:
        return [r for r in self.rules if r.event]

    @property
    def on_channels(self) -> list[Rule]:
        return [r for r in self.rules if r.channel]

    @property
    def on_quantities(self) -> list[Rule]:
        return [r for r in self.rules if r.quantity]


_good: dict[Path, AlertRules] = {}


def rules_of(discom_code: str) -> AlertRules:
    """The rules of a DISCOM as the file has them now.

    A file that is spoiled while we run leaves the rules that were good (and an error in the log): landing must not stand still for it.
    Raises AlertRuleError where there were none.
    """
    path = path_of(discom_code)
    try:
        rules = _load(path, path.stat().st_mtime_ns)
    except (OSError, AlertRuleError) as e:
        if path not in _good:
            raise e if isinstance(e, AlertRuleError) else AlertRuleError(f"{path}: cannot be read: {e}") from None
        log.error("alert rules are as they were, for the file is no good now: %s", e)
        return _good[path]
    _good[path] = rules
    return rules


def path_of(discom_code: str) -> Path:
    """The file whose rules hold for a DISCOM."""
    chosen = Path(os.environ.get("METERHOUSE_ALERT_RULES") or FOLDER)
    if chosen.is_file() or chosen.suffix in (".yml", ".yaml"):
        return chosen
    own = {p.stem: p for p in chosen.glob("*.yml")}.get(discom_code)
    return own or (chosen / "default.yml" if (chosen / "default.yml").is_file() else FOLDER / "default.yml")


@lru_cache(maxsize=256)
def _load(path: Path, _mtime_ns: int) -> AlertRules:
    return load(path)


def load(path: Path) -> AlertRules:
    """Read a file of rules. Raises AlertRuleError."""
    file = yaml_file.read(path, json.loads(SCHEMA.read_text(encoding="utf-8")), AlertRuleError)
    file.refuse(_sense_faults(file.raw))
    raw = file.raw
    outage = raw.get("outage", {})
    if "window_min" in outage:
        outage = outage | {"window": timedelta(minutes=outage["window_min"])}
        del outage["window_min"]
    return AlertRules(path, tuple(map(_rule, raw["rules"])), timedelta(hours=raw.get("backfill_after_h", 24)), OutageRules(**outage))


def _sense_faults(raw: dict[str, Any]) -> Iterator[tuple[yaml_file.Where, str]]:
    """What the schema cannot say."""
    names: set[str] = set()
    families = {e.family for e in DICTIONARY.events.values()}
    for i, rule in enumerate(raw["rules"]):
        at: yaml_file.Where = ("rules", i)
        if rule["name"] in names:
            yield (*at, "name"), f"{rule['name']!r} stands twice: the throttle counts by name, give each its own"
        names.add(rule["name"])
        when = rule["when"]
        for field_, known in (("event", set(DICTIONARY.events)), ("family", families)):
            for name in sorted(set(_names(when.get(field_))) - known):
                if not name.startswith(("UNKNOWN_", "VENDOR_")):
                    yield (
                        (*at, "when", field_),
                        f"no {field_} is called {name}: see ingestion/events/dictionary.yml",
                    )
        for field_, every in (("channel", ALL_CHANNELS), ("quantity", QUANTITIES)):
            if field_ in when and when[field_] not in every:
                yield (*at, "when", field_), f"{when[field_]} is none. There are: {', '.join(every)}"
        limit = "channel" in when or "quantity" in when
        if limit and "above" not in when and "below" not in when:
            yield (*at, "when"), "has no limit: add above or below, in the unit that the name ends with"
        for field_ in ("above", "below"):
            if field_ in when and not limit:
                yield (*at, "when", field_), "needs a channel or a quantity"
        if "slots" in when and "channel" not in when:
            yield (*at, "when", "slots"), "needs a channel of interval readings"


def _names(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []


def _rule(raw: dict[str, Any]) -> Rule:
    when = raw["when"]
    event = channel = quantity = None
    if "channel" in when:
        channel = Limit(when["channel"], when.get("above"), when.get("below"), when.get("slots", 1))
    elif "quantity" in when:
        quantity = Limit(when["quantity"], when.get("above"), when.get("below"))
    else:
        event = EventCondition(
            frozenset(_names(when.get("event"))), frozenset(_names(when.get("family"))), when.get("log"), when.get("min_severity")
        )
    send = tuple(next(iter(s.items())) for s in raw.get("send", ()))
    return Rule(raw["name"], timedelta(minutes=raw.get("throttle_min", 60)), raw.get("severity"), send, event, channel, quantity)
