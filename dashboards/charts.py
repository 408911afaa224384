"""A chart's design (boards/*.yml) as Superset's form data and the query that goes with it. What the fields mean: docs/superset.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dashboards.catalogue import AssetError, Dataset
from dashboards.columns import is_stamp, number_format
from warehouse.column_names import heading

ROW_LIMIT = 1000
LOCAL = "_ist"
"""Ends the name of a stamp as the wall clock of India shows it: Superset knows no time zone but UTC."""
HIDDEN = frozenset({"discom_id", "data_as_of", "generated_at", "zone", "circle", "division", "subdivision", "place_id"})


def form_data(design: Mapping[str, Any], data: Dataset, window: str) -> dict[str, Any]:
    """Parameters of the chart as Superset's form has them. `window` is the period until a dashboard's filter says another."""
    kind = design["viz"]
    if kind not in _VIZ:
        raise AssetError(f"chart {design['title']!r}: viz {kind!r} is none of {', '.join(_VIZ)}")
    common: dict[str, Any] = {
        "adhoc_filters": _filters(design, data, window),
        "color_scheme": "meterhouse",
        "row_limit": design.get("limit", ROW_LIMIT),
    }
    if data.time:
        common["granularity_sqla"] = data.time
    return common | _VIZ[kind](design, data) | design.get("options", {})


def query(params: Mapping[str, Any], data: Dataset) -> str:
    """The chart's query as JSON, so that the server can answer it without a browser."""
    filters = [
        {"col": f["subject"], "op": f["operator"], "val": f["comparator"]}
        for f in params["adhoc_filters"]
        if f["expressionType"] == "SIMPLE"
    ]
    where = " AND ".join(f"({f['sqlExpression']})" for f in params["adhoc_filters"] if f["expressionType"] == "SQL")
    metrics = params.get("metrics") or ([params["metric"]] if params.get("metric") else [])
    columns: list[Any] = []
    orderby: list[Any] = [[m, False] for m in metrics[:1]]
    if x := params.get("x_axis"):
        base = {"columnType": "BASE_AXIS", "sqlExpression": x, "label": x, "expressionType": "SQL"}
        columns.append(base | ({"timeGrain": params["time_grain_sqla"]} if params.get("time_grain_sqla") else {}))
    if params.get("query_mode") == "raw":
        columns, metrics = list(params["all_columns"]), []
        orderby = [json.loads(o) for o in params.get("order_by_cols", [])]
    else:
        given = params.get("groupby") or []
        columns += [given] if isinstance(given, str) else given
    asked = {
        "filters": filters,
        "extras": {"having": "", "where": where},
        "applied_time_extras": {},
        "columns": columns,
        "metrics": metrics or None,
        "orderby": orderby,
        "annotation_layers": [],
        "row_limit": params["row_limit"],
        "series_limit": 0,
        "order_desc": True,
        "url_params": {},
        "custom_params": {},
        "custom_form_data": {},
    }
    if params.get("query_mode") != "raw" and not metrics:
        raise AssetError(f"a chart of {data.key} has no metric")
    return json.dumps(
        {
            "datasource": {"id": 0, "type": "table"},
            "force": False,
            "queries": [{k: v for k, v in asked.items() if v is not None}],
            "form_data": {**params, "datasource": "0__table"},
            "result_format": "json",
            "result_type": "full",
        },
        sort_keys=True,
    )


def report_table(data: Dataset) -> dict[str, Any]:
    """Design of the table chart that every report has: all that it tells, the latest first."""
    columns = [
        f"{c.name}{LOCAL}" if is_stamp(c.data_type) else c.name for c in data.columns if c.name not in HIDDEN and not c.name.endswith("_id")
    ]
    ids = [c for c in ("batch_id", "command_id", "edit_id", "case_id") if data.has(c)]
    return {"title": data.title, "data": data.key, "viz": "table", "columns": columns[:1] + ids + columns[1:], "height": 60}


def _filters(design: Mapping[str, Any], data: Dataset, window: str) -> list[dict[str, Any]]:
    found = []
    if data.time:
        found.append(
            {"clause": "WHERE", "expressionType": "SIMPLE", "operator": "TEMPORAL_RANGE", "subject": data.time, "comparator": window}
        )
    if where := design.get("where"):
        found.append({"clause": "WHERE", "expressionType": "SQL", "sqlExpression": where})
    return found


def _column_config(data: Dataset, names: list[str]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for c in data.columns:
        if c.name in names and (pattern := number_format(c.name, c.data_type)):
            config[c.name] = {"d3NumberFormat": pattern, "d3SmallNumberFormat": pattern}
        elif c.name in names and c.name in _NARROW:
            config[c.name] = {"columnWidth": _NARROW[c.name]}
    return config


_NARROW = {"sla": 80, "rule": 60, "period": 70, "dt": 80, "feeder": 70, "serial": 120, "state": 80, "message": 360, "reasons": 320}


def _number(design: Mapping[str, Any], data: Dataset) -> dict[str, Any]:
    metric = data.metric(design["metric"])
    return {
        "viz_type": "big_number_total",
        "metric": metric.name,
        "y_axis_format": metric.format,
        "subtitle": design.get("note", ""),
        "header_font_size": 0.5,
        "subtitle_font_size": 0.2,
    }


def _series(kind: str) -> Callable[[Mapping[str, Any], Dataset], dict[str, Any]]:
    def made(design: Mapping[str, Any], data: Dataset) -> dict[str, Any]:
        metrics = [data.metric(m) for m in design["metrics"]]
        x = design["x"]
        timed = x in {data.time, "day", "starts_at"}
        if timed and x != data.time:
            raise AssetError(
                f"chart {design['title']!r}: its axis is {x}, and the page would put {data.time}, the time of {data.key}, in its place"
            )
        params: dict[str, Any] = {
            "viz_type": f"echarts_timeseries_{kind}",
            "x_axis": x,
            "metrics": [m.name for m in metrics],
            "groupby": design.get("by", []),
            "y_axis_format": metrics[0].format,
            "rich_tooltip": True,
            "show_legend": len(metrics) > 1 or bool(design.get("by")),
            "legendOrientation": "bottom",
            "legendType": "scroll",
            "truncateYAxis": False,
            "y_axis_bounds": design.get("bounds", [None, None]),
            "tooltipTimeFormat": "%d %b %Y %H:%M" if x == "starts_at" else "%d %b %Y",
            "x_axis_time_format": "%d %b",
            "only_total": False,
            "sort_series_type": "sum",
        }
        if timed:
            params["time_grain_sqla"] = design.get("grain", "P1D")
        else:
            params |= {
                "x_axis_sort": metrics[0].name if design.get("sort", "value") == "value" else x,
                "x_axis_sort_asc": bool(design.get("ascending")),
            }
        if design.get("stack"):
            params["stack"] = "Stack"
        if kind == "bar":
            params["orientation"] = design.get("orientation", "vertical")
        if kind == "line":
            params |= {"markerEnabled": timed, "markerSize": 3 if x == "starts_at" else 6, "connectNulls": False}
        return params

    return made


def _pie(design: Mapping[str, Any], data: Dataset) -> dict[str, Any]:
    metric = data.metric(design["metric"])
    return {
        "viz_type": "pie",
        "metric": metric.name,
        "groupby": design["by"],
        "donut": True,
        "innerRadius": 45,
        "outerRadius": 72,
        "label_type": "percent",
        "number_format": metric.format,
        "show_legend": True,
        "legendOrientation": "bottom",
        "legendType": "scroll",
        "show_labels_threshold": 2,
        "labels_outside": True,
        "label_line": True,
        "sort_by_metric": True,
    }


def _table(design: Mapping[str, Any], data: Dataset) -> dict[str, Any]:
    params: dict[str, Any] = {
        "viz_type": "table",
        "table_timestamp_format": "%d %b %Y %H:%M" if any(c.endswith(LOCAL) for c in design.get("columns", [])) else "%d %b %Y",
        "show_cell_bars": bool(design.get("bars")),
        "color_pn": False,
        "align_pn": False,
        "server_pagination": False,
        "page_length": design.get("page", 0),
        "include_search": False,
        "allow_rearrange_columns": True,
        "order_desc": True,
    }
    if "columns" in design:
        names = [c.removesuffix(LOCAL) for c in design["columns"]]
        time_formats = {
            c: {"d3TimeFormat": "%d %b %Y"} for c, of in ((c.name, c) for c in data.columns) if c in names and of.data_type == "date"
        }
        order = design.get("order") or ([[data.time, False]] if data.time else [])
        params |= {
            "query_mode": "raw",
            "all_columns": list(design["columns"]),
            "order_by_cols": [json.dumps(o) for o in order],
            "column_config": _column_config(data, names) | time_formats,
        }
    else:
        metrics = [data.metric(m) for m in design["metrics"]]
        params |= {
            "query_mode": "aggregate",
            "groupby": design["by"],
            "metrics": [m.name for m in metrics],
            "timeseries_limit_metric": metrics[0].name,
            "column_config": {m.name: {"d3NumberFormat": m.format, "d3SmallNumberFormat": m.format} for m in metrics},
        }
    return params


def _treemap(design: Mapping[str, Any], data: Dataset) -> dict[str, Any]:
    metric = data.metric(design["metric"])
    return {
        "viz_type": "treemap_v2",
        "color_scheme": "meterhouse_pale",
        "metric": metric.name,
        "groupby": design["by"],
        "number_format": metric.format,
        "show_labels": True,
        "show_upper_labels": True,
        "label_type": "key_value",
    }


def _heatmap(design: Mapping[str, Any], data: Dataset) -> dict[str, Any]:
    metric = data.metric(design["metric"])
    params: dict[str, Any] = {
        "viz_type": "heatmap_v2",
        "x_axis": design["x"],
        "groupby": design["by"],
        "metric": metric.name,
        "y_axis_format": metric.format,
        "x_axis_time_format": "%d %b",
        "linear_color_scheme": "meterhouse_loss",
        "normalize_across": "heatmap",
        "legend_type": "continuous",
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_asc",
        "show_legend": True,
        "show_percentage": False,
        "show_values": True,
        "value_bounds": [None, None],
        "left_margin": 80,
        "bottom_margin": "auto",
        "xscale_interval": -1,
        "yscale_interval": -1,
    }
    if design["x"] == data.time:
        params["time_grain_sqla"] = "P1D"
    return params


_VIZ: dict[str, Callable[[Mapping[str, Any], Dataset], dict[str, Any]]] = {
    "number": _number,
    "line": _series("line"),
    "bar": _series("bar"),
    "area": lambda design, data: (
        _series("line")(design, data) | {"area": True, "viz_type": "echarts_area", "stack": "Stack", "opacity": 0.4}
    ),
    "pie": _pie,
    "table": _table,
    "treemap": _treemap,
    "heatmap": _heatmap,
}


def label(column: str) -> str:
    return heading(column)
