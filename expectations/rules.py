"""The rules as data: suites in Great Expectations' own form, with what a DISCOM's overlay changes in them and adds to them.

Reads and checks files. No database and no Great Expectations here: expectations.runner judges by these rules.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal

import yaml

from expectations.figures import columns_of, nearest, numbers_of
from warehouse import yaml_file
from warehouse.yaml_file import FileError, Where, YamlFile

HERE = Path(__file__).resolve().parent
SUITES = HERE / "suites"
OVERLAYS = HERE / "overlays"

Stage = Literal["initial", "estimate", "edit", "frozen"]
STAGES: tuple[Stage, ...] = ("initial", "estimate", "edit", "frozen")
"""What is judged: measured days, estimated days, edited days, what landed of days that were billed.
suites/<stage>/ has its suites, each for one table and one class of meters."""

SEVERITIES = ("fatal", "fail", "warn", "info")
"""Worst first: of two expectations of one rule that fail for the same meter-day, the worse one is recorded."""


class RuleError(FileError):
    """A suite or an overlay that is no good: which file, line and field, and how to mend it. One line a fault."""


SCOPE = ("place", "category", "tariff", "phases", "dt", "meter_category")
"""Columns by which a change may be scoped, beside the day."""

DATES = ("from", "to")

LARGEST = 1e15
"""Limits are far below it, and arithmetic is exact up to it."""

COMPARED = "expect_column_compared_to_be_between"
"""The expectation of rules that judge a figure against another one: expectations.compared."""

RELATIONS = {"per": "ratio", "minus": "difference"}
"""How a figure is set against another, and what the outcome is called in a message."""


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
    table: str = "vee.measure"
    """A row per meter-day with key (discom_id, day, meter_id)."""
    rows: tuple[dict[str, Any], ...] = ()
    """What rows the check is for: comparisons as Great Expectations writes them, all of which must hold."""
    but: tuple[tuple[dict[str, Any], ...], ...] = ()
    """What rows it is not for, though `rows` holds: those for which all of one of these groups holds. Great Expectations' conditions know
    no such NOT, so the runner applies it in SQL, where a row of which a column is NULL stays in."""
    overlay: bool = False
    """Whether an overlay changed or added it."""

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
            if isinstance(self.kwargs.get(name), int | float):
                text += f"{self.kwargs[name]:g}"
            else:
                yield text, name
                text = ""
        yield text, None

    @property
    def relation(self) -> tuple[str, str] | None:
        """Of a check of two figures how they are set against each other (`per`, `minus`), and the other column."""
        return next(((name, self.kwargs[name]) for name in RELATIONS if name in self.kwargs), None)

    @property
    def columns(self) -> set[str]:
        """Columns that the expectation, its conditions, its value and its message read."""
        read = {
            self.kwargs["column"],
            self.value,
            *(name for _, name in self.message_parts if name),
            *(r["column"]["name"] for r in (*self.rows, *(c for group in self.but for c in group))),
        }
        return read - set(RELATIONS.values()) | {self.relation[1]} if self.relation else read


@dataclass(frozen=True)
class Suite:
    """The rules of one stage."""

    stage: Stage
    checks: tuple[Check, ...] = field(default_factory=tuple)

    @property
    def rules(self) -> list[str]:
        """Every rule of the suite, switched off or not."""
        return sorted({c.rule for c in self.checks})

    @property
    def acceptance(self) -> dict[str, float]:
        """By rule in force the share of a day's meter-days that must pass."""
        return {c.rule: max(o.acceptance for o in self.enabled if o.rule == c.rule) for c in self.enabled}

    @property
    def enabled(self) -> list[Check]:
        """Checks in force, worst severity first."""
        return sorted((c for c in self.checks if c.enabled), key=lambda c: SEVERITIES.index(c.severity))


def load_suite(stage: Stage, discom_code: str, overlays: Path | None = None) -> Suite:
    """The suite of a stage as it holds for a DISCOM: with its overlay, where there is one. Raises RuleError."""
    path = overlay_path(discom_code, overlays)
    return suite_with(stage, read_overlay(path) if path else None)


def suite_with(stage: Stage, overlay: YamlFile | None) -> Suite:
    """The suite of a stage with an overlay that was read already."""
    return _merged(base_suite(stage), overlay, []) if overlay else base_suite(stage)


def overlay_folders() -> Iterator[Path]:
    """Where overlays are looked for, in this order: METERHOUSE_OVERLAYS, those that come with Meterhouse."""
    for part in os.environ.get("METERHOUSE_OVERLAYS", "").split(os.pathsep):
        if part:
            yield Path(part)
    yield OVERLAYS


def overlay_path(discom_code: str, folder: Path | None = None) -> Path | None:
    """The overlay of a DISCOM in `folder`, or in the first of overlay_folders() that has one."""
    found = ({p.stem: p for p in f.glob("*.yml")}.get(discom_code) for f in ([folder] if folder else overlay_folders()))
    return next((p for p in found if p), None)


@cache
def base_suite(stage: Stage) -> Suite:
    """The suite of a stage as it comes with Meterhouse. Raises RuleError."""
    checks = tuple(c for path in sorted((SUITES / stage).glob("*.yml")) for c in read_suite(path))
    if twice := [key for key, n in Counter(c.key for c in checks).items() if n > 1]:
        raise RuleError("\n".join(f"{SUITES / stage}: {key} is in two suites: give each its own meta.variant" for key in twice))
    return Suite(stage, checks)


def load_estimation(discom_code: str, overlays: Path | None = None) -> dict[str, Any]:
    """How a DISCOM estimates: estimation.yml, with what `estimation` of its overlay changes in it. Raises RuleError."""
    defaults = yaml_file.read(HERE / "estimation.yml", _schema("overlay")["$defs"]["estimation"], RuleError).raw
    path = overlay_path(discom_code, overlays)
    return {**defaults, **(read_overlay(path).raw.get("estimation", {}) if path else {})}


def read_suite(path: Path) -> list[Check]:
    """The checks of a suite file; what it says of all its rows (meta.rows) is part of each. Raises RuleError."""
    file = yaml_file.read(path, _schema("suite"), RuleError)
    meta = file.raw["meta"]
    checks = []
    for e in file.raw["expectations"]:
        own = e["kwargs"].pop("row_condition", None)
        rows = (*meta.get("rows", ()), *([own] if own else ()))
        checks.append(Check(type=e["type"], kwargs=e["kwargs"], table=meta["table"], rows=rows, **e["meta"]))
    twice = [key for key, n in Counter(c.key for c in checks).items() if n > 1]
    file.refuse((("expectations",), f"{key} is there twice: give each its own meta.variant") for key in twice)
    return checks


def read_overlay(path: Path, text: str | None = None, *, discom: str | None = None, draft: bool = False) -> YamlFile:
    """An overlay, checked against the suites of all stages. `text` is what `path` holds, or may hold. It is for the DISCOM `discom`, by
    default for the one that the file is named after; a draft may have any name. Raises RuleError, with every fault that was found."""
    try:
        text = path.read_text(encoding="utf-8") if text is None else text
    except (OSError, UnicodeDecodeError) as e:
        raise RuleError(f"{path}: cannot be read: {e}") from None
    _refuse_unsafe(path, text)
    file = yaml_file.parse(text, path, _schema("overlay"), RuleError)
    file.refuse(_number_faults(file.raw, ()))
    faults: list[Fault] = []
    if not draft and file.raw["discom"] != (discom or path.stem):
        remedy = f"name {discom}" if discom else "name both alike"
        whose = f"asked for {discom}" if discom else f"in a file called {path.name}"
        faults.append((("discom",), f"{file.raw['discom']} is {whose}: {remedy}"))
    for stage in STAGES:
        _merged(base_suite(stage), file, faults)
    file.refuse(faults)
    return file


# --- what an overlay says ---

Fault = tuple[Where, str]


def _merged(suite: Suite, file: YamlFile, faults: list[Fault]) -> Suite:
    """The suite with an overlay. What is wrong is added to `faults` and left out."""
    checks = list(suite.checks)
    for name, raw in file.raw.get(suite.stage, {}).items():
        chosen = [c for c in checks if name in (c.key, c.rule)]
        if not chosen:
            known = sorted({*suite.rules, *(c.key for c in suite.checks)})
            faults.append(((suite.stage, name), f"the {suite.stage} suites have no such rule. Known here: {', '.join(known)}"))
            continue
        at: Where = (suite.stage, name)
        changes = [((*at, i), c) for i, c in enumerate(raw)] if isinstance(raw, list) else [(at, raw)]
        found = [f for where, change in changes for f in _faults_of(where, change, suite.stage, chosen)]
        found = found or [*_order_faults(file, changes)]
        faults += found
        if not found:
            checks = [piece for c in checks for piece in (_pieces(c, changes, faults) if c in chosen else [c])]
    return replace(suite, checks=(*checks, *_added(suite, file, faults)))


def _pieces(check: Check, changes: list[tuple[Where, dict[str, Any]]], faults: list[Fault]) -> list[Check]:
    """A check cut up by the scopes of its changes; what is in none of them stays as it was. The pieces share no row."""
    pieces = []
    but = check.but
    rest = check
    for at, change in changes:
        told = {k: v for k, v in change.items() if k not in ("scope", "kwargs")}
        new = replace(check, **told, kwargs={**check.kwargs, **change.get("kwargs", {})}, but=but, overlay=True)
        if new.kwargs.get("min_value", -math.inf) > new.kwargs.get("max_value", math.inf):
            faults.append(((*at, "kwargs"), f"min_value {new.kwargs['min_value']:g} is above max_value {new.kwargs['max_value']:g}"))
        if "scope" in change:
            within = _within(change["scope"])
            pieces.append(replace(new, rows=(*check.rows, *within)))
            but = (*but, within)
            rest = replace(check, but=but)
        else:
            rest = new
    # A day is accepted as a whole, whatever its meters' scopes.
    return [replace(p, acceptance=rest.acceptance) for p in pieces] + [rest]


def _within(scope: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    rows = [_comparison(c, "IN", scope[c] if isinstance(scope[c], list) else [scope[c]]) for c in SCOPE if c in scope]
    rows += [_comparison("day", o, date.fromisoformat(scope[end])) for end, o in (("from", ">="), ("to", "<=")) if end in scope]
    return tuple(rows)


def _comparison(column: str, operator: str, parameter: Any) -> dict[str, Any]:
    return {"type": "comparison", "column": {"name": column}, "operator": operator, "parameter": parameter}


def _faults_of(at: Where, change: dict[str, Any], stage: Stage, checks: Iterable[Check]) -> Iterator[Fault]:
    if "scope" in change:
        yield from _scope_faults((*at, "scope"), change["scope"], {c.table for c in checks})
        if "acceptance" in change:
            yield (*at, "acceptance"), "a day is accepted or refused as a whole: put acceptance into a change without scope"
        if len(change) == 1:
            yield at, "says nothing but its scope: add what changes there, such as enabled: false"
    if change.get("action") == "estimate" and stage != "initial":
        yield (*at, "action"), "what fails after estimation waits for a person: give hold, flag or note"


def _order_faults(file: YamlFile, changes: list[tuple[Where, dict[str, Any]]]) -> Iterator[Fault]:
    """The first change that fits holds, so none may hide one after it."""
    earlier: list[tuple[int, dict[str, Any]]] = []
    for n, (at, change) in enumerate(changes):
        scope = change.get("scope")
        if scope is None:
            if n < len(changes) - 1:
                yield at, "has no scope, so nothing comes to what follows: put it last"
            return
        for line, other in earlier:
            if {k: v for k, v in scope.items() if k not in DATES} == {k: v for k, v in other.items() if k not in DATES}:
                first = max(scope.get("from", ""), other.get("from", ""))
                last = min(scope.get("to", "9"), other.get("to", "9"))
                if first <= last:
                    yield (*at, "scope"), f"overlaps in its dates with that of line {line}: let one end on the day before the other begins"
        earlier.append((file.line((*at, "scope")), scope))


def _scope_faults(at: Where, scope: dict[str, Any], tables: Iterable[str]) -> Iterator[Fault]:
    for column in (c for c in SCOPE if c in scope):
        for table in (t for t in tables if column not in columns_of(t)):
            has = ", ".join(c for c in SCOPE if c in columns_of(table)) or "nothing but days"
            yield (*at, column), f"{table}, which the rule judges, has no {column}: scope by {has}"
    days = {}
    for end in DATES:
        try:
            if end in scope:
                days[end] = date.fromisoformat(scope[end])
        except ValueError:
            yield (*at, end), f"{scope[end]} is no day of the calendar"
    if len(days) == 2 and days["to"] < days["from"]:
        yield (*at, "to"), f"{days['to']} is before {days['from']}: give the first day as from and the last as to"


def _added(suite: Suite, file: YamlFile, faults: list[Fault]) -> Iterator[Check]:
    """The overlay's own rules of the suite's stage."""
    # vee.measure first, which has every meter-day.
    tables = sorted(dict.fromkeys(c.table for c in suite.checks), key=lambda t: t != "vee.measure")
    seen: set[str] = set()
    for i, raw in enumerate(file.raw.get("add", ())):
        at: Where = ("add", i)
        if raw.get("stage", "initial") != suite.stage:
            continue
        if raw["rule"] in seen:
            faults.append(((*at, "rule"), f"{raw['rule']} is there twice: give each rule its own number"))
        seen.add(raw["rule"])
        test = raw["test"]
        figures = {k: test[k] for k in ("figure", *RELATIONS) if k in test}
        table = next((t for t in tables if set(figures.values()) <= set(numbers_of(t))), None)
        found = [*_test_faults((*at, "test"), test, figures, tables, table)]
        if table:
            allowed = {*numbers_of(table), *(k for k in ("min", "max") if k in test), *(RELATIONS[k] for k in figures if k in RELATIONS)}
            found += _message_faults((*at, "message"), raw["message"], allowed)
            found += _scope_faults((*at, "scope"), raw.get("scope", {}), [table])
        faults += found
        if found or not table:
            continue
        relation = next((k for k in RELATIONS if k in test), None)
        limits = {f"{k}_value": test[k] for k in ("min", "max") if k in test}
        yield Check(
            type=COMPARED if relation else "expect_column_values_to_be_between",
            kwargs={"column": test["figure"], **limits, **({relation: test[relation]} if relation else {})},
            **{k: raw[k] for k in ("rule", "title", "severity", "action")},
            value=RELATIONS[relation] if relation else test["figure"],
            message=raw["message"].replace("{min}", "{min_value}").replace("{max}", "{max_value}"),
            acceptance=raw.get("acceptance", 0.0),
            table=table,
            rows=_within(raw.get("scope", {})),
            overlay=True,
        )


def _test_faults(at: Where, test: dict[str, Any], figures: dict[str, str], tables: list[str], table: str | None) -> Iterator[Fault]:
    if len(figures) > 2:
        yield (*at, "minus"), "stands beside per: give one of them"
    unknown = [k for k, f in figures.items() if not any(f in numbers_of(t) for t in tables)]
    for k in unknown:
        known = sorted({n for t in tables for n in numbers_of(t)})
        yield (*at, k), f"there is no figure {figures[k]}. {nearest(figures[k], known)}"
    if table is None and not unknown and len(figures) == 2:
        homes = "; ".join(f"{f} is in {', '.join(t for t in tables if f in numbers_of(t))}" for f in figures.values())
        yield at, f"two figures must be of one table: {homes}"
    if test.get("min", -math.inf) > test.get("max", math.inf):
        yield (*at, "min"), f"{test['min']:g} is above max {test['max']:g}"


def _message_faults(at: Where, message: str, allowed: set[str]) -> Iterator[Fault]:
    try:
        parts = [*Formatter().parse(message)]
    except ValueError as e:
        yield at, f"{e}: write {{figure}} for a figure, and no other braces"
        return
    for _, name, form, conversion in parts:
        if name is not None and (form or conversion or name not in allowed):
            yield at, f"{{{name}}} is no figure of the row. {nearest(name, sorted(allowed))}"


# --- reading ---


@cache
def _schema(kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((HERE / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return schema


def _refuse_unsafe(path: Path, text: str) -> None:
    """An overlay may come from outside: a few nested aliases stand for more than any memory holds, and some characters go into no table."""
    try:
        for e in yaml.parse(text, Loader=yaml.SafeLoader):
            at = f"{path}:{e.start_mark.line + 1 if e.start_mark else 1}: file"
            if isinstance(e, yaml.AliasEvent):
                raise RuleError(f"{at}: aliases (*{e.anchor}) are not understood here: write it out")
            if isinstance(e, yaml.ScalarEvent) and any((c < " " and c not in "\n\t") or "\ud800" <= c <= "\udfff" for c in e.value):
                raise RuleError(f"{at}: holds a character that no database takes: leave it out")
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        if isinstance(e, RuleError):
            raise
        # Said better by yaml_file.


def _number_faults(value: Any, at: Where) -> Iterator[Fault]:
    if isinstance(value, dict | list):
        for k, v in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _number_faults(v, (*at, k))
    elif isinstance(value, int | float) and not abs(value) <= LARGEST:
        yield at, f"no figure is as large as {value}: give a number up to {LARGEST:g}"
