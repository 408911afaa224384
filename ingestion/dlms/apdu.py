"""Messages of DLMS: requests to octets, answers from octets. One message, no state. Source: IEC 62056-5-3, 8 and 9."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from dlms_cosem.enumerations import ActionResultStatus, AuthenticationMechanism, DataAccessResult
from dlms_cosem.protocol.acse import ApplicationAssociationRequest, UserInformation
from dlms_cosem.protocol.xdlms import Conformance, GlobalCipherInitiateRequest, InitiateRequest

from ingestion.dlms import axdr
from ingestion.dlms.errors import DlmsMalformed, DlmsNotDeciphered, DlmsRefused, DlmsTransient
from ingestion.dlms.security import SEALED

INVOKE = b"\xc1"
"""Invoke id 1, confirmed, high priority: one request is under way at a time."""

MAX_PDU = 0xFFFF
RELEASE = bytes.fromhex("6203800100")
TEMPORARY_FAILURE = DataAccessResult.TEMPORARY_FAILURE
CIPHERED = {0xC0: 0xC8, 0xC1: 0xC9, 0xC3: 0xCB}
"""Tag of a request -> of its service-specific ciphered form. Answers have four more."""

AARE, GENERAL_CIPHERED = 0x61, 0xDB
_EXCEPTION, _SERVICE_ERROR = 0xD8, 0x0E
_SERVICE_ERRORS = {
    1: "operation not possible",
    2: "service not supported",
    3: "other reason",
    4: "message too long",
    5: "deciphering error: wrong keys or a counter that does not rise",
    6: "invocation counter error",
}
_NOT_DECIPHERED = (5, 6)
_DIAGNOSTICS = {
    1: "no reason given",
    2: "application context not supported",
    11: "authentication mechanism not recognised",
    12: "authentication mechanism required",
    13: "authentication failure: wrong password or keys",
    14: "authentication required",
}
CONFORMANCE = Conformance(
    general_protection=True,
    general_block_transfer=True,
    block_transfer_with_get_or_read=True,
    priority_management_supported=True,
    selective_access=True,
    get=True,
    set=True,
    action=True,
)
_MECHANISMS = {"none": None, "lls": AuthenticationMechanism.LLS, "hls_gmac": AuthenticationMechanism.HLS_GMAC}


@dataclass(frozen=True)
class Range:
    """Rows whose column `class_id`, `obis`, `attribute` lies from `first` to `last` (12 octets of date-time each), both included."""

    first: bytes
    last: bytes
    class_id: int = 8
    obis: str = "0.0.1.0.0.255"
    attribute: int = 2

    def octets(self) -> bytes:
        column = axdr.structure(axdr.u16(self.class_id), axdr.octets(axdr.logical_name(self.obis)), axdr.i8(self.attribute), axdr.u16(0))
        return b"\x01" + axdr.structure(column, axdr.octets(self.first), axdr.octets(self.last), axdr.array([]))


@dataclass(frozen=True)
class Entries:
    """Rows and columns by number, from 1; 0 as the last is the highest there is."""

    first: int = 1
    last: int = 0
    first_column: int = 1
    last_column: int = 0

    def octets(self) -> bytes:
        rows, columns = (axdr.u32(self.first), axdr.u32(self.last)), (axdr.u16(self.first_column), axdr.u16(self.last_column))
        return b"\x02" + axdr.structure(*rows, *columns)


@dataclass(frozen=True)
class Answer:
    """A GET, SET or ACTION that was answered. `result` 0 is success; `data` of a GET, or of one of its blocks (`block` > 0)."""

    service: str
    result: int
    data: bytes = b""
    block: int = 0
    last: bool = True

    def trouble(self) -> str:
        """The result in words."""
        names = ActionResultStatus if self.service == "action" else DataAccessResult
        try:
            return str(names(self.result).name).replace("_", " ").lower()
        except ValueError:
            return f"result {self.result}"


@dataclass(frozen=True)
class Association:
    """What an AARE says. `initiate`: the InitiateResponse, perhaps ciphered."""

    accepted: bool
    transient: bool
    diagnostic: str
    system_title: bytes
    challenge: bytes
    initiate: bytes


def target(class_id: int, obis: str, item: int) -> bytes:
    return struct.pack(">H", class_id) + axdr.logical_name(obis) + bytes([item])


def get_request(class_id: int, obis: str, attribute: int, selection: Range | Entries | None = None) -> bytes:
    access = b"\x01" + selection.octets() if selection else b"\x00"
    return b"\xc0\x01" + INVOKE + target(class_id, obis, attribute) + access


def get_next(block: int) -> bytes:
    return b"\xc0\x02" + INVOKE + block.to_bytes(4, "big")


def set_request(class_id: int, obis: str, attribute: int, data: bytes) -> bytes:
    return b"\xc1\x01" + INVOKE + target(class_id, obis, attribute) + b"\x00" + data


def action_request(class_id: int, obis: str, method: int, data: bytes) -> bytes:
    return b"\xc3\x01" + INVOKE + target(class_id, obis, method) + b"\x01" + data


def initiate_request() -> bytes:
    return bytes(InitiateRequest(proposed_conformance=CONFORMANCE, client_max_receive_pdu_size=MAX_PDU).to_bytes())


def association_request(authentication: str, value: bytes, title: bytes, sealed_initiate: bytes | None) -> bytes:
    """AARQ. `value`: the password of LLS or the challenge of HLS; `sealed_initiate`: the ciphered InitiateRequest, None = in plain."""
    if sealed_initiate is None:
        content = InitiateRequest(proposed_conformance=CONFORMANCE, client_max_receive_pdu_size=MAX_PDU)
    else:
        counter = int.from_bytes(sealed_initiate[1:5], "big")
        content = GlobalCipherInitiateRequest(SEALED, counter, sealed_initiate[5:])
    request = ApplicationAssociationRequest(
        user_information=UserInformation(content=content),
        authentication=_MECHANISMS[authentication],
        authentication_value=value or None,
        ciphered=sealed_initiate is not None,
        system_title=title if authentication == "hls_gmac" else None,
    )
    return bytes(request.to_bytes())


def association_response(apdu: bytes) -> Association:
    """AARE. Raises DlmsMalformed; DlmsRefused for an exception response."""
    raise_refusal(apdu)
    if apdu[:1] != bytes([AARE]):
        raise DlmsMalformed(f"an association response was expected, not {apdu[:8].hex()}")
    fields = {}
    body, _ = _tlv(apdu, 0)
    at = 0
    while at < len(body):
        tag = body[at]
        value, at = _tlv(body, at)
        fields[tag] = value
    if 0xA2 not in fields or not fields[0xA2]:
        raise DlmsMalformed("the association response has no result")
    result = fields[0xA2][-1]
    diagnostic = fields.get(0xA3, b"")[-1:]
    title = _inner(fields.get(0xA4))
    text = _DIAGNOSTICS.get(diagnostic[0], f"diagnostic {diagnostic[0]}") if diagnostic and diagnostic[0] else "no diagnostic"
    return Association(result == 0, result == 2, text, title, _inner(fields.get(0xAA)), _inner(fields.get(0xBE)))


def negotiated_pdu(initiate: bytes) -> int:
    """Longest message that the meter takes, of its plain InitiateResponse. Raises DlmsMalformed."""
    if len(initiate) < 14 or initiate[0] != 0x08:
        raise DlmsMalformed(f"an InitiateResponse was expected, not {initiate[:20].hex()}")
    return int.from_bytes(initiate[-4:-2], "big") or MAX_PDU


def _tlv(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = axdr.read_length(data, at + 1)
    return axdr.take(data, at, size)


def _inner(field: bytes | None) -> bytes:
    return _tlv(field, 0)[0] if field else b""


def raise_refusal(apdu: bytes) -> None:
    """Raises DlmsRefused where the message is an exception response or a confirmed service error."""
    if apdu[:1] == bytes([_EXCEPTION]):
        error = apdu[2] if len(apdu) > 2 else 0
        kind = DlmsNotDeciphered if error in _NOT_DECIPHERED else DlmsRefused
        raise kind(f"the meter answers with an exception: {_SERVICE_ERRORS.get(error, f'error {error}')}")
    if apdu[:1] == bytes([_SERVICE_ERROR]):
        raise DlmsRefused(f"the meter answers with a service error {apdu[1:4].hex()}")


def answer(apdu: bytes) -> Answer:
    """GET, SET or ACTION response. Raises DlmsMalformed; DlmsRefused for an exception response."""
    raise_refusal(apdu)
    head, at = axdr.take(apdu, 0, 3)
    tag, kind = head[0], head[1]
    if tag == 0xC4 and kind == 1:
        choice, at = axdr.take(apdu, at, 1)
        if choice == b"\x00":
            return Answer("get", 0, apdu[at:])
        return Answer("get", axdr.take(apdu, at, 1)[0][0] or DataAccessResult.OTHER_REASON)
    if tag == 0xC4 and kind == 2:
        fixed, at = axdr.take(apdu, at, 6)
        last, block = bool(fixed[0]), int.from_bytes(fixed[1:5], "big")
        if fixed[5]:
            return Answer("get", axdr.take(apdu, at, 1)[0][0] or DataAccessResult.OTHER_REASON, block=block)
        size, at = axdr.read_length(apdu, at)
        data, _ = axdr.take(apdu, at, size)
        return Answer("get", 0, data, block, last)
    if tag == 0xC5 and kind == 1:
        return Answer("set", axdr.take(apdu, at, 1)[0][0])
    if tag == 0xC7 and kind == 1:
        result, at = axdr.take(apdu, at, 1)
        data = apdu[at + 2 :] if apdu[at : at + 2] == b"\x01\x00" else b""
        return Answer("action", result[0], data)
    raise DlmsMalformed(f"an answer to a service was expected, not {apdu[:8].hex()}")


def raise_trouble(got: Answer, asked: str) -> None:
    """Raises what a result that is not success means."""
    if got.result == TEMPORARY_FAILURE:
        raise DlmsTransient(f"{asked}: the meter is busy ({got.trouble()}): try again later")
    if got.result:
        raise DlmsRefused(f"{asked}: the meter refuses: {got.trouble()}", got.result)
