"""The datasets that reports are built over: their names, grains, columns and what may be done with each.

The facts stand in the dbt project's YAML: every report of the catalogue is a dataset, and so is each other model whose meta says
`dataset: <title>`. Of the registry, whose tables Alembic owns, columns and types are those of warehouse.tables.

What the meta may say beside it:

key        columns that name a row
ratios     ratio column -> {of, to, times}: it is times x sum(of) / sum(to)
overlap    columns of whose values each counts the same things anew: rows of two of them are not to be added up
max_days   business days that may be asked for at once
leave_out  columns that are not served
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
import yaml
from sqlalchemy.dialects import postgresql

from api.auth.permissions import Permission
from api.reports.catalogue import PROJECT, SCHEMA, Column, Kind, ReportError
from api.reports.catalogue import catalogue as reports
from warehouse.tables import metadata

MAX_DAYS = 400
"""Business days that a dataset may be asked for at once, where its meta says nothing else."""
TIMES = ("day", "period_start", "month")
"""Columns by which a dataset is cut into business days: the first that it has."""
HIDDEN = {"discom_id"}
"""A caller sees one DISCOM."""

PERMISSIONS = {
    "reports": Permission.REPORTS_READ,
    "energy": Permission.ENERGY_READ,
    "network": Permission.ENERGY_READ,
    "vee": Permission.METERS_READ,
    "registry": Permission.METERS_READ,
}
"""What a caller needs beside builder:use to read the datasets of a schema. A schema that is not here has no datasets."""

NUMBERS = {Kind.INTEGER, Kind.DECIMAL, Kind.REAL}
_CODE = re.compile(
    r"(.*_)?(id|no|rank|slot|block|quality|method|code|min_slot|phases|interval_min|slot_min|port|digits|latitude|longitude)"
)
"""Numbers that name or order something: a sum or an average of them says nothing."""
_LEVELS = {"max", "min", "mean", "avg", "p50", "p90", "p99", "longest", "md", "peak"}
_LEVEL_UNITS = {"V", "kV", "A", "dBm", "Ω"}
_RATIO = re.compile(r"(.*_)?(pct|factor|saifi|maifi|caifi|share)|saidi_h|caidi_h")


@dataclass(frozen=True)
class Ratio:
    """times x sum(of) / sum(to), over rows in which all of them are known."""

    of: tuple[str, ...]
    to: tuple[str, ...]
    times: float = 1


@dataclass(frozen=True)
class Field:
    """A column of a dataset."""

    column: Column
    ratio: Ratio | None = None

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def kind(self) -> Kind:
        return self.column.kind

    @property
    def is_ratio(self) -> bool:
        """A share or quotient: its average over rows of different weight is not the figure of the whole."""
        return self.kind in NUMBERS and (self.ratio is not None or _RATIO.fullmatch(self.name) is not None)

    @property
    def is_measure(self) -> bool:
        """A quantity, of which an average says something."""
        return self.kind in NUMBERS and not self.is_ratio and _CODE.fullmatch(self.name) is None

    @property
    def is_level(self) -> bool:
        """A measure that does not add up over rows: an extreme, a mean, a voltage."""
        words = self.name.split("_")[: -1 if self.column.unit else None]
        return self.is_measure and (bool(_LEVELS.intersection(words)) or self.column.unit in _LEVEL_UNITS)

    @property
    def aggregates(self) -> tuple[str, ...]:
        """What can be made of it over many rows."""
        found = ["count", "count_distinct"]
        if self.kind is not Kind.BOOLEAN:
            found += ["min", "max"]
        if self.is_measure:
            found += ["avg"] if self.is_level else ["sum", "avg"]
        if self.is_ratio:
            found += ["avg"] + (["ratio_of_sums"] if self.ratio else [])
        return tuple(found)

    @property
    def periods(self) -> tuple[str, ...]:
        """Calendar periods that can be calculated of it."""
        days = ("day", "week", "month", "quarter", "financial_year")
        return days if self.kind is Kind.DATE else ("hour", "hour_of_day", *days) if self.kind is Kind.STAMP else ()


@dataclass(frozen=True)
class Dataset:
    """A relation that reports are built over. `name` is that of the relation with its schema."""

    name: str
    title: str
    description: str
    grain: str
    fields: dict[str, Field]
    key: tuple[str, ...] = ()
    overlap: tuple[str, ...] = ()
    max_days: int = MAX_DAYS
    has_discom: bool = True
    report: str | None = None
    """Id of the report that it is."""
    unfed: str | None = None
    table: sa.TableClause = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = [*self.fields, *(["discom_id"] if self.has_discom else [])]
        object.__setattr__(self, "table", sa.table(self.relation, *map(sa.column, names), schema=self.schema))

    @property
    def schema(self) -> str:
        return self.name.partition(".")[0]

    @property
    def relation(self) -> str:
        return self.name.partition(".")[2]

    @property
    def permission(self) -> Permission:
        return PERMISSIONS[self.schema]

    @property
    def time(self) -> str | None:
        """The column that says on which business day a row is: a query must say which days it wants."""
        return next((t for t in TIMES if t in self.fields and self.fields[t].kind is Kind.DATE), None)


@cache
def datasets() -> dict[str, Dataset]:
    """Every dataset by its name, in the order of names."""
    found = [*_reports(), *_models(), *_sources()]
    return {d.name: d for d in sorted(found, key=lambda d: d.name)}


def _reports() -> Iterator[Dataset]:
    metas = {m["name"]: m.get("meta", {}) for m in _all("models", "reports")}
    for r in reports().values():
        meta = metas[r.relation]
        yield _dataset(f"{SCHEMA}.{r.relation}", r.name, f"{r.formula}", r.grain, r.columns, {**meta, "dataset": r.title}, r.id, r.unfed)


def _models() -> Iterator[Dataset]:
    for schema in ("energy", "network", "vee"):
        for model in _all("models", schema):
            if "dataset" in (meta := model.get("meta") or {}):
                columns = [Column(c["name"], c["data_type"], c.get("description", "")) for c in model["columns"]]
                grain, rest = _grain(model["description"])
                yield _dataset(f"{schema}.{model['name']}", meta["dataset"], rest, grain, columns, meta)


def _sources() -> Iterator[Dataset]:
    dialect = postgresql.dialect()
    for source in _all("sources", ""):
        for table in source["tables"]:
            if "dataset" not in (meta := table.get("meta") or {}):
                continue
            name = f"{source['name']}.{table['name']}"
            columns = [Column(c.name, _type(c.type.compile(dialect)), c.comment or "") for c in metadata.tables[name].columns]
            grain, rest = _grain(table["description"])
            yield _dataset(name, meta["dataset"], rest, grain, columns, meta)


def _type(compiled: str) -> str:
    """A type as dbt's YAML writes it."""
    return {"numeric": "double precision"}.get(compiled.lower(), compiled.lower().replace(", ", ","))


def _all(what: str, folder: str) -> Iterator[dict[str, Any]]:
    """Models or sources of the YAML files of a folder of the project."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    paths = sorted((PROJECT / "models" / folder).glob("**/*.yml") if folder else (PROJECT / "models").glob("*.yml"))
    for path in paths:
        yield from yaml.load(path.read_text(encoding="utf-8"), Loader=loader).get(what) or []  # noqa: S506 - a safe one


def _grain(description: str) -> tuple[str, str]:
    """«Grain: one row per …. The rest.» as its two parts."""
    text = " ".join(description.split()).removeprefix("Grain: ")
    grain, _, rest = text.partition(". ")
    return grain.rstrip("."), rest


def _dataset(
    name: str,
    title: str,
    description: str,
    grain: str,
    columns: Any,
    meta: dict[str, Any],
    report: str | None = None,
    unfed: str | None = None,
) -> Dataset:
    ratios = {c: Ratio(tuple(r["of"]), tuple(r["to"]), r["times"]) for c, r in meta.get("ratios", {}).items()}
    left_out = HIDDEN | set(meta.get("leave_out", ()))
    fields = {c.name: Field(c, ratios.get(c.name)) for c in columns if c.name not in left_out and _served(c)}
    overlap = (*(("period",) if "period" in fields else ()), *meta.get("overlap", ()))
    return Dataset(
        name=name,
        title=title,
        description=description,
        grain=grain,
        fields=fields,
        key=tuple(k for k in meta.get("key", ()) if k in fields),
        overlap=overlap,
        max_days=meta.get("max_days", MAX_DAYS),
        has_discom=any(c.name == "discom_id" for c in columns),
        report=report,
        unfed=unfed,
    )


def _served(column: Column) -> bool:
    """Arrays and documents are not: the datasets of rows have what they hold."""
    try:
        return bool(column.kind)
    except ReportError:
        return False
