"""Who wants to hear how far a run is: the CLI's progress bar, or nobody. Only for runs in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Listener(Protocol):
    def expect(self, steps: int) -> None:
        """`steps` more steps are to come."""

    def done(self, name: str, status: str) -> None:
        """One step ended."""


_listener: Listener | None = None


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    global _listener
    _listener = listener
    try:
        yield
    finally:
        _listener = None


def expect(steps: int) -> None:
    if _listener:
        _listener.expect(steps)


def node_done(name: str, status: str) -> None:
    if _listener:
        _listener.done(name, status)
