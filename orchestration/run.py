"""Run the graph in this process for a range of days: what `meterhouse run` and the tests do."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from orchestration import assets
from orchestration.definitions import defs, range_tags
from orchestration.stale import DayRange
from warehouse import settings

DAGSTER_YAML = """\
telemetry:
  enabled: false
concurrency:
  runs:
    tag_concurrency_limits:
      # One run of a DISCOM at a time: two could build the same day.
      - key: discom
        limit: 1
        value:
          applyLimitPerUniqueValue: true
      # One pull of a head-end system at a time.
      - key: hes
        limit: 1
        value:
          applyLimitPerUniqueValue: true
  # Pools (hes_pull): runs beyond it wait, so head-end systems that are down leave room for the days.
  pools:
    granularity: run
    default_limit: 4
"""


class RunError(RuntimeError):
    """A run failed; the message names the asset and what it said."""


def dagster_home() -> Path:
    """Folder of Dagster's own storage, with a dagster.yaml that switches telemetry off."""
    home = settings.home() / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(DAGSTER_YAML)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def run_days(span: DayRange) -> None:
    """Build `span` through the job `daily`, to be seen in `meterhouse dagster`. Raises RunError where a step failed."""
    dagster_home()
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(str(assets.discoms.name), [span.discom])
        result = defs.resolve_job_def("daily").execute_in_process(
            instance=instance,
            tags=range_tags(span),
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},  # what failed is raised below
        )
        if not result.success:
            failures = [e for e in result.all_events if e.is_step_failure]
            text = "\n".join(f"{e.step_key}: {_cause(e)}" for e in failures)
            raise RunError(f"{span.discom} {span.first} to {span.last}: {text or 'the run failed'}")


def _cause(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    while error and error.cause:
        error = error.cause
    return error.message.strip() if error else "no reason given"
