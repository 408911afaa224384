"""Vendor files: how one head-end system writes its data, as data. Reading of payloads is `readers`, this only loads and checks the file.

The language is declarative and small: names, paths, units, formats. A format that would need code in it is a reader instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import yaml

from ingestion.obis import Obis
from warehouse.tables import CHANNELS, REGISTERS

FOLDER = Path(__file__).parent / "vendors"
SCHEMA = Path(__file__).parent / "vendor.schema.json"

TARGETS = {
    "block": frozenset({*CHANNELS, "stamp"}),
    "daily": frozenset({*REGISTERS, "md_import_at", "stamp"}),
    "event": frozenset({"code", "stamp"}),
}

UNITS: dict[str, tuple[str, int]] = {
    "Wh": ("Wh", 0),
    "kWh": ("Wh", 3),
    "MWh": ("Wh", 6),
    "VAh": ("VAh", 0),
    "kVAh": ("VAh", 3),
    "MVAh": ("VAh", 6),
    "varh": ("varh", 0),
    "kvarh": ("varh", 3),
    "Mvarh": ("varh", 6),
    "W": ("W", 0),
    "kW": ("W", 3),
    "MW": ("W", 6),
    "mV": ("V", -3),
    "dV": ("V", -1),
    "V": ("V", 0),
    "kV": ("V", 3),
    "mA": ("A", -3),
    "A": ("A", 0),
}
"""Unit -> (base unit, power of ten)."""

CANONICAL: dict[str, tuple[str, int]] = {
    "dv": ("V", 1),
    "ma": ("A", 3),
    "wh": ("Wh", 0),
    "vah": ("VAh", 0),
    "varh": ("varh", 0),
    "w": ("W", 0),
}
"""Last part of a channel's name -> (base unit, power of ten from the base unit to the channel)."""


class VendorError(ValueError):
    """A vendor file is wrong. The message has one line a fault: file, line, field, how to mend it."""


@dataclass(frozen=True)
class Readings:
    """A list of (code, value) below a row. Paths are relative to one reading."""

    path: str
    code: str
    value: str
    code_is: str = "text"
    attribute: str | None = None
    value_is: str = "text"
    unit: str | None = None
    unit_is: str = "name"
    scaler: str | None = None


@dataclass(frozen=True)
class ValueMap:
    """One column, path or code -> one channel, register, event code or stamp."""

    sources: tuple[str, ...]
    to: str
    attribute: str | None = None
    unit: str | None = None
    scaler: int = 0
    optional: bool = False

    def exponent(self, unit: str | None = None, scaler: int | None = None) -> int:
        """Power of ten from the source's number to the canonical integer; `unit` and `scaler` as the payload states them, else the map's.

        Raises ValueError where the unit is unknown or of another quantity.
        """
        base, power = CANONICAL[self.to.rsplit("_", 1)[1]]
        stated = unit or self.unit
        if stated is None:
            raise ValueError(f"no unit is stated for {self.to}: give the map a unit")
        if stated not in UNITS:
            raise ValueError(f"unit {stated} is unknown: {self.to} takes {base} or a multiple")
        of, mine = UNITS[stated]
        if of != base:
            raise ValueError(f"unit {stated} does not fit {self.to}, which takes {base} or a multiple")
        return mine + power + (self.scaler if scaler is None else scaler)


@dataclass(frozen=True)
class Profile:
    """One kind of payload of a vendor. `serial` is a column or path, `constant_serial` the one serial of all rows."""

    name: str
    kind: str
    values: tuple[ValueMap, ...]
    files: tuple[str, ...] = ()
    code: str | None = None
    rows: str | None = None
    serial: str | None = None
    constant_serial: str | None = None
    readings: Readings | None = None
    stamp: str | None = None
    slot: str | None = None
    slots: int = 0
    interval_min: int | None = None
    infer_interval: bool = False
    interval: str | None = None
    detail: tuple[str, ...] = ()
    ignore: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Vendor:
    """A vendor file, checked. `transport` is the section as written; the transports read it."""

    name: str
    description: str
    path: Path
    transport: dict[str, Any]
    format: str
    zone: str
    stamp: str
    stamp_formats: tuple[str, ...]
    profiles: tuple[Profile, ...]
    encoding: str = "utf-8"
    delimiter: str = ","
    whole_lines: bool = False
    empty: frozenset[str] = frozenset()
    profile_path: str | None = None
    ignore_profiles: frozenset[str] = frozenset()
    received_from: str = "arrival"
    received_field: str | None = None
    received_pattern: str | None = None
    received_format: str | None = None
    duplicates: str = "last"
    quality: dict[str, str] = field(default_factory=dict)

    def profile(self, name: str) -> Profile:
        """The profile of this name. Raises KeyError."""
        for p in self.profiles:
            if p.name == name:
                return p
        raise KeyError(f"vendor {self.name} has no profile {name}: it has {', '.join(p.name for p in self.profiles)}")

    def profile_of_file(self, name: str) -> Profile | None:
        """The profile whose glob pattern matches the file's name (without folder), or None."""
        base = PurePosixPath(name.replace("\\", "/")).name
        for p in self.profiles:
            if any(fnmatchcase(base, g) for g in p.files):
                return p
        return None


def names() -> list[str]:
    """Names of the vendor files that come with Meterhouse."""
    return sorted(p.stem for p in FOLDER.glob("*.yml"))


def load_vendor(name_or_path: str | Path) -> Vendor:
    """Read a vendor file: a name below `ingestion/vendors/`, or the path of a `.yml`.

    Raises VendorError, which names file, line, field and remedy of every fault found.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yml", ".yaml"}:
        path = FOLDER / f"{name_or_path}.yml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(names())
        raise VendorError(f"{path}: no such vendor file. Known vendors: {known}; or give the path of a .yml") from None
    except (OSError, UnicodeDecodeError) as e:
        raise VendorError(f"{path}: cannot be read: {e}") from None
    try:
        raw = yaml.safe_load(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise VendorError(f"{where}: not YAML: {getattr(e, 'problem', e)}. Quote texts with : # {{ }} [ ] or %") from None
    faults = [*_schema_faults(raw)]
    if not faults:
        faults = [*_sense_faults(raw, path)]
    if faults:
        raise VendorError("\n".join(f"{path}:{_line(node, where)}: {'.'.join(map(str, where)) or 'file'}: {m}" for where, m in faults))
    return _vendor(raw, path)


Fault = tuple[tuple[str | int, ...], str]


def _schema_faults(raw: object) -> Iterator[Fault]:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for e in sorted(validator.iter_errors(raw), key=lambda e: [str(p) for p in e.absolute_path]):
        where = tuple(e.absolute_path)
        if e.validator == "additionalProperties" and isinstance(e.instance, dict):
            allowed = e.schema.get("properties", {})
            for extra in sorted(set(e.instance) - set(allowed), key=str):
                yield (*where, extra), f"unknown field. Known here: {', '.join(sorted(allowed))}"
        elif e.validator == "required":
            yield where, f"{e.message}: add it"
        elif e.validator == "enum":
            yield where, f"{e.instance!r} is not allowed. Allowed: {', '.join(map(str, e.validator_value))}"
        else:
            yield where, e.message


def _sense_faults(raw: dict[str, Any], path: Path) -> Iterator[Fault]:
    """What the schema cannot say."""
    if raw["vendor"] != path.stem:
        yield ("vendor",), f"{raw['vendor']} is in a file called {path.name}: name both alike"
    try:
        ZoneInfo(raw["time"]["zone"])
    except (KeyError, ValueError, OSError):
        yield ("time", "zone"), f"{raw['time']['zone']} is no IANA time zone: write Asia/Kolkata"
    received = raw.get("received_at", {})
    if received.get("from") == "filename":
        try:
            groups = re.compile(received["pattern"]).groups
        except re.error as e:
            yield ("received_at", "pattern"), f"no regular expression: {e}"
        else:
            if groups != 1:
                yield ("received_at", "pattern"), f"has {groups} groups: put ( ) round the stamp, and only there"
    payload, fmt = raw["payload"], raw["payload"]["format"]
    for name in raw["transport"].get("files", {}):
        if name not in raw["profiles"] and (name != "all" or fmt.startswith("csv")):
            known = [*raw["profiles"], *([] if fmt.startswith("csv") else ["all"])]
            yield ("transport", "files", name), f"no such profile. Profiles: {', '.join(known)}"
    for name, p in raw["profiles"].items():
        at = ("profiles", name)
        readings = p.get("readings", payload.get("readings"))
        targets = [v["to"] for v in p["values"]]
        if fmt != "ies_meterdata":
            if "serial" not in p and "serial" not in payload:
                yield at, "no serial: name the column or path of the meter's serial, or serial: {constant: …}"
            if "stamp" not in p and "stamp" not in targets:
                yield at, "no stamp: name the column or path of the stamp, or map a code to stamp"
            if p["kind"] == "block" and "interval_min" not in p and "interval" not in p:
                if "slot" in p or fmt == "csv_wide":
                    yield at, "slots need interval_min, or interval with the path where the payload states it"
                elif raw["time"]["stamp"] == "end":
                    yield at, "stamps name the end of the interval: interval_min (or interval) is needed to find its start"
        if fmt in {"json", "xml"} and "rows" not in p and "rows" not in payload:
            yield at, "no rows: name the path of the rows, such as items[].entries[]"
        if fmt == "csv_wide" and "slots" not in p:
            yield at, "csv_wide needs slots: how many slots a line has"
        if payload.get("profile") and "code" not in p:
            yield at, "no code: payload.profile is set, so say which profile code this is"
        for i, v in enumerate(p["values"]):
            here = (*at, "values", i)
            sources = v["from"] if isinstance(v["from"], list) else [v["from"]]
            if v["to"] not in TARGETS[p["kind"]]:
                yield (*here, "to"), f"{v['to']} does not belong in a {p['kind']} profile: {', '.join(sorted(TARGETS[p['kind']]))}"
            elif v["to"] not in {"stamp", "code", "md_import_at"}:
                try:
                    ValueMap((), v["to"], unit=v.get("unit")).exponent()
                except ValueError as e:
                    yield here, str(e)
            if readings and readings.get("code_is") == "obis":
                for s in sources:
                    try:
                        Obis.parse(s)
                    except ValueError as e:
                        yield (*here, "from"), str(e)
            if fmt == "csv_wide" and any("{slot" not in s for s in sources):
                yield (*here, "from"), "csv_wide: write the column's pattern with {slot}, such as B{slot:02d}"


def _line(node: yaml.Node | None, where: tuple[str | int, ...]) -> int:
    """Line of the field in the file, or of the nearest field above it."""
    line = 1
    for step in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _vendor(raw: dict[str, Any], path: Path) -> Vendor:
    payload, received = raw["payload"], raw.get("received_at", {"from": "arrival"})
    files = raw["transport"].get("files", {})
    return Vendor(
        name=raw["vendor"],
        description=raw["description"],
        path=path,
        transport=raw["transport"],
        format=payload["format"],
        zone=raw["time"]["zone"],
        stamp=raw["time"]["stamp"],
        stamp_formats=tuple(raw["time"]["formats"]),
        profiles=tuple(_profile(n, p, payload, tuple(files.get(n, ()))) for n, p in raw["profiles"].items()),
        encoding=payload.get("encoding", "utf-8"),
        delimiter=payload.get("delimiter", ","),
        whole_lines=payload.get("whole_lines", False),
        empty=frozenset(payload.get("empty", ())),
        profile_path=payload.get("profile"),
        ignore_profiles=frozenset(payload.get("ignore_profiles", ())),
        received_from=received["from"],
        received_field=received.get("field"),
        received_pattern=received.get("pattern"),
        received_format=received.get("format"),
        duplicates=raw.get("duplicates", "last"),
        quality=raw.get("quality", {}),
    )


def _profile(name: str, p: dict[str, Any], payload: dict[str, Any], files: tuple[str, ...]) -> Profile:
    serial = p.get("serial", payload.get("serial"))
    readings = p.get("readings", payload.get("readings"))
    obis = readings is not None and readings.get("code_is") == "obis"
    constant = serial["constant"] if isinstance(serial, dict) else None

    def code(text: str) -> str:
        return str(Obis.parse(text)) if obis else text

    return Profile(
        name=name,
        kind=p["kind"],
        values=tuple(
            ValueMap(
                sources=tuple(code(s) for s in (v["from"] if isinstance(v["from"], list) else [v["from"]])),
                to=v["to"],
                attribute=str(v["attribute"]) if "attribute" in v else None,
                unit=v.get("unit"),
                scaler=v.get("scaler", 0),
                optional=v.get("optional", False),
            )
            for v in p["values"]
        ),
        files=files,
        code=p.get("code"),
        rows=p.get("rows", payload.get("rows")),
        serial=None if constant else serial,
        constant_serial=constant,
        readings=Readings(**readings) if readings else None,
        stamp=p.get("stamp"),
        slot=p.get("slot"),
        slots=p.get("slots", 0),
        interval_min=p.get("interval_min"),
        infer_interval=p.get("infer_interval", False),
        interval=p.get("interval"),
        detail=tuple(p.get("detail", ())),
        ignore=frozenset(code(s) for s in p.get("ignore", ())),
    )
