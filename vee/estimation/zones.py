"""Energy of a period by TOD zone: by zone registers, else by final intervals, else the total split as the meter's class uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import psycopg

from vee.estimation import repository
from vee.estimation.scaling import NO_LIMIT, scale
from vee.estimation.settings import EstimationSettings, load_settings

Source = Literal["registers", "intervals", "class"]


class ZoneError(ValueError):
    """Why the energy by zone is not known, and what would mend it."""


@dataclass(frozen=True)
class ZoneEnergy:
    """Wh of a zone by the meter's own count; `source` class: split by the profile of its category (EM7)."""

    zone: int
    wh: int
    source: Source


def by_zone(conn: psycopg.Connection, discom_id: int, code: str, serial: str, first: date, last: date) -> list[ZoneEnergy]:
    """Import of a meter over the business days first..last by zone. Raises ZoneError, and RuleError where the settings cannot be read."""
    settings = load_settings(code)
    zones = [zone for zone, _ in settings.tou_zones]
    if not zones:
        raise ZoneError(f"{code} has no zones: set estimation.tou_zones in its overlay")
    meter = repository.meter_of(conn, discom_id, serial)
    if meter is None:
        raise ZoneError(f"no meter {serial!r} is in this DISCOM's registry: check the serial")
    meter_id, interval_min = meter
    found = _by_registers(conn, discom_id, meter_id, first, last, zones)
    if found is not None:
        return _told(zones, found, "registers")
    days = repository.final_imports(conn, discom_id, meter_id, first, last)
    if len(days) == (last - first).days + 1 and all(None not in values for _, values in days):
        sums = np.zeros(len(zones), np.int64)
        for _, values in days:
            np.add.at(sums, zone_of(settings, interval_min, len(values)), np.array(values, np.int64))
        return _told(zones, sums, "intervals")
    return _told(zones, _by_class(conn, discom_id, settings, meter_id, interval_min, first, last), "class")


def zone_of(settings: EstimationSettings, interval_min: int, slots: int) -> np.ndarray:
    """int (s,): position of the zone that each slot begins in. Raises ZoneError where the zones do not cover the day."""
    out = np.full(slots, -1)
    minute = np.arange(slots) * interval_min
    for n, (_, spans) in enumerate(settings.tou_zones):
        for start, end in spans:
            out[(minute >= start) & (minute < end)] = n
    if (out < 0).any():
        raise ZoneError("the zones of estimation.tou_zones do not cover the day: name a zone for each hour")
    return out


def split(total_wh: int, shares: np.ndarray) -> np.ndarray:
    """Whole Wh by zone that add up to the total, in proportion to `shares` (z,), largest remainder."""
    window = np.zeros(shares.size, int)
    return scale(shares.astype(float), window, np.array([float(total_wh)]), np.full(shares.size, NO_LIMIT))


def _by_registers(
    conn: psycopg.Connection, discom_id: int, meter_id: int, first: date, last: date, zones: Sequence[int]
) -> np.ndarray | None:
    meters = np.array([meter_id, meter_id])
    found = repository.zone_registers(conn, discom_id, meters, [first - timedelta(1), last], zones)
    register = np.full((2, len(zones)), np.nan)
    register[found["nr"], np.searchsorted(zones, found["zone"])] = found["value"]
    advance = register[1] - register[0]
    return advance.astype(np.int64) if (advance >= 0).all() else None


def _by_class(
    conn: psycopg.Connection, discom_id: int, settings: EstimationSettings, meter_id: int, interval_min: int, first: date, last: date
) -> np.ndarray:
    found = repository.registers(conn, discom_id, np.array([meter_id, meter_id]), [first - timedelta(1), last])
    registers = {int(n): int(v) for n, v in zip(found["nr"], found["import_wh"], strict=True) if v != repository.NO_REGISTER}
    total = registers.get(1, 0) - registers.get(0, 0)
    if len(registers) < 2 or total < 0:
        raise ZoneError(f"neither zone registers, nor all intervals, nor the total registers around {first} to {last} are known")
    category, _ = repository.classes(conn, discom_id, np.array([meter_id]), last).get(meter_id, ("", None))
    profiles = repository.class_profiles(conn, discom_id, interval_min)
    holidays = repository.holidays(conn, discom_id)
    shares = np.zeros(len(settings.tou_zones))
    for day in repository.day_range(first, last):
        profile = profiles.get((category, repository.day_type(day, holidays)))
        if profile is None:
            raise ZoneError(f"the category {category!r} has no profile for {day}: `meterhouse vee profiles` learns them")
        np.add.at(shares, zone_of(settings, interval_min, len(profile.share)), profile.share)
    return split(total, shares)


def _told(zones: Sequence[int], wh: np.ndarray, source: Source) -> list[ZoneEnergy]:
    return [ZoneEnergy(zone, int(w), source) for zone, w in zip(zones, wh, strict=True)]
