"""Superset as a process of this machine: its environment, secrets, metadata database, start and stop.

Superset has an environment of its own (requirements/superset.txt) and is talked to over HTTP alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from warehouse import db, settings

ROOT = Path(__file__).resolve().parent.parent
SERVER = Path(__file__).resolve().parent / "server"
READY_S = 120
DEFAULT_PORT = 8088
ADMIN = "meterhouse"
SESSION_COOKIE = "meterhouse_superset"


class SupersetError(RuntimeError):
    """Superset could not do what was asked; the message says what and how to mend it."""


@dataclass(frozen=True)
class Status:
    running: bool
    pid: int | None
    url: str
    log: Path


def home() -> Path:
    return settings.home() / "superset"


def python() -> Path:
    """Superset's interpreter. Raises SupersetError where there is none."""
    places = [os.environ.get("METERHOUSE_SUPERSET_VENV"), str(ROOT / ".superset"), str(home() / "venv")]
    for place in filter(None, places):
        found = Path(place) / "bin" / "python"
        if (found.parent / "gunicorn").exists():
            return found
    raise SupersetError("Superset is not installed: run `make superset-install`, or let METERHOUSE_SUPERSET_VENV name its environment")


def secret(name: str) -> str:
    """A secret of this installation by its name, made when it is first asked for."""
    with _lock("secrets"):
        path = home() / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            fresh = path.with_suffix(".new")
            with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
                json.dump(known, f)
            fresh.replace(path)
        return known[name]


def status() -> Status:
    """Whether the Superset that `up` started runs."""
    state = _state()
    pid = state.get("pid")
    return Status(bool(pid and _alive(int(pid))), pid, state.get("url", f"http://127.0.0.1:{DEFAULT_PORT}"), home() / "superset.log")


def answers() -> bool:
    """Whether the Superset that `up` started answers, also where it runs in another container with the same METERHOUSE_HOME."""
    return _healthy(status().url)


def up(port: int | None = None, workers: int = 1, host: str = "127.0.0.1") -> Status:
    """Start Superset and wait until it answers; the one that runs is left alone. Raises SupersetError."""
    with _lock("server"):
        now = status()
        if now.running and _healthy(now.url):
            return now
        interpreter = python()
        environment = _environment()
        for name in ("secret_key", "guest_token_secret"):
            secret(name)
        _bootstrap(interpreter, environment)
        port = port or int(_state().get("port", DEFAULT_PORT))
        url = f"http://{host}:{port}"
        if _healthy(url):
            raise SupersetError(f"another Superset answers at {url}: give another --port")
        log = home() / "superset.log"
        command = [
            *(
                str(interpreter.parent / "gunicorn"),
                "-w",
                str(workers),
                "-k",
                "gthread",
                "--threads",
                "16",
                "--timeout",
                "120",
                "--no-control-socket",
            ),
            *("-b", f"{host}:{port}", "superset.app:create_app()"),
        ]
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=home(), env=environment, start_new_session=True
            )
        (home() / "state.json").write_text(json.dumps({"pid": process.pid, "port": port, "url": url}))
        for _ in range(READY_S * 4):
            if _healthy(url):
                return Status(True, process.pid, url, log)
            if process.poll() is not None:
                raise SupersetError(f"Superset ended as it started ({process.returncode}): {_tail(log)}")
            time.sleep(0.25)
        raise SupersetError(f"Superset does not answer at {url} after {READY_S} s: {_tail(log)}")


def down() -> bool:
    """Stop the Superset that `up` started; whether there was one."""
    with _lock("server"):
        now = status()
        if not now.running or now.pid is None:
            return False
        os.killpg(now.pid, signal.SIGTERM)
        for signal_at in range(200):
            if not _alive(now.pid):
                return True
            if signal_at == 150:
                os.killpg(now.pid, signal.SIGKILL)
            time.sleep(0.1)
        raise SupersetError(f"process {now.pid} does not end")


def metadata_url() -> str:
    """SQLAlchemy URL of Superset's own database: METERHOUSE_SUPERSET_METADATA_URL, else one beside the warehouse, made if need be."""
    if explicit := os.environ.get("METERHOUSE_SUPERSET_METADATA_URL"):
        return explicit
    parts = conninfo_to_dict(db.database_url())
    # Not meterhouse_superset_…: a log-in of that name is a tenant's.
    name = f"superset_of_{parts['dbname']}"
    password = secret("metadata_password")
    with psycopg.connect(db.database_url(), autocommit=True, connect_timeout=db.CONNECT_TIMEOUT_S) as conn:
        role = sql.Identifier(name)
        if not conn.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone():
            conn.execute(sql.SQL("create role {} login nosuperuser nobypassrls").format(role))
        conn.execute(sql.SQL("alter role {} password {}").format(role, sql.Literal(password)))
        if not conn.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            conn.execute(sql.SQL("grant {} to current_user").format(role))
            conn.execute(sql.SQL("create database {} owner {}").format(role, role))
    return f"postgresql+psycopg2://{name}:{password}@{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{name}"


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON") and k != "METERHOUSE_DATABASE_URL"}
    return kept | {
        "SUPERSET_CONFIG_PATH": str(SERVER / "superset_config.py"),
        "METERHOUSE_SUPERSET_SECRETS": str(home() / "secrets.json"),
        "METERHOUSE_SUPERSET_METADATA_URL": metadata_url(),
        "METERHOUSE_SUPERSET_COOKIE": SESSION_COOKIE,
        "SUPERSET_HOME": str(home()),
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
    }


def _bootstrap(interpreter: Path, environment: dict[str, str]) -> None:
    """Once for each version of Superset and each metadata database: what is there already takes a quarter of a minute to find out."""
    version = next(iter(interpreter.parent.parent.glob("lib/python*/site-packages/apache_superset-*.dist-info"))).name
    stamp = f"{version} {environment['METERHOUSE_SUPERSET_METADATA_URL'].rsplit('/', 1)[-1]} {secret('admin_password')[:6]}"
    done = home() / "bootstrapped"
    if done.exists() and done.read_text() == stamp:
        return
    given = json.dumps({"admin": {"username": ADMIN, "password": secret("admin_password")}})
    ran = subprocess.run(
        [str(interpreter), str(SERVER / "bootstrap.py")],
        input=given,
        text=True,
        capture_output=True,
        env=environment,
        cwd=home(),
        timeout=600,
        check=False,
    )
    if ran.returncode:
        raise SupersetError(f"Superset's metadata could not be made: {ran.stderr[-2000:]}")
    done.write_text(stamp)


def _state() -> dict[str, Any]:
    path = home() / "state.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _alive(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    command = Path(f"/proc/{pid}/cmdline")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not command.exists() or b"gunicorn" in command.read_bytes()


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).text == "OK"
    except httpx.HTTPError:
        return False


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-1500:] if log.exists() else ""


@contextmanager
def _lock(name: str) -> Iterator[None]:
    home().mkdir(parents=True, exist_ok=True)
    with (home() / f"{name}.lock").open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield
