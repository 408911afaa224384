"""The score of the rules: what counts as found, as false, and as another rule's matter."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from cli.vee import defects
from cli.vee.defects import DAY, GRADES, NOTHING, Grade
from cli.vee.detection import score


def nothing(_: object) -> None:
    """No injection: the score is told what was found."""


def made(*grades: Grade) -> list[tuple[defects.Subject, Grade]]:
    return [(defects.healthy(f"S{n}", 1), g) for n, g in enumerate(grades)]


def test_recall_counts_due_defects_and_precision_what_is_allowed_or_healthy() -> None:
    big, small, other = Grade("V11", "big", True, nothing), Grade("V11", "small", False, nothing), Grade("V16", "x", True, nothing)
    found = {
        # S0 found, S1 missed; S2 is allowed and was accused; S3 is another rule's matter; S4 is healthy and was accused on two days.
        "V11": {("S0", DAY), ("S2", DAY), ("S3", DAY), ("S4", DAY), ("S4", DAY - timedelta(days=1))},
        "V16": set(),
    }
    result = score(made(big, big, small, other, NOTHING), found)
    v11, v16 = result.rules
    assert (v11.rule, v11.recall, v11.false) == ("V11", 0.5, 3)
    assert v11.precision == 1 / 4
    assert (v16.recall, v16.precision) == (0.0, None)
    assert result.false_on_clean == {"V11": 2}
    assert result.clean_days == 31


def test_a_healthy_meter_agrees_with_its_registers() -> None:
    s = defects.healthy("S1", 7)
    for channel in ("import_wh", "import_vah"):
        assert (np.diff(s.registers[channel]) == s.values[channel].sum(axis=1)).all()
    assert (s.values["import_vah"] >= s.wh).all()
    assert (s.registers["md_import_w"][1:] == s.wh.max(axis=1) * 2).all()


def test_the_same_seed_gives_the_same_meters() -> None:
    a, b = (defects.subjects(1, 1, 3) for _ in range(2))
    assert all((x.wh == y.wh).all() or (np.isnan(x.wh) == np.isnan(y.wh)).all() for (x, _), (y, _) in zip(a, b, strict=True))


def test_every_rule_has_a_defect_that_it_must_find() -> None:
    due = {g.rule for g in GRADES if g.due}
    every = {f"V{n:02}" for n in range(1, 37)}
    assert every - due == {"V34"}, "it needs a frozen period"
