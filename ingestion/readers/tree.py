"""What JSON and XML readers share: paths into a tree of dicts and lists, and collecting rows of (code, value) readings.

A path is steps joined by dots; `[]` walks a list, and `*` in a step stands for any name (`D3-*[]`). `items[].entries[]` names rows; a field
that begins like the row path is taken from that level (`items[].meterSerial`), `$.x` from the root, any other from the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import numpy as np

from ingestion.canonical import Rejection
from ingestion.cim import ReadingType
from ingestion.normalise import Cells, Rows, axdr, rejection
from ingestion.obis import DLMS_NO_UNIT, DLMS_UNITS, Obis, obis_or_text
from ingestion.vendor import UNITS, UNSCALED, Condition, Only, Profile, Readings, ValueMap, Vendor
from warehouse.codes import Quality, Reason

Steps = tuple[tuple[str, bool], ...]
Resolved = tuple[ValueMap, int] | tuple[Reason, str] | None
Show = Callable[[Any], str]
"""Renders a node as it was received."""

_SCALER = re.compile(r"[+-]?1?\d")

DEFAULT_ATTRIBUTE = "2"
"""DLMS attribute 2 is the value."""

SIBLING = {27: 7, 29: 8}
"""Group D of what is averaged or counted in an interval -> of the same quantity's object that states a scaler (domain 1.11)."""

Scalers = dict[tuple[str | None, str], tuple[Any, Any]]
"""(serial, OBIS) -> (unit, scaler) as stated somewhere in the payload."""


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
    if name and not isinstance(node, dict):
        return
    if "*" in name:
        found = [(key, below) for key, below in node.items() if fnmatchcase(key, name)]
    else:
        found = [(name, node.get(name) if name else node)]
    for key, below in found:
        dotted = f"{locator}.{key}" if locator and key else locator + key
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

    def every(self, trail: list[Any]) -> list[Any]:
        """All leaves, of every list on the way."""
        nodes = [trail[self.depth]]
        for name, _ in self.path:
            below = [n.get(name) for n in nodes if isinstance(n, dict)]
            nodes = [item for n in below for item in (n if isinstance(n, list) else [n])]
        return [n.get("#text") if isinstance(n, dict) else n for n in nodes if n is not None]


def text(v: Any) -> str | None:
    """A leaf as text; None stays None. Lone surrogates, which JSON can hold and nothing else, are written out."""
    said = v if v is None or isinstance(v, str) else str(v)
    return said if said is None or said.isascii() else said.encode("utf-8", "backslashreplace").decode()


def plain(v: Any) -> Any:
    """A leaf as a number, text or octets; anything else as its text, which is then no number and no stamp."""
    return v if v is None or type(v) in (str, float, int, bytes) else str(v)


class Collector:
    """Gathers rows and readings of one profile, resolves each code once, and groups what the vendor file does not know.

    `scalers`: what is stated elsewhere in the payload, for readings that borrow.
    """

    def __init__(self, vendor: Vendor, profile: Profile, show: Show, scalers: Scalers | None = None) -> None:
        self.vendor, self.profile, self.show = vendor, profile, show
        self.readings = profile.readings or Readings("", "", "")
        self.scalers = scalers or {}
        self.onlys = tuple(dict.fromkeys(v.only for v in profile.values if v.only is not None))
        self.fits: frozenset[Only] = frozenset()
        self.fitting: dict[tuple[str | None, str | None, str | None], frozenset[Only]] = {}
        self.serial: list[str | None] = []
        self.stamp: list[Any] = []
        self.received: list[Any] = []
        self.slot: list[Any] = []
        self.interval: list[Any] = []
        self.quality: list[int] = []
        self.detail: list[dict[str, Any] | None] = []
        self.nodes: list[Any] = []
        self.places: list[str] = []
        self.cells: dict[tuple[int, int, str], tuple[ValueMap, list[int], list[Any]]] = {}
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
        make: Any = None,
        firmware: Any = None,
    ) -> None:
        """Begin a row; readings that follow belong to it. `make` and `firmware` choose among maps that are for some meters only."""
        self.serial.append(text(serial))
        self.stamp.append(plain(stamp))
        self.received.append(plain(received))
        self.slot.append(plain(slot))
        self.interval.append(plain(interval))
        self.quality.append(-1)
        self.detail.append(detail)
        self.nodes.append(node)
        self.places.append(place)
        if self.onlys:
            meter = (text(make), text(firmware), self.serial[-1])
            if meter not in self.fitting:
                self.fitting[meter] = frozenset(o for o in self.onlys if o.fits(*meter))
            self.fits = self.fitting[meter]

    def maps(self) -> Iterable[ValueMap]:
        """The maps that the row's meter may use, those for some meters only first."""
        yield from (v for v in self.profile.values if v.only is not None and v.only in self.fits)
        yield from (v for v in self.profile.values if v.only is None)

    def state(self, status: Any) -> None:
        """The source's validation status of a value: the row keeps the weakest."""
        if isinstance(status, str) and status in self.vendor.quality:
            self.quality[-1] = max(self.quality[-1], int(Quality[self.vendor.quality[status]]))

    def reading(self, code: Any, attribute: Any, unit: Any, scaler: Any, raw: Any, node: Any) -> None:
        """Add one value to the row."""
        if raw is None or raw == "":
            return
        borrowed = None
        if self.scalers and scaler in (None, ""):
            borrowed = self._borrow(code)
        key = (code, attribute, unit, scaler, borrowed, self.fits)
        try:
            known = self.resolved[key]
        except KeyError:
            known = self.resolved[key] = self._resolve(code, attribute, unit, scaler, borrowed)
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
        raw = plain(raw)
        if value.to == "stamp":
            if self.stamp[-1] is None:
                self.stamp[-1] = raw
            return
        if value.words and isinstance(raw, str):
            raw = value.words.get(raw.strip(), raw)
        if isinstance(raw, bytes) and not (value.to in {"at", "word"} or value.text):
            raw = f"octets {raw.hex()}"
        try:
            rows, raws = self.cells[id(value), exponent, code][1:]
        except KeyError:
            rows, raws = [], []
            self.cells[id(value), exponent, code] = (value, rows, raws)
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
                Cells(v.to, exponent, _objects(raws), f"code {code}", np.array(rows), v.zone, v.of, bool(v.words))
                for (_, exponent, code), (v, rows, raws) in self.cells.items()
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

    def _borrow(self, code: Any) -> tuple[Any, Any] | None:
        """(unit, scaler) of the object of the same quantity and meter that states them."""
        try:
            obis = Obis.parse(self.vendor.code(str(code)))
        except ValueError:
            return None
        if obis.d not in SIBLING:
            return None
        return self.scalers.get((self.serial[-1], str(replace(obis, d=SIBLING[obis.d]))))

    def reading_type(self, name: str) -> Resolved:
        """What the profile makes of a CIM reading type, which says itself what unit, multiplier and interval its values have."""
        try:
            kind = ReadingType.parse(name)
        except ValueError as e:
            return Reason.UNKNOWN_OBIS, str(e)
        p = self.profile
        if any(kind.matches(pattern) for pattern in p.ignore):
            return None
        value = next((v for v in self.maps() if v.attribute is None and any(kind.matches(s) for s in v.sources)), None)
        if value is None:
            return Reason.UNKNOWN_OBIS, f"profile {p.name} does not map reading type {name}: map it, or list it under ignore"
        if p.kind == "block" and p.interval_min and kind.minutes not in {None, p.interval_min}:
            return Reason.WRONG_INTERVAL, f"reading type {name} is of {kind.minutes} minutes, profile {p.name} of {p.interval_min}"
        try:
            return value, value.exponent(kind.unit, kind.multiplier)
        except ValueError as e:
            return Reason.WRONG_UNIT, f"reading type {name}: {e}"

    def _resolve(self, code: Any, attribute: Any, unit: Any, scaler: Any, borrowed: tuple[Any, Any] | None) -> Resolved:
        if code is None or code == "":
            return Reason.MALFORMED, "the reading has no code"
        name = str(code)
        if self.readings.code_is == "cim":
            return self.reading_type(name)
        if self.readings.code_is == "obis":
            try:
                name = str(Obis.parse(self.vendor.code(name)))
            except ValueError as e:
                return Reason.UNKNOWN_OBIS, str(e)
        if name in self.profile.ignore:
            return None
        wanted = DEFAULT_ATTRIBUTE if attribute in (None, "") else str(attribute)
        for v in self.maps():
            if name in v.sources and (v.attribute or DEFAULT_ATTRIBUTE) == wanted:
                break
        else:
            which = f"{name} attribute {wanted}" if attribute not in (None, "") else name
            return Reason.UNKNOWN_OBIS, f"profile {self.profile.name} does not map {which}: map it, or list it under ignore"
        if v.to in UNSCALED:
            return v, 0
        if borrowed is not None:
            unit, scaler = unit if unit not in (None, "") else borrowed[0], borrowed[1]
        elif self.readings.borrow and scaler in (None, "") and v.scaler is None and not v.text:
            return Reason.WRONG_UNIT, (
                f"no scaler is stated for {name}, nor in this payload for the object that it could be borrowed from: "
                "give the map a scaler, or have the meter's instantaneous values and registers sent with it"
            )
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
        if stated in self.readings.units:
            return self.readings.units[stated]
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
            self.rejections.append(rejection(reason, locator, self.show(node), detail, values, serial, None, self.profile.name, code))
        self.unknown.clear()


def _objects(values: list[Any]) -> np.ndarray:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def rows(vendor: Vendor, root: Any, show: Show, base: int, rejections: list[Rejection]) -> Iterator[Rows]:
    """All profiles of the vendor in one tree: one walk for each path of rows. A tree that has none of the paths is rejected."""
    begins = dict.fromkeys(steps(p.rows)[0][0] for p in vendor.profiles if p.rows)
    if not any(isinstance(root, list) if name == "" else isinstance(root, dict) and name in root for name in begins):
        detail = f"none of {', '.join(name or '[]' for name in begins)} is there: is it another kind of message, or the wrong vendor file?"
        rejections.append(rejection(Reason.MALFORMED, "$", show(root), detail))
        return
    for path in dict.fromkeys(p.rows for p in vendor.profiles if p.rows):
        profiles = [p for p in vendor.profiles if p.rows == path]
        takers = [_Taker(vendor, p, steps(path), show, _scalers(vendor, p, root, base), _known(profiles)) for p in profiles]
        yield from _read(vendor, steps(path), takers, root, base, rejections, show)


def _read(
    vendor: Vendor, path: Steps, takers: Sequence[_Taker], root: Any, base: int, rejections: list[Rejection], show: Show
) -> Iterator[Rows]:
    kind = Field(vendor.profile_path, path) if vendor.profile_path else None
    choosy = kind is not None or any(t.when for t in takers)
    by_code: dict[str | None, list[_Taker]] = {}
    strange: dict[tuple[str | None, str | None], list[Any]] = {}
    for trail, place in walk(root, path, base):
        code = vendor.code(str(kind.of(trail))) if kind else None
        if code not in by_code:
            by_code[code] = [t for t in takers if not t.profile.codes or code is None or code in t.profile.codes]
        taken = False
        for t in by_code[code]:
            if not t.when or t.wants(trail):
                t.take(trail, place)
                if not taken:
                    t.refuse_unknown(trail[-1])
                taken = True
        if choosy and not taken and code not in vendor.ignore_profiles:
            group = strange.setdefault((takers[0].serial_of(trail), code), [0, place, trail[-1]])
            group[0] += takers[0].size(trail[-1])
    for (serial, code), (values, place, node) in strange.items():
        if code is None:
            detail = "no profile of the vendor file takes the row, by what they say under when"
        elif any(code in t.profile.codes for t in takers):
            detail = f"no profile of the vendor file with the code {code} takes the row, by what they say under when"
        else:
            detail = f"no profile of the vendor file has the code {code}: add it, or list it under payload.ignore_profiles"
        rejections.append(rejection(Reason.UNKNOWN_OBIS, place, show(node), detail, values, serial, code=code or path[-1][0]))
    for t in takers:
        yield t.out.rows()


def _known(profiles: Sequence[Profile]) -> frozenset[str] | None:
    """Fields of a row that some profile knows, None where values stand in a list of readings."""
    if any(p.readings for p in profiles):
        return None
    paths = [f for p in profiles for f in (*(s for v in p.values for s in v.sources), *p.detail, *p.ignore)]
    paths += [f for p in profiles for f in (p.serial, p.stamp, p.slot, p.interval) if f]
    paths += [c.path for p in profiles for c in p.when]
    return frozenset(steps(f)[0][0] for f in paths)


def _scalers(vendor: Vendor, p: Profile, root: Any, base: int) -> Scalers:
    """What every reading of the payload states of its unit and scaler, where the profile's readings may borrow it."""
    found: Scalers = {}
    if p.readings is None or not p.readings.borrow:
        return found
    for q in vendor.profiles:
        r = q.readings
        if r is None or not r.scaler or not q.rows:
            continue
        serial = Field(q.serial, steps(q.rows)) if q.serial else None
        for trail, _ in walk(root, steps(q.rows), base):
            meter = text(serial.of(trail)) if serial else q.constant_serial
            for item in children(trail[-1], steps(r.path)) if isinstance(trail[-1], dict) else []:
                scaler = get(item, steps(r.scaler)) if isinstance(item, dict) else None
                if scaler not in (None, "") and not isinstance(scaler, list | dict):
                    unit = get(item, steps(r.unit)) if r.unit else None
                    code = vendor.code(str(get(item, steps(r.code))))
                    found.setdefault((meter, code), (None if isinstance(unit, list | dict) else unit, scaler))
    return found


class _Taker:
    """Takes the rows of one profile: its fields, resolved once."""

    def __init__(self, vendor: Vendor, p: Profile, path: Steps, show: Show, scalers: Scalers, known: frozenset[str] | None) -> None:
        def at(field: str | None) -> Field | None:
            return Field(field, path) if field else None

        self.profile, self.out, self.show = p, Collector(vendor, p, show, scalers), show
        self.serial, self.stamp, self.slot, self.interval = at(p.serial), at(p.stamp), at(p.slot), at(p.interval)
        self.received = at(vendor.received_field if vendor.received_from == "field" else None)
        self.make, self.firmware = at(vendor.make), at(vendor.firmware)
        self.when = [(Field(c.path, path), c) for c in p.when]
        self.detail = {d: Field(d, path) for d in p.detail}
        outside = [f for f in (vendor.make, vendor.firmware, vendor.received_field, vendor.profile_path) if f]
        self.known = None if known is None else known | {steps(f)[0][0] for f in outside}
        r = p.readings
        self.list = steps(r.path) if r else ()
        own = [steps(f) if f else None for f in (r.code, r.attribute, r.unit, r.scaler, r.value)] if r else []
        self.own = own
        self.keys = [f[0][0] if f else None for f in own] if all(f is None or len(f) == 1 for f in own) else None
        values = sorted(p.values, key=lambda v: v.only is None)
        self.flat = [] if r else [(v, s, Field(s, path)) for v in values for s in v.sources]

    def wants(self, trail: list[Any]) -> bool:
        """Whether the row meets every condition of the profile."""
        return all(_meets(f.every(trail), c) for f, c in self.when)

    def serial_of(self, trail: list[Any]) -> str | None:
        return text(self.serial.of(trail)) if self.serial else self.profile.constant_serial

    def size(self, node: Any) -> int:
        """Values that a row seems to hold, at least 1."""
        return max(1, len(children(node, self.list))) if self.list else 1

    def take(self, trail: list[Any], place: str) -> None:
        """Add one row."""
        node, out = trail[-1], self.out
        if not isinstance(node, dict):
            detail = "the row is not an object"
            out.rejections.append(rejection(Reason.MALFORMED, place, self.show(node), detail, profile=self.profile.name))
            return
        out.row(
            self.serial_of(trail),
            self.stamp.of(trail) if self.stamp else None,
            node,
            place,
            self.received.of(trail) if self.received else None,
            self.slot.of(trail) if self.slot else None,
            self.interval.of(trail) if self.interval else None,
            {d: f.of(trail) for d, f in self.detail.items() if f.of(trail) is not None} or None,
            self.make.of(trail) if self.make else None,
            self.firmware.of(trail) if self.firmware else None,
        )
        if self.profile.readings is None:
            self._fields(trail)
        elif self.keys is not None:
            code, attribute, unit, scaler, value = self.keys
            for item in children(node, self.list):
                if not isinstance(item, dict):
                    out.refuse(Reason.MALFORMED, "none", "the reading is not an object", item)
                    continue
                g = item.get
                out.reading(
                    g(code),
                    g(attribute) if attribute else None,
                    g(unit) if unit else None,
                    g(scaler) if scaler else None,
                    g(value),
                    item,
                )
        else:
            for item in children(node, self.list):
                if not isinstance(item, dict):
                    out.refuse(Reason.MALFORMED, "none", "the reading is not an object", item)
                    continue
                found = [get(item, f) if f else None for f in self.own]
                out.reading(found[0], found[1], found[2], found[3], found[4], item)

    def _fields(self, trail: list[Any]) -> None:
        """The values of a row that has a field for each."""
        out = self.out
        wanted = set(map(id, out.maps())) if out.onlys else None
        done: set[str] = set()
        for v, source, field in self.flat:
            if wanted is not None and id(v) not in wanted:
                continue
            if source in done and v.only is None:
                continue
            raw = field.of(trail)
            if raw not in (None, ""):
                out.put(v, v.exponent(), source, raw)
                if v.only is not None:
                    done.add(source)

    def refuse_unknown(self, node: Any) -> None:
        """Fields of a row that no profile knows."""
        if self.known is None or not isinstance(node, dict):
            return
        for name in node.keys() - self.known:
            if not isinstance(node[name], list | dict) and node[name] not in (None, "") and not name.startswith("#"):
                detail = f"the vendor file does not know the field {name}: map it, or list it under ignore of profile {self.profile.name}"
                self.out.refuse(Reason.UNKNOWN_OBIS, name, detail, node)


def _meets(found: list[Any], c: Condition) -> bool:
    if c.least is None and c.most is None:
        return any(fnmatchcase(obis_or_text(str(v)), p) for v in found for p in c.patterns)
    for v in found:
        try:
            if (c.least is None or float(v) >= c.least) and (c.most is None or float(v) <= c.most):
                return True
        except (TypeError, ValueError):
            continue
    return False
