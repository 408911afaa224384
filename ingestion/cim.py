"""Reading types of IEC 61968-9: eighteen numbers that say what a value is. Which channel a type feeds is vendor data, not here.

Periods, units and multipliers are those of the ESPI schema (NAESB REQ.21), which publishes the enumerations of IEC 61968-9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FIELDS = (
    "macroPeriod",
    "aggregate",
    "measuringPeriod",
    "accumulation",
    "flowDirection",
    "commodity",
    "measurementKind",
    "interharmonic numerator",
    "interharmonic denominator",
    "argument numerator",
    "argument denominator",
    "tou",
    "cpp",
    "consumptionTier",
    "phases",
    "multiplier",
    "unit",
    "currency",
)

MINUTES = {1: 10, 2: 15, 3: 1, 4: 1440, 5: 30, 6: 5, 7: 60, 10: 2, 14: 3, 31: 20}
"""measuringPeriod -> length in minutes. Blocks of demand (50 and above) are not intervals of a profile."""

UNITS = {5: "A", 29: "V", 33: "Hz", 38: "W", 61: "VA", 63: "var", 71: "VAh", 72: "Wh", 73: "varh"}
"""unit -> unit, as far as electricity meters use it. The multiplier is the power of ten itself: 3 is kilo."""

_PATTERN = re.compile(r"(?:-?\d{1,5}|\*)(?:\.(?:-?\d{1,5}|\*)){17}")


@dataclass(frozen=True)
class ReadingType:
    """One reading type, the numbers in the order of FIELDS."""

    fields: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> ReadingType:
        """`0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0`. Raises ValueError."""
        if "*" in text or not _PATTERN.fullmatch(text):
            raise ValueError(f"{text[:80]!r} is no CIM reading type: eighteen numbers joined by dots")
        return cls(tuple(map(int, text.split("."))))

    def __str__(self) -> str:
        return ".".join(map(str, self.fields))

    @property
    def minutes(self) -> int | None:
        """Length of the interval, None where the type states none that is known."""
        return MINUTES.get(self.fields[2])

    @property
    def unit(self) -> str:
        """Unit without its multiplier; `CIM 119` where it is not known here."""
        return UNITS.get(self.fields[16], f"CIM {self.fields[16]}")

    @property
    def multiplier(self) -> int:
        """Power of ten."""
        return self.fields[15]

    def matches(self, pattern: str) -> bool:
        """Whether the type is of a pattern (check_pattern): a reading type in which `*` stands for any number."""
        return all(p in ("*", str(v)) for p, v in zip(pattern.split("."), self.fields, strict=True))


def check_pattern(text: str) -> None:
    """Raises ValueError where the text is no pattern of a reading type."""
    if not _PATTERN.fullmatch(text):
        raise ValueError(f"{text!r} is no CIM reading type: eighteen numbers joined by dots, * for any")
