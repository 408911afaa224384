"""An MQTT broker in Python (amqtt; 3.1.1 only) on loopback, for a demonstration on a machine that has none. It keeps all in memory."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

HOST = "127.0.0.1"


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
