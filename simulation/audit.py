"""What an energy audit looks into: phases, positions, street light, HT consumers, incomers, transfers, feeder outages, manners of theft.

Only a world with `SimulationConfig.audit` has it. All of it is drawn from generators of its own: worlds without it stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.model import Flags, Floats, Ints, Outage, SimulationConfig

PHASES = "RYB"
METER_STREAM = 4
TOWN_DEGREES = (26.80, 80.90)
DT_SPACING = 0.0035
"""Degrees between neighbouring DTs, about 350 m."""
CONSUMER_SPREAD = 0.0005
"""Standard deviation of a consumer's place around its DT, degrees; about 50 m."""
BUS_LOSS = 0.002
"""Of a substation between its incomer and its feeders, power transformer included."""


@dataclass(frozen=True)
class FeederOutage:
    """A feeder without supply in the slots [first, last) of a day; kind is forced, planned or load_shedding."""

    feeder: int
    day: int
    first: int
    last: int
    kind: str


@dataclass(frozen=True)
class Assessed:
    """Supply without a meter below a DT: `watts` in the slots that are `on` (S)."""

    dt: int
    kind: str
    category: str
    consumers: int
    watts: int
    on: Flags


@dataclass(frozen=True)
class Audit:
    """T DTs, F feeders, C consumers, H HT consumers, U substations.

    `dt_phase_w` (T, 3, D, S) goes through the phases of a DT. `phase` is 0, 1, 2 for R, Y, B and -1 for three phases. `manner` of theft is
    '' for the honest, bypass (it flows back through the neutral, past the phase's coil), magnet (with its events) or onset (the meter
    counts less from day `onset` on).
    """

    dt_pf: Floats
    feeder_pf: Floats
    substation: Ints
    feeder_outages: list[FeederOutage]
    assessed: list[Assessed]
    ht_feeder: Ints
    ht_sanctioned_w: Ints
    ht_import: Ints
    transfer: tuple[int, int, int, Ints] | None
    manner: list[str]
    onset: Ints
    vendor: list[str]
    phase: Ints
    surveyed_phase: list[str | None]
    dt_position: Floats
    position: Floats
    no_load: Floats
    load: Floats
    line: Floats
    unmetered: Ints
    dt_phase_w: Floats
    incomer_input: Ints

    @property
    def substations(self) -> int:
        return int(self.substation.max()) + 1


def generator(config: SimulationConfig, tenant: int, part: int = 0) -> np.random.Generator:
    """The generator of one part of the audit; no other part and no world without it draws from it."""
    return np.random.default_rng([config.seed, tenant, METER_STREAM, part])


def feeder_outages(
    rng: np.random.Generator, config: SimulationConfig, dt_feeder: Ints, outages: list[Outage]
) -> tuple[list[FeederOutage], list[Outage]]:
    """About one forced outage a feeder and five days, one planned and one of load shedding a tenant; and the DTs' outages with these.

    A DT has at most one outage a day.
    """
    kinds = ["planned", "load_shedding", *["forced"] * max(1, round(config.feeders * config.days / 5))]
    free = [(f, d) for f in range(config.feeders) for d in range(config.days)]
    found = []
    for kind in kinds:
        if not free:
            break
        f, d = free.pop(int(rng.integers(len(free))))
        length = max(1, round(int(rng.integers(1, 5)) * 30 / config.interval_min))
        first = int(rng.integers(2, config.slots - length - 2))
        found.append(FeederOutage(f, d, first, first + length, kind))
    taken = {(x.feeder, x.day) for x in found}
    kept = [o for o in outages if (int(dt_feeder[o.dt]), o.day) not in taken]
    below = [Outage(int(t), x.day, x.first, x.last) for x in found for t in np.flatnonzero(dt_feeder == x.feeder)]
    return found, sorted([*kept, *below], key=lambda o: (o.dt, o.day))


def assessed_supply(config: SimulationConfig) -> list[Assessed]:
    """Street light at every third DT, and pumps without meters at one."""
    hours = (np.arange(config.slots) + 0.5) * config.hours
    night, farm = (hours >= 18.5) | (hours < 5.5), (hours >= 5) & (hours < 11)
    found = [Assessed(t, "street_light", "street_light", 20, 20 * 45, night) for t in range(0, config.dts, 3)]
    if config.dts > 1:
        found.append(Assessed(1, "unmetered", "agricultural", 2, 2 * 2700, farm))
    return found


def unmetered(config: SimulationConfig, assessed: list[Assessed], off: Flags) -> Ints:
    """What flowed there, Wh (T, D, S)."""
    flow = np.zeros(off.shape, dtype=np.int64)
    for a in assessed:
        flow[a.dt] += np.rint(np.where(a.on[None, :] & ~off[a.dt], a.watts * config.hours, 0)).astype(np.int64)
    return flow


def more_thieves(rng: np.random.Generator, may_steal: Flags, thief: Flags) -> Flags:
    """As many as bring the thieves to three, where there are so many who may be."""
    more = np.zeros_like(thief)
    left = np.flatnonzero(may_steal & ~thief)
    more[rng.choice(left, size=min(len(left), max(0, 3 - int(thief.sum()))), replace=False)] = True
    return more


def onsets(rng: np.random.Generator, config: SimulationConfig, thief: Flags) -> Ints:
    """The day on which every third thief began, in the middle of the days; -1 for the others, who stole from before."""
    onset = np.full(len(thief), -1)
    if config.days >= 6:
        for c in np.flatnonzero(thief).tolist()[::3]:
            onset[c] = int(rng.integers(config.days // 3, config.days // 2 + 1))
    return onset


def manners(thief: Flags, onset: Ints, vendor: list[str], single: Flags) -> list[str]:
    """How each consumer steals; a bypass shows only where the meter sends the current of its neutral, so others take a magnet."""
    return [
        "" if not t else "onset" if o >= 0 else "bypass" if v == "hpl" and s else "magnet"
        for t, o, v, s in zip(thief.tolist(), onset.tolist(), vendor, single.tolist(), strict=True)
    ]


def ht_consumers(rng: np.random.Generator, config: SimulationConfig, dt_feeder: Ints, off: Flags) -> tuple[Ints, Ints, Ints]:
    """Feeder, sanctioned W and import (H, D, S) of the consumers at 11 kV: a few works in two shifts."""
    count = max(2, config.feeders // 2)
    feeder = np.arange(count) % config.feeders
    hours = (np.arange(config.slots) + 0.5) * config.hours
    shift = 0.25 + np.clip(hours - 6, 0, 1) * np.clip(22 - hours, 0, 1)
    size = rng.choice([40_000, 60_000, 90_000], size=count)
    noise = np.clip(rng.normal(1, 0.06, (count, config.days, config.slots)), 0.8, 1.2)
    dead = np.stack([off[dt_feeder == f].all(axis=0) for f in feeder])
    imported = np.where(dead, 0, np.rint(size[:, None, None] * shift * noise * config.hours)).astype(np.int64)
    return feeder, (size * 2.5).astype(np.int64), imported


def transfers(config: SimulationConfig, dead: Flags) -> tuple[int, int, int, Ints] | None:
    """From the first feeder to the last, in the midday hours of the middle day; `dead` (F, D, S)."""
    if config.feeders < 2:
        return None
    day = config.days // 2
    hours = (np.arange(config.slots) + 0.5) * config.hours
    alive = ~dead[0, day] & ~dead[-1, day]
    flow = np.where((hours > 11) & (hours < 14) & alive, 4000 * config.hours, 0)
    return 0, config.feeders - 1, day, np.rint(flow).astype(np.int64)


def places(rng: np.random.Generator, config: SimulationConfig, true_dt: Ints, dt_feeder: Ints) -> tuple[Floats, Floats]:
    """Latitude and longitude of the DTs (T, 2), and of the consumers (C, 2) as surveyed: some are not known (nan), some plainly wrong."""
    rank = np.array([(dt_feeder[:t] == f).sum() for t, f in enumerate(dt_feeder.tolist())])
    at = np.stack([0.02 * dt_feeder + DT_SPACING * (rank // 4), DT_SPACING * (rank % 4)], axis=1)
    dts = np.array(TOWN_DEGREES) + at + rng.normal(0, DT_SPACING / 12, at.shape)
    own = dts[true_dt] + rng.normal(0, CONSUMER_SPREAD, (len(true_dt), 2))
    chance = rng.random(len(true_dt))
    astray = dts.min(axis=0) + rng.random(own.shape) * (dts.max(axis=0) - dts.min(axis=0) + DT_SPACING)
    own = np.where((chance < 0.02)[:, None], astray, own)
    return np.round(dts, 6), np.where((chance > 0.92)[:, None], np.nan, np.round(own, 6))


def phases(rng: np.random.Generator, single: Flags) -> tuple[Ints, list[str | None]]:
    """The phase of each single-phase supply, and as surveyed: one in twenty not at all, one in twenty wrong."""
    # R is where the line crew reaches first.
    phase = np.where(single, rng.choice(3, size=len(single), p=[0.42, 0.31, 0.27]), -1)
    chance, other = rng.random(len(single)), rng.integers(1, 3, len(single))
    seen: list[str | None] = [
        None if p < 0 or x < 0.05 else PHASES[(p + o) % 3 if x > 0.95 else p]
        for p, x, o in zip(phase.tolist(), chance.tolist(), other.tolist(), strict=True)
    ]
    return phase, seen


def by_phase(config: SimulationConfig, true_dt: Ints, phase: Ints, net: Ints, rest: Ints) -> Floats:
    """Net W through each phase of the DTs (T, 3, D, S): single-phase supplies on theirs, all else and `rest` (T, D, S) on all three."""
    load = np.zeros((len(rest), 3, *rest.shape[1:]))
    for p in range(3):
        mine = phase == p
        np.add.at(load[:, p], true_dt[mine], net[mine].astype(float))
        np.add.at(load[:, p], true_dt[phase < 0], net[phase < 0] / 3)
    return (load + rest[:, None] / 3) / config.hours


def neutral(currents: Floats) -> Floats:
    """Current of the neutral, of currents by phase along axis 1 (R, Y, B) that lag alike."""
    r, y, b = currents[:, 0], currents[:, 1], currents[:, 2]
    return np.sqrt(np.maximum(r**2 + y**2 + b**2 - r * y - y * b - b * r, 0))


def feeder_swing(rng: np.random.Generator, config: SimulationConfig) -> Floats:
    """What the 11 kV voltage does at all DTs of a feeder alike, V at 240 V (F, D, S): it drifts by a volt or two."""
    steps = rng.normal(0, 0.45, (config.feeders, config.days * config.slots))
    drift = np.zeros_like(steps)
    for i in range(1, steps.shape[1]):
        drift[:, i] = 0.95 * drift[:, i - 1] + steps[:, i]
    return drift.reshape(config.feeders, config.days, config.slots)
