"""JSON: what the report is, a JSON Schema of its records, and the records, one a line. Decimals keep their digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from api.reports.catalogue import Column, Kind
from api.reports.formats.writer import About, Convert, Found, Row, Writer, conversions, converted, local, plain, real

_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.INTEGER: {"type": ["integer", "null"]},
    Kind.DECIMAL: {"type": ["number", "null"]},
    Kind.REAL: {"type": ["number", "null"]},
    Kind.BOOLEAN: {"type": ["boolean", "null"]},
    Kind.DATE: {"type": ["string", "null"], "format": "date"},
    Kind.STAMP: {"type": ["string", "null"], "format": "date-time"},
}


def schema(columns: Sequence[Column]) -> dict[str, Any]:
    """JSON Schema of a record. `title` is the heading, `unit` the unit."""

    def said(c: Column) -> dict[str, Any]:
        more = {"description": c.description, "unit": c.unit}
        return {**_TYPES[c.kind], "title": c.heading, **{k: v for k, v in more.items() if v}}

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {c.name: said(c) for c in columns},
        "required": [c.name for c in columns],
        "additionalProperties": False,
    }


def _said(columns: Sequence[Column], zone: ZoneInfo) -> list[tuple[int, Convert]]:
    return conversions(columns, {Kind.DECIMAL: lambda v: orjson.Fragment(plain(v)), Kind.REAL: real, Kind.STAMP: local(zone)})


def rows_as_json(columns: Sequence[Column], rows: Sequence[Row], zone: ZoneInfo) -> list[dict[str, Any]]:
    """Records as a file has them, for orjson."""
    names, said = [c.name for c in columns], _said(columns, zone)
    return [dict(zip(names, converted(row, said), strict=True)) for row in rows]


class JsonFile(Writer):
    """One object, streamed: its `records` come before what is known only at their end (rows, data_as_of)."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(path, about)
        report, zone = about.report, about.discom.timezone
        self._names = [c.name for c in report.columns]
        self._conversions = _said(report.columns, zone)
        head = {
            "report": {
                "id": report.id,
                "title": report.title,
                "grain": report.grain,
                "key": report.key,
                "formula": report.formula,
                "requirement": report.requirement,
                "unfed": report.unfed,
            },
            "discom": {"code": about.discom.code, "name": about.discom.name},
            "period": {"first": about.span.first, "last": about.span.last, "of": about.span.period},
            "time_zone": zone.key,
            "generated_at": about.generated_at.astimezone(zone),
            "schema": schema(report.columns),
        }
        self._file = path.open("wb")
        self._file.write(orjson.dumps(head)[:-1] + b',"records":[')
        self._first = True

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._file.write(b"\n" if self._first else b",\n")
            self._file.write(orjson.dumps(dict(zip(self._names, converted(row, self._conversions), strict=True))))
            self._first = False

    def close(self, found: Found) -> None:
        zone = self.about.discom.timezone
        tail = {
            "rows": found.rows,
            "lowest_coverage_pct": found.lowest_coverage_pct,
            "data_as_of": found.data_as_of and found.data_as_of.astimezone(zone),
        }
        self._file.write(b"\n]," + orjson.dumps(tail)[1:] + b"\n")
        self._file.close()

    def abandon(self) -> None:
        self._file.close()
