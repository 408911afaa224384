"""The charts of reports that are ones to look at: what is drawn of their rows, gathered in one pass and in bounded memory.

A share is made again from the sums of its parts, never averaged. How a chart is drawn is formats.pdf_drawing's.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from typing import Any

from api.reports.catalogue import Report

PERIODS = ("financial_year", "quarter", "month", "week", "day")
"""Longest first: a ranking is of the longest period that its rows have, a series of the shortest."""
TOP = 15
MAX_POINTS = 3_000
"""Points of a series: a month of quarter hours. Beyond it the series ends, and says so."""
MAX_LABELS = 20_000
"""Labels of a ranking that is summed. Beyond it what is new is left out, and the chart says so."""


@dataclass(frozen=True)
class Ranking:
    """Bars, the highest first: `value` (but 0) of each row, or with `summed` its sum over the rows of a label. Of rows `where` alone."""

    title: str
    value: str
    label: tuple[str, ...]
    summed: bool = False
    where: tuple[str, str] | None = None


@dataclass(frozen=True)
class Series:
    """Lines over `x` (days, stamps or hours): of all rows there the sum of each of `values`; with `whole` their share of it in %."""

    title: str
    x: str
    values: tuple[str, ...]
    whole: str | None = None
    where: tuple[str, str] | None = None


Chart = Ranking | Series

LOSS_BY_DAY = Series("Loss by day, % of input", "period_start", ("loss_kwh",), "input_kwh")

CHARTS: dict[str, tuple[Chart, ...]] = {
    "A01": (Series("Meters that communicated, % of due", "day", ("communicated",), "due_meters"),),
    "A03": (Series("Blocks received, % of due", "day", ("received_blocks",), "due_blocks"),),
    "A04": (Series("Midnight registers within a day, % of due", "day", ("received_within_day",), "due_meters"),),
    "B01": (Ranking("Failed meter-days by rule", "failed", ("rule", "title"), summed=True),),
    "C01": (Series("Consumption by day", "period_start", ("import_kwh", "estimated_kwh")),),
    "C02": (Series("Load of all feeders, kW and kVA", "starts_at", ("load_kw", "load_kva"), where=("kind", "feeder")),),
    "C03": (Ranking("Consumption by category and zone of the day", "consumption_kwh", ("category", "tod_zone"), summed=True),),
    "C06": (
        Ranking("Peak by feeder", "peak_kw", ("head",), where=("kind", "feeder")),
        Ranking("Load factor by feeder", "load_factor", ("head",), where=("kind", "feeder")),
    ),
    "C08": (Series("Forecast and actual by day", "day", ("forecast_kwh", "actual_kwh")),),
    "D01": (LOSS_BY_DAY, Ranking("Loss by DT", "loss_kwh", ("dt",))),
    "D02": (LOSS_BY_DAY, Ranking("Loss by feeder", "loss_kwh", ("feeder",))),
    "D03": (
        Series("Unbalance of the buses by day, % of input", "period_start", ("unbalance_kwh",), "input_kwh"),
        Ranking("Unbalance by substation", "unbalance_kwh", ("substation",)),
    ),
    "D04": (Ranking("Loss by area", "loss_pct", ("level", "area_name")),),
    "D05": (Ranking("AT&C loss by office and method", "l_atc_loss_pct", ("office", "method"), where=("scope", "office")),),
    "D06": (
        Ranking("Technical loss by DT", "technical_kwh", ("code",), where=("level", "dt")),
        Ranking("Commercial loss by DT", "commercial_kwh", ("code",), where=("level", "dt")),
    ),
    "D07": (Ranking("Highest losses", "loss_kwh", ("kind", "feeder", "dt")),),
    "D08": (Ranking("Mismatched consumers by office", "mismatched", ("office",)),),
    "E01": (
        Ranking("T&D loss by division", "td_loss_pct", ("division",), where=("category", "Sub-total")),
        Ranking("AT&C loss by division", "atc_loss_pct", ("division",), where=("category", "Sub-total")),
    ),
    "E03": (Ranking("Loss by feeder", "loss_mu", ("feeder",)),),
    "E04": (Ranking("Loss by DT", "loss_mu", ("dt",)),),
    "F01": (Ranking("Highest loading", "loading_max_pct", ("dt", "day")),),
    "F02": (Ranking("Highest current unbalance", "unbalance_max_pct", ("dt", "day")),),
    "F03": (Ranking("Hours out of the voltage limits by DT", "out_of_limits_h", ("dt",), summed=True),),
    "F04": (Ranking("Hours of low power factor by DT", "low_h", ("dt",), summed=True),),
    "F05": (Ranking("Minutes without supply by DT", "duration_min", ("dt",)),),
    "F06": (Ranking("Risk of failure by DT", "score", ("dt",)),),
    "G01": (Ranking("SAIFI", "saifi", ("office", "supply")), Ranking("SAIDI", "saidi_h", ("office", "supply"))),
    "G02": (Ranking("MAIFI", "maifi", ("office", "supply")),),
    "G04": (Ranking("Minutes of interruption by feeder", "duration_min", ("feeder",), summed=True),),
    "G05": (Ranking("Hours without supply by feeder", "outage_h", ("feeder",), summed=True),),
    "G06": (Series("Energy into all feeders by block", "starts_at", ("import_kwh",)),),
    "H01": (Ranking("Events", "occurrences", ("event",), summed=True),),
    "H04": (Ranking("Highest scores", "score", ("consumer",)),),
}
"""By the id of the report. Columns are those of its YAML."""


def columns_of(chart: Chart) -> set[str]:
    of_rows = {chart.where[0]} if chart.where else set()
    if isinstance(chart, Ranking):
        return {chart.value, *chart.label} | of_rows
    return {chart.x, *chart.values} | ({chart.whole} if chart.whole else set()) | of_rows


@dataclass(frozen=True)
class Bar:
    label: str
    value: float


@dataclass(frozen=True)
class Line:
    """A series: one value for each x; None where nothing is known."""

    column: str
    values: list[float | None]


@dataclass(frozen=True)
class Drawn:
    """What is to be drawn: bars, or lines over `x`. `note` says what it leaves out."""

    title: str
    unit: str
    bars: list[Bar] = field(default_factory=list)
    x: list[date | datetime | float] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    note: str = ""

    @property
    def empty(self) -> bool:
        return not self.bars and len(self.x) < 2


class Gathered:
    """One chart's figures, gathered from the rows of a report."""

    def __init__(self, report: Report, chart: Chart) -> None:
        self.report, self.chart = report, chart
        self._at = {name: report.position(name) for name in columns_of(chart)}
        self._period = report.position("period") if report.has("period") else None
        self._start = report.position("period_start") if report.has("period_start") else None
        self._where = (report.position(chart.where[0]), chart.where[1]) if chart.where else None
        self._bars: dict[str, list[tuple[float, int, str, date | None]]] = defaultdict(list)
        self._totals: dict[str, dict[tuple[str, date | None], float]] = defaultdict(dict)
        self._numbers: dict[str, int] = defaultdict(int)
        self._sums: dict[str, dict[Any, list[float | None]]] = defaultdict(dict)
        self._order = count()
        self._cut = False

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for row in rows:
            if self._where and row[self._where[0]] != self._where[1]:
                continue
            period = row[self._period] if self._period is not None else "day"
            if isinstance(self.chart, Ranking):
                self._rank(row, self.chart, period)
            else:
                self._sum(row, self.chart, period)

    def _rank(self, row: tuple[Any, ...], chart: Ranking, period: str) -> None:
        value = row[self._at[chart.value]]
        if not value:
            return
        label = " ".join(str(row[self._at[c]]) for c in chart.label if row[self._at[c]] is not None)
        start = row[self._start] if self._start is not None else None
        if chart.summed:
            totals, of = self._totals[period], (label, start)
            if of in totals or len(totals) < MAX_LABELS:
                totals[of] = totals.get(of, 0.0) + float(value)
            else:
                self._cut = True
            return
        self._push(period, float(value), label, start)

    def _push(self, period: str, value: float, label: str, start: date | None) -> None:
        self._numbers[period] += 1
        bars = self._bars[period]
        # The counter keeps labels, of which some may be equal, out of the comparison; of equal values the first row stays.
        heapq.heappush(bars, (value, -next(self._order), label, start))
        if len(bars) > TOP:
            heapq.heappop(bars)

    def _sum(self, row: tuple[Any, ...], chart: Series, period: str) -> None:
        x = row[self._at[chart.x]]
        parts = [row[self._at[c]] for c in (*chart.values, *([chart.whole] if chart.whole else []))]
        # Of a share a row counts only where both sides are known.
        if x is None or (chart.whole and any(p is None for p in parts)):
            return
        sums = self._sums[period]
        if x not in sums:
            if len(sums) == MAX_POINTS:
                self._cut = True
                return
            sums[x] = [None] * len(parts)
        sums[x] = [s if p is None else float(p) + (s or 0.0) for s, p in zip(sums[x], parts, strict=True)]

    def drawn(self) -> Drawn:
        chart = self.chart
        column = self.report.columns[self._at[chart.value if isinstance(chart, Ranking) else chart.values[0]]]
        unit = "%" if isinstance(chart, Series) and chart.whole else column.unit or ""
        if isinstance(chart, Ranking):
            for of, totals in self._totals.items():
                for (label, start), total in totals.items():
                    self._push(of, total, label, start)
            self._totals.clear()
            period = next((p for p in PERIODS if p in self._bars), None)
            found = sorted(self._bars[period], reverse=True) if period else []
            starts = {b[3] for b in found}
            bars = [Bar(label + (f" {start:%d %b}" if start and len(starts) > 1 else ""), value) for value, _, label, start in found]
            number = self._numbers[period] if period else 0
            return Drawn(chart.title, unit, bars=bars, note=_note(number, cut=self._cut))
        period = next((p for p in reversed(PERIODS) if p in self._sums), None)
        sums = self._sums[period] if period else {}
        x = sorted(sums)
        if chart.whole:
            shares = [_share(sums[at][0], sums[at][-1]) for at in x]
            lines = [Line(chart.values[0], shares)]
        else:
            lines = [Line(name, [sums[at][i] for at in x]) for i, name in enumerate(chart.values)]
        return Drawn(chart.title, unit, x=x, lines=lines, note=f"the first {MAX_POINTS:,} points" if self._cut else "")


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole


def _note(number: int, *, cut: bool) -> str:
    highest = f"{TOP} highest of {number:,}" if number > TOP else ""
    return f"{highest}, the first {MAX_LABELS:,} alone" if cut else highest


def gather(report: Report) -> list[Gathered]:
    """The charts of a report, with nothing in them yet."""
    return [Gathered(report, c) for c in report.charts or CHARTS.get(report.id, ())]
