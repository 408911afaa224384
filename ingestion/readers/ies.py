"""India Energy Stack MeterData v0.6: profiles whose values stand in the order of a declared compact sequence, or each by its name.

Read: INTERVAL (block), DAILY (daily), MONTHLY and the readings of BILL_DETAILS (billing), INSTANTANEOUS (instant), EVENT and ALARM (event).
Which profiles are left out on purpose the vendor file says. Not kept: integrationPeriod, changeMethod, failCode, the amounts of a bill, and
the validation status of anything but interval values. Source: MeterData/v0.6/schema.json.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingestion.canonical import Rejection
from ingestion.normalise import Rows, rejection
from ingestion.readers import json
from ingestion.readers.tree import Collector
from ingestion.readers.unpack import Part
from ingestion.vendor import ValueMap, Vendor
from warehouse.codes import Reason

_DURATION = re.compile(r"P(?:(\d{1,6})M)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?")
_ENERGY = ("_wh", "_vah", "_varh")
_UNIT = {"PF": "1"}
_ENTRIES = {"EVENT": "events", "ALARM": "alarms"}

Object = dict[str, Any]


@dataclass
class _Set:
    """A payload descriptor set: descriptors in order and by reading type, sequences by name."""

    order: list[Object] = field(default_factory=list)
    by_type: dict[str, Object] = field(default_factory=dict)
    sequences: dict[str, list[Object]] = field(default_factory=dict)


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one MeterData payload: a profile or an array of profiles."""
    root = json.load(vendor, part, rejections)
    if root is None:
        return
    profiles = root if isinstance(root, list) else [root]
    sets = _sets(profiles)
    collectors = [Collector(vendor, p, json.show) for p in vendor.profiles]
    by_code = {code: c for c in collectors for code in c.profile.codes}
    for k, profile in enumerate(profiles):
        place = f"[{k}]" if isinstance(root, list) else "$"
        kind = str(profile.get("profileType")) if isinstance(profile, dict) else "none"
        if kind in vendor.ignore_profiles:
            continue
        if kind not in by_code:
            detail = f"profile type {kind[:80]} is not known to the vendor file: add it, or list it under payload.ignore_profiles"
            rejections.append(rejection(Reason.UNKNOWN_OBIS, place, json.show(profile), detail, _size(profile), code=kind))
            continue
        _Reader(by_code[kind], sets.get(str(profile.get("payloadDescriptorSetRef")), _Set()), rejections).profile(profile, place)
    for c in collectors:
        yield c.rows()


class _Unreadable(Exception):
    """A profile, or a part of it, cannot be read as a whole; says why."""


def _sets(profiles: list[Any]) -> dict[str, _Set]:
    out: dict[str, _Set] = {}
    for p in profiles:
        if isinstance(p, dict) and p.get("profileType") == "DESCRIPTOR":
            for s in _dicts(p.get("payloadDescriptorSets")):
                mine = out.setdefault(str(s.get("name")), _Set())
                mine.order = _dicts(s.get("payloadDescriptors"))
                mine.by_type = {str(d.get("readingType")): d for d in mine.order}
                for q in _dicts(s.get("compactSequences")):
                    mine.sequences[str(q.get("name"))] = _dicts(q.get("sequenceItems"))
    return out


def _dicts(v: Any) -> list[Object]:
    return [i for i in v if isinstance(i, dict)] if isinstance(v, list) else []


def _size(node: Any) -> int:
    """Values that a profile holds, as far as can be seen; at least 1."""
    if not isinstance(node, dict):
        return 1
    n = sum(len(node[name]) for name in ("events", "alarms", "readings", "payloads") if isinstance(node.get(name), list))
    n += sum(_size(i) for name in ("intervals", "touBuckets") for i in _dicts(node.get(name)))
    return max(1, n)


def _serial(profile: Object) -> str | None:
    """The reference that is a meter's serial, else the first: the value itself, or the last part of a DID."""
    refs = _dicts(profile.get("meterRefs"))
    value = next((r for r in refs if r.get("scheme") == "METER_SERIAL"), refs[0] if refs else {}).get("value")
    if not isinstance(value, str):
        return None
    return value.rsplit(":", 1)[-1] if value.startswith("did:") else value


def _duration(text: Any) -> tuple[int, timedelta]:
    """(months, rest) of PT30M, P1D, P1M. Raises _Unreadable."""
    m = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if m is None or not any(m.groups()):
        raise _Unreadable(f"duration {str(text)[:80]!r} is not of the form PT30M, P1D or P1M")
    months, days, hours, minutes, seconds = (int(g or 0) for g in m.groups())
    return months, timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _after(start: Any, months: int, rest: timedelta) -> Any:
    """ISO text of start + duration; the text as it is where it is no time (it is rejected later)."""
    try:
        at = datetime.fromisoformat(start)
        month = at.month - 1 + months
        return (at.replace(year=at.year + month // 12, month=month % 12 + 1) + rest).isoformat()
    except (TypeError, ValueError, OverflowError):
        return str(start)


class _Reader:
    """Reads one profile into the rows of its kind."""

    def __init__(self, out: Collector, known: _Set, rejections: list[Rejection]) -> None:
        self.out, self.known, self.rejections = out, known, rejections
        self.kind = out.profile.kind
        self.serial: str | None = None

    def profile(self, profile: Object, place: str) -> None:
        """Read it; where it is unreadable as a whole it is rejected as one."""
        self.serial = _serial(profile)
        try:
            if self.kind == "event":
                self._events(profile, place)
            elif self.kind == "instant":
                self._row(profile.get("timestamp"), None, self._list(profile, "readings", place), profile, place)
            elif self.kind == "billing":
                self._billing(profile, place)
            else:
                self._intervals(profile, place)
        except _Unreadable as e:
            self._refuse(str(e), profile, place, _size(profile))

    def _refuse(self, detail: str, node: Any, place: str, values: int = 1) -> None:
        name = self.out.profile.name
        self.rejections.append(rejection(Reason.MALFORMED, place, json.show(node), detail, values, self.serial, profile=name))

    def _list(self, node: Object, name: str, place: str) -> list[tuple[Object, str]]:
        """(item, place) of the objects in a list; what is none is rejected. Raises _Unreadable where it is no list."""
        items = node.get(name)
        if items is None:
            return []
        if not isinstance(items, list):
            raise _Unreadable(f"{name} is not a list")
        found = []
        for k, item in enumerate(items):
            here = f"{place}.{name}[{k}]"
            if isinstance(item, dict):
                found.append((item, here))
            else:
                self._refuse(f"{name} has an item that is not an object", item, here)
        return found

    def _period(self, node: Object, name: str) -> tuple[Any, int, timedelta]:
        """(start, months, rest). Raises _Unreadable."""
        period = node.get(name)
        if not isinstance(period, dict):
            raise _Unreadable(f"no {name} with start and duration")
        return period.get("start"), *_duration(period.get("duration"))

    # --- intervals and days ---

    def _intervals(self, profile: Object, place: str) -> None:
        start, step = self._fixed(profile, "intervalPeriod")
        sequence = self.known.sequences.get(str(profile.get("compactSequenceRef")))
        for interval, here in self._list(profile, "intervals", place):
            try:
                number = interval.get("id")
                if isinstance(interval.get("intervalPeriod"), dict):
                    stamp, length = self._fixed(interval, "intervalPeriod")
                elif isinstance(number, int) and not isinstance(number, bool) and abs(number) < 10**6:
                    stamp, length = _after(start, 0, number * step), step
                else:
                    raise _Unreadable(f"interval id {str(number)[:80]!r} is no number, and there is no intervalPeriod of its own")
                readings = self._list(interval, "readings", here) + self._compact(interval, here, sequence, profile)
                self._row(stamp, length, readings, interval, here)
            except _Unreadable as e:
                self._refuse(str(e), interval, here, _size(interval))
        for reading, here in self._list(profile, "readings", place):
            try:
                stamp, length = self._fixed(reading, "timePeriod") if "timePeriod" in reading else (start, step)
                self._row(stamp, length, [(reading, here)], reading, here)
            except _Unreadable as e:
                self._refuse(str(e), reading, here)

    def _fixed(self, node: Object, name: str) -> tuple[Any, timedelta]:
        """(start, length) of a period that has the same length at any time. Raises _Unreadable."""
        start, months, length = self._period(node, name)
        if months or not length or (self.kind == "daily" and length != timedelta(days=1)):
            wanted = "P1D" if self.kind == "daily" else "minutes, such as PT30M"
            raise _Unreadable(f"{name}: a {self.kind} profile has a duration of {wanted}, not {node[name].get('duration')}")
        return start, length

    def _compact(self, interval: Object, place: str, sequence: list[Object] | None, profile: Object) -> list[tuple[Object, str]]:
        """The payloads of an interval as readings, each with what the sequence and the overrides say of it. Raises _Unreadable."""
        payloads = interval.get("payloads")
        if payloads is None:
            return []
        if not isinstance(payloads, list):
            raise _Unreadable("payloads is not a list")
        if sequence is None:
            raise _Unreadable(
                f"compact sequence {profile.get('compactSequenceRef')} of set {profile.get('payloadDescriptorSetRef')} is not declared in "
                "this payload: send the DESCRIPTOR profile with it"
            )
        if len(payloads) != len(sequence):
            raise _Unreadable(f"{len(payloads)} payloads for the {len(sequence)} items of the sequence {profile.get('compactSequenceRef')}")
        found: dict[str, Object] = {}
        for raw, item in zip(payloads, sequence, strict=True):
            kind, attribute = str(item.get("readingType")), str(item.get("attribute", "value"))
            reading = found.setdefault(kind, {"readingType": kind})
            if attribute in reading:
                raise _Unreadable(f"the sequence {profile.get('compactSequenceRef')} has {attribute} of {kind} twice")
            reading[attribute] = raw
        for override in _dicts(interval.get("overrides")):
            index = override.get("descriptorIndex")
            if not (isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(self.known.order)):
                self._refuse(f"descriptorIndex {str(index)[:80]} of an override is not in the descriptor set", override, place, 0)
                continue
            if (described := found.get(str(self.known.order[index].get("readingType")))) is not None:
                described |= {k: override[k] for k in ("occurredAt", "zone", "validationStatus", "source") if k in override}
        return [(r, place) for r in found.values()]

    # --- billing periods ---

    def _billing(self, profile: Object, place: str) -> None:
        end = _after(*self._period(profile, "timePeriod"))
        readings = self._list(profile, "readings", place)
        for bucket, here in self._list(profile, "touBuckets", place):
            readings += [({**r, "zone": bucket.get("zone")}, there) for r, there in self._list(bucket, "readings", here)]
        periods: dict[str, list[tuple[Object, str]]] = {}
        for reading, here in readings:
            try:
                stamp = _after(*self._period(reading, "timePeriod")) if "timePeriod" in reading else end
            except _Unreadable as e:
                self._refuse(str(e), reading, here)
            else:
                periods.setdefault(stamp, []).append((reading, here))
        for stamp, mine in periods.items():
            self._row(stamp, None, mine, profile, place)

    # --- values ---

    def _row(self, stamp: Any, length: timedelta | None, readings: list[tuple[Object, str]], node: Object, place: str) -> None:
        minutes = length / timedelta(minutes=1) if length is not None and self.kind == "block" else None
        self.out.row(self.serial, stamp, node, place, interval=minutes)
        for reading, here in readings:
            self._reading(reading, here)
            self.out.state(reading.get("validationStatus") or reading.get("source"))

    def _reading(self, reading: Object, place: str) -> None:
        """The values of one reading: the register or the interval's value, a usage with the register that closes it, and their time."""
        kind = reading.get("readingType")
        descriptor = self.known.by_type.get(str(kind), {})
        code, zone = self._code(descriptor.get("obis") or kind), reading.get("zone", descriptor.get("touZone"))
        named = next((v for v in self.out.profile.values if code in v.sources and v.attribute is None), None)
        if named is not None and zone and self.kind in {"daily", "billing"} and named.zone != zone:
            inside = next((v for v in self.out.profile.values if (v.to, v.attribute, v.zone) == (named.to, None, zone)), None)
            if named.zone or inside is None:
                detail = f"{code} is of TOD zone {named.zone}, but stands in a bucket of zone {str(zone)[:40]}"
                self.out.refuse(Reason.MALFORMED, str(code), detail, reading)
                return
            code = inside.sources[0]  # a bucket may name the quantity alone
        energy = named is not None and named.to.endswith(_ENERGY)
        usage = energy and self.kind != "block" and descriptor.get("reportedMode") == "USAGE"
        value = reading.get("value")
        self._add(code, "usage" if usage else None, value, descriptor, reading)
        opening, closing = reading.get("openingValue"), reading.get("closingValue")
        if closing is not None:
            if usage:
                self._add(code, None, closing, descriptor, reading)
            else:
                self._refuse("a closingValue goes with reportedMode USAGE of an energy only", reading, place)
        if opening is not None and not (_number(opening) and _number(closing) and _number(value) and abs(closing - opening - value) < 5e-4):
            self._refuse(f"openingValue {str(opening)[:40]} and value do not add up to the closingValue", reading, place)
        if reading.get("occurredAt") is not None and self.kind != "block":
            if any(code in v.sources and v.attribute == "occurredAt" for v in self.out.profile.values):
                self._add(code, "occurredAt", reading["occurredAt"], descriptor, reading)
            elif named is not None:
                self._refuse(f"occurredAt of {code} is not kept: the vendor file maps the time of demands alone", reading, place, 0)

    def _code(self, code: Any) -> Any:
        """An OBIS code with dots, a short code as it is; what is no text is refused later."""
        return self.out.vendor.code(code) if isinstance(code, str) else code

    def _add(self, code: Any, attribute: str | None, raw: Any, descriptor: Object, node: Any) -> None:
        """One value; the code is the descriptor's OBIS, else the reading type itself (OBIS or short code)."""
        unit, multiplier = descriptor.get("unit"), descriptor.get("multiplier", 1)
        scaler: int | None = 0
        if multiplier != 1 and _number(multiplier) and _number(raw):
            digits, power = f"{float(multiplier):.15e}".split("e")
            if float(digits) == 1:
                scaler = int(power)
            else:
                raw = float(raw) * float(multiplier)
        self.out.reading(code, attribute, _UNIT.get(unit, unit) if isinstance(unit, str) else unit, scaler, raw, node)

    # --- events ---

    def _events(self, profile: Object, place: str) -> None:
        value: ValueMap = self.out.profile.values[0]
        source = value.sources[0]
        name = _ENTRIES.get(str(profile.get("profileType")), "events")
        for event, here in self._list(profile, name, place):
            detail = {d: event[d] for d in self.out.profile.detail if event.get(d) is not None}
            self.out.row(self.serial, event.get("timestamp"), event, here, detail=detail or None)
            code = event.get(source)
            if code is None or (isinstance(code, str) and not code.strip()):
                self.out.refuse(Reason.MALFORMED, source, f"the event has no {source}", event)
            elif not value.words:
                self.out.put(value, 0, source, code)
            elif (key := f"{code} {event.get('status')}") in value.words:
                self.out.put(value, 0, source, key)
            else:
                detail_of = f"the vendor file has no event for {source} {key[:80]}: add it under words of profile {self.out.profile.name}"
                self.out.refuse(Reason.UNKNOWN_OBIS, key, detail_of, event)


def _number(v: Any) -> bool:
    return isinstance(v, float) or (isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**63)
