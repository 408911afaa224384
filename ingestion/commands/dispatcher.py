"""The dispatcher: sends what is due, asks after what was sent, and notes every outcome. `meterhouse commands run` runs it.

Any number of workers may run. A command is `sent` and committed before it goes out; a relay command whose outcome is not known is only
ever asked about, by the head-end system's own word, by the relay's position or by the meter's event, and never sent again.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from ingestion.commands import store
from ingestion.commands.driver import Driver, Outcome, Verdict
from ingestion.commands.drivers import NoDriver, driver_for
from ingestion.commands.states import RELAY, TRANSITIONS, Kind, State, move
from ingestion.commands.store import Job
from ingestion.landing import LandingError, LandingResult
from warehouse import db

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
THREADS = 16
IDLE_S = 1.0
LONGEST_BACKOFF = timedelta(minutes=30)
LONGEST_LOOK = timedelta(minutes=5)


class Dispatcher:
    """One worker. `run` works until `stop` is called; `run_once` works off what is due now."""

    def __init__(
        self,
        *,
        threads: int = THREADS,
        lease: timedelta = LEASE,
        idle_s: float = IDLE_S,
        driver: Callable[[Job], Driver] = driver_for,
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._threads, self._lease, self._idle_s, self._driver = threads, lease, idle_s, driver
        self._pool = ThreadPoolExecutor(threads, "commands")
        self._in_hand: dict[tuple[int, int], Future[None]] = {}
        self._stop = threading.Event()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is under way has ended."""
        self._stop.set()

    def run(self) -> None:
        """Work until stopped. A database that is away is waited for."""
        with self._working():
            trouble = 0
            while not self._stop.is_set():
                try:
                    with db.connect("meterhouse_dispatcher", autocommit=True) as conn:
                        trouble = 0
                        while not self._stop.is_set():
                            if not self._round(conn):
                                self._stop.wait(self._idle_s)
                except psycopg.OperationalError as e:
                    trouble += 1
                    logger.warning("the database does not answer, attempt %d: %s", trouble, e)
                    self._stop.wait(min(2.0**trouble, 60))

    def run_once(self) -> int:
        """Work off what is due, and return how many commands were taken in hand. What falls due meanwhile is taken along."""
        taken = 0
        with self._working(), db.connect("meterhouse_dispatcher", autocommit=True) as conn:
            while not self._stop.is_set():
                found = self._round(conn)
                taken += found
                if under_way := list(self._in_hand.values()):
                    wait(under_way, timeout=self._idle_s, return_when=FIRST_COMPLETED)
                elif not found:
                    break
        return taken

    @contextmanager
    def _working(self) -> Iterator[None]:
        """The heartbeat, and at the end the wait for what is under way: every driver call has a time limit, so it ends."""
        ended = threading.Event()
        heartbeat = threading.Thread(target=self._heartbeat, args=[ended], name="heartbeat", daemon=True)
        heartbeat.start()
        try:
            yield
        finally:
            self._pool.shutdown(wait=True)
            ended.set()
            heartbeat.join()

    def _round(self, conn: psycopg.Connection) -> int:
        """Sweep, claim, and hand over to the threads. Returns how many commands were claimed."""
        for key in [k for k, f in self._in_hand.items() if f.done()]:
            del self._in_hand[key]
        store.sweep(conn, self.name)
        claimed = 0
        for hes in store.heads_with_work(conn):
            if (free := self._threads - len(self._in_hand)) <= 0:
                break
            for job in store.claim(conn, hes, self.name, self._lease, free):
                self._in_hand[job.hes.discom_id, job.command.command_id] = self._pool.submit(self._handle, job)
                claimed += 1
        return claimed

    def _heartbeat(self, ended: threading.Event) -> None:
        while not ended.wait(self._lease.total_seconds() / 3):
            try:
                with db.connect("meterhouse_dispatcher", autocommit=True) as conn:
                    store.renew(conn, self.name, self._lease, [k for k, f in list(self._in_hand.items()) if not f.done()])
            except psycopg.Error as e:
                logger.warning("leases could not be renewed: %s", e)

    # --- one command ---

    def _handle(self, job: Job) -> None:
        """Send or look. Whatever goes wrong in here leaves the lease to lapse: then another round finds out what became of it."""
        try:
            try:
                driver: Driver | None = self._driver(job)
                reason = ""
            except NoDriver as e:
                driver, reason = None, str(e)
            with db.connect("meterhouse_dispatcher", autocommit=True) as conn:
                if job.state == State.SENT:
                    self._send(conn, job, driver, reason)
                else:
                    self._look(conn, job, driver, reason)
        except Exception:
            logger.exception("command %d of %s", job.command.command_id, job.hes.discom)

    def _send(self, conn: psycopg.Connection, job: Job, driver: Driver | None, reason: str) -> None:
        if not store.may_send(conn, job, self.name):
            logger.warning("command %d was taken from this worker before it was sent: not sent", job.command.command_id)
            return
        if driver is None:
            outcome = Outcome(Verdict.NOT_SENT, reason)
        elif driver.supports(job.command.kind):
            outcome = driver.submit(job.command)
        else:
            outcome = Outcome(Verdict.REFUSED, f"head-end system {job.hes.code} ({job.hes.vendor}) carries no {job.command.kind}")
        again = job.command.attempts < job.hes.rules.attempts
        match outcome.verdict:
            case Verdict.ACCEPTED:
                self._accepted(conn, job, outcome)
            case Verdict.DONE:
                self._done(conn, job, outcome)
            case Verdict.REFUSED:
                self._settle(conn, job, State.FAILED, outcome.why)
            case Verdict.NOT_SENT if again:
                self._settle(conn, job, State.QUEUED, outcome.why, due_at=self._backoff(job))
            case Verdict.NOT_SENT:
                self._settle(conn, job, State.FAILED, f"given up after {job.command.attempts} attempts: {outcome.why}")
            case _ if job.command.kind in RELAY:
                self._settle(conn, job, State.UNKNOWN, outcome.why, due_at=job.hes.rules.look)
            case _ if again:  # to do it again does no harm
                self._settle(conn, job, State.QUEUED, outcome.why, due_at=self._backoff(job))
            case _:
                self._settle(conn, job, State.FAILED, f"given up after {job.command.attempts} attempts: {outcome.why}")

    def _look(self, conn: psycopg.Connection, job: Job, driver: Driver | None, reason: str) -> None:
        relay = job.command.kind in RELAY
        if relay and (event := store.confirmed_by_event(conn, job)):
            self._settle(conn, job, State.DONE, f"event {event['event']} of the meter confirms it", result=event)
            return
        outcome = driver.poll(job.command) if driver else Outcome(Verdict.UNKNOWN, reason)
        match outcome.verdict:
            case Verdict.DONE:
                self._done(conn, job, outcome)
            case Verdict.REFUSED:
                self._settle(conn, job, State.FAILED, outcome.why)
            case Verdict.ACCEPTED if job.state == State.UNKNOWN:
                self._accepted(conn, job, outcome)
            case Verdict.UNHEARD if not relay:
                if job.command.attempts < job.hes.rules.attempts:
                    self._settle(conn, job, State.QUEUED, outcome.why, due_at=self._backoff(job))
                else:
                    self._settle(conn, job, State.FAILED, outcome.why)
            case Verdict.UNHEARD if job.state == State.ACKNOWLEDGED:
                self._settle(conn, job, State.UNKNOWN, outcome.why, due_at=timedelta(0))
            case Verdict.UNHEARD | Verdict.UNKNOWN if job.state == State.UNKNOWN and driver is not None:
                self._by_position(conn, job, driver, outcome)
            case _:
                self._look_again(conn, job)

    def _by_position(self, conn: psycopg.Connection, job: Job, driver: Driver, outcome: Outcome) -> None:
        """Settle an unknown relay command by where the relay stands, unless a later command may have put it there."""
        wanted = job.command.kind == Kind.CONNECT
        closed = None if store.overtaken_by_a_send(conn, job) else driver.relay_closed(job.command)
        sent_at = job.command.sent_at or datetime.now(UTC)
        if closed == wanted:
            self._settle(conn, job, State.DONE, "the relay is in the position", result={"relay_closed": closed})
        elif closed is not None and outcome.verdict == Verdict.UNHEARD and datetime.now(UTC) - sent_at >= job.hes.rules.settle:
            self._settle(conn, job, State.FAILED, f"{outcome.why}, and the relay has not moved", result={"relay_closed": closed})
        else:
            self._look_again(conn, job)

    def _accepted(self, conn: psycopg.Connection, job: Job, outcome: Outcome) -> None:
        due = job.hes.rules.look
        self._settle(conn, job, State.ACKNOWLEDGED, outcome.why, due_at=due, reference=outcome.reference or job.command.reference)

    def _done(self, conn: psycopg.Connection, job: Job, outcome: Outcome) -> None:
        """Land what came back, then note the outcome. A crash between the two lands it again, which is recognised."""
        result: dict[str, Any] = dict(outcome.detail)
        after, why = State.DONE, outcome.why
        if outcome.delivery is not None:
            try:
                landed = store.land_answer(conn, job, outcome.delivery)
            except LandingError as e:
                if job.command.kind not in RELAY:
                    raise
                result["not_landed"] = str(e)  # the relay has moved, whatever became of its event
            else:
                result |= _counts(landed)
                if landed.rejected and not landed.accepted and job.command.kind not in RELAY:
                    after, why = State.FAILED, f"nothing of the answer could be used: raw.rejected of batch {landed.batch_id} says why"
        self._settle(conn, job, after, why, result=result, reference=outcome.reference or job.command.reference)

    def _settle(self, conn: psycopg.Connection, job: Job, after: State, why: str, **columns: Any) -> None:
        """Move the command on from where this worker took it. Where the lease was lost meanwhile and it became unknown, what is known
        now still counts."""
        ids = job.hes.discom_id, job.command.command_id
        if move(conn, *ids, job.state, after, who=self.name, why=why[:1000], holder=self.name, **columns):
            return
        now = store.state_of(conn, job)
        if now == State.UNKNOWN and after in TRANSITIONS[now] and move(conn, *ids, now, after, who=self.name, why=why[:1000], **columns):
            return
        logger.warning("command %d is %s already: not noted that it is %s (%s)", ids[1], now, after, why)

    def _look_again(self, conn: psycopg.Connection, job: Job) -> None:
        store.look_again(conn, job, self.name, min(job.hes.rules.look * 2 ** min(job.command.looks, 10), LONGEST_LOOK))

    def _backoff(self, job: Job) -> timedelta:
        return min(job.hes.rules.backoff * 2 ** (job.command.attempts - 1), LONGEST_BACKOFF)


def _counts(landed: LandingResult) -> dict[str, Any]:
    return {"batch_id": landed.batch_id, "duplicate": landed.duplicate, "accepted": landed.accepted, "rejected": landed.rejected}
