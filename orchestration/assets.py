"""The graph of a DISCOM's day: dbt to vee.measure, the suite, estimation, dbt to the final layer, the suites on estimates and edits,
balances, reports.

Partitions are discom x day; a range of days is one run (and one pass of SQL). Each rule and each dbt test is an asset check.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets

from expectations.rules import Stage, load_suite
from orchestration import dbt, progress, stale, steps
from warehouse import db, registry

DAYS_FROM = "2009-01-01"
"""First business day that can be built: before the oldest data that anyone has landed."""

discoms = dg.DynamicPartitionsDefinition(name="discom")
partitions = dg.MultiPartitionsDefinition(
    {"discom": discoms, "day": dg.DailyPartitionsDefinition(start_date=DAYS_FROM, timezone="Asia/Kolkata")}
)

LATE_DATA_TAG = "meterhouse/late_data"
"""On runs that the sensor asks for. Whoever asks for a day otherwise gets all of it anew."""

RETRY = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

REREAD = dg.AssetKey(["raw", "reread"])
"""What head-end systems were asked to read again: before a day is built, never in its way (orchestration.pulls)."""

ESTIMATED_DAY = dg.AssetKey(["vee", "estimated_day"])

ESTIMATE_VERDICT = dg.AssetKey(["vee", "estimate_exception"])
EDIT_VERDICT = dg.AssetKey(["vee", "edit_exception"])


def partition_key(discom: str, day: date) -> str:
    """Key of one partition. Dagster orders the dimensions by name: day, then discom."""
    return str(dg.MultiPartitionKey({"day": day.isoformat(), "discom": discom}))


def window(context: dg.AssetExecutionContext) -> tuple[str, int, date, date]:
    """DISCOM and days of this run. Raises Failure where a run was asked for several DISCOMs at once, or for one that is unknown."""
    keys = [k.keys_by_dimension for k in context.partition_keys if isinstance(k, dg.MultiPartitionKey)]
    codes = sorted({k["discom"] for k in keys})
    if len(codes) != 1:
        raise dg.Failure(f"one run builds one DISCOM, this one was asked for {', '.join(codes)}: start a run for each", allow_retries=False)
    with db.connect() as conn:
        known = registry.discoms(conn)
    if codes[0] not in known:
        raise dg.Failure(f"no DISCOM {codes[0]!r} in the registry (known: {', '.join(known)})", allow_retries=False)
    days = sorted(date.fromisoformat(k["day"]) for k in keys)
    return codes[0], known[codes[0]], days[0], days[-1]


class Translator(DagsterDbtTranslator):
    """dbt names to Dagster: key = schema and table. A day begins when gaps were read again; energy and reports wait for the verdicts on
    estimates and edits."""

    def get_asset_spec(self, manifest: Any, unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
        spec = spec.replace_attributes(key=self.get_asset_key(node), group_name=node["schema"])
        if node["schema"] in ("energy", "network", "reports"):
            spec = spec.replace_attributes(deps=[*spec.deps, ESTIMATE_VERDICT, EDIT_VERDICT])
        if node["name"] == "assembled_day":
            spec = spec.replace_attributes(deps=[*spec.deps, REREAD])
        return spec

    def get_asset_key(self, dbt_resource_props: Any) -> dg.AssetKey:
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])


def _dbt_group(name: str) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=dbt.manifest_path(),
        select=steps.DBT_GROUPS[name],
        name=name,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=Translator(),
        retry_policy=RETRY,
    )
    def group(context: dg.AssetExecutionContext) -> Iterator[dg.Output | dg.AssetCheckResult]:
        discom, discom_id, first, last = window(context)
        late = _for_late_data(context)
        if name == "measure":
            try:
                changed_only = steps.begin(discom, discom_id, first, last, changed_only=late)
            except stale.FrozenError as e:
                raise dg.Failure(str(e), allow_retries=False) from None
        else:
            changed_only = late and stale.is_partial(discom_id, first, last)
        wanted = _selected(context)
        for result in _build(list(wanted), steps.window(discom, discom_id, first, last, changed_only=changed_only)):
            yield _event(context, wanted[result.unique_id], result)
        if name == "reports":
            for view in steps.publish_reports():
                context.instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(["reports", view])))
            steps.end(discom, discom_id, first, last)
            context.log.info("built %s of %s to %s", discom, first, last)

    return group


def _selected(context: dg.AssetExecutionContext) -> dict[str, dg.AssetKey | dg.AssetCheckSpec]:
    """dbt's unique ids of the models and tests that this step was asked for."""
    assets = context.assets_def
    models = {assets.get_asset_spec(k).metadata["dagster_dbt/unique_id"]: k for k in context.selected_asset_keys}
    checks = [c for c in assets.check_specs_by_output_name.values() if c.key in context.selected_asset_check_keys]
    return {**models, **{str(c.metadata["dagster_dbt/unique_id"]): c for c in checks}}


def _for_late_data(context: dg.AssetExecutionContext) -> bool:
    """Whether this run was asked for late data alone: then meters of which nothing came may stay as they are."""
    return context.run.tags.get(LATE_DATA_TAG) == "true"


def _build(nodes: Sequence[str], window: dict[str, object]) -> list[dbt.NodeResult]:
    """Results in the order in which dbt ended them, which is that of their dependencies."""
    progress.expect(len(nodes))
    return dbt.run(
        ["build", "--select", *(n.split(".")[2] for n in nodes), "--indirect-selection", "empty", "--exclude-resource-type", "unit_test"],
        window,
        listener=progress.node_done,
    )


def _event(
    context: dg.AssetExecutionContext, what: dg.AssetKey | dg.AssetCheckSpec, result: dbt.NodeResult
) -> dg.Output | dg.AssetCheckResult:
    if isinstance(what, dg.AssetCheckSpec):
        return dg.AssetCheckResult(
            check_name=what.name, asset_key=what.asset_key, passed=result.ok, metadata={"failing rows": result.failures or 0}
        )
    metadata: dict[str, Any] = {"seconds": result.seconds}
    if result.rows is not None and result.rows >= 0:
        metadata["dagster/row_count"] = result.rows
    return dg.Output(None, output_name=context.assets_def.get_output_name_for_asset_key(what), metadata=metadata)


def _rules(stage: Stage) -> dict[str, str]:
    """Rules of a suite with their messages: the checks are the same for all DISCOMs, what an overlay switches off finds nothing."""
    texts: dict[str, list[str]] = {}
    for check in load_suite(stage, "").checks:
        texts.setdefault(check.rule, []).append(check.message)
    return {rule: "; ".join(messages) for rule, messages in sorted(texts.items())}


def _suite_asset(stage: Stage, key: dg.AssetKey, deps: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        specs=[
            dg.AssetSpec(
                key,
                deps=deps,
                group_name="vee",
                kinds={"great_expectations", "postgres"},
                description=f"Meter-days that fail the {stage} suite, in vee.exception",
                partitions_def=partitions,
            )
        ],
        check_specs=[dg.AssetCheckSpec(rule, asset=key, description=text) for rule, text in _rules(stage).items()],
        name=f"{stage}_suite",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRY,
        can_subset=False,
    )
    def suite(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        discom, discom_id, first, last = window(context)
        changed_only = _for_late_data(context) and stale.is_partial(discom_id, first, last)
        report = steps.judge(discom, discom_id, first, last, stage, changed_only=changed_only)
        for rule in _rules(stage):
            found = [r for r in report.rule_days if r.rule == rule]
            failed = sum(r.failed for r in found)
            yield dg.AssetCheckResult(
                check_name=rule,
                asset_key=key,
                passed=failed == 0,
                severity=dg.AssetCheckSeverity.WARN,  # an exception is work for the VEE desk, not a failure of the run
                metadata={"tested": sum(r.tested for r in found), "failed": failed},
            )
        yield dg.MaterializeResult(asset_key=key, metadata={"dagster/row_count": sum(r.failed for r in report.rule_days)})
        if not report.accepted:
            raise dg.Failure(steps.refusal(discom, report.refused), allow_retries=False)

    return suite


@dg.asset(
    key=ESTIMATED_DAY,
    deps=[dg.AssetKey(["vee", "exception"]), dg.AssetKey(["vee", "meter_day"])],
    group_name="vee",
    kinds={"numpy", "postgres"},
    description="Meter-days of which slots were estimated, with methods and basis",
    partitions_def=partitions,
    backfill_policy=dg.BackfillPolicy.single_run(),
    retry_policy=RETRY,
)
def estimated_day(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    discom, discom_id, first, last = window(context)
    changed_only = _for_late_data(context) and stale.is_partial(discom_id, first, last)
    report = steps.estimate(discom, discom_id, first, last, changed_only=changed_only)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": report.meter_days,
            "seconds": report.seconds,
            "estimated slots": report.estimated_slots,
            "missing slots": report.missing_slots,
            "slots by method": report.methods,
        }
    )


measure = _dbt_group("measure")
exceptions = _suite_asset("initial", dg.AssetKey(["vee", "exception"]), [dg.AssetKey(["vee", "measure"]), dg.AssetKey(["vee", "evidence"])])
final = _dbt_group("final")
estimate_exceptions = _suite_asset("estimate", ESTIMATE_VERDICT, [dg.AssetKey(["vee", "estimated_measure"])])
edit_exceptions = _suite_asset("edit", EDIT_VERDICT, [dg.AssetKey(["vee", "edited_measure"])])
energy = _dbt_group("energy")
reports = _dbt_group("reports")


@dbt_assets(manifest=dbt.manifest_path(), select=steps.REPORT_VIEWS, name="report_views", dagster_dbt_translator=Translator())
def report_views(context: dg.AssetExecutionContext) -> Iterator[dg.Output | dg.AssetCheckResult]:
    """Views are of every day at once, so they have no partitions. The group `reports` makes them anew when the project changes."""
    wanted = _selected(context)
    for result in _build(list(wanted), {}):
        yield _event(context, wanted[result.unique_id], result)


ALL = [measure, exceptions, estimated_day, final, estimate_exceptions, edit_exceptions, energy, reports]
