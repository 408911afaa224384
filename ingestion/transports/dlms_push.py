"""Listens for what meters push over the TCP wrapper, and lands it. What the octets mean is `ingestion.dlms.push`.

A frame is believed by its system title: title -> meter (registry.meter_endpoint) -> keys, and only with an invocation counter above the
last, which is kept in the landing's own transaction (ops.pull_cursor), so that a replay is known after a restart too. A notification that
asks for a confirmation gets it after the commit; the others are not answered. A bad frame is kept in raw.rejected, ends its connection and
nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import psycopg
from psycopg.types.json import Jsonb

from ingestion.canonical import Delivery
from ingestion.contexts import Contexts
from ingestion.dlms import axdr, push
from ingestion.dlms.errors import DlmsMalformed, DlmsNotAuthentic
from ingestion.dlms.link import unwrap_header, wrap
from ingestion.dlms.profiles import payload
from ingestion.dlms.security import KeyStore, client_title, next_counter
from ingestion.landing import LandingResult, land
from ingestion.normalise import rejection
from ingestion.readers import read
from ingestion.vendor import Vendor
from warehouse.codes import Reason

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 256
IDLE_S = 60.0
REJECTIONS_PER_MIN = 600
"""Bad frames that are kept; those beyond are only counted in the log, so that nobody fills the warehouse with rubbish."""

LANDING_ATTEMPTS = 4
FEED = "dlms push"


@dataclass(frozen=True)
class _Sender:
    """A registered meter."""

    serial: str
    firmware: str


class PushListener:
    """`with PushListener(...) as listener: listener.serve_forever()`; `port` says where. `stop` may be called from any thread."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        discom: str,
        hes: str,
        vendor: Vendor,
        keys: KeyStore,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        plain: bool = False,
        max_connections: int = MAX_CONNECTIONS,
        idle_s: float = IDLE_S,
    ) -> None:
        """`plain`: take notifications that are not ciphered, from whoever sends them. Raises LandingError, ValueError, OSError."""
        self._connect, self._discom, self._vendor, self._keys, self._plain, self._idle_s = connect, discom, vendor, keys, plain, idle_s
        self._setups = push.push_setups(vendor.transport.get("push", []))
        self._title = client_title()
        self._contexts = Contexts()
        self._warehouse: psycopg.Connection | None = connect()
        context = self._contexts.get(self._warehouse, discom)
        self._discom_id, self._hes_id = context.discom_id, context.hes_id(hes)
        self._lock = threading.Lock()  # of the connection to the warehouse and of the counters
        self._counters = push.Counters(self._last_counter)
        self._kept: deque[float] = deque()
        self._slots = threading.BoundedSemaphore(max_connections)
        self._stopping = threading.Event()
        self._socket = socket.create_server((host, port), backlog=128)
        self._socket.settimeout(0.5)
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> PushListener:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        with self._lock:
            if self._warehouse is not None:
                self._warehouse.close()

    def stop(self) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._socket.close()

    def serve_forever(self) -> None:
        """Take connections until `stop`. One beyond the limit is closed at once."""
        while not self._stopping.is_set():
            try:
                connection, peer = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                if self._stopping.is_set():
                    return
                logger.exception("taking a connection failed")
                time.sleep(0.1)
                continue
            if not self._slots.acquire(blocking=False):
                logger.warning("too many connections: %s is turned away", peer[0])
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection, peer[0]), daemon=True).start()

    # --- one connection ---

    def _serve(self, connection: socket.socket, peer: str) -> None:
        try:
            with connection:
                self._frames(connection, peer)
        except OSError as e:
            logger.info("push from %s: the connection broke: %s", peer, e)
        except Exception:
            logger.exception("push from %s: a fault of ours", peer)
        finally:
            self._slots.release()

    def _frames(self, connection: socket.socket, peer: str) -> None:
        assembler = push.Assembler()
        while (header := self._receive(connection, 8)) is not None:
            frame = header
            try:
                if len(header) < 8:
                    raise DlmsMalformed("the connection ended within a frame's header")
                source, destination, size = unwrap_header(header)
                body = self._receive(connection, size) or b""
                frame += body
                if len(body) < size:
                    raise DlmsMalformed(f"the connection ended after {len(body)} of {size} octets of a frame")
                apdu, answer = assembler.feed(body)
                if apdu is not None:
                    frame = apdu
                    answer = self.take(apdu, peer)
            except DlmsMalformed as e:
                self._reject(frame, peer, e)
                return
            except psycopg.Error:
                logger.exception("push from %s: the warehouse does not take it: the frame is lost unless the meter sends it again", peer)
                return
            if answer is not None:
                connection.settimeout(self._idle_s)
                connection.sendall(wrap(destination, source, answer))

    def _receive(self, connection: socket.socket, count: int) -> bytes | None:
        """`count` octets, fewer at the end of the stream or of the time, None where there is nothing at all."""
        until = time.monotonic() + self._idle_s
        data = bytearray()
        while len(data) < count and (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                part = connection.recv(count - len(data))
            except TimeoutError:
                break
            if not part:
                break
            data += part
        return bytes(data) or None

    # --- one message ---

    def take(self, apdu: bytes, peer: str) -> bytes | None:
        """Land a whole message; the confirmation where it asks for one. Raises DlmsMalformed (nothing landed) or psycopg.Error."""
        title = push.sender(apdu)
        if title is None and not self._plain:
            raise DlmsNotAuthentic("a notification in plain: they are taken only with --plain")
        for attempt in range(1, LANDING_ATTEMPTS + 1):
            try:
                with self._lock:
                    return self._take(apdu, title, peer)
            except psycopg.OperationalError:
                if attempt == LANDING_ATTEMPTS:
                    raise
                logger.warning("push from %s: the warehouse does not answer, attempt %d", peer, attempt)
                self._stopping.wait(2 ** (attempt - 1))
        return None

    def _take(self, apdu: bytes, title: bytes | None, peer: str) -> bytes | None:
        conn = self._open()
        counter = 0
        if title is not None:
            found = self._sender(conn, "e.system_title", title.hex().upper())
            if found is None:
                raise DlmsNotAuthentic(f"no meter of this head-end system is registered with the system title {title.hex()}")
            keys = self._keys.of(found.serial)
            counter, apdu = push.unseal(apdu, keys)
            self._counters.check(title, counter)
        else:
            found = None
        said = push.notification(apdu)
        try:
            pushed = push.interpret(said.body, self._setups, found.firmware if found else self._firmware(conn, said.body))
            if found is None:
                found = self._sender(conn, "m.serial", pushed.identity or "")
                if found is None:
                    raise DlmsMalformed(f"a push of {pushed.identity or 'nobody'}, which is no meter of this head-end system")
            if pushed.identity not in (None, found.serial):
                raise DlmsNotAuthentic(f"a push that was sealed by {found.serial} says that it is of {pushed.identity}")
        except DlmsMalformed as e:
            if title is not None:
                self._keep_rejection(conn, apdu, peer, e, partial(self._save, title, counter), found.serial if found else None)
                self._counters.advance(title, counter)
                return None
            raise
        content = payload([p.item(found.serial) for p in pushed.profiles])
        delivery = read(self._vendor, f"dlms push of {found.serial} from {peer}", content, datetime.now(UTC))
        within = partial(self._save, title, counter) if title is not None else None
        result = land(conn, self._contexts.get(conn, self._discom), self._hes_id, delivery, within=within)
        if title is not None:
            self._counters.advance(title, counter)
        self._note(found.serial, result)
        if not said.confirmed:
            return None
        answer = push.confirmation(said.invoke)
        if title is None:
            return answer
        sealed = keys.seal(self._title, next_counter(self._title + keys.encryption), answer)
        return bytes([push.GENERAL_CIPHERED, 8]) + self._title + axdr.length(len(sealed)) + sealed

    def _firmware(self, conn: psycopg.Connection, body: axdr.Data) -> str:
        """Of the meter whose serial is an element of a plain body; empty where there is none."""
        for element in body.items[:3]:
            if isinstance(element.value, bytes) and (found := self._sender(conn, "m.serial", element.text)) is not None:
                return found.firmware
        return ""

    def _note(self, serial: str, result: LandingResult) -> None:
        if result.rejected:
            logger.warning("push of %s: %d of %d values rejected: see raw.rejected", serial, result.rejected, result.received)

    # --- the warehouse; called with the lock held ---

    def _open(self) -> psycopg.Connection:
        if self._warehouse is None or self._warehouse.closed or self._warehouse.broken:
            self._warehouse = self._connect()
        return self._warehouse

    def _sender(self, conn: psycopg.Connection, column: str, value: str) -> _Sender | None:
        assert column in ("e.system_title", "m.serial")
        if "\x00" in value:
            return None
        with conn.transaction():
            row = conn.execute(
                f"""select m.serial, coalesce(m.firmware, '')
                    from registry.meter m left join registry.meter_endpoint e using (discom_id, meter_id)
                    where m.discom_id = %s and m.hes_id = %s and {column} = %s""",  # noqa: S608 (one of two columns)
                [self._discom_id, self._hes_id, value],
            ).fetchone()
        return _Sender(*row) if row else None

    def _last_counter(self, title: bytes) -> int:
        conn = self._open()
        with conn.transaction():
            row = conn.execute(
                "select (cursor ->> 'counter')::bigint from ops.pull_cursor where discom_id = %s and hes_id = %s and feed = %s",
                [self._discom_id, self._hes_id, f"{FEED} {title.hex()}"],
            ).fetchone()
        return int(row[0]) if row else -1

    def _save(self, title: bytes, counter: int, conn: psycopg.Connection) -> None:
        conn.execute(
            """insert into ops.pull_cursor (discom_id, hes_id, feed, cursor) values (%s, %s, %s, %s)
               on conflict (discom_id, hes_id, feed) do update set cursor = excluded.cursor, updated_at = now()""",
            [self._discom_id, self._hes_id, f"{FEED} {title.hex()}", Jsonb({"counter": counter})],
        )

    def _reject(self, frame: bytes, peer: str, fault: DlmsMalformed) -> None:
        """Keep a bad frame, of which nothing was understood."""
        logger.warning("push from %s: %s", peer, fault)
        now = time.monotonic()
        try:
            with self._lock:
                while self._kept and self._kept[0] < now - 60:
                    self._kept.popleft()
                if len(self._kept) >= REJECTIONS_PER_MIN:
                    return
                self._kept.append(now)
                self._keep_rejection(self._open(), frame, peer, fault, None, None)
        except psycopg.Error:
            logger.exception("push from %s: the warehouse does not take the rejection", peer)

    def _keep_rejection(
        self,
        conn: psycopg.Connection,
        frame: bytes,
        peer: str,
        fault: DlmsMalformed,
        within: Callable[[psycopg.Connection], None] | None,
        serial: str | None,
    ) -> None:
        delivery = Delivery(f"dlms push from {peer}", hashlib.sha256(frame).digest(), datetime.now(UTC))
        delivery.rejections.append(rejection(Reason.MALFORMED, f"frame of {len(frame)} octets", frame.hex(), str(fault), 1, serial))
        land(conn, self._contexts.get(conn, self._discom), self._hes_id, delivery, within=within)
