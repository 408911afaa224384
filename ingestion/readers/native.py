"""Meterhouse's own JSON (docs/push.md): whole arrays a meter, in canonical names and units, so that nothing is mapped and little is parsed.

Unlike the other readers it needs no vendor file and fills the delivery itself. Bad content never raises: it is rejected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pandas as pd

from ingestion.canonical import (
    STATUS_WORD_OCTETS,
    Delivery,
    MeterEvents,
    MeterValues,
    Nameplates,
    ProfileReadings,
    RegisterReadings,
    StatusWords,
)
from ingestion.normalise import rejection, storable
from warehouse.codes import Quality, Reason
from warehouse.tables import ALL_CHANNELS, PROFILES, QUANTITIES, REGISTERS

LISTS = ("profiles", "registers", "events", "values", "nameplates", "status_words")
MAX_SLOTS = 1440 * 40
"""Of one meter in one record: forty days of minutes."""
DEEPEST = 50
"""Levels in which values are counted: nothing that is read is deeper."""

_CHANNELS, _REGISTERS = frozenset(ALL_CHANNELS), frozenset(REGISTERS)
_INT8 = (-(2**63), 2**63 - 1)


def read_native(name: str, content: bytes, received_at: datetime) -> Delivery:
    """One body -> canonical Delivery. `received_at` is aware. Values are counted as everywhere: accepted + rejected = received."""
    delivery = Delivery(source=name, content_sha256=hashlib.sha256(content).digest(), received_at=received_at)
    try:
        root = orjson.loads(content)
    except ValueError as e:
        delivery.rejections.append(rejection(Reason.MALFORMED, name, content.decode("utf-8", "replace"), f"not JSON: {e}"))
        return delivery
    if not isinstance(root, dict):
        detail = f"the body is no JSON object: send {{{', '.join(LISTS)}}}, each a list"
        delivery.rejections.append(rejection(Reason.MALFORMED, "$", _show(root), detail))
        return delivery
    reader = _Reader(delivery, received_at)
    for key, records in root.items():
        if key not in LISTS:
            reader.refuse(Reason.UNKNOWN_OBIS, key, records, f"unknown list {key!r}: known are {', '.join(LISTS)}", _size(records))
        elif not isinstance(records, list):
            reader.refuse(Reason.MALFORMED, key, records, f"{key} is no list of records", _size(records))
        else:
            sound = [(f"{key}[{i}]", r) for i, r in enumerate(records) if reader.is_record(f"{key}[{i}]", r)]
            getattr(reader, key)(sound)
    return delivery


Record = tuple[str, dict[str, Any]]
"""Where it stands, and what it is."""


class _Reader:
    def __init__(self, delivery: Delivery, received_at: datetime) -> None:
        self.delivery = delivery
        self.received = pd.Timestamp(received_at).tz_convert("UTC").as_unit("us")

    def refuse(self, reason: Reason, place: str, node: Any, detail: str, values: int = 1, serial: object = None) -> None:
        said = serial if isinstance(serial, str) else None
        self.delivery.rejections.append(rejection(reason, place, _show(node), detail, values, said))

    def is_record(self, place: str, record: Any) -> bool:
        if not isinstance(record, dict):
            self.refuse(Reason.MALFORMED, place, record, "is no record with named fields", _size(record))
            return False
        serial = record.get("serial")
        if not (isinstance(serial, str) and serial.strip() and serial.isprintable()):
            self.refuse(Reason.MALFORMED, place, record, "serial: the text by which the meter is registered is missing", _size(record))
            return False
        return True

    def frame(self, kept: list[Record], columns: dict[str, Any]) -> pd.DataFrame:
        return pd.DataFrame(
            {"serial": [r["serial"].strip() for _, r in kept], "locator": [p for p, _ in kept], "received_at": self.received, **columns}
        )

    def stamp(self, record: dict[str, Any], field: str) -> int | str:
        """Microseconds since 1970 UTC, or what is wrong."""
        text = record.get(field)
        if not isinstance(text, str):
            return f"{field}: a time with its zone is missing, such as 2026-10-01T00:00:00+05:30"
        micros = _micros(text)
        return f"{field}: {text!r} is no time with its zone, such as 2026-10-01T00:00:00+05:30" if micros is None else micros

    # --- profiles: groups of records of one shape become matrices

    def profiles(self, records: list[Record]) -> None:
        groups: dict[tuple[Any, ...], list[tuple[str, dict[str, Any], int]]] = {}
        for place, record in records:
            start = self.stamp(record, "start")
            if isinstance(start, str):
                self.refuse(Reason.BAD_STAMP, place, record, start, _size(record), record["serial"])
                continue
            minutes = record.get("interval_min")
            if type(minutes) is not int or not 0 < minutes <= 1440 or 1440 % minutes:
                detail = f"interval_min: {minutes!r} is no number of minutes that divides the day"
                self.refuse(Reason.MALFORMED, place, record, detail, _size(record), record["serial"])
                continue
            channels = tuple(c for c in record if c in _CHANNELS and isinstance(record[c], list))
            if isinstance(record.get("quality"), list):
                channels = (*channels, "quality")
            for name in record.keys() - set(channels) - {"serial", "start", "interval_min"}:
                reason = Reason.MALFORMED if name in _CHANNELS else Reason.UNKNOWN_OBIS
                detail = f"{name}: {'is no list of values' if name in _CHANNELS else 'is no channel'}. Channels: {', '.join(ALL_CHANNELS)}"
                self.refuse(reason, place, {name: record[name]}, detail, _size(record[name]), record["serial"])
            lengths: set[int] = {len(record[c]) for c in channels}
            if len(lengths) > 1 or max(lengths, default=0) > MAX_SLOTS:
                detail = (
                    f"the channels have lists of {', '.join(map(str, sorted(lengths)))} values: give all one length of at most {MAX_SLOTS}"
                )
                self.refuse(Reason.MALFORMED, place, record, detail, _size([record[c] for c in channels]), record["serial"])
            elif length := max(lengths, default=0):
                groups.setdefault((minutes, channels, length), []).append((place, record, start))
        for (minutes, channels, length), members in groups.items():
            self._matrix(minutes, channels, length, members)

    def _matrix(self, minutes: int, channels: tuple[str, ...], length: int, members: list[tuple[str, dict[str, Any], int]]) -> None:
        serials, codes = np.unique(np.array([r["serial"].strip() for _, r, _ in members], dtype=object), return_inverse=True)
        start = np.array([s for _, _, s in members], dtype=np.int64)[:, None] + np.arange(length) * (minutes * 60_000_000)
        order = np.arange(len(members))
        columns: dict[str, Any] = {
            "serial": pd.Categorical.from_codes(np.repeat(codes, length), pd.Index(serials)),
            "start": pd.Series(start.ravel().view("datetime64[us]")).dt.tz_localize("UTC"),
            "received_at": self.received,
            "locator": pd.Categorical.from_codes(np.repeat(order, length), pd.Index([p for p, _, _ in members])),
        }
        for c in channels:
            if c == "quality":
                columns[c] = _qualities([q for _, r, _ in members for q in r[c]])
            else:
                columns[c] = self._cells(c, [(p, r["serial"], r[c]) for p, r, _ in members])
        self.delivery.profiles.append(ProfileReadings(pd.DataFrame(columns), minutes))

    def _cells(self, channel: str, lists: list[tuple[str, str, list[Any]]]) -> Any:
        """All values one after the other; each that is none is rejected by itself."""
        flat = list(chain.from_iterable(values for _, _, values in lists))
        if set(map(type, flat)) == {int}:
            try:
                return np.array(flat, dtype=np.int64)
            except OverflowError:
                pass
        length = len(lists[0][2])
        mask = np.ones(len(flat), dtype=bool)
        numbers = np.zeros(len(flat), dtype=np.int64)
        for i, v in enumerate(flat):
            if type(v) is int and _INT8[0] <= v <= _INT8[1]:
                numbers[i], mask[i] = v, False
            elif v is not None:
                place, serial, _ = lists[i // length]
                reason = Reason.OUT_OF_RANGE if type(v) is int else Reason.NOT_A_NUMBER
                detail = f"{channel}: {v!r} is no whole number that can be stored"
                self.refuse(reason, f"{place}.{channel}[{i % length}]", v, detail, 1, serial)
        return pd.arrays.IntegerArray(numbers, mask)

    # --- the others: a record a row

    def _rows(self, records: list[Record], field: str, size: Callable[[dict[str, Any]], int]) -> tuple[list[Record], pd.Series]:
        """Records with a stamp, and the stamps."""
        kept, stamps = [], []
        for place, record in records:
            stamp = self.stamp(record, field)
            if isinstance(stamp, str):
                self.refuse(Reason.BAD_STAMP, place, record, stamp, size(record), record["serial"])
            else:
                kept.append((place, record))
                stamps.append(stamp)
        return kept, _utc(stamps)

    def registers(self, records: list[Record]) -> None:
        """`read_at` is the midnight at which the registers stood; `day` says which day they close where that is another."""
        kept, read_at = self._rows(records, "read_at", lambda r: _size({k: v for k, v in r.items() if k in _REGISTERS}))
        if not kept:
            return
        columns: dict[str, Any] = {}
        for name in sorted({n for _, r in kept for n in r} - {"serial", "read_at", "day", "md_import_at"}):
            if name not in _REGISTERS:
                for place, record in kept:
                    if name in record:
                        detail = f"{name}: is no register. Registers: {', '.join(REGISTERS)}"
                        self.refuse(Reason.UNKNOWN_OBIS, place, {name: record[name]}, detail, _size(record[name]), record["serial"])
                continue
            columns[name] = self._cells(name, [(p, r["serial"], [r.get(name)]) for p, r in kept])
        if not columns:
            return
        days = [_day(r.get("day"), r["read_at"]) for _, r in kept]
        at = [_micros(t) if isinstance(t := r.get("md_import_at"), str) else None for _, r in kept]
        columns |= {"read_at": read_at, "day": pd.to_datetime(pd.Series(days)), "md_import_at": _utc(at)}
        self.delivery.registers.append(RegisterReadings(self.frame(kept, columns)))

    def events(self, records: list[Record]) -> None:
        kept, occurred_at = self._rows(records, "occurred_at", lambda _: 1)
        sound = [type(r.get("code")) is int and abs(r["code"]) < 2**63 for _, r in kept]
        for (place, record), ok in zip(kept, sound, strict=True):
            if not ok:
                detail = f"code: {record.get('code')!r} is no event code: a whole number"
                self.refuse(Reason.NOT_A_NUMBER, place, record, detail, 1, record["serial"])
        good = [k for k, ok in zip(kept, sound, strict=True) if ok]
        if not good:
            return
        details = [storable(d) if isinstance(d := r.get("detail"), dict) else None for _, r in good]
        columns = {
            "occurred_at": occurred_at[sound].reset_index(drop=True),
            "code": [r["code"] for _, r in good],
            "detail": pd.Series(details, dtype=object),
        }
        self.delivery.events.append(MeterEvents(self.frame(good, columns)))

    def values(self, records: list[Record]) -> None:
        kept, read_at = self._rows(records, "read_at", lambda _: 1)
        faults = [self._value_fault(r) for _, r in kept]
        for (place, record), fault in zip(kept, faults, strict=True):
            if fault:
                reason, detail = fault
                self.refuse(reason, place, record, detail, 1, record["serial"])
        read_at = read_at[[f is None for f in faults]].reset_index(drop=True)
        good = [k for k, f in zip(kept, faults, strict=True) if f is None]
        for profile in PROFILES:
            at = [i for i, (_, r) in enumerate(good) if r["profile"] == profile]
            if not at:
                continue
            mine = [good[i] for i in at]
            stamps = read_at.iloc[at].reset_index(drop=True)
            days = [_day(r.get("day"), r["read_at"], closes=profile != "instant") for _, r in mine]
            columns = {
                "read_at": stamps,
                "day": pd.to_datetime(pd.Series(days)),
                "quantity": [r["quantity"] for _, r in mine],
                "zone": [r.get("zone", 0) for _, r in mine],
                "value": pd.array([r["value"] for _, r in mine], dtype="Int64"),
                "at": _utc([_micros(t) if isinstance(t := r.get("at"), str) else None for _, r in mine]),
            }
            self.delivery.values.append(MeterValues(self.frame(mine, columns), profile))

    def nameplates(self, records: list[Record]) -> None:
        kept, read_at = self._rows(records, "read_at", lambda _: 1)
        sound = [isinstance(r.get("attribute"), str) and isinstance(r.get("text"), str) for _, r in kept]
        good = self._sound(kept, sound, "attribute and text are the name and the text of what the meter says of itself")
        if good:
            columns = {"read_at": read_at[sound].reset_index(drop=True)} | {c: [r[c] for _, r in good] for c in ("attribute", "text")}
            self.delivery.nameplates.append(Nameplates(self.frame(good, columns)))

    def status_words(self, records: list[Record]) -> None:
        kept, occurred_at = self._rows(records, "occurred_at", lambda _: 1)
        words = [_octets(r.get("word")) for _, r in kept]
        sound = [w is not None for w in words]
        good = self._sound(kept, sound, "word is the event status word: 32 digits of hex")
        if good:
            columns = {"occurred_at": occurred_at[sound].reset_index(drop=True), "word": [w for w in words if w is not None]}
            self.delivery.status_words.append(StatusWords(self.frame(good, columns)))

    def _sound(self, kept: list[Record], sound: list[bool], detail: str) -> list[Record]:
        for (place, record), ok in zip(kept, sound, strict=True):
            if not ok:
                self.refuse(Reason.MALFORMED, place, record, detail, 1, record["serial"])
        return [k for k, ok in zip(kept, sound, strict=True) if ok]

    @staticmethod
    def _value_fault(r: dict[str, Any]) -> tuple[Reason, str] | None:
        if r.get("profile") not in PROFILES:
            return Reason.MALFORMED, f"profile: {r.get('profile')!r} is none of {', '.join(PROFILES)}"
        if r.get("quantity") not in QUANTITIES:
            return Reason.UNKNOWN_OBIS, f"quantity: {r.get('quantity')!r} is not known"
        if type(r.get("zone", 0)) is not int or not 0 <= r.get("zone", 0) <= 8:
            return Reason.OUT_OF_RANGE, f"zone: {r.get('zone')!r} is not 0 (total) to 8"
        if type(r.get("value")) is not int or not _INT8[0] <= r["value"] <= _INT8[1]:
            return Reason.NOT_A_NUMBER, f"value: {r.get('value')!r} is no whole number that can be stored"
        return None


def _qualities(stated: list[Any]) -> Any:
    """Names of warehouse.codes.Quality, or their numbers; what is none of them says nothing."""
    known: dict[Any, int] = {q.name: int(q) for q in Quality} | {int(q): int(q) for q in Quality}
    codes = [known.get(q) if isinstance(q, (str, int)) else None for q in stated]
    return pd.array(codes, dtype="Int16")


def _octets(text: Any) -> bytes | None:
    try:
        return bytes.fromhex(text) if isinstance(text, str) and len(text) == 2 * STATUS_WORD_OCTETS else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _micros(text: str) -> int | None:
    """Microseconds since 1970 of an ISO time with its zone; None where it is none."""
    try:
        t = datetime.fromisoformat(text)
    except ValueError:
        return None
    if t.tzinfo is None:
        return None
    try:
        return (t.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    except OverflowError:
        return None


def _day(stated: Any, read_at: str, *, closes: bool = True) -> datetime | None:
    """The stated day; else the local day, in the zone of the stamp itself, that a stamp lies in, or closes where it is a midnight."""
    try:
        if isinstance(stated, str):
            return datetime.strptime(stated, "%Y-%m-%d")
        local = datetime.fromisoformat(read_at).replace(tzinfo=None)
        if closes:
            local -= timedelta(microseconds=1)
        return local.replace(hour=0, minute=0, second=0, microsecond=0)
    except (ValueError, OverflowError):
        return None


def _utc(micros: Iterable[int | None]) -> pd.Series:
    whole = np.array([np.iinfo(np.int64).min if m is None else m for m in micros], dtype=np.int64)
    return pd.Series(whole.view("datetime64[us]")).dt.tz_localize("UTC")


def _size(node: Any, deep: int = 0) -> int:
    """How many values a piece of JSON seems to hold, at least 1."""
    if deep > DEEPEST:
        return 1
    if isinstance(node, dict):
        lists = [v for v in node.values() if isinstance(v, list)]
        if lists:
            return max(1, sum(_size(v, deep + 1) for v in lists))
        return max(1, sum(1 for k in node if k in _REGISTERS or k in _CHANNELS))
    if isinstance(node, list):
        return max(1, sum(_size(n, deep + 1) if isinstance(n, (dict, list)) else n is not None for n in node))
    return 1


def _show(node: Any) -> str:
    try:
        return orjson.dumps(node).decode()[:2000]
    except orjson.JSONEncodeError:
        return "(nested too deeply to be shown)"
