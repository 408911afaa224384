"""What a simulated meter sends by itself: data notifications, plain or ciphered, whole or in blocks, to an address of the receiver.

Setups: `data` (values of this instant), `block` (the newest rows of the block load), `alert` (the event status word). The body is a
structure: device id, logical name of the push setup, then the values; a self-describing body begins with its push object list.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from simulation.dlms import axdr
from simulation.dlms.framing import wrap
from simulation.dlms.meter import EVENT_STATUS_WORD, PROFILES, Column, SimulatedMeter, columns

SETUPS = {"data": "0.0.25.9.0.255", "block": "0.1.25.9.0.255", "alert": "0.4.25.9.0.255"}
DEVICE_ID = "0.0.96.1.2.255"
INSTANT_QUANTITIES = ("voltage_r", "current_r", "active_power", "import_wh", "export_wh", "import_vah")
BLOCK_LOAD = "1.0.99.1.0.255"
PUSH_CLIENT = 64
CONFIRMED = 0x40
ANSWER_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class PushOptions:
    """How a push is sent. `blocks`: octets a block of general block transfer, 0 = whole; `rows`: how many of the block load, the newest."""

    setup: str = "data"
    ciphered: bool = True
    blocks: int = 0
    self_describing: bool = False
    confirmed: bool = False
    rows: int = 2
    counter: int | None = None
    """Invocation counter to use instead of the next, as one who replays would."""


def _entry(class_id: int, obis: str, attribute: int) -> bytes:
    return Column(class_id, obis, attribute, "", None, None, "").definition()


def notification_body(meter: SimulatedMeter, options: PushOptions) -> bytes:
    """A-XDR of the body."""
    setup, now = SETUPS[options.setup], meter.clock.now()
    head = axdr.octets(axdr.logical_name(setup)), (40, setup, 1)
    pairs: list[tuple[bytes, tuple[int, str, int]]] = [(axdr.octets(meter.device_id.encode()), (1, DEVICE_ID, 2)), head]
    if options.setup == "block":
        stamps = meter.stamps("block")[-options.rows :]
        captured = meter.profile_columns(BLOCK_LOAD)
        rows = axdr.array(axdr.structure(*(meter.octets(c, at) for c in captured)) for at in stamps)
        if options.self_describing:
            scalers = PROFILES[BLOCK_LOAD][1]
            for obis, attribute in ((BLOCK_LOAD, 3), (scalers, 3), (scalers, 2)):
                pairs.append((meter.get(7, obis, attribute), (7, obis, attribute)))
        pairs.append((rows, (7, BLOCK_LOAD, 2)))
    else:
        pairs.append((axdr.octets(axdr.date_time(now)), (8, "0.0.1.0.0.255", 2)))
    if options.setup == "alert":
        pairs.append((axdr.bits(meter.status_word()), (1, EVENT_STATUS_WORD, 2)))
    if options.setup == "data":
        for c in columns("instant", meter.category, meter.register_scaler):
            if c.quantity in INSTANT_QUANTITIES:
                pairs.append((meter.octets(c, now), (c.class_id, c.obis, c.attribute)))
                if options.self_describing:
                    pairs.append((c.scaler_unit(), (c.class_id, c.obis, 3)))
    if options.self_describing:
        entries = [(40, setup, 2), *(name for _, name in pairs)]
        return axdr.structure(axdr.array(_entry(*e) for e in entries), *(value for value, _ in pairs))
    return axdr.structure(*(value for value, _ in pairs))


def notification(meter: SimulatedMeter, options: PushOptions) -> list[bytes]:
    """The frames of a push, wrapper included."""
    meter.own_counter += 1
    counter = meter.own_counter if options.counter is None else options.counter
    invoke = bytes([CONFIRMED if options.confirmed else 0]) + (counter & 0xFFFFFF).to_bytes(3, "big")
    apdu = b"\x0f" + invoke + b"\x00" + notification_body(meter, options)
    if options.ciphered:
        sealed = meter.keys.seal(meter.system_title, counter, apdu)
        apdu = b"\xdb\x08" + meter.system_title + axdr.length(len(sealed)) + sealed
    if not options.blocks:
        return [wrap(1, PUSH_CLIENT, apdu)]
    parts = [apdu[i : i + options.blocks] for i in range(0, len(apdu), options.blocks)]
    frames = []
    for number, part in enumerate(parts, 1):
        control = (0x80 if number == len(parts) else 0x40) | 1
        header = bytes([0xE0, control]) + number.to_bytes(2, "big") + b"\x00\x00"
        frames.append(wrap(1, PUSH_CLIENT, header + axdr.length(len(part)) + part))
    return frames


def push(meter: SimulatedMeter, options: PushOptions, host: str, port: int) -> bool:
    """Send a push to a receiver; True where it was confirmed. Raises OSError."""
    with socket.create_connection((host, port), timeout=ANSWER_TIMEOUT_S) as connection:
        for frame in notification(meter, options):
            connection.sendall(frame)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(4096):
            answer += part
    return len(answer) > 8
