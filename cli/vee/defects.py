"""Meters with one defect each, of graded size, whose rule is known: what `meterhouse vee score` judges the rules by.

Pure: arrays in, canonical records out; no database. A meter lives from the first day to the last; its defect is on DAY, or ends there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ingestion.canonical import Delivery, MeterEvents, MeterValues, Nameplates, ProfileReadings, RegisterReadings, Rejection
from warehouse.codes import Reason

INDIA = ZoneInfo("Asia/Kolkata")
FIRST, LAST = date(2026, 7, 1), date(2026, 10, 31)
DAY = date(2026, 10, 31)
"""The last day of a month, on which rules of a month are judged too."""

BEGINS = date(2026, 10, 1)
"""First day of the meters that no history is asked of."""

DAYS, SLOTS, MINUTES = (LAST - FIRST).days + 1, 48, 30
AT = (DAY - FIRST).days
SANCTIONED_W, VOLTAGE_V, I_MAX_A = 5000, 240, 60
LIMIT_WH = round(1.1 * I_MAX_A * VOLTAGE_V * MINUTES / 60)
CHANNELS = ("import_wh", "export_wh", "import_vah", "import_varh", "voltage_dv")
_HOUR = np.arange(SLOTS) / 2
_SHAPE = 0.5 + 0.7 * np.exp(-(((_HOUR - 7.5) / 1.5) ** 2)) + 1.3 * np.exp(-(((_HOUR - 20) / 2.2) ** 2))


@dataclass
class Subject:
    """One meter as it is reported. Arrays are (days, slots), float, NaN = not there; registers close each day, one more for the opening."""

    serial: str
    rng: np.random.Generator
    values: dict[str, np.ndarray]
    registers: dict[str, np.ndarray]
    category: str = "domestic"
    sanctioned_w: int = SANCTIONED_W
    register_digits: int | None = None
    first: date = FIRST
    """Nothing is sent of days before."""
    removed: date | None = None
    commissioned: bool = True
    account_closed: date | None = None
    received: dict[int, datetime] = field(default_factory=dict)
    """By day, where it is not the night after."""
    again: list[tuple[int, np.ndarray]] = field(default_factory=list)
    """Import of a day that is sent once more."""
    events: list[tuple[datetime, int]] = field(default_factory=list)
    readings: list[tuple[str, datetime, str, int, int]] = field(default_factory=list)
    """profile, stamp, quantity, zone, value"""
    nameplate: list[tuple[str, str]] = field(default_factory=list)
    rejections: list[tuple[Reason, datetime]] = field(default_factory=list)

    @property
    def wh(self) -> np.ndarray:
        return self.values["import_wh"]

    def at(self, hour: float, day: date = DAY) -> datetime:
        return datetime.combine(day, time(), INDIA) + timedelta(hours=hour)


@dataclass(frozen=True)
class Grade:
    """A defect of one size. `due`: the rule must find it; otherwise it is within what the rule allows, and finding it is a false flag."""

    rule: str
    size: str
    due: bool
    inject: Callable[[Subject], None]


def healthy(serial: str, seed: int) -> Subject:
    """A home without defect: import with noise, power factor about 0.95, 230 V, registers that agree to the Wh."""
    rng = np.random.default_rng([seed, int.from_bytes(hashlib.sha256(serial.encode()).digest()[:6], "big")])
    daily = rng.uniform(6000, 14000)
    shape = _SHAPE / _SHAPE.sum() * daily
    wh = np.rint(shape * rng.uniform(0.7, 1.3, (DAYS, SLOTS)))
    power_factor = rng.uniform(0.92, 0.97, (DAYS, SLOTS))
    vah = np.ceil(wh / power_factor)
    values = {
        "import_wh": wh,
        "import_vah": vah,
        "import_varh": np.rint(np.sqrt(vah**2 - wh**2)),
        "voltage_dv": np.rint(rng.normal(2300, 40, (DAYS, SLOTS))),
    }
    subject = Subject(serial, rng, values, {})
    for channel in ("import_wh", "import_vah"):
        subject.registers[channel] = _register(values[channel], int(rng.integers(10**5, 10**6)))
    subject.registers["md_import_w"] = np.concatenate([[np.nan], wh.max(axis=1) * 60 / MINUTES])
    return subject


def _register(values: np.ndarray, start: int) -> np.ndarray:
    return start + np.concatenate([[0], np.cumsum(np.nansum(values, axis=1))])


def _slot(s: Subject) -> int:
    return int(s.rng.integers(8, 40))


def gap(slots: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        first = int(s.rng.integers(0, SLOTS - slots + 1))
        for v in s.values.values():
            v[AT, first : first + slots] = np.nan

    return inject


def value(of: Callable[[Subject, int], float], slots: int = 1) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        for _ in range(slots):
            slot = _slot(s)
            s.wh[AT, slot] = of(s, slot)

    return inject


def spike(pct: float) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        # Big enough for the floor below which small loads jump by nature, small enough to be possible.
        third = np.sort(s.wh[AT])[-2]
        s.wh[AT, _slot(s)] = round(third * (1 + pct / 100))

    return inject


def again(slots: int, by: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        other = s.wh[AT].copy()
        other[s.rng.choice(SLOTS, slots, replace=False)] += by
        s.again.append((AT, other))

    return inject


def moved(register: str, share: float) -> Callable[[Subject], None]:
    """The register went on by more than the intervals say."""

    def inject(s: Subject) -> None:
        r = s.registers[register]
        r[AT + 1 :] += round((r[AT + 1] - r[AT]) * share)

    return inject


def back(by: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        r = s.registers["import_wh"]
        r[AT + 1] = r[AT] - by

    return inject


def zero(days: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        for channel in ("import_wh", "import_vah", "import_varh"):
            s.values[channel][AT - days + 1 : AT + 1] = 0
        for channel in ("import_wh", "import_vah"):
            s.registers[channel] = _register(s.values[channel], int(s.registers[channel][0]))
        s.registers["md_import_w"][AT - days + 2 : AT + 2] = 0

    return inject


def month(share: float) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        october = slice((date(2026, 10, 1) - FIRST).days, None)
        for channel in ("import_wh", "import_vah", "import_varh"):
            s.values[channel][october] = np.rint(s.values[channel][october] * share)
        for channel in ("import_wh", "import_vah"):
            s.registers[channel] = _register(s.values[channel], int(s.registers[channel][0]))
        s.registers["md_import_w"] = np.concatenate([[np.nan], s.wh.max(axis=1) * 60 / MINUTES])

    return inject


def scaled(channel: str, of: Callable[[np.ndarray], np.ndarray]) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.values[channel][AT] = np.rint(of(s.wh[AT]))
        if channel in s.registers:
            s.registers[channel] = _register(s.values[channel], int(s.registers[channel][0]))

    return inject


def short_of_apparent(share: float) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        scaled("import_vah", lambda wh: wh * share)(s)
        s.values["import_varh"][AT] = np.nan

    return inject


def power_factor(of_day: float) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        vah = np.ceil(s.wh[AT] / of_day)
        s.values["import_vah"][AT], s.values["import_varh"][AT] = vah, np.rint(np.sqrt(vah**2 - s.wh[AT] ** 2))
        s.registers["import_vah"] = _register(s.values["import_vah"], int(s.registers["import_vah"][0]))

    return inject


def demand(share: float) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.registers["md_import_w"][AT + 1] = round(s.registers["md_import_w"][AT + 1] * share)

    return inject


def voltage(dv: int, slots: int = 3) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        slot = _slot(s)
        s.values["voltage_dv"][AT, slot : slot + slots] = dv

    return inject


def frozen(slots: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        first = int(s.rng.integers(0, SLOTS - slots + 1))
        s.wh[AT, first : first + slots] = 150
        s.registers["import_wh"] = _register(s.wh, int(s.registers["import_wh"][0]))

    return inject


def gaps_in_a_row(days: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        for n in range(days):
            for v in s.values.values():
                v[AT - n, 10:12] = np.nan

    return inject


def without(channel: str) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.values[channel][AT] = np.nan

    return inject


def export(wh: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.values["export_wh"] = np.zeros((DAYS, SLOTS))
        s.values["export_wh"][AT, 20:28] = wh

    return inject


def event(code: int, *hours: float, last: int | None = None) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.events.append((s.at(hours[0]), code))
        if last is not None:
            s.events.append((s.at(hours[1]), last))

    return inject


def use_while_open(wh: int) -> Callable[[Subject], None]:
    """The relay opened a day before, and so much flows in every slot."""

    def inject(s: Subject) -> None:
        s.events.append((s.at(12, DAY - timedelta(days=1)), 301))
        for channel in ("import_wh", "import_vah", "import_varh"):
            s.values[channel][AT - 1, 24:] = 0
            s.values[channel][AT] = wh if channel != "import_varh" else 0
        for channel in ("import_wh", "import_vah"):
            s.registers[channel] = _register(s.values[channel], int(s.registers[channel][0]))
        s.registers["md_import_w"][AT + 1] = wh * 60 / MINUTES

    return inject


def reading(quantity: str, amount: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.readings.append(("instant", s.at(12), quantity, 0, amount))

    return inject


def zones(off: float) -> Callable[[Subject], None]:
    """Two zone registers of a billing row that miss the total by a share of it."""

    def inject(s: Subject) -> None:
        total = int(s.registers["import_wh"][AT + 1])
        for zone, share in ((0, 1.0), (1, 0.4), (2, 0.6)):
            amount = round(total * share * (1 + (off if zone == 2 else 0)))
            s.readings.append(("billing", s.at(24), "import_wh", zone, amount if zone else total))

    return inject


def rejected(reason: Reason) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.rejections.append((reason, s.at(9.5)))

    return inject


def told(attribute: str, text: str) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.nameplate.append((attribute, text))

    return inject


def removed(since: date) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.removed = since

    return inject


def never_commissioned(s: Subject) -> None:
    s.commissioned = False


def received(days_late: int) -> Callable[[Subject], None]:
    def inject(s: Subject) -> None:
        s.received[AT] = s.at(26) + timedelta(days=days_late)

    return inject


def ht(daily_share: float) -> Callable[[Subject], None]:
    """An HT consumer whose energy of the day is so much of what its contract would allow."""

    def inject(s: Subject) -> None:
        s.category = "ht"
        s.sanctioned_w = round(s.wh[AT].sum() / 24 / daily_share)

    return inject


NOTHING = Grade("", "no defect", False, lambda s: None)

GRADES: tuple[Grade, ...] = (
    Grade("V01", "another serial in the nameplate", True, told("serial", "SOMEBODY ELSE")),
    Grade("V01", "removed a week ago", True, removed(DAY - timedelta(days=6))),
    Grade("V02", "never installed", True, never_commissioned),
    Grade("V03", "30 s", False, reading("clock_drift_s", 30)),
    Grade("V03", "90 s", True, reading("clock_drift_s", 90)),
    Grade("V03", "-10 min", True, reading("clock_drift_s", -600)),
    Grade("V04", "one stamp", True, rejected(Reason.OFF_GRID)),
    Grade("V05", "60 days old", False, received(60)),
    Grade("V05", "100 days old", True, received(100)),
    Grade("V06", "sent twice, the same", False, again(0, 0)),
    Grade("V06", "1 interval differs by 1 Wh", True, again(1, 1)),
    Grade("V06", "12 intervals differ", True, again(12, 200)),
    Grade("V07", "1 interval", True, gap(1)),
    Grade("V07", "6 intervals", True, gap(6)),
    Grade("V07", "the whole day", True, gap(48)),
    Grade("V08", "one record", True, rejected(Reason.WRONG_INTERVAL)),
    Grade("V09", "one record", True, rejected(Reason.WRONG_UNIT)),
    Grade("V10", "twice the registry's", True, told("mf", "2")),
    Grade("V11", "-1 Wh", True, value(lambda s, n: -1)),
    Grade("V11", "-500 Wh", True, value(lambda s, n: -500, 3)),
    Grade("V12", "by 1 Wh", True, back(1)),
    Grade("V12", "by 100 kWh", True, back(100_000)),
    Grade("V13", "5 days", False, zero(5)),
    Grade("V13", "7 days", True, zero(7)),
    Grade("V13", "10 days", True, zero(10)),
    Grade("V14", "5 Wh a slot", False, use_while_open(5)),
    Grade("V14", "30 Wh a slot", True, use_while_open(30)),
    Grade("V14", "300 Wh a slot", True, use_while_open(300)),
    Grade("V15", "70 % of the months before", False, month(0.7)),
    Grade("V15", "35 %", True, month(0.35)),
    Grade("V15", "230 %", True, month(2.3)),
    Grade("V16", "99 % of what can flow", False, value(lambda s, n: 0.99 * LIMIT_WH)),
    Grade("V16", "101 %", True, value(lambda s, n: 1.01 * LIMIT_WH)),
    Grade("V16", "500 %", True, value(lambda s, n: 5 * LIMIT_WH)),
    Grade("V17", "+150 %", False, spike(150)),
    Grade("V17", "+200 %", True, spike(200)),
    Grade("V17", "+900 %", True, spike(900)),
    Grade("V18", "+900 %", False, value(lambda s, n: 10 * s.wh[AT, n - 1])),
    Grade("V18", "+1,200 %", True, value(lambda s, n: 13 * s.wh[AT, n - 1])),
    Grade("V19", "0.5 %", False, moved("import_wh", 0.005)),
    Grade("V19", "2 %", True, moved("import_wh", 0.02)),
    Grade("V19", "30 %", True, moved("import_wh", 0.30)),
    Grade("V20", "agree", False, zones(0.0)),
    Grade("V20", "1 %", True, zones(0.01)),
    Grade("V21", "0.5 %", False, moved("import_vah", 0.005)),
    Grade("V21", "3 %", True, moved("import_vah", 0.03)),
    Grade("V22", "no kvarh all day", True, scaled("import_varh", np.zeros_like)),
    Grade("V23", "kVAh 0.5 % below kWh, kvarh missing", False, short_of_apparent(0.995)),
    Grade("V23", "5 % below, kvarh missing", True, short_of_apparent(0.95)),
    Grade("V23", "kvarh three times what fits", True, scaled("import_varh", lambda wh: wh)),
    Grade("V24", "0.35", False, power_factor(0.35)),
    Grade("V24", "0.2", True, power_factor(0.2)),
    Grade("V25", "97 % of the peak", False, demand(0.97)),
    Grade("V25", "90 %", True, demand(0.90)),
    Grade("V26", "155 V", False, voltage(1550)),
    Grade("V26", "140 V", True, voltage(1400)),
    Grade("V26", "0 V with load", True, voltage(0)),
    Grade("V27", "65535", True, value(lambda s, n: 65535)),
    Grade("V28", "one programming event", True, event(155, 10.3)),
    Grade("V29", "clock set", True, event(151, 10.3)),
    Grade("V30", "10 min without supply", True, event(101, 10.1, 10.3, last=102)),
    Grade("V30", "3 h without supply", True, event(101, 10.0, 13.0, last=102)),
    Grade("V31", "20 intervals", False, frozen(20)),
    Grade("V31", "24 intervals", True, frozen(24)),
    Grade("V31", "48 intervals", True, frozen(48)),
    Grade("V32", "5 days", False, gaps_in_a_row(5)),
    Grade("V32", "8 days", True, gaps_in_a_row(8)),
    Grade("V33", "kVAh missing", True, without("import_vah")),
    Grade("V35", "20 % of the contract", False, ht(0.2)),
    Grade("V35", "0.2 %", True, ht(0.002)),
    Grade("V36", "5 Wh", False, export(5)),
    Grade("V36", "200 Wh", True, export(200)),
)
"""What is injected, by rule and size. V34 stands outside: it needs a frozen period."""


def subjects(each: int, clean: int, seed: int) -> list[tuple[Subject, Grade]]:
    """`each` meters a grade, and `clean` ones without defect."""
    out = []
    for nr, grade in enumerate((*GRADES, NOTHING)):
        for n in range(each if grade is not NOTHING else clean):
            subject = healthy(f"S{nr:03}-{n:04}", seed)
            grade.inject(subject)
            if grade.rule != "V15":
                subject.first = BEGINS
            out.append((subject, grade))
    return out


def delivery(subjects: list[Subject]) -> Iterator[Delivery]:
    """What the meters' head-end system sends: everything, then what came a second time."""
    yield from _deliver("score", subjects, again=False)
    yield from _deliver("score, once more", [s for s in subjects if s.again], again=True)


def _deliver(source: str, subjects: list[Subject], *, again: bool) -> Iterator[Delivery]:
    if not subjects:
        return
    late = datetime.combine(LAST + timedelta(days=200), time(2), INDIA)
    out = Delivery(source, hashlib.sha256(source.encode()).digest(), late)
    out.profiles = [ProfileReadings(pd.concat([_profile(s, again=again) for s in subjects], ignore_index=True), MINUTES)]
    if not again:
        out.registers = [RegisterReadings(pd.concat([_registers(s) for s in subjects], ignore_index=True))]
        out.events = [MeterEvents(f)] if len(f := _events(subjects)) else []
        for profile in ("instant", "billing"):
            if len(f := _values(subjects, profile)):
                out.values.append(MeterValues(f, profile))
        if len(f := _nameplates(subjects)):
            out.nameplates.append(Nameplates(f))
        out.rejections = [
            Rejection(reason, "score", "-", serial=s.serial, stamp=at, received_at=s.at(26))
            for s in subjects
            for reason, at in s.rejections
        ]
    yield out


def _utc(at: Any) -> pd.Series:
    return pd.Series(pd.to_datetime(at, utc=True)).dt.as_unit("us").reset_index(drop=True)


def _midnights(first: date, count: int) -> pd.DatetimeIndex:
    return pd.date_range(datetime.combine(first, time(), INDIA), periods=count, freq="D")


def _profile(s: Subject, *, again: bool) -> pd.DataFrame:
    if again:
        (day, wh), days = s.again[0], 1
        columns: dict[str, np.ndarray] = {"import_wh": wh, **{c: v[day] for c, v in s.values.items() if c != "import_wh"}}
        midnights = _midnights(FIRST + timedelta(days=day), 1)
        received = midnights + pd.Timedelta(hours=30)
    else:
        skipped = (s.first - FIRST).days
        days, columns = DAYS - skipped, {c: v[skipped:].reshape(-1) for c, v in s.values.items()}
        midnights = _midnights(s.first, days)
        received = midnights + pd.Timedelta(hours=26)
        for day, at in s.received.items():
            received = received.where(np.arange(days) + skipped != day, pd.Timestamp(at))
    frame = pd.DataFrame({c: pd.array(np.rint(v), dtype="Float64").astype("Int64") for c, v in columns.items()})
    start = np.repeat(midnights, SLOTS) + pd.to_timedelta(np.tile(np.arange(SLOTS), days) * MINUTES, unit="min")
    frame.insert(0, "serial", s.serial)
    frame["start"], frame["received_at"], frame["locator"] = _utc(start), _utc(np.repeat(received, SLOTS)), "score"
    return frame.dropna(subset=[*columns], how="all")


def _registers(s: Subject) -> pd.DataFrame:
    skipped = (s.first - FIRST).days
    closes = _midnights(s.first, DAYS + 1 - skipped)
    frame = pd.DataFrame({c: pd.array(np.rint(v[skipped:]), dtype="Float64").astype("Int64") for c, v in s.registers.items()})
    frame["serial"], frame["read_at"], frame["day"] = s.serial, _utc(closes), (closes - pd.Timedelta(days=1)).tz_localize(None)
    frame["received_at"], frame["locator"] = _utc(closes + pd.Timedelta(hours=2)), "score"
    frame["md_import_at"] = _utc(closes - pd.Timedelta(hours=4))
    return frame


def _frame(rows: list[dict[str, Any]], *stamps: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    for c in stamps if rows else ():
        frame[c] = _utc(frame[c])
    return frame


def _events(subjects: list[Subject]) -> pd.DataFrame:
    rows = [
        {"serial": s.serial, "occurred_at": at, "received_at": s.at(26), "locator": "score", "code": code, "detail": None}
        for s in subjects
        for at, code in s.events
    ]
    return _frame(rows, "occurred_at", "received_at")


def _values(subjects: list[Subject], profile: str) -> pd.DataFrame:
    rows = [
        {
            "serial": s.serial,
            "read_at": at,
            "day": pd.Timestamp(DAY),
            "received_at": s.at(26),
            "locator": "score",
            "quantity": quantity,
            "zone": zone,
            "value": amount,
        }
        for s in subjects
        for of_profile, at, quantity, zone, amount in s.readings
        if of_profile == profile
    ]
    frame = _frame(rows, "read_at", "received_at")
    if len(frame):
        frame["value"] = frame["value"].astype("Int64")
        frame["at"] = pd.Series(pd.NaT, index=frame.index).dt.tz_localize("UTC").dt.as_unit("us")
    return frame


def _nameplates(subjects: list[Subject]) -> pd.DataFrame:
    rows = [
        {"serial": s.serial, "read_at": s.at(12), "received_at": s.at(26), "locator": "score", "attribute": attribute, "text": text}
        for s in subjects
        for attribute, text in s.nameplate
    ]
    return _frame(rows, "read_at", "received_at")
