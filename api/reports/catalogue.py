"""The reports that there are: id, title, formula, grain and columns, read from the dbt project's YAML, which is their one home.

Here belongs what the YAML says and how a column is called in plain words. Rows are repository's, looks are workbook's and page's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from warehouse import column_names

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MODELS = PROJECT / "models" / "reports"
SCHEMA = "reports"

GROUPS = {
    "A": "Meter data and communication",
    "B": "VEE",
    "C": "Consumption and load",
    "D": "Energy audit and losses",
    "E": "BEE and regulatory",
    "F": "DT health",
    "G": "Reliability",
    "H": "Events and revenue protection",
    "I": "Billing and prepaid",
    "J": "Assets, work orders, SLA, governance",
}
"""Groups of the catalogue by the letter that begins their reports' ids; each has a folder of models."""

LENGTHS = ("day", "week", "month", "quarter", "financial_year")
"""Of periods, as reports name them."""


class Kind(Enum):
    """What the values of a column are, as every format must be able to say it."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    REAL = "real"
    BOOLEAN = "boolean"
    DATE = "date"
    STAMP = "stamp"


_KINDS = {
    "text": Kind.TEXT,
    "smallint": Kind.INTEGER,
    "integer": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "double precision": Kind.REAL,
    "real": Kind.REAL,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "timestamp with time zone": Kind.STAMP,
}
_NUMERIC = re.compile(r"numeric\((\d+),\s*(\d+)\)")


class ReportError(RuntimeError):
    """A report could not be given; the message says which, why and how to mend it."""


class ReportNotBuiltError(ReportError):
    """The warehouse has not made it yet."""


@dataclass(frozen=True)
class Column:
    name: str
    data_type: str
    description: str

    @property
    def kind(self) -> Kind:
        """Raises ReportError for a type that not every format can say."""
        if _NUMERIC.fullmatch(self.data_type):
            return Kind.DECIMAL
        if self.data_type not in _KINDS:
            raise ReportError(f"column {self.name} is of type {self.data_type}: a report has {', '.join(_KINDS)} or numeric(p,s)")
        return _KINDS[self.data_type]

    @property
    def precision(self) -> tuple[int, int]:
        """Digits in all, and behind the point, of a decimal."""
        found = _NUMERIC.fullmatch(self.data_type)
        assert found, f"{self.name} is no decimal"
        return int(found[1]), int(found[2])

    @property
    def unit(self) -> str | None:
        return column_names.unit(self.name)

    @property
    def heading(self) -> str:
        """As warehouse.column_names calls it."""
        return column_names.heading(self.name)


@dataclass(frozen=True)
class Report:
    id: str
    title: str
    formula: str
    requirement: str
    grain: str
    relation: str
    """Name of the view in schema `reports`."""
    key: tuple[str, ...]
    """Columns of the grain, which also order the rows."""
    columns: tuple[Column, ...]
    unfed: str | None = None
    """Why the report is empty as yet: what would feed it."""
    charts: tuple[Any, ...] = ()
    """Of a report that somebody built, what charts.Chart it has; those of the catalogue stand in charts.CHARTS."""

    @property
    def group(self) -> str:
        return GROUPS[self.id[0]]

    @property
    def name(self) -> str:
        return f"{self.id} {self.title}"

    @property
    def lengths(self) -> tuple[str, ...]:
        """Which periods its rows are of: day, week, month, quarter, financial_year. Nothing where they say how things stand now."""
        if self.has("day"):
            return ("day",)
        if not self.has("period_start"):
            return ()
        listed = re.search(r"period \(([^)]*)\)", self.grain)
        words = re.findall(r"[a-z_]+", (listed[1] if listed else self.grain).replace("financial year", "financial_year"))
        return tuple(length for length in LENGTHS if length in words and (listed or length != "day"))

    def position(self, column: str) -> int:
        """Index of a column in a row. Raises KeyError."""
        for i, c in enumerate(self.columns):
            if c.name == column:
                return i
        raise KeyError(f"report {self.id} has no column {column!r}")

    def has(self, column: str) -> bool:
        return any(c.name == column for c in self.columns)


@cache
def catalogue() -> dict[str, Report]:
    """Every report by its id, in the order of ids."""
    # The unit tests stand in the same files: libyaml reads all of them in a tenth of the time.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    files = [yaml.load(path.read_text(encoding="utf-8"), Loader=loader) for path in MODELS.glob("*/rpt_*.yml")]  # noqa: S506 - a safe one
    reports = [_report(m) for file in files for m in file["models"]]
    return {r.id: r for r in sorted(reports, key=lambda r: r.id)}


def report(report_id: str) -> Report:
    """Raises ReportError for an id that no report has."""
    if report_id not in catalogue():
        names = [r.name for r in catalogue().values()]
        of_group = [n for n in names if n[0] == report_id[:1]]
        raise ReportError(f"no report has the id {report_id!r}: there are {', '.join(of_group or names)}")
    return catalogue()[report_id]


def _report(model: dict[str, Any]) -> Report:
    meta = model["meta"]
    description = " ".join(model["description"].split())
    grain = description.removeprefix("Grain: ").split(". ")[0].rstrip(".")
    return Report(
        id=meta["id"],
        title=meta["title"],
        formula=meta["formula"],
        requirement=meta["requirement"],
        grain=grain,
        relation=model["name"],
        key=tuple(meta["key"]),
        columns=tuple(Column(c["name"], c["data_type"], c.get("description", "")) for c in model["columns"]),
        unfed=meta.get("unfed"),
    )
