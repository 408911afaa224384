"""From rows as a reader took them out of a payload to canonical frames: zone, interval end, units, scalers, ranges. Vectorised.

Knows no file format (readers) and no registry or clock of the warehouse (landing). Numbers go through float64, exact for
integers up to 2^53; `value * 10^exponent` is rounded half to even, so 6.959999999999997 kWh is 6960 Wh.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ingestion.canonical import Delivery, MeterEvents, ProfileReadings, RegisterReadings, Rejection
from ingestion.fragments import EARLIEST, LATEST
from ingestion.vendor import Profile, Vendor
from warehouse.codes import Reason
from warehouse.tables import CHANNELS, REGISTERS

PAYLOAD_CHARS = 2000
INT4 = (-(2**31), 2**31 - 1)
INT53 = (-(2**53), 2**53)
"""Registers are int8 in the warehouse; beyond 2^53 float64 is no longer exact, and no register counts that far."""

NS_DAY = np.timedelta64(1, "D")
NAT = np.datetime64("NaT", "us")


@dataclass
class Cells:
    """Values of one target that share a power of ten. `raw`: floats and texts; `rows`: the row of each, None = one a row in order."""

    to: str
    exponent: int
    raw: Sequence[Any] | np.ndarray
    label: str
    rows: np.ndarray | None = None


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
) -> Rejection:
    """A Rejection with its texts cleaned and the payload cut to 2,000 characters."""
    return Rejection(
        reason=reason,
        locator=clean(locator),
        payload=clean(payload[:PAYLOAD_CHARS]),
        detail=clean(detail[:PAYLOAD_CHARS]),
        values=values,
        serial=clean(serial) if serial else None,
        stamp=stamp,
    )


# --- numbers ----------------------------------------------------------------------------------------------------------------


def numbers(raw: Sequence[Any] | np.ndarray, empty: frozenset[str] = frozenset()) -> tuple[np.ndarray, np.ndarray]:
    """(float64, given): the numbers, NaN where the text is none or infinite; `given` is False where the cell is empty."""
    texts = np.asarray(raw, dtype=object) if not isinstance(raw, np.ndarray) else raw
    if texts.dtype != object:
        num = texts.astype(np.float64)
    else:
        num = np.array(pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce"), dtype=np.float64)
    num[~np.isfinite(num)] = np.nan
    given = np.ones(len(num), dtype=bool)
    for i in np.flatnonzero(np.isnan(num)):
        t = texts[i]
        given[i] = not (t is None or (isinstance(t, str) and (not t.strip() or t.strip() in empty)))
    return num, given


def scale(num: np.ndarray, exponent: int) -> np.ndarray:
    """num * 10^exponent as whole float64, rounded half to even. Divides where the exponent is negative: 10^-1 is not exact."""
    return np.rint(num * 10.0**exponent if exponent >= 0 else num / 10.0**-exponent)


_INTS = {0x05: ">i", 0x06: ">I", 0x0F: ">b", 0x10: ">h", 0x11: ">B", 0x12: ">H", 0x14: ">q", 0x15: ">Q", 0x16: ">B", 0x17: ">f", 0x18: ">d"}


@lru_cache(maxsize=1 << 17)
def axdr(text: str) -> float | int | bytes | None:
    """Value of base64 A-XDR: a number, octets (bytes) or None (null). Raises ValueError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise ValueError(f"not base64: {e}") from None
    if not data:
        raise ValueError("no octets")
    tag, body = data[0], data[1:]
    if tag == 0 and not body:
        return None
    if tag in _INTS:
        if len(body) != struct.calcsize(_INTS[tag]):
            raise ValueError(f"A-XDR tag {tag:02x} with {len(body)} octets")
        return struct.unpack(_INTS[tag], body)[0]
    if tag == 0x09 and body and len(body) == body[0] + 1:
        return body[1:]
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


_OFFSET = r"(?:Z|z|[+-]\d\d:?\d\d|[+-]\d\d)$"
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
    zoned = plain.str.contains(r"\d" + _OFFSET, regex=True) & plain.str.contains(":") if fmt == "iso8601" else None
    if "%z" in fmt:
        utc = pd.to_datetime(plain, format=pattern, utc=True, errors="coerce").dt.as_unit("us")
    else:
        # A sign or Z after the hour is a zone that _OFFSET does not know: no time of the vendor's zone, and no stamp.
        known = plain if zoned is None else plain.where(~zoned & ~plain.str.contains(r"[T ].*[Zz+-]", regex=True))
        utc = _localize(pd.to_datetime(known, format=pattern, errors="coerce"), zone)
        if zoned is not None and zoned.any():
            utc = utc.where(~zoned, pd.to_datetime(plain.where(zoned), format=pattern, utc=True, errors="coerce"))
    return _naive(utc) + np.where(late, NS_DAY, np.timedelta64(0, "D"))


def _naive(utc: pd.Series) -> np.ndarray:
    return utc.dt.tz_convert("UTC").dt.tz_localize(None).dt.as_unit("us").to_numpy()


def _clock(octets: Any, zone: str) -> np.datetime64:
    if not isinstance(octets, bytes):
        return NAT
    try:
        local = dlms_clock(octets, zone)
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
    counted = [c for c in rows.cells if c.to != "md_import_at"]
    parsed = [numbers(c.raw, vendor.empty) for c in counted]
    given = np.zeros(n, dtype=np.int64)
    for c, (_, has) in zip(counted, parsed, strict=True):
        np.add.at(given, np.arange(n) if c.rows is None else c.rows, has)

    stamp = stamps(rows.stamp, vendor.stamp_formats, vendor.zone)
    faults: dict[int, tuple[Reason, str]] = {}
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
                into.rejections.append(rejection(reason, locator, rows.payload(i), detail, int(given[i]), serial[i], _aware(stamp[i])))

    columns: dict[str, np.ndarray] = {}
    for c, (num, has) in zip(counted, parsed, strict=True):
        _fill(columns, c, num, has, rows, ok, serial, stamp, into)

    received = _received(vendor, rows, n, arrival)
    keep = np.zeros(n, dtype=bool)
    for v in columns.values():
        keep |= ~np.isnan(v)
    if not keep.any():
        return
    at = np.flatnonzero(keep)
    frame: dict[str, Any] = {"serial": serial[at]}
    time_column = {"block": "start", "daily": "read_at", "event": "occurred_at"}[profile.kind]
    if profile.kind == "daily":
        day, stamp = _close(vendor, stamp)
        frame["day"] = day[at]
    frame[time_column] = to_utc(stamp[at])
    frame["received_at"] = to_utc(received[at])
    frame["locator"] = rows.locators(at)
    order = CHANNELS if profile.kind == "block" else REGISTERS if profile.kind == "daily" else ("code",)
    for name in order:
        if name in columns and not np.isnan(columns[name][at]).all():
            frame[name] = _integers(columns[name][at])
    if profile.kind == "daily":
        for c in rows.cells:
            if c.to == "md_import_at":
                frame["md_import_at"] = to_utc(_demand_times(vendor, rows, c, into)[at])
    if profile.kind == "block" and rows.quality is not None and (rows.quality[at] >= 0).any():
        frame["quality"] = pd.arrays.IntegerArray(rows.quality[at].astype(np.int16), rows.quality[at] < 0)
    if profile.kind == "event":
        frame["code"] = columns["code"][at].astype(np.int64)
        frame["detail"] = pd.Series([storable(rows.detail[i]) if rows.detail else None for i in at], dtype=object)
    out = pd.DataFrame(frame)
    out["serial"] = out["serial"].astype("str")
    out["locator"] = out["locator"].astype("str")
    if vendor.duplicates == "first" and profile.kind != "event" and out.duplicated(["serial", time_column]).any():
        out = out.iloc[::-1].reset_index(drop=True)  # the later row of a slot wins downstream

    if profile.kind == "event":
        into.events.append(MeterEvents(out))
    elif profile.kind == "daily":
        into.registers.append(RegisterReadings(out))
    elif interval is None:
        into.profiles.append(ProfileReadings(out, None))
    else:
        lengths = interval[at]
        for minutes in np.unique(lengths):
            part = out if (lengths == minutes).all() else out[lengths == minutes].reset_index(drop=True)
            into.profiles.append(ProfileReadings(part, int(minutes)))


def _demand_times(vendor: Vendor, rows: Rows, c: Cells, into: Delivery) -> np.ndarray:
    """When the maximum demand was. A time belongs to its value: an unreadable one is rejected, but stands for no value."""
    times = np.full(len(rows.serial), NAT)
    at = np.arange(len(times)) if c.rows is None else c.rows
    got = stamps(c.raw, vendor.stamp_formats, vendor.zone)
    times[at] = got
    for i in np.flatnonzero(np.isnat(got)):
        v = c.raw[int(i)]
        if v in (None, "") or (isinstance(v, bytes) and v[:5] == b"\xff" * 5):
            continue
        row = int(at[i])
        locator = f"{rows.locators(at[i : i + 1])[0]}, {c.label}"
        detail = f"{c.to}: {_shown(v)} is not read by any of {', '.join(vendor.stamp_formats)}"
        into.rejections.append(rejection(Reason.BAD_STAMP, locator, rows.payload(row), detail, 0, str(rows.serial[row])))
    return times


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


def _close(vendor: Vendor, stamp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(day that the register closes, instant of reading in UTC)."""
    if vendor.stamp == "end":
        day = _local(stamp - np.timedelta64(1, "us"), vendor.zone).astype("datetime64[D]")
        return day.astype("datetime64[s]"), stamp
    local = _local(stamp, vendor.zone)
    end = _localize(pd.Series(local + NS_DAY), vendor.zone)
    return local.astype("datetime64[D]").astype("datetime64[s]"), _naive(end)


def _received(vendor: Vendor, rows: Rows, n: int, arrival: datetime) -> np.ndarray:
    default = np.datetime64(pd.Timestamp(arrival).tz_convert("UTC").tz_localize(None).to_pydatetime(), "us")
    if rows.received is None:
        return np.full(n, default)
    got = stamps(rows.received, vendor.stamp_formats, vendor.zone)
    # A receipt that cannot be is none: the arrival is known.
    earliest, latest = (np.datetime64(t.replace(tzinfo=None), "us") for t in (EARLIEST, LATEST))
    return np.where(np.isnat(got) | (got < earliest) | (got >= latest), default, got)


def _fill(
    columns: dict[str, np.ndarray],
    c: Cells,
    num: np.ndarray,
    has: np.ndarray,
    rows: Rows,
    ok: np.ndarray,
    serial: np.ndarray,
    stamp: np.ndarray,
    into: Delivery,
) -> None:
    """Put the cells into their column; reject one by one what is no number, out of range or given twice."""
    n = len(ok)
    at = np.arange(n) if c.rows is None else c.rows
    want = has & ok[at]
    low, high = INT53 if c.to in REGISTERS and rows.profile.kind == "daily" else INT4
    whole = scale(num, c.exponent)
    nan = np.isnan(num)
    wide = ~nan & ((whole < low) | (whole > high))
    column = columns.setdefault(c.to, np.full(n, np.nan))
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
    bad = np.flatnonzero(want & (nan | wide | twice))
    if not len(bad):
        return
    for i, locator in zip(bad.tolist(), rows.locators(at[bad]), strict=True):
        if nan[i]:
            reason, detail = Reason.NOT_A_NUMBER, f"{c.to}: {_shown(c.raw[i])} is not a number"
        elif wide[i]:
            reason, detail = Reason.OUT_OF_RANGE, f"{c.to}: {_shown(c.raw[i])} would be {whole[i]:.0f}: beyond {low} to {high}"
        else:
            reason, detail = Reason.MALFORMED, f"{c.to} is given twice for one stamp: the first was taken"
        row = int(at[i])
        into.rejections.append(rejection(reason, f"{locator}, {c.label}", rows.payload(row), detail, 1, serial[row], _aware(stamp[row])))
