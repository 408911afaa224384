"""Reports' files read back, each by a reader that shares nothing with what wrote it: figures as records, by the columns' names."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pyarrow.parquet as pq
from lxml import etree
from openpyxl import load_workbook

from api.reports.catalogue import Kind, Report

Record = dict[str, Any]


def from_csv(path: Path, report: Report) -> list[Record]:
    """An apostrophe before what a spreadsheet would run is the writer's."""
    with path.open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    return [{c.name: _parsed(_without_apostrophe(row[c.name]) or None, c.kind) for c in report.columns} for row in rows]


def _without_apostrophe(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@\t\r\n＝＋－＠") else text


def from_json(path: Path, report: Report) -> list[Record]:
    """Held against the schema that the file itself brings."""
    text = path.read_text(encoding="utf-8")
    whole = json.loads(text)
    checker = jsonschema.FormatChecker()
    validator = jsonschema.Draft202012Validator(whole["schema"], format_checker=checker)
    for record in whole["records"]:
        validator.validate(record)
    assert whole["rows"] == len(whole["records"]), "the file says another number of rows than it has"
    exact = json.loads(text, parse_float=str)
    return [{c.name: _parsed(r[c.name], c.kind) for c in report.columns} for r in exact["records"]]


def from_xml(path: Path, report: Report) -> list[Record]:
    """Held against the XSD beside it."""
    schema = etree.XMLSchema(etree.parse(str(path.with_suffix(".xsd"))))
    tree = etree.parse(str(path))
    schema.assertValid(tree)
    space = f"{{{tree.getroot().nsmap[None]}}}"
    records = tree.findall(f"{space}records/{space}record")
    return [{c.name: _parsed(record.findtext(space + c.name), c.kind) for c in report.columns} for record in records]


def from_parquet(path: Path, report: Report) -> list[Record]:
    table = pq.read_table(path)
    assert table.schema.names == [c.name for c in report.columns]
    return table.to_pylist()


def from_xlsx(path: Path, report: Report, zone: ZoneInfo) -> list[Record]:
    """All sheets after the first. What a workbook does not repeat (discom_id) is not there; stamps are in the DISCOM's time zone."""
    records = []
    kept = [c for c in report.columns if c.name != "discom_id"]
    for sheet in load_workbook(path).worksheets[1:]:
        rows = list(sheet.iter_rows(min_row=2))
        for row in rows:
            assert len(row) == len(kept), f"{sheet.title} has {len(row)} columns, the report {len(kept)}"
            records.append({c.name: _from_cell(cell, c.kind, zone) for c, cell in zip(kept, row, strict=True)})
    return records


def _from_cell(cell: Any, kind: Kind, zone: ZoneInfo) -> Any:
    value = cell.value
    if value is None:
        return None
    if kind is Kind.TEXT:
        assert cell.data_type == "s", f"{value!r} is no text: a spreadsheet would run it"
    if kind is Kind.DECIMAL:
        return Decimal(str(value))
    if kind is Kind.DATE:
        return value.date()
    if kind is Kind.STAMP:
        return value.replace(tzinfo=zone)
    return float(value) if kind is Kind.REAL else value


def _parsed(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    read: dict[Kind, Callable[[Any], Any]] = {
        Kind.TEXT: str,
        Kind.INTEGER: int,
        Kind.DECIMAL: Decimal,
        Kind.REAL: float,
        Kind.BOOLEAN: lambda v: v if isinstance(v, bool) else {"true": True, "false": False}[v],
        Kind.DATE: date.fromisoformat,
        Kind.STAMP: datetime.fromisoformat,
    }
    return read[kind](value)


def same(found: list[Record], expected: list[Record], what: str, *, without: tuple[str, ...] = (), rounded: bool = False) -> None:
    """Assert that both hold the same figures: to the last bit, but in a workbook (`rounded`) to its digits and seconds."""
    assert len(found) == len(expected), f"{what} has {len(found)} rows, expected {len(expected)}"
    for n, (f, e) in enumerate(zip(found, expected, strict=True)):
        for name in e.keys() - set(without):
            a, b = f[name], e[name]
            if rounded and isinstance(b, datetime):
                assert a is not None, f"{what}, row {n}: {name} is missing"
                assert abs((a - b).total_seconds()) < 1, f"{what}, row {n}: {name} is {a}, expected {b}"
            elif rounded and isinstance(b, float | Decimal):
                assert a is not None, f"{what}, row {n}: {name} is missing"
                assert math.isclose(float(a), float(b), rel_tol=1e-14), f"{what}, row {n}: {name} is {a}, expected {b}"
            else:
                assert a == b, f"{what}, row {n}: {name} is {a!r}, expected {b!r}"
