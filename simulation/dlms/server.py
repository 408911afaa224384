"""The process of simulated meters: one port for all of them, and a port through which tests and demonstrations tell them to misbehave.

A meter's number is its address: the destination of the wrapper, or the HDLC server address. The control port takes one JSON object a line:
`{"do": "state" | "fault" | "clear" | "skew" | "event" | "push", "meter": 1, …}` and answers with one. Loopback only.
"""

from __future__ import annotations

import csv
import json
import os
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from simulation.dlms.framing import FLAG, HdlcServer, wrap
from simulation.dlms.meter import Clock, SimulatedMeter
from simulation.dlms.push import PushOptions, push
from simulation.dlms.session import Fault, Faults, NotDone, Session

DRIP_S = 0.05
IDLE_S = 60.0
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0


@dataclass
class Park:
    """The meters of a server, by number, and their faults."""

    meters: dict[int, SimulatedMeter]
    faults: dict[int, Faults] = field(default_factory=dict)
    requests: dict[int, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def of(cls, count: int, seed: int, categories: list[str], interval_min: int, start: datetime | None, history_days: int) -> Park:
        """Meters 1 to count; categories take turns."""
        numbers = range(1, count + 1)
        make = lambda n: SimulatedMeter(n, seed, categories[(n - 1) % len(categories)], interval_min, Clock(start), history_days)  # noqa: E731
        return cls({n: make(n) for n in numbers}, {n: Faults() for n in numbers}, dict.fromkeys(numbers, 0))

    def order(self, line: dict[str, Any]) -> dict[str, Any]:
        """Do what the control port was told. Raises KeyError, ValueError, TypeError or OSError."""
        number = line.get("meter", 1)
        meter, faults = self.meters[number], self.faults[number]
        rest = {k: v for k, v in line.items() if k not in ("do", "meter")}
        match line["do"]:
            case "state":
                relay = {"relay_closed": meter.relay_closed, "control_state": meter.control_state}
                clock = meter.clock.now().isoformat()
                return {**relay, "load_limit_w": meter.load_limit_w, "clock": clock, "requests": self.requests[number]}
            case "fault":
                faults.pending.append(Fault(**rest))
            case "clear":
                faults.pending.clear()
            case "skew":
                meter.clock.skew += timedelta(seconds=rest["seconds"])
            case "event":
                return {"at": meter.happen(rest["code"]).at.isoformat()}
            case "push":
                host, port = rest.pop("host"), rest.pop("port")
                return {"confirmed": push(meter, PushOptions(**rest), host, port)}
            case other:
                raise ValueError(f"{other!r} is not known")
        return {}

    def write_registry(self, folder: Path, host: str, port: int) -> None:
        """meter_endpoint.csv and keys.json (mode 600) of all meters: client 48 with HLS-GMAC over the wrapper."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "meter_endpoint.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            header = "meter_serial host port framing client_address server_address authentication system_title"
            out.writerow(header.split())
            for n, m in self.meters.items():
                out.writerow([m.serial, host, port, "wrapper", 48, n, "hls_gmac", m.system_title.hex().upper()])
        keys = {
            m.serial: {
                "encryption_key": m.keys.encryption.hex(),
                "authentication_key": m.keys.authentication.hex(),
                "password": m.keys.password.decode(),
                "system_title": m.system_title.hex(),
            }
            for m in self.meters.values()
        }
        with open(os.open(folder / "keys.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(keys, file, indent=1)


class _Connection(socketserver.BaseRequestHandler):
    """A client's connection: wrapper or HDLC, as its first octet says."""

    park: Park

    def handle(self) -> None:
        self.request.settimeout(IDLE_S)
        self.sessions: dict[tuple[int, int], Session] = {}
        try:
            first = self.request.recv(1, socket.MSG_PEEK)
            if first == bytes([FLAG]):
                self._hdlc()
            elif first:
                self._wrapper()
        except (EOFError, OSError):
            return

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.request.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _wrapper(self) -> None:
        while True:
            _, source, destination, size = struct.unpack(">HHHH", self._exactly(8))
            self.fault = ""
            answer = self._answer(destination, source, self._exactly(size))
            if answer is not None:
                self._deliver(wrap(destination, source, answer))

    def _hdlc(self) -> None:
        self.fault = ""
        server = HdlcServer(self._deliver, lambda _: self.sessions.clear(), self._answer)
        while data := self.request.recv(4096):
            server.feed(data)

    def _answer(self, number: int, client: int, apdu: bytes) -> bytes | None:
        meter = self.park.meters.get(number)
        if meter is None:
            return None
        with self.park.lock:
            self.park.requests[number] += 1
            session = self.sessions.setdefault((number, client), Session(meter, self.park.faults[number]))
            try:
                answer = session.handle(apdu)
            except NotDone as undone:
                if undone.fault == "close":
                    raise EOFError from None
                return None
        self.fault = session.fault
        return None if self.fault == "silent" else answer

    def _deliver(self, frame: bytes) -> None:
        if self.fault == "cut":
            self.request.sendall(frame[: len(frame) // 2])
            raise EOFError
        if self.fault == "drip":
            for octet in frame:
                self.request.sendall(bytes([octet]))
                time.sleep(DRIP_S)
        else:
            self.request.sendall(frame)


class _Control(socketserver.StreamRequestHandler):
    park: Park

    def handle(self) -> None:
        for line in self.rfile:
            try:
                answer = {"ok": True, **self.park.order(json.loads(line))}
            except (KeyError, ValueError, TypeError, OSError) as error:
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of the server's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(park: Park, port: int, folder: Path | None = None) -> None:
    """Serve until the process ends. Says where on standard output: `listening on HOST:PORT`, then `control on HOST:PORT`."""
    meters = _Server(("127.0.0.1", port), type("Connection", (_Connection,), {"park": park}))
    control = _Server(("127.0.0.1", 0), type("Control", (_Control,), {"park": park}))
    if folder is not None:
        park.write_registry(folder, "127.0.0.1", meters.server_address[1])
    threading.Thread(target=control.serve_forever, daemon=True).start()
    sys.stdout.write(f"listening on 127.0.0.1:{meters.server_address[1]}\ncontrol on 127.0.0.1:{control.server_address[1]}\n")
    sys.stdout.flush()
    try:
        meters.serve_forever()
    finally:
        meters.server_close()
        control.server_close()


class DlmsServer:
    """Run the meters as a process for the time of a `with` block.

    `with DlmsServer(meters=2, clock=datetime(2026, 10, 8, 10, 7)) as meters: meters.host, meters.port, meters.meter(1).keys, …`.
    `port` 0 is any free port; another lets a restarted server stand where it was. `folder` gets meter_endpoint.csv and keys.json.
    Raises RuntimeError where it does not start or an order fails.
    """

    def __init__(
        self,
        meters: int = 1,
        seed: int = 1,
        categories: str = "D1",
        interval_min: int = 30,
        clock: datetime | None = None,
        history_days: int = 45,
        port: int = 0,
        folder: Path | None = None,
    ) -> None:
        self.options = {"meters": meters, "seed": seed, "categories": categories, "interval-min": interval_min, "days": history_days}
        if clock is not None:
            self.options["clock"] = clock.isoformat()
        if folder is not None:
            self.options["folder"] = str(folder)
        self.host, self.port, self.control_port = "127.0.0.1", port, 0
        self._park = Park.of(meters, seed, categories.split(","), interval_min, clock, history_days)
        self._process: subprocess.Popen[str] | None = None

    def meter(self, number: int = 1) -> SimulatedMeter:
        """A meter like the server's, in this process: to compute what the server's must say."""
        return self._park.meters[number]

    def __enter__(self) -> DlmsServer:
        command = [sys.executable, "-m", "simulation", "serve-dlms", "--port", str(self.port)]
        command += [part for name, value in self.options.items() for part in (f"--{name}", str(value))]
        root = Path(__file__).resolve().parent.parent.parent
        self._process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.port = self._said("listening on ")
            self.control_port = self._said("control on ")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _said(self, before: str) -> int:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.append(process.stdout.readline()), daemon=True)  # type: ignore[union-attr]
        reader.start()
        reader.join(START_TIMEOUT_S)
        if not lines or not lines[0].startswith(before):
            process.kill()
            raise RuntimeError(f"the DLMS server did not start: {''.join(lines)}{process.communicate()[1]}".strip())
        return int(lines[0].strip().rsplit(":", 1)[1])

    def stop(self) -> None:
        """End the process; the meters are gone as at a power failure."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=STOP_TIMEOUT_S)

    def order(self, do: str, meter: int = 1, **rest: Any) -> dict[str, Any]:
        """Tell a meter what to do, as the control port takes it."""
        with socket.create_connection((self.host, self.control_port), timeout=START_TIMEOUT_S) as connection:
            connection.sendall(json.dumps({"do": do, "meter": meter, **rest}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile().readline())
        if not answer.pop("ok"):
            raise RuntimeError(f"{do}: {answer['error']}")
        return answer
