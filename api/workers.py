"""Several processes of the API on one port, each with a socket of its own.

Processes that share a socket take connections as they wake, and one of them soon holds most: with a socket each (SO_REUSEPORT) the kernel
deals them out.
"""

from __future__ import annotations

import socket
from typing import Any

import uvicorn
from uvicorn.supervisors import multiprocess


class _Listening(uvicorn.Server):
    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run([_bound(self.config)])


class _Worker(multiprocess.Process):
    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = _Listening(config=self.config)
        return self._server


def _bound(config: uvicorn.Config, *, together: bool = True) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if together:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((config.host, config.port))
    return sock


def serve(app: str, *, workers: int, **settings: Any) -> None:
    """Run the processes until a signal ends them; `settings` are uvicorn's. Raises OSError where the port of several is taken."""
    if workers == 1:
        uvicorn.run(app, **settings)
        return
    config = uvicorn.Config(app, workers=workers, **settings)
    _bound(config, together=False).close()  # who listens there already would share it with us
    with _bound(config) as reserved:  # it does not listen, and keeps others from the port while processes come and go
        config.port = reserved.getsockname()[1]
        # uvicorn has no way to give it processes of another kind.
        multiprocess.Process = _Worker  # type: ignore[misc]
        multiprocess.Multiprocess(config, sockets=[]).run()
