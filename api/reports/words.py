"""Figures, stamps and periods as people read them: one way for workbook, page and PDF."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from api.reports.repository import Discom


def indian(value: float | Decimal, decimals: int = 0) -> str:
    """Digits grouped as in India: 12,34,567."""
    sign = "−" if round(float(value), decimals) < 0 else ""
    whole, _, part = f"{abs(value):.{decimals}f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = []
    while head:
        groups.append(head[-2:])
        head = head[:-2]
    return sign + ",".join([*reversed(groups), tail]) + (f".{part}" if part else "")


def stamp_text(stamp: datetime | None, discom: Discom) -> str:
    if stamp is None:
        return "unknown"
    local = stamp.astimezone(discom.timezone)
    return f"{local:%d-%b-%Y %H:%M} {local.tzname()}"


def period_text(first: date, last: date) -> str:
    return f"{first:%d %b %Y} to {last:%d %b %Y}" if first != last else f"{first:%d %b %Y}"
