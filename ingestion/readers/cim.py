"""IEC 61968-9 MeterReadings in XML, of any edition: interval blocks (block), readings (daily, billing, instant), end device events (event).

A reading type says channel, unit, multiplier and interval; the vendor file maps types to channels (`*` = any number of the type), event
types and quality codes to ours. Of several profiles for Readings the first that maps the type takes it, a daily one only at midnight. Not
read: what the message says of usage points and customers, and commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.canonical import Rejection
from ingestion.cim import ReadingType
from ingestion.normalise import Rows, rejection
from ingestion.readers import xml
from ingestion.readers.tree import Collector, get, steps
from ingestion.readers.unpack import Part
from ingestion.vendor import ValueMap, Vendor
from warehouse.codes import Quality, Reason

_KNOWN = frozenset(
    {
        *("IntervalBlocks", "Readings", "EndDeviceEvents", "Meter", "EndDevice"),
        *("UsagePoint", "CustomerAgreement", "valuesInterval", "isCoincidentTrigger"),
    }
)
"""What a MeterReading may hold: readings and events, whose they are, and what is not read on purpose."""

Node = dict[str, Any]

Mapped = tuple[Collector, ValueMap, int, int | None]
"""(where it is gathered, value of the vendor file, power of ten, minutes of the interval or None)."""

Unmapped = tuple[Reason, str]


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one message, with or without its envelope."""
    root = xml.load(vendor, part, rejections)
    if root is None:
        return
    message = _Message(vendor, root, rejections)
    found = False
    for node, place in _below({"#name": "", root["#name"]: [root]}, ""):
        if node["#name"] == "MeterReadings":
            found = True
            message.meter_readings(node, place)
        elif node["#name"] == "EndDeviceEvents" and "EndDeviceEvent" in node:
            found = True
            message.end_device_events(node, place)
    if not found:
        detail = "no MeterReadings and no EndDeviceEvents in the document: another message of IEC 61968-9, or none"
        rejections.append(rejection(Reason.MALFORMED, root["#name"], xml.show(root), detail, _size(root)))
    message.report()
    for collector in message.collectors:
        yield collector.rows()


def _below(node: Node, place: str) -> Iterator[tuple[Node, str]]:
    """Messages in the envelope, with their places. What is within a message is not looked at."""
    for name, items in node.items():
        if isinstance(items, list):
            for k, item in enumerate(items, 1):
                here = f"{place}{name}" + (f"[{k}]" if len(items) > 1 else "")
                if name in {"MeterReadings", "EndDeviceEvents"}:
                    yield item, here
                else:
                    yield from _below(item, f"{here}.")


def _size(node: Node) -> int:
    """Values that an element holds, as far as can be seen; at least 1."""

    def count(n: Node) -> int:
        below = sum(count(c) for v in n.values() if isinstance(v, list) for c in v)
        return below or int(n["#name"] in {"value", "EndDeviceEventType"})

    return max(1, count(node))


@dataclass
class _Row:
    """What a meter said of one instant, gathered from the blocks of several reading types."""

    out: Collector
    stamp: Any
    minutes: int | None
    node: Node
    place: str
    values: dict[tuple[str, int], tuple[ValueMap, int, str, Any]] = field(default_factory=dict)
    quality: Quality | None = None


Gathered = dict[tuple[str, str, int | None], list[_Row]]
"""By profile, stamp and minutes."""


class _Message:
    """One document: where its rows are gathered, and what was resolved of its types and qualities."""

    def __init__(self, vendor: Vendor, root: Node, rejections: list[Rejection]) -> None:
        self.vendor, self.rejections = vendor, rejections
        self.collectors = [Collector(vendor, p, xml.show) for p in vendor.profiles]
        self.received = get(root, steps(vendor.received_field)) if vendor.received_from == "field" and vendor.received_field else None
        self.declared: dict[str, str] = {}
        self.types: dict[tuple[str, str, bool], Mapped | Unmapped | None] = {}
        self.qualities: dict[str, Quality] = {}
        self.refused: dict[tuple[str | None, Reason, str, str], list[Any]] = {}

    def meter_readings(self, node: Node, place: str) -> None:
        for kind in node.get("ReadingType", []):
            if (mrid := get(kind, steps("mRID"))) and (name := get(kind, steps("Names.name"))):
                self.declared[mrid] = name
        for k, reading in enumerate(node.get("MeterReading", []), 1):
            self._meter_reading(reading, f"{place}.MeterReading[{k}]")

    def end_device_events(self, node: Node, place: str) -> None:
        """The message that carries events alone: each names its device itself."""
        for k, event in enumerate(node["EndDeviceEvent"], 1):
            self._event(self._serial(event.get("Assets", [{}])[0]), event, f"{place}.EndDeviceEvent[{k}]")

    def report(self) -> None:
        """Reject what was refused: one rejection stands for all of a meter with the same fault."""
        for (serial, reason, detail, code), (values, place, node) in self.refused.items():
            where = place + (f" and {values - 1} more" if values > 1 else "")
            self.rejections.append(rejection(reason, where, xml.show(node), detail, values, serial, code=code))

    def _meter_reading(self, node: Node, place: str) -> None:
        serial = self._serial((node.get("Meter") or node.get("EndDevice") or [{}])[0])
        gathered: Gathered = {}
        for b, block in enumerate(node.get("IntervalBlocks", []), 1):
            kind = self._code(block, "ReadingType")
            for k, item in enumerate(block.get("IntervalReadings", []), 1):
                here = f"{place}.IntervalBlocks[{b}].IntervalReadings[{k}]"
                self._reading("IntervalBlocks", gathered, serial, kind or self._code(item, "ReadingType"), item, here)
        for k, item in enumerate(node.get("Readings", []), 1):
            self._reading("Readings", gathered, serial, self._code(item, "ReadingType"), item, f"{place}.Readings[{k}]")
        for row in (r for several in gathered.values() for r in several):
            row.out.row(serial, row.stamp, row.node, row.place, received=self.received, interval=row.minutes)
            for value, exponent, kind, raw in row.values.values():
                row.out.put(value, exponent, kind, raw)
            if row.quality is not None:
                row.out.quality[-1] = int(row.quality)
        for k, event in enumerate(node.get("EndDeviceEvents", []), 1):
            self._event(serial, event, f"{place}.EndDeviceEvents[{k}]")
        for name, items in node.items():
            if isinstance(items, list) and name not in _KNOWN:
                for item in items:
                    self._refuse(Reason.MALFORMED, f"{name} in a MeterReading is not read", serial, item, f"{place}.{name}", _size(item))

    def _serial(self, device: Node) -> str | None:
        """The name that the vendor file asks for: of a NameType, or mRID. Where there is one name alone, or only the mRID, that."""
        names, wanted = device.get("Names", []), self.vendor.profiles[0].serial
        found = [n for n in names if get(n, steps("NameType.name")) == wanted] or (names if len(names) == 1 else [])
        if wanted == "mRID" or not names:
            return get(device, steps("mRID"))
        return get(found[0], steps("name")) if found else None

    def _code(self, node: Node, child: str) -> str:
        """The code that a child element refers to or names; empty where there is none."""
        kind = (node.get(child) or [{}])[0]
        code = kind.get("@ref") or get(kind, steps("mRID")) or get(kind, steps("Names.name")) or kind.get("#text") or ""
        return self.declared.get(code, code)

    def _resolve(self, code: str, kind: str, midnight: bool) -> Mapped | Unmapped | None:
        """What the vendor file makes of a reading type; None where it ignores it."""
        if code in self.vendor.ignore_profiles:
            return None
        takers = [c for c in self.collectors if c.profile.code == code]
        if not takers:
            return Reason.UNKNOWN_OBIS, f"the vendor file has no profile with the code {code}: add it, or list it under ignore_profiles"
        if not kind:
            return Reason.MALFORMED, "the reading has no ReadingType"
        first: Unmapped | None = None
        for out in takers:
            found = out.reading_type(kind)
            if found is None:
                return None
            if isinstance(found[0], Reason):
                first = first or (found[0], str(found[1]))
            elif midnight or out.profile.kind != "daily":
                return out, found[0], int(found[1]), ReadingType.parse(kind).minutes
        return first or (
            Reason.BAD_STAMP,
            f"reading type {kind} is for midnight alone: map it in an instant profile too",
        )

    def _midnight(self, stamp: Any) -> bool:
        """Whether a stamp is midnight in the vendor file's zone."""
        try:
            at = datetime.fromisoformat(stamp)
        except (TypeError, ValueError):
            return True  # it is rejected later
        zone = ZoneInfo(self.vendor.zone)
        return (at.astimezone(zone) if at.tzinfo else at).time() == time()

    def _reading(self, code: str, gathered: Gathered, serial: str | None, kind: str, node: Node, place: str) -> None:
        raw = get(node, steps("value"))
        if raw is None:
            return
        start, end, said = (get(node, steps(p)) for p in ("timePeriod.start", "timePeriod.end", "timeStamp"))
        stamp = (end if self.vendor.stamp == "end" or code == "Readings" else start) or said
        key = (code, kind, code == "Readings" and self._midnight(stamp))
        if key not in self.types:
            self.types[key] = self._resolve(*key)
        mapped = self.types[key]
        if mapped is None:
            return
        quality = self._quality(node, serial, place)
        if quality is Quality.MISSING:
            return
        if len(mapped) == 2:
            self._refuse(*mapped, serial, node, place, code=kind)
            return
        out, value, exponent, minutes = mapped
        if code == "Readings":
            minutes = None
        else:
            length = _minutes(start, end)
            if length is not None and minutes is not None and length != minutes:
                detail = f"the timePeriod is of {length:g} minutes, reading type {kind} of {minutes}"
                self._refuse(Reason.WRONG_INTERVAL, detail, serial, node, place)
                return
            minutes = minutes or (None if length is None else round(length)) or out.profile.interval_min
            if minutes is None:
                detail = f"neither reading type {kind} nor a timePeriod says how long the interval is: give the profile an interval_min"
                self._refuse(Reason.WRONG_INTERVAL, detail, serial, node, place)
                return
        several = gathered.setdefault((out.profile.name, str(stamp), minutes), [])
        row = next((r for r in several if (value.to, value.zone) not in r.values), None)
        if row is None:
            row = _Row(out, stamp, minutes, node, place)
            several.append(row)
        row.values[value.to, value.zone] = (value, exponent, kind, raw)
        demand_at = next((v for v in out.profile.values if (v.to, v.of, v.zone) == ("at", value.to, value.zone)), None)
        if demand_at is not None and end and said:
            row.values[f"at {value.to}", value.zone] = (demand_at, 0, kind, said)  # a maximum of a period is stamped with its own time
        if quality is not None:
            row.quality = _weaker(row.quality, quality)

    def _refuse(self, reason: Reason, detail: str, serial: str | None, node: Node, place: str, values: int = 1, code: str = "") -> None:
        self.refused.setdefault((serial, reason, detail, code), [0, place, node])[0] += values

    def _quality(self, node: Node, serial: str | None, place: str) -> Quality | None:
        """The weakest of a reading's qualities, None where it states none. A code that is not mapped makes it questionable."""
        weakest: Quality | None = None
        for q in node.get("ReadingQualities", []):
            code = self._code(q, "ReadingQualityType")
            if code not in self.qualities:
                pattern = next((p for p in self.vendor.quality if fnmatchcase(code, p)), None)
                self.qualities[code] = Quality[self.vendor.quality[pattern]] if pattern else Quality.QUESTIONABLE
                if pattern is None:
                    detail = f"quality {code[:80]!r} is not in the vendor file: values with it count as questionable. Add it under quality"
                    self.rejections.append(rejection(Reason.UNKNOWN_OBIS, place, xml.show(q), detail, 0, serial, code=code))
            weakest = _weaker(weakest, self.qualities[code])
        return weakest

    def _event(self, serial: str | None, node: Node, place: str) -> None:
        out = next((c for c in self.collectors if c.profile.code == "EndDeviceEvents"), None)
        kind = self._code(node, "EndDeviceEventType")
        if "EndDeviceEvents" in self.vendor.ignore_profiles:
            return
        value = out.profile.values[0] if out else None
        if out is None or value is None or kind not in value.words:
            detail = f"event type {kind[:80] or 'none'} is not mapped: add it under words of the event profile"
            self._refuse(Reason.UNKNOWN_OBIS, detail, serial, node, place, code=kind)
            return
        said = {d: t for d in out.profile.detail if (t := get(node, steps(d))) is not None}
        for item in node.get("EndDeviceEventDetails", []):
            if name := get(item, steps("name")):
                said[name] = get(item, steps("value"))
        out.row(serial, get(node, steps("createdDateTime")), node, place, received=self.received, detail={"type": kind, **said})
        out.put(value, 0, kind, kind)


def _weaker(a: Quality | None, b: Quality) -> Quality:
    return b if a is None or b > a else a


def _minutes(start: Any, end: Any) -> float | None:
    """Minutes between two ISO stamps, None where one is missing or unreadable."""
    try:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)) / timedelta(minutes=1)
    except (TypeError, ValueError):
        return None
