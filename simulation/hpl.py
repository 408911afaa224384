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
from simulation.model import World

PROFILES = {"block": "1.0.99.1.0.255", "daily": "1.0.99.2.0.255", "event": "0.0.99.98.2.255"}
CLOCK = "0.0.1.0.0.255"
IST_MINUTES = 330

INT8, INT32, UINT32, UINT16, UINT64 = 0x0F, 0x05, 0x06, 0x12, 0x15
"""A-XDR tags."""
WIDTH = {INT8: (1, True), INT32: (4, True), UINT32: (4, False), UINT16: (2, False), UINT64: (8, False)}
STAMP = 0x09
"""Tag of a date-time: the value is its text, and the attribute 5, when a maximum was."""
UNITS = {27: "W", 30: "Wh", 31: "VAh", 32: "varh", 33: "A", 35: "V", 70: "dBm"}

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
NETWORK_COLUMNS: tuple[Column, ...] = (
    *ENERGY_COLUMNS,
    *((f"1.0.{c}.27.0.255", 35, -2, UINT16) for c in (32, 52, 72)),
    *((f"1.0.{c}.27.0.255", 33, -2, UINT16) for c in (31, 51, 71, 91)),
    ("1.0.3.29.0.255", 32, 0, UINT32),
)
"""DT, feeder and HT meters of an audited world."""
PHASES_OF_NETWORK = (
    "voltage_cv",
    "voltage_y_cv",
    "voltage_b_cv",
    "current_ca",
    "current_y_ca",
    "current_b_ca",
    "current_n_ca",
    "import_varh",
)
HOME_COLUMNS: tuple[Column, ...] = (
    *ENERGY_COLUMNS,
    ("1.0.12.27.0.255", 35, -2, UINT16),
    ("1.0.11.27.0.255", 33, -2, UINT16),
    ("1.0.91.27.0.255", 33, -2, UINT16),
    ("0.1.96.12.5.255", 70, 0, INT8),
)
"""Consumers' meters of an audited world, the single-phase ones: phase and neutral current."""
LOGS = ((50, 0), (100, 1), (150, 2), (200, 3), (250, 4), (300, 5), (400, 6))
"""Codes up to this stand in the event log number: voltage, current, power, transactions, others, those that never roll over, control."""
BILLING, INSTANT = "1.0.98.1.0.255", "1.0.94.91.0.255"
BILLED_AT = "0.0.0.1.2.255"
"""Stamps billing rows, in the place of the clock."""
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
            columns, channels = _block(feed, b.meter)
            received = feed.read_at(b.meter, b.day, b.delay)
            items["block"].append(item(received, meters.serial[b.meter], columns, _entries(feed, b, channels)))
    for m, d, delay in registers:
        scalar = 1 if meters.lsb_wh[m] == 10 else 0
        tag = UINT64 if meters.category[m] == "D4" else UINT32
        columns = tuple((f"1.0.{c}.8.0.255", unit, scalar, tag) for c, unit in ((1, 30), (2, 30), (9, 31)))
        entry = [str(config.midnight(d + 1)), *(shown(feed, m, d) // 10**scalar).tolist()]
        items["daily"].append(item(feed.read_at(m, d, delay), meters.serial[m], columns, [entry]))
    for (m, d), events in feed.events.items():
        if meters.vendor[m] == "hpl":
            items["event"] += _logs(feed.read_at(m, d, REGULAR), meters.serial[m], events)
    if feed.world.audit:
        items["daily"] += [row for m, v in enumerate(meters.vendor) if v == "hpl" for row in _beside_daily(feed, m)]
    for name, rows in items.items():
        write_store(folder / f"{name}.jsonl", rows)
    values = {name: sum(len(i["columns"]) * len(i["entries"]) for i in rows) for name, rows in items.items()}
    return values, len(items)


def _block(feed: Feed, m: int) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """The columns of a meter's block profile, and the channels that they show."""
    network = feed.world.meters.category[m] in ("D3", "D4")
    if feed.world.audit is None or feed.world.meters.category[m] == "D2":
        columns = BLOCK_COLUMNS[network]
        return columns, BLOCK_CHANNELS[: len(columns)]
    if network:
        return NETWORK_COLUMNS, (*BLOCK_CHANNELS[:3], *PHASES_OF_NETWORK)
    return HOME_COLUMNS, (*BLOCK_CHANNELS, "current_n_ca", "signal_dbm")


def _logs(received: datetime, serial: str, events: list[tuple[datetime, int]]) -> list[dict[str, Any]]:
    """The events of a meter, an item for each of its logs."""
    logs: dict[int, list[list[Any]]] = {}
    for at, code in events:
        logs.setdefault(next(log for top, log in LOGS if code <= top), []).append([str(at), code])
    items = []
    for log, entries in sorted(logs.items()):
        if log == 2:
            items.append(item(received, serial, EVENT_COLUMNS, entries))
        else:
            columns: tuple[Column, ...] = ((f"0.0.96.11.{log}.255", 255, 0, UINT16),)
            items.append({**item(received, serial, columns, entries), "obis": f"0.0.99.98.{log}.255"})
    return items


def _beside_daily(feed: Feed, m: int) -> list[dict[str, Any]]:
    """What the head-end system of an audited world sends along with daily values: billing rows of the months' starts, and one
    instantaneous reading a day."""
    world = feed.world
    config, meters, channels = world.config, world.meters, world.meters.channels
    items = []
    stamps = month_starts(world)
    for at, first_seen in stamps:
        registers = register_at(world, m, at)
        power = channels["import_wh"][m].max() / config.hours
        energy, apparent = int(channels["import_wh"][m].sum()), int(channels["import_vah"][m].sum())
        md_at = at - timedelta(days=3, hours=4)
        columns: list[Column] = [(f"1.0.{c}.8.0.255", unit, 0, UINT64) for c, unit in ((1, 30), (2, 30), (9, 31))]
        row: list[Any] = [str(at), *registers]
        for zone, share in enumerate((0.3, 0.45), start=1):
            columns.append((f"1.0.1.8.{zone}.255", 30, 0, UINT64))
            row.append(int(registers[0] * share))
        columns.append(("1.0.1.8.3.255", 30, 0, UINT64))
        row.append(registers[0] - row[-1] - row[-2])
        columns += [("1.0.1.6.0.255", 27, 0, UINT32), ("1.0.1.6.0.255", 255, 0, STAMP)]
        row += [int(power), str(md_at)]
        columns += [("1.0.13.0.0.255", 255, -3, UINT16), ("0.0.94.91.13.255", 6, 0, UINT32)]
        row += [round(1000 * energy / apparent) if apparent else 1000, 30 * 1440 - 200]
        items.append(
            {**item(feed.read_at(m, first_seen, REGULAR), meters.serial[m], tuple(columns), [row]), "obis": BILLING, "clock": BILLED_AT}
        )
    slot = config.slots // 3
    voltage, current = (12, 11) if meters.category[m] == "D1" else (32, 31)
    columns = [(f"1.0.{voltage}.7.0.255", 35, -2, UINT16), (f"1.0.{current}.7.0.255", 33, -2, UINT16)]
    for d in range(config.days):
        at = config.midnight(d) + timedelta(minutes=slot * config.interval_min)
        energy, apparent = int(channels["import_wh"][m, d, slot]), int(channels["import_vah"][m, d, slot])
        power_factor = round(1000 * energy / apparent) if apparent else 1000
        row = [
            str(at),
            int(channels["voltage_cv"][m, d, slot]),
            int(channels["current_ca"][m, d, slot]),
            power_factor,
            round(energy / config.hours),
        ]
        full = (*columns, ("1.0.13.7.0.255", 255, -3, UINT16), ("1.0.1.7.0.255", 27, 0, UINT32))
        items.append({**item(feed.read_at(m, d, REGULAR), meters.serial[m], full, [row]), "obis": INSTANT})
    return items


def month_starts(world: World) -> list[tuple[datetime, int]]:
    """Starts of months that meters closed a billing period at: the two before the days and those in them; and the day (-1 = before the
    first) in whose night the row is sent."""
    config = world.config
    first = config.midnight(0).replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    found = [(before, -1), (first, -1)]
    for d in range(1, config.days + 1):
        at = config.midnight(d)
        if at.day == 1:
            found.append((at, d - 1))
    return found


def register_at(world: World, m: int, at: datetime) -> list[int]:
    """The three registers at a midnight; before the days, as if the meter had counted their mean all along, but not below 0."""
    config, registers = world.config, world.meters.registers
    d = (at - config.midnight(0)).days
    if d >= 0:
        return [int(v) for v in registers[m, d]]
    mean = (registers[m, -1] - registers[m, 0]) / config.days
    return [max(0, int(v)) for v in registers[m, 0] + d * mean]


def _entries(feed: Feed, b: BlockDelivery, channels: tuple[str, ...]) -> list[list[Any]]:
    config = feed.world.config
    rows = np.stack([b.values[c] for c in channels], axis=1).tolist()
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
        registers = [_register(line.get("clock", CLOCK), 255, 0, clock(datetime.fromisoformat(stamp)), stamp)]
        for (code, unit, scalar, tag), value in zip(line["columns"], raw, strict=True):
            if tag == STAMP:
                registers.append({**_register(code, unit, 0, clock(datetime.fromisoformat(value)), value), "attributeId": 5})
            else:
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
