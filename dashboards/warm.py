"""Asks for the charts of a DISCOM's dashboards as they open: fills the cache where there is one, and tells what is slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from dashboards.client import Client, Refused
from dashboards.generate import boards, read
from dashboards.sync import of_tenant
from dashboards.tenants import Tenant


@dataclass(frozen=True)
class Answer:
    """What one chart said."""

    board: str
    """Name of its dashboard's file in boards/."""
    chart: str
    seconds: float
    cached: bool
    rows: int
    error: str | None


def warm(client: Client, tenant: Tenant, *, anew: bool = False, today: date | None = None) -> Iterator[Answer]:
    """Ask one chart after the other; with `anew` past the cache, which then holds the new answer. Raises SupersetError."""
    there = {row["uuid"]: row["id"] for row in client.list("chart", columns=("uuid", "id"))}
    designed = boards()
    for path, chart in of_tenant(read(), tenant, today).items():
        kind, _, *rest = path.split("/")
        if kind != "charts" or rest[0] not in designed or chart["uuid"] not in there:
            continue
        began = time.monotonic()
        try:
            answer = client.call("GET", f"/api/v1/chart/{there[chart['uuid']]}/data/", params={"force": "true"} if anew else {})
            (result,) = answer["result"]
            error, cached, rows = result["error"], bool(result["is_cached"]), int(result["rowcount"] or 0)
        except Refused as e:
            error, cached, rows = str(e), False, 0
        yield Answer(rest[0], chart["slice_name"], time.monotonic() - began, cached, rows, error)
