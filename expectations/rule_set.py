"""The rules of all stages that are in force for a DISCOM: as one value with a hash, and its versions in vee.rule_set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from expectations.rules import STAGES, Check, Stage, Suite, overlay_path, read_overlay, suite_with
from warehouse.yaml_file import YamlFile


@dataclass(frozen=True)
class RuleSet:
    """The effective rules of a DISCOM. `overlay` is the text of its overlay, None where it has none."""

    discom: str
    suites: dict[Stage, Suite]
    overlay: str | None

    @cached_property
    def rules(self) -> list[dict[str, Any]]:
        """One entry a check, as JSON can say it. Two sets that judge alike have the same rules."""
        return [described(stage, c) for stage, suite in self.suites.items() for c in suite.checks]

    @cached_property
    def sha256(self) -> bytes:
        """Of the rules, not of the overlay's text: a comment makes no version."""
        return hashlib.sha256(json.dumps(self.rules, sort_keys=True).encode()).digest()


def load(discom: str) -> RuleSet:
    """The rule set in force. Raises RuleError."""
    path = overlay_path(discom)
    return of_overlay(discom, read_overlay(path) if path else None)


def of_overlay(discom: str, overlay: YamlFile | None) -> RuleSet:
    """The rule set that an overlay makes of the shipped suites."""
    return RuleSet(discom, {stage: suite_with(stage, overlay) for stage in STAGES}, overlay.text if overlay else None)


def described(stage: Stage, check: Check) -> dict[str, Any]:
    """A check as JSON can say it. Scope and row conditions are comparisons as Great Expectations writes them."""
    said = {
        "stage": stage,
        "rule": check.rule,
        "variant": check.variant,
        "title": check.title,
        "enabled": check.enabled,
        "severity": check.severity,
        "action": check.action,
        "acceptance": check.acceptance,
        "table": check.table,
        "test": check.type,
        "kwargs": check.kwargs,
        "rows": check.rows,
        "but": check.but,
        "value": check.value,
        "message": check.message,
    }
    plain: dict[str, Any] = json.loads(json.dumps(said, default=str))
    return plain


def limit(check: Check) -> str:
    """What must hold, for people: `spike_pct <= 180`."""
    figure = check.kwargs["column"]
    if check.relation:
        how, other = check.relation
        figure = f"{figure} {'/' if how == 'per' else '-'} {other}"
    lower, upper = check.kwargs.get("min_value"), check.kwargs.get("max_value")
    low = "" if lower is None else f"{lower:g} {'<' if check.kwargs.get('strict_min') else '<='} "
    high = "" if upper is None else f" {'<' if check.kwargs.get('strict_max') else '<='} {upper:g}"
    return f"{low}{figure}{high}"


def scope(check: Check) -> str:
    """Of which meter-days, for people; empty: of all."""
    others = "; or ".join(_said(group) for group in check.but)
    return " ".join(x for x in (_said(check.rows), others and f"but not ({others})") if x)


def _said(rows: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{r['column']['name']} {_SIGN.get(r['operator'], r['operator'])} {_value(r['parameter'])}" for r in rows)


_SIGN = {"==": "=", "IN": "in", "NOT_IN": "not in"}


def _value(parameter: Any) -> str:
    return "/".join(map(str, parameter)) if isinstance(parameter, list) else str(parameter)


def note(conn: psycopg.Connection, discom_id: int, rule_set: RuleSet) -> int:
    """The version of a rule set, as meterhouse_dbt: a new one where no build had these rules before."""
    known = version(conn, discom_id, rule_set)
    if known is None:
        conn.execute(
            """insert into vee.rule_set (discom_id, sha256, rules, overlay) values (%s, %s, %s, %s)
               on conflict (discom_id, sha256) do nothing""",
            [discom_id, rule_set.sha256, Jsonb(rule_set.rules), rule_set.overlay],
        )
        known = version(conn, discom_id, rule_set)  # another build may have been quicker
    assert known is not None
    return known


def version(conn: psycopg.Connection, discom_id: int, rule_set: RuleSet) -> int | None:
    """The version of a rule set, None where no build had it yet."""
    row = conn.execute("select rule_set_id from vee.rule_set where discom_id = %s and sha256 = %s", [discom_id, rule_set.sha256]).fetchone()
    return int(row[0]) if row else None
