"""How a DISCOM estimates: defaults of expectations/estimation.yml, and what its overlay changes in them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from expectations.rules import HERE, RuleError, load_estimation, overlay_path
from vee.estimation.series import Settings
from warehouse.codes import Method

Zones = tuple[tuple[int, tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True)
class EstimationSettings:
    """`engine`: what the methods on arrays need; the rest is for what is looked up for them (vee.estimation.candidates, EM9 by zone)."""

    engine: Settings
    temperature_days: int
    temperature_window_days: int
    neighbours: int
    class_profile_days: int
    class_profile_max_age_days: int
    tou_zones: Zones
    """Zone, and its spans of the day in minutes from midnight."""

    def uses(self, method: Method) -> bool:
        return method in self.engine.order


def load_settings(code: str, overlays: Path | None = None) -> EstimationSettings:
    """The settings of a DISCOM. Raises RuleError where a file is no good."""
    raw = load_estimation(code, overlays)
    raw["order"] = tuple(Method[name.upper()] for name in raw["order"])
    raw["tou_zones"] = tuple((int(zone), tuple(map(_span, spans))) for zone, spans in sorted(raw["tou_zones"].items()))
    _check_zones(overlay_path(code, overlays) or HERE / "estimation.yml", raw["tou_zones"])
    engine = {f.name: raw.pop(f.name) for f in fields(Settings) if f.name in raw}
    return EstimationSettings(engine=Settings(**engine), **raw)


def _span(text: str) -> tuple[int, int]:
    start, end = (60 * int(t[:2]) + int(t[3:]) for t in text.split("-"))
    return start, end


def _check_zones(path: Path, zones: Zones) -> None:
    taken: list[tuple[int, int]] = []
    for zone, spans in zones:
        if not 1 <= zone <= 8:
            raise RuleError(f"{path}: estimation.tou_zones.{zone}: there is no such zone: meters have 1 to 8")
        for start, end in spans:
            if start >= end:
                raise RuleError(f"{path}: estimation.tou_zones.{zone}: a span ends before it begins: cut one over midnight in two")
            if any(start < e and s < end for s, e in taken):
                raise RuleError(f"{path}: estimation.tou_zones.{zone}: overlaps another span: each minute is of one zone")
            taken.append((start, end))
