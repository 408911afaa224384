"""What the head-end systems send of a world, delivery by delivery, and the defects put into it. Knows no file format.

Each kind of defect is a function that changes the deliveries of one meter-day and answers with the rows for truth/defect.csv, or with
None where that meter-day cannot carry it. Every kind is set well beyond the threshold of the rule that must find it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from simulation.audit import FeederOutage, generator
from simulation.model import Flags, Floats, Ints, Outage, World, third_highest

REGULAR = timedelta(hours=1, minutes=20)
"""Files of a day are written this long after the midnight that closes it."""
AGAIN = timedelta(hours=3, minutes=40)
"""A second delivery of the same meter-day in the same night."""
REGISTER_MODULUS_WH = 10**8
"""A register of five digits of kWh starts again at zero here."""


@dataclass
class BlockDelivery:
    """The load profile of one meter-day as sent once. `sent` marks the slots in it, `ahead` those that are stamped one day too late."""

    meter: int
    day: int
    delay: timedelta
    values: dict[str, Ints]
    sent: Flags
    ahead: Flags


@dataclass(frozen=True)
class Defect:
    """A row of truth/defect.csv; `rule` is empty where nothing should be found."""

    meter: int
    day: int
    kind: str
    rule: str
    slots: tuple[int, ...] = ()
    detail: str = ""


@dataclass
class Feed:
    """Everything that is sent of one tenant.

    Register arrays have day + 1 as second index: entry 0 is the reading that opens the first day.
    """

    world: World
    blocks: dict[tuple[int, int], list[BlockDelivery]]
    registers: Ints
    register_sent: Flags
    register_delay: dict[tuple[int, int], timedelta]
    events: dict[tuple[int, int], list[tuple[datetime, int]]]
    session: Floats
    defects: list[Defect] = field(default_factory=list)

    def read_at(self, meter: int, day: int, delay: timedelta) -> datetime:
        """When the HES had the data of a meter-day, IST; always before the file of that delivery is written."""
        span = 105 if self.world.meters.vendor[meter] == "hpl" else 60
        minutes = float(self.session[meter, day + 1]) * span
        return self.world.config.midnight(day + 1) + delay + timedelta(seconds=int(60 * (minutes - 65)))


def build_feed(world: World, tenant: int) -> Feed:
    """The deliveries of `world`, with defects unless its config says clean."""
    config, meters = world.config, world.meters
    rng = np.random.default_rng([config.seed, tenant, 1])
    every = range(len(meters.serial))
    feed = Feed(
        world=world,
        blocks={(m, d): [_delivery(world, m, d)] for m in every for d in range(config.days)},
        registers=meters.registers.copy(),
        register_sent=np.ones(meters.registers.shape[:2], dtype=bool),
        register_delay={},
        events=_with_audit(_events(world, rng), world, tenant) if world.audit else _events(world, rng),
        session=rng.random((len(every), config.days + 1)),
    )
    if not config.clean:
        _inject(feed, np.random.default_rng([config.seed, tenant, 2]))
    return feed


def _delivery(world: World, m: int, d: int, delay: timedelta = REGULAR) -> BlockDelivery:
    slots = world.config.slots
    return BlockDelivery(
        m,
        d,
        delay,
        {name: v[m, d].copy() for name, v in world.meters.channels.items()},
        np.ones(slots, dtype=bool),
        np.zeros(slots, dtype=bool),
    )


def _events(world: World, rng: np.random.Generator) -> dict[tuple[int, int], list[tuple[datetime, int]]]:
    """Power failure (101) and restoration (102) at every meter of the DT, up to a minute outside the blocks without supply."""
    config, grid = world.config, world.grid
    events: dict[tuple[int, int], list[tuple[datetime, int]]] = {}
    for o in grid.outages:
        start = config.midnight(o.day) + timedelta(minutes=o.first * config.interval_min)
        end = config.midnight(o.day) + timedelta(minutes=o.last * config.interval_min)
        for m in without_supply(world, o):
            before, after = rng.integers(0, 60, 2).tolist()
            events[m, o.day] = [(start - timedelta(seconds=before), 101), (end + timedelta(seconds=after), 102)]
    return events


def _with_audit(
    events: dict[tuple[int, int], list[tuple[datetime, int]]], world: World, tenant: int
) -> dict[tuple[int, int], list[tuple[datetime, int]]]:
    """Also the heads of feeders and the HT consumers in outages of feeders; magnets of thieves, and what meters log without cause."""
    config, audit = world.config, world.audit
    assert audit is not None
    rng = generator(config, tenant, 9)
    add: dict[tuple[int, int], list[tuple[datetime, int]]] = defaultdict(list, {k: list(v) for k, v in events.items()})

    def pair(m: int, d: int, minute: int, minutes: int, code: int) -> None:
        start = config.midnight(d) + timedelta(minutes=minute, seconds=int(rng.integers(0, 60)))
        add[m, d] += [(start, code), (start + timedelta(minutes=minutes), code + 1)]

    for o in audit.feeder_outages:
        start = config.midnight(o.day) + timedelta(minutes=o.first * config.interval_min)
        end = config.midnight(o.day) + timedelta(minutes=o.last * config.interval_min)
        for m in heads_without_supply(world, o):
            before, after = rng.integers(0, 60, 2).tolist()
            add[m, o.day] += [(start - timedelta(seconds=before), 101), (end + timedelta(seconds=after), 102)]
    for c in (c for c, manner in enumerate(audit.manner) if manner == "magnet"):
        for d in sorted(rng.choice(config.days, size=min(config.days, 1 + config.days // 4), replace=False).tolist()):
            pair(c, d, int(rng.integers(600, 1200)), int(rng.integers(20, 200)), 201)
    for c in rng.choice(config.consumers, size=max(1, config.consumers // 40), replace=False).tolist():
        pair(c, int(rng.integers(config.days)), int(rng.integers(60, 1200)), int(rng.integers(2, 60)), int(rng.choice([7, 9, 67, 209])))
    for c in rng.choice(config.consumers, size=max(1, config.consumers // 200), replace=False).tolist():
        d = int(rng.integers(config.days))
        add[c, d].append((config.midnight(d) + timedelta(minutes=int(rng.integers(600, 1000))), 251))
    for t in range(config.dts):
        pair(config.consumers + t, int(rng.integers(config.days)), int(rng.integers(60, 1200)), int(rng.integers(5, 90)), 11)
    return {k: sorted(v) for k, v in add.items()}


def heads_without_supply(world: World, outage: FeederOutage) -> list[int]:
    """The meter of the feeder itself, and those of its HT consumers."""
    config, audit = world.config, world.audit
    assert audit is not None
    first_ht = config.consumers + config.dts + config.feeders + audit.substations
    return [config.consumers + config.dts + outage.feeder, *(first_ht + np.flatnonzero(audit.ht_feeder == outage.feeder)).tolist()]


def without_supply(world: World, outage: Outage) -> list[int]:
    """The consumers of the DT, and its own meter."""
    return [*np.flatnonzero(world.grid.true_dt == outage.dt).tolist(), world.config.consumers + outage.dt]


# --- kinds of defect -------------------------------------------------------------------------------------------------


def spiky(feed: Feed, values: Ints) -> bool:
    """Would a day of these blocks look like a spike (V17)?"""
    if len(values) < 3:
        return True
    top, third = int(values.max()), int(third_highest(values))
    return top >= 500 * feed.world.config.hours and top - third > 1.8 * third


def _gap(feed: Feed, m: int, d: int, rng: np.random.Generator, low: int, high: int) -> tuple[int, ...] | None:
    """Take `low` to `high` consecutive blocks out, inside the day."""
    delivery = feed.blocks[m, d][0]
    length = int(rng.integers(low, high + 1))
    first = int(rng.integers(1, len(delivery.sent) - length))
    keep = np.ones(len(delivery.sent), dtype=bool)
    keep[first : first + length] = False
    if spiky(feed, delivery.values["import_wh"][keep]):
        return None
    delivery.sent &= keep
    return tuple(range(first, first + length))


def _short_gap(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    slots = _gap(feed, m, d, rng, 1, 4)
    return None if slots is None else [Defect(m, d, "short_gap", "V07", slots, f"{len(slots)} blocks missing")]


def _long_gap(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    slots = _gap(feed, m, d, rng, 5, 30)
    return None if slots is None else [Defect(m, d, "long_gap", "V07", slots, f"{len(slots)} blocks missing")]


def _gap_without_register(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    slots = _gap(feed, m, d, rng, 2, 20)
    if slots is None:
        return None
    feed.register_sent[m, d + 1] = False
    return [Defect(m, d, "gap_without_register", "V07", slots, "the closing register is missing too")]


def _missing_day(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    del feed.blocks[m, d][:]
    return [Defect(m, d, "missing_day", "V07", tuple(range(feed.world.config.slots)), "no block at all, registers are there")]


def _negative(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    if feed.world.grid.prosumer[m]:
        return None
    slots = _pick(rng, np.arange(1, feed.world.config.slots - 1), int(rng.integers(1, 4)))
    feed.blocks[m, d][0].values["import_wh"][list(slots)] = -rng.integers(5, 501, len(slots))
    return [Defect(m, d, "negative", "V11", slots, "single-direction meter; may also raise V19")]


def _over_limit(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    slots = _pick(rng, np.arange(feed.world.config.slots), int(rng.integers(1, 3)))
    wh = int(3 * feed.world.meters.limit_wh[m])
    _overwrite(feed, m, d, slots, wh)
    return [Defect(m, d, "over_limit", "V16", slots, f"{wh} Wh, three times the limit; also raises V17 and V19")]


def _spike(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    values = feed.blocks[m, d][0].values["import_wh"]
    wh = int(max(5 * values.max(), 1000 * feed.world.config.hours))
    where = np.flatnonzero(values > 0)
    if wh > 0.85 * feed.world.meters.limit_wh[m] or len(where) < 3:
        return None
    slots = _pick(rng, where, 1)
    _overwrite(feed, m, d, slots, wh)
    return [Defect(m, d, "spike", "V17", slots, f"{wh} Wh in one block; also raises V19")]


def _overwrite(feed: Feed, m: int, d: int, slots: tuple[int, ...], wh: int) -> None:
    values = feed.blocks[m, d][0].values
    values["import_wh"][list(slots)] = wh
    values["import_vah"][list(slots)] = wh * 100 // 93


def _register_jump(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    wh = int(max(0.6 * _energy(feed, m, d), 30 * feed.world.meters.lsb_wh[m], 3000))
    feed.registers[m, d + 1 :, 0] += wh
    return [Defect(m, d, "register_jump", "V19", (), f"the import register gains {wh} Wh that did not flow")]


def _register_stuck(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    wh = _energy(feed, m, d)
    if wh <= 12 * feed.world.meters.lsb_wh[m]:
        return None
    feed.registers[m, d + 1 :, 0] -= wh
    return [Defect(m, d, "register_stuck", "V19", (), f"the import register misses the {wh} Wh of the day")]


def _register_rollover(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    wh = _energy(feed, m, d)
    if wh <= 12 * feed.world.meters.lsb_wh[m]:
        return None
    target = REGISTER_MODULUS_WH - int(wh * rng.uniform(0.3, 0.7))
    feed.registers[m, :, 0] = (feed.registers[m, :, 0] + target - feed.registers[m, d, 0]) % REGISTER_MODULUS_WH
    # The master data does not say how many digits the register has, so it may as well have been set back.
    detail = f"the import register wraps at {REGISTER_MODULUS_WH} Wh"
    return [Defect(m, d, "register_rollover", rule, (), detail) for rule in ("V12", "V19")]


def _conflicting_duplicate(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    first = feed.blocks[m, d][0]
    where = np.flatnonzero(first.values["import_wh"] >= 20)
    if len(where) < 8:
        return None
    slots = _pick(rng, where, int(rng.integers(2, 6)))
    change = rng.uniform(0.1, 0.3, len(slots)) * rng.choice([-1, 1], len(slots))
    wh = first.values["import_wh"][list(slots)]
    first.values["import_wh"][list(slots)] = wh + np.where(change > 0, 1, -1) * np.maximum(2, np.abs(wh * change).astype(int))
    first.values["import_vah"][list(slots)] = first.values["import_wh"][list(slots)] * 100 // 93
    feed.blocks[m, d].append(_delivery(feed.world, m, d, AGAIN))
    return [Defect(m, d, "conflicting_duplicate", "V06", slots, "the second, later version is true")]


def _equal_duplicate(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    feed.blocks[m, d].append(_delivery(feed.world, m, d, AGAIN))
    return [Defect(m, d, "equal_duplicate", "", (), "the same values twice")]


def _late(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    days = int(rng.integers(2, 4))
    delay = timedelta(days=days, hours=2, minutes=10)
    feed.blocks[m, d][0].delay = feed.register_delay[m, d] = delay
    return [Defect(m, d, "late", "", (), f"blocks and register come {days} days late")]


def _clock_ahead(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    delivery = feed.blocks[m, d][0]
    k = int(rng.integers(4, 11))
    if spiky(feed, delivery.values["import_wh"][:-k]):
        return None
    delivery.ahead[-k:] = True
    slots = tuple(range(feed.world.config.slots - k, feed.world.config.slots))
    detail = f"the last {k} blocks are stamped one day ahead"
    return [Defect(m, d, "clock_ahead", rule, slots, detail) for rule in ("V05", "V07")]


def _zero_days(feed: Feed, m: int, d: int, rng: np.random.Generator) -> list[Defect] | None:
    """From `d` to the end of the range the meter counts nothing while energy flows; the rule needs three days, of a home seven."""
    world, days = feed.world, feed.world.config.days
    needed = 7 if world.grid.category[m] == "domestic" else 3
    if not needed <= days - d <= needed + 2 or world.grid.prosumer[m] or min(_energy(feed, m, i) for i in range(d, days)) < 500:
        return None
    for i in range(d, days):
        for name in ("import_wh", "import_vah"):
            feed.blocks[m, i][0].values[name][:] = 0
    for r in (0, 2):
        feed.registers[m, d + 1 :, r] = feed.registers[m, d, r]
    return [
        Defect(m, i, "zero_days", "V13" if i - d >= needed - 1 else "", tuple(range(world.config.slots)), f"zero day {i - d + 1}")
        for i in range(d, days)
    ]


def _energy(feed: Feed, m: int, d: int) -> int:
    return int(feed.world.meters.channels["import_wh"][m, d].sum())


def _pick(rng: np.random.Generator, slots: Ints, count: int) -> tuple[int, ...]:
    return tuple(sorted(rng.choice(slots, size=min(count, len(slots)), replace=False).tolist()))


KINDS: tuple[Callable[[Feed, int, int, np.random.Generator], list[Defect] | None], ...] = (
    _short_gap,
    _zero_days,
    _long_gap,
    _negative,
    _conflicting_duplicate,
    _over_limit,
    _spike,
    _register_jump,
    _missing_day,
    _register_stuck,
    _clock_ahead,
    _register_rollover,
    _gap_without_register,
    _equal_duplicate,
    _late,
)
TRIES = 200


def _inject(feed: Feed, rng: np.random.Generator) -> None:
    """Spread the kinds in turn over consumer meter-days, and short gaps over DT meter-days.

    A day between two defects of a meter stays whole, so that no defect hides or causes another.
    """
    config = feed.world.config
    taken = np.zeros((len(feed.world.meters.serial), config.days + 2), dtype=bool)

    def attempt(kind: Callable[[Feed, int, int, np.random.Generator], list[Defect] | None], m: int, d: int) -> int:
        span = slice(d, None) if kind is _zero_days else slice(d, d + 3)
        rows = None if taken[m, span].any() else kind(feed, m, d, rng)
        if not rows:
            return 0
        taken[m, span] = True
        feed.defects += rows
        return len({row.day for row in rows})

    budget = round(config.defect_share * config.consumers * config.days)
    turn = 0
    most_turns = 20 * budget + 100
    while budget > 0 and turn < most_turns:
        kind = KINDS[turn % len(KINDS)]
        turn += 1
        for _ in range(TRIES):
            day = int(rng.integers(config.days))
            if kind is _zero_days:
                day = max(0, config.days - int(rng.integers(3, 8)))
            used = attempt(kind, int(rng.integers(config.consumers)), day)
            if used:
                budget -= used
                break
    for _ in range(round(config.defect_share * config.dts * config.days)):
        for _ in range(TRIES):
            if attempt(_short_gap, config.consumers + int(rng.integers(config.dts)), int(rng.integers(config.days))):
                break
    feed.defects.sort(key=lambda x: (x.meter, x.day, x.rule))
