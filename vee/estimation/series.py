"""What the estimation engine takes and gives: plain arrays, no database. n meters, d consecutive days, s slots a day; energy in Wh."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np

from warehouse.codes import Method


@dataclass(frozen=True)
class Series:
    """One channel of n meters of one interval length. Days are business days in the DISCOM's time zone, all of s slots.

    NaN in `values` that is not in `target` is not known and not asked for: days that have not come, days before the meter.
    """

    values: np.ndarray  # float32 (n, d, s): Wh; NaN = no good value
    target: np.ndarray  # bool (n, d, s): to be estimated (values are NaN there)
    outage: np.ndarray  # uint8 (n, d, s): 0 supply, 1 partly, 2 wholly without
    day_type: np.ndarray  # int8 (n, d): 0 weekday, 6 Saturday, 7 Sunday or holiday
    usable: np.ndarray  # bool (n, d): the day may serve as reference (no outage, no estimates, no exception)
    interval_min: int
    window: np.ndarray  # int32 (n, d, s): label of the scaling window (EM9) that a slot lies in, -1 none
    window_wh: np.ndarray  # float64 (labels,): the registers' advance over the window; NaN = not known
    window_tolerance_wh: np.ndarray  # float64 (labels,): how far the advance may lie below what was measured (the register's step)
    candidates: dict[int, np.ndarray]  # further methods' values by Method, float32 (n, d, s), NaN where none
    limit_wh: np.ndarray  # float64 (n,): most that can flow in a slot (V16), NaN = not known


ORDER = (
    Method.OUTAGE,
    Method.CHECK_METER,
    Method.LIKE_DAY,
    Method.LINEAR,
    Method.TEMPERATURE,
    Method.LAST_YEAR,
    Method.NEIGHBOUR,
    Method.CLASS_PROFILE,
    Method.FLAT,
)


@dataclass(frozen=True)
class Settings:
    """How a DISCOM estimates. Methods are tried slot by slot in their order; EM9 follows always."""

    order: tuple[Method, ...] = ORDER
    max_linear_minutes: int = 120
    outage_one_side: Literal["good_side", "none"] = "good_side"
    """EM3 at a gap with an outage on one side: the other side's value, or no linear estimate."""
    outage_both_sides: Literal["zero", "none"] = "zero"
    """EM3 at a gap between two outages: 0, or no linear estimate."""
    aim: Literal["median", "balanced", "mean"] = "balanced"
    """EM4 where no register gives the energy: the least error slot by slot, no bias in the sum, or little of both."""
    like_days: int = 28
    """EM4 looks so many days back …"""
    like_days_after: int = 7
    """… and so many ahead, where they have landed."""
    min_like_days: int = 3
    """EM4 needs so many reference days of a slot."""


class Fit(IntEnum):
    """What became of a scaling window."""

    NONE = 0  # nothing to scale: no target in it, no register, or slots that are neither known nor estimated
    SCALED = 1
    SUM_NEG = 2  # the register advanced by less than was measured
    ABOVE_LIMIT = 3  # more than can flow in the missing slots


@dataclass(frozen=True)
class Runs:
    """The basis: one row per run of neighbouring target slots of one meter, day, method and window. Rows in the order of the slots."""

    meter: np.ndarray  # int32 (r,)
    day: np.ndarray  # int32 (r,): index of the day
    first: np.ndarray  # int32 (r,): slot, from 0
    slots: np.ndarray  # int32 (r,)
    method: np.ndarray  # int16 (r,)
    window: np.ndarray  # int32 (r,): label, -1 none
    level: np.ndarray  # float32 (r,): EM4: the estimate's energy over that of the plain mean of its reference days; NaN elsewhere
    reference_day: np.ndarray  # int16 (r, k): EM4: indices of the days, weightiest first; -1 where fewer
    weight: np.ndarray  # float32 (r, k): their weights; they sum to 1 over all reference days


@dataclass(frozen=True)
class Filled:
    """Estimates and what they rest on."""

    values: np.ndarray  # int64 (n, d, s): Wh in target slots; -1 = could not be estimated, and outside of the target
    method: np.ndarray  # int16 (n, d, s): warehouse.codes.Method (+ SCALED); 0 elsewhere
    runs: Runs
    window_fit: np.ndarray  # int8 (labels,): Fit
    window_known_wh: np.ndarray  # float64 (labels,): what was measured in the window
    window_energy_wh: np.ndarray  # float64 (labels,): advance less measured: what the missing slots must hold; NaN = not known
