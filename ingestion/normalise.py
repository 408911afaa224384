"""From rows as a reader took them out of a payload to canonical frames: zone, interval end, units, scalers, ranges. Vectorised.

Knows no file format (readers) and no registry or clock of the warehouse (landing). Numbers go through float64, exact for
integers up to 2^53; `value * 10^exponent` is rounded half to even, so 6.959999999999997 kWh is 6960 Wh.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ingestion.canonical import Delivery, MeterEvents, MeterValues, Nameplates, ProfileReadings, RegisterReadings, Rejection, StatusWords
from ingestion.fragments import EARLIEST, LATEST
from ingestion.vendor import Profile, Vendor
from warehouse.codes import Reason
from warehouse.tables import ALL_CHANNELS, REGISTERS

PAYLOAD_CHARS = 2000
TEXT_CHARS = 2000
INT4 = (-(2**31), 2**31 - 1)
INT53 = (-(2**53), 2**53)
"""Registers and quantities are int8 in the warehouse; beyond 2^53 float64 is no longer exact, and no register counts that far."""
STATUS_WORD_BITS = 128

YEARS = (np.datetime64("1900-01-01", "us"), np.datetime64("2200-01-01", "us"))
"""A stamp outside is none: Python's datetime ends at 9999, and arithmetic with it must not."""

NS_DAY = np.timedelta64(1, "D")
NAT = np.datetime64("NaT", "us")


@dataclass
class Cells:
    """Values of one target that share a power of ten. `raw`: floats and texts (octets where times, status words or a nameplate are read);
    `rows`: the row of each, None = one a row in order. `of`: the quantity that a time (`to` = at) belongs to. `worded`: texts of the source
    stood for numbers, so that one which is left is a word that the vendor file does not know.
    """

    to: str
    exponent: int
    raw: Sequence[Any] | np.ndarray
    label: str
    rows: np.ndarray | None = None
    zone: int = 0
    of: str | None = None
    worded: bool = False

    def at(self, n: int) -> np.ndarray:
        """The row of each value, of n rows."""
        return np.arange(n) if self.rows is None else self.rows


@dataclass
class Rows:
    """What a reader took out of a payload: one row a (meter, stamp) or event, n rows. Texts as received.

    `slot`: number of the interval in the day of `stamp`, from 1. `locators` gives the places of the rows asked for, `payload` one row as
    received. An optional field is None where the payload has none.
    """

    profile: Profile
    serial: np.ndarray
    stamp: np.ndarray
    cells: list[Cells]
    locators: Callable[[np.ndarray], list[str]]
    payload: Callable[[int], str]
    received: np.ndarray | None = None
    slot: np.ndarray | None = None
    interval: np.ndarray | None = None
    quality: np.ndarray | None = None
    detail: list[dict[str, Any] | None] | None = None
    rejections: list[Rejection] = field(default_factory=list)


def clean(text: str) -> str:
    """Text that PostgreSQL can store: no NUL, no lone surrogate."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def storable(v: Any) -> Any:
    """JSON that PostgreSQL can store as jsonb: clean texts, no NaN."""
    if isinstance(v, str):
        return clean(v)
    if isinstance(v, dict):
        return {clean(str(k)): storable(x) for k, x in v.items()}
    if isinstance(v, list):
        return [storable(x) for x in v]
    return None if isinstance(v, float) and not np.isfinite(v) else v


def rejection(
    reason: Reason,
    locator: str,
    payload: str,
    detail: str = "",
    values: int = 1,
    serial: str | None = None,
    stamp: datetime | None = None,
    profile: str | None = None,
    code: str | None = None,
) -> Rejection:
    """A Rejection with its texts cleaned and cut to 2,000 characters."""
    return Rejection(
        reason=reason,
        locator=clean(locator[:PAYLOAD_CHARS]),
        payload=clean(payload[:PAYLOAD_CHARS]),
        detail=clean(detail[:PAYLOAD_CHARS]),
        values=values,
        serial=clean(serial[:PAYLOAD_CHARS]) if serial else None,
        stamp=stamp,
        profile=profile,
        code=clean(code[:PAYLOAD_CHARS]) if code else None,
    )


# --- numbers ----------------------------------------------------------------------------------------------------------------


def numbers(raw: Sequence[Any] | np.ndarray, empty: frozenset[str] = frozenset()) -> tuple[np.ndarray, np.ndarray]:
    """(float64, given): the numbers, NaN where the text is none or infinite; `given` is False where the cell is empty."""
    texts = np.asarray(raw, dtype=object) if not isinstance(raw, np.ndarray) else raw
    if texts.dtype != object:
        num = texts.astype(np.float64)
    else:
        try:
            num = np.array(pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce"), dtype=np.float64)
        except OverflowError:  # an integer of hundreds of digits
            num = np.array([_float(v) for v in texts], dtype=np.float64)
    num[~np.isfinite(num)] = np.nan
    given = np.ones(len(num), dtype=bool)
    for i in np.flatnonzero(np.isnan(num)):
        t = texts[i]
        given[i] = not (t is None or (isinstance(t, str) and (not t.strip() or t.strip() in empty)))
    return num, given


def _float(v: Any) -> float:
    try:
        return float(v)
    except (OverflowError, TypeError, ValueError):
        return np.nan


def scale(num: np.ndarray, exponent: int) -> np.ndarray:
    """num * 10^exponent as whole float64, rounded half to even. Divides where the exponent is negative: 10^-1 is not exact."""
    return np.rint(num * 10.0**exponent if exponent >= 0 else num / 10.0**-exponent)


_NUMBERS = {0x03: ">B", 0x05: ">i", 0x06: ">I", 0x0F: ">b", 0x10: ">h", 0x11: ">B", 0x12: ">H"}
_NUMBERS |= {0x14: ">q", 0x15: ">Q", 0x16: ">B", 0x17: ">f", 0x18: ">d"}
_BIT_STRING, _DATE_TIME = 0x04, 0x19
_OCTETS = frozenset({_BIT_STRING, 0x09, 0x0A, 0x0C})
"""Bit, octet, visible and UTF-8 strings."""


@lru_cache(maxsize=1 << 17)
def axdr(text: str) -> float | int | bytes | None:
    """Value of base64 A-XDR: a number (boolean: 1 or 0), octets (also of strings, bit strings and date-times) or None (null).

    Raises ValueError.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise ValueError(f"not base64: {e}") from None
    if not data:
        raise ValueError("no octets")
    tag, body = data[0], data[1:]
    if tag == 0 and not body:
        return None
    if tag in _NUMBERS:
        if len(body) != struct.calcsize(_NUMBERS[tag]):
            raise ValueError(f"A-XDR tag {tag:02x} with {len(body)} octets")
        return struct.unpack(_NUMBERS[tag], body)[0]
    if tag == _DATE_TIME and len(body) == 12:
        return body
    if tag in _OCTETS and body:
        length, rest = body[0], body[1:]
        if length & 0x80 and len(rest) >= length & 0x7F:
            length, rest = int.from_bytes(rest[: length & 0x7F]), rest[length & 0x7F :]
        if len(rest) == (-(-length // 8) if tag == _BIT_STRING else length) and length:
            return rest
    raise ValueError(f"A-XDR tag {tag:02x} with {len(body)} octets is not known")


# --- stamps -----------------------------------------------------------------------------------------------------------------


def dlms_clock(octets: bytes, zone: str) -> datetime | None:
    """The 12 octets of a DLMS date-time in `zone`; None where it says "no date" (all FF).

    The deviation may be the zone's offset with either sign (standard and meters differ) or 0x8000, unspecified. Raises ValueError.
    """
    if len(octets) != 12:
        raise ValueError(f"a DLMS clock has 12 octets, not {len(octets)}")
    year, month, day, _, hour, minute, second, _, deviation, status = struct.unpack(">HBBBBBBBhB", octets)
    if octets[:5] == b"\xff" * 5:
        return None
    if status != 0xFF and status & 1:
        raise ValueError("the clock says itself that it is invalid (status bit 0)")
    local = datetime(year, month, day, hour, minute, 0 if second == 0xFF else second, tzinfo=ZoneInfo(zone))
    offset = local.utcoffset() or timedelta()
    if deviation != -0x8000 and abs(timedelta(minutes=deviation)) != abs(offset):
        raise ValueError(f"deviation {deviation} min is not that of {zone}")
    return local


_ZONED = r"^[^T ]*[T ]\d.*(?:[Zz]|[+-]\d\d(?::?\d\d)?|[+-]\d:\d\d)$"
_MIDNIGHT_24 = r"[ T]24:00(?::00)?$"


def _localize(naive: pd.Series, zone: str) -> pd.Series:
    return naive.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC").dt.as_unit("us")


def _parse(texts: list[Any], fmt: str, zone: str) -> np.ndarray:
    """UTC datetime64[us], NaT where `fmt` does not read the text."""
    if fmt == "dlms_clock":
        return np.array([_clock(t, zone) for t in texts], dtype="datetime64[us]")
    plain = pd.Series(["" if isinstance(t, bytes) else str(t).strip() for t in texts], dtype=object)
    if fmt in {"epoch_s", "epoch_ms"}:
        num = pd.to_numeric(plain, errors="coerce")
        utc = pd.to_datetime(num, unit="s" if fmt == "epoch_s" else "ms", utc=True, errors="coerce").dt.as_unit("us")
        return _naive(utc)
    late = plain.str.contains(_MIDNIGHT_24)
    if late.any():
        plain = plain.where(~late, plain.str.replace("24:00", "00:00", regex=False))
    pattern = "ISO8601" if fmt == "iso8601" else fmt
    zoned = plain.str.contains(_ZONED, regex=True) if fmt == "iso8601" else None
    if "%z" in fmt:
        utc = pd.to_datetime(plain, format=pattern, utc=True, errors="coerce").dt.as_unit("us")
    else:
        # Another sign or Z after the hour is a zone that is written wrong: no time of the vendor's zone, and no stamp.
        known = plain if zoned is None else plain.where(~zoned & ~plain.str.contains(r"[T ].*[Zz+-]", regex=True))
        utc = _localize(pd.to_datetime(known, format=pattern, errors="coerce"), zone)
        if zoned is not None and zoned.any():
            utc = utc.where(~zoned, pd.to_datetime(plain.where(zoned), format=pattern, utc=True, errors="coerce"))
    return _naive(utc) + np.where(late, NS_DAY, np.timedelta64(0, "D"))


def _naive(utc: pd.Series) -> np.ndarray:
    return utc.dt.tz_convert("UTC").dt.tz_localize(None).dt.as_unit("us").to_numpy()


def _clock(octets: Any, zone: str) -> np.datetime64:
    try:
        local = dlms_clock(octets if isinstance(octets, bytes) else bytes.fromhex(re.sub("[_ :]", "", str(octets))), zone)
    except ValueError:
        return NAT
    return NAT if local is None else np.datetime64(int(local.timestamp()), "s").astype("datetime64[us]")


def stamps(raw: np.ndarray | Sequence[Any], formats: Sequence[str], zone: str) -> np.ndarray:
    """UTC as naive datetime64[us], NaT where unreadable.

    The first format that reads every text of the column is taken; where none does, the one that reads most. Never one a row: 03-04 must not
    mean March in one line and April in the next. Naive times are of `zone`; a time that the zone's clock change skips or repeats is NaT.
    """
    codes, uniques = pd.factorize(np.asarray(raw, dtype=object), use_na_sentinel=True)
    texts = list(uniques)
    best = np.full(len(texts), NAT)
    if texts:
        full = np.array([not (isinstance(t, str) and not t.strip()) for t in texts])
        most = -1
        for fmt in formats:
            got = _parse(texts, fmt, zone)
            read = int((~np.isnat(got) & full).sum())
            if read > most:
                best, most = got, read
            if read == full.sum():
                break
    best = np.where((best < YEARS[0]) | (best > YEARS[1]), NAT, best)
    return np.append(best, NAT)[codes]


def to_utc(naive_utc: np.ndarray) -> pd.Series:
    """Naive UTC datetime64[us] -> Series of datetime64[us, UTC]."""
    return pd.Series(naive_utc.astype("datetime64[us]")).dt.tz_localize("UTC")


def _local(naive_utc: np.ndarray, zone: str) -> np.ndarray:
    return to_utc(naive_utc).dt.tz_convert(zone).dt.tz_localize(None).to_numpy()


def _aware(v: np.datetime64) -> datetime | None:
    return None if np.isnat(v) else pd.Timestamp(v, tz="UTC").to_pydatetime()


def received_from_name(vendor: Vendor, name: str) -> datetime | None:
    """When the head-end system wrote the file, by its name; None where the vendor file or the name does not say."""
    if vendor.received_from != "filename" or vendor.received_pattern is None or vendor.received_format is None:
        return None
    if not (m := re.search(vendor.received_pattern, name)):
        return None
    return _aware(stamps([m.group(1)], [vendor.received_format], vendor.zone)[0])


# --- rows to frames ---------------------------------------------------------------------------------------------------------


def normalise(vendor: Vendor, rows: Rows, arrival: datetime, into: Delivery) -> None:
    """Add the rows to `into` as canonical frames, and what is wrong with them as rejections. `arrival`: aware, where the rows say none."""
    profile, n = rows.profile, len(rows.serial)
    into.rejections.extend(rows.rejections)
    if n == 0:
        return
    event, texts = profile.kind == "event", profile.kind in {"nameplate", "status"}
    counted = [c for c in rows.cells if c.to != "at" and (not event or c.to == "code")]
    parsed = [(_texts(c.raw) if texts else numbers(c.raw, vendor.empty)) for c in counted]
    given = np.zeros(n, dtype=np.int64)
    for c, (_, has) in zip(counted, parsed, strict=True):
        np.add.at(given, c.at(n), has)

    faults: dict[int, tuple[Reason, str]] = {}
    received = _received(vendor, rows, n, arrival)
    stamp = stamps(rows.stamp, vendor.stamp_formats, vendor.zone)
    if profile.kind == "nameplate":  # it need not say when it was read
        stamp = np.where([v is None or v == "" for v in rows.stamp], received, stamp)
    if np.isnat(stamp).any():
        hint = f"none of {', '.join(vendor.stamp_formats)} in {vendor.zone} reads it"
        for i in np.flatnonzero(np.isnat(stamp)):
            faults[int(i)] = (Reason.BAD_STAMP, f"stamp {_shown(rows.stamp[i])}: {hint}")
    stamp, interval = _place(vendor, rows, stamp, faults)
    serial = _serials(rows.serial, faults)

    ok = np.ones(n, dtype=bool)
    if faults:
        at = np.array(sorted(faults))
        ok[at] = False
        for i, locator in zip(at.tolist(), rows.locators(at), strict=True):
            if given[i]:
                reason, detail = faults[i]
                found = rejection(reason, locator, rows.payload(i), detail, int(given[i]), serial[i], _aware(stamp[i]), profile.name)
                into.rejections.append(found)

    sound = _Sound(vendor, rows, serial, stamp, received, ok, into)
    if texts:
        _add_texts(sound, counted, parsed)
        return
    columns: dict[Column, np.ndarray] = {}
    for c, (num, has) in zip(counted, parsed, strict=True):
        _fill(columns, c, num, has, sound)
    if event:
        _add_events(sound, columns)
    elif profile.kind == "block":
        _add_blocks(sound, columns, interval)
    else:
        _add_values(sound, columns)


Column = tuple[str, int]
"""Target and TOD zone."""


@dataclass
class _Sound:
    """The rows with what was made of their serials and stamps; `ok`: no fault was found with the row as a whole."""

    vendor: Vendor
    rows: Rows
    serial: np.ndarray
    stamp: np.ndarray
    received: np.ndarray
    ok: np.ndarray
    into: Delivery

    @property
    def profile(self) -> Profile:
        return self.rows.profile

    def frame(self, at: np.ndarray, stamp: str) -> dict[str, Any]:
        """The columns that every canonical frame has, of the rows `at`; `stamp` is what it calls its time."""
        return {
            "serial": pd.Series(self.serial[at], dtype="str"),
            stamp: to_utc(self.stamp[at]),
            "received_at": to_utc(self.received[at]),
            "locator": pd.Series(self.rows.locators(at), dtype="str"),
        }

    def refuse(self, reason: Reason, c: Cells, i: int, detail: str, values: int = 1, code: str | None = None) -> None:
        """Reject the i-th value of some cells."""
        row = i if c.rows is None else int(c.rows[i])
        locator = f"{self.rows.locators(np.array([row]))[0]}, {c.label}"
        payload, stamp = self.rows.payload(row), _aware(self.stamp[row])
        found = rejection(reason, locator, payload, detail, values, self.serial[row], stamp, self.profile.name, code)
        self.into.rejections.append(found)


def _add_blocks(sound: _Sound, columns: dict[Column, np.ndarray], interval: np.ndarray | None) -> None:
    at = _present(columns.values(), len(sound.ok))
    if not len(at):
        return
    frame = sound.frame(at, "start")
    for name in ALL_CHANNELS:
        if (name, 0) in columns and not np.isnan(columns[name, 0][at]).all():
            frame[name] = _integers(columns[name, 0][at])
    quality = sound.rows.quality
    if quality is not None and (quality[at] >= 0).any():
        frame["quality"] = pd.arrays.IntegerArray(quality[at].astype(np.int16), quality[at] < 0)
    out = pd.DataFrame(frame)
    lengths = None if interval is None else interval[at]
    if _reversed(sound.vendor, out, "start"):
        out, lengths = out.iloc[::-1].reset_index(drop=True), None if lengths is None else lengths[::-1]
    if lengths is None:
        sound.into.profiles.append(ProfileReadings(out, None))
        return
    for minutes in np.unique(lengths):
        part = out if (lengths == minutes).all() else out[lengths == minutes].reset_index(drop=True)
        sound.into.profiles.append(ProfileReadings(part, int(minutes)))


def _reversed(vendor: Vendor, frame: pd.DataFrame, stamp: str) -> bool:
    """Whether the first of two rows counts, and there are two: the later row of a slot wins downstream."""
    return vendor.duplicates == "first" and bool(frame.duplicated(["serial", stamp]).any())


def _add_values(sound: _Sound, columns: dict[Column, np.ndarray]) -> None:
    """Instantaneous, billing and daily rows: a value each, but for the registers that have a row of their own."""
    kind, n = sound.profile.kind, len(sound.ok)
    times: dict[Column, np.ndarray] = {}
    for c in sound.rows.cells:
        if c.to == "at" and c.of is not None:
            times.setdefault((c.of, c.zone), np.full(n, NAT))[c.at(n)] = _demand_times(sound, c)
    if kind == "instant":
        day = _local(sound.stamp, sound.vendor.zone).astype("datetime64[D]").astype("datetime64[s]")
    else:
        day, sound.stamp = _close(sound.vendor.zone, sound.vendor.stamp if kind == "daily" else "end", sound.stamp)
    registers = {r: columns.pop((r, 0)) for r in REGISTERS if kind == "daily" and (r, 0) in columns}
    at = _present(registers.values(), n)
    if len(at):
        frame = sound.frame(at, "read_at") | {"day": day[at]}
        frame |= {name: _integers(v[at]) for name, v in registers.items() if not np.isnan(v[at]).all()}
        if ("md_import_w", 0) in times:
            frame["md_import_at"] = to_utc(times["md_import_w", 0][at])
        out = pd.DataFrame(frame)
        if _reversed(sound.vendor, out, "read_at"):
            out = out.iloc[::-1].reset_index(drop=True)
        sound.into.registers.append(RegisterReadings(out))

    found = [(to, zone, np.flatnonzero(~np.isnan(v)), v) for (to, zone), v in columns.items()]
    found = [f for f in found if len(f[2])]
    if not found:
        return
    row = np.concatenate([rows for _, _, rows, _ in found])
    order = np.argsort(row, kind="stable")  # as the source has them, the values of a row together
    if sound.vendor.duplicates == "first":
        order = order[::-1]
    counts = [len(rows) for _, _, rows, _ in found]
    no_times = np.full(n, NAT)
    long = sound.frame(row[order], "read_at") | {
        "day": day[row[order]],
        "quantity": pd.Series(np.repeat(np.array([to for to, *_ in found], dtype=object), counts)[order], dtype="str"),
        "zone": np.repeat([zone for _, zone, *_ in found], counts)[order],
        "value": pd.array(np.concatenate([v[rows] for *_, rows, v in found])[order].astype(np.int64), dtype="Int64"),
        "at": to_utc(np.concatenate([times.get((to, zone), no_times)[rows] for to, zone, rows, _ in found])[order]),
    }
    sound.into.values.append(MeterValues(pd.DataFrame(long), kind))


def _add_events(sound: _Sound, columns: dict[Column, np.ndarray]) -> None:
    """Events, with the quantities that the meter noted beside them as their detail."""
    beside: dict[Column, np.ndarray] = {}
    for c in sound.rows.cells:
        if c.to not in {"code", "at"}:
            _fill(beside, c, *numbers(c.raw, sound.vendor.empty), sound, counts=0)
    at = _present(columns.values(), len(sound.ok))
    if not len(at):
        return
    detail = [storable(sound.rows.detail[i]) if sound.rows.detail else None for i in at]
    for (name, _), v in beside.items():
        for k, i in enumerate(at):
            if not np.isnan(v[i]):
                detail[k] = {**(detail[k] or {}), name: int(v[i])}
    frame = sound.frame(at, "occurred_at") | {
        "code": columns["code", 0][at].astype(np.int64),
        "detail": pd.Series(detail, dtype=object),
    }
    sound.into.events.append(MeterEvents(pd.DataFrame(frame)))


def _add_texts(sound: _Sound, cells: list[Cells], parsed: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Nameplates: every value as text. Status words: 16 octets."""
    word = sound.profile.kind == "status"
    n = len(sound.ok)
    at: list[int] = []
    names: list[str] = []
    taken: list[Any] = []
    for c, (raws, has) in zip(cells, parsed, strict=True):
        rows = c.at(n)
        for i in np.flatnonzero(has & sound.ok[rows]).tolist():
            try:
                value = _status_word(raws[i]) if word else _text(raws[i], c.exponent)
            except ValueError as e:
                sound.refuse(Reason.MALFORMED, c, i, f"{c.to}: {e}")
                continue
            at.append(int(rows[i]))
            names.append(c.to)
            taken.append(value)
    if not at:
        return
    frame = sound.frame(np.array(at), "occurred_at" if word else "read_at")
    if word:
        frame["word"] = pd.Series(taken, dtype=object)
        sound.into.status_words.append(StatusWords(pd.DataFrame(frame)))
    else:
        frame |= {"attribute": pd.Series(names, dtype="str"), "text": pd.Series(taken, dtype="str")}
        sound.into.nameplates.append(Nameplates(pd.DataFrame(frame)))


def _texts(raw: Sequence[Any] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the values as they are, given)."""
    out = np.empty(len(raw), dtype=object)
    out[:] = list(raw)
    return out, np.array([not (v is None or (isinstance(v, str) and not v.strip())) for v in out], dtype=bool)


def _text(v: Any, exponent: int) -> str:
    """A nameplate's value: octets are ASCII where that can be shown, hex else; a number by its power of ten. Raises ValueError."""
    if isinstance(v, bytes):
        shown = v.rstrip(b"\x00").decode("ascii", "replace").strip()
        return shown if shown and shown.isprintable() and "\ufffd" not in shown else v.hex()
    if isinstance(v, float | int) and exponent:
        return f"{Decimal(str(v)).scaleb(exponent):f}"
    out = clean(str(v)).strip()
    if len(out) > TEXT_CHARS:
        raise ValueError(f"has {len(out)} characters: at most {TEXT_CHARS} are kept")
    return out


def _status_word(v: Any) -> bytes:
    """16 octets from octets, 32 hex digits, 128 binary digits or base64. Raises ValueError."""
    octets = v
    if not isinstance(v, bytes):
        t = re.sub("[_ :]", "", str(v))
        try:
            if len(t) == STATUS_WORD_BITS and set(t) <= {"0", "1"}:
                octets = int(t, 2).to_bytes(STATUS_WORD_BITS // 8)
            elif len(t) == STATUS_WORD_BITS // 4:
                octets = bytes.fromhex(t)
            else:
                octets = base64.b64decode(t, validate=True)
        except (ValueError, binascii.Error):
            octets = b""
    if len(octets) != STATUS_WORD_BITS // 8:
        raise ValueError(f"{_shown(v)[:80]} is no event status word: 16 octets as 32 hex digits, 128 binary digits or base64")
    return octets


def _present(columns: Iterable[np.ndarray], n: int) -> np.ndarray:
    """Rows of which any column has a value."""
    keep = np.zeros(n, dtype=bool)
    for v in columns:
        keep |= ~np.isnan(v)
    return np.flatnonzero(keep)


def _demand_times(sound: _Sound, c: Cells) -> np.ndarray:
    """When the maximum demand was. A time belongs to its value: an unreadable one is rejected, but stands for no value."""
    got = stamps(c.raw, sound.vendor.stamp_formats, sound.vendor.zone)
    for i in np.flatnonzero(np.isnat(got)):
        v = c.raw[int(i)]
        if v is None or v in sound.vendor.empty or no_date(v):
            continue
        detail = f"time of {c.of}: {_shown(v)} is not read by any of {', '.join(sound.vendor.stamp_formats)}"
        sound.refuse(Reason.BAD_STAMP, c, int(i), detail, 0)
    return got


def no_date(v: Any) -> bool:
    """Whether a value is the DLMS way to say "never": a date of FF octets. An empty text says it too."""
    if isinstance(v, bytes):
        return v[:5] == b"\xff" * 5
    return isinstance(v, str) and (not v.strip() or re.sub("[_ :]", "", v).upper().startswith("F" * 10))


def _shown(v: Any) -> str:
    return v.hex() if isinstance(v, bytes) else repr(v)


def _integers(v: np.ndarray) -> pd.arrays.IntegerArray:
    mask = np.isnan(v)
    return pd.arrays.IntegerArray(np.where(mask, 0, v).astype(np.int64), mask)


def _serials(raw: np.ndarray, faults: dict[int, tuple[Reason, str]]) -> np.ndarray:
    codes, uniques = pd.factorize(np.asarray(raw, dtype=object), use_na_sentinel=True)
    texts = ["" if u is None else str(u).strip() for u in uniques] + [""]
    bad = {k: t for k, t in enumerate(texts) if not t or not t.isprintable() or "\ufffd" in t}
    if bad:
        for i in np.flatnonzero(np.isin(np.where(codes < 0, len(texts) - 1, codes), list(bad))):
            t = texts[codes[i]]
            reason = Reason.NOT_UTF8 if "\ufffd" in t else Reason.MALFORMED
            faults[int(i)] = (reason, f"serial {t!r} has characters that cannot be" if t else "no meter serial")
    return np.array(texts, dtype=object)[codes]


def _place(vendor: Vendor, rows: Rows, stamp: np.ndarray, faults: dict[int, tuple[Reason, str]]) -> tuple[np.ndarray, np.ndarray | None]:
    """Start of each interval, and its length in minutes (None: unknown). Registers and events keep their stamp."""
    profile, n = rows.profile, len(stamp)
    if profile.kind != "block":
        return stamp, None
    if rows.interval is None:
        if profile.interval_min is None:
            return stamp, None
        minutes = np.full(n, profile.interval_min, dtype=np.int64)
        if profile.infer_interval and rows.slot is None:
            minutes = _infer(rows.serial, stamp, minutes)
    else:
        num, given = numbers(rows.interval)
        num = num / 60 if profile.interval_is == "s" else num
        num = np.where(given, num, np.nan if profile.interval_min is None else float(profile.interval_min))
        whole = ~np.isnan(num) & (num >= 1) & (num == np.floor(num))
        whole[whole] &= 1440 % num[whole] == 0
        for i in np.flatnonzero(~whole):
            faults[int(i)] = (Reason.MALFORMED, f"interval of {_shown(rows.interval[i])} minutes: a day is not a multiple of it")
        minutes = np.where(whole, num, 1440).astype(np.int64)
    step = minutes.astype("timedelta64[m]")
    if rows.slot is not None:
        slot, _ = numbers(rows.slot)
        fits = ~np.isnan(slot) & (slot >= 1) & (slot == np.floor(slot)) & (slot * minutes <= 1440)
        for i in np.flatnonzero(~fits):
            faults[int(i)] = (Reason.BAD_STAMP, f"slot {_shown(rows.slot[i])} is not in a day of {minutes[i]}-minute intervals")
        return stamp + (np.where(fits, slot, 1) - 1).astype(np.int64) * step, minutes
    return (stamp - step if vendor.stamp == "end" else stamp), minutes


INTERVALS = (5, 10, 15, 30, 60)
MIN_GAPS = 3
"""Fewer gaps than this say nothing of a meter's interval: a few missing blocks would double it."""


def _infer(serial: np.ndarray, stamp: np.ndarray, default: np.ndarray) -> np.ndarray:
    """Interval of each row's meter in minutes: the most common gap between its stamps, where that is an interval of the trade.

    A meter with too few stamps follows the rest of the payload. Landing compares the result with the registry.
    """
    f = pd.DataFrame({"serial": serial, "stamp": stamp}).dropna().drop_duplicates().sort_values(["serial", "stamp"])
    gap = f["stamp"].diff().dt.total_seconds().div(60)[f["serial"].eq(f["serial"].shift())]
    gap = gap[gap.isin(INTERVALS)]
    if len(gap) < MIN_GAPS:
        return default
    counts = gap.groupby([f["serial"].loc[gap.index].rename("serial"), gap.rename("minutes")]).size().rename("n").reset_index("minutes")
    known = counts[counts["n"] >= MIN_GAPS].sort_values("n", kind="stable").groupby(level=0)["minutes"].last()
    return pd.Series(serial).map(known).fillna(gap.mode().iloc[0]).to_numpy().astype(np.int64)


def _close(zone: str, names: str, stamp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(day that the register closes, instant of reading in UTC); `names`: which end of the day the stamp names."""
    if names == "end":
        day = _local(stamp - np.timedelta64(1, "us"), zone).astype("datetime64[D]")
        return day.astype("datetime64[s]"), stamp
    local = _local(stamp, zone)
    end = _localize(pd.Series(local + NS_DAY), zone)
    return local.astype("datetime64[D]").astype("datetime64[s]"), _naive(end)


def _received(vendor: Vendor, rows: Rows, n: int, arrival: datetime) -> np.ndarray:
    default = np.datetime64(pd.Timestamp(arrival).tz_convert("UTC").tz_localize(None).to_pydatetime(), "us")
    if rows.received is None:
        return np.full(n, default)
    got = stamps(rows.received, vendor.stamp_formats, vendor.zone)
    # A receipt that cannot be is none: the arrival is known.
    earliest, latest = (np.datetime64(t.replace(tzinfo=None), "us") for t in (EARLIEST, LATEST))
    return np.where(np.isnat(got) | (got < earliest) | (got >= latest), default, got)


def _fill(columns: dict[Column, np.ndarray], c: Cells, num: np.ndarray, has: np.ndarray, sound: _Sound, counts: int = 1) -> None:
    """Put the cells into their column; reject one by one what is no number, out of range or given twice (it stands for `counts` values)."""
    n = len(sound.ok)
    at = c.at(n)
    want = has & sound.ok[at]
    low, high = INT4 if sound.profile.kind == "block" or c.to == "code" else INT53
    whole = scale(num, c.exponent)
    nan = np.isnan(num)
    wide = ~nan & ((whole < low) | (whole > high))
    column = columns.setdefault((c.to, c.zone), np.full(n, np.nan))
    twice = np.zeros(len(at), dtype=bool)
    good = want & ~nan & ~wide
    if c.rows is not None:
        first = np.zeros(len(at), dtype=bool)
        k = np.flatnonzero(good)
        first[k[np.unique(at[k], return_index=True)[1]]] = True
        twice = good & ~first
    twice |= good & ~np.isnan(column[at])
    good &= ~twice
    column[at[good]] = whole[good]
    for i in np.flatnonzero(want & (nan | wide | twice)).tolist():
        code = None
        if nan[i] and c.worded:
            reason, code = Reason.UNKNOWN_OBIS, str(c.raw[i])
            detail = f"{c.to}: the vendor file does not know the word {_shown(c.raw[i])}: add it to words"
        elif nan[i]:
            reason, detail = Reason.NOT_A_NUMBER, f"{c.to}: {_shown(c.raw[i])} is not a number"
        elif wide[i]:
            reason, detail = Reason.OUT_OF_RANGE, f"{c.to}: {_shown(c.raw[i])} would be {whole[i]:.0f}: beyond {low} to {high}"
        else:
            reason, detail = Reason.MALFORMED, f"{c.to} is given twice for one stamp: the first was taken"
        sound.refuse(reason, c, i, detail, counts, code)
