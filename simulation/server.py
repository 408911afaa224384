"""The REST servers of the simulation on loopback, and a context manager that runs one as a process. For tests and demonstrations only.

Styles: `hpl` (docs/hes-formats.md, 2) and `mdas` (simulation.mdas) serve the same store. Faults come by rule (simulation.faults). What
stands below /control is for tests: `PUT /control/faults`, `PUT /control/withheld`, `GET /control/requests`.
"""

from __future__ import annotations

import gzip
import hmac
import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulation import mdas
from simulation.faults import Fault, Faults
from simulation.hpl import PROFILES, render
from simulation.hpl_commands import Commands

IST = timezone(timedelta(minutes=330))
TOKEN_VARIABLE = "HPL_TOKEN"  # noqa: S105 (the name of the variable, not its value)
MAX_PAGE_SIZE = 1000
MAX_METERS = 200
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
GZIP_FROM_BYTES = 1024
LONGEST_LOG = 10_000

Query = dict[str, list[str]]


class BadRequest(Exception):
    """The client's query cannot be answered; the text says why."""


class Store:
    """The items of one tenant, by profile, in the order in which the HES received them."""

    def __init__(self, folder: Path) -> None:
        self._lines: dict[str, list[str]] = {}
        self._received: dict[str, list[datetime]] = {}
        self.withheld: list[dict[str, Any]] = []
        """Entries that the HES has not got: {"meter", "after", "upto", "on_demand"}, of the stamps after < stamp <= upto as the store has
        them. Where `on_demand` is true, the meter gives them when it is read again."""
        for profile in PROFILES:
            path = folder / f"{profile}.jsonl"
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            self._lines[profile] = lines
            self._received[profile] = [datetime.fromisoformat(json.loads(line)["receivedAt"]) for line in lines]
        if not any(self._lines.values()):
            raise FileNotFoundError(f"no items in {folder}: give the hpl folder of a tenant, as generate writes it")
        self._last = max(stamps[-1] for stamps in self._received.values() if stamps)

    def now(self) -> datetime:
        """The clock of this HES, IST: not before the last of its data, whatever day it is here."""
        return max(datetime.now(IST), self._last + timedelta(days=1))

    def received(self, profile: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """The items received in [start, end), both aware."""
        first, last = (bisect_left(self._received[profile], at) for at in (start, end))
        return self._without_withheld([json.loads(line) for line in self._lines[profile][first:last]], on_demand=False)

    def read_again(self, profile: str, meters: list[str], start: datetime, end: datetime) -> list[dict[str, Any]]:
        """One item a meter with the entries of start < stamp <= end (aware) that are in its buffer, received now."""
        after, upto = (f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}" for at in (start, end))
        found: dict[str, dict[str, Any]] = {}
        for line in self._lines[profile]:
            item = json.loads(line)
            if item["meterSerial"] in meters:
                mine = found.setdefault(item["meterSerial"], item | {"entries": []})
                latest = {e[0]: e for e in [*mine["entries"], *item["entries"]] if after < e[0] <= upto}
                mine["entries"] = [latest[stamp] for stamp in sorted(latest)]
        items = [i | {"receivedAt": self.now().isoformat(timespec="seconds")} for _, i in sorted(found.items()) if i["entries"]]
        return self._without_withheld(items, on_demand=True)

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
        return self.wrap(profile, self.received(profile, start, end), page, size)

    def wrap(self, profile: str, items: list[dict[str, Any]], page: int, size: int) -> dict[str, Any]:
        return {
            "page": page,
            "pages": -(-len(items) // size),
            "generatedAt": self.now().isoformat(timespec="seconds"),
            "items": [render(item, profile) for item in items[(page - 1) * size : page * size]],
        }

    def _without_withheld(self, items: list[dict[str, Any]], *, on_demand: bool) -> list[dict[str, Any]]:
        rules = [w for w in self.withheld if not (on_demand and w["on_demand"])]
        if not rules:
            return items
        for item in items:
            mine = [w for w in rules if w["meter"] == item["meterSerial"]]
            item["entries"] = [e for e in item["entries"] if not any(w["after"] < e[0] <= w["upto"] for w in mine)]
        return [item for item in items if item["entries"]]


def _parameter(query: Query, name: str) -> str:
    if name not in query:
        raise BadRequest(f"the parameter '{name}' is missing")
    return query[name][0]


def _instant(query: Query, name: str) -> datetime:
    text = _parameter(query, name)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"'{name}' is {text!r}: write ISO 8601 with its zone, '+' as %2B") from None
    if at.tzinfo is None:
        raise BadRequest(f"'{name}' is {text!r}: the zone is missing")
    return at


def _count(query: Query, name: str, default: int, most: int, least: int = 1) -> int:
    text = query.get(name, [str(default)])[0]
    if not text.isdigit() or not least <= int(text) <= most:
        raise BadRequest(f"'{name}' is {text!r}: write a number from {least} to {most}")
    return int(text)


def _profile(query: Query, name: str, known: dict[str, str]) -> str:
    profile = _parameter(query, name)
    if profile not in known:
        raise BadRequest(f"'{name}' is {profile!r}: known are {', '.join(known)}")
    return profile


def hpl(store: Store, path: str, query: Query, faults: dict[str, Fault]) -> dict[str, Any]:
    """The body for a query of vendor hpl. Raises BadRequest."""
    profile = _profile(query, "profile", PROFILES)
    start, end = _instant(query, "from"), _instant(query, "to")
    page, size = _count(query, "page", 1, 10**9), _count(query, "size", 200, MAX_PAGE_SIZE)
    if path.endswith("/readings"):
        meters = _parameter(query, "meters").split(",")
        if len(meters) > MAX_METERS:
            raise BadRequest(f"'meters' has {len(meters)} serials: at most {MAX_METERS} in one request")
        return store.wrap(profile, store.read_again(profile, meters, start, end), page, size)
    skew = _skew(faults)
    items = _shifted(store.received(profile, start - skew, end - skew), faults)
    for item in items:
        item["receivedAt"] = (datetime.fromisoformat(item["receivedAt"]) + skew).isoformat()
    return store.wrap(profile, items, page - 1 if "duplicate_page" in faults and page > 1 else page, size)


def flat(store: Store, path: str, query: Query, faults: dict[str, Fault]) -> dict[str, Any]:
    """The body for a query of simulation.mdas. Raises BadRequest."""
    profile = mdas.PROFILES[_profile(query, "profileType", mdas.PROFILES)]
    start, end = _instant(query, "fromTime"), _instant(query, "toTime")
    page, size = _count(query, "pageNo", 0, 10**9, least=0), _count(query, "pageSize", 200, MAX_PAGE_SIZE)
    rows = [row for item in store.received(profile, start, end) for row in mdas.rows(item, profile)]
    rows = _shifted(rows, faults)
    shown = page - 1 if "duplicate_page" in faults and page else page
    return {"content": rows[shown * size : (shown + 1) * size], "number": page, "totalPages": -(-len(rows) // size)}


def _skew(faults: dict[str, Fault]) -> timedelta:
    return timedelta(minutes=faults["clock_skew"].amount) if "clock_skew" in faults else timedelta()


def _shifted(items: list[Any], faults: dict[str, Fault]) -> list[Any]:
    n = faults["shift"].amount if "shift" in faults else 0
    return [*items[len(items) - n :], *items[: len(items) - n]] if n else items


Answer = Callable[[Store, str, Query, dict[str, Fault]], dict[str, Any]]

STYLES: dict[str, tuple[Answer, tuple[str, ...], str, str]] = {
    "hpl": (hpl, ("/api/profiles", "/api/readings"), "profile", "page"),
    "mdas": (flat, ("/mdas/readings",), "profileType", "pageNo"),
}
"""What answers, its paths, and what the parameters profile and page are called."""


def make_server(folder: Path, token: str, port: int = 0, rules: list[Fault] | None = None, style: str = "hpl") -> ThreadingHTTPServer:
    """A server on 127.0.0.1, not yet serving, with its faults."""
    store, faults = Store(folder), Faults(rules or [])
    answer, paths, profile_name, page_name = STYLES[style]
    log: list[dict[str, Any]] = []
    commands = Commands(store.add, store.of_meter)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True
        skew = timedelta()

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            if url.path == "/control/requests":
                return self._send(200, {"requests": log})
            asked = {"path": url.path, **{k: v[0] for k, v in query.items()}}
            log.append(asked)
            del log[:-LONGEST_LOG]
            page = asked.get(page_name, "")
            try:
                mine = faults.of_request(asked.get(profile_name, ""), int(page) if page.isdigit() else 0, self.headers.get("X-Fault"))
            except ValueError as error:
                return self._send(400, {"error": str(error)})
            self.skew = _skew(mine)
            if "unavailable" in mine:
                return self._send(503, {"error": "the head-end system is busy"})
            if "rate_limit" in mine:
                return self._send(429, {"error": "too many requests"}, {"Retry-After": f"{mine['rate_limit'].seconds:.0f}"})
            if "silence" in mine:
                time.sleep(mine["silence"].seconds)
                self.close_connection = True
                return None
            if not self._known() or "unauthorised" in mine:
                return self._send(401, {"error": "wrong token"}, {"WWW-Authenticate": "Bearer"})
            if answered := commands.answer("GET", url.path, None):
                return self._send(*answered)
            if url.path not in paths:
                return self._send(404, {"error": f"no such resource: {url.path}"})
            try:
                body = answer(store, url.path, query, mine)
            except BadRequest as error:
                return self._send(400, {"error": str(error)})
            if bad := next((k for k in _BAD_BODIES if k in mine), None):
                return self._misbehave(bad, json.dumps(body).encode(), mine[bad].seconds)
            if "slow" in mine:
                time.sleep(mine["slow"].seconds)
            return self._send(200, body)

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self._known():
                return self._send(401, {"error": "wrong token"})
            try:
                rules = json.loads(content)
                if self.path == "/control/faults":
                    faults.replace([Fault.of(rule) for rule in rules])
                elif self.path == "/control/withheld":
                    store.withheld = [{k: w[k] for k in ("meter", "after", "upto", "on_demand")} for w in rules]
                else:
                    return self._send(404, {"error": f"no such resource: {self.path}"})
            except (ValueError, KeyError, TypeError) as error:
                return self._send(400, {"error": f"{type(error).__name__}: {error}"})
            return self._send(200, {"rules": len(rules)})

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime((store.now() + self.skew).astimezone(UTC), usegmt=True)

        def _known(self) -> bool:
            given = self.headers.get("Authorization", "")
            return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self._known():
                return self._send(401, {"error": "wrong token"}, {"WWW-Authenticate": "Bearer"})
            path = urlsplit(self.path).path
            return self._send(*(commands.answer("POST", path, json.loads(content)) or (404, {"error": f"no such resource: {path}"})))

        def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            data = json.dumps(body, separators=(",", ":")).encode()
            headers = dict(headers or {})
            if len(data) >= GZIP_FROM_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
                data = gzip.compress(data, 1)
                headers["Content-Encoding"] = "gzip"
            self._begin(status, {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers})
            self.wfile.write(data)

        def _begin(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def _misbehave(self, kind: str, data: bytes, seconds: float) -> None:
            self.close_connection = True
            head = {"Content-Type": "application/json", "Connection": "close"}
            if kind == "cut_body":
                self._begin(200, head | {"Content-Length": str(len(data))})
                self.wfile.write(data[: len(data) // 2])
            elif kind == "cut_chunks":
                self._begin(200, head | {"Transfer-Encoding": "chunked"})
                self.wfile.write(f"{len(data):x}\r\n".encode() + data[: len(data) // 2])
            elif kind == "not_json":
                self._begin(200, head | {"Content-Type": "text/html"})
                self.wfile.write(b"<html><title>Log in</title><p>Your session has ended.</html>")
            elif kind == "endless":
                self._begin(200, head)
                self.wfile.write(b'{"items": [')
                while True:
                    self.wfile.write(b"0, " * 20_000)
            else:
                self._begin(200, head | {"Content-Length": str(len(data))})
                step = -(-len(data) // DRIPS)
                for i in range(0, len(data), step):
                    self.wfile.write(data[i : i + step])
                    time.sleep(seconds / DRIPS)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the requests are the tests' own."""

    return _Server(("127.0.0.1", port), Handler)


_BAD_BODIES = ("cut_body", "cut_chunks", "not_json", "endless", "slow_drip")
DRIPS = 50


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of the server's, and nobody empties its stderr."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class HplServer:
    """Run a server as a process for the time of a `with` block; `url` is its base.

    `with HplServer(tenant / "hpl", token="t") as hes: httpx.get(hes.url + "/api/profiles", ...)`. `kill` and `start` are a crash and the
    restart on the same port. Raises RuntimeError where it does not start.
    """

    def __init__(
        self, data: Path, token: str, fail_every: int = 0, rate_limit_every: int = 0, *, style: str = "hpl", faults: tuple[str, ...] = ()
    ) -> None:
        self.data, self.token = data, token
        self.fail_every, self.rate_limit_every = fail_every, rate_limit_every
        self.style, self.rules = style, faults
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> HplServer:
        self.start()
        return self

    def start(self) -> None:
        """Start the process, on the port that it had before."""
        command = [sys.executable, "-m", "simulation", f"serve-{self.style}", "--data", str(self.data.resolve())]
        command += ["--port", self.url.rpartition(":")[2] or "0"]
        command += ["--fail-every", str(self.fail_every), "--rate-limit-every", str(self.rate_limit_every)]
        for rule in self.rules:
            command += ["--fault", rule]
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

    def kill(self) -> None:
        """End it as a crash does: at once, in the middle of answers."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate(timeout=STOP_TIMEOUT_S)
        self._process = None

    def misbehave(self, *faults: str) -> None:
        """Put these faults (as simulation.faults writes them) in place of all others."""
        self._control("faults", [{k: v for k, v in vars(Fault.parse(f)).items() if k not in ("seen", "shown")} for f in faults])

    def withhold(self, meter: str, after: str, upto: str, *, on_demand: bool) -> None:
        """Hide the entries of a meter with after < stamp <= upto (IST, 2026-10-01 00:30:00), in place of all that was hidden."""
        self._control("withheld", [{"meter": meter, "after": after, "upto": upto, "on_demand": on_demand}])

    def requests(self) -> list[dict[str, str]]:
        """Path and parameters of what clients asked."""
        with urllib.request.urlopen(f"{self.url}/control/requests", timeout=STOP_TIMEOUT_S) as answer:  # noqa: S310
            found: list[dict[str, str]] = json.load(answer)["requests"]
        return found

    def _control(self, what: str, rules: list[dict[str, Any]]) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}/control/{what}", json.dumps(rules).encode(), headers, method="PUT")  # noqa: S310
        with urllib.request.urlopen(request, timeout=STOP_TIMEOUT_S):  # noqa: S310
            pass

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
