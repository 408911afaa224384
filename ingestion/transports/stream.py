"""What the transports of messages share: which topic means what, landing many messages at once, and the loop land → acknowledge.

There is no protocol in it: `mqtt` and `kafka` take messages from a broker and acknowledge them, this lands them. A message is
acknowledged after the commit that holds it, so a crash anywhere brings it again, and it is known by its content: each landed message has a
line of its own in raw.batch with its hash. A broker that delivers twice, or a head-end system that sends twice, adds nothing.
"""

from __future__ import annotations

import hashlib
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Protocol

import orjson
import psycopg

from ingestion.alerts.rules import AlertRuleError
from ingestion.canonical import Delivery
from ingestion.contexts import Contexts
from ingestion.landing import DiscomContext, LandingResult, land
from ingestion.normalise import rejection
from ingestion.readers import read
from ingestion.vendor import Vendor
from warehouse.codes import Reason
from warehouse.embedded import EmbeddedError


class StreamError(RuntimeError):
    """The stream cannot begin or go on; says what is wrong and how to mend it. What was not acknowledged stays with the broker."""


@dataclass(frozen=True)
class Limits:
    """How much at once and how long. All bounds of the loop in one place; seconds and bytes."""

    messages: int = 500
    """Most messages that are landed together, and most that wait here unacknowledged."""
    bytes: int = 16 << 20
    linger_s: float = 0.2
    """How long the first message of a batch waits for others."""
    message_bytes: int = 16 << 20
    """A larger message goes aside unread."""
    backoff_s: float = 0.5
    longest_backoff_s: float = 30.0
    give_up_s: float = 900.0
    """So long without the warehouse or the broker ends the stream with an error, for whoever supervises it to see."""

    def wait(self, attempt: int) -> float:
        """Seconds before attempt `attempt` + 1, jittered so that consumers do not come back all at once."""
        return min(self.backoff_s * 2 ** min(attempt - 1, 16), self.longest_backoff_s) * random.uniform(0.5, 1.0)  # noqa: S311


@dataclass(frozen=True)
class Message:
    """One message as received. `source` is its address (kafka://topic/partition@offset), `handle` what its transport acknowledges by."""

    source: str
    topic: str
    content: bytes
    received_at: datetime
    handle: Any = None


class Source(Protocol):
    """A subscription at a broker. Not for several threads."""

    @property
    def trouble(self) -> str:
        """What keeps the broker away at this moment; empty where it is there."""

    def open(self) -> None:
        """Connect and subscribe. Raises StreamError where that fails, for it is a wrong setting; a loss later is tried again."""

    def take(self, limits: Limits, timeout_s: float) -> list[Message]:
        """The next messages in their order, none where none came in `timeout_s`. Raises StreamError after give_up_s without the broker."""

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """These are landed. Where the broker is away, they come again."""

    def idle(self, seconds: float) -> None:
        """Wait without taking much, but stay the broker's client."""

    def close(self) -> None:
        """Leave; what was not acknowledged stays with the broker."""


# --- topics ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Route:
    """A subscription and what its messages are. `pattern` may have a group `serial`: then the meter's serial stands in the topic."""

    subscription: str
    pattern: re.Pattern[str]
    profile: str


class Routes:
    """Which topics a vendor's messages come on, and how each is read."""

    def __init__(self, vendor: Vendor, topics: Sequence[str], compile_topic: Callable[[str], tuple[str, re.Pattern[str]]]) -> None:
        """`topics` replace those of the vendor file (transport.topics). Raises StreamError where there are none or a profile is unknown."""
        known = {p.name for p in vendor.profiles}
        named: dict[str, Sequence[str]] = {"all": topics} if topics else vendor.transport.get("topics", {})
        if not named:
            raise StreamError(f"vendor {vendor.name} has no topics: add transport.topics to {vendor.path}, or name them with --topic")
        if strange := sorted(set(named) - known - {"all"}):
            raise StreamError(
                f"{vendor.path}: transport.topics: no profile {', '.join(strange)}: there are {', '.join(sorted(known))}, all"
            )
        self.vendor = vendor
        self.routes = [Route(*compile_topic(topic), profile) for profile, many in named.items() for topic in many]

    @property
    def subscriptions(self) -> list[str]:
        return [r.subscription for r in self.routes]

    def find(self, topic: str) -> tuple[str, str | None]:
        """(profile or "all", serial that stands in the topic)."""
        for r in self.routes:
            if found := r.pattern.fullmatch(topic):
                return r.profile, found.groupdict().get("serial")
        return "all", None

    def vendor_of(self, profile: str, serial: str | None) -> Vendor:
        """The vendor file as it reads messages of this profile and serial."""
        vendor = self.vendor
        if profile != "all":
            vendor = replace(vendor, profiles=(replace(vendor.profile(profile), files=("*",)),))
        if serial is not None:
            vendor = replace(vendor, profiles=tuple(replace(p, serial=None, constant_serial=serial) for p in vendor.profiles))
        return vendor


# --- one message -----------------------------------------------------------------------------------------------------------


def identity(routes: Routes, message: Message) -> bytes:
    """What a message is known by: the hash of its content, and of what its topic says where that belongs to the meaning."""
    profile, serial = routes.find(message.topic)
    said = b"" if (profile, serial) == ("all", None) else f"{profile}\0{serial or ''}\0".encode()
    return hashlib.sha256(said + message.content).digest()


def take_apart(routes: Routes, message: Message, limits: Limits) -> Delivery:
    """A message as a delivery. Never raises: what cannot be read is a delivery of one rejection, at the message's address."""
    if len(message.content) > limits.message_bytes:
        return aside(routes, message, f"the message has {len(message.content)} bytes, more than the {limits.message_bytes} that are read")
    try:
        delivery = read(routes.vendor_of(*routes.find(message.topic)), message.source, message.content, message.received_at)
    except Exception as e:
        return aside(routes, message, f"the reader failed, please report it with the message: {type(e).__name__}: {e}")
    delivery.content_sha256 = identity(routes, message)
    return delivery


def aside(routes: Routes, message: Message, why: str) -> Delivery:
    """A delivery that holds nothing but the rejection of a message."""
    beginning = message.content[:4096].decode("utf-8", "backslashreplace")
    return Delivery(
        source=message.source,
        content_sha256=identity(routes, message),
        received_at=message.received_at,
        rejections=[rejection(Reason.MALFORMED, message.source, beginning, why)],
    )


# --- many messages ---------------------------------------------------------------------------------------------------------


@dataclass
class StreamSummary:
    """What became of a stream so far. Values are those of new landings: received = accepted + rejected."""

    messages: int = 0
    landed: int = 0
    duplicates: int = 0
    received: int = 0
    accepted: int = 0
    rejected: int = 0
    days: set[date] = field(default_factory=set)
    rejected_by_reason: Counter[Reason] = field(default_factory=Counter)
    retries: int = 0
    """How often the warehouse did not take a batch and was tried again."""
    trouble: str = ""
    """What holds the stream up at this moment; empty where it flows."""

    def add(self, messages: int, result: LandingResult) -> None:
        self.messages += messages
        self.duplicates += messages * result.duplicate
        self.landed += messages * (not result.duplicate)
        self.received += result.received
        self.accepted += result.accepted
        self.rejected += result.rejected
        self.days |= result.days
        self.rejected_by_reason.update(result.rejected_by_reason)


class _Split(Exception):
    """These messages cannot be landed together."""


class Lander:
    """Lands messages of one head-end system: together where nothing of them is rejected, else in halves, at last one by one.

    Together they are one payload, one batch with their readings and, in the same transaction, a line of no values in raw.batch for each
    message: its receipt, by which it is known when it comes again. A message with anything to reject is a batch of its own, so that
    accepted + rejected = received holds for it alone, and what was rejected whole may come again once it can be accepted.
    """

    def __init__(self, routes: Routes, discom: str, hes: str, limits: Limits) -> None:
        self.routes, self.discom, self.hes, self.limits = routes, discom, hes, limits
        self._contexts = Contexts()

    def context(self, conn: psycopg.Connection) -> DiscomContext:
        """The registry as it is now. Raises LandingError where it has no such DISCOM or head-end system."""
        context = self._contexts.get(conn, self.discom)
        context.hes_id(self.hes)
        return context

    def land(self, conn: psycopg.Connection, messages: Sequence[Message]) -> Iterator[tuple[list[Message], LandingResult]]:
        """Land them; yields after each commit which messages it holds and what became of them.

        Raises psycopg.Error, never for a message's content, and LandingError where the registry has no such head-end system.
        """
        of_identity: dict[bytes, list[Message]] = {}
        for m in messages:
            of_identity.setdefault(identity(self.routes, m), []).append(m)
        context = self.context(conn)
        for sha256, batch_id in self._landed_before(conn, context, list(of_identity)):
            yield of_identity.pop(sha256), LandingResult(batch_id, duplicate=True)
        repeats = {id(many[0]): many[1:] for many in of_identity.values()}
        groups: dict[str, list[Message]] = {}
        for many in of_identity.values():
            profile, serial = self.routes.find(many[0].topic)
            groups.setdefault(profile if serial is None else f"{profile} {serial}", []).append(many[0])
        for group in groups.values():
            for together, result in self._halve(conn, context, group):
                yield together, result
                repeated = [m for one in together for m in repeats[id(one)]]
                if repeated:
                    yield repeated, LandingResult(result.batch_id, duplicate=True)

    def _landed_before(self, conn: psycopg.Connection, context: DiscomContext, identities: list[bytes]) -> list[tuple[bytes, int]]:
        with conn.transaction():
            return conn.execute(
                """select content_sha256, batch_id from raw.batch
                   where discom_id = %s and hes_id = %s and content_sha256 = any(%s) and (values_accepted > 0 or values_rejected = 0)""",
                [context.discom_id, context.hes_id(self.hes), identities],
            ).fetchall()

    def _halve(
        self, conn: psycopg.Connection, context: DiscomContext, messages: list[Message]
    ) -> Iterator[tuple[list[Message], LandingResult]]:
        if len(messages) == 1:
            yield messages, self._land_one(conn, context, messages[0])
            return
        try:
            result = self._land_together(conn, context, messages)
        except _Split:
            half = len(messages) // 2
            yield from self._halve(conn, context, messages[:half])
            yield from self._halve(conn, context, messages[half:])
        else:
            yield messages, result

    def _land_one(self, conn: psycopg.Connection, context: DiscomContext, message: Message) -> LandingResult:
        delivery = take_apart(self.routes, message, self.limits)
        try:
            return land(conn, context, context.hes_id(self.hes), delivery)
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as e:
            why = f"PostgreSQL refuses its values: {e}"
        except (psycopg.Error, AlertRuleError):
            raise  # not the message's fault
        except Exception as e:
            why = f"it cannot be landed: {type(e).__name__}: {e}"
        return land(conn, context, context.hes_id(self.hes), aside(self.routes, message, why))

    def _land_together(self, conn: psycopg.Connection, context: DiscomContext, messages: list[Message]) -> LandingResult:
        """One batch of all of them. Raises _Split where they are not one payload, or any of it is rejected or was landed meanwhile."""
        _, serial = self.routes.find(messages[0].topic)
        content = join(self.routes.vendor, [m.content for m in messages]) if serial is None else None
        if content is None or len(content) > self.limits.bytes + self.limits.message_bytes:
            raise _Split
        hes_id = context.hes_id(self.hes)
        whole = Message(_together(messages), messages[0].topic, content, messages[-1].received_at)
        delivery = take_apart(self.routes, whole, replace(self.limits, message_bytes=len(content)))
        receipts = sorted((identity(self.routes, m), m.source, m.received_at) for m in messages)
        delivery.content_sha256 = hashlib.sha256(b"".join(sha256 for sha256, _, _ in receipts)).digest()
        if delivery.rejections or not _all_known(context, delivery):
            raise _Split

        def receive(conn: psycopg.Connection) -> None:
            of_batch = [context.discom_id, hes_id, delivery.content_sha256]
            clean = conn.execute(
                "select values_rejected = 0 from raw.batch where discom_id = %s and hes_id = %s and content_sha256 = %s", of_batch
            ).fetchone()
            made = conn.execute(
                """insert into raw.batch (discom_id, hes_id, source, content_sha256, received_at,
                                          values_received, values_accepted, values_rejected)
                   select %s, %s, source, content_sha256, received_at, 0, 0, 0
                   from unnest(%s::bytea[], %s::text[], %s::timestamptz[]) as r (content_sha256, source, received_at)
                   on conflict (discom_id, hes_id, content_sha256) do nothing""",
                [context.discom_id, hes_id, *(list(column) for column in zip(*receipts, strict=True))],
            )
            if clean != (True,) or made.rowcount != len(receipts):
                raise _Split

        try:
            return land(conn, context, hes_id, delivery, within=receive)
        except psycopg.OperationalError:
            raise
        except Exception as e:  # the fault of one of them: alone it will show
            raise _Split from e


def _together(messages: Sequence[Message]) -> str:
    more = f" to {messages[-1].source}, {len(messages)} messages" if len(messages) > 1 else ""
    return messages[0].source + more


def _all_known(context: DiscomContext, delivery: Delivery) -> bool:
    """Whether every meter of a delivery is registered."""
    parts = [part for kind in vars(delivery).values() if isinstance(kind, list) for part in kind]
    frames = [part.frame for part in parts if hasattr(part, "frame")]
    return all((context.meters.find(f["serial"]) >= 0).all() for f in frames if len(f))


def join(vendor: Vendor, contents: Sequence[bytes]) -> bytes | None:
    """One JSON payload that says what these say, or None where they cannot be joined.

    They can where all rows of the vendor file stand below one list at the top (`items[].entries[]`, or `[].entries[]` of a list itself),
    and nothing is taken from beside that list.
    """
    if vendor.format != "json":
        return None
    beside = [vendor.received_field, vendor.profile_path]
    fields = [f or "" for f in (*beside, *(f for p in vendor.profiles for f in (p.serial, p.stamp, p.slot, p.interval, *p.detail)))]
    tops = {(p.rows or "").partition(".")[0] for p in vendor.profiles}
    if len(tops) != 1 or any(f.startswith("$") for f in fields):
        return None
    top = tops.pop()
    if not top.endswith("[]"):
        return None
    name = top.removesuffix("[]")
    items: list[Any] = []
    for content in contents:
        try:
            root = orjson.loads(content)
        except orjson.JSONDecodeError:
            return None
        below = (root.get(name) if isinstance(root, dict) else None) if name else root
        if not isinstance(below, list):
            return None
        items += below
    return orjson.dumps({name: items} if name else items)


# --- the loop --------------------------------------------------------------------------------------------------------------


def follow(
    source: Source,
    lander: Lander,
    connect: Callable[[], psycopg.Connection],
    *,
    stop: threading.Event | None = None,
    until_idle_s: float | None = None,
    progress: Callable[[StreamSummary], None] | None = None,
) -> StreamSummary:
    """Take, land, acknowledge, until `stop` is set or nothing came for `until_idle_s` seconds (None: for ever).

    `source` is open, and whoever opened it closes it.
    Where the warehouse does not answer, the same messages are tried again, each wait longer, and nothing is acknowledged or skipped.
    Raises StreamError after limits.give_up_s without warehouse or broker, LandingError for a DISCOM or head-end system that is not there.
    """
    stop = stop or threading.Event()
    summary = StreamSummary()
    warehouse = _Warehouse(connect)
    last = time.monotonic()
    try:
        lander.context(warehouse.connection())
        while not stop.is_set():
            messages = source.take(lander.limits, 1.0)
            summary.trouble = source.trouble
            if messages:
                _land(messages, source, lander, warehouse, summary, stop)
                last = time.monotonic()
            elif source.trouble:
                last = time.monotonic()
            elif until_idle_s is not None and time.monotonic() - last >= until_idle_s:
                break
            if progress:
                progress(summary)
    finally:
        warehouse.close()
    return summary


def _land(
    messages: Sequence[Message], source: Source, lander: Lander, warehouse: _Warehouse, summary: StreamSummary, stop: threading.Event
) -> None:
    """Land messages and acknowledge them all, or none where `stop` is set before the warehouse took them."""
    limits, since, attempt = lander.limits, time.monotonic(), 0
    left = {id(m): m for m in messages}
    while not stop.is_set() or not attempt:
        try:
            for landed, result in lander.land(warehouse.connection(), list(left.values())):
                summary.add(len(landed), result)
                for m in landed:
                    del left[id(m)]
        except (psycopg.OperationalError, psycopg.InterfaceError, EmbeddedError) as e:
            warehouse.close()
            attempt += 1
            summary.retries += 1
            summary.trouble = f"the warehouse does not take {len(left)} messages: {str(e).strip()}"
            if time.monotonic() - since > limits.give_up_s:
                raise StreamError(
                    f"{summary.trouble}. Tried for {limits.give_up_s:.0f} s: is the database up? "
                    "They stay with the broker; start again then"
                ) from e
            source.idle(limits.wait(attempt))
        else:
            summary.trouble = ""
            source.acknowledge(messages)
            return


class _Warehouse:
    """The connection, made anew after an error."""

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        self._connect = connect
        self._conn: psycopg.Connection | None = None

    def connection(self) -> psycopg.Connection:
        if self._conn is None or self._conn.closed:
            self._conn = self._connect()
        return self._conn

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()
        self._conn = None
