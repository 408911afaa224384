"""EM9: estimates are scaled to what the registers say, to the last Wh (domain 6.3)."""

from __future__ import annotations

import numpy as np

from vee.estimation.series import Fit

NO_LIMIT = 2**31 - 1
"""Where no limit is known: what the warehouse's column holds."""


def assess(energy: np.ndarray, tolerance: np.ndarray, most: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """Fit (labels,) of windows: `energy` is what the missing slots must hold (NaN = not known), `most` what they can; an incomplete
    window has slots that are neither known nor estimated. Less than nothing by no more than the tolerance is nothing.
    """
    fit = np.full(energy.shape, Fit.SCALED, np.int8)
    fit[energy < -tolerance] = Fit.SUM_NEG
    fit[energy > most] = Fit.ABOVE_LIMIT
    fit[np.isnan(energy) | ~complete] = Fit.NONE
    return fit


def scale(raw: np.ndarray, window: np.ndarray, energy: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Whole Wh, int64 (m,), whose sum in each window is its energy: x = raw · energy / Σ raw, even where Σ raw = 0.

    `raw` float64 (m,) ≥ 0; `window` int (m,) indexes `energy` float64 (labels,), whole numbers ≥ 0; `limit` int64 (m,) ≥ 0, of which a
    window's sum is at least its energy. What lies above the limit is held there, and the others take the rest. The Wh that flooring lost
    go one each to the slots that lost most, the earliest first where they lost the same.
    """
    labels = energy.size

    def total(x: np.ndarray) -> np.ndarray:
        return np.bincount(window, x, labels)

    share = np.zeros(raw.size)
    held = np.zeros(raw.size, bool)
    while True:
        free = np.where(held, 0.0, raw)
        mass, count = total(free), total((~held).astype(float))
        rest = energy - total(np.where(held, limit, 0))
        weight = np.where(mass[window] > 0, free, 1.0) / np.where(mass > 0, mass, np.maximum(count, 1))[window]
        share = np.where(held, limit, weight * rest[window])
        over = ~held & (share > limit)
        if not over.any():
            break
        held |= over
    floor = np.floor(share)
    left = np.rint(energy - total(floor))
    order = np.lexsort((np.arange(raw.size), floor - share, window))
    first = np.concatenate([[0], np.cumsum(np.bincount(window, minlength=labels))])[:-1]
    rank = np.empty(raw.size)
    rank[order] = np.arange(raw.size) - first[window[order]]
    return (floor + (rank < left[window])).astype(np.int64)
