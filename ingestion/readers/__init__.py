"""Readers: take a payload apart by its vendor file. One module a format; units, zone and ranges are `normalise`.

`read` is the one way in. For every Delivery: values understood + values rejected = values in the payload (an empty cell is
no value, what the vendor file ignores is not counted).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

import numpy as np

from ingestion import plugins
from ingestion.canonical import Delivery, Rejection
from ingestion.normalise import Rows, normalise, received_from_name, rejection
from ingestion.readers import cim, csv, ies, json, nem12, xml
from ingestion.readers.unpack import Part, unpack
from ingestion.vendor import Vendor
from warehouse.codes import Reason

FORMATS = {
    "csv_long": csv.rows,
    "csv_wide": csv.rows,
    "json": json.rows,
    "xml": xml.rows,
    "ies_meterdata": ies.rows,
    "cim_meter_readings": cim.rows,
    "nem12": nem12.rows,
}

__all__ = ["Part", "read"]


def read(vendor: Vendor, name: str, content: bytes, received_at: datetime) -> Delivery:
    """One payload as received -> canonical Delivery.

    `name` is the file's name or the URL; `received_at` (aware) is the time of arrival, used where the vendor file maps none.
    Bad content never raises, it is rejected; ValueError only for a naive `received_at`.
    """
    if received_at.tzinfo is None:
        raise ValueError("received_at has no time zone: give an aware datetime, such as datetime.now(UTC)")
    arrival = received_from_name(vendor, name) or received_at
    delivery = Delivery(source=name, content_sha256=hashlib.sha256(content).digest(), received_at=arrival)
    parts = list(unpack(name, content, delivery.rejections))
    for part in parts:
        before = len(delivery.rejections)
        prefix = f"{part.member}: " if len(parts) > 1 else ""
        if not part.data.strip():
            if part.cut is None:
                delivery.rejections.append(rejection(Reason.MALFORMED, part.name, "", "the file is empty"))
        else:
            for rows in _reader(vendor.format)(vendor, part, delivery.rejections):
                if prefix:
                    rows = replace(rows, locators=partial(_within, prefix, rows.locators))
                normalise(vendor, rows, arrival, delivery)
        if part.cut is not None:
            locator = part.cut_at or part.name
            delivery.rejections.append(rejection(Reason.TRUNCATED, locator, part.tail, part.cut, part.tail_values))
        if prefix:
            found = delivery.rejections[before:]
            delivery.rejections[before:] = [r if r.locator.startswith(prefix) else replace(r, locator=prefix + r.locator) for r in found]
    if vendor.received_from == "field":
        groups = (
            *(delivery.profiles, delivery.registers, delivery.events),
            *(delivery.values, delivery.nameplates, delivery.status_words),
        )
        seen = [readings.frame["received_at"].max() for group in groups for readings in group]
        if seen:
            delivery.received_at = max(seen).to_pydatetime()
    return delivery


def _reader(name: str) -> Callable[[Vendor, Part, list[Rejection]], Iterator[Rows]]:
    return FORMATS.get(name) or plugins.reader(name)


def _within(prefix: str, locators: Callable[[np.ndarray], list[str]], at: np.ndarray) -> list[str]:
    return [prefix + place for place in locators(at)]
