"""Which profile object is what (profiles.csv, IS 15959), and what was read of one: columns that the meter names itself, and rows.

Rendering is style A of docs/hes-formats.md, section 2: what a vendor file of that style reads.
"""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.dlms.axdr import Data


@dataclass(frozen=True)
class ProfileObject:
    """A profile of IS 15959. `scaler_obis` is empty where it has no scaler profile."""

    name: str
    obis: str
    scaler_obis: str


@cache
def profile_objects() -> dict[str, ProfileObject]:
    """By name, in the order of the file."""
    with (Path(__file__).parent / "profiles.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: ProfileObject(**row) for row in csv.DictReader(file)}


EVENTS = "event"
"""Stands for all event profiles."""


def expand(names: Iterable[str]) -> list[ProfileObject]:
    """Profiles by name; `event` is all event logs. Raises ValueError for an unknown name."""
    known = profile_objects()
    found: list[ProfileObject] = []
    for name in names:
        if name == EVENTS:
            found += [p for n, p in known.items() if n.startswith("event_")]
        elif name in known:
            found.append(known[name])
        else:
            raise ValueError(f"{name!r} is no profile: known are {', '.join([*known, EVENTS])}")
    return found


@dataclass(frozen=True)
class Column:
    """A captured attribute. `unit` and `scaler` None: the object has none (clock, counts, texts)."""

    class_id: int
    obis: str
    attribute: int
    index: int = 0
    unit: int | None = None
    scaler: int | None = None


@dataclass
class Profile:
    """Rows of one profile of one meter; a row has one value a column, in their order."""

    obis: str
    columns: tuple[Column, ...]
    rows: list[list[Data]]

    def item(self, serial: str) -> dict[str, Any]:
        """The item of style A. The same rows give the same item, whenever they were read."""
        entries = []
        for row in self.rows:
            values = []
            for c, v in zip(self.columns, row, strict=True):
                value: dict[str, Any] = {"formattedRegisterObisCode": c.obis, "attributeId": c.attribute}
                if c.scaler is not None:
                    value |= {"unit": c.unit, "scalar": c.scaler}
                values.append(value | {"registerValue": base64.b64encode(v.octets).decode()})
            entries.append({"registerValues": values})
        return {"meterSerial": serial, "formattedProfileObisCode": self.obis, "entries": entries}


def payload(items: list[dict[str, Any]]) -> bytes:
    """Style A as it is landed."""
    return json.dumps({"items": items}, separators=(",", ":")).encode()
