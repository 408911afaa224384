"""How a column is called and its figures written, from its name and type: the unit ends the name."""

from __future__ import annotations

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
    "lakh": "₹ lakh",
    "cr": "₹ crore",
    "mw": "MW",
    "wh": "Wh",
    "w": "W",
    "v": "V",
    "a": "A",
    "d": "days",
    "h": "h",
    "min": "min",
    "s": "s",
    "mb": "MB",
    "dbm": "dBm",
}
WORDS = {
    w.lower(): w for w in ("SAIFI", "SAIDI", "CAIDI", "MAIFI", "CAIFI", "ASAI", "MTBF", "SLA", "DT", "DTs", "HT", "HES", "MD", "ID", "VEE")
} | {"atc": "AT&C", "td": "T&D", "sop": "SoP"}
_NUMBERS = ("smallint", "integer", "bigint", "double precision", "real", "numeric")


def is_number(data_type: str) -> bool:
    return data_type.split("(")[0] in _NUMBERS


def is_stamp(data_type: str) -> bool:
    """An instant, which Superset would show in UTC."""
    return data_type == "timestamp with time zone"


def is_time(data_type: str) -> bool:
    return data_type == "date" or data_type.startswith("timestamp")


def heading(name: str) -> str:
    """Plain words with the unit: loss_pct is Loss (%), a_input_mu of the AT&C table is A. Input (MU)."""
    words = name.split("_")
    unit = UNITS.get(words[-1]) if len(words) > 1 else None
    words = words[:-1] if unit else words
    row = ""
    if len(words) > 1 and len(words[0]) == 1:
        row, words = f"{words[0].upper()}. ", words[1:]
    text = " ".join(WORDS.get(w, w) for w in words)
    return row + text[0].upper() + text[1:] + (f" ({unit})" if unit else "")


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
