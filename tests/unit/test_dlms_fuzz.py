"""Ten thousand mutated frames for the client and as many for the receiver of pushes: only typed errors, no hang, bounded memory."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingestion.dlms import apdu, link, push
from ingestion.dlms.errors import DlmsError, DlmsMalformed, DlmsUnknownOutcome
from ingestion.dlms.meter import DlmsMeter, Endpoint
from ingestion.dlms.profiles import payload
from ingestion.dlms.security import Keys
from ingestion.readers import read
from ingestion.vendor import load_vendor
from simulation.dlms import SimulatedMeter
from simulation.dlms.framing import hdlc_frame
from simulation.dlms.meter import Clock
from simulation.dlms.push import PushOptions, notification
from simulation.dlms.session import Session

FRAMES = 10_000
MAX_CPU_S = 1.0
"""CPU time of one frame that counts as a hang. The slowest take a few milliseconds; the bound is wide because a machine may be busy."""

MAX_MEMORY = 64 << 20
IST = ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 10, 8, 10, 7)
CHANGES = [b"\x81", b"\x82\xff\xff", b"\x84\xff\xff\xff\xff", b"\x01", b"\x02", b"\x00", b"\x09\x7f", b"\xd8\x01\x02", b"\x13"]


def mutate(frame: bytes, r: random.Random) -> bytes:
    """One to three changes: bits, lengths and tags, cuts, repetitions."""
    data = bytearray(frame)
    for _ in range(r.choice((1, 1, 1, 2, 3))):
        at = r.randrange(len(data) + 1)
        match r.randrange(6):
            case 0 if at < len(data):
                data[at] ^= 1 << r.randrange(8)
            case 1:
                change = r.choice(CHANGES)
                data[at : at + len(change)] = change
            case 2:
                data[at:at] = r.choice(CHANGES)
            case 3:
                del data[at:]
            case 4:
                del data[at : at + r.randrange(1, 9)]
            case _:
                data[at:at] = data[max(0, at - r.randrange(1, 40)) : at]
    return bytes(data)


@pytest.fixture(scope="module")
def sim() -> SimulatedMeter:
    return SimulatedMeter(1, clock=Clock(NOW, lambda: 0.0), history_days=3)


def spent(work: Callable[[], None]) -> float:
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


class MutatedLink:
    """An association in this process whose answers are mutated once it is told to."""

    def __init__(self, meter: SimulatedMeter, r: random.Random) -> None:
        self._session, self._random, self.sound, self.mutated = Session(meter), r, True, 0

    def exchange(self, request: bytes) -> bytes:
        answer = self._session.handle(request)
        if self.sound:
            return answer
        self.mutated += 1
        return mutate(answer, self._random)

    def close(self) -> None:
        return


class PlainDlms(DlmsMeter):
    """An association on a given link."""

    def __init__(self, meter: SimulatedMeter, way: MutatedLink, authentication: str) -> None:
        k = meter.keys
        keys = Keys(k.encryption, k.authentication, k.password)
        super().__init__(Endpoint(meter.serial, "", 0, authentication=authentication), keys, way, IST, time.monotonic() + 3600)


def operations(meter: DlmsMeter) -> Iterator[Callable[[], object]]:
    since, until = datetime(2026, 10, 7, tzinfo=IST), datetime(2026, 10, 7, 4, tzinfo=IST)
    yield meter.clock
    yield lambda: meter.read_profile("1.0.99.1.0.255", since, until)
    yield meter.read_instant
    yield meter.read_nameplate
    yield meter.relay_state
    yield meter.disconnect
    yield lambda: meter.set_load_limit(1000)


def test_mutated_answers_give_the_client_typed_errors_only(sim: SimulatedMeter) -> None:
    r = random.Random(20261008)
    frames, slowest, outcomes = 0, 0.0, {"sound": 0, "typed": 0, "unknown": 0}
    while frames < FRAMES:
        way = MutatedLink(sim, r)
        authentication = r.choice(("none", "lls", "lls", "hls_gmac"))
        meter = PlainDlms(sim, way, authentication)

        def work(meter: PlainDlms = meter, way: MutatedLink = way) -> None:
            try:
                if r.random() < 0.2:
                    way.sound = False
                    meter._associate(0)
                else:
                    meter._associate(0)
                    way.sound = False
                    r.choice(list(operations(meter)))()
                outcomes["sound"] += 1
            except DlmsUnknownOutcome:
                outcomes["unknown"] += 1
            except DlmsError:
                outcomes["typed"] += 1

        slowest = max(slowest, spent(work))
        frames += way.mutated
    assert slowest < MAX_CPU_S, f"an answer kept the client busy for {slowest:.3f} s"
    assert min(outcomes.values()) > 50, f"the mutations do not reach everything: {outcomes}"


def test_mutated_hdlc_frames_are_refused_or_sound(sim: SimulatedMeter) -> None:
    r = random.Random(7)
    frame = hdlc_frame(b"\x61", b"\x03", 0x30, b"\xe6\xe7\x00" + Session(sim).handle(b"\x62\x00"))[1:-1]
    refused = 0
    for _ in range(FRAMES):
        try:
            link.parse_frame(mutate(frame, r))
        except DlmsMalformed:
            refused += 1
    assert refused > 0.95 * FRAMES, "the check sequence finds nearly all"
    for _ in range(1000):
        try:
            link.information_size(mutate(bytes.fromhex("8180120501800601800704000000010804"), r))
        except DlmsMalformed:
            refused += 1


def bodies(sim: SimulatedMeter) -> list[bytes]:
    """Plain notifications of every kind, without wrapper."""
    kinds = [PushOptions(setup, ciphered=False, self_describing=d) for setup in ("data", "block", "alert") for d in (False, True)]
    return [notification(sim, k)[0][8:] for k in kinds]


def test_mutated_pushes_are_refused_or_become_payloads_that_the_readers_take(sim: SimulatedMeter) -> None:
    r = random.Random(99)
    vendor = load_vendor("dlms")
    setups = push.push_setups(vendor.transport["push"])
    plain = bodies(sim)
    keys = Keys(sim.keys.encryption, sim.keys.authentication, b"")
    blocks = [f[8:] for f in notification(sim, PushOptions("block", blocks=60))]
    slowest, refused, taken = 0.0, 0, []

    def take(message: bytes) -> None:
        nonlocal refused
        try:
            if push.sender(message) is not None:
                _, message = push.unseal(message, keys)
            got = push.interpret(push.notification(message).body, setups, sim.firmware)
            taken.append(payload([p.item(sim.serial) for p in got.profiles]))
        except DlmsMalformed:
            refused += 1

    def blockwise() -> None:
        nonlocal refused
        assembler = push.Assembler()
        try:
            for block in blocks:
                whole, _ = assembler.feed(mutate(block, r) if r.random() < 0.2 else block)
                if whole is not None:
                    take(whole)
        except DlmsMalformed:
            refused += 1

    for n in range(FRAMES):
        if n % 10 == 0:
            slowest = max(slowest, spent(blockwise))
        elif n % 10 == 1:
            message = notification(sim, PushOptions("data"))[0][8:]
            slowest = max(slowest, spent(lambda m=message: take(mutate(m, r))))
        else:
            slowest = max(slowest, spent(lambda: take(mutate(r.choice(plain), r))))
    assert slowest < MAX_CPU_S, f"a push kept the receiver busy for {slowest:.3f} s"
    assert refused > 1000
    assert len(taken) > 1000, "some mutations only change a value"
    for content in taken[:: len(taken) // 300]:
        delivery = read(vendor, "push", content, datetime.now(UTC))
        assert delivery.values_read + delivery.values_rejected > 0


def test_what_a_frame_announces_takes_no_memory(sim: SimulatedMeter) -> None:
    r = random.Random(3)
    plain = bodies(sim)
    answers = ("c401c1000184ffffffff", "c402c101000000010084" + "7fffffff", "c401c100" + "017f" * 30)
    announcing = [bytes.fromhex(a) for a in answers]
    tracemalloc.start()
    try:
        for _ in range(300):
            for body in (*plain, *announcing):
                try:
                    if body[0] == 0x0F:
                        push.notification(mutate(body, r))
                    else:
                        apdu.answer(mutate(body, r))
                except DlmsError:
                    continue
        whole = push.notification(b"\x0f" + bytes(5) + b"\x01\x82\xff\xff" + b"\x00" * 0xFFFF)
        assert len(whole.body.items) == 0xFFFF
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_MEMORY, f"{peak >> 20} MiB"
