"""The time that is asked for: days or instants, a zone, and how much of it is answered at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import PlainValidator, WithJsonSchema

from api.errors import Problem
from api.meters.rollup import midnight

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 1, 1)


_SPACE = re.compile(r" (\d\d:?\d\d)$")


def _parse(value: Any) -> date | datetime:
    if not isinstance(value, str):
        raise ValueError("give a day (2026-10-05) or an instant with its zone (2026-10-05T00:00:00+05:30)")
    try:
        # A + of a zone that was not encoded comes as a space.
        found = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(_SPACE.sub(r"+\1", value))
    except ValueError:
        raise ValueError("give a day (2026-10-05) or an instant with its zone (2026-10-05T00:00:00+05:30)") from None
    if isinstance(found, datetime) and found.tzinfo is None:
        raise ValueError("say the zone of the instant: 2026-10-05T00:00:00+05:30, or Z for UTC")
    if not EARLIEST.year <= found.year < LATEST.year:
        raise ValueError(f"give a time from {EARLIEST} until {LATEST}")
    return found


Moment = Annotated[
    date | datetime,
    PlainValidator(_parse),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


@dataclass(frozen=True)
class Span:
    """begin <= t < end, in UTC, and the zone that the answer is told in."""

    begin: datetime
    end: datetime
    zone: ZoneInfo

    def days_in(self, zone: ZoneInfo) -> tuple[date, date]:
        """First and last day of another zone that the span reaches into."""
        return self.begin.astimezone(zone).date(), (self.end - timedelta(microseconds=1)).astimezone(zone).date()


def span(first: date | datetime, last: date | datetime, zone: ZoneInfo, longest: timedelta) -> Span:
    """From the first to the last: days of `zone`, the last one included, or instants. Raises Problem 422."""
    begin = first.astimezone(UTC) if isinstance(first, datetime) else midnight(first, zone)
    end = last.astimezone(UTC) if isinstance(last, datetime) else midnight(last + timedelta(days=1), zone)
    if begin >= end:
        raise _wrong("WRONG_RANGE", "from lies after to: give the earlier time first")
    if end - begin > longest + timedelta(hours=2):  # days are longer where clocks are put back
        raise _wrong("RANGE_TOO_LONG", f"at most {longest.days} days are answered at once here: ask for fewer, one range after the other")
    return Span(begin, end, zone)


def zone(name: str | None, default: str) -> ZoneInfo:
    """Raises Problem 422."""
    if name is None:
        return ZoneInfo(default)
    if name not in _zones():
        raise _wrong("UNKNOWN_TIMEZONE", "there is no such time zone: give a name of the IANA data base, such as Asia/Kolkata or UTC")
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _wrong(code: str, detail: str) -> Problem:
    return Problem(422, code, "The request is not valid", detail)


def after(cursor: str) -> tuple[datetime, str]:
    """Instant and name of the cursor `instant,name`. Raises Problem 422."""
    stamp, _, name = cursor.partition(",")
    try:
        at = datetime.fromisoformat(_SPACE.sub(r"+\1", stamp))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not name:
        raise _wrong("UNKNOWN_CURSOR", "after cannot be read: use `next` of the page before")
    return at, name


def require_days(first: date, last: date, longest: int) -> None:
    """That first..last are days in their order, and not too many. Raises Problem 422."""
    span(first, last, ZoneInfo("UTC"), timedelta(days=longest) - timedelta(hours=2))
