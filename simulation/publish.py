"""Head-end systems that push: an MQTT publisher and a Kafka producer of a tenant's hpl items. For tests and demonstrations."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as KafkaMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulation.messages import Outgoing

IN_FLIGHT = 200
GIVE_UP_S = 60.0
"""So long a message may wait for its acknowledgement, over restarts of the broker too."""


@dataclass(frozen=True)
class Mqtt:
    """Where to publish; `{serial}` in `topic` is the meter's. User and password: MQTT_USERNAME, MQTT_PASSWORD of the environment."""

    host: str
    port: int
    topic: str = "hpl/{serial}/profiles"
    version: str = "5"
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


def publish_mqtt(messages: Iterable[Outgoing], to: Mqtt, rate: float = 0.0) -> int:
    """Publish with QoS 1, `rate` messages a second (0 = as fast as it goes); returns how many the broker acknowledged, which is all.

    Raises ConnectionError where the broker refuses, TimeoutError where it stays away.
    """
    refused: list[str] = []
    acknowledged: list[float] = []

    def on_connect(_: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if reason.is_failure:
            refused.append(str(reason))

    version = MQTTProtocolVersion.MQTTv5 if to.version == "5" else MQTTProtocolVersion.MQTTv311
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)
    client.on_connect = on_connect
    client.on_publish = lambda *_: acknowledged.append(time.monotonic())
    client.reconnect_delay_set(1, 2)
    client.max_inflight_messages_set(IN_FLIGHT)
    if username := os.environ.get("MQTT_USERNAME"):
        client.username_pw_set(username, os.environ.get("MQTT_PASSWORD"))
    if to.ca:
        client.tls_set(ca_certs=to.ca, certfile=to.cert, keyfile=to.key)
    client.connect(to.host, to.port, keepalive=10)
    client.loop_start()
    try:
        sent = 0
        for message in _paced(messages, rate):
            # Where the broker is away, paho keeps the message and sends it when it is back.
            client.publish(to.topic.replace("{serial}", message.key), message.content, qos=1)
            sent += 1
            _wait(acknowledged, sent - IN_FLIGHT, refused)
        _wait(acknowledged, sent, refused)
        return sent
    finally:
        client.disconnect()
        client.loop_stop()


def _wait(acknowledged: list[float], least: int, refused: list[str]) -> None:
    """Wait until at least so many messages are acknowledged."""
    begun = time.monotonic()
    while len(acknowledged) < least:
        if refused:
            raise ConnectionError(f"the broker refuses the connection: {refused[0]}")
        if time.monotonic() - max([begun, *acknowledged[-1:]]) > GIVE_UP_S:
            raise TimeoutError(f"no acknowledgement within {GIVE_UP_S:.0f} s: is the broker up?")
        time.sleep(0.005)


def produce_kafka(messages: Iterable[Outgoing], servers: str, topic: str, rate: float = 0.0) -> int:
    """Produce, keyed by serial, `rate` messages a second (0 = as fast as it goes); returns how many the broker acknowledged, which is all.

    Raises ConnectionError where a message could not be delivered.
    """
    failed: list[str] = []

    def delivered(error: KafkaError | None, _: KafkaMessage) -> None:
        if error is not None:
            failed.append(error.str())

    producer = Producer(
        {
            "bootstrap.servers": servers,
            "linger.ms": 5,
            "message.max.bytes": 8_000_000,
            "log_level": 0,
            "message.timeout.ms": int(GIVE_UP_S * 1000),
        }
    )
    sent = 0
    for message in _paced(messages, rate):
        while True:
            try:
                producer.produce(topic, message.content, key=message.key, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        sent += 1
        producer.poll(0)
    producer.flush(GIVE_UP_S)
    if failed:
        raise ConnectionError(f"{len(failed)} of {sent} messages were not delivered: {failed[0]}")
    return sent


def _paced(messages: Iterable[Outgoing], rate: float) -> Iterator[Outgoing]:
    begin = time.monotonic()
    for n, message in enumerate(messages):
        if rate and (ahead := begin + n / rate - time.monotonic()) > 0:
            time.sleep(ahead)
        yield message
