"""Asks for the charts of a DISCOM's dashboards as they open: fills the cache where there is one, and tells what is slow."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from dashboards.client import Client, Refused
from dashboards.generate import METERS, STORY, Assets, asset_id, boards, read
from dashboards.server_control import SupersetError
from dashboards.sync import of_tenant
from dashboards.tenants import Tenant

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What one chart said, or the filter that its dashboard opens with."""

    board: str
    """Name of its dashboard's file in boards/."""
    chart: str
    seconds: float
    cached: bool
    rows: int
    error: str | None


def warm(
    client: Client, tenant: Tenant, *, anew: bool = False, today: date | None = None, assets: Assets | None = None
) -> Iterator[Answer]:
    """Ask one chart after the other; with `anew` past the cache, which then holds the new answer. A chart that is not there is an error.

    Raises SupersetError.
    """
    neutral = read() if assets is None else assets
    mine = of_tenant(neutral, tenant, today)
    numbers = {row["uuid"]: row["id"] for kind in ("chart", "dataset") for row in client.list(kind, columns=("uuid", "id"))}
    number_of = {path: numbers.get(content["uuid"]) for path, content in zip(neutral, mine.values(), strict=True)}
    (meters,) = (number_of[path] for path, content in neutral.items() if content["uuid"] == asset_id("dataset", METERS))
    if meters is None:
        raise SupersetError(f"Superset has no dashboards of {tenant.code}: `meterhouse superset sync` brings them in")
    designed = boards()
    for path in (p for p in neutral if p.startswith("charts/")):
        _, board, file = path.split("/")
        if board not in designed:
            continue
        number, title = number_of[path], str(neutral[path]["slice_name"])
        if number is None:
            yield Answer(board, title, 0.0, False, 0, "it is not in Superset: `meterhouse superset sync` brings it in")
        elif file == f"{STORY}.yaml":
            # As the browser does: a meter is chosen, the first that the filter offers, and then its days are asked for.
            offered: list[str] = []
            yield _timed(board, "filter Meter", partial(_serials, client, meters, anew, offered))
            yield _timed(board, title, partial(_of_meter, client, number, anew, offered))
        else:
            yield _timed(board, title, partial(_saved, client, number, anew))


def by_board(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    """The slowest of each dashboard first."""
    found: dict[str, list[Answer]] = {}
    for answer in sorted(answers, key=lambda a: (a.board, -a.seconds)):
        found.setdefault(answer.board, []).append(answer)
    return found


def _timed(board: str, chart: str, ask: Callable[[], Result]) -> Answer:
    began = time.monotonic()
    try:
        result = ask()
    except Refused as e:
        return Answer(board, chart, time.monotonic() - began, False, 0, str(e))
    return Answer(board, chart, time.monotonic() - began, bool(result["is_cached"]), int(result["rowcount"] or 0), result["error"])


def _saved(client: Client, chart: int, anew: bool) -> Result:
    result: Result = client.call("GET", f"/api/v1/chart/{chart}/data/", params={"force": "true"} if anew else {})["result"][0]
    return result


def _serials(client: Client, dataset: int, anew: bool, offered: list[str]) -> Result:
    query = {"columns": ["serial"], "metrics": [], "orderby": [["serial", True]], "row_limit": 1000}
    result: Result = _posted(client, {"datasource": {"id": dataset, "type": "table"}, "queries": [query]}, anew)
    offered += [row["serial"] for row in result["data"]]
    return result


def _of_meter(client: Client, chart: int, anew: bool, offered: list[str]) -> Result:
    context = json.loads(client.call("GET", f"/api/v1/chart/{chart}")["result"]["query_context"])
    for query in context["queries"]:
        query["filters"].append({"col": "serial", "op": "IN", "val": offered[:1]})
    return _posted(client, context, anew)


def _posted(client: Client, context: dict[str, Any], anew: bool) -> Result:
    asked = {**context, "force": anew, "result_type": "full", "result_format": "json"}
    result: Result = client.call("POST", "/api/v1/chart/data", json=asked)["result"][0]
    return result
