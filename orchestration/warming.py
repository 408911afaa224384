"""The dashboards' cache as Dagster sees it: after a day is built, its charts are asked for anew, so that nobody waits in the morning."""

import os

import dagster as dg

from dashboards import server_control
from dashboards.client import administrator
from dashboards.tenants import tenant
from dashboards.warm import warm


class Of(dg.Config):
    """A DISCOM by its code."""

    discom: str


@dg.op
def ask_for_charts(context: dg.OpExecutionContext, config: Of) -> None:
    """Ask for every chart of the DISCOM's dashboards past the cache. Raises SupersetError, or Failure where charts do not answer."""
    with administrator() as client:
        answers = list(warm(client, tenant(config.discom), anew=True))
    slowest = max(answers, key=lambda a: a.seconds)
    context.log.info("%s charts, slowest %.1f s: %s, %s", len(answers), slowest.seconds, slowest.board, slowest.chart)
    if wrong := [f"{a.board}, {a.chart}: {a.error}" for a in answers if a.error]:
        raise dg.Failure(f"{len(wrong)} of {len(answers)} charts do not answer:\n" + "\n".join(wrong[:20]), allow_retries=False)


@dg.job
def warm_dashboards() -> None:
    """Fill the cache of the dashboards. Nothing of a day waits for it."""
    ask_for_charts()


def why_not() -> str | None:
    """Why there is no cache to fill, None where there is one."""
    if not os.environ.get("METERHOUSE_SUPERSET_REDIS_URL"):
        return "Superset has no cache: METERHOUSE_SUPERSET_REDIS_URL is not set"
    return None if server_control.answers() else "Superset does not answer"
