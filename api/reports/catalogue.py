"""The reports that there are: id, title, formula, grain and columns, read from the dbt project's YAML, which is their one home.

Here belongs what the YAML says and how a column is called in plain words. Rows are repository's, looks are workbook's and page's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

MODELS = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "reports" / "_reports__models.yml"
SCHEMA = "reports"

UNITS = {
    "kwh": "kWh",
    "kvah": "kVAh",
    "kvarh": "kvarh",
    "kw": "kW",
    "kva": "kVA",
    "kv": "kV",
    "pct": "%",
    "mu": "MU",
    "inr": "₹",
}
"""Unit that ends a column's name, as it is printed."""

_WORDS = {"dt": "DT", "dts": "DTs", "ht": "HT", "hes": "HES", "md": "MD", "atc": "AT&C", "id": "ID"}


class ReportError(RuntimeError):
    """A report could not be given; the message says which, why and how to mend it."""


@dataclass(frozen=True)
class Column:
    name: str
    data_type: str
    description: str

    @property
    def unit(self) -> str | None:
        return UNITS.get(self.name.rsplit("_", 1)[-1]) if "_" in self.name else None

    @property
    def heading(self) -> str:
        """Plain words with the unit: loss_pct is Loss (%), a_input_mu of the AT&C table is A. Input (MU)."""
        words = self.name.split("_")
        if self.unit:
            words = words[:-1]
        row = ""
        if len(words) > 1 and len(words[0]) == 1:
            row, words = f"{words[0].upper()}. ", words[1:]
        text = " ".join(_WORDS.get(w, w) for w in words)
        return row + text[0].upper() + text[1:] + (f" ({self.unit})" if self.unit else "")


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

    @property
    def name(self) -> str:
        return f"{self.id} {self.title}"

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
    models = yaml.safe_load(MODELS.read_text(encoding="utf-8"))["models"]
    reports = [_report(m) for m in models]
    return {r.id: r for r in sorted(reports, key=lambda r: r.id)}


def report(report_id: str) -> Report:
    """Raises ReportError for an id that no report has."""
    if report_id not in catalogue():
        known = ", ".join(r.name for r in catalogue().values())
        raise ReportError(f"no report has the id {report_id!r}: there are {known}")
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
    )
