"""CSV: one line a meter and stamp (csv_long), or one line a meter-day with a column a slot (csv_wide). First line = header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from ingestion.canonical import Rejection
from ingestion.normalise import NS_DAY, Cells, Rows, rejection, stamps
from ingestion.obis import Obis
from ingestion.readers.unpack import Part
from ingestion.vendor import Profile, ValueMap, Vendor
from warehouse.codes import Reason

HEAD_LINES = 5


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one file; lines that cannot be split into columns go to `rejections`."""
    lines = _Lines(_utf8(vendor, part.data))
    header_at = next((i for i in range(len(lines)) if lines[i].strip()), 0)
    cells = _split(lines[header_at].decode("utf-8", "replace"), vendor.delimiter) or []
    header = [_heading(vendor, c.strip()) for c in cells]
    profile = _profile(vendor, part, header, lines, header_at, rejections)
    if profile is not None:
        yield _read(vendor, profile, part, header, lines, header_at, rejections)


class _Lines:
    """Lines of a file by offset, so that only those that are shown are ever decoded."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.octets = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero(self.octets == 10)
        self.ends_open = not data.endswith(b"\n")
        self.ends = np.append(ends, len(data)) if self.ends_open else ends
        self.starts = np.concatenate(([0], self.ends[:-1] + 1))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: int) -> bytes:
        return self.data[self.starts[i] : self.ends[i]]

    def text(self, i: int) -> str:
        return self[i].decode("utf-8", "backslashreplace")

    def count(self, octet: int) -> np.ndarray:
        """How often the octet stands in each line."""
        at = np.flatnonzero(self.octets == octet)
        return np.searchsorted(at, self.ends) - np.searchsorted(at, self.starts)

    def not_utf8(self) -> np.ndarray:
        """Lines that are not valid UTF-8."""
        bad = np.zeros(len(self), dtype=bool)
        try:
            self.data.decode("utf-8")
        except UnicodeDecodeError:
            high = np.unique(np.searchsorted(self.ends, np.flatnonzero(self.octets > 127)))
            for i in high.tolist():
                try:
                    self[i].decode("utf-8")
                except UnicodeDecodeError:
                    bad[i] = True
        return bad


def _utf8(vendor: Vendor, data: bytes) -> bytes:
    if vendor.encoding == "utf-8":
        data = data.removeprefix(b"\xef\xbb\xbf")
    else:
        # what the encoding does not know becomes an octet that is no UTF-8, so that its line is rejected like any other
        data = data.decode(vendor.encoding, "replace").removeprefix("\ufeff").encode().replace("\ufffd".encode(), b"\xff")
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _split(line: str, delimiter: str) -> list[str] | None:
    """Cells of one line, None where its quotes do not close."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


_BRACKETS = re.compile(r"\[([^\[\]]+)\]\s*$")


def _heading(vendor: Vendor, cell: str) -> str:
    """A heading as the vendor file names it: the OBIS code in it, where columns are such."""
    if vendor.columns_are == "text":
        return cell
    m = _BRACKETS.search(cell)
    code = vendor.code(m.group(1) if m else cell)
    return code if Obis.known(code) else cell


def _columns(vendor: Vendor, v: ValueMap, p: Profile) -> list[tuple[str, ...]]:
    """Names of a value's columns, with their alternatives: one in csv_long, one a slot in csv_wide."""
    if vendor.format == "csv_long" or v.to == "stamp":
        return [v.sources]
    return [tuple(s.format(slot=slot) for s in v.sources) for slot in range(1, p.slots + 1)]


def _wanted(vendor: Vendor, p: Profile) -> tuple[list[tuple[str, ...]], set[str]]:
    """(columns that must be there, as alternatives; every column that is known)."""
    must: list[tuple[str, ...]] = [(c,) for c in (p.serial, p.stamp, p.end, p.date, *_choosing(vendor, p)) if c]
    values = [(v, c) for v in p.values for c in _columns(vendor, v, p)]
    must += [c for v, c in values if not v.optional]
    if vendor.received_from == "field" and vendor.received_field:
        must.append((vendor.received_field,))
    known = {n for names in must for n in names} | {n for _, names in values for n in names}
    return must, known | set(p.detail) | p.ignore | {c for c in (vendor.make, vendor.firmware) if c}


def _choosing(vendor: Vendor, p: Profile) -> list[str | None]:
    """Columns that say which maps are for the line's meter."""
    onlys = [v.only for v in p.values if v.only is not None]
    return [vendor.make if any(o.make for o in onlys) else None, vendor.firmware if any(o.firmware for o in onlys) else None]


def _profile(vendor: Vendor, part: Part, header: list[str], lines: _Lines, header_at: int, rejections: list[Rejection]) -> Profile | None:
    """The profile by file name, else by header; None where the header fits none, which is rejected."""
    by_name = vendor.profile_of_file(part.member or part.name) or vendor.profile_of_file(part.name)
    faults = []
    for p in [by_name] if by_name else vendor.profiles:
        must, known = _wanted(vendor, p)
        missing = [" or ".join(names) for names in must if not any(n in header for n in names)]
        twice = sorted({c for c in header if header.count(c) > 1 and c in known})
        if not missing and not twice:
            return p
        extra = [c for c in header if c not in known]
        faults.append(
            f"profile {p.name}: missing {', '.join(missing) or 'none'}; unexpected {', '.join(extra) or 'none'}"
            + (f"; twice {', '.join(twice)}" if twice else "")
        )
    data_lines = sum(1 for i in range(header_at + 1, len(lines)) if lines[i].strip())
    detail = "; ".join(faults) + ". Mend the vendor file, or ask the sender for the agreed columns"
    rejections.append(rejection(Reason.WRONG_HEADER, f"line {header_at + 1}", _head(lines, header_at), detail, max(1, data_lines)))
    return None


def _head(lines: _Lines, header_at: int) -> str:
    return "\n".join(lines.text(i) for i in range(header_at, min(len(lines), header_at + HEAD_LINES)))


def _read(
    vendor: Vendor,
    p: Profile,
    part: Part,
    header: list[str],
    lines: _Lines,
    header_at: int,
    rejections: list[Rejection],
) -> Rows:
    where = {c: i for i, c in enumerate(header)}
    value_columns = [[next((n for n in names if n in where), None) for names in _columns(vendor, v, p)] for v in p.values]
    counted = [names for v, names in zip(p.values, value_columns, strict=True) if _counts(v, p)]
    present = [where[c] for names in counted for c in names if c is not None]
    _, known = _wanted(vendor, p)
    unknown = [k for k, c in enumerate(header) if c not in known]

    good = _good_lines(vendor, p, part, len(header), present, lines, header_at, rejections)
    frame, good = _table(vendor, lines, good, len(header), header_at, rejections, present)
    n = len(good)
    line_numbers = good + 1

    def column(name: str) -> np.ndarray:
        return frame[where[name]]

    for k in unknown:
        filled = sum(1 for t in frame[k] if t.strip() and t.strip() not in vendor.empty)
        if filled:
            c = header[k] or f"{k + 1}, which has no name"
            detail = f"the vendor file does not know the column {c}: map it, or list it under ignore of profile {p.name}"
            found = rejection(Reason.UNKNOWN_OBIS, f"column {c}", _head(lines, header_at), detail, filled, profile=p.name, code=c)
            rejections.append(found)

    wide = p.slots if vendor.format == "csv_wide" else 1
    number = np.repeat(line_numbers, wide)

    def spread(a: np.ndarray) -> np.ndarray:
        return np.repeat(a, wide) if wide > 1 else a

    make, firmware = (column(c) if c else None for c in _choosing(vendor, p))
    lines_of = _lines_of(p, column(p.serial) if p.serial else np.full(n, p.constant_serial), make, firmware)
    cells = []
    for v, names in zip(p.values, value_columns, strict=True):
        if v.to == "stamp" or all(c is None for c in names):
            continue
        raw: np.ndarray
        if wide == 1:
            raw = column(str(next(c for c in names if c is not None)))
        else:
            blank = np.full(n, "", dtype=object)
            raw = np.column_stack([blank if c is None else column(c) for c in names]).ravel()
        if v.words:
            raw = np.array([v.words.get(t.strip(), t) for t in raw], dtype=object)
        at = lines_of(v)
        if at is not None:
            at = (at[:, None] * wide + np.arange(wide)).ravel()
            raw = raw[at]
        cells.append(Cells(v.to, v.exponent(), raw, f"column {v.sources[0] if wide > 1 else names[0]}", at, v.zone, v.of, bool(v.words)))
    stamp = _stamp(p, where)
    field = vendor.received_field if vendor.received_from == "field" else None
    detail_columns = [c for c in p.detail if c in where]

    def locators(at: np.ndarray) -> list[str]:
        if wide == 1:
            return [f"line {k}" for k in number[at].tolist()]
        return [f"line {k}, slot {s}" for k, s in zip(number[at].tolist(), (at % wide + 1).tolist(), strict=True)]

    starts = column(stamp) if stamp else np.full(n, None, dtype=object)
    interval = None
    if p.end:
        starts, interval = _period(vendor, starts, column(p.end), column(p.date) if p.date else None)
    return Rows(
        profile=p,
        serial=spread(column(p.serial)) if p.serial else np.full(n * wide, p.constant_serial, dtype=object),
        stamp=spread(starts),
        interval=interval,
        cells=cells,
        locators=locators,
        payload=lambda i: lines.text(int(number[i]) - 1),
        received=spread(column(field)) if field else None,
        slot=np.tile(np.arange(1.0, wide + 1), n) if vendor.format == "csv_wide" else None,
        detail=[{c: str(column(c)[i]) for c in detail_columns} for i in range(n)] if detail_columns else None,
    )


def _period(vendor: Vendor, start: np.ndarray, end: np.ndarray, date: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(texts of the starts, minutes to the ends or, where that is no length of time, both texts). An end may lie on the next day."""
    if date is not None:
        start, end = (np.array([f"{d} {t}" for d, t in zip(date, times, strict=True)], dtype=object) for times in (start, end))
    at, to = (stamps(times, vendor.stamp_formats, vendor.zone) for times in (start, end))
    if date is not None:
        to = np.where(to <= at, to + NS_DAY, to)
    minutes = (to - at) / np.timedelta64(1, "m")
    good = minutes > 0
    interval = np.array([m if ok else f"{a} to {b}" for m, ok, a, b in zip(minutes, good, start, end, strict=True)], dtype=object)
    interval[np.isnat(at)] = 1.0  # the stamp is what is wrong
    return start, interval


def _counts(v: ValueMap, p: Profile) -> bool:
    """Whether a map's cells are values of their own, rather than times or details of one."""
    return v.to not in {"stamp", "at"} and (p.kind != "event" or v.to == "code")


def _stamp(p: Profile, where: dict[str, int]) -> str | None:
    """The column of the stamp; a nameplate may have none."""
    return p.stamp or next((s for v in p.values if v.to == "stamp" for s in v.sources if s in where), None)


def _lines_of(
    p: Profile, serial: np.ndarray, make: np.ndarray | None, firmware: np.ndarray | None
) -> Callable[[ValueMap], np.ndarray | None]:
    """Which data lines a map is for, None = all: a map for some meters goes before one for all of the same column."""
    if all(v.only is None for v in p.values):
        return lambda v: None
    n = len(serial)
    nobody = np.full(n, "", dtype=object)
    make, firmware = (nobody if c is None else c for c in (make, firmware))
    meters = pd.DataFrame({"make": make, "firmware": firmware, "serial": serial})
    code = meters.groupby(list(meters), sort=False).ngroup().to_numpy()
    distinct = meters.drop_duplicates().to_numpy()
    fits = {v.only: np.array([v.only.fits(*m) for m in distinct], bool)[code] for v in p.values if v.only is not None}

    def lines(v: ValueMap) -> np.ndarray:
        mine = np.ones(n, bool) if v.only is None else fits[v.only].copy()
        for w in p.values:
            if w is v:
                if v.only is not None:
                    break
            elif w.only is not None and set(w.sources) & set(v.sources):
                mine &= ~fits[w.only]
        return np.flatnonzero(mine)

    return lines


def _values(line: str, delimiter: str, present: list[int], empty: frozenset[str]) -> int:
    """How many values a line that cannot be read seems to hold, at least 1."""
    found = _split(line, delimiter) or line.split(delimiter)
    return max(1, sum(1 for k in present if k < len(found) and found[k].strip() and found[k].strip() not in empty))


def _good_lines(
    vendor: Vendor,
    p: Profile,
    part: Part,
    width: int,
    present: list[int],
    lines: _Lines,
    header_at: int,
    rejections: list[Rejection],
) -> np.ndarray:
    """Numbers (from 0) of the data lines that can be split; the others are rejected, a blank line is nothing."""
    n = len(lines)
    bad_text = lines.not_utf8()
    bad_text |= lines.count(0) > 0
    quoted = lines.count(34) > 0
    wrong = (lines.count(ord(vendor.delimiter)) != width - 1) & ~quoted
    wrong |= bad_text
    data = np.arange(n) > header_at
    last = n - 1
    if lines.ends_open and last > header_at and (part.cut is not None or vendor.whole_lines or wrong[last]):
        part.cut = part.cut or "the last line has no end"
        part.cut_at, part.tail = f"line {last + 1}", lines.text(last)
        part.tail_values = _values(part.tail, vendor.delimiter, present, vendor.empty)
        data[last] = False
    for i in np.flatnonzero(wrong & data).tolist():
        data[i] = False
        if not lines[i].strip():
            continue
        text = lines.text(i)
        if bad_text[i]:
            reason = Reason.NOT_UTF8
            detail = f"octets that are not {vendor.encoding}: set encoding in the vendor file if the whole file is of another"
        else:
            reason = Reason.MALFORMED
            detail = f"{len(_split(text, vendor.delimiter) or [])} columns, the header has {width}"
        values = _values(text, vendor.delimiter, present, vendor.empty)
        rejections.append(rejection(reason, f"line {i + 1}", text, detail, values))
    return np.flatnonzero(data)


def _table(
    vendor: Vendor,
    lines: _Lines,
    good: np.ndarray,
    width: int,
    header_at: int,
    rejections: list[Rejection],
    present: list[int],
) -> tuple[list[np.ndarray], np.ndarray]:
    """(columns of texts, numbers of their lines)."""
    if not len(good):
        return [np.empty(0, dtype=object) for _ in range(width)], good
    if b'"' not in lines.data:
        whole = len(good) == len(lines) - header_at - 1
        body = lines.data[lines.starts[good[0]] :] if whole else b"\n".join(lines[i] for i in good.tolist())
        frame = pd.read_csv(
            io.BytesIO(body),
            header=None,
            names=range(width),
            sep=vendor.delimiter,
            dtype=object,
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            skip_blank_lines=False,
            encoding="utf-8",
        )
        return [frame[i].to_numpy(dtype=object) for i in range(width)], good
    found, kept = [], []
    for i in good.tolist():
        cells = _split(lines.text(i), vendor.delimiter)
        if cells is None or len(cells) != width:
            detail = "a quote is not closed" if cells is None else f"{len(cells)} columns, the header has {width}"
            values = _values(lines.text(i), vendor.delimiter, present, vendor.empty)
            rejections.append(rejection(Reason.MALFORMED, f"line {i + 1}", lines.text(i), detail, values))
        else:
            found.append(cells)
            kept.append(i)
    table = np.array(found, dtype=object).reshape(len(found), width)
    return [table[:, k] for k in range(width)], np.array(kept, dtype=np.int64)
