"""How APDUs travel over TCP: the wrapper (IEC 62056-4-7) and HDLC (IEC 62056-46, format type 3, window of one). Client's side.

Every wait has an end: one exchange may take `timeout_s`, all of a link's life `deadline`. Frames and APDUs have a greatest size.
"""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass
from typing import Protocol

from ingestion.dlms.errors import DlmsMalformed, DlmsTransient

MAX_APDU = 0xFFFF
MAX_GARBAGE = 4096
"""Octets between HDLC frames that are skipped before the line is given up."""

FLAG = 0x7E
SNRM, DISC, UA, RECEIVE_READY = 0x93, 0x53, 0x73, 0x01
DEFAULT_INFORMATION = 128
LLC_COMMAND, LLC_RESPONSE = b"\xe6\xe6\x00", b"\xe6\xe7\x00"


class Link(Protocol):
    """A way to one server (logical device) of one meter."""

    def exchange(self, apdu: bytes) -> bytes:
        """Send a message and wait for its answer. Raises DlmsTransient (lost, too late) or DlmsMalformed."""

    def close(self) -> None:
        """Never raises."""


class Stream:
    """A TCP connection on which nothing waits beyond its time."""

    def __init__(self, host: str, port: int, timeout_s: float, deadline: float) -> None:
        """`deadline` on time.monotonic. Raises DlmsTransient where nobody listens."""
        self.name, self.timeout_s, self.deadline = f"{host}:{port}", timeout_s, deadline
        self._until = deadline
        self.begin()
        try:
            self._socket = socket.create_connection((host, port), timeout=self._left())
        except OSError as e:
            raise DlmsTransient(f"{self.name}: no connection ({e}): is the meter on the network, are host and port right?") from None

    def begin(self) -> None:
        """An exchange begins: its time runs from now."""
        self._until = min(time.monotonic() + self.timeout_s, self.deadline)

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise DlmsTransient(f"{self.name}: no answer within {self.timeout_s:g} s")
        return left

    def send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data)
        except OSError as e:
            raise DlmsTransient(f"{self.name}: the connection broke while sending ({e})") from None

    def receive(self, count: int) -> bytes:
        """Exactly `count` octets. Raises DlmsTransient at the end of the stream or of the time."""
        data = bytearray()
        while len(data) < count:
            try:
                self._socket.settimeout(self._left())
                part = self._socket.recv(count - len(data))
            except TimeoutError:
                continue
            except OSError as e:
                raise DlmsTransient(f"{self.name}: the connection broke ({e})") from None
            if not part:
                raise DlmsTransient(f"{self.name}: the meter closed the connection" + (" in mid-frame" if data else ""))
            data += part
        return bytes(data)

    def close(self) -> None:
        try:
            self._socket.close()
        except OSError:
            return


# --- wrapper ---


def wrap(source: int, destination: int, apdu: bytes) -> bytes:
    return struct.pack(">HHHH", 1, source, destination, len(apdu)) + apdu


def unwrap_header(header: bytes) -> tuple[int, int, int]:
    """(source, destination, length of the APDU). Raises DlmsMalformed."""
    version, source, destination, size = struct.unpack(">HHHH", header)
    if version != 1:
        raise DlmsMalformed(f"version {version} of the wrapper (its header is {header.hex()}): only 1 is known")
    if size == 0:
        raise DlmsMalformed("an empty frame")
    return source, destination, size


class WrapperLink:
    """One client and one server over the TCP wrapper."""

    def __init__(self, stream: Stream, client: int, server: int) -> None:
        self._stream, self._client, self._server = stream, client, server

    def exchange(self, apdu: bytes) -> bytes:
        if len(apdu) > MAX_APDU:
            raise DlmsMalformed(f"a message of {len(apdu)} octets does not fit into a frame")
        self._stream.begin()
        self._stream.send(wrap(self._client, self._server, apdu))
        source, destination, size = unwrap_header(self._stream.receive(8))
        if (source, destination) != (self._server, self._client):
            raise DlmsMalformed(f"an answer from {source} to {destination}: {self._server} to {self._client} was expected")
        return self._stream.receive(size)

    def close(self) -> None:
        self._stream.close()


# --- HDLC ---


def _crc_table() -> list[int]:
    table = []
    for octet in range(256):
        for _ in range(8):
            octet = (octet >> 1) ^ 0x8408 if octet & 1 else octet >> 1
        table.append(octet)
    return table


_CRC = _crc_table()


def crc(data: bytes) -> bytes:
    """Frame check sequence, CRC-16/X-25, low octet first."""
    value = 0xFFFF
    for octet in data:
        value = (value >> 8) ^ _CRC[(value ^ octet) & 0xFF]
    return struct.pack("<H", value ^ 0xFFFF)


def address(number: int) -> bytes:
    """An HDLC address of one, two or four octets, seven bits each, the highest first. Raises ValueError."""
    for size in (1, 2, 4):
        if 0 <= number < 1 << (7 * size):
            octets = [(number >> (7 * i) & 0x7F) << 1 for i in reversed(range(size))]
            return bytes([*octets[:-1], octets[-1] | 1])
    raise ValueError(f"{number} is no HDLC address: it has at most 28 bits")


@dataclass(frozen=True)
class Frame:
    """An HDLC frame without flags and check sequences."""

    destination: bytes
    source: bytes
    control: int
    information: bytes = b""
    segmented: bool = False

    def to_bytes(self) -> bytes:
        info = self.information
        size = 2 + len(self.destination) + len(self.source) + 1 + 2 + (len(info) + 2 if info else 0)
        header = (
            struct.pack(">H", 0xA000 | (0x800 if self.segmented else 0) | size) + self.destination + self.source + bytes([self.control])
        )
        header += crc(header)
        return bytes([FLAG]) + (header + info + crc(header + info) if info else header) + bytes([FLAG])


def parse_frame(data: bytes) -> Frame:
    """A frame from its octets between the flags. Raises DlmsMalformed."""
    if len(data) < 7 or data[0] & 0xF0 != 0xA0 or int.from_bytes(data[:2], "big") & 0x7FF != len(data):
        raise DlmsMalformed(f"no HDLC frame of format type 3: {data[:16].hex()}")
    if crc(data[:-2]) != data[-2:]:
        raise DlmsMalformed("an HDLC frame with a wrong check sequence")
    destination, at = _address(data, 2)
    source, at = _address(data, at)
    if at >= len(data) - 2:
        raise DlmsMalformed("an HDLC frame without control field")
    control, information = data[at], data[at + 3 : -2]
    if len(data) > at + 3 and crc(data[: at + 1]) != data[at + 1 : at + 3]:
        raise DlmsMalformed("an HDLC frame with a wrong header check sequence")
    return Frame(destination, source, control, information, bool(data[0] & 0x08))


def _address(data: bytes, at: int) -> tuple[bytes, int]:
    for size in (1, 2, 4):
        octets = data[at : at + size]
        if len(octets) == size and octets[-1] & 1 and not any(o & 1 for o in octets[:-1]):
            return octets, at + size
    raise DlmsMalformed("an HDLC address of a length that is not 1, 2 or 4")


def information_size(ua: bytes) -> int:
    """Octets of information that the meter takes in a frame, by the parameters of its UA (128 without). Raises DlmsMalformed."""
    if not ua:
        return DEFAULT_INFORMATION
    if ua[:2] != b"\x81\x80" or len(ua) < 3:
        raise DlmsMalformed(f"UA with parameters that are not understood: {ua[:16].hex()}")
    at, size = 3, DEFAULT_INFORMATION
    while at + 2 <= len(ua):
        name, length = ua[at], ua[at + 1]
        if name == 0x06:  # what the meter receives at most
            size = int.from_bytes(ua[at + 2 : at + 2 + length], "big")
        at += 2 + length
    if not 1 <= size <= 2030:
        raise DlmsMalformed(f"UA with an information field of {size} octets")
    return size


class HdlcLink:
    """One client and one server over HDLC on TCP. `exchange` segments both ways."""

    def __init__(self, stream: Stream, client: int, server: int) -> None:
        """Sets the line up (SNRM, UA). Raises DlmsTransient or DlmsMalformed."""
        self._stream, self._client, self._server = stream, address(client), address(server)
        self._sending = self._expected = 0
        self._stream.begin()
        self._send(SNRM)
        self._size = information_size(self._next(UA).information)

    def exchange(self, apdu: bytes) -> bytes:
        if len(apdu) > MAX_APDU:
            raise DlmsMalformed(f"a message of {len(apdu)} octets is beyond the limit")
        self._stream.begin()
        whole = LLC_COMMAND + apdu
        parts = [whole[i : i + self._size] for i in range(0, len(whole), self._size)]
        for part in parts[:-1]:
            self._information(part, segmented=True)
            if (ready := self._next()).control & 0x0F != RECEIVE_READY:
                raise DlmsMalformed(f"HDLC control {ready.control:02x} where the meter should ask for the next segment")
        self._information(parts[-1])
        answer = bytearray()
        while True:
            frame = self._next()
            if frame.control & 1:
                raise DlmsMalformed(f"HDLC control {frame.control:02x} where an information frame was expected")
            if frame.control >> 1 & 7 != self._expected:
                raise DlmsMalformed("an HDLC frame out of order")
            self._expected = (self._expected + 1) % 8
            answer += frame.information
            if len(answer) > MAX_APDU + len(LLC_RESPONSE):
                raise DlmsMalformed("an answer in HDLC segments beyond the limit")
            if not frame.segmented:
                break
            if frame.control & 0x10:
                self._stream.begin()
                self._send(self._expected << 5 | 0x11)
        if not answer.startswith(LLC_RESPONSE):
            raise DlmsMalformed("an answer without the LLC header")
        return bytes(answer[len(LLC_RESPONSE) :])

    def _information(self, part: bytes, segmented: bool = False) -> None:
        control = self._expected << 5 | 0x10 | self._sending << 1
        self._sending = (self._sending + 1) % 8
        self._stream.send(Frame(self._server, self._client, control, part, segmented).to_bytes())

    def _send(self, control: int) -> None:
        self._stream.send(Frame(self._server, self._client, control).to_bytes())

    def _next(self, wanted: int | None = None) -> Frame:
        """The next frame for this client. A frame of another control than `wanted` is refused."""
        skipped = 0
        while (octet := self._stream.receive(1)[0]) != FLAG:
            skipped += 1
            if skipped > MAX_GARBAGE:
                raise DlmsMalformed(f"no HDLC frame within {MAX_GARBAGE} octets, the last {octet:02x}")
        head = self._stream.receive(2)
        while head[0] == FLAG:  # the end of one frame and the beginning of the next
            head = head[1:] + self._stream.receive(1)
        size = int.from_bytes(head, "big") & 0x7FF
        if size < 7:
            raise DlmsMalformed(f"no HDLC frame: {head.hex()}")
        frame = parse_frame(head + self._stream.receive(size - 2))
        if (frame.source, frame.destination) != (self._server, self._client):
            raise DlmsMalformed(f"an HDLC frame from {frame.source.hex()} to {frame.destination.hex()}")
        if wanted is not None and frame.control | 0x10 != wanted | 0x10:
            raise DlmsMalformed(f"HDLC control {frame.control:02x} where {wanted:02x} was expected: is the server address right?")
        return frame

    def close(self) -> None:
        try:
            self._stream.begin()
            self._send(DISC)
        except DlmsTransient:
            pass
        finally:
            self._stream.close()


def open_link(framing: str, host: str, port: int, client: int, server: int, timeout_s: float, deadline: float) -> Link:
    """Connect over `wrapper` or `hdlc`. Raises DlmsTransient or DlmsMalformed."""
    stream = Stream(host, port, timeout_s, deadline)
    if framing == "wrapper":
        return WrapperLink(stream, client, server)
    try:
        return HdlcLink(stream, client, server)
    except BaseException:
        stream.close()
        raise
