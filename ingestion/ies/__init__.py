"""Validated readings of the warehouse as India Energy Stack MeterData v0.6. The standard's schema is carried here (MIT, see LICENSE).

Writes descriptors and INTERVAL, DAILY and EVENT profiles; reading types, OBIS and units are those of the vendor file `ies_meterdata`, by
which the same payload is read (ingestion.readers.ies). Values are the meter's own count: the multiplying factor is not applied.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import jsonschema
import orjson
import psycopg

from ingestion.obis import Obis
from ingestion.vendor import load_vendor
from warehouse.codes import Quality, method_flag
from warehouse.tables import CHANNELS, REGISTERS

SCHEMA = Path(__file__).parent / "meterdata-v0.6.schema.json"

ROWS_AT_ONCE = 500

Profile = dict[str, Any]
Progress = Callable[[date], None]


class ExportError(ValueError):
    """What was asked for cannot be exported; the message says how to mend it."""


@dataclass
class Counts:
    """What an export wrote, and what it had to leave out."""

    profiles: int = 0
    values: int = 0
    events: int = 0
    left_out: int = 0
    """Registers that were not read at midnight and events without a code: the format has no place for them."""


@dataclass(frozen=True)
class _Quantity:
    """One channel or register as MeterData names it; a value is the warehouse's integer / 10^power."""

    column: str
    power: int
    descriptor: dict[str, Any]

    @property
    def reading_type(self) -> str:
        return str(self.descriptor["readingType"])


@cache
def _quantities(profile: str) -> dict[str, _Quantity]:
    """By column: what the vendor file's profile maps, with its OBIS code, the registry's short code and the unit."""
    out = {}
    for v in load_vendor("ies_meterdata").profile(profile).values:
        if v.to not in (*CHANNELS, *REGISTERS) or v.attribute is not None or v.to in out:
            continue
        codes = [s for s in v.sources if _is_obis(s)]
        names = [s for s in v.sources if not _is_obis(s)]
        flow = "EXPORT" if v.to.startswith("export") else "IMPORT" if v.to.startswith(("import", "md_import")) else "NONE"
        mode = "USAGE" if v.to.startswith("md_") or (profile == "block" and flow != "NONE") else "READING"
        name = names[0] if names else codes[0]
        descriptor = {"readingType": name, "obis": codes[0], "unit": v.unit, "flowDirection": flow, "reportedMode": mode}
        out[v.to] = _Quantity(v.to, v.exponent(), descriptor)
    return out


def _is_obis(text: str) -> bool:
    try:
        Obis.parse(text)
    except ValueError:
        return False
    return True


@dataclass
class _Descriptors:
    """Descriptor sets of one profile type, each declared when the first payload needs it."""

    kind: str
    known: dict[tuple[str, ...], str] = field(default_factory=dict)

    def declare(self, quantities: Sequence[_Quantity], items: list[dict[str, str]]) -> tuple[str, Profile | None]:
        """(name of set and sequence, the DESCRIPTOR profile to send first or None)."""
        key = tuple(f"{i['readingType']} {i['attribute']}" for i in items)
        if key in self.known:
            return self.known[key], None
        name = self.known[key] = f"{self.kind}-{len(self.known) + 1}"
        described = {
            "name": name,
            "payloadDescriptors": [q.descriptor for q in quantities],
            "compactSequences": [{"name": name, "sequenceItems": items}],
        }
        return name, {"profileType": "DESCRIPTOR", "id": f"DESC-{name}", "payloadDescriptorSets": [described]}


def _item(quantity: _Quantity, attribute: str = "value") -> dict[str, str]:
    return {"readingType": quantity.reading_type, "attribute": attribute}


def _meter(serial: str) -> list[dict[str, str]]:
    return [{"value": serial, "scheme": "METER_SERIAL"}]


def export(
    conn: psycopg.Connection,
    discom_id: int,
    first: date,
    last: date,
    out: BinaryIO,
    *,
    serials: Sequence[str] | None = None,
    check: bool = False,
    progress: Progress | None = None,
) -> Counts:
    """Write the business days `first` to `last` of a DISCOM to `out` as one JSON array of profiles; all meters or those of `serials`.

    `conn` acts as meterhouse_api and must not be in a transaction. Memory does not grow with the number of meters or days. With `check`
    every profile is validated against the standard's schema before it is written (jsonschema.ValidationError where it does not fit).
    Raises ExportError where DISCOM, meters or days are not there.
    """
    counts = Counts()
    validator = _validator() if check else None
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        scope = _scope(conn, discom_id, first, last, serials)
        separator = b"[\n"
        for profile in scope.profiles(conn, counts, progress):
            if validator is not None:
                validator.validate(profile)
            out.write(separator + orjson.dumps(profile))
            separator = b",\n"
            counts.profiles += 1
        if not counts.profiles:
            raise ExportError(f"nothing from {first} to {last}: land data, build the days with `meterhouse run`, or give other days")
        out.write(b"\n]\n")
    return counts


def _validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator({"$ref": "#/$defs/EnergyData", "$defs": schema["$defs"]})


def _scope(conn: psycopg.Connection, discom_id: int, first: date, last: date, serials: Sequence[str] | None) -> _Scope:
    if last < first:
        raise ExportError(f"the period ends ({last}) before it begins ({first}): give the earlier day first")
    conn.execute("select set_config('app.discom_id', %s, true)", [str(discom_id)])
    row = conn.execute("select timezone from registry.discom where discom_id = %s", [discom_id]).fetchone()
    if row is None:
        raise ExportError(f"there is no DISCOM with the id {discom_id}: `meterhouse registry import FOLDER`")
    if conn.execute("select to_regclass('vee.final_day')").fetchone() == (None,):
        raise ExportError("no day was built yet: `meterhouse run`")
    wanted = list(dict.fromkeys(serials)) if serials else None
    if wanted:
        known = {
            s for (s,) in conn.execute("select serial from registry.meter where discom_id = %s and serial = any(%s)", [discom_id, wanted])
        }
        if strange := [s for s in wanted if s not in known]:
            raise ExportError(f"no meter {', '.join(strange)} in the registry: check the spelling, or import the meters")
    return _Scope(discom_id, ZoneInfo(row[0]), first, last, wanted)


@dataclass(frozen=True)
class _Scope:
    """One DISCOM's days and meters."""

    discom_id: int
    zone: ZoneInfo
    first: date
    last: date
    serials: list[str] | None

    def profiles(self, conn: psycopg.Connection, counts: Counts, progress: Progress | None) -> Iterator[Profile]:
        intervals, registers = _Descriptors("INTERVAL"), _Descriptors("DAILY")
        for k in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=k)
            yield from chain(
                self._intervals(conn, day, intervals, counts),
                self._registers(conn, day, registers, counts),
                self._events(conn, day, counts),
            )
            if progress is not None:
                progress(day)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)

    def _period(self, day: date, duration: str) -> dict[str, str]:
        return {"start": self._midnight(day).isoformat(), "duration": duration}

    def _rows(self, conn: psycopg.Connection, query: str, day: date) -> Iterator[tuple[Any, ...]]:
        """Rows of a query over one day, in the order of serials. The query's first table is aliased `t`."""
        ours = "where t.discom_id = %(discom)s and t.day = %(day)s and (%(serials)s::text[] is null or m.serial = any(%(serials)s))"
        with conn.cursor(name="ies_export") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(query.format(ours=ours), {"discom": self.discom_id, "day": day, "serials": self.serials})
            yield from cursor

    def _intervals(self, conn: psycopg.Connection, day: date, descriptors: _Descriptors, counts: Counts) -> Iterator[Profile]:
        known = _quantities("block")
        query = (
            f"select m.serial, t.interval_min, t.slots, t.quality, t.day_quality, t.method, {', '.join(f't.{c}' for c in known)} "  # noqa: S608
            "from vee.final_day t join registry.meter m using (discom_id, meter_id) {ours} order by m.serial"
        )
        for serial, minutes, slots, quality, day_quality, method, *arrays in self._rows(conn, query, day):
            present = [(q, a) for q, a in zip(known.values(), arrays, strict=True) if a is not None and any(v is not None for v in a)]
            if not present:
                continue
            quantities = [q for q, _ in present]
            judged = quantities[0].column == "import_wh"  # quality is that of the import
            items = [_item(q) for q in quantities] + ([_item(quantities[0], "validationStatus")] if judged else [])
            name, descriptor = descriptors.declare(quantities, items)
            if descriptor is not None:
                yield descriptor
            rows = []
            for s in range(slots):
                values = [None if a[s] is None else a[s] / 10**q.power for q, a in present]
                there = [v for v in values if v is not None]
                if not there:
                    continue
                counts.values += len(there)
                status = Quality((quality[s] if quality else None) or day_quality or 0).ies if judged and values[0] is not None else None
                row: Profile = {"id": s}
                if len(there) == len(values):
                    row["payloads"] = [*there, status] if judged else there
                else:
                    row["readings"] = [
                        {"readingType": q.reading_type, "value": v} for q, v in zip(quantities, values, strict=True) if v is not None
                    ]
                    if status is not None:
                        row["readings"][0]["validationStatus"] = status
                if status is not None and method and method[s]:
                    row["overrides"] = [{"descriptorIndex": 0, "source": "MDM_COMPUTED", "changeMethod": method_flag(method[s])}]
                rows.append(row)
            yield {
                "profileType": "INTERVAL",
                "meterRefs": _meter(serial),
                "payloadDescriptorSetRef": name,
                "compactSequenceRef": name,
                "intervalPeriod": self._period(day, f"PT{minutes}M"),
                "intervals": rows,
            }

    def _registers(self, conn: psycopg.Connection, day: date, descriptors: _Descriptors, counts: Counts) -> Iterator[Profile]:
        known = _quantities("daily")
        query = (
            f"select m.serial, t.read_at, t.md_import_at, {', '.join(f't.{c}' for c in known)} "  # noqa: S608
            "from staging.stg_raw__register_reading t join registry.meter m using (discom_id, meter_id) {ours} order by m.serial"
        )
        midnight = self._midnight(day + timedelta(days=1))
        for serial, read_at, demand_at, *values in self._rows(conn, query, day):
            present = [(q, v / 10**q.power) for q, v in zip(known.values(), values, strict=True) if v is not None]
            if not present:
                continue
            if read_at != midnight:
                counts.left_out += len(present)
                continue
            counts.values += len(present)
            demand = known.get("md_import_w")
            quantities, payloads = [q for q, _ in present], [v for _, v in present]
            items = [_item(q) for q in quantities]
            if demand in quantities and demand_at is not None:
                items.append(_item(demand, "occurredAt"))
                payloads.append(demand_at.astimezone(self.zone).isoformat())
            name, descriptor = descriptors.declare(quantities, items)
            if descriptor is not None:
                yield descriptor
            yield {
                "profileType": "DAILY",
                "meterRefs": _meter(serial),
                "payloadDescriptorSetRef": name,
                "compactSequenceRef": name,
                "intervalPeriod": self._period(day, "P1D"),
                "intervals": [{"id": 0, "payloads": payloads}],
            }

    def _events(self, conn: psycopg.Connection, day: date, counts: Counts) -> Iterator[Profile]:
        query = (
            "select m.serial, t.occurred_at, t.code, t.detail from raw.event t join registry.meter m using (discom_id, meter_id) "
            "{ours} order by m.serial, t.occurred_at, t.code"
        )
        profile: Profile | None = None
        for serial, occurred_at, code, detail in self._rows(conn, query, day):
            if code < 1:
                counts.left_out += 1
                continue
            if profile is None or profile["meterRefs"][0]["value"] != serial:
                if profile is not None:
                    yield profile
                profile = {"profileType": "EVENT", "meterRefs": _meter(serial), "timePeriod": self._period(day, "P1D"), "events": []}
            event = {"timestamp": occurred_at.astimezone(self.zone).isoformat(), "eventId": code, **_described(detail)}
            if event not in profile["events"][-1:]:  # an event that came in two deliveries
                profile["events"].append(event)
                counts.events += 1
        if profile is not None:
            yield profile


def _described(detail: dict[str, Any] | None) -> dict[str, Any]:
    """What MeterData has a field for of an event's detail, where it is of the type that the schema asks for."""
    types: dict[str, type | tuple[type, ...]] = {
        "eventName": str,
        "phase": str,
        "sequence": int,
        "magnitude": (int, float),
        "duration": str,
    }
    fields = {k: v for k, v in (detail or {}).items() if k in types and isinstance(v, types[k]) and not isinstance(v, bool)}
    if fields.get("phase") not in {None, "NONE", "R", "Y", "B", "ABC"}:
        del fields["phase"]
    return fields
