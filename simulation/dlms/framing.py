"""The two ways in which APDUs travel over TCP: the wrapper of IEC 62056-4-7, and HDLC of IEC 62056-46 (format type 3). Server's side."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

FLAG = 0x7E
SNRM, DISC, UA, DM = 0x93, 0x53, 0x73, 0x1F
MAX_INFORMATION = 128
LLC_COMMAND, LLC_RESPONSE = b"\xe6\xe6\x00", b"\xe6\xe7\x00"
NEGOTIATED = bytes.fromhex("818012050180060180") + b"\x07\x04\x00\x00\x00\x01\x08\x04\x00\x00\x00\x01"
"""UA: information fields of 128 octets and a window of 1 both ways."""


def wrap(source: int, destination: int, apdu: bytes) -> bytes:
    return struct.pack(">HHHH", 1, source, destination, len(apdu)) + apdu


def crc(data: bytes) -> bytes:
    """Frame check sequence, CRC-16/X-25, low octet first."""
    value = 0xFFFF
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value & 1 else value >> 1
    return struct.pack("<H", value ^ 0xFFFF)


def _address(frame: bytes, at: int) -> tuple[bytes, int]:
    end = at
    while not frame[end] & 1:
        end += 1
    return frame[at : end + 1], end + 1


def address_number(octets: bytes) -> int:
    """Seven bits an octet, the highest first."""
    number = 0
    for octet in octets:
        number = number << 7 | octet >> 1
    return number


def hdlc_frame(destination: bytes, source: bytes, control: int, information: bytes = b"", segmented: bool = False) -> bytes:
    size = 2 + len(destination) + len(source) + 1 + 2 + (len(information) + 2 if information else 0)
    header = struct.pack(">H", 0xA000 | (0x800 if segmented else 0) | size) + destination + source + bytes([control])
    header += crc(header)
    body = header + information + crc(header + information) if information else header
    return bytes([FLAG]) + body + bytes([FLAG])


@dataclass
class HdlcServer:
    """One HDLC connection: feed it octets, it answers through `send`. `handle(meter number, client, apdu)` gives the answer to an APDU
    or None for none; `begin(meter number)` is called at SNRM."""

    send: Callable[[bytes], None]
    begin: Callable[[int], None]
    handle: Callable[[int, int, bytes], bytes | None]
    buffer: bytes = b""
    received: bytes = b""
    sending: int = 0
    expected: int = 0

    def __post_init__(self) -> None:
        self._out: list[bytes] = []

    def feed(self, data: bytes) -> None:
        self.buffer += data
        while (start := self.buffer.find(FLAG)) >= 0:
            self.buffer = self.buffer[start:]
            if len(self.buffer) < 3:
                return
            if self.buffer[1] == FLAG:
                self.buffer = self.buffer[1:]
                continue
            size = int.from_bytes(self.buffer[1:3], "big") & 0x7FF
            if len(self.buffer) < size + 2:
                return
            frame, self.buffer = self.buffer[1 : 1 + size], self.buffer[1 + size :]
            if crc(frame[:-2]) == frame[-2:]:
                self._frame(frame)
        self.buffer = b""

    def _frame(self, frame: bytes) -> None:
        destination, at = _address(frame, 2)
        source, at = _address(frame, at)
        control, information = frame[at], frame[at + 3 : -2]

        def reply(answer_control: int, data: bytes = b"", segmented: bool = False) -> None:
            self.send(hdlc_frame(source, destination, answer_control, data, segmented))

        if control == SNRM:
            self.sending = self.expected = 0
            self.received, self._out = b"", []
            self.begin(address_number(destination))
            return reply(UA, NEGOTIATED)
        if control == DISC:
            return reply(UA)
        if control & 1 == 0:
            self.expected = (self.expected + 1) % 8
            self.received += information
            if frame[0] & 8:
                return reply(self.expected << 5 | 0x11)
            apdu, self.received = self.received[3:], b""
            answer = self.handle(address_number(destination), address_number(source), apdu)
            if answer is None:
                return None
            whole = LLC_RESPONSE + answer
            self._out = [whole[i : i + MAX_INFORMATION] for i in range(0, len(whole), MAX_INFORMATION)]
        elif control & 0xF != 1:
            return reply(DM)
        if not self._out:
            return reply(self.expected << 5 | 0x11)
        part = self._out.pop(0)
        reply(self.expected << 5 | 0x10 | self.sending << 1, part, bool(self._out))
        self.sending = (self.sending + 1) % 8
        return None
