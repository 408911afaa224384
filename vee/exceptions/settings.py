"""How a DISCOM's exceptions are grouped, how soon a case must be closed and when it asks for field work: `rules/default.yml`, and what
`rules/<code>.yml` puts in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from warehouse import yaml_file

FOLDER = Path(__file__).parent / "rules"
SCHEMA = Path(__file__).parent / "rules.schema.json"


class CaseRuleError(yaml_file.FileError):
    """A file of rules is wrong; the message names file, line, field and remedy."""


@dataclass(frozen=True)
class WorkOrder:
    """What cases of `rules` ask for once every threshold is reached: a visit, or where `command` is given that command to their meters.
    Energy in Wh."""

    rules: tuple[str, ...]
    kind: str
    command: Literal["clock_sync", "read"] | None = None
    after_h: float = 0
    min_days: int = 1
    min_meters: int = 1
    min_stake_wh: int = 0


@dataclass(frozen=True)
class CaseRules:
    """`sla_h` in hours from opening to closing and `priority` (1 comes first), both by severity."""

    min_meters: int
    feeder_min_dts: int
    feeder_share: float
    sla_h: dict[str, float]
    priority: dict[str, int]
    work_orders: tuple[WorkOrder, ...]


def load(discom_code: str, folder: Path = FOLDER) -> CaseRules:
    """The rules of the DISCOM with this code. Raises CaseRuleError."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    raw = _read(FOLDER / "default.yml", schema)
    # Not by joining paths: a code is any text.
    own = {p.stem: p for p in folder.glob("*.yml") if p.stem != "default"}.get(discom_code)
    if own:
        raw |= _read(own, schema)
    orders = tuple(WorkOrder(**{**o, "rules": tuple(o["rules"])}) for o in raw["work_orders"])
    return CaseRules(**raw["group"], sla_h=raw["sla_h"], priority=raw["priority"], work_orders=orders)


def _read(path: Path, schema: dict[str, Any]) -> dict[str, Any]:
    file = yaml_file.read(path, schema, CaseRuleError)
    file.refuse(_twice(file.raw.get("work_orders", [])))
    return dict(file.raw)


def _twice(orders: list[dict[str, Any]]) -> Iterator[tuple[yaml_file.Where, str]]:
    seen: set[str] = set()
    for n, order in enumerate(orders):
        for rule in order["rules"]:
            if rule in seen:
                yield ("work_orders", n, "rules"), f"{rule} stands in two work orders: a case asks for one, so name it once"
            seen.add(rule)
