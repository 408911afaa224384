"""Streams against real brokers (mosquitto with TLS, Tansu) and a real PostgreSQL; our consumer is a process that is killed."""

from __future__ import annotations

import dataclasses
import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psycopg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from paho.mqtt.enums import CallbackAPIVersion

from cli.streams import land_demo
from ingestion.transports import kafka, mqtt
from ingestion.transports.kafka import KafkaSettings, KafkaSource
from ingestion.transports.mqtt import MqttSettings, MqttSource
from ingestion.transports.stream import Lander, Limits, Message, Routes, Source, StreamError, StreamSummary, follow
from ingestion.vendor import load_vendor
from simulation import SimulationConfig, generate
from simulation.hpl import render
from tests.brokers import Authority, Mosquitto, Tansu, python
from warehouse import db
from warehouse.registry_import import import_registry

pytestmark = [pytest.mark.integration, pytest.mark.heavy]

TOPIC = "hpl/+/profiles"
QUICK = Limits(messages=50, linger_s=0.05, backoff_s=0.05, longest_backoff_s=0.5, give_up_s=30)


@dataclasses.dataclass(frozen=True)
class World:
    """A small DISCOM without defects, and what of it must be in raw once all is landed once."""

    folder: Path
    expected: dict[str, int]
    messages: list[bytes]

    @property
    def hpl(self) -> str:
        return str(self.folder / "hpl")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    out = tmp_path_factory.mktemp("world") / "sim"
    generate(SimulationConfig(tenants=1, feeders=1, dts=2, consumers=60, days=3, seed=5, clean=True), out)
    expected = dict.fromkeys(("blocks", "registers", "events", "values"), 0)
    messages = []
    for profile, kind in (("block", "blocks"), ("daily", "registers"), ("event", "events")):
        for line in (out / "D01" / "hpl" / f"{profile}.jsonl").read_text().splitlines():
            item = json.loads(line)
            expected[kind] += len(item["entries"])
            expected["values"] += sum(v is not None for _, *values in item["entries"] for v in values)
            messages.append(json.dumps({"items": [render(item, profile)]}).encode())
    assert expected["blocks"] > 2000, "the world is too small to show anything"
    return World(out / "D01", expected, messages)


@pytest.fixture
def registered(database: str, world: World) -> str:
    with db.connect("meterhouse_owner") as conn:
        import_registry(conn, world.folder / "registry")
    return database


def in_raw() -> dict[str, int]:
    with db.connect("meterhouse_owner") as conn:
        sql = """select (select count(v) from raw.profile_fragment, unnest(import_wh) v),
                        (select count(import_wh) from raw.register_reading),
                        (select count(*) from raw.event),
                        (select coalesce(sum(values_accepted), 0) from raw.batch)"""
        row = conn.execute(sql).fetchone()
    assert row is not None
    return dict(zip(("blocks", "registers", "events", "values"), map(int, row), strict=True))


def assert_all_landed_once(world: World) -> None:
    assert in_raw() == world.expected, "raw must hold every reading once: fewer is a loss, more is twice"
    assert ask("select count(*) from raw.batch where values_received <> values_accepted + values_rejected") == 0


def ask(sql: str) -> Any:
    with db.connect("meterhouse_owner") as conn:
        row = conn.execute(sql).fetchone()
    return row[0] if row else None


def land_all(source: Source, routes: Routes, limits: Limits = QUICK, idle: float = 1.0) -> StreamSummary:
    source.open()
    try:
        return follow(source, Lander(routes, "D01", "HES-HPL", limits), db.connect, until_idle_s=idle)
    finally:
        source.close()


def cli(*arguments: str, **environment: str) -> Any:
    return python("-m", "cli.main", "land", *arguments, "-d", "D01", "--hes", "HES-HPL", **environment)


def until(condition: Callable[[], bool], what: str, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def finished(process: subprocess.Popen, seconds: float = 60) -> str:
    """What a process said, which must end well."""
    said, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, f"{process.args} ended with {process.returncode}:\n{said}"
    return str(said)


KILLED_BEFORE_ACKNOWLEDGING = """
import os, signal
from ingestion.transports.{module} import {source}
from cli.main import main
acknowledge, calls = {source}.acknowledge, []
def killed(self, messages):
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    acknowledge(self, messages)
{source}.acknowledge = killed
main()
"""


# --- MQTT ---


@pytest.fixture
def hpl_routes() -> Routes:
    return Routes(load_vendor("hpl"), [TOPIC], mqtt.compile_topic)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto") as one:
        yield one


def subscribe_first(broker: Mosquitto, client_id: str) -> None:
    """Make the session, so that the broker keeps what is published while nobody listens."""
    source = MqttSource(
        MqttSettings(f"mqtt://127.0.0.1:{broker.port}", client_id), Routes(load_vendor("hpl"), [TOPIC], mqtt.compile_topic), QUICK
    )
    source.open()
    source.close()


def publish(broker: Mosquitto, messages: list[tuple[str, bytes]]) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for info in [client.publish(topic, content, qos=1) for topic, content in messages]:
        info.wait_for_publish(20)
        assert info.is_published()
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_over_tls_with_client_certificates_everything_lands_once(
    registered: str, world: World, hpl_routes: Routes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """Duplicates, bodies that are cut and lost order on the way."""
    authority = Authority(tmp_path / "pki")
    cert, key = authority.issue("meterhouse")
    with Mosquitto(tmp_path / "m", authority, {"us": "sesame", "hes": "open"}) as broker:
        monkeypatch.setenv("METERHOUSE_MQTT_USERNAME", "us")
        monkeypatch.setenv("METERHOUSE_MQTT_PASSWORD", "sesame")
        settings = MqttSettings(f"mqtts://localhost:{broker.port}", "c1", version, authority.ca, cert, key)
        source = MqttSource(settings, hpl_routes, QUICK)
        source.open()
        faults = ["--duplicate-every", "7", "--cut-every", "60", "--shuffle", "20"]
        tls = ["--ca", str(authority.ca), "--cert", str(cert), "--key", str(key), "--host", "localhost", "--protocol", version]
        user = {"MQTT_USERNAME": "hes", "MQTT_PASSWORD": "open"}
        with python(
            "-m", "simulation", "publish-mqtt", "--data", world.hpl, "--port", str(broker.port), *faults, *tls, **user
        ) as publisher:
            summary = follow(source, Lander(hpl_routes, "D01", "HES-HPL", QUICK), db.connect, until_idle_s=3)
            sent = int(finished(publisher).split()[0])
        source.close()
    assert summary.messages == sent
    assert summary.duplicates == len(world.messages) // 7, "what was published twice must be known the second time"
    assert summary.rejected > 0, "bodies that were cut must be rejected"
    assert summary.received == summary.accepted + summary.rejected
    # What stands before a cut is landed too, and is there twice: from the message and from its cut copy. Nothing else is.
    cut = ask("select coalesce(sum(values_accepted), 0) from raw.batch where values_rejected > 0")
    assert in_raw()["values"] - cut == world.expected["values"]


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("wrong password", "refuses the connection: Not authorized: check METERHOUSE_MQTT_USERNAME and METERHOUSE_MQTT_PASSWORD"),
        ("no client certificate", "certificate"),
        ("client certificate of another authority", "certificate"),
        ("broker of another authority", "not of the authority in --ca"),
        ("no TLS", "does it want TLS"),
        ("nobody there", "check host and port"),
    ],
)
def test_a_connection_that_is_refused_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hpl_routes: Routes, case: str, says: str
) -> None:
    authority, other = Authority(tmp_path / "pki"), Authority(tmp_path / "pki", "other")
    cert, key = (other if "client certificate of another" in case else authority).issue("meterhouse")
    with Mosquitto(tmp_path / "m", authority, {"us": "sesame"}) as broker:
        monkeypatch.setenv("METERHOUSE_MQTT_USERNAME", "us")
        monkeypatch.setenv("METERHOUSE_MQTT_PASSWORD", "wrong" if case == "wrong password" else "sesame")
        settings = MqttSettings(f"mqtts://localhost:{broker.port}", "c1", "5", authority.ca, cert, key)
        if case == "no client certificate":
            settings = dataclasses.replace(settings, cert=None, key=None)
        elif case == "broker of another authority":
            settings = dataclasses.replace(settings, ca=other.ca)
        elif case == "no TLS":
            settings = MqttSettings(f"mqtt://localhost:{broker.port}", "c1")
        elif case == "nobody there":
            settings = dataclasses.replace(settings, url="mqtts://localhost:1")
        with pytest.raises(StreamError) as refused:
            MqttSource(settings, hpl_routes, QUICK).open()
        assert says in str(refused.value)
        assert "sesame" not in str(refused.value), "a message must not show the password"


def test_a_broker_that_restarts_in_mid_stream_loses_nothing(registered: str, world: World, broker: Mosquitto) -> None:
    url = f"mqtt://127.0.0.1:{broker.port}"
    subscribe_first(broker, "meterhouse-D01-HES-HPL")
    with (
        cli("mqtt", url, "--topic", TOPIC, "--messages", "20") as consumer,
        python("-m", "simulation", "publish-mqtt", "--data", world.hpl, "--port", str(broker.port), "--rate", "60") as publisher,
    ):
        until(lambda: in_raw()["values"] > 500, "the stream flows")
        broker.stop()
        broker.start()
        finished(publisher)
        until(lambda: in_raw()["values"] >= world.expected["values"], "what was published lands")
        consumer.send_signal(signal.SIGTERM)
        finished(consumer)
    assert_all_landed_once(world)


def test_a_consumer_that_is_killed_in_mid_stream_loses_nothing(registered: str, world: World, broker: Mosquitto) -> None:
    url = f"mqtt://127.0.0.1:{broker.port}"
    with python("-m", "simulation", "publish-mqtt", "--data", world.hpl, "--port", str(broker.port), "--rate", "60") as publisher:
        subscribe_first(broker, "meterhouse-D01-HES-HPL")  # Python is still starting there
        with cli("mqtt", url, "--topic", TOPIC, "--messages", "10") as consumer:
            until(lambda: in_raw()["values"] > 500, "the stream flows")
            consumer.kill()
            consumer.wait(10)
        finished(publisher)
        with cli("mqtt", url, "--topic", TOPIC, "--until-idle", "1") as consumer:
            finished(consumer)
    assert_all_landed_once(world)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_consumer_that_is_killed_between_commit_and_acknowledgement_adds_nothing_twice(
    registered: str, world: World, broker: Mosquitto, hpl_routes: Routes, version: str
) -> None:
    settings = MqttSettings(f"mqtt://127.0.0.1:{broker.port}", "killed", version)
    source = MqttSource(settings, hpl_routes, QUICK)
    source.open()
    source.close()
    publish(broker, [(f"hpl/{n}/profiles", m) for n, m in enumerate(world.messages)])
    code = KILLED_BEFORE_ACKNOWLEDGING.format(module="mqtt", source="MqttSource")
    arguments = ["land", "mqtt", settings.url, "--topic", TOPIC, "--client-id", "killed", "--messages", "50", "--protocol", version]
    with python("-c", code, *arguments, "-d", "D01", "--hes", "HES-HPL") as consumer:
        consumer.wait(60)
        assert consumer.returncode == -signal.SIGKILL, consumer.stdout and consumer.stdout.read()
    committed = ask("select count(*) from raw.batch where values_received = 0")
    assert committed >= 51, "two batches were committed before the kill"
    summary = land_all(MqttSource(settings, hpl_routes, QUICK), hpl_routes)
    assert summary.duplicates >= 1, "what was committed and not acknowledged must come again and be known"
    assert summary.landed + committed == len(world.messages)
    assert_all_landed_once(world)


def test_a_warehouse_that_is_away_is_waited_for_and_nothing_acknowledged(
    registered: str, world: World, broker: Mosquitto, hpl_routes: Routes
) -> None:
    source = MqttSource(MqttSettings(f"mqtt://127.0.0.1:{broker.port}", "waits"), hpl_routes, QUICK)
    source.open()
    publish(broker, [("hpl/x/profiles", m) for m in world.messages[:60]])
    acknowledged: list[int] = []
    plain = source.acknowledge
    source.acknowledge = lambda messages: (acknowledged.append(len(messages)), plain(messages))[1]  # type: ignore[method-assign]
    connections: list[psycopg.Connection] = []

    def connect() -> psycopg.Connection:
        if 1 <= len(connections) < 4:
            connections.append(None)  # type: ignore[arg-type]
            assert sum(acknowledged) <= 50, "nothing of a batch that is not landed may be acknowledged"
            raise psycopg.OperationalError("the server is down")
        connections.append(db.connect())
        return connections[-1]

    def progress(summary: StreamSummary) -> None:
        if len(connections) == 1 and acknowledged:  # the server ends our session between two batches
            with psycopg.connect(registered) as conn:
                conn.execute("select pg_terminate_backend(%s)", [connections[0].info.backend_pid])

    summary = follow(source, Lander(hpl_routes, "D01", "HES-HPL", QUICK), connect, until_idle_s=1, progress=progress)
    source.close()
    assert summary.retries >= 3
    assert (summary.messages, summary.landed, sum(acknowledged)) == (60, 60, 60)


def test_a_warehouse_that_stays_away_ends_the_stream_and_the_message_comes_again(
    registered: str, world: World, broker: Mosquitto, hpl_routes: Routes
) -> None:
    limits = dataclasses.replace(QUICK, give_up_s=0.5)
    settings = MqttSettings(f"mqtt://127.0.0.1:{broker.port}", "gives-up")
    connections: list[psycopg.Connection] = []

    def connect() -> psycopg.Connection:
        if connections:
            raise psycopg.OperationalError("the server is down")
        connections.append(db.connect())
        return connections[0]

    def progress(summary: StreamSummary) -> None:
        if not connections[0].closed:
            connections[0].close()
            publish(broker, [("hpl/x/profiles", world.messages[0])])

    source = MqttSource(settings, hpl_routes, limits)
    source.open()
    with pytest.raises(StreamError, match=r"the server is down\. Tried for 0 s.*They stay with the broker"):
        follow(source, Lander(hpl_routes, "D01", "HES-HPL", limits), connect, until_idle_s=5, progress=progress)
    source.close()
    assert land_all(MqttSource(settings, hpl_routes, QUICK), hpl_routes).landed == 1


def test_bad_messages_are_rejected_and_acknowledged_and_the_next_go_on(
    registered: str, world: World, broker: Mosquitto, hpl_routes: Routes
) -> None:
    limits = dataclasses.replace(QUICK, message_bytes=100_000)
    settings = MqttSettings(f"mqtt://127.0.0.1:{broker.port}", "bad")
    source = MqttSource(settings, hpl_routes, limits)
    source.open()
    stranger = world.messages[0].replace(json.loads(world.messages[0])["items"][0]["meterSerial"].encode(), b"STRANGER")
    bad = [b"", b"\xff\xfe\x00rubbish", b"{" * 5000, stranger, b" " * 100_001, world.messages[0][:-40]]
    publish(broker, [("hpl/x/profiles", m) for m in [world.messages[1], *bad, world.messages[2]]])
    summary = follow(source, Lander(hpl_routes, "D01", "HES-HPL", limits), db.connect, until_idle_s=1)
    source.close()
    assert (summary.messages, summary.landed) == (8, 8)
    assert summary.received == summary.accepted + summary.rejected
    whole = ask("select count(*) from raw.batch where values_accepted = 0 and values_rejected > 0")
    assert whole == 5, "each message of which nothing could be read is a batch of its own"
    assert ask("select detail from raw.rejected where detail like '%more than the 100000%'") is not None
    again = land_all(MqttSource(settings, hpl_routes, limits), hpl_routes, limits)
    assert again.messages == 0, "bad messages must be acknowledged, or they come for ever"


def test_the_serial_may_stand_in_the_topic(registered: str, broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "plain.yml"
    path.write_text(
        """vendor: plain
description: values of one meter, whose serial stands in the topic
transport: {kind: mqtt, topics: {block: ["plain/{serial}/block"]}}
payload: {format: json, rows: "readings[]"}
time: {zone: Asia/Kolkata, stamp: start, formats: [iso8601]}
profiles:
  block: {kind: block, interval_min: 30, stamp: at, values: [{from: wh, to: import_wh, unit: Wh}]}
"""
    )
    with db.connect("meterhouse_owner") as conn:
        serials = [str(r[0]) for r in conn.execute("select serial from registry.meter where interval_min = 30 order by serial limit 2")]
    routes = Routes(load_vendor(path), [], mqtt.compile_topic)
    source = MqttSource(MqttSettings(f"mqtt://127.0.0.1:{broker.port}", "serial"), routes, QUICK)
    source.open()
    content = json.dumps({"readings": [{"at": "2026-10-01T00:00:00+05:30", "wh": 7}]}).encode()
    publish(broker, [(f"plain/{serial}/block", content) for serial in [*serials, serials[0]]])
    summary = follow(source, Lander(routes, "D01", "HES-HPL", QUICK), db.connect, until_idle_s=1)
    source.close()
    assert (summary.landed, summary.duplicates, summary.accepted) == (2, 1, 2), "the same content of two meters is not the same"
    assert ask("select count(distinct meter_id) from raw.profile_fragment where import_wh = '{7}'") == 2


def test_sigterm_ends_the_command_after_what_is_under_way(registered: str, world: World, broker: Mosquitto) -> None:
    subscribe_first(broker, "meterhouse-D01-HES-HPL")
    publish(broker, [("hpl/x/profiles", m) for m in world.messages[:20]])
    with cli("mqtt", f"mqtt://127.0.0.1:{broker.port}", "--topic", TOPIC) as consumer:
        until(lambda: in_raw()["values"] > 0, "the stream flows")
        consumer.send_signal(signal.SIGTERM)
        said = finished(consumer, 20)
    assert "20: 20 landed, 0 known already" in said


def test_the_broker_of_the_demonstration_carries_a_tenant(registered: str, world: World) -> None:
    summary = land_demo("D01", "HES-HPL", load_vendor("hpl"), Path(world.hpl))
    assert (summary.messages, summary.rejected) == (len(world.messages), 0)
    assert_all_landed_once(world)


# --- mutated messages ---


def test_mutated_messages_are_accounted_for_in_the_warehouse(registered: str, world: World, hpl_routes: Routes) -> None:
    """A hundred good messages among 150 spoilt ones, in batches: each is landed or rejected, and a second time adds nothing."""
    rng = random.Random(7)
    contents = list(world.messages[:100])
    for _ in range(150):
        body = bytearray(rng.choice(world.messages))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(body) or 1)
            if rng.random() < 0.5:
                body[at : at + 1] = bytes([rng.randrange(256)])
            elif rng.random() < 0.5:
                del body[at:]
            else:
                del body[at : at + rng.randint(1, 50)]
        contents.append(bytes(body))
    rng.shuffle(contents)
    messages = [Message(f"mqtt://test/{n}", "hpl/x/profiles", c, datetime.now(UTC)) for n, c in enumerate(contents)]
    lander = Lander(hpl_routes, "D01", "HES-HPL", QUICK)
    summary, again = StreamSummary(), StreamSummary()
    with db.connect() as conn:
        for many in (messages[:200], messages[200:]):
            for landed, result in lander.land(conn, many):
                summary.add(len(landed), result)
        for landed, result in lander.land(conn, messages):
            again.add(len(landed), result)
    assert summary.messages == len(messages)
    assert summary.received == summary.accepted + summary.rejected
    assert summary.rejected > 100, "the spoilt ones are rejected"
    assert ask("select sum(values_accepted) from raw.batch") == summary.accepted
    assert ask("select coalesce(sum(value_count), 0) from raw.rejected") == summary.rejected, "what is rejected is kept"
    assert (again.messages, again.landed, again.accepted) == (len(messages), 0, 0), "nothing may land twice"


# --- Kafka ---


@pytest.fixture(scope="module")
def tansu() -> Iterator[Tansu]:
    with Tansu() as one:
        yield one


@pytest.fixture(autouse=True)
def quick_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tansu assigns partitions after half the time in which a member must be heard of."""
    monkeypatch.setenv("METERHOUSE_KAFKA_SESSION_TIMEOUT_MS", "2000")
    monkeypatch.setenv("METERHOUSE_KAFKA_HEARTBEAT_INTERVAL_MS", "500")


def make_topic(broker: Tansu, name: str, partitions: int = 4) -> str:
    admin = AdminClient({"bootstrap.servers": broker.servers, "log_level": 0})
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result(20)
    return name


def produce(broker: Tansu, topic: str, messages: list[bytes | None]) -> None:
    producer = Producer({"bootstrap.servers": broker.servers, "message.max.bytes": 8_000_000, "log_level": 0})
    for n, m in enumerate(messages):
        producer.produce(topic, m, key=str(n))
    assert producer.flush(20) == 0


def kafka_routes(topic: str) -> Routes:
    return Routes(load_vendor("hpl"), [topic], kafka.compile_topic)


def test_kafka_lands_everything_once_and_puts_poison_aside(registered: str, world: World, tansu: Tansu) -> None:
    topic = make_topic(tansu, "poison", 2)
    limits = dataclasses.replace(QUICK, message_bytes=200_000)
    with python(
        "-m", "simulation", "produce-kafka", "--data", world.hpl, "--servers", tansu.servers, "--topic", topic, "--duplicate-every", "9"
    ) as p:
        finished(p)
    produce(tansu, topic, [b"poison", None, b"x" * 200_001])
    routes = kafka_routes(topic)
    summary = land_all(KafkaSource(KafkaSettings(tansu.servers, "g-poison"), routes, limits), routes, limits)
    assert summary.duplicates == len(world.messages) // 9
    assert summary.rejected == 3
    assert_all_landed_once(world)
    with db.connect("meterhouse_owner") as conn:
        places = [
            (b, loc)
            for b, loc in conn.execute("select b.source, r.locator from raw.rejected r join raw.batch b using (discom_id, batch_id)")
        ]
    assert all(b.startswith(f"kafka://{topic}/") and "@" in b for b, _ in places), f"a rejection must say partition and offset: {places}"
    again = land_all(KafkaSource(KafkaSettings(tansu.servers, "g-poison"), routes, limits), routes, limits)
    assert again.messages == 0, "offsets must be committed, those of poison too"


def test_kafka_consumers_share_the_partitions_and_one_that_is_killed_is_replaced(registered: str, world: World, tansu: Tansu) -> None:
    topic = make_topic(tansu, "shared")
    arguments = ["kafka", tansu.servers, "--topic", topic, "--group", "g-shared", "--messages", "5"]
    with cli(*arguments) as one, cli(*arguments, "--until-idle", "4") as two:
        with python(
            "-m", "simulation", "produce-kafka", "--data", world.hpl, "--servers", tansu.servers, "--topic", topic, "--rate", "60"
        ) as p:
            until(lambda: in_raw()["values"] > 3000, "the stream flows")
            one.kill()
            finished(p)
        said = finished(two, 90)
    assert "known already" in said
    assert_all_landed_once(world)


def test_kafka_two_consumers_divide_the_messages(registered: str, world: World, tansu: Tansu) -> None:
    topic = make_topic(tansu, "divided")
    routes = kafka_routes(topic)
    sources = [KafkaSource(KafkaSettings(tansu.servers, "g-divided"), routes, QUICK) for _ in range(2)]
    summaries: list[StreamSummary] = []

    def run(source: KafkaSource) -> None:
        summaries.append(follow(source, Lander(routes, "D01", "HES-HPL", QUICK), db.connect, until_idle_s=3))

    threads = [threading.Thread(target=run, args=[s]) for s in sources]
    for source, thread in zip(sources, threads, strict=True):
        source.open()
        thread.start()
    try:
        until(lambda: all(len(s._assigned) == 2 for s in sources), "two partitions each")
        produce(tansu, topic, list(world.messages))
    finally:
        for source, thread in zip(sources, threads, strict=True):
            thread.join(60)
            source.close()
    assert sum(s.messages for s in summaries) == len(world.messages)
    assert all(s.landed for s in summaries), "each consumer must get some"
    assert_all_landed_once(world)


def test_kafka_a_consumer_that_is_killed_between_commit_and_acknowledgement_adds_nothing_twice(
    registered: str, world: World, tansu: Tansu
) -> None:
    topic = make_topic(tansu, "killed", 1)
    produce(tansu, topic, list(world.messages))
    code = KILLED_BEFORE_ACKNOWLEDGING.format(module="kafka", source="KafkaSource")
    arguments = ["land", "kafka", tansu.servers, "--topic", topic, "--group", "g-killed", "--messages", "50"]
    with python("-c", code, *arguments, "-d", "D01", "--hes", "HES-HPL") as consumer:
        consumer.wait(60)
        assert consumer.returncode == -signal.SIGKILL, consumer.stdout and consumer.stdout.read()
    committed = ask("select count(*) from raw.batch where values_received = 0")
    routes = kafka_routes(topic)
    summary = land_all(KafkaSource(KafkaSettings(tansu.servers, "g-killed"), routes, QUICK), routes)
    assert summary.duplicates >= 50, "the batch that was committed in the warehouse and not at the broker comes again"
    assert summary.landed + committed == len(world.messages)
    assert_all_landed_once(world)


def test_kafka_a_broker_that_restarts_is_found_again(registered: str, world: World) -> None:
    """This one forgets all when it ends, so the producer sends all again: what was landed is known."""
    with Tansu() as broker:
        topic = make_topic(broker, "restart", 2)
        half = len(world.messages) // 2
        produce(broker, topic, list(world.messages[:half]))
        arguments = ["kafka", broker.servers, "--topic", topic, "--until-idle", "4", "--messages", "50"]
        with cli(*arguments) as consumer:
            until(lambda: ask("select count(distinct source) from raw.batch") > 5, "the stream flows")
            broker.stop()
            broker.start()
            make_topic(broker, topic, 2)
            produce(broker, topic, list(world.messages))
            said = finished(consumer, 90)
        assert "known already" in said
        assert_all_landed_once(world)


def test_kafka_waits_for_a_warehouse_that_is_away_and_skips_nothing(registered: str, world: World, tansu: Tansu) -> None:
    """Away for longer than the group waits for a member that is not heard of."""
    topic = make_topic(tansu, "away", 2)
    produce(tansu, topic, list(world.messages))
    begun: list[float] = []

    def connect() -> psycopg.Connection:
        if not begun or time.monotonic() - begun[0] > 4:
            return db.connect()
        raise psycopg.OperationalError("the server is down")

    routes = kafka_routes(topic)
    source = KafkaSource(KafkaSettings(tansu.servers, "g-away"), routes, QUICK)
    lander = Lander(routes, "D01", "HES-HPL", QUICK)
    plain = lander.land

    def lost_once(conn: psycopg.Connection, messages: Any) -> Any:
        if not begun and in_raw()["values"]:
            begun.append(time.monotonic())
            raise psycopg.OperationalError("the connection is lost")
        return plain(conn, messages)

    lander.land = lost_once  # type: ignore[method-assign]
    source.open()
    try:
        summary = follow(source, lander, connect, until_idle_s=1)
    finally:
        source.close()
    assert summary.retries > 3
    assert (summary.messages, summary.duplicates) == (len(world.messages), 0), "the group must not have given the partitions away"
    assert_all_landed_once(world)


def test_kafka_says_what_is_wrong(tansu: Tansu, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = kafka_routes("no-such-topic")
    with pytest.raises(StreamError, match="no topic no-such-topic"):
        KafkaSource(KafkaSettings(tansu.servers, "g"), routes, QUICK).open()
    with monkeypatch.context() as patch:
        patch.setattr(kafka, "TIMEOUT_S", 1.0)
        with pytest.raises(StreamError, match=r"Connection refused.*check the address"):
            KafkaSource(KafkaSettings("127.0.0.1:1", "g"), routes, QUICK).open()
        patch.setenv("METERHOUSE_KAFKA_ENABLE_AUTO_COMMIT", "true")
        with pytest.raises(StreamError, match="METERHOUSE_KAFKA_ENABLE_AUTO_COMMIT cannot be set"):
            KafkaSource(KafkaSettings(tansu.servers, "g"), routes, QUICK)
    monkeypatch.setenv("METERHOUSE_KAFKA_NO_SUCH_THING", "1")
    with pytest.raises(StreamError, match=r"no\.such\.thing"):
        KafkaSource(KafkaSettings(tansu.servers, "g"), routes, QUICK)
