"""A-XDR of the simulated meters: octets of values, and values from the octets that a client sends. Source: IEC 62056-5-3, 6.10."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

_NUMBERS = {
    "u8": (0x11, ">B"),
    "u16": (0x12, ">H"),
    "u32": (0x06, ">I"),
    "u64": (0x15, ">Q"),
    "i8": (0x0F, ">b"),
    "i16": (0x10, ">h"),
    "i32": (0x05, ">i"),
    "enum": (0x16, ">B"),
}
_FORMATS = {**dict(_NUMBERS.values()), 0x03: ">?"}

NULL = b"\x00"
NOT_SPECIFIED = -0x8000
"""Deviation of a date-time that does not say its zone."""


def length(n: int) -> bytes:
    """Length of octets or number of elements."""
    return bytes([n]) if n < 0x80 else b"\x81" + bytes([n]) if n < 0x100 else b"\x82" + n.to_bytes(2, "big")


def number(kind: str, value: int) -> bytes:
    """A number of the kind u8 to u64, i8 to i32 or enum."""
    tag, fmt = _NUMBERS[kind]
    return bytes([tag]) + struct.pack(fmt, value)


def boolean(value: bool) -> bytes:
    return b"\x03\x01" if value else b"\x03\x00"


def octets(value: bytes) -> bytes:
    return b"\x09" + length(len(value)) + value


def bits(value: bytes) -> bytes:
    """A bit-string of whole octets."""
    return b"\x04" + length(8 * len(value)) + value


def structure(*elements: bytes) -> bytes:
    return b"\x02" + length(len(elements)) + b"".join(elements)


def array(elements: Iterable[bytes]) -> bytes:
    items = list(elements)
    return b"\x01" + length(len(items)) + b"".join(items)


def logical_name(obis: str) -> bytes:
    """Six octets of `1.0.1.8.0.255`."""
    return bytes(int(group) for group in obis.split("."))


def date_time(local: datetime | None, deviation: int = 330) -> bytes:
    """The 12 octets of a naive local time; None is "no date"."""
    if local is None:
        return b"\xff" * 9 + struct.pack(">hB", deviation, 0)
    day = (local.year, local.month, local.day, local.isoweekday())
    return struct.pack(">HBBBBBBBhB", *day, local.hour, local.minute, local.second, 0xFF, deviation, 0)


def local_time(value: bytes) -> datetime:
    """Naive Indian Standard Time of 12 octets. A deviation of 330 minutes with either sign, or none, says that it is Indian already;
    any other is minutes from local time to UTC. Raises ValueError."""
    if len(value) != 12:
        raise ValueError(f"a date-time has 12 octets, not {len(value)}")
    year, month, day, _, hour, minute, second, _, deviation, _ = struct.unpack(">HBBBBBBBhB", value)
    local = datetime(year, month, day, hour, minute, 0 if second == 0xFF else second)
    return local if deviation in (330, -330, NOT_SPECIFIED) else local + timedelta(minutes=deviation + 330)


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """(length, index behind it)."""
    n = data[at]
    if n < 0x80:
        return n, at + 1
    size = n & 0x7F
    return int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size


def read(data: bytes, at: int = 0) -> tuple[Any, int]:
    """(value, index behind it): lists for arrays and structures, bytes for strings. Raises ValueError, IndexError or struct.error."""
    tag, at = data[at], at + 1
    if tag == 0:
        return None, at
    if tag in (0x01, 0x02):
        count, at = read_length(data, at)
        if count > len(data):
            raise ValueError(f"{count} elements do not fit into {len(data)} octets")
        items = []
        for _ in range(count):
            item, at = read(data, at)
            items.append(item)
        return items, at
    if tag in (0x09, 0x0A, 0x0C):
        size, at = read_length(data, at)
        return data[at : at + size], at + size
    if tag == 0x19:
        return data[at : at + 12], at + 12
    if tag in _FORMATS:
        size = struct.calcsize(_FORMATS[tag])
        return struct.unpack(_FORMATS[tag], data[at : at + size])[0], at + size
    raise ValueError(f"tag {tag:02x} is not known")
