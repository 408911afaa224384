"""An MQTT broker in Python (amqtt; 3.1.1 only) on loopback, for a demonstration on a machine that has none. It keeps all in memory."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 5.0


def serve(port: int, ready: Callable[[int], None]) -> None:
    """Serve until interrupted; `ready` is called with the port once clients can connect (port 0 = any free one)."""
    logging.disable(logging.ERROR)  # amqtt and its state machine log each packet
    asyncio.run(_serve(port, ready))


async def _serve(port: int, ready: Callable[[int], None]) -> None:
    from amqtt.broker import Broker  # not at the top: it takes half a second

    port = port or _free_port()
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}", "max_connections": 50}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    await broker.start()
    try:
        ready(port)
        await asyncio.Event().wait()
    finally:
        await broker.shutdown()


def _free_port() -> int:
    with socket.socket() as s:
        s.bind((HOST, 0))
        return int(s.getsockname()[1])


class MqttBroker:
    """Run the broker as a process for the time of a `with` block; `url` is its address. Raises RuntimeError where it does not start."""

    def __init__(self) -> None:
        self.url = ""
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> MqttBroker:
        process = self._start("broker", "--port", "0")
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("listening on "):
            self._stop()
            raise RuntimeError("the MQTT broker of the demonstration did not start: is amqtt installed?")
        self.url = line.removeprefix("listening on ").strip()
        return self

    def publish(self, data: Path) -> None:
        """Begin to publish a tenant's hpl folder there, by a process of its own."""
        port = self.url.rpartition(":")[2]
        self._start("publish-mqtt", "--data", str(data.resolve()), "--port", port, "--protocol", "3.1.1")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        root = Path(__file__).resolve().parent.parent
        command = [sys.executable, "-m", "simulation", *arguments]
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._processes.append(process)
        return process

    def _stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.communicate(timeout=STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        self._processes.clear()
