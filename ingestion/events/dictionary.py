"""The event dictionary: (make, firmware, code) -> event, and the bits of the event status word (ESW). The facts are in dictionary.yml.

Reads and checks the file and looks things up; what is done about an event is decided elsewhere (ingestion.alerts, dbt's vee.event_episode).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal

from warehouse import yaml_file

PATH = Path(__file__).parent / "dictionary.yml"

Role = Literal["occurrence", "restoration", "single"]
LOGS = ("voltage", "current", "power", "transaction", "other", "non_rollover", "control")
"""The event profiles of IS 15959 (domain 1.3)."""
SEVERITIES = ("critical", "major", "minor", "info")
"""Worst first."""
ESW_BITS = 128


class DictionaryError(yaml_file.FileError):
    """A dictionary is wrong. The message says which file, which entry and how to mend it."""


@dataclass(frozen=True)
class MeterEvent:
    """An event as the trade knows it. Occurrence and restoration share the family, by which they are paired."""

    event: str
    family: str
    role: Role
    log: str
    severity: str
    code: int | None = None
    """Of the standard's table; None = a bit of the status word only, or unknown to it."""


@dataclass(frozen=True)
class EswBit:
    """What it means that a bit comes up, and that it goes; None = nothing."""

    set: MeterEvent
    clear: MeterEvent | None


@dataclass(frozen=True)
class EswChange:
    """A bit that differs between two status words, and the event that says so."""

    bit: int
    event: MeterEvent


@dataclass(frozen=True)
class Make:
    """What a make does otherwise. `make` and `firmware` are globs in lower case."""

    make: str
    firmware: str
    codes: dict[int, MeterEvent]
    esw: dict[int, EswBit]

    def fits(self, make: str, firmware: str) -> bool:
        return fnmatchcase(make, self.make) and fnmatchcase(firmware, self.firmware)


@dataclass(frozen=True)
class Dictionary:
    """A dictionary, checked."""

    version: int
    codes: dict[int, MeterEvent]
    esw: dict[int, EswBit]
    makes: tuple[Make, ...] = ()
    events: dict[str, MeterEvent] = field(default_factory=dict)
    """Every event that has a name here, by it."""

    def resolve(self, make: str | None, firmware: str | None, code: int) -> MeterEvent:
        """The event of a code: as the make says, else as the standard says, else `UNKNOWN_<code>`. Never fails."""
        for special in self._fitting(make, firmware):
            if code in special.codes:
                return special.codes[code]
        return self.codes.get(code) or MeterEvent(f"UNKNOWN_{code}", f"UNKNOWN_{code}", "single", "other", "info", code)

    def decode_esw(self, word: bytes, make: str | None = None, firmware: str | None = None) -> list[EswChange]:
        """The bits that are set in a status word, rising, each with its event."""
        return self.esw_changes(bytes(len(word)), word, make, firmware)

    def esw_changes(self, before: bytes | None, after: bytes, make: str | None = None, firmware: str | None = None) -> list[EswChange]:
        """What came and went between two words of one meter that follow each other; without a word before, what is set came."""
        was, now = esw_bits(before or b""), esw_bits(after)
        found = []
        for bit in sorted(was ^ now):
            event = self._bit(make, firmware, bit, came=bit in now)
            if event is not None:
                found.append(EswChange(bit, event))
        return found

    def _bit(self, make: str | None, firmware: str | None, bit: int, *, came: bool) -> MeterEvent | None:
        known = next((s.esw[bit] for s in self._fitting(make, firmware) if bit in s.esw), None) or self.esw.get(bit)
        if known:
            return known.set if came else known.clear
        name = f"UNKNOWN_ESW_{bit}"
        return MeterEvent(name if came else f"{name}_restored", name, "occurrence" if came else "restoration", "other", "info")

    def _fitting(self, make: str | None, firmware: str | None) -> Iterator[Make]:
        if self.makes:
            yield from _fitting(self.makes, (make or "").lower(), (firmware or "").lower())


def esw_bits(word: bytes) -> set[int]:
    """Numbers of the bits that are set; bit 0 is the most significant of the first octet (domain 1.9)."""
    return {8 * i + j for i, octet in enumerate(word) for j in range(8) if octet & 1 << (7 - j)}


def _fitting(makes: tuple[Make, ...], make: str, firmware: str) -> Iterator[Make]:
    return (m for m in makes if m.fits(make, firmware))


@cache
def load(path: Path = PATH) -> Dictionary:
    """Read a dictionary. Raises DictionaryError."""
    return _Builder(yaml_file.read(path, SCHEMA, DictionaryError)).dictionary()


class _Builder:
    def __init__(self, file: yaml_file.YamlFile) -> None:
        self.file = file
        self.events: dict[str, MeterEvent] = {}
        self.codes: dict[int, MeterEvent] = {}

    def dictionary(self) -> Dictionary:
        raw = self.file.raw
        for i, p in enumerate(raw["pairs"]):
            family, (first, second) = p["family"], p["codes"]
            self._add(MeterEvent(family, family, "occurrence", p["log"], p["severity"], first), ("pairs", i))
            # That a thing is well again is worth knowing and no cause for alarm.
            restored = p.get("restored", f"{family}_restored")
            self._add(MeterEvent(restored, family, "restoration", p["log"], "info", second), ("pairs", i))
        for i, s in enumerate(raw["singles"]):
            self._add(_single(s, s.get("code")), ("singles", i))
        vendor = raw["vendor_specific"]
        for i, code in enumerate(vendor["codes"]):
            self._add(_single(vendor | {"event": f"VENDOR_{code}"}, code), ("vendor_specific", "codes", i))
        esw = self._esw(raw["esw"], ("esw",))
        makes = tuple(self._make(m, ("makes", i)) for i, m in enumerate(raw.get("makes", ())))
        return Dictionary(raw["version"], self.codes, esw, makes, self.events)

    def _add(self, event: MeterEvent, at: yaml_file.Where) -> None:
        if event.event in self.events:
            self.file.refuse([(at, f"the event {event.event} stands twice: give each its own name")])
        if event.code in self.codes:
            self.file.refuse([(at, f"the code {event.code} stands twice: keep one")])
        self.events[event.event] = event
        if event.code is not None:
            self.codes[event.code] = event

    def _esw(self, rows: list[dict[str, Any]], at: yaml_file.Where) -> dict[int, EswBit]:
        bits: dict[int, EswBit] = {}
        for i, row in enumerate(rows):
            if row["bit"] in bits:
                self.file.refuse([((*at, i, "bit"), f"bit {row['bit']} stands twice: keep one")])
            clear = self._named(row["clear"], (*at, i, "clear")) if "clear" in row else None
            bits[row["bit"]] = EswBit(self._named(row["set"], (*at, i, "set")), clear)
        return bits

    def _make(self, raw: dict[str, Any], at: yaml_file.Where) -> Make:
        codes = {code: self._named(what, (*at, "codes", code)) for code, what in raw.get("codes", {}).items()}
        return Make(raw["make"].lower(), raw.get("firmware", "*").lower(), codes, self._esw(raw.get("esw", []), (*at, "esw")))

    def _named(self, what: str | dict[str, Any], at: yaml_file.Where) -> MeterEvent:
        if isinstance(what, dict):
            return self.events.setdefault(what["event"], _single(what, None))
        if what not in self.events:
            self.file.refuse([(at, f"no event is called {what}: use one of pairs or singles, or describe it with event, log and severity")])
        return self.events[what]


def _single(raw: dict[str, Any], code: int | None) -> MeterEvent:
    event = raw["event"]
    return MeterEvent(event, raw.get("family", event), raw.get("role", "single"), raw["log"], raw["severity"], code)


_TEXT, _CODE = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
_GLOB = {"type": "string", "pattern": r"^[^\[\]]+$"}  # `*` and `?` only: the seeds say the same with LIKE
_KIND = {"log": {"enum": list(LOGS)}, "severity": {"enum": list(SEVERITIES)}}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_ESW = {
    "type": "array",
    "items": _object(["bit", "set"], bit={"type": "integer", "minimum": 0, "maximum": ESW_BITS - 1}, set=_TEXT, clear=_TEXT),
}
_EVENT = _object(
    ["event", "log", "severity"], event=_TEXT, family=_TEXT, role={"enum": ["occurrence", "restoration", "single"]}, code=_CODE, **_KIND
)
SCHEMA: dict[str, Any] = _object(
    ["version", "pairs", "singles", "vendor_specific", "esw"],
    version={"const": 1},
    pairs={
        "type": "array",
        "items": _object(
            ["codes", "family", "log", "severity"],
            codes={"type": "array", "items": _CODE, "minItems": 2, "maxItems": 2},
            family=_TEXT,
            restored=_TEXT,
            **_KIND,
        ),
    },
    singles={"type": "array", "items": _object(["event", "log", "severity"], event=_TEXT, code=_CODE, **_KIND)},
    vendor_specific=_object(["codes", "log", "severity"], codes={"type": "array", "items": _CODE}, **_KIND),
    esw=_ESW,
    makes={
        "type": "array",
        "items": _object(
            ["make"],
            make=_GLOB,
            firmware=_GLOB,
            codes={"type": "object", "additionalProperties": {"anyOf": [_TEXT, _EVENT]}},
            esw=_ESW,
        ),
    },
)

DICTIONARY = load()
"""The dictionary that comes with Meterhouse."""
