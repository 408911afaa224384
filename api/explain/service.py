"""One meter-day or one interval of it, for one tenant. No HTTP paths, no SQL."""

from __future__ import annotations

from datetime import date

from pydantic import TypeAdapter

from api.auth import Caller
from api.database import Database
from api.errors import Problem
from vee.explain import ExplainError, Explanation, explain
from vee.explain.model import Interval

_AS_JSON, _INTERVAL_AS_JSON = TypeAdapter(Explanation), TypeAdapter(Interval)


def meter_day(pools: Database, caller: Caller, serial: str, day: date) -> Explanation:
    """Raises Problem 404."""
    try:
        # The plans of the views that it reads take longer to make than to run, and are the same for every meter-day.
        with pools.tenant(caller, plan_once=True) as conn:
            return explain(conn, caller.discom, serial, day)
    except ExplainError as e:
        raise Problem(404, e.code, "Nothing to explain", str(e)) from None


def meter_day_json(pools: Database, caller: Caller, serial: str, day: date) -> bytes:
    """As `meter_day`, written out."""
    return _AS_JSON.dump_json(meter_day(pools, caller, serial, day))


def interval_json(pools: Database, caller: Caller, serial: str, day: date, slot: int) -> bytes:
    """One interval, written out. Raises Problem: 404, also where the day has no such interval."""
    intervals = meter_day(pools, caller, serial, day).intervals
    if slot >= len(intervals):
        raise Problem(404, "NO_SUCH_INTERVAL", "No such interval", f"{day} has intervals 0 to {len(intervals) - 1} of meter {serial}")
    return _INTERVAL_AS_JSON.dump_json(intervals[slot])
