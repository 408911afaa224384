"""The seeds reference.code_event and reference.code_esw_bit, made from the dictionary: `python -m ingestion.events.seed` writes them.

Globs become patterns of SQL's LIKE; `rank` says which row counts first: makes in their order, then the standard.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from ingestion.events.dictionary import DICTIONARY, Dictionary, MeterEvent
from warehouse.codes import SEEDS

Row = list[object]


def seed_rows(dictionary: Dictionary = DICTIONARY) -> dict[str, list[Row]]:
    """Rows of each seed, header first."""
    every = [(m.make, m.firmware, m.codes, m.esw) for m in dictionary.makes] + [("*", "*", dictionary.codes, dictionary.esw)]
    events: list[Row] = [["code", "make", "firmware", "rank", "event", "family", "role", "log", "severity"]]
    bits: list[Row] = [["bit", "came", "make", "firmware", "rank", "event", "family", "role", "log", "severity"]]
    for rank, (make, firmware, codes, esw) in enumerate(every):
        of = [like(make), like(firmware), rank]
        events += [[code, *of, *_kind(e)] for code, e in sorted(codes.items())]
        for bit, meaning in sorted(esw.items()):
            bits += [[bit, came, *of, *_kind(e)] for came, e in _ways(meaning.set, meaning.clear)]
    return {"code_event": events, "code_esw_bit": bits}


def like(glob: str) -> str:
    """A glob as a pattern of LIKE: `*` and `?` are `%` and `_`."""
    escaped = "".join("\\" + c if c in "\\%_" else c for c in glob)
    return escaped.replace("*", "%").replace("?", "_")


def _kind(e: MeterEvent) -> Row:
    return [e.event, e.family, e.role, e.log, e.severity]


def _ways(came: MeterEvent, went: MeterEvent | None) -> Iterator[tuple[str, MeterEvent]]:
    yield "true", came
    # A row that says that nothing follows: a make's row without it would let the standard's count.
    yield "false", went or MeterEvent("", "", "single", "", "")


def write_seeds(folder: Path = SEEDS) -> None:
    """Write both seeds below `folder`."""
    for name, rows in seed_rows().items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as f:
            csv.writer(f, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    write_seeds()
    sys.stdout.write(f"code_event.csv and code_esw_bit.csv written to {SEEDS}\n")
