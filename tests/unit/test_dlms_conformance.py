"""The simulated meters before an independent client, dlms-cosem 21.3.2: so that our client and our server do not share a mistake."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from dlms_cosem import cosem, enumerations, utils
from dlms_cosem.clients.blocking_tcp_transport import BlockingTcpTransport
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.clients.hdlc_transport import SerialHdlcTransport
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.enumerations import AuthenticationMechanism, CosemInterface
from dlms_cosem.exceptions import DlmsClientException
from dlms_cosem.time import datetime_from_bytes

from simulation.dlms import DlmsServer

NOW = datetime(2026, 10, 8, 10, 7)
CLOCK = cosem.CosemAttribute(CosemInterface.CLOCK, cosem.Obis(0, 0, 1, 0, 0), 2)
REGISTER = cosem.CosemAttribute(CosemInterface.REGISTER, cosem.Obis(1, 0, 1, 8, 0), 2)
COUNTERS = itertools.count(1000, 1000)
"""Where each association begins: the meter remembers the last."""

BLOCK_LOAD = cosem.CosemAttribute(CosemInterface.PROFILE_GENERIC, cosem.Obis(1, 0, 99, 1, 0), 2)


@pytest.fixture(scope="module")
def server() -> Iterator[DlmsServer]:
    with DlmsServer(meters=1, clock=NOW) as running:
        yield running


class TcpThatNoticesTheEnd(BlockingTcpTransport):
    """The library's own spins when the meter closes."""

    def _recv_bytes(self, amount: int) -> bytes:
        data = b""
        while len(data) < amount:
            part = self.tcp_socket.recv(amount - len(data))
            if not part:
                raise ConnectionError("the meter closed the connection")
            data += part
        return data


class LineOverTcp:
    """What the library takes for a serial line."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=5)
        self._frame = b""

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read_until(self, flag: bytes) -> bytes:
        """As a serial line's, but the flag that ends a frame is never given alone: where the octet before it looks like a flag too, the
        library would take it for the next frame's and wait for ever."""
        data = self._octet()
        while not data.endswith(flag) or self._frame_lacks() == 1:
            data += self._octet()
        if self._frame_lacks() == 0:
            self._frame = b""
        return data

    def _frame_lacks(self) -> int | None:
        """Octets until the frame's last flag, by its length; None before its length is known."""
        if len(self._frame) < 3:
            return None
        return (int.from_bytes(self._frame[1:3], "big") & 0x7FF) + 2 - len(self._frame)

    def _octet(self) -> bytes:
        part = self._socket.recv(1)
        if not part:
            raise ConnectionError("the meter closed the connection")
        self._frame += part
        return part


class HdlcThatHangsUp(SerialHdlcTransport):
    """The library's own waits for ever for a UA with parameters when it disconnects."""

    def disconnect(self) -> None:
        self._serial._socket.close()


def client(server: DlmsServer, authentication: str, framing: str = "wrapper", password: bytes | None = None) -> DlmsClient:
    keys = server.meter().keys
    method = {"none": None, "lls": AuthenticationMechanism.LLS, "hls": AuthenticationMechanism.HLS_GMAC}[authentication]
    security = (
        {"encryption_key": keys.encryption, "authentication_key": keys.authentication, "client_system_title": b"INDEPEND"}
        if authentication == "hls"
        else {}
    )
    io: Any
    if framing == "wrapper":
        io = TcpThatNoticesTheEnd(server.host, server.port, 32, 1, timeout=5)
    else:
        io = HdlcThatHangsUp(32, 1, "unused", serial=LineOverTcp(server.host, server.port))
    return DlmsClient(
        client_logical_address=32,
        server_logical_address=1,
        io_interface=io,
        authentication_method=method,
        password=(password or keys.password) if authentication == "lls" else None,
        client_initial_invocation_counter=next(COUNTERS),
        **security,
    )


@pytest.mark.parametrize("framing", ["wrapper", "hdlc"])
@pytest.mark.parametrize("authentication", ["none", "lls", "hls"])
def test_an_independent_client_reads_clock_register_and_a_range(server: DlmsServer, authentication: str, framing: str) -> None:
    sim = server.meter()
    with client(server, authentication, framing).session() as c:
        clock, _ = datetime_from_bytes(utils.parse_as_dlms_data(c.get(CLOCK)))
        assert abs((clock.replace(tzinfo=None) - NOW).total_seconds()) < 300
        assert utils.parse_as_dlms_data(c.get(REGISTER)) == sim.register("import_wh", NOW)
        # 06:00 to 08:00 IST, both included, asked for in UTC
        descriptor = RangeDescriptor(
            restricting_object=CaptureObject(cosem_attribute=CLOCK, data_index=0),
            from_value=datetime(2026, 10, 1, 0, 30, tzinfo=UTC),
            to_value=datetime(2026, 10, 1, 2, 30, tzinfo=UTC),
        )
        rows = utils.parse_as_dlms_data(c.get(BLOCK_LOAD, access_descriptor=descriptor))
    stamps = [datetime(2026, 10, 1, 6 + n // 2, 30 * (n % 2)) for n in range(5)]
    assert [(row[0][:8], row[2]) for row in rows] == [(datetime_octets(s), sim.block("import_wh", sim.block_index(s))) for s in stamps], (
        "five rows of half an hour, with their energy"
    )


def datetime_octets(s: datetime) -> bytes:
    return s.year.to_bytes(2, "big") + bytes([s.month, s.day, s.isoweekday(), s.hour, s.minute, s.second])


@pytest.mark.parametrize("authentication", ["lls", "hls"])
def test_an_independent_client_reads_a_long_profile_by_block_transfer(server: DlmsServer, authentication: str) -> None:
    sim = server.meter()
    with client(server, authentication).session() as c:
        rows = utils.parse_as_dlms_data(c.get(BLOCK_LOAD))
    stamps = sim.stamps("block")
    assert len(rows) == len(stamps) == 45 * 48 + 20
    assert [row[2] for row in rows] == [sim.block("import_wh", sim.block_index(s)) for s in stamps]


def test_an_independent_client_works_the_relay(server: DlmsServer) -> None:
    relay = cosem.Obis(0, 0, 96, 3, 10)
    with client(server, "hls").session() as c:
        for method, closed in ((1, False), (2, True)):
            c.action(cosem.CosemMethod(CosemInterface.DISCONNECT_CONTROL, relay, method), b"\x0f\x00")
            state = c.get(cosem.CosemAttribute(CosemInterface.DISCONNECT_CONTROL, relay, 2))
            assert utils.parse_as_dlms_data(state) is closed
            assert server.order("state")["relay_closed"] is closed


def test_an_independent_client_with_a_wrong_password_is_rejected(server: DlmsServer) -> None:
    with pytest.raises(DlmsClientException, match=enumerations.AssociationResult.REJECTED_PERMANENT.name):
        client(server, "lls", password=b"wrong").session().__enter__()
