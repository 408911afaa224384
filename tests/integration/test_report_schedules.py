"""Reports that go out by themselves: noted once, made, sent to a real mail server or a folder, tried again, told in a history."""

from __future__ import annotations

import hashlib
import io
import json
import os
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.reports import ReportError
from api.reports.schedules import config, deliver, queue
from api.reports.schedules.config import Schedules
from orchestration.deliveries import deliver_reports, reports_due
from tests.brokers import free_port
from tests.integration.reports_world import LIST, build, make
from tests.mailbox import Mailbox, mail_server
from warehouse import db

pytestmark = pytest.mark.integration

NOW = datetime(2026, 10, 6, 3, 0, tzinfo=UTC)
"""08:30 in India: what was due at 07:30 is an hour late."""
FILE = """\
version: 1
catch_up_h: 12
schedules:
  - name: losses
    reports: [D09]
    formats: [csv, xlsx]
    period: yesterday
    cron: "30 7 * * *"
    send: [{send}]
"""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """ACME, of which 5 October stands built; its report D09 is that made by hand. The connection is a worker's."""
    make(database, built=(date(2026, 10, 5), date(2026, 10, 5)))
    (tmp_path / "schedules").mkdir()
    monkeypatch.setenv("METERHOUSE_REPORT_SCHEDULES", str(tmp_path / "schedules"))
    monkeypatch.setenv("METERHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(config, "catalogue", lambda: {"D09": LIST})
    monkeypatch.setattr(deliver, "report", {"D09": LIST}.__getitem__)
    with db.connect() as conn:
        yield conn


def schedules(tmp_path: Path, send: str, code: str = "ACME", more: str = "") -> Schedules:
    path = tmp_path / "schedules" / f"{code}.yml"
    path.write_text(FILE.replace("{send}", send) + more)
    return config.load(path)


def noted(conn: psycopg.Connection, columns: str = "channel, state, attempts") -> list[tuple[Any, ...]]:
    with conn.transaction():
        return conn.execute(f"select {columns} from ops.report_delivery order by delivery_id").fetchall()


def make_due(conn: psycopg.Connection) -> None:
    """As if the time to the next attempt had passed."""
    with conn.transaction():
        conn.execute("update ops.report_delivery set next_attempt_at = now() where state = 'pending'")


def test_what_is_due_is_noted_once_however_often_and_by_whom(world: psycopg.Connection, tmp_path: Path) -> None:
    schedules(tmp_path, "{email: [a@acme.example, b@acme.example]}, {folder: /srv/reports}")
    barrier = threading.Barrier(4)
    ended: list[str] = []

    def note() -> None:
        with db.connect() as conn:
            barrier.wait()
            queue.note_due(conn, NOW)
            ended.append("well")

    threads = [threading.Thread(target=note) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert len(ended) == 4, "a worker that finds it noted goes on"
    assert noted(world, "channel, target, due_at, first_day, last_day, what, state") == [
        (channel, target, datetime(2026, 10, 6, 2, 0, tzinfo=UTC), date(2026, 10, 5), date(2026, 10, 5), what, "pending")
        for channel, target in (("email", "a@acme.example, b@acme.example"), ("folder", "/srv/reports"))
        for what in [{"reports": ["D09"], "formats": ["csv", "xlsx"], "only": None, "layout": None}]
    ]
    queue.note_due(world, NOW + timedelta(hours=23, minutes=30))
    assert len(noted(world)) == 4, "the next morning is due for itself"


def test_what_is_too_late_or_switched_off_is_not_made_up_for(world: psycopg.Connection, tmp_path: Path) -> None:
    schedules(tmp_path, "{folder: /srv/reports}")
    queue.note_due(world, NOW + timedelta(hours=12))
    assert noted(world) == [], "07:30 is thirteen hours ago, twelve are made up for"
    path = tmp_path / "schedules" / "ACME.yml"
    path.write_text(path.read_text() + "    enabled: false\n")
    queue.note_due(world, NOW)
    assert noted(world) == []


def test_a_spoiled_file_keeps_back_its_own_discom_alone(world: psycopg.Connection, tmp_path: Path) -> None:
    schedules(tmp_path, "{folder: /srv/reports}", code="GLOBEX")
    (tmp_path / "schedules" / "ACME.yml").write_text("version: 1\nschedules: nothing\n")
    (fault,) = queue.note_due(world, NOW)
    assert "ACME.yml:2: schedules:" in fault
    assert noted(world, "schedule, discom_id = (select discom_id from registry.discom where code = 'GLOBEX')") == [("losses", True)]


def test_reports_come_by_mail_to_all_addresses(world: psycopg.Connection, mailbox: Mailbox, tmp_path: Path) -> None:
    schedules(tmp_path, "{email: [a@acme.example, b@acme.example]}")
    queue.note_due(world, NOW)
    assert deliver.deliver_due(world).sent == 1
    ((to, mail),) = mailbox.got
    assert to == ["a@acme.example", "b@acme.example"]
    assert mail["Subject"] == "ACME: losses, 05 Oct 2026"
    assert mail["From"] == "meterhouse@acme.example"
    attached = {p.get_filename(): p.get_payload(decode=True) for p in mail.iter_attachments()}
    assert sorted(attached) == ["d09_list_ACME_2026-10-05.csv", "d09_list_ACME_2026-10-05.xlsx"]
    lines = attached["d09_list_ACME_2026-10-05.csv"].decode().splitlines()
    assert len(lines) == 61, "thirty of the day, thirty of its month, and the header"
    body = mail.get_body(("plain",)).get_content()
    assert "D09 A list: 60 rows, lowest coverage 91.0 %" in body
    ((state, attempts, error, files),) = noted(world, "state, attempts, last_error, files")
    assert (state, attempts, error) == ("sent", 1, None)
    for f in files:
        content = attached[f["name"]]
        assert (f["bytes"], f["rows"], f["sha256"]) == (len(content), 60, hashlib.sha256(content).hexdigest())
        assert f["sha256"] in body
    assert not list((tmp_path / "home" / "report-deliveries").iterdir()), "what was attached must not stay on the disk"


def test_a_mail_is_tried_again_with_the_same_key_until_it_is_taken(world: psycopg.Connection, mailbox: Mailbox, tmp_path: Path) -> None:
    mailbox.answers = ["451 later", "421 busy"]
    schedules(tmp_path, "{email: a@acme.example}")
    queue.note_due(world, NOW)
    for attempt, wait in ((1, 1), (2, 2)):
        done = deliver.deliver_due(world)
        assert (done.sent, done.retried, done.failed) == (0, 1, 0)
        ((state, attempts, waits, error),) = noted(world, "state, attempts, next_attempt_at - now(), last_error")
        assert (state, attempts) == ("pending", attempt)
        assert timedelta(0) < waits <= timedelta(minutes=wait)
        assert "mail server 127.0.0.1" in error
        assert deliver.deliver_due(world) == deliver.Delivered(), "not before the time of the next attempt"
        make_due(world)
    assert deliver.deliver_due(world).sent == 1
    assert noted(world, "state, attempts, last_error") == [("sent", 3, None)]
    ((_, mail),) = mailbox.got
    assert mail["Message-ID"].startswith("<report-ACME-"), "by which a receiver knows what it got twice"


@pytest.mark.parametrize("how", ["content", "address", "server away"])
def test_what_is_refused_for_good_is_given_up_and_a_server_that_is_away_is_not(
    how: str, world: psycopg.Connection, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules(tmp_path, "{email: a@acme.example}")
    queue.note_due(world, NOW)
    if how == "content":
        mailbox.answers = ["554 no"]
    elif how == "address":
        mailbox.refuse = {"a@acme.example"}
    else:
        monkeypatch.setenv("METERHOUSE_SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    done = deliver.deliver_due(world)
    assert (done.retried, done.failed) == ((1, 0) if how == "server away" else (0, 1))


def test_an_address_that_is_refused_is_named_and_the_others_have_their_mail(
    world: psycopg.Connection, mailbox: Mailbox, tmp_path: Path
) -> None:
    mailbox.refuse = {"gone@acme.example"}
    schedules(tmp_path, "{email: [a@acme.example, gone@acme.example]}")
    queue.note_due(world, NOW)
    (trouble,) = deliver.deliver_due(world).troubles
    assert "took it, but not for gone@acme.example" in trouble
    assert [to for to, _ in mailbox.got] == [["a@acme.example"]]
    make_due(world)
    assert deliver.deliver_due(world) == deliver.Delivered(), "or the others would get it again and again"


def test_attempts_come_to_an_end(world: psycopg.Connection, tmp_path: Path) -> None:
    schedules(tmp_path, "{folder: /nowhere/reports}")
    queue.note_due(world, NOW)
    for _ in range(queue.MAX_ATTEMPTS + 2):
        deliver.deliver_due(world)
        make_due(world)
    ((state, attempts, error),) = noted(world, "state, attempts, last_error")
    assert (state, attempts) == ("failed", queue.MAX_ATTEMPTS)
    assert error == "there is no folder /nowhere/reports: make it, or mount what holds it"
    waits = [queue.backoff(n) / timedelta(minutes=1) for n in range(1, 12)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 120, "the wait has a limit"


def test_a_day_that_is_not_built_yet_is_waited_for(world: psycopg.Connection, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    schedules(tmp_path, f"{{folder: {tmp_path / 'drop'}}}")
    queue.note_due(world, NOW + timedelta(days=1))
    assert deliver.deliver_due(world).retried == 1
    assert noted(world, "last_error") == [("2026-10-06 of ACME is not built yet",)]
    assert not list((tmp_path / "drop").iterdir()), "half a report must not lie there"
    with psycopg.connect(os.environ["METERHOUSE_DATABASE_URL"]) as conn:
        build(conn, date(2026, 10, 6), date(2026, 10, 6))
    make_due(world)
    assert deliver.deliver_due(world).sent == 1
    assert sorted(p.name for p in (tmp_path / "drop").iterdir()) == ["d09_list_ACME_2026-10-06.csv", "d09_list_ACME_2026-10-06.xlsx"]


def test_a_mail_goes_encrypted_where_the_server_can_and_with_its_password(
    world: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    box, port = Mailbox(), free_port()
    logins: list[tuple[bytes, bytes]] = []

    def authenticate(_server: object, _session: object, _envelope: object, _mechanism: str, data: LoginPassword) -> AuthResult:
        logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss word")

    server = Controller(
        box, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True, authenticator=authenticate, auth_required=True
    )
    server.start()
    try:
        monkeypatch.setenv("METERHOUSE_SMTP_URL", f"smtp://desk:p%40ss%20word@127.0.0.1:{port}")
        schedules(tmp_path, "{email: a@acme.example}")
        queue.note_due(world, NOW)
        (trouble,) = deliver.deliver_due(world).troubles
        assert "CERTIFICATE_VERIFY_FAILED" in trouble, "a server that nobody vouches for must not get the password"
        assert logins == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        make_due(world)
        assert deliver.deliver_due(world).sent == 1
    finally:
        server.stop()
    assert logins == [(b"desk", b"p@ss word")]
    assert len(box.got) == 1


def certificate(folder: Path) -> None:
    """cert.pem and key.pem of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)


def test_many_files_go_as_one_zip_and_what_is_too_large_is_told(
    world: psycopg.Connection, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules(tmp_path, "{email: a@acme.example}")
    monkeypatch.setattr(deliver, "MAX_FILES", 1)
    queue.note_due(world, NOW)
    assert deliver.deliver_due(world).sent == 1
    ((_, mail),) = mailbox.got
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "reports_ACME_2026-10-05.zip"
    with zipfile.ZipFile(io.BytesIO(attached.get_payload(decode=True))) as z:
        assert sorted(z.namelist()) == ["d09_list_ACME_2026-10-05.csv", "d09_list_ACME_2026-10-05.xlsx"]
        assert z.testzip() is None
    monkeypatch.setenv("METERHOUSE_MAIL_MAX_BYTES", "1000")
    queue.note_due(world, NOW + timedelta(minutes=1))
    with world.transaction():
        world.execute("update ops.report_delivery set state = 'pending', sent_at = null, files = null, next_attempt_at = now()")
    (trouble,) = deliver.deliver_due(world).troubles
    assert "are more than a mail takes (METERHOUSE_MAIL_MAX_BYTES, 1,000)" in trouble
    assert noted(world, "state") == [("failed",)], "trying again would not make it smaller"


def test_a_worker_that_died_is_taken_over_after_a_while(world: psycopg.Connection, mailbox: Mailbox, tmp_path: Path) -> None:
    schedules(tmp_path, "{email: a@acme.example}")
    queue.note_due(world, NOW)
    assert queue.take(world) is not None, "the worker that dies"
    assert queue.take(world) is None, "for a while it is that worker's"
    make_due(world)
    assert deliver.deliver_due(world).sent == 1
    assert noted(world) == [("email", "sent", 2)]


def test_two_workers_send_each_once(world: psycopg.Connection, mailbox: Mailbox, tmp_path: Path) -> None:
    schedules(tmp_path, ", ".join(f"{{email: a{n}@acme.example}}" for n in range(8)))
    queue.note_due(world, NOW)
    barrier = threading.Barrier(2)
    done: list[deliver.Delivered] = []

    def work() -> None:
        with db.connect() as conn:
            barrier.wait()
            done.append(deliver.deliver_due(conn))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert sum(d.sent for d in done) == 8, [d.troubles for d in done]
    assert sorted(to[0] for to, _ in mailbox.got) == [f"a{n}@acme.example" for n in range(8)]


def test_no_discom_sees_what_went_to_another(world: psycopg.Connection, tmp_path: Path) -> None:
    schedules(tmp_path, "{folder: /srv/reports}")
    schedules(tmp_path, "{folder: /srv/reports}", code="GLOBEX")
    queue.note_due(world, NOW)
    ids = {t.code: t.discom_id for t in queue.tenants(world)}
    assert [len(queue.history(world, i, 10)) for i in ids.values()] == [1, 1]
    with db.connect("meterhouse_api") as conn:
        assert conn.execute("select count(*) from ops.report_delivery").fetchone() == (0,), "who names no DISCOM sees nothing"
        conn.execute("select set_config('app.discom_id', %s, true)", [str(ids["ACME"])])
        assert conn.execute("select distinct discom_id from ops.report_delivery").fetchall() == [(ids["ACME"],)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("update ops.report_delivery set state = 'failed'")


def test_dagster_notes_asks_once_and_delivers(
    world: psycopg.Connection, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = (datetime.now(UTC) - timedelta(minutes=2)).astimezone(config.ZoneInfo("Asia/Kolkata"))
    found = schedules(tmp_path, "{email: a@acme.example}")
    found.path.write_text(found.path.read_text().replace("30 7 * * *", f"{minute.minute} {minute.hour} * * *"))
    with psycopg.connect(os.environ["METERHOUSE_DATABASE_URL"]) as conn:
        yesterday = minute.date() - timedelta(days=1)
        build(conn, yesterday, yesterday)
    asked = [list(reports_due(dg.build_sensor_context())) for _ in range(2)]
    assert [[type(r) for r in a] for a in asked] == [[dg.RunRequest]] * 2
    assert len({r.run_key[:16] for a in asked for r in a}) == 1, "the same key: Dagster runs it once"
    assert deliver_reports.execute_in_process().success
    assert [to for to, _ in mailbox.got] == [["a@acme.example"]]
    (skipped,) = reports_due(dg.build_sensor_context())
    assert isinstance(skipped, dg.SkipReason)


def test_the_command_runs_lists_tells_and_checks(world: psycopg.Connection, tmp_path: Path) -> None:
    """In processes of their own, which know the real catalogue: there D01 is a report that was never made."""
    (tmp_path / "drop").mkdir()
    text = FILE.replace("{send}", f"{{folder: {tmp_path / 'drop'}}}").replace("D09", "D01")
    (tmp_path / "schedules" / "ACME.yml").write_text(text)

    def command(*args: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "cli.main", "report-schedule", *args]
        return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"COLUMNS": "220"})

    listed = command("list", "-d", "ACME")
    assert listed.returncode == 0, listed.stderr
    assert "losses" in listed.stdout
    assert "07:30" in listed.stdout
    failed = command("run", "losses", "-d", "ACME", "--from", "2026-10-05", "--to", "2026-10-05")
    assert failed.returncode == 1, failed.stdout
    assert "D01 DT energy audit was never built" in failed.stderr.replace("\n", " ")
    told = command("history", "-d", "ACME")
    assert "pending" in told.stdout
    assert "was never built" in told.stdout
    unknown = command("run", "gains", "-d", "ACME")
    assert unknown.returncode == 1
    assert "there are 'losses'" in unknown.stderr.replace("\n", " ")
    (tmp_path / "bad.yml").write_text(text.replace("yesterday", "tomorrow"))
    checked = command("check", str(tmp_path / "bad.yml"))
    assert checked.returncode == 1
    assert "bad.yml:7: schedules.0.period: 'tomorrow' is not allowed" in checked.stderr.replace("\n", "")


def test_a_schedule_run_by_hand_is_a_line_of_its_own(world: psycopg.Connection, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    found = schedules(tmp_path, f"{{folder: {tmp_path / 'drop'}}}")
    tenant = queue.tenant(world, "ACME")
    queue.note_due(world, NOW)
    ids = queue.note(world, tenant, found.named("losses"), datetime.now(UTC), (date(2026, 10, 5), date(2026, 10, 5)))
    assert deliver.deliver_due(world, ids).sent == 1
    lines = queue.history(world, tenant.discom_id, 10, "losses")
    assert [(line.state, line.attempts) for line in lines] == [("sent", 1), ("pending", 0)], "what is due by itself still waits"
    assert json.loads(json.dumps(lines[0].files))[0]["rows"] == 60
    with pytest.raises(ReportError, match="no DISCOM has the code 'ACNE'"):
        queue.tenant(world, "ACNE")
