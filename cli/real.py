"""The real data sets (docs/real-data.md), each landed into a tenant of its own through its vendor file, built over its dates, and counted.

They are nobody's HES and bring no master data, so the registry of each is made here from what its files hold, as an engineer
would who gets a CSV drop: the meters, the days from a meter's first reading to its last, one office.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
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
    only: str | None = None
    """Pattern of the files to land, where the vendor file's would take more."""


@dataclass(frozen=True)
class RealResult:
    code: str
    landing: FolderSummary
    landed: summary.Landed
    totals: summary.Totals
    exceptions: dict[str, int]
    daily_sums: tuple[int, int] | None = None
    """Published daily sums that the measured values meet to the Wh, and how many were compared."""


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
    return {"DISCOM-SM-2025-654321": (date(2026, 5, 4), date(2026, 5, 4))}


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
        *("ies", "India Energy Stack, interval example", "Asia/Kolkata", "ies_meterdata", "india_energy_stack/MeterData-v0.6/examples", 30),
        _ies,
        only="IntervalProfile.json",
    ),
)


FIGURES: dict[str, Callable[[RealResult], int]] = {
    "values accepted": lambda r: r.landed.accepted,
    "values rejected": lambda r: r.landed.rejected,
    "meters": lambda r: r.totals.meters,
    "meter-days": lambda r: r.totals.meter_days,
    "intervals due": lambda r: r.totals.due_slots,
    "intervals there": lambda r: r.totals.present_slots,
    "intervals missing": lambda r: r.totals.missing_slots,
    "values that came twice": lambda r: r.totals.duplicate_slots,
    "slots with two values": lambda r: r.totals.conflict_slots,
    "zero meter-days": lambda r: r.totals.zero_days,
    "intervals estimated": lambda r: r.totals.estimated_slots,
}


def demo_real(data: Path) -> None:
    """Land every set that is there, build its days, print what was found."""
    results = []
    for chosen in SETS:
        folder = data / chosen.folder
        if folder.is_dir():
            results.append(run_set(chosen, folder))
        else:
            console.print(f"[yellow]{chosen.code}: {folder} is not there, left out[/yellow]")
    table = Table("", *(r.code for r in results), title="What was found in the real data", title_justify="left")
    for name, figure in FIGURES.items():
        table.add_row(name, *(count(figure(r)) for r in results))
    for rule in sorted({rule for r in results for rule in r.exceptions}):
        table.add_row(f"meter-days failing {rule}", *(count(r.exceptions.get(rule, 0)) for r in results))
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    for r in results:
        if r.daily_sums:
            console.print(
                f"{r.code}: {r.daily_sums[0]} of {r.daily_sums[1]} daily sums of what was measured equal the published ones to the Wh."
            )


def run_set(chosen: RealSet, folder: Path) -> RealResult:
    """Register, land and build one set. The files stay where they are; landing them again adds nothing."""
    spans = chosen.spans(folder)
    with tempfile.TemporaryDirectory() as registry, db.connect("meterhouse_owner") as conn:
        write_registry(chosen, spans, Path(registry))
        import_registry(conn, Path(registry))
    vendor = load_vendor(chosen.vendor)
    if chosen.only:
        vendor = replace(vendor, transport={**vendor.transport, "files": {"all": [chosen.only]}})
    with db.connect() as conn, progress_bar() as bar:
        context = DiscomContext.load(conn, chosen.code)
        task = bar.add_task(f"{chosen.code}: landing", total=None)
        landing = land_folder(
            conn,
            context,
            "FILES",
            vendor,
            folder,
            lambda done, total, _: bar.update(task, completed=done, total=total),
            keep=True,
        )
    first, last = min(s[0] for s in spans.values()), max(s[1] for s in spans.values())
    if stale_ranges(chosen.code):
        # Days on which no meter reported are built as well: their gaps count. Not through Dagster, which
        # would note each asset of each of a thousand days.
        build([DayRange(chosen.code, first, last, 0)], through_dagster=False)
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
            daily_sums=_published(folder, summary.measured_daily_sums(conn, context.discom_id, "MAC000002"))
            if chosen.code == "london"
            else None,
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
