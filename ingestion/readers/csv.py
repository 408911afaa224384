"""CSV: one line a meter and stamp (csv_long), or one line a meter-day with a column a slot (csv_wide). First line = header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np
import pandas as pd

from ingestion.canonical import Rejection
from ingestion.normalise import Cells, Rows, rejection
from ingestion.readers.unpack import Part
from ingestion.vendor import Profile, ValueMap, Vendor
from warehouse.codes import Reason

HEAD_LINES = 5


def rows(vendor: Vendor, part: Part, rejections: list[Rejection]) -> Iterator[Rows]:
    """The rows of one file; lines that cannot be split into columns go to `rejections`."""
    lines = _Lines(_utf8(vendor, part.data))
    header_at = next((i for i in range(len(lines)) if lines[i].strip()), 0)
    cells = _split(lines[header_at].decode("utf-8", "replace"), vendor.delimiter) or []
    header = [c.strip() for c in cells]
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


def _columns(vendor: Vendor, v: ValueMap, p: Profile) -> list[tuple[str, ...]]:
    """Names of a value's columns, with their alternatives: one in csv_long, one a slot in csv_wide."""
    if vendor.format == "csv_long":
        return [v.sources]
    return [tuple(s.format(slot=slot) for s in v.sources) for slot in range(1, p.slots + 1)]


def _wanted(vendor: Vendor, p: Profile) -> tuple[list[tuple[str, ...]], set[str]]:
    """(columns that must be there, as alternatives; every column that is known)."""
    must: list[tuple[str, ...]] = [(c,) for c in (p.serial, p.stamp) if c]
    values = [(v, c) for v in p.values for c in _columns(vendor, v, p)]
    must += [c for v, c in values if not v.optional]
    if vendor.received_from == "field" and vendor.received_field:
        must.append((vendor.received_field,))
    known = {n for names in must for n in names} | {n for _, names in values for n in names}
    return must, known | set(p.detail) | p.ignore


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
    counted = [names for v, names in zip(p.values, value_columns, strict=True) if v.to not in {"stamp", "md_import_at"}]
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
            rejections.append(rejection(Reason.UNKNOWN_OBIS, f"column {c}", _head(lines, header_at), detail, filled))

    wide = p.slots if vendor.format == "csv_wide" else 1
    number = np.repeat(line_numbers, wide)

    def spread(a: np.ndarray) -> np.ndarray:
        return np.repeat(a, wide) if wide > 1 else a

    cells = []
    for v, names in zip(p.values, value_columns, strict=True):
        if v.to == "stamp" or all(c is None for c in names):
            continue
        raw: np.ndarray
        if wide == 1:
            raw = column(str(names[0]))
        else:
            blank = np.full(n, "", dtype=object)
            raw = np.column_stack([blank if c is None else column(c) for c in names]).ravel()
        exponent = 0 if v.to in {"code", "md_import_at"} else v.exponent()
        cells.append(Cells(v.to, exponent, raw, f"column {v.sources[0] if wide > 1 else names[0]}"))
    stamp = p.stamp or next(v.sources[0] for v in p.values if v.to == "stamp")
    field = vendor.received_field if vendor.received_from == "field" else None
    detail_columns = [c for c in p.detail if c in where]

    def locators(at: np.ndarray) -> list[str]:
        if wide == 1:
            return [f"line {k}" for k in number[at].tolist()]
        return [f"line {k}, slot {s}" for k, s in zip(number[at].tolist(), (at % wide + 1).tolist(), strict=True)]

    return Rows(
        profile=p,
        serial=spread(column(p.serial)) if p.serial else np.full(n * wide, p.constant_serial, dtype=object),
        stamp=spread(column(stamp)),
        cells=cells,
        locators=locators,
        payload=lambda i: lines.text(int(number[i]) - 1),
        received=spread(column(field)) if field else None,
        slot=np.tile(np.arange(1.0, wide + 1), n) if vendor.format == "csv_wide" else None,
        detail=[{c: str(column(c)[i]) for c in detail_columns} for i in range(n)] if detail_columns else None,
    )


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
