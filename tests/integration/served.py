"""`meterhouse api` as a process of its own, for tests of what only a process shows."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.brokers import free_port

ROOT = Path(__file__).resolve().parents[2]


class Served:
    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url, self.process, self._log = f"http://127.0.0.1:{port}", process, log

    @property
    def log(self) -> str:
        """What it printed so far."""
        return self._log.read_text(encoding="utf-8")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[Served]:
    """A server that answers, with the environment of this process and what is given."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "cli.main", "api", "--port", str(port), *options]
            process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=subprocess.STDOUT)
        served = Served(port, process, log)
        try:
            for _ in range(900):
                if process.poll() is not None:
                    raise RuntimeError(f"the API ended with {process.returncode}:\n{served.log}")
                with suppress(httpx.TransportError):
                    if httpx.get(f"{served.url}/healthz", timeout=2).status_code == 200:
                        break
                time.sleep(0.1)
            else:
                raise RuntimeError(f"the API did not start within 90 s:\n{served.log}")
            yield served
        finally:
            served.stop()
