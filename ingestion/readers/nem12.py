"""NEM12, the interval file of Australia's market (AEMO, MDFF specification): records 100, 200, 300, 400, 500 and 900, comma between fields.

The vendor file maps NMI suffixes to channels and quality letters to ours. Interval 1 of a 300 record begins at midnight of its date. Not
read: 500 records (they say why a meter was visited) and NEM13 (registers between visits).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np

from ingestion.canonical import Rejection
from ingestion.normalise import Cells, Rows, rejection
from ingestion.readers.unpack import Part
from ingestion.vendor import UNITS, Profile, Vendor
from warehouse.codes import Quality, Reason

STREAM = (
    "RecordIndicator",
    "NMI",
    "NMIConfiguration",
    "RegisterID",
    "NMISuffix",
    "MDMDataStreamIdentifier",
    "MeterSerialNumber",
    "UOM",
    "IntervalLength",
    "NextScheduledReadDate",
)
"""Fields of a 200 record. The vendor file's `serial` names the one that is the meter's serial with us."""

LENGTHS = (5, 15, 30)
TRAILING = 5
"""QualityMethod, ReasonCode, ReasonDescription, UpdateDateTime, MSATSLoadDateTime."""

_QUALITY = re.compile(r"[AEFNSV](?:\d\d)?")
_UNIT_NAMES = {u.casefold(): u for u in UNITS}


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one file."""
    text = part.data.decode("utf-8-sig" if vendor.encoding == "utf-8" else vendor.encoding, "replace")
    lines = text.split("\n")
    ends = text.endswith("\n")
    if ends:
        lines.pop()
    begin = next((k for k, line in enumerate(lines) if line.strip()), 0)
    head = [c.strip() for c in lines[begin].split(",")]
    if head[:2] != ["100", "NEM12"]:
        detail = f"a NEM12 file begins with 100,NEM12: this begins with {','.join(head[:2])[:40]!r}"
        values = sum(_filled(line.split(",")[2:]) for line in lines if line.startswith("300,"))
        rejections.append(rejection(Reason.WRONG_HEADER, f"line {begin + 1}", "\n".join(lines[:5]), detail, max(1, values)))
        return
    reader = _File(vendor, vendor.profiles[0], lines, rejections)
    last = len(lines)
    if not ends and last > begin + 1 and (part.cut is not None or not lines[-1].startswith("900")):
        last -= 1  # a line without an end may have lost some of it
        part.cut = part.cut or "the file ends within a line: there is no 900 record"
        part.cut_at, part.tail, part.tail_values = f"line {last + 1}", lines[-1], _filled(lines[-1].split(",")[2:])
    for number in range(begin + 1, last):
        reader.line(number)
    reader.end_of_day()
    if not reader.ended and part.cut is None:
        part.cut, part.cut_at = "no 900 record: the file ends early, and nobody knows how much is missing", f"line {len(lines)}"
    yield reader.rows()


def _filled(cells: list[str]) -> int:
    """How many values a record that cannot be read seems to hold, at least 1: cells with something in them before its quality."""
    end = next((k for k, c in enumerate(cells) if _QUALITY.fullmatch(c.strip())), len(cells))
    return max(1, sum(1 for c in cells[:end] if c.strip()))


@dataclass
class _Stream:
    """A 200 record: whose values follow, in which channel. `fault`: why none of them can be taken."""

    line: int
    serial: str = ""
    to: str = ""
    exponent: int = 0
    minutes: int = 30
    fault: tuple[Reason, str] | None = None
    suffix: str = ""
    ignored: bool = False
    refused: int = 0


@dataclass
class _Day:
    """A 300 record with its 400 records."""

    line: int
    stream: _Stream
    date: str
    values: list[str]
    letter: str
    updated: str
    letters: list[str | None] = field(default_factory=list)


class _File:
    def __init__(self, vendor: Vendor, profile: Profile, lines: list[str], rejections: list[Rejection]) -> None:
        self.vendor, self.profile, self.lines, self.rejections = vendor, profile, lines, rejections
        self.ended = False
        self.stream: _Stream | None = None
        self.day: _Day | None = None
        self.days: list[tuple[str, str, str, int, int]] = []
        """(serial, date, updated, minutes, line) of each group of rows, one row an interval."""
        self.first: list[int] = []
        """Row that each group begins with."""
        self.count = 0
        self.groups: dict[tuple[str, str, int], tuple[int, set[str]]] = {}
        self.cells: dict[tuple[str, int], tuple[list[np.ndarray], list[str]]] = {}
        self.quality: list[np.ndarray] = []

    def line(self, number: int) -> None:
        """Read one line."""
        text = self.lines[number].rstrip("\r")
        if not text.strip():
            return
        cells = [c.strip().strip('"') for c in text.split(",")]
        kind = cells[0]
        if "\ufffd" in text or "\x00" in text:
            self._refuse(number, Reason.NOT_UTF8, f"octets that are not {self.vendor.encoding}", _filled(cells[2:]))
        elif self.ended:
            self._refuse(number, Reason.MALFORMED, "the 900 record ends the file, this stands behind it", _filled(cells[2:]))
        elif kind == "100":
            self._refuse(number, Reason.MALFORMED, "a second 100 record: a file has one", 1)
        elif kind == "200":
            self.end_of_day()
            self._close_stream()
            self.stream = self._details(number, cells)
        elif kind == "300":
            self.end_of_day()
            self._interval_data(number, cells)
        elif kind == "400":
            self._interval_event(number, cells)
        elif kind == "900":
            self.end_of_day()
            self._close_stream()
            self.ended = True
        elif kind not in self.vendor.ignore_profiles:
            detail = f"record {kind[:20]!r} is not one of 100, 200, 300, 400, 900: it can be listed under payload.ignore_profiles"
            self._refuse(number, Reason.UNKNOWN_OBIS, detail, 1, code=kind)

    def _refuse(self, number: int, reason: Reason, detail: str, values: int, serial: str | None = None, code: str = "") -> None:
        found = rejection(reason, f"line {number + 1}", self.lines[number], detail, values, serial, profile=self.profile.name, code=code)
        self.rejections.append(found)

    def _details(self, number: int, cells: list[str]) -> _Stream:
        named = dict(zip_longest(STREAM, cells[: len(STREAM)], fillvalue=""))
        out = _Stream(number, serial=named.get(str(self.profile.serial), ""))
        suffix, unit = named["NMISuffix"], named["UOM"]
        value = next((v for v in self.profile.values if suffix in v.sources), None)
        if suffix in self.profile.ignore:
            out.ignored = True
        elif len(cells) < STREAM.index("IntervalLength") + 1:
            out.fault = Reason.MALFORMED, f"a 200 record has at least 9 fields, this has {len(cells)}"
        elif named["IntervalLength"] not in map(str, LENGTHS):
            out.fault = (
                Reason.MALFORMED,
                f"interval length {named['IntervalLength'][:20]!r}: NEM12 has {', '.join(map(str, LENGTHS))} minutes",
            )
        elif value is None:
            detail = f"profile {self.profile.name} does not map NMI suffix {suffix[:20]!r}: map it, or list it under ignore"
            out.fault, out.suffix = (Reason.UNKNOWN_OBIS, detail), suffix
        else:
            out.minutes, out.to = int(named["IntervalLength"]), value.to
            try:
                out.exponent = value.exponent(_UNIT_NAMES.get(unit.casefold(), unit or None))
            except ValueError as e:
                out.fault = Reason.WRONG_UNIT, f"UOM of suffix {suffix}: {e}"
        return out

    def _close_stream(self) -> None:
        """One rejection stands for all values below a 200 record that cannot be taken."""
        s = self.stream
        if s is not None and s.fault is not None:
            self._refuse(s.line, *s.fault, max(1, s.refused), s.serial or None, s.suffix)
        self.stream = None

    def _interval_data(self, number: int, cells: list[str]) -> None:
        s = self.stream
        if s is None:
            self._refuse(number, Reason.MALFORMED, "a 300 record without the 200 record that says whose it is", _filled(cells[2:]))
            return
        if s.ignored:
            return
        if s.fault is not None:
            s.refused += _filled(cells[2:])
            return
        n = 1440 // s.minutes
        rest = cells[2 + n :]
        if not rest or not _QUALITY.fullmatch(rest[0]) or len(rest) > TRAILING:
            found = next((k for k, c in enumerate(cells[2:]) if _QUALITY.fullmatch(c)), None)
            what = "no quality after the values" if found is None else f"{found} values"
            if found == n:
                what = f"{len(rest)} fields after the values, not at most {TRAILING}"
            detail = f"{what}: a day of {s.minutes}-minute intervals has {n} values, then their quality"
            self._refuse(number, Reason.MALFORMED, detail, _filled(cells[2:]), s.serial)
            return
        rest += [""] * (TRAILING - len(rest))
        self.day = _Day(number, s, cells[1], cells[2 : 2 + n], rest[0][0], rest[3], [None] * n)

    def _interval_event(self, number: int, cells: list[str]) -> None:
        """A 400 record: the quality of a range of intervals. It holds no value of its own."""
        if self.stream is not None and (self.stream.ignored or self.stream.fault is not None):
            return
        if self.day is None:
            self._refuse(number, Reason.MALFORMED, "a 400 record without a 300 record before it", 0)
            return
        try:
            first, last = int(cells[1]), int(cells[2])
            letter = cells[3]
        except (IndexError, ValueError):
            first, last, letter = 0, 0, ""
        n = len(self.day.values)
        if not (1 <= first <= last <= n and _QUALITY.fullmatch(letter) and letter[0] != "V"):
            detail = f"a 400 record gives the first and last interval, of 1 to {n}, and their quality A, E, F, N or S"
            self._refuse(number, Reason.MALFORMED, detail, 0, self.day.stream.serial)
            return
        self.day.letters[first - 1 : last] = [letter[0]] * (last - first + 1)

    def end_of_day(self) -> None:
        """Take the values of the 300 record that was read last, now that its 400 records are known."""
        day, self.day = self.day, None
        if day is None:
            return
        s = day.stream
        letters = [letter or day.letter for letter in day.letters]
        unsaid = [k for k, letter in enumerate(letters) if letter == "V" and day.values[k]]
        if unsaid:
            detail = f"quality V: no 400 record says which of interval {unsaid[0] + 1} to {unsaid[-1] + 1}"
            self._refuse(day.line, Reason.MALFORMED, detail, len(unsaid), s.serial)
        qualities = {letter: self._quality(letter) for letter in set(letters)}
        values = ["" if letter == "V" or qualities[letter] is Quality.MISSING else v for v, letter in zip(day.values, letters, strict=True)]
        n = len(values)
        base, taken = self.groups.get((s.serial, day.date, s.minutes), (-1, set()))
        if base < 0 or s.to in taken:
            base, taken = len(self.days), set()
            self.groups[s.serial, day.date, s.minutes] = base, taken
            self.days.append((s.serial, day.date, day.updated, s.minutes, day.line))
            self.first.append(self.count)
            self.quality.append(np.full(n, -1, dtype=np.int64))
            self.count += n
        taken.add(s.to)
        rows, raws = self.cells.setdefault((s.to, s.exponent), ([], []))
        rows.append(np.arange(self.first[base], self.first[base] + n))
        raws.extend(values)
        stated = np.array([-1 if (q := qualities[letter]) is None else int(q) for letter in letters])
        self.quality[base] = np.maximum(self.quality[base], np.where([v != "" for v in values], stated, -1))

    def _quality(self, letter: str) -> Quality | None:
        name = self.vendor.quality.get(letter)
        return None if name is None else Quality[name]

    def rows(self) -> Rows:
        """What was gathered."""
        self._close_stream()
        lengths = np.array([1440 // d[3] for d in self.days], dtype=np.int64)
        group = np.repeat(np.arange(len(self.days)), lengths)
        slot = np.arange(self.count) - np.repeat(np.array(self.first, dtype=np.int64), lengths) + 1

        def column(k: int) -> np.ndarray:
            return np.array([d[k] for d in self.days], dtype=object)[group] if self.days else np.empty(0, dtype=object)

        line = column(4)
        quality = np.concatenate(self.quality) if self.quality else np.empty(0, dtype=np.int64)
        return Rows(
            profile=self.profile,
            serial=column(0),
            stamp=column(1),
            cells=[
                Cells(to, exponent, np.array(raws, dtype=object), to, np.concatenate(rows))
                for (to, exponent), (rows, raws) in self.cells.items()
            ],
            locators=lambda at: [f"line {int(line[i]) + 1}, interval {int(slot[i])}" for i in at.tolist()],
            payload=lambda i: self.lines[int(line[i])],
            received=column(2) if self.vendor.received_from == "field" else None,
            slot=slot.astype(np.float64),
            interval=column(3),
            quality=quality if (quality >= 0).any() else None,
        )
