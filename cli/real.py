"""The real data sets (docs/real-data.md), each landed into a tenant of its own through its vendor file, built over its dates, and counted.

They are nobody's HES and bring no master data, so the registry of each is made here from what its files hold, as an engineer would who gets a
CSV drop: the meters, the days from a meter's first reading to its last, one office.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from rich.table import Table

from cli.console import console, count, progress_bar
from cli.run import build
from ingestion.landing import DiscomContext
from ingestion.transports.file import FolderSummary, land_folder
from ingestion.vendor import load_vendor
from orchestration.stale import DayRange, stale_ranges
from warehouse import db, summary
from warehouse.registry_import import import_registry


@dataclass(frozen=True)
class RealSet:
    """One data set. `spans` gives each meter's first and last business day from the files in `folder`."""

    code: str
    name: str
    timezone: str
    vendor: str
    folder: str
    interval_min: int
    spans: Callable[[Path], dict[str, tuple[date, date]]]


@dataclass(frozen=True)
class RealResult:
    code: str
    landing: FolderSummary
    landed: summary.Landed
    totals: summary.Totals
    exceptions: dict[str, int]
    daily_sums: tuple[int, int] | None = None
    """Published daily sums that are met, and those that were compared."""


def _spans(frame: pd.DataFrame, meter: str, day: pd.Series) -> dict[str, tuple[date, date]]:
    limits = day.groupby(frame[meter]).agg(["min", "max"])
    return {str(serial): (low.date(), high.date()) for serial, low, high in limits.itertuples()}


def _edrp(folder: Path) -> dict[str, tuple[date, date]]:
    frame = pd.read_csv(folder / "readings.csv.gz", usecols=["meter", "start"])
    return _spans(frame, "meter", pd.to_datetime(frame["start"]))


def _ceew(file: str, date_format: str) -> Callable[[Path], dict[str, tuple[date, date]]]:
    def spans(folder: Path) -> dict[str, tuple[date, date]]:
        frame = pd.read_csv(folder / file, usecols=["meter", "Date"])
        return _spans(frame, "meter", pd.to_datetime(frame["Date"], format=date_format))

    return spans


def _london(folder: Path) -> dict[str, tuple[date, date]]:
    with gzip.open(folder / "half_hourly.csv.gz", "rt") as f:
        stamps = [row["start"][:10] for row in csv.DictReader(f)]
    return {"MAC000002": (date.fromisoformat(min(stamps)), date.fromisoformat(max(stamps)))}


def _ies(_: Path) -> dict[str, tuple[date, date]]:
    return {"did:web:discom.example:assets:meter:DISCOM-SM-2025-654321": (date(2026, 5, 4), date(2026, 5, 4))}


SETS = (
    RealSet("edrp", "EDRP Scotland, 300 homes", "Etc/UTC", "edrp_scotland", "edrp_scotland", 30, _edrp),
    RealSet(
        "ceew-bareilly",
        "CEEW Bareilly, daily",
        "Asia/Kolkata",
        "ceew_bareilly",
        "ceew_uttar_pradesh",
        1440,
        _ceew("bareilly_daily.csv", "%Y-%m-%d"),
    ),
    RealSet(
        "ceew-mathura",
        "CEEW Mathura, daily",
        "Asia/Kolkata",
        "ceew_mathura",
        "ceew_uttar_pradesh",
        1440,
        _ceew("mathura_daily.csv", "%d-%m-%Y"),
    ),
    RealSet("london", "Low Carbon London, one home", "Etc/UTC", "london_mac000002", "london_mac000002", 30, _london),
    RealSet(
        "ies",
        "India Energy Stack, interval example",
        "Asia/Kolkata",
        "ies_meterdata",
        "india_energy_stack/MeterData-v0.6/examples",
        30,
        _ies,
    ),
)


def demo_real(data: Path) -> None:
    """Land every set that is there, build its days, print what was found."""
    results = []
    for chosen in SETS:
        folder = data / chosen.folder
        if folder.is_dir():
            results.append(run_set(chosen, folder))
        else:
            console.print(f"[yellow]{chosen.code}: {folder} is not there, left out[/yellow]")
    table = Table(
        *(
            "set",
            "values",
            "rejected",
            "meters",
            "meter-days",
            "due",
            "there",
            "missing",
            "same twice",
            "zero days",
            "estimated",
            "exceptions",
        ),
        title="What was found in the real data",
        title_justify="left",
    )
    for r in results:
        t = r.totals
        figures = (r.landed.accepted, r.landed.rejected, t.meters, t.meter_days, t.due_slots, t.present_slots, t.missing_slots)
        rules = "  ".join(f"{rule} {count(n)}" for rule, n in sorted(r.exceptions.items()))
        table.add_row(r.code, *(count(v) for v in (*figures, t.duplicate_slots, t.zero_days, t.estimated_slots)), rules or "none")
    for column in table.columns[1:-1]:
        column.justify = "right"
    console.print(table)
    for r in results:
        if r.daily_sums:
            console.print(f"{r.code}: {r.daily_sums[0]} of {r.daily_sums[1]} daily sums equal the published ones to the Wh.")


def run_set(chosen: RealSet, folder: Path) -> RealResult:
    """Register, land and build one set. The files stay where they are; landing them again adds nothing."""
    spans = chosen.spans(folder)
    with tempfile.TemporaryDirectory() as registry, db.connect("meterhouse_owner") as conn:
        write_registry(chosen, spans, Path(registry))
        import_registry(conn, Path(registry))
    with db.connect() as conn, progress_bar() as bar:
        context = DiscomContext.load(conn, chosen.code)
        task = bar.add_task(f"{chosen.code}: landing", total=None)
        landing = land_folder(
            conn,
            context,
            "FILES",
            load_vendor(chosen.vendor),
            folder,
            lambda done, total, _: bar.update(task, completed=done, total=total),
            keep=True,
        )
    first, last = min(s[0] for s in spans.values()), max(s[1] for s in spans.values())
    # Thousands of days in one run: Dagster would note each asset of each day, so the run leaves no trace but its data.
    build([DayRange(r.discom, max(r.first, first), min(r.last, last), r.upto_batch) for r in stale_ranges(chosen.code)], keep_history=False)
    with db.connect("meterhouse_dbt") as conn:
        rules: dict[str, int] = {}
        for f in summary.found(conn, context.discom_id, first, last):
            rules[f.rule] = rules.get(f.rule, 0) + 1
        return RealResult(
            code=chosen.code,
            landing=landing,
            landed=summary.landed(conn, context.discom_id),
            totals=summary.totals(conn, context.discom_id, first, last),
            exceptions=rules,
            daily_sums=_published(folder, summary.daily_sums(conn, context.discom_id, "MAC000002")) if chosen.code == "london" else None,
        )


def _published(folder: Path, ours: dict[date, int]) -> tuple[int, int]:
    with (folder / "published_daily_sums.csv").open(newline="", encoding="utf-8") as f:
        published = {pd.to_datetime(r["day"], format="%m/%d/%Y").date(): round(float(r["energy_sum"]) * 1000) for r in csv.DictReader(f)}
    compared = [d for d in published if d in ours]
    return sum(ours[d] == published[d] for d in compared), len(compared)


def write_registry(chosen: RealSet, spans: dict[str, tuple[date, date]], folder: Path) -> None:
    """Master data (docs/hes-formats.md, 1) of a set: one office, one service point a meter, installed from its first day to its last."""

    def write(name: str, header: str, rows: Iterable[tuple[object, ...]]) -> None:
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as f:
            writer = csv.writer(f)
            writer.writerow(header.split(","))
            writer.writerows(rows)

    write("discom", "code,name,timezone", [(chosen.code, chosen.name, chosen.timezone)])
    write("office", "code,name,level,parent_code", [(chosen.code, chosen.name, "discom", "")])
    write("hes", "code,vendor", [("FILES", chosen.vendor)])
    write(
        "service_point",
        "code,office_code,category,sanctioned_load_w,supply_phases",
        [(f"SP-{serial}", chosen.code, "domestic", 0, 1) for serial in spans],
    )
    # What these homes may draw is not known: 100 A at 240 V lets V16 find only what no home's service can carry.
    write(
        "meter",
        "serial,hes_code,make,firmware,category,interval_min,voltage_v,i_max_a,register_lsb_wh",
        [(serial, "FILES", "", "", "D1", chosen.interval_min, 240, 100, 1) for serial in spans],
    )
    write(
        "installation",
        "meter_serial,valid_from,valid_to,service_point_code,dt_code,feeder_code,mf",
        [(serial, first, last + timedelta(days=1), f"SP-{serial}", "", "", 1) for serial, (first, last) in spans.items()],
    )
