"""Command line of the simulation: `generate` a synthetic DISCOM; `serve-*`, `drop`, `publish-mqtt`, `produce-kafka` are its head-ends."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

from simulation.dlms.server import Park, serve
from simulation.drop import MANNERS, drop
from simulation.faults import KINDS, Fault
from simulation.generate import generate
from simulation.model import SimulationConfig
from simulation.server import STYLES, TOKEN_VARIABLE, make_server


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code (2 = wrong arguments or settings)."""
    options = _parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"simulation {options.command}: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    default = SimulationConfig()
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    formatter = argparse.ArgumentDefaultsHelpFormatter

    gen = commands.add_parser(
        "generate",
        help="write registry, readings and truth of synthetic DISCOMs",
        formatter_class=formatter,
        epilog="example: python -m simulation generate --out sim --tenants 1 --days 14 --seed 7",
    )
    gen.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    gen.add_argument("--tenants", type=int, default=default.tenants, help="DISCOMs")
    gen.add_argument("--feeders", type=int, default=default.feeders, help="feeders a tenant")
    gen.add_argument("--dts", type=int, default=default.dts, help="distribution transformers a tenant")
    gen.add_argument("--consumers", type=int, default=default.consumers, help="consumers a tenant")
    gen.add_argument("--start", type=date.fromisoformat, default=default.start, help="first business day, ISO")
    gen.add_argument("--days", type=int, default=default.days, help="business days")
    gen.add_argument("--interval-min", type=int, default=default.interval_min, help="block length, 15 or 30")
    gen.add_argument("--seed", type=int, default=default.seed, help="the same seed gives the same bytes")
    gen.add_argument("--clean", action="store_true", help="no defects")
    gen.add_argument(
        "--audit", action="store_true", help="with what an energy audit needs: phases, positions, bills, incomers and the rest"
    )
    gen.add_argument("--defect-share", type=float, default=default.defect_share, help="share of meter-days with a defect")
    gen.add_argument("--prosumer-share", type=float, default=default.prosumer_share, help="share with rooftop solar")

    for style in STYLES:
        serve = commands.add_parser(
            f"serve-{style}",
            help=f"serve one tenant's hpl data on 127.0.0.1 in the style {style}",
            formatter_class=formatter,
            description=f"The token that clients must send is read from the environment variable {TOKEN_VARIABLE}. "
            "Faults are kind:name=value,..., the kinds: " + "; ".join(f"{k}: {v}" for k, v in KINDS.items()),
            epilog=f"example: {TOKEN_VARIABLE}=secret python -m simulation serve-{style} --data sim/D01/hpl --port 8801 "
            "--fault unavailable:every=7 --fault slow_drip:page=2,times=1,seconds=20",
        )
        serve.add_argument("--data", type=Path, required=True, help="the hpl folder of a tenant")
        serve.add_argument("--port", type=int, default=0, help="0 = any free port")
        serve.add_argument("--fail-every", type=int, default=0, help="every Nth request answers 503; 0 = never")
        serve.add_argument("--rate-limit-every", type=int, default=0, help="every Nth request answers 429; 0 = never")
        serve.add_argument("--fault", type=Fault.parse, action="append", default=[], help="a rule; may be given several times")

    put = commands.add_parser(
        "drop",
        help="leave a tenant's files in a drop folder, as over SFTP: slowly, well or badly",
        formatter_class=formatter,
        epilog="example: python -m simulation drop --data sim/D01/vendor_b --to drop --manner rename --seconds 2",
    )
    put.add_argument("--data", type=Path, required=True, help="the vendor_b or vendor_c folder of a tenant")
    put.add_argument("--to", type=Path, required=True, help="the drop folder")
    put.add_argument("--manner", choices=sorted(MANNERS), default="rename", help="; ".join(f"{k}: {v}" for k, v in MANNERS.items()))
    put.add_argument("--seconds", type=float, default=0.0, help="time that each file takes")

    dlms = commands.add_parser(
        "serve-dlms",
        help="serve DLMS meters on 127.0.0.1, over the TCP wrapper and HDLC",
        formatter_class=formatter,
        description="Meter n answers at server address n. The second line of output names the port for faults, events and pushes.",
        epilog="example: python -m simulation serve-dlms --meters 10 --port 4059 --folder sim-dlms",
    )
    dlms.add_argument("--meters", type=int, default=1, help="how many")
    dlms.add_argument("--port", type=int, default=0, help="0 = any free port")
    dlms.add_argument("--seed", type=int, default=1, help="the same seed gives the same values and keys")
    dlms.add_argument("--categories", default="D1", help="categories that take turns: D1 (one phase), D2 (three), D3 (CT, no relay)")
    dlms.add_argument("--interval-min", type=int, default=30, choices=(15, 30), help="block length")
    dlms.add_argument("--clock", type=datetime.fromisoformat, help="where the meters' clocks start, naive IST; default: now")
    dlms.add_argument("--days", type=int, default=45, help="days of history")
    dlms.add_argument("--folder", type=Path, help="write meter_endpoint.csv and keys.json there")

    _message_parsers(commands, formatter)
    return parser


def _message_parsers(commands: Any, formatter: Any) -> None:
    def feed(name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = commands.add_parser(
            name, help=summary, formatter_class=formatter, epilog=f"example: python -m simulation {epilog}"
        )
        one.add_argument("--data", type=Path, required=True, help="the hpl folder of a tenant")
        one.add_argument("--rate", type=float, default=0.0, help="messages a second; 0 = as fast as it goes")
        one.add_argument("--items", type=int, default=1, help="items a message")
        one.add_argument("--duplicate-every", type=int, default=0, help="every Nth message is sent twice; 0 = never")
        one.add_argument("--cut-every", type=int, default=0, help="every Nth message is sent once more, cut off in the middle; 0 = never")
        one.add_argument("--shuffle", type=int, default=0, help="so many neighbours lose their order")
        one.add_argument("--seed", type=int, default=1)
        return one

    mqtt = feed(
        "publish-mqtt",
        "publish one tenant's hpl data at an MQTT broker, QoS 1; user and password are MQTT_USERNAME and MQTT_PASSWORD of the environment",
        "publish-mqtt --data sim/D01/hpl --port 1883 --duplicate-every 10",
    )
    mqtt.add_argument("--host", default="127.0.0.1")
    mqtt.add_argument("--port", type=int, default=1883)
    mqtt.add_argument("--topic", default="hpl/{serial}/profiles", help="{serial} is the meter's")
    mqtt.add_argument("--protocol", choices=("3.1.1", "5"), default="5")
    for name in ("ca", "cert", "key"):
        mqtt.add_argument(f"--{name}", help="PEM file; --ca switches TLS on")
    kafka = feed(
        "produce-kafka",
        "produce one tenant's hpl data to a Kafka topic",
        "produce-kafka --data sim/D01/hpl --servers 127.0.0.1:9092 --topic hpl",
    )
    kafka.add_argument("--servers", default="127.0.0.1:9092", help="host:port, several with commas")
    kafka.add_argument("--topic", default="hpl")
    broker = commands.add_parser("broker", help="an MQTT broker on 127.0.0.1 that keeps all in memory", formatter_class=formatter)
    broker.add_argument("--port", type=int, default=1883, help="0 = any free port")


def _publish(options: argparse.Namespace) -> int:
    from simulation.messages import Faults, outgoing
    from simulation.publish import Mqtt, produce_kafka, publish_mqtt

    faults = Faults(options.duplicate_every, options.cut_every, options.shuffle, options.seed)
    messages = outgoing(options.data, options.items, faults)
    if options.command == "produce-kafka":
        sent = produce_kafka(messages, options.servers, options.topic, options.rate)
    else:
        to = Mqtt(options.host, options.port, options.topic, options.protocol, options.ca, options.cert, options.key)
        sent = publish_mqtt(messages, to, options.rate)
    sys.stdout.write(f"{sent} messages sent\n")
    return 0


def _broker(options: argparse.Namespace) -> int:
    from simulation.broker import serve

    def ready(port: int) -> None:
        sys.stdout.write(f"listening on mqtt://127.0.0.1:{port}\n")
        sys.stdout.flush()

    serve(options.port, ready)
    return 0


def _generate(options: argparse.Namespace) -> int:
    settings = {k: v for k, v in vars(options).items() if k not in ("command", "out")}

    def progress(text: str, share: float) -> None:
        sys.stderr.write(f"{share:4.0%} {text}\n")

    manifest = generate(SimulationConfig(**settings), options.out, progress)
    for t in manifest.tenants:
        sent = ", ".join(f"{v} {t.values_sent(v)}" for v in t.values)
        sys.stdout.write(f"{t.code}: {sum(t.meters.values())} meters, {sum(t.defects.values())} defect rows; values {sent}\n")
    return 0


def _drop(options: argparse.Namespace) -> int:
    for name in drop(options.data, options.to, options.manner, options.seconds):
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
    return 0


def _serve(options: argparse.Namespace) -> int:
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise ValueError(f"the environment variable {TOKEN_VARIABLE} is empty: set the token that clients must send")
    if options.fail_every < 0 or options.rate_limit_every < 0:
        raise ValueError("--fail-every and --rate-limit-every must not be negative")
    if not 0 <= options.port <= 65535:
        raise ValueError(f"--port is {options.port}: write 0 (any free port) or a number up to 65535")
    rules = list(options.fault)
    rules += [Fault("unavailable", every=options.fail_every)] if options.fail_every else []
    rules += [Fault("rate_limit", every=options.rate_limit_every, seconds=0)] if options.rate_limit_every else []
    server = make_server(options.data, token, options.port, rules, options.command.removeprefix("serve-"))
    try:
        sys.stdout.write(f"listening on http://127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()
    finally:
        server.server_close()
    return 0


def _serve_dlms(options: argparse.Namespace) -> int:
    if not 1 <= options.meters <= 10_000 or options.days < 1:
        raise ValueError("--meters must be from 1 to 10000 and --days at least 1")
    if not 0 <= options.port <= 65535:
        raise ValueError(f"--port is {options.port}: write 0 (any free port) or a number up to 65535")
    park = Park.of(options.meters, options.seed, options.categories.split(","), options.interval_min, options.clock, options.days)
    serve(park, options.port, options.folder)
    return 0


COMMANDS = {
    "generate": _generate,
    **{f"serve-{style}": _serve for style in STYLES},
    "drop": _drop,
    "serve-dlms": _serve_dlms,
    "publish-mqtt": _publish,
    "produce-kafka": _publish,
    "broker": _broker,
}


if __name__ == "__main__":
    sys.exit(main())
