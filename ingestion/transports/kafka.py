"""Kafka: a member of a consumer group that commits offsets after the landing. What is done with messages is `stream`'s.

Every property of librdkafka can be given as an environment variable: METERHOUSE_KAFKA_SASL_USERNAME is `sasl.username`. Those that decide
when a message counts as done belong to this module and cannot be given.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from ingestion.transports.stream import Limits, Message, Routes, StreamError

TIMEOUT_S = 10.0
LOOK_S = 2.0
PREFIX = "METERHOUSE_KAFKA_"

_OURS = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "auto.offset.reset": "earliest",  # a partition never read, or whose offset is no longer there: nothing is skipped
    "enable.partition.eof": "true",
}
_DEFAULTS = {
    "client.id": "meterhouse",
    "queued.max.messages.kbytes": "32768",
    "socket.timeout.ms": "30000",
    "reconnect.backoff.max.ms": "10000",
    "topic.metadata.refresh.interval.ms": "30000",
    "allow.auto.create.topics": "false",
    "log_level": "0",  # what librdkafka would print comes by its callback
}
_AWAY = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._AUTHENTICATION, KafkaError._SSL}


@dataclass(frozen=True)
class KafkaSettings:
    """`servers` is host:port, several with commas. Consumers of one `group` share the partitions."""

    servers: str
    group: str


def compile_topic(topic: str) -> tuple[str, re.Pattern[str]]:
    """(the subscription, pattern of its topics) of a name, or of a regular expression that begins with ^. Raises StreamError."""
    if topic.startswith("^"):
        try:
            return topic, re.compile(topic + ".*" if not topic.endswith("$") else topic)
        except re.error as e:
            raise StreamError(f"{topic!r} is no regular expression: {e}") from e
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", topic):
        raise StreamError(f"{topic!r} is no name of a topic: letters, digits, . _ - only; a regular expression begins with ^")
    return topic, re.compile(re.escape(topic))


def properties(settings: KafkaSettings, environment: Mapping[str, str]) -> dict[str, Any]:
    """The properties of the consumer. Raises StreamError where the environment names one that is ours."""
    given = {name.removeprefix(PREFIX).lower().replace("_", "."): value for name, value in environment.items() if name.startswith(PREFIX)}
    if ours := sorted(set(given) & {*_OURS, "bootstrap.servers", "group.id"}):
        variables = ", ".join(PREFIX + name.upper().replace(".", "_") for name in ours)
        raise StreamError(f"{variables} cannot be set: servers and group are arguments, and what is done is decided by landing")
    return {**_DEFAULTS, **given, **_OURS, "bootstrap.servers": settings.servers, "group.id": settings.group}


class KafkaSource:
    """A member of a consumer group (see `stream.Source`)."""

    def __init__(self, settings: KafkaSettings, routes: Routes, limits: Limits) -> None:
        """Raises StreamError for settings that cannot be."""
        self.settings, self.routes, self.limits = settings, routes, limits
        self._assigned: set[tuple[str, int]] = set()
        self._landed: dict[tuple[str, int], int] = {}
        self._joined = False
        self._heard_of: set[tuple[str, int]] = set()
        self._said = ""
        self._away_since: float | None = None
        self._next_look = 0.0
        config = properties(settings, os.environ)
        try:
            self._consumer = Consumer({**config, "error_cb": self._on_error})
        except (KafkaException, ValueError, TypeError) as e:
            raise StreamError(f"Kafka's settings cannot be used: {_text(e)}: check the variables {PREFIX}…") from e

    @property
    def trouble(self) -> str:
        if self._away_since is not None:
            said = self._said
        elif not self._joined:
            said = "waiting for partitions of the group"
        elif self._assigned - self._heard_of:
            said = "waiting for the first answer of each partition"
        else:
            return ""
        return f"kafka {self.settings.servers}: {said}"

    def open(self) -> None:
        try:
            there = self._consumer.list_topics(timeout=TIMEOUT_S).topics
        except KafkaException as e:
            self._consumer.poll(0)
            self._consumer.close()
            said = self._said or _text(e)
            remedy = f"check the address, that the broker is up, and {PREFIX}SECURITY_PROTOCOL, _SASL_…, _SSL_…"
            raise StreamError(f"kafka {self.settings.servers}: {said}: {remedy}") from e
        names = [s for s in self.routes.subscriptions if not s.startswith("^")]
        if missing := sorted(set(names) - set(there)):
            self._consumer.close()
            known = ", ".join(sorted(t for t in there if not t.startswith("__"))) or "none"
            what = f"no topic {', '.join(missing)} (there are: {known})"
            raise StreamError(f"kafka {self.settings.servers}: {what}: check the spelling, or make it")
        self._consumer.subscribe(self.routes.subscriptions, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke)

    def take(self, limits: Limits, timeout_s: float) -> list[Message]:
        taken: list[Message] = []
        size, deadline = 0, time.monotonic() + timeout_s
        while len(taken) < limits.messages and size < limits.bytes and (left := deadline - time.monotonic()) > 0:
            polled = self._consumer.poll(left)
            if polled is None:
                continue
            if error := polled.error():
                if error.code() == KafkaError._PARTITION_EOF:
                    self._heard_of.add(_message(polled).handle[:2])
                self._judge(error)
                continue
            if not taken:
                deadline = min(deadline, time.monotonic() + limits.linger_s)
            self._away_since = None
            taken.append(_message(polled))
            self._heard_of.add(taken[-1].handle[:2])
            size += len(taken[-1].content)
        if not taken:
            self._look(limits)
        if self._landed:
            self._commit()
        return taken

    def acknowledge(self, messages: Sequence[Message]) -> None:
        for m in messages:
            topic, partition, offset = m.handle
            if (topic, partition) in self._assigned:
                self._landed[topic, partition] = max(offset + 1, self._landed.get((topic, partition), 0))
        self._commit()

    def idle(self, seconds: float) -> None:
        """The group must hear of us, or it gives our partitions to others: ask for messages, but of paused partitions."""
        mine = [TopicPartition(t, p) for t, p in self._assigned]
        self._consumer.pause(mine)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            polled = self._consumer.poll(min(left, 0.5))
            if polled is None or polled.error():
                continue
            # Of a partition that was assigned meanwhile: it is taken up again from here.
            again = TopicPartition(*_message(polled).handle)
            self._consumer.seek(again)
            self._consumer.pause([again])
        self._consumer.resume([TopicPartition(t, p) for t, p in self._assigned])

    def close(self) -> None:
        if self._landed:
            self._commit()
        self._consumer.close()

    def _commit(self) -> None:
        """Commit what is landed. Where the broker does not take it, the next commit says it again; at worst it is delivered again."""
        offsets = [TopicPartition(t, p, offset) for (t, p), offset in self._landed.items()]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as e:
            self._judge(e.args[0])
        else:
            self._landed.clear()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned |= {(p.topic, p.partition) for p in partitions}
        self._joined, self._away_since = True, None

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions go to others. What of them is taken and not yet landed may be landed by both: it is known by its content."""
        self._commit()
        self._joined = False
        for p in partitions:
            self._assigned.discard((p.topic, p.partition))
            self._heard_of.discard((p.topic, p.partition))
            self._landed.pop((p.topic, p.partition), None)

    def _on_error(self, error: KafkaError) -> None:
        self._judge(error)

    def _judge(self, error: KafkaError) -> None:
        """Note what keeps the broker away; librdkafka goes on trying by itself."""
        code = error.code()
        if error.fatal():
            raise StreamError(f"kafka {self.settings.servers}: {error.str()}: it cannot go on, start again")
        if code in _AWAY or code in (
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            KafkaError.GROUP_AUTHORIZATION_FAILED,
        ):
            self._said = error.str()
            if self._away_since is None:
                self._away_since = time.monotonic()

    def _look(self, limits: Limits) -> None:
        """Whether a broker that was away is back: librdkafka says only that it went. Raises StreamError after give_up_s."""
        now = time.monotonic()
        if self._away_since is None or now < self._next_look:
            return
        self._next_look = now + LOOK_S
        try:
            there = self._consumer.list_topics(timeout=1.0).topics
        except KafkaException:
            pass
        else:
            if all(s in there for s in self.routes.subscriptions if not s.startswith("^")):
                self._away_since = None
                return
        if now - self._away_since > limits.give_up_s:
            raise StreamError(
                f"{self.trouble}. Tried for {limits.give_up_s:.0f} s: is the broker up? Start again then, it goes on from the last commit"
            )


def _message(polled: KafkaMessage) -> Message:
    topic, partition, offset = str(polled.topic()), int(polled.partition() or 0), int(polled.offset() or 0)
    value = polled.value()
    content = value.encode() if isinstance(value, str) else bytes(value or b"")
    return Message(f"kafka://{topic}/{partition}@{offset}", topic, content, datetime.now(UTC), (topic, partition, offset))


def _text(e: BaseException) -> str:
    first = e.args[0] if e.args else e
    return first.str() if isinstance(first, KafkaError) else str(first)
