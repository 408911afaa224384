"""The outbox of alerts against real receivers: an HTTP server, a mail server, an MQTT broker; retries, kills, and several dispatchers."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psycopg
import pytest
from aiosmtpd.controller import Controller

from ingestion.alerts import dispatch
from warehouse import db

pytestmark = pytest.mark.integration


@pytest.fixture
def loader(database: str) -> Iterator[psycopg.Connection]:
    """A DISCOM `acme` with meter M1."""
    with db.connect("meterhouse_owner") as conn:
        conn.execute("insert into registry.discom (code, name) values ('acme', 'acme')")
        conn.execute("insert into registry.hes (discom_id, code, vendor) select discom_id, 'h1', 'x' from registry.discom")
        conn.execute(
            """insert into registry.meter (discom_id, serial, hes_id, category, interval_min)
               select discom_id, 'M1', hes_id, 'D1', 30 from registry.hes"""
        )
    with db.connect() as conn:
        yield conn


def alert(conn: psycopg.Connection, *sends: tuple[str, str]) -> None:
    """An alert as landing leaves it, with what is to be sent of it."""
    with conn.transaction():
        conn.execute(
            """with a as (
                   insert into ops.alert (discom_id, rule, meter_id, severity, event, source, code, occurred_at, received_at, batch_id,
                                          last_at, backfill)
                   select discom_id, 'cover', meter_id, 'critical', 'meter_cover_opened', 'event', 251,
                          '2026-10-05 06:00+00'::timestamptz + n * interval '1 second', now(), 1, now(), false
                   from registry.meter, (select count(*) as n from ops.alert) c returning discom_id, alert_id
               )
               insert into ops.alert_delivery (discom_id, alert_id, channel, target)
               select discom_id, alert_id, s.* from a, unnest(%s::text[], %s::text[]) s""",
            [[c for c, _ in sends], [t for _, t in sends]],
        )


def deliveries(conn: psycopg.Connection, columns: str = "channel, state, attempts") -> list[tuple]:
    with conn.transaction():
        return conn.execute(f"select {columns} from ops.alert_delivery order by delivery_id").fetchall()


def make_due(conn: psycopg.Connection) -> None:
    """As if the time to the next attempt had passed."""
    with conn.transaction():
        conn.execute("update ops.alert_delivery set next_attempt_at = now() where state = 'pending'")


class Receiver:
    """An HTTP server that answers with `answers` in their order, then with 200. `hold` makes it wait before it answers."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.hold.wait(30)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128  # by default 5: the sixteen that dispatchers open at once then wait seconds to be let in

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(autouse=True)
def receivers_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_WEBHOOK_NETWORKS", "127.0.0.1/32")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.hold.set()
    one.server.shutdown()
    one.server.server_close()


def test_a_webhook_is_signed_and_tried_again_until_it_is_taken(
    loader: psycopg.Connection, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERHOUSE_WEBHOOK_SECRET", "s3cret")
    receiver.answers = [500, 429]
    alert(loader, ("webhook", receiver.url))
    for attempt, outcome in enumerate(["retried", "retried", "sent"], 1):
        assert getattr(dispatch.send_due(loader), outcome) == 1, f"attempt {attempt}"
        assert dispatch.send_due(loader).idle, "not before the time of the next attempt"
        if outcome == "retried":
            ((state, attempts, wait, error),) = deliveries(loader, "state, attempts, next_attempt_at - now(), last_error")
            assert (state, attempts) == ("pending", attempt)
            assert timedelta(0) < wait <= timedelta(seconds=10 * 2 ** (attempt - 1))
            assert error == f"127.0.0.1:{receiver.server.server_port} answers {500 if attempt == 1 else 429}"
            make_due(loader)
    assert deliveries(loader, "state, attempts, sent_at is not null, last_error") == [("sent", 3, True, None)]
    assert len({h["Idempotency-Key"] for h, _ in receiver.got}) == 1, "all attempts have one key"
    headers, body = receiver.got[-1]
    assert headers["X-Meterhouse-Signature"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    told = json.loads(body)
    assert {k: told[k] for k in ("discom", "meter", "rule", "severity", "event", "code", "occurred_at", "delivery_key")} == {
        "discom": "acme",
        "meter": "M1",
        "rule": "cover",
        "severity": "critical",
        "event": "meter_cover_opened",
        "code": 251,
        "occurred_at": "2026-10-05T06:00:00+00:00",
        "delivery_key": headers["Idempotency-Key"],
    }


def test_what_is_refused_for_good_is_not_tried_again(loader: psycopg.Connection, receiver: Receiver) -> None:
    receiver.answers = [410]
    alert(loader, ("webhook", receiver.url))
    assert dispatch.send_due(loader).failed == 1
    make_due(loader)
    assert dispatch.send_due(loader).idle
    assert deliveries(loader) == [("webhook", "failed", 1)]


def test_attempts_come_to_an_end(loader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        alert(loader, ("webhook", f"http://127.0.0.1:{nobody.getsockname()[1]}/"))
        for _ in range(dispatch.MAX_ATTEMPTS + 2):
            dispatch.send_due(loader)
            make_due(loader)
    ((state, attempts, error),) = deliveries(loader, "state, attempts, last_error")
    assert (state, attempts) == ("failed", dispatch.MAX_ATTEMPTS)
    assert "does not answer" in error
    waits = [dispatch.backoff(n) / timedelta(seconds=1) for n in range(1, 12)]
    assert waits[:3] == [10, 20, 40]
    assert waits[-1] == 3600, "the wait has a limit"


class Mailbox:
    def __init__(self) -> None:
        self.got: list[Any] = []
        self.answers: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            self.got.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return answer


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def test_a_mail(loader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    box, port = Mailbox(), free_port()
    box.answers = ["451 later", "250 taken", "554 never"]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        monkeypatch.setenv("METERHOUSE_SMTP_URL", f"smtp://127.0.0.1:{port}")
        monkeypatch.setenv("METERHOUSE_MAIL_FROM", "meterhouse@acme.example")
        alert(loader, ("email", "desk@acme.example"))
        assert dispatch.send_due(loader).retried == 1
        make_due(loader)
        assert dispatch.send_due(loader).sent == 1
        alert(loader, ("email", "desk@acme.example"))
        assert dispatch.send_due(loader).failed == 1, "a 5xx is for good"
    finally:
        server.stop()
    ((to, mail),) = box.got
    assert to == ["desk@acme.example"]
    assert mail["Subject"] == "[critical] acme M1: meter cover opened (cover)"
    assert mail["Message-ID"].endswith("@acme.example>")
    assert "occurred_at: 2026-10-05T06:00:00+00:00" in mail.get_content()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    program = shutil.which("mosquitto") or ("/usr/sbin/mosquitto" if Path("/usr/sbin/mosquitto").exists() else None)
    if program is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    port = free_port()
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen([program, "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_mqtt(loader: psycopg.Connection, broker: int, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[str, bytes, int]] = []
    ready, come = threading.Event(), threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_connect = lambda c, *_: c.subscribe("acme/#", qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _c, _u, m: (got.append((m.topic, m.payload, m.qos)), come.set())
    client.connect("127.0.0.1", broker)
    client.loop_start()
    try:
        assert ready.wait(10)
        alert(loader, ("mqtt", "acme/alerts"))
        monkeypatch.setenv("METERHOUSE_ALERT_MQTT_URL", f"mqtt://127.0.0.1:{free_port()}")
        assert dispatch.send_due(loader).retried == 1, "a broker that is not there is tried again"
        make_due(loader)
        monkeypatch.setenv("METERHOUSE_ALERT_MQTT_URL", f"mqtt://127.0.0.1:{broker}")
        assert dispatch.send_due(loader).sent == 1
        assert come.wait(10)
    finally:
        client.disconnect()
        client.loop_stop()
    ((topic, payload, qos),) = got
    assert (topic, qos, json.loads(payload)["event"]) == ("acme/alerts", 1, "meter_cover_opened")


def test_a_work_order_is_requested_exactly_once(loader: psycopg.Connection) -> None:
    alert(loader, ("work_order", "inspection"), ("work_order", "inspection"))
    assert dispatch.run(loader, once=True).sent == 2
    with loader.transaction():
        found = loader.execute("select kind, serial from ops.work_order_request join registry.meter using (discom_id, meter_id)").fetchall()
    assert found == [("inspection", "M1")]


DISPATCHER = "from ingestion.alerts import dispatch; from warehouse import db\nwith db.connect() as conn: dispatch.send_due(conn)"


def test_killed_between_sending_and_marking_it_sends_again_with_the_same_key(loader: psycopg.Connection, receiver: Receiver) -> None:
    receiver.hold.clear()
    alert(loader, ("webhook", receiver.url))
    process = subprocess.Popen([sys.executable, "-c", DISPATCHER])
    deadline = time.monotonic() + 60
    while not receiver.got and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    receiver.hold.set()
    assert deliveries(loader) == [("webhook", "pending", 1)], "it was sent, and nobody marked it"
    assert dispatch.send_due(loader).idle, "for a while it may still be another's"
    make_due(loader)
    assert dispatch.send_due(loader).sent == 1
    first, second = receiver.got
    assert first[0]["Idempotency-Key"] == second[0]["Idempotency-Key"], "by which the receiver knows that it has it"
    assert first[1] == second[1]


def test_two_dispatchers_send_each_delivery_once(loader: psycopg.Connection, receiver: Receiver) -> None:
    for _ in range(150):
        alert(loader, ("webhook", receiver.url))
    barrier = threading.Barrier(2)
    outcomes: list[dispatch.Dispatched] = []

    def run() -> None:
        with db.connect() as conn:
            barrier.wait()
            outcomes.append(dispatch.run(conn, once=True))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    troubles = loader.execute("select delivery_id, state, attempts, last_error from ops.alert_delivery where state <> 'sent'").fetchall()
    assert sum(o.sent for o in outcomes) == 150, f"not sent: {troubles}"
    keys = [h["Idempotency-Key"] for h, _ in receiver.got]
    assert len(keys) == len(set(keys)) == 150


def test_the_command_sends_lists_and_checks(loader: psycopg.Connection, receiver: Receiver, tmp_path: Path) -> None:
    def command(*args: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "cli.main", "alerts", *args]
        return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"COLUMNS": "200"})

    receiver.answers = [200, 404]
    alert(loader, ("webhook", receiver.url))
    done = command("run", "--once")
    assert (done.returncode, "1 sent" in done.stdout) == (0, True), done.stderr
    alert(loader, ("webhook", receiver.url))
    assert command("run", "--once").returncode == 1, "a delivery that failed for good is said by the exit code"
    listed = command("list", "-d", "acme", "--severity", "critical")
    assert "webhook sent" in listed.stdout
    assert "webhook failed" in listed.stdout
    assert command("list", "-d", "acne").returncode == 1
    (tmp_path / "bad.yml").write_text("version: 1\nrules:\n  - {name: x, when: {event: nothing}}\n")
    checked = command("check", str(tmp_path / "bad.yml"))
    assert checked.returncode == 1
    assert "bad.yml:3: rules.0.when.event: no event is called nothing" in checked.stderr.replace("\n", "")
