"""What is simulated: the settings, the grid of one DISCOM and what its meters count. No randomness, no files.

Arrays of energy have the shape (meters, days, slots); slot i of a day covers [midnight + i*interval, midnight + (i+1)*interval) IST.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulation.audit import Audit

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

VENDORS = ("hpl", "vendor_b", "vendor_c")
REGISTERS = ("import_wh", "export_wh", "import_vah")
"""Cumulative registers of every meter, in the order of `Meters.registers`; interval channels carry the same names."""

MAX_CONSUMERS_PER_DT = 300


@dataclass(frozen=True)
class SimulationConfig:
    """Size and seed of a simulation; `feeders`, `dts` and `consumers` are per tenant.

    `defect_share` is the share of consumer meter-days that get one defect, `prosumer_share` that of consumers with rooftop solar.
    `clean` leaves the defects out; loads, theft, wrong tags and outages are the same with and without it.
    Raises ValueError where the settings do not fit together.
    """

    tenants: int = 2
    feeders: int = 2
    dts: int = 12
    consumers: int = 600
    start: date = date(2026, 10, 1)
    days: int = 7
    interval_min: int = 30
    seed: int = 1
    clean: bool = False
    defect_share: float = 0.03
    prosumer_share: float = 0.06
    code_prefix: str = "D"
    """Tenant codes are this and a number: another prefix lets two simulations stand in one warehouse."""
    audit: bool = False
    """With what an energy audit needs (simulation.audit): phases, positions, nameplates, street light, incomers, bills and the rest."""

    def __post_init__(self) -> None:
        if self.interval_min not in (15, 30):
            raise ValueError(f"interval_min is {self.interval_min}: Indian block load is 15 or 30 minutes")
        if not 1 <= self.feeders <= self.dts <= self.consumers:
            raise ValueError(
                f"{self.feeders} feeders, {self.dts} DTs, {self.consumers} consumers: "
                "there must be at least one feeder, one DT a feeder and one consumer a DT"
            )
        if self.consumers > MAX_CONSUMERS_PER_DT * self.dts:
            raise ValueError(f"{self.consumers} consumers on {self.dts} DTs: at most {MAX_CONSUMERS_PER_DT} a DT; raise dts")
        if self.tenants < 1 or self.days < 1 or self.seed < 0:
            raise ValueError("tenants and days must be at least 1 and seed at least 0")
        if not (0 <= self.defect_share <= 0.2 and 0 <= self.prosumer_share <= 1):
            raise ValueError("defect_share must lie between 0 and 0.2, prosumer_share between 0 and 1")

    @property
    def slots(self) -> int:
        return 1440 // self.interval_min

    @property
    def hours(self) -> float:
        """Length of a slot in hours."""
        return self.interval_min / 60

    def day(self, index: int) -> date:
        """The business day of an index; -1 is the day before the start."""
        return self.start + timedelta(days=index)

    def midnight(self, index: int) -> datetime:
        """IST midnight at which the business day `index` begins."""
        return datetime.combine(self.day(index), time())


@dataclass(frozen=True)
class Outage:
    """A DT without supply in the slots [first, last) of a day."""

    dt: int
    day: int
    first: int
    last: int


@dataclass(frozen=True)
class Grid:
    """Topology of one DISCOM: C consumers, T DTs, F feeders, 2 subdivisions.

    `true_dt`, `tagged_dt` (C), `dt_feeder` (T) and `feeder_office` (F) are indices into the next level up.
    """

    category: list[str]
    sanctioned_w: Ints
    phases: Ints
    prosumer: Flags
    true_dt: Ints
    tagged_dt: Ints
    dt_feeder: Ints
    feeder_office: Ints
    capacity_kva: Ints
    outages: list[Outage]

    @property
    def consumer_office(self) -> Ints:
        return self.feeder_office[self.dt_feeder[self.true_dt]]


@dataclass(frozen=True)
class Flows:
    """Energy that truly flowed on the primary side, integer Wh: consumers (C, D, S), DTs (T, D, S), feeders (F, D, S).

    DT and feeder input is net of export.
    """

    consumer_import: Ints
    consumer_export: Ints
    theft: Ints
    dt_technical: Ints
    dt_input: Ints
    feeder_technical: Ints
    feeder_input: Ints


@dataclass(frozen=True)
class Meters:
    """Every meter: first the consumers', then the DTs', then the feeders'; of an audit also the incomers' and those of the HT consumers.

    `channels` are (M, D, S): the REGISTERS in Wh or VAh as the meter counts them (secondary side; times `mf` = primary),
    `voltage_cv` in 0.01 V and `current_ca` in 0.01 A (0 for consumers), of an audit those of phase R, and further ones.
    `registers` is (M, D + 1, 3): entry d is the
    reading at the midnight that opens day d.
    """

    serial: list[str]
    vendor: list[str]
    category: list[str]
    firmware: list[str]
    office: Ints
    voltage_v: Ints
    i_max_a: Ints
    lsb_wh: Ints
    mf: Ints
    limit_wh: Floats
    channels: dict[str, Ints]
    registers: Ints


@dataclass(frozen=True)
class World:
    """One tenant: the truth that the head-end systems report, well or badly."""

    code: str
    config: SimulationConfig
    grid: Grid
    flows: Flows
    meters: Meters
    audit: Audit | None = None

    def service_point(self, consumer: int) -> str:
        return f"SP{consumer + 1:06d}"

    def dt(self, index: int) -> str:
        return f"DT{index + 1:03d}"

    def feeder(self, index: int) -> str:
        return f"F{index + 1:02d}"

    def ht_point(self, index: int) -> str:
        return f"SPH{index + 1:04d}"

    def substation(self, index: int) -> str:
        return f"SS{index + 1}"

    def incomer(self, index: int) -> str:
        """The feeder at 33 kV that feeds a substation."""
        return f"IN{index + 1:02d}"

    def subdivision(self, index: int) -> str:
        return f"{self.code}-SD{index + 1}"


def third_highest(values: Ints) -> Ints:
    """Third-highest value along the last axis."""
    return np.partition(values, -3, axis=-1)[..., -3]
