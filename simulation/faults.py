"""What a simulated REST head-end system does wrong, on demand: rules by which requests are answered badly. Knows no vendor.

A rule is written `kind` or `kind:name=value,name=value`, on the command line (--fault) or in the header X-Fault of one request; over
`PUT /control/faults` it is JSON with the same names: `{"kind": "slow_drip", "times": 1, "seconds": 5}`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from typing import Any

KINDS = {
    "unavailable": "status 503",
    "rate_limit": "status 429, Retry-After: `seconds`",
    "unauthorised": "status 401, though the token is right",
    "silence": "no answer for `seconds`, then the connection is closed",
    "slow": "a right answer after `seconds`",
    "slow_drip": "a right answer, drop by drop over `seconds`",
    "cut_body": "half of what Content-Length says",
    "cut_chunks": "chunks that end in the middle",
    "not_json": "a page of HTML with status 200",
    "endless": "a body without end",
    "duplicate_page": "the page before the one that was asked for",
    "shift": "`amount` items from the end of the list came to its begin, so all pages shift",
    "clock_skew": "all times that the system itself gives are `amount` minutes ahead",
}


@dataclass
class Fault:
    """One rule. It applies to each `every`th request of `profile` and `page` ('' and 0: of any), `times` times in all (0: for ever)."""

    kind: str
    times: int = 0
    every: int = 1
    profile: str = ""
    page: int = 0
    seconds: float = 30
    amount: int = 1
    seen: int = 0
    shown: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}: there are {', '.join(KINDS)}")
        if self.times < 0 or self.every < 1 or self.page < 0 or self.seconds < 0:
            raise ValueError(f"{self.kind}: times, page and seconds must not be negative, every must be 1 or more")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Raises ValueError where the text is no rule."""
        kind, _, rest = text.partition(":")
        types = {"times": int, "every": int, "profile": str, "page": int, "seconds": float, "amount": int}
        given: dict[str, Any] = {}
        for pair in filter(None, rest.split(",")):
            name, _, value = pair.partition("=")
            if name not in types:
                raise ValueError(f"no setting {name!r} of a fault: there are {', '.join(types)}")
            given[name] = types[name](value)
        return cls(kind, **given)

    @classmethod
    def of(cls, rule: dict[str, Any]) -> Fault:
        """From JSON. Raises ValueError."""
        known = {f.name for f in fields(cls)} - {"seen", "shown"}
        if strange := set(rule) - known:
            raise ValueError(f"no setting {', '.join(sorted(strange))} of a fault: there are {', '.join(sorted(known))}")
        return cls(**rule)

    def applies(self, profile: str, page: int) -> bool:
        """Whether it applies to this request, which is counted."""
        if (self.profile and profile != self.profile) or (self.page and page != self.page):
            return False
        self.seen += 1
        if self.seen % self.every or (self.times and self.shown >= self.times):
            return False
        self.shown += 1
        return True


class Faults:
    """The rules of one server, for all its threads."""

    def __init__(self, rules: list[Fault]) -> None:
        self._lock = threading.Lock()
        self._rules = rules

    def replace(self, rules: list[Fault]) -> None:
        with self._lock:
            self._rules = rules

    def of_request(self, profile: str, page: int, header: str | None) -> dict[str, Fault]:
        """The faults of one request by kind. Raises ValueError where its header is no rule."""
        own = [Fault.parse(header)] if header else []
        with self._lock:
            return {f.kind: f for f in [*own, *self._rules] if f.applies(profile, page)}
