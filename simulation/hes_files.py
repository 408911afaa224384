"""The two vendors that drop files: `vendor_b` (flat CSV) and `vendor_c` (CDF / MIOS XML). Sections 3 and 4 of docs/hes-formats.md."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from simulation.feed import REGULAR, BlockDelivery, Feed
from simulation.model import Ints

BLOCK_HEADER = "METER_NO,BLOCK_END_TIME,BLOCK_ENERGY_KWH_IMPORT,BLOCK_ENERGY_KWH_EXPORT,BLOCK_ENERGY_KVAH_IMPORT,AVG_VOLTAGE"
DAILY_HEADER = "METER_NO,MIDNIGHT_TIME,CUMULATIVE_ENERGY_KWH_IMPORT,CUMULATIVE_ENERGY_KWH_EXPORT,CUMULATIVE_ENERGY_KVAH_IMPORT"
EVENT_HEADER = "METER_NO,EVENT_TIME,EVENT_CODE"
STAMP = "%d-%m-%Y %H:%M:%S"
CHANNELS = ("import_wh", "export_wh", "import_vah", "voltage_cv")

Written = tuple[dict[str, int], int]
"""Values written by profile (block, daily, event), and files."""


def deliveries(feed: Feed, vendor: str) -> tuple[list[BlockDelivery], list[tuple[int, int, timedelta]]]:
    """Block deliveries of a vendor's meters, and (meter, day, delay) of their registers; day -1 closes the day before the start."""
    mine = [m for m, v in enumerate(feed.world.meters.vendor) if v == vendor]
    blocks = [b for m in mine for d in range(feed.world.config.days) for b in feed.blocks[m, d]]
    registers = [
        (m, d, feed.register_delay.get((m, d), REGULAR))
        for m in mine
        for d in range(-1, feed.world.config.days)
        if feed.register_sent[m, d + 1]
    ]
    return blocks, registers


def shown(feed: Feed, meter: int, day: int) -> Ints:
    """The registers at the end of `day` as the meter shows them: whole units of its last digit, the rest cut off."""
    lsb = feed.world.meters.lsb_wh[meter]
    return feed.registers[meter, day + 1] // lsb * lsb


def put(path: Path, text: str | bytes) -> None:
    """Write a file, packed as its suffix says (.gz, .zip), the same bytes for the same text."""
    data = text.encode() if isinstance(text, str) else text
    if path.suffix == ".gz":
        data = gzip.compress(data, compresslevel=6, mtime=0)
    elif path.suffix == ".zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr(zipfile.ZipInfo(f"{path.stem}.xml"), data, compress_type=zipfile.ZIP_DEFLATED)
        data = packed.getvalue()
    path.write_bytes(data)


def write_vendor_b(feed: Feed, folder: Path) -> Written:
    """One file a profile and delivery round; every second day's block file is packed with gzip."""
    folder.mkdir(parents=True, exist_ok=True)
    config, serial = feed.world.config, feed.world.meters.serial
    blocks, registers = deliveries(feed, "vendor_b")
    lines: dict[tuple[str, datetime], list[str]] = defaultdict(list)
    values = dict.fromkeys(("block", "daily", "event"), 0)

    for b in blocks:
        written_at = config.midnight(b.day + 1) + b.delay
        out = lines["blockload", written_at]
        name = serial[b.meter]
        channel = [b.values[c].tolist() for c in CHANNELS]
        for i in np.flatnonzero(b.sent).tolist():
            end = config.midnight(b.day + int(b.ahead[i])) + timedelta(minutes=(i + 1) * config.interval_min)
            energy = ",".join(f"{channel[c][i] / 1000:.3f}" for c in range(3))
            out.append(f"{name},{end:{STAMP}},{energy},{channel[3][i] / 100:.1f}")
        values["block"] += len(CHANNELS) * int(b.sent.sum())
    for m, d, delay in registers:
        midnight = config.midnight(d + 1)
        registers_kwh = ",".join(f"{v / 1000:.3f}" for v in shown(feed, m, d).tolist())
        lines["dailyload", midnight + delay].append(f"{serial[m]},{midnight:{STAMP}},{registers_kwh}")
        values["daily"] += 3
    for (m, d), events in feed.events.items():
        if feed.world.meters.vendor[m] == "vendor_b":
            lines["event", config.midnight(d + 1) + REGULAR] += [f"{serial[m]},{t:{STAMP}},{code}" for t, code in events]
            values["event"] += len(events)

    header = {"blockload": BLOCK_HEADER, "dailyload": DAILY_HEADER, "event": EVENT_HEADER}
    for (kind, at), rows in lines.items():
        packed = kind == "blockload" and at.toordinal() % 2 == 0
        path = folder / f"{kind}_{at:%Y%m%d_%H%M%S}.csv{'.gz' if packed else ''}"
        put(path, "\n".join([header[kind], *rows]) + "\n")
    return values, len(lines)


def write_vendor_c(feed: Feed, folder: Path) -> Written:
    """One file a delivery round and subdivision; every second day's file is zipped."""
    folder.mkdir(parents=True, exist_ok=True)
    config, meters = feed.world.config, feed.world.meters
    blocks, registers = deliveries(feed, "vendor_c")
    parts: dict[tuple[datetime, int], dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    values = dict.fromkeys(("block", "daily", "event"), 0)

    def part(m: int, d: int, delay: timedelta) -> list[str]:
        """The body of the meter's UTILITYTYPE in the file of this round; opened with D1."""
        office = int(meters.office[m])
        body = parts[config.midnight(d + 1) + delay + timedelta(minutes=office), office][m]
        if not body:
            body.append(
                f'<D1><G1>{meters.serial[m]}</G1><G2 VALUE="{feed.read_at(m, d, delay):{STAMP}}"/><G22 CODE="17" NAME="SYNTHETIC"/></D1>'
            )
        return body

    for m, d, delay in registers:
        imported, exported, apparent = (f"{v // 100 / 10:.1f}" for v in shown(feed, m, d).tolist())
        part(m, d, delay).append(
            f'<D3><D3-00 DATETIME="{config.midnight(d + 1):{STAMP}}">\n'
            f'   <B3 PARAMCODE="P7-1-18-0-0" VALUE="{imported}" UNIT="k"/>\n'
            f'   <B3 PARAMCODE="P7-2-18-0-0" VALUE="{exported}" UNIT="k"/>\n'
            f'   <B3 PARAMCODE="P7-3-18-0-0" VALUE="{apparent}" UNIT="k"/></D3-00></D3>'
        )
        values["daily"] += 3
    for b in blocks:
        profiles = []
        for ahead in (False, True):
            slots = np.flatnonzero(b.sent & (b.ahead == ahead)).tolist()
            if slots:
                date = f"{config.day(b.day + ahead):%d-%m-%Y}"
                profiles.append(f'<DAYPROFILE DATE="{date}">\n{_intervals(b, slots)}\n</DAYPROFILE>')
        if profiles:
            body = "\n".join(profiles)
            part(b.meter, b.day, b.delay).append(f'<D4 INTERVALPERIOD="{config.interval_min}">\n{body}</D4>')
        values["block"] += len(CHANNELS) * int(b.sent.sum())
    for (m, d), events in feed.events.items():
        if meters.vendor[m] == "vendor_c":
            items = "".join(f'<EVENT CODE="{code}" DATETIME="{t:{STAMP}}"/>' for t, code in events)
            part(m, d, REGULAR).append(f"<D5>{items}</D5>")
            values["event"] += len(events)

    for (at, _), bodies in parts.items():
        meters_xml = ("\n  ".join(["", *body]) for body in bodies.values())
        text = "\n".join(f" <UTILITYTYPE>{body}\n </UTILITYTYPE>" for body in meters_xml)
        path = folder / f"cdf_{at:%Y%m%d_%H%M%S}.{'zip' if at.toordinal() % 2 else 'xml'}"
        put(path, f'<?xml version="1.0" encoding="UTF-8"?>\n<CDF>\n{text}\n</CDF>\n')
    return values, len(parts)


def _intervals(b: BlockDelivery, slots: list[int]) -> str:
    channel = [b.values[c].tolist() for c in CHANNELS]
    return "\n".join(
        f'<IP INTERVAL="{i + 1}">'
        f'<PARAMETER PARAMCODE="P7-1-5-1-0" VALUE="{channel[0][i] / 1000:.3f}" UNIT="k"/>'
        f'<PARAMETER PARAMCODE="P7-2-5-1-0" VALUE="{channel[1][i] / 1000:.3f}" UNIT="k"/>'
        f'<PARAMETER PARAMCODE="P7-3-5-1-0" VALUE="{channel[2][i] / 1000:.3f}" UNIT="k"/>'
        f'<PARAMETER PARAMCODE="P1-2-1-1-0" VALUE="{channel[3][i] / 100:.1f}" UNIT=""/></IP>'
        for i in slots
    )
