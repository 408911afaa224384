"""The rules as data: the shipped suites are complete, overlays change what they may, and a bad file is refused with a hint."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from expectations.rules import HERE, OVERLAYS, SEVERITIES, STAGES, SUITES, RuleError, load_suite, read_suite
from warehouse.codes import Action

CONTRACT = HERE.parent / "dbt_project" / "models" / "vee" / "_vee__models.yml"


def contracts() -> dict[str, dict[str, str]]:
    """Table -> column -> type, as the dbt contracts have them."""
    models = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["models"]
    return {f"vee.{m['name']}": {c["name"]: c["data_type"] for c in m.get("columns", ())} for m in models}


@pytest.mark.parametrize("stage", STAGES)
def test_a_suite_is_of_its_stage_and_each_rule_has_a_key_of_its_own(stage):
    suite = load_suite(stage, "nobody")
    assert suite.stage == stage
    keys = [c.key for c in suite.checks]
    assert len(keys) == len(set(keys)), f"a key stands for two rules: {keys}"


def test_the_rules_are_those_of_the_catalogue():
    # V32 is judged once a day is estimated, V34 where a period is frozen.
    judged = [f"V{n:02}" for n in range(1, 37) if n not in (32, 34)]
    assert load_suite("initial", "nobody").rules == judged
    assert load_suite("estimate", "nobody").rules == ["V07", "V16", "V17", "V19", "V32"]
    assert load_suite("edit", "nobody").rules == ["V07", "V11", "V16", "V17", "V19"]
    assert load_suite("frozen", "nobody").rules == ["V34"]


@pytest.mark.parametrize("stage", STAGES)
def test_rules_read_numeric_columns_that_the_contract_has(stage):
    suite = load_suite(stage, "nobody")
    for check in suite.checks:
        contract = contracts()[check.table]
        missing = check.columns - set(contract)
        assert not missing, f"{check.key} reads {missing}, which {check.table} does not have"
        shown = {check.value, check.kwargs["column"], *(name for _, name in check.message_parts if name)}
        texts = {c for c in shown if contract[c] not in ("integer", "bigint", "smallint", "double precision")}
        assert not texts, f"{check.key} shows {texts}, which are no numbers"


@pytest.mark.parametrize("table", ["vee.measure", "vee.estimated_measure", "vee.usage_month"])
def test_what_is_judged_says_where_the_meter_hangs(table):
    assert {"place", "category", "tariff", "phases", "dt", "meter_category", "office_id"} <= set(contracts()[table]), "overlays go by these"


def test_high_and_low_of_a_limit_have_codes_and_messages_of_their_own():
    sides: dict[tuple[str, str], set[str]] = {}
    for check in load_suite("initial", "nobody").checks:
        for side in ("min_value", "max_value"):
            if side in check.kwargs:
                sides.setdefault((check.key, check.message), set()).add(side)
    assert all(len(s) == 1 for s in sides.values()), "one code for both would have the reader look at the value"


def test_step_change_is_off_until_an_overlay_switches_it_on(tmp_path):
    assert "V18" not in {c.rule for c in load_suite("initial", "nobody").enabled}
    switched = load_suite("initial", "acme", overlay(tmp_path, "discom: acme\ninitial:\n  V18: {enabled: true}\n"))
    assert "V18" in {c.rule for c in switched.enabled}


def test_codes_in_the_schemas_are_those_of_the_warehouse():
    for kind in ("suite", "overlay"):
        text = (HERE / f"{kind}.schema.json").read_text(encoding="utf-8")
        found: list[list[str]] = []

        def collect(pairs, found=found):
            found.extend(value["enum"] for name, value in pairs if name == "action")
            return dict(pairs)

        json.loads(text, object_pairs_hook=collect)
        # Rules of a DISCOM's own do not say which intervals are bad, so nothing can be estimated for them.
        expected = [[a.value for a in Action]] + [[a.value for a in Action if a is not Action.ESTIMATE]] * (kind == "overlay")
        assert found == expected, f"{kind}.schema.json allows other actions than warehouse.codes"


def test_of_checks_that_fail_alike_the_one_that_asks_most_comes_first():
    clock = [c.key for c in load_suite("initial", "nobody").enabled if c.rule == "V03"]
    assert clock == ["V03.half_interval", "V03.fail", "V03.warn"]


@pytest.mark.parametrize("stage", ["estimate", "edit"])
def test_nothing_is_estimated_twice(stage):
    actions = {c.action for c in load_suite(stage, "nobody").checks}
    assert "estimate" not in actions, "what fails after estimation waits for a person"


def test_a_message_is_cut_into_texts_and_columns_with_limits_filled_in():
    spike = next(c for c in load_suite("initial", "nobody").checks if c.rule == "V17")
    assert [*spike.message_parts] == [
        ("peak of ", "max_wh"),
        (" Wh is ", "spike_pct"),
        (" % above the third-highest interval (limit 180 %)", None),
    ]


def test_checks_in_force_come_worst_first():
    severities = [SEVERITIES.index(c.severity) for c in load_suite("initial", "nobody").enabled]
    assert severities == sorted(severities), "the first of two failing checks of a rule is the one recorded"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("path", sorted(OVERLAYS.glob("*.yml")), ids=lambda p: p.stem)
def test_every_shipped_overlay_applies(path, stage):
    assert load_suite(stage, path.stem) is not None


@pytest.mark.parametrize("code", ["edrp", "ceew-bareilly", "ceew-mathura", "london", "ies"])
def test_history_that_is_landed_today_is_not_too_old(code):
    assert "V05.too_old" not in [c.key for c in load_suite("initial", code).enabled]
    assert "V05.future" in [c.key for c in load_suite("initial", code).enabled], "only the age is switched off"


def test_the_example_overlay_changes_what_it_says_and_nothing_else():
    base = {c.key: c for c in load_suite("initial", "nobody").checks}
    told = {c.key: c for c in load_suite("initial", "_example").checks}
    assert [k for k in base if base[k] != told[k]] == ["V05.too_old", "V13.domestic", "V17", "V19", "V19.month"]
    assert told["V13.domestic"].kwargs == {**base["V13.domestic"].kwargs, "max_value": 10}, "other arguments of the rule stay"
    assert (told["V17"].kwargs["max_value"], told["V17"].severity, told["V17"].action) == (250, "warn", "flag")
    assert "V17" not in [c.key for c in load_suite("estimate", "_example").enabled]


def overlay(folder: Path, text: str, code: str = "acme") -> Path:
    (folder / f"{code}.yml").write_text(text, encoding="utf-8")
    return folder


def test_a_rule_without_its_variant_means_all_of_them(tmp_path):
    suite = load_suite("initial", "acme", overlay(tmp_path, "discom: acme\ninitial:\n  V13: {enabled: false}\n"))
    assert "V13" not in {c.rule for c in suite.enabled}
    assert "V13" in suite.rules, "a rule that is switched off still belongs to the suite: its exceptions are cleared"


def test_another_discom_keeps_the_defaults(tmp_path):
    overlay(tmp_path, "discom: acme\ninitial:\n  V17: {enabled: false}\n")
    assert load_suite("initial", "globex", tmp_path) == load_suite("initial", "nobody")
    assert load_suite("initial", "../acme", tmp_path) == load_suite("initial", "nobody"), "a code is no path"


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("discom: acme\ninitial: [V17", "acme.yml:2", "not YAML"),
        ("initial: {}\n", "file", "'discom' is a required property: add it"),
        ("discom: acme\nrules: {}\n", "rules", "unknown field. Known here: add, discom, edit, estimate, estimation, frozen, initial"),
        ("discom: globex\n", "discom", "name both alike"),
        ("discom: acme\ninitial:\n  V99: {enabled: false}\n", "initial.V99", "no such rule. Known here: V01, V01.removed"),
        ("discom: acme\ninitial:\n  V13.farm: {enabled: false}\n", "initial.V13.farm", "V13.domestic, V13.other"),
        ("discom: acme\ninitial:\n  V17: {off: true}\n", "initial.V17.False", "unknown field. Known here: acceptance"),
        ("discom: acme\ninitial:\n  V17: {severity: bad}\n", "initial.V17.severity", "Allowed: fatal, fail, warn"),
        ("discom: acme\ninitial:\n  V17: {action: drop}\n", "initial.V17.action", "Allowed: estimate, hold, flag, note"),
        ("discom: acme\ninitial:\n  V17: {acceptance: 50}\n", "initial.V17.acceptance", "50 is greater than the maximum of 1"),
        ("discom: acme\ninitial:\n  V17: {kwargs: {max: 9}}\n", "initial.V17.kwargs.max", "Known here: max_value, min_value"),
        (
            "discom: acme\ninitial:\n  V17: {kwargs: {max_value: 180 %}}\n",
            "initial.V17.kwargs.max_value",
            "'180 %' is not of type 'number'",
        ),
        ("discom: acme\ninitial:\n  V17: {}\n", "initial.V17", "non-empty"),
    ],
)
def test_a_bad_overlay_is_refused_with_file_field_and_hint(tmp_path, text, where, hint):
    with pytest.raises(RuleError) as e:
        load_suite("initial", "acme", overlay(tmp_path, text))
    assert re.search(r"acme\.yml:\d+: ", str(e.value)), f"no file and line in: {e.value}"
    assert where in str(e.value), f"no field in: {e.value}"
    assert hint in str(e.value), f"no hint in: {e.value}"


RULE = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "missing_slots", "max_value": 0},
    "meta": {"rule": "V07", "title": "Missing", "severity": "fail", "action": "estimate", "value": "missing_slots", "message": "missing"},
}


@pytest.mark.parametrize(
    ("expectations", "where", "hint"),
    [
        ([], "expectations", "non-empty"),
        ([RULE, RULE], "expectations", "V07 is there twice: give each its own meta.variant"),
        ([{**RULE, "type": "unexpected_rows_expectation"}], "expectations.0.type", "expect_column_values_to_be_between"),
        ([{**RULE, "kwargs": {"column": "missing_slots"}}], "expectations.0.kwargs", "has no limit: add min_value or max_value"),
        ([{**RULE, "kwargs": {"column": "a; drop table x", "max_value": 0}}], "expectations.0.kwargs.column", "does not match"),
        ([{**RULE, "meta": {"rule": "V07"}}], "expectations.0.meta", "'action' is a required property: add it"),
        ([{**RULE, "kwargs": {**RULE["kwargs"], "mostly": 0.9}}], "expectations.0.kwargs.mostly", "unknown field"),
    ],
)
def test_a_bad_suite_is_refused_with_file_field_and_hint(tmp_path, expectations, where, hint):
    path = tmp_path / "s.yml"
    path.write_text(yaml.safe_dump({"name": "s", "meta": {"table": "vee.measure"}, "expectations": expectations}))
    with pytest.raises(RuleError) as e:
        read_suite(path)
    assert re.search(rf"s\.yml:\d+: {re.escape(where)}: ", str(e.value)), f"no line and field in: {e.value}"
    assert hint in str(e.value), f"no hint in: {e.value}"


def test_suites_that_are_shipped_are_all_in_use():
    folders = {p.relative_to(SUITES).parts[0] for p in SUITES.rglob("*.yml")}
    assert folders == set(STAGES), "a suite that lies in no stage's folder is never judged"
