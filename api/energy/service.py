"""Balances for one caller. Answers are JSON as octets. No paths, no SQL."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson
import psycopg

from api.auth import Caller
from api.database import Database
from api.energy import repository
from api.energy.repository import Child, Kind
from api.errors import Problem
from api.meters.data_schemas import MEANINGS
from api.meters.rollup import next_day
from api.meters.spans import require_days
from warehouse.codes import Quality

BalanceResolution = Literal["interval", "day", "month"]
LONGEST: dict[BalanceResolution, int] = {"interval": 3, "day": 366, "month": 1827}
LONGEST_CHILDREN = 31
TITLE: dict[Kind, str] = {"dt": "DT", "feeder": "feeder", "office": "office"}
MAX_WH = 2**63 - 2
_LETTER = {int(q): q.letter for q in Quality}
Rows = list[dict[str, Any]]


async def balances(pools: Database, caller: Caller, kind: Kind, code: str, first: date, last: date, resolution: BalanceResolution) -> bytes:
    """Raises Problem: 404, 422."""
    require_days(first, last, LONGEST[resolution])
    if resolution == "interval":
        assert kind != "office", "the schema of an office's route has no intervals"
        query = repository.intervals(caller.discom_id, kind, code, first, last)
    else:
        query = repository.balance(caller.discom_id, kind, code, first, last, by_month=resolution == "month")
    found, rows = await _read(pools, caller, repository.head(caller.discom_id, kind, code), query)
    head = _one(found, kind, code)
    zone = ZoneInfo(head["timezone"])
    if resolution == "interval":
        told = [_interval(r, zone) for r in rows]
    else:
        told = []
        for r in rows:
            begin, end = max(r["start"], first), min(next_day(r["start"], resolution), last + timedelta(days=1))
            told.append({"start": _midnight(begin, zone), "end": _midnight(end, zone), **_counts(r), **_balance(r)})
    return orjson.dumps(
        {
            "of": _head(head, kind),
            "first": first,
            "last": last,
            "timezone": zone.key,
            "resolution": resolution,
            "qualities": MEANINGS,
            "rows": told,
        }
    )


async def children(
    pools: Database, caller: Caller, kind: Kind, child: Child, code: str, first: date, last: date, after: str | None, size: int
) -> bytes:
    """Raises Problem: 404, 422."""
    require_days(first, last, LONGEST_CHILDREN)
    position = _cursor(after) if after is not None else None
    (found,) = await _read(pools, caller, repository.head(caller.discom_id, kind, code))
    head = _one(found, kind, code)
    below = repository.children(caller.discom_id, kind, child, head, first, last, position, size + 1)
    (rows,) = await _read(pools, caller, below, plan_anew=True)  # below a feeder hang twenty DTs, below an office thousands
    items = [{"code": r["code"], "office": r["office"], **_counts(r), **_balance(r)} for r in rows[:size]]
    end = rows[size - 1] if len(rows) > size else None
    following = f"{'' if end['loss_wh'] is None else end['loss_wh']},{end['code']}" if end else None
    return orjson.dumps({"of": _head(head, kind), "kind": child, "first": first, "last": last, "items": items, "next": following})


def _cursor(text: str) -> tuple[int | None, str]:
    loss, comma, code = text.partition(",")
    try:
        wh = int(loss) if loss else None
    except ValueError:
        comma = ""
        wh = None
    if not comma or not code or (wh is not None and abs(wh) > MAX_WH):
        raise Problem(422, "UNKNOWN_CURSOR", "The request is not valid", "after cannot be read: use `next` of the page before")
    return wh, code


def _head(row: dict[str, Any], kind: Kind) -> dict[str, Any]:
    return {"kind": kind, **{k: row[k] for k in ("code", "name", "feeder", "office")}}


def _counts(r: dict[str, Any]) -> dict[str, Any]:
    return {"balances": r["balances"], "balances_known": r["balances_known"]}


def _balance(r: dict[str, Any]) -> dict[str, Any]:
    return {
        "input_wh": r["input_wh"],
        "supplied_wh": r["supplied_wh"],
        "loss_wh": r["loss_wh"],
        "loss_pct": _pct(r["loss_wh"], r["input_wh"]),
        "coverage_pct": _pct(r["consumer_days_complete"], r["consumer_days"]),
        "measured_pct": _pct(r["actual_wh"], r["sold_wh"]),
        "estimated_pct": _pct(r["estimated_wh"], r["read_wh"]),
        "quality": _LETTER[r["weakest_quality"]],
    }


def _interval(r: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    known = r["loss_wh"] is not None
    return {
        "start": r["start"].astimezone(zone),
        "end": (r["start"] + timedelta(minutes=r["interval_min"])).astimezone(zone),
        "balances": 1,
        "balances_known": int(known),
        "input_wh": r["input_wh"],
        "supplied_wh": r["supplied_wh"] if known else None,
        "loss_wh": r["loss_wh"],
        "loss_pct": _pct(r["loss_wh"], r["input_wh"]),
        "coverage_pct": None if r["coverage_pct"] is None else round(r["coverage_pct"], 2),
        "measured_pct": None,
        "estimated_pct": None,
        "quality": _LETTER[r["weakest_quality"]],
    }


def _pct(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else round(100 * part / whole, 2)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


async def _read(pools: Database, caller: Caller, *queries: repository.Found, plan_anew: bool = False) -> list[Rows]:
    try:
        return await pools.read_async(caller, *queries, plan_anew=plan_anew)
    except psycopg.errors.UndefinedTable:
        detail = "no day was built in this warehouse yet: its balances can be read once one was"
        raise Problem(404, "NOTHING_BUILT", "There is no data yet", detail) from None


def _one(rows: Rows, kind: Kind, code: str) -> dict[str, Any]:
    if not rows:
        raise Problem(404, f"UNKNOWN_{kind.upper()}", f"No such {TITLE[kind]}", f"there is no {TITLE[kind]} {code}")
    return rows[0]
