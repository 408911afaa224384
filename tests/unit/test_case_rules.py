"""The rules of cases: what a DISCOM's file replaces, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from vee.exceptions.settings import CaseRuleError, WorkOrder, load


def test_a_discoms_file_replaces_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "acme.yml").write_text(
        "sla_h: {fatal: 1, fail: 2, warn: 3, info: 4}\nwork_orders: [{rules: [V14], kind: TAMPER_CHECK, min_days: 2}]\n"
    )
    own, default = load("acme", tmp_path), load("globex", tmp_path)
    assert own.sla_h == {"fatal": 1, "fail": 2, "warn": 3, "info": 4}
    assert own.work_orders == (WorkOrder(("V14",), "TAMPER_CHECK", min_days=2),)
    assert (own.min_meters, own.priority) == (default.min_meters, default.priority)
    assert default == load("../acme", tmp_path), "a code is no path"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sla: {}", "1: sla: unknown field"),
        ("sla_h: {fatal: 1}", "1: sla_h: 'fail' is a required property: add it"),
        ("group:\n  min_meters: 1\n  feeder_min_dts: 1\n  feeder_share: 0.5", "2: group.min_meters: 1 is less than the minimum of 2"),
        ("work_orders:\n- {rules: [V07], kind: A}\n- {rules: [V07], kind: B}", "3: work_orders.1.rules: V07 stands in two work orders"),
        ("work_orders: [{rules: [V03], kind: X, command: disconnect}]", "'disconnect' is not allowed"),
        ("[", "not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "acme.yml").write_text(text)
    with pytest.raises(CaseRuleError, match=r"acme\.yml") as e:
        load("acme", tmp_path)
    assert said in str(e.value), str(e.value)


def test_an_empty_file_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "acme.yml").write_text("")
    with pytest.raises(CaseRuleError, match="is not of type 'object'"):
        load("acme", tmp_path)
