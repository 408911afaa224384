"""Several processes of the API on one port, each with a socket of its own.

Processes that share a socket take connections as they wake, and one of them soon holds most: with a socket each (SO_REUSEPORT) the kernel
deals them out.
"""

from __future__ import annotations

import socket

from uvicorn import Config, Server
from uvicorn.supervisors import multiprocess


class _Listening(Server):
    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run([_bound(self.config)])


class _Worker(multiprocess.Process):
    @property
    def server(self) -> Server:
        if self._server is None:
            self._server = _Listening(config=self.config)
        return self._server


def _bound(config: Config, *, together: bool = True) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if together:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((config.host, config.port))
    return sock


def serve(config: Config) -> None:
    """Run `config.workers` processes, or this one, until a signal ends them. Raises OSError where the port is taken."""
    if config.workers == 1:
        Server(config).run()
        return
    _bound(config, together=False).close()  # who listens there already would share it with us
    with _bound(config):  # it does not listen, and keeps others from the port while processes come and go
        multiprocess.Process = _Worker  # type: ignore[misc]
        multiprocess.Multiprocess(config, sockets=[]).run()
