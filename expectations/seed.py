"""The seed reference.code_rule, made from the suites: `python -m expectations.seed` writes it, a test fails where it differs."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from expectations.rules import SEVERITIES, STAGES, load_suite
from warehouse.codes import SEEDS


def seed_rows() -> list[list[str]]:
    """Header and one row a rule, as its first stage has it: worst severity, the action that goes with it, messages of its variants."""
    rows = [["rule", "title", "severity", "action", "message"]]
    stage_of = {c.rule: stage for stage in reversed(STAGES) for c in load_suite(stage, "").checks}
    checks = [c for stage in STAGES for c in load_suite(stage, "").checks if stage_of[c.rule] == stage]
    for rule in sorted({c.rule for c in checks}):
        of_rule = sorted((c for c in checks if c.rule == rule), key=lambda c: SEVERITIES.index(c.severity))
        rows.append([rule, of_rule[0].title, of_rule[0].severity, of_rule[0].action, "; ".join(dict.fromkeys(c.message for c in of_rule))])
    return rows


def write_seed(folder: Path = SEEDS) -> None:
    """Write code_rule.csv below `folder`."""
    with (folder / "code_rule.csv").open("w", newline="", encoding="utf-8") as f:
        csv.writer(f, lineterminator="\n").writerows(seed_rows())


if __name__ == "__main__":
    write_seed()
    sys.stdout.write(f"code_rule.csv written to {SEEDS}\n")
