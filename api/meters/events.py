"""Events of one meter, each with what ended it: as vee.event_episode. No SQL, no HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

Row = Mapping[str, Any]


def episodes_of(reported: Iterable[Row]) -> list[dict[str, Any]]:
    """Occurrences and what nothing ends, by time and name, of events in the order of their time, name, source and code."""
    once: dict[tuple[Any, str], Row] = {}
    for e in reported:
        once.setdefault((e["occurred_at"], e["event"]), e)  # a make may have two codes for one event
    families: dict[str, list[Row]] = {}
    for e in once.values():
        families.setdefault(e["family"], []).append(e)
    found = []
    for events in families.values():
        # Of one instant the occurrence counts first: stamps are whole seconds, and what lasts shorter ends within one.
        events.sort(key=lambda e: (e["occurred_at"], e["role"]))
        found += [_episode(e, following) for e, following in pairwise([*events, None]) if e and e["role"] != "restoration"]
    return sorted(found, key=lambda e: (e["occurred_at"], e["event"]))


def _episode(e: Row, following: Row | None) -> dict[str, Any]:
    if e["role"] == "single":
        state = "single"
    elif following is None:
        state = "open"
    else:
        state = "restored" if following["role"] == "restoration" else "lost restoration"
    ended_at = following["occurred_at"] if following and e["role"] == "occurrence" else None
    return {
        **{k: e[k] for k in ("event", "family", "log", "severity", "code", "source", "occurred_at")},
        "ended_at": ended_at,
        "duration_s": int((ended_at - e["occurred_at"]).total_seconds()) if ended_at and state == "restored" else None,
        "state": state,
    }
