"""Where a webhook may go: the internet and networks that are named; not to what only this machine or its network reaches."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ingestion.alerts.channels import SendError, send_webhook

MESSAGE = {"delivery_key": "k"}


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """The address of a server of this machine that redirects to itself, and the Host of every request that reached it."""
    reached: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reached.append(self.headers["Host"])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.delenv("METERHOUSE_WEBHOOK_NETWORKS", raising=False)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", reached
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
def test_no_address_of_ones_own_network(host: str, inside: tuple[str, list[str]]) -> None:
    port = inside[0].rsplit(":", 1)[1]
    with pytest.raises(SendError, match=r"not of the internet|is not found") as refused:
        send_webhook(f"http://{host}:{port}/", MESSAGE)
    assert refused.value.permanent or "is not found" in str(refused.value), "it would be tried again for nothing"
    assert inside[1] == [], f"the webhook of {host} reached a server of this machine"


def test_a_name_that_says_another_address_the_second_time(inside: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the connection goes to the address that was looked at."""
    monkeypatch.setenv("METERHOUSE_WEBHOOK_NETWORKS", "127.0.0.1/32")
    real, asked = socket.getaddrinfo, []

    def resolve(host: str, *rest: object, **more: object) -> object:
        asked.append(host)
        return real("127.0.0.1" if host == "hooks.example" else host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    port = inside[0].rsplit(":", 1)[1]
    send_webhook(f"http://hooks.example:{port}/", MESSAGE)
    assert asked.count("hooks.example") == 1, "the name is asked for again after it was looked at"
    assert inside[1] == [f"hooks.example:{port}"], "the receiver is not told by which name it was called"


def test_a_redirect_is_not_followed(inside: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_WEBHOOK_NETWORKS", " 127.0.0.0/8 , ::1/128")
    with pytest.raises(SendError, match="answers 302") as refused:
        send_webhook(f"http://{inside[0]}/away", MESSAGE)
    assert refused.value.permanent
    assert len(inside[1]) == 1, "it went on to where the redirect points"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://a.example/", "http://", "http:///x"])
def test_only_http(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SendError, match="no address of a webhook") as refused:
        send_webhook(url, MESSAGE)
    assert refused.value.permanent


def test_networks_that_cannot_be_read_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERHOUSE_WEBHOOK_NETWORKS", "10.0.0.0/33")
    with pytest.raises(SendError, match=r"METERHOUSE_WEBHOOK_NETWORKS.*write networks as"):
        send_webhook("http://a.example/", MESSAGE)
