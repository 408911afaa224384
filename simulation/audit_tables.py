"""Master data, bills and truth of an audited world (simulation.audit), beside what every world has. No readings."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import numpy as np

from simulation.audit import Audit, generator
from simulation.model import Flags, Ints, World
from simulation.physics import DT_SIZES, HT_LINE_LOSS, HT_VOLTS, LT_LINE_LOSS, LT_VOLTS

Row = Sequence[object]
Write = Callable[[str, str, Iterable[Row]], None]
"""Name of the file, its columns, its rows."""

MEDIA = ("RF", "4G", "NB-IoT")
SUPPLIES = ("urban", "rural", "agricultural", "industrial", "mixed")
SPARE_STATES = ("IN_STOCK", "IN_STOCK", "TEST_PASS", "TEST_FAIL", "ISSUED", "IN_TRANSIT", "RETURNED", "FAULTY")
TARIFF_INR = {"domestic": 6.2, "commercial": 9.1, "industrial": 8.0, "agricultural": 6.6}
SUBSIDY_INR = {"domestic": 0.5, "commercial": 0.0, "industrial": 0.0, "agricultural": 5.1}
"""Part of the tariff that the State books as subsidy, a kWh."""


def lt_line_ohm(capacity_kva: int) -> float:
    """Of a phase: 3 I² R is what LT_LINE_LOSS says, with the current of S = sqrt(3) V I."""
    return LT_LINE_LOSS * LT_VOLTS**2 / (1000 * capacity_kva)


def feeder_ohm(world: World, feeder: int) -> float:
    """Of a phase of the HT line, likewise."""
    audit = _of(world)
    through = world.flows.feeder_input[feeder] - world.flows.feeder_technical[feeder]
    peak_w = max(float(np.abs(through).max()) / world.config.hours, 1.0)
    return float(HT_LINE_LOSS * (audit.feeder_pf[feeder] * HT_VOLTS) ** 2 / peak_w)


def _of(world: World) -> Audit:
    assert world.audit is not None, "the world was not made for an audit"
    return world.audit


def network(world: World, office: list[str], write: Write) -> None:
    """Substations, feeders with their incomers, DTs, and service points with phase and place."""
    grid, audit, config, code = world.grid, _of(world), world.config, world.code
    since = date(config.start.year - 6, 4, 1)
    division = f"{code}-DIV"
    own = [(world.substation(u), f"Substation {u + 1}", division) for u in range(audit.substations)]
    write("substation", "code,name,office_code", [*own, ("GSS1", "Grid substation 1", division)])
    write(
        "feeder",
        "code,name,substation_code,office_code,voltage_kv,town,supply,line_ohm,feeds_substation_code",
        [
            *(
                (
                    *(world.feeder(f), f"Feeder {f + 1}", world.substation(int(audit.substation[f])), office[grid.feeder_office[f]], 11),
                    *(f"Town {f // 2 + 1}", SUPPLIES[f % len(SUPPLIES)], f"{feeder_ohm(world, f):.5f}", None),
                )
                for f in range(config.feeders)
            ),
            *(
                (world.incomer(u), f"Incomer {u + 1}", "GSS1", division, 33, None, None, None, world.substation(u))
                for u in range(audit.substations)
            ),
        ],
    )
    write(
        "dt",
        "code,feeder_code,office_code,capacity_kva,no_load_loss_w,load_loss_w,lt_line_ohm,latitude,longitude,commissioned_on",
        [
            (
                *(world.dt(t), world.feeder(f), office[grid.feeder_office[f]], kva, *DT_SIZES[kva][:2], f"{lt_line_ohm(kva):.5f}"),
                *(f"{x:.6f}" for x in audit.dt_position[t]),
                since + timedelta(days=97 * t % 2000),
            )
            for t, (f, kva) in enumerate(zip(grid.dt_feeder.tolist(), grid.capacity_kva.tolist(), strict=True))
        ],
    )
    write(
        "service_point",
        "code,office_code,category,sanctioned_load_w,supply_phases,tariff,phase,latitude,longitude",
        [
            *(
                (
                    *(world.service_point(c), office[o], grid.category[c], grid.sanctioned_w[c], grid.phases[c]),
                    *(grid.category[c][:3].upper() + "-1", audit.surveyed_phase[c]),
                    *(None if np.isnan(x) else f"{x:.6f}" for x in audit.position[c]),
                )
                for c, o in enumerate(grid.consumer_office.tolist())
            ),
            *(
                (world.ht_point(h), office[grid.feeder_office[f]], "industrial", audit.ht_sanctioned_w[h], 3, "HT-1", None, None, None)
                for h, f in enumerate(audit.ht_feeder.tolist())
            ),
        ],
    )


def meter_details(world: World, tenant: int) -> list[tuple[object, ...]]:
    """medium, payment, state, lot, manufactured_on, commissioned_on, warranty_until, target_firmware of every meter."""
    rng = generator(world.config, tenant, 20)
    meters, since = world.meters, date(world.config.start.year - 1, 4, 1)
    rows: list[tuple[object, ...]] = []
    for m, category in enumerate(meters.category):
        medium = MEDIA[int(rng.choice(3, p=[0.6, 0.3, 0.1]))] if category in ("D1", "D2") else "4G"
        payment = "prepaid" if category == "D1" and rng.random() < 0.6 else "postpaid"
        made = since - timedelta(days=int(rng.integers(60, 400)))
        state = "COMMISSIONED" if rng.random() < 0.05 else "ACTIVE"
        target = "2.0" if meters.firmware[m] == "1.4" else None
        rows.append((medium, payment, state, f"LOT-{made:%Y%m}", made, since, made + timedelta(days=1826), target))
    return rows


def spare_meters(world: World, tenant: int) -> list[tuple[object, ...]]:
    """Meters that are in no place: serial, state and the day they were made. One in sixty of those installed, at least one a state."""
    rng = generator(world.config, tenant, 21)
    count = max(len(SPARE_STATES), len(world.meters.serial) // 60)
    made = [world.config.start - timedelta(days=int(d)) for d in rng.integers(20, 300, count)]
    return [(f"ST{tenant:02d}{i + 1:06d}", SPARE_STATES[i % len(SPARE_STATES)], made[i]) for i in range(count)]


def index_states(world: World, tenant: int) -> list[str]:
    """How each consumer's tag came about."""
    rng = generator(world.config, tenant, 22)
    states = ["SURVEYED", "VERIFIED", "INFERRED", "DISPUTED"]
    return [str(s) for s in rng.choice(states, size=world.config.consumers, p=[0.62, 0.3, 0.06, 0.02])]


def _months(world: World) -> list[tuple[date, Flags]]:
    """First days of the months, and which of the days lie in each."""
    of_day = np.array([world.config.day(d).replace(day=1).isoformat() for d in range(world.config.days)])
    return [(date.fromisoformat(m), of_day == m) for m in sorted(set(of_day.tolist()))]


def _month_days(month: date) -> int:
    return calendar.monthrange(month.year, month.month)[1]


def feeds(world: World, tenant: int, office: list[str], write: Write) -> None:
    """Assessed supply, transfers, purchases, open access, planned outages, forecasts, targets."""
    config, audit, grid = world.config, _of(world), world.grid
    months = _months(world)
    write(
        "assessed_supply",
        "dt_code,month,kind,category,consumers,connected_load_w,energy_wh",
        [
            (
                *(world.dt(a.dt), month, a.kind, a.category, a.consumers, a.watts),
                round(a.watts * float(a.on.sum()) * config.hours) * _month_days(month),
            )
            for a in audit.assessed
            for month, _ in months
        ],
    )
    passed = [] if audit.transfer is None else [audit.transfer]
    write(
        "feeder_transfer",
        "from_feeder_code,to_feeder_code,day,energy_wh",
        [(world.feeder(a), world.feeder(b), config.day(d), e.sum()) for a, b, d, e in passed],
    )
    purchases: list[Row] = []
    for month, days in months:
        energy = int(audit.incomer_input[:, days].sum())
        shares = (("State generator", "long_term", 0.55), ("Solar park", "renewable", 0.2), ("Central station", "medium_term", 0.15))
        amounts = [(source, kind, int(energy * share)) for source, kind, share in shares]
        amounts.append(("Power exchange", "exchange", energy - sum(a[2] for a in amounts)))
        purchases += [(source, month, kind, 33, wh, "at the boundary") for source, kind, wh in amounts]
    write("energy_purchase", "source,month,kind,voltage_kv,energy_wh,remarks", purchases)
    write(
        "open_access",
        "service_point_code,month,energy_wh",
        [(world.ht_point(0), month, int(0.3 * audit.ht_import[0][days].sum())) for month, days in months],
    )

    def moment(day: int, slot: int) -> str:
        return f"{(config.midnight(day) + timedelta(minutes=slot * config.interval_min)).isoformat()}+05:30"

    reasons = {"planned": "Maintenance of the line", "load_shedding": "Order of the load dispatch centre"}
    write(
        "planned_outage",
        "feeder_code,starts_at,ends_at,kind,reason",
        [
            (world.feeder(o.feeder), moment(o.day, o.first), moment(o.day, o.last), o.kind, reasons[o.kind])
            for o in audit.feeder_outages
            if o.kind in reasons
        ],
    )
    rng = generator(config, tenant, 23)
    power = world.flows.feeder_input / config.hours
    forecast = np.rint(np.maximum(0, power * rng.normal(1, 0.04, power.shape))).astype(np.int64)
    write(
        "load_forecast",
        "feeder_code,starts_at,power_w",
        [
            (world.feeder(f), moment(d, i), forecast[f, d, i])
            for f in range(config.feeders)
            for d in range(config.days)
            for i in range(config.slots)
        ],
    )
    rows = []
    for o, name in enumerate(office):
        there = {
            "consumer": int((grid.consumer_office == o).sum()),
            "dt": int((grid.feeder_office[grid.dt_feeder] == o).sum()),
            "feeder": int((grid.feeder_office == o).sum()),
        }
        rows += [(name, item, n + n // 10) for item, n in there.items()]
    write("rdss_target", "office_code,item,sanctioned", rows)


def billing(world: World, tenant: int, office: list[str], write: Write) -> None:
    """Bills of the energy of the days, receipts of the same months, and the offices' revenue that both add up to; paise until printed."""
    config, audit, grid = world.config, _of(world), world.grid
    rng = generator(config, tenant, 24)
    imported = np.concatenate([world.flows.consumer_import, audit.ht_import]).sum(axis=2)
    exported = world.flows.consumer_export.sum(axis=2)
    exported = np.concatenate([exported, np.zeros((len(audit.ht_feeder), config.days), dtype=np.int64)])
    category = [*grid.category, *["industrial"] * len(audit.ht_feeder)]
    codes = consumer_codes(world)
    where = np.concatenate([grid.consumer_office, grid.feeder_office[audit.ht_feeder]])
    debtors: dict[int, int] = {}
    bills: list[Row] = []
    receipts: list[Row] = []
    revenue: list[Row] = []
    for month, days in _months(world):
        sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        last = _month_days(month)
        for c, code in enumerate(codes):
            wh = max(0, int(imported[c][days].sum() - exported[c][days].sum()))
            assessed = bool(rng.random() < 0.03)
            if assessed:
                wh = int(wh * rng.uniform(0.85, 1.1))
            amount = round(wh / 10 * TARIFF_INR[category[c]])
            subsidy = round(wh / 10 * SUBSIDY_INR[category[c]])
            bills.append((code, month, wh, "true" if assessed else "false", _inr(amount), _inr(subsidy)))
            mine = sums[int(where[c])]
            mine["revenue"] += amount
            mine["booked"] += subsidy
            paid = round((amount - subsidy) * (0 if rng.random() < 0.05 else rng.uniform(0.6, 0.9) if rng.random() < 0.1 else 1))
            parts = {"payment": paid, "subsidy": round(subsidy * rng.uniform(0.9, 1))}
            if rng.random() < 0.05:
                parts["arrears"] = round((amount - subsidy) * rng.uniform(0.2, 1))
            if rng.random() < 0.01:
                parts["adjustment"] = -round(0.02 * amount)
            for kind, paise in parts.items():
                if paise:
                    day = month.replace(day=int(rng.integers(1, last + 1)))
                    receipts.append((f"R{tenant:02d}{len(receipts) + 1:07d}", code, day, kind, _inr(paise)))
                    mine["received" if kind == "subsidy" else "collected"] += paise
        for o, name in enumerate(office):
            s = sums[o]
            opening = debtors.get(o, round(s["revenue"] * 2.1))
            closing = opening + s["revenue"] - s["booked"] - s["collected"]
            revenue.append((name, month, *(_inr(x) for x in (s["revenue"], s["booked"], s["received"], opening, closing))))
            debtors[o] = closing
    write("bill", "consumer_code,month,energy_wh,assessed,amount_inr,subsidy_inr", bills)
    write("collection", "receipt,consumer_code,received_on,kind,amount_inr", receipts)
    write(
        "revenue_month",
        "office_code,month,revenue_inr,subsidy_booked_inr,subsidy_received_inr,opening_debtors_inr,closing_debtors_inr",
        revenue,
    )


def _inr(paise: int) -> str:
    return f"{paise / 100:.2f}"


def consumer_codes(world: World) -> list[str]:
    """Of the LT consumers, then of those at HT."""
    return [f"CN{c + 1:06d}" for c in range(world.config.consumers)] + [f"CNH{h + 1:04d}" for h in range(len(_of(world).ht_feeder))]


def truth(world: World, write: Write) -> None:
    """Technical losses by part, unmetered supply, theft by consumer, true phases, unbalance of DTs, what feeders carried beside DTs."""
    config, audit, flows = world.config, _of(world), world.flows
    days, dts = range(config.days), range(config.dts)
    parts = [x.sum(axis=2) for x in (audit.no_load, audit.load, audit.line, audit.unmetered)]
    write(
        "technical",
        "dt_code,day,no_load_wh,load_wh,line_wh,unmetered_wh",
        [(world.dt(t), config.day(d), *(round(float(x[t, d])) for x in parts)) for t in dts for d in days],
    )
    stolen = flows.theft.sum(axis=(1, 2))
    write(
        "theft",
        "service_point_code,dt_code,manner,since,theft_wh,metered_wh",
        [
            (
                *(world.service_point(c), world.dt(world.grid.true_dt[c]), audit.manner[c], config.day(max(0, int(audit.onset[c])))),
                *(stolen[c], flows.consumer_import[c].sum()),
            )
            for c in np.flatnonzero(stolen).tolist()
        ],
    )
    write(
        "phase",
        "service_point_code,phase",
        [(world.service_point(c), "RYB"[p]) for c, p in enumerate(audit.phase.tolist()) if p >= 0],
    )
    write("dt_load", "dt_code,day,kva_max,unbalance_avg_pct", _loads(world))
    ht = _by_feeder(audit.ht_feeder, audit.ht_import, config.feeders)
    moved = np.zeros((config.feeders, config.days), dtype=np.int64)
    if audit.transfer is not None:
        source, target, day, energy = audit.transfer
        moved[source, day] += energy.sum()
        moved[target, day] -= energy.sum()
    write(
        "feeder_extra",
        "feeder_code,day,ht_wh,transfer_wh",
        [(world.feeder(f), config.day(d), ht[f, d], moved[f, d]) for f in range(config.feeders) for d in days],
    )


def _by_feeder(feeder: Ints, energy: Ints, feeders: int) -> Ints:
    total = np.zeros((feeders, energy.shape[1]), dtype=np.int64)
    np.add.at(total, feeder, energy.sum(axis=2))
    return total


def _loads(world: World) -> list[Row]:
    """By DT and day the highest kVA; and over the slots with at least a tenth of the rated load the mean of the largest deviation of a
    phase from the mean of the three, %, empty where there is no such slot."""
    config, grid, audit = world.config, world.grid, _of(world)
    rows: list[Row] = []
    for t in range(config.dts):
        for d in range(config.days):
            phases = np.abs(audit.dt_phase_w[t, :, d])
            mean = phases.mean(axis=0)
            loaded = mean >= 0.1 * grid.capacity_kva[t] * 1000 * audit.dt_pf[t] / 3
            share = 100 * np.abs(phases - mean).max(axis=0)[loaded] / mean[loaded]
            kva = np.abs(audit.dt_phase_w[t, :, d].sum(axis=0)).max() / audit.dt_pf[t] / 1000
            rows.append((world.dt(t), config.day(d), f"{kva:.2f}", f"{share.mean():.2f}" if loaded.any() else None))
    return rows
