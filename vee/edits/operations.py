"""What can be done to one channel of a meter's day: pure functions on its values, whole Wh (VAh) per slot, None = no value.

Each gives the whole day anew and raises ValueError where it cannot be done: what, where, how to mend it. Energy is exact: what is
scaled adds up to the wanted total by largest remainder (domain 6.3, EM9).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Values = list[int | None]

LARGEST = 2**31 - 1
"""What a slot can hold in the warehouse."""


def put(day: Sequence[int | None], slots: range, values: Sequence[int]) -> Values:
    """Override: one value for every slot, or one a slot."""
    if len(values) not in (1, len(slots)):
        raise ValueError(f"{len(values)} values for {len(slots)} slots: give one for all of them, or one for each")
    given = values if len(values) == len(slots) else [values[0]] * len(slots)
    return _with(day, slots, given)


def zero(day: Sequence[int | None], slots: range) -> Values:
    """No energy in these slots."""
    return put(day, slots, [0])


def scale(day: Sequence[int | None], slots: range, factor: Fraction) -> Values:
    """Every slot times `factor`; together they are exactly the rounded product of their sum."""
    return _spread(day, slots, _round(sum(_present(day, slots)) * factor))


def scale_to(day: Sequence[int | None], slots: range, total: int) -> Values:
    """The slots in the same proportion, adding up to exactly `total`; evenly where they add up to nothing."""
    return _spread(day, slots, total)


def copy(day: Sequence[int | None], slots: range, source: Sequence[int | None]) -> Values:
    """The same slots of another day."""
    beyond = [s for s in slots if s >= len(source)]
    if beyond:
        raise ValueError(f"the other day has {len(source)} slots only, not slot {beyond[0]}")
    return _with(day, slots, _present(source, slots, "on the other day"))


def interpolate(day: Sequence[int | None], slots: range, left: int, right: int) -> Values:
    """On a line between the slots before and after: x_i = x_a + (x_b - x_a) i / (n + 1) (domain 6.3, EM3), halves up."""
    n = len(slots)
    return _with(day, slots, [_round(left + Fraction((right - left) * i, n + 1)) for i in range(1, n + 1)])


def apportion(weights: Sequence[int], total: int) -> list[int]:
    """`total` in whole parts in proportion to `weights`, by largest remainder, earlier parts first; evenly where there is no weight."""
    weight = sum(weights)
    if weight == 0:
        weights, weight = [1] * len(weights), len(weights)
    parts = [w * total // weight for w in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(weights[i] * total % weight), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _spread(day: Sequence[int | None], slots: range, total: int) -> Values:
    if total < 0:
        raise ValueError("energy cannot be negative: a factor or total is 0 or more")
    return _with(day, slots, apportion(_present(day, slots), total))


def _present(day: Sequence[int | None], slots: range, where: str = "") -> list[int]:
    values = [day[s] for s in slots]
    for slot, value in zip(slots, values, strict=True):
        if value is None:
            raise ValueError(f"slot {slot} has no value{' ' + where if where else ''}: set, copy or interpolate it")
    return [v for v in values if v is not None]


def _with(day: Sequence[int | None], slots: range, values: Sequence[int]) -> Values:
    if not slots:
        raise ValueError("no slot is named")
    if slots[0] < 0 or slots[-1] >= len(day):
        raise ValueError(f"slots {slots[0]} to {slots[-1]} are not all of this day, which has 0 to {len(day) - 1}")
    for slot, value in zip(slots, values, strict=True):
        if not 0 <= value <= LARGEST:
            raise ValueError(f"slot {slot}: {value} is not between 0 and {LARGEST}")
    after = list(day)
    after[slots[0] : slots[-1] + 1] = values
    return after


def _round(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
