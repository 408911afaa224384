"""Commands of vendor `hpl`: what its REST server does with them, section 2.1 of docs/hes-formats.md. Relays, delays, and faults on demand.

It carries out what it is sent, twice where it is sent twice, and counts: a client that must not repeat itself is found out by `switches`.
`POST /control/commands` sets `faults` (taken one a command, in order), `delay_s` and `switched`; `GET /control/commands` tells the counts.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from simulation.hpl import INT8, UINT16, UINT32, render

IST = timezone(timedelta(minutes=330))
CONTROL_LOG, EVENT_CODE = "0.0.99.98.6.255", "0.0.96.11.6.255"
INSTANT = "1.0.94.91.0.255"
CODES = {"disconnect": 301, "connect": 302}
COMMANDS = (*CODES, "loadLimit", "read", "readProfile", "clockSync", "todCalendar")
FAULTS = ("busy", "lost", "late", "refuse", "fail", "forget", "none")
"""busy: 503, not done. lost: done, and no answer comes for LOST_S. late: an answer after SLOW_S. refuse: 422. fail: taken on, then failed.
forget: answered as if taken on, and forgotten."""
SLOW_S = 1.0
LOST_S = 120.0

Answer = tuple[int, dict[str, Any]]


@dataclass
class _Taken:
    """A command that was taken on; it is carried out when `due` comes."""

    serial: str
    command: str
    parameters: dict[str, Any]
    due: float
    fails: bool
    state: str = "accepted"
    items: list[dict[str, Any]] = field(default_factory=list)


class Commands:
    """The part of the HES that commands meters. `emit` puts an item into a feed, `entries` gives a meter's items of one."""

    def __init__(
        self, emit: Callable[[str, dict[str, Any]], None], entries: Callable[[str, str, datetime, datetime], list[dict[str, Any]]]
    ) -> None:
        self._emit, self._entries = emit, entries
        self._lock = threading.RLock()
        self._taken: dict[str, _Taken] = {}
        self._closed: dict[str, bool] = {}
        self._faults: list[str] = []
        self._delay_s = 0.0
        self._switches: Counter[str] = Counter()
        self._submitted: list[tuple[float, str, str]] = []
        self._parallel = self._most_parallel = 0

    def answer(self, method: str, path: str, body: Any) -> Answer | None:
        """Status and body for a request, None where the path is not one of commands."""
        parts = path.strip("/").split("/")
        match method, parts:
            case "POST", ["control", "commands"]:
                return self._order(body)
            case "GET", ["control", "commands"]:
                return self._counts()
            case "POST", ["api", "commands"]:
                with self._lock:
                    self._parallel += 1
                    self._most_parallel = max(self._most_parallel, self._parallel)
                try:
                    return self._submit(body)
                finally:
                    with self._lock:
                        self._parallel -= 1
            case "GET", ["api", "commands", reference]:
                return self._state(reference)
            case "GET", ["api", "meters", serial, "relay"]:
                self._carry_out()
                return 200, {"meterSerial": serial, "relay": self._relay(serial)}
        return None

    def _order(self, body: dict[str, Any]) -> Answer:
        with self._lock:
            if unknown := set(body.get("faults", [])) - set(FAULTS):
                return 400, {"error": f"no such fault: {', '.join(sorted(unknown))}"}
            self._faults = list(body.get("faults", self._faults))
            self._delay_s = body.get("delay_s", self._delay_s)
            self._closed |= body.get("switched", {})
        return 200, {}

    def _counts(self) -> Answer:
        with self._lock:
            sent = [{"at": at, "reference": r, "meterSerial": s} for at, r, s in self._submitted]
            return 200, {"switches": dict(self._switches), "submitted": sent, "mostParallel": self._most_parallel}

    def _submit(self, body: Any) -> Answer:
        try:
            reference, serial, command = str(body["reference"]), str(body["meterSerial"]), body["command"]
            parameters = dict(body["parameters"])
        except (KeyError, TypeError, ValueError):
            return 400, {"error": "write reference, meterSerial, command and parameters"}
        if command not in COMMANDS:
            return 422, {"error": f"no such command: {command}"}
        with self._lock:
            fault = self._faults.pop(0) if self._faults else "none"
            self._submitted.append((time.time(), reference, serial))
            if fault == "busy":
                return 503, {"error": "the head-end system is busy"}
            if fault == "refuse":
                return 422, {"error": "the meter is not commissioned"}
            if fault != "forget":
                self._taken[reference] = _Taken(serial, command, parameters, time.monotonic() + self._delay_s, fault == "fail")
        self._carry_out()
        if fault in ("lost", "late"):
            time.sleep(LOST_S if fault == "lost" else SLOW_S)
        return 202, {"reference": reference, "state": "accepted"}

    def _state(self, reference: str) -> Answer:
        self._carry_out()
        with self._lock:
            taken = self._taken.get(reference)
            if taken is None:
                return 404, {"error": "no such command"}
            body: dict[str, Any] = {"reference": reference, "state": taken.state}
            if taken.state == "failed":
                body["error"] = "the meter did not answer"
            elif taken.state == "done" and taken.command in CODES:
                body["relay"] = self._relay(taken.serial)
            elif taken.state == "done" and taken.items:
                body["items"] = taken.items
            return 200, body

    def _relay(self, serial: str) -> str:
        return "closed" if self._closed.get(serial, True) else "open"

    def _carry_out(self) -> None:
        """Whatever is due by now."""
        with self._lock:
            for taken in self._taken.values():
                if taken.state == "accepted" and taken.due <= time.monotonic():
                    taken.state = "failed" if taken.fails else "done"
                    if not taken.fails:
                        self._do(taken)

    def _do(self, taken: _Taken) -> None:
        now = datetime.now(IST).replace(microsecond=0)
        stamp = f"{now:%Y-%m-%d %H:%M:%S}"
        common = {"receivedAt": now.isoformat(), "meterSerial": taken.serial}
        if taken.command in CODES:
            self._switches[taken.serial] += 1
            self._closed[taken.serial] = taken.command == "connect"
            columns, entries = [[EVENT_CODE, 255, 0, UINT16]], [[stamp, CODES[taken.command]]]
            self._emit("event", {**common, "obis": CONTROL_LOG, "columns": columns, "entries": entries})
        elif taken.command == "read":
            columns = [["1.0.12.7.0.255", 35, -2, UINT16], ["1.0.1.8.0.255", 30, 0, UINT32], ["0.0.96.3.10.255", 255, 0, INT8]]
            values = [[stamp, 23012, 1234567, int(self._closed.get(taken.serial, True))]]
            taken.items = [render({**common, "obis": INSTANT, "columns": columns, "entries": values}, "event")]
        elif taken.command == "readProfile":
            since, until = (datetime.fromisoformat(taken.parameters[k]) for k in ("since", "until"))
            taken.items = self._entries(taken.parameters["profile"], taken.serial, since.astimezone(UTC), until.astimezone(UTC))
