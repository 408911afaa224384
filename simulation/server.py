"""The REST server of vendor `hpl` on loopback, and a context manager that runs it as a process. For tests and demonstrations only."""

from __future__ import annotations

import hmac
import json
import os
import queue
import subprocess
import sys
import threading
from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulation.hpl import PROFILES, render
from simulation.hpl_commands import Commands

IST = timezone(timedelta(minutes=330))
TOKEN_VARIABLE = "HPL_TOKEN"  # noqa: S105 (the name of the variable, not its value)
MAX_PAGE_SIZE = 1000
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0


class BadRequest(Exception):
    """The client's query cannot be answered; the text says why."""


class Store:
    """The items of one tenant, by profile, in the order in which the HES received them."""

    def __init__(self, folder: Path) -> None:
        self._lines: dict[str, list[str]] = {}
        self._received: dict[str, list[datetime]] = {}
        for profile in PROFILES:
            path = folder / f"{profile}.jsonl"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            self._lines[profile] = lines
            self._received[profile] = [datetime.fromisoformat(json.loads(line)["receivedAt"]) for line in lines]
        if not any(self._lines.values()):
            raise FileNotFoundError(f"no items in {folder}: give the hpl folder of a tenant, as generate writes it")

    def add(self, profile: str, item: dict[str, Any]) -> None:
        """What the HES receives now: the last of its feed."""
        self._lines[profile].append(json.dumps(item))
        self._received[profile].append(datetime.fromisoformat(item["receivedAt"]))

    def of_meter(self, profile: str, serial: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """A meter's items, as on the wire, with the entries stamped since < t <= until, both aware."""
        first, last = (f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}" for at in (since, until))
        items = [json.loads(line) for line in self._lines[profile] if f'"{serial}"' in line]
        kept = [{**item, "entries": [e for e in item["entries"] if first < e[0] <= last]} for item in items]
        return [render(item, profile) for item in kept if item["entries"]]

    def page(self, profile: str, start: datetime, end: datetime, page: int, size: int) -> dict[str, Any]:
        """One page of the items received in [start, end), both aware. A page beyond the last is empty."""
        first, last = (bisect_left(self._received[profile], at) for at in (start, end))
        begin = first + (page - 1) * size
        lines = self._lines[profile][begin : max(begin, min(last, begin + size))]
        return {
            "page": page,
            "pages": -(-max(0, last - first) // size),
            "generatedAt": datetime.now(IST).isoformat(timespec="seconds"),
            "items": [render(json.loads(line), profile) for line in lines],
        }


def _parameter(query: dict[str, list[str]], name: str) -> str:
    if name not in query:
        raise BadRequest(f"the parameter '{name}' is missing")
    return query[name][0]


def _instant(query: dict[str, list[str]], name: str) -> datetime:
    text = _parameter(query, name)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"'{name}' is {text!r}: write ISO 8601 with its zone, '+' as %2B") from None
    if at.tzinfo is None:
        raise BadRequest(f"'{name}' is {text!r}: the zone is missing")
    return at


def _count(query: dict[str, list[str]], name: str, default: int, most: int) -> int:
    text = query.get(name, [str(default)])[0]
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise BadRequest(f"'{name}' is {text!r}: write a number from 1 to {most}")
    return int(text)


def answer(store: Store, query: dict[str, list[str]]) -> dict[str, Any]:
    """The body for a query of /api/profiles. Raises BadRequest."""
    profile = _parameter(query, "profile")
    if profile not in PROFILES:
        raise BadRequest(f"'profile' is {profile!r}: known are {', '.join(PROFILES)}")
    start, end = _instant(query, "from"), _instant(query, "to")
    return store.page(profile, start, end, _count(query, "page", 1, 10**9), _count(query, "size", 200, MAX_PAGE_SIZE))


def make_server(folder: Path, token: str, port: int = 0, fail_every: int = 0, rate_limit_every: int = 0) -> ThreadingHTTPServer:
    """A server on 127.0.0.1, not yet serving. Every `fail_every`th request answers 503, every `rate_limit_every`th 429 (0 = never)."""
    store = Store(folder)
    commands = Commands(store.add, store.of_meter)
    lock = threading.Lock()
    seen = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            nonlocal seen
            with lock:
                seen += 1
                turn = seen
            if fail_every and turn % fail_every == 0:
                return self._send(503, {"error": "the head-end system is busy"})
            if rate_limit_every and turn % rate_limit_every == 0:
                return self._send(429, {"error": "too many requests"}, {"Retry-After": "0"})
            given = self.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return self._send(401, {"error": "wrong token"}, {"WWW-Authenticate": "Bearer"})
            url = urlsplit(self.path)
            if answered := commands.answer("GET", url.path, None):
                return self._send(*answered)
            if url.path != "/api/profiles":
                return self._send(404, {"error": f"no such resource: {url.path}"})
            try:
                return self._send(200, answer(store, parse_qs(url.query)))
            except BadRequest as error:
                return self._send(400, {"error": str(error)})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
                return self._send(401, {"error": "wrong token"}, {"WWW-Authenticate": "Bearer"})
            path = urlsplit(self.path).path
            return self._send(*(commands.answer("POST", path, json.loads(body)) or (404, {"error": f"no such resource: {path}"})))

        def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            data = json.dumps(body, separators=(",", ":")).encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the requests are the tests' own."""

    return _Server(("127.0.0.1", port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of the server's, and nobody empties its stderr."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class HplServer:
    """Run the server as a process for the time of a `with` block; `url` is its base.

    `with HplServer(tenant / "hpl", token="t") as hes: httpx.get(hes.url + "/api/profiles", ...)`.
    Raises RuntimeError where it does not start.
    """

    def __init__(self, data: Path, token: str, fail_every: int = 0, rate_limit_every: int = 0) -> None:
        self.data, self.token = data, token
        self.fail_every, self.rate_limit_every = fail_every, rate_limit_every
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> HplServer:
        command = [sys.executable, "-m", "simulation", "serve-hpl", "--data", str(self.data.resolve()), "--port", "0"]
        command += ["--fail-every", str(self.fail_every), "--rate-limit-every", str(self.rate_limit_every)]
        self._process = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, TOKEN_VARIABLE: self.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self.url = _first_line(self._process).removeprefix("listening on ").strip()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=STOP_TIMEOUT_S)


def _first_line(process: subprocess.Popen[str]) -> str:
    """The line that says where the server listens. Raises RuntimeError with the server's own words where it ends or stays silent."""
    assert process.stdout is not None
    assert process.stderr is not None
    lines: queue.Queue[str] = queue.Queue()
    read: Callable[[], str] = process.stdout.readline
    threading.Thread(target=lambda: lines.put(read()), daemon=True).start()
    try:
        line = lines.get(timeout=START_TIMEOUT_S)
    except queue.Empty:
        raise RuntimeError(f"the hpl server said nothing within {START_TIMEOUT_S:.0f} s") from None
    if not line.startswith("listening on "):
        raise RuntimeError(f"the hpl server did not start: {line}{process.stderr.read()}".strip())
    return line
