"""A-XDR, the encoding of COSEM values: reading with limits, and the few writings that a client needs. Source: IEC 62056-5-3, 6.10.

Every element takes at least one octet, so a count beyond the octets that are left is refused before anything is made of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingestion.dlms.errors import DlmsMalformed

MAX_DEPTH = 12
ARRAY, STRUCTURE, BITS, OCTETS = 0x01, 0x02, 0x04, 0x09
_NUMBERS = {
    0x03: ">?",
    0x05: ">i",
    0x06: ">I",
    0x0D: ">B",
    0x0F: ">b",
    0x10: ">h",
    0x11: ">B",
    0x12: ">H",
    0x14: ">q",
    0x15: ">Q",
    0x16: ">B",
    0x17: ">f",
    0x18: ">d",
}
_FIXED = {0x19: 12, 0x1A: 5, 0x1B: 4}
"""date-time, date, time."""

NOT_SPECIFIED = -0x8000


@dataclass(frozen=True, slots=True)
class Data:
    """One value. `value`: a number, bool, bytes (strings, dates), None (null) or a list of Data (array, structure)."""

    tag: int
    value: Any
    source: bytes
    begin: int
    end: int

    @property
    def octets(self) -> bytes:
        """The value as it was received, tag and length included."""
        return self.source[self.begin : self.end]

    @property
    def items(self) -> list[Data]:
        """Elements of an array or structure. Raises DlmsMalformed for anything else."""
        if not isinstance(self.value, list):
            raise DlmsMalformed(f"an array or structure was expected, not {self.octets[:20].hex()}")
        return self.value

    def first(self, count: int) -> list[Data]:
        """The first elements of an array or structure. Raises DlmsMalformed where it has fewer."""
        items = self.items
        if len(items) < count:
            raise DlmsMalformed(f"{count} elements were expected, not {self.octets[:20].hex()}")
        return items[:count]

    @property
    def number(self) -> int:
        """Raises DlmsMalformed where it is no whole number."""
        if not isinstance(self.value, int):
            raise DlmsMalformed(f"a whole number was expected, not {self.octets[:20].hex()}")
        return self.value

    @property
    def text(self) -> str:
        """A string's octets as text. Raises DlmsMalformed for anything but a string or number."""
        if isinstance(self.value, bytes):
            return self.value.decode("utf-8", "replace").strip("\x00 ")
        if isinstance(self.value, int):
            return str(self.value)
        raise DlmsMalformed(f"a text was expected, not {self.octets[:20].hex()}")

    @property
    def obis(self) -> str:
        """Six octets as `1.0.1.8.0.255`. Raises DlmsMalformed for anything else."""
        if not isinstance(self.value, bytes) or len(self.value) != 6:
            raise DlmsMalformed(f"a logical name was expected, not {self.octets[:20].hex()}")
        return ".".join(map(str, self.value))


def read(data: bytes) -> Data:
    """The one value that fills `data`. Raises DlmsMalformed."""
    value, end = read_at(data, 0)
    if end != len(data):
        raise DlmsMalformed(f"{len(data) - end} octets stand behind the value")
    return value


def read_at(data: bytes, at: int, depth: int = 0) -> tuple[Data, int]:
    """(value at `at`, index behind it). Raises DlmsMalformed."""
    if at >= len(data):
        raise DlmsMalformed("the octets end where a value was expected")
    begin, tag, at = at, data[at], at + 1
    value: Any
    if tag == 0:
        value = None
    elif tag in (ARRAY, STRUCTURE):
        if depth >= MAX_DEPTH:
            raise DlmsMalformed(f"values are nested more than {MAX_DEPTH} deep")
        count, at = read_length(data, at)
        if count > len(data) - at:
            raise DlmsMalformed(f"{count} elements do not fit into the {len(data) - at} octets that are left")
        value = []
        for _ in range(count):
            item, at = read_at(data, at, depth + 1)
            value.append(item)
    elif tag in _NUMBERS:
        size = struct.calcsize(_NUMBERS[tag])
        octets, at = take(data, at, size)
        value = struct.unpack(_NUMBERS[tag], octets)[0]
    elif tag in _FIXED:
        value, at = take(data, at, _FIXED[tag])
    elif tag in (OCTETS, 0x0A, 0x0C):
        size, at = read_length(data, at)
        value, at = take(data, at, size)
    elif tag == BITS:
        size, at = read_length(data, at)
        value, at = take(data, at, (size + 7) // 8)
    else:
        raise DlmsMalformed(f"A-XDR tag {tag:02x} is not known")
    return Data(tag, value, data, begin, at), at


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """(length or count, index behind it), of at most four octets. Raises DlmsMalformed."""
    first, at = take(data, at, 1)
    if first[0] < 0x80:
        return first[0], at
    size = first[0] & 0x7F
    if not 1 <= size <= 4:
        raise DlmsMalformed(f"a length of {size} octets")
    octets, at = take(data, at, size)
    return int.from_bytes(octets, "big"), at


def take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    """(the next `size` octets, index behind them). Raises DlmsMalformed where they are not there."""
    if size > len(data) - at:
        raise DlmsMalformed(f"{size} octets were announced and {len(data) - at} are left")
    return data[at : at + size], at + size


# --- writing ---


def length(n: int) -> bytes:
    if n < 0x80:
        return bytes([n])
    size = (n.bit_length() + 7) // 8
    return bytes([0x80 | size]) + n.to_bytes(size, "big")


def octets(value: bytes) -> bytes:
    return b"\x09" + length(len(value)) + value


def structure(*elements: bytes) -> bytes:
    return b"\x02" + length(len(elements)) + b"".join(elements)


def array(elements: Iterable[bytes]) -> bytes:
    items = list(elements)
    return b"\x01" + length(len(items)) + b"".join(items)


def u8(value: int) -> bytes:
    return b"\x11" + value.to_bytes(1, "big")


def u16(value: int) -> bytes:
    return b"\x12" + value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    return b"\x06" + value.to_bytes(4, "big")


def i8(value: int) -> bytes:
    return b"\x0f" + value.to_bytes(1, "big", signed=True)


def logical_name(obis: str) -> bytes:
    """Six octets of `1.0.1.8.0.255`. Raises ValueError."""
    groups = bytes(int(g) for g in obis.split("."))
    if len(groups) != 6:
        raise ValueError(f"{obis!r} is no OBIS code: it has six groups, such as 1.0.1.8.0.255")
    return groups


def date_time(local: datetime, deviation: int = NOT_SPECIFIED) -> bytes:
    """The 12 octets of a local time; its deviation is not stated, which every meter takes as its own."""
    day = (local.year, local.month, local.day, 0xFF)
    return struct.pack(">HBBBBBBBhB", *day, local.hour, local.minute, local.second, 0xFF, deviation, 0xFF)
