"""What a DISCOM agreed as service levels: `rules/default.yml`, and what `rules/<code>.yml` puts in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse import yaml_file
from warehouse.yaml_file import Where

FOLDER = Path(__file__).parent / "rules"
SCHEMA = Path(__file__).parent / "rules.schema.json"


class SlaError(yaml_file.FileError):
    """A file of service levels is wrong; the message names file, line, field and remedy."""


@dataclass(frozen=True)
class Band:
    """Where less than `below_pct` was achieved, `penalty_pct` of the month's fee is forfeit."""

    below_pct: float
    penalty_pct: float


@dataclass(frozen=True)
class Target:
    """One target of a service level. `number` counts from 1 within it. `within_min`: None where no time is measured."""

    sla: str
    number: int
    title: str
    within_min: int | None
    target_pct: float
    bands: tuple[Band, ...]
    exclude_network_outage: bool
    verified: bool


def load(discom_code: str, folder: Path = FOLDER) -> tuple[Target, ...]:
    """The targets of the DISCOM with this code, in the order of service levels. Raises SlaError."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    shipped = _read(FOLDER / "default.yml", schema)
    # Not by joining paths: a code is any text.
    path = {p.stem: p for p in folder.glob("*.yml") if p.stem != "default"}.get(discom_code)
    own = _read(path, schema) if path else {"slas": {}}
    outage = own.get("exclude_network_outage", shipped["exclude_network_outage"])
    targets: list[Target] = []
    for sla, level in {**shipped["slas"], **own["slas"]}.items():
        verified = own.get("verified", False) if sla in own["slas"] else shipped["verified"]
        title = level.get("title", shipped["slas"][sla]["title"])
        targets += (_target(sla, n, title, t, outage, verified) for n, t in enumerate(level["targets"], 1))
    return tuple(sorted(targets, key=lambda t: (t.sla, t.number)))


def _target(sla: str, number: int, title: str, raw: dict[str, Any], outage: bool, verified: bool) -> Target:
    within = raw.get("within_min", 60 * raw["within_h"] if "within_h" in raw else None)
    bands = tuple(Band(float(b["below_pct"]), float(b["penalty_pct"])) for b in raw.get("penalty", ()))
    return Target(sla, number, title, within, float(raw["target_pct"]), bands, outage, verified)


def _read(path: Path, schema: dict[str, Any]) -> dict[str, Any]:
    file = yaml_file.read(path, schema, SlaError)
    file.refuse(_band_faults(file.raw["slas"]))
    return dict(file.raw)


def _band_faults(slas: dict[str, Any]) -> Iterator[tuple[Where, str]]:
    """A penalty is for what misses its target, and the further it misses it the higher."""
    for sla, level in slas.items():
        for n, target in enumerate(level["targets"]):
            before: dict[str, Any] | None = None
            for b, band in enumerate(target.get("penalty", ())):
                at: Where = ("slas", sla, "targets", n, "penalty", b)
                if band["below_pct"] > target["target_pct"]:
                    yield at, f"below {band['below_pct']:g} % would punish what meets the target of {target['target_pct']:g} %: lower it"
                if before and not (band["below_pct"] < before["below_pct"] and band["penalty_pct"] > before["penalty_pct"]):
                    yield at, "is no worse band than the one before it: less achieved, higher penalty"
                before = band
