"""The rules as data: a suite in Great Expectations' own form, with what a DISCOM's overlay changes in it.

Reads and checks files. No database and no Great Expectations here: expectations.runner judges by these rules.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal

import jsonschema
import yaml

HERE = Path(__file__).resolve().parent
SUITES = HERE / "suites"
OVERLAYS = HERE / "overlays"

Stage = Literal["initial", "estimate"]
SUITE_OF: dict[Stage, str] = {"initial": "interval", "estimate": "estimate"}

SEVERITIES = ("fatal", "fail", "warn")
"""Worst first: of two expectations of one rule that fail for the same meter-day, the worse one is recorded."""


class RuleError(ValueError):
    """A suite or an overlay that is no good: which file, which field, and how to mend it. One line a fault."""


@dataclass(frozen=True)
class Check:
    """One expectation. A rule has one, or several variants (V13.domestic, V13.other) that share one row of vee.exception."""

    type: str
    kwargs: dict[str, Any]
    rule: str
    title: str
    severity: str
    action: str
    value: str
    message: str
    variant: str | None = None
    acceptance: float = 0.0
    enabled: bool = True

    @property
    def key(self) -> str:
        return f"{self.rule}.{self.variant}" if self.variant else self.rule

    @property
    def message_parts(self) -> Iterator[tuple[str, str | None]]:
        """The message as (text, column that follows it); arguments of the rule are filled in already."""
        text = ""
        for literal, name, _, _ in Formatter().parse(self.message):
            text += literal
            if name is None:
                continue
            if name in self.kwargs and name != "column":
                text += f"{self.kwargs[name]:g}"
            else:
                yield text, name
                text = ""
        yield text, None

    @property
    def columns(self) -> set[str]:
        """Columns that the expectation, its condition, its value and its message read."""
        condition = self.kwargs.get("row_condition")
        return {
            self.kwargs["column"],
            self.value,
            *(name for _, name in self.message_parts if name),
            *([condition["column"]["name"]] if condition else []),
        }


@dataclass(frozen=True)
class Suite:
    """The rules of one stage. `table` holds a row per meter-day with key (discom_id, day, meter_id)."""

    name: str
    stage: Stage
    table: str
    checks: tuple[Check, ...] = field(default_factory=tuple)

    @property
    def rules(self) -> list[str]:
        """Every rule of the suite, switched off or not."""
        return sorted({c.rule for c in self.checks})

    @property
    def enabled(self) -> list[Check]:
        """Checks in force, worst severity first."""
        return sorted((c for c in self.checks if c.enabled), key=lambda c: SEVERITIES.index(c.severity))


def load_suite(stage: Stage, discom_code: str, overlays: Path = OVERLAYS) -> Suite:
    """The suite of a stage as it holds for a DISCOM: `<code>.yml` of `overlays` is applied where there is one. Raises RuleError."""
    suite = read_suite(SUITES / f"{SUITE_OF[stage]}.yml")
    path = {p.stem: p for p in overlays.glob("*.yml")}.get(discom_code)
    return _merged(suite, path) if path else suite


def read_suite(path: Path) -> Suite:
    """A suite file. Raises RuleError."""
    raw = _read(path, "suite")
    checks = tuple(Check(type=e["type"], kwargs=e["kwargs"], **e["meta"]) for e in raw["expectations"])
    twice = [key for key, n in Counter(c.key for c in checks).items() if n > 1]
    _refuse(path, [(("expectations",), f"{key} is there twice: give each its own meta.variant") for key in twice])
    return Suite(raw["name"], raw["meta"]["stage"], raw["meta"]["table"], checks)


def _merged(suite: Suite, path: Path) -> Suite:
    raw = _read(path, "overlay")
    if raw["discom"] != path.stem:
        _refuse(path, [(("discom",), f"{raw['discom']} is in a file called {path.name}: name both alike")])
    checks = {c.key: c for c in suite.checks}
    for name, change in raw.get(suite.stage, {}).items():
        targets = [key for key, c in checks.items() if name in (key, c.rule)]
        if not targets:
            known = sorted({*checks, *suite.rules})
            _refuse(path, [((suite.stage, name), f"the suite {suite.name} has no such rule. Known here: {', '.join(known)}")])
        for key in targets:
            old = checks[key]
            checks[key] = replace(old, **{**change, "kwargs": {**old.kwargs, **change.get("kwargs", {})}})
    return replace(suite, checks=tuple(checks.values()))


Fault = tuple[tuple[str | int, ...], str]


def _read(path: Path, kind: Literal["suite", "overlay"]) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise RuleError(f"{path}: cannot be read: {e}") from None
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise RuleError(f"{where}: not YAML: {getattr(e, 'problem', e)}. Quote texts with : # {{ }} [ ] or %") from None
    _refuse(path, [*_schema_faults(raw, kind)])
    return raw


def _refuse(path: Path, faults: list[Fault]) -> None:
    if faults:
        raise RuleError("\n".join(f"{path}: {'.'.join(map(str, where)) or 'file'}: {message}" for where, message in faults))


@cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((HERE / f"{kind}.schema.json").read_text(encoding="utf-8")))


def _schema_faults(raw: object, kind: str) -> Iterator[Fault]:
    for e in sorted(_validator(kind).iter_errors(raw), key=lambda e: [str(p) for p in e.absolute_path]):
        where = tuple(e.absolute_path)
        if e.validator == "additionalProperties" and isinstance(e.instance, dict):
            known = e.schema["properties"]
            for extra in sorted(set(e.instance) - set(known), key=str):
                yield (*where, extra), f"unknown field. Known here: {', '.join(sorted(known))}"
        elif e.validator == "enum":
            yield where, f"{e.instance!r} is not allowed. Allowed: {', '.join(map(str, e.validator_value))}"
        elif e.validator == "anyOf":
            yield where, "has no limit: add min_value or max_value"
        elif e.validator == "required":
            yield where, f"{e.message}: add it"
        else:
            yield where, e.message
