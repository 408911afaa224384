"""What every format is told of a report, and what it must do: take the rows in chunks, once, and hold none longer than it needs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.reports.catalogue import Column, Kind, Report
from api.reports.repository import Discom, Span

Row = tuple[Any, ...]


@dataclass(frozen=True)
class About:
    """A report as it was asked for. `generated_at` is aware."""

    report: Report
    discom: Discom
    span: Span
    generated_at: datetime


class Found:
    """What one pass over the rows shows of them."""

    def __init__(self, report: Report) -> None:
        self.rows = 0
        self.lowest_coverage_pct: float | None = None
        self.data_as_of: datetime | None = None
        self._coverage, self._as_of = _position(report, "coverage_pct", Kind.REAL), _position(report, "data_as_of", Kind.STAMP)

    def add(self, rows: Sequence[Row]) -> None:
        self.rows += len(rows)
        shares = [r[self._coverage] for r in rows if r[self._coverage] is not None] if self._coverage is not None else []
        if shares:
            self.lowest_coverage_pct = min(shares) if self.lowest_coverage_pct is None else min(self.lowest_coverage_pct, *shares)
        stamps = {r[self._as_of] for r in rows} - {None} if self._as_of is not None else set()
        if stamps:
            self.data_as_of = max(stamps) if self.data_as_of is None else max(self.data_as_of, *stamps)


def _position(report: Report, name: str, kind: Kind) -> int | None:
    """None where it has no such column: what people build for themselves need not, or call something else so."""
    return report.position(name) if report.has(name) and report.columns[report.position(name)].kind is kind else None


class Writer(ABC):
    """Writes one report as one file, `path`. What it needs beside that file it writes in the same folder."""

    def __init__(self, path: Path, about: About) -> None:
        self.path = path
        self.about = about

    @abstractmethod
    def add(self, rows: Sequence[Row]) -> None:
        """The next rows."""

    @abstractmethod
    def close(self, found: Found) -> None:
        """There are no more rows. `found` is of all of them."""

    def abandon(self) -> None:  # noqa: B027 - most have nothing to let go
        """The file will not be needed: let go of what is open."""


Convert = Callable[[Any], Any]


def real(value: float) -> float | None:
    """A figure that is none (NaN, infinite) is said as a missing one: not every format knows such."""
    return value if math.isfinite(value) else None


def plain(value: Any) -> str:
    """A decimal with all its digits, never with an exponent."""
    return f"{value:f}"


def local(zone: ZoneInfo) -> Convert:
    """A stamp in the DISCOM's time zone."""
    return lambda stamp: stamp.astimezone(zone)


def iso(zone: ZoneInfo) -> Convert:
    return lambda stamp: stamp.astimezone(zone).isoformat()


def conversions(columns: Sequence[Column], by_kind: dict[Kind, Convert]) -> list[tuple[int, Convert]]:
    """Position and conversion of the columns whose kind needs one."""
    return [(i, by_kind[c.kind]) for i, c in enumerate(columns) if c.kind in by_kind]


def converted(row: Row, conversions: Sequence[tuple[int, Convert]]) -> list[Any]:
    values = list(row)
    for i, convert in conversions:
        if values[i] is not None:
            values[i] = convert(values[i])
    return values
