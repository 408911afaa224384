"""Writes dashboards/assets/ from dbt's YAML, metrics.yml, extras.yml and the designs of boards/.

The files are committed: a test makes them anew.

They are of no tenant: `sync` gives each DISCOM its own, with uuids of its own made of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

from dashboards.catalogue import CERTIFIED_BY, HERE, AssetError, Dataset, datasets, load
from dashboards.charts import LOCAL, form_data, query, report_table
from dashboards.columns import is_number, is_stamp, is_time
from warehouse.column_names import heading

ASSETS = HERE / "assets"
NAMESPACE = UUID("3c0f7c3e-6a55-5d0e-9f0b-6d6574657268")
VERSION = "1.0.0"
GRID = 12

# Periods that count from today; where a DISCOM's data ends earlier, `sync` puts its last days in their place.
WINDOWS = {
    "week": 'DATEADD(DATETIME("today"), -7, day) : DATEADD(DATETIME("today"), 1, day)',
    "month": 'DATETRUNC(DATEADD(DATETIME("today"), -1, day), month) : DATEADD(DATETIME("today"), 1, day)',
    "all": "No filter",
}
# What came in whenever it was is not asked for by the days of the board.
TIMELESS = frozenset({"J02", "J03", "J07", "I03"})
STORY, METERS = "story", "B02"
"""Chart of the days of one meter, and the dataset whose meters its filter offers."""
OFFICES = ("circle", "division", "subdivision", "office")

Assets = dict[str, dict[str, Any]]
"""What the files say, by their path below assets/."""


def asset_id(kind: str, name: str) -> str:
    return str(uuid5(NAMESPACE, f"{kind}:{name}"))


def boards() -> dict[str, dict[str, Any]]:
    """The designs of the dashboards by the name of their file."""
    return {path.stem: load(path) for path in sorted((HERE / "boards").glob("*.yml"))}


def generate() -> Assets:
    """Every asset. Raises AssetError for a design that names what there is not."""
    made: Assets = {"databases/warehouse.yaml": _database()}
    for data in datasets().values():
        made[f"datasets/warehouse/{data.table}.yaml"] = _dataset(data)
        if data.is_report:
            made[f"charts/reports/{data.table}.yaml"] = _chart(f"report:{data.key}", report_table(data), data, "report")
    for name, board in boards().items():
        for key, design, data in designs(name, board):
            made[f"charts/{name}/{key}.yaml"] = _chart(f"{name}:{key}", design, data, design.get("window", board["window"]))
        made[f"dashboards/{name}.yaml"] = _dashboard(name, board)
    return made


def designs(name: str, board: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], Dataset]]:
    """Key, design and dataset of each chart of a board. Raises AssetError."""
    seen: set[str] = set()
    for row in board["rows"]:
        for design in row["charts"]:
            if design["data"] not in datasets():
                raise AssetError(f"boards/{name}.yml: chart {design['title']!r} is of {design['data']!r}, which is no dataset")
            key = design.get("id") or _slug(design["title"])
            while key in seen:
                key += f"_{design['data'].lower()}_{design['viz']}"
            seen.add(key)
            yield key, design, datasets()[design["data"]]


def write(made: Assets, folder: Path = ASSETS) -> list[str]:
    """Bring the files in line; the paths that changed, came or went."""
    changed = []
    texts = {path: dump(content) for path, content in made.items()}
    for path, text in texts.items():
        target = folder / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            changed.append(path)
    for target in folder.glob("**/*.yaml"):
        if (path := str(target.relative_to(folder))) not in texts:
            target.unlink()
            changed.append(path)
    return changed


def read(folder: Path = ASSETS) -> Assets:
    """The assets as the files have them."""
    return {str(path.relative_to(folder)): load(path) for path in sorted(folder.glob("**/*.yaml"))}


def dump(content: Any) -> str:
    return yaml.dump(content, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, allow_unicode=True, width=160)


def _slug(title: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in title.lower().replace("&", "")).split())


def _database() -> dict[str, Any]:
    return {
        "database_name": "Meterhouse",
        "sqlalchemy_uri": "postgresql+psycopg2://meterhouse_superset:XXXXXXXXXX@localhost:5432/meterhouse",
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {"allows_virtual_table_explore": True, "cancel_query_on_windows_unload": True},
        "uuid": asset_id("database", "warehouse"),
        "version": VERSION,
    }


def _dataset(data: Dataset) -> dict[str, Any]:
    columns = []
    for c in data.columns:
        column: dict[str, Any] = {
            "column_name": c.name,
            "verbose_name": heading(c.name),
            "is_dttm": is_time(c.data_type),
            "is_active": True,
            "type": c.data_type.upper(),
            "advanced_data_type": None,
            "groupby": not is_number(c.data_type) or c.data_type in {"integer", "smallint", "bigint"},
            "filterable": True,
            "expression": None,
            "description": c.description or None,
            "python_date_format": None,
            "extra": {},
        }
        columns.append(column)
        if is_stamp(c.data_type):
            columns.append(
                column
                | {
                    "column_name": f"{c.name}{LOCAL}",
                    "verbose_name": f"{heading(c.name)} (IST)",
                    "type": "TIMESTAMP WITHOUT TIME ZONE",
                    "expression": f"{c.name} at time zone 'Asia/Kolkata'",
                }
            )
    metrics: list[dict[str, Any]] = [
        {
            "metric_name": m.name,
            "verbose_name": m.label,
            "metric_type": None,
            "expression": m.sql,
            "description": None,
            "d3format": m.format,
            "currency": None,
            "extra": {},
            "warning_text": None,
        }
        for m in data.metrics
    ]
    return {
        "table_name": data.table,
        "main_dttm_col": data.time,
        "description": f"{data.title}. {data.description}",
        "default_endpoint": None,
        "offset": 0,
        "cache_timeout": None,
        "schema": data.schema,
        "catalog": None,
        "sql": data.sql,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": {"certification": {"certified_by": CERTIFIED_BY, "details": "From the warehouse's own models, tested with each build"}},
        "uuid": asset_id("dataset", data.key),
        "metrics": metrics,
        "columns": columns,
        "version": VERSION,
        "database_uuid": asset_id("database", "warehouse"),
    }


def _chart(key: str, design: dict[str, Any], data: Dataset, window: str) -> dict[str, Any]:
    if window == "report":
        window = "all" if data.key in TIMELESS else "week" if data.time == "day" else "month"
    params = form_data(design, data, WINDOWS[window])
    return {
        "slice_name": design["title"],
        "description": design.get("about") or data.description,
        "certified_by": CERTIFIED_BY,
        "certification_details": f"Of {data.title}",
        "viz_type": params["viz_type"],
        "params": params,
        "query_context": query(params, data),
        "cache_timeout": None,
        "uuid": asset_id("chart", key),
        "version": VERSION,
        "dataset_uuid": asset_id("dataset", data.key),
    }


def _dashboard(name: str, board: Mapping[str, Any]) -> dict[str, Any]:
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"children": ["GRID_ID"], "id": "ROOT_ID", "type": "ROOT"},
        "GRID_ID": {"children": [], "id": "GRID_ID", "parents": ["ROOT_ID"], "type": "GRID"},
        "HEADER_ID": {"id": "HEADER_ID", "meta": {"text": board["title"]}, "type": "HEADER"},
    }
    charts = iter(designs(name, board))
    ids: dict[str, int] = {}
    for n, row in enumerate(board["rows"], 1):
        row_id = f"ROW-{n}"
        position["GRID_ID"]["children"].append(row_id)
        position[row_id] = {
            "children": [],
            "id": row_id,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
            "parents": ["ROOT_ID", "GRID_ID"],
            "type": "ROW",
        }
        for width in _widths(name, row):
            key, design, _ = next(charts)
            # The number stands for the chart in the filters' scopes until Superset gives it one.
            ids[key] = len(ids) + 1
            chart_id = f"CHART-{ids[key]}"
            position[row_id]["children"].append(chart_id)
            position[chart_id] = {
                "children": [],
                "id": chart_id,
                "meta": {
                    "chartId": ids[key],
                    "height": row["height"],
                    "sliceName": design["title"],
                    "uuid": asset_id("chart", f"{name}:{key}"),
                    "width": width,
                },
                "parents": ["ROOT_ID", "GRID_ID", row_id],
                "type": "CHART",
            }
    return {
        "dashboard_title": board["title"],
        "description": board["description"],
        "css": "",
        "slug": board["slug"],
        "certified_by": CERTIFIED_BY,
        "certification_details": "From the warehouse's own models",
        "published": True,
        "uuid": asset_id("dashboard", name),
        "position": position,
        "metadata": {
            "cross_filters_enabled": True,
            "filter_bar_orientation": "HORIZONTAL",
            "refresh_frequency": 0,
            "timed_refresh_immune_slices": [],
            "expanded_slices": {},
            "label_colors": {},
            "shared_label_colors": [],
            "chart_configuration": {},
            "global_chart_configuration": {"scope": {"rootPath": ["ROOT_ID"], "excluded": []}},
            "native_filter_configuration": _filters(name, board, ids),
        },
        "version": VERSION,
    }


def _widths(name: str, row: Mapping[str, Any]) -> list[int]:
    """Columns of the grid that each chart of a row takes: those that say nothing share what is left."""
    said = [d.get("width") for d in row["charts"]]
    open_ = said.count(None)
    left = GRID - sum(w for w in said if w)
    if left < open_ or (not open_ and left != 0):
        raise AssetError(f"boards/{name}.yml: the charts of the row of {row['charts'][0]['title']!r} take {GRID - left} of {GRID} columns")
    each = left // open_ if open_ else 0
    return [w or each for w in said]


def _filters(name: str, board: Mapping[str, Any], ids: Mapping[str, int]) -> list[dict[str, Any]]:
    window = WINDOWS[board["window"]]
    period = _filter("period", "Period", "filter_time", [{}])
    period["defaultDataMask"] = {"extraFormData": {"time_range": window}, "filterState": {"value": window}}
    period["scope"]["excluded"] = [ids[key] for key, design, _ in designs(name, board) if design.get("window") == "all"]
    found: list[dict[str, Any]] = [period]
    above: list[str] = []
    for column in OFFICES:
        target = {"datasetUuid": asset_id("dataset", "office_path"), "column": {"name": column}}
        found.append(_filter(column, column.capitalize(), "filter_select", [target]) | {"cascadeParentIds": above[-1:]})
        above.append(f"NATIVE_FILTER-{column}")
    if board.get("meter"):
        target = {"datasetUuid": asset_id("dataset", METERS), "column": {"name": "serial"}}
        chosen = _filter("meter", "Meter", "filter_select", [target])
        chosen["controlValues"] |= {"multiSelect": False, "defaultToFirstItem": True, "enableEmptyFilter": True}
        chosen["scope"]["excluded"] = [n for key, n in ids.items() if key != STORY]
        found.append(chosen | {"requiredFirst": True})
    return found


def _filter(key: str, name: str, kind: str, targets: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"NATIVE_FILTER-{key}",
        "type": "NATIVE_FILTER",
        "name": name,
        "description": "",
        "filterType": kind,
        "targets": targets,
        "controlValues": {
            "enableEmptyFilter": False,
            "multiSelect": True,
            "searchAllOptions": False,
            "inverseSelection": False,
            "defaultToFirstItem": False,
        }
        if kind == "filter_select"
        else {"enableEmptyFilter": False},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
    }
