"""Sums of one meter's days, exact to the Wh. No SQL, no HTTP.

A slot's energy is its count times the multiplying factor, rounded to the Wh (as in vee.interval_reading); everything longer is the sum of
its slots, so interval, hour, day and month add up. A slot belongs to the row in which it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from warehouse.codes import Quality, method_flag

Values = Sequence[int | None]
Row = dict[str, Any]
Resolution = Literal["interval", "hour", "day", "month"]
CHANNELS = ("import_kwh", "export_kwh", "kvah", "max_demand_kw", "power_factor")
MOST_POWER_FACTOR = 1.02
"""A factor above it says that kVAh has fewer values than kWh, and is none. Up to it, it is 1: registers count in whole steps."""

_LETTER = {int(q): q.letter for q in Quality}
_ESTIMATES = (int(Quality.SUBSTITUTED), int(Quality.ESTIMATED), int(Quality.PROJECTED))
_HUNDRED = 100.0


@dataclass(slots=True)
class MeterDay:
    """Slots of a business day from `starts_at` on, multiplying factor applied, in Wh and VAh. `quality` is per slot or the same for all."""

    starts_at: datetime
    interval_min: int
    import_wh: Values
    export_wh: Values | None
    import_vah: Values | None
    quality: Sequence[int] | int
    method: Sequence[int | None] | None = None

    def __len__(self) -> int:
        return len(self.import_wh)

    def start_of(self, slot: int) -> datetime:
        return self.starts_at + timedelta(minutes=slot * self.interval_min)

    def slot_from(self, instant: datetime) -> int:
        """The first slot that begins at or after `instant`, within the day's."""
        late = instant - self.starts_at
        slot = -(-(late.days * 86_400 + late.seconds + (late.microseconds > 0)) // (60 * self.interval_min))
        return 0 if slot < 0 else min(slot, len(self.import_wh))


@dataclass(slots=True)
class Sum:
    """What was summed so far. `covered_s`: seconds for which there is a value; `estimated_wh`: energy of estimated slots."""

    import_wh: int | None = None
    export_wh: int | None = None
    import_vah: int | None = None
    max_w: float | None = None
    quality: int = 0
    slots: int = 0
    estimated_slots: int = 0
    estimated_wh: int = 0
    covered_s: int = 0
    methods: set[int] = field(default_factory=set)

    def add_day(self, d: MeterDay, low: int, high: int) -> None:
        """Slots low..high-1 of a day."""
        wh = d.import_wh[low:high]
        there = wh if None not in wh else [v for v in wh if v is not None]
        self.slots += high - low
        self.covered_s += len(there) * d.interval_min * 60
        if there:
            self.import_wh = (self.import_wh or 0) + sum(there)  # type: ignore[arg-type]
            self.demand(max(there) * 60 / d.interval_min)  # type: ignore[type-var, operator]
        self.export_wh = _plus(self.export_wh, d.export_wh, low, high)
        self.import_vah = _plus(self.import_vah, d.import_vah, low, high)
        if isinstance(d.quality, int):
            self.quality = max(self.quality, d.quality)
            return
        quality = d.quality[low:high]
        self.quality = max(self.quality, *quality)
        for q, v in zip(quality, wh, strict=True):
            if q in _ESTIMATES:
                self.estimated_slots += 1
                self.estimated_wh += v or 0
        if d.method:
            self.methods.update(m for m in d.method[low:high] if m)

    def demand(self, watt: float) -> None:
        self.max_w = watt if self.max_w is None else max(self.max_w, watt)

    def row(self, start: str, end: str, seconds: float, channels: Sequence[str]) -> Row:
        """As it goes out: from `start` to `end`, which are `seconds` apart."""
        row: Row = {"start": start, "end": end}
        for c in channels:
            row[c] = _FIGURES[c](self)
        row["quality"] = _LETTER[self.quality]
        row["estimated_pct"] = self.estimated_pct
        row["methods"] = [method_flag(m) for m in sorted(self.methods)] if self.methods else []
        row["coverage_pct"] = round(_HUNDRED * self.covered_s / seconds, 2)
        return row

    @property
    def estimated_pct(self) -> float | None:
        """Of the energy; of the slots where there is none. None where nothing came."""
        if not self.covered_s:
            return None
        part, whole = (self.estimated_wh, self.import_wh) if self.import_wh else (self.estimated_slots, self.slots)
        return round(_HUNDRED * part / whole, 2) if part else 0.0


def _plus(before: int | None, values: Values | None, low: int, high: int) -> int | None:
    if values is None:
        return before
    part = values[low:high]
    there = part if None not in part else [v for v in part if v is not None]
    return (before or 0) + sum(there) if there else before  # type: ignore[arg-type]


def power_factor(import_wh: int | None, import_vah: int | None) -> float | None:
    """kWh / kVAh; None where there is no kVAh, or less of it than kWh."""
    if import_wh is None or not import_vah or import_wh < 0:
        return None
    factor = import_wh / import_vah
    return None if factor > MOST_POWER_FACTOR else round(min(factor, 1.0), 3)


def _kilo(wh: int | None) -> float | None:
    return None if wh is None else wh / 1000


_FIGURES = {
    "import_kwh": lambda s: _kilo(s.import_wh),
    "export_kwh": lambda s: _kilo(s.export_wh),
    "kvah": lambda s: _kilo(s.import_vah),
    "max_demand_kw": lambda s: None if s.max_w is None else round(s.max_w / 1000, 3),
    "power_factor": lambda s: power_factor(s.import_wh, s.import_vah),
}


def scaled(values: Values | None, mf: int) -> Values | None:
    """A channel times the multiplying factor, which is given in ten-thousandths; halves of a Wh away from zero."""
    if values is None or mf == 10_000:
        return values
    return [times(v, mf) for v in values]


def times(wh: int | None, mf: int) -> int | None:
    """One value of `scaled`."""
    if wh is None:
        return None
    whole = (abs(wh) * mf + 5_000) // 10_000
    return whole if wh >= 0 else -whole


def intervals(days: Sequence[MeterDay], begin: datetime, end: datetime, zone: ZoneInfo, channels: Sequence[str]) -> Iterator[Row]:
    """A row a slot that begins in begin..end. Coverage is all or nothing."""
    wanted = tuple(c in channels for c in CHANNELS)
    with_import, with_export, with_vah, with_demand, with_factor = wanted
    flags: dict[int, list[str]] = {0: []}
    for d in days:
        low, high = d.slot_from(begin), d.slot_from(end)
        if low >= high:
            continue
        stamps = _stamps(d.start_of(low), d.interval_min, high - low + 1, zone)
        per_hour = 60 / d.interval_min
        same = d.quality if isinstance(d.quality, int) else None
        for n, s in enumerate(range(low, high)):
            wh = d.import_wh[s]
            vah = d.import_vah[s] if d.import_vah else None
            quality = same if same is not None else d.quality[s]  # type: ignore[index]
            row: Row = {"start": stamps[n], "end": stamps[n + 1]}
            if with_import:
                row["import_kwh"] = None if wh is None else wh / 1000
            if with_export:
                row["export_kwh"] = _kilo(d.export_wh[s]) if d.export_wh else None
            if with_vah:
                row["kvah"] = None if vah is None else vah / 1000
            if with_demand:
                row["max_demand_kw"] = None if wh is None else round(wh * per_hour / 1000, 3)
            if with_factor:
                row["power_factor"] = power_factor(wh, vah) if vah else None
            row["quality"] = _LETTER[quality]
            row["estimated_pct"] = None if wh is None else _HUNDRED if quality in _ESTIMATES else 0.0
            method = (d.method[s] or 0) if d.method else 0
            row["methods"] = flags[method] if method in flags else flags.setdefault(method, [method_flag(method)])
            row["coverage_pct"] = 0.0 if wh is None else _HUNDRED
            yield row


def _stamps(first: datetime, interval_min: int, count: int, zone: ZoneInfo) -> list[str]:
    """`count` instants, one an interval, as text in a zone."""
    step = timedelta(minutes=interval_min)
    begin, end = first.astimezone(zone), (first + (count - 1) * step).astimezone(zone)
    if begin.utcoffset() != end.utcoffset():
        return [(first + n * step).astimezone(zone).isoformat() for n in range(count)]
    offset = begin.isoformat()[len("2026-10-05T00:00:00") :]
    naive = begin.replace(tzinfo=None)
    return [(naive + n * step).isoformat() + offset for n in range(count)]


def periods(begin: datetime, end: datetime, zone: ZoneInfo, resolution: Resolution) -> list[datetime]:
    """Instants (UTC) at which the hours, days or months of begin..end in a time zone begin, the first and last cut to begin and end."""
    instants = [begin]
    at = begin.astimezone(zone)
    if resolution == "hour":
        # Full hours of the zone's clock, an hour of real time each: where clocks change, one comes twice or not at all.
        following = begin + timedelta(hours=1) - timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
        while following < end:
            instants.append(following)
            following += timedelta(hours=1)
    else:
        day = next_day(at.date(), resolution)
        while (following := midnight(day, zone)) < end:
            instants.append(following)
            day = next_day(day, resolution)
    return [*instants, end]


def next_day(day: date, resolution: Resolution) -> date:
    if resolution == "day":
        return day + timedelta(days=1)
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def sums(days: Sequence[MeterDay], bounds: Sequence[datetime], zone: ZoneInfo, channels: Sequence[str]) -> Iterator[Row]:
    """A row for each period between `bounds` in which a slot begins. Days in their order."""
    stamps = [b.astimezone(zone).isoformat() for b in bounds]

    def row(n: int) -> Row:
        return total.row(stamps[n], stamps[n + 1], (bounds[n + 1] - bounds[n]).total_seconds(), channels)

    n, total = 0, Sum()
    for d in days:
        low = d.slot_from(bounds[n])
        while low < len(d) and n + 1 < len(bounds):
            high = d.slot_from(bounds[n + 1])
            if low < high:
                total.add_day(d, low, high)
            low = high
            if high < len(d):
                if total.slots:
                    yield row(n)
                total, n = Sum(), n + 1
    if total.slots:
        yield row(n)
