"""Parquet: columns of their own types (decimals exact, stamps with the DISCOM's time zone), what each means in its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from api.reports.catalogue import Column, Kind
from api.reports.formats.writer import About, Found, Row, Writer

ROW_GROUP = 50_000


def field(column: Column, zone: str) -> Any:
    """A column as pyarrow's field."""
    types = {
        Kind.TEXT: pa.string(),
        Kind.INTEGER: pa.int64(),
        Kind.REAL: pa.float64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.DATE: pa.date32(),
        Kind.STAMP: pa.timestamp("us", tz=zone),
    }
    kind = pa.decimal128(*column.precision) if column.kind is Kind.DECIMAL else types[column.kind]
    said = {"title": column.heading, "unit": column.unit or "", "description": column.description}
    return pa.field(column.name, kind, metadata={k: v for k, v in said.items() if v})


class ParquetFile(Writer):
    """One file; a row group is held until it is full."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(path, about)
        report = about.report
        said = {
            "report": report.id,
            "title": report.title,
            "formula": report.formula,
            "discom": about.discom.code,
            "first": str(about.span.first),
            "last": str(about.span.last),
            "generated_at": about.generated_at.isoformat(),
        }
        self._schema = pa.schema([field(c, about.discom.timezone.key) for c in report.columns], metadata=said)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._held: list[Row] = []

    def add(self, rows: Sequence[Row]) -> None:
        self._held.extend(rows)
        if len(self._held) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            columns = [pa.array(values, f.type) for values, f in zip(zip(*self._held, strict=True), self._schema, strict=True)]
            self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
            self._held = []

    def close(self, found: Found) -> None:
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        self._writer.close()
