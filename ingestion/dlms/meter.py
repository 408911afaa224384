"""One meter, associated: what is read of it and what it is told to do. Knows no registry and no warehouse.

Reading may be repeated, so its errors are DlmsTransient or DlmsRefused. What changes the meter is sent once: where no answer comes that can
be believed, DlmsUnknownOutcome is raised. After any error of the line the association is not used again.
"""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from datetime import time as time_of_day
from types import TracebackType
from zoneinfo import ZoneInfo

from dlms_cosem.enumerations import DataAccessResult

from ingestion.dlms import apdu, axdr
from ingestion.dlms.apdu import Answer, Entries, Range
from ingestion.dlms.axdr import Data
from ingestion.dlms.errors import (
    DlmsError,
    DlmsMalformed,
    DlmsNotAuthentic,
    DlmsNotDeciphered,
    DlmsRefused,
    DlmsTransient,
    DlmsUnknownOutcome,
)
from ingestion.dlms.link import Link, open_link
from ingestion.dlms.profiles import Column, Profile, profile_objects
from ingestion.dlms.security import Keys, client_title, next_counter
from ingestion.normalise import dlms_clock

MAX_OBJECT_OCTETS = 1 << 20
"""Longest attribute that is read, over all its blocks."""

DEADLINE_S = 300.0
PUBLIC_CLIENT = 16
CLOCK, BILLING_DATE, FIRMWARE = "0.0.1.0.0.255", "0.0.0.1.2.255", "1.0.0.2.0.255"
INVOCATION_COUNTER, ASSOCIATION = "0.0.43.1.3.255", "0.0.40.0.0.255"
DISCONNECT_CONTROL, LIMITER, CALENDAR, TARIFF_SCRIPTS = "0.0.96.3.10.255", "0.0.17.0.0.255", "0.0.13.0.0.255", "0.0.10.0.100.255"
DATA, REGISTER, EXTENDED_REGISTER, DEMAND_REGISTER, PROFILE_GENERIC, CLOCK_CLASS = 1, 3, 4, 5, 7, 8
SCALER_ATTRIBUTE = {REGISTER: 3, EXTENDED_REGISTER: 3, DEMAND_REGISTER: 4}
MAX_PERIOD_S = 86400
SIBLINGS = {27: 7, 29: 8}
"""OBIS group D of averages and block energies -> of the object whose scaler they share, where the meter does not tell theirs."""

RANGE_NOT_KNOWN = frozenset(
    {DataAccessResult.TYPE_UNMATCHED, DataAccessResult.OBJECT_UNAVAILABLE, DataAccessResult.OTHER_REASON, DataAccessResult.HARDWARE_FAULT}
)
"""Results by which meters say that they cannot select by a range: their rows are read whole and sorted out here."""

NOT_THERE = frozenset({DataAccessResult.OBJECT_UNDEFINED, DataAccessResult.OBJECT_CLASS_INCONSISTENT})
"""Results by which a meter says that it has no such object."""

NAMEPLATE = ("0.0.96.1.0.255", "0.0.96.1.1.255", FIRMWARE, "0.0.94.91.9.255", "0.0.94.91.11.255", "0.0.94.91.12.255", "0.0.96.1.4.255")
"""Data objects that are read one by one where there is no nameplate profile."""


@dataclass(frozen=True)
class Endpoint:
    """Where a meter is and how it is spoken to: registry.meter_endpoint. `authentication`: none, lls or hls_gmac (which also ciphers).

    `server_address`: the logical device of the wrapper; of HDLC the address's bits, seven an octet.
    """

    serial: str
    host: str
    port: int
    framing: str = "wrapper"
    client_address: int = 48
    server_address: int = 1
    authentication: str = "hls_gmac"
    system_title: str | None = None


@dataclass(frozen=True)
class RelayState:
    """Disconnect control: whether the relay is closed; control state 0 disconnected, 1 connected, 2 ready for reconnection; mode 0 to 6."""

    closed: bool
    control_state: int
    mode: int


Scalers = dict[str, tuple[int, int]]
"""OBIS -> (scaler, unit)."""


class ScalerCache:
    """Scalers by firmware and scaler profile, for all meters that are given it. Not for meters of several DISCOMs: what one meter says of
    its firmware holds for the others."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Scalers] = {}
        self._lock = threading.Lock()

    def get(self, firmware: str, scaler_obis: str) -> Scalers:
        with self._lock:
            return dict(self._known.get((firmware, scaler_obis), {}))

    def put(self, firmware: str, scaler_obis: str, scalers: Scalers) -> None:
        """A meter that does not tell its firmware teaches nothing."""
        if firmware:
            with self._lock:
                self._known[firmware, scaler_obis] = scalers


class DlmsMeter:
    """An association, as a context manager: `with DlmsMeter.open(endpoint, keys) as meter: meter.clock()`."""

    def __init__(
        self, endpoint: Endpoint, keys: Keys, link: Link, zone: ZoneInfo, deadline: float, scalers: ScalerCache | None = None
    ) -> None:
        """Use `open`."""
        self._scalers = scalers or ScalerCache()
        self.endpoint, self._keys, self._link, self.zone, self._deadline = endpoint, keys, link, zone, deadline
        self._title = client_title()
        self._counter_seen = 0
        self._meter_title = b""
        self._meter_counter = -1
        self._ciphered = endpoint.authentication == "hls_gmac"
        self._max_pdu = apdu.MAX_PDU
        self._broken = ""
        self._columns: dict[str, tuple[Column, ...]] = {}
        self._firmware: str | None = None

    @classmethod
    def open(
        cls,
        endpoint: Endpoint,
        keys: Keys,
        timeout_s: float = 10,
        *,
        deadline_s: float = DEADLINE_S,
        zone: str = "Asia/Kolkata",
        counter_obis: str = INVOCATION_COUNTER,
        scalers: ScalerCache | None = None,
    ) -> DlmsMeter:
        """Connect and associate. `timeout_s` is for each exchange, `deadline_s` for all until the end.

        With HLS the meter is first asked, by its public client, for the last invocation counter that it saw.
        Raises DlmsTransient where it cannot be reached, DlmsRefused where it does not let us in.
        """
        if endpoint.authentication == "hls_gmac" and not keys.encryption:
            raise DlmsRefused(f"meter {endpoint.serial}: there are no keys for it: add them to the file of METERHOUSE_DLMS_KEYS")
        if endpoint.authentication == "lls" and not keys.password:
            raise DlmsRefused(f"meter {endpoint.serial}: there is no LLS password for it: add it to the file of METERHOUSE_DLMS_KEYS")
        deadline = time.monotonic() + deadline_s

        def associated(e: Endpoint, seen: int = 0) -> DlmsMeter:
            link = open_link(e.framing, e.host, e.port, e.client_address, e.server_address, timeout_s, deadline)
            meter = cls(e, keys, link, ZoneInfo(zone), deadline, scalers)
            try:
                meter._associate(seen)
            except BaseException:
                link.close()
                raise
            return meter

        def entered(e: Endpoint, seen: int = 0) -> DlmsMeter:
            try:
                return associated(e, seen)
            except DlmsNotAuthentic as e2:
                raise DlmsRefused(f"meter {e.serial}: {e2}: check its keys and its system title") from None
            except DlmsMalformed as e2:
                raise DlmsTransient(f"meter {e.serial}: what answers is not understood: {e2}") from None
            except DlmsError as e2:
                raise type(e2)(f"meter {e.serial}: {e2}") from None

        seen = 0
        if endpoint.authentication == "hls_gmac":
            try:
                with entered(replace(endpoint, client_address=PUBLIC_CLIENT, authentication="none")) as public:
                    seen = public.get(DATA, counter_obis, 2).number
            except DlmsRefused:
                seen = 0  # a meter without public client: the clock gives a counter that is high enough
        return entered(endpoint, seen)

    def __enter__(self) -> DlmsMeter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the association and hang up. Never raises."""
        if not self._broken:
            with suppress(DlmsError):
                self._link.exchange(apdu.RELEASE)
        self._broken = self._broken or "it was closed"
        self._link.close()

    # --- association ---

    def _seal(self, plain: bytes) -> bytes:
        counter = next_counter(self._title + self._keys.encryption, self._counter_seen)
        return self._keys.seal(self._title, counter, plain)

    def _open(self, sealed: bytes) -> bytes:
        counter, plain = self._keys.open(self._meter_title, sealed)
        if counter <= self._meter_counter:
            raise DlmsNotAuthentic(f"the meter's invocation counter does not rise ({counter} after {self._meter_counter}): a replay?")
        self._meter_counter = counter
        return plain

    def _associate(self, seen: int) -> None:
        self._counter_seen = seen
        how = self.endpoint.authentication
        challenge = os.urandom(16)
        sealed = self._seal(apdu.initiate_request()) if self._ciphered else None
        value = {"none": b"", "lls": self._keys.password, "hls_gmac": challenge}[how]
        got = apdu.association_response(self._link.exchange(apdu.association_request(how, value, self._title, sealed)))
        if not got.accepted:
            trouble = f"the association is rejected: {got.diagnostic}"
            raise DlmsTransient(trouble) if got.transient else DlmsRefused(f"{trouble}. Check authentication, password and client address")
        initiate = got.initiate
        if self._ciphered:
            self._meter_title = got.system_title
            expected = self.endpoint.system_title
            if expected and bytes.fromhex(expected) != self._meter_title:
                raise DlmsNotAuthentic(f"the meter says that its system title is {self._meter_title.hex()}, {expected} is registered")
            if initiate[:1] != b"\x28":
                raise DlmsNotAuthentic("the meter answers in plain to a ciphered request")
            size, at = axdr.read_length(initiate, 1)
            initiate = self._open(axdr.take(initiate, at, size)[0])
        self._max_pdu = apdu.negotiated_pdu(initiate)
        if self._ciphered:
            self._prove(challenge, got.challenge)

    def _prove(self, ours: bytes, theirs: bytes) -> None:
        """The last two passes of HLS: we answer their challenge, they ours."""
        counter = next_counter(self._title + self._keys.encryption, self._counter_seen)
        proof = axdr.octets(self._keys.proof(self._title, counter, theirs))
        got = self._answer(apdu.action_request(15, ASSOCIATION, 1, proof))
        if got.result:
            raise DlmsRefused(f"the meter does not accept our proof of the keys ({got.trouble()}): check its keys")
        said = axdr.read(got.data).value if got.data else b""
        if not isinstance(said, bytes) or len(said) != 17:
            raise DlmsNotAuthentic("the meter does not prove that it has the keys")
        expected = self._keys.proof(self._meter_title, int.from_bytes(said[1:5], "big"), ours)
        if not hmac.compare_digest(said, expected):
            raise DlmsNotAuthentic("the meter does not prove that it has the keys")

    # --- services ---

    def _answer(self, request: bytes) -> Answer:
        """One protected exchange. Raises DlmsTransient, DlmsRefused (exception response) or DlmsMalformed."""
        if not self._ciphered:
            return apdu.answer(self._link.exchange(request))
        general = self._keys.ciphering == "general"
        sealed = self._seal(request)
        head = bytes([apdu.GENERAL_CIPHERED, 8]) + self._title if general else bytes([apdu.CIPHERED[request[0]]])
        got = self._link.exchange(head + axdr.length(len(sealed)) + sealed)
        apdu.raise_refusal(got)
        if got[:1] == bytes([apdu.GENERAL_CIPHERED]):
            size, at = axdr.read_length(got, 1)
            title, at = axdr.take(got, at, size)
            if title != self._meter_title:
                raise DlmsNotAuthentic(f"an answer from system title {title.hex()}: {self._meter_title.hex()} was expected")
        elif got[:1] == bytes([apdu.CIPHERED[request[0]] + 4]):
            at = 1
        else:
            raise DlmsNotAuthentic(f"the meter answers in plain, or to something else: {got[:8].hex()}")
        size, at = axdr.read_length(got, at)
        return apdu.answer(self._open(axdr.take(got, at, size)[0]))

    def _usable(self, what: str) -> None:
        if self._broken:
            raise DlmsTransient(f"meter {self.endpoint.serial}: {what}: the association is over, {self._broken}: open it again")
        if time.monotonic() >= self._deadline:
            raise DlmsTransient(f"meter {self.endpoint.serial}: {what}: the time for this association is over")

    def _ask(self, what: str, request: bytes, service: str) -> Answer:
        """An exchange that only reads."""
        self._usable(what)
        try:
            got = self._answer(request)
            if got.service != service:
                raise DlmsMalformed(f"an answer to {got.service} where one to {service} was expected")
            return got
        except DlmsNotAuthentic as e:
            self._broken = str(e)
            raise DlmsRefused(f"meter {self.endpoint.serial}: {what}: {e}") from None
        except DlmsMalformed as e:
            self._broken = str(e)
            raise DlmsTransient(f"meter {self.endpoint.serial}: {what}: the answer is not understood: {e}") from None
        except DlmsTransient as e:
            self._broken = str(e)
            raise DlmsTransient(f"meter {self.endpoint.serial}: {what}: {e}") from None
        except DlmsNotDeciphered as e:
            # The keys were proven when the association was opened: another one has raised the counter since, and a new one goes on.
            self._broken = str(e)
            raise DlmsTransient(f"meter {self.endpoint.serial}: {what}: {e}") from None
        except DlmsRefused as e:
            raise DlmsRefused(f"meter {self.endpoint.serial}: {what}: {e}") from None

    def _change(self, what: str, request: bytes, service: str) -> None:
        """An exchange that changes the meter: sent once."""
        self._usable(what)
        what = f"meter {self.endpoint.serial}: {what}"
        if len(request) + 32 > self._max_pdu:
            raise DlmsRefused(f"{what}: {len(request)} octets are more than the meter takes in a message ({self._max_pdu})")
        try:
            got = self._answer(request)
            if got.service != service:
                raise DlmsMalformed(f"an answer to {got.service} where one to {service} was expected")
        except (DlmsMalformed, DlmsTransient) as e:
            self._broken = str(e)
            raise DlmsUnknownOutcome(f"{what}: it was sent and no answer that can be believed came ({e}): read the meter's state") from None
        except DlmsRefused as e:
            raise DlmsRefused(f"{what}: {e}") from None
        apdu.raise_trouble(got, what)

    def _fetch(self, class_id: int, obis: str, attribute: int, selection: Range | Entries | None) -> tuple[int, bytes]:
        """(result, octets) of an attribute, all its blocks."""
        what = f"GET {class_id}/{obis}/{attribute}"
        got = self._ask(what, apdu.get_request(class_id, obis, attribute, selection), "get")
        if not got.block:
            return got.result, got.data
        data = bytearray(got.data)
        expected = 1
        while True:
            if got.result:
                return got.result, b""
            if got.block != expected or len(data) > MAX_OBJECT_OCTETS:
                self._broken = "its blocks were wrong"
                problem = "blocks out of order" if got.block != expected else f"more than {MAX_OBJECT_OCTETS} octets"
                raise DlmsTransient(f"meter {self.endpoint.serial}: {what}: {problem}")
            if got.last:
                return 0, bytes(data)
            got = self._ask(what, apdu.get_next(expected), "get")
            data += got.data
            expected += 1

    def get(self, class_id: int, obis: str, attribute: int, selection: Range | Entries | None = None) -> Data:
        """One attribute. Raises DlmsRefused, DlmsTransient."""
        what = f"meter {self.endpoint.serial}: GET {class_id}/{obis}/{attribute}"
        result, octets = self._fetch(class_id, obis, attribute, selection)
        apdu.raise_trouble(Answer("get", result), what)
        return axdr.read(octets)

    # --- reading ---

    def clock(self) -> datetime:
        """The meter's time, in its zone. Raises DlmsRefused where the meter says that it has none."""
        octets = self.get(CLOCK_CLASS, CLOCK, 2).value
        try:
            at = dlms_clock(octets if isinstance(octets, bytes) else b"", str(self.zone))
        except ValueError as e:
            raise DlmsRefused(f"meter {self.endpoint.serial}: its clock is not understood: {e}") from None
        if at is None:
            raise DlmsRefused(f"meter {self.endpoint.serial}: its clock is not set")
        return at

    def firmware(self) -> str:
        """Firmware version; empty where the meter does not tell."""
        if self._firmware is None:
            try:
                self._firmware = self.get(DATA, FIRMWARE, 2).text
            except DlmsRefused:
                self._firmware = ""
        return self._firmware

    def columns(self, obis: str) -> tuple[Column, ...]:
        """What the meter captures in a profile, with units and scalers. Read once an association; scalers once a firmware where `open` was
        given a cache."""
        if obis not in self._columns:
            captured = tuple(self._captured(obis))
            scalers = self._scalers_of(obis, captured)
            self._columns[obis] = tuple(
                replace(c, scaler=scalers[c.obis][0], unit=scalers[c.obis][1]) if _is_scaled(c) else c for c in captured
            )
        return self._columns[obis]

    def _captured(self, obis: str) -> list[Column]:
        columns = []
        for item in self.get(PROFILE_GENERIC, obis, 3).items:
            class_id, name, attribute, index = item.first(4)
            columns.append(Column(class_id.number, name.obis, attribute.number, index.number))
        return columns

    def _scalers_of(self, obis: str, captured: Sequence[Column]) -> Scalers:
        wanted = {c.obis: c for c in captured if _is_scaled(c)}
        scaler_obis = next((p.scaler_obis for p in profile_objects().values() if p.obis == obis), "")
        known = self._scalers.get(self.firmware(), scaler_obis)
        if not wanted.keys() <= known.keys():
            if scaler_obis:
                known |= self._scaler_profile(scaler_obis)
            for name in wanted.keys() - known.keys():
                known[name] = self._scaler_of(wanted[name])
            self._scalers.put(self.firmware(), scaler_obis, known)
        return known

    def _scaler_profile(self, scaler_obis: str) -> Scalers:
        try:
            names = self._captured(scaler_obis)
            rows = self.get(PROFILE_GENERIC, scaler_obis, 2).items
        except DlmsRefused:
            return {}
        return {
            c.obis: scaler_unit(v) for row in rows[:1] for c, v in zip(names, row.items, strict=False) if c.class_id in SCALER_ATTRIBUTE
        }

    def _scaler_of(self, column: Column) -> tuple[int, int]:
        """A register's own scaler, or that of its sibling. Never guessed: raises DlmsRefused."""
        a, b, c, d, e, f = column.obis.split(".")
        sibling = f"{a}.{b}.{c}.{SIBLINGS.get(int(d), d)}.{e}.{f}"
        for obis in dict.fromkeys((column.obis, sibling)):
            try:
                return scaler_unit(self.get(column.class_id, obis, SCALER_ATTRIBUTE[column.class_id]))
            except DlmsRefused:
                continue
        raise DlmsRefused(f"meter {self.endpoint.serial}: it tells the scaler neither of {column.obis} nor of {sibling}")

    def read_profile(self, obis: str, since: datetime, until: datetime) -> Profile:
        """Rows stamped since < t <= until (aware). Raises DlmsRefused, DlmsTransient."""
        columns = self.columns(obis)
        at = next((i for i, c in enumerate(columns) if _is_stamp(c)), None)
        if at is None:
            raise DlmsRefused(f"meter {self.endpoint.serial}: profile {obis} captures no time: read it without a range")
        stamp = columns[at]
        first, last = (axdr.date_time(t.astimezone(self.zone)) for t in (since + timedelta(seconds=1), until))
        selection = Range(first, last, stamp.class_id, stamp.obis, stamp.attribute)
        result, octets = self._fetch(PROFILE_GENERIC, obis, 2, selection)
        if result in RANGE_NOT_KNOWN:
            result, octets = self._fetch(PROFILE_GENERIC, obis, 2, None)
        apdu.raise_trouble(Answer("get", result), f"meter {self.endpoint.serial}: profile {obis}")
        profile = self._profile(obis, columns, octets)
        self._fill_clock(profile, at)
        profile.rows = [row for row in profile.rows if self._within(row[at], since, until)]
        return profile

    def _profile(self, obis: str, columns: tuple[Column, ...], octets: bytes) -> Profile:
        rows = [row.items for row in axdr.read(octets).items]
        for row in rows:
            if len(row) != len(columns):
                raise DlmsMalformed(f"profile {obis}: a row of {len(row)} values for {len(columns)} capture objects")
        return Profile(obis, columns, rows)

    def _fill_clock(self, profile: Profile, at: int) -> None:
        """A null stamp is the stamp before plus the capture period."""
        if all(row[at].value is not None for row in profile.rows):
            return
        seconds = self.get(PROFILE_GENERIC, profile.obis, 4).number
        if not 0 < seconds <= MAX_PERIOD_S:
            raise DlmsMalformed(f"profile {profile.obis}: null stamps and a capture period of {seconds} s")
        period = timedelta(seconds=seconds)
        before: datetime | None = None
        for row in profile.rows:
            if row[at].value is None and before is not None and before.year < 9999:
                row[at] = axdr.read(axdr.octets(axdr.date_time(before + period)))
            before = _local(row[at], str(self.zone))

    def _within(self, stamp: Data, since: datetime, until: datetime) -> bool:
        """A row whose stamp cannot be read stays: it is for the readers to reject."""
        at = _local(stamp, str(self.zone))
        return at is None or since < at <= until

    def read_instant(self) -> Profile:
        """The one row of the instantaneous profile."""
        obis = profile_objects()["instant"].obis
        return self._profile(obis, self.columns(obis), self.get(PROFILE_GENERIC, obis, 2).octets)

    def read_nameplate(self) -> Profile:
        """The nameplate profile, or its objects one by one where the meter has no such profile."""
        obis = profile_objects()["nameplate"].obis
        try:
            return self._profile(obis, self.columns(obis), self.get(PROFILE_GENERIC, obis, 2).octets)
        except DlmsRefused:
            pairs: list[tuple[Column, Data]] = []
            for name in NAMEPLATE:
                try:
                    pairs.append((Column(DATA, name, 2), self.get(DATA, name, 2)))
                except DlmsRefused:
                    continue
            return Profile(obis, tuple(c for c, _ in pairs), [[v for _, v in pairs]] if pairs else [])

    def read_events(self, since: datetime, until: datetime) -> list[Profile]:
        """All event logs of which the meter has rows. A log that it does not have is left out."""
        logs = []
        for p in profile_objects().values():
            if p.name.startswith("event_"):
                try:
                    log = self.read_profile(p.obis, since, until)
                except DlmsRefused as e:
                    if e.result not in NOT_THERE:
                        raise
                    continue
                if log.rows:
                    logs.append(log)
        return logs

    def relay_state(self) -> RelayState:
        """Raises DlmsRefused where the meter has no relay."""
        closed, state, mode = (self.get(70, DISCONNECT_CONTROL, n) for n in (2, 3, 4))
        return RelayState(bool(closed.value), state.number, mode.number)

    # --- changing ---

    def disconnect(self) -> None:
        """Open the relay. Raises DlmsRefused, DlmsTransient (nothing was sent), DlmsUnknownOutcome."""
        self._change("disconnect", apdu.action_request(70, DISCONNECT_CONTROL, 1, axdr.i8(0)), "action")

    def connect(self) -> None:
        """Close the relay. Raises as `disconnect`."""
        self._change("connect", apdu.action_request(70, DISCONNECT_CONTROL, 2, axdr.i8(0)), "action")

    def set_clock(self, now: datetime) -> None:
        """Set the meter's clock to an aware time, with the sign of deviation that its clock has. Raises as `disconnect`."""
        octets = self.get(CLOCK_CLASS, CLOCK, 2).value
        deviation = (
            int.from_bytes(octets[9:11], "big", signed=True) if isinstance(octets, bytes) and len(octets) == 12 else axdr.NOT_SPECIFIED
        )
        value = axdr.octets(axdr.date_time(now.astimezone(self.zone), deviation))
        self._change("set the clock", apdu.set_request(CLOCK_CLASS, CLOCK, 2, value), "set")

    def set_load_limit(self, watts: int) -> None:
        """Set the limiter's normal threshold, in the unit of what it monitors. Raises as `disconnect`, ValueError for a limit below 0."""
        if watts < 0:
            raise ValueError(f"a load limit of {watts} W: it must not be negative")
        monitored = self.get(71, LIMITER, 2).first(2)
        class_id = monitored[0].number
        scaler, unit = scaler_unit(self.get(class_id, monitored[1].obis, SCALER_ATTRIBUTE.get(class_id, 3)))
        raw, rest = divmod(watts, 10**scaler) if scaler >= 0 else (watts * 10**-scaler, 0)
        if unit != 27 or rest or raw >= 1 << 32:
            raise DlmsRefused(
                f"meter {self.endpoint.serial}: its limiter counts in units of 10^{scaler} of unit {unit}: {watts} W does not fit"
            )
        self._change("set the load limit", apdu.set_request(71, LIMITER, 4, axdr.u32(raw)), "set")

    def set_calendar(self, name: str, switches: Sequence[tuple[time_of_day, int]], activate_at: datetime | None = None) -> None:
        """Set the passive calendar to one day profile for all the year: (time, zone 1 to 8), the first at 00:00. It becomes active at
        `activate_at` (aware), or now. `name` has at most 8 characters. Raises as `disconnect`, ValueError for a calendar that is none.
        """
        if not switches or switches[0][0] != time_of_day() or [t for t, _ in switches] != sorted({t for t, _ in switches}):
            raise ValueError("the switching times must rise and begin at 00:00")
        if not all(1 <= zone <= 8 for _, zone in switches):
            raise ValueError("zones are 1 to 8")
        label = name.encode("ascii", "replace")
        if not 1 <= len(label) <= 8:
            raise ValueError(f"the calendar's name {name!r} must have 1 to 8 characters")
        script = axdr.octets(axdr.logical_name(TARIFF_SCRIPTS))
        actions = [axdr.structure(axdr.octets(bytes([t.hour, t.minute, t.second, 0xFF])), script, axdr.u16(zone)) for t, zone in switches]
        season_start = axdr.octets(bytes.fromhex("ffff0101ff00000000800000"))
        parts = {
            6: axdr.octets(label),
            7: axdr.array([axdr.structure(axdr.octets(b"1"), season_start, axdr.octets(b"1"))]),
            8: axdr.array([axdr.structure(axdr.octets(b"1"), *[axdr.u8(1)] * 7)]),
            9: axdr.array([axdr.structure(axdr.u8(1), axdr.array(actions))]),
        }
        for attribute, value in parts.items():
            self._change(f"set the calendar, attribute {attribute}", apdu.set_request(20, CALENDAR, attribute, value), "set")
        if activate_at is None:
            self._change("activate the calendar", apdu.action_request(20, CALENDAR, 1, axdr.i8(0)), "action")
        else:
            value = axdr.octets(axdr.date_time(activate_at.astimezone(self.zone)))
            self._change("set when the calendar becomes active", apdu.set_request(20, CALENDAR, 10, value), "set")


def _is_stamp(c: Column) -> bool:
    return (c.class_id, c.obis, c.attribute) == (CLOCK_CLASS, CLOCK, 2) or (c.obis, c.attribute) == (BILLING_DATE, 2)


def _is_scaled(c: Column) -> bool:
    return c.class_id in SCALER_ATTRIBUTE and c.attribute in ((2, 3) if c.class_id == DEMAND_REGISTER else (2,)) and c.obis != BILLING_DATE


def scaler_unit(v: Data) -> tuple[int, int]:
    """(scaler, unit) of a structure. Raises DlmsMalformed for anything else."""
    scaler, unit = v.first(2)
    return scaler.number, unit.number


def _local(stamp: Data, zone: str) -> datetime | None:
    try:
        return dlms_clock(stamp.value, zone) if isinstance(stamp.value, bytes) else None
    except ValueError:
        return None
