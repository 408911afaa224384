"""Requests to identity providers: timeouts, few tries, small answers, no redirects; and what is kept of an answer for a while.

URLs come from the operator's file, and from the discovery document of the provider that the file names: never from a request.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx

from api.auth.federated.vouched import ProviderError

logger = logging.getLogger(__name__)

MOST_BYTES = 1 << 20
TRIES = 3
PAUSE_S = 0.2
FRESH_S = 3600.0
STALE_S = 86400.0
"""How long an answer serves on while the provider does not answer."""
AGAIN_S = 30.0
"""Least time between two fetches that somebody's unknown key asked for."""
AFTER_FAILURE_S = 5.0
WAIT_S = 1.0
"""How long a request waits for the fetch that another began."""
MOST_AT_ONCE = 8
"""Requests to one provider at a time: a slow one does not hold up more of this service."""

T = TypeVar("T")


class Outbound:
    """Talks to one provider. Raises ProviderError from every method."""

    def __init__(self, timeout_s: float, ca_file: Path | None) -> None:
        self._deadline_s = 2 * timeout_s
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._client = httpx.Client(
            timeout=timeout_s,
            follow_redirects=False,
            verify=ssl.create_default_context(cafile=str(ca_file)) if ca_file else True,
            headers={"Accept": "application/json", "User-Agent": "meterhouse"},
        )

    def get(self, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """The object that the URL answers with. Tried again where the provider does not answer."""
        status, answer = self._ask("GET", url, TRIES, headers=headers)
        if status != 200:
            raise ProviderError(f"GET {url} answers {status}")
        return answer

    def post(self, url: str, form: dict[str, str], auth: tuple[str, str] | None) -> tuple[int, dict[str, Any]]:
        """Status and object. Not sent twice: what it carries is good once."""
        return self._ask("POST", url, 1, data=form, auth=auth)

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, url: str, tries: int, **how: Any) -> tuple[int, dict[str, Any]]:
        if not self._places.acquire(blocking=False):
            raise ProviderError(f"{method} {url}: {MOST_AT_ONCE} requests wait for it already")
        try:
            for n in range(1, tries + 1):
                try:
                    return self._once(method, url, **how)
                except httpx.TransportError as e:
                    if n == tries:
                        raise ProviderError(f"{method} {url}: {type(e).__name__}: {e}") from None
                    time.sleep(PAUSE_S * 2 ** (n - 1))
            raise AssertionError("a last try returns or raises")
        except httpx.InvalidURL as e:
            raise ProviderError(f"{method} {url[:200]}: {e}") from None
        finally:
            self._places.release()

    def _once(self, method: str, url: str, **how: Any) -> tuple[int, dict[str, Any]]:
        until, body = time.monotonic() + self._deadline_s, bytearray()
        with self._client.stream(method, url, **how) as response:
            for part in response.iter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise ProviderError(f"{method} {url} answers more than {MOST_BYTES} bytes")
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer comes too slowly")
            if response.status_code >= 500:
                raise httpx.ReadError(f"status {response.status_code}")
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ProviderError(f"{method} {url} answers {response.status_code} with no JSON object")
        return response.status_code, answer


class Kept(Generic[T]):
    """An answer that is fetched anew after FRESH_S, or when asked to but for at most once in AGAIN_S.

    While the provider does not answer, the answer of before serves on for STALE_S.
    """

    def __init__(self, fetch: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._value: T | None = None
        self._fetched = self._tried = float("-inf")

    def get(self, *, anew: bool = False) -> T:
        """Raises ProviderError where there is none and the provider does not answer."""
        if not self._due(anew) and self._value is not None:
            return self._value
        if not self._lock.acquire(timeout=WAIT_S):
            if self._value is None:
                raise ProviderError("others wait for its answer already")
            return self._value
        try:
            if self._due(anew):
                self._tried = self._clock()
                try:
                    self._value, self._fetched = self._fetch(), self._tried
                except ProviderError as e:
                    if self._value is None:
                        raise
                    logger.warning("an identity provider does not answer, what it said before serves on: %s", e)
            if self._value is None:
                raise ProviderError("did not answer a moment ago")
            if self._clock() - self._fetched > STALE_S:
                raise ProviderError("has not answered for a day")
            return self._value
        finally:
            self._lock.release()

    def _due(self, anew: bool) -> bool:
        now = self._clock()
        old = self._value is None or now - self._fetched > FRESH_S
        return (old or anew) and now - self._tried >= (AFTER_FAILURE_S if old else AGAIN_S)
