"""How a column's figures are written, from its name and type. What it is called: warehouse.column_names."""

from __future__ import annotations

_NUMBERS = ("smallint", "integer", "bigint", "double precision", "real", "numeric")


def is_number(data_type: str) -> bool:
    return data_type.split("(")[0] in _NUMBERS


def is_stamp(data_type: str) -> bool:
    """An instant, which Superset would show in UTC."""
    return data_type == "timestamp with time zone"


def is_time(data_type: str) -> bool:
    return data_type == "date" or data_type.startswith("timestamp")


def number_format(name: str, data_type: str) -> str | None:
    """D3's format of a figure, grouped as the server's locale says (lakh, crore); None where it is no figure, such as an id."""
    if not is_number(data_type) or name.endswith("_id") or name in {"code", "block", "slot", "tod_zone", "target_no"}:
        return None
    if data_type in {"smallint", "integer", "bigint"}:
        return ",d"
    unit = name.rsplit("_", 1)[-1]
    if unit in {"pct", "kwh", "kvah", "kvarh", "kw", "kva", "h", "v", "min", "s", "mb"}:
        return ",.1f"
    return {"mu": ",.3f", "inr": ",.2f"}.get(unit, ",.3f" if data_type.startswith(("numeric(12,4", "numeric(12, 4")) else ",.2f")
