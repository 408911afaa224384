"""The figures that are to be held, each beside what a run gave. A line that a run did not reach says so; none is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cli.console import count

MILLION = 1_000_000
MONTH_METERS = 100_000
GB = 1 << 30
FASTER_THAN = {"pandas": (15.0, "≥ 15 x"), "polars": (1.0, "> 1 x"), "duckdb": (1.0, "> 1 x"), "rowsql": (8.0, "≥ 8 x")}
"""Peers from and to PostgreSQL: how many times our time theirs has to be."""
TITLES = {
    "pandas": "pandas",
    "polars": "Polars",
    "duckdb": "DuckDB",
    "rowsql": "row-per-interval SQL",
    "polars_parquet": "Polars, Parquet to Parquet",
    "duckdb_parquet": "DuckDB, Parquet to Parquet",
}


@dataclass(frozen=True)
class Bar:
    """`verdict` is hold, short, not measured or outcome differs; `at` is what it was measured with."""

    what: str
    hold: str
    ours: str
    at: str
    verdict: str


def bars(doc: dict[str, Any]) -> list[Bar]:
    """A line for each figure. Those of the day of a million meters are only judged there, the others at the largest size of the run."""
    sizes = doc["sizes"]
    return [
        *_day(sizes),
        _month(doc["month"]),
        *_floor(sizes),
        *_peers(sizes),
        *_growth(doc),
        *_push(doc["push"]),
        _events(doc["events"]),
    ]


def _judged(what: str, hold: str, ours: str, at: str, holds: bool) -> Bar:
    return Bar(what, hold, ours, at, "hold" if holds else "short")


def _missing(what: str, hold: str) -> Bar:
    return Bar(what, hold, "", "", "not measured")


def _meters(size: dict[str, Any]) -> str:
    return f"{count(size['consumers'])} meters"


def _day(sizes: list[dict[str, Any]]) -> list[Bar]:
    limits = (
        (f"{count(MILLION)} meters, landed to balanced", "≤ 60 s", "balanced_s", 60.0, 1, "s"),
        (f"{count(MILLION)} meter-days, validation and estimation, all rules on", "≤ 40 s", "judged_s", 40.0, 1, "s"),
        (f"{count(MILLION)} meters, all reports of a day, built and read in full", "≤ 30 s", "reports_s", 30.0, 1, "s"),
        (f"{count(MILLION)} meters, with all daily reports", "≤ 90 s", "total_s", 90.0, 1, "s"),
        (f"{count(MILLION)} meters, peak memory over all processes", "≤ 4 GB", "peak_octets", 4.0, GB, "GB"),
    )
    size = next((s for s in sizes if s["consumers"] >= MILLION and s["days"] == 1), None)
    found = []
    for what, hold, key, limit, unit, name in limits:
        if size is None or size["figures"][key] is None:
            found.append(_missing(what, hold))
        else:
            value = size["figures"][key] / unit
            found.append(_judged(what, hold, f"{value:.1f} {name}", _meters(size), value <= limit))
    return found


def _month(month: dict[str, Any] | None) -> Bar:
    what, hold = f"monthly reports over 31 days of {count(MONTH_METERS)} meters, read in full", "≤ 60 s"
    if month is None or month["consumers"] < MONTH_METERS:
        return _missing(what, hold)
    return _judged(what, hold, f"{month['seconds']:.1f} s", _meters(month), month["seconds"] <= 60)


def _floor(sizes: list[dict[str, Any]]) -> list[Bar]:
    what, hold = "landed to balanced / floor (COPY in + INSERT … SELECT)", "≤ 5"
    size = next((s for s in reversed(sizes) if s["floors"]), None)
    if size is None:
        return [_missing(what, hold)]
    ratio = size["figures"]["floor_ratio"]
    return [_judged(what, hold, f"{ratio:.1f}", _meters(size), ratio <= 5)]


def faster(size: dict[str, Any], peer: str) -> float | None:
    """How many times our time a peer's is, raw in to balances out; None where it gave no time."""
    seconds = next((p["seconds"] for p in size["peers"] if p["peer"] == peer), None)
    return seconds / size["figures"]["from_raw_s"] if seconds else None


def _peers(sizes: list[dict[str, Any]]) -> list[Bar]:
    found = []
    for peer, (limit, hold) in FASTER_THAN.items():
        what = f"against {TITLES[peer]}, from and to PostgreSQL"
        size = next((s for s in reversed(sizes) if any(p["peer"] == peer for p in s["peers"])), None)
        if size is None:
            found.append(_missing(what, hold))
        elif (ratio := faster(size, peer)) is None:
            found.append(Bar(what, hold, "", _meters(size), "outcome differs"))
        else:
            found.append(_judged(what, hold, f"{ratio:.1f} x", _meters(size), ratio >= limit if limit > 1 else ratio > 1))
    return found


def _growth(doc: dict[str, Any]) -> list[Bar]:
    found = []
    what, hold = "growth: 10 x meters", "≤ 11 x"
    if doc["growth"]:
        worst = max(doc["growth"], key=lambda g: g["per_ten"])
        at = f"{count(worst['from'])} to {count(worst['to'])} meters"
        found.append(_judged(what, hold, f"{worst['per_ten']:.1f} x", at, worst["per_ten"] <= 11))
    else:
        found.append(_missing(what, hold))
    what, hold, history = "growth: 90 days behind the day", "≤ 1.1 x", doc["history"]
    if history and history["ratio"] and max(map(int, history["seconds"])) >= 90:
        found.append(_judged(what, hold, f"{history['ratio']:.2f} x", _meters(history), history["ratio"] <= 1.1))
    else:
        found.append(_missing(what, hold))
    what, hold = "the day again, 1 % of the meters changed / the full day", "≤ 5 %"
    size = next((s for s in reversed(doc["sizes"]) if s["rerun"]), None)
    if size:
        share = size["figures"]["rerun_share"]
        found.append(_judged(what, hold, f"{share:.1%}", _meters(size), share <= 0.05))
    else:
        found.append(_missing(what, hold))
    return found


def _push(pushes: list[dict[str, Any]]) -> list[Bar]:
    """The bar is that of a batch of a day; what a batch of one interval a meter gives stands in the table of pushes."""
    what, hold = "POST /meters/readings, batches of 100 meters, acknowledged = committed", "≥ 50,000 intervals/s"
    best = max(pushes, key=lambda p: p["slots"], default=None)
    if best is None:
        return [_missing(what, hold)]
    speed = best["intervals"] / best["seconds"]
    at = f"100 meters x {best['slots']} intervals a body; {best['seconds'] / best['copy_s']:.1f} x a bare COPY"
    return [_judged(what, hold, f"{count(int(speed))} intervals/s", at, speed >= 50_000)]


def _events(events: dict[str, Any] | None) -> Bar:
    what, hold = "2,000 events/s, from receipt to stored alert", "< 2 s"
    if events is None:
        return _missing(what, hold)
    at = f"{count(events['events'])} events at {count(int(events['per_second']))}/s"
    # A pace that is not kept up would make the wait longer and longer: what was reached must be what is named, but for the last wait.
    holds = events["max_s"] < 2 and events["per_second"] >= 1_900
    return _judged(what, hold, f"{events['max_s']:.2f} s", at, holds)
