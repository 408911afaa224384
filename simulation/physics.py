"""How the simulated grid behaves: who uses how much when, what is lost on the way, what each meter counts. Writes nothing.

Integer Wh throughout, so that the balance of a DT closes exactly:
input = consumer import - consumer export + theft + technical loss (no-load + load loss I2R of transformer and LT line).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation import audit
from simulation.audit import Audit
from simulation.model import (
    REGISTERS,
    VENDORS,
    Flags,
    Floats,
    Flows,
    Grid,
    Ints,
    Meters,
    Outage,
    SimulationConfig,
    World,
    third_highest,
)

CATEGORIES = {"domestic": 0.78, "commercial": 0.13, "industrial": 0.03, "agricultural": 0.06}
SANCTIONED_W = np.array([1000, 2000, 3000, 5000, 7500, 10000, 15000, 20000, 30000, 50000, 75000])
DT_SIZES = {
    25: (70, 600, 10),
    63: (160, 1200, 20),
    100: (230, 1700, 30),
    200: (450, 3200, 60),
    315: (650, 4500, 100),
    500: (950, 6500, 160),
}
"""kVA -> (no-load loss W, load loss W at full load, ratio of the CT of its meter)."""
LT_VOLTS = 240 * 3**0.5
HT_VOLTS = 11_000
LT_LINE_LOSS = 0.05
"""Loss of the LT line at full load of the DT, as a share of the load."""
HT_LINE_LOSS = 0.015
HT_NO_LOAD_W = 120
PT_RATIO = 100
FEEDER_CT = np.array([2, 4, 6, 10, 20, 40, 80, 160, 320, 640, 1280])
MAX_PEAK_RATIO = 2.5
"""A load holds for at least three blocks: no block is above this many times the third-highest of its day."""


def build_world(config: SimulationConfig, tenant: int) -> World:
    """The DISCOM number `tenant` (from 1) of a simulation. The same config and tenant give the same world."""
    rng = np.random.default_rng([config.seed, tenant])
    n, dts = config.consumers, config.dts
    category = rng.choice(list(CATEGORIES), size=n, p=list(CATEGORIES.values())).tolist()
    weight = rng.uniform(0.3, 1.9, dts)
    true_dt = np.concatenate([np.arange(dts), rng.choice(dts, size=n - dts, p=weight / weight.sum())])
    dt_feeder = np.arange(dts) * config.feeders // dts
    may_have_solar = np.array([c in ("domestic", "commercial") for c in category])
    prosumer = may_have_solar & (rng.random(n) < config.prosumer_share / max(may_have_solar.mean(), 1e-9))

    outages = _outages(rng, config)
    feeder_outages: list[audit.FeederOutage] = []
    if config.audit:
        feeder_outages, outages = audit.feeder_outages(audit.generator(config, tenant, 1), config, dt_feeder, outages)
    off = np.zeros((dts, config.days, config.slots), dtype=bool)
    for o in outages:
        off[o.dt, o.day, o.first : o.last] = True
    net = np.where(off[true_dt], 0.0, _loads(rng, config, category) - _solar(rng, config, prosumer))
    imported = np.rint(np.maximum(net, 0)).astype(np.int64)
    imported = np.minimum(imported, (MAX_PEAK_RATIO * third_highest(imported)).astype(np.int64)[..., None])
    exported = np.rint(np.maximum(-net, 0)).astype(np.int64)

    may_steal = ~prosumer & (np.array(category) != "agricultural")
    thief = may_steal & (rng.random(n) < 0.03)
    if config.audit:
        thief |= audit.more_thieves(audit.generator(config, tenant, 0), may_steal, thief)
    theft = np.rint(imported * np.where(thief, rng.uniform(0.3, 1.2, n), 0.0)[:, None, None]).astype(np.int64)

    extra = _Extra.none(config)
    onset = np.full(n, -1)
    if config.audit:
        onset = audit.onsets(audit.generator(config, tenant, 2), config, thief)
        imported, theft = _as_of(imported, theft, onset)
        extra = _Extra.of_audit(audit.generator(config, tenant, 3), config, dt_feeder, off)
    flows, capacity = _network(config, true_dt, dt_feeder, imported, exported, theft, off, extra)
    peak_w = imported.max(axis=(1, 2)) / config.hours / 0.8
    sanctioned = SANCTIONED_W[np.minimum(np.searchsorted(SANCTIONED_W, peak_w), len(SANCTIONED_W) - 1)]
    three_phase = (sanctioned > 7000) | np.isin(category, ["industrial", "agricultural"])
    grid = Grid(
        category=category,
        sanctioned_w=sanctioned,
        phases=np.where(three_phase, 3, 1),
        prosumer=prosumer,
        true_dt=true_dt,
        tagged_dt=_tags(rng, true_dt, dt_feeder, prosumer),
        dt_feeder=dt_feeder,
        feeder_office=np.arange(config.feeders) % 2,
        capacity_kva=capacity,
        outages=outages,
    )
    audited = _audit(config, tenant, grid, flows, off, extra, feeder_outages, thief, onset) if config.audit else None
    meters = _meters(rng, config, tenant, grid, flows, off, audited)
    return World(f"{config.code_prefix}{tenant:02d}", config, grid, flows, meters, audited)


def _as_of(imported: Ints, theft: Ints, onset: Ints) -> tuple[Ints, Ints]:
    """Those whose theft begins on a day (`onset`, -1 = not so) were honest before; from then on the meter counts less of the same use."""
    for c in np.flatnonzero(onset >= 0).tolist():
        use, after = imported[c].copy(), slice(int(onset[c]), None)
        share = theft[c].sum() / max(int(use.sum()), 1)
        theft[c] = 0
        imported[c, after] = np.rint(use[after] / (1 + 1.5 * share)).astype(np.int64)
        theft[c, after] = use[after] - imported[c, after]
    return imported, theft


@dataclass(frozen=True)
class _Extra:
    """What the network carries besides LT consumers: see Audit."""

    dt_pf: Floats
    feeder_pf: Floats
    assessed: list[audit.Assessed]
    unmetered: Ints
    ht: tuple[Ints, Ints, Ints]
    transfer: tuple[int, int, int, Ints] | None

    @classmethod
    def none(cls, config: SimulationConfig) -> _Extra:
        nothing = np.zeros((config.dts, config.days, config.slots), dtype=np.int64)
        ht = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), nothing[:0])
        return cls(np.full(config.dts, 0.92), np.full(config.feeders, 0.92), [], nothing, ht, None)

    @classmethod
    def of_audit(cls, rng: np.random.Generator, config: SimulationConfig, dt_feeder: Ints, off: Flags) -> _Extra:
        assessed = audit.assessed_supply(config)
        dead = np.stack([off[dt_feeder == f].all(axis=0) for f in range(config.feeders)])
        return cls(
            dt_pf=rng.uniform(0.86, 0.97, config.dts),
            feeder_pf=rng.uniform(0.9, 0.96, config.feeders),
            assessed=assessed,
            unmetered=audit.unmetered(config, assessed, off),
            ht=audit.ht_consumers(rng, config, dt_feeder, off),
            transfer=audit.transfers(config, dead),
        )


def _audit(
    config: SimulationConfig,
    tenant: int,
    grid: Grid,
    flows: Flows,
    off: Flags,
    extra: _Extra,
    feeder_outages: list[audit.FeederOutage],
    thief: Flags,
    onset: Ints,
) -> Audit:
    """What the flows do not say of an audited world."""
    dt_position, position = audit.places(audit.generator(config, tenant, 5), config, grid.true_dt, grid.dt_feeder)
    phase, surveyed = audit.phases(audit.generator(config, tenant, 6), grid.phases == 1)
    no_load_w = np.array([DT_SIZES[c][0] for c in grid.capacity_kva.tolist()])[:, None, None]
    load_w = np.array([DT_SIZES[c][1] for c in grid.capacity_kva.tolist()])[:, None, None]
    kva = grid.capacity_kva[:, None, None]
    loading = (flows.dt_input - flows.dt_technical) / (kva * 1000 * config.hours * extra.dt_pf[:, None, None])
    substation = np.arange(config.feeders) // 4
    vendor = audit.generator(config, tenant, 8).permutation(np.resize(np.array(VENDORS), config.consumers)).tolist()
    through = _sum_by(substation, flows.feeder_input, int(substation.max()) + 1)
    return Audit(
        dt_pf=extra.dt_pf,
        feeder_pf=extra.feeder_pf,
        substation=substation,
        feeder_outages=feeder_outages,
        assessed=extra.assessed,
        ht_feeder=extra.ht[0],
        ht_sanctioned_w=extra.ht[1],
        ht_import=extra.ht[2],
        transfer=extra.transfer,
        manner=audit.manners(thief, onset, vendor, grid.phases == 1),
        onset=onset,
        vendor=vendor,
        phase=phase,
        surveyed_phase=surveyed,
        dt_position=dt_position,
        position=position,
        no_load=np.where(off, 0.0, no_load_w * config.hours),
        load=np.where(off, 0.0, load_w * loading**2 * config.hours),
        line=np.where(off, 0.0, 1000 * kva * LT_LINE_LOSS * loading**2 * config.hours),
        unmetered=extra.unmetered,
        dt_phase_w=audit.by_phase(
            config,
            grid.true_dt,
            phase,
            flows.consumer_import + flows.theft - flows.consumer_export,
            flows.dt_technical + extra.unmetered,
        ),
        incomer_input=through + np.rint(audit.BUS_LOSS * np.abs(through)).astype(np.int64),
    )


def _outages(rng: np.random.Generator, config: SimulationConfig) -> list[Outage]:
    """A few DT outages of half an hour to four hours, inside the day, at most one a DT and day."""
    dt_days = config.dts * config.days
    found = []
    for i in sorted(rng.choice(dt_days, size=min(dt_days, max(1, round(dt_days / 25))), replace=False).tolist()):
        length = round(int(rng.integers(1, 9)) * 30 / config.interval_min)
        first = int(rng.integers(1, config.slots - length - 1))
        found.append(Outage(i // config.days, i % config.days, first, first + length))
    return found


def _bump(hours: Floats, centre: float, width: float) -> Floats:
    distance = (hours - centre + 12) % 24 - 12
    return np.exp(-0.5 * (distance / width) ** 2)


def _plateau(hours: Floats, start: float, end: float, ramp: float = 1.0) -> Floats:
    return np.clip((hours - start) / ramp + 0.5, 0, 1) * np.clip((end - hours) / ramp + 0.5, 0, 1)


def _loads(rng: np.random.Generator, config: SimulationConfig, category: list[str]) -> Floats:
    """What is used behind each meter, Wh per slot (C, D, S)."""
    n = len(category)
    hours = (np.arange(config.slots) + 0.5) * config.hours
    sunday = np.array([config.day(d).weekday() == 6 for d in range(config.days)])
    noise = np.clip(rng.lognormal(0, 0.18, (n, config.days, config.slots)), 0.6, 1.6)
    day_factor = np.clip(rng.normal(1, 0.08, (n, config.days, 1)), 0.75, 1.25)
    shift = rng.uniform(-0.8, 0.8, n)
    watts = np.zeros((n, config.days, config.slots))
    for name in CATEGORIES:
        who = np.flatnonzero(np.array(category) == name)
        own = hours[None, :] - shift[who, None]
        if name == "domestic":
            shape = 0.55 + 0.8 * _bump(own, 7.2, 1.3) + 0.25 * _bump(own, 14, 2.5) + 1.5 * _bump(own, 20.5, 2.0)
            shape /= shape.mean(axis=1, keepdims=True)
            size = np.clip(rng.lognormal(np.log(270), 0.5, len(who)), 90, 1100)
            week = np.where(sunday, 1.12, 1.0)
        elif name == "commercial":
            shape = 0.05 + _plateau(own, 10, 21) * (0.8 + 0.2 * _bump(own, 19, 1.5))
            size = np.clip(rng.lognormal(np.log(1100), 0.6, len(who)), 300, 6000)
            week = np.where(sunday, 0.7, 1.0)
        elif name == "industrial":
            shape = 0.06 + _plateau(own, 9, 18) * (1 - 0.4 * _bump(own, 13.3, 0.4))
            size = rng.uniform(4000, 14000, len(who))
            week = np.where(sunday, 0.35, 1.0)
        else:
            # A pump runs at its rating for as long as the feeder has its six hours of farm supply, by day or by night.
            roster = rng.choice([22.0, 5.0, 10.5], size=len(who))
            shape = (((own - roster[:, None]) % 24) < 6).astype(float)
            size = rng.choice([3.0, 5.0, 7.5], size=len(who)) * 746 / 0.82
            week = np.ones(config.days)
            noise[who] = 1 + 0.1 * (noise[who] - 1)
        watts[who] = size[:, None, None] * week[None, :, None] * shape[:, None, :]
    return watts * day_factor * noise * config.hours


def _solar(rng: np.random.Generator, config: SimulationConfig, prosumer: Flags) -> Floats:
    """Rooftop generation, Wh per slot (C, D, S), 2 to 5 kW peak."""
    hours = (np.arange(config.slots) + 0.5) * config.hours
    sun = np.clip(np.sin(np.pi * (hours - 6) / 12), 0, None) ** 1.3 * ((hours > 6) & (hours < 18))
    sky = rng.uniform(0.55, 0.95, config.days)[None, :, None] * rng.uniform(0.9, 1.0, (len(prosumer), config.days, config.slots))
    peak = np.where(prosumer, rng.choice([2000, 3000, 5000], size=len(prosumer)), 0)
    return peak[:, None, None] * sky * sun * config.hours


def _sum_by(index: Ints, values: Ints, size: int) -> Ints:
    total = np.zeros((size, *values.shape[1:]), dtype=np.int64)
    np.add.at(total, index, values)
    return total


def _network(
    config: SimulationConfig,
    true_dt: Ints,
    dt_feeder: Ints,
    imported: Ints,
    exported: Ints,
    theft: Ints,
    off: Flags,
    extra: _Extra,
) -> tuple[Flows, Ints]:
    """Flows through DTs and feeders, and the DT capacities that fit them."""
    net = _sum_by(true_dt, imported + theft - exported, config.dts) + extra.unmetered
    sizes = np.array(list(DT_SIZES))
    peak_kva = np.abs(net).max(axis=(1, 2)) / config.hours / 1000 / 0.92
    capacity = sizes[np.minimum(np.searchsorted(sizes, 1.2 * peak_kva), len(sizes) - 1)]
    no_load_w = np.array([DT_SIZES[c][0] for c in capacity.tolist()])[:, None, None]
    full_load_w = np.array([DT_SIZES[c][1] + 1000 * c * LT_LINE_LOSS for c in capacity.tolist()])[:, None, None]
    loading = net / (capacity[:, None, None] * 1000 * config.hours * extra.dt_pf[:, None, None])
    dt_technical = np.rint(np.where(off, 0.0, (no_load_w + full_load_w * loading**2) * config.hours)).astype(np.int64)
    dt_input = net + dt_technical

    through = _sum_by(dt_feeder, dt_input, config.feeders)
    np.add.at(through, extra.ht[0], extra.ht[2])
    if extra.transfer:
        source, target, day, energy = extra.transfer
        through[source, day] += energy
        through[target, day] -= energy
    peak = np.maximum(np.abs(through).max(axis=(1, 2), keepdims=True), 1)
    feeder_technical = np.rint(HT_NO_LOAD_W * config.hours + HT_LINE_LOSS * through**2 / peak).astype(np.int64)
    if config.audit:
        # What stands still loses nothing: a feeder that is off has no input at all.
        feeder_technical = np.where(np.stack([off[dt_feeder == f].all(axis=0) for f in range(config.feeders)]), 0, feeder_technical)
    flows = Flows(imported, exported, theft, dt_technical, dt_input, feeder_technical, through + feeder_technical)
    return flows, capacity


def _tags(rng: np.random.Generator, true_dt: Ints, dt_feeder: Ints, prosumer: Flags) -> Ints:
    """The DT that each consumer is indexed to: 1.5 % are wrong, mostly a neighbour on the same feeder."""
    tagged = true_dt.copy()
    if len(dt_feeder) == 1:
        return tagged
    candidates = np.flatnonzero(~prosumer)
    for c in rng.choice(candidates, size=min(len(candidates), max(1, round(0.015 * len(true_dt)))), replace=False):
        others = np.flatnonzero((dt_feeder == dt_feeder[true_dt[c]]) & (np.arange(len(dt_feeder)) != true_dt[c]))
        tagged[c] = rng.choice(others if len(others) else np.delete(np.arange(len(dt_feeder)), true_dt[c]))
    return tagged


def _count(primary: Ints, mf: Ints) -> Ints:
    """Whole secondary Wh per slot of meters behind a multiplying factor; the remainder is carried into the next slot."""
    total = primary.reshape(len(mf), -1).cumsum(axis=1) // mf[:, None]
    return np.diff(total, axis=1, prepend=0).reshape(primary.shape)


def _meters(
    rng: np.random.Generator, config: SimulationConfig, tenant: int, grid: Grid, flows: Flows, off: Flags, extra: Audit | None
) -> Meters:
    n, dts, feeders = config.consumers, config.dts, config.feeders
    incomers, ht = (extra.substations, len(extra.ht_feeder)) if extra else (0, 0)
    others = feeders + incomers + ht
    total = n + dts + others
    shape = (config.days, config.slots)
    mixed = extra.vendor if extra else rng.permutation(np.resize(np.array(VENDORS), n)).tolist()
    vendor = mixed + ["hpl"] * (dts + others)
    prefix = {"hpl": f"HPL{tenant:02d}", "vendor_b": f"VB{tenant:02d}", "vendor_c": f"VC{tenant:02d}"}
    seen = dict.fromkeys(VENDORS, 0)
    serial = []
    for v in vendor:
        seen[v] += 1
        serial.append(f"{prefix[v]}{seen[v]:06d}")

    feeder_peak_w = np.abs(flows.feeder_input).max(axis=(1, 2)) / config.hours
    feeder_ct = FEEDER_CT[np.minimum(np.searchsorted(FEEDER_CT * PT_RATIO * 800, feeder_peak_w), len(FEEDER_CT) - 1)]
    dt_mf = np.array([DT_SIZES[c][2] for c in grid.capacity_kva.tolist()])
    mf = np.concatenate([np.ones(n, dtype=np.int64), dt_mf, feeder_ct * PT_RATIO])
    network = np.concatenate([flows.dt_input, flows.feeder_input])
    if extra:
        incomer_peak_w = np.abs(extra.incomer_input).max(axis=(1, 2)) / config.hours
        incomer_ct = FEEDER_CT[np.minimum(np.searchsorted(FEEDER_CT * 3 * PT_RATIO * 800, incomer_peak_w), len(FEEDER_CT) - 1)]
        mf = np.concatenate([mf, incomer_ct * 3 * PT_RATIO, np.full(ht, 2 * PT_RATIO)])
        network = np.concatenate([network, extra.incomer_input, extra.ht_import])
    phases = np.concatenate([grid.phases, np.full(dts + others, 3)])
    voltage_v = np.concatenate([np.full(n + dts, 240), np.full(others, 63)])
    i_max_a = np.concatenate([np.where(grid.phases == 3, 100, 60), np.full(dts + others, 6)])

    imported = np.concatenate([flows.consumer_import, _count(np.maximum(network, 0), mf[n:])])
    exported = np.concatenate([flows.consumer_export, _count(np.maximum(-network, 0), mf[n:])])
    factor = np.clip(rng.normal(rng.uniform(0.88, 0.98, (total, 1, 1)), 0.01, (total, *shape)), 0.85, 1.0)
    if extra:
        own = audit.generator(config, tenant, 7)
        level = np.concatenate([extra.dt_pf, extra.feeder_pf, own.uniform(0.9, 0.96, incomers + ht)])
        factor[n:] = level[:, None, None] + own.normal(0, 0.004, (dts + others, *shape))
    apparent = np.ceil(imported / factor).astype(np.int64)

    loading = flows.dt_input / (grid.capacity_kva[:, None, None] * 1000 * config.hours)
    dt_v = 239.5 - 6 * loading + rng.normal(0, 0.3, loading.shape)
    far = rng.uniform(0, 1, (n, 1, 1))
    own_kw = (flows.consumer_import - flows.consumer_export) / config.hours / 1000 / grid.phases[:, None, None]
    at = grid.true_dt
    consumer_v = dt_v[at] - far * (1 + 5 * loading[at]) - 0.3 * own_kw + rng.normal(0, 0.2, (n, *shape))
    feeder_v = 63.5 - 0.8 * flows.feeder_input / np.maximum(flows.feeder_input.max(axis=(1, 2), keepdims=True), 1)
    low_v = np.where(np.concatenate([off[at], off]), 0.0, np.clip(np.concatenate([consumer_v, dt_v]), 225, 240))
    voltage = np.concatenate([low_v, feeder_v + rng.normal(0, 0.05, feeder_v.shape)])
    if extra:
        voltage = np.concatenate([voltage, np.full((incomers + ht, *shape), 63.4) + own.normal(0, 0.05, (incomers + ht, *shape))])
    amps = np.divide((apparent + exported) / config.hours, 3 * voltage, out=np.zeros(voltage.shape), where=voltage > 0)
    amps[:n] = 0

    old_firmware = np.array([v == "hpl" for v in vendor]) & (rng.random(total) < 0.3)
    of_vendor = {"hpl": 1, "vendor_b": 1, "vendor_c": 100}
    base = np.zeros((total, len(REGISTERS)), dtype=np.int64)
    base[:, 0] = np.exp(rng.uniform(np.log(1e5), np.log(1e7), total))
    base[:, 1] = np.where(np.concatenate([grid.prosumer, np.zeros(dts + others, dtype=bool)]), base[:, 0] // 7, 0)
    base[:, 2] = base[:, 0] / 0.93
    per_day = np.stack([imported.sum(axis=2), exported.sum(axis=2), apparent.sum(axis=2)], axis=2)
    registers = np.concatenate([base[:, None, :], base[:, None, :] + per_day.cumsum(axis=1)], axis=1)

    physical_w = np.concatenate([2 * grid.sanctioned_w, 2000 * grid.capacity_kva / dt_mf, np.zeros(others)])
    office = [grid.consumer_office, grid.feeder_office[grid.dt_feeder], grid.feeder_office]
    if extra:
        office += [np.zeros(incomers, dtype=np.int64), grid.feeder_office[extra.ht_feeder]]
    channels = {
        "import_wh": imported,
        "export_wh": exported,
        "import_vah": apparent,
        "voltage_cv": np.rint(voltage * 100).astype(np.int64),
        "current_ca": np.rint(amps * 100).astype(np.int64),
    }
    if extra:
        channels |= _electrical(own, config, grid, flows, off, extra, channels, far[:, 0, 0], mf)
    return Meters(
        serial=serial,
        vendor=vendor,
        category=["D2" if p == 3 else "D1" for p in grid.phases.tolist()] + ["D3"] * dts + ["D4"] * others,
        firmware=["1.4" if old else "2.0" for old in old_firmware.tolist()],
        office=np.concatenate(office),
        voltage_v=voltage_v,
        i_max_a=i_max_a,
        lsb_wh=np.where(old_firmware, 10, np.array([of_vendor[v] for v in vendor])),
        mf=mf,
        limit_wh=1.1 * np.maximum(physical_w, i_max_a * voltage_v * phases) * config.hours,
        channels=channels,
        registers=registers,
    )


def _electrical(
    rng: np.random.Generator,
    config: SimulationConfig,
    grid: Grid,
    flows: Flows,
    off: Flags,
    extra: Audit,
    counted: dict[str, Ints],
    far: Floats,
    mf: Ints,
) -> dict[str, Ints]:
    """Voltage and current by phase, neutral current, reactive energy and signal of every meter (M, D, S).

    A consumer's voltage is that of its phase at its true DT, less the drop of the line on the way (`far`, of 1) and of its own service.
    """
    n, dts, feeders = config.consumers, config.dts, config.feeders
    at, phase, single = grid.true_dt, extra.phase, extra.phase >= 0
    shape = (config.days, config.slots)
    net = flows.consumer_import + flows.theft - flows.consumer_export
    power = extra.dt_phase_w
    rated_w = (grid.capacity_kva * 1000 / 3)[:, None, None, None]
    swing = audit.feeder_swing(rng, config)[grid.dt_feeder]
    dt_v = 240.5 + swing[:, None] - 6 * power / rated_w + rng.normal(0, 0.3, power.shape)
    dt_v = np.where(off[:, None], 0.0, np.clip(dt_v, 205, 254))
    dt_a = np.divide(np.abs(power), extra.dt_pf[:, None, None, None] * dt_v, out=np.zeros(power.shape), where=dt_v > 0)
    # The CT of a DT's meter is its whole multiplying factor: voltage is connected as it is.
    dt_a /= mf[n : n + dts, None, None, None]

    own = np.where(single, phase, 0)
    mine_v, mine_w = dt_v[at, own], (power / rated_w)[at, own]
    mine_v = np.where(single[:, None, None], mine_v, dt_v[at].mean(axis=1))
    mine_w = np.where(single[:, None, None], mine_w, (power / rated_w)[at].mean(axis=1))
    own_kw = net / config.hours / 1000 / grid.phases[:, None, None]
    consumer_v = mine_v - far[:, None, None] * (1 + 5 * mine_w) - 0.3 * own_kw + rng.normal(0, 0.25, mine_v.shape)
    consumer_v = np.where(off[at], 0.0, np.clip(consumer_v, 200, 254))
    metered_va = (counted["import_vah"][:n] + counted["export_wh"][:n]) / config.hours / grid.phases[:, None, None]
    consumer_a = np.divide(metered_va, consumer_v, out=np.zeros(consumer_v.shape), where=consumer_v > 0)
    bypass = np.array([m == "bypass" for m in extra.manner])[:, None, None]
    used = np.divide(net, flows.consumer_import, out=np.ones(net.shape), where=flows.consumer_import > 0)
    neutral_a = consumer_a * np.where(bypass, used, 1.0) * np.clip(rng.normal(1, 0.004, consumer_a.shape), 0.98, 1.02)
    neutral_a = np.where(single[:, None, None], neutral_a, 0.0)

    high = slice(n + dts, None)
    dead = np.stack([off[grid.dt_feeder == f].all(axis=0) for f in range(feeders)])
    none = np.zeros((extra.substations, *shape), dtype=bool)
    high_off = np.concatenate([dead, none, dead[extra.ht_feeder]])
    high_v = np.where(high_off, 0.0, counted["voltage_cv"][high] / 100)
    high_va = (counted["import_vah"][high] + counted["export_wh"][high]) / config.hours
    high_a = np.divide(high_va, 3 * high_v, out=np.zeros(high_v.shape), where=high_v > 0)
    sides = [np.clip(rng.normal(1, 0.02, high_a.shape), 0.9, 1.1) for _ in range(3)]
    high_phase_a = np.stack([high_a * side for side in sides], axis=1)

    def of(consumers: Floats, dt: Floats, others: Floats) -> Ints:
        return np.rint(100 * np.concatenate([consumers, dt, others])).astype(np.int64)

    three = np.where(single[:, None, None], 0.0, consumer_a)
    three_v = np.where(single[:, None, None], 0.0, consumer_v)
    reactive = np.sqrt(np.maximum(counted["import_vah"].astype(float) ** 2 - counted["import_wh"].astype(float) ** 2, 0))
    signal = np.rint(rng.normal(rng.uniform(-105, -65, (len(mf), 1, 1)), 2.0, (len(mf), *shape)))
    return {
        "voltage_cv": of(consumer_v, dt_v[:, 0], high_v),
        "voltage_y_cv": of(three_v, dt_v[:, 1], high_v),
        "voltage_b_cv": of(three_v, dt_v[:, 2], high_v),
        "current_ca": of(consumer_a, dt_a[:, 0], high_phase_a[:, 0]),
        "current_y_ca": of(three, dt_a[:, 1], high_phase_a[:, 1]),
        "current_b_ca": of(three, dt_a[:, 2], high_phase_a[:, 2]),
        "current_n_ca": of(neutral_a, audit.neutral(dt_a), audit.neutral(high_phase_a)),
        "import_varh": np.rint(reactive).astype(np.int64),
        "signal_dbm": np.clip(signal, -118, -50).astype(np.int64),
    }
