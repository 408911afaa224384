"""The steps of a day in their order, and one plain way to do them all. Dagster's assets are made from the same steps.

`build` is for a thousand days at once and for tests: Dagster notes each asset of each day, which then costs more than the work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

from expectations import rule_set
from expectations.rules import Stage, load_suite
from expectations.runner import RuleDay, ValidationReport, validate
from orchestration import dbt, progress, published, stale
from orchestration.sla import repository as sla_repository
from orchestration.sla import settings as sla_settings
from vee.estimation import job
from vee.estimation.job import EstimationReport
from vee.estimation.settings import load_settings
from vee.exceptions import job as cases
from warehouse import db

DBT_GROUPS: dict[str, str] = {
    "measure": "resource_type:seed config.schema:staging assembled_day day_reading measure changed_measure meter_day "
    "usage_month changed_usage_month evidence changed_evidence",
    "final": "estimated_measure changed_estimated_measure edited_day edited_measure changed_edited_measure "
    "day_total estimated_register final_day estimated_demand interval_reading rebill_day event_episode",
    "energy": "config.schema:energy",
    "reports": "meter_part meter_month config.schema:network config.schema:reports,config.materialized:replace_day",
}
"""dbt's selection of each group, in order."""

REPORT_VIEWS = "config.schema:reports,config.materialized:view"
"""Reports that are views are of every day at once: they are made when the project changed, not with each day."""

JUDGED_AFTER: dict[str, tuple[Stage, ...]] = {"measure": ("initial",), "final": ("estimate", "edit")}
"""The suites that judge what a group built, before the next group begins. Estimation lies between the initial suite and the final layer."""


class RefusedError(RuntimeError):
    """Too many meter-days fail a rule: what is downstream of them is not built."""


def window(discom: str, discom_id: int, first: date, last: date, *, changed_only: bool = False) -> dict[str, object]:
    """dbt's variables for the business days first..last of a DISCOM. Raises RuleError."""
    return {
        "discom_id": discom_id,
        "from_day": first.isoformat(),
        "to_day": last.isoformat(),
        "changed_only": changed_only,
        "judge_steps": any(c.rule == "V18" for c in load_suite("initial", discom).enabled),
    }


def begin(discom: str, discom_id: int, first: date, last: date, *, changed_only: bool) -> bool:
    """Begin a build; whether it is for changed meters only. Raises RuleError or SlaError where its files cannot be read, FrozenError."""
    rules = rule_set.load(discom)
    levels = sla_settings.load(discom)
    made_with = hashlib.sha256(repr((dbt.project_hash(), rules.sha256, load_settings(discom))).encode()).hexdigest()
    with db.connect("meterhouse_dbt") as conn:
        rule_set_id = rule_set.note(conn, discom_id, rules)
        sla_repository.note(conn, discom_id, levels)
    return stale.begin_build(discom_id, first, last, made_with=made_with, rule_set_id=rule_set_id, changed_only=changed_only)


def judge(discom: str, discom_id: int, first: date, last: date, stage: Stage, *, changed_only: bool = False) -> ValidationReport:
    """Run a suite and bring vee.exception up to date."""
    progress.expect(1)
    report = validate(discom_id, discom, first, last, stage, changed_only=changed_only)
    progress.node_done(f"{stage} suite", "success")
    return report


def estimate(discom: str, discom_id: int, first: date, last: date, *, changed_only: bool = False) -> EstimationReport:
    """Fill vee.estimated_day with what the initial suite found that it needs."""
    progress.expect(1)
    report = job.estimate(discom_id, discom, first, last, changed_only=changed_only)
    progress.node_done("estimated_day", "success")
    return report


def end(discom: str, discom_id: int, first: date, last: date) -> None:
    """The last step of a build: what a person must look at becomes cases, and the days are no more stale."""
    cases.group(discom_id, discom, first, last)
    stale.end_build(discom_id, first, last)


def refusal(discom: str, refused: Sequence[RuleDay]) -> str:
    """Why days are not accepted, and how to go on."""
    found = "\n".join(
        f"- {r.day} {r.rule}: {r.failed} of {r.tested} meter-days fail, at least {r.acceptance:.0%} must pass" for r in refused
    )
    return f"{discom} is not accepted, nothing downstream is built until its data is mended or its overlay lowers the bar:\n{found}"


def build(discom: str, discom_id: int, first: date, last: date, *, changed_only: bool = False) -> None:
    """Build the days from landed data to reports. With `changed_only`, of built days the meters alone of which something came since.

    Raises DbtError, ValidationError, RuleError, SlaError, CaseRuleError, RefusedError or FrozenError; the days then stay stale.
    """
    changed_only = begin(discom, discom_id, first, last, changed_only=changed_only)
    _group("measure", discom, discom_id, first, last, changed_only=changed_only)
    _from_estimation(discom, discom_id, first, last, changed_only=changed_only)
    end(discom, discom_id, first, last)


def reestimate(discom: str, discom_id: int, first: date, last: date) -> EstimationReport:
    """Build the days from estimation to reports; what was measured and judged before that stays. Raises as `build`.

    An estimate keeps what was known when it was made: this makes those of built days anew, with all that is known now.
    """
    stale.begin_again(discom_id, first, last)
    report = _from_estimation(discom, discom_id, first, last)
    end(discom, discom_id, first, last)
    return report


def _from_estimation(discom: str, discom_id: int, first: date, last: date, *, changed_only: bool = False) -> EstimationReport:
    report = estimate(discom, discom_id, first, last, changed_only=changed_only)
    for step in ("final", "energy", "reports"):
        _group(step, discom, discom_id, first, last, changed_only=changed_only)
    publish_reports()
    return report


def publish_reports() -> list[str]:
    """Make the views of schema `reports` where the dbt project changed since they were made. Names of those made. Raises DbtError."""
    views = [n["name"] for n in dbt.manifest()["nodes"].values() if (n["schema"], n["config"]["materialized"]) == ("reports", "view")]
    with published.publishing() as conn:
        if published.is_published(conn, dbt.project_hash(), len(views)):
            return []
        progress.expect(len(views))
        dbt.run(["run", "--select", REPORT_VIEWS], listener=progress.node_done)
        published.note_published(conn, dbt.project_hash())
    return views


def _group(step: str, discom: str, discom_id: int, first: date, last: date, *, changed_only: bool) -> None:
    """Run a group of dbt and the suites that judge what it built."""
    dbt.run(
        ["build", "--select", *DBT_GROUPS[step].split(), "--indirect-selection", "buildable", "--exclude-resource-type", "unit_test"],
        window(discom, discom_id, first, last, changed_only=changed_only),
        listener=progress.node_done,
    )
    for stage in JUDGED_AFTER.get(step, ()):
        report = judge(discom, discom_id, first, last, stage, changed_only=changed_only)
        if not report.accepted:
            raise RefusedError(refusal(discom, report.refused))


def rebill(discom: str, discom_id: int, first: date, last: date) -> ValidationReport:
    """Judge what landed for these frozen days against what was billed (V34). They stay as they are."""
    saw = stale.snapshot()
    report = judge(discom, discom_id, first, last, "frozen")
    stale.note_rebilled(discom_id, first, last, saw)
    return report
