"""An association with a simulated meter: AARQ to AARE, HLS, the services GET, SET and ACTION, and their ciphering. One message in, one out.

Mechanisms: none (0), LLS (1), HLS-GMAC (5). Without HLS a client may only read. Source: IEC 62056-5-3.
"""

from __future__ import annotations

import hmac
import os
import struct
from dataclasses import dataclass
from typing import Any

from simulation.dlms import axdr
from simulation.dlms.meter import (
    INVOCATION_COUNTER,
    OBJECT_UNAVAILABLE,
    OTHER_REASON,
    READ_WRITE_DENIED,
    TEMPORARY_FAILURE,
    Refused,
    SimulatedMeter,
)
from simulation.dlms.security import MeterKeys, Undecipherable

MAX_PDU = 1024
GLOBAL_CIPHERED = {0xC8: 0xCC, 0xC9: 0xCD, 0xCB: 0xCF}
"""Tags of service-specific ciphered requests -> of their answers: get, set, action."""

SERVICE_NOT_ALLOWED, OPERATION_NOT_POSSIBLE, DECIPHERING_ERROR = 1, 1, 5
WRONG_PASSWORD, UNKNOWN_MECHANISM, AUTHENTICATION_REQUIRED = 13, 11, 14


def tlv(tag: int, value: bytes) -> bytes:
    return bytes([tag]) + axdr.length(len(value)) + value


def exception_response(service_error: int) -> bytes:
    return bytes([0xD8, SERVICE_NOT_ALLOWED, service_error])


FAULTS = ("deaf", "close", "silent", "cut", "drip", "busy", "refuse", "wrong_key")
"""deaf: the request is not done and not answered; close: nor is the connection kept. silent: it is done and not answered; cut: half the
answer and then the end; drip: the answer octet by octet. busy and refuse: the meter says no, for now or for good. wrong_key: its answer is
sealed with other keys."""


class NotDone(Exception):
    """The fault that kept a request from being done."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass
class Fault:
    """`count` faults (-1 = for ever) of a kind on requests of a service (get, set, action, associate or any), after `after` of them."""

    kind: str
    on: str = "any"
    after: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"fault {self.kind!r} is not one of {', '.join(FAULTS)}")


class Faults:
    """The faults of one meter that are still to come."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def next(self, service: str) -> str:
        """The fault that befalls this request, or nothing."""
        for fault in self.pending:
            if fault.on in ("any", service) and fault.count:
                if fault.after:
                    fault.after -= 1
                    continue
                fault.count -= 1
                return fault.kind
        return ""


class Session:
    """The state of one connection. `handle` takes an APDU and gives the answer; `fault` then says how it is to be delivered."""

    def __init__(self, meter: SimulatedMeter, faults: Faults | None = None) -> None:
        self.meter = meter
        self.faults = faults or Faults()
        self.fault = ""
        self._close()

    def _close(self) -> None:
        self.associated = self.ciphered = self.may_write = False
        self.client_title = b""
        self.challenges: tuple[bytes, bytes] | None = None
        self.blocks: list[bytes] = []
        self.block_number = 0
        self.max_pdu = MAX_PDU

    # --- ciphering ---

    def _seal(self, plain: bytes) -> bytes:
        self.meter.own_counter += 1
        keys = MeterKeys(bytes(16), bytes(16), b"") if self.fault == "wrong_key" else self.meter.keys
        return keys.seal(self.meter.system_title, self.meter.own_counter, plain)

    def _open(self, sealed: bytes) -> bytes:
        """Raises Undecipherable, also for a counter that does not rise."""
        counter, plain = self.meter.keys.open(self.client_title, sealed)
        if counter <= self.meter.invocation_counters.get(self.client_title, -1):
            raise Undecipherable
        self.meter.invocation_counters[self.client_title] = counter
        return plain

    def handle(self, apdu: bytes) -> bytes:
        """The answer to a message. What cannot be understood is answered by an exception response. Raises NotDone."""
        self.fault = ""
        try:
            return self._handle(apdu)
        except Undecipherable:
            return exception_response(DECIPHERING_ERROR)
        except (ValueError, IndexError, KeyError, TypeError, struct.error):
            return exception_response(OPERATION_NOT_POSSIBLE)

    def _handle(self, apdu: bytes) -> bytes:
        tag = apdu[0]
        if tag == 0x60:
            return self._associate(apdu)
        if tag == 0x62:
            self._close()
            return bytes.fromhex("6303800100")
        if tag == 0xDB:
            size = apdu[1]
            title = apdu[2 : 2 + size]
            if title != self.client_title:
                raise Undecipherable
            n, at = axdr.read_length(apdu, 2 + size)
            sealed = self._seal(self._serve(self._open(apdu[at : at + n])))
            return b"\xdb\x08" + self.meter.system_title + axdr.length(len(sealed)) + sealed
        if tag in GLOBAL_CIPHERED:
            n, at = axdr.read_length(apdu, 1)
            sealed = self._seal(self._serve(self._open(apdu[at : at + n])))
            return tlv(GLOBAL_CIPHERED[tag], sealed)
        if self.ciphered:
            return exception_response(DECIPHERING_ERROR)
        return self._serve(apdu)

    # --- association ---

    def _befall(self, service: str) -> None:
        self.fault = self.faults.next(service)
        if self.fault in ("deaf", "close"):
            raise NotDone(self.fault)

    def _associate(self, apdu: bytes) -> bytes:
        self._befall("associate")
        _, at = axdr.read_length(apdu, 1)
        fields: dict[int, bytes] = {}
        while at < len(apdu):
            tag = apdu[at]
            n, at = axdr.read_length(apdu, at + 1)
            fields[tag] = apdu[at : at + n]
            at += n
        self._close()
        self.ciphered = fields[0xA1][-1] == 3
        mechanism = fields[0x8B][-1] if 0x8B in fields else 0
        self.client_title = fields[0xA6][2:] if 0xA6 in fields else b""
        value = fields[0xAC][2:] if 0xAC in fields else b""
        initiate = fields[0xBE][2:]
        if initiate[0] == 0x21:
            n, at = axdr.read_length(initiate, 1)
            initiate = self._open(initiate[at : at + n])
        self.max_pdu = min(MAX_PDU, int.from_bytes(initiate[-2:], "big") or MAX_PDU)
        result = diagnostic = 0
        if self.fault == "busy":
            result, diagnostic = 2, 1
        elif self.fault == "refuse":
            result, diagnostic = 1, 1
        elif mechanism == 0:
            self.associated = not self.ciphered
        elif mechanism == 1:
            self.associated = hmac.compare_digest(value, self.meter.keys.password)
            result, diagnostic = (0, 0) if self.associated else (1, WRONG_PASSWORD)
        elif mechanism == 5:
            self.challenges, diagnostic = (os.urandom(16), value), AUTHENTICATION_REQUIRED
        else:
            result, diagnostic = 1, UNKNOWN_MECHANISM
        return self._association_response(mechanism, result, diagnostic)

    def _association_response(self, mechanism: int, result: int, diagnostic: int) -> bytes:
        if result:
            initiate = b"\x0e\x01\x06\x00"
        else:
            conformance = bytes([0x40 if self.ciphered else 0, 0x18, 0x1D])
            initiate = b"\x08\x00\x06\x5f\x1f\x04\x00" + conformance + struct.pack(">H", MAX_PDU) + b"\x00\x07"
            if self.ciphered:
                initiate = tlv(0x28, self._seal(initiate))
        out = tlv(0xA1, tlv(6, bytes.fromhex("60857405080103" if self.ciphered else "60857405080101")))
        out += tlv(0xA2, b"\x02\x01" + bytes([result])) + tlv(0xA3, tlv(0xA1, b"\x02\x01" + bytes([diagnostic])))
        if self.ciphered or mechanism == 5:
            out += tlv(0xA4, tlv(4, self.meter.system_title))
        if self.challenges:
            out += tlv(0x88, b"\x07\x80") + tlv(0x89, bytes.fromhex("60857405080205")) + tlv(0xAA, tlv(0x80, self.challenges[0]))
        return tlv(0x61, out + tlv(0xBE, tlv(4, initiate)))

    # --- services ---

    def _serve(self, apdu: bytes) -> bytes:
        tag, kind, invoke = apdu[0], apdu[1], apdu[2:3]
        if tag == 0xC3 and kind == 1:
            return self._action(apdu, invoke)
        if not self.associated:
            return exception_response(OPERATION_NOT_POSSIBLE)
        if tag == 0xC0 and kind == 1:
            return self._get(apdu, invoke)
        if tag == 0xC0 and kind == 2 and self.blocks:
            if int.from_bytes(apdu[3:7], "big") != self.block_number:
                return b"\xc4\x01" + invoke + b"\x01\x13"
            self._befall("get")
            return self._next_block(invoke)
        if tag == 0xC1 and kind == 1:
            return self._set(apdu, invoke)
        return exception_response(2)

    def _may_refuse(self, service: str) -> None:
        self._befall(service)
        if self.fault == "busy":
            raise Refused(TEMPORARY_FAILURE)
        if self.fault == "refuse":
            raise Refused(READ_WRITE_DENIED)

    def _get(self, apdu: bytes, invoke: bytes) -> bytes:
        class_id, obis, attribute = _target(apdu)
        try:
            self._may_refuse("associate" if obis == INVOCATION_COUNTER else "get")
            data = self.meter.get(class_id, obis, attribute, _selection(apdu))
        except Refused as refused:
            return b"\xc4\x01" + invoke + bytes([1, refused.result])
        except (ValueError, TypeError):
            return b"\xc4\x01" + invoke + bytes([1, OBJECT_UNAVAILABLE])
        self.blocks = []
        if len(data) + 60 <= self.max_pdu:
            return b"\xc4\x01" + invoke + b"\x00" + data
        size = self.max_pdu - 80
        self.blocks, self.block_number = [data[i : i + size] for i in range(0, len(data), size)], 0
        return self._next_block(invoke)

    def _next_block(self, invoke: bytes) -> bytes:
        data = self.blocks.pop(0)
        self.block_number += 1
        last = b"\x00" if self.blocks else b"\x01"
        return b"\xc4\x02" + invoke + last + self.block_number.to_bytes(4, "big") + b"\x00" + axdr.length(len(data)) + data

    def _set(self, apdu: bytes, invoke: bytes) -> bytes:
        class_id, obis, attribute = _target(apdu)
        try:
            self._may_refuse("set")
            if not self.may_write or apdu[12]:
                raise Refused(READ_WRITE_DENIED)
            self.meter.set(class_id, obis, attribute, apdu[13:])
        except Refused as refused:
            return b"\xc5\x01" + invoke + bytes([refused.result])
        return b"\xc5\x01" + invoke + b"\x00"

    def _action(self, apdu: bytes, invoke: bytes) -> bytes:
        class_id, obis, method = _target(apdu)
        if class_id == 15 and method == 1 and self.challenges:
            return self._reply_to_hls(apdu, invoke)
        try:
            self._may_refuse("action")
            if not self.may_write:
                raise Refused(READ_WRITE_DENIED)
            self.meter.act(class_id, obis, method)
        except Refused as refused:
            return b"\xc7\x01" + invoke + bytes([refused.result, 0])
        return b"\xc7\x01" + invoke + b"\x00\x00"

    def _reply_to_hls(self, apdu: bytes, invoke: bytes) -> bytes:
        assert self.challenges is not None
        proof, _ = axdr.read(apdu, 13)
        counter = int.from_bytes(proof[1:5], "big")
        ours, theirs = self.challenges
        if not hmac.compare_digest(proof[5:], self.meter.keys.gmac(self.client_title, counter, ours)):
            return b"\xc7\x01" + invoke + bytes([OTHER_REASON, 0])
        self.associated = self.may_write = True
        self.meter.own_counter += 1
        mine = self.meter.own_counter
        answer = b"\x10" + mine.to_bytes(4, "big") + self.meter.keys.gmac(self.meter.system_title, mine, theirs)
        return b"\xc7\x01" + invoke + b"\x00\x01\x00" + axdr.octets(answer)


def _target(apdu: bytes) -> tuple[int, str, int]:
    """(class, logical name, attribute or method) of a request."""
    return int.from_bytes(apdu[3:5], "big"), ".".join(map(str, apdu[5:11])), apdu[11]


def _selection(apdu: bytes) -> list[Any] | None:
    return [apdu[13], axdr.read(apdu, 14)[0]] if apdu[12] else None
