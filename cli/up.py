"""meterhouse up: everything that a person looks at, on one machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.table import Table

from cli.console import console, fail
from cli.database import ensure_ready
from cli.superset import bring_in_line, installed
from dashboards import server_control as superset
from warehouse import db, settings

READY_S = 120


def up(
    api_port: Annotated[int, typer.Option(help="Loopback port of the API.")] = 8000,
    dagster_port: Annotated[int, typer.Option(help="Loopback port of Dagster's web page.")] = 3000,
    superset_port: Annotated[int, typer.Option(help="Loopback port of Superset.")] = 8088,
) -> None:
    """Start PostgreSQL, the API, Dagster and Superset, print their addresses, and stop all but the database at Ctrl-C.

    Example: meterhouse up --api-port 8001
    """
    from orchestration.run import dagster_home

    ensure_ready()
    dagster_home()
    logs = settings.home() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    programs = Path(sys.executable).parent
    commands = {
        "API": ([sys.executable, "-m", "cli.main", "api", "--port", str(api_port)], f"http://127.0.0.1:{api_port}"),
        "Dagster": (
            [str(programs / "dagster"), "dev", "-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", str(dagster_port)],
            f"http://127.0.0.1:{dagster_port}",
        ),
    }
    probes = {"API": "/health", "Dagster": "/server_info"}
    running: dict[str, subprocess.Popen[bytes]] = {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for name, (command, url) in commands.items():
            if _answers(url + probes[name]):
                fail(f"something answers at {url} already: stop it, or give another port for {name}")
            with (logs / f"{name.lower()}.log").open("ab") as out:
                running[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        table = Table("what", "where", "how to look")
        server = db.database_url().rpartition("@")[2]
        table.add_row("PostgreSQL", server, "meterhouse db psql")
        with console.status("starting Superset, Dagster and the API (a minute or two)"):
            if installed():
                state = superset.up(superset_port)
                table.add_row("Superset", state.url, f"{superset.ADMIN}, password: meterhouse superset password")
            else:
                table.add_row("Superset", "not installed", "make superset-install")
            for name, (_, url) in commands.items():
                _await(name, url + probes[name], running[name], logs)
        table.add_row("API", commands["API"][1], "keys: meterhouse keys create")
        table.add_row("Dagster", commands["Dagster"][1], "")
        console.print(table)
        if installed():
            bring_in_line(None, dry_run=False)
        console.print(f"logs in {logs}; Ctrl-C ends", soft_wrap=True)
        while all(p.poll() is None for p in running.values()):
            time.sleep(1)
        ended = [name for name, p in running.items() if p.poll() is not None]
        fail(f"{', '.join(ended)} ended: see {logs}")
    except KeyboardInterrupt:
        console.print("stopping")
    finally:
        for process in running.values():
            _end(process)
        superset.down()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3).status_code < 500
    except httpx.HTTPError:
        return False


def _await(name: str, url: str, process: subprocess.Popen[bytes], logs: Path) -> None:
    for _ in range(READY_S * 2):
        if _answers(url):
            return
        if process.poll() is not None:
            fail(f"{name} ended as it started: see {logs / f'{name.lower()}.log'}")
        time.sleep(0.5)
    fail(f"{name} does not answer at {url} after {READY_S} s: see {logs / f'{name.lower()}.log'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process and those that it started."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
