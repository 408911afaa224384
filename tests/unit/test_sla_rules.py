"""Service levels of a DISCOM: what its file replaces, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import sla
from orchestration.sla.settings import Band, SlaError, Target, load


def test_what_is_shipped_names_every_service_level_and_none_as_verified() -> None:
    targets = load("no such DISCOM")
    assert {t.sla for t in targets} == {f"SLA-{n:02d}" for n in range(1, 14)}, "domain 3.3 has thirteen service levels"
    assert not any(t.verified for t in targets), "nobody compared the shipped figures with a contract"
    assert all(t.target_pct > b.below_pct or t.target_pct == b.below_pct for t in targets for b in t.bands)
    untimed = {t.sla for t in targets if t.within_min is None}
    assert untimed == {"SLA-10", "SLA-11"}, "of the others a time is measured"


def test_a_discoms_file_replaces_the_service_levels_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "acme.yml").write_text(
        "verified: true\nexclude_network_outage: false\nslas:\n"
        "  SLA-03:\n    targets:\n"
        "    - {within_h: 2, target_pct: 97, penalty: [{below_pct: 97, penalty_pct: 1}, {below_pct: 90, penalty_pct: 3}]}\n"
        "  SLA-13: {targets: []}\n"
    )
    own, shipped = load("acme", tmp_path), load("globex", tmp_path)
    title = next(t.title for t in shipped if t.sla == "SLA-03")
    assert [t for t in own if t.sla == "SLA-03"] == [
        Target("SLA-03", 1, title, 120, 97, (Band(97, 1), Band(90, 3)), exclude_network_outage=False, verified=True)
    ]
    assert not [t for t in own if t.sla == "SLA-13"], "targets: [] says that it is not agreed"
    others = [t for t in own if t.sla not in ("SLA-03", "SLA-13")]
    assert not any(t.verified or t.exclude_network_outage for t in others), (
        "what it does not name stays unverified, exclusions hold for all"
    )
    assert [t.number for t in own if t.sla == "SLA-02"] == [1, 2]
    assert load("../acme", tmp_path) == shipped, "a code is no path"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sla: {}", "1: sla: unknown field"),
        ("verified: true", "'slas' is a required property: add it"),
        ("slas:\n  SLA-99: {targets: []}", "2: slas.SLA-99: unknown field"),
        ("slas:\n  SLA-01:\n    targets:\n    - {within_h: 8}", "4: slas.SLA-01.targets.0: 'target_pct' is a required property: add it"),
        ("slas:\n  SLA-01:\n    targets:\n    - {target_pct: 95}", "4: slas.SLA-01.targets.0: is none of what is understood here"),
        ("slas:\n  SLA-01:\n    targets:\n    - {within_h: 8, within_min: 9, target_pct: 95}", "4: slas.SLA-01.targets.0: is none of what"),
        ("slas:\n  SLA-11:\n    targets:\n    - {within_h: 8, target_pct: 95}", "4: slas.SLA-11.targets.0.within_h: unknown field"),
        ("slas:\n  SLA-01:\n    targets:\n    - within_h: 8\n      target_pct: 101", "5: slas.SLA-01.targets.0.target_pct: 101 is greater"),
        (
            "slas:\n  SLA-01:\n    targets:\n    - within_h: 8\n      target_pct: 95\n      penalty:\n"
            "      - {below_pct: 96, penalty_pct: 1}",
            "7: slas.SLA-01.targets.0.penalty.0: below 96 % would punish what meets the target of 95 %: lower it",
        ),
        (
            "slas:\n  SLA-01:\n    targets:\n    - within_h: 8\n      target_pct: 95\n      penalty:\n"
            "      - {below_pct: 90, penalty_pct: 1}\n      - {below_pct: 80, penalty_pct: 1}",
            "8: slas.SLA-01.targets.0.penalty.1: is no worse band than the one before it",
        ),
        ("[", "not YAML"),
        ("", "is no file of service levels"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "acme.yml").write_text(text)
    with pytest.raises(SlaError, match=r"acme\.yml") as e:
        load("acme", tmp_path)
    assert said in str(e.value), str(e.value)


def test_the_command_lists_each_target_and_says_that_none_is_verified(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sla.console, "width", 200)
    sla.sla("no such DISCOM")
    said = capsys.readouterr().out
    targets = load("no such DISCOM")
    assert said.count("SLA-") == len(targets), "not one line a target"
    assert "0.5 below 95, 1 below 90" in said, "penalty bands are not told"
    assert not any("yes" in line for line in said.splitlines()), "a figure that nobody verified looks verified"
