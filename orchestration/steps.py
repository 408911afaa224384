"""The steps of a day in their order, and one plain way to do them all. Dagster's assets are made from the same steps.

`build` is for a thousand days at once and for tests: Dagster notes each asset of each day, which then costs more than the work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

from expectations.rules import Stage, load_suite
from expectations.runner import RuleDay, ValidationReport, validate
from orchestration import dbt, progress, stale

DBT_GROUPS: dict[str, str] = {
    "measure": "resource_type:seed config.schema:staging assembled_day day_reading measure changed_measure meter_day",
    "final": "estimated_day estimated_measure changed_estimated_measure edited_day day_total final_day interval_reading event_episode",
    "energy": "config.schema:energy",
    "reports": "config.schema:reports",
}
"""dbt's selection of each group, in order."""

JUDGED_AFTER: dict[str, Stage] = {"measure": "initial", "final": "estimate"}
"""The suite that judges what a group built, before the next group begins."""


class RefusedError(RuntimeError):
    """Too many meter-days fail a rule: what is downstream of them is not built."""


def window(discom_id: int, first: date, last: date, *, changed_only: bool = False) -> dict[str, object]:
    """dbt's variables for the business days first..last of a DISCOM."""
    return {"discom_id": discom_id, "from_day": first.isoformat(), "to_day": last.isoformat(), "changed_only": changed_only}


def begin(discom: str, discom_id: int, first: date, last: date, *, changed_only: bool) -> bool:
    """Begin a build; whether it is for changed meters only. Raises RuleError where the DISCOM's rules cannot be read."""
    rules = [load_suite(stage, discom) for stage in JUDGED_AFTER.values()]
    made_with = hashlib.sha256(repr((dbt.project_hash(), rules)).encode()).hexdigest()
    return stale.begin_build(discom_id, first, last, made_with=made_with, changed_only=changed_only)


def judge(discom: str, discom_id: int, first: date, last: date, stage: Stage, *, changed_only: bool = False) -> ValidationReport:
    """Run a suite and bring vee.exception up to date."""
    progress.expect(1)
    report = validate(discom_id, discom, first, last, stage, changed_only=changed_only)
    progress.node_done(f"{stage} suite", "success")
    return report


def refusal(discom: str, refused: Sequence[RuleDay]) -> str:
    """Why days are not accepted, and how to go on."""
    found = "\n".join(
        f"- {r.day} {r.rule}: {r.failed} of {r.tested} meter-days fail, at least {r.acceptance:.0%} must pass" for r in refused
    )
    return f"{discom} is not accepted, nothing downstream is built until its data is mended or its overlay lowers the bar:\n{found}"


def build(discom: str, discom_id: int, first: date, last: date, *, changed_only: bool = False) -> None:
    """Build the days from landed data to reports. With `changed_only`, of built days the meters alone of which something came since.

    Raises DbtError, ValidationError, RuleError or RefusedError; the days then stay stale.
    """
    changed_only = begin(discom, discom_id, first, last, changed_only=changed_only)
    for step, select in DBT_GROUPS.items():
        dbt.run(
            ["build", "--select", *select.split(), "--indirect-selection", "buildable", "--exclude-resource-type", "unit_test"],
            window(discom_id, first, last, changed_only=changed_only),
            listener=progress.node_done,
        )
        if step in JUDGED_AFTER:
            report = judge(discom, discom_id, first, last, JUDGED_AFTER[step], changed_only=changed_only)
            if not report.accepted:
                raise RefusedError(refusal(discom, report.refused))
    stale.end_build(discom_id, first, last)
