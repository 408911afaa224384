"""Makes the files of jobs, one at a time: a thread of the API's process, or a process of its own (`python -m api.reports.exports.worker`).

METERHOUSE_EXPORT_WORKER   0: the API makes no files itself, processes of their own do (default 1)
METERHOUSE_EXPORT_KEEP_H   hours that a file is kept (24)

A job is leased while it is made and the lease is renewed; who dies lets it end, and another worker makes the job from its beginning.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from uuid import uuid4

import psycopg
import psycopg_pool

from api.auth import Permission
from api.auth.standing import covers, held_now
from api.database import Database
from api.reports.catalogue import ReportError
from api.reports.exports import repository, sources, store
from api.reports.exports.model import Cut, Part, StoppedError, Work
from api.reports.exports.repository import Export
from warehouse.embedded import EmbeddedError

MAX_ATTEMPTS = 3
LEASE_S = 60.0
IDLE_S = 2.0
SWEEP_EVERY_S = 60.0
FORGET = timedelta(days=30)
MAX_ROWS = 10_000_000
"""Of one job."""

log = logging.getLogger(__name__)


def wanted() -> bool:
    return os.environ.get("METERHOUSE_EXPORT_WORKER", "1") != "0"


def keep() -> timedelta:
    return timedelta(hours=float(os.environ.get("METERHOUSE_EXPORT_KEEP_H", "24")))


class Worker:
    """Takes jobs until it is closed. `run_one` and `sweep` may also be called without the thread."""

    def __init__(self, pools: Database, *, lease_s: float = LEASE_S) -> None:
        self._pools = pools
        self._lease = timedelta(seconds=lease_s)
        self.name = f"{socket.gethostname()} {os.getpid()} {uuid4().hex[:8]}"
        self._ended = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def wake(self) -> None:
        """There is a job: begin, if nobody has begun."""
        with self._lock:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self.run, name="report exports", daemon=True)
                self._thread.start()
        self._woken.set()

    def close(self) -> None:
        """A job that is being made goes back into the queue."""
        self._ended.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def run(self) -> None:
        sweep_at, said = 0.0, False
        while not self._ended.is_set():
            self._woken.clear()
            try:
                if self.run_one():
                    continue
                if time.monotonic() >= sweep_at:
                    self.sweep()
                    sweep_at = time.monotonic() + SWEEP_EVERY_S
                said = False
            except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed, EmbeddedError, OSError) as e:
                if not said:
                    log.warning("exports wait for the warehouse: %s", e)
                said = True
            self._woken.wait(IDLE_S)

    def run_one(self) -> bool:
        """Make one job, whatever comes of it. Whether there was one."""
        with self._pools.loader() as conn:
            job = repository.take(conn, self.name, self._lease)
        if job is None:
            return False
        if job.attempts > MAX_ATTEMPTS:
            self._fail(job, f"given up: {MAX_ATTEMPTS} times whoever made it came to no end")
            return True
        with _Lease(self._pools, job, self.name, self._lease, self._ended) as lease:
            try:
                self._make(job, lease)
            except StoppedError:
                store.remove(store.folder_of(job.discom_id, job.export_id) / str(job.attempts))
                if self._ended.is_set():
                    with self._pools.loader() as conn:
                        repository.retry(conn, job, self.name, None, timedelta(), counts=False)
            except ReportError as e:
                self._fail(job, str(e))
            except Exception as e:
                self._again(job, lease, e)
        return True

    def sweep(self) -> None:
        """What is over goes: files, jobs, and folders that nobody knows."""
        with self._pools.loader() as conn:
            repository.expire(conn, FORGET)
            used = repository.with_files(conn)
        store.sweep(used)

    def _make(self, job: Export, lease: _Lease) -> None:
        if not covers(held_now(self._pools, job.discom_id, job.subject, job.account_id, Permission(job.permission)), job.scope):
            raise ReportError(f"{job.requested_by} holds {job.permission} no more for what this export shows")
        folder = store.fresh(job.discom_id, job.export_id, job.attempts)
        seen = Cut(job.discom_id, job.scope)
        parts = sources.maker(job.source)(Work(job.what, seen, folder, lease.connection, lease.progress))
        contents = [
            {"name": p.name, "rows": p.rows, "error": p.error}
            | ({"bytes": p.path.stat().st_size, "sha256": store.digest(p.path)} if p.path else {})
            for p in parts
        ]
        file = _one_file(parts, folder, job)
        lease.progress(0)
        with self._pools.loader() as conn:
            done = repository.finish(
                conn,
                job,
                self.name,
                file=file.relative_to(store.root()).as_posix(),
                bytes_=file.stat().st_size,
                sha256=store.digest(file),
                contents=contents,
                rows=lease.rows,
                keep=keep(),
            )
        if not done:
            raise StoppedError

    def _again(self, job: Export, lease: _Lease, e: Exception) -> None:
        """Try it later. What is wrong inside is for the log, not for the caller."""
        store.remove(store.folder_of(job.discom_id, job.export_id) / str(job.attempts))
        if lease.stopped:  # a statement that was cancelled with the job fails in a way of its own
            if self._ended.is_set():
                with self._pools.loader() as conn:
                    repository.retry(conn, job, self.name, None, timedelta(), counts=False)
            return
        log.warning("export %s failed at attempt %s", job.export_id, job.attempts, exc_info=e)
        known = isinstance(e, (psycopg.OperationalError, psycopg_pool.PoolTimeout, EmbeddedError))
        error = "the warehouse did not answer" if known else "it failed inside: the service's log says how"
        if job.attempts >= MAX_ATTEMPTS:
            self._fail(job, error)
            return
        with self._pools.loader() as conn:
            repository.retry(conn, job, self.name, error, timedelta(seconds=5 * 6 ** (job.attempts - 1)))

    def _fail(self, job: Export, error: str) -> None:
        store.remove(store.folder_of(job.discom_id, job.export_id))
        with self._pools.loader() as conn:
            repository.fail(conn, job, self.name, error[:2000])


class _Lease:
    """Keeps a job this worker's while it is made, tells of its progress, and stops it where it is not any more."""

    def __init__(self, pools: Database, job: Export, worker: str, lease: timedelta, ended: threading.Event) -> None:
        self._pools, self._job, self._worker, self._lease, self._ended = pools, job, worker, lease, ended
        self.rows = 0
        self.stopped = False
        self._over = threading.Event()
        self._conn: psycopg.Connection | None = None
        self._thread = threading.Thread(target=self._beat, name="report export lease", daemon=True)

    def __enter__(self) -> _Lease:
        self._thread.start()
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _b: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def progress(self, rows: int) -> None:
        self.rows += rows
        if self.stopped or self._ended.is_set():
            self.stopped = True
            raise StoppedError
        if self.rows > MAX_ROWS:
            raise ReportError(f"more than {MAX_ROWS:,} rows: choose a shorter period or fewer reports")

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        with self._pools.snapshot(Cut(self._job.discom_id, self._job.scope)) as conn:
            self._conn = conn
            try:
                yield conn
            finally:
                self._conn = None

    def _beat(self) -> None:
        every = min(self._lease.total_seconds() / 4, 2.0)
        while not self._over.wait(every):
            try:
                with self._pools.loader() as conn:
                    kept = repository.renew(conn, self._job, self._worker, self._lease, self.rows)
            except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed, EmbeddedError) as e:
                log.warning("the lease of export %s could not be renewed: %s", self._job.export_id, e)
                continue
            if not kept or self._ended.is_set():
                self.stopped = True
                self._cancel()
                return

    def _cancel(self) -> None:
        conn = self._conn
        if conn is not None:
            try:
                conn.cancel_safe(timeout=5)
            except psycopg.Error as e:
                log.warning("a statement could not be cancelled: %s", e)


def _one_file(parts: Sequence[Part], folder: Path, job: Export) -> Path:
    """The file of a job that has one, else a ZIP. Raises ReportError where there is none."""
    made = [p for p in parts if p.path is not None]
    if not made:
        raise ReportError("; ".join(f"{p.name}: {p.error}" for p in parts) or "there is nothing to export")
    paths = [p.path for p in made if p.path]
    return paths[0] if len(paths) == 1 else store.zipped(f"{job.source}_{job.requested_at:%Y%m%dT%H%M%SZ}.zip", paths, folder)


def main() -> None:
    """Until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO)
    pools = Database()
    worker = Worker(pools, lease_s=float(os.environ.get("METERHOUSE_EXPORT_LEASE_S", LEASE_S)))
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: worker.close())
    try:
        worker.run()
    finally:
        pools.close()


if __name__ == "__main__":
    main()
