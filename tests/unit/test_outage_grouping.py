"""When a DT or a feeder is out: the rule alone, without a database. Times are minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingestion.alerts.outages import OWN, Change, group

ZERO = datetime(2026, 10, 5, tzinfo=UTC)


def run(changes: str, meters: int = 10, share: float = 0.5, at_least: int = 2, window: float = 5) -> list[tuple]:
    """Changes like `0-1` (meter 1 goes out at minute 0) and `7+1` (comes back); `o` is the place's own meter."""
    parsed = []
    for text in changes.split():
        minute, sign, child = text.replace("+", " + ").replace("-", " - ").split()
        parsed.append(Change(ZERO + timedelta(minutes=float(minute)), OWN if child == "o" else int(child), sign == "-"))
    found = group(parsed, lambda _: meters, share, at_least, timedelta(minutes=window))

    def minutes(at: datetime | None) -> float | None:
        return at and (at - ZERO) / timedelta(minutes=1)

    return [(minutes(o.started_at), minutes(o.ended_at), len(o.children)) for o in found]


@pytest.mark.parametrize(
    ("changes", "options", "outages"),
    [
        ("0-1 1-2 2-3 3-4", {}, []),
        ("0-1 1-2 2-3 3-4 4-5", {}, [(0, None, 5)]),
        ("0-1 1-2 2-3 3-4 5-5", {}, []),
        ("0-1 0-2 0-3 0-4 0-5 9+1 9+2 10+3", {}, [(0, 10, 5)]),
        ("0-1 0-2 0-3 0-4 0-5 3-6 9+1 9+2 10+3", {}, [(0, 10, 6)]),
        ("0-1 0-2 0-3 0-4 0-5 3-6 3-7 9+1 9+2 10+3", {}, [(0, None, 7)]),
        ("0-o", {}, [(0, None, 1)]),
        ("0-o 4+o", {}, [(0, 4, 1)]),
        ("0-1 1-o 4+o 5+1", {}, [(0, 4, 2)]),
        ("0-o 0-1 0-2 4+1", {}, [(0, 4, 3)]),
        ("0-1 3+1 4-2 5-3 6-4 7-5", {}, []),
        ("0-1 0-2 0-3 0-4 0-1", {}, []),
        ("0-1 4-1 5-2 6-3 7-4 8.5-5", {}, [(4, None, 5)]),
        ("0-1 0-2 0-3 0-4 0-5 9+1 9+2 9+3 10-1 10-2 10-3 10-6 10-7 20+1 20+2 20+3", {}, [(0, 9, 5), (10, 20, 5)]),
        ("0-1 0-2 0-3 0-4 0-5 1+1 1+2 1+3 2-6 2-7 2-8", {}, [(0, 1, 5)]),
        ("0-1", {"meters": 1}, []),
        ("0-1", {"meters": 1, "at_least": 1}, [(0, None, 1)]),
        ("0-1 0-2 1+1 1+2", {"meters": 2}, [(0, 1, 2)]),
        ("0-1 0+1", {"meters": 1, "at_least": 1}, [(0, 0, 1)]),
        ("0+1 0+2 5+o", {}, []),
        ("0-1 0-2 0-3 0-4 0-5 0-6 0-7 1+1 1+2 1+3 1+4 1+5 2+6", {"share": 0.8, "meters": 8}, [(0, 2, 7)]),
    ],
)
def test_a_place_is_out_from_a_share_of_its_meters_until_the_same_share_is_back(changes: str, options: dict, outages: list) -> None:
    assert run(changes, **options) == outages
    assert run(" ".join(reversed(changes.split())), **options) == outages, "the order of the changes must not matter"
