"""OBIS codes in every notation that head-end systems use, and the unit codes of DLMS. Which channel a code feeds is vendor data, not here.

Sources: IEC 62056-6-1 (structure), IEC 62056-6-2 (unit enumeration), domain 2.1.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

DLMS_UNITS = {6: "min", 27: "W", 28: "VA", 29: "var", 30: "Wh", 31: "VAh", 32: "varh", 33: "A", 35: "V", 44: "Hz"}
"""Unit enumeration of DLMS -> unit, as far as meters of IS 15959 use it."""

DLMS_NO_UNIT = frozenset({0, 255})
"""Both mean "no unit": makes differ."""

_DOTTED = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")
_EDIS = re.compile(r"(?:(\d{1,3})-(\d{1,3}):)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\*(\d{1,3}))?")
_HEX = re.compile(r"[0-9A-Fa-f]{2}(?:([_ :]?)[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}")
_ABSTRACT = frozenset({96, 97})


@dataclass(frozen=True, order=True)
class Obis:
    """One OBIS code: value groups A to F, each 0 to 255."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int = 255

    def __post_init__(self) -> None:
        for name, v in zip("ABCDEF", self.groups, strict=True):
            if not 0 <= v <= 255:
                raise ValueError(f"OBIS group {name} is {v}: it must be 0 to 255")

    @property
    def groups(self) -> tuple[int, int, int, int, int, int]:
        return self.a, self.b, self.c, self.d, self.e, self.f

    def __str__(self) -> str:
        return ".".join(map(str, self.groups))

    @property
    def edis(self) -> str:
        """`1-0:1.8.0*255`."""
        return f"{self.a}-{self.b}:{self.c}.{self.d}.{self.e}*{self.f}"

    def hex(self, separator: str = "") -> str:
        """`0100630100FF`, or with a separator `01_00_63_01_00_FF`."""
        return separator.join(f"{v:02X}" for v in self.groups)

    @property
    def base64(self) -> str:
        """The six octets in base64, `AQBjAQD/`."""
        return base64.b64encode(bytes(self.groups)).decode()

    @classmethod
    def parse(cls, text: str) -> Obis:
        """Read any notation: dotted (6 or 5 groups), EDIS (`1-0:1.8.0*255`, `1-0:1.8.0`), short (`1.8.0`) or hex
        (`01_00_63_01_00_FF`, also joined or with spaces or colons).

        What is left out is F = 255, B = 0 and A = 1 (electricity); a short code with C = 96 or 97 (service and error
        entries) is abstract: A = 0. Two groups (`73.25`) are a vendor's own and need its map. Raises ValueError.
        """
        t = text.strip()
        if m := _DOTTED.fullmatch(t):
            return cls._of(text, *m.groups(default="255"))
        if m := _EDIS.fullmatch(t):
            a, b, c, d, e, f = m.groups()
            if a is None:
                a, b = ("0" if int(c) in _ABSTRACT else "1"), "0"
            return cls._of(text, a, b, c, d, e, f or "255")
        if _HEX.fullmatch(t):
            return cls(*bytes.fromhex(re.sub("[_:]", "", t)))
        raise ValueError(
            f"{text!r} is no OBIS code: write it as 1.0.1.8.0.255, 1-0:1.8.0*255, 1.8.0 or 0100010800FF; "
            "say under payload.codes what a vendor's own code means"
        )

    @classmethod
    def known(cls, text: str) -> bool:
        """Whether `parse` reads the text."""
        try:
            cls.parse(text)
        except ValueError:
            return False
        return True

    @classmethod
    def _of(cls, text: str, *groups: str) -> Obis:
        try:
            return cls(*map(int, groups))
        except ValueError as e:
            raise ValueError(f"{text!r} is no OBIS code: {e}") from None

    @classmethod
    def from_base64(cls, text: str) -> Obis:
        """Read six octets in base64, `AQBjAQD/`. Raises ValueError."""
        try:
            octets = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as e:
            raise ValueError(f"{text!r} is not base64: {e}") from None
        if len(octets) != 6:
            raise ValueError(f"{text!r} has {len(octets)} octets: an OBIS code has 6")
        return cls(*octets)


@lru_cache(maxsize=1 << 16)
def obis_or_text(text: str) -> str:
    """An OBIS code of any notation with dots; a text that is none as it is."""
    try:
        return str(Obis.parse(text))
    except ValueError:
        return text.strip()
