"""Which business days a report is asked for: a month, quarter or financial year (from April on), or a span that is named from a day on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.reports.catalogue import ReportError

Days = tuple[date, date]


def month(text: str) -> Days:
    """2026-10. Raises ReportError."""
    found = re.fullmatch(r"(\d{4})-(\d{2})", text)
    if not found or not 1 <= int(found[2]) <= 12 or int(found[1]) < 1:
        raise ReportError(f"{text!r} is no month: write it as 2026-10")
    return _months(date(int(found[1]), int(found[2]), 1), 1)


def quarter(text: str) -> Days:
    """2026-Q3: October to December 2026, the third quarter of the financial year that begins in April 2026. Raises ReportError."""
    found = re.fullmatch(r"(\d{4})-Q([1-4])", text)
    if not found or int(found[1]) < 1:
        raise ReportError(f"{text!r} is no quarter: write it as 2026-Q3, of the financial year that begins in April 2026")
    return _months(_later(date(int(found[1]), 4, 1), 3 * (int(found[2]) - 1)), 3)


def financial_year(text: str) -> Days:
    """2026-27. Raises ReportError."""
    found = re.fullmatch(r"(\d{4})-(\d{2})", text)
    if not found or int(found[2]) != (int(found[1]) + 1) % 100 or int(found[1]) < 1:
        raise ReportError(f"{text!r} is no financial year: write it as 2026-27")
    return _months(date(int(found[1]), 4, 1), 12)


def _later(first: date, months: int) -> date:
    """The first of the month so many months later."""
    at = first.year * 12 + first.month - 1 + months
    return date(at // 12, at % 12 + 1, 1)


def _months(first: date, number: int) -> Days:
    return first, _later(first, number) - timedelta(days=1)


def _quarter_of(day: date) -> date:
    """First day of the quarter that holds the day."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def _year_of(day: date) -> date:
    return date(day.year - (day.month < 4), 4, 1)


def containing(length: str, day: date) -> Days:
    """The day, month, quarter or financial year that holds a day; a week begins on Monday. Raises ReportError."""
    try:
        match length:
            case "day":
                return day, day
            case "week":
                monday = day - timedelta(days=day.weekday())
                return monday, monday + timedelta(days=6)
            case "month":
                return _months(day.replace(day=1), 1)
            case "quarter":
                return _months(_quarter_of(day), 3)
            case "financial_year":
                return _months(_year_of(day), 12)
    except (ValueError, OverflowError):
        raise ReportError(f"the {length.replace('_', ' ')} of {day} lies beyond the calendar") from None
    raise ReportError(f"{length!r} is no period: choose of day, week, month, quarter, financial_year")


NAMED: dict[str, Callable[[date], Days]] = {
    "yesterday": lambda today: (today - timedelta(days=1), today - timedelta(days=1)),
    "last_7_days": lambda today: (today - timedelta(days=7), today - timedelta(days=1)),
    "last_week": lambda today: (today - timedelta(days=today.weekday() + 7), today - timedelta(days=today.weekday() + 1)),
    "month_to_yesterday": lambda today: ((today - timedelta(days=1)).replace(day=1), today - timedelta(days=1)),
    "last_month": lambda today: _months(_later(today.replace(day=1), -1), 1),
    "last_quarter": lambda today: _months(_later(_quarter_of(today), -3), 3),
    "last_financial_year": lambda today: _months(date(_year_of(today).year - 1, 4, 1), 12),
}
"""Days of a period by its name, from the day on which it is asked for. All end before that day; a week begins on Monday."""


def check(first: date, last: date, zone: ZoneInfo, now: datetime) -> None:
    """Raises ReportError for days in the wrong order and for a period that has not begun. `now` is aware."""
    if last < first:
        raise ReportError(f"the period ends ({last}) before it begins ({first}): give the earlier day first")
    today = now.astimezone(zone).date()
    if first > today:
        raise ReportError(f"{said(first, last)} lies in the future: today is {today}")


def said(first: date, last: date) -> str:
    """A period as file names have it: 2026-10 for a whole month, else its days."""
    if (first, last) == _months(first.replace(day=1), 1):
        return f"{first:%Y-%m}"
    return str(first) if first == last else f"{first}_{last}"
