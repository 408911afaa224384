"""Vendor files: how one head-end system writes its data, as data. Reading of payloads is `readers`, this only loads and checks the file.

The language is declarative and small: names, paths, units, formats. A format that would need code in it is a reader instead.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import yaml

from ingestion import plugins
from ingestion.cim import check_pattern
from ingestion.obis import Obis, obis_or_text
from warehouse.tables import ALL_CHANNELS, QUANTITIES, REGISTERS

FOLDER = Path(__file__).parent / "vendors"
SCHEMA = Path(__file__).parent / "vendor.schema.json"

_SCHEMA: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
BUILT_IN: list[str] = _SCHEMA["properties"]["payload"]["properties"]["format"]["anyOf"][0]["enum"]
"""Formats that Meterhouse reads itself; plug-ins bring others."""

BY_FIELDS = frozenset({"csv_long", "csv_wide", "json", "xml"})
"""Formats that go by the columns and paths of the vendor file; the others know their own structure."""

TARGETS = {
    "block": frozenset({*ALL_CHANNELS, "stamp"}),
    "daily": frozenset({*REGISTERS, *QUANTITIES, "at", "md_import_at", "stamp"}),
    "instant": frozenset({*QUANTITIES, "at", "stamp"}),
    "billing": frozenset({*QUANTITIES, "at", "stamp"}),
    "event": frozenset({"code", "sequence", "stamp", *QUANTITIES}),
    "status": frozenset({"word", "stamp"}),
}
"""What a value of each kind of profile may be mapped to; a nameplate takes any name."""

ZONED = frozenset({"daily", "instant", "billing"})
"""Kinds of profile whose quantities have TOD zones."""

ZONES = range(9)
"""0 = total, 1 to 8 = TOD zone."""

UNSCALED = frozenset({"stamp", "at", "code", "sequence", "word"})

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
    "VA": ("VA", 0),
    "kVA": ("VA", 3),
    "MVA": ("VA", 6),
    "var": ("var", 0),
    "kvar": ("var", 3),
    "Mvar": ("var", 6),
    "mV": ("V", -3),
    "dV": ("V", -1),
    "V": ("V", 0),
    "kV": ("V", 3),
    "mA": ("A", -3),
    "A": ("A", 0),
    "kA": ("A", 3),
    "mHz": ("Hz", -3),
    "Hz": ("Hz", 0),
    "min": ("min", 0),
    "ms": ("s", -3),
    "s": ("s", 0),
    "dBm": ("dBm", 0),
    "degC": ("degC", 0),
    "1": ("1", 0),
    "%": ("1", -2),
}
"""Unit -> (base unit, power of ten). "1" is a plain number: a power factor, a count, a code."""

CANONICAL: dict[str, tuple[str, int]] = {
    "dv": ("V", 1),
    "mv": ("V", 3),
    "ma": ("A", 3),
    "wh": ("Wh", 0),
    "vah": ("VAh", 0),
    "varh": ("varh", 0),
    "w": ("W", 0),
    "va": ("VA", 0),
    "var": ("var", 0),
    "mhz": ("Hz", 3),
    "min": ("min", 0),
    "s": ("s", 0),
    "dbm": ("dBm", 0),
    "mdegc": ("degC", 3),
    "milli": ("1", 3),
    "count": ("1", 0),
    "flag": ("1", 0),
    "code": ("1", 0),
    "bits": ("1", 0),
}
"""Last part of a channel's name -> (base unit, power of ten from the base unit to the channel)."""

YES_AND_NO = {"true": "1", "True": "1", "false": "0", "False": "0"}
"""What flags are called where the vendor file gives no words of its own."""


class VendorError(ValueError):
    """A vendor file is wrong. The message has one line a fault: file, line, field, how to mend it."""


@dataclass(frozen=True)
class Readings:
    """A list of (code, value) below a row. Paths are relative to one reading. `units`: the payload's name of a unit -> ours."""

    path: str
    code: str
    value: str
    code_is: str = "text"
    attribute: str | None = None
    value_is: str = "text"
    unit: str | None = None
    unit_is: str = "name"
    units: dict[str, str] = field(default_factory=dict)
    scaler: str | None = None
    borrow: bool = False


@dataclass(frozen=True)
class Only:
    """The meters that a map is for: patterns as of file names, whatever the case; None = any."""

    make: str | None = None
    firmware: str | None = None
    serial: str | None = None

    def fits(self, make: str | None, firmware: str | None, serial: str | None) -> bool:
        pairs = ((self.make, make), (self.firmware, firmware), (self.serial, serial))
        return all(p is None or fnmatchcase((v or "").casefold(), p.casefold()) for p, v in pairs)


@dataclass(frozen=True)
class ValueMap:
    """One column, path or code -> one channel, register, quantity, event code, attribute or time.

    `of`: the quantity that a time `at` belongs to. `text`: taken as it is (nameplate). `force`: unit and scaler hold against the payload's.
    """

    sources: tuple[str, ...]
    to: str
    attribute: str | None = None
    unit: str | None = None
    scaler: int | None = None
    optional: bool = False
    zone: int = 0
    of: str | None = None
    words: dict[str, str] = field(default_factory=dict)
    only: Only | None = None
    force: bool = False
    text: bool = False

    def exponent(self, unit: str | None = None, scaler: int | None = None) -> int:
        """Power of ten from the source's number to the canonical integer; `unit` and `scaler` as the payload states them, else the map's.

        Raises ValueError where the unit is unknown or of another quantity.
        """
        if self.force:
            unit, scaler = None, None
        power_of_raw = scaler if scaler is not None else self.scaler or 0
        if self.text:
            return power_of_raw
        if self.to in UNSCALED:
            return 0
        base, power = CANONICAL[self.to.rsplit("_", 1)[1]]
        stated = unit or self.unit or ("1" if base == "1" else None)
        if stated is None:
            raise ValueError(f"no unit is stated for {self.to}: give the map a unit")
        if stated not in UNITS:
            raise ValueError(f"unit {stated} is unknown: {self.to} takes {base} or a multiple")
        of, mine = UNITS[stated]
        if of != base:
            raise ValueError(f"unit {stated} does not fit {self.to}, which takes {base} or a multiple")
        return mine + power + power_of_raw


@dataclass(frozen=True)
class Condition:
    """What a row must say to be of a profile: a number from `least` to `most`, or a text (any of a list's) that fits one of `patterns`."""

    path: str
    least: float | None = None
    most: float | None = None
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """One kind of payload of a vendor. `serial` is a column or path, `constant_serial` the one serial of all rows."""

    name: str
    kind: str
    values: tuple[ValueMap, ...]
    files: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()
    rows: str | None = None
    serial: str | None = None
    constant_serial: str | None = None
    readings: Readings | None = None
    stamp: str | None = None
    end: str | None = None
    date: str | None = None
    slot: str | None = None
    slots: int = 0
    interval_min: int | None = None
    infer_interval: bool = False
    interval: str | None = None
    interval_is: str = "min"
    detail: tuple[str, ...] = ()
    ignore: frozenset[str] = frozenset()

    @property
    def code(self) -> str | None:
        """The first of the codes by which the payload names the profile."""
        return self.codes[0] if self.codes else None


@dataclass(frozen=True)
class Vendor:
    """A vendor file, checked. `transport` is the section as written, for the transports; `options` are those of a plug-in's format."""

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
    columns_are: str = "text"
    codes: dict[str, str] = field(default_factory=dict)
    profile_path: str | None = None
    ignore_profiles: frozenset[str] = frozenset()
    make: str | None = None
    firmware: str | None = None
    received_from: str = "arrival"
    received_field: str | None = None
    received_pattern: str | None = None
    received_format: str | None = None
    duplicates: str = "last"
    quality: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    commands: dict[str, Any] | None = None
    """The section as written; `ingestion.commands.rest` reads it."""

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

    def code(self, text: str) -> str:
        """A code of the payload in its normal form: an OBIS code with dots, where it is one or `codes` makes it one."""
        name = obis_or_text(text)
        return self.codes.get(name, name)


def folders() -> Iterator[Path]:
    """Where vendor files are looked for, in this order: METERHOUSE_VENDORS, those that come with Meterhouse, those of plug-ins."""
    for part in os.environ.get("METERHOUSE_VENDORS", "").split(os.pathsep):
        if part:
            yield Path(part)
    yield FOLDER
    yield from plugins.vendor_folders()


def names() -> list[str]:
    """Names of all vendor files that are found."""
    return sorted({p.stem for folder in folders() for p in folder.glob("*.yml")})


def load_vendor(name_or_path: str | Path) -> Vendor:
    """Read a vendor file: a name in one of the `folders()`, or the path of a `.yml`.

    Raises VendorError, which names file, line, field and remedy of every fault found.
    """
    path = _path(name_or_path)
    loader, node = _compose(path)
    node = _extended(node, path, (path.resolve(),))
    try:
        raw = loader.construct_document(node)
    except yaml.YAMLError as e:
        raise _no_yaml(path, e) from None
    faults = [*_schema_faults(raw)]
    if not faults:
        faults = [*_sense_faults(raw, path)]
    if faults:
        raise VendorError("\n".join(f"{_place(path, node, where)}: {'.'.join(map(str, where)) or 'file'}: {m}" for where, m in faults))
    return _vendor(raw, path)


def _path(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix in {".yml", ".yaml"}:
        return path
    return next((p for folder in folders() if (p := folder / f"{name_or_path}.yml").is_file()), FOLDER / f"{name_or_path}.yml")


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are booleans, and every key is a text: ON and 73.25 are what they look like."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                key.tag = "tag:yaml.org,2002:str"
        return node


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _compose(path: Path) -> tuple[yaml.SafeLoader, yaml.Node]:
    """The file as YAML nodes, which know their file and line. Raises VendorError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(names())
        raise VendorError(f"{path}: no such vendor file. Known vendors: {known}; or give the path of a .yml") from None
    except (OSError, UnicodeDecodeError) as e:
        raise VendorError(f"{path}: cannot be read: {e}") from None
    try:
        loader = _Loader(text)
        loader.name = str(path)
        node = loader.get_single_node()
    except yaml.YAMLError as e:
        raise _no_yaml(path, e) from None
    return loader, node if node is not None else yaml.ScalarNode("tag:yaml.org,2002:null", "")


def _no_yaml(path: Path, e: yaml.YAMLError) -> VendorError:
    mark = getattr(e, "problem_mark", None)
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    return VendorError(f"{where}: not YAML: {getattr(e, 'problem', e)}. Quote texts with : # {{ }} [ ] or %")


# --- extends ----------------------------------------------------------------------------------------------------------------


def _extended(node: yaml.Node, path: Path, seen: tuple[Path, ...]) -> yaml.Node:
    """The node over that of the file that it extends, if any. Raises VendorError."""
    parent_name = _entry(node, "extends")
    if parent_name is None:
        return node
    line = f"{path}:{parent_name.start_mark.line + 1}: extends"
    if not isinstance(parent_name, yaml.ScalarNode) or not parent_name.value:
        raise VendorError(f"{line}: name one vendor file")
    parent_path = path.parent / f"{parent_name.value}.yml"
    if not parent_path.is_file() or parent_path.resolve() == path.resolve():
        parent_path = next((p for f in folders() if (p := f / parent_path.name).is_file() and p.resolve() != path.resolve()), parent_path)
    if parent_path.resolve() in seen:
        raise VendorError(f"{line}: {' extends '.join(p.stem for p in seen)} extends {parent_name.value}: a circle")
    try:
        _, parent = _compose(parent_path)
    except VendorError as e:
        raise VendorError(f"{line}: {e}") from None
    return _merged(_extended(parent, parent_path, (*seen, parent_path.resolve())), node)


def _entry(node: yaml.Node, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((v for k, v in node.value if k.value == key), None)


def _merged(parent: yaml.Node, child: yaml.Node) -> yaml.Node:
    """Mappings are merged key by key, null takes a key away, a list or text replaces the parent's; only `values` are joined."""
    if not isinstance(parent, yaml.MappingNode) or not isinstance(child, yaml.MappingNode):
        return child
    own = {k.value: v for k, v in child.value}
    pairs = []
    for k, v in parent.value:
        mine = own.get(k.value)
        if mine is None:
            pairs.append((k, v))
        elif k.value == "values" and isinstance(mine, yaml.SequenceNode) and isinstance(v, yaml.SequenceNode):
            pairs.append((k, _joined(v, mine)))
        elif mine.tag != "tag:yaml.org,2002:null":
            pairs.append((k, _merged(v, mine)))
    inherited = {k.value for k, _ in parent.value}
    pairs += [(k, v) for k, v in child.value if k.value not in inherited]
    return yaml.MappingNode(child.tag, pairs, child.start_mark, child.end_mark)


def _joined(parent: yaml.SequenceNode, child: yaml.SequenceNode) -> yaml.SequenceNode:
    """The child's maps, then those of the parent whose code the child does not map itself; a map `for` some meters leaves the parent's."""
    taken = {key for v in child.value if _entry(v, "for") is None for key in _codes(v)}
    kept = []
    for v in parent.value:
        sources = _entry(v, "from")
        left = [key[0] for key in _codes(v) if key not in taken]
        if not left or not isinstance(v, yaml.MappingNode):
            continue
        if isinstance(sources, yaml.SequenceNode) and len(left) < len(sources.value):
            fewer = yaml.SequenceNode(sources.tag, [s for s in sources.value if s.value in left], sources.start_mark, sources.end_mark)
            v = yaml.MappingNode(v.tag, [(k, fewer if w is sources else w) for k, w in v.value], v.start_mark, v.end_mark)
        kept.append(v)
    return yaml.SequenceNode(child.tag, [*child.value, *kept], child.start_mark, child.end_mark)


def _codes(value: yaml.Node) -> list[tuple[str, str]]:
    """(code, attribute) of each source of a map."""
    sources, attribute = _entry(value, "from"), _entry(value, "attribute")
    many = sources.value if isinstance(sources, yaml.SequenceNode) else [] if sources is None else [sources]
    return [(str(s.value), str(attribute.value) if attribute is not None else "") for s in many]


# --- faults -----------------------------------------------------------------------------------------------------------------

Fault = tuple[tuple[str | int, ...], str]


def _schema_faults(raw: object) -> Iterator[Fault]:
    validator = jsonschema.Draft202012Validator(_SCHEMA)
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
    if fmt not in BUILT_IN and fmt not in plugins.readers():
        formats = ", ".join([*BUILT_IN, *sorted(plugins.readers())])
        yield ("payload", "format"), f"{fmt} is not known: {formats}. A plug-in's package must be installed beside Meterhouse"
    for name in raw["transport"].get("files", {}):
        if name not in raw["profiles"] and (name != "all" or fmt.startswith("csv")):
            known = [*raw["profiles"], *([] if fmt.startswith("csv") else ["all"])]
            yield ("transport", "files", name), f"no such profile. Profiles: {', '.join(known)}"
    for code, obis in payload.get("codes", {}).items():
        try:
            Obis.parse(obis)
        except ValueError as e:
            yield ("payload", "codes", code), str(e)
    for name, p in raw["profiles"].items():
        yield from _profile_faults(raw, name, p)


def _profile_faults(raw: dict[str, Any], name: str, p: dict[str, Any]) -> Iterator[Fault]:
    payload, fmt, at = raw["payload"], raw["payload"]["format"], ("profiles", name)
    kind, readings = p["kind"], _readings(p, payload)
    targets = [v["to"] for v in p["values"]]
    if fmt in BY_FIELDS:
        in_topic = "{serial}" in str(raw["transport"].get("topics", ""))
        if "serial" not in p and "serial" not in payload and not in_topic:
            yield at, "no serial: name the column or path of the meter's serial, or serial: {constant: …}"
        if "stamp" not in p and "stamp" not in targets and kind != "nameplate":
            yield at, "no stamp: name the column or path of the stamp, or map a code to stamp"
        if "end" in p and (fmt != "csv_long" or kind != "block" or raw["time"]["stamp"] != "start"):
            yield (*at, "end"), "an end beside the stamp goes with csv_long, a block profile and time.stamp: start"
        if kind == "block" and not {"interval_min", "interval", "end"} & p.keys():
            if "slot" in p or fmt == "csv_wide":
                yield at, "slots need interval_min, or interval with the path where the payload states it"
            elif raw["time"]["stamp"] == "end":
                yield at, "stamps name the end of the interval: interval_min (or interval) is needed to find its start"
    if fmt in {"json", "xml"} and "rows" not in p and "rows" not in payload:
        yield at, "no rows: name the path of the rows, such as items[].entries[]"
    if fmt == "csv_wide" and "slots" not in p:
        yield at, "csv_wide needs slots: how many slots a line has"
    if payload.get("profile") and "code" not in p and "when" not in p:
        yield at, "no code: payload.profile is set, so say which profile code this is"
    obis = (readings or {}).get("code_is") == "obis" or payload.get("columns") == "obis"
    for i, v in enumerate(p["values"]):
        here, to = (*at, "values", i), v["to"]
        if kind != "nameplate" and to not in TARGETS[kind]:
            yield (*here, "to"), f"{to} does not belong in a {kind} profile: {', '.join(sorted(TARGETS[kind]))}"
        elif kind != "nameplate" and to not in UNSCALED and to != "md_import_at":
            try:
                ValueMap((), to, unit=v.get("unit")).exponent()
            except ValueError as e:
                yield here, str(e)
        if kind not in ZONED and v.get("zone"):
            yield (*here, "zone"), f"a {kind} profile has no TOD zones"
        if to == "at" and v.get("of") not in targets:
            yield here, "at is the time of a quantity: name it, as in {from: …, to: at, of: md_import_w}, and map it too"
        for what in ("make", "firmware"):
            if what in v.get("for", {}) and what not in payload:
                yield (*here, "for", what), f"where does the payload state it? Name the path or column as payload.{what}"
        for s in _sources(v):
            if obis and s not in (p.get("stamp"), p.get("serial")):
                try:
                    Obis.parse(s.replace("{zone}", "0"))
                except ValueError as e:
                    yield (*here, "from"), f"{e}, or under payload.codes"
            if (fmt == "cim_meter_readings" and kind != "event") or (readings or {}).get("code_is") == "cim":
                try:
                    check_pattern(s.replace("{zone}", "0"))
                except ValueError as e:
                    yield (*here, "from"), str(e)
            if fmt == "csv_wide" and "{slot" not in s:
                yield (*here, "from"), "csv_wide: write the column's pattern with {slot}, such as B{slot:02d}"


def _readings(p: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any] | None:
    readings = p.get("readings", payload.get("readings"))
    return None if readings == "none" else readings


def _sources(v: dict[str, Any]) -> list[str]:
    return v["from"] if isinstance(v["from"], list) else [v["from"]]


def _place(path: Path, node: yaml.Node, where: tuple[str | int, ...]) -> str:
    """File and line of the field, or of the nearest field above it: the file is that of the parent where it is inherited."""
    mark = node.start_mark
    for step in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            mark = node.start_mark
        else:
            break
    return f"{mark.name}:{mark.line + 1}" if mark else f"{path}:1"


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
        columns_are=payload.get("columns", "text"),
        codes={obis_or_text(code): str(Obis.parse(obis)) for code, obis in payload.get("codes", {}).items()},
        profile_path=payload.get("profile"),
        ignore_profiles=frozenset(obis_or_text(c) for c in payload.get("ignore_profiles", ())),
        make=payload.get("make"),
        firmware=payload.get("firmware"),
        received_from=received["from"],
        received_field=received.get("field"),
        received_pattern=received.get("pattern"),
        received_format=received.get("format"),
        duplicates=raw.get("duplicates", "last"),
        quality=raw.get("quality", {}),
        options=payload.get("options", {}),
        commands=raw.get("commands"),
    )


def _profile(name: str, p: dict[str, Any], payload: dict[str, Any], files: tuple[str, ...]) -> Profile:
    serial = p.get("serial", payload.get("serial"))
    readings = _readings(p, payload)
    obis = (readings is not None and readings.get("code_is") == "obis") or payload.get("columns") == "obis"
    constant = serial["constant"] if isinstance(serial, dict) else None

    def code(text: str) -> str:
        return obis_or_text(text) if obis else text

    def column(text: str | None) -> str | None:
        return obis_or_text(text) if text and payload.get("columns") == "obis" else text

    ignore = frozenset(code(s) for s in p.get("ignore", ()))
    codes = p.get("code", [])
    return Profile(
        name=name,
        kind=p["kind"],
        values=tuple(m for v in p["values"] for m in _maps(v, p["kind"], code, ignore)),
        files=files,
        codes=tuple(obis_or_text(c) for c in ([codes] if isinstance(codes, str) else codes)),
        when=tuple(Condition(c["path"], c.get("min"), c.get("max"), tuple(c.get("any", ()))) for c in p.get("when", ())),
        rows=p.get("rows", payload.get("rows")),
        serial=None if constant else column(serial),
        constant_serial=constant,
        readings=Readings(**readings) if readings else None,
        stamp=column(p.get("stamp")),
        end=column(p.get("end")),
        date=column(p.get("date")),
        slot=p.get("slot"),
        slots=p.get("slots", 0),
        interval_min=p.get("interval_min"),
        infer_interval=p.get("infer_interval", False),
        interval=p.get("interval"),
        interval_is=p.get("interval_is", "min"),
        detail=tuple(p.get("detail", ())),
        ignore=ignore,
    )


def _maps(v: dict[str, Any], kind: str, code: Callable[[str], str], ignore: frozenset[str]) -> Iterator[ValueMap]:
    """One map, or one for each zone where the source is a pattern with {zone}; none where the profile ignores its sources."""
    to, of = (v["to"], v.get("of")) if v["to"] != "md_import_at" else ("at", "md_import_w")
    zoned = any("{zone}" in s for s in _sources(v))
    words = {**(YES_AND_NO if to.endswith("_flag") else {}), **{str(k): str(w) for k, w in v.get("words", {}).items()}}
    for zone in ZONES if zoned else [v.get("zone", 0)]:
        sources = tuple(s for s in (code(s.replace("{zone}", str(zone))) for s in _sources(v)) if s not in ignore)
        if sources:
            yield ValueMap(
                sources=sources,
                to=to,
                attribute=str(v["attribute"]) if "attribute" in v else None,
                unit=v.get("unit"),
                scaler=v.get("scaler"),
                optional=zoned or v.get("optional", False),
                zone=zone,
                of=of,
                words=words,
                only=Only(**v["for"]) if "for" in v else None,
                force=v.get("force", False),
                text=kind == "nameplate" and to != "stamp",
            )
