"""The figures that rules may judge: columns of the tables of vee, as the contracts of the dbt models have them."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache

import yaml

from warehouse.codes import SEEDS

CONTRACTS = SEEDS.parent / "models" / "vee"
NUMBERS = ("smallint", "integer", "bigint", "double precision", "real", "numeric")


@cache
def columns_of(table: str) -> dict[str, str]:
    """Name -> type of the columns of `vee.<model>`; empty where no contract states them."""
    return _contracts().get(table, {})


@cache
def _contracts() -> dict[str, dict[str, str]]:
    models = [
        m
        for path in sorted(CONTRACTS.glob("*.yml"))
        for m in yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)).get("models", ())  # noqa: S506
    ]
    return {f"vee.{m['name']}": {c["name"]: c["data_type"] for c in m["columns"]} for m in models if "columns" in m}


def numbers_of(table: str) -> list[str]:
    """Columns that hold one number."""
    return [name for name, kind in columns_of(table).items() if kind in NUMBERS]


def nearest(name: str, known: list[str]) -> str:
    """What may have been meant by a name that is not known, for an error's message."""
    near = get_close_matches(name, known, n=4, cutoff=0.5)
    return f"Near it: {', '.join(near)}" if near else f"Known here: {', '.join(sorted(known))}"
