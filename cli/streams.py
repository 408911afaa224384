"""meterhouse land mqtt|kafka: follow a broker's topics and land what comes, until told to end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.console import console, count, errors, fail
from cli.data import Discom, Hes, VendorName
from cli.database import ensure_ready
from ingestion.transports import kafka as kafka_transport
from ingestion.transports import mqtt as mqtt_transport
from ingestion.transports.kafka import KafkaSettings, KafkaSource
from ingestion.transports.mqtt import MqttSettings, MqttSource
from ingestion.transports.stream import Lander, Limits, Routes, Source, StreamSummary, follow
from ingestion.vendor import Vendor, load_vendor
from simulation.broker import MqttBroker
from warehouse import db
from warehouse.registry import vendor_of

STATEMENT_TIMEOUT_MS = "120000"
REPORT_S = 60.0
"""Where the output is no terminal, a line of counts comes so often."""
DEMO_IDLE_S = 5.0

Topics = Annotated[
    list[str] | None, typer.Option("--topic", help="Topic; may be given again. Default: transport.topics of the vendor file.")
]
UntilIdle = Annotated[
    float | None, typer.Option(help="End when nothing came for so many seconds. Default: follow until Ctrl-C or SIGTERM.")
]
Together = Annotated[int, typer.Option(min=1, max=10000, help="Most messages that are landed together, and wait here unacknowledged.")]
GiveUp = Annotated[float, typer.Option(min=0, help="Seconds without the database or the broker after which to end with exit code 1.")]


def mqtt(
    discom: Discom,
    hes: Hes,
    url: Annotated[str, typer.Argument(help="mqtts://host[:8883], or mqtt://host[:1883] without TLS.")],
    topic: Topics = None,
    vendor: VendorName = None,
    protocol: Annotated[str, typer.Option(help="MQTT version: 5 or 3.1.1.")] = "5",
    client_id: Annotated[str | None, typer.Option(help="Name of the session at the broker. Default: meterhouse-DISCOM-HES.")] = None,
    ca: Annotated[Path | None, typer.Option(envvar="METERHOUSE_MQTT_CA", help="PEM of the authority. Default: the system's.")] = None,
    cert: Annotated[Path | None, typer.Option(envvar="METERHOUSE_MQTT_CERT", help="PEM of our client certificate.")] = None,
    key: Annotated[Path | None, typer.Option(envvar="METERHOUSE_MQTT_KEY", help="PEM of its key.")] = None,
    messages: Together = 500,
    until_idle: UntilIdle = None,
    give_up: GiveUp = 900.0,
) -> None:
    """Land what comes on MQTT topics; each message is acknowledged after its commit.

    User and password are METERHOUSE_MQTT_USERNAME and METERHOUSE_MQTT_PASSWORD of the environment.

    Example: meterhouse land mqtt -d D01 --hes HES-HPL mqtts://broker.example --topic 'hpl/+/profiles' --ca ca.pem
    """
    limits = Limits(messages=messages, give_up_s=give_up)
    settings = MqttSettings(url, client_id or f"meterhouse-{discom}-{hes}", protocol, ca, cert, key)

    def source(routes: Routes) -> MqttSource:
        return MqttSource(settings, routes, limits)

    _follow(discom, hes, vendor, topic, mqtt_transport.compile_topic, source, limits, until_idle)


def kafka(
    discom: Discom,
    hes: Hes,
    servers: Annotated[str, typer.Argument(help="host:port of a broker, several with commas.")],
    topic: Topics = None,
    vendor: VendorName = None,
    group: Annotated[
        str | None, typer.Option(help="Consumer group; its members share the partitions. Default: meterhouse-DISCOM-HES.")
    ] = None,
    messages: Together = 500,
    until_idle: UntilIdle = None,
    give_up: GiveUp = 900.0,
) -> None:
    """Land what comes on Kafka topics; offsets are committed after the landing.

    Properties of librdkafka come from the environment: METERHOUSE_KAFKA_SECURITY_PROTOCOL, METERHOUSE_KAFKA_SASL_PASSWORD …

    Example: meterhouse land kafka -d D01 --hes HES-HPL kafka1.example:9092 --topic hpl
    """
    limits = Limits(messages=messages, give_up_s=give_up)
    settings = KafkaSettings(servers, group or f"meterhouse-{discom}-{hes}")

    def source(routes: Routes) -> KafkaSource:
        return KafkaSource(settings, routes, limits)

    _follow(discom, hes, vendor, topic, kafka_transport.compile_topic, source, limits, until_idle)


def land_demo(discom: str, hes: str, vendor: Vendor, data: Path) -> StreamSummary:
    """Land a simulated tenant's hpl folder over MQTT, with a broker and a publisher of its own."""
    limits = Limits()
    with MqttBroker() as broker:
        routes = Routes(vendor, ["hpl/+/profiles"], mqtt_transport.compile_topic)
        source = MqttSource(MqttSettings(broker.url, f"meterhouse-{discom}-{hes}", "3.1.1"), routes, limits)
        source.open()
        try:
            broker.publish(data)
            return follow(source, Lander(routes, discom, hes, limits), _connect, until_idle_s=DEMO_IDLE_S)
        finally:
            source.close()


def _follow(
    discom: str,
    hes: str,
    vendor: str | None,
    topics: list[str] | None,
    compile_topic: Callable,
    make_source: Callable[[Routes], Source],
    limits: Limits,
    until_idle: float | None,
) -> None:
    ensure_ready()
    with db.connect() as conn:
        name = vendor or vendor_of(conn, discom, hes)
    if name is None:
        fail(f"DISCOM {discom} has no head-end system {hes!r} in the registry: check hes.csv and import it again")
    loaded = load_vendor(name)
    routes = Routes(loaded, topics or [], compile_topic)
    source = make_source(routes)
    with _until_told() as stop, _live(f"{discom} {hes}") as progress:
        source.open()
        try:
            summary = follow(source, Lander(routes, discom, hes, limits), _connect, stop=stop, until_idle_s=until_idle, progress=progress)
        finally:
            source.close()
    _show(summary)


def _connect() -> db.psycopg.Connection:
    return db.connect(session={"statement_timeout": STATEMENT_TIMEOUT_MS})


@contextmanager
def _until_told() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets: what is under way is finished and acknowledged. A second Ctrl-C ends at once."""
    stop = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _live(what: str) -> Iterator[Callable[[StreamSummary], None]]:
    """A line of counts that renews itself on a terminal, and comes now and then elsewhere."""
    if errors.is_terminal:
        with errors.status(f"{what}: connecting") as status:
            yield lambda s: status.update(_line(what, s))
        return
    said_at, said = 0.0, ""

    def say(s: StreamSummary) -> None:
        nonlocal said_at, said
        if s.trouble != said or time.monotonic() - said_at >= REPORT_S:
            said_at, said = time.monotonic(), s.trouble
            errors.print(_line(what, s), soft_wrap=True)

    yield say


def _line(what: str, s: StreamSummary) -> str:
    known = f"{count(s.messages)} messages, {count(s.duplicates)} of them known already"
    counts = f"{known}, {count(s.accepted)} values + {count(s.rejected)} rejected"
    return f"{what}: {counts}" + (f" [yellow]{escape(s.trouble)}[/yellow]" if s.trouble else "")


def _show(s: StreamSummary) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("messages", f"{count(s.messages)}: {count(s.landed)} landed, {count(s.duplicates)} known already")
    table.add_row("values", f"{count(s.received)} received = {count(s.accepted)} accepted + {count(s.rejected)} rejected")
    for reason, n in s.rejected_by_reason.most_common():
        table.add_row("", f"[yellow]{count(n)} {reason.value}[/yellow]: {reason.meaning}")
    if s.trouble:
        table.add_row("[yellow]at the end[/yellow]", escape(s.trouble))
    console.print(table)
