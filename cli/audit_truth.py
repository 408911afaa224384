"""Compares what an energy audit found with what an audited simulation did (docs/hes-formats.md, 5). Pure: figures in, scores out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from audit.figures import DtLoad, DtLoss
from audit.repository import TagFound
from cli.score import faults_by_day, rows

METERING_ERROR_PCT = 0.5
"""Of a DT's input: class 0.5 of its meter. Those of the simulation have no error but their last digit."""
TECHNICAL_ERROR_PCT = 15.0
TECHNICAL_DTS_PCT = 90.0
TAGS_FOUND_PCT = 90.0
TAGS_FALSE_PCT = 5.0
THEFT_FOUND_PCT = 80.0
THEFT_FALSE_PCT = 2.0
LEAST_THEFT_WH = 1000
"""Of a day: less leaves no trace."""
KVA_ERROR_PCT = 3.0
UNBALANCE_ERROR = 3.0
"""Points of percent."""
LOADS_PCT = 95.0


@dataclass(frozen=True)
class Bar:
    """One figure against its bar. `higher`: the figure must be at least the bar, else at most. None where nothing was there to measure."""

    name: str
    figure: float | None
    bar: float
    higher: bool
    detail: str = ""

    @property
    def held(self) -> bool:
        if self.figure is None:
            return True
        return self.figure >= self.bar if self.higher else self.figure <= self.bar


@dataclass(frozen=True)
class DtError:
    """A DT over its days with a balance, Wh. `error_wh`: shown loss less the true one and less what faulty meters explain."""

    dt: str
    input_wh: int
    loss_wh: int
    true_wh: int
    error_wh: int

    @property
    def error_pct(self) -> float:
        return 100 * abs(self.error_wh) / self.input_wh if self.input_wh else 0.0


def share(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None


def loss_errors(registry: Path, truth: Path, losses: Iterable[DtLoss], final: Mapping[tuple[str, date], tuple[int, int]]) -> list[DtError]:
    """True loss as a balance over the tags must show it: technical, theft, wrong tags, and supply without a meter, assessed or not."""
    unmetered = {(r["dt_code"], r["day"]): int(r["unmetered_wh"]) for r in rows(truth / "technical.csv")}
    real = {
        (r["dt_code"], r["day"]): int(r["technical_wh"]) + int(r["theft_wh"]) - int(r["misindexed_wh"]) + unmetered[r["dt_code"], r["day"]]
        for r in rows(truth / "dt_day.csv")
    }
    faults = faults_by_day(registry, truth, final)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for x in losses:
        key = (x.dt, x.day.isoformat())
        if key in real:
            shown = x.loss_wh + x.unmetered_wh
            one = (x.input_wh, shown, real[key], shown - real[key] - faults.get((x.dt, x.day), 0))
            sums[x.dt] = [a + b for a, b in zip(sums[x.dt], one, strict=True)]
    return [DtError(dt, *s) for dt, s in sorted(sums.items())]


def loss_bar(errors: list[DtError]) -> Bar:
    worst = max(errors, key=lambda e: e.error_pct, default=None)
    detail = f"{len(errors)} DTs, worst {worst.dt}" if worst else "no DT has a balance"
    return Bar("DT loss: error, % of input", worst.error_pct if worst else None, METERING_ERROR_PCT, False, detail)


def technical_truth(truth: Path) -> dict[str, int]:
    """Technical loss by DT over all days, Wh."""
    sums: dict[str, int] = defaultdict(int)
    for r in rows(truth / "dt_day.csv"):
        sums[r["dt_code"]] += int(r["technical_wh"])
    return dict(sums)


def technical_bar(real: Mapping[str, int], found_kwh: Mapping[str, float]) -> Bar:
    """DTs whose technical loss lies within the bar of the truth. A DT of which nothing is said is missed."""
    good = [dt for dt, wh in real.items() if dt in found_kwh and abs(1000 * found_kwh[dt] - wh) <= TECHNICAL_ERROR_PCT / 100 * wh]
    total = sum(real.values())
    off = 100 * (1000 * sum(found_kwh.get(dt, 0.0) for dt in real) - total) / total if total else 0.0
    detail = f"{len(good)} of {len(real)} DTs; all together {off:+.1f} %"
    return Bar(f"technical loss: DTs within {TECHNICAL_ERROR_PCT:.0f} %, %", share(len(good), len(real)), TECHNICAL_DTS_PCT, True, detail)


def tag_bars(truth: Path, found: Iterable[TagFound]) -> list[Bar]:
    """Found: accused, with the right DT named. False: accused and rightly tagged, of those accused."""
    true_dt = {r["service_point_code"]: r["true_dt"] for r in rows(truth / "consumer_index.csv")}
    accused = [t for t in found if t.state == "suspected"]
    right = [t for t in accused if true_dt.get(t.service_point) == t.better]
    wrong = [t for t in accused if t.service_point not in true_dt]
    return [
        Bar("wrong tags found, %", share(len(right), len(true_dt)), TAGS_FOUND_PCT, True, f"{len(right)} of {len(true_dt)}"),
        Bar("of accused tags false, %", share(len(wrong), len(accused)), TAGS_FALSE_PCT, False, f"{len(wrong)} of {len(accused)}"),
    ]


def theft_bars(registry: Path, truth: Path, days: int, found: Mapping[str, tuple[str, str]]) -> list[Bar]:
    """Thieves of more than a trace; and of the honest with sound meters those that are suspected all the same."""
    thieves = {r["service_point_code"]: int(r["theft_wh"]) for r in rows(truth / "theft.csv")}
    plain = {p for p, wh in thieves.items() if wh >= LEAST_THEFT_WH * days}
    hit = plain & found.keys()
    energy = share(sum(thieves[p] for p in thieves.keys() & found.keys()), sum(thieves.values()))
    # A meter that stands still does not count what flows: no theft, and rightly suspected.
    faulty = {r["meter_serial"] for r in rows(truth / "defect.csv")}
    honest = [r["code"] for r in rows(registry / "service_point.csv") if r["code"] not in thieves]
    false = [p for p in honest if p in found and found[p][0] not in faulty]
    detail = f"{len(hit)} of {len(plain)}" + (f", {energy:.0f} % of the stolen energy" if energy is not None else "")
    return [
        Bar("thieves found, %", share(len(hit), len(plain)), THEFT_FOUND_PCT, True, detail),
        Bar("of honest consumers suspected, %", share(len(false), len(honest)), THEFT_FALSE_PCT, False, f"{len(false)} of {len(honest)}"),
    ]


def load_bars(truth: Path, found: Iterable[DtLoad]) -> list[Bar]:
    """DT-days whose highest kVA and mean unbalance come back."""
    real = {(r["dt_code"], r["day"]): r for r in rows(truth / "dt_load.csv")}
    kva = unbalance = days = unbalanced = 0
    for x in found:
        row = real.get((x.dt, x.day.isoformat()))
        if row is None or x.kva_max is None:
            continue
        days += 1
        kva += abs(x.kva_max - float(row["kva_max"])) <= max(0.3, KVA_ERROR_PCT / 100 * float(row["kva_max"]))
        if row["unbalance_avg_pct"] and x.unbalance_avg_pct is not None:
            unbalanced += 1
            unbalance += abs(x.unbalance_avg_pct - float(row["unbalance_avg_pct"])) <= UNBALANCE_ERROR
    return [
        Bar(f"DT-days with the highest kVA within {KVA_ERROR_PCT:.0f} %, %", share(kva, days), LOADS_PCT, True, f"{kva} of {days}"),
        Bar(
            f"DT-days with unbalance within {UNBALANCE_ERROR:.0f} points, %",
            share(unbalance, unbalanced),
            LOADS_PCT,
            True,
            f"{unbalance} of {unbalanced}",
        ),
    ]
