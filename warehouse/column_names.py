"""How columns are called in plain words: the unit ends the name. The one home of what reports, the report builder and dashboards print."""

from __future__ import annotations

UNITS = {
    "wh": "Wh",
    "vah": "VAh",
    "varh": "varh",
    "w": "W",
    "va": "VA",
    "ohm": "Ω",
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
    "v": "V",
    "a": "A",
    "d": "days",
    "h": "h",
    "min": "min",
    "s": "s",
    "mb": "MB",
    "dbm": "dBm",
}
"""Unit that ends a column's name, as it is printed."""

WORDS = {
    "saifi": "SAIFI",
    "saidi": "SAIDI",
    "caidi": "CAIDI",
    "maifi": "MAIFI",
    "caifi": "CAIFI",
    "asai": "ASAI",
    "mtbf": "MTBF",
    "sla": "SLA",
    "dt": "DT",
    "dts": "DTs",
    "ht": "HT",
    "hes": "HES",
    "md": "MD",
    "atc": "AT&C",
    "id": "ID",
    "sop": "SoP",
    "td": "T&D",
    "vee": "VEE",
}
"""Words of names that are not written in small letters."""


def unit(name: str) -> str | None:
    """As it is printed; None where the name ends with none."""
    return UNITS.get(name.rsplit("_", 1)[-1]) if "_" in name else None


def heading(name: str) -> str:
    """Plain words with the unit: loss_pct is Loss (%), a_input_mu of the AT&C table is A. Input (MU)."""
    words, of = name.split("_"), unit(name)
    words = words[:-1] if of else words
    row = ""
    if len(words) > 1 and len(words[0]) == 1:
        row, words = f"{words[0].upper()}. ", words[1:]
    text = " ".join(WORDS.get(w, w) for w in words)
    return row + text[0].upper() + text[1:] + (f" ({of})" if of else "")
