"""MQTT 3.1.1 and 5: a subscription of QoS 1 with a persistent session, acknowledged by hand. What is done with messages is `stream`'s.

One thread: the network is read when messages are asked for, so the broker's window and the socket's buffer bound what waits here. The
client id is fixed: under it the broker keeps what comes while nobody listens.
"""

from __future__ import annotations

import os
import re
import ssl
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingestion.transports.stream import Limits, Message, Routes, StreamError

CONNECT_TIMEOUT_S = 10.0
VERSIONS = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}


@dataclass(frozen=True)
class MqttSettings:
    """How to reach a broker. `url` is mqtt://host[:1883] or mqtts://host[:8883]; the files are PEM, for mqtts only.

    User and password come from METERHOUSE_MQTT_USERNAME and METERHOUSE_MQTT_PASSWORD, never from the URL.
    """

    url: str
    client_id: str
    version: str = "5"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    keepalive_s: int = 30
    session_expiry_s: int = 7 * 86400
    """MQTT 5: so long the broker keeps the session of a client that is away. For 3.1.1 the broker's own setting says."""


def compile_topic(topic: str) -> tuple[str, re.Pattern[str]]:
    """(the filter to subscribe to, pattern of the topics that it brings). `{serial}` is a level that holds the meter's serial.

    Raises StreamError where it is no topic filter. `$share/GROUP/` before it shares the messages among consumers.
    """
    levels = topic.split("/")
    plain = levels[2:] if levels[0] == "$share" else levels
    faults = [
        not topic or "\0" in topic or len(topic.encode()) > 65535,
        levels[0] == "$share" and (len(levels) < 3 or not levels[1]),
        "#" in plain[:-1],
        any(("+" in level or "#" in level) and len(level) > 1 for level in plain),
        any(("{" in level or "}" in level) and level != "{serial}" for level in plain),
        plain.count("{serial}") > 1,
    ]
    if any(faults):
        raise StreamError(
            f"{topic!r} is no topic filter: levels are joined by /, + or {{serial}} stands for one level, # for all that follow, at the end"
        )
    known = {"+": "[^/]*", "{serial}": "(?P<serial>[^/]+)"}
    body = "/".join(known.get(level, re.escape(level)) for level in plain if level != "#")
    if plain[-1] == "#":
        body = f"{body}(?:/.*)?" if body else ".*"
    return "/".join("+" if level == "{serial}" else level for level in levels), re.compile(body, re.DOTALL)


@dataclass(frozen=True)
class _Handle:
    """Packet identifier, and of which connection: after another one it may name another message."""

    mid: int
    qos: int
    connection: int


class MqttSource:
    """A subscription at an MQTT broker (see `stream.Source`)."""

    def __init__(self, settings: MqttSettings, routes: Routes, limits: Limits) -> None:
        """Raises StreamError for settings that cannot be."""
        self.settings, self.routes, self.limits = settings, routes, limits
        url = urlsplit(settings.url)
        self.tls = url.scheme == "mqtts"
        if url.scheme not in ("mqtt", "mqtts") or not url.hostname:
            raise StreamError(f"{settings.url!r} is no address of an MQTT broker: write it as mqtts://host[:port], or mqtt:// without TLS")
        if url.username or url.password:
            raise StreamError("a password does not belong in the address: set METERHOUSE_MQTT_USERNAME and METERHOUSE_MQTT_PASSWORD")
        if settings.version not in VERSIONS:
            raise StreamError(f"MQTT {settings.version} is not spoken here: choose {' or '.join(VERSIONS)}")
        if not settings.client_id:
            raise StreamError("a persistent session needs a client id: give one that no other client of this broker has")
        self.host, self.port = url.hostname, url.port or (8883 if self.tls else 1883)
        self.address = f"{url.scheme}://{self.host}:{self.port}"
        self._queue: deque[Message] = deque()
        self._connection = 0
        self._ready = False
        self._refused = ""
        self._said = "not connected yet"
        self._attempt = 0
        self._next_attempt = 0.0
        self._away_since = time.monotonic()
        self._client = self._make_client()

    @property
    def trouble(self) -> str:
        return "" if self._ready else f"{self.address}: {self._said}"

    def open(self) -> None:
        try:
            self._connect()
        except OSError as e:  # ssl.SSLError is one
            raise StreamError(f"{self.address}: {_said(e)}: {self._remedy(e)}") from e
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        while not self._ready and not self._refused and time.monotonic() < deadline:
            if self._client.loop(0.2) != MQTTErrorCode.MQTT_ERR_SUCCESS and not self._refused:
                why = "the broker closed the connection before it answered"
                hint = (
                    "does it want a client certificate of its own authority (--cert, --key)?"
                    if self.tls
                    else "does it want TLS (mqtts://)?"
                )
                self._refused = f"{why}: {hint} Its log says more"
        if not self._ready:
            self._client.disconnect()
            raise StreamError(f"{self.address}: {self._refused or f'no answer in {CONNECT_TIMEOUT_S:.0f} s: is it an MQTT broker?'}")

    def take(self, limits: Limits, timeout_s: float) -> list[Message]:
        taken: list[Message] = []
        size, deadline = 0, time.monotonic() + timeout_s
        while len(taken) < limits.messages and size < limits.bytes:
            if self._queue:
                if not taken:
                    deadline = min(deadline, time.monotonic() + limits.linger_s)
                taken.append(self._queue.popleft())
                size += len(taken[-1].content)
            elif (left := deadline - time.monotonic()) > 0:
                self._read(left)
            else:
                break
        return taken

    def acknowledge(self, messages: Sequence[Message]) -> None:
        # Also before the answer to our subscription: what a session brings again comes first, and unacknowledged it would fill the window.
        for m in messages:
            handle: _Handle = m.handle
            if handle.qos and handle.connection == self._connection:
                self._client.ack(handle.mid, handle.qos)

    def idle(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if len(self._queue) < self.limits.messages and sum(len(m.content) for m in self._queue) < self.limits.bytes:
                self._read(left)
            else:
                time.sleep(min(left, 0.2))

    def close(self) -> None:
        self._ready = False
        self._client.disconnect()
        self._client.loop(0.1)

    # --- the connection ---

    def _make_client(self) -> paho.Client:
        five = self.settings.version == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.settings.client_id,
            clean_session=None if five else False,
            protocol=VERSIONS[self.settings.version],
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        if username := os.environ.get("METERHOUSE_MQTT_USERNAME"):
            client.username_pw_set(username, os.environ.get("METERHOUSE_MQTT_PASSWORD"))
        s = self.settings
        if self.tls:
            if bool(s.cert) != bool(s.key):
                raise StreamError("a client certificate is two files: give both --cert and --key")
            try:
                client.tls_set(
                    ca_certs=str(s.ca) if s.ca else None,
                    certfile=str(s.cert) if s.cert else None,
                    keyfile=str(s.key) if s.key else None,
                    tls_version=ssl.PROTOCOL_TLS_CLIENT,
                )
            except (OSError, ValueError) as e:
                files = ", ".join(str(f) for f in (s.ca, s.cert, s.key) if f)
                raise StreamError(
                    f"the certificates cannot be used ({files}): {_said(e)}: check that they are there, PEM, and belong together"
                ) from e
        elif s.ca or s.cert or s.key:
            raise StreamError(f"certificates are given, but {s.url} is without TLS: write mqtts://")
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _connect(self) -> None:
        if self.settings.version == "5":
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = self.settings.session_expiry_s
            properties.ReceiveMaximum = min(self.limits.messages, 65535)
            self._client.connect(self.host, self.port, self.settings.keepalive_s, clean_start=False, properties=properties)
        else:
            self._client.connect(self.host, self.port, self.settings.keepalive_s)

    def _read(self, seconds: float) -> None:
        """Let the network bring what it has, for at most so long; connect again where it is time to. Raises StreamError after give_up_s."""
        now = time.monotonic()
        if not self._ready and now - self._away_since > self.limits.give_up_s:
            raise StreamError(
                f"{self.trouble}. Tried for {self.limits.give_up_s:.0f} s: is the broker up? Start again then, it keeps the session"
            )
        if self._client.socket() is None:
            if now < self._next_attempt:
                time.sleep(min(seconds, self._next_attempt - now))
                return
            self._attempt += 1
            self._next_attempt = now + self.limits.wait(self._attempt)
            try:
                self._connect()
            except OSError as e:
                self._said = _said(e)
            return
        try:
            self._client.loop(min(seconds, 0.5))
        except OSError as e:  # an alert of TLS
            self._said = _said(e)

    def _on_connect(self, client: paho.Client, _: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self._said = self._refused = (
                f"the broker refuses the connection: {reason}: {_REFUSALS.get(reason.getName(), 'its log says more')}"
            )
            return
        self._connection += 1
        self._refused = ""
        client.subscribe([(s, 1) for s in dict.fromkeys(self.routes.subscriptions)])

    def _on_subscribe(self, client: paho.Client, _: Any, mid: int, reasons: list[ReasonCode], properties: Any) -> None:
        subscriptions = dict.fromkeys(self.routes.subscriptions)
        refused = [s for s, reason in zip(subscriptions, reasons, strict=False) if reason.is_failure]
        if refused:
            self._said = self._refused = f"the broker refuses the subscription to {', '.join(refused)}: may this user read the topic?"
            return
        self._ready, self._attempt = True, 0

    def _on_disconnect(self, client: paho.Client, _: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._connection += 1
        if self._ready:
            self._ready = False
            self._away_since = time.monotonic()
            self._next_attempt = self._away_since + self.limits.wait(1)
        if not self._refused:
            self._said = f"the connection is lost ({reason}), connecting again"

    def _on_message(self, client: paho.Client, _: Any, m: paho.MQTTMessage) -> None:
        handle = _Handle(m.mid, m.qos, self._connection)
        self._queue.append(Message(f"mqtt://{self.host}/{m.topic}", m.topic, bytes(m.payload), datetime.now(UTC), handle))

    def _remedy(self, e: OSError) -> str:
        if isinstance(e, ssl.SSLCertVerificationError):
            return "the broker's certificate is not of the authority in --ca, or not of this host name"
        if isinstance(e, ssl.SSLError):
            return "is TLS spoken on this port, and does the broker accept the client certificate (--cert, --key)?"
        return "check host and port, and that the broker is up"


_REFUSALS = {
    "Not authorized": "check METERHOUSE_MQTT_USERNAME and METERHOUSE_MQTT_PASSWORD, and what the broker lets this user do",
    "Bad user name or password": "check METERHOUSE_MQTT_USERNAME and METERHOUSE_MQTT_PASSWORD",
    "Unsupported protocol version": "try the other --protocol",
    "Client identifier not valid": "give another --client-id",
}


def _said(e: BaseException) -> str:
    return (getattr(e, "strerror", None) or str(e) or type(e).__name__).strip()
