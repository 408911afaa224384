"""The audit log of decisions: noted in memory and written by the second, so that no request waits for it.

A change of who may do what is written in its own transaction instead.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import astuple, dataclass, replace
from typing import Any, Literal

import psycopg
import psycopg_pool

from api.auth.repository import insert_decisions
from api.database import Database
from warehouse.embedded import EmbeddedError

logger = logging.getLogger(__name__)

EVERY_S = 1.0
MOST_WAITING = 100_000
"""Lines that are kept while the warehouse does not answer; of more, the oldest are given up, with an error in the log."""


@dataclass(frozen=True)
class Decision:
    discom_id: int | None
    who: str | None
    action: str
    outcome: Literal["allowed", "refused"]
    method: str
    path: str
    request_id: str | None
    address: str | None


class AccessLog:
    """Decisions on requests, of one application."""

    def __init__(self, pools: Database) -> None:
        self._pools = pools
        self._waiting: deque[Decision] = deque()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def note(self, decision: Decision) -> None:
        """Keep it for the next write."""
        decision = replace(decision, path=decision.path.replace("\x00", "\ufffd"))  # which a text of the warehouse cannot hold
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            logger.error("the audit log could not be written for long: a decision is given up")
        self._waiting.append(decision)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
                    self._thread.start()

    @property
    def waiting(self) -> int:
        """Decisions that are not written yet."""
        return len(self._waiting)

    def flush(self) -> None:
        """Write what waits. What cannot be written waits on."""
        lines = []
        while self._waiting:
            lines.append(self._waiting.popleft())
        if not lines:
            return
        try:
            with self._pools.auth() as conn:
                insert_decisions(conn, [tuple(map(_storable, astuple(line))) for line in lines])
        except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed, EmbeddedError) as e:
            logger.warning("%d decisions wait for the warehouse: %s", len(lines), e)
            self._waiting.extendleft(reversed(lines))

    def close(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self.flush()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            self.flush()


def _storable(value: Any) -> Any:
    """Text as the warehouse takes it: a path may hold NUL or half of a surrogate pair, and one such line would hold up all that follow."""
    return value.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
