"""Commands to meters that are reached directly by DLMS/COSEM: we are the head-end system, so an outcome is known at once or by looking.

A meter keeps no list of commands: after an answer that was lost, the position of the relay is all that there is to ask.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from ingestion.canonical import Delivery
from ingestion.commands.driver import Command, Outcome, Verdict
from ingestion.commands.states import RELAY, Kind
from ingestion.dlms.errors import DlmsError, DlmsRefused, DlmsTransient, DlmsUnknownOutcome
from ingestion.dlms.meter import INVOCATION_COUNTER, DlmsMeter, Endpoint
from ingestion.dlms.profiles import Profile, expand, payload, profile_objects
from ingestion.dlms.security import Keys
from ingestion.readers import read
from ingestion.vendor import Vendor

CONTROL_LOG = "event_control"
LOG_SPAN = timedelta(minutes=10)
"""How far back, by the meter's clock, the control log is read after a switch."""


class DlmsDriver:
    """ingestion.commands.driver.Driver for one meter."""

    def __init__(self, vendor: Vendor, endpoint: Endpoint, keys: Keys) -> None:
        self._vendor, self._endpoint, self._keys = vendor, endpoint, keys

    def supports(self, kind: Kind) -> bool:
        return True

    def submit(self, command: Command) -> Outcome:
        try:
            with self._open() as meter:
                return self._do(meter, command)
        except DlmsUnknownOutcome as e:
            return Outcome(Verdict.UNKNOWN, str(e))
        except DlmsTransient as e:
            return Outcome(Verdict.NOT_SENT, str(e))
        except (DlmsError, ValueError) as e:
            return Outcome(Verdict.REFUSED, str(e))

    def poll(self, command: Command) -> Outcome:
        if command.kind not in RELAY:
            return Outcome(Verdict.UNHEARD, "a meter keeps no list of commands")
        try:
            with self._open() as meter:
                if meter.relay_state().closed == (command.kind == Kind.CONNECT):
                    return self._switched(meter, command)
        except DlmsRefused as e:
            return Outcome(Verdict.UNKNOWN, f"the relay's position cannot be read: {e}")
        except DlmsError as e:
            return Outcome(Verdict.UNKNOWN, f"the meter cannot be asked: {e}")
        return Outcome(Verdict.UNHEARD, "the meter's relay stands as it was")

    def relay_closed(self, command: Command) -> bool | None:
        try:
            with self._open() as meter:
                return meter.relay_state().closed
        except DlmsError:
            return None

    def _open(self) -> DlmsMeter:
        t = self._vendor.transport
        return DlmsMeter.open(
            self._endpoint,
            self._keys,
            float(t.get("timeout_s", 10)),
            zone=self._vendor.zone,
            counter_obis=t.get("invocation_counter", INVOCATION_COUNTER),
        )

    def _do(self, meter: DlmsMeter, command: Command) -> Outcome:
        """Raises DlmsError, of what was not done or nobody knows."""
        given = command.parameters
        match command.kind:
            case Kind.CONNECT | Kind.DISCONNECT:
                return self._switch(meter, command)
            case Kind.LOAD_LIMIT:
                meter.set_load_limit(given["load_limit_w"])
            case Kind.CLOCK_SYNC:
                meter.set_clock(datetime.now(UTC))
            case Kind.TOD_CALENDAR:
                switches = [(time.fromisoformat(s["at"]), s["zone"]) for s in given["switches"]]
                meter.set_calendar(given["name"], switches, _stamp(given["activates_at"]) if given["activates_at"] else None)
            case Kind.READ:
                return self._read(command, [meter.read_instant()])
            case Kind.READ_PROFILE:
                since, until = _stamp(given["since"]), _stamp(given["until"])
                if given["profile"] == "event":
                    return self._read(command, meter.read_events(since, until))
                return self._read(command, [meter.read_profile(p.obis, since, until) for p in expand([given["profile"]])])
        return Outcome(Verdict.DONE, "the meter has confirmed it")

    def _switch(self, meter: DlmsMeter, command: Command) -> Outcome:
        connect = command.kind == Kind.CONNECT
        if connect:
            meter.connect()
        else:
            meter.disconnect()
        try:
            closed = meter.relay_state().closed
        except DlmsError as e:  # the meter has taken it on: nothing from here on may look as if it had not
            return Outcome(Verdict.ACCEPTED, f"the meter has taken it on, its relay could not be read yet: {e}")
        if closed != connect:
            return Outcome(Verdict.ACCEPTED, "the meter has taken it on, its relay has not moved yet")
        return self._switched(meter, command)

    def _switched(self, meter: DlmsMeter, command: Command) -> Outcome:
        """The relay is in the position; its event is read, so that it lands with the command."""
        connect = command.kind == Kind.CONNECT
        why, detail = "the relay is in the position", {"relay_closed": connect}
        try:
            now = meter.clock()
            log = meter.read_profile(profile_objects()[CONTROL_LOG].obis, now - LOG_SPAN, now + timedelta(minutes=1))
        except DlmsError as e:
            return Outcome(Verdict.DONE, f"{why}; its event could not be read: {e}", detail=detail)
        return Outcome(Verdict.DONE, why, self._delivery(command, [log]), detail=detail)

    def _read(self, command: Command, profiles: list[Profile]) -> Outcome:
        return Outcome(Verdict.DONE, "the meter was read", self._delivery(command, profiles))

    def _delivery(self, command: Command, profiles: list[Profile]) -> Delivery | None:
        items = [p.item(command.serial) for p in profiles if p.rows]
        return read(self._vendor, f"dlms:{command.serial}/{command.reference}", payload(items), datetime.now(UTC)) if items else None


def _stamp(text: str) -> datetime:
    return datetime.fromisoformat(text)
