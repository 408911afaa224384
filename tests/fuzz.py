"""Spoils payloads as wires, disks and strangers do. Seeded: a failure names the seed that brings it back.

Used by the tests of every adapter: `for spoilt in mutations(payload, 1000, seed=1): …`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

HUGE = [b"9" * 400, b"1e999", b"-1e-999", b"18446744073709551616", b"NaN", b"Infinity", b"0x7fffffff", b"-0", b"1" + b"0" * 4400]
TEXTS = [b"\x00", b"\xff\xfe", b"\xed\xa0\x80", "\u202e\u0d4d".encode(), b"'; drop table raw.batch; --", b"${x}", b"%s%n"]
TEXTS += [b"\r\n", b'"', b"<", b"&x;"]
STAMPS = [b"0000-00-00 00:00:00", b"9999-12-31T23:59:59Z", b"2026-02-30 24:61:61", b"-1", b"253402300800000"]
STAMPS += [b"1969-12-31T23:59:59.999999+14:00"]
_NUMBER = re.compile(rb"\d+(?:\.\d+)?")
MAX_BYTES = 1 << 20


def flip_bits(r: random.Random, data: bytearray) -> None:
    for _ in range(r.randint(1, 8)):
        data[r.randrange(len(data))] ^= 1 << r.randrange(8)


def truncate(r: random.Random, data: bytearray) -> None:
    del data[r.randrange(len(data)) :]


def cut_out(r: random.Random, data: bytearray) -> None:
    a, b = sorted(r.randrange(len(data)) for _ in range(2))
    del data[a:b]


def duplicate(r: random.Random, data: bytearray) -> None:
    a, b = sorted(r.randrange(len(data)) for _ in range(2))
    data[b:b] = data[a:b] * r.randint(1, 3)


def splice(r: random.Random, data: bytearray) -> None:
    """A piece from elsewhere in the payload over another."""
    a, b = sorted(r.randrange(len(data)) for _ in range(2))
    at = r.randrange(len(data))
    data[at : at + r.randint(0, b - a + 1)] = data[a:b]


def replace_number(r: random.Random, data: bytearray) -> None:
    found = [m.span() for m in _NUMBER.finditer(data)]
    if found:
        a, b = r.choice(found)
        data[a:b] = r.choice(HUGE + STAMPS)


def insert_text(r: random.Random, data: bytearray) -> None:
    at = r.randrange(len(data))
    data[at:at] = r.choice(TEXTS)


def nest(r: random.Random, data: bytearray) -> None:
    """Thousands of brackets or elements within each other."""
    at, deep = r.randrange(len(data)), r.choice([10, 100, 2000, 20000])
    data[at:at] = r.choice([b"[", b'{"a":', b"<a>", b"(", b"\x02\x01"]) * deep


def swap_lines(r: random.Random, data: bytearray) -> None:
    lines = data.split(b"\n")
    if len(lines) > 1:
        a, b = r.randrange(len(lines)), r.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
        data[:] = b"\n".join(lines)


MUTATORS: Sequence[Callable[[random.Random, bytearray], None]] = (
    *(flip_bits, truncate, cut_out, duplicate, splice, replace_number, insert_text, nest, swap_lines),
)


def mutate(payload: bytes, seed: int) -> bytes:
    """The payload, spoilt in one to four ways; the same for the same seed. Never longer than MAX_BYTES."""
    r = random.Random(seed)
    data = bytearray(payload)
    for _ in range(r.choice([1, 1, 1, 2, 3, 4])):
        if data:
            r.choice(MUTATORS)(r, data)
        del data[MAX_BYTES:]
    return bytes(data)


def mutations(payload: bytes, count: int, seed: int = 0) -> Iterator[tuple[int, bytes]]:
    """(seed, spoilt payload), `count` of them."""
    for n in range(seed, seed + count):
        yield n, mutate(payload, n)
