"""How much a query may take: rows, time, and what the server reckons it costs before it runs.

METERHOUSE_BUILDER_MAX_COST   cost of a plan, in the server's units, that a preview or a run may have (default: 5000000); exports: 10 times
METERHOUSE_BUILDER_TIMEOUT_S  seconds that a preview or a run may take (default: 20); exports: 15 times that
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    rows: int
    seconds: float
    cost: float


def _cost() -> float:
    return float(os.environ.get("METERHOUSE_BUILDER_MAX_COST", "5_000_000"))


def _seconds() -> float:
    return float(os.environ.get("METERHOUSE_BUILDER_TIMEOUT_S", "20"))


def of_preview() -> Limit:
    return Limit(1_000, _seconds(), _cost())


def of_run() -> Limit:
    return Limit(10_000, _seconds(), _cost())


def of_export() -> Limit:
    return Limit(1_000_000, 15 * _seconds(), 10 * _cost())
