"""India Energy Stack MeterData v0.6: profiles whose values stand in the order of a compact sequence that a descriptor declares.

Read: IntervalProfile (block), DailyProfile with registers (daily), EventProfile (event). Source: MeterData/v0.6/schema.json.
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
from ingestion.vendor import Vendor
from warehouse.codes import Reason

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_ENERGY = frozenset({"kWh", "kVAh", "kvarh"})


@dataclass
class _Set:
    """A payload descriptor set: descriptors by reading type, sequences by name."""

    order: list[dict[str, Any]] = field(default_factory=list)
    by_type: dict[str, dict[str, Any]] = field(default_factory=dict)
    sequences: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one MeterData payload: a profile or an array of profiles."""
    root = json.load(vendor, part, rejections)
    if root is None:
        return
    profiles = root if isinstance(root, list) else [root]
    sets = _sets(profiles)
    collectors = {p.code: Collector(vendor, p, json.show) for p in vendor.profiles}
    for k, profile in enumerate(profiles):
        place = f"[{k}]" if isinstance(root, list) else "$"
        kind = str(profile.get("profileType")) if isinstance(profile, dict) else "none"
        if kind in vendor.ignore_profiles:
            continue
        if kind not in collectors:
            detail = f"profile type {kind} is not known to the vendor file: add it, or list it under payload.ignore_profiles"
            rejections.append(rejection(Reason.UNKNOWN_OBIS, place, json.show(profile), detail, _size(profile)))
            continue
        try:
            if kind == "EVENT":
                _events(collectors[kind], profile, place)
            else:
                _intervals(collectors[kind], profile, sets, place)
        except _Unreadable as e:
            serial = _serial(profile)
            rejections.append(rejection(Reason.MALFORMED, place, json.show(profile), str(e), _size(profile), serial))
    for c in collectors.values():
        yield c.rows()


class _Unreadable(Exception):
    """A profile as a whole cannot be read; says why."""


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


def _dicts(v: Any) -> list[dict[str, Any]]:
    return [i for i in v if isinstance(i, dict)] if isinstance(v, list) else []


def _size(profile: Any) -> int:
    """Values that a profile holds, as far as can be seen; at least 1."""
    if not isinstance(profile, dict):
        return 1
    n = len(_dicts(profile.get("events"))) + len(_dicts(profile.get("alarms"))) + len(_dicts(profile.get("readings")))
    for i in _dicts(profile.get("intervals")):
        for name in ("payloads", "readings"):
            n += len(i[name]) if isinstance(i.get(name), list) else 0
    return max(1, n)


def _serial(profile: dict[str, Any]) -> str | None:
    """Serial of the first meter reference: the value itself, or the last part of a DID."""
    refs = _dicts(profile.get("meterRefs"))
    value = refs[0].get("value") if refs else None
    if not isinstance(value, str):
        return None
    return value.rsplit(":", 1)[-1] if value.startswith("did:") else value


def _duration(text: Any) -> timedelta:
    m = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if m is None or not any(m.groups()):
        raise _Unreadable(f"duration {text!r} is not of the form PT30M or P1D")
    days, hours, minutes, seconds = (int(g or 0) for g in m.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _stamp(start: Any, after: timedelta) -> Any:
    """ISO text of start + after; the text as it is where it is no time (it is rejected later)."""
    try:
        return (datetime.fromisoformat(start) + after).isoformat()
    except (TypeError, ValueError, OverflowError):
        return str(start)


def _intervals(out: Collector, profile: dict[str, Any], sets: dict[str, _Set], place: str) -> None:
    period = profile.get("intervalPeriod")
    if not isinstance(period, dict):
        raise _Unreadable("no intervalPeriod with start and duration")
    step = _duration(period.get("duration"))
    block = out.profile.kind == "block"
    if not block and step != timedelta(days=1):
        raise _Unreadable(f"a daily profile has a duration of P1D, not {period.get('duration')}")
    name = str(profile.get("payloadDescriptorSetRef"))
    known = sets.get(name, _Set())
    sequence = known.sequences.get(str(profile.get("compactSequenceRef")))
    serial = _serial(profile)
    if _dicts(profile.get("readings")):
        raise _Unreadable("readings that stand outside intervals are not read")
    for k, interval in enumerate(_dicts(profile.get("intervals"))):
        here = f"{place}.intervals[{k}]"
        number = interval.get("id")
        own = interval.get("intervalPeriod")
        if isinstance(own, dict):
            stamp, length = own.get("start"), step
            try:
                length = _duration(own.get("duration"))
            except _Unreadable as e:
                stamp = f"{stamp}: {e}"
        elif isinstance(number, int) and not isinstance(number, bool):
            stamp, length = _stamp(period.get("start"), number * step), step
        else:
            stamp, length = f"{period.get('start')} and interval id {number!r}", step
        out.row(serial, stamp, interval, here, interval=length / timedelta(minutes=1) if block else None)
        payloads = interval.get("payloads")
        if isinstance(payloads, list):
            _compact(out, interval, payloads, sequence, known, profile)
        for reading in _dicts(interval.get("readings")):
            d = known.by_type.get(str(reading.get("readingType")), {})
            _add(out, reading.get("readingType"), "value", reading.get("value"), d, reading)
            if out.profile.kind == "daily" and reading.get("occurredAt") is not None:
                _add(out, reading.get("readingType"), "occurredAt", reading["occurredAt"], d, reading)
            out.state(reading.get("validationStatus") or reading.get("source"))
        for override in _dicts(interval.get("overrides")):
            out.state(override.get("validationStatus") or override.get("source"))


def _compact(
    out: Collector,
    interval: dict[str, Any],
    payloads: list[Any],
    sequence: list[dict[str, Any]] | None,
    known: _Set,
    profile: dict[str, Any],
) -> None:
    if sequence is None:
        detail = (
            f"compact sequence {profile.get('compactSequenceRef')} of set {profile.get('payloadDescriptorSetRef')} is not declared in "
            "this payload: send the DESCRIPTOR profile with it"
        )
        for _ in payloads:
            out.refuse(Reason.MALFORMED, "none", detail, interval)
        return
    for raw, item in zip(payloads, sequence, strict=False):
        kind = item.get("readingType")
        attribute = item.get("attribute", "value")
        if attribute == "validationStatus":
            out.state(raw)
        else:
            _add(out, kind, attribute, raw, known.by_type.get(str(kind), {}), interval)
    for _ in payloads[len(sequence) :]:
        out.refuse(Reason.MALFORMED, "none", f"more payloads than the {len(sequence)} items of the sequence", interval)


def _add(out: Collector, kind: Any, attribute: str, raw: Any, descriptor: dict[str, Any], node: Any) -> None:
    """One value; the code is the descriptor's OBIS, else the reading type itself (OBIS or short code)."""
    unit, multiplier = descriptor.get("unit"), descriptor.get("multiplier", 1)
    scaler: int | None = 0
    if multiplier != 1 and _number(multiplier) and _number(raw):
        digits, power = f"{float(multiplier):.15e}".split("e")
        if float(digits) == 1:
            scaler = int(power)
        else:
            raw = float(raw) * float(multiplier)
    usage = out.profile.kind == "daily" and descriptor.get("reportedMode") == "USAGE" and unit in _ENERGY
    if attribute == "value":
        attribute = "usage" if usage else ""  # a day's usage is no register
    out.reading(descriptor.get("obis") or kind, attribute, unit, scaler, raw, node)


def _number(v: Any) -> bool:
    return isinstance(v, float) or (isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**63)


def _events(out: Collector, profile: dict[str, Any], place: str) -> None:
    serial = _serial(profile)
    value = out.profile.values[0]
    for k, event in enumerate(_dicts(profile.get("events"))):
        detail = {d: event[d] for d in out.profile.detail if event.get(d) is not None}
        here = f"{place}.events[{k}]"
        out.row(serial, event.get("timestamp"), event, here, detail=detail or None)
        code = event.get(value.sources[0])
        if code is None:
            out.refuse(Reason.MALFORMED, value.sources[0], f"the event has no {value.sources[0]}", event)
        else:
            out.put(value, 0, value.sources[0], code)
