"""Overlays: scopes split a rule without losing a meter-day, rules of a DISCOM's own, and faults that name line and field."""

from __future__ import annotations

import copy
import functools
import re
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations import rules
from expectations.rules import COMPARED, HERE, STAGES, Check, RuleError, load_suite, overlay_path, read_overlay, suite_with

HEAD = "discom: acme\n"


def suite(text: str, stage: rules.Stage = "initial") -> rules.Suite:
    return suite_with(stage, read_overlay(Path("acme.yml"), HEAD + text))


def of(found: rules.Suite, name: str) -> list[Check]:
    """Pieces of the check `name`, or of all variants of the rule where it has no check of just this name."""
    return [c for c in found.checks if c.key == name] or [c for c in found.checks if c.rule == name]


def holds(check: Check, row: dict[str, Any]) -> bool:
    """Whether a check is for a row, with SQL's NULL: what is not known is not true, and `is not true` is."""

    def true(c: dict[str, Any]) -> bool:
        value = row.get(c["column"]["name"])
        if value is None:
            return False
        p = c["parameter"]
        return {
            "IN": lambda: value in p,
            "NOT_IN": lambda: value not in p,
            "==": lambda: value == p,
            ">=": lambda: value >= p,
            "<=": lambda: value <= p,
        }[c["operator"]]()

    return all(map(true, check.rows)) and not any(all(map(true, group)) for group in check.but)


# --- scope ---

SCOPED = """
initial:
  V19:
    - {scope: {category: agricultural, from: 2026-10-01, to: 2026-10-31}, enabled: false}
    - {scope: {category: [agricultural, domestic]}, kwargs: {max_value: 3}}
    - {kwargs: {max_value: 2}, acceptance: 0.2}
"""


def test_the_first_scope_that_fits_holds_and_no_row_is_lost_or_judged_twice():
    pieces = of(suite(SCOPED), "V19")
    assert [(p.enabled, p.kwargs["max_value"]) for p in pieces] == [(False, 1), (True, 3), (True, 2)]
    assert {p.acceptance for p in pieces} == {0.2}, "a day is accepted as a whole"
    expected = {
        ("agricultural", date(2026, 10, 1)): 0,
        ("agricultural", date(2026, 10, 31)): 0,
        ("agricultural", date(2026, 11, 1)): 1,
        ("domestic", date(2026, 10, 1)): 1,
        ("commercial", date(2026, 10, 1)): 2,
        (None, date(2026, 10, 1)): 2,
    }
    for (category, day), piece in expected.items():
        assert [n for n, p in enumerate(pieces) if holds(p, {"category": category, "day": day})] == [piece], (category, day)


def test_pieces_of_any_scopes_share_no_row_and_leave_none_out():
    text = """
initial:
  V17:
    - {scope: {category: [a, b], place: consumer}, kwargs: {max_value: 250}}
    - {scope: {category: b}, severity: info}
    - {scope: {from: 2026-10-02}, enabled: false}
"""
    base = of(load_suite("initial", "nobody"), "V17")[0]
    pieces = of(suite(text), "V17")
    rows = product(["a", "b", "c", None], ["consumer", "dt", None], [date(2026, 10, d) for d in (1, 2)])
    for row in ({"category": c, "place": p, "day": d} for c, p, d in rows):
        assert sum(holds(p, row) for p in pieces) == holds(base, row), row


def test_what_is_not_scoped_stays_as_it_was():
    base = {c.key: c for c in load_suite("initial", "nobody").checks}
    told = suite("initial:\n  V13: {scope: {category: domestic}, kwargs: {max_value: 14}}\n")
    assert [c for c in told.checks if c.rule != "V13"] == [c for c in base.values() if c.rule != "V13"]
    assert {c.key for c in told.checks} == set(base), "the pieces keep the names of their rules"
    rest = [c for c in of(told, "V13") if c.but]
    assert [(c.key, c.kwargs) for c in rest] == [(k, base[k].kwargs) for k in ("V13.domestic", "V13.other")]


def test_a_later_line_speaks_of_all_pieces_that_an_earlier_one_made():
    told = suite("initial:\n  V13: {scope: {place: consumer}, severity: info}\n  V13.domestic: {kwargs: {max_value: 10}}\n")
    assert [(c.severity, c.kwargs["max_value"]) for c in of(told, "V13.domestic")] == [("info", 10), ("warn", 10)]
    assert [c.kwargs["max_value"] for c in of(told, "V13.other")] == [3, 3]


# --- rules of a DISCOM's own ---

X01 = """
add:
  - rule: X01
    title: More kVAh than kWh bears
    severity: warn
    action: flag
    message: "{sum_wh} Wh with a ratio of {ratio} (limit {max})"
    scope: {category: industrial}
    test: {figure: max_wh, per: sum_wh, max: 1.5}
"""


def test_a_rule_of_ones_own_is_a_check_of_its_stage():
    check = of(suite(X01), "X01")[0]
    assert (check.type, check.table, check.value, check.overlay) == (COMPARED, "vee.measure", "ratio", True)
    assert check.kwargs == {"column": "max_wh", "per": "sum_wh", "max_value": 1.5}
    assert check.columns == {"max_wh", "sum_wh", "category"}
    assert [*check.message_parts] == [("", "sum_wh"), (" Wh with a ratio of ", "ratio"), (" (limit 1.5)", None)]
    assert of(suite(X01, "estimate"), "X01") == []
    assert of(suite(X01.replace("scope:", "stage: estimate\n    scope:"), "estimate"), "X01")[0].table == "vee.estimated_measure"
    plain = of(suite(X01.replace("per: sum_wh, ", "").replace("ratio of {ratio}", "peak of {max_wh}")), "X01")[0]
    assert (plain.type, plain.value, plain.relation) == ("expect_column_values_to_be_between", "max_wh", None)


# --- faults ---


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("initial:\n  V17: {}\n", "3: initial.V17: {} should be non-empty"),
        ("initial:\n  V17: []\n", "3: initial.V17: [] should be non-empty"),
        ("initial:\n  V17:\n    - severity: warn\n    - enabled: no\n", "4: initial.V17.0: has no scope, so nothing comes to what follows"),
        ("initial:\n  V17:\n    - scope: {tarif: LT-1}\n", "4: initial.V17.0.scope.tarif: unknown field. Known here: category, dt, from"),
        ("initial:\n  V17:\n    scope: {place: dt}\n", "3: initial.V17: says nothing but its scope"),
        ("initial:\n  V17:\n    scope: {place: []}\n    enabled: false\n", "4: initial.V17.scope.place: [] should be non-empty"),
        (
            "initial:\n  V17:\n    scope: {place: dt}\n    acceptance: 0\n",
            "5: initial.V17.acceptance: a day is accepted or refused as a whole",
        ),
        ("initial:\n  V17:\n    scope: {from: 1.10.2026}\n    enabled: false\n", "4: initial.V17.scope.from: is no date: write 2026-10-01"),
        ("initial:\n  V17:\n    scope: {from: 2026-02-30}\n    enabled: false\n", "4: initial.V17.scope.from: 2026-02-30 is no day of the"),
        (
            "initial:\n  V17:\n    scope:\n      from: 2026-10-31\n      to: 2026-10-01\n    enabled: false\n",
            "6: initial.V17.scope.to: 2026-10-01 is before 2026-10-31: give the first day as from",
        ),
        (
            "initial:\n  V17:\n    - scope: {place: dt, to: 2026-10-31}\n      enabled: false\n"
            "    - scope: {place: dt, from: 2026-10-31}\n      severity: info\n",
            "6: initial.V17.1.scope: overlaps in its dates with that of line 4: let one end on the day before",
        ),
        ("initial:\n  V17: {enabled: false}\n  V17: {severity: warn}\n", "4: initial.V17: is there twice: keep one"),
        ("initial:\n  V17: {kwargs: {min_value: 500}}\n", "3: initial.V17.kwargs: min_value 500 is above max_value 180"),
        ("initial:\n  V17: {kwargs: {max_value: .inf}}\n", "3: initial.V17.kwargs.max_value: no figure is as large as inf"),
        (
            "initial:\n  V18: {enabled: false}\n  V77: {enabled: false}\n",
            "4: initial.V77: the initial suites have no such rule. Known here: ",
        ),
        ("estimate:\n  V17: {action: estimate}\n", "3: estimate.V17.action: what fails after estimation waits for a person"),
        ("initial: &a\n  V17: {enabled: false}\nestimate: *a\n", "4: file: aliases (*a) are not understood here"),
        ("add: {rule: X01}\n", "2: add: {'rule': 'X01'} is not of type 'array'"),
        ("add:\n  - rule: V17\n", "3: add.0.rule: is no name for a rule of your own: X and two digits, such as X01"),
        (X01.replace("action: flag", "action: estimate"), "7: add.0.action: 'estimate' is not allowed. Allowed: hold, flag, note"),
        (X01.replace(", max: 1.5", ""), "10: add.0.test: has no limit: add min or max"),
        (X01.replace("max: 1.5", "max: 1.5, min: 2"), "10: add.0.test.min: 2 is above max 1.5"),
        (X01.replace("max: 1.5", "max: 1.5, minus: sum_wh"), "10: add.0.test.minus: stands beside per: give one of them"),
        (X01.replace("per: sum_wh", "per: sum_hw"), "10: add.0.test.per: there is no figure sum_hw. Near it: sum_wh"),
        (X01.replace("figure: max_wh", "figure: category"), "10: add.0.test.figure: there is no figure category. "),
        (X01.replace("{sum_wh}", "{sun_wh}"), "8: add.0.message: {sun_wh} is no figure of the row. Near it: sum_wh"),
        (X01.replace("{sum_wh}", "{difference}"), "8: add.0.message: {difference} is no figure of the row"),
        (X01.replace("{sum_wh}", "{sum_wh"), "8: add.0.message: "),
        (X01.replace("{sum_wh}", "{sum_wh!r}"), "8: add.0.message: {sum_wh} is no figure of the row"),
        (X01 + X01.removeprefix("\nadd:\n"), "11: add.1.rule: X01 is there twice: give each rule its own number"),
        ("initial:\n  V17: {kwargs: {max_value: .nan}}\n", "3: initial.V17.kwargs.max_value: no figure is as large as nan"),
        ("initial:\n  17: {enabled: false}\n", "3: initial.17: the initial suites have no such rule"),
        ("x: [", "not YAML"),
        ("add: " + "[" * 3000, "not YAML"),
        ("initial:\n  0x_: 1\n", "not YAML"),
    ],
)
def test_a_fault_names_line_and_field_and_says_how_to_mend_it(text, said):
    with pytest.raises(RuleError) as e:
        suite(text)
    lines = str(e.value).splitlines()
    assert any(line.startswith("acme.yml:") and said in line for line in lines), lines
    assert len(e.value.faults) == len(lines) or "aliases" in said


def test_all_faults_are_said_at_once():
    with pytest.raises(RuleError) as e:
        suite("initial:\n  V77: {enabled: false}\nestimate:\n  V78: {enabled: false}\n" + X01.replace("max_wh", "max_w"))
    assert [f.line for f in e.value.faults] == [3, 5, 14]


def test_a_text_that_no_database_holds_is_refused():
    with pytest.raises(RuleError, match=r"acme\.yml:5: file: holds a character"):
        suite(X01.replace("title: More kVAh than kWh bears", r'title: "More \0"'))


def test_a_scope_that_the_judged_table_does_not_have_says_what_it_has(monkeypatch):
    monkeypatch.setattr(rules, "columns_of", lambda table: {"category": "text", "day": "date"})
    with pytest.raises(RuleError, match=r"initial\.V17\.scope\.dt: vee\.measure, which the rule judges, has no dt: scope by category"):
        suite("initial:\n  V17: {scope: {dt: DT-7}, enabled: false}\n")


junk = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["2026-10-01", "V17", "sum_wh", "{max}"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.text(max_size=8), st.integers()), inner, max_size=3)),
    max_leaves=6,
)


def slots(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(s for k, v in inner for s in slots(v, (*at, k)))]


DOCUMENT = yaml.safe_load(HEAD + SCOPED + X01.replace("scope:", "stage: initial\n    acceptance: 0.5\n    scope:"))
DOCUMENT["initial"]["V19"][0]["scope"] = {"from": "2026-10-01", "to": "2026-10-31", "phases": 1, "dt": ["DT-7"]}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(slots(DOCUMENT)[1:]), junk)
def test_whatever_stands_in_a_field_is_understood_or_refused_with_a_line(at, value):
    document = copy.deepcopy(DOCUMENT)
    parent = functools.reduce(lambda d, k: d[k], at[:-1], document)
    parent[at[-1]] = value
    text = yaml.safe_dump(document, sort_keys=False)
    said = "acme.yml:1: fine"
    try:
        read_overlay(Path("acme.yml"), text)
    except RuleError as e:
        said = str(e)
    assert re.match(r"acme\.yml:\d+: ", said), said


# --- where overlays are ---


def test_ones_own_folder_goes_before_the_shipped_one(tmp_path, monkeypatch):
    assert overlay_path("edrp") == HERE / "overlays" / "edrp.yml"
    monkeypatch.setenv("METERHOUSE_OVERLAYS", str(tmp_path))
    assert overlay_path("edrp") == HERE / "overlays" / "edrp.yml", "what the folder has not comes from the shipped ones"
    (tmp_path / "edrp.yml").write_text("discom: edrp\ninitial:\n  V17: {enabled: false}\n")
    assert overlay_path("edrp") == tmp_path / "edrp.yml"
    assert "V17" not in {c.rule for c in load_suite("initial", "edrp").enabled}
    assert "V05.too_old" in {c.key for c in load_suite("initial", "edrp").enabled}, "one file is in force, not both"


def test_every_stage_may_be_overlaid():
    schema = rules._schema("overlay")
    assert set(STAGES) <= set(schema["properties"]), "a stage that the schema of overlays does not know"
