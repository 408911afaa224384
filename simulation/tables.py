"""The CSV files beside the readings: master data (section 1 of docs/hes-formats.md) and truth (section 5). No readings."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from simulation import audit_tables
from simulation.feed import Feed, heads_without_supply, without_supply
from simulation.model import REGISTERS, VENDORS, World

HOLIDAYS = {(1, 26): "Republic Day", (8, 15): "Independence Day", (10, 2): "Gandhi Jayanti"}
MAKES = {"hpl": "SYN-A", "vendor_b": "SYN-B", "vendor_c": "SYN-C"}
HES_CODES = {"hpl": "HES-HPL", "vendor_b": "HES-B", "vendor_c": "HES-C"}

Row = Sequence[object]


def write_csv(path: Path, columns: str, rows: Iterable[Row]) -> None:
    """Write `rows` under the comma-separated `columns`; None becomes an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(columns.split(","))
        writer.writerows(rows)


def write_registry(world: World, tenant: int, folder: Path) -> None:
    """The thirteen master-data files of one DISCOM; of an audited one also those of network details, supply and billing."""
    folder.mkdir(parents=True, exist_ok=True)
    grid, meters, config, code = world.grid, world.meters, world.config, world.code
    consumers, dts, feeders = range(config.consumers), range(config.dts), range(config.feeders)
    ht = range(len(world.audit.ht_feeder)) if world.audit else range(0)
    since = date(config.start.year - 1, 4, 1)
    office = [world.subdivision(i) for i in range(2)]

    write_csv(folder / "discom.csv", "code,name,timezone", [(code, f"Synthetic DISCOM {tenant}", "Asia/Kolkata")])
    write_csv(
        folder / "office.csv",
        "code,name,level,parent_code",
        [
            (code, f"Synthetic DISCOM {tenant}", "discom", None),
            (f"{code}-CIR", "Circle 1", "circle", code),
            (f"{code}-DIV", "Division 1", "division", f"{code}-CIR"),
            *((office[i], f"Subdivision {i + 1}", "subdivision", f"{code}-DIV") for i in range(2)),
        ],
    )
    audit = world.audit

    def write(name: str, columns: str, rows: Iterable[Row]) -> None:
        write_csv(folder / f"{name}.csv", columns, rows)

    if audit:
        audit_tables.network(world, office, write)
    else:
        _network(world, office, write)
    write_csv(
        folder / "consumer.csv",
        "code,name,service_point_code,valid_from,valid_to",
        [
            *((f"CN{c + 1:06d}", f"Consumer {c + 1:04d}", world.service_point(c), since, None) for c in consumers),
            *((f"CNH{h + 1:04d}", f"HT consumer {h + 1}", world.ht_point(h), since, None) for h in ht),
        ],
    )
    write_csv(folder / "hes.csv", "code,vendor", [(HES_CODES[v], v) for v in VENDORS])
    details = audit_tables.meter_details(world, tenant) if audit else [()] * len(meters.serial)
    further = ",medium,payment,state,lot,manufactured_on,commissioned_on,warranty_until,target_firmware" if audit else ""
    spare = audit_tables.spare_meters(world, tenant) if audit else []
    write_csv(
        folder / "meter.csv",
        f"serial,hes_code,make,firmware,category,interval_min,voltage_v,i_max_a,register_lsb_wh{further}",
        [
            (
                meters.serial[m],
                HES_CODES[meters.vendor[m]],
                MAKES[meters.vendor[m]],
                meters.firmware[m],
                meters.category[m],
                config.interval_min,
                meters.voltage_v[m],
                meters.i_max_a[m],
                meters.lsb_wh[m],
                *details[m],
            )
            for m in range(len(meters.serial))
        ]
        + [
            (
                *(serial, HES_CODES["hpl"], MAKES["hpl"], "2.0", "D1", config.interval_min, 240, 60, 1),
                *("RF", "prepaid", state, f"LOT-{made:%Y%m}", made, None, None, None),
            )
            for serial, state, made in spare
        ],
    )
    places: list[Row] = [
        *((world.service_point(c), None, None) for c in consumers),
        *((None, world.dt(t), None) for t in dts),
        *((None, None, world.feeder(f)) for f in feeders),
        *((None, None, world.incomer(u)) for u in range(audit.substations if audit else 0)),
        *((world.ht_point(h), None, None) for h in ht),
    ]
    write_csv(
        folder / "installation.csv",
        "meter_serial,valid_from,valid_to,service_point_code,dt_code,feeder_code,mf",
        [(meters.serial[m], since, None, *place, meters.mf[m]) for m, place in enumerate(places)],
    )
    states = audit_tables.index_states(world, tenant) if audit else ["SURVEYED"] * config.consumers
    write_csv(
        folder / "consumer_index.csv",
        "service_point_code,valid_from,valid_to,dt_code,feeder_code,state",
        [
            *((world.service_point(c), since, None, world.dt(t), None, states[c]) for c, t in enumerate(grid.tagged_dt.tolist())),
            *((world.ht_point(h), since, None, None, world.feeder(int(audit.ht_feeder[h])), "VERIFIED") for h in ht if audit),
        ],
    )
    years = sorted({config.day(0).year, config.day(config.days - 1).year})
    write_csv(
        folder / "holiday.csv",
        "day,name",
        [(date(y, month, day), name) for y in years for (month, day), name in sorted(HOLIDAYS.items())],
    )
    if audit:
        audit_tables.feeds(world, tenant, office, write)
        audit_tables.billing(world, tenant, office, write)
        return
    write_csv(
        folder / "revenue_month.csv",
        "office_code,month,revenue_inr,subsidy_booked_inr,subsidy_received_inr,opening_debtors_inr,closing_debtors_inr",
        _revenue(world, tenant),
    )


def _network(world: World, office: list[str], write: Callable[[str, str, Iterable[Row]], None]) -> None:
    """Substation, feeders, DTs, service points."""
    grid, code = world.grid, world.code
    write("substation", "code,name,office_code", [("SS1", "Substation 1", f"{code}-DIV")])
    write(
        "feeder",
        "code,name,substation_code,office_code,voltage_kv",
        [(world.feeder(f), f"Feeder {f + 1}", "SS1", office[grid.feeder_office[f]], 11) for f in range(world.config.feeders)],
    )
    write(
        "dt",
        "code,feeder_code,office_code,capacity_kva",
        [
            (world.dt(t), world.feeder(f), office[grid.feeder_office[f]], grid.capacity_kva[t])
            for t, f in enumerate(grid.dt_feeder.tolist())
        ],
    )
    write(
        "service_point",
        "code,office_code,category,sanctioned_load_w,supply_phases",
        [
            (world.service_point(c), office[o], grid.category[c], grid.sanctioned_w[c], grid.phases[c])
            for c, o in enumerate(grid.consumer_office.tolist())
        ],
    )


def _revenue(world: World, tenant: int) -> list[Row]:
    """Revenue of the simulated days, a row a subdivision and month; revenue includes the subsidy booked.

    Closing debtors = opening + what consumers were billed - what they paid; all in paise until printed.
    """
    rng = np.random.default_rng([world.config.seed, tenant, 3])
    grid, config = world.grid, world.config
    month = np.array([config.day(d).replace(day=1).isoformat() for d in range(config.days)])
    day_kwh = world.flows.consumer_import.sum(axis=2) / 1000
    tariff = np.array([audit_tables.TARIFF_INR[c] for c in grid.category])
    subsidy = np.array([audit_tables.SUBSIDY_INR[c] for c in grid.category])
    rows: list[Row] = []
    for o in range(2):
        mine = grid.consumer_office == o
        opening = round(100 * float((day_kwh * tariff[:, None])[mine].sum()) * rng.uniform(1.5, 3))
        for label in np.unique(month).tolist():
            kwh = day_kwh[:, month == label].sum(axis=1)
            revenue = round(100 * float((kwh * tariff)[mine].sum()))
            booked = round(100 * float((kwh * subsidy)[mine].sum()))
            received = round(booked * rng.uniform(0.9, 1))
            collected = round((revenue - booked) * rng.uniform(0.9, 1))
            closing = opening + revenue - booked - collected
            amounts = (revenue, booked, received, opening, closing)
            rows.append((world.subdivision(o), label, *(f"{a / 100:.2f}" for a in amounts)))
            opening = closing
    return rows


def write_truth(feed: Feed, folder: Path) -> None:
    """The six files of what really happened; of an audited world also technical, theft, phase, dt_load and feeder_extra."""
    folder.mkdir(parents=True, exist_ok=True)
    world = feed.world
    grid, meters, flows, config = world.grid, world.meters, world.flows, world.config
    serial = meters.serial
    write_csv(
        folder / "defect.csv",
        "meter_serial,day,defect,rule,slots,detail",
        [(serial[x.meter], config.day(x.day), x.kind, x.rule, " ".join(map(str, x.slots)), x.detail) for x in feed.defects],
    )
    write_csv(
        folder / "outage.csv",
        "meter_serial,day,slots",
        [(serial[m], config.day(o.day), " ".join(map(str, range(o.first, o.last)))) for o in grid.outages for m in without_supply(world, o)]
        + [
            (serial[m], config.day(o.day), " ".join(map(str, range(o.first, o.last))))
            for o in (world.audit.feeder_outages if world.audit else ())
            for m in heads_without_supply(world, o)
        ],
    )
    write_csv(
        folder / "interval.csv",
        ",".join(["meter_serial", "day", "channel", *(f"v{i + 1}" for i in range(config.slots))]),
        [
            (serial[m], config.day(d), name, *meters.channels[name][m, d].tolist())
            for m, d in sorted({(x.meter, x.day) for x in feed.defects})
            for name in REGISTERS
        ],
    )

    n, dts = config.consumers, config.dts
    metered = (meters.channels["import_wh"] - meters.channels["export_wh"]).sum(axis=2)[n:] * meters.mf[n:, None]
    imported, exported = flows.consumer_import.sum(axis=2), flows.consumer_export.sum(axis=2)
    wrong = np.flatnonzero(grid.true_dt != grid.tagged_dt).tolist()
    misindexed = np.zeros((dts, config.days), dtype=np.int64)
    for c in wrong:
        misindexed[grid.tagged_dt[c]] += imported[c] - exported[c]
        misindexed[grid.true_dt[c]] -= imported[c] - exported[c]

    def by_dt(per_consumer: np.ndarray) -> np.ndarray:
        return np.stack([per_consumer[grid.true_dt == t].sum(axis=0) for t in range(dts)])

    columns = (
        metered[:dts],
        by_dt(imported),
        by_dt(exported),
        flows.dt_technical.sum(axis=2),
        by_dt(flows.theft.sum(axis=2)),
        misindexed,
    )
    write_csv(
        folder / "dt_day.csv",
        "dt_code,day,input_wh,consumers_wh,export_wh,technical_wh,theft_wh,misindexed_wh",
        [(world.dt(t), config.day(d), *(c[t, d] for c in columns)) for t in range(dts) for d in range(config.days)],
    )
    write_csv(
        folder / "feeder_day.csv",
        "feeder_code,day,input_wh,dt_wh,technical_wh",
        [
            (
                world.feeder(f),
                config.day(d),
                metered[dts + f, d],
                metered[:dts][grid.dt_feeder == f, d].sum(),
                flows.feeder_technical[f, d].sum(),
            )
            for f in range(config.feeders)
            for d in range(config.days)
        ],
    )
    write_csv(
        folder / "consumer_index.csv",
        "service_point_code,tagged_dt,true_dt",
        [(world.service_point(c), world.dt(grid.tagged_dt[c]), world.dt(grid.true_dt[c])) for c in wrong],
    )
    if world.audit:
        audit_tables.truth(world, lambda name, columns, lines: write_csv(folder / f"{name}.csv", columns, lines))
