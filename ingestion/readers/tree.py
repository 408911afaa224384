"""What JSON and XML readers share: paths into a tree of dicts and lists, and collecting rows of (code, value) readings.

A path is steps joined by dots; `[]` walks a list. `items[].entries[]` names rows; a field that begins like the row path is taken from that
level (`items[].meterSerial`), `$.x` from the root, any other from the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from ingestion.canonical import Rejection
from ingestion.normalise import Cells, Rows, axdr, rejection
from ingestion.obis import DLMS_NO_UNIT, DLMS_UNITS, Obis
from ingestion.vendor import UNITS, Profile, Readings, ValueMap, Vendor
from warehouse.codes import Quality, Reason

Steps = tuple[tuple[str, bool], ...]
Resolved = tuple[ValueMap, int] | tuple[Reason, str] | None
Show = Callable[[Any], str]
"""Renders a node as it was received."""

_SCALER = re.compile(r"[+-]?1?\d")

DEFAULT_ATTRIBUTE = "2"
"""DLMS attribute 2 is the value."""


@lru_cache(maxsize=1024)
def steps(path: str) -> Steps:
    return tuple((s.removesuffix("[]"), s.endswith("[]")) for s in path.split("."))


def get(node: Any, path: Steps) -> Any:
    """The leaf below `node`, None where it is absent. Of a list that is not walked the first item counts; an element is its text."""
    for name, _ in path:
        if isinstance(node, list):
            node = node[0] if node else None
        if not isinstance(node, dict):
            return None
        node = node.get(name)
    if isinstance(node, list):
        node = node[0] if node else None
    return node.get("#text") if isinstance(node, dict) else node


def children(node: Any, path: Steps) -> list[Any]:
    """The items of the list below `node`."""
    for name, _ in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, list) else [] if node is None else [node]


def walk(root: Any, path: Steps, base: int = 0) -> Iterator[tuple[list[Any], str]]:
    """(nodes along the path, root first; locator) of every row. `base` is the number of the first item in locators."""
    yield from _walk([root], path, 0, "", base)


def _walk(trail: list[Any], path: Steps, depth: int, locator: str, base: int) -> Iterator[tuple[list[Any], str]]:
    if depth == len(path):
        yield trail, locator
        return
    name, many = path[depth]
    node = trail[-1]
    if isinstance(node, list) and name:
        node = node[0] if node else None
    below = node if name == "" else node.get(name) if isinstance(node, dict) else None
    dotted = f"{locator}.{name}" if locator and name else locator + name
    if not many:
        if below is not None:
            yield from _walk([*trail, below], path, depth + 1, dotted, base)
    elif isinstance(below, list):
        for i, item in enumerate(below, base):
            yield from _walk([*trail, item], path, depth + 1, f"{dotted}[{i}]", base)


class Field:
    """A path, resolved against the path of the rows."""

    def __init__(self, path: str, rows: Steps) -> None:
        own = steps(path)
        shared = 0
        while shared < min(len(own), len(rows)) and own[shared] == rows[shared]:
            shared += 1
        if own[0][0] == "$":
            self.depth, self.path = 0, own[1:]
        elif shared:
            self.depth, self.path = shared, own[shared:]
        else:
            self.depth, self.path = len(rows), own

    def of(self, trail: list[Any]) -> Any:
        return get(trail[self.depth], self.path)


def text(v: Any) -> str | None:
    """A leaf as text; None stays None. Lone surrogates, which JSON can hold and nothing else, are written out."""
    said = v if v is None or isinstance(v, str) else str(v)
    return said if said is None or said.isascii() else said.encode("utf-8", "backslashreplace").decode()


def plain(v: Any) -> Any:
    """A leaf as a number, text or octets; anything else as its text, which is then no number and no stamp."""
    return v if v is None or type(v) in (str, float, int, bytes) else str(v)


class Collector:
    """Gathers rows and readings of one profile, resolves each code once, and groups what the vendor file does not know."""

    def __init__(self, vendor: Vendor, profile: Profile, show: Show) -> None:
        self.vendor, self.profile, self.show = vendor, profile, show
        self.readings = profile.readings or Readings("", "", "")
        self.serial: list[str | None] = []
        self.stamp: list[Any] = []
        self.received: list[Any] = []
        self.slot: list[Any] = []
        self.interval: list[Any] = []
        self.quality: list[int] = []
        self.detail: list[dict[str, Any] | None] = []
        self.nodes: list[Any] = []
        self.places: list[str] = []
        self.cells: dict[tuple[str, int, str], tuple[list[int], list[Any]]] = {}
        self.resolved: dict[Any, Resolved] = {}
        self.unknown: dict[Any, list[Any]] = {}
        self.rejections: list[Rejection] = []

    def row(
        self,
        serial: Any,
        stamp: Any,
        node: Any,
        place: str,
        received: Any = None,
        slot: Any = None,
        interval: Any = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Begin a row; readings that follow belong to it."""
        self.serial.append(text(serial))
        self.stamp.append(plain(stamp))
        self.received.append(plain(received))
        self.slot.append(plain(slot))
        self.interval.append(plain(interval))
        self.quality.append(-1)
        self.detail.append(detail)
        self.nodes.append(node)
        self.places.append(place)

    def state(self, status: Any) -> None:
        """The source's validation status of a value: the row keeps the weakest."""
        if isinstance(status, str) and status in self.vendor.quality:
            self.quality[-1] = max(self.quality[-1], int(Quality[self.vendor.quality[status]]))

    def reading(self, code: Any, attribute: Any, unit: Any, scaler: Any, raw: Any, node: Any) -> None:
        """Add one value to the row."""
        if raw is None or raw == "":
            return
        key = (code, attribute, unit, scaler)
        try:
            known = self.resolved[key]
        except KeyError:
            known = self.resolved[key] = self._resolve(*key)
        except TypeError:  # a code or unit that is a list or a dict
            self.refuse(Reason.MALFORMED, str(code), "code, attribute, unit and scaler must be plain values", node)
            return
        if known is None:
            return
        if self.readings.value_is == "axdr":
            try:
                raw = axdr(raw) if isinstance(raw, str) else f"not base64: {raw!r}"
            except ValueError as e:
                raw = f"{raw} ({e})"
            if raw is None:
                return
        if isinstance(known[0], Reason):
            self.refuse(known[0], str(code), str(known[1]), node)
            return
        self.put(known[0], int(known[1]), str(code), raw)

    def put(self, value: ValueMap, exponent: int, code: str, raw: Any) -> None:
        """Add a raw value that is already mapped."""
        if value.to == "stamp":
            if self.stamp[-1] is None:
                self.stamp[-1] = plain(raw)
            return
        raw = plain(raw)
        if isinstance(raw, bytes) and value.to != "md_import_at":
            raw = f"octets {raw.hex()}"
        rows, raws = self.cells.setdefault((value.to, exponent, code), ([], []))
        rows.append(len(self.serial) - 1)
        raws.append(raw)

    def rows(self) -> Rows:
        """What was gathered."""
        self._report()

        def any_of(values: list[Any]) -> np.ndarray | None:
            return _objects(values) if any(v is not None for v in values) else None

        return Rows(
            profile=self.profile,
            serial=_objects(self.serial),
            stamp=_objects(self.stamp),
            cells=[
                Cells(to, exponent, _objects(raws), f"code {code}", np.array(rows))
                for (to, exponent, code), (rows, raws) in self.cells.items()
            ],
            locators=lambda at: [self.places[i] for i in at.tolist()],
            payload=lambda i: self.show(self.nodes[i]),
            received=any_of(self.received),
            slot=any_of(self.slot),
            interval=any_of(self.interval),
            quality=np.array(self.quality) if any(q >= 0 for q in self.quality) else None,
            detail=self.detail if any(self.detail) else None,
            rejections=self.rejections,
        )

    def _resolve(self, code: Any, attribute: Any, unit: Any, scaler: Any) -> Resolved:
        if code is None or code == "":
            return Reason.MALFORMED, "the reading has no code"
        name = str(code)
        if self.readings.code_is == "obis":
            try:
                name = str(Obis.parse(name))
            except ValueError as e:
                return Reason.UNKNOWN_OBIS, str(e)
        if name in self.profile.ignore:
            return None
        wanted = DEFAULT_ATTRIBUTE if attribute in (None, "") else str(attribute)
        for v in self.profile.values:
            if name in v.sources and (v.attribute or DEFAULT_ATTRIBUTE) == wanted:
                break
        else:
            which = f"{name} attribute {wanted}" if attribute not in (None, "") else name
            return Reason.UNKNOWN_OBIS, f"profile {self.profile.name} does not map {which}: map it, or list it under ignore"
        if v.to in {"stamp", "code", "md_import_at"}:
            return v, 0
        power = None
        if scaler not in (None, ""):
            if not _SCALER.fullmatch(str(scaler)):
                return Reason.MALFORMED, f"scaler {scaler!r} is no power of ten from -19 to 19"
            power = int(str(scaler))
        try:
            return v, v.exponent(self._unit(v, unit), power)
        except ValueError as e:
            return Reason.WRONG_UNIT, str(e)

    def _unit(self, v: ValueMap, unit: Any) -> str | None:
        """Name of the unit that the payload states, None where it states none."""
        if unit is None or str(unit).strip() in {"", "NONE"}:
            return None
        stated = str(unit).strip()
        if self.readings.unit_is == "dlms":
            number = int(stated) if stated.isdecimal() else -1
            if number in DLMS_NO_UNIT:
                return None
            return DLMS_UNITS.get(number, f"DLMS {stated}")
        if self.readings.unit_is == "prefix" and stated not in UNITS:
            return f"{stated}{v.unit}"
        return stated

    def refuse(self, reason: Reason, code: str, detail: str, node: Any) -> None:
        """Count a reading that cannot be taken; one rejection stands for all of a meter with the same fault."""
        group = self.unknown.setdefault((self.serial[-1], reason, code, detail), [0, self.places[-1], node])
        group[0] += 1

    def _report(self) -> None:
        for (serial, reason, code, detail), (values, place, node) in self.unknown.items():
            locator = f"{place}, code {code}" + (f" and {values - 1} more" if values > 1 else "")
            self.rejections.append(rejection(reason, locator, self.show(node), detail, values, serial))
        self.unknown.clear()


def _objects(values: list[Any]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def rows(vendor: Vendor, root: Any, show: Show, base: int, rejections: list[Rejection]) -> Iterator[Rows]:
    """All profiles of the vendor in one tree."""
    codes = {p.code for p in vendor.profiles} | vendor.ignore_profiles
    strange: dict[tuple[Any, str], list[Any]] = {}
    paths = {p.rows for p in vendor.profiles if p.rows}
    if vendor.profile_path:
        for path in paths:
            for trail, place in walk(root, steps(path), base):
                code = _code(Field(vendor.profile_path, steps(path)).of(trail))
                if code not in codes:
                    p = next(p for p in vendor.profiles if p.rows == path)
                    serial = text(Field(p.serial, steps(path)).of(trail)) if p.serial else p.constant_serial
                    group = strange.setdefault((serial, code), [0, place, trail[-1]])
                    group[0] += max(1, len(children(trail[-1], steps(p.readings.path)))) if p.readings else 1
        for (serial, code), (values, place, node) in strange.items():
            detail = f"no profile of the vendor file has the code {code}: add it, or list it under payload.ignore_profiles"
            rejections.append(rejection(Reason.UNKNOWN_OBIS, place, show(node), detail, values, serial))
    for p in vendor.profiles:
        yield _profile(vendor, p, root, show, base)


@lru_cache(maxsize=4096)
def _obis_or_text(v: str) -> str:
    try:
        return str(Obis.parse(v))
    except ValueError:
        return v


def _code(v: Any) -> str:
    return _obis_or_text(str(v))


def _profile(vendor: Vendor, p: Profile, root: Any, show: Show, base: int) -> Rows:
    path = steps(p.rows or "")
    out = Collector(vendor, p, show)

    def at(field: str | None) -> Field | None:
        return Field(field, path) if field else None

    serial, stamp, slot, interval = at(p.serial), at(p.stamp), at(p.slot), at(p.interval)
    received = at(vendor.received_field if vendor.received_from == "field" else None)
    kind = at(vendor.profile_path)
    detail = {d: Field(d, path) for d in p.detail}
    flat = [(v, s, Field(s, path)) for v in p.values for s in v.sources] if p.readings is None else []
    r = p.readings
    own = (r.code, r.attribute, r.unit, r.scaler, r.value) if r else ()
    code, attribute, unit, scaler, value = (steps(f) if f else () for f in own) if r else ((),) * 5
    simple = all(len(f) <= 1 for f in (code, attribute, unit, scaler, value))
    keys = [f[0][0] if f else None for f in (code, attribute, unit, scaler, value)] if simple else []
    for trail, place in walk(root, path, base):
        node = trail[-1]
        if kind is not None and _code(kind.of(trail)) != p.code:
            continue
        if not isinstance(node, dict):
            out.rejections.append(rejection(Reason.MALFORMED, place, show(node), "the row is not an object"))
            continue
        out.row(
            serial.of(trail) if serial else p.constant_serial,
            stamp.of(trail) if stamp else None,
            node,
            place,
            received.of(trail) if received else None,
            slot.of(trail) if slot else None,
            interval.of(trail) if interval else None,
            {d: f.of(trail) for d, f in detail.items() if f.of(trail) is not None} or None,
        )
        for v, source, field in flat:
            raw = field.of(trail)
            if raw not in (None, ""):
                out.put(v, 0 if v.to in {"stamp", "code", "md_import_at"} else v.exponent(), source, raw)
        if r is None:
            continue
        for item in children(node, steps(r.path)):
            if not isinstance(item, dict):
                out.refuse(Reason.MALFORMED, "none", "the reading is not an object", item)
            elif simple:
                g = item.get
                out.reading(
                    g(keys[0]),
                    g(keys[1]) if keys[1] else None,
                    g(keys[2]) if keys[2] else None,
                    g(keys[3]) if keys[3] else None,
                    g(keys[4]),
                    item,
                )
            else:
                found = [get(item, f) if f else None for f in (code, attribute, unit, scaler, value)]
                out.reading(found[0], found[1], found[2], found[3], found[4], item)
    return out.rows()
