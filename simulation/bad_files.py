"""Deliveries with one thing wrong each, for tests of readers and landing. Made from a good file of a tenant, so every meter is known."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from csv import DictReader
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from simulation.hes_files import BLOCK_HEADER, CHANNELS, STAMP
from simulation.hpl import UINT32, render, write_store

VALUES_PER_LINE = len(CHANNELS)
UNKNOWN_METER = "VB99999999"
UNKNOWN_OBIS = "1.0.128.7.0.255"
METERS_IN_TRUNCATED = 10
ODD_LINE = 20
"""Index of the line that is spoilt in a file of one meter-day; it lies inside the day."""


@dataclass(frozen=True)
class BadFile:
    """One case. `case` names the fault (`negative` is readable: a rule finds it later, not the reader).

    `good_values` can be understood and landed; `bad_values` cannot. Where the fault hides how much was meant (a wrong header, a
    cut-off file) `bad_values` is None: at least one rejection must be there.
    """

    case: str
    vendor: str
    path: Path
    good_values: int
    bad_values: int | None


def write_bad_files(folder: Path, tenant_dir: Path) -> list[BadFile]:
    """Write the vendor_b cases as block files and the hpl case as `unknown_obis.json` (a page as on the wire) with its store in `hpl/`.

    `tenant_dir` is a tenant's folder of a generated simulation. The stamps in the file names are those of one night, a second apart.
    Raises FileNotFoundError where `tenant_dir` has no readings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted((tenant_dir / "vendor_b").glob("blockload_*_012000.csv*"))
    if not sources:
        raise FileNotFoundError(f"no block file in {tenant_dir / 'vendor_b'}: give a tenant's folder of a simulation")
    packed = sources[0].read_bytes()
    text = (gzip.decompress(packed) if sources[0].suffix == ".gz" else packed).decode()
    by_meter: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        by_meter.setdefault(line.split(",")[0], []).append(line)
    with (tenant_dir / "truth" / "defect.csv").open(encoding="utf-8", newline="") as f:
        defective = {row["meter_serial"] for row in DictReader(f)}
    whole = [lines for serial, lines in by_meter.items() if serial not in defective]
    longest = len(whole[0])
    at = datetime.strptime(sources[0].name[10:25], "%Y%m%d_%H%M%S") + timedelta(hours=3)
    found: list[BadFile] = []

    def add(case: str, data: bytes, good: int, bad: int | None, suffix: str = ".csv") -> None:
        path = folder / f"blockload_{at + timedelta(seconds=len(found)):%Y%m%d_%H%M%S}{suffix}"
        path.write_bytes(data)
        found.append(BadFile(case, "vendor_b", path, good, bad))

    def content(lines: list[str], header: str = BLOCK_HEADER) -> bytes:
        return ("\n".join([header, *lines]) + "\n").encode()

    def spoilt(change: Callable[[list[str]], None]) -> bytes:
        """The day of one meter with one line changed."""
        lines = list(whole[0])
        cells = lines[ODD_LINE].split(",")
        change(cells)
        lines[ODD_LINE] = ",".join(cells)
        return content(lines)

    def set_cell(index: int, value: str) -> Callable[[list[str]], None]:
        def change(cells: list[str]) -> None:
            cells[index] = value

        return change

    day = VALUES_PER_LINE * longest
    add("wrong_header", content(whole[0], BLOCK_HEADER.replace("BLOCK_ENERGY_KWH_IMPORT", "KWH")), 0, None)

    shuffled = [line for lines in whole[:METERS_IN_TRUNCATED] for line in lines]
    random.Random(1).shuffle(shuffled)
    cut = gzip.compress(content(shuffled), mtime=0)
    cut = cut[: len(cut) * 6 // 10]
    readable = zlib.decompressobj(wbits=31).decompress(cut)
    add("truncated", cut, VALUES_PER_LINE * (readable.count(b"\n") - 1), None, ".csv.gz")

    odd = whole[0][ODD_LINE].encode()
    add("not_utf8", content(whole[0]).replace(odd, b"\xff\xfe" + odd[2:]), day - VALUES_PER_LINE, VALUES_PER_LINE)
    stranger = [",".join([UNKNOWN_METER, *line.split(",")[1:]]) for line in whole[0]]
    add("unknown_meter", content([*whole[0], *stranger]), day, day)
    future = f"{at.replace(hour=0) + timedelta(days=40):%d-%m-%Y} 10:00:00"
    add("future_stamp", spoilt(set_cell(1, future)), day - VALUES_PER_LINE, VALUES_PER_LINE)
    stamp = datetime.strptime(whole[0][ODD_LINE].split(",")[1], STAMP)
    off_grid = f"{stamp + timedelta(minutes=7):{STAMP}}"
    add("off_grid", spoilt(set_cell(1, off_grid)), day - VALUES_PER_LINE, VALUES_PER_LINE)
    add("negative", spoilt(set_cell(2, "-0.123")), day, 0)
    add("not_a_number", spoilt(set_cell(2, "abc")), day - 1, 1)
    found.append(_unknown_obis(folder, tenant_dir))
    return found


def _unknown_obis(folder: Path, tenant_dir: Path) -> BadFile:
    """One hpl item whose entries carry one register more, of an OBIS that no profile of the page has."""
    path = tenant_dir / "hpl" / "block.jsonl"
    with path.open(encoding="utf-8") as f:
        line = json.loads(f.readline())
    good = len(line["columns"]) * len(line["entries"])
    line["columns"].append([UNKNOWN_OBIS, 255, 0, UINT32])
    line["entries"] = [[*entry, 123] for entry in line["entries"]]
    (folder / "hpl").mkdir(exist_ok=True)
    write_store(folder / "hpl" / "block.jsonl", [line])
    page = {"page": 1, "pages": 1, "generatedAt": line["receivedAt"], "items": [render(line, "block")]}
    target = folder / "unknown_obis.json"
    target.write_text(json.dumps(page), encoding="utf-8")
    return BadFile("unknown_obis", "hpl", target, good, len(line["entries"]))
