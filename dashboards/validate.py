"""Checks the assets without a server: each reference from dashboard to chart to dataset to dbt's model and column.

Superset would refuse what is wrong with no more than «failed for an unknown reason».
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dashboards.catalogue import MODELS, Dataset, datasets, models, relations, source_tables
from dashboards.columns import is_time
from dashboards.generate import Assets

_LITERALS = re.compile(r"'(?:[^']|'')*'")
_WORDS = re.compile(r"(?<![\w.])([a-z_][a-z0-9_]*)(?!\s*\(|\w)")
_KEYWORDS = frozenset(
    (  # noqa: SIM905 - as one reads it
        "and or not is null in like between case when then else end distinct filter where order by desc asc nulls last first "
        "at time zone true false count as"
    ).split()
)
REQUIRED = {
    "databases": ("database_name", "sqlalchemy_uri", "uuid", "version"),
    "datasets": ("table_name", "columns", "uuid", "database_uuid", "version"),
    "charts": ("slice_name", "viz_type", "params", "query_context", "uuid", "dataset_uuid", "version"),
    "dashboards": ("dashboard_title", "slug", "position", "metadata", "uuid", "version"),
}


def validate(assets: Assets) -> list[str]:
    """What is wrong, one line each: the file, what of it, and why. Empty where all is well."""
    return list(_faults(assets))


def columns_of(expression: str) -> set[str]:
    """Names of columns in an expression of SQL as metrics and conditions have them."""
    return set(_WORDS.findall(_LITERALS.sub("''", expression))) - _KEYWORDS


def _faults(assets: Assets) -> Iterator[str]:
    seen: dict[str, str] = {}
    of: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {kind: {} for kind in REQUIRED}
    for path, content in assets.items():
        kind = path.split("/", 1)[0]
        if kind not in REQUIRED:
            yield f"{path}: no kind of asset is called {kind!r}"
            continue
        if missing := [f for f in REQUIRED[kind] if f not in content]:
            yield f"{path}: {', '.join(missing)} missing"
            continue
        if content["uuid"] in seen:
            yield f"{path}: its uuid is that of {seen[content['uuid']]}"
        seen[content["uuid"]] = path
        of[kind][content["uuid"]] = (path, content)
    by_table = {d.table: d for d in datasets().values()}
    described: dict[str, Dataset] = {}
    for uuid, (path, content) in of["datasets"].items():
        if content["database_uuid"] not in of["databases"]:
            yield f"{path}: its database_uuid is of no database"
        data = by_table.get(content["table_name"])
        if data is None or data.schema != content.get("schema"):
            yield f"{path}: {content.get('schema')}.{content['table_name']} is no report and stands not in extras.yml"
            continue
        described[uuid] = data
        yield from _dataset(path, content, data)
    for path, content in of["charts"].values():
        if content["dataset_uuid"] not in of["datasets"]:
            yield f"{path}: its dataset_uuid is of no dataset"
        elif content["dataset_uuid"] in described:
            yield from _chart(path, content, of["datasets"][content["dataset_uuid"]][1])
    slugs: dict[str, str] = {}
    for path, content in of["dashboards"].values():
        if other := slugs.get(content["slug"]):
            yield f"{path}: its slug {content['slug']!r} is that of {other}"
        slugs[content["slug"]] = path
        yield from _dashboard(path, content, of)
    charted = {c["dataset_uuid"] for _, c in of["charts"].values()}
    for uuid, data in described.items():
        if data.is_report and uuid not in charted:
            yield f"{of['datasets'][uuid][0]}: report {data.key} has no chart"
    for data in datasets().values():
        if data.table not in {c["table_name"] for _, c in of["datasets"].values()}:
            yield f"datasets: {data.key} has none; `meterhouse superset generate` makes it"


def _dataset(path: str, content: Mapping[str, Any], data: Dataset) -> Iterator[str]:
    if data.sql is not None:
        for relation in data.reads:
            if relation not in source_tables() | relations():
                yield f"{path}: it reads {relation}, which neither dbt makes nor its sources name"
            elif relation not in data.sql:
                yield f"{path}: it says that it reads {relation}, and its SQL does not"
        known = {c.name: c.data_type for c in data.columns}
    else:
        # A view of staging has no YAML of its own, only its SQL: extras.yml says which columns are used.
        undescribed = data.schema == "staging" and (MODELS / "staging" / f"{data.table}.sql").exists()
        model = models().get(data.table) or ({"schema": data.schema, "columns": []} if undescribed else None)
        if model is None:
            yield f"{path}: dbt has no model {data.table}"
            return
        if model["schema"] != data.schema:
            yield f"{path}: dbt makes {data.table} in {model['schema']}, not in {data.schema}"
        known = {c["name"]: c.get("data_type", "") for c in model.get("columns", [])} or {c.name: c.data_type for c in data.columns}
    names = [c["column_name"] for c in content["columns"]]
    if doubled := {n for n in names if names.count(n) > 1}:
        yield f"{path}: column {', '.join(sorted(doubled))} stands in it more than once"
    for column in content["columns"]:
        if column.get("expression"):
            wrong = columns_of(column["expression"]) - known.keys()
            if wrong:
                yield f"{path}: column {column['column_name']} is reckoned from {', '.join(sorted(wrong))}, which {data.table} has not"
        elif column["column_name"] not in known:
            yield f"{path}: {data.table} has no column {column['column_name']}"
    for metric in content.get("metrics", []):
        if wrong := columns_of(metric["expression"]) - known.keys():
            yield f"{path}: metric {metric['metric_name']} is of {', '.join(sorted(wrong))}, which {data.table} has not"
        if metric["metric_name"] in known:
            yield f"{path}: metric {metric['metric_name']} is called as a column is"
    time = content.get("main_dttm_col")
    if time and not is_time(known.get(time, "")):
        yield f"{path}: main_dttm_col {time} is no column of days or instants"


def _chart(path: str, content: Mapping[str, Any], dataset: Mapping[str, Any]) -> Iterator[str]:
    columns = {c["column_name"] for c in dataset["columns"]}
    metrics = {m["metric_name"] for m in dataset.get("metrics", [])}
    params = content["params"]
    asked = [params.get("x_axis"), params.get("granularity_sqla"), *_texts(params.get("groupby")), *_texts(params.get("all_columns"))]
    figures = [*_texts(params.get("metrics")), *_texts(params.get("metric"))]
    for condition in params.get("adhoc_filters", []):
        if condition["expressionType"] == "SQL":
            asked += sorted(columns_of(condition["sqlExpression"]))
        else:
            asked.append(condition["subject"])
    try:
        query = json.loads(content["query_context"])["queries"][0]
    except (ValueError, KeyError, IndexError):
        yield f"{path}: its query_context is no query"
        return
    asked += [c if isinstance(c, str) else c["sqlExpression"] for c in query["columns"]]
    figures += query.get("metrics") or []
    for name in sorted({a for a in asked if a} - columns):
        yield f"{path}: {dataset['table_name']} has no column {name}"
    for name in sorted(set(figures) - metrics):
        yield f"{path}: {dataset['table_name']} has no metric {name}"
    if params["viz_type"] != content["viz_type"]:
        yield f"{path}: viz_type is {content['viz_type']}, and {params['viz_type']} in params"


def _texts(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _dashboard(path: str, content: Mapping[str, Any], of: Mapping[str, Mapping[str, tuple[str, dict[str, Any]]]]) -> Iterator[str]:
    position = content["position"]
    placed: list[int] = []
    for key, part in position.items():
        if not isinstance(part, dict):
            continue
        for child in part.get("children", []):
            if child not in position:
                yield f"{path}: {key} holds {child}, which has no place"
        if part["type"] == "CHART":
            placed.append(part["meta"]["chartId"])
            if part["meta"]["uuid"] not in of["charts"]:
                yield f"{path}: {part['meta'].get('sliceName', key)!r} is of no chart"
        if part["type"] == "ROW" and (width := _width(position, part["children"])) > 12:
            yield f"{path}: {key} is {width} columns wide, of 12"
    if len(set(placed)) != len(placed):
        yield f"{path}: two charts have one chartId"
    filters = {f["id"] for f in content["metadata"]["native_filter_configuration"]}
    for one in content["metadata"]["native_filter_configuration"]:
        for target in one["targets"]:
            if not target:
                continue
            if target["datasetUuid"] not in of["datasets"]:
                yield f"{path}: filter {one['name']} is of no dataset"
            elif target["column"]["name"] not in {c["column_name"] for c in of["datasets"][target["datasetUuid"]][1]["columns"]}:
                yield f"{path}: filter {one['name']} is of column {target['column']['name']}, which its dataset has not"
        if lost := set(one["cascadeParentIds"]) - filters:
            yield f"{path}: filter {one['name']} depends on {', '.join(sorted(lost))}, which there is not"
        if lost_ids := set(one["scope"]["excluded"]) - set(placed):
            yield f"{path}: filter {one['name']} leaves out charts {sorted(lost_ids)}, which there are not"


def _width(position: Mapping[str, Any], children: Iterable[str]) -> int:
    return sum(position[c]["meta"].get("width", 0) for c in children if c in position)
