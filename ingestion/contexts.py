"""What a process that lands for long holds of each DISCOM: loaded once, and again when an import changed the registry or it is old."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg

from ingestion.landing import DiscomContext

MAX_AGE_S = 300.0


class Contexts:
    """DiscomContexts by code. One for all threads of a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[DiscomContext, int | None, float]] = {}

    def get(self, conn: psycopg.Connection, code: str) -> DiscomContext:
        """The context of a DISCOM as its registry is now. Raises LandingError where no DISCOM has this code."""
        with self._lock:
            # Asked before the load: what changes in between is loaded the next time.
            change = _latest_change(conn, code)
            found = self._known.get(code)
            if found is not None and found[1] == change and self._clock() - found[2] < MAX_AGE_S:
                return found[0]
            context = DiscomContext.load(conn, code)
            self._known[code] = context, change, self._clock()
            return context


def _latest_change(conn: psycopg.Connection, code: str) -> int | None:
    """The transaction of the latest import of this DISCOM, None where there was none."""
    with conn.transaction():
        row = conn.execute(
            "select written_by::text::bigint from ops.registry_change join registry.discom using (discom_id) where code = %s", [code]
        ).fetchone()
    return row[0] if row else None
