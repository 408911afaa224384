"""What meters send by themselves: data notifications, plain or ciphered, whole or in blocks. Octets in, profiles out; no socket.

The body is either self-describing (it begins with its push object list) or has the order that the vendor file's `transport.push` states:
`- {setup: 0.0.25.9.0.255, profile: 1.0.94.91.0.255, firmware: "1.*", objects: [{class: 3, of: 1.0.1.8.0.255, unit: 30, scalar: 0}, …]}`.
A register is never read without its scaler. Source: IEC 62056-5-3, 8 and IEC 62056-6-2, class 40.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from ingestion.dlms import axdr
from ingestion.dlms.axdr import Data
from ingestion.dlms.errors import DlmsMalformed, DlmsNotAuthentic
from ingestion.dlms.meter import DATA, PROFILE_GENERIC, SCALER_ATTRIBUTE, scaler_unit
from ingestion.dlms.profiles import Column, Profile, profile_objects
from ingestion.dlms.security import Keys

MAX_PUSH_OCTETS = 1 << 18
"""Longest notification, over all its blocks."""

DATA_NOTIFICATION, DATA_NOTIFICATION_CONFIRM, GENERAL_CIPHERED, GENERAL_BLOCK = 0x0F, 0x10, 0xDB, 0xE0
CONFIRMED_SERVICE = 0x40
LAST_BLOCK, STREAMING = 0x80, 0x40
PUSH_SETUP = 40
IDENTITIES = ("0.0.96.1.0.255", "0.0.96.1.2.255", "0.0.42.0.0.255")
"""Serial, device id, logical device name: what a body may say of who sends it."""


@dataclass(frozen=True)
class Notification:
    """A data notification. `invoke` is returned where it asks for a confirmation."""

    invoke: bytes
    body: Data

    @property
    def confirmed(self) -> bool:
        return bool(self.invoke[0] & CONFIRMED_SERVICE)


@dataclass
class Assembler:
    """Puts the blocks of one connection together."""

    _parts: bytearray = field(default_factory=bytearray)
    _next: int = 1

    def feed(self, apdu: bytes) -> tuple[bytes | None, bytes | None]:
        """(a whole message or None while blocks are missing, what is to be answered at once or None). Raises DlmsMalformed."""
        if apdu[:1] != bytes([GENERAL_BLOCK]):
            if self._parts:
                raise DlmsMalformed("another message where a further block was expected")
            return apdu, None
        head, at = axdr.take(apdu, 1, 5)
        control, number = head[0], int.from_bytes(head[1:3], "big")
        size, at = axdr.read_length(apdu, at)
        part, end = axdr.take(apdu, at, size)
        if number != self._next or end != len(apdu):
            raise DlmsMalformed(f"block {number} where block {self._next} was expected")
        if len(self._parts) + len(part) > MAX_PUSH_OCTETS:
            raise DlmsMalformed(f"blocks of more than {MAX_PUSH_OCTETS} octets")
        self._parts += part
        self._next = self._next % 0xFFFF + 1
        if control & LAST_BLOCK:
            whole = bytes(self._parts)
            self._parts, self._next = bytearray(), 1
            return whole, None
        if control & STREAMING:
            return None, None
        return None, bytes([GENERAL_BLOCK, LAST_BLOCK | 1]) + b"\x00\x01" + number.to_bytes(2, "big") + b"\x00"


def sender(apdu: bytes) -> bytes | None:
    """The system title that a ciphered message names; None where it is not ciphered. Raises DlmsMalformed for other messages."""
    if apdu[:1] == bytes([DATA_NOTIFICATION]):
        return None
    if apdu[:1] != bytes([GENERAL_CIPHERED]):
        raise DlmsMalformed(f"no data notification, plain or under general-glo-ciphering, but {apdu[:8].hex()}")
    size, at = axdr.read_length(apdu, 1)
    if size != 8:
        raise DlmsMalformed(f"a system title of {size} octets")
    return axdr.take(apdu, at, size)[0]


def unseal(apdu: bytes, keys: Keys) -> tuple[int, bytes]:
    """(invocation counter, plain message) of a ciphered one. Raises DlmsNotAuthentic, DlmsMalformed."""
    title = axdr.take(apdu, 2, 8)[0]
    size, at = axdr.read_length(apdu, 10)
    sealed, end = axdr.take(apdu, at, size)
    if end != len(apdu):
        raise DlmsMalformed(f"{len(apdu) - end} octets stand behind the ciphered message")
    return keys.open(title, sealed)


def notification(apdu: bytes) -> Notification:
    """A plain data notification. Raises DlmsMalformed."""
    if apdu[:1] != bytes([DATA_NOTIFICATION]):
        raise DlmsMalformed(f"a data notification was expected, not {apdu[:8].hex()}")
    invoke, at = axdr.take(apdu, 1, 4)
    size, at = axdr.read_length(apdu, at)
    if size not in (0, 12):
        raise DlmsMalformed(f"a date-time of {size} octets")
    _, at = axdr.take(apdu, at, size)
    return Notification(invoke, axdr.read(apdu[at:]))


def confirmation(invoke: bytes) -> bytes:
    """The answer to a notification that asks for one: what it brought is committed."""
    return bytes([DATA_NOTIFICATION_CONFIRM]) + invoke + b"\x00"


# --- bodies ---


@dataclass(frozen=True)
class PushObject:
    """One element of a body; `columns` of a profile's buffer."""

    column: Column
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class PushSetup:
    """A push setup as the vendor file states it. `profile`: under which profile code its single values are landed."""

    obis: str
    profile: str
    objects: tuple[PushObject, ...] = ()
    firmware: str = "*"


def push_setups(raw: Sequence[dict[str, Any]]) -> list[PushSetup]:
    """`transport.push` of a vendor file. Raises ValueError, which names the entry."""
    setups = []
    for i, entry in enumerate(raw):
        try:
            objects = tuple(PushObject(_column(o), tuple(_column(c) for c in o.get("columns", ()))) for o in entry.get("objects", ()))
            setups.append(PushSetup(entry["setup"], entry.get("profile", entry["setup"]), objects, str(entry.get("firmware", "*"))))
            for o in (*objects, *(PushObject(c) for p in objects for c in p.columns)):
                axdr.logical_name(o.column.obis)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise ValueError(f"transport.push[{i}] is not understood ({type(e).__name__}: {e}): see ingestion/dlms/push.py") from None
    return setups


def _column(o: dict[str, Any]) -> Column:
    return Column(int(o["class"]), o["of"], int(o.get("attribute", 2)), unit=o.get("unit"), scaler=o.get("scalar"))


@dataclass(frozen=True)
class Pushed:
    """What a body says: of whom, where it says that, and what."""

    identity: str | None
    profiles: list[Profile]


def interpret(body: Data, setups: Sequence[PushSetup], firmware: str = "") -> Pushed:
    """The profiles of a body. Raises DlmsMalformed."""
    elements = body.items
    named = _push_object_list(elements[0]) if elements else None
    if named is not None:
        values = elements if named[0].column.class_id == PUSH_SETUP and named[0].column.attribute == 2 else elements[1:]
        if len(values) != len(named):
            raise DlmsMalformed(f"a push object list of {len(named)} entries for {len(values)} values")
        named, setup = _described(named, values), _setup_named(named, values, setups)
    else:
        values, setup = elements, _setup_of(elements, setups, firmware)
        named = list(setup.objects)
    identity: str | None = None
    profiles: list[Profile] = []
    single: list[tuple[Column, Data]] = []
    for o, value in zip(named, values, strict=True):
        c = o.column
        if c.class_id == PUSH_SETUP or (c.class_id in SCALER_ATTRIBUTE and c.attribute == SCALER_ATTRIBUTE[c.class_id]):
            continue
        if c.class_id == PROFILE_GENERIC:
            if c.attribute == 2 and not _is_scaler_profile(c.obis):
                profiles.append(_rows(c.obis, o.columns, value))
        elif c.class_id == DATA and c.obis in IDENTITIES:
            identity = value.text
        else:
            single.append((_with_scaler(c), value))
    if single:
        profiles.append(Profile(setup.profile, tuple(c for c, _ in single), [[v for _, v in single]]))
    if not profiles:
        raise DlmsMalformed("a push without any values")
    return Pushed(identity, profiles)


def _push_object_list(first: Data) -> list[PushObject] | None:
    """The list that a self-describing body begins with, None where it does not."""
    if first.tag != axdr.ARRAY or not first.value:
        return None
    found = []
    for entry in first.items:
        if entry.tag != axdr.STRUCTURE or len(entry.items) < 4:
            return None
        class_id, name, attribute, index = entry.items[:4]
        found.append(PushObject(Column(class_id.number, name.obis, attribute.number, index.number)))
    return found


def _described(named: list[PushObject], values: list[Data]) -> list[PushObject]:
    """The list with what its own entries say of scalers and captured objects."""
    by_name = {(o.column.class_id, o.column.obis, o.column.attribute): v for o, v in zip(named, values, strict=True)}
    out = []
    for o in named:
        c = o.column
        scaled = by_name.get((c.class_id, c.obis, SCALER_ATTRIBUTE.get(c.class_id, 0))) if c.attribute == 2 else None
        if scaled is not None:
            scaler, unit = scaler_unit(scaled)
            out.append(PushObject(replace(c, scaler=scaler, unit=unit)))
        elif c.class_id == PROFILE_GENERIC and c.attribute == 2 and (captured := by_name.get((PROFILE_GENERIC, c.obis, 3))) is not None:
            scalers = next((p.scaler_obis for p in profile_objects().values() if p.obis == c.obis), "")
            names, units = by_name.get((PROFILE_GENERIC, scalers, 3)), by_name.get((PROFILE_GENERIC, scalers, 2))
            known = {}
            if names is not None and units is not None and units.items:
                pairs = zip(_push_object_list(names) or [], units.items[0].items, strict=False)
                known = {n.column.obis: scaler_unit(v) for n, v in pairs}
            columns = [p.column for p in _push_object_list(captured) or []]
            scaled_columns = [
                replace(x, scaler=known[x.obis][0], unit=known[x.obis][1]) if x.obis in known and x.attribute == 2 else x for x in columns
            ]
            out.append(PushObject(c, tuple(scaled_columns)))
        else:
            out.append(o)
    return out


def _setup_named(named: list[PushObject], values: list[Data], setups: Sequence[PushSetup]) -> PushSetup:
    obis = next((o.column.obis for o in named if o.column.class_id == PUSH_SETUP), "")
    return next((s for s in setups if s.obis == obis), PushSetup(obis, obis or profile_objects()["instant"].obis))


def _setup_of(elements: list[Data], setups: Sequence[PushSetup], firmware: str) -> PushSetup:
    """The setup of the vendor file whose order this body has. Raises DlmsMalformed where there is not exactly one."""

    def fits(s: PushSetup) -> bool:
        if len(s.objects) != len(elements) or not fnmatchcase(firmware.casefold(), s.firmware.casefold()):
            return False
        named = [v for o, v in zip(s.objects, elements, strict=True) if o.column.class_id == PUSH_SETUP]
        return all(v.value == axdr.logical_name(s.obis) for v in named)

    found = [s for s in setups if fits(s)]
    if len(found) != 1:
        how = "no" if not found else "more than one"
        raise DlmsMalformed(f"{how} push setup of the vendor file has {len(elements)} objects in this order: add it to transport.push")
    return found[0]


def _with_scaler(c: Column) -> Column:
    if c.class_id in SCALER_ATTRIBUTE and c.attribute == 2 and c.scaler is None:
        raise DlmsMalformed(f"neither the push nor the vendor file states the scaler of {c.obis}")
    return c


def _rows(obis: str, columns: tuple[Column, ...], buffer: Data) -> Profile:
    if not columns:
        raise DlmsMalformed(f"neither the push nor the vendor file states the columns of profile {obis}")
    rows = [row.items for row in buffer.items]
    if any(len(row) != len(columns) for row in rows):
        raise DlmsMalformed(f"profile {obis}: rows that have not the {len(columns)} columns")
    return Profile(obis, tuple(_with_scaler(c) for c in columns), rows)


def _is_scaler_profile(obis: str) -> bool:
    return any(p.scaler_obis == obis for p in profile_objects().values())


@dataclass
class Counters:
    """The last invocation counter of each sender. `load(title)` is asked once for each."""

    load: Callable[[bytes], int]
    _last: dict[bytes, int] = field(default_factory=dict)

    def check(self, title: bytes, counter: int) -> None:
        """Raises DlmsNotAuthentic for a counter that was used before."""
        if title not in self._last:
            self._last[title] = self.load(title)
        if counter <= self._last[title]:
            raise DlmsNotAuthentic(f"invocation counter {counter} of {title.hex()} is not above {self._last[title]}: a replay")

    def advance(self, title: bytes, counter: int) -> None:
        """What came with this counter is committed."""
        self._last[title] = counter
