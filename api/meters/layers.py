"""A meter's days as the warehouse has them, brought to the layer that is asked for. Says what vee.final_day says, slot by slot. No SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from api.meters.rollup import MeterDay, Sum, Values, midnight, scaled, times
from warehouse.codes import Quality

Layer = Literal["raw", "estimated", "final"]
Row = Mapping[str, Any]
DOUBTED = int(Quality.QUESTIONABLE)
MISSING = int(Quality.MISSING)
RAW = int(Quality.RAW)


def factor(mf: Decimal) -> int:
    """The multiplying factor in ten-thousandths, which it is stored in."""
    return int(mf * 10_000)


def whole(rows: Sequence[Row]) -> bool:
    """Whether no factor has a fraction: then the sum of the slots is the day's count times the factor."""
    return all(factor(r["mf"]) % 10_000 == 0 for r in rows)


def meter_days(rows: Sequence[Row], edits: Mapping[date, Row], zone: ZoneInfo, layer: Layer) -> list[MeterDay]:
    """Of rows of `repository.values`, and of what was edited by day. `zone` is the DISCOM's, in which its days begin."""
    return [_meter_day(r, edits.get(r["day"]) if layer == "final" else None, zone, layer) for r in rows]


def _meter_day(r: Row, edit: Row | None, zone: ZoneInfo, layer: Layer) -> MeterDay:
    mf, slots = factor(r["mf"]), r["slots"]
    estimate = r["e_quality"] is not None and layer != "raw"

    def channel(name: str) -> Values | None:
        values: Values | None = r[name]
        if estimate and r[f"e_{name}"] is not None:
            values = r[f"e_{name}"]
        return values if edit is None or edit[name] is None else edit[name]

    imported = channel("import_wh") or [None] * slots
    quality, method = _quality(r, edit, imported, layer)
    return MeterDay(
        midnight(r["day"], zone),
        r["interval_min"],
        scaled(imported, mf) or [],
        scaled(channel("export_wh"), mf),
        scaled(channel("import_vah"), mf),
        quality,
        method,
    )


def _quality(r: Row, edit: Row | None, imported: Values, layer: Layer) -> tuple[Sequence[int] | int, Sequence[int | None] | None]:
    if layer == "raw":
        return [MISSING if v is None else RAW for v in imported] if None in imported else RAW, None
    if edit is not None:
        return edit["day_quality"] if edit["quality"] is None else edit["quality"], edit["method"]
    if r["e_quality"] is not None:
        return r["e_quality"], r["e_method"]
    base = DOUBTED if r["doubted"] else 0
    stated = r["quality"]
    if stated is None and None not in imported:
        return base, None
    return [MISSING if v is None else max((stated[n] if stated else None) or 0, base) for n, v in enumerate(imported)], None


def add_totals(total: Sum, r: Row, layer: Layer) -> None:
    """Add a row of `repository.totals`, on which nothing was edited, to a sum. Its factor has no fraction."""
    mf = factor(r["mf"])
    estimate = r["e_quality"] is not None and layer != "raw"
    missing = r["e_missing_slots"] if estimate else r["missing_slots"]
    prefix: Callable[[str], str] = (lambda name: f"e_{name}") if estimate else (lambda name: _MEASURED[name])
    for name in ("import_wh", "export_wh", "import_vah"):
        value = times(r[prefix(_DAY_OF[name])], mf)
        if value is not None:
            setattr(total, name, (getattr(total, name) or 0) + value)
    highest = max((v for v in r["e_import_wh"] if v is not None), default=None) if estimate else r["max_wh"]
    if highest is not None:
        total.demand(_demand(highest, mf, r["interval_min"]))
    total.slots += r["slots"]
    total.covered_s += (r["slots"] - missing) * r["interval_min"] * 60
    if layer == "raw":
        total.quality = max(total.quality, MISSING if missing else RAW)
    elif estimate:
        total.quality = max(total.quality, *r["e_quality"])
        total.estimated_slots += r["estimated_slots"]
        total.estimated_wh += times(r["estimated_wh"], mf) or 0
        total.methods.update(m for m in r["e_method"] if m)
    else:
        total.quality = max(total.quality, MISSING if missing else max(DOUBTED if r["doubted"] else 0, r["source_quality"] or 0))


def _demand(wh: int, mf: int, interval_min: int) -> float:
    return (times(wh, mf) or 0) * 60 / interval_min


_DAY_OF = {"import_wh": "import_day_wh", "export_wh": "export_day_wh", "import_vah": "import_day_vah"}
_MEASURED = {"import_day_wh": "sum_wh", "export_day_wh": "export_sum_wh", "import_day_vah": "import_sum_vah"}
