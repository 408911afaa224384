"""Compares what the warehouse found with what the simulation did. Pure: figures in, scores out."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from warehouse.codes import Quality
from warehouse.summary import EstimatedDay, Found


@dataclass(frozen=True)
class RuleScore:
    """`injected` meter-days that the rule must find, `found` of them, `false`: meter-days that it accuses and nothing was done to."""

    rule: str
    injected: int
    found: int
    false: int
    missed: tuple[tuple[str, date], ...] = ()


@dataclass(frozen=True)
class EstimateScore:
    """Estimated slots whose truth is known: their energy, the truth, and the sum of the absolute errors, Wh."""

    slots: int
    estimated_wh: int
    true_wh: int
    error_wh: int


@dataclass(frozen=True)
class LossTruth:
    """What a DT truly lost over the days, Wh; `indexing_wh` is what wrong tags seem to add."""

    input_wh: int
    technical_wh: int
    theft_wh: int
    indexing_wh: int

    @property
    def apparent_wh(self) -> int:
        """The loss that a balance over the consumer index must show."""
        return self.technical_wh + self.theft_wh + self.indexing_wh


def rows(path: Path) -> Iterable[dict[str, str]]:
    """Of a CSV file."""
    with path.open(newline="", encoding="utf-8") as f:
        yield from csv.DictReader(f)


def rule_scores(truth: Path, found: Iterable[Found], rules: Iterable[str]) -> list[RuleScore]:
    """One score a rule, from truth/defect.csv; and of outages, which are no defect and excuse no other rule, from truth/outage.csv."""
    injected: dict[str, set[tuple[str, date]]] = defaultdict(set)
    touched: set[tuple[str, date]] = set()
    for row in rows(truth / "defect.csv"):
        where = (row["meter_serial"], date.fromisoformat(row["day"]))
        touched.add(where)
        if row["rule"]:
            injected[row["rule"]].add(where)
    for row in rows(truth / "outage.csv"):
        injected["V30"].add((row["meter_serial"], date.fromisoformat(row["day"])))
    accused: dict[str, set[tuple[str, date]]] = defaultdict(set)
    for f in found:
        accused[f.rule].add((f.serial, f.day))
    return [
        RuleScore(
            rule,
            len(injected[rule]),
            len(injected[rule] & accused[rule]),
            len(accused[rule] - touched - injected[rule]),
            tuple(sorted(injected[rule] - accused[rule])),
        )
        for rule in rules
    ]


def estimate_score(truth: Path, estimated: Iterable[EstimatedDay]) -> EstimateScore:
    """Errors of the estimated import slots against truth/interval.csv."""
    true: dict[tuple[str, date], list[int]] = {}
    for row in rows(truth / "interval.csv"):
        if row["channel"] == "import_wh":
            true[row["meter_serial"], date.fromisoformat(row["day"])] = _values(row)
    slots = energy = real = error = 0
    for day in estimated:
        values = true.get((day.serial, day.day))
        if values is None:
            continue
        for final, quality, actual in zip(day.final_wh, day.quality, values, strict=True):
            if quality == Quality.ESTIMATED and final is not None:
                slots, energy, real, error = slots + 1, energy + final, real + actual, error + abs(final - actual)
    return EstimateScore(slots, energy, real, error)


def dt_truth(truth: Path) -> dict[str, LossTruth]:
    """Losses by DT over all simulated days, from truth/dt_day.csv."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in rows(truth / "dt_day.csv"):
        s = sums[row["dt_code"]]
        s[0] += int(row["input_wh"])
        s[1] += int(row["technical_wh"])
        s[2] += int(row["theft_wh"])
        s[3] -= int(row["misindexed_wh"])
    return {code: LossTruth(*s) for code, s in sorted(sums.items())}


def meter_faults(registry: Path, truth: Path, final: Mapping[tuple[str, date], tuple[int, int]]) -> dict[str, int]:
    """By DT, what meters with a defect are still off by after VEE, Wh: true less final import, plus final less true export.

    `final` holds (import, export) of the meter-days of truth/interval.csv. The balance cannot see it: it shows as a loss of the DT that
    the consumer is tagged to.
    """
    sums: dict[str, int] = defaultdict(int)
    for (dt, _), wh in faults_by_day(registry, truth, final).items():
        sums[dt] += wh
    return dict(sums)


def faults_by_day(registry: Path, truth: Path, final: Mapping[tuple[str, date], tuple[int, int]]) -> dict[tuple[str, date], int]:
    """The same by DT and day."""
    dt_of_point = {r["service_point_code"]: r["dt_code"] for r in rows(registry / "consumer_index.csv")}
    installations = list(rows(registry / "installation.csv"))
    dt_of_meter = {r["meter_serial"]: dt_of_point.get(r["service_point_code"], "") for r in installations if r["service_point_code"]}
    multiplier = {r["meter_serial"]: float(r["mf"]) for r in installations}
    own_dt = {r["meter_serial"]: r["dt_code"] for r in installations if r["dt_code"]}
    sums: dict[tuple[str, date], int] = defaultdict(int)
    for row in rows(truth / "interval.csv"):
        serial, key = row["meter_serial"], (row["meter_serial"], date.fromisoformat(row["day"]))
        if row["channel"] not in ("import_wh", "export_wh") or key not in final:
            continue
        missing = sum(_values(row)) - final[key][row["channel"] == "export_wh"]
        sign = 1 if row["channel"] == "import_wh" else -1
        if serial in own_dt:
            sums[own_dt[serial], key[1]] -= round(sign * missing * multiplier[serial])
        elif serial in dt_of_meter:
            sums[dt_of_meter[serial], key[1]] += round(sign * missing * multiplier[serial])
    return dict(sums)


def _values(row: dict[str, str]) -> list[int]:
    return [int(v) for k, v in row.items() if k.startswith("v") and k[1:].isdigit() and v]


def feeder_truth(truth: Path) -> dict[str, int]:
    """Technical loss of the HT line by feeder over all simulated days, Wh."""
    sums: dict[str, int] = defaultdict(int)
    for row in rows(truth / "feeder_day.csv"):
        sums[row["feeder_code"]] += int(row["technical_wh"])
    return dict(sorted(sums.items()))
