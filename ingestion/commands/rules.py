"""When commands may go out and how long they wait, by DISCOM: `rules/default.yml`, and over it `rules/<code>.yml`.

Protected hours and days are reckoned here; who keeps to them is the dispatcher, which asks before each disconnect.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import yaml

from ingestion.commands.states import Kind

FOLDER = Path(__file__).parent / "rules"
SCHEMA = Path(__file__).parent / "rules.schema.json"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LOOK_AHEAD_DAYS = 60


class RulesError(ValueError):
    """A file of rules is wrong; the message names file, field and remedy."""


@dataclass(frozen=True)
class Protected:
    """Hours and days in which no disconnect goes out, in local time. `begins` = `ends`: no hours."""

    begins: time
    ends: time
    weekdays: frozenset[int]
    holidays: bool

    def covers(self, local: datetime, holidays: Collection[date]) -> bool:
        """Whether this local instant is protected."""
        day, at = local.date(), local.time()
        if day.weekday() in self.weekdays or (self.holidays and day in holidays):
            return True
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


@dataclass(frozen=True)
class Rules:
    """The rules of one DISCOM."""

    protected: Protected
    priority: dict[Kind, int]
    expires: dict[Kind, timedelta]
    attempts: int
    backoff: timedelta
    look: timedelta
    event_tolerance: timedelta
    settle: timedelta

    def opens_at(self, at: datetime, zone: ZoneInfo, holidays: Collection[date]) -> datetime:
        """The first instant from `at` (aware) on at which a disconnect may go out, UTC.

        Raises RulesError where there is none within LOOK_AHEAD_DAYS.
        """
        local = at.astimezone(zone)
        candidates = [local]
        for ahead in range(LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=ahead)
            candidates += [datetime.combine(day, t, zone) for t in sorted({time(0), self.protected.ends})]
        for candidate in candidates:
            if candidate >= local and not self.protected.covers(candidate, holidays):
                return candidate.astimezone(UTC)
        raise RulesError(f"no disconnect may go out within {LOOK_AHEAD_DAYS} days of {at}: check protected in {FOLDER}")


@cache
def load_rules(discom: str) -> Rules:
    """The rules of the DISCOM with this code. Raises RulesError."""
    merged = _read(FOLDER / "default.yml")
    own = FOLDER / f"{discom.lower()}.yml"
    if own.exists():
        for name, value in _read(own).items():
            merged[name] = {**merged[name], **value} if isinstance(value, dict) else value
    protected = merged["protected"]
    return Rules(
        protected=Protected(
            begins=time.fromisoformat(protected["from"]),
            ends=time.fromisoformat(protected["to"]),
            weekdays=frozenset(WEEKDAYS.index(d) for d in protected["weekdays"]),
            holidays=protected["holidays"],
        ),
        priority={Kind(k): v for k, v in merged["priority"].items()},
        expires={Kind(k): timedelta(minutes=v) for k, v in merged["expires_min"].items()},
        attempts=merged["attempts"],
        backoff=timedelta(seconds=merged["backoff_s"]),
        look=timedelta(seconds=merged["look_s"]),
        event_tolerance=timedelta(seconds=merged["event_tolerance_s"]),
        settle=timedelta(seconds=merged["settle_s"]),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise RulesError(f"{path}: cannot be read: {e}") from None
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    if faults := sorted(jsonschema.Draft202012Validator(schema).iter_errors(raw), key=lambda e: [str(p) for p in e.absolute_path]):
        raise RulesError("\n".join(f"{path}: {'.'.join(map(str, e.absolute_path)) or 'file'}: {e.message}" for e in faults))
    return dict(raw)
