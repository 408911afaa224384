"""How often somebody may call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Limits:
    """A bucket of requests a caller, that fills evenly and holds a minute's worth. Several processes allow as much each."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, subject: str, per_min: int) -> float:
        """0 where a request may pass, else how many seconds it must wait. Only callers that are known come here, so the buckets are few."""
        now = self._clock()
        with self._lock:
            level, at = self._buckets.get(subject, (float(per_min), now))
            level = min(float(per_min), level + (now - at) * per_min / 60)
            if level < 1:
                self._buckets[subject] = level, now
                return (1 - level) * 60 / per_min
            self._buckets[subject] = level - 1, now
            return 0.0
