"""Vendor `hpl`: the store that the REST server answers from, and the DLMS-faithful JSON it answers with. Section 2 of docs/hes-formats.md.

The store is a folder with one file of JSON lines a profile, sorted by `receivedAt`; a line is one item with plain numbers:
`{"receivedAt", "meterSerial", "columns": [[obis, unit, scalar, tag], ...], "entries": [["2026-10-01 00:30:00", raw, ...], ...]}`.
`render` turns a line into what goes over the wire, so that the store stays small.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from simulation.feed import REGULAR, BlockDelivery, Feed
from simulation.hes_files import Written, deliveries, shown

PROFILES = {"block": "1.0.99.1.0.255", "daily": "1.0.99.2.0.255", "event": "0.0.99.98.2.255"}
CLOCK = "0.0.1.0.0.255"
IST_MINUTES = 330

INT8, INT32, UINT32, UINT16, UINT64 = 0x0F, 0x05, 0x06, 0x12, 0x15
"""A-XDR tags."""
WIDTH = {INT8: (1, True), INT32: (4, True), UINT32: (4, False), UINT16: (2, False), UINT64: (8, False)}
UNITS = {30: "Wh", 31: "VAh", 33: "A", 35: "V"}

Column = tuple[str, int, int, int]
"""OBIS, unit, scalar, tag."""
ENERGY_COLUMNS: tuple[Column, ...] = (
    ("1.0.1.29.0.255", 30, 0, UINT32),
    ("1.0.2.29.0.255", 30, 0, UINT32),
    ("1.0.9.29.0.255", 31, 0, UINT32),
)
BLOCK_COLUMNS: dict[bool, tuple[Column, ...]] = {
    False: (*ENERGY_COLUMNS, ("1.0.12.27.0.255", 35, -2, UINT16)),
    True: (*ENERGY_COLUMNS, ("1.0.32.27.0.255", 35, -2, UINT16), ("1.0.31.27.0.255", 33, -2, UINT16)),
}
BLOCK_CHANNELS = ("import_wh", "export_wh", "import_vah", "voltage_cv", "current_ca")
EVENT_COLUMNS: tuple[Column, ...] = (("0.0.96.11.2.255", 255, 0, UINT16),)


def item(received: datetime, serial: str, columns: tuple[Column, ...], entries: list[list[Any]]) -> dict[str, Any]:
    """One line of the store; `received` is IST."""
    return {"receivedAt": f"{received.isoformat()}+05:30", "meterSerial": serial, "columns": columns, "entries": entries}


def write_store(path: Path, items: list[dict[str, Any]]) -> None:
    """Write one profile's items, sorted by the time they were received."""
    items = sorted(items, key=lambda i: (i["receivedAt"], i["meterSerial"]))
    path.write_text("".join(json.dumps(i, separators=(",", ":")) + "\n" for i in items), encoding="utf-8")


def write_hpl(feed: Feed, folder: Path) -> Written:
    """Write the store of every hpl meter: consumers, DTs and feeders."""
    folder.mkdir(parents=True, exist_ok=True)
    config, meters = feed.world.config, feed.world.meters
    blocks, registers = deliveries(feed, "hpl")
    items: dict[str, list[dict[str, Any]]] = {name: [] for name in PROFILES}
    for b in blocks:
        if b.sent.any():
            columns = BLOCK_COLUMNS[meters.category[b.meter] in ("D3", "D4")]
            received = feed.read_at(b.meter, b.day, b.delay)
            items["block"].append(item(received, meters.serial[b.meter], columns, _entries(feed, b, len(columns))))
    for m, d, delay in registers:
        scalar = 1 if meters.lsb_wh[m] == 10 else 0
        tag = UINT64 if meters.category[m] == "D4" else UINT32
        columns = tuple((f"1.0.{c}.8.0.255", unit, scalar, tag) for c, unit in ((1, 30), (2, 30), (9, 31)))
        entry = [str(config.midnight(d + 1)), *(shown(feed, m, d) // 10**scalar).tolist()]
        items["daily"].append(item(feed.read_at(m, d, delay), meters.serial[m], columns, [entry]))
    for (m, d), events in feed.events.items():
        if meters.vendor[m] == "hpl":
            entries = [[str(t), code] for t, code in events]
            items["event"].append(item(feed.read_at(m, d, REGULAR), meters.serial[m], EVENT_COLUMNS, entries))
    for name, rows in items.items():
        write_store(folder / f"{name}.jsonl", rows)
    values = {name: sum(len(i["columns"]) * len(i["entries"]) for i in rows) for name, rows in items.items()}
    return values, len(items)


def _entries(feed: Feed, b: BlockDelivery, width: int) -> list[list[Any]]:
    config = feed.world.config
    rows = np.stack([b.values[c] for c in BLOCK_CHANNELS[:width]], axis=1).tolist()
    step = timedelta(minutes=config.interval_min)
    return [[str(config.midnight(b.day + int(b.ahead[i])) + (i + 1) * step), *rows[i]] for i in np.flatnonzero(b.sent).tolist()]


def clock(stamp: datetime) -> bytes:
    """A-XDR octet string of a DLMS date-time, IST with deviation +330 as Indian meters send it."""
    octets = stamp.year.to_bytes(2) + bytes([stamp.month, stamp.day, stamp.isoweekday(), stamp.hour, stamp.minute, stamp.second, 0xFF])
    return b"\x09\x0c" + octets + IST_MINUTES.to_bytes(2) + b"\x00"


def axdr(value: int | None, tag: int) -> bytes:
    """A-XDR of a number; an unsigned 32-bit column sends a negative as int32. Raises OverflowError where the value does not fit."""
    if value is None:
        return b"\x00"
    if value < 0 and tag == UINT32:
        tag = INT32
    width, signed = WIDTH[tag]
    return bytes([tag]) + value.to_bytes(width, signed=signed)


def _text(raw: int | None, scalar: int, unit: int) -> str:
    if raw is None:
        return ""
    number = f"{raw / 10**-scalar:.{-scalar}f}" if scalar < 0 else str(raw * 10**scalar)
    return f"{number} {UNITS[unit]}" if unit in UNITS else number


def render(line: dict[str, Any], profile: str) -> dict[str, Any]:
    """The item on the wire for a line of the store."""
    obis = line.get("obis", PROFILES[profile])
    entries = []
    for stamp, *raw in line["entries"]:
        registers = [_register(CLOCK, 255, 0, clock(datetime.fromisoformat(stamp)), stamp)]
        for (code, unit, scalar, tag), value in zip(line["columns"], raw, strict=True):
            registers.append(_register(code, unit, scalar, axdr(value, tag), _text(value, scalar, unit)))
        entries.append({"registerValues": registers})
    return {
        "meterSerial": line["meterSerial"],
        "profileObisCode": base64.b64encode(bytes(int(part) for part in obis.split("."))).decode(),
        "formattedProfileObisCode": obis,
        "receivedAt": line["receivedAt"],
        "entries": entries,
    }


def _register(obis: str, unit: int, scalar: int, raw: bytes, text: str) -> dict[str, Any]:
    return {
        "formattedRegisterObisCode": obis,
        "attributeId": 2,
        "unit": unit,
        "scalar": scalar,
        "registerValue": base64.b64encode(raw).decode(),
        "formattedValue": text,
    }
