"""What a simulated meter knows and does: its clock, its values, its profiles, its relay. COSEM objects in, octets out; nothing of messages.

Values are drawn from the seed, so that a test computes them anew with a `SimulatedMeter` of its own. Times are naive Indian Standard Time.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

from simulation.dlms import axdr
from simulation.dlms.security import MeterKeys

CATEGORIES = ("D1", "D2", "D3")
ZONES = 8
"""Time-of-day zones of three hours each."""

CHANNELS = ("import_wh", "export_wh", "import_vah", "export_vah", "q1_varh", "q2_varh", "q3_varh", "q4_varh")
LOGS = {"voltage": 0, "current": 1, "power": 2, "transaction": 3, "other": 4, "non_rollover": 5, "control": 6}
LAST_CODE = {"voltage": 50, "current": 100, "power": 150, "transaction": 200, "other": 250, "non_rollover": 300, "control": 999}
"""The highest event code of each log."""

CLOCK, BILLING_DATE = "0.0.1.0.0.255", "0.0.0.1.2.255"
LOGICAL_DEVICE_NAME, INVOCATION_COUNTER = "0.0.42.0.0.255", "0.0.43.1.3.255"
DISCONNECT_CONTROL, LIMITER, CALENDAR = "0.0.96.3.10.255", "0.0.17.0.0.255", "0.0.13.0.0.255"
ACTIVE_POWER, EVENT_STATUS_WORD = "1.0.1.7.0.255", "0.0.94.91.18.255"
CAPTURE_PERIOD = "1.0.0.8.4.255"

PROFILES = {
    "1.0.94.91.0.255": ("instant", "1.0.94.91.3.255"),
    "1.0.99.1.0.255": ("block", "1.0.94.91.4.255"),
    "1.0.99.2.0.255": ("daily", "1.0.94.91.5.255"),
    "1.0.98.1.0.255": ("billing", "1.0.94.91.6.255"),
    "0.0.94.91.10.255": ("nameplate", ""),
} | {f"0.0.99.98.{k}.255": ("event_full" if k in (0, 1, 4) else "event_short", "1.0.94.91.7.255") for k in range(7)}
"""Profile -> (its kind in objects.csv, its scaler profile)."""


class Refused(Exception):
    """The meter says no, with a Data-Access-Result or Action-Result of IEC 62056-5-3."""

    def __init__(self, result: int) -> None:
        super().__init__(f"result {result}")
        self.result = result


TEMPORARY_FAILURE, READ_WRITE_DENIED, OBJECT_UNDEFINED, OBJECT_UNAVAILABLE, TYPE_UNMATCHED, OTHER_REASON = 2, 3, 4, 11, 12, 250


@dataclass(frozen=True)
class Column:
    """One captured attribute. `scaler` None: the object has no scaler and unit."""

    class_id: int
    obis: str
    attribute: int
    kind: str
    unit: int | None
    scaler: int | None
    quantity: str
    zone: int = 0

    def definition(self, attribute: int | None = None) -> bytes:
        """The capture object, with another attribute where one is given."""
        return axdr.structure(
            axdr.number("u16", self.class_id),
            axdr.octets(axdr.logical_name(self.obis)),
            axdr.number("i8", attribute or self.attribute),
            axdr.number("u16", 0),
        )

    def scaler_unit(self) -> bytes:
        if self.scaler is None or self.unit is None:
            raise Refused(OBJECT_UNDEFINED)
        return axdr.structure(axdr.number("i8", self.scaler), axdr.number("enum", self.unit))


@cache
def columns(kind: str, category: str, register_scaler: int, log: int = 0) -> tuple[Column, ...]:
    """The columns of a profile of objects.csv; `z` in an OBIS code is each zone, `k` the number of the event log."""
    found: list[Column] = []
    with (Path(__file__).parent / "objects.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["profile"] != kind or category not in row["categories"].split():
                continue
            scaler = register_scaler if row["scaler"] == "register" else int(row["scaler"]) if row["scaler"] else None
            for zone in range(1, ZONES + 1) if ".z." in row["obis"] else [0]:
                obis = row["obis"].replace(".z.", f".{zone}.").replace(".k.", f".{log}.")
                unit = int(row["unit"]) if row["unit"] else None
                found.append(Column(int(row["class"]), obis, int(row["attribute"]), row["type"], unit, scaler, row["quantity"], zone))
    return tuple(found)


@dataclass(frozen=True)
class Event:
    at: datetime
    code: int


class Clock:
    """Time of a meter: starts at `start` and runs, wrong by `skew`."""

    def __init__(self, start: datetime | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._start = start or datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=330)
        self._monotonic, self._began = monotonic, monotonic()
        self.skew = timedelta()

    def now(self) -> datetime:
        """To the second."""
        return (self._start + timedelta(seconds=self._monotonic() - self._began) + self.skew).replace(microsecond=0)

    def set(self, local: datetime) -> None:
        self.skew += local - self.now()


class SimulatedMeter:
    """Meter `number` (from 1) of a seed. `history_days` of profiles lie behind its clock's start; uneven meters have registers in Wh and
    a billing profile that begins with the oldest row, even ones registers in units of ten Wh and the newest row first."""

    def __init__(
        self, number: int, seed: int = 1, category: str = "D1", interval_min: int = 30, clock: Clock | None = None, history_days: int = 45
    ) -> None:
        if category not in CATEGORIES:
            raise ValueError(f"category {category!r} is not one of {', '.join(CATEGORIES)}")
        self.number, self.seed, self.category, self.interval_min = number, seed, category, interval_min
        self.clock = clock or Clock()
        self.epoch = datetime.combine(self.clock.now().date(), datetime.min.time()) - timedelta(days=history_days)
        self.history_days = history_days
        self.serial, self.make = f"SIM{number:08d}", "SIMULATED"
        self.device_id = self.serial
        self.system_title = b"SIM" + number.to_bytes(5, "big")
        self.register_scaler = 0 if number % 2 else 1
        self.firmware = f"{category}-{'1.00' if number % 2 else '2.00'}"
        self.newest_first = number % 2 == 0
        self.meter_type, self.current_rating, self.year = (6 if category == "D1" else 7), "10-60A" if category != "D3" else "-/5A", 2025
        self.keys = MeterKeys(self._secret("encryption"), self._secret("authentication"), self._secret("password").hex()[:16].encode())
        self.relay_closed, self.control_state = True, 1
        self.load_limit_w = 5000
        self.calendar: dict[int, bytes] = {}
        self.invocation_counters: dict[bytes, int] = {}
        """The last counter of each client's system title."""
        self.own_counter = 1
        self._sums: dict[tuple[str, int], list[int]] = {}
        self.logs: dict[int, list[Event]] = {log: [] for log in LOGS.values()}
        self._seed_events()

    # --- values ---

    def _secret(self, what: str) -> bytes:
        return blake2b(f"{self.seed}/{self.number}/{what}".encode(), digest_size=16).digest()

    def draw(self, what: str, at: int, below: int) -> int:
        """A number from 0 to below - 1 that only the seed, the meter, `what` and `at` decide."""
        text = f"{self.seed}/{self.number}/{what}/{at}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") % below

    def block(self, channel: str, index: int) -> int:
        """Wh, VAh or varh of the block that begins `index` intervals after the epoch."""
        if channel == "import_vah":
            return self.block("import_wh", index) + self.draw(channel, index, 30)
        if channel == "export_vah":
            return self.block("export_wh", index) + self.draw(channel, index, 5)
        least, below = {"import_wh": (40, 400), "export_wh": (0, 20), "q1_varh": (0, 60), "q4_varh": (0, 30)}.get(channel, (0, 3))
        return least + self.draw(channel, index, below)

    def block_index(self, end: datetime) -> int:
        """Number of the last block that ended at or before `end`."""
        return int((end - self.epoch) // timedelta(minutes=self.interval_min)) - 1

    def zone_of(self, index: int) -> int:
        return (self.epoch + index * timedelta(minutes=self.interval_min)).hour // 3 + 1

    def register(self, channel: str, at: datetime, zone: int = 0) -> int:
        """Cumulative Wh, VAh or varh at a time, of a zone or in total."""
        sums = self._sums.setdefault((channel, zone), [1000 * self.number * (1 if zone else ZONES)])
        wanted = max(self.block_index(at) + 1, 0)
        while len(sums) <= wanted:
            index = len(sums) - 1
            sums.append(sums[-1] + (self.block(channel, index) if zone in (0, self.zone_of(index)) else 0))
        return sums[wanted]

    def maximum_demand(self, channel: str, at: datetime, zone: int = 0) -> tuple[int, datetime | None]:
        """(W or VA, end of its block) of the highest block of the month that `at` closes or lies in."""
        month = (at - timedelta(seconds=1)).replace(day=1, hour=0, minute=0, second=0)
        first, last = max(self.block_index(month) + 1, 0), self.block_index(at)
        best, best_index = 0, -1
        for index in range(first, last + 1):
            if zone in (0, self.zone_of(index)) and (wh := self.block(channel, index)) > best:
                best, best_index = wh, index
        end = self.epoch + (best_index + 1) * timedelta(minutes=self.interval_min) if best_index >= 0 else None
        return best * 60 // self.interval_min, end

    def value(self, quantity: str, at: datetime, zone: int = 0) -> Any:
        """A quantity of objects.csv at a time: an int in the unit of the column (registers: Wh), a datetime or None, a text or a bool."""
        seconds = int((at - self.epoch).total_seconds())
        if quantity == "stamp":
            return at
        if quantity in CHANNELS:
            return self.register(quantity, at, zone)
        if quantity.startswith("block_"):
            return self.block(quantity.removeprefix("block_"), self.block_index(at))
        if quantity.startswith("md_"):
            channel = {"md_import_w": "import_wh", "md_import_va": "import_vah"}[quantity.removesuffix("_at")]
            return self.maximum_demand(channel, at, zone)[quantity.endswith("_at")]
        if quantity.startswith("voltage"):
            return 22600 + self.draw(quantity, seconds, 800)
        if quantity.startswith("current_") and quantity != "current_rating":
            return 100 + self.draw(quantity, seconds, 900)
        if quantity.startswith("power_factor") and quantity != "power_factor_count":
            return 85 + self.draw(quantity, seconds, 15)
        if quantity == "period_power_on_min":
            month = max((at - timedelta(seconds=1)).replace(day=1, hour=0, minute=0, second=0), self.epoch)
            return int((at - month) // timedelta(minutes=1))
        computed: dict[str, Callable[[], Any]] = {
            "frequency": lambda: 495 + self.draw(quantity, seconds, 10),
            "apparent_power": lambda: 500 + self.draw("apparent_power", seconds, 400),
            "active_power": lambda: 100 + self.draw("active_power", seconds, 400),
            "reactive_power": lambda: self.draw("reactive_power", seconds, 100) - 50,
            "power_on_min": lambda: seconds // 60 - self._outage_minutes(at),
            "power_off_min": lambda: self._outage_minutes(at),
            "power_failure_count": lambda: sum(e.code == 101 for e in self.events("power", at)),
            "tamper_count": lambda: sum(
                len([e for e in self.events(log, at) if e.code % 2]) for log in ("current", "other", "non_rollover")
            ),
            "billing_count": lambda: len([s for s in self.stamps("billing") if s <= at]),
            "programming_count": lambda: len(self.events("transaction", at)),
            "last_billing": lambda: max((s for s in self.stamps("billing") if s <= at), default=None),
        }
        return computed[quantity]() if quantity in computed else getattr(self, quantity)

    def octets(self, column: Column, at: datetime, code: int = 0) -> bytes:
        """A-XDR of a column's value in a row of this time."""
        value: Any = code if column.quantity == "code" else self.value(column.quantity, at, column.zone)
        match column.kind:
            case "time":
                return axdr.octets(axdr.date_time(value))
            case "text":
                return axdr.octets(str(value).encode())
            case "bool":
                return axdr.boolean(value)
        if column.quantity in CHANNELS:
            value //= 10 ** (column.scaler or 0)
        return axdr.number(column.kind, value)

    def _outage_minutes(self, at: datetime) -> int:
        events = self.events("power", at)
        closed = sum((b.at - a.at for a, b in pairwise(events) if (a.code, b.code) == (101, 102)), timedelta())
        return int(closed // timedelta(minutes=1))

    # --- events ---

    def _seed_events(self) -> None:
        def note(log: str, day: int, clock: str, code: int) -> None:
            hour, minute, second = map(int, clock.split(":"))
            self.logs[LOGS[log]].append(Event(self.epoch + timedelta(days=day, hours=hour, minutes=minute, seconds=second), code))

        note("non_rollover", 0, "10:15:00", 251)
        note("transaction", 0, "10:20:00", 151)
        for day in range(self.history_days):
            if self.draw("outage", day, 4) == 0:
                note("power", day, "14:02:11", 101)
                note("power", day, "14:32:11", 102)
            if self.draw("voltage_event", day, 9) == 0:
                note("voltage", day, "19:05:00", 9)
                note("voltage", day, "19:20:00", 10)
            if self.draw("current_event", day, 15) == 0:
                note("current", day, "11:00:00", 67)
                note("current", day, "11:10:00", 68)
            if self.draw("magnet", day, 20) == 0:
                note("other", day, "23:00:00", 201)
                note("other", day, "23:40:00", 202)

    def events(self, log: str, until: datetime | None = None) -> list[Event]:
        """The events of a log up to a time, default now, oldest first."""
        until = until or self.clock.now()
        return [e for e in self.logs[LOGS[log]] if e.at <= until]

    def happen(self, code: int) -> Event:
        """An event of this instant, in the log where its code belongs."""
        event = Event(self.clock.now(), code)
        log = next(name for name, last in LAST_CODE.items() if code <= last)
        self.logs[LOGS[log]].append(event)
        return event

    def status_word(self) -> bytes:
        """The event status word, 128 bits, bit 0 first: outage now (85 last gasp), cover open (83), relay (84)."""
        word = 0
        for bit, on in {4: False, 83: bool(self.events("non_rollover")), 84: not self.relay_closed}.items():
            word |= on << (127 - bit)
        return word.to_bytes(16, "big")

    # --- profiles ---

    def stamps(self, kind: str) -> list[datetime]:
        """Stamps of the rows of a periodic profile up to now, oldest first."""
        now = self.clock.now()
        if kind in ("instant", "nameplate"):
            return [now]
        if kind == "billing":
            months = {self.epoch + timedelta(days=d) for d in range((now - self.epoch).days + 1)}
            return sorted(m for m in months if m.day == 1 and m > self.epoch)[-12:]
        step = timedelta(days=1) if kind == "daily" else timedelta(minutes=self.interval_min)
        return [self.epoch + n * step for n in range(1, int((now - self.epoch) // step) + 1)]

    def profile_columns(self, obis: str) -> tuple[Column, ...]:
        kind, _ = PROFILES[obis]
        return columns(kind, self.category, self.register_scaler, int(obis.split(".")[4]))

    def rows(self, obis: str) -> list[Event]:
        """(time, code) of the rows of a profile, in the order of its sort method; the code is 0 but of events."""
        kind, _ = PROFILES[obis]
        if kind.startswith("event"):
            log = next(name for name, k in LOGS.items() if k == int(obis.split(".")[4]))
            return self.events(log)
        rows = [Event(stamp, 0) for stamp in self.stamps(kind)]
        return rows[::-1] if kind == "billing" and self.newest_first else rows

    def buffer(self, obis: str, selection: list[Any] | None) -> bytes:
        """The rows that a selection asks for: [selector, parameter] or None for all."""
        rows, wanted = self.rows(obis), self.profile_columns(obis)
        if selection is not None:
            selector, parameter = selection
            if selector == 1:
                (_, name, _, _), first, last, chosen = parameter
                if bytes(name) != axdr.logical_name(wanted[0].obis):
                    raise Refused(TYPE_UNMATCHED)
                begin, end = axdr.local_time(first), axdr.local_time(last)
                rows = [r for r in rows if begin <= r.at <= end]
                if chosen:
                    keys = {(class_id, bytes(ln), attribute) for class_id, ln, attribute, _ in chosen}
                    wanted = tuple(c for c in wanted if (c.class_id, axdr.logical_name(c.obis), c.attribute) in keys)
            elif selector == 2:
                from_entry, to_entry, from_column, to_column = parameter
                rows = rows[max(from_entry - 1, 0) : to_entry or None]
                wanted = wanted[max(from_column - 1, 0) : to_column or None]
            else:
                raise Refused(TYPE_UNMATCHED)
        return axdr.array(axdr.structure(*(self.octets(c, row.at, row.code) for c in wanted)) for row in rows)

    # --- objects ---

    def has_relay(self) -> bool:
        return self.category != "D3"

    def get(self, class_id: int, obis: str, attribute: int, selection: list[Any] | None = None) -> bytes:
        """A-XDR of an attribute. Raises Refused."""
        if attribute == 1:
            return axdr.octets(axdr.logical_name(obis))
        if class_id == 7 and obis in PROFILES:
            return self._get_profile(obis, attribute, selection)
        if class_id == 7:
            return self._get_scaler_profile(obis, attribute)
        special = self._special(class_id, obis, attribute)
        if special is not None:
            return special
        column = self._object(class_id, obis, attribute)
        return column.scaler_unit() if attribute == 3 and class_id in (3, 4) else self.octets(column, self.clock.now())

    def _object(self, class_id: int, obis: str, attribute: int) -> Column:
        for kind in ("instant", "nameplate", "block", "daily", "billing"):
            for c in columns(kind, self.category, self.register_scaler):
                if (c.class_id, c.obis) == (class_id, obis) and (c.attribute == attribute or (attribute == 3 and c.scaler is not None)):
                    return c
        raise Refused(OBJECT_UNDEFINED)

    def _get_profile(self, obis: str, attribute: int, selection: list[Any] | None) -> bytes:
        kind, _ = PROFILES[obis]
        wanted = self.profile_columns(obis)
        period = {"block": self.interval_min * 60, "daily": 86400}.get(kind, 0)
        match attribute:
            case 2:
                return self.buffer(obis, selection)
            case 3:
                return axdr.array(c.definition() for c in wanted)
            case 4:
                return axdr.number("u32", period)
            case 5:
                return axdr.number("enum", 2 if kind == "billing" and self.newest_first else 1)
            case 6:
                return wanted[0].definition()
            case 7 | 8:
                return axdr.number("u32", len(self.rows(obis)))
        raise Refused(OBJECT_UNDEFINED)

    def _get_scaler_profile(self, obis: str, attribute: int) -> bytes:
        owner = next((p for p, (_, scalers) in PROFILES.items() if scalers == obis), None)
        if owner is None:
            raise Refused(OBJECT_UNDEFINED)
        scaled = [c for c in self.profile_columns(owner) if c.scaler is not None]
        if attribute == 2:
            return axdr.array([axdr.structure(*(c.scaler_unit() for c in scaled))])
        if attribute == 3:
            return axdr.array(c.definition(3) for c in scaled)
        raise Refused(OBJECT_UNDEFINED)

    def _special(self, class_id: int, obis: str, attribute: int) -> bytes | None:
        """Objects that no profile captures, or with more attributes than a profile captures."""
        match class_id, obis, attribute:
            case 8, "0.0.1.0.0.255", 2:
                return axdr.octets(axdr.date_time(self.clock.now()))
            case 8, "0.0.1.0.0.255", 3:
                return axdr.number("i16", 330)
            case 1, "0.0.42.0.0.255", 2:
                return axdr.octets(self.serial.encode())
            case 1, "0.0.43.1.3.255", 2:
                return axdr.number("u32", max(self.invocation_counters.values(), default=0))
            case 1, "1.0.0.8.4.255", 2:
                return axdr.number("u16", self.interval_min * 60)
            case 1, "0.0.94.91.18.255", 2:
                return axdr.bits(self.status_word())
            case 20, "0.0.13.0.0.255", 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10:
                return self.calendar.get(attribute, axdr.octets(b"STANDARD") if attribute in (2, 6) else axdr.array([]))
        if class_id in (70, 71) and not self.has_relay():
            raise Refused(OBJECT_UNDEFINED)
        match class_id, obis, attribute:
            case 70, "0.0.96.3.10.255", 2:
                return axdr.boolean(self.relay_closed)
            case 70, "0.0.96.3.10.255", 3:
                return axdr.number("enum", self.control_state)
            case 70, "0.0.96.3.10.255", 4:
                return axdr.number("enum", 4)
            case 71, "0.0.17.0.0.255", 2:
                monitored = (axdr.number("u16", 3), axdr.octets(axdr.logical_name(ACTIVE_POWER)), axdr.number("i8", 2))
                return axdr.structure(*monitored)
            case 71, "0.0.17.0.0.255", 3 | 4 | 5:
                return axdr.number("u32", self.load_limit_w)
        return None

    def set(self, class_id: int, obis: str, attribute: int, data: bytes) -> None:
        """Write an attribute from A-XDR. Raises Refused."""
        value, _ = axdr.read(data)
        match class_id, obis, attribute:
            case 8, "0.0.1.0.0.255", 2:
                if not isinstance(value, bytes):
                    raise Refused(TYPE_UNMATCHED)
                self.clock.set(axdr.local_time(value))
                self.happen(151)
            case 71, "0.0.17.0.0.255", 4 if self.has_relay():
                if not isinstance(value, int):
                    raise Refused(TYPE_UNMATCHED)
                self.load_limit_w = value
                self.happen(158)
            case 20, "0.0.13.0.0.255", 6 | 7 | 8 | 9 | 10:
                self.calendar[attribute] = data
            case _:
                raise Refused(READ_WRITE_DENIED)

    def act(self, class_id: int, obis: str, method: int) -> None:
        """Do a method. Raises Refused."""
        match class_id, obis, method:
            case 70, "0.0.96.3.10.255", 1 | 2 if self.has_relay():
                self.relay_closed = method == 2
                self.control_state = int(self.relay_closed)
                self.happen(302 if self.relay_closed else 301)
            case 20, "0.0.13.0.0.255", 1:
                for passive in (6, 7, 8, 9):
                    if passive in self.calendar:
                        self.calendar[passive - 4] = self.calendar[passive]
                self.happen(155)
            case _:
                raise Refused(OBJECT_UNDEFINED)
