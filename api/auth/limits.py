"""How often somebody may call: in one count over all processes where METERHOUSE_REDIS_URL names a Redis, else in each process."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

REDIS_TIMEOUT_S = 0.2
AWAY_S = 5.0
"""How long Redis is left alone once it did not answer."""

TAKE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1e6
local most = tonumber(ARGV[1])
local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = math.min(most, (tonumber(bucket[1]) or most) + (now - (tonumber(bucket[2]) or now)) * most / 60)
local passes = level >= 1
if passes then level = level - 1 end
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], 61)
return {passes and 1 or 0, string.format('%.6f', level)}
"""
"""The bucket of `Limits`, on Redis' own clock. After 60 s any bucket is full, so it may be forgotten."""


@dataclass(frozen=True)
class Taken:
    """What is left to a caller. `wait_s`: 0 where the request may pass; `full_in_s`: until the whole minute's worth is there again."""

    per_min: int
    left: float
    passes: bool = True

    @property
    def wait_s(self) -> float:
        return 0.0 if self.passes else (1 - self.left) * 60 / self.per_min

    @property
    def full_in_s(self) -> float:
        return (self.per_min - self.left) * 60 / self.per_min


class Limits:
    """A bucket of requests a caller, that fills evenly and holds a minute's worth.

    While Redis does not answer, each process counts for itself: a limit that is too generous for a while is better than no answer.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, redis_url: str | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}
        self._redis_url = redis_url or os.environ.get("METERHOUSE_REDIS_URL")
        self._script: Any = None
        self._away_until = 0.0
        self._away = False

    def take(self, subject: str, per_min: int) -> float:
        """As `taken`, within this process: how many seconds a request must wait, 0 where it may pass."""
        return self._in_process(subject, per_min).wait_s

    async def taken(self, subject: str, per_min: int) -> Taken:
        """Take one request of the caller's. Only callers that are known come here, so the buckets are few."""
        if self._redis_url and self._clock() >= self._away_until:
            import redis

            try:
                passes, left = await self._shared()(keys=[_key(subject)], args=[per_min])
            except (redis.RedisError, OSError, RuntimeError) as e:
                self._away_until = self._clock() + AWAY_S
                if not self._away:
                    logger.warning("Redis does not answer (%s): each process limits callers by itself until it does", type(e).__qualname__)
                self._away = True
            else:
                if self._away:
                    logger.warning("Redis answers again: callers are limited over all processes")
                self._away = False
                return Taken(per_min, float(left), bool(passes))
        return self._in_process(subject, per_min)

    async def close(self) -> None:
        if self._script is not None:
            await self._script.registered_client.aclose()
            self._script = None

    def _shared(self) -> Any:
        if self._script is None:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            assert self._redis_url
            client = Redis.from_url(
                self._redis_url,
                socket_timeout=REDIS_TIMEOUT_S,
                socket_connect_timeout=REDIS_TIMEOUT_S,
                retry=Retry(NoBackoff(), 1),  # a connection that Redis has closed meanwhile is opened again
            )
            self._script = client.register_script(TAKE)
        return self._script

    def _in_process(self, subject: str, per_min: int) -> Taken:
        now = self._clock()
        with self._lock:
            level, at = self._buckets.get(subject, (float(per_min), now))
            level = min(float(per_min), level + (now - at) * per_min / 60)
            passes = level >= 1
            self._buckets[subject] = level - passes, now
            return Taken(per_min, level - passes, passes)


def _key(subject: str) -> str:
    """A log-in is a person's: Redis is given a hash of it."""
    return f"meterhouse:limit:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"
