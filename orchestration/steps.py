"""The steps of a day in their order, and one plain way to do them all. Dagster's assets are made from the same steps.

`build` is for a thousand days at once and for tests: Dagster notes each asset of each day, which then costs more than the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from expectations.rules import Stage
from expectations.runner import RuleDay, ValidationReport, validate
from orchestration import dbt, progress, stale

DBT_GROUPS: dict[str, str] = {
    "measure": "resource_type:seed config.schema:staging assembled_day day_reading measure meter_day",
    "final": "estimated_day estimated_measure edited_day day_total final_day interval_reading",
    "energy": "config.schema:energy",
    "reports": "config.schema:reports",
}
"""dbt's selection of each group, in order."""

JUDGED_AFTER: dict[str, Stage] = {"measure": "initial", "final": "estimate"}
"""The suite that judges what a group built, before the next group begins."""


class RefusedError(RuntimeError):
    """Too many meter-days fail a rule: what is downstream of them is not built."""


def window(discom_id: int, first: date, last: date) -> dict[str, object]:
    """dbt's variables for the business days first..last of a DISCOM."""
    return {"discom_id": discom_id, "from_day": first.isoformat(), "to_day": last.isoformat()}


def judge(discom: str, discom_id: int, first: date, last: date, stage: Stage) -> ValidationReport:
    """Run a suite and bring vee.exception up to date."""
    progress.expect(1)
    report = validate(discom_id, discom, first, last, stage)
    progress.node_done(f"{stage} suite", "success")
    return report


def refusal(discom: str, refused: Sequence[RuleDay]) -> str:
    """Why days are not accepted, and how to go on."""
    found = "\n".join(
        f"- {r.day} {r.rule}: {r.failed} of {r.tested} meter-days fail, at least {r.acceptance:.0%} must pass" for r in refused
    )
    return f"{discom} is not accepted, nothing downstream is built until its data is mended or its overlay lowers the bar:\n{found}"


def build(discom: str, discom_id: int, first: date, last: date) -> None:
    """Build the days from landed data to reports. Raises DbtError, ValidationError, RuleError or RefusedError; the days then stay stale."""
    stale.begin_build(discom_id, first, last)
    for step, select in DBT_GROUPS.items():
        dbt.run(
            ["build", "--select", *select.split(), "--indirect-selection", "buildable", "--exclude-resource-type", "unit_test"],
            window(discom_id, first, last),
            listener=progress.node_done,
        )
        if step in JUDGED_AFTER:
            report = judge(discom, discom_id, first, last, JUDGED_AFTER[step])
            if not report.accepted:
                raise RefusedError(refusal(discom, report.refused))
    stale.end_build(discom_id, first, last)
