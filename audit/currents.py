"""Whether a single-phase meter's neutral carries what its phase does: what flows back past the phase's coil was used and not counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EXCESS = 1.1
"""A neutral this many times the phase is more than two sensors of class 1 differ by."""
LEAST_MA = 500
LEAST_SHARE = 0.1
LEAST_SLOTS = 24
"""Below these a mismatch is noise: of little current, of few slots."""


@dataclass(frozen=True)
class Mismatch:
    """By meter (index): slots with current, those where the neutral carries clearly more, and the charge of both over all slots, Ah."""

    meter: int
    slots: int
    excess_slots: int
    phase_ah: float
    neutral_ah: float


def mismatches(phase_ma: NDArray[np.float32], neutral_ma: NDArray[np.float32], hours: float) -> list[Mismatch]:
    """Of currents (n, T), NaN = not known, in slots of `hours`: the meters whose neutral carries more than their phase too often."""
    known = ~np.isnan(phase_ma) & ~np.isnan(neutral_ma)
    phase, neutral = np.where(known, phase_ma, 0), np.where(known, neutral_ma, 0)
    some = known & (np.maximum(phase, neutral) >= LEAST_MA)
    slots = some.sum(axis=1)
    excess = (some & (neutral > EXCESS * phase)).sum(axis=1)
    found = np.flatnonzero((slots >= LEAST_SLOTS) & (excess >= LEAST_SHARE * slots))
    charge = hours / 1000
    return [
        Mismatch(int(i), int(slots[i]), int(excess[i]), float(phase[i].sum() * charge), float(neutral[i].sum() * charge)) for i in found
    ]
