"""What there is to show: every report and a few other relations as datasets, read from dbt's YAML, and the figures of metrics.yml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "dbt_project" / "models"
CERTIFIED_BY = "Meterhouse"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class AssetError(RuntimeError):
    """A file of dashboards says what cannot be; the message says which, what and where."""


@dataclass(frozen=True)
class Column:
    name: str
    data_type: str
    description: str = ""


@dataclass(frozen=True)
class Metric:
    name: str
    label: str
    sql: str
    format: str


@dataclass(frozen=True)
class Dataset:
    key: str
    """Id of the report, or name of the extra dataset."""
    title: str
    description: str
    schema: str | None
    table: str
    columns: tuple[Column, ...]
    metrics: tuple[Metric, ...]
    time: str | None
    """Column by which a period is chosen."""
    sql: str | None = None
    reads: tuple[str, ...] = ()
    key_columns: tuple[str, ...] = ()
    unfed: str | None = None

    @property
    def is_report(self) -> bool:
        return self.schema == "reports"

    def has(self, column: str) -> bool:
        return any(c.name == column for c in self.columns)

    def metric(self, name: str) -> Metric:
        """Raises AssetError."""
        for m in self.metrics:
            if m.name == name:
                return m
        raise AssetError(
            f"dataset {self.key} has no metric {name!r}: metrics.yml has {', '.join(m.name for m in self.metrics) or 'none of it'}"
        )


def load(path: Path) -> Any:
    return load_text(path.read_text(encoding="utf-8"))


def load_text(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one


@cache
def models() -> dict[str, dict[str, Any]]:
    """dbt's models by name, as their YAML has them, with `schema` added."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(MODELS.glob("**/*.yml")):
        for model in (load(path) or {}).get("models", []):
            found[model["name"]] = model | {"schema": path.relative_to(MODELS).parts[0]}
    return found


@cache
def relations() -> frozenset[str]:
    """What dbt makes, also what no YAML describes and seeds, as schema.table."""
    made = {f"{path.relative_to(MODELS).parts[0]}.{path.stem}" for path in MODELS.glob("**/*.sql")}
    return frozenset(made | {f"reference.{path.stem}" for path in (MODELS.parent / "seeds").glob("*.csv")})


@cache
def source_tables() -> frozenset[str]:
    """Tables that dbt reads and does not make, as schema.table."""
    sources = load(MODELS / "sources.yml")["sources"]
    return frozenset(f"{s['name']}.{t['name']}" for s in sources for t in s["tables"])


@cache
def datasets() -> dict[str, Dataset]:
    """Every dataset by its key: reports in the order of their ids, then the extras."""
    metrics = {
        key: tuple(Metric(name, m["label"], str(m["sql"]), m["format"]) for name, m in of.items())
        for key, of in load(HERE / "metrics.yml").items()
    }
    reports = sorted((m for m in models().values() if m["schema"] == "reports"), key=lambda m: m["meta"]["id"])
    found = {m["meta"]["id"]: _report(m, metrics.get(m["meta"]["id"], ())) for m in reports}
    for key, extra in load(HERE / "extras.yml").items():
        found[key] = _extra(key, extra, metrics.get(key, ()))
    if unknown := metrics.keys() - found.keys():
        raise AssetError(f"metrics.yml has figures of {', '.join(sorted(unknown))}, which no dataset is")
    return found


def _columns(raw: list[dict[str, Any]]) -> tuple[Column, ...]:
    return tuple(Column(c["name"], c["data_type"], " ".join(c.get("description", "").split())) for c in raw)


def _report(model: dict[str, Any], metrics: tuple[Metric, ...]) -> Dataset:
    meta, columns = model["meta"], _columns(model["columns"])
    names = {c.name for c in columns}
    description = " ".join(model["description"].split())
    if formula := meta.get("formula"):
        description += f" Formula: {formula}."
    if unfed := meta.get("unfed"):
        description += f" Empty as yet: {unfed}."
    return Dataset(
        key=meta["id"],
        title=f"{meta['id']} {meta['title']}",
        description=description,
        schema="reports",
        table=model["name"],
        columns=columns,
        metrics=metrics,
        time=next((c for c in ("period_start", "day") if c in names), None),
        key_columns=tuple(meta["key"]),
        unfed=unfed,
    )


def _extra(key: str, extra: dict[str, Any], metrics: tuple[Metric, ...]) -> Dataset:
    schema, table = extra["relation"].split(".") if "relation" in extra else (None, key)
    model = models().get(extra.get("model", ""), {})
    if "model" in extra and not model:
        raise AssetError(f"extras.yml: {key} names the model {extra['model']!r}, which dbt has not")
    columns = _columns(extra.get("columns") or model["columns"])
    # Arrays say nothing in a table.
    columns = tuple(c for c in columns if not c.data_type.endswith("[]"))
    return Dataset(
        key=key,
        title=extra["title"],
        description=" ".join((extra.get("description") or model["description"]).split()),
        schema=schema,
        table=table,
        columns=columns,
        metrics=metrics,
        time=extra.get("time") or ("day" if any(c.name == "day" for c in columns) else None),
        sql=" ".join(extra["sql"].split()) if "sql" in extra else None,
        reads=tuple(extra.get("reads", ())),
    )
