"""A meter's master data, consumption, profile and events, for one caller. Answers are JSON as octets. No paths, no SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import psycopg

from api.auth import Caller
from api.database import Database
from api.errors import Problem
from api.meters import data_repository as repository
from api.meters import layers, rollup, spans
from api.meters.data_schemas import MEANINGS
from api.meters.layers import Layer
from api.meters.rollup import CHANNELS, MeterDay, Resolution, Sum
from vee.explain.events import episodes_of, reported

LONGEST: dict[Resolution, timedelta] = {
    "interval": timedelta(days=31),
    "hour": timedelta(days=93),
    "day": timedelta(days=366),
    "month": timedelta(days=1827),
}
LONGEST_PROFILE = timedelta(days=93)
LONGEST_EVENTS = timedelta(days=93)
DAY_TYPES = {"weekday": 0, "saturday": 6, "sunday": 7}
MANY = 4
"""An office with more than one in so many of all offices holds many of the meters."""
Rows = list[dict[str, Any]]


async def search(
    pools: Database,
    caller: Caller,
    *,
    prefix: str | None,
    office: str | None,
    dt: str | None,
    service_point: str | None,
    after: str | None,
    size: int,
) -> bytes:
    ids: list[int] | None = None
    many = False
    if office is not None:
        ((found,),) = await pools.read_async(caller, repository.offices(caller.discom_id, office))
        ids = found["ids"] or []
        many = len(ids) * MANY > found["all_offices"]
    query = repository.search(
        caller.discom_id,
        prefix=prefix,
        dt=dt,
        service_point=service_point,
        office_ids=ids,
        many_offices=many,
        limited=not caller.scope.whole,
        after=after,
        size=size + 1,
    )
    (rows,) = await pools.read_async(caller, query, many=True)
    items = [
        {
            **{k: r[k] for k in ("serial", "make", "interval_min", "state", "hes")},
            "category": r["meter_category"],
            "installed": _installed(r) if r["place"] else None,
        }
        for r in rows[:size]
    ]
    return orjson.dumps({"items": items, "next": items[-1]["serial"] if len(rows) > size else None})


async def meter(pools: Database, caller: Caller, serial: str) -> bytes:
    """Raises Problem 404."""
    found, hung = await _read(pools, caller, repository.meter(caller.discom_id, serial), repository.installations(caller.discom_id, serial))
    return orjson.dumps({**_one(found, serial), "installations": [_installed(r) for r in hung]})


def _installed(r: dict[str, Any]) -> dict[str, Any]:
    names = ("place", "at", "dt", "feeder", "office", "valid_from", "valid_to", "category", "tariff", "supply_phases", "sanctioned_load_w")
    return {**{k: r[k] for k in names}, "mf": float(r["mf"])}


async def consumption(
    pools: Database,
    caller: Caller,
    serial: str,
    first: date | datetime,
    last: date | datetime,
    *,
    resolution: Resolution,
    layer: Layer,
    timezone: str | None,
    channels: Sequence[str],
    since: datetime | None,
) -> bytes:
    """Raises Problem: 404, 422."""
    # The DISCOM's zone comes with the meter: until then days are taken wide enough for any.
    asked = spans.zone(timezone, "UTC")
    span = spans.span(first, last, asked, LONGEST[resolution])
    low, high = (span.begin - timedelta(days=1)).date(), (span.end + timedelta(days=1)).date()
    totals = resolution in ("day", "month") and not isinstance(first, datetime) and not isinstance(last, datetime)
    query = repository.totals if totals else repository.values
    found, rows = await _read(
        pools,
        caller,
        repository.meter(caller.discom_id, serial),
        query(caller.discom_id, serial, low, high, since),
    )
    of = _one(found, serial)
    home = ZoneInfo(of["timezone"])
    if timezone is None:
        span = spans.span(first, last, home, LONGEST[resolution])
    low, high = span.days_in(home)
    rows = [r for r in rows if low <= r["day"] <= high]
    if totals and (span.zone.key != home.key or not layers.whole(rows)):
        totals = False
        (rows,) = await _read(pools, caller, repository.values(caller.discom_id, serial, low, high, since))
    wanted = [c for c in CHANNELS if c in channels] if channels else CHANNELS
    if resolution == "hour" and any(r["interval_min"] > 60 for r in rows):
        detail = f"an interval of meter {serial} is longer than an hour: ask for days"
        raise Problem(422, "TOO_FINE", "The request is not valid", detail)
    edits, of_edited = await _edits(pools, caller, serial, rows, layer, with_values=totals)
    if totals:
        answer = _of_totals(rows, of_edited, edits, home, layer, span, resolution, wanted)
    else:
        days = layers.meter_days(rows, edits, home, layer)
        if resolution == "interval":
            answer = list(rollup.intervals(days, span.begin, span.end, span.zone, wanted))
        else:
            answer = list(rollup.sums(days, rollup.periods(span.begin, span.end, span.zone, resolution), span.zone, wanted))
    return orjson.dumps(
        {
            "meter": serial,
            "begin": span.begin.astimezone(span.zone).isoformat(),
            "end": span.end.astimezone(span.zone).isoformat(),
            "timezone": span.zone.key,
            "resolution": resolution,
            "layer": layer,
            "multiplying_factor": "applied",
            "qualities": MEANINGS,
            "rows": answer,
        }
    )


async def _edits(
    pools: Database, caller: Caller, serial: str, rows: Rows, layer: Layer, *, with_values: bool
) -> tuple[dict[date, dict[str, Any]], dict[date, dict[str, Any]]]:
    """What was edited, by day, and where it is wanted these days with their arrays. Few days have an edit: only then it is asked for."""
    days = [r["day"] for r in rows if r["edited"]] if layer == "final" else []
    if not days:
        return {}, {}
    asked = [repository.edited_days(caller.discom_id, serial, days[0], days[-1])]
    if with_values:
        asked.append(repository.values(caller.discom_id, serial, days[0], days[-1], None))
    edited, *arrays = await _read(pools, caller, *asked)
    return {r["day"]: r for r in edited}, {r["day"]: r for found in arrays for r in found}


def _of_totals(
    rows: Rows,
    of_edited: dict[date, dict[str, Any]],
    edits: dict[date, dict[str, Any]],
    home: ZoneInfo,
    layer: Layer,
    span: spans.Span,
    resolution: Resolution,
    channels: Sequence[str],
) -> Rows:
    """Rows of days or months in the DISCOM's own zone, of the figures of their days."""
    answer: Rows = []
    total, period = Sum(), None

    def close() -> None:
        if period is not None:
            begin, end = (rollup.midnight(d, home) for d in (period, rollup.next_day(period, resolution)))
            begin, end = max(begin, span.begin), min(end, span.end)
            stamps = (at.astimezone(home).isoformat() for at in (begin, end))
            answer.append(total.row(*stamps, (end - begin).total_seconds(), channels))

    for r in rows:
        of = r["day"] if resolution == "day" else r["day"].replace(day=1)
        if of != period:
            close()
            total, period = Sum(), of
        if r["day"] in edits:
            (day,) = layers.meter_days([of_edited[r["day"]]], edits, home, layer)
            total.add_day(day, 0, len(day))
        else:
            layers.add_totals(total, r, layer)
    close()
    return answer


async def profile(pools: Database, caller: Caller, serial: str, first: date, last: date, day_type: str) -> bytes:
    """Raises Problem: 404, 422."""
    spans.span(first, last, ZoneInfo("UTC"), LONGEST_PROFILE)
    found, rows, classes, holidays = await _read(
        pools,
        caller,
        repository.meter(caller.discom_id, serial),
        repository.values(caller.discom_id, serial, first, last, None),
        repository.class_profiles(caller.discom_id, serial),
        repository.holidays(caller.discom_id, first, last),
    )
    of = _one(found, serial)
    free = {r["day"] for r in holidays}
    types = {r["day"]: _day_type(r["day"], free) for r in rows}
    rows = [r for r in rows if day_type == "all" or types[r["day"]] == DAY_TYPES[day_type]]
    edits, _ = await _edits(pools, caller, serial, rows, "final", with_values=False)
    days = layers.meter_days(rows, edits, ZoneInfo(of["timezone"]), "final")
    named = [(r["day"], d) for r, d in zip(rows, days, strict=True) if None not in d.import_wh]
    # Days of another length (clocks change, the interval was set anew) have other slots.
    length = Counter((len(d), d.interval_min) for _, d in named).most_common(1)
    usual = [(day, d) for day, d in named if length and (len(d), d.interval_min) == length[0][0]]
    slots = [_slot(n, [d for _, d in usual]) for n in range(length[0][0][0] if length else 0)]
    day_wh = sum(v or 0 for _, d in usual for v in d.import_wh) / len(usual) if usual else None
    shares = {r["day_type"]: r["share"] for r in classes}
    parts = [shares[types[day]] for day, _ in usual if types[day] in shares and len(shares[types[day]]) == len(slots)]
    for n, s in enumerate(slots):
        s["class_kwh"] = round(day_wh * sum(p[n] for p in parts) / len(parts) / 1000, 3) if parts and day_wh is not None else None
    return orjson.dumps(
        {
            "meter": serial,
            "first": first,
            "last": last,
            "timezone": of["timezone"],
            "day_type": day_type,
            "interval_min": length[0][0][1] if length else None,
            "days": len(usual),
            "day_kwh": None if day_wh is None else round(day_wh / 1000, 3),
            "category": classes[0]["category"] if parts else None,
            "slots": slots,
        }
    )


def _slot(n: int, days: Sequence[MeterDay]) -> dict[str, Any]:
    values: list[int] = [d.import_wh[n] for d in days]  # type: ignore[misc]
    start = (datetime(2000, 1, 1) + timedelta(minutes=n * days[0].interval_min)).strftime("%H:%M")
    return {
        "slot": n,
        "start": start,
        "mean_kwh": round(sum(values) / len(values) / 1000, 3),
        "min_kwh": min(values) / 1000,
        "max_kwh": max(values) / 1000,
    }


def _day_type(day: date, holidays: set[date]) -> int:
    """0 weekday, 6 Saturday, 7 Sunday or holiday: as class profiles are learnt."""
    return 7 if day in holidays or day.isoweekday() == 7 else 6 if day.isoweekday() == 6 else 0


async def events(
    pools: Database,
    caller: Caller,
    serial: str,
    first: date | datetime,
    last: date | datetime,
    *,
    timezone: str | None,
    family: str | None,
    severity: str | None,
    after: str | None,
    size: int,
) -> bytes:
    """Raises Problem: 404, 422."""
    span = spans.span(first, last, spans.zone(timezone, "UTC"), LONGEST_EVENTS)
    low, high = (span.begin - timedelta(days=1)).date(), (span.end + timedelta(days=1)).date()
    found, told = await _read(pools, caller, repository.meter(caller.discom_id, serial), reported(caller.discom_id, serial, low, high))
    of = _one(found, serial)
    if timezone is None:
        span = spans.span(first, last, ZoneInfo(of["timezone"]), LONGEST_EVENTS)
    begin = spans.after(after) if after is not None else None
    items = [
        e
        for e in episodes_of(told)
        if span.begin <= e["occurred_at"] < span.end
        and (family is None or e["family"] == family)
        and (severity is None or e["severity"] == severity)
        and (begin is None or (e["occurred_at"], e["event"]) > begin)
    ]
    page = items[:size]
    following = f"{page[-1]['occurred_at'].isoformat()},{page[-1]['event']}" if len(items) > size else None
    for e in page:
        for name in ("occurred_at", "ended_at"):
            e[name] = e[name].astimezone(span.zone) if e[name] else None
    return orjson.dumps({"items": page, "next": following})


async def _read(pools: Database, caller: Caller, *queries: repository.Found) -> list[Rows]:
    try:
        return await pools.read_async(caller, *queries)
    except psycopg.errors.UndefinedTable:
        detail = "no day was built in this warehouse yet: its data can be read once one was"
        raise Problem(404, "NOTHING_BUILT", "There is no data yet", detail) from None


def _one(rows: Rows, serial: str) -> dict[str, Any]:
    if not rows:
        raise Problem(404, "UNKNOWN_METER", "No such meter", f"there is no meter {serial}")
    return rows[0]
